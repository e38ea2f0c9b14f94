"""The responses of Connect's OAuth. https://docs.stripe.com/connect/oauth-reference"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:  # Any: the values; the repr leaves out the tokens
        return [
            (name, value) for name, value in super().__repr_args__() if name not in ("access_token", "refresh_token")
        ]


class OAuthDeauthorization(StripeModel):
    """An account that is no longer connected."""

    stripe_user_id: str
