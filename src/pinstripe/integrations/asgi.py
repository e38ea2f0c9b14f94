"""An ASGI application that receives webhooks: ``app.mount("/webhooks", webhook_app(...))`` in Starlette, FastAPI or any other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pinstripe.webhooks.receiver import HEADER, MAX_BODY, TOO_LARGE, Receiver, Reply
from pinstripe.webhooks.signature import TOLERANCE

if TYPE_CHECKING:
    from pinstripe.webhooks.handlers import Dispatcher
    from pinstripe.webhooks.inbox import Once

__all__ = ["webhook_app"]

Message: TypeAlias = MutableMapping[str, Any]  # Any: ASGI's own
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


def webhook_app(
    handlers: Dispatcher,
    secret: str | Iterable[str],
    *,
    tolerance: float | None = TOLERANCE,
    max_body: int = MAX_BODY,
    inbox: Once | None = None,
) -> Application:
    """An ASGI application for one webhook endpoint; the raw body is read before anything parses it.

    ``secret`` is one or several; ``tolerance`` is in seconds, ``max_body`` in bytes. What it answers is said in
    `pinstripe.webhooks.receiver`.
    """
    receiver = Receiver(handlers, secret, tolerance, max_body, inbox)

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"a webhook endpoint takes http, not {scope['type']}")
        reply = await _reply(receiver, scope, receive)
        headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    return application


async def _reply(receiver: Receiver, scope: Message, receive: Receive) -> Reply:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    refused = receiver.refuse(scope["method"], headers.get("content-length"))
    if refused is not None:
        return refused
    body = await read_body(receive, receiver.max_body)
    return TOO_LARGE if body is None else await receiver.areceive(body, headers.get(HEADER))


async def read_body(receive: Receive, max_body: int) -> bytes | None:
    """The whole body; none where there is more of it than allowed, or where the sender went away."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or len(body) > max_body:
            return None
        if not message.get("more_body", False):
            return bytes(body)
