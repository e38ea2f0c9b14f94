"""Customers, and what they owe or have to their credit. https://docs.stripe.com/api/customers"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import attach_to, payment_method
from pinstripe.emulator.operations.sources import KINDS, save
from pinstripe.emulator.operations.test_cards import detach_instrument
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object

ENDINGS: list[Any] = []  # Any: functions of a state and a customer
"""What else happens when a customer is deleted: subscriptions end."""


@operation("customers.create")
def create(context: OperationContext) -> Object:
    """A customer, with the card that was passed saved for it."""
    return make(context.state, context.params)


def make(state: AccountState, given: Object) -> Object:
    """A customer, as the parameters of its creation say."""
    params = dict(given)
    method = payment_method(state, params.pop("payment_method")) if params.get("payment_method") else None
    source = params.pop("source", None) or params.pop("card", None)
    tax_ids = params.pop("tax_id_data", None) or []
    settings = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    customer = state.draft("customer", params)
    customer["invoice_settings"] = {**settings, **(params.get("invoice_settings") or {})}
    customer.update(
        balance=params.get("balance", 0),
        currency="usd" if params.get("balance") else None,
        delinquent=False,
        discount=None,
        default_source=None,
        invoice_prefix=params.get("invoice_prefix") or "".join(state.random.choices("0123456789ABCDEF", k=8)),
        next_invoice_sequence=params.get("next_invoice_sequence", 1),
        preferred_locales=params.get("preferred_locales") or [],
        tax_exempt=params.get("tax_exempt") or "none",
    )
    if default := customer["invoice_settings"]["default_payment_method"]:
        method = payment_method(state, default, "invoice_settings[default_payment_method]")
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    state.objects.add(customer)
    if method is not None:
        attach_to(state, method, customer)
    if source is not None:
        save(state, customer, source)
    for given in tax_ids:
        _tax_id(state, customer, given)
    state.events.emit("created", customer)
    return customer


@operation("customers.update")
def update(context: OperationContext) -> Object:
    """Change a customer; its invoice settings are changed one by one."""
    state, params = context.state, dict(context.params)
    customer = state.objects.get("customer", context.target_id)
    fields: Object = {}
    if source := params.pop("source", None) or params.pop("card", None):
        if customer["default_source"]:
            state.objects.update(customer, default_source=None)
        save(state, customer, source)
    if default := params.get("default_source"):
        found = state.objects.find(KINDS, default)
        if found is None or found["object"] not in KINDS or found.get("customer") != customer["id"]:
            raise missing_object("source", default, "default_source")
    if isinstance(given := params.pop("invoice_settings", None), dict):
        if default := given.get("default_payment_method"):
            method = state.objects.get("payment_method", default, "invoice_settings[default_payment_method]")
            if method["customer"] != customer["id"]:
                raise ErrorResponse(
                    f"The customer does not have a payment method with the ID {default}: attach it first.",
                    code="resource_missing",
                    param="invoice_settings[default_payment_method]",
                )
        fields["invoice_settings"] = {**customer["invoice_settings"], **given}
    if "balance" in params and params["balance"] != customer["balance"]:
        credit(state, customer, params.pop("balance") - customer["balance"], "adjustment")
    return state.apply_update(customer, params, **fields)


@operation("customers.delete")
def delete(context: OperationContext) -> Object:
    """Delete a customer: its subscriptions end, and its cards are gone."""
    state = context.state
    customer = state.objects.get("customer", context.target_id)
    for ending in ENDINGS:
        ending(state, customer)
    for method in list(state.objects.all("payment_method", customer=customer["id"])):
        state.objects.update(method, customer=None)
        detach_instrument(state, method["id"])
    state.events.emit("deleted", customer)
    return state.objects.mark_deleted(customer)


def credit(state: AccountState, customer: Object, amount: int, type_: str, **fields: Any) -> Object:  # Any: JSON
    """Change a customer's balance: less than nothing is a credit, more is owed. https://docs.stripe.com/billing/customer/balance"""
    state.objects.update(customer, balance=customer["balance"] + amount)
    return state.create(
        "customer_balance_transaction",
        None,
        **{
            "amount": amount,
            "currency": customer.get("currency") or "usd",
            "customer": customer["id"],
            "ending_balance": customer["balance"],
            "type": type_,
            **fields,
        },
    )


@operation("customers.balance_transactions.create")
def adjust(context: OperationContext) -> Object:
    """Give a customer credit, or take it."""
    state, params = context.state, context.params
    customer = state.objects.get("customer", context.path["customer"])
    currency = params["currency"].lower()
    made = credit(
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
    return made


@includable("customer", "subscriptions")
def subscriptions(state: AccountState, customer: Object) -> Object:
    """A customer's subscriptions that have not ended."""
    data = [one for one in state.objects.all("subscription", customer=customer["id"]) if one["status"] != "canceled"]
    return embedded_list(data, f"/v1/customers/{customer['id']}/subscriptions")


@includable("customer", "sources")
def sources(state: AccountState, customer: Object) -> Object:
    """A customer's cards and bank accounts."""
    data = [one for kind in KINDS for one in state.objects.all(kind, customer=customer["id"])]
    return embedded_list(data, f"/v1/customers/{customer['id']}/sources")


@includable("customer", "tax_ids")
def tax_ids(state: AccountState, customer: Object) -> Object:
    """A customer's tax ids."""
    data = list(state.objects.all("tax_id", customer=customer["id"]))
    return embedded_list(data, f"/v1/customers/{customer['id']}/tax_ids")


@includable("customer", "invoice_credit_balance")
def credit_balance(state: AccountState, customer: Object) -> Object:
    """A customer's credit, by currency."""
    return {customer.get("currency") or "usd": customer["balance"]}


@operation("customers.tax_ids.create", "tax_ids.create")
def create_tax_id(context: OperationContext) -> Object:
    """A tax id, of a customer or of the account; the verification succeeds."""
    owner = context.params.get("owner") or {}
    identifier = context.path.get("customer") or owner.get("customer")
    return _tax_id(
        context.state, context.state.objects.get("customer", identifier) if identifier else None, context.params
    )


def _tax_id(state: AccountState, customer: Object | None, given: Object) -> Object:
    made = state.draft("tax_id")
    made.update(
        country=str(given["value"])[:2].upper() if str(given["value"])[:2].isalpha() else "US",
        customer=customer["id"] if customer else None,
        owner={"type": "customer", "customer": customer["id"]} if customer else {"type": "self"},
        type=given["type"],
        value=given["value"],
        verification={"status": "verified", "verified_address": None, "verified_name": None},
    )
    state.objects.add(made)
    state.events.emit("created", made)
    return made


@list_filter("tax_id", "owner")
def _is_owned(tax_id: Object, wanted: Object) -> bool:
    owner = tax_id["owner"] or {"type": "self"}
    return all(owner.get(name) == wanted.get(name) for name in ("type", "customer", "account", "customer_account"))
