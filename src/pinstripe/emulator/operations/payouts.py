"""Payouts of the balance to a bank account.

https://docs.stripe.com/payouts
"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.balance import available_amount
from pinstripe.emulator.operations.balance_transactions import record_transaction
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, wrong_state


@operation("payouts.create")
def create(context: OperationContext) -> Object:
    """Pay out an available amount; it arrives a day later."""
    state, params = context.state, context.params
    amount, currency = params["amount"], params["currency"].lower()
    if amount < 1:
        raise ErrorResponse("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > available_amount(state, currency):
        raise ErrorResponse(
            "You have insufficient funds in your Stripe account for this payout.",
            code="balance_insufficient",
            param="amount",
        )
    payout = state.create(
        "payout",
        params,
        amount=amount,
        arrival_date=state.clock.now() + DAY,
        automatic=False,
        currency=currency,
        destination=params.get("destination") or state.new_id("bank_account"),
        method=params.get("method", "standard"),
        source_type=params.get("source_type", "card"),
        status="pending",
        type="bank_account",
        reconciliation_status="not_applicable",
    )
    transaction = record_transaction(state, "payout", payout, -amount)
    state.objects.update(payout, balance_transaction=transaction["id"])
    state.events.emit("created", payout)
    state.clock.schedule(payout["arrival_date"], "payout.arrive", payout)
    return payout


@timer_handler("payout.arrive")
def _arrive(state: AccountState, payout: Object) -> None:
    if payout["status"] == "pending":
        state.objects.update(payout, status="paid")
        state.events.emit("paid", payout)


@operation("payouts.cancel")
def cancel(context: OperationContext) -> Object:
    """Cancel a payout that has not arrived; its amount returns to the balance."""
    state = context.state
    payout = _find_payout(context, "pending")
    transaction = record_transaction(state, "payout_cancel", payout, payout["amount"])
    state.objects.update(payout, status="canceled", failure_balance_transaction=transaction["id"])
    state.events.emit("canceled", payout)
    return payout


@operation("payouts.reverse")
def reverse(context: OperationContext) -> Object:
    """Reverse a payout that has arrived, by a new payout of a negative amount."""
    state = context.state
    payout = _find_payout(context, "paid")
    reversal = state.create(
        "payout",
        {"metadata": context.params.get("metadata")},
        **{name: payout[name] for name in ("currency", "destination", "method", "source_type", "type")},
        amount=-payout["amount"],
        arrival_date=state.clock.now(),
        original_payout=payout["id"],
        status="paid",
    )
    transaction = record_transaction(state, "payout", reversal, payout["amount"])
    state.objects.update(reversal, balance_transaction=transaction["id"])
    state.events.emit("updated", payout, state.objects.update(payout, reversed_by=reversal["id"]))
    state.events.emit("created", reversal)
    return reversal


def _find_payout(context: OperationContext, status: str) -> Object:
    payout = context.state.objects.get("payout", context.target_id)
    if payout["status"] != status:
        raise wrong_state(payout, context.endpoint.method)
    return payout
