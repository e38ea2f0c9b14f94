"""Customers and their credit balance.

https://docs.stripe.com/api/customers
"""

from __future__ import annotations

from collections.abc import Callable

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import attach_to, resolve_payment_method
from pinstripe.emulator.operations.payment_sources import SOURCE_TYPES, save_source, sources_of
from pinstripe.emulator.operations.tax_ids import create_tax_id
from pinstripe.emulator.operations.test_cards import mark_detached
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object

DELETION_HOOKS: list[Callable[[AccountState, Object], None]] = []
"""Functions called when a customer is deleted; subscriptions register here."""
MAX_CUSTOMERS_OF_CLOCK = 3
EMPTY_INVOICE_SETTINGS: Object = {
    "custom_fields": None,
    "default_payment_method": None,
    "footer": None,
    "rendering_options": None,
}


@operation("customers.create")
def create(context: OperationContext) -> Object:
    """Create a customer."""
    if clock := context.params.get("test_clock"):
        existing = context.state.objects.all("customer", test_clock=clock)
        if len(list(existing)) >= MAX_CUSTOMERS_OF_CLOCK:
            raise ErrorResponse(
                f"A test clock can have at most {MAX_CUSTOMERS_OF_CLOCK} customers.", param="test_clock"
            )
    return create_customer(context.state, context.params)


def create_customer(state: AccountState, params: Object) -> Object:
    """Create a customer, with the payment method, source and tax ids in the parameters."""
    params = dict(params)
    method = resolve_payment_method(state, params.pop("payment_method")) if params.get("payment_method") else None
    source = params.pop("source", None) or params.pop("card", None)
    tax_ids = params.pop("tax_id_data", None) or []
    customer = state.draft("customer", params)
    settings = {**EMPTY_INVOICE_SETTINGS, **(params.get("invoice_settings") or {})}
    customer.update(
        balance=params.get("balance", 0),
        currency="usd" if params.get("balance") else None,
        delinquent=False,
        discount=None,
        default_source=None,
        invoice_prefix=params.get("invoice_prefix") or "".join(state.random.choices("0123456789ABCDEF", k=8)),
        invoice_settings=settings,
        next_invoice_sequence=params.get("next_invoice_sequence", 1),
        preferred_locales=params.get("preferred_locales") or [],
        tax_exempt=params.get("tax_exempt") or "none",
    )
    if default := settings["default_payment_method"]:
        method = resolve_payment_method(state, default, "invoice_settings[default_payment_method]")
        settings["default_payment_method"] = method["id"]
    state.objects.add(customer)
    if method is not None:
        attach_to(state, method, customer)
    if source is not None:
        save_source(state, customer, source, check=params.get("validate", True))
    for tax_id in tax_ids:
        create_tax_id(state, customer, tax_id)
    state.events.emit("created", customer)
    return customer


@operation("customers.update")
def update(context: OperationContext) -> Object:
    """Change a customer; invoice settings that are not passed are unchanged."""
    state, params = context.state, dict(context.params)
    customer = state.objects.get("customer", context.target_id)
    if source := params.pop("source", None) or params.pop("card", None):
        if customer["default_source"]:
            state.objects.update(customer, default_source=None)
        save_source(state, customer, source, check=params.get("validate", True))
    if default := params.get("default_source"):
        existing = state.objects.find(SOURCE_TYPES, default)
        if existing is None or existing.get("customer") != customer["id"]:
            raise missing_object("source", default, "default_source")
    fields: Object = {}
    if isinstance(settings := params.pop("invoice_settings", None), dict):
        _check_default_payment_method(state, customer, settings.get("default_payment_method"))
        fields["invoice_settings"] = {**customer["invoice_settings"], **settings}
    if "balance" in params and params["balance"] != customer["balance"]:
        adjust_balance(state, customer, params.pop("balance") - customer["balance"], "adjustment")
    return state.apply_update(customer, params, **fields)


def _check_default_payment_method(state: AccountState, customer: Object, method_id: str | None) -> None:
    param = "invoice_settings[default_payment_method]"
    if method_id and state.objects.get("payment_method", method_id, param)["customer"] != customer["id"]:
        raise ErrorResponse(
            f"The customer does not have a payment method with the ID {method_id}: attach it first.",
            code="resource_missing",
            param=param,
        )


@operation("customers.delete")
def delete(context: OperationContext) -> Object:
    """Delete a customer, end its subscriptions, and detach its payment methods."""
    state = context.state
    customer = state.objects.get("customer", context.target_id)
    for hook in DELETION_HOOKS:
        hook(state, customer)
    for method in list(state.objects.all("payment_method", customer=customer["id"])):
        state.objects.update(method, customer=None)
        mark_detached(state, method["id"])
    state.events.emit("deleted", customer)
    return state.objects.mark_deleted(customer)


def adjust_balance(state: AccountState, customer: Object, amount: int, transaction_type: str, **fields: JSON) -> Object:
    """Add an amount to a customer's balance; a negative balance is credit.

    https://docs.stripe.com/billing/customer/balance
    """
    state.objects.update(customer, balance=customer["balance"] + amount)
    transaction = {
        "amount": amount,
        "currency": customer.get("currency") or "usd",
        "customer": customer["id"],
        "ending_balance": customer["balance"],
        "type": transaction_type,
    }
    return state.create("customer_balance_transaction", None, **{**transaction, **fields})


@operation("customers.balance_transactions.create")
def create_balance_transaction(context: OperationContext) -> Object:
    """Adjust a customer's balance."""
    state, params = context.state, context.params
    customer = state.objects.get("customer", context.path["customer"])
    currency = params["currency"].lower()
    transaction = adjust_balance(
        state,
        customer,
        params["amount"],
        "adjustment",
        currency=currency,
        description=params.get("description"),
        metadata=dict(params.get("metadata") or {}),
    )
    if not customer.get("currency"):
        state.objects.update(customer, currency=currency)
    state.events.emit("updated", customer, {"balance": customer["balance"] - params["amount"]})
    return transaction


@includable("customer", "subscriptions")
def subscriptions_of_customer(state: AccountState, customer: Object) -> Object:
    """Return the subscriptions of a customer that are not canceled."""
    subscriptions = state.objects.all("subscription", customer=customer["id"])
    not_canceled = [subscription for subscription in subscriptions if subscription["status"] != "canceled"]
    return embedded_list(not_canceled, f"/v1/customers/{customer['id']}/subscriptions")


@includable("customer", "sources")
def sources_of_customer(state: AccountState, customer: Object) -> Object:
    """Return the cards, bank accounts and sources of a customer."""
    return embedded_list(sources_of(state, customer["id"]), f"/v1/customers/{customer['id']}/sources")


@includable("customer", "invoice_credit_balance")
def invoice_credit_balance(state: AccountState, customer: Object) -> Object:
    """Return the balance of a customer, by currency."""
    return {customer.get("currency") or "usd": customer["balance"]}
