"""A WSGI application that receives webhooks, for any WSGI server or framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from pinstripe.webhooks.receiver import HEADER, MAX_BODY, TOO_LARGE, Receiver, Reply
from pinstripe.webhooks.signature import TOLERANCE

if TYPE_CHECKING:
    from pinstripe.webhooks.handlers import Dispatcher
    from pinstripe.webhooks.inbox import Once

__all__ = ["webhook_app"]

Environ: TypeAlias = dict[str, Any]  # Any: WSGI's own
StartResponse: TypeAlias = Callable[..., object]
SIGNATURE = "HTTP_" + HEADER.upper().replace("-", "_")


def webhook_app(
    handlers: Dispatcher,
    secret: str | Iterable[str],
    *,
    tolerance: float | None = TOLERANCE,
    max_body: int = MAX_BODY,
    inbox: Once | None = None,
) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    """A WSGI application for one webhook endpoint. The arguments are those of `pinstripe.integrations.asgi.webhook_app`."""
    receiver = Receiver(handlers, secret, tolerance, max_body, inbox)

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        reply = answer(receiver, environ)
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", list(reply.headers.items()))
        return [reply.body]

    return application


def answer(receiver: Receiver, environ: Environ) -> Reply:
    """What to answer to a WSGI request; its body is read here, and no more of it than allowed."""
    length = environ.get("CONTENT_LENGTH") or ""
    refused = receiver.refuse(environ["REQUEST_METHOD"], length)
    if refused is not None:
        return refused
    stream = environ["wsgi.input"]
    if length.isdigit():
        wanted = int(length)
    elif environ.get("wsgi.input_terminated"):  # a chunked body, which the server ends
        wanted = receiver.max_body + 1
    else:
        wanted = 0
    body = stream.read(wanted) if wanted else b""
    return TOO_LARGE if len(body) > receiver.max_body else receiver.receive(body, environ.get(SIGNATURE))
