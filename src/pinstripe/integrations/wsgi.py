"""WSGI application that receives webhooks, for any WSGI server or framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeAlias

from pinstripe.webhooks.inbox import EventProcessor
from pinstripe.webhooks.receiver import (
    MAX_BODY,
    SIGNATURE_HEADER,
    TOO_LARGE,
    Dispatcher,
    Receiver,
    WebhookResponse,
    parse_content_length,
)
from pinstripe.webhooks.signature import TOLERANCE, mask_secrets

__all__ = ["webhook_app"]

Environ: TypeAlias = dict[str, Any]  # Any: the values differ by key, as WSGI says
StartResponse: TypeAlias = Callable[..., object]
SIGNATURE_KEY = "HTTP_" + SIGNATURE_HEADER.upper().replace("-", "_")


def webhook_app(
    handlers: Dispatcher,
    secret: str | Iterable[str],
    *,
    tolerance: float | None = TOLERANCE,
    max_body: int = MAX_BODY,
    inbox: EventProcessor | None = None,
) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    """Return a WSGI application for one webhook endpoint.

    The arguments are those of `pinstripe.integrations.asgi.webhook_app`.
    """
    secret = mask_secrets(secret)
    receiver = Receiver(handlers, secret, tolerance, max_body, inbox)

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        response = handle_request(receiver, environ)
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", list(response.headers.items()))
        return [response.body]

    return application


def handle_request(receiver: Receiver, environ: Environ) -> WebhookResponse:
    """Read a WSGI request, up to the maximum body size, and return the response."""
    header = environ.get("CONTENT_LENGTH") or ""
    error = receiver.check_request(environ["REQUEST_METHOD"], header)
    if error is not None:
        return error
    length = parse_content_length(header)
    if length is not None:
        size = length
    elif environ.get("wsgi.input_terminated"):  # a chunked body, whose end the server marks
        size = receiver.max_body + 1
    else:
        size = 0
    body = environ["wsgi.input"].read(size) if size else b""
    return TOO_LARGE if len(body) > receiver.max_body else receiver.receive(body, environ.get(SIGNATURE_KEY))
