"""Cash balances: what customers have paid by bank transfer.

https://docs.stripe.com/payments/customer-balance
"""

from __future__ import annotations

from pinstripe.emulator.operations import payment_intents
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._intents import find_intent
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations._singletons import get_singleton, set_singleton, update_singleton
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.validation.errors import missing_param


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
    """Add a bank transfer to a cash balance, and pay the intents that wait for one, oldest first."""
    state, params = context.state, context.params
    customer = state.objects.get("customer", context.path["customer"])
    currency, amount = params["currency"].lower(), params["amount"]
    bank_transfer = {
        "reference": params.get("reference"),
        "type": "us_bank_transfer",
        "us_bank_transfer": {"network": "ach", "sender_name": None},
    }
    transaction = _change(state, customer, currency, amount, type="funded", funded={"bank_transfer": bank_transfer})
    cash_balance = _cash_balance_of(state, customer)
    state.events.emit("cash_balance.funds_available", cash_balance)
    if cash_balance["settings"]["reconciliation_mode"] == "automatic":
        for intent in list(state.objects.all("payment_intent", customer=customer["id"]))[::-1]:
            if _waits_for_transfer(intent) and intent["currency"] == currency:
                _pay_intent(state, intent)
    return transaction


def _change(state: AccountState, customer: Object, currency: str, amount: int, **fields: JSON) -> Object:
    """Add an amount to a cash balance, and return the transaction."""
    cash_balance = _cash_balance_of(state, customer)
    available = dict(cash_balance["available"] or {})
    available[currency] = available.get(currency, 0) + amount
    set_singleton(state, {**cash_balance, "available": available}, customer["id"])
    transaction = state.create(
        "customer_cash_balance_transaction",
        None,
        currency=currency,
        customer=customer["id"],
        ending_balance=available[currency],
        net_amount=amount,
        **fields,
    )
    state.events.emit("created", transaction)
    return transaction


def _waits_for_transfer(intent: Object) -> bool:
    action: Object = intent["next_action"] or {}
    return bool(intent["status"] == "requires_action" and action.get("type") == "display_bank_transfer_instructions")


def _confirm(state: AccountState, intent: Object) -> Object:
    """Pay an intent from the cash balance of its customer, or show how to transfer the rest."""
    if intent["customer"] is None:
        raise missing_param("customer")
    return _pay_intent(state, intent)


payment_intents.CONFIRMATIONS["customer_balance"] = _confirm


def _pay_intent(state: AccountState, intent: Object, limit: int | None = None) -> Object:
    customer, currency = state.objects.get("customer", intent["customer"]), intent["currency"]
    waiting = _waits_for_transfer(intent)
    instructions: Object = (intent["next_action"] or {}).get("display_bank_transfer_instructions") or {}
    remaining = instructions["amount_remaining"] if waiting else intent["amount"]
    available = (_cash_balance_of(state, customer)["available"] or {}).get(currency, 0)
    applied = min(available, remaining, remaining if limit is None else limit)
    if applied > 0:
        fields = {"type": "applied_to_payment", "applied_to_payment": {"payment_intent": intent["id"]}}
        _change(state, customer, currency, -applied, **fields)
    if applied == remaining:
        return payment_intents.charge_intent(state, intent)
    options = (intent["payment_method_options"] or {}).get("customer_balance") or {}
    action = {
        "amount_remaining": remaining - applied,
        "currency": currency,
        "financial_addresses": [],
        "hosted_instructions_url": f"{state.base_url}/bank_transfers/{intent['id']}",
        "reference": intent["id"][-10:].upper(),
        "type": (options.get("bank_transfer") or {}).get("type", "us_bank_transfer"),
    }
    next_action = {"type": "display_bank_transfer_instructions", "display_bank_transfer_instructions": action}
    state.objects.update(intent, status="requires_action", next_action=next_action)
    if applied > 0:
        state.events.emit("partially_funded", intent)
    elif not waiting:
        state.events.emit("requires_action", intent)
    return intent


@operation("payment_intents.apply_customer_balance")
def apply(context: OperationContext) -> Object:
    """Apply the cash balance of the customer to a payment that waits for a bank transfer."""
    intent = find_intent(context, "payment_intent", "apply a balance to")
    if not _waits_for_transfer(intent):
        return intent
    return _pay_intent(context.state, intent, context.params.get("amount"))


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
