"""The balance: what came in, what it cost, what is paid out. https://docs.stripe.com/api/balance_transactions"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Amount
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, wrong_state

WAIT = 2 * DAY
"""Seconds until the money of a payment is available."""
CATEGORIES = {
    "adjustment": "dispute",
    "application_fee": "platform_earning",
    "payment": "charge",
    "payment_refund": "refund",
    "stripe_fee": "fee",
}


def record(
    state: AccountState, type_: str, source: Object, amount: int, fee: int = 0, *, wait: int = 0, currency: str = ""
) -> Object:
    """A movement of the balance; fees are Stripe's own."""
    now = state.clock.now()
    currency = currency or source["currency"]
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    moved = state.create(
        "balance_transaction",
        amount=amount,
        available_on=now + wait,
        balance_type="payments",
        currency=currency,
        description=source.get("description"),
        fee=fee,
        fee_details=details if fee else [],
        net=amount - fee,
        reporting_category=CATEGORIES.get(type_, type_),
        source=source["id"],
        status="pending" if wait else "available",
        type=type_,
    )
    _count(state, moved)
    if wait:
        state.clock.schedule(now + wait, "balance.available", moved)
    return moved


def _count(state: AccountState, moved: Object, sign: int = 1) -> None:
    """Add a movement to the sums of its status and currency, which are kept: a balance is asked for often."""
    key = (moved["status"], moved["currency"])
    balance = state.tables.balances.get(key) or Amount(0)
    state.tables.balances.set(key, Amount(balance.amount + sign * moved["net"]))


@timer_handler("balance.available")
def _available(state: AccountState, moved: Object) -> None:
    _count(state, moved, -1)
    state.objects.update(moved, status="available")
    _count(state, moved)
    state.events.emit("balance.available", whole(state))


def whole(state: AccountState) -> Object:
    """The balance, from the sums of its movements."""
    balances = state.tables.balances
    currencies = sorted({currency for _, currency in balances}) or ["usd"]
    shown = {
        status: [
            {"amount": amount, "currency": one, "source_types": {"card": amount}}
            for one in currencies
            for amount in [balances[status, one].amount if (status, one) in balances else 0]
        ]
        for status in ("available", "pending")
    }
    return {"object": "balance", "livemode": False, **shown}


def available(state: AccountState, currency: str) -> int:
    """What can be paid out of a currency."""
    return next((one["amount"] for one in whole(state)["available"] if one["currency"] == currency), 0)


@operation("balance.retrieve")
def retrieve(context: OperationContext) -> Object:
    """The balance."""
    return whole(context.state)


@list_filter("balance_transaction", "payout")
def _is_of_payout(moved: Object, payout: str) -> bool:
    return payout in (moved["id"], moved["source"])


@operation("payouts.create")
def pay_out(context: OperationContext) -> Object:
    """Send money of the balance to the bank. https://docs.stripe.com/payouts"""
    state, params = context.state, context.params
    amount, currency = params["amount"], params["currency"].lower()
    if amount < 1:
        raise ErrorResponse("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > available(state, currency):
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
    moved = record(state, "payout", payout, -amount)
    state.objects.update(payout, balance_transaction=moved["id"])
    state.events.emit("created", payout)
    state.clock.schedule(payout["arrival_date"], "payout.arrive", payout)
    return payout


@timer_handler("payout.arrive")
def _arrive(state: AccountState, payout: Object) -> None:
    if payout["status"] == "pending":
        state.objects.update(payout, status="paid")
        state.events.emit("paid", payout)


@operation("payouts.cancel", "payouts.reverse")
def take_back(context: OperationContext) -> Object:
    """Cancel a payout that is on its way, or reverse one that has arrived: the money comes back."""
    state, reverse = context.state, context.endpoint.method == "reverse"
    payout = state.objects.get("payout", context.target_id)
    if payout["status"] != ("paid" if reverse else "pending"):
        raise wrong_state(payout, context.endpoint.method)
    if not reverse:
        moved = record(state, "payout_cancel", payout, payout["amount"])
        state.objects.update(payout, status="canceled", failure_balance_transaction=moved["id"])
        state.events.emit("canceled", payout)
        return payout
    back = state.create(
        "payout",
        {"metadata": context.params.get("metadata")},
        **{name: payout[name] for name in ("currency", "destination", "method", "source_type", "type")},
        amount=-payout["amount"],
        arrival_date=state.clock.now(),
        original_payout=payout["id"],
        status="paid",
    )
    state.objects.update(back, balance_transaction=record(state, "payout", back, payout["amount"])["id"])
    state.events.emit("updated", payout, state.objects.update(payout, reversed_by=back["id"]))
    state.events.emit("created", back)
    return back


@operation("topups.create")
def top_up(context: OperationContext) -> Object:
    """Add money to the balance: it is there at once. https://docs.stripe.com/connect/top-ups"""
    state = context.state
    topup = state.create(
        "topup", context.params, currency=context.params["currency"].lower(), status="succeeded", source=None
    )
    moved = record(state, "topup", topup, topup["amount"])
    state.objects.update(topup, balance_transaction=moved["id"], expected_availability_date=state.clock.now())
    state.events.emit("created", topup)
    state.events.emit("succeeded", topup)
    return topup


@operation("topups.cancel")
def cancel_topup(context: OperationContext) -> Object:
    """Only a topup that is on its way can be cancelled; here they arrive at once."""
    topup = find(context)
    if topup["status"] != "pending":
        raise wrong_state(topup, "cancel")
    context.state.objects.update(topup, status="canceled")
    context.state.events.emit("canceled", topup)
    return topup
