"""Build subscriptions and their items from parameters, for `subscriptions` and `subscription_updates`."""

from __future__ import annotations

from datetime import datetime, timezone

from pinstripe.emulator.billing import periods
from pinstripe.emulator.billing.pricing import cost, is_metered
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations.discounts import redeem_all
from pinstripe.emulator.operations.invoice_items import add_items_to_subscription
from pinstripe.emulator.operations.plans import item_fields, plan_of
from pinstripe.emulator.operations.prices import check_active, create_price
from pinstripe.emulator.operations.promotion_codes import check_minimum
from pinstripe.emulator.operations.trial_offers import begin_trial, offered_price
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param

ANCHOR_RANGES = {"day_of_month": (1, 31), "hour": (0, 23), "minute": (0, 59), "month": (1, 12), "second": (0, 59)}
MAX_TRIAL_DAYS = 730
INVOICE_SETTINGS: Object = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": {"type": "self"},
}
DERIVED = {
    "items",
    "discounts",
    "default_tax_rates",
    "trial_end",
    "customer",
    "billing_cycle_anchor",
    "add_invoice_items",
    "cancel_at",
}
"""The parameters of a new subscription that are not fields as they were passed."""


def build_subscription(state: AccountState, params: Object, customer: Object) -> Object:
    """Return a new subscription without items; it is not stored."""
    fields = {name: value for name, value in params.items() if name not in DERIVED}
    subscription = state.draft("subscription", fields)
    now, trial_end = state.clock.now(), _trial_end(state, params)
    automatic_tax = bool((params.get("automatic_tax") or {}).get("enabled"))
    subscription.update(
        automatic_tax={"enabled": automatic_tax, "disabled_reason": None, "liability": None},
        billing_cycle_anchor=_billing_cycle_anchor(params, trial_end or now),
        billing_cycle_anchor_config=_anchor_config(params),
        billing_mode={"type": (params.get("billing_mode") or {}).get("type", "flexible")},
        billing_schedules=[],
        cancel_at=_cancel_at(state, params),
        cancel_at_period_end=params.get("cancel_at_period_end", False),
        cancellation_details={"comment": None, "feedback": None, "feedback_option": None, "reason": None},
        collection_method=params.get("collection_method", "charge_automatically"),
        customer=customer["id"],
        default_payment_method=params.get("default_payment_method"),
        default_tax_rates=[state.objects["tax_rate", rate_id] for rate_id in params.get("default_tax_rates") or []],
        discounts=[],
        invoice_settings={**clone(INVOICE_SETTINGS), **(params.get("invoice_settings") or {})},
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
        trial_settings=_trial_settings(params),
        trial_start=now if trial_end else None,
    )
    _check_collection(state, subscription, params)
    return subscription


def _trial_settings(params: Object) -> Object:
    end_behavior = (params.get("trial_settings") or {}).get("end_behavior") or {}
    return {"end_behavior": {"missing_payment_method": "create_invoice", **end_behavior}}


def _check_collection(state: AccountState, subscription: Object, params: Object) -> None:
    if subscription["collection_method"] == "send_invoice" and not params.get("days_until_due"):
        raise missing_param("days_until_due")
    if subscription["collection_method"] != "send_invoice" and params.get("days_until_due"):
        raise ErrorResponse("days_until_due requires collection_method send_invoice.", param="days_until_due")
    if method_id := subscription["default_payment_method"]:
        state.objects.get("payment_method", method_id, "default_payment_method")


def _anchor_config(params: Object) -> Object | None:
    config = params.get("billing_cycle_anchor_config")
    return {"hour": None, "minute": None, "month": None, "second": None, **config} if config else None


def _billing_cycle_anchor(params: Object, start: int) -> int:
    anchor = params.get("billing_cycle_anchor")
    if isinstance(anchor, int):
        if anchor < start:
            raise ErrorResponse("billing_cycle_anchor cannot be earlier than the start.", param="billing_cycle_anchor")
        return anchor
    if config := params.get("billing_cycle_anchor_config"):
        for name, value in config.items():
            minimum, maximum = ANCHOR_RANGES[name]
            if not minimum <= value <= maximum:
                raise ErrorResponse(
                    f"Invalid {name}: it must be from {minimum} to {maximum}.",
                    param=f"billing_cycle_anchor_config[{name}]",
                )
        return _first_anchor(config, start)
    return start


