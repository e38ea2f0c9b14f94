"""Connect's OAuth: ``client.oauth``. https://docs.stripe.com/connect/oauth-reference"""

from __future__ import annotations

from typing import Any

from pinstripe._call import Call
from pinstripe._endpoint import Params, Resource
from pinstripe.form import encode

__all__ = ["AsyncOAuth", "OAuth"]


class _AuthorizeUrl(Resource):
    """The methods that both services share."""

    def authorize_url(self, *, express: bool = False, **params: Any) -> str:  # Any: the stub types them
        """Return the URL where a user connects their account. Sends no request."""
        path = "/express/oauth/authorize" if express else "/oauth/authorize"
        return f"{self._client._config.hosts['connect']}{path}?{encode({'response_type': 'code', **params})}"

    def _token_call(self, params: Params) -> Call:
        from pinstripe._oauth_models import OAuthToken  # here, so that importing a client does not import Pydantic

        options = params.pop("request_options", None)
        secret = (options or {}).get("api_key") or self._client._config.api_key
        params = {"client_secret": secret, **params}
        return Call("POST", "/oauth/token", params, OAuthToken, options, "connect")

    def _deauthorize_call(self, params: Params) -> Call:
        from pinstripe._oauth_models import OAuthDeauthorization  # here, as in _token_call

        options = params.pop("request_options", None)
        return Call("POST", "/oauth/deauthorize", params, OAuthDeauthorization, options, "connect")


class OAuth(_AuthorizeUrl):
    """Connect accounts to a platform: redirect a user to `authorize_url`, then exchange the returned code for a `token`."""

    def token(self, **params: Any) -> Any:  # Any: the stub types the parameters and the result
        """Exchange an authorization code or a refresh token for access to the connected account."""
        return self._client._perform(self._token_call(params))

    def deauthorize(self, **params: Any) -> Any:  # Any: as for token
        """Revoke the platform's access to an account."""
        return self._client._perform(self._deauthorize_call(params))


class AsyncOAuth(_AuthorizeUrl):
    """Connect accounts to a platform: redirect a user to `authorize_url`, then exchange the returned code for a `token`."""

    async def token(self, **params: Any) -> Any:  # Any: as in OAuth
        """Exchange an authorization code or a refresh token for access to the connected account."""
        return await self._client._perform(self._token_call(params))

    async def deauthorize(self, **params: Any) -> Any:  # Any: as for token
        """Revoke the platform's access to an account."""
        return await self._client._perform(self._deauthorize_call(params))
