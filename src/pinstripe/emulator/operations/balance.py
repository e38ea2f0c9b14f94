"""The balance of an account, and its settings.

https://docs.stripe.com/api/balance
"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations._singletons import get_singleton, update_singleton
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Amount

STATUSES = ("available", "pending")


def change_balance(state: AccountState, status: str, currency: str, amount: int) -> None:
    """Add an amount to the balance of a status and currency.

    The sums are stored, because adding up every balance transaction for each request would be slow.
    """
    previous = state.tables.balances.get((status, currency)) or Amount(0)
    state.tables.balances.set((status, currency), Amount(previous.amount + amount))


def _balance_of(state: AccountState, status: str, currency: str) -> int:
    return (state.tables.balances.get((status, currency)) or Amount(0)).amount


def current_balance(state: AccountState) -> Object:
    """Return the balance of an account, by status and currency."""
    currencies = sorted({currency for _, currency in state.tables.balances}) or ["usd"]
    return {
        "object": "balance",
        "livemode": False,
        **{
            status: [
                {"amount": amount, "currency": currency, "source_types": {"card": amount}}
                for currency in currencies
                for amount in [_balance_of(state, status, currency)]
            ]
            for status in STATUSES
        },
    }


def available_amount(state: AccountState, currency: str) -> int:
    """Return the amount in a currency that can be paid out or transferred."""
    return _balance_of(state, "available", currency)


@operation("balance.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return the balance."""
    return current_balance(context.state)


@operation("balance_settings.retrieve")
def retrieve_settings(context: OperationContext) -> Object:
    """Return the settings of payouts."""
    return get_singleton(context.state, "balance_settings")


@operation("balance_settings.update")
def update_settings(context: OperationContext) -> Object:
    """Change the settings of payouts."""
    settings = update_singleton(context.state, "balance_settings", context.params)
    context.state.events.emit("updated", settings, {})
    return settings
