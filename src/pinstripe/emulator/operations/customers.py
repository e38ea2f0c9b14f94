"""Customers, and what they owe or have to their credit. https://docs.stripe.com/api/customers"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._lists import embedded, filtered
from pinstripe.emulator.operations.payment_methods import attach_to, payment_method
from pinstripe.emulator.operations.sources import KINDS, save
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_object

ENDINGS: list[Any] = []  # Any: functions of a world and a customer
"""What else happens when a customer is deleted: subscriptions end."""


@life("customers.create")
def create(ask: Ask) -> Object:
    """A customer, with the card that was passed saved for it."""
    return make(ask.world, ask.params)


def make(world: World, given: Object) -> Object:
    """A customer, as the parameters of its creation say."""
    params = dict(given)
    method = payment_method(world, params.pop("payment_method")) if params.get("payment_method") else None
    source = params.pop("source", None) or params.pop("card", None)
    tax_ids = params.pop("tax_id_data", None) or []
    settings = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    customer = world.draft("customer", params)
    customer["invoice_settings"] = {**settings, **(params.get("invoice_settings") or {})}
    customer.update(
        balance=params.get("balance", 0),
        currency="usd" if params.get("balance") else None,
        delinquent=False,
        discount=None,
        default_source=None,
        invoice_prefix=params.get("invoice_prefix") or "".join(world.random.choices("0123456789ABCDEF", k=8)),
        next_invoice_sequence=params.get("next_invoice_sequence", 1),
        preferred_locales=params.get("preferred_locales") or [],
        tax_exempt=params.get("tax_exempt") or "none",
    )
    if default := customer["invoice_settings"]["default_payment_method"]:
        method = payment_method(world, default, "invoice_settings[default_payment_method]")
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    world.keep(customer)
    if method is not None:
        attach_to(world, method, customer)
    if source is not None:
        save(world, customer, source)
    for given in tax_ids:
        _tax_id(world, customer, given)
    world.emit("created", customer)
    return customer


@life("customers.update")
def update(ask: Ask) -> Object:
    """Change a customer; its invoice settings are changed one by one."""
    world, params = ask.world, dict(ask.params)
    customer = world.get("customer", ask.target)
    fields: Object = {}
    if source := params.pop("source", None) or params.pop("card", None):
        if customer["default_source"]:
            world.change(customer, default_source=None)
        save(world, customer, source)
    if default := params.get("default_source"):
        found = world.objects.get(default)
        if found is None or found["object"] not in KINDS or found.get("customer") != customer["id"]:
            raise missing_object("source", default, "default_source")
    if isinstance(given := params.pop("invoice_settings", None), dict):
        if default := given.get("default_payment_method"):
            method = world.get("payment_method", default, "invoice_settings[default_payment_method]")
            if method["customer"] != customer["id"]:
                raise Refusal(
                    f"The customer does not have a payment method with the ID {default}: attach it first.",
                    code="resource_missing",
                    param="invoice_settings[default_payment_method]",
                )
        fields["invoice_settings"] = {**customer["invoice_settings"], **given}
    if "balance" in params and params["balance"] != customer["balance"]:
        credit(world, customer, params.pop("balance") - customer["balance"], "adjustment")
    return world.update(customer, params, **fields)


@life("customers.delete")
def delete(ask: Ask) -> Object:
    """Delete a customer: its subscriptions end, and its cards are gone."""
    world = ask.world
    customer = world.get("customer", ask.target)
    for ending in ENDINGS:
        ending(world, customer)
    for method in list(world.every("payment_method", customer=customer["id"])):
        world.change(method, customer=None)
        world.hide(method["id"], {**world.hidden.get(method["id"], {}), "detached": True})
    world.emit("deleted", customer)
    return world.bury(customer)


def credit(world: World, customer: Object, amount: int, type_: str, **fields: Any) -> Object:  # Any: JSON
    """Change a customer's balance: less than nothing is a credit, more is owed. https://docs.stripe.com/billing/customer/balance"""
    world.change(customer, balance=customer["balance"] + amount)
    return world.make(
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


@life("customers.balance_transactions.create")
def adjust(ask: Ask) -> Object:
    """Give a customer credit, or take it."""
    world, params = ask.world, ask.params
    customer = world.get("customer", ask.path["customer"])
    currency = params["currency"].lower()
    made = credit(
        world, customer, params["amount"], "adjustment", currency=currency, description=params.get("description"),
        metadata=dict(params.get("metadata") or {}),
    )  # fmt: skip
    if not customer.get("currency"):
        world.change(customer, currency=currency)
    world.emit("updated", customer, {"balance": customer["balance"] - params["amount"]})
    return made


@includable("customer", "subscriptions")
def subscriptions(world: World, customer: Object) -> Object:
    """A customer's subscriptions that have not ended."""
    data = [one for one in world.every("subscription", customer=customer["id"]) if one["status"] != "canceled"]
    return embedded(data, f"/v1/customers/{customer['id']}/subscriptions")


@includable("customer", "sources")
def sources(world: World, customer: Object) -> Object:
    """A customer's cards and bank accounts."""
    data = [one for kind in KINDS for one in world.every(kind, customer=customer["id"])]
    return embedded(data, f"/v1/customers/{customer['id']}/sources")


@includable("customer", "tax_ids")
def tax_ids(world: World, customer: Object) -> Object:
    """A customer's tax ids."""
    data = list(world.every("tax_id", customer=customer["id"]))
    return embedded(data, f"/v1/customers/{customer['id']}/tax_ids")


@includable("customer", "invoice_credit_balance")
def credit_balance(world: World, customer: Object) -> Object:
    """A customer's credit, by currency."""
    return {customer.get("currency") or "usd": customer["balance"]}


@life("customers.tax_ids.create", "tax_ids.create")
def create_tax_id(ask: Ask) -> Object:
    """A tax id, of a customer or of the account; the verification succeeds."""
    owner = ask.params.get("owner") or {}
    identifier = ask.path.get("customer") or owner.get("customer")
    return _tax_id(ask.world, ask.world.get("customer", identifier) if identifier else None, ask.params)


def _tax_id(world: World, customer: Object | None, given: Object) -> Object:
    made = world.draft("tax_id")
    made.update(
        country=str(given["value"])[:2].upper() if str(given["value"])[:2].isalpha() else "US",
        customer=customer["id"] if customer else None,
        owner={"type": "customer", "customer": customer["id"]} if customer else {"type": "self"},
        type=given["type"],
        value=given["value"],
        verification={"status": "verified", "verified_address": None, "verified_name": None},
    )
    world.keep(made)
    world.emit("created", made)
    return made


@filtered("tax_id", "owner")
def _is_owned(tax_id: Object, wanted: Object) -> bool:
    owner = tax_id["owner"] or {"type": "self"}
    return all(owner.get(name) == wanted.get(name) for name in ("type", "customer", "account", "customer_account"))
