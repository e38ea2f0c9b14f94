"""Example objects whose fields agree with each other: the total of an invoice is the sum of its lines, a paid one is paid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import TypeAlias

from pinstripe._base import StripeModel
from pinstripe._registry import registry
from pinstripe.emulator.billing.periods import DAY, period_at
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import default_object, fit, rfc3339
from pinstripe.emulator.state.json_values import JSON, Object, clone
from pinstripe.errors import InvalidArgumentError

AMOUNT = 1000
"""The amount of examples, in cents."""
PARTS: dict[tuple[str, str], Object] = {
    ("payment_method", "card"): {
        "brand": "visa",
        "country": "US",
        "display_brand": "visa",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": "examplefingerprint",
        "funding": "credit",
        "last4": "4242",
    },
    ("price", "recurring"): {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
}
"""The fields of parts that are not passed with them, by object type and name of the part."""
EMBEDDED: dict[tuple[str, str], tuple[str, Object]] = {("subscription_item", "price"): ("Price", {"recurring": {}})}
"""The model of an object inside another one, with fields that it has there, by object type and name of the field."""
LISTS = {"invoice": ("lines", "InvoiceLineItem"), "subscription": ("items", "SubscriptionItem")}
"""The field of an object type that holds a list of examples, and their model."""
Rule: TypeAlias = Callable[[AccountState, Object, Object], Object]
"""Returns the fields of an example that follow from the others; it gets the default object and the fields that were passed."""
RULES: dict[str, Rule] = {}


def example(state: AccountState, model: str, fields: Mapping[str, JSON]) -> Object:
    """Return an example object of a model, not stored, with some fields as they are passed.

    Objects in fields are completed. Raises `InvalidArgumentError` for a field that the model does not have.
    """
    given: Object = {name: to_json(value) for name, value in fields.items()}
    known = {field.alias or name for name, field in registry().load(model).model_fields.items()}
    if unknown := given.keys() - known:
        raise InvalidArgumentError(f"{model} has no field {', '.join(sorted(unknown))}.", param=min(unknown))
    object_type = registry().object_type(model)
    for (owner, name), part in PARTS.items():
        if owner == object_type and isinstance(given.get(name), dict):
            given[name] = {**part, **given[name]}
    for (owner, name), (embedded, defaults) in EMBEDDED.items():
        if owner == object_type:
            given[name] = example(state, embedded, {**defaults, **(given.get(name) or {})})
    list_name, _ = LISTS.get(object_type, ("", ""))
    items = given.pop(list_name, None) or []
    defaults = state.draft(object_type) if object_type else default_object(model, state.default_values)
    if isinstance(automatic_tax := defaults.get("automatic_tax"), dict):
        automatic_tax.update({"enabled": False} | ({"status": None} if "status" in automatic_tax else {}))
    given |= fit(model, given, state.default_values, defaults)
    value = {**defaults, **given}
    if list_name:
        value[list_name] = items["data"] if isinstance(items, dict) else items
    try:
        derived = RULES[object_type](state, value, given) if object_type in RULES else {}
    except TypeError:  # a value that does not fit its field, which decoding reports
        derived = {}
    return {**defaults, **derived, **given}


def _list(state: AccountState, value: Object, url: str, **fields: JSON) -> Object:
    """Return the list of examples in an object: those that were passed, else one; ``fields`` are those of each."""
    name, model = LISTS[value["object"]]
    data = [example(state, model, {**fields, **item}) for item in value[name] or [{}]]
    return {"object": "list", "data": data, "has_more": False, "url": url}


def to_json(value: object) -> JSON:
    """Return a value of a model's field as JSON."""
    if isinstance(value, StripeModel):
        return value.to_dict()
    if isinstance(value, datetime):
        return int(value.replace(tzinfo=value.tzinfo or timezone.utc).timestamp())
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, (list, tuple)) else clone(value)


def rule(object_type: str) -> Callable[[Rule], Rule]:
    """Register the decorated function as the rule of an object type."""

    def register(function: Rule) -> Rule:
        RULES[object_type] = function
        return function

    return register


@rule("customer")
def _customer(state: AccountState, value: Object, given: Object) -> Object:
    return {"email": "jenny@example.com", "name": "Jenny Rosen", "balance": 0, "delinquent": False}


@rule("product")
def _product(state: AccountState, value: Object, given: Object) -> Object:
    return {"name": "Product"}


@rule("price")
def _price(state: AccountState, value: Object, given: Object) -> Object:
    amount = given.get("unit_amount", AMOUNT)
    derived = {"unit_amount": amount, "unit_amount_decimal": None if amount is None else str(amount)}
    return derived | ({"type": "recurring"} if given.get("recurring") else {})


@rule("payment_method")
def _payment_method(state: AccountState, value: Object, given: Object) -> Object:
    if given.get("type", "card") != "card":
        return {}
    card = PARTS["payment_method", "card"]
    return {"type": "card", **fit("PaymentMethod", {"card": card}, state.default_values)}


@rule("line_item")
def _line_item(state: AccountState, value: Object, given: Object) -> Object:
    amount = given.get("amount", given.get("subtotal", AMOUNT))
    return {"amount": amount, "subtotal": amount, "quantity": 1, "description": "Product"}


