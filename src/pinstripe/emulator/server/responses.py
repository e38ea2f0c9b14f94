"""HTTP responses of the emulator."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pinstripe.emulator.server.faults import Fault
from pinstripe.emulator.validation.errors import ErrorResponse


@dataclass
class Response:
    """An HTTP response with its whole body, and the fault that is to happen while it is sent."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    held_key: tuple[str, str] | None = None
    """The account and idempotency key that stay in use until the response is sent."""


def json_response(status: int, body: Any) -> Response:  # Any: a JSON value
    """Return a response with a JSON body."""
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def error_response(error: ErrorResponse, **more: str) -> Response:
    """Return the response of an error of Stripe's API; ``more`` are other fields of the error object."""
    return json_response(error.status, {"error": {**error.error, **more}})
