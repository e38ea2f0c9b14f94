"""Subscription schedules. https://docs.stripe.com/billing/subscriptions/subscription-schedules"""

from __future__ import annotations

from pinstripe.emulator.billing import periods
from pinstripe.emulator.billing.pricing import is_metered
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations._subscription_params import INVOICE_SETTINGS, period_end, recurring_price
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.subscription_pauses import plan_pauses
from pinstripe.emulator.operations.subscription_updates import apply_update
from pinstripe.emulator.operations.subscriptions import end_subscription, start_subscription
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone, merge_metadata
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

EXPIRY_NOTICE = 7 * periods.DAY
"""The time between the event ``expiring`` and the end of the last phase."""
LIVE = ("not_started", "active")
DEFAULT_SETTINGS: Object = {
    "application_fee_percent": None,
    "automatic_tax": {"enabled": False, "disabled_reason": None, "liability": None},
    "billing_cycle_anchor": "automatic",
    "billing_thresholds": None,
    "collection_method": "charge_automatically",
    "default_payment_method": None,
    "description": None,
    "invoice_settings": {**INVOICE_SETTINGS, "days_until_due": None},
    "on_behalf_of": None,
    "transfer_data": None,
}
IGNORED_SETTINGS = ("automatic_tax", "billing_thresholds")
UPDATABLE_SETTINGS = ("collection_method", "default_payment_method", "description")


@operation("subscription_schedules.create")
def create(context: OperationContext) -> Object:
    """Create a schedule of phases, or one for the current period of a subscription."""
    return create_schedule(context.state, context.params)


def create_schedule(state: AccountState, params: Object) -> Object:
    """Create a schedule with the parameters of ``subscription_schedules.create``, and start it when it is due."""
    if subscription_id := params.get("from_subscription"):
        subscription = state.objects.get("subscription", subscription_id, "from_subscription")
        return _create_from_subscription(state, subscription)
    for name in ("customer", "phases"):
        if not params.get(name):
            raise missing_param(name)
    start_date = params.get("start_date", "now")
    start = state.clock.now() if start_date == "now" else int(start_date)
    schedule = _draft(state, params["customer"], params)
    schedule["phases"] = _phases(state, params["phases"], start)
    state.objects.add(schedule)
    state.events.emit("created", schedule)
    if start <= state.clock.now():
        start_schedule(state, schedule)
    else:
        state.clock.schedule(start, "schedule.start", schedule)
    plan_pauses(state, schedule, params)
    return schedule


def _create_from_subscription(state: AccountState, subscription: Object) -> Object:
    if subscription["schedule"]:
        raise ErrorResponse("The subscription has a schedule already.", param="from_subscription")
    schedule = _draft(state, subscription["customer"], {})
    items = [
        {"price": item["price"]["id"], **({"quantity": item["quantity"]} if "quantity" in item else {})}
        for item in subscription["items"]["data"]
    ]
    start = min(item["current_period_start"] for item in subscription["items"]["data"])
    schedule["phases"] = _phases(state, [{"items": items, "end_date": period_end(subscription)}], start)
    state.objects.add(schedule)
    state.events.emit("created", schedule)
    state.objects.update(subscription, schedule=schedule["id"])
    _enter_phase(state, schedule, subscription, schedule["phases"][0])
    return schedule


def _draft(state: AccountState, customer: str, params: Object) -> Object:
    schedule = state.draft("subscription_schedule", {name: params[name] for name in ("metadata",) if name in params})
    settings = {
        name: value for name, value in (params.get("default_settings") or {}).items() if name not in IGNORED_SETTINGS
    }
    if "invoice_settings" in settings:
        settings["invoice_settings"] = {**DEFAULT_SETTINGS["invoice_settings"], **(settings["invoice_settings"] or {})}
    schedule.update(
        billing_mode={"type": "flexible"},
        customer=customer,
        current_phase=None,
        default_settings={**clone(DEFAULT_SETTINGS), **settings},
        end_behavior=params.get("end_behavior", "release"),
        status="not_started",
        subscription=None,
    )
    return schedule


def _phases(state: AccountState, params: list[Object], start: int) -> list[Object]:
    """Return phases that follow each other, the first from ``start`` on."""
    phases: list[Object] = []
    for index, phase_params in enumerate(params):
        phase = _phase(state, phase_params, start, f"phases[{index}]")
        phases.append(phase)
        start = phase["end_date"]
    return phases


