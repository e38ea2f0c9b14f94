"""Test clocks. https://docs.stripe.com/billing/testing/test-clocks"""

from __future__ import annotations

from pinstripe.emulator.billing import periods
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.subscriptions import ENDED
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.timer_handlers import run_due_timers
from pinstripe.emulator.validation.errors import ErrorResponse


@operation("test_helpers.test_clocks.create")
def create(context: OperationContext) -> Object:
    """Create a clock at ``frozen_time``."""
    state = context.state
    clock = state.create(
        "test_helpers.test_clock",
        context.params,
        deletes_after=state.clock.now() + 30 * DAY,
        frozen_time=context.params["frozen_time"],
        name=context.params.get("name"),
        status="ready",
        status_details={},
    )
    state.events.emit("created", clock)
    return clock


@operation("test_helpers.test_clocks.advance")
def advance(context: OperationContext) -> Object:
    """Advance a clock, and run every timer that is due on the way; the response says ``advancing``, as Stripe's does."""
    state, frozen_time = context.state, context.params["frozen_time"]
    clock = state.objects.get("test_helpers.test_clock", context.target_id)
    if frozen_time <= clock["frozen_time"]:
        raise ErrorResponse(
            "Test clocks can only be advanced: frozen_time must be later.",
            code="test_clock_time_invalid",
            param="frozen_time",
        )
    if frozen_time > _latest_time(state, clock):
        raise ErrorResponse(
            "A test clock can be advanced by at most two intervals of its shortest subscription, and by two years without"
            " subscriptions. Advance it in several steps; `Emulator.advance` has no limit.",
            code="test_clock_time_invalid",
            param="frozen_time",
        )
    return advance_clock(state, clock, frozen_time)


def _latest_time(state: AccountState, clock: Object) -> int:
    """Return the latest time to which a clock can be advanced."""
    intervals = [("year", 1)]
    for subscription in state.objects.all("subscription", test_clock=clock["id"]):
        if subscription["status"] not in ENDED:
            recurring = [item["price"]["recurring"] for item in subscription["items"]["data"]]
            intervals += [(price["interval"], price["interval_count"]) for price in recurring]
    return min(periods.add(clock["frozen_time"], interval, 2 * count) for interval, count in intervals)


def advance_clock(state: AccountState, clock: Object, frozen_time: int) -> Object:
    """Advance a clock, and return it as it was while it was advancing."""
    details = {"advancing": {"target_frozen_time": frozen_time}}
    state.objects.update(clock, status="advancing", status_details=details)
    state.events.emit("advancing", clock)
    advancing: Object = {**clock, "frozen_time": frozen_time}
    run_due_timers(state, clock["id"], frozen_time)
    state.objects.update(clock, frozen_time=frozen_time, status="ready", status_details={})
    state.clock.set(frozen_time)
    state.events.emit("ready", clock)
    return advancing


def advance_all_clocks(state: AccountState, until: int) -> None:
    """Advance every clock of an account that is earlier than a time."""
    for clock in list(state.objects.all("test_helpers.test_clock"))[::-1]:
        if clock["frozen_time"] < until:
            with state.clock.at(clock["frozen_time"], clock["id"]):
                advance_clock(state, clock, until)


@operation("test_helpers.test_clocks.delete")
def delete(context: OperationContext) -> Object:
    """Delete a clock and its customers, and cancel their subscriptions."""
    state = context.state
    clock = state.objects.get("test_helpers.test_clock", context.target_id)
    state.clock.drop(clock["id"])
    now = state.clock.now()
    for subscription in list(state.objects.all("subscription", test_clock=clock["id"])):
        if subscription["status"] != "canceled":
            state.objects.update(subscription, status="canceled", ended_at=now, canceled_at=now)
    for customer in list(state.objects.all("customer", test_clock=clock["id"])):
        state.objects.mark_deleted(customer)
    state.events.emit("deleted", clock)
    return state.objects.mark_deleted(clock)
