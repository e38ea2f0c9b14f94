"""Connect's OAuth: ``client.oauth``. https://docs.stripe.com/connect/oauth-reference"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pinstripe._endpoint import Resource
from pinstripe._oauth_models import OAuthDeauthorization, OAuthToken
from pinstripe.types import RequestOptions

class _AuthorizeUrl(Resource):
    def authorize_url(
        self,
        *,
        express: bool = False,
        client_id: str,
        redirect_uri: str = ...,
        scope: Literal["read_write", "read_only"] = ...,
        state: str = ...,
        stripe_landing: Literal["login", "register"] = ...,
        always_prompt: bool = ...,
        stripe_user: Mapping[str, str | int | bool] = ...,
        suggested_capabilities: Sequence[str] = ...,
    ) -> str:
        """Return the URL where a user connects their account. Sends no request.

        ``state`` is returned with the code: compare it, to prevent request forgery.
        https://docs.stripe.com/connect/oauth-reference#get-authorize"""

class OAuth(_AuthorizeUrl):
    def token(
        self,
        *,
        grant_type: Literal["authorization_code", "refresh_token"],
        code: str = ...,
        refresh_token: str = ...,
        scope: Literal["read_write", "read_only"] = ...,
        assert_capabilities: Sequence[str] = ...,
        request_options: RequestOptions = ...,
    ) -> OAuthToken:
        """`POST /oauth/token`: exchange an authorization code or a refresh token for access to the connected account.
        https://docs.stripe.com/connect/oauth-reference#post-token"""
    def deauthorize(
        self, *, client_id: str, stripe_user_id: str, request_options: RequestOptions = ...
    ) -> OAuthDeauthorization:
        """`POST /oauth/deauthorize`: revoke the platform's access to an account.
        https://docs.stripe.com/connect/oauth-reference#post-deauthorize"""

class AsyncOAuth(_AuthorizeUrl):
    async def token(
        self,
        *,
        grant_type: Literal["authorization_code", "refresh_token"],
        code: str = ...,
        refresh_token: str = ...,
        scope: Literal["read_write", "read_only"] = ...,
        assert_capabilities: Sequence[str] = ...,
        request_options: RequestOptions = ...,
    ) -> OAuthToken:
        """`POST /oauth/token`: exchange an authorization code or a refresh token for access to the connected account.
        https://docs.stripe.com/connect/oauth-reference#post-token"""
    async def deauthorize(
        self, *, client_id: str, stripe_user_id: str, request_options: RequestOptions = ...
    ) -> OAuthDeauthorization:
        """`POST /oauth/deauthorize`: revoke the platform's access to an account.
        https://docs.stripe.com/connect/oauth-reference#post-deauthorize"""