def _first_anchor(config: Object, start: int) -> int:
    """Return the first time after the start that matches ``billing_cycle_anchor_config``."""
    time_of_day = {name: config[name] for name in ("hour", "minute", "second") if config.get(name) is not None}
    start_date = datetime.fromtimestamp(start, timezone.utc)
    first = int(start_date.replace(day=1, **time_of_day).timestamp())
    for months in range(14):
        month = periods.add(first, "month", months)
        days = (periods.add(month, "month", 1) - month) // periods.DAY
        anchor = month + (min(config["day_of_month"], days) - 1) * periods.DAY
        if anchor > start and config.get("month") in (None, datetime.fromtimestamp(month, timezone.utc).month):
            return int(anchor)
    return start


def _trial_end(state: AccountState, params: Object) -> int | None:
    if days := params.get("trial_period_days") or _trial_days_of_prices(state, params):
        if not 0 < days <= MAX_TRIAL_DAYS:
            raise ErrorResponse(f"A trial has at most {MAX_TRIAL_DAYS} days.", param="trial_period_days")
        return int(state.clock.now() + days * periods.DAY)
    trial_end = params.get("trial_end")
    if trial_end is None or trial_end == "now":
        return None
    check_trial_end(state, trial_end)
    return int(trial_end)


def _trial_days_of_prices(state: AccountState, params: Object) -> int:
    """Return the longest trial of the prices of a subscription, with ``trial_from_plan``."""
    if not params.get("trial_from_plan"):
        return 0
    prices = [recurring_price(state, item, f"items[{index}]") for index, item in enumerate(params["items"])]
    return max(price["recurring"]["trial_period_days"] or 0 for price in prices)


def _cancel_at(state: AccountState, params: Object) -> int | None:
    cancel_at = params.get("cancel_at")
    if not isinstance(cancel_at, int):
        return None
    check_in_future(state, cancel_at, "cancel_at")
    return cancel_at


def check_trial_end(state: AccountState, trial_end: int) -> None:
    """Raise `ErrorResponse` for the end of a trial that is not in the future, or too far in it."""
    check_in_future(state, trial_end, "trial_end")
    if trial_end > state.clock.now() + MAX_TRIAL_DAYS * periods.DAY:
        raise ErrorResponse(f"Invalid timestamp: a trial has at most {MAX_TRIAL_DAYS} days.", param="trial_end")


def check_in_future(state: AccountState, at: int, param: str) -> None:
    """Raise `ErrorResponse` for a time that is not in the future."""
    if at <= state.clock.now():
        raise ErrorResponse(f"Invalid timestamp: {param} must be in the future", param=param)


def add_subscription(state: AccountState, subscription: Object, params: Object) -> None:
    """Store a new subscription with its items, discounts and pending invoice items."""
    items = [
        build_item(state, subscription, item_params, f"items[{index}]")
        for index, item_params in enumerate(params["items"])
    ]
    price_ids = [item["price"]["id"] for item in items]
    if duplicate := next((price_id for price_id in price_ids if price_ids.count(price_id) > 1), None):
        raise ErrorResponse(f"Two items of a subscription cannot have the same price: {duplicate}.", param="items")
    if isinstance(params.get("billing_cycle_anchor"), int):
        _check_anchor(state, subscription, items)
    currency = (params.get("currency") or items[0]["price"]["currency"]).lower()
    # raises when a price does not have the currency
    amounts = [cost(state, item["price"], item.get("quantity") or 1, currency) for item in items]
    subscription["currency"] = currency
    subscription.update(item_fields(subscription, items))
    check_intervals(subscription)
    state.objects.add(subscription)
    for item in items:
        state.objects.add(item)
    owner = {"customer": subscription["customer"], "subscription": subscription["id"]}
    state.objects.update(subscription, discounts=redeem_all(state, params.get("discounts"), **owner))
    discounts = [state.objects["discount", discount_id] for discount_id in subscription["discounts"]]
    check_minimum(state, discounts, sum(amounts), currency)
    if params.get("cancel_at") in ("min_period_end", "max_period_end") or params.get("cancel_at_period_end"):
        state.objects.update(subscription, cancel_at=period_end(subscription), canceled_at=state.clock.now())
    add_items_to_subscription(state, subscription, params.get("add_invoice_items"))
    customer = state.objects.get("customer", subscription["customer"])
    if not customer.get("currency"):
        state.objects.update(customer, currency=currency)


