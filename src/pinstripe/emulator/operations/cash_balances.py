"""Cash balances: what customers have paid by bank transfer.

https://docs.stripe.com/payments/customer-balance
"""

from __future__ import annotations

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations._singletons import get_singleton, set_singleton, update_singleton
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object


def _cash_balance_of(state: AccountState, customer: Object) -> Object:
    return get_singleton(state, "cash_balance", customer["id"], customer=customer["id"])


includable("customer", "cash_balance")(_cash_balance_of)


@operation("customers.cash_balance.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return the cash balance of a customer."""
    customer = context.state.objects.get("customer", context.path["customer"])
    return _cash_balance_of(context.state, customer)


@operation("customers.cash_balance.update")
def update(context: OperationContext) -> Object:
    """Change the settings of a cash balance."""
    customer = context.state.objects.get("customer", context.path["customer"])
    return update_singleton(context.state, "cash_balance", context.params, customer["id"], customer=customer["id"])


@operation("test_helpers.customers.fund_cash_balance")
def fund(context: OperationContext) -> Object:
    """Add a bank transfer to a cash balance."""
    state, params = context.state, context.params
    customer = state.objects.get("customer", context.path["customer"])
    currency, amount = params["currency"].lower(), params["amount"]
    cash_balance = _cash_balance_of(state, customer)
    available = dict(cash_balance["available"] or {})
    available[currency] = available.get(currency, 0) + amount
    cash_balance = set_singleton(state, {**cash_balance, "available": available}, customer["id"])
    bank_transfer = {
        "reference": params.get("reference"),
        "type": "us_bank_transfer",
        "us_bank_transfer": {"network": "ach", "sender_name": None},
    }
    transaction = state.create(
        "customer_cash_balance_transaction",
        currency=currency,
        customer=customer["id"],
        ending_balance=available[currency],
        net_amount=amount,
        type="funded",
        funded={"bank_transfer": bank_transfer},
    )
    state.events.emit("created", transaction)
    state.events.emit("cash_balance.funds_available", cash_balance)
    return transaction


@operation("customers.funding_instructions.create")
def create_funding_instructions(context: OperationContext) -> Object:
    """Return the bank details to which a customer sends transfers; they are not stored."""
    state = context.state
    state.objects.get("customer", context.path["customer"])
    instructions = state.draft("funding_instructions")
    instructions.update(currency=context.params["currency"].lower(), funding_type="bank_transfer")
    instructions["bank_transfer"] |= {"country": "US", "financial_addresses": []}
    transfer_type = context.params["bank_transfer"]["type"]
    if transfer_type in ("eu_bank_transfer", "jp_bank_transfer"):  # the response names no other types
        instructions["bank_transfer"]["type"] = transfer_type
    return instructions
