"""The response to a call, as models and pages have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Response"]


@dataclass(eq=False)
class Response:
    """The response to a call; models and pages have it as ``last_response``.

    The names of the ``headers`` are in lower case. ``attempts`` is the number of requests that were sent.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    idempotency_key: str | None = None
    attempts: int = 1

    @property
    def request_id(self) -> str | None:
        """Stripe's id of the request (``req_...``), for their support. https://docs.stripe.com/api/request_ids"""
        return self.headers.get("request-id")