def _check_anchor(state: AccountState, subscription: Object, items: list[Object]) -> None:
    """Raise `ErrorResponse` for an anchor after the end of the first full period."""
    start = subscription["trial_end"] or state.clock.now()
    recurring = (item["price"]["recurring"] for item in items)
    latest = min(periods.add(start, each["interval"], each["interval_count"]) for each in recurring)
    if subscription["billing_cycle_anchor"] > latest:
        raise ErrorResponse(
            f"billing_cycle_anchor cannot be later than next natural billing date ({latest}) for plan",
            param="billing_cycle_anchor",
        )


def check_intervals(subscription: Object) -> None:
    """Raise `ErrorResponse` for items with different intervals, which need the billing mode ``flexible``."""
    recurring = [item["price"]["recurring"] for item in subscription["items"]["data"]]
    for name in ("interval", "interval_count"):
        if subscription["billing_mode"]["type"] == "classic" and len({price[name] for price in recurring}) > 1:
            raise ErrorResponse(
                "Currency and interval fields must match across all plans on this subscription. "
                f"Found mismatch in {name} field.",
                param="items",
            )


def build_item(state: AccountState, subscription: Object, params: Object, path: str) -> Object:
    """Return a new item of a subscription with its current period; it is not stored."""
    price = recurring_price(state, params, path)
    item = state.draft("subscription_item", {name: params[name] for name in ("metadata",) if name in params})
    now, recurring = state.clock.now(), price["recurring"]
    if subscription["status"] == "trialing":
        start, end = now, subscription["trial_end"]
    else:
        start, end = periods.period_at(subscription["billing_cycle_anchor"], recurring, now)
        start = max(start, subscription["start_date"])
    metered = is_metered(price)
    if metered and params.get("quantity"):
        raise ErrorResponse(
            "quantity cannot be set with a metered price: report usage with meter events.", param=f"{path}[quantity]"
        )
    owner = {"customer": subscription["customer"], "subscription_item": item["id"]}
    item.update(
        created=now,
        current_period_start=start,
        current_period_end=end,
        discounts=[],
        plan=plan_of(state, price),
        price=price,
        quantity=params.get("quantity", 1),
        subscription=subscription["id"],
        tax_rates=[state.objects["tax_rate", rate_id] for rate_id in params.get("tax_rates") or []],
    )
    if metered:
        del item["quantity"]
    begin_trial(state, item, params)
    item["discounts"] = redeem_all(state, params.get("discounts"), f"{path}[discounts]", **owner)
    return item


def recurring_price(state: AccountState, params: Object, path: str) -> Object:
    """Return the recurring price of an item: an existing one, or a new one for ``price_data``."""
    if price_data := params.get("price_data"):
        state.objects.get("product", price_data["product"], f"{path}[price_data][product]")
        price = create_price(state, price_data)
    elif price_or_plan := offered_price(state, params, path) or params.get("price") or params.get("plan"):
        price = state.objects.get("price", price_or_plan, f"{path}[price]")
    else:
        raise missing_param(f"{path}[price]")
    check_active(price, f"{path}[price]")
    if price["type"] != "recurring":
        raise ErrorResponse(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{path}[price]",
        )
    return price


def period_end(subscription: Object) -> int:
    """Return when the last of the current periods ends."""
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])
