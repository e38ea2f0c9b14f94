"""Django views that receive webhooks: ``path("webhooks/stripe", webhook_view(handlers))``.

Settings: ``PINSTRIPE_WEBHOOK_SECRET`` (one secret, or a list), ``PINSTRIPE_WEBHOOK_TOLERANCE`` (seconds) and
``PINSTRIPE_WEBHOOK_MAX_BODY`` (bytes).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt

from pinstripe.webhooks.inbox import EventProcessor
from pinstripe.webhooks.receiver import MAX_BODY, SIGNATURE_HEADER, TOO_LARGE, Dispatcher, Receiver, WebhookResponse
from pinstripe.webhooks.signature import TOLERANCE, mask_secrets

__all__ = ["async_webhook_view", "webhook_view"]


def webhook_view(
    handlers: Dispatcher, *, secret: str | Iterable[str] | None = None, inbox: EventProcessor | None = None
) -> Callable[[Any], Any]:  # Any: untyped Django
    """Return a view that is exempt from CSRF checks; ``secret`` defaults to the setting."""
    receiver = _lazy_receiver(handlers, secret, inbox)

    def view(request: Any) -> Any:  # Any: untyped Django
        body = _read_body(receiver(), request)
        if isinstance(body, WebhookResponse):
            return _http_response(body)
        return _http_response(receiver().receive(body, request.headers.get(SIGNATURE_HEADER)))

    exempt_view: Callable[[Any], Any] = csrf_exempt(view)  # Any: untyped Django
    return exempt_view


def async_webhook_view(
    handlers: Dispatcher, *, secret: str | Iterable[str] | None = None, inbox: EventProcessor | None = None
) -> Callable[[Any], Awaitable[Any]]:  # Any: untyped Django
    """Return an async view that is exempt from CSRF checks; ``secret`` defaults to the setting."""
    receiver = _lazy_receiver(handlers, secret, inbox)

    async def view(request: Any) -> Any:  # Any: untyped Django
        body = _read_body(receiver(), request)
        if isinstance(body, WebhookResponse):
            return _http_response(body)
        return _http_response(await receiver().areceive(body, request.headers.get(SIGNATURE_HEADER)))

    view.csrf_exempt = True  # type: ignore[attr-defined]  # as csrf_exempt does, which returns a sync view before Django 5.0
    return view


def _lazy_receiver(
    handlers: Dispatcher, secret: str | Iterable[str] | None, inbox: EventProcessor | None
) -> Callable[[], Receiver]:
    """Return a function that creates the receiver when it is first called, since settings may not be configured yet."""
    secret = None if secret is None else mask_secrets(secret)

    @cache
    def receiver() -> Receiver:
        return Receiver(
            handlers,
            secret if secret is not None else getattr(settings, "PINSTRIPE_WEBHOOK_SECRET", ""),
            getattr(settings, "PINSTRIPE_WEBHOOK_TOLERANCE", TOLERANCE),
            getattr(settings, "PINSTRIPE_WEBHOOK_MAX_BODY", MAX_BODY),
            inbox,
        )

    return receiver


def _read_body(receiver: Receiver, request: Any) -> bytes | WebhookResponse:  # Any: untyped Django
    error = receiver.check_request(request.method, request.META.get("CONTENT_LENGTH"))
    if error is not None:
        return error
    body: bytes = request.read(receiver.max_body + 1)
    return TOO_LARGE if len(body) > receiver.max_body else body


def _http_response(response: WebhookResponse) -> Any:  # Any: untyped Django
    return HttpResponse(response.body, status=response.status, headers=response.headers)