def _phase(state: AccountState, params: Object, start: int, path: str) -> Object:
    if not params.get("items"):
        raise missing_param(f"{path}[items]")
    price = recurring_price(state, params["items"][0], f"{path}[items][0]")
    start = int(params["start_date"]) if isinstance(params.get("start_date"), int) else start
    phase: Object = state.draft_part("subscription_schedule", "phases")
    end = _end_of_phase(params, start, price["recurring"])
    if end <= start:
        raise ErrorResponse("A phase must end after it starts.", param=f"{path}[end_date]")
    trial_end = params.get("trial_end") if isinstance(params.get("trial_end"), int) else None
    phase.update(
        add_invoice_items=[],
        currency=price["currency"],
        default_tax_rates=[state.objects["tax_rate", rate_id] for rate_id in params.get("default_tax_rates") or []],
        discounts=[
            {"coupon": None, "discount": None, "promotion_code": None, **discount}
            for discount in params.get("discounts") or []
        ],
        end_date=end,
        items=[_item(state, item, f"{path}[items][{index}]") for index, item in enumerate(params["items"])],
        metadata=merge_metadata({}, params.get("metadata") or {}),
        proration_behavior=params.get("proration_behavior", "create_prorations"),
        start_date=start,
        trial_end=end if params.get("trial") else trial_end,
    )
    return phase


def _end_of_phase(params: Object, start: int, recurring: Object) -> int:
    if isinstance(params.get("end_date"), int):
        return int(params["end_date"])
    if duration := params.get("duration"):
        return periods.add(start, duration["interval"], duration.get("interval_count", 1))
    return periods.add(start, recurring["interval"], recurring["interval_count"] * params.get("iterations", 1))


def _item(state: AccountState, params: Object, path: str) -> Object:
    price = recurring_price(state, params, path)
    item: Object = {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": merge_metadata({}, params.get("metadata") or {}),
        "price": price["id"],
        "tax_rates": [state.objects["tax_rate", rate_id] for rate_id in params.get("tax_rates") or []],
    }
    if not is_metered(price):
        item["quantity"] = params.get("quantity", 1)
    return item


@timer_handler("schedule.start")
def _start_scheduled(state: AccountState, schedule: Object) -> None:
    if schedule["status"] == "not_started":
        start_schedule(state, schedule)


def start_schedule(state: AccountState, schedule: Object) -> None:
    """Start the subscription of a schedule with its first phase."""
    phase, settings = schedule["phases"][0], schedule["default_settings"]
    params: Object = {
        "customer": schedule["customer"],
        "items": [_item_params(item) for item in phase["items"]],
        "metadata": phase["metadata"],
        "collection_method": settings["collection_method"],
        "invoice_settings": {name: settings["invoice_settings"][name] for name in INVOICE_SETTINGS},
    }
    if settings["collection_method"] == "send_invoice":
        params["days_until_due"] = settings["invoice_settings"].get("days_until_due") or 30
    if settings["default_payment_method"]:
        params["default_payment_method"] = settings["default_payment_method"]
    if phase["discounts"]:
        params["discounts"] = _discount_params(phase)
    if phase["trial_end"]:
        params["trial_end"] = phase["trial_end"]
    subscription = start_subscription(state, params, scheduled=True)
    state.objects.update(subscription, schedule=schedule["id"])
    _enter_phase(state, schedule, subscription, phase)


def _item_params(item: Object) -> Object:
    return {name: item[name] for name in ("price", "quantity") if name in item}


def _discount_params(phase: Object) -> list[Object]:
    return [{name: value for name, value in discount.items() if value} for discount in phase["discounts"]]


def _enter_phase(state: AccountState, schedule: Object, subscription: Object, phase: Object) -> None:
    previous = state.objects.update(
        schedule, status="active", subscription=subscription["id"], current_phase=_dates(phase)
    )
    state.clock.schedule(phase["end_date"], "schedule.advance", schedule)
    notice = phase["end_date"] - EXPIRY_NOTICE
    if phase["end_date"] == schedule["phases"][-1]["end_date"] and notice > state.clock.now():
        state.clock.schedule(notice, "schedule.expiring", schedule)
    state.events.emit("updated", schedule, previous)


@timer_handler("schedule.expiring")
def _announce_expiry(state: AccountState, schedule: Object) -> None:
    end = schedule["phases"][-1]["end_date"]
    if schedule["status"] == "active" and end - EXPIRY_NOTICE == state.clock.now():
        state.events.emit("expiring", schedule)


def _dates(phase: Object) -> Object:
    return {"start_date": phase["start_date"], "end_date": phase["end_date"]}


@timer_handler("schedule.advance")
def _advance(state: AccountState, schedule: Object) -> None:
    """Start the next phase when the current one has ended, or end the schedule after the last one."""
    current = schedule["current_phase"]
    if schedule["status"] != "active" or current is None or current["end_date"] > state.clock.now():
        return
    subscription = state.objects["subscription", schedule["subscription"]]
    phase = next((phase for phase in schedule["phases"] if phase["start_date"] >= current["end_date"]), None)
    if phase is None:
        _complete(state, schedule, subscription)
        return
    items = _phase_changes(subscription, phase)
    changes: Object = {"items": items, "proration_behavior": phase["proration_behavior"]}
    if phase["discounts"]:
        changes["discounts"] = _discount_params(phase)
    if any(item["current_period_end"] <= state.clock.now() for item in subscription["items"]["data"]):
        changes["proration_behavior"] = "none"  # the renewal at this time bills the new items
    apply_update(state, subscription, changes, scheduled=True)
    _enter_phase(state, schedule, subscription, phase)