@rule("invoice")
def _invoice(state: AccountState, value: Object, given: Object) -> Object:
    amount: int = AMOUNT
    for name in ("amount_paid", "amount_due", "subtotal", "total"):
        amount = given.get(name, amount)
    url, line_fields = f"/v1/invoices/{value['id']}/lines", {} if value["lines"] else {"amount": amount}
    lines = _list(state, value, url, currency=value["currency"], invoice=value["id"], **line_fields)
    if not line_fields and not given.keys() & {"amount_paid", "amount_due", "subtotal", "total"}:
        amount = sum(line["amount"] for line in lines["data"])
    status = value["status"]
    due = given.get("amount_due", max(amount, 0))
    paid = given.get("amount_paid", due if status == "paid" else 0)
    now, final = value["created"], status != "draft"
    times = {"paid": "paid_at", "void": "voided_at", "uncollectible": "marked_uncollectible_at"}
    transitions: Object = {**value["status_transitions"], "finalized_at": now if final else None}
    if status in times:
        transitions[times[status]] = now
    return {
        "amount_due": due,
        "amount_paid": paid,
        "amount_remaining": due - paid,
        "attempt_count": int(status == "paid"),
        "attempted": status == "paid",
        "lines": lines,
        "number": "EXAMPLE-0001" if final else None,
        "status_transitions": transitions,
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
    }


@rule("subscription_item")
def _subscription_item(state: AccountState, value: Object, given: Object) -> Object:
    start = value["current_period_start"]
    end = given.get("current_period_end", period_at(start, value["price"]["recurring"], start)[1])
    return {"quantity": 1, "created": start, "current_period_end": end}


@rule("subscription")
def _subscription(state: AccountState, value: Object, given: Object) -> Object:
    status, now, url = value["status"], value["start_date"], f"/v1/subscription_items?subscription={value['id']}"
    price = {"currency": value["currency"]}
    items = _list(state, value, url, current_period_start=now, subscription=value["id"], price=price)
    end = items["data"][0]["current_period_end"]
    derived: Object = {
        "billing_cycle_anchor": now,
        "items": items,
        "latest_invoice": state.new_id("invoice"),
        "start_date": now,
    }
    if status == "trialing":
        derived |= {"trial_start": now, "trial_end": end}
    if status in ("canceled", "incomplete_expired"):
        derived |= {"canceled_at": now, "ended_at": now}
    if given.get("cancel_at_period_end"):
        derived |= {"cancel_at": end, "canceled_at": now}
    return derived


@rule("payment_intent")
def _payment_intent(state: AccountState, value: Object, given: Object) -> Object:
    status: str = given.get("status", "requires_payment_method")
    amount = given.get("amount", AMOUNT)
    derived: Object = {
        "amount": amount,
        "amount_capturable": amount if status == "requires_capture" else 0,
        "amount_received": amount if status == "succeeded" else 0,
        "capture_method": "manual" if status == "requires_capture" else "automatic_async",
        "client_secret": f"{value['id']}_secret_{state.new_id('secret', 25)}",
        "confirmation_method": "automatic",
        "currency": "usd",
        "payment_method_types": ["card"],
        "status": status,
    }
    if status == "canceled":
        derived["canceled_at"] = value["created"]
    elif status != "requires_payment_method":
        derived["payment_method"] = state.new_id("payment_method", 24)
    if status in ("requires_capture", "succeeded"):
        derived["latest_charge"] = state.new_id("charge")
    return derived


@rule("setup_intent")
def _setup_intent(state: AccountState, value: Object, given: Object) -> Object:
    status = given.get("status", "requires_payment_method")
    secret = f"{value['id']}_secret_{state.new_id('secret', 25)}"
    derived: Object = {"client_secret": secret, "payment_method_types": ["card"], "status": status}
    if status not in ("requires_payment_method", "canceled"):
        derived["payment_method"] = state.new_id("payment_method", 24)
    return {**derived, "usage": "off_session"}


@rule("charge")
def _charge(state: AccountState, value: Object, given: Object) -> Object:
    status, amount = given.get("status", "succeeded"), given.get("amount", AMOUNT)
    captured = given.get("captured", status == "succeeded")
    derived: Object = {
        "amount": amount,
        "amount_captured": amount if captured else 0,
        "amount_refunded": amount if given.get("refunded") else 0,
        "captured": captured,
        "paid": status == "succeeded",
        "payment_method": state.new_id("payment_method", 24),
        "refunded": given.get("amount_refunded") == amount,
        "status": status,
    }
    return derived | ({"failure_code": "card_declined"} if status == "failed" else {})


@rule("refund")
def _refund(state: AccountState, value: Object, given: Object) -> Object:
    return {"amount": AMOUNT, "charge": state.new_id("charge"), "status": "succeeded"}


@rule("checkout.session")
def _checkout_session(state: AccountState, value: Object, given: Object) -> Object:
    setup, status = value["mode"] == "setup", value["status"]
    amount = None if setup else given.get("amount_total", given.get("amount_subtotal", AMOUNT))
    payment = "no_payment_required" if not amount else "paid" if status == "complete" else "unpaid"
    derived: Object = {
        "amount_subtotal": amount,
        "amount_total": amount,
        "currency": None if setup else "usd",
        "expires_at": value["created"] + DAY,
        "payment_method_types": ["card"],
        "payment_status": payment,
        "success_url": "https://example.com/success",
        "ui_mode": "hosted_page",
    }
    if status == "open":
        derived["url"] = f"https://checkout.stripe.com/c/pay/{value['id']}"
    elif status == "complete":
        result = {"payment": "payment_intent", "subscription": "subscription", "setup": "setup_intent"}[value["mode"]]
        derived[result] = state.new_id(result)
    return derived


@rule("v2.core.event")
def _thin_event(state: AccountState, value: Object, given: Object) -> Object:
    return {"created": rfc3339(state.clock.now())}
