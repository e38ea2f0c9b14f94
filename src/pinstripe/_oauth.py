"""Connect's OAuth: ``client.oauth``. https://docs.stripe.com/connect/oauth-reference"""

from __future__ import annotations

from typing import Any

from pinstripe._endpoint import Params, Resource
from pinstripe._options import read_options
from pinstripe._request import Call
from pinstripe.form import encode

__all__ = ["AsyncOAuth", "OAuth"]

_NAMES = {
    "authorize_url": "client_id redirect_uri response_type scope state stripe_landing always_prompt stripe_user "
    "suggested_capabilities",
    "token": "grant_type code refresh_token scope assert_capabilities client_secret",
    "deauthorize": "client_id stripe_user_id",
}


class _AuthorizeUrl(Resource):
    """The methods that both services share."""

    def authorize_url(self, *, express: bool = False, **params: Any) -> str:  # Any: the stub types them
        """Return the URL where a user connects their account. Sends no request."""
        _check_names("authorize_url", params)
        path = "/express/oauth/authorize" if express else "/oauth/authorize"
        return f"{self._client._config.hosts['connect']}{path}?{encode({'response_type': 'code', **params})}"

    def _token_call(self, params: Params) -> Call:
        from pinstripe._oauth_models import OAuthToken  # here, so that importing a client does not import Pydantic

        extra: Params = {}
        options = read_options(params.pop("request_options", None), extra)
        _check_names("token", params)
        secret = (options or {}).get("api_key") or self._client._config.api_key
        params = {"client_secret": secret, **params, **extra}
        return Call("POST", "/oauth/token", params, OAuthToken, options, "connect", operation="oauth.token")

    def _deauthorize_call(self, params: Params) -> Call:
        from pinstripe._oauth_models import OAuthDeauthorization  # here, as in _token_call

        extra: Params = {}
        options = read_options(params.pop("request_options", None), extra)
        _check_names("deauthorize", params)
        params.update(extra)
        return Call(
            "POST",
            "/oauth/deauthorize",
            params,
            OAuthDeauthorization,
            options,
            "connect",
            operation="oauth.deauthorize",
        )


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


def _check_names(method: str, params: Params) -> None:
    names = _NAMES[method].split()
    for name in params.keys() - set(names):
        from pinstripe import _hints  # here, since it is needed for errors only

        raise _hints.unknown_parameter(f"oauth.{method}", name, names)
