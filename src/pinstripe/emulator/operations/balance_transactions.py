"""Balance transactions: every change of the balance.

https://docs.stripe.com/api/balance_transactions
"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations.balance import change_balance, current_balance
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.timer_handlers import timer_handler

PENDING_SECONDS = 2 * DAY
"""The number of seconds before a pending payment becomes available."""
REPORTING_CATEGORIES = {
    "adjustment": "dispute",
    "application_fee": "platform_earning",
    "payment": "charge",
    "payment_refund": "refund",
    "stripe_fee": "fee",
}
"""The reporting categories of transaction types that have another name."""


def record_transaction(
    state: AccountState, transaction_type: str, source: Object, amount: int, fee: int = 0, *, pending: int = 0
) -> Object:
    """Add an amount to the balance, less Stripe's fee; ``pending`` is the number of seconds until it is available."""
    now = state.clock.now()
    fee_detail = {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    transaction = state.create(
        "balance_transaction",
        amount=amount,
        available_on=now + pending,
        balance_type="payments",
        currency=source["currency"],
        description=source.get("description"),
        fee=fee,
        fee_details=[fee_detail] if fee else [],
        net=amount - fee,
        reporting_category=REPORTING_CATEGORIES.get(transaction_type, transaction_type),
        source=source["id"],
        status="pending" if pending else "available",
        type=transaction_type,
    )
    _apply(state, transaction)
    if pending:
        state.clock.schedule(now + pending, "balance.available", transaction)
    return transaction


def _apply(state: AccountState, transaction: Object, sign: int = 1) -> None:
    change_balance(state, transaction["status"], transaction["currency"], sign * transaction["net"])


@timer_handler("balance.available")
def _make_available(state: AccountState, transaction: Object) -> None:
    _apply(state, transaction, -1)
    state.objects.update(transaction, status="available")
    _apply(state, transaction)
    state.events.emit("balance.available", current_balance(state))


@list_filter("balance_transaction", "payout")
def _belongs_to_payout(transaction: Object, payout: str) -> bool:
    return payout in (transaction["id"], transaction["source"])
