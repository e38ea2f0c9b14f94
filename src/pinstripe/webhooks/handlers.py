"""Registry of typed event handlers: ``@handlers.on("invoice.paid")``.

The stub of this module declares the event class of each type.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from pinstripe._lazy import LazyModule
from pinstripe.errors import InvalidArgumentError
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES

if TYPE_CHECKING:
    from pinstripe import events as _events
else:
    _events = LazyModule("pinstripe.events")

__all__ = ["Handlers"]

E = TypeVar("E")
R = TypeVar("R")
EventType: TypeAlias = str
ThinEventType: TypeAlias = str
Handler: TypeAlias = Callable[[Any], Any]  # Any: the event class of its type; the result or an awaitable of it


class On(Protocol[E]):
    """A decorator that registers a handler of one event class."""

    def __call__(self, handler: Callable[[E], R], /) -> Callable[[E], R]:
        """Register a handler and return it unchanged."""
        ...


class Handlers:
    """Handlers by event type, one for each type; sync and async handlers may be mixed.

    If a handler raises, the delivery fails and Stripe sends the event again. Events without a handler are accepted and
    counted in ``unhandled``. https://docs.stripe.com/webhooks
    """

    def __init__(self) -> None:
        self.unhandled: Counter[str] = Counter()
        self._handlers: dict[str, Handler] = {}
        self._otherwise: Handler | None = None

    def on(self, *types: str) -> Callable[[Handler], Handler]:
        """Register the decorated function for one or several event types, snapshot or thin.

        Raises `InvalidArgumentError` (a ``ValueError``) for an unknown type or one that already has a handler.
        """
        if not types:
            raise InvalidArgumentError('on() needs an event type: @handlers.on("invoice.paid")', param="type")
        for event_type in types:
            self._check_type(event_type)

        def register(handler: Handler) -> Handler:
            self._handlers.update(dict.fromkeys(types, handler))
            return handler

        return register

    def otherwise(self, handler: Handler) -> Handler:
        """Register the decorated function for all events that have no handler of their own."""
        self._otherwise = handler
        return handler

    def dispatch(self, event: _events.Event | _events.EventNotification) -> bool:
        """Run the handler of an event; return whether it has one. Async handlers run in an event loop of their own."""
        handler = self._handler_for(event)
        if handler is None:
            return False
        result = handler(event)
        if inspect.iscoroutine(result):
            asyncio.run(result)
        return True

    async def adispatch(self, event: _events.Event | _events.EventNotification) -> bool:
        """Run the handler of an event; return whether it has one.

        Sync handlers run in a thread, so that they do not block the event loop.
        """
        handler = self._handler_for(event)
        if handler is None:
            return False
        if inspect.iscoroutinefunction(handler):
            await handler(event)
            return True
        result = await asyncio.to_thread(handler, event)
        if inspect.isawaitable(result):
            await result
        return True

    def _handler_for(self, event: _events.Event | _events.EventNotification) -> Handler | None:
        handler = self._handlers.get(event.type, self._otherwise)
        if handler is None:
            self.unhandled[event.type] += 1
        return handler

    def _check_type(self, event_type: str) -> None:
        known = {**EVENT_TYPES, **THIN_EVENT_TYPES}
        if event_type not in known:
            close = get_close_matches(str(event_type), known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise InvalidArgumentError(f"Unknown event type {event_type!r}{hint}", param="type")
        if event_type in self._handlers:
            raise InvalidArgumentError(f"{event_type!r} already has a handler.", param="type")
