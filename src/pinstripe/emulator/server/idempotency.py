"""Idempotency keys: a repeated request gets the response of the first one.

https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping

from pinstripe.emulator.server.requests import Request
from pinstripe.emulator.server.responses import Response
from pinstripe.emulator.state.json_values import JSON
from pinstripe.emulator.state.tables import StoredResponse
from pinstripe.emulator.validation.errors import ErrorResponse

MAX_KEY_LENGTH = 255


class HeldKeys:
    """The keys whose response is delayed by a fault; other requests with such a key get a 409."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def check(self, account: str, key: str) -> None:
        """Raise `ErrorResponse` for a key that is held."""
        if (account, key) in self._keys:
            raise ErrorResponse(
                f"Another request with the idempotency key {key} is in progress; try again when it has finished.",
                status=409,
                type="idempotency_error",
                code="idempotency_key_in_use",
            )

    def hold(self, account: str, key: str) -> None:
        """Hold a key."""
        with self._lock:
            self._keys.add((account, key))

    def release(self, account_and_key: tuple[str, str]) -> None:
        """Release a key."""
        with self._lock:
            self._keys.discard(account_and_key)


def key_of(request: Request) -> str | None:
    """Return the idempotency key of a POST, or of a DELETE of API v2; raise `ErrorResponse` for a key that is too long."""
    key = request.headers.get("idempotency-key")
    if key is None or request.verb == "GET" or (request.verb == "DELETE" and request.path.startswith("/v1/")):
        return None
    if len(key) > MAX_KEY_LENGTH:
        raise ErrorResponse(f"Idempotency keys are at most {MAX_KEY_LENGTH} characters.", type="idempotency_error")
    return key


def fingerprint(request: Request, params: Mapping[str, JSON]) -> str:
    """Return a text that is equal for equal requests."""
    return json.dumps([request.verb, request.path, params], sort_keys=True)


def store(response: Response, request_fingerprint: str) -> StoredResponse:
    """Return a response as a row of the side table."""
    return StoredResponse(request_fingerprint, response.status, response.body.decode(), response.headers)


def replay(stored: StoredResponse, request_fingerprint: str, key: str) -> Response:
    """Return a stored response; raise `ErrorResponse` when the request differs from the first one."""
    if stored.fingerprint != request_fingerprint:
        raise ErrorResponse(
            f"The idempotency key {key} was used before with other parameters; use another key.",
            type="idempotency_error",
        )
    return Response(stored.status, stored.body.encode(), {**stored.headers, "Idempotent-Replayed": "true"})
