"""Subscription schedules: phases, one after the other. https://docs.stripe.com/billing/subscriptions/subscription-schedules"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.billing import periods
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.subscription_pauses import plan_pauses
from pinstripe.emulator.operations.subscription_updates import apply
from pinstripe.emulator.operations.subscriptions import end, price_of, start
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone, merge_metadata
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

LIVE = ("not_started", "active")


@operation("subscription_schedules.create")
def create(context: OperationContext) -> Object:
    """A schedule of phases, or of what a subscription is now."""
    state, params = context.state, context.params
    if source := params.get("from_subscription"):
        return _from_subscription(state, state.objects.get("subscription", source, "from_subscription"))
    if not params.get("customer"):
        raise missing_param("customer")
    if not params.get("phases"):
        raise missing_param("phases")
    begin = params.get("start_date", "now")
    begin = state.clock.now() if begin == "now" else int(begin)
    schedule = _draft(state, params["customer"], params)
    schedule["phases"] = _phases(state, params["phases"], begin)
    state.objects.add(schedule)
    state.events.emit("created", schedule)
    if begin <= state.clock.now():
        _begin(state, schedule)
    else:
        state.clock.schedule(begin, "schedule.begin", schedule)
    plan_pauses(state, schedule, params)
    return schedule


def _draft(state: AccountState, customer: str, params: Object) -> Object:
    schedule = state.draft("subscription_schedule", {name: params[name] for name in ("metadata",) if name in params})
    settings = {
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "disabled_reason": None, "liability": None},
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": None,
        "collection_method": "charge_automatically",
        "default_payment_method": None,
        "description": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "days_until_due": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
            **((params.get("default_settings") or {}).get("invoice_settings") or {}),
        },
        "on_behalf_of": None,
        "transfer_data": None,
    }
    given = params.get("default_settings") or {}
    settings |= {
        name: value
        for name, value in given.items()
        if name not in ("automatic_tax", "invoice_settings", "billing_thresholds")
    }
    schedule.update(
        billing_mode={"type": "flexible"},
        customer=customer,
        current_phase=None,
        default_settings=settings,
        end_behavior=params.get("end_behavior", "release"),
        status="not_started",
        subscription=None,
    )
    return schedule


def _phases(state: AccountState, given: list[Object], begin: int) -> list[Object]:
    found = []
    for at, one in enumerate(given):
        where = f"phases[{at}]"
        if not one.get("items"):
            raise missing_param(f"{where}[items]")
        first = price_of(state, one["items"][0], f"{where}[items][0]")
        begin = int(one["start_date"]) if isinstance(one.get("start_date"), int) else begin
        phase = state.draft_part("subscription_schedule", "phases")
        stop = _end_of(one, begin, first, last=at == len(given) - 1)
        if stop <= begin:
            raise ErrorResponse("A phase must end after it starts.", param=f"{where}[end_date]")
        phase.update(
            add_invoice_items=[],
            currency=first["currency"],
            default_tax_rates=[state.objects["tax_rate", rate] for rate in one.get("default_tax_rates") or []],
            discounts=[
                {"coupon": None, "discount": None, "promotion_code": None, **part}
                for part in one.get("discounts") or []
            ],
            end_date=stop,
            items=[_item(state, item, f"{where}[items][{index}]") for index, item in enumerate(one["items"])],
            metadata=merge_metadata({}, one.get("metadata") or {}),
            proration_behavior=one.get("proration_behavior", "create_prorations"),
            start_date=begin,
            trial_end=stop
            if one.get("trial")
            else one.get("trial_end")
            if isinstance(one.get("trial_end"), int)
            else None,
        )
        found.append(phase)
        begin = stop
    return found


def _end_of(phase: Object, begin: int, price: Object, *, last: bool) -> int:
    if isinstance(phase.get("end_date"), int):
        return int(phase["end_date"])
    if duration := phase.get("duration"):
        return periods.add(begin, duration["interval"], duration.get("interval_count", 1))
    recurring = price["recurring"]
    return periods.add(begin, recurring["interval"], recurring["interval_count"] * phase.get("iterations", 1))


def _item(state: AccountState, given: Object, where: str) -> Object:
    price = price_of(state, given, where)
    found: Object = {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": merge_metadata({}, given.get("metadata") or {}),
        "price": price["id"],
        "tax_rates": [state.objects["tax_rate", rate] for rate in given.get("tax_rates") or []],
    }
    if price["recurring"]["usage_type"] != "metered":
        found["quantity"] = given.get("quantity", 1)
    return found


def _from_subscription(state: AccountState, subscription: Object) -> Object:
    if subscription["schedule"]:
        raise ErrorResponse("The subscription has a schedule already.", param="from_subscription")
    schedule = _draft(state, subscription["customer"], {})
    items = [
        {"price": one["price"]["id"], **({"quantity": one["quantity"]} if "quantity" in one else {})}
        for one in subscription["items"]["data"]
    ]
    end_date = max(one["current_period_end"] for one in subscription["items"]["data"])
    begin = min(one["current_period_start"] for one in subscription["items"]["data"])
    schedule["phases"] = _phases(state, [{"items": items, "end_date": end_date}], begin)
    state.objects.add(schedule)
    state.events.emit("created", schedule)
    state.objects.update(subscription, schedule=schedule["id"])
    _enter(state, schedule, subscription, schedule["phases"][0])
    return schedule


@timer_handler("schedule.begin")
def _begin_later(state: AccountState, schedule: Object) -> None:
    if schedule["status"] == "not_started":
        _begin(state, schedule)


def _begin(state: AccountState, schedule: Object) -> None:
    phase = schedule["phases"][0]
    items = [{name: item[name] for name in ("price", "quantity") if name in item} for item in phase["items"]]
    settings = schedule["default_settings"]
    given: Object = {"customer": schedule["customer"], "items": items, "metadata": phase["metadata"]}
    given["collection_method"] = settings["collection_method"]
    if settings["collection_method"] == "send_invoice":
        given["days_until_due"] = settings["invoice_settings"].get("days_until_due") or 30
    given["invoice_settings"] = {
        name: settings["invoice_settings"][name] for name in ("custom_fields", "description", "footer")
    }
    if settings["default_payment_method"]:
        given["default_payment_method"] = settings["default_payment_method"]
    if phase["discounts"]:
        given["discounts"] = [{name: value for name, value in one.items() if value} for one in phase["discounts"]]
    if phase["trial_end"]:
        given["trial_end"] = phase["trial_end"]
    subscription = start(state, given)
    state.objects.update(subscription, schedule=schedule["id"])
    _enter(state, schedule, subscription, phase)


def _enter(state: AccountState, schedule: Object, subscription: Object, phase: Object) -> None:
    current = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    before = state.objects.update(schedule, status="active", subscription=subscription["id"], current_phase=current)
    state.clock.schedule(phase["end_date"], "schedule.advance", schedule)
    state.events.emit("updated", schedule, before)


@timer_handler("schedule.advance")
def _advance(state: AccountState, schedule: Object) -> None:
    """A phase has ended: the next begins, or the schedule is over."""
    current = schedule["current_phase"]
    if schedule["status"] != "active" or current is None or current["end_date"] > state.clock.now():
        return
    subscription = state.objects["subscription", schedule["subscription"]]
    following = next((one for one in schedule["phases"] if one["start_date"] >= current["end_date"]), None)
    if following is None:
        _complete(state, schedule, subscription)
        return
    known = {one["price"]["id"]: one["id"] for one in subscription["items"]["data"]}
    items: list[Object] = []
    for item in following["items"]:
        given = {name: item[name] for name in ("price", "quantity") if name in item}
        if item["price"] in known:
            given["id"] = known.pop(item["price"])
        items.append(given)
    kept = list(known.values())
    for place, item in enumerate(items):
        if "id" not in item and kept:
            items[place] = {**item, "id": kept.pop(0)}
    items += [{"id": one, "deleted": True} for one in kept]
    changes: Object = {"items": items, "proration_behavior": following["proration_behavior"]}
    if following["discounts"]:
        changes["discounts"] = [{name: value for name, value in one.items() if value} for one in following["discounts"]]
    if any(item["current_period_end"] <= state.clock.now() for item in subscription["items"]["data"]):
        changes["proration_behavior"] = "none"  # the renewal of this moment bills the new items
    apply(state, subscription, changes)
    _enter(state, schedule, subscription, following)


def _complete(state: AccountState, schedule: Object, subscription: Object) -> None:
    if schedule["end_behavior"] == "cancel":
        state.objects.update(schedule, status="completed", completed_at=state.clock.now(), current_phase=None)
        state.events.emit("completed", schedule)
        end(state, subscription)
    else:
        _release(state, schedule)


def next_phase(state: AccountState, subscription: Object) -> None:
    """Let the schedule of a subscription go on before its renewal is billed, where both are due."""
    schedule = state.objects.find("subscription_schedule", subscription["schedule"])
    if schedule is not None:
        _advance(state, schedule)


def _release(state: AccountState, schedule: Object) -> None:
    subscription = state.objects.find("subscription", schedule["subscription"])
    released = schedule["subscription"]
    state.objects.update(
        schedule,
        status="released",
        released_at=state.clock.now(),
        released_subscription=released,
        subscription=None,
        current_phase=None,
    )
    if subscription is not None:
        state.objects.update(subscription, schedule=None)
    state.events.emit("released", schedule)


@operation("subscription_schedules.release", "subscription_schedules.cancel")
def stop(context: OperationContext) -> Object:
    """Let the subscription go on without the schedule, or end both."""
    state = context.state
    schedule = state.objects.get("subscription_schedule", context.target_id)
    if schedule["status"] not in LIVE:
        raise wrong_state(schedule, context.endpoint.method)
    if context.endpoint.method == "release":
        _release(state, schedule)
        return schedule
    subscription = state.objects.find("subscription", schedule["subscription"])
    state.objects.update(schedule, status="canceled", canceled_at=state.clock.now(), current_phase=None)
    state.events.emit("canceled", schedule)
    if subscription is not None:
        end(state, subscription)
    return schedule


@operation("subscription_schedules.update")
def update(context: OperationContext) -> Object:
    """Change the phases that are still to come, or what is said of a schedule."""
    state, params = context.state, dict(context.params)
    schedule = state.objects.get("subscription_schedule", context.target_id)
    if schedule["status"] not in LIVE:
        raise wrong_state(schedule, "update")
    before = clone(schedule)
    fields: Object = {}
    if phases := params.pop("phases", None):
        begin = schedule["phases"][0]["start_date"]
        fields["phases"] = _phases(state, phases, begin)
    if "end_behavior" in params:
        fields["end_behavior"] = params["end_behavior"]
    if "metadata" in params:
        fields["metadata"] = merge_metadata(schedule["metadata"] or {}, params["metadata"])
    if settings := params.get("default_settings"):
        simple = {
            name: value
            for name, value in settings.items()
            if name in ("collection_method", "default_payment_method", "description")
        }
        fields["default_settings"] = {**schedule["default_settings"], **simple}
    state.objects.update(schedule, **fields)
    if phases and schedule["current_phase"]:
        now = state.clock.now()
        phase: Any = next(
            (one for one in schedule["phases"] if one["start_date"] <= now < one["end_date"]), None
        )  # Any: JSON
        if phase is None:
            raise ErrorResponse("One of the phases must be the current one.", param="phases")
        state.objects.update(schedule, current_phase={"start_date": phase["start_date"], "end_date": phase["end_date"]})
        state.clock.schedule(phase["end_date"], "schedule.advance", schedule)
    state.events.emit("updated", schedule, {name: before[name] for name in fields})
    plan_pauses(state, schedule, params)
    return schedule


@list_filter("subscription_schedule", "scheduled")
def _is_scheduled(schedule: Object, scheduled: bool) -> bool:
    return (schedule["status"] == "not_started") is scheduled
