"""A registry of typed handlers: ``@handlers.on("invoice.paid")``. The stubs say which event each takes."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from pinstripe.errors import InvalidArgumentError
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES

if TYPE_CHECKING:
    from pinstripe.events import Event, EventNotification

__all__ = ["Dispatcher", "Handlers"]

E = TypeVar("E")
R = TypeVar("R")
EventType: TypeAlias = str
ThinEventType: TypeAlias = str
Handler: TypeAlias = Callable[[Any], Any]  # Any: the event that its type says; a result, or its awaitable


class Dispatcher(Protocol):
    """What a receiver hands an event to: `Handlers`, or something that passes it on."""

    def dispatch(self, event: Event | EventNotification) -> bool:
        """Handle an event; whether anything did."""
        ...

    async def adispatch(self, event: Event | EventNotification) -> bool:
        """Handle an event; whether anything did."""
        ...


class On(Protocol[E]):
    """A decorator of handlers of one event."""

    def __call__(self, handler: Callable[[E], R], /) -> Callable[[E], R]:
        """Register a handler."""
        ...


class Handlers:
    """Handlers by the type of their event, one for each; sync and async ones may be mixed.

    A handler that raises makes the delivery fail, so that Stripe sends the event again. What nobody handles is fine, and counted
    in ``unhandled``. https://docs.stripe.com/webhooks
    """

    def __init__(self) -> None:
        self.unhandled: Counter[str] = Counter()
        self._handlers: dict[str, Handler] = {}
        self._otherwise: Handler | None = None

    def on(self, *types: str) -> Callable[[Handler], Handler]:
        """Register the decorated function for one or several types of event, snapshot or thin.

        Raises `InvalidArgumentError` (a ``ValueError``) for a type that does not exist, or that has a handler already.
        """
        if not types:
            raise InvalidArgumentError('on() needs an event type: @handlers.on("invoice.paid")', param="type")
        for event_type in types:
            self._check(event_type)

        def register(handler: Handler) -> Handler:
            self._handlers.update(dict.fromkeys(types, handler))
            return handler

        return register

    def otherwise(self, handler: Handler) -> Handler:
        """Register the decorated function for every event that has no handler of its own."""
        self._otherwise = handler
        return handler

    def dispatch(self, event: Event | EventNotification) -> bool:
        """Run the handler of an event; whether there is one. Async handlers run in an event loop of their own."""
        handler = self._find(event)
        if handler is None:
            return False
        result = handler(event)
        if inspect.iscoroutine(result):
            asyncio.run(result)
        return True

    async def adispatch(self, event: Event | EventNotification) -> bool:
        """Run the handler of an event; whether there is one. Sync handlers run in a thread, so that they block nothing."""
        handler = self._find(event)
        if handler is None:
            return False
        if inspect.iscoroutinefunction(handler):
            await handler(event)
            return True
        result = await asyncio.to_thread(handler, event)
        if inspect.isawaitable(result):
            await result
        return True

    def _find(self, event: Event | EventNotification) -> Handler | None:
        handler = self._handlers.get(event.type, self._otherwise)
        if handler is None:
            self.unhandled[event.type] += 1
        return handler

    def _check(self, event_type: str) -> None:
        known = {**EVENT_TYPES, **THIN_EVENT_TYPES}
        if event_type not in known:
            close = get_close_matches(str(event_type), known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise InvalidArgumentError(f"There is no event type {event_type!r}{hint}", param="type")
        if event_type in self._handlers:
            raise InvalidArgumentError(f"{event_type!r} has a handler already.", param="type")
