"""Changes of subscriptions, and what they cost: proration, new periods, updates that wait for a payment.

https://docs.stripe.com/billing/subscriptions/prorations
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pinstripe.emulator.billing import subscription_invoices
from pinstripe.emulator.billing.invoice_lines import cost
from pinstripe.emulator.billing.periods import around
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import listed
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoice_items import make_item
from pinstripe.emulator.operations.subscriptions import ENDED, build_item, period_end, price_of
from pinstripe.emulator.state.account import Ask, Object, World, clone, merged, since
from pinstripe.emulator.state.defaults import fit
from pinstripe.emulator.state.timers import timer
from pinstripe.emulator.validation.errors import Refusal, missing_object, missing_param

WAIT = 23 * 3600
"""Seconds until an update that waits for its payment is given up."""
OWN = (
    "items", "discounts", "trial_end", "cancel_at_period_end", "cancel_at", "billing_cycle_anchor",
    "default_tax_rates", "pause_collection",
    "cancellation_details", "add_invoice_items", "trial_settings", "payment_settings", "invoice_settings", "metadata",
)  # fmt: skip
"""Parameters that are not simply fields."""


@dataclass
class Plan:
    """What an update asks for, beside the fields it sets."""

    before: Object
    proration: str = "create_prorations"
    behavior: str = "allow_incomplete"
    at: int = 0
    reset: bool = False
    items: list[Object] = field(default_factory=list)


@life("subscriptions.update", "customers.subscriptions.update")
def update(ask: Ask) -> Object:
    """Change a subscription."""
    subscription = ask.world.get("subscription", ask.target)
    return apply(ask.world, subscription, ask.params)


def apply(world: World, subscription: Object, params: Object) -> Object:
    """Change a subscription as the parameters of its update say, and bill what that costs."""
    if subscription["status"] in ENDED and set(params) - {"metadata", "cancellation_details", "expand"}:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    before, mark = clone(subscription), len(world.undos)
    simple = fit(
        "Subscription", {name: value for name, value in params.items() if name not in OWN}, world.names, subscription
    )
    world.change(subscription, **simple, **_plain(world, subscription, params))
    for one in params.get("add_invoice_items") or []:
        extra = make_item(world, subscription["customer"], {"currency": subscription["currency"], **one})
        details = {"subscription": subscription["id"], "subscription_item": None}
        world.change(extra, parent={"type": "subscription_details", "subscription_details": details})
    plan = Plan(
        before,
        params.get("proration_behavior", "create_prorations"),
        params.get("payment_behavior", "allow_incomplete"),
        params.get("proration_date") or world.now(),
        params.get("billing_cycle_anchor") == "now",
        params.get("items") or [],
    )
    _trial(world, subscription, params, plan)
    if plan.items or plan.reset:
        _change_items(world, subscription, plan, mark)
    elif plan.proration == "always_invoice" and params.get("add_invoice_items"):
        _bill(world, subscription, plan, mark)
    if changed := since(before, subscription):
        world.emit("updated", subscription, changed)
    return subscription


def _plain(world: World, subscription: Object, params: Object) -> Object:
    """The fields that are set in a way of their own."""
    fields: Object = {}
    if "metadata" in params:
        fields["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "cancel_at_period_end" in params:
        leaving = params["cancel_at_period_end"]
        fields |= {"cancel_at_period_end": leaving, "cancel_at": period_end(subscription) if leaving else None}
    if "cancel_at" in params:
        at = params["cancel_at"]
        at = period_end(subscription) if isinstance(at, str) else at
        if at is not None and at <= world.now():
            raise Refusal("Invalid timestamp: cancel_at must be in the future", param="cancel_at")
        fields |= {"cancel_at": at, "cancel_at_period_end": at == period_end(subscription)}
        if at is not None:
            world.later(at, "subscription.renew", subscription)
    if "cancel_at" in fields:
        leaving = fields["cancel_at"] is not None
        fields["canceled_at"] = world.now() if leaving else None
        fields["cancellation_details"] = {
            "comment": None, "feedback": None, "reason": "cancellation_requested" if leaving else None,
        }  # fmt: skip
    if given := params.get("cancellation_details"):
        fields["cancellation_details"] = {
            **(fields.get("cancellation_details") or subscription["cancellation_details"] or {}),
            **given,
        }
    if "discounts" in params:
        owner = {"customer": subscription["customer"], "subscription": subscription["id"]}
        given = params["discounts"] or []
        fields["discounts"] = [redeem(world, one, f"discounts[{at}]", **owner)["id"] for at, one in enumerate(given)]
    if "default_tax_rates" in params:
        fields["default_tax_rates"] = [world.objects[one] for one in params["default_tax_rates"] or []]
    if "pause_collection" in params:
        pause = params["pause_collection"]
        fields["pause_collection"] = {"resumes_at": None, **pause} if pause else None
        if pause and pause.get("resumes_at"):
            world.later(pause["resumes_at"], "subscription.resume_collection", subscription)
    for name in ("trial_settings", "payment_settings", "invoice_settings"):
        if params.get(name):
            fields[name] = {**(subscription[name] or {}), **params[name]}
    if identifier := params.get("default_payment_method"):
        world.get("payment_method", identifier, "default_payment_method")
    return fields


def _trial(world: World, subscription: Object, params: Object, plan: Plan) -> None:
    """End a trial now, or let there be one until a time."""
    given = params.get("trial_end")
    if given is None:
        return
    if given == "now":
        if subscription["status"] == "trialing":
            world.change(subscription, trial_end=world.now(), status="active")
            plan.reset = True
        return
    if given <= world.now():
        raise Refusal("Invalid timestamp: trial_end must be in the future", param="trial_end")
    if plan.proration != "none":
        subscription_invoices.credit_unused(world, subscription)
    start = subscription["trial_start"] or world.now()
    world.change(subscription, status="trialing", trial_start=start, trial_end=given, billing_cycle_anchor=given)
    for item in subscription["items"]["data"]:
        world.change(item, current_period_start=world.now(), current_period_end=given)
    subscription_invoices.schedule(world, subscription)


def _change_items(world: World, subscription: Object, plan: Plan, mark: int) -> None:
    """Put items in, out, or in place of others; prorate, or begin new periods where the interval is another."""
    trial = subscription["status"] in ("trialing", "incomplete", "paused")
    kept = list(subscription["items"]["data"])
    changes = [_understood(world, subscription, kept, one, f"items[{at}]") for at, one in enumerate(plan.items)]
    reset = plan.reset or any(new is not None and old is not None and _another_cycle(old, new) for old, new in changes)
    if reset and not trial and plan.proration != "none":
        subscription_invoices.credit_unused(world, subscription, plan.at)
    for old, new in changes:
        if not reset and not trial and plan.proration != "none":
            _prorate(world, subscription, old, new, plan.at)
        _replace(world, subscription, old, new)
    if not subscription["items"]["data"]:
        raise Refusal("A subscription must have at least one active item.", param="items")
    if reset and not trial:
        world.change(subscription, billing_cycle_anchor=world.now())
        subscription_invoices.restart_periods(world, subscription)
        subscription_invoices.schedule(world, subscription)
        invoice = subscription_invoices.cycle_invoice(
            world, subscription, "subscription_update", subscription["items"]["data"]
        )
        invoices.finalise(world, invoice)
        _pay(world, subscription, invoice, plan, mark)
    elif plan.proration == "always_invoice":
        _bill(world, subscription, plan, mark)


def _understood(
    world: World, subscription: Object, kept: list[Object], given: Object, where: str
) -> tuple[Object | None, Object | None]:
    """What an entry of ``items`` means: the item that there was, and the item that there will be."""
    identifier = given.get("id")
    if identifier is None:
        known = price_of(world, given, where)
        if any(item["price"]["id"] == known["id"] for item in kept):
            raise Refusal(
                f"A subscription item with the price {known['id']} exists already: pass its id.",
                param=f"{where}[price]",
            )
        return None, build_item(world, subscription, given, where)
    old = next((item for item in kept if item["id"] == identifier), None)
    if old is None:
        raise missing_object("subscription_item", identifier, f"{where}[id]")
    if given.get("deleted"):
        return old, None
    price = price_of(world, given, where) if set(given) & {"price", "plan", "price_data"} else old["price"]
    cost(world, price, 1, subscription["currency"])  # refuses a price that has no such currency
    new = {**old, "price": price}
    if price["recurring"]["usage_type"] == "metered":
        new.pop("quantity", None)
    else:
        new["quantity"] = given.get("quantity", old.get("quantity", 1))
    if "metadata" in given:
        new["metadata"] = merged(old["metadata"], given["metadata"])
    if "tax_rates" in given:
        new["tax_rates"] = [world.objects[one] for one in given["tax_rates"] or []]
    if "discounts" in given:
        owner = {"customer": subscription["customer"], "subscription_item": old["id"]}
        new["discounts"] = [
            redeem(world, one, f"{where}[discounts]", **owner)["id"] for one in given["discounts"] or []
        ]
    return old, new


def _another_cycle(old: Object, new: Object) -> bool:
    before, after = old["price"]["recurring"], new["price"]["recurring"]
    return (before["interval"], before["interval_count"]) != (after["interval"], after["interval_count"])


def _prorate(world: World, subscription: Object, old: Object | None, new: Object | None, at: int) -> None:
    if old and new and (old["price"]["id"], old.get("quantity")) == (new["price"]["id"], new.get("quantity")):
        return
    if old is not None and not subscription_invoices.is_metered(old):
        subscription_invoices.prorate(world, subscription, old, old["price"], old["quantity"], -1, at)
    if new is not None and not subscription_invoices.is_metered(new):
        place = old
        if place is None:
            start, end = around(subscription["billing_cycle_anchor"], new["price"]["recurring"], at)
            place = {**new, "current_period_start": start, "current_period_end": end}
        subscription_invoices.prorate(world, subscription, place, new["price"], new["quantity"], 1, at)


def _replace(world: World, subscription: Object, old: Object | None, new: Object | None) -> None:
    items, rest = subscription["items"], subscription["items"]["data"]
    if new is None and old is not None:
        world.bury(old)
        rest = [one for one in rest if one["id"] != old["id"]]
    elif old is None and new is not None:
        rest = [*rest, world.keep(new)]
    elif old is not None and new is not None:
        kept = world.keep(new)
        rest = [kept if one["id"] == old["id"] else one for one in rest]
    world.change(subscription, items={**items, "data": rest})


def _bill(world: World, subscription: Object, plan: Plan, mark: int) -> None:
    invoice = subscription_invoices.invoice_now(world, subscription)
    if invoice is not None:
        _pay(world, subscription, invoice, plan, mark)


def _pay(world: World, subscription: Object, invoice: Object, plan: Plan, mark: int) -> None:
    """Pay for an update; what a decline means depends on ``payment_behavior``."""
    if (
        invoice["status"] != "open"
        or subscription["collection_method"] == "send_invoice"
        or plan.behavior == "default_incomplete"
    ):
        return
    try:
        invoices.pay_with(world, invoice, invoices.default_method(world, subscription))
    except Refusal as refusal:
        if refusal.status != 402:
            raise
        if plan.behavior == "error_if_incomplete":
            world.undo(mark)
            raise
        if plan.behavior == "pending_if_incomplete":
            _keep_waiting(world, subscription, plan)


def _keep_waiting(world: World, subscription: Object, plan: Plan) -> None:
    """Take an update back that was not paid for, until it is. https://docs.stripe.com/billing/subscriptions/pending-updates"""
    until, invoice = world.now() + WAIT, subscription["latest_invoice"]
    wanted = clone(subscription["items"]["data"])
    known = {item["id"] for item in plan.before["items"]["data"]}
    for item in subscription["items"]["data"]:
        if item["id"] not in known:
            world.drop(item)
    items = [world.keep(item) for item in clone(plan.before["items"]["data"])]
    world.change(
        subscription,
        billing_cycle_anchor=plan.before["billing_cycle_anchor"],
        items={**subscription["items"], "data": items},
        pending_update={
            "billing_cycle_anchor": None, "discount": None, "discounts": None, "expires_at": until, "metadata": None,
            "subscription_items": wanted, "trial_end": None, "trial_from_plan": None,
        },
        status=plan.before["status"],
    )  # fmt: skip
    world.hide(f"pending:{invoice}", plan.items)
    world.later(until, "subscription.give_up_update", subscription)