def _phase_changes(subscription: Object, phase: Object) -> list[Object]:
    """Return the parameter ``items`` that changes the items of a subscription to those of a phase."""
    item_ids = {item["price"]["id"]: item["id"] for item in subscription["items"]["data"]}
    changes: list[Object] = []
    for item in phase["items"]:
        params = _item_params(item)
        if item["price"] in item_ids:
            params["id"] = item_ids.pop(item["price"])
        changes.append(params)
    unused = list(item_ids.values())
    for params in changes:
        if "id" not in params and unused:
            params["id"] = unused.pop(0)
    return changes + [{"id": item_id, "deleted": True} for item_id in unused]


def _complete(state: AccountState, schedule: Object, subscription: Object) -> None:
    if schedule["end_behavior"] == "cancel":
        state.objects.update(schedule, status="completed", completed_at=state.clock.now(), current_phase=None)
        state.events.emit("completed", schedule)
        end_subscription(state, subscription)
    else:
        _release(state, schedule)


def advance_schedule(state: AccountState, subscription: Object) -> None:
    """Start the next phase of a subscription's schedule if it is due, so that the renewal bills it."""
    schedule = state.objects.find("subscription_schedule", subscription["schedule"])
    if schedule is not None:
        _advance(state, schedule)


def _release(state: AccountState, schedule: Object) -> None:
    subscription = state.objects.find("subscription", schedule["subscription"])
    state.objects.update(
        schedule,
        status="released",
        released_at=state.clock.now(),
        released_subscription=schedule["subscription"],
        subscription=None,
        current_phase=None,
    )
    if subscription is not None:
        state.objects.update(subscription, schedule=None)
    state.events.emit("released", schedule)


@operation("subscription_schedules.release")
def release(context: OperationContext) -> Object:
    """End a schedule and keep its subscription."""
    schedule = _live_schedule(context)
    _release(context.state, schedule)
    return schedule


@operation("subscription_schedules.cancel")
def cancel(context: OperationContext) -> Object:
    """Cancel a schedule and its subscription."""
    state, schedule = context.state, _live_schedule(context)
    subscription = state.objects.find("subscription", schedule["subscription"])
    state.objects.update(schedule, status="canceled", canceled_at=state.clock.now(), current_phase=None)
    state.events.emit("canceled", schedule)
    if subscription is not None:
        end_subscription(state, subscription)
    return schedule


def _live_schedule(context: OperationContext) -> Object:
    schedule = context.state.objects.get("subscription_schedule", context.target_id)
    if schedule["status"] not in LIVE:
        raise wrong_state(schedule, context.endpoint.method)
    return schedule


@operation("subscription_schedules.update")
def update(context: OperationContext) -> Object:
    """Update the phases and settings of a schedule."""
    return update_schedule(context.state, _live_schedule(context), context.params)


def update_schedule(state: AccountState, schedule: Object, params: Object) -> Object:
    """Update a schedule with the parameters of ``subscription_schedules.update``."""
    fields: Object = {}
    if phases := params.get("phases"):
        fields["phases"] = _phases(state, phases, schedule["phases"][0]["start_date"])
    if "end_behavior" in params:
        fields["end_behavior"] = params["end_behavior"]
    if "metadata" in params:
        fields["metadata"] = merge_metadata(schedule["metadata"] or {}, params["metadata"])
    if settings := params.get("default_settings"):
        changed = {name: settings[name] for name in UPDATABLE_SETTINGS if name in settings}
        fields["default_settings"] = {**schedule["default_settings"], **changed}
    previous = {name: schedule[name] for name in fields}
    state.objects.update(schedule, **fields)
    if phases and schedule["current_phase"]:
        _update_current_phase(state, schedule, params.get("proration_behavior", "create_prorations"))
    state.events.emit("updated", schedule, previous)
    plan_pauses(state, schedule, params)
    return schedule


def _update_current_phase(state: AccountState, schedule: Object, proration_behavior: str) -> None:
    """Apply the changed items of the current phase to the subscription."""
    now = state.clock.now()
    phase = next((phase for phase in schedule["phases"] if phase["start_date"] <= now < phase["end_date"]), None)
    if phase is None:
        raise ErrorResponse("One of the phases must be the current one.", param="phases")
    state.objects.update(schedule, current_phase=_dates(phase))
    state.clock.schedule(phase["end_date"], "schedule.advance", schedule)
    subscription = state.objects.find("subscription", schedule["subscription"])
    if subscription is not None and _quantities(subscription["items"]["data"]) != _quantities(phase["items"]):
        changes = {"items": _phase_changes(subscription, phase), "proration_behavior": proration_behavior}
        apply_update(state, subscription, changes)


def _quantities(items: list[Object]) -> dict[str, int | None]:
    """Return the quantity of each price of subscription items, or of the items of a phase."""
    prices = ((item, item["price"]) for item in items)
    return {price["id"] if isinstance(price, dict) else price: item.get("quantity") for item, price in prices}


@list_filter("subscription_schedule", "scheduled")
def _is_scheduled(schedule: Object, scheduled: bool) -> bool:
    return (schedule["status"] == "not_started") is scheduled
