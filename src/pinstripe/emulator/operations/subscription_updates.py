"""Changes of subscriptions, and what they cost: proration, new periods, updates that wait for a payment.

https://docs.stripe.com/billing/subscriptions/prorations
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pinstripe.emulator.billing import subscription_invoices
from pinstripe.emulator.billing.invoice_lines import cost
from pinstripe.emulator.billing.periods import around
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoice_items import make_item
from pinstripe.emulator.operations.products import plan_of
from pinstripe.emulator.operations.subscriptions import ENDED, build_item, period_end, price_of
from pinstripe.emulator.operations.trial_offers import begin_trial
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import fit
from pinstripe.emulator.state.json_values import Object, clone, merge_metadata, previous_values
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param

WAIT = 23 * 3600
"""Seconds until an update that waits for its payment is given up."""
OWN = (
    "items",
    "discounts",
    "trial_end",
    "cancel_at_period_end",
    "cancel_at",
    "billing_cycle_anchor",
    "default_tax_rates",
    "pause_collection",
    "cancellation_details",
    "add_invoice_items",
    "trial_settings",
    "payment_settings",
    "invoice_settings",
    "metadata",
)
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


@operation("subscriptions.update", "customers.subscriptions.update")
def update(context: OperationContext) -> Object:
    """Change a subscription."""
    subscription = context.state.objects.get("subscription", context.target_id)
    return apply(context.state, subscription, context.params)


def apply(state: AccountState, subscription: Object, params: Object) -> Object:
    """Change a subscription as the parameters of its update say, and bill what that costs."""
    if subscription["status"] in ENDED and set(params) - {"metadata", "cancellation_details", "expand"}:
        raise ErrorResponse("A canceled subscription can only update its cancellation_details and metadata.")
    before, savepoint = clone(subscription), state.transaction.savepoint()
    simple = fit(
        "Subscription",
        {name: value for name, value in params.items() if name not in OWN},
        state.default_values,
        subscription,
    )
    state.objects.update(subscription, **simple, **_plain(state, subscription, params))
    for one in params.get("add_invoice_items") or []:
        extra = make_item(state, subscription["customer"], {"currency": subscription["currency"], **one})
        details = {"subscription": subscription["id"], "subscription_item": None}
        state.objects.update(extra, parent={"type": "subscription_details", "subscription_details": details})
    plan = Plan(
        before,
        params.get("proration_behavior", "create_prorations"),
        params.get("payment_behavior", "allow_incomplete"),
        params.get("proration_date") or state.clock.now(),
        (params.get("billing_cycle_anchor") or {}).get("type") == "now",
        params.get("items") or [],
    )
    _trial(state, subscription, params, plan)
    if plan.items or plan.reset:
        _change_items(state, subscription, plan, savepoint)
    elif plan.proration == "always_invoice" and params.get("add_invoice_items"):
        _bill(state, subscription, plan, savepoint)
    if changed := previous_values(before, subscription):
        state.events.emit("updated", subscription, changed)
    return subscription


def _plain(state: AccountState, subscription: Object, params: Object) -> Object:
    """The fields that are set in a way of their own."""
    fields: Object = {}
    if "metadata" in params:
        fields["metadata"] = merge_metadata(subscription["metadata"], params["metadata"])
    if "cancel_at_period_end" in params:
        leaving = params["cancel_at_period_end"]
        fields |= {"cancel_at_period_end": leaving, "cancel_at": period_end(subscription) if leaving else None}
    if "cancel_at" in params:
        at = params["cancel_at"]
        at = period_end(subscription) if isinstance(at, str) else at
        if at is not None and at <= state.clock.now():
            raise ErrorResponse("Invalid timestamp: cancel_at must be in the future", param="cancel_at")
        fields |= {"cancel_at": at, "cancel_at_period_end": at == period_end(subscription)}
        if at is not None:
            state.clock.schedule(at, "subscription.renew", subscription)
    if "cancel_at" in fields:
        leaving = fields["cancel_at"] is not None
        fields["canceled_at"] = state.clock.now() if leaving else None
        fields["cancellation_details"] = {
            "comment": None,
            "feedback": None,
            "feedback_option": None,
            "reason": "cancellation_requested" if leaving else None,
        }
    if given := params.get("cancellation_details"):
        fields["cancellation_details"] = {
            **(fields.get("cancellation_details") or subscription["cancellation_details"] or {}),
            **given,
        }
    if "discounts" in params:
        owner = {"customer": subscription["customer"], "subscription": subscription["id"]}
        given = params["discounts"] or []
        fields["discounts"] = [redeem(state, one, f"discounts[{at}]", **owner)["id"] for at, one in enumerate(given)]
    if "default_tax_rates" in params:
        fields["default_tax_rates"] = [state.objects["tax_rate", one] for one in params["default_tax_rates"] or []]
    if "pause_collection" in params:
        pause = params["pause_collection"]
        fields["pause_collection"] = {"resumes_at": None, **pause} if pause else None
        if pause and pause.get("resumes_at"):
            state.clock.schedule(pause["resumes_at"], "subscription.resume_collection", subscription)
    for name in ("trial_settings", "payment_settings", "invoice_settings"):
        if params.get(name):
            fields[name] = {**(subscription[name] or {}), **params[name]}
    if identifier := params.get("default_payment_method"):
        state.objects.get("payment_method", identifier, "default_payment_method")
    return fields


def _trial(state: AccountState, subscription: Object, params: Object, plan: Plan) -> None:
    """End a trial now, or let there be one until a time."""
    given = params.get("trial_end")
    if given is None:
        return
    if given == "now":
        if subscription["status"] == "trialing":
            state.objects.update(subscription, trial_end=state.clock.now(), status="active")
            plan.reset = True
        return
    if given <= state.clock.now():
        raise ErrorResponse("Invalid timestamp: trial_end must be in the future", param="trial_end")
    if plan.proration != "none":
        subscription_invoices.credit_unused(state, subscription)
    start = subscription["trial_start"] or state.clock.now()
    state.objects.update(
        subscription, status="trialing", trial_start=start, trial_end=given, billing_cycle_anchor=given
    )
    for item in subscription["items"]["data"]:
        state.objects.update(item, current_period_start=state.clock.now(), current_period_end=given)
    subscription_invoices.schedule(state, subscription)


def _change_items(state: AccountState, subscription: Object, plan: Plan, savepoint: int) -> None:
    """Put items in, out, or in place of others; prorate, or begin new periods where the interval is another."""
    trial = subscription["status"] in ("trialing", "incomplete", "paused")
    kept = list(subscription["items"]["data"])
    changes = [_understood(state, subscription, kept, one, f"items[{at}]") for at, one in enumerate(plan.items)]
    reset = plan.reset or any(new is not None and old is not None and _another_cycle(old, new) for old, new in changes)
    if reset and not trial and plan.proration != "none":
        subscription_invoices.credit_unused(state, subscription, plan.at)
    for old, new in changes:
        if not reset and not trial and plan.proration != "none":
            _prorate(state, subscription, old, new, plan.at)
        _replace(state, subscription, old, new)
    if not subscription["items"]["data"]:
        raise ErrorResponse("A subscription must have at least one active item.", param="items")
    if reset and not trial:
        state.objects.update(subscription, billing_cycle_anchor=state.clock.now())
        subscription_invoices.restart_periods(state, subscription)
        subscription_invoices.schedule(state, subscription)
        invoice = subscription_invoices.cycle_invoice(
            state, subscription, "subscription_update", subscription["items"]["data"]
        )
        invoices.finalize(state, invoice)
        _pay(state, subscription, invoice, plan, savepoint)
    elif plan.proration == "always_invoice":
        _bill(state, subscription, plan, savepoint)


def _understood(
    state: AccountState, subscription: Object, kept: list[Object], given: Object, where: str
) -> tuple[Object | None, Object | None]:
    """What an entry of ``items`` means: the item that there was, and the item that there will be."""
    identifier = given.get("id")
    if identifier is None:
        known = price_of(state, given, where)
        if any(item["price"]["id"] == known["id"] for item in kept):
            raise ErrorResponse(
                f"A subscription item with the price {known['id']} exists already: pass its id.",
                param=f"{where}[price]",
            )
        return None, build_item(state, subscription, given, where)
    old = next((item for item in kept if item["id"] == identifier), None)
    if old is None:
        raise missing_object("subscription_item", identifier, f"{where}[id]")
    if given.get("deleted"):
        return old, None
    price = (
        price_of(state, given, where) if set(given) & {"price", "plan", "price_data", "current_trial"} else old["price"]
    )
    cost(state, price, 1, subscription["currency"])  # refuses a price that has no such currency
    new = {**old, "plan": plan_of(state, price), "price": price}
    begin_trial(state, new, given)
    if price["recurring"]["usage_type"] == "metered":
        new.pop("quantity", None)
    else:
        new["quantity"] = given.get("quantity", old.get("quantity", 1))
    if "metadata" in given:
        new["metadata"] = merge_metadata(old["metadata"], given["metadata"])
    if "tax_rates" in given:
        new["tax_rates"] = [state.objects["tax_rate", one] for one in given["tax_rates"] or []]
    if "discounts" in given:
        owner = {"customer": subscription["customer"], "subscription_item": old["id"]}
        new["discounts"] = [
            redeem(state, one, f"{where}[discounts]", **owner)["id"] for one in given["discounts"] or []
        ]
    return old, new


def _another_cycle(old: Object, new: Object) -> bool:
    before, after = old["price"]["recurring"], new["price"]["recurring"]
    return (before["interval"], before["interval_count"]) != (after["interval"], after["interval_count"])


def _prorate(state: AccountState, subscription: Object, old: Object | None, new: Object | None, at: int) -> None:
    if old and new and (old["price"]["id"], old.get("quantity")) == (new["price"]["id"], new.get("quantity")):
        return
    if old is not None and not subscription_invoices.is_metered(old):
        subscription_invoices.prorate(state, subscription, old, old["price"], old["quantity"], -1, at)
    if new is not None and not subscription_invoices.is_metered(new):
        place = old
        if place is None:
            start, end = around(subscription["billing_cycle_anchor"], new["price"]["recurring"], at)
            place = {**new, "current_period_start": start, "current_period_end": end}
        subscription_invoices.prorate(state, subscription, place, new["price"], new["quantity"], 1, at)


def _replace(state: AccountState, subscription: Object, old: Object | None, new: Object | None) -> None:
    items, rest = subscription["items"], subscription["items"]["data"]
    if new is None and old is not None:
        state.objects.mark_deleted(old)
        rest = [one for one in rest if one["id"] != old["id"]]
    elif old is None and new is not None:
        rest = [*rest, state.objects.add(new)]
    elif old is not None and new is not None:
        kept = state.objects.add(new)
        rest = [kept if one["id"] == old["id"] else one for one in rest]
    state.objects.update(subscription, items={**items, "data": rest})


def _bill(state: AccountState, subscription: Object, plan: Plan, savepoint: int) -> None:
    invoice = subscription_invoices.invoice_now(state, subscription)
    if invoice is not None:
        _pay(state, subscription, invoice, plan, savepoint)


def _pay(state: AccountState, subscription: Object, invoice: Object, plan: Plan, savepoint: int) -> None:
    """Pay for an update; what a decline means depends on ``payment_behavior``."""
    if (
        invoice["status"] != "open"
        or subscription["collection_method"] == "send_invoice"
        or plan.behavior == "default_incomplete"
    ):
        return
    try:
        invoices.pay_with(state, invoice, invoices.default_method(state, subscription))
    except ErrorResponse as error_response:
        if error_response.status != 402:
            raise
        if plan.behavior == "error_if_incomplete":
            state.transaction.rollback(savepoint)
            raise
        if plan.behavior == "pending_if_incomplete":
            _keep_waiting(state, subscription, plan)


def _keep_waiting(state: AccountState, subscription: Object, plan: Plan) -> None:
    """Take an update back that was not paid for, until it is. https://docs.stripe.com/billing/subscriptions/pending-updates"""
    until, invoice = state.clock.now() + WAIT, subscription["latest_invoice"]
    wanted = clone(subscription["items"]["data"])
    known = {item["id"] for item in plan.before["items"]["data"]}
    for item in subscription["items"]["data"]:
        if item["id"] not in known:
            state.objects.remove(item)
    items = [state.objects.add(item) for item in clone(plan.before["items"]["data"])]
    state.objects.update(
        subscription,
        billing_cycle_anchor=plan.before["billing_cycle_anchor"],
        items={**subscription["items"], "data": items},
        pending_update={
            "billing_cycle_anchor": None,
            "cancel_at_period_end": None,
            "discount": None,
            "discounts": None,
            "expires_at": until,
            "metadata": None,
            "subscription_items": wanted,
            "trial_end": None,
            "trial_from_plan": None,
        },
        status=plan.before["status"],
    )
    state.tables.invoices.set(invoice, replace(invoices.details_of(state, invoice), pending_items=plan.items))
    state.clock.schedule(until, "subscription.give_up_update", subscription)


