"""FastAPI dependency that provides the verified, typed event of a webhook to a route.

To run registered handlers instead, add a route with `pinstripe.integrations.asgi.webhook_app`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from fastapi import HTTPException, Request

from pinstripe._asgi import read_body
from pinstripe._lazy import LazyModule
from pinstripe.webhooks.handlers import Handlers
from pinstripe.webhooks.receiver import MAX_BODY, SIGNATURE_HEADER, TOO_LARGE, Receiver, WebhookResponse
from pinstripe.webhooks.signature import TOLERANCE, mask_secrets

if TYPE_CHECKING:
    from pinstripe import events as _events
else:
    _events = LazyModule("pinstripe.events")

__all__ = ["verified_event"]


def verified_event(
    secret: str | Iterable[str], *, tolerance: float | None = TOLERANCE, max_body: int = MAX_BODY
) -> Callable[[Request], Awaitable[_events.AnyEvent | _events.AnyNotification]]:
    """Return a dependency: ``event: Annotated[Any, Depends(verified_event("whsec_..."))]``.

    If the request has no valid event, the response is 400 or 413. The arguments are those of
    `pinstripe.integrations.asgi.webhook_app`.
    """
    secret = mask_secrets(secret)
    receiver = Receiver(Handlers(), secret, tolerance, max_body)

    async def dependency(request: Request) -> _events.AnyEvent | _events.AnyNotification:
        event = await _receive(receiver, request)
        if isinstance(event, WebhookResponse):
            raise HTTPException(event.status, event.text)
        return event

    # FastAPI evaluates annotations at import time, and event classes are only loaded when an event arrives.
    dependency.__annotations__ = {"request": Request}
    return dependency


async def _receive(
    receiver: Receiver, request: Request
) -> _events.AnyEvent | _events.AnyNotification | WebhookResponse:
    error = receiver.check_request("POST", request.headers.get("content-length"))  # the route selects the method
    if error is not None:
        return error
    body = await read_body(request.receive, receiver.max_body)
    return TOO_LARGE if body is None else receiver.construct_event(body, request.headers.get(SIGNATURE_HEADER))
