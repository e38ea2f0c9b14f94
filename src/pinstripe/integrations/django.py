"""Django views that receive webhooks: ``path("webhooks/stripe", webhook_view(handlers))``.

Settings, by name: ``PINSTRIPE_WEBHOOK_SECRET`` (one, or a list), ``PINSTRIPE_WEBHOOK_TOLERANCE`` (seconds) and
``PINSTRIPE_WEBHOOK_MAX_BODY`` (bytes).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt

from pinstripe.webhooks.receiver import HEADER, MAX_BODY, TOO_LARGE, Receiver, Reply
from pinstripe.webhooks.signature import TOLERANCE

if TYPE_CHECKING:
    from pinstripe.webhooks.handlers import Dispatcher
    from pinstripe.webhooks.inbox import Once

__all__ = ["async_webhook_view", "webhook_view"]


def webhook_view(
    handlers: Dispatcher, *, secret: str | Iterable[str] | None = None, inbox: Once | None = None
) -> Callable[[Any], Any]:  # Any: Django's own types
    """A view, exempt from CSRF checks; ``secret`` is else the setting's."""
    receivers: list[Receiver] = []

    def view(request: Any) -> Any:  # Any: Django's own types
        receiver = _receiver(receivers, handlers, secret, inbox)
        body = _body(receiver, request)
        return _response(body if isinstance(body, Reply) else receiver.receive(body, request.headers.get(HEADER)))

    exempt: Callable[[Any], Any] = csrf_exempt(view)  # Any: as above
    return exempt


def async_webhook_view(
    handlers: Dispatcher, *, secret: str | Iterable[str] | None = None, inbox: Once | None = None
) -> Callable[[Any], Awaitable[Any]]:  # Any: Django's own types
    """The same for an async deployment."""
    receivers: list[Receiver] = []

    async def view(request: Any) -> Any:  # Any: Django's own types
        receiver = _receiver(receivers, handlers, secret, inbox)
        body = _body(receiver, request)
        return _response(
            body if isinstance(body, Reply) else await receiver.areceive(body, request.headers.get(HEADER))
        )

    exempt: Callable[[Any], Awaitable[Any]] = csrf_exempt(view)  # Any: as above
    return exempt


def _receiver(
    made: list[Receiver], handlers: Dispatcher, secret: str | Iterable[str] | None, inbox: Once | None
) -> Receiver:
    """Made with the first request, when the settings are there."""
    if not made:
        made.append(
            Receiver(
                handlers,
                secret if secret is not None else getattr(settings, "PINSTRIPE_WEBHOOK_SECRET", ""),
                getattr(settings, "PINSTRIPE_WEBHOOK_TOLERANCE", TOLERANCE),
                getattr(settings, "PINSTRIPE_WEBHOOK_MAX_BODY", MAX_BODY),
                inbox,
            )
        )
    return made[0]


def _body(receiver: Receiver, request: Any) -> bytes | Reply:  # Any: as above
    refused = receiver.refuse(request.method, request.META.get("CONTENT_LENGTH"))
    if refused is not None:
        return refused
    body: bytes = request.read(receiver.max_body + 1)
    return TOO_LARGE if len(body) > receiver.max_body else body


def _response(reply: Reply) -> Any:  # Any: as above
    return HttpResponse(reply.body, status=reply.status, headers=reply.headers)
