"""Test clocks: time that passes when it is told to. https://docs.stripe.com/billing/testing/test-clocks"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.state import timers
from pinstripe.emulator.state.account import Ask, Object
from pinstripe.emulator.validation.errors import Refusal


@life("test_helpers.test_clocks.create")
def create(ask: Ask) -> Object:
    """A clock that stands still at a time."""
    world = ask.world
    clock = world.make(
        "test_helpers.test_clock",
        ask.params,
        deletes_after=world.now() + 30 * DAY,
        frozen_time=ask.params["frozen_time"],
        name=ask.params.get("name"),
        status="ready",
        status_details={},
    )
    world.emit("created", clock)
    return clock


@life("test_helpers.test_clocks.advance")
def advance(ask: Ask) -> Object:
    """Let time pass for the customers on a clock: everything that would have happened does, in order, before the answer."""
    world, until = ask.world, ask.params["frozen_time"]
    clock = world.get("test_helpers.test_clock", ask.target)
    if until <= clock["frozen_time"]:
        raise Refusal(
            "Test clocks can only be advanced: frozen_time must be later.",
            code="test_clock_time_invalid",
            param="frozen_time",
        )
    world.change(clock, status="advancing", status_details={"advancing": {"target_frozen_time": until}})
    world.emit("advancing", clock)
    timers.run(world, clock["id"], until)
    world.change(clock, frozen_time=until, status="ready", status_details={})
    world.moment = until
    world.emit("ready", clock)
    return clock


@life("test_helpers.test_clocks.delete")
def delete(ask: Ask) -> Object:
    """Delete a clock, its customers, and what is theirs."""
    world = ask.world
    clock = world.get("test_helpers.test_clock", ask.target)
    timers.forget(world, clock["id"])
    for kind in ("subscription", "invoice", "invoiceitem", "quote", "subscription_schedule", "customer"):
        for found in list(world.every(kind, test_clock=clock["id"])):
            if kind == "subscription" and found["status"] != "canceled":
                world.change(found, status="canceled", ended_at=world.now(), canceled_at=world.now())
            elif kind == "customer":
                world.bury(found)
    world.emit("deleted", clock)
    return world.bury(clock)
