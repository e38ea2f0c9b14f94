"""The arguments of a client's hooks: ``on_request``, ``on_response`` and ``on_retry``. They contain no parameters or keys.

    def count(response: pinstripe.hooks.ResponseInfo) -> None:
        metrics.timing("stripe", response.elapsed, operation=response.request.operation)

    client = pinstripe.Client(on_response=count)

A hook that raises does not fail the call: its error is logged. Hooks of async clients are plain functions, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["RequestInfo", "ResponseInfo", "RetryInfo"]

_logger = logging.getLogger("pinstripe")


@dataclass(frozen=True)
class RequestInfo:
    """One attempt of a call, about to be sent."""

    operation: str
    """The operation, such as ``customers.create``; for ``client.request`` the verb and the path."""
    verb: str
    path: str
    """The path with its ids, without the query."""
    attempt: int
    """1 for the first attempt."""
    api_version: str
    idempotency_key: str | None
    stripe_account: str | None
    stripe_context: str | None


@dataclass(frozen=True)
class ResponseInfo:
    """The response to an attempt, or its failure."""

    request: RequestInfo
    elapsed: float
    """Seconds since the attempt was sent."""
    status_code: int | None
    """``None`` if there was no complete response."""
    request_id: str | None
    error: str | None
    """The reason if there was no complete response."""
    replayed: bool
    """Whether Stripe returned the response of an earlier request with the same idempotency key."""


@dataclass(frozen=True)
class RetryInfo:
    """A retry that follows after ``delay`` seconds. ``request`` is the attempt that failed."""

    request: RequestInfo
    reason: str
    """The status, or why there was no complete response."""
    delay: float


def call_hook(hook: Callable[[Any], object] | None, info: object) -> None:  # Any: one of the classes above
    """Call a hook; log its error, since the request may have taken effect."""
    if hook is not None:
        try:
            hook(info)
        except Exception:
            _logger.exception("the hook %r failed", hook)
