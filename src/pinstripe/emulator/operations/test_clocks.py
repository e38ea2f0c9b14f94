"""Test clocks: time that passes when it is told to. https://docs.stripe.com/billing/testing/test-clocks"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.timer_handlers import run_due_timers
from pinstripe.emulator.validation.errors import ErrorResponse


@operation("test_helpers.test_clocks.create")
def create(context: OperationContext) -> Object:
    """A clock that stands still at a time."""
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
    """Let time pass for the customers on a clock: everything that would have happened does, in order, before the answer."""
    state, until = context.state, context.params["frozen_time"]
    clock = state.objects.get("test_helpers.test_clock", context.target_id)
    if until <= clock["frozen_time"]:
        raise ErrorResponse(
            "Test clocks can only be advanced: frozen_time must be later.",
            code="test_clock_time_invalid",
            param="frozen_time",
        )
    state.objects.update(clock, status="advancing", status_details={"advancing": {"target_frozen_time": until}})
    state.events.emit("advancing", clock)
    run_due_timers(state, clock["id"], until)
    state.objects.update(clock, frozen_time=until, status="ready", status_details={})
    state.clock.set(until)
    state.events.emit("ready", clock)
    return clock


@operation("test_helpers.test_clocks.delete")
def delete(context: OperationContext) -> Object:
    """Delete a clock, its customers, and what is theirs."""
    state = context.state
    clock = state.objects.get("test_helpers.test_clock", context.target_id)
    state.clock.drop(clock["id"])
    for kind in ("subscription", "invoice", "invoiceitem", "quote", "subscription_schedule", "customer"):
        for found in list(state.objects.all(kind, test_clock=clock["id"])):
            if kind == "subscription" and found["status"] != "canceled":
                state.objects.update(
                    found, status="canceled", ended_at=state.clock.now(), canceled_at=state.clock.now()
                )
            elif kind == "customer":
                state.objects.mark_deleted(found)
    state.events.emit("deleted", clock)
    return state.objects.mark_deleted(clock)