@invoices.when("paid")
def _apply_pending(world: World, invoice: Object) -> None:
    subscription = world.objects.get(invoices.subscription_of(invoice) or "")
    items = world.hidden.get(f"pending:{invoice['id']}")
    if subscription is None or items is None or subscription["pending_update"] is None:
        return
    before = clone(subscription)
    world.change(subscription, pending_update=None)
    kept = list(subscription["items"]["data"])
    changes = [_understood(world, subscription, kept, one, f"items[{at}]") for at, one in enumerate(items)]
    for old, new in changes:
        _replace(world, subscription, old, new)
    if any(new is not None and old is not None and _another_cycle(old, new) for old, new in changes):
        world.change(subscription, billing_cycle_anchor=world.now())
        subscription_invoices.restart_periods(world, subscription)
        subscription_invoices.schedule(world, subscription)
    world.emit("updated", subscription, since(before, subscription))
    world.emit("pending_update_applied", subscription)


@timer("subscription.give_up_update")
def _give_up(world: World, subscription: Object) -> None:
    pending = subscription["pending_update"]
    if pending is None or pending["expires_at"] > world.now():
        return
    world.change(subscription, pending_update=None)
    invoice = world.objects[subscription["latest_invoice"]]
    if invoice["status"] == "open":
        invoices.cancel(world, invoice)
    world.emit("pending_update_expired", subscription)


