"""Idempotency keys: a request that is sent again gets the response of the first. https://docs.stripe.com/api/idempotent_requests"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from pinstripe.emulator.server.requests import Request
from pinstripe.emulator.server.responses import Response
from pinstripe.emulator.state.tables import StoredResponse
from pinstripe.emulator.validation.errors import ErrorResponse

MAX_KEY_LENGTH = 255
STORED_STATUSES = (200, 402)
"""The statuses of responses that are repeated; other refused requests may be sent again with the same key."""


class HeldKeys:
    """The keys whose response is still being sent, because of a fault: another request with such a key is refused."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def check(self, account: str, key: str) -> None:
        """Raise the `ErrorResponse` of a key that is in use."""
        if (account, key) in self._keys:
            raise ErrorResponse(
                f"Another request with the idempotency key {key} is being carried out; try again when it is done.",
                status=409,
                type="idempotency_error",
                code="idempotency_key_in_use",
            )

    def hold(self, account: str, key: str) -> None:
        """Keep a key in use."""
        with self._lock:
            self._keys.add((account, key))

    def release(self, held: tuple[str, str]) -> None:
        """End the use of a key."""
        with self._lock:
            self._keys.discard(held)


def key_of(request: Request) -> str | None:
    """Return the idempotency key of a request that may change something; raises `ErrorResponse` for one that is too long."""
    key = request.headers.get("idempotency-key")
    if key is None or request.verb == "GET":
        return None
    if len(key) > MAX_KEY_LENGTH:
        raise ErrorResponse(f"Idempotency keys are at most {MAX_KEY_LENGTH} characters.", type="idempotency_error")
    return key


def fingerprint(request: Request, params: Mapping[str, Any]) -> str:  # Any: JSON values
    """Return what must be the same in every request with one key."""
    return json.dumps([request.verb, request.path, params], sort_keys=True)


def store(response: Response, request_fingerprint: str) -> StoredResponse:
    """Return what is stored of a response."""
    return StoredResponse(request_fingerprint, response.status, response.body.decode(), response.headers)


def replay(stored: StoredResponse, request_fingerprint: str, key: str) -> Response:
    """Return a stored response; raises `ErrorResponse` when the request differs from the first one."""
    if stored.fingerprint != request_fingerprint:
        raise ErrorResponse(
            f"The idempotency key {key} was used before with other parameters; use another key.",
            type="idempotency_error",
        )
    return Response(stored.status, stored.body.encode(), {**stored.headers, "Idempotent-Replayed": "true"})
