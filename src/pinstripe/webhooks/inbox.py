"""Process each event effectively once, on any number of machines.

Stripe delivers events at least once, late and out of order. An inbox claims an event before its handler runs. A second
delivery of a processed event runs nothing. Of two concurrent deliveries, one runs the handler. If a process dies while
it handles an event, its claim expires after the lease. If a handler fails, the event can be processed again.
https://docs.stripe.com/webhooks#handle-duplicate-events
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from pinstripe._lazy import LazyModule
from pinstripe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pinstripe import events as _events
else:
    _events = LazyModule("pinstripe.events")

__all__ = ["ClaimResult", "ClaimStore", "EventProcessor", "Inbox", "Outcome"]

Outcome: TypeAlias = Literal["processed", "duplicate", "busy"]
ClaimResult: TypeAlias = Literal["claimed", "done", "busy"]

LEASE = 300.0
"""Default seconds after which an unfinished claim expires; a handler must be faster."""
RETENTION = 35 * 24 * 3600.0
"""Default seconds for which processed events are remembered; Stripe can resend an event for 30 days."""
PRUNE_EVERY = 1000
"""Number of claims between two removals of old events."""


class ClaimStore(Protocol):
    """Storage for the claims of an inbox. Each method is atomic; times are Unix seconds."""

    def claim(self, event_id: str, token: str, now: float, lease: float) -> ClaimResult:
        """Claim an event that has no claim, or whose claim has expired."""
        ...

    def finish(self, event_id: str, token: str, now: float) -> bool:
        """Mark a claimed event as processed; return whether the claim was still valid."""
        ...

    def release(self, event_id: str, token: str) -> None:
        """Release a claim if it is still valid."""
        ...

    def prune(self, before: float) -> int:
        """Remove events processed before a time; return how many."""
        ...


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


@dataclass
class Inbox:
    """Runs a handler once per event, or twice if a process dies after the handler ends and before the event is marked.

    Make handlers idempotent, therefore, or let them write in the transaction that marks the event
    (`pinstripe.webhooks.stores.TransactionalInbox`). ``store`` is a `SQLite`, `PostgreSQL` or `Redis` store of
    ``pinstripe.webhooks.stores``. ``lease`` and ``retention`` are in seconds; the clocks of the machines may differ by
    much less than ``lease``.
    """

    store: ClaimStore
    lease: float = LEASE
    retention: float = RETENTION
    now: Callable[[], float] = time.time
    _claims: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.lease > 0:
            raise InvalidArgumentError(
                f"lease must be a number of seconds greater than 0, not {self.lease!r}.", param="lease"
            )

    def process(
        self,
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], object],  # Any: the event
    ) -> Outcome:
        """Run a handler on an event, unless the event was processed or is being processed.

        If the handler raises, release the event and re-raise.
        """
        token = uuid.uuid4().hex
        claim = self._claim(event.id, token)
        if claim != "claimed":
            return "duplicate" if claim == "done" else "busy"
        try:
            handle(event)
        except BaseException:
            self.store.release(event.id, token)
            raise
        self.store.finish(event.id, token, self.now())
        return "processed"

    async def aprocess(
        self,
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], Coroutine[Any, Any, object]],  # Any: the event; asyncio's types
    ) -> Outcome:
        """Run an async handler like `process`; the store is called in a thread."""
        token = uuid.uuid4().hex
        claim = await asyncio.to_thread(self._claim, event.id, token)
        if claim != "claimed":
            return "duplicate" if claim == "done" else "busy"
        try:
            await handle(event)
        except BaseException:
            await asyncio.to_thread(self.store.release, event.id, token)
            raise
        await asyncio.to_thread(self.store.finish, event.id, token, self.now())
        return "processed"

    def prune(self) -> int:
        """Remove events processed longer ago than ``retention``; return how many. `process` calls this now and then."""
        return self.store.prune(self.now() - self.retention)

    def _claim(self, event_id: str, token: str) -> ClaimResult:
        self._claims += 1
        if self._claims % PRUNE_EVERY == 0:
            self.prune()
        return self.store.claim(event_id, token, self.now(), self.lease)
