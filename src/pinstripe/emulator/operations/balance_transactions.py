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

APPLICATION = "ca_emulator"
"""The id of the platform's application."""
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
    state: AccountState,
    transaction_type: str,
    source: Object,
    amount: int,
    fee: int = 0,
    *,
    pending: int = 0,
    application_fee: int = 0,
) -> Object:
    """Add an amount to the balance, less the fees of Stripe and of the platform.

    ``pending`` is the number of seconds until it is available.
    """
    now = state.clock.now()
    fees = (
        (application_fee, APPLICATION, "application_fee", "Application fee"),
        (fee, None, "stripe_fee", "Stripe processing fees"),
    )
    fee_details = [
        {
            "amount": part,
            "application": application,
            "currency": source["currency"],
            "description": description,
            "type": fee_type,
        }
        for part, application, fee_type, description in fees
        if part
    ]
    fee += application_fee
    transaction = state.create(
        "balance_transaction",
        amount=amount,
        available_on=now + pending,
        balance_type="payments",
        currency=source["currency"],
        description=source.get("description"),
        fee=fee,
        fee_details=fee_details,
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


def seconds_until_available(state: AccountState, transaction_id: str | None) -> int:
    """Return the number of seconds until the amount of a transaction is available; 0 if it is."""
    transaction = state.objects.find("balance_transaction", transaction_id)
    return 0 if transaction is None else max(0, int(transaction["available_on"]) - state.clock.now())


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