@life("subscription_items.create")
def create_item(ask: Ask) -> Object:
    """Add an item to a subscription."""
    world, params = ask.world, dict(ask.params)
    subscription = world.get("subscription", params.pop("subscription"), "subscription")
    rest: Object = {
        name: params.pop(name)
        for name in ("payment_behavior", "proration_behavior", "proration_date")
        if name in params
    }
    apply(world, subscription, {**rest, "items": [params]})
    found: Object = subscription["items"]["data"][-1]
    return found


def _of(world: World, item: Object) -> Object:
    return world.get("subscription", item["subscription"])


@life("subscription_items.update", "subscription_items.delete")
def update_item(ask: Ask) -> Object:
    """Change an item of a subscription, or take it out."""
    world, params = ask.world, dict(ask.params)
    item = world.get("subscription_item", ask.target)
    own = ("payment_behavior", "proration_behavior", "proration_date", "off_session", "clear_usage")
    rest: Object = {name: params.pop(name) for name in own if name in params}
    rest.pop("clear_usage", None)
    gone = {"deleted": True} if ask.row.verb == "DELETE" else {}
    apply(world, _of(world, item), {**rest, "items": [{**params, "id": item["id"], **gone}]})
    return world.objects[item["id"]]


@life("subscription_items.list")
def list_items(ask: Ask) -> Object:
    """The items of a subscription."""
    if not ask.params.get("subscription"):
        raise missing_param("subscription")
    return listed(ask, ask.world.get("subscription", ask.params["subscription"], "subscription")["items"]["data"])
