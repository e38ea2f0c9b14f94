"""The clocks and timers of an account.

An account has its own clock, which follows real time, and any number of test clocks, which an operation advances.
https://docs.stripe.com/billing/testing/test-clocks
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.objects import ObjectRepository
from pinstripe.emulator.state.transaction import Transaction

ACCOUNT_CLOCK = ""
"""The name of the clock of objects that do not belong to a test clock."""
NEXT_REQUEST = "next_request"
"""The name of the clock of timers that are due at the next request."""


class Timer:
    """Runs a timer handler on an object at a time, in unix seconds."""

    __slots__ = ("at", "canceled", "name", "number", "object_id", "object_type")

    def __init__(self, at: int, number: int, name: str, object_type: str, object_id: str) -> None:
        self.at: int = at
        self.number: int = number
        self.name: str = name
        self.object_type: str = object_type
        self.object_id: str = object_id
        self.canceled: bool = False

    def __lt__(self, other: Timer) -> bool:
        return (self.at, self.number) < (other.at, other.number)


class Clock:
    """The time of the running request, and the timers of an account."""

    def __init__(self, time: Callable[[], int], objects: ObjectRepository, transaction: Transaction) -> None:
        self._time, self._objects, self._transaction = time, objects, transaction
        self._now: int | None = None
        self.test_clock: str = ACCOUNT_CLOCK
        """The id of the test clock that the request follows."""
        self.timers: dict[str, list[Timer]] = {}
        """The timers of each clock, as a heap. Canceled timers stay in it until their time."""
        self.last_number: int = 0
        self.changed: set[tuple[str, Timer]] = set()
        """The timers that were set, run or canceled since the last commit, with their clocks."""

    def now(self) -> int:
        """Return the time in unix seconds: that of the test clock that the request follows, or real time."""
        return self._time() if self._now is None else self._now

    def follow(self, value: Object | None) -> None:
        """Follow the test clock of an object for the rest of the request; later calls do not change the clock."""
        if value is None or self.test_clock:
            return
        clock = value["id"] if value["object"] == "test_helpers.test_clock" else value.get("test_clock")
        if value["object"] == "subscription_item":
            self.follow(self._objects.find("subscription", value["subscription"]))
            return
        if not clock and isinstance(value.get("customer"), str):
            customer = self._objects.find("customer", value["customer"])
            clock = customer.get("test_clock") if customer else None
        test_clock = self._objects.find("test_helpers.test_clock", clock) if clock else None
        if test_clock is not None and not test_clock.get("deleted"):
            self.test_clock, self._now = test_clock["id"], test_clock["frozen_time"]

    def release(self) -> None:
        """Return to real time at the end of a request."""
        self.test_clock, self._now = ACCOUNT_CLOCK, None

    def set(self, now: int) -> None:
        """Set the time for the rest of the request."""
        self._now = now

    @contextmanager
    def at(self, now: int, test_clock: str | None = None) -> Iterator[None]:
        """Set the time, and the test clock if one is passed, for the duration of a block."""
        before = self._now, self.test_clock
        self._now = now
        if test_clock is not None:
            self.test_clock = test_clock
        try:
            yield
        finally:
            self._now, self.test_clock = before

    @contextmanager
    def following(self, value: Object) -> Iterator[None]:
        """Follow the clock of an object for the duration of a block."""
        before = self._now, self.test_clock
        self.release()
        self.follow(value)
        if self.test_clock == before[1]:
            self._now = before[0]
        try:
            yield
        finally:
            self._now, self.test_clock = before

    def schedule(self, at: int, name: str, value: Object) -> None:
        """Set a timer that runs a timer handler on an object at a time of the current clock."""
        self._schedule(self.test_clock, at, name, value)

    def defer(self, name: str, value: Object) -> None:
        """Run a timer handler on an object at the next request, or after the next timer, whichever is first."""
        self._schedule(NEXT_REQUEST, 0, name, value)

    def _schedule(self, clock: str, at: int, name: str, value: Object) -> None:
        self.last_number += 1
        timer = Timer(at, self.last_number, name, value["object"], value["id"])
        heapq.heappush(self.timers.setdefault(clock, []), timer)
        self.changed.add((clock, timer))
        self._transaction.record(lambda: self._cancel(timer))

    def _cancel(self, timer: Timer) -> None:
        timer.canceled = True

    def next_due(self, test_clock: str, until: int) -> Timer | None:
        """Remove and return the next due timer of a clock, or return ``None``."""
        heap = self.timers.get(test_clock, [])
        while heap and heap[0].at <= until:
            timer = heapq.heappop(heap)
            if not timer.canceled:
                self.changed.add((test_clock, timer))
                timer.canceled = True
                self._transaction.record(partial(self._restore, test_clock, timer))
                return timer
        return None

    def _restore(self, test_clock: str, timer: Timer) -> None:
        timer.canceled = False
        heapq.heappush(self.timers.setdefault(test_clock, []), timer)

    def drop(self, test_clock: str) -> None:
        """Cancel every timer of a clock."""
        timers = [timer for timer in self.timers.pop(test_clock, []) if not timer.canceled]
        for timer in timers:
            timer.canceled = True
            self.changed.add((test_clock, timer))

        def undo() -> None:
            for timer in timers:
                self._restore(test_clock, timer)

        self._transaction.record(undo)
