"""HTTP responses of the emulator."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from pinstripe.emulator.server.faults import Fault
from pinstripe.emulator.state.json_values import JSON
from pinstripe.emulator.validation.errors import ErrorResponse


@dataclass
class Response:
    """An HTTP response with its body, and the fault to apply when it is sent."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    held_key: tuple[str, str] | None = None
    """The account and idempotency key that are held until the response is sent."""


def json_response(status: int, body: JSON) -> Response:
    """Return a response with a JSON body."""
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def error_response(error: ErrorResponse, **fields: str) -> Response:
    """Return the response of an error; ``fields`` are added to the error object."""
    return json_response(error.status, {"error": {**error.error, **fields}})
