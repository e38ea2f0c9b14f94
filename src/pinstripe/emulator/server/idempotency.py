"""Answers to requests with an idempotency key. https://docs.stripe.com/api/idempotent_requests"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Kept:
    """The answer to a request with an idempotency key, and what the request was."""

    print: str
    status: int
    body: bytes
    headers: dict[str, str]
