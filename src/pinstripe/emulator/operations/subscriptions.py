"""Subscriptions: started, shown, paused, ended. https://docs.stripe.com/billing/subscriptions/overview"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from pinstripe.emulator.billing import periods, subscription_invoices
from pinstripe.emulator.billing.invoice_lines import cost
from pinstripe.emulator.operations import customers
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import embedded, filtered, listed, matching, passes
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoice_items import make_item
from pinstripe.emulator.operations.invoices import cancel as void_invoice
from pinstripe.emulator.operations.invoices import default_method, finalise, pay_with
from pinstripe.emulator.operations.invoices import schedule as finalise_later
from pinstripe.emulator.operations.products import make_price
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.state.timers import timer
from pinstripe.emulator.validation.errors import Refusal, missing_param, wrong_state

ANCHOR = {"day_of_month": (1, 31), "hour": (0, 23), "minute": (0, 59), "month": (1, 12), "second": (0, 59)}
LONGEST_TRIAL = 730
"""The most days that a trial has."""
ENDED = ("canceled", "incomplete_expired")
PATIENCE = 23 * 3600
"""Seconds until a subscription whose first invoice is not paid is over."""
ALTERED = (
    "items",
    "discounts",
    "default_tax_rates",
    "trial_end",
    "customer",
    "billing_cycle_anchor",
    "add_invoice_items",
    "cancel_at",
)


@life("subscriptions.create", "customers.subscriptions.create")
def create(ask: Ask) -> Object:
    """A subscription, its first invoice, and the payment of it."""
    params = {**ask.params, **({"customer": ask.path["customer"]} if "customer" in ask.path else {})}
    return start(ask.world, params)


def start(world: World, params: Object) -> Object:
    """Start a subscription as the parameters of its creation say."""
    if not params.get("customer"):
        raise missing_param("customer")
    customer = world.get("customer", params["customer"], "customer")
    if not params.get("items"):
        raise missing_param("items")
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        raise Refusal(
            "pending_if_incomplete is for updates: a new subscription has nothing that could wait.",
            param="payment_behavior",
        )
    mark = len(world.undos)
    subscription = _draft(world, params, customer)
    _fill(world, subscription, params)
    automatic = subscription["collection_method"] == "charge_automatically"
    trial = subscription["status"] == "trialing"
    due = not trial and any(
        cost(world, one["price"], one.get("quantity") or 0, subscription["currency"])
        for one in subscription["items"]["data"]
    )
    if automatic and due and default_method(world, subscription) is None and behavior != "default_incomplete":
        raise Refusal(
            "This customer has no attached payment source or default payment method: add one to the customer first.",
            code="resource_missing",
        )
    invoice = subscription_invoices.first_invoice(
        world, subscription, prorate=params.get("proration_behavior") != "none"
    )
    if automatic and invoice is not None:
        _collect(world, subscription, invoice, behavior, mark, off_session=bool(params.get("off_session")))
    elif invoice is not None:
        world.change(subscription, status="trialing" if trial else "active")
        if invoice["amount_due"]:
            finalise_later(world, invoice)
        else:
            finalise(world, invoice)
    else:
        world.change(subscription, status="active")
    world.emit("created", subscription)
    world.hide(f"created:{subscription['id']}", True)
    subscription_invoices.schedule(world, subscription)
    return subscription


def _draft(world: World, params: Object, customer: Object) -> Object:
    known = {name: value for name, value in params.items() if name not in ALTERED}
    subscription = world.draft("subscription", known)
    now, trial_end = world.now(), _trial_end(world, params)
    rates = params.get("default_tax_rates") or []
    subscription.update(
        automatic_tax={"enabled": bool((params.get("automatic_tax") or {}).get("enabled")), "disabled_reason": None,
        "liability": None},
        billing_cycle_anchor=_anchor(params, trial_end or now),
        billing_cycle_anchor_config=_config(params),
        billing_mode={"type": (params.get("billing_mode") or {}).get("type", "flexible")},
        billing_schedules=[],
        cancel_at=_cancel_at(world, params),
        cancel_at_period_end=params.get("cancel_at_period_end", False),
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        collection_method=params.get("collection_method", "charge_automatically"),
        customer=customer["id"],
        default_payment_method=params.get("default_payment_method"),
        default_tax_rates=[world.objects[one] for one in rates],
        discounts=[],
        invoice_settings={"account_tax_ids": None, "issuer": {"type": "self"}},
        items=embedded([], f"/v1/subscription_items?subscription={subscription['id']}"),
        payment_settings={"payment_method_options": None, "payment_method_types": None,
        "save_default_payment_method": "off", **(params.get("payment_settings") or {})},
        start_date=params.get("backdate_start_date") or now,
        status="trialing" if trial_end else "incomplete",
        trial_end=trial_end,
        trial_settings=params.get("trial_settings") or {"end_behavior": {"missing_payment_method": "create_invoice"}},
        trial_start=now if trial_end else None,
    )  # fmt: skip
    if subscription["collection_method"] == "send_invoice" and not params.get("days_until_due"):
        raise missing_param("days_until_due")
    if subscription["collection_method"] != "send_invoice" and params.get("days_until_due"):
        raise Refusal("days_until_due is for subscriptions that send their invoices.", param="days_until_due")
    if identifier := subscription["default_payment_method"]:
        world.get("payment_method", identifier, "default_payment_method")
    return subscription


def _config(params: Object) -> Object | None:
    given = params.get("billing_cycle_anchor_config")
    return {"hour": None, "minute": None, "month": None, "second": None, **given} if given else None


def _anchor(params: Object, otherwise: int) -> int:
    given = params.get("billing_cycle_anchor")
    if isinstance(given, int):
        if given < otherwise:
            raise Refusal("billing_cycle_anchor cannot be earlier than the start.", param="billing_cycle_anchor")
        return given
    if config := params.get("billing_cycle_anchor_config"):
        for name, value in config.items():
            least, most = ANCHOR[name]
            if not least <= value <= most:
                raise Refusal(
                    f"Invalid {name}: it is from {least} to {most}.", param=f"billing_cycle_anchor_config[{name}]"
                )
        moment = datetime.fromtimestamp(otherwise, timezone.utc)
        parts = {name: config.get(name) for name in ("hour", "minute", "second") if config.get(name) is not None}
        first = int(moment.replace(day=1, **parts).timestamp())
        for months in range(14):
            month = periods.add(first, "month", months)
            days = (periods.add(month, "month", 1) - month) // periods.DAY
            found = month + (min(config["day_of_month"], days) - 1) * periods.DAY
            if found > otherwise and config.get("month") in (None, datetime.fromtimestamp(month, timezone.utc).month):
                return int(found)
    return otherwise


def _trial_end(world: World, params: Object) -> int | None:
    if days := params.get("trial_period_days"):
        if not 0 < days <= LONGEST_TRIAL:
            raise Refusal(f"A trial has at most {LONGEST_TRIAL} days.", param="trial_period_days")
        return int(world.now() + days * periods.DAY)
    given = params.get("trial_end")
    if given is None or given == "now":
        return None
    if given <= world.now():
        raise Refusal("Invalid timestamp: trial_end must be in the future", param="trial_end")
    return int(given)


def _cancel_at(world: World, params: Object) -> int | None:
    given = params.get("cancel_at")
    if isinstance(given, int) and given <= world.now():
        raise Refusal("Invalid timestamp: cancel_at must be in the future", param="cancel_at")
    return given if isinstance(given, int) else None


def _fill(world: World, subscription: Object, params: Object) -> None:
    """Give a draft its items and discounts, and keep it."""
    items = [build_item(world, subscription, one, f"items[{at}]") for at, one in enumerate(params["items"])]
    _check_twice(items)
    currency = (params.get("currency") or items[0]["price"]["currency"]).lower()
    for item in items:
        cost(world, item["price"], 1, currency)  # refuses a price that has no such currency
    subscription["currency"] = currency
    subscription["items"]["data"] = items
    world.keep(subscription)
    for item in items:
        world.keep(item)
    owner = {"customer": subscription["customer"], "subscription": subscription["id"]}
    given = params.get("discounts") or []
    found = [redeem(world, one, f"discounts[{at}]", **owner)["id"] for at, one in enumerate(given)]
    world.change(subscription, discounts=found)
    if params.get("cancel_at") in ("min_period_end", "max_period_end") or params.get("cancel_at_period_end"):
        world.change(subscription, cancel_at=period_end(subscription), canceled_at=world.now())
    for one in params.get("add_invoice_items") or []:
        extra = make_item(world, subscription["customer"], {"currency": currency, **one})
        details = {"subscription": subscription["id"], "subscription_item": None}
        world.change(extra, parent={"type": "subscription_details", "subscription_details": details})
    customer = world.get("customer", subscription["customer"])
    if not customer.get("currency"):
        world.change(customer, currency=currency)


def _check_twice(items: list[Object]) -> None:
    prices = [item["price"]["id"] for item in items]
    if twice := next((one for one in prices if prices.count(one) > 1), None):
        raise Refusal(f"Two items of a subscription cannot have the same price: {twice}.", param="items")


def build_item(world: World, subscription: Object, given: Object, where: str) -> Object:
    """An item of a subscription, with its current period; not kept yet."""
    price = price_of(world, given, where)
    item = world.draft("subscription_item", {name: given[name] for name in ("metadata",) if name in given})
    now, trial = world.now(), subscription["status"] == "trialing"
    anchor = subscription["billing_cycle_anchor"]
    begin, end = (now, subscription["trial_end"]) if trial else periods.around(anchor, price["recurring"], now)
    metered = price["recurring"]["usage_type"] == "metered"
    if metered and given.get("quantity"):
        raise Refusal(
            "A metered price takes no quantity: its usage is reported by meter events.", param=f"{where}[quantity]"
        )
    item.update(
        created=now,
        current_period_start=max(begin, subscription["start_date"]) if not trial else now,
        current_period_end=end,
        discounts=[],
        price=price,
        quantity=given.get("quantity", 1),
        subscription=subscription["id"],
        tax_rates=[world.objects[one] for one in given.get("tax_rates") or []],
    )
    if metered:
        del item["quantity"]
    for at, one in enumerate(given.get("discounts") or []):
        owner = {"customer": subscription["customer"], "subscription_item": item["id"]}
        item["discounts"].append(redeem(world, one, f"{where}[discounts][{at}]", **owner)["id"])
    return item


def price_of(world: World, given: Object, where: str) -> Object:
    """The recurring price that an item names or describes."""
    if described := given.get("price_data"):
        world.get("product", described["product"], f"{where}[price_data][product]")
        price = make_price(world, described)
    elif identifier := given.get("price") or given.get("plan"):
        identifier = str(world.hidden.get(f"plan:{identifier}") or identifier)
        price = world.get("price", identifier, f"{where}[price]")
    else:
        raise missing_param(f"{where}[price]")
    if not price["active"]:
        raise Refusal(
            "The price specified is inactive. This field only accepts active prices.",
            code="price_inactive",
            param=f"{where}[price]",
        )
    if price["type"] != "recurring":
        raise Refusal(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{where}[price]",
        )
    return price


def period_end(subscription: Object) -> int:
    """When the last of the current periods ends."""
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])


def _collect(
    world: World, subscription: Object, invoice: Object, behavior: str, mark: int, *, off_session: bool
) -> None:
    """Pay the first invoice; what a decline means depends on ``payment_behavior``."""
    finalise(world, invoice)
    if invoice["status"] == "paid" or behavior == "default_incomplete":
        _wait(world, subscription)
        return
    try:
        pay_with(world, invoice, default_method(world, subscription), off_session=off_session)
    except Refusal as refusal:
        if refusal.status != 402:
            raise
        if behavior == "error_if_incomplete":
            world.undo(mark)
            refusal.error.pop("payment_intent", None)
            refusal.error.pop("charge", None)
            raise
    _wait(world, subscription)


def _wait(world: World, subscription: Object) -> None:
    if subscription["status"] == "incomplete":
        world.later(world.now() + PATIENCE, "subscription.expire", subscription)


@timer("subscription.expire")
def _expire(world: World, subscription: Object) -> None:
    if subscription["status"] == "incomplete":
        before = world.change(subscription, status="incomplete_expired", ended_at=world.now())
        invoice = world.objects[subscription["latest_invoice"]]
        if invoice["status"] == "open":
            void_invoice(world, invoice)
        world.emit("updated", subscription, before)


@life("subscriptions.cancel", "customers.subscriptions.cancel")
def cancel(ask: Ask) -> Object:
    """End a subscription now; with ``prorate`` and ``invoice_now``, what is left of the period is given back."""
    world, params = ask.world, ask.params
    subscription = world.get("subscription", ask.target)
    if subscription["status"] in ENDED:
        raise Refusal(
            f"No such subscription: '{ask.target}'; it is canceled.", code="resource_missing", param="id", status=404
        )
    if params.get("prorate"):
        subscription_invoices.credit_unused(world, subscription)
    if params.get("invoice_now"):
        subscription_invoices.invoice_now(world, subscription)
    return end(world, subscription, params.get("cancellation_details"))


def end(
    world: World, subscription: Object, details: Any = None, reason: str = "cancellation_requested"
) -> Object:  # Any: JSON
    """End a subscription, and say so; its open invoices are collected no more."""
    said = {"comment": None, "feedback": None, "reason": reason, **(details or {})}
    now = world.now()
    at = subscription["canceled_at"] if subscription["cancel_at_period_end"] else now
    world.change(
        subscription,
        status="incomplete_expired" if subscription["status"] == "incomplete" else "canceled",
        canceled_at=at or now,
        ended_at=now,
        cancellation_details=said,
    )
    for invoice in list(world.every("invoice", customer=subscription["customer"])):
        if invoice["status"] in ("draft", "open") and subscription_invoices.is_of(invoice, subscription):
            world.change(invoice, auto_advance=False, next_payment_attempt=None)
    world.emit("deleted", subscription)
    return subscription


def _end_all(world: World, customer: Object) -> None:
    for subscription in list(world.every("subscription", customer=customer["id"])):
        if subscription["status"] not in ENDED:
            end(world, subscription)


customers.ENDINGS.append(_end_all)


@life("subscriptions.resume")
def resume(ask: Ask) -> Object:
    """Go on with a subscription that was paused when its trial ended."""
    world = ask.world
    subscription = world.get("subscription", ask.target)
    if subscription["status"] != "paused":
        raise wrong_state(subscription, "resume")
    fields: Object = {"status": "active"}
    if ask.params.get("billing_cycle_anchor", "now") == "now":
        fields["billing_cycle_anchor"] = world.now()
    before = world.change(subscription, **fields)
    subscription_invoices.restart_periods(world, subscription)
    invoice = subscription_invoices.cycle_invoice(
        world, subscription, "subscription_update", subscription["items"]["data"]
    )
    finalise(world, invoice)
    if invoice["status"] == "open":
        pay_with(world, invoice, default_method(world, subscription))
    subscription_invoices.schedule(world, subscription)
    world.emit("updated", subscription, before)
    world.emit("resumed", subscription)
    return subscription


@life("subscriptions.migrate")
def migrate(ask: Ask) -> Object:
    """Change the billing mode."""
    mode = {"type": (ask.params.get("billing_mode") or {}).get("type", "flexible"), "updated_at": ask.world.now()}
    subscription = ask.world.get("subscription", ask.target)
    ask.world.emit("updated", subscription, ask.world.change(subscription, billing_mode=mode))
    return subscription


@filtered("subscription", "current_period_start")
def _starts(subscription: Object, wanted: Any) -> bool:  # Any: a time, or a range of them
    return any(passes(item, "current_period_start", wanted) for item in subscription["items"]["data"])


@filtered("subscription", "current_period_end")
def _ends(subscription: Object, wanted: Any) -> bool:  # Any: as above
    return any(passes(item, "current_period_end", wanted) for item in subscription["items"]["data"])


@life("subscriptions.list", "customers.subscriptions.list")
def list_subscriptions(ask: Ask) -> Object:
    """Subscriptions; those that are canceled only where they are asked for."""
    status, customer = ask.params.get("status"), ask.path.get("customer")
    price = ask.params.get("price") or ask.world.hidden.get(f"plan:{ask.params.get('plan')}", ask.params.get("plan"))
    found = matching(ask, ask.world.every("subscription"), "status", "price", "plan")
    return listed(
        ask,
        (
            one
            for one in found
            if _has_status(one, status) and _has_price(one, price) and customer in (None, one["customer"])
        ),
    )


def _has_status(subscription: Object, wanted: str | None) -> bool:
    if wanted == "all":
        return True
    if wanted == "ended":
        return subscription["status"] in ENDED
    return bool(subscription["status"] == wanted if wanted else subscription["status"] != "canceled")


def _has_price(subscription: Object, wanted: str | None) -> bool:
    return wanted is None or any(item["price"]["id"] == wanted for item in subscription["items"]["data"])
