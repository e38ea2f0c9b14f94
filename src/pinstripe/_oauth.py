"""Connect's OAuth: ``client.oauth``. https://docs.stripe.com/connect/oauth-reference"""

from __future__ import annotations

from typing import Any

from pinstripe._endpoint import Resource, post
from pinstripe.form import encode

__all__ = ["AsyncOAuth", "OAuth"]


class OAuth(Resource):
    """Connect accounts to a platform: send people to `authorize_url`, exchange the code they come back with for a `token`."""

    _token: Any = post("/oauth/token", "pinstripe._oauth_models:OAuthToken", host="connect")  # Any: a row, bound
    _deauthorize: Any = post(
        "/oauth/deauthorize", "pinstripe._oauth_models:OAuthDeauthorization", host="connect"
    )  # Any: as above

    def authorize_url(self, *, express: bool = False, **params: Any) -> str:  # Any: the stub says what
        """Where to send a person who is to connect their account; nothing is sent by this call."""
        path = "/express/oauth/authorize" if express else "/oauth/authorize"
        return f"{self._client.config.hosts['connect']}{path}?{encode({'response_type': 'code', **params})}"

    def token(self, **params: Any) -> Any:  # Any: the stub says what
        """Exchange an authorization code (or a refresh token) for access to the connected account."""
        options = params.get("request_options") or {}
        secret = options.get("api_key") or self._client.config.api_key
        return self._token(client_secret=secret, **params)

    def deauthorize(self, **params: Any) -> Any:  # Any: the stub says what
        """End the platform's access to an account."""
        return self._deauthorize(**params)


AsyncOAuth = OAuth
