"""Subscriptions: started, paid for the first time, changed a little, and ended. https://docs.stripe.com/billing/subscriptions"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.generic import life, listed, matching
from pinstripe.emulator.lives import invoices
from pinstripe.emulator.lives.catalog import make_price
from pinstripe.emulator.periods import DAY, add
from pinstripe.emulator.refusal import Refusal, missing_param
from pinstripe.emulator.world import Ask, Object, World

ENDED = ("canceled", "incomplete_expired")


@life("subscriptions.create")
def create(ask: Ask) -> Object:
    """A subscription, its first invoice, and the payment of it."""
    world, params = ask.world, ask.params
    customer = world.get("customer", params.get("customer") or "", "customer")
    if not params.get("items"):
        raise missing_param("items")
    if given := params.get("default_payment_method"):
        world.get("payment_method", given, "default_payment_method")
    behavior = params.get("payment_behavior", "allow_incomplete")
    automatic = params.get("collection_method", "charge_automatically") == "charge_automatically"
    subscription = _start(world, params, customer)
    subscription["items"]["data"] = [_item(world, subscription, item, at) for at, item in enumerate(params["items"])]
    _agree(subscription)
    trial = subscription["status"] == "trialing"
    method = invoices.default_method(world, subscription)
    if automatic and not trial and method is None and behavior != "default_incomplete" and _amount(subscription):
        raise Refusal(
            "This customer has no attached payment source or default payment method.", code="resource_missing"
        )
    world.keep(subscription)
    for item in subscription["items"]["data"]:
        world.keep(item)
    invoice = invoices.for_subscription(world, subscription, "subscription_create")
    subscription["latest_invoice"] = invoice["id"]
    if automatic:
        _collect(world, subscription, invoice, method, behavior)
    else:
        subscription["status"] = "trialing" if trial else "active"
    world.emit("created", subscription)
    return subscription


def _start(world: World, params: Object, customer: Object) -> Object:
    subscription = world.draft("subscription", {name: value for name, value in params.items() if name != "items"})
    now, trial_end = world.now(), _trial_end(world, params)
    subscription.update(
        automatic_tax={"enabled": False, "disabled_reason": None, "liability": None},
        billing_cycle_anchor=params.get("billing_cycle_anchor", trial_end or now),
        billing_mode={"type": "flexible"},
        billing_schedules=[],
        cancel_at_period_end=params.get("cancel_at_period_end", False),
        collection_method=params.get("collection_method", "charge_automatically"),
        customer=customer["id"],
        default_payment_method=params.get("default_payment_method"),
        invoice_settings={"account_tax_ids": None, "issuer": {"type": "self"}},
        items={
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={subscription['id']}",
        },
        start_date=now,
        status="trialing" if trial_end else "incomplete",
        trial_start=now if trial_end else None,
        trial_end=trial_end,
    )
    return subscription


def _trial_end(world: World, params: Object) -> int | None:
    if days := params.get("trial_period_days"):
        return int(world.now() + days * DAY)
    given = params.get("trial_end")
    if given is None or given == "now":
        return None
    if given <= world.now():
        raise Refusal("Invalid timestamp: trial_end must be in the future", param="trial_end")
    return int(given)


def _item(world: World, subscription: Object, given: Object, at: int) -> Object:
    price = _price(world, given, f"items[{at}]")
    item = world.draft("subscription_item", {name: value for name, value in given.items() if name != "price"})
    start = subscription["trial_end"] or subscription["start_date"]
    recurring = price["recurring"]
    end = add(start, recurring["interval"], recurring["interval_count"])
    trial = subscription["status"] == "trialing"
    item.update(
        created=world.now(),
        current_period_start=subscription["start_date"],
        current_period_end=start if trial else end,
        price=price,
        quantity=given.get("quantity", 1),
        subscription=subscription["id"],
    )
    return item


def _price(world: World, given: Object, where: str) -> Object:
    if described := given.get("price_data"):
        world.get("product", described["product"], f"{where}[price_data][product]")
        price = make_price(world, described)
    elif "price" in given:
        price = world.get("price", given["price"], f"{where}[price]")
    else:
        raise missing_param(f"{where}[price]")
    if price["type"] != "recurring":
        raise Refusal(
            "The price specified is not recurring; a subscription takes recurring prices only.", param=f"{where}[price]"
        )
    if price["unit_amount"] is None:
        raise Refusal("The emulator does not bill tiers and fractions of a cent yet.", status=501, type="api_error")
    return price


def _agree(subscription: Object) -> None:
    """All prices of a subscription share a currency."""
    currencies = {item["price"]["currency"] for item in subscription["items"]["data"]}
    if len(currencies) > 1:
        raise Refusal("All prices of a subscription have the same currency.", param="items")
    subscription["currency"] = currencies.pop()


def _amount(subscription: Object) -> int:
    return sum(int(item["price"]["unit_amount"] * item["quantity"]) for item in subscription["items"]["data"])


def _collect(world: World, subscription: Object, invoice: Object, method: Object | None, behavior: str) -> None:
    """Pay the first invoice; what a decline means depends on ``payment_behavior``."""
    if invoice["amount_due"] and behavior == "default_incomplete":
        return
    try:
        invoices.pay_with(world, invoice, method)
    except Refusal as refusal:
        if behavior == "error_if_incomplete":
            world.objects.pop(subscription["id"])
            world.kinds["subscription"].pop(subscription["id"])
            raise
        if refusal.status != 402:
            raise
    if invoice["status"] == "paid" and subscription["status"] == "incomplete":
        subscription["status"] = "active"


@life("subscriptions.update")
def update(ask: Ask) -> Object:
    """Change a subscription, but for its items, which would need proration."""
    world, params = ask.world, ask.params
    subscription = world.get("subscription", ask.target)
    if subscription["status"] in ENDED:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    if "items" in params:
        raise Refusal("The emulator does not prorate changes of items yet.", status=501, type="api_error")
    fields: Object = {}
    if "cancel_at_period_end" in params:
        fields = _leaving(world, subscription, leaving=params["cancel_at_period_end"])
    return world.update(subscription, {name: value for name, value in params.items() if name != "items"}, **fields)


def _leaving(world: World, subscription: Object, *, leaving: bool) -> Object:
    end = max(item["current_period_end"] for item in subscription["items"]["data"])
    return {
        "cancel_at_period_end": leaving,
        "cancel_at": end if leaving else None,
        "canceled_at": world.now() if leaving else None,
    }


@life("subscriptions.cancel")
def cancel(ask: Ask) -> Object:
    """End a subscription now."""
    subscription = ask.world.get("subscription", ask.target)
    if subscription["status"] in ENDED:
        raise Refusal("The subscription is already canceled.", code="resource_missing", param="id", status=404)
    return end(ask.world, subscription, ask.params.get("cancellation_details"))


def end(world: World, subscription: Object, details: Any = None) -> Object:  # Any: JSON
    """End a subscription, and say so."""
    reason = {"comment": None, "feedback": None, "reason": "cancellation_requested", **(details or {})}
    now = world.now()
    world.change(subscription, status="canceled", canceled_at=now, ended_at=now, cancellation_details=reason)
    world.emit("deleted", subscription)
    return subscription


@life("subscriptions.list")
def list_subscriptions(ask: Ask) -> Object:
    """Subscriptions; those that are canceled only where they are asked for."""
    params = dict(ask.params)
    status, price = params.pop("status", None), params.pop("price", None)
    found = matching(Ask(ask.world, ask.row, ask.path, params), ask.world.every("subscription"))
    return listed(ask, [one for one in found if _has_status(one, status) and _has_price(one, price)])


def _has_status(subscription: Object, wanted: str | None) -> bool:
    if wanted == "all":
        return True
    if wanted == "ended":
        return subscription["status"] in ENDED
    return bool(subscription["status"] == wanted if wanted else subscription["status"] != "canceled")


def _has_price(subscription: Object, wanted: str | None) -> bool:
    return wanted is None or any(item["price"]["id"] == wanted for item in subscription["items"]["data"])
