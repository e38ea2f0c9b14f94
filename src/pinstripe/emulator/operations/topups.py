"""Top-ups of the balance from a bank account, which arrive at once.

https://docs.stripe.com/connect/top-ups
"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.balance_transactions import record_transaction
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import wrong_state


@operation("topups.create")
def create(context: OperationContext) -> Object:
    """Add an amount to the balance."""
    state = context.state
    topup = state.create(
        "topup", context.params, currency=context.params["currency"].lower(), status="succeeded", source=None
    )
    transaction = record_transaction(state, "topup", topup, topup["amount"])
    state.objects.update(topup, balance_transaction=transaction["id"], expected_availability_date=state.clock.now())
    state.events.emit("created", topup)
    state.events.emit("succeeded", topup)
    return topup


@operation("topups.cancel")
def cancel(context: OperationContext) -> Object:
    """Cancel a pending top-up; only `Emulator.add` creates one."""
    topup = find(context)
    if topup["status"] != "pending":
        raise wrong_state(topup, "cancel")
    context.state.objects.update(topup, status="canceled")
    context.state.events.emit("canceled", topup)
    return topup
