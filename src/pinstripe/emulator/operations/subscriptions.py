"""Subscriptions: started, shown, paused, ended. https://docs.stripe.com/billing/subscriptions/overview"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from pinstripe.emulator.billing import periods, subscription_invoices
from pinstripe.emulator.billing.invoice_lines import cost
from pinstripe.emulator.operations import customers
from pinstripe.emulator.operations._filters import filter_objects, list_filter, matches
from pinstripe.emulator.operations._pagination import embedded_list, paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoice_items import make_item
from pinstripe.emulator.operations.invoices import cancel as void_invoice
from pinstripe.emulator.operations.invoices import default_method, finalize, pay_with
from pinstripe.emulator.operations.invoices import schedule as finalize_later
from pinstripe.emulator.operations.products import make_price, plan_of
from pinstripe.emulator.operations.trial_offers import begin_trial, offered_price
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Flag
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param

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


@operation("subscriptions.create", "customers.subscriptions.create")
def create(context: OperationContext) -> Object:
    """A subscription, its first invoice, and the payment of it."""
    params = {**context.params, **({"customer": context.path["customer"]} if "customer" in context.path else {})}
    return start(context.state, params)


def start(state: AccountState, params: Object) -> Object:
    """Start a subscription as the parameters of its creation say."""
    if not params.get("customer"):
        raise missing_param("customer")
    customer = state.objects.get("customer", params["customer"], "customer")
    if not params.get("items"):
        raise missing_param("items")
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        raise ErrorResponse(
            "pending_if_incomplete is for updates: a new subscription has nothing that could wait.",
            param="payment_behavior",
        )
    savepoint = state.transaction.savepoint()
    subscription = _draft(state, params, customer)
    _fill(state, subscription, params)
    automatic = subscription["collection_method"] == "charge_automatically"
    trial = subscription["status"] == "trialing"
    due = not trial and any(
        cost(state, one["price"], one.get("quantity") or 0, subscription["currency"])
        for one in subscription["items"]["data"]
    )
    if automatic and due and default_method(state, subscription) is None and behavior != "default_incomplete":
        raise ErrorResponse(
            "This customer has no attached payment source or default payment method: add one to the customer first.",
            code="resource_missing",
        )
    invoice = subscription_invoices.first_invoice(
        state, subscription, prorate=params.get("proration_behavior") != "none"
    )
    if automatic and invoice is not None:
        _collect(state, subscription, invoice, behavior, savepoint, off_session=bool(params.get("off_session")))
    elif invoice is not None:
        state.objects.update(subscription, status="trialing" if trial else "active")
        if invoice["amount_due"]:
            finalize_later(state, invoice)
        else:
            finalize(state, invoice)
    else:
        state.objects.update(subscription, status="active")
    state.events.emit("created", subscription)
    state.tables.announced_subscriptions.set(subscription["id"], Flag())
    subscription_invoices.schedule(state, subscription)
    return subscription


def _draft(state: AccountState, params: Object, customer: Object) -> Object:
    known = {name: value for name, value in params.items() if name not in ALTERED}
    subscription = state.draft("subscription", known)
    now, trial_end = state.clock.now(), _trial_end(state, params)
    rates = params.get("default_tax_rates") or []
    subscription.update(
        automatic_tax={
            "enabled": bool((params.get("automatic_tax") or {}).get("enabled")),
            "disabled_reason": None,
            "liability": None,
        },
        billing_cycle_anchor=_anchor(params, trial_end or now),
        billing_cycle_anchor_config=_config(params),
        billing_mode={"type": (params.get("billing_mode") or {}).get("type", "flexible")},
        billing_schedules=[],
        cancel_at=_cancel_at(state, params),
        cancel_at_period_end=params.get("cancel_at_period_end", False),
        cancellation_details={"comment": None, "feedback": None, "feedback_option": None, "reason": None},
        collection_method=params.get("collection_method", "charge_automatically"),
        customer=customer["id"],
        default_payment_method=params.get("default_payment_method"),
        default_tax_rates=[state.objects["tax_rate", one] for one in rates],
        discounts=[],
        invoice_settings={
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
            **(params.get("invoice_settings") or {}),
        },
        items=embedded_list([], f"/v1/subscription_items?subscription={subscription['id']}"),
        payment_settings={
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
            **(params.get("payment_settings") or {}),
        },
        start_date=params.get("backdate_start_date") or now,
        status="trialing" if trial_end else "incomplete",
        trial_end=trial_end,
        trial_settings={
            "end_behavior": {
                "missing_payment_method": "create_invoice",
                **((params.get("trial_settings") or {}).get("end_behavior") or {}),
            }
        },
        trial_start=now if trial_end else None,
    )
    if subscription["collection_method"] == "send_invoice" and not params.get("days_until_due"):
        raise missing_param("days_until_due")
    if subscription["collection_method"] != "send_invoice" and params.get("days_until_due"):
        raise ErrorResponse("days_until_due is for subscriptions that send their invoices.", param="days_until_due")
    if identifier := subscription["default_payment_method"]:
        state.objects.get("payment_method", identifier, "default_payment_method")
    return subscription


def _config(params: Object) -> Object | None:
    given = params.get("billing_cycle_anchor_config")
    return {"hour": None, "minute": None, "month": None, "second": None, **given} if given else None


def _anchor(params: Object, otherwise: int) -> int:
    given = params.get("billing_cycle_anchor")
    if isinstance(given, int):
        if given < otherwise:
            raise ErrorResponse("billing_cycle_anchor cannot be earlier than the start.", param="billing_cycle_anchor")
        return given
    if config := params.get("billing_cycle_anchor_config"):
        for name, value in config.items():
            least, most = ANCHOR[name]
            if not least <= value <= most:
                raise ErrorResponse(
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


def _trial_end(state: AccountState, params: Object) -> int | None:
    if days := params.get("trial_period_days") or _trial_days_of_prices(state, params):
        if not 0 < days <= LONGEST_TRIAL:
            raise ErrorResponse(f"A trial has at most {LONGEST_TRIAL} days.", param="trial_period_days")
        return int(state.clock.now() + days * periods.DAY)
    given = params.get("trial_end")
    if given is None or given == "now":
        return None
    if given <= state.clock.now():
        raise ErrorResponse("Invalid timestamp: trial_end must be in the future", param="trial_end")
    return int(given)


def _trial_days_of_prices(state: AccountState, params: Object) -> int:
    """Return the longest trial of the prices of a subscription, with ``trial_from_plan``."""
    if not params.get("trial_from_plan"):
        return 0
    prices = [price_of(state, item, f"items[{at}]") for at, item in enumerate(params["items"])]
    return max(price["recurring"]["trial_period_days"] or 0 for price in prices)


def _cancel_at(state: AccountState, params: Object) -> int | None:
    given = params.get("cancel_at")
    if isinstance(given, int) and given <= state.clock.now():
        raise ErrorResponse("Invalid timestamp: cancel_at must be in the future", param="cancel_at")
    return given if isinstance(given, int) else None


def _fill(state: AccountState, subscription: Object, params: Object) -> None:
    """Give a draft its items and discounts, and keep it."""
    items = [build_item(state, subscription, one, f"items[{at}]") for at, one in enumerate(params["items"])]
    _check_twice(items)
    currency = (params.get("currency") or items[0]["price"]["currency"]).lower()
    for item in items:
        cost(state, item["price"], 1, currency)  # refuses a price that has no such currency
    subscription["currency"] = currency
    subscription["items"]["data"] = items
    state.objects.add(subscription)
    for item in items:
        state.objects.add(item)
    owner = {"customer": subscription["customer"], "subscription": subscription["id"]}
    given = params.get("discounts") or []
    found = [redeem(state, one, f"discounts[{at}]", **owner)["id"] for at, one in enumerate(given)]
    state.objects.update(subscription, discounts=found)
    if params.get("cancel_at") in ("min_period_end", "max_period_end") or params.get("cancel_at_period_end"):
        state.objects.update(subscription, cancel_at=period_end(subscription), canceled_at=state.clock.now())
    for one in params.get("add_invoice_items") or []:
        extra = make_item(state, subscription["customer"], {"currency": currency, **one})
        details = {"subscription": subscription["id"], "subscription_item": None}
        state.objects.update(extra, parent={"type": "subscription_details", "subscription_details": details})
    customer = state.objects.get("customer", subscription["customer"])
    if not customer.get("currency"):
        state.objects.update(customer, currency=currency)


def _check_twice(items: list[Object]) -> None:
    prices = [item["price"]["id"] for item in items]
    if twice := next((one for one in prices if prices.count(one) > 1), None):
        raise ErrorResponse(f"Two items of a subscription cannot have the same price: {twice}.", param="items")


def build_item(state: AccountState, subscription: Object, given: Object, where: str) -> Object:
    """An item of a subscription, with its current period; not kept yet."""
    price = price_of(state, given, where)
    item = state.draft("subscription_item", {name: given[name] for name in ("metadata",) if name in given})
    now, trial = state.clock.now(), subscription["status"] == "trialing"
    anchor = subscription["billing_cycle_anchor"]
    begin, end = (now, subscription["trial_end"]) if trial else periods.around(anchor, price["recurring"], now)
    metered = price["recurring"]["usage_type"] == "metered"
    if metered and given.get("quantity"):
        raise ErrorResponse(
            "A metered price takes no quantity: its usage is reported by meter events.", param=f"{where}[quantity]"
        )
    item.update(
        created=now,
        current_period_start=max(begin, subscription["start_date"]) if not trial else now,
        current_period_end=end,
        discounts=[],
        plan=plan_of(state, price),
        price=price,
        quantity=given.get("quantity", 1),
        subscription=subscription["id"],
        tax_rates=[state.objects["tax_rate", one] for one in given.get("tax_rates") or []],
    )
    if metered:
        del item["quantity"]
    begin_trial(state, item, given)
    for at, one in enumerate(given.get("discounts") or []):
        owner = {"customer": subscription["customer"], "subscription_item": item["id"]}
        item["discounts"].append(redeem(state, one, f"{where}[discounts][{at}]", **owner)["id"])
    return item


def price_of(state: AccountState, given: Object, where: str) -> Object:
    """The recurring price that an item names or describes."""
    if described := given.get("price_data"):
        state.objects.get("product", described["product"], f"{where}[price_data][product]")
        price = make_price(state, described)
    elif identifier := offered_price(state, given, where) or given.get("price") or given.get("plan"):
        identifier = price_id_of(state, identifier)
        price = state.objects.get("price", identifier, f"{where}[price]")
    else:
        raise missing_param(f"{where}[price]")
    if not price["active"]:
        raise ErrorResponse(
            "The price specified is inactive. This field only accepts active prices.",
            code="price_inactive",
            param=f"{where}[price]",
        )
    if price["type"] != "recurring":
        raise ErrorResponse(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{where}[price]",
        )
    return price


def price_id_of(state: AccountState, price_or_plan: str) -> str:
    """Return the id of a price, given its own id or that of its plan."""
    reference = state.tables.plan_prices.get(price_or_plan)
    return reference.id if reference else price_or_plan


def period_end(subscription: Object) -> int:
    """When the last of the current periods ends."""
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])


def _collect(
    state: AccountState, subscription: Object, invoice: Object, behavior: str, savepoint: int, *, off_session: bool
) -> None:
    """Pay the first invoice; what a decline means depends on ``payment_behavior``."""
    finalize(state, invoice)
    if invoice["status"] == "paid" or behavior == "default_incomplete":
        _wait(state, subscription)
        return
    try:
        pay_with(state, invoice, default_method(state, subscription), off_session=off_session)
    except ErrorResponse as error_response:
        if error_response.status != 402:
            raise
        if behavior == "error_if_incomplete":
            state.transaction.rollback(savepoint)
            error_response.error.pop("payment_intent", None)
            error_response.error.pop("charge", None)
            raise
    _wait(state, subscription)


def _wait(state: AccountState, subscription: Object) -> None:
    if subscription["status"] == "incomplete":
        state.clock.schedule(state.clock.now() + PATIENCE, "subscription.expire", subscription)


@timer_handler("subscription.expire")
def _expire(state: AccountState, subscription: Object) -> None:
    if subscription["status"] == "incomplete":
        before = state.objects.update(subscription, status="incomplete_expired", ended_at=state.clock.now())
        invoice = state.objects["invoice", subscription["latest_invoice"]]
        if invoice["status"] == "open":
            void_invoice(state, invoice)
        state.events.emit("updated", subscription, before)


@operation("subscriptions.cancel", "customers.subscriptions.cancel")
def cancel(context: OperationContext) -> Object:
    """End a subscription now; with ``prorate`` and ``invoice_now``, what is left of the period is given back."""
    state, params = context.state, context.params
    subscription = state.objects.get("subscription", context.target_id)
    if subscription["status"] in ENDED:
        raise ErrorResponse(
            f"No such subscription: '{context.target_id}'; it is canceled.",
            code="resource_missing",
            param="id",
            status=404,
        )
    if params.get("prorate"):
        subscription_invoices.credit_unused(state, subscription)
    if params.get("invoice_now"):
        subscription_invoices.invoice_now(state, subscription)
    return end(state, subscription, params.get("cancellation_details"))


def end(
    state: AccountState, subscription: Object, details: Any = None, reason: str = "cancellation_requested"
) -> Object:  # Any: JSON
    """End a subscription, and say so; its open invoices are collected no more."""
    said = {"comment": None, "feedback": None, "feedback_option": None, "reason": reason, **(details or {})}
    now = state.clock.now()
    at = subscription["canceled_at"] if subscription["cancel_at_period_end"] else now
    state.objects.update(
        subscription,
        status="incomplete_expired" if subscription["status"] == "incomplete" else "canceled",
        canceled_at=at or now,
        ended_at=now,
        cancellation_details=said,
    )
    for invoice in list(state.objects.all("invoice", customer=subscription["customer"])):
        if invoice["status"] in ("draft", "open") and subscription_invoices.is_of(invoice, subscription):
            state.objects.update(invoice, auto_advance=False, next_payment_attempt=None)
    state.events.emit("deleted", subscription)
    return subscription


def _end_all(state: AccountState, customer: Object) -> None:
    for subscription in list(state.objects.all("subscription", customer=customer["id"])):
        if subscription["status"] not in ENDED:
            end(state, subscription)


customers.DELETION_HOOKS.append(_end_all)


@operation("subscriptions.migrate")
def migrate(context: OperationContext) -> Object:
    """Change the billing mode."""
    mode = {
        "type": (context.params.get("billing_mode") or {}).get("type", "flexible"),
        "updated_at": context.state.clock.now(),
    }
    subscription = context.state.objects.get("subscription", context.target_id)
    context.state.events.emit("updated", subscription, context.state.objects.update(subscription, billing_mode=mode))
    return subscription


@list_filter("subscription", "current_period_start")
def _starts(subscription: Object, wanted: Any) -> bool:  # Any: a time, or a range of them
    return any(matches(item, "current_period_start", wanted) for item in subscription["items"]["data"])


@list_filter("subscription", "current_period_end")
def _ends(subscription: Object, wanted: Any) -> bool:  # Any: as above
    return any(matches(item, "current_period_end", wanted) for item in subscription["items"]["data"])


@operation("subscriptions.list", "customers.subscriptions.list")
def list_subscriptions(context: OperationContext) -> Object:
    """Subscriptions; those that are canceled only where they are asked for."""
    status, customer = context.params.get("status"), context.path.get("customer")
    price = context.params.get("price")
    if price is None and (plan := context.params.get("plan")):
        price = price_id_of(context.state, plan)
    found = filter_objects(context, context.state.objects.all("subscription"), "status", "price", "plan")
    return paginate(
        context,
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
