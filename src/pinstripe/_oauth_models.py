"""The responses of Connect's OAuth. https://docs.stripe.com/connect/oauth-reference"""

from __future__ import annotations

from pinstripe._base import StripeModel

__all__ = ["OAuthDeauthorization", "OAuthToken"]


class OAuthToken(StripeModel):
    """Access to a connected account. Use ``stripe_user_id`` as ``stripe_account``."""

    access_token: str | None = None
    livemode: bool | None = None
    refresh_token: str | None = None
    scope: str | None = None
    stripe_publishable_key: str | None = None
    stripe_user_id: str | None = None
    token_type: str | None = None


class OAuthDeauthorization(StripeModel):
    """An account that is no longer connected."""

    stripe_user_id: str