@invoices.when("paid")
def _apply_pending(state: AccountState, invoice: Object) -> None:
    subscription = state.objects.find("subscription", invoices.subscription_of(invoice))
    items = invoices.details_of(state, invoice["id"]).pending_items
    if subscription is None or items is None or subscription["pending_update"] is None:
        return
    before = clone(subscription)
    state.objects.update(subscription, pending_update=None)
    kept = list(subscription["items"]["data"])
    changes = [_understood(state, subscription, kept, one, f"items[{at}]") for at, one in enumerate(items)]
    for old, new in changes:
        _replace(state, subscription, old, new)
    if any(new is not None and old is not None and _another_cycle(old, new) for old, new in changes):
        state.objects.update(subscription, billing_cycle_anchor=state.clock.now())
        subscription_invoices.restart_periods(state, subscription)
        subscription_invoices.schedule(state, subscription)
    state.events.emit("updated", subscription, previous_values(before, subscription))
    state.events.emit("pending_update_applied", subscription)


@timer_handler("subscription.give_up_update")
def _give_up(state: AccountState, subscription: Object) -> None:
    pending = subscription["pending_update"]
    if pending is None or pending["expires_at"] > state.clock.now():
        return
    state.objects.update(subscription, pending_update=None)
    invoice = state.objects["invoice", subscription["latest_invoice"]]
    if invoice["status"] == "open":
        invoices.cancel(state, invoice)
    state.events.emit("pending_update_expired", subscription)


