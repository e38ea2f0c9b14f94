"""Timer handlers: the functions that run when a timer is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.event_log import NO_REQUEST
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.timers import NEXT_REQUEST

TimerHandler: TypeAlias = Callable[[AccountState, Object], None]

HANDLERS: dict[str, TimerHandler] = {}


def timer_handler(name: str) -> Callable[[TimerHandler], TimerHandler]:
    """Register the decorated function as the handler of timers with a name.

    A handler must check the status of its object, which may have changed since the timer was set.
    """

    def register(handler: TimerHandler) -> TimerHandler:
        HANDLERS[name] = handler
        return handler

    return register


def run_due_timers(state: AccountState, test_clock: str, until: int) -> None:
    """Run the due timers of a clock in order, each at its own time; timers of deleted objects are skipped."""
    timers = state.clock.timers.get(test_clock)
    if not timers or timers[0].at > until:
        return
    request, state.request = state.request, NO_REQUEST
    while timer := state.clock.next_due(test_clock, until):
        value = state.objects.find(timer.object_type, timer.object_id)
        if value is not None and not value.get("deleted"):
            with state.clock.at(timer.at, test_clock):
                HANDLERS[timer.name](state, value)
                run_deferred(state)
    state.request = request


def run_deferred(state: AccountState) -> None:
    """Run what was deferred to the next request, each handler at the time of its object."""
    if not state.clock.timers.get(NEXT_REQUEST):
        return
    request, state.request = state.request, NO_REQUEST
    while timer := state.clock.next_due(NEXT_REQUEST, 0):
        value = state.objects.find(timer.object_type, timer.object_id)
        if value is not None and not value.get("deleted"):
            with state.clock.following(value):
                HANDLERS[timer.name](state, value)
    state.request = request
