"""What the timers of an account do when their time comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.event_log import NO_REQUEST
from pinstripe.emulator.state.json_values import Object

TimerHandler: TypeAlias = Callable[[AccountState, Object], None]

HANDLERS: dict[str, TimerHandler] = {}


def timer_handler(name: str) -> Callable[[TimerHandler], TimerHandler]:
    """Register what a timer does to its object. It may run when nothing is left to do."""

    def register(handler: TimerHandler) -> TimerHandler:
        HANDLERS[name] = handler
        return handler

    return register


def run_due_timers(state: AccountState, test_clock: str, until: int) -> None:
    """Run every timer of a clock that is due, in order, each at its own time. Deleted objects are passed over."""
    timers = state.clock.timers.get(test_clock)
    if not timers or timers[0].at > until:
        return
    request, state.request = state.request, NO_REQUEST
    while timer := state.clock.next_due(test_clock, until):
        found = state.objects.find(timer.object_type, timer.object_id)
        if found is not None and not found.get("deleted"):
            with state.clock.at(timer.at, test_clock):
                HANDLERS[timer.name](state, found)
    state.request = request
