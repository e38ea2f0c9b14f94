"""A FastAPI dependency that gives the verified, typed event of a webhook, for a route of one's own.

To run registered handlers instead, mount `pinstripe.integrations.asgi.webhook_app`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from fastapi import HTTPException, Request

from pinstripe.integrations.asgi import read_body
from pinstripe.webhooks.handlers import Handlers
from pinstripe.webhooks.receiver import HEADER, MAX_BODY, TOO_LARGE, Receiver, Reply
from pinstripe.webhooks.signature import TOLERANCE

if TYPE_CHECKING:
    from pinstripe.events import AnyEvent, AnyNotification

__all__ = ["verified_event"]


def verified_event(
    secret: str | Iterable[str], *, tolerance: float | None = TOLERANCE, max_body: int = MAX_BODY
) -> Callable[[Request], Awaitable[AnyEvent | AnyNotification]]:
    """A dependency: ``event: Annotated[Any, Depends(verified_event("whsec_..."))]``.

    Answers 400 or 413 where there is no event to give. The arguments are those of `pinstripe.integrations.asgi.webhook_app`.
    """
    receiver = Receiver(Handlers(), secret, tolerance, max_body)

    async def dependency(request: Request) -> AnyEvent | AnyNotification:
        refused = receiver.refuse("POST", request.headers.get("content-length"))
        body = None if refused else await read_body(request.receive, max_body)
        found = TOO_LARGE if body is None else receiver.open(body, request.headers.get(HEADER))
        if isinstance(found, Reply):
            raise HTTPException(found.status, found.text)
        return found

    # FastAPI reads annotations at run time, where the event's type is loaded only when one comes.
    dependency.__annotations__ = {"request": Request}
    return dependency