@operation("subscription_items.create")
def create_item(context: OperationContext) -> Object:
    """Add an item to a subscription."""
    state, params = context.state, dict(context.params)
    subscription = state.objects.get("subscription", params.pop("subscription"), "subscription")
    rest: Object = {
        name: params.pop(name)
        for name in ("payment_behavior", "proration_behavior", "proration_date")
        if name in params
    }
    apply(state, subscription, {**rest, "items": [params]})
    found: Object = subscription["items"]["data"][-1]
    return found


def _of(state: AccountState, item: Object) -> Object:
    return state.objects.get("subscription", item["subscription"])


@operation("subscription_items.update", "subscription_items.delete")
def update_item(context: OperationContext) -> Object:
    """Change an item of a subscription, or take it out."""
    state, params = context.state, dict(context.params)
    item = state.objects.get("subscription_item", context.target_id)
    own = ("payment_behavior", "proration_behavior", "proration_date", "off_session", "clear_usage")
    rest: Object = {name: params.pop(name) for name in own if name in params}
    rest.pop("clear_usage", None)
    gone = {"deleted": True} if context.endpoint.verb == "DELETE" else {}
    apply(state, _of(state, item), {**rest, "items": [{**params, "id": item["id"], **gone}]})
    return state.objects["subscription_item", item["id"]]


@operation("subscription_items.list")
def list_items(context: OperationContext) -> Object:
    """The items of a subscription."""
    if not context.params.get("subscription"):
        raise missing_param("subscription")
    return paginate(
        context,
        context.state.objects.get("subscription", context.params["subscription"], "subscription")["items"]["data"],
    )
