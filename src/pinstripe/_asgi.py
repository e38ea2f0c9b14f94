"""Reading the body of an ASGI request, for receivers and the emulator. https://asgi.readthedocs.io/en/latest/specs/www.html"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

__all__ = ["Message", "Receive", "Send", "read_body"]

Message: TypeAlias = MutableMapping[str, Any]  # Any: as ASGI defines it
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


async def read_body(receive: Receive, max_body: int) -> bytes | None:
    """Return the whole body, or ``None`` when it is longer than ``max_body`` bytes or the client has disconnected."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or len(body) > max_body:
            return None
        if not message.get("more_body", False):
            return bytes(body)
