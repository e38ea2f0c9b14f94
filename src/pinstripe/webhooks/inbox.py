"""Process each event effectively once, on any number of machines.

Stripe delivers events at least once, late and out of order. An inbox claims an event before its handlers run. A second
delivery of a processed event runs nothing. Of two concurrent deliveries, one runs the handlers. While they run, the
claim is renewed; if their process dies, it expires after the lease. If a handler fails, the event can be processed
again, and the handlers that have finished do not run again. https://docs.stripe.com/webhooks#handle-duplicate-events
"""

from __future__ import annotations

import gc
import math
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from pinstripe._lazy import LazyModule
from pinstripe.errors import InvalidArgumentError
from pinstripe.webhooks._claim import (
    Claim,
    ClaimLostError,
    ClaimResult,
    ClaimStatus,
    ClaimStore,
    EntryKey,
    current_claim,
)
from pinstripe.webhooks._heartbeat import Heartbeat
from pinstripe.webhooks._threads import run_in_thread

if TYPE_CHECKING:
    from pinstripe import events as _events
else:
    _events = LazyModule("pinstripe.events")

__all__ = [
    "Claim",
    "ClaimLostError",
    "ClaimResult",
    "ClaimStatus",
    "ClaimStore",
    "EntryKey",
    "EventProcessor",
    "Inbox",
    "Outcome",
    "current_claim",
]

Outcome: TypeAlias = Literal["processed", "duplicate", "busy"]

DEFAULT_NAME = "default"
LEASE = 300.0
"""Default seconds after which a claim expires that is not renewed."""
RETENTION = 35 * 24 * 3600.0
"""Default seconds for which processed events are remembered; Stripe can resend an event for 30 days."""
PRUNE_EVERY = 1000
"""Number of claims between two removals of old events."""
RENEWALS_PER_LEASE = 3


class EventProcessor(Protocol):
    """Runs a handler effectively once per event: `Inbox`, or `pinstripe.webhooks.stores.TransactionalInbox`."""

    def process(
        self,
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], object],  # Any: the event
    ) -> Outcome:
        """Run a handler on an event, unless the event was processed or is being processed."""
        ...

    async def aprocess(
        self,
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], Coroutine[Any, Any, object]],  # Any: the event; asyncio's types
    ) -> Outcome:
        """Run an async handler on an event, unless the event was processed or is being processed."""
        ...


@dataclass(eq=False)
class Inbox:
    """Runs a handler once per event, or twice if a process dies after the handler ends and before the event is marked.

    Make handlers idempotent, therefore, or let them write in the transaction that marks the event
    (`pinstripe.webhooks.stores.TransactionalInbox`). ``store`` is a `SQLite`, `PostgreSQL` or `Redis` store of
    ``pinstripe.webhooks.stores``. Endpoints with handlers of their own need inboxes of their own: of other names, in the
    same store or another. ``lease`` and ``retention`` are in seconds; the clocks of the machines may differ by much less
    than ``lease``.
    """

    store: ClaimStore
    lease: float = LEASE
    retention: float = RETENTION
    now: Callable[[], float] = time.time
    name: str = field(default=DEFAULT_NAME, kw_only=True)
    _claims: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        for name, value in (("lease", self.lease), ("retention", self.retention)):
            if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
                raise InvalidArgumentError(
                    f"{name} must be a number of seconds greater than 0, not {value!r}.", param=name
                )
        register(self, self.store.location, self.name)
        self._heartbeat = Heartbeat(self.lease / RENEWALS_PER_LEASE)

    def process(
        self,
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], object],  # Any: the event
    ) -> Outcome:
        """Run a handler on an event, unless the event was processed or is being processed.

        If the handler raises, release the event and re-raise. If another delivery has claimed the event because this one
        did not renew its claim in time, log that and return ``busy``.
        """
        claim = self._new_claim(event.id)
        status = self._begin(claim)
        if status != "claimed":
            return "duplicate" if status == "done" else "busy"
        try:
            with claim.held():
                handle(event)
            claim.finish()
        except ClaimLostError:
            return "busy"
        except BaseException:
            claim.release()
            raise
        return "processed"

    async def aprocess(
        self,
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], Coroutine[Any, Any, object]],  # Any: the event; asyncio's types
    ) -> Outcome:
        """Run an async handler like `process`; the store is called in a thread."""
        claim = self._new_claim(event.id)
        try:
            status = await run_in_thread(self._begin, claim)
            if status != "claimed":
                return "duplicate" if status == "done" else "busy"
            with claim.held():
                await handle(event)
            await run_in_thread(claim.finish)
        except ClaimLostError:
            return "busy"
        except BaseException:
            await run_in_thread(claim.release)
            raise
        return "processed"

    def prune(self) -> int:
        """Remove events processed longer ago than ``retention``; return how many. `process` calls this now and then."""
        return self.store.prune(self.name, self.now() - self.retention)

    def _new_claim(self, event_id: str) -> Claim:
        key = EntryKey(self.name, event_id)
        return Claim(self.store, key, self.lease, self.retention, self.now, self._heartbeat)

    def _begin(self, claim: Claim) -> ClaimStatus:
        self._claims += 1
        if self._claims % PRUNE_EVERY == 0:
            self.prune()
        return claim.begin()


_registry_lock = threading.Lock()
_inboxes: weakref.WeakValueDictionary[tuple[object, str], EventProcessor] = weakref.WeakValueDictionary()
_handlers: weakref.WeakKeyDictionary[EventProcessor, Callable[[], object]] = weakref.WeakKeyDictionary()


def register(inbox: EventProcessor, location: object, name: str) -> None:
    """Register a new inbox; raise `InvalidArgumentError` if this process has another of the same store and name."""
    if not isinstance(name, str) or not name:
        raise InvalidArgumentError(f"name: pass the name of the inbox as text, not {name!r}.", param="name")
    with _registry_lock:
        if (location, name) in _inboxes:
            gc.collect()  # the other inbox may be unreachable, but part of a cycle
        if (location, name) in _inboxes:
            raise InvalidArgumentError(
                f"This process already has an inbox {name!r} of this store. Two endpoints with the same handlers share "
                "one inbox; otherwise give each inbox a name of its own: Inbox(store, name=...).",
                param="name",
            )
        _inboxes[location, name] = inbox


def bind(inbox: EventProcessor, handlers: object) -> None:
    """Raise `InvalidArgumentError` if an inbox has other handlers already: these would miss each other's events."""
    if not isinstance(inbox, Hashable):
        return  # an implementation of the user's own
    with _registry_lock:
        if _serves_others(inbox, handlers):
            gc.collect()
        if _serves_others(inbox, handlers):
            raise InvalidArgumentError(
                "inbox: this inbox has other handlers already, and an event that they have processed would not reach "
                "these. Give these handlers an inbox of their own: Inbox(store, name=...).",
                param="inbox",
            )
        try:
            _handlers[inbox] = weakref.ref(handlers)
        except TypeError:  # a class with slots
            _handlers[inbox] = lambda: handlers


def _serves_others(inbox: EventProcessor, handlers: object) -> bool:
    other = _handlers.get(inbox, lambda: None)()
    return other is not None and other is not handlers
