"""ASGI application that receives webhooks.

In Starlette, FastAPI and other frameworks: ``app.mount("/webhooks", webhook_app(...))``.
"""

from __future__ import annotations

from collections.abc import Iterable

from pinstripe._asgi import Application, Message, Receive, Send, read_body, read_headers, send_response
from pinstripe.webhooks.inbox import EventProcessor
from pinstripe.webhooks.receiver import MAX_BODY, SIGNATURE_HEADER, TOO_LARGE, Dispatcher, Receiver, WebhookResponse
from pinstripe.webhooks.signature import TOLERANCE

__all__ = ["webhook_app"]


def webhook_app(
    handlers: Dispatcher,
    secret: str | Iterable[str],
    *,
    tolerance: float | None = TOLERANCE,
    max_body: int = MAX_BODY,
    inbox: EventProcessor | None = None,
) -> Application:
    """Return an ASGI application for one webhook endpoint, which verifies the raw request body.

    ``secret`` is one secret or several; ``tolerance`` is in seconds, ``max_body`` in bytes.
    `pinstripe.webhooks.receiver` documents the responses.
    """
    receiver = Receiver(handlers, secret, tolerance, max_body, inbox)

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"webhook_app handles HTTP requests, but the scope type is {scope['type']!r}.")
        response = await _receive(receiver, scope, receive)
        await send_response(send, response.status, response.headers, response.body)

    return application


async def _receive(receiver: Receiver, scope: Message, receive: Receive) -> WebhookResponse:
    headers = read_headers(scope)
    error = receiver.check_request(scope["method"], headers.get("content-length"))
    if error is not None:
        return error
    body = await read_body(receive, receiver.max_body)
    return TOO_LARGE if body is None else await receiver.areceive(body, headers.get(SIGNATURE_HEADER))
