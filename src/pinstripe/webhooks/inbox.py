"""Effectively once: an inbox remembers the events that were processed, over any number of machines.

Stripe delivers at least once, late and out of order. An inbox claims an event before its handler runs: a second delivery of a
processed event runs nothing, two deliveries at the same moment run the handler once, a process that dies in the middle gives
the event up after a lease, and a handler that failed may run again.
https://docs.stripe.com/webhooks#handle-duplicate-events
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from pinstripe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pinstripe.events import Event, EventNotification

__all__ = ["Inbox", "Once", "Outcome", "Store"]

Outcome: TypeAlias = Literal["processed", "duplicate", "busy"]
Claim: TypeAlias = Literal["claimed", "done", "busy"]

LEASE = 300.0
"""Seconds after which a claim that nobody finished is given up; a handler must be faster."""
KEEP = 35 * 24 * 3600.0
"""Seconds that a processed event is remembered; Stripe can send one again for 30 days."""
PRUNE_EVERY = 1000


class Store(Protocol):
    """Where an inbox keeps its claims. Each method is atomic; times are unix seconds."""

    def claim(self, event_id: str, token: str, now: float, lease: float) -> Claim:
        """Claim an event that nobody has, or whose claim has run out."""
        ...

    def finish(self, event_id: str, token: str, now: float) -> bool:
        """Mark a claimed event as processed; whether the claim was still ours."""
        ...

    def release(self, event_id: str, token: str) -> None:
        """Give a claim back, if it is still ours."""
        ...

    def prune(self, before: float) -> int:
        """Forget what was processed before a time; how many."""
        ...


class Once(Protocol):
    """What runs a handler effectively once for each event: `Inbox`, or `pinstripe.webhooks.stores.Transactions`."""

    def process(self, event: Event | EventNotification, handle: Callable[[Any], object]) -> Outcome:  # Any: the event
        """Run a handler on an event, unless it was or is being processed."""
        ...

    async def aprocess(
        self,
        event: Event | EventNotification,
        handle: Callable[[Any], Coroutine[Any, Any, object]],  # Any: the event
    ) -> Outcome:
        """The same, awaiting."""
        ...


@dataclass
class Inbox:
    """Runs a handler once for each event: twice only where a process dies between the handler's end and the event's mark.

    So let handlers be idempotent, or write in the transaction that marks the event (`pinstripe.webhooks.stores.Transactions`).
    ``store`` is `SQLite`, `PostgreSQL` or `Redis` (in ``pinstripe.webhooks.stores``). ``lease`` and ``keep`` are in seconds; the
    clocks of the machines may differ by much less than ``lease``.
    """

    store: Store
    lease: float = LEASE
    keep: float = KEEP
    now: Callable[[], float] = time.time
    _claims: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.lease > 0:
            raise InvalidArgumentError(f"lease is in seconds, more than 0, not {self.lease!r}.", param="lease")

    def process(self, event: Event | EventNotification, handle: Callable[[Any], object]) -> Outcome:  # Any: the event
        """Run a handler on an event, unless it was or is being processed; a failure is raised, and gives the event back."""
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
        event: Event | EventNotification,
        handle: Callable[[Any], Coroutine[Any, Any, object]],  # Any: the event
    ) -> Outcome:
        """The same, awaiting; the store is asked in a thread."""
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
        """Forget what was processed long ago; how many. Done by itself from time to time."""
        return self.store.prune(self.now() - self.keep)

    def _claim(self, event_id: str, token: str) -> Claim:
        self._claims += 1
        if self._claims % PRUNE_EVERY == 0:
            self.prune()
        return self.store.claim(event_id, token, self.now(), self.lease)
