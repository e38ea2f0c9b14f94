"""Registry of typed event handlers: ``@handlers.on("invoice.paid")``.

The stub of this module declares the event class of each type.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from pinstripe._lazy import LazyModule
from pinstripe.errors import InvalidArgumentError
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.webhooks._claim import Claim, claim_of
from pinstripe.webhooks._threads import run_in_thread

if TYPE_CHECKING:
    from pinstripe import events as _events
else:
    _events = LazyModule("pinstripe.events")

__all__ = ["HandlerRun", "Handlers"]

logger: logging.Logger = logging.getLogger("pinstripe.webhooks")
E = TypeVar("E")
R = TypeVar("R")
EventType: TypeAlias = str
ThinEventType: TypeAlias = str
Handler: TypeAlias = Callable[[Any], Any]  # Any: the event class of its type; the result or an awaitable of it
ALL = "*"
"""The pattern of all event types; after a dot, at the end, of all types with that prefix."""


class On(Protocol[E]):
    """A decorator that registers a handler of one event class."""

    def __call__(self, handler: Callable[[E], R], /) -> Callable[[E], R]:
        """Register a handler and return it unchanged."""
        ...


class UnknownEventType(Protocol):
    """For type checkers: what `Handlers.on` returns for an event type that does not exist, so that they report it."""


@dataclass(eq=False)
class HandlerRun:
    """One run of a handler, as the hooks before and after it see it: both get the same object."""

    event: _events.Event | _events.EventNotification
    handler: str
    """The module and name of the handler."""
    error: BaseException | None = None
    """The exception that the handler raised."""


Hook: TypeAlias = Callable[[HandlerRun], object]


@dataclass(frozen=True)
class _Registration:
    """A handler, and the event type or pattern that it is registered for."""

    pattern: str
    handler: Handler

    def matches(self, event_type: str) -> bool:
        if self.pattern.endswith(ALL):
            return event_type.startswith(self.pattern.removesuffix(ALL))
        return event_type == self.pattern


class Handlers:
    """Handlers by event type; sync and async handlers may be mixed.

    The handlers of an event run in the order in which they were registered. If one raises, the next ones do not run, the
    delivery fails and Stripe sends the event again: with an inbox, only the handlers that have not finished then run.
    Events without a handler are accepted and counted in ``unhandled``. https://docs.stripe.com/webhooks
    """

    def __init__(self) -> None:
        self.unhandled: Counter[str] = Counter()
        self._registrations: list[_Registration] = []
        self._otherwise: Handler | None = None
        self._before: list[Hook] = []
        self._after: list[Hook] = []

    @property
    def registered_types(self) -> tuple[str, ...]:
        """The event types that have handlers, sorted, as an endpoint's ``enabled_events`` take them.

        A prefix stands for the types that this version of pinstripe knows. ``otherwise`` adds none.
        """
        patterns = {registration.pattern for registration in self._registrations}
        types = patterns - {pattern for pattern in patterns if pattern.endswith(ALL)}
        types |= {ALL} & patterns
        for known in (*EVENT_TYPES, *THIN_EVENT_TYPES):
            if any(known.startswith(pattern.removesuffix(ALL)) for pattern in patterns - types):
                types.add(known)
        return tuple(sorted(types))

    def on(self, *types: str) -> Callable[[Handler], Handler]:
        """Register the decorated function for one or several event types, snapshot or thin.

        Raises `InvalidArgumentError` (a ``ValueError``) for a type that this version of pinstripe does not know.
        """
        if not types:
            raise InvalidArgumentError('on() needs an event type: @handlers.on("invoice.paid")', param="type")
        for event_type in types:
            _check_type(event_type)
        return self._registering(types)

    def on_any(self, *patterns: str) -> Callable[[Handler], Handler]:
        """Register the decorated function for event types of any name, or with a prefix: ``"invoice.*"``, ``"*"``.

        This takes types that are newer than this version of pinstripe, and does not find misspelled ones.
        """
        if not patterns:
            raise InvalidArgumentError(
                'on_any() needs a type or prefix: @handlers.on_any("invoice.*")', param="pattern"
            )
        for pattern in patterns:
            _check_pattern(pattern)
        return self._registering(patterns)

    def otherwise(self, handler: Handler) -> Handler:
        """Register the decorated function for all events that have no handler of their own."""
        self._otherwise = handler
        return handler

    def before(self, hook: Callable[[HandlerRun], R]) -> Callable[[HandlerRun], R]:
        """Call the decorated function before each run of a handler; if it raises, the handler fails without running.

        Hooks run in the thread and the context of the handler.
        """
        self._before.append(hook)
        return hook

    def after(self, hook: Callable[[HandlerRun], R]) -> Callable[[HandlerRun], R]:
        """Call the decorated function after each run of a handler, in reverse order of registration.

        Exceptions of the function are logged.
        """
        self._after.append(hook)
        return hook

    def dispatch(self, event: _events.Event | _events.EventNotification) -> bool:
        """Run the handlers of an event; return whether it has any. Async handlers run in an event loop of their own."""
        claim, runs = claim_of(event.id), self._runs(event)
        for run, handler in _unfinished(runs, claim):
            self._call(run, handler, claim, lambda result: asyncio.run(_await(result)))
        return bool(runs)

    async def adispatch(self, event: _events.Event | _events.EventNotification) -> bool:
        """Run the handlers of an event; return whether it has any.

        Sync handlers run in a thread, so that they do not block the event loop. If the task is canceled, it ends
        after its thread.
        """
        claim, runs = claim_of(event.id), self._runs(event)
        for run, handler in _unfinished(runs, claim):
            if inspect.iscoroutinefunction(handler):
                await self._acall(run, handler, claim)
            else:
                await run_in_thread(self._call, run, handler, claim, _waiter(asyncio.get_running_loop()))
        return bool(runs)

    def _registering(self, patterns: tuple[str, ...]) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._registrations += [_Registration(pattern, handler) for pattern in patterns]
            return handler

        return register

    def _runs(self, event: _events.Event | _events.EventNotification) -> list[tuple[HandlerRun, Handler]]:
        """Return the handlers of an event, in order, each once and with a name of its own."""
        handlers: list[Handler] = []
        for item in self._registrations:
            if item.matches(event.type) and item.handler not in handlers:
                handlers.append(item.handler)
        if not handlers and self._otherwise is not None:
            handlers.append(self._otherwise)
        if not handlers:
            self.unhandled[event.type] += 1
        names: Counter[str] = Counter()
        runs: list[tuple[HandlerRun, Handler]] = []
        for handler in handlers:
            name = _name(handler)
            names[name] += 1
            number = f"#{names[name]}" if names[name] > 1 else ""
            runs.append((HandlerRun(event, name + number), handler))
        return runs

    def _call(
        self, run: HandlerRun, handler: Handler, claim: Claim | None, wait: Callable[[Awaitable[object]], object]
    ) -> None:
        with self._observed(run):
            result = handler(run.event)
            if inspect.isawaitable(result):
                wait(result)
        if claim is not None:
            claim.finish_handler(run.handler)

    async def _acall(self, run: HandlerRun, handler: Handler, claim: Claim | None) -> None:
        with self._observed(run):
            await handler(run.event)
        if claim is not None:
            await run_in_thread(claim.finish_handler, run.handler)

    @contextmanager
    def _observed(self, run: HandlerRun) -> Iterator[None]:
        """Call the hooks before and after a handler."""
        try:
            for hook in self._before:
                hook(run)
            yield
        except BaseException as error:
            run.error = error
            raise
        finally:
            for hook in reversed(self._after):
                try:
                    hook(run)
                except Exception:
                    logger.exception("the hook %s failed", _name(hook))


def _unfinished(runs: list[tuple[HandlerRun, Handler]], claim: Claim | None) -> Iterator[tuple[HandlerRun, Handler]]:
    """Return the handlers that an earlier delivery of the event has not finished."""
    finished = claim.finished if claim is not None else frozenset()
    return ((run, handler) for run, handler in runs if run.handler not in finished)


async def _await(awaitable: Awaitable[object]) -> None:
    """Make a coroutine of an awaitable, for functions that only take coroutines."""
    await awaitable


def _waiter(loop: asyncio.AbstractEventLoop) -> Callable[[Awaitable[object]], object]:
    """Return a function that waits, in a thread, until the loop has run what a sync handler returned."""
    return lambda result: asyncio.run_coroutine_threadsafe(_await(result), loop).result()


def _name(handler: Callable[..., object]) -> str:
    """Return the module and name of a function, which identify it in an inbox after a restart."""
    function: Any = handler.func if isinstance(handler, partial) else handler  # Any: has a name or not
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _check_type(event_type: str) -> None:
    known = {**EVENT_TYPES, **THIN_EVENT_TYPES}
    if event_type not in known:
        close = get_close_matches(str(event_type), known, 1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise InvalidArgumentError(
            f"Unknown event type {event_type!r}{hint} on_any() takes types that are newer than this version of "
            "pinstripe.",
            param="type",
        )


def _check_pattern(pattern: str) -> None:
    text = pattern if isinstance(pattern, str) else ""
    stem = text.removesuffix(".*")
    if text != ALL and (not stem or ALL in stem or stem.split() != [stem]):
        raise InvalidArgumentError(
            f'on_any() takes an event type, a prefix such as "invoice.*", or "*", not {pattern!r}.', param="pattern"
        )
