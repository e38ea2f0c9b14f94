"""ASGI application that receives webhooks.

In Starlette and FastAPI: ``app.add_route("/webhooks/stripe", webhook_app(...), methods=["POST"])``. Mounted,
``app.mount("/webhooks", webhook_app(...))``, it responds at every path below the mount.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pinstripe._asgi import Message, Receive, Send, read_body, read_headers, send_response
from pinstripe.webhooks.inbox import EventProcessor
from pinstripe.webhooks.receiver import MAX_BODY, SIGNATURE_HEADER, TOO_LARGE, Dispatcher, Receiver, WebhookResponse
from pinstripe.webhooks.signature import TOLERANCE, mask_secrets

__all__ = ["WebhookApp", "webhook_app"]


class WebhookApp:
    """An ASGI application for one webhook endpoint. `webhook_app` creates it.

    It is an object, not a function, since Starlette and FastAPI take functions as handlers of their own requests.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def __repr__(self) -> str:
        return f"<WebhookApp of {self._receiver!r}>"

    if TYPE_CHECKING:
        # Starlette's types of add_route name functions of a request only, although it takes ASGI applications.
        def __call__(self, *args: Any) -> Any:  # Any: see above
            """Receive a webhook, at any path."""
    else:

        async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
            """Receive a webhook, at any path."""
            if scope["type"] != "http":
                raise ValueError(f"webhook_app handles HTTP requests, but the scope type is {scope['type']!r}.")
            response = await _receive(self._receiver, scope, receive)
            await send_response(send, response.status, response.headers, response.body)


def webhook_app(
    handlers: Dispatcher,
    secret: str | Iterable[str],
    *,
    tolerance: float | None = TOLERANCE,
    max_body: int = MAX_BODY,
    inbox: EventProcessor | None = None,
) -> WebhookApp:
    """Return an ASGI application for one webhook endpoint, which verifies the raw request body.

    Add it as a route, ``Route("/webhooks/stripe", webhook_app(...), methods=["POST"])``, or run it by itself: it responds
    at any path. Do not mount it at the URL of the endpoint: there, Starlette redirects, which Stripe counts as a failure.
    ``secret`` is one secret or several; ``tolerance`` is in seconds, ``max_body`` in bytes.
    `pinstripe.webhooks.receiver` documents the responses.
    """
    secret = mask_secrets(secret)
    return WebhookApp(Receiver(handlers, secret, tolerance, max_body, inbox))


async def _receive(receiver: Receiver, scope: Message, receive: Receive) -> WebhookResponse:
    headers = read_headers(scope)
    error = receiver.check_request(scope["method"], headers.get("content-length"))
    if error is not None:
        return error
    body = await read_body(receive, receiver.max_body)
    return TOO_LARGE if body is None else await receiver.areceive(body, headers.get(SIGNATURE_HEADER))
