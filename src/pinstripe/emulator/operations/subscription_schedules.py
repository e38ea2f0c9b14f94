"""Subscription schedules: phases, one after the other. https://docs.stripe.com/billing/subscriptions/subscription-schedules"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.billing import periods
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import filtered
from pinstripe.emulator.operations.subscription_updates import apply
from pinstripe.emulator.operations.subscriptions import end, price_of, start
from pinstripe.emulator.state.account import Ask, Object, World, clone, merged
from pinstripe.emulator.state.timers import timer
from pinstripe.emulator.validation.errors import Refusal, missing_param, wrong_state

LIVE = ("not_started", "active")


@life("subscription_schedules.create")
def create(ask: Ask) -> Object:
    """A schedule of phases, or of what a subscription is now."""
    world, params = ask.world, ask.params
    if source := params.get("from_subscription"):
        return _from_subscription(world, world.get("subscription", source, "from_subscription"))
    if not params.get("customer"):
        raise missing_param("customer")
    if not params.get("phases"):
        raise missing_param("phases")
    begin = params.get("start_date", "now")
    begin = world.now() if begin == "now" else int(begin)
    schedule = _draft(world, params["customer"], params)
    schedule["phases"] = _phases(world, params["phases"], begin)
    world.keep(schedule)
    world.emit("created", schedule)
    if begin <= world.now():
        _begin(world, schedule)
    else:
        world.later(begin, "schedule.begin", schedule)
    return schedule


def _draft(world: World, customer: str, params: Object) -> Object:
    schedule = world.draft("subscription_schedule", {name: params[name] for name in ("metadata",) if name in params})
    settings = {
        "application_fee_percent": None, "automatic_tax": {"enabled": False, "disabled_reason": None, "liability": None},
        "billing_cycle_anchor": "automatic", "billing_thresholds": None, "collection_method": "charge_automatically",
        "default_payment_method": None, "description": None,
        "invoice_settings": {"account_tax_ids": None, "days_until_due": None, "issuer": {"type": "self"}},
        "on_behalf_of": None, "transfer_data": None,
    }  # fmt: skip
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


def _phases(world: World, given: list[Object], begin: int) -> list[Object]:
    found = []
    for at, one in enumerate(given):
        where = f"phases[{at}]"
        if not one.get("items"):
            raise missing_param(f"{where}[items]")
        first = price_of(world, one["items"][0], f"{where}[items][0]")
        begin = int(one["start_date"]) if isinstance(one.get("start_date"), int) else begin
        phase = world.draft_part("subscription_schedule", "phases")
        stop = _end_of(one, begin, first, last=at == len(given) - 1)
        if stop <= begin:
            raise Refusal("A phase must end after it starts.", param=f"{where}[end_date]")
        phase.update(
            add_invoice_items=[],
            currency=first["currency"],
            default_tax_rates=[world.objects[rate] for rate in one.get("default_tax_rates") or []],
            discounts=[
                {"coupon": None, "discount": None, "promotion_code": None, **part}
                for part in one.get("discounts") or []
            ],
            end_date=stop,
            items=[_item(world, item, f"{where}[items][{index}]") for index, item in enumerate(one["items"])],
            metadata=merged({}, one.get("metadata") or {}),
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


def _item(world: World, given: Object, where: str) -> Object:
    price = price_of(world, given, where)
    found: Object = {
        "billing_thresholds": None, "discounts": [], "metadata": merged({}, given.get("metadata") or {}), "price": price["id"],
        "tax_rates": [world.objects[rate] for rate in given.get("tax_rates") or []],
    }  # fmt: skip
    if price["recurring"]["usage_type"] != "metered":
        found["quantity"] = given.get("quantity", 1)
    return found


def _from_subscription(world: World, subscription: Object) -> Object:
    if subscription["schedule"]:
        raise Refusal("The subscription has a schedule already.", param="from_subscription")
    schedule = _draft(world, subscription["customer"], {})
    items = [
        {"price": one["price"]["id"], **({"quantity": one["quantity"]} if "quantity" in one else {})}
        for one in subscription["items"]["data"]
    ]
    end_date = max(one["current_period_end"] for one in subscription["items"]["data"])
    begin = min(one["current_period_start"] for one in subscription["items"]["data"])
    schedule["phases"] = _phases(world, [{"items": items, "end_date": end_date}], begin)
    world.keep(schedule)
    world.emit("created", schedule)
    world.change(subscription, schedule=schedule["id"])
    _enter(world, schedule, subscription, schedule["phases"][0])
    return schedule


@timer("schedule.begin")
def _begin_later(world: World, schedule: Object) -> None:
    if schedule["status"] == "not_started":
        _begin(world, schedule)


def _begin(world: World, schedule: Object) -> None:
    phase = schedule["phases"][0]
    items = [{name: item[name] for name in ("price", "quantity") if name in item} for item in phase["items"]]
    settings = schedule["default_settings"]
    given: Object = {"customer": schedule["customer"], "items": items, "metadata": phase["metadata"]}
    given["collection_method"] = settings["collection_method"]
    if settings["collection_method"] == "send_invoice":
        given["days_until_due"] = settings["invoice_settings"].get("days_until_due") or 30
    if settings["default_payment_method"]:
        given["default_payment_method"] = settings["default_payment_method"]
    if phase["discounts"]:
        given["discounts"] = [{name: value for name, value in one.items() if value} for one in phase["discounts"]]
    if phase["trial_end"]:
        given["trial_end"] = phase["trial_end"]
    subscription = start(world, given)
    world.change(subscription, schedule=schedule["id"])
    _enter(world, schedule, subscription, phase)


def _enter(world: World, schedule: Object, subscription: Object, phase: Object) -> None:
    current = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    before = world.change(schedule, status="active", subscription=subscription["id"], current_phase=current)
    world.later(phase["end_date"], "schedule.advance", schedule)
    world.emit("updated", schedule, before)


@timer("schedule.advance")
def _advance(world: World, schedule: Object) -> None:
    """A phase has ended: the next begins, or the schedule is over."""
    current = schedule["current_phase"]
    if schedule["status"] != "active" or current is None or current["end_date"] > world.now():
        return
    subscription = world.objects[schedule["subscription"]]
    following = next((one for one in schedule["phases"] if one["start_date"] >= current["end_date"]), None)
    if following is None:
        _complete(world, schedule, subscription)
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
    if any(item["current_period_end"] <= world.now() for item in subscription["items"]["data"]):
        changes["proration_behavior"] = "none"  # the renewal of this moment bills the new items
    apply(world, subscription, changes)
    _enter(world, schedule, subscription, following)


def _complete(world: World, schedule: Object, subscription: Object) -> None:
    if schedule["end_behavior"] == "cancel":
        world.change(schedule, status="completed", completed_at=world.now(), current_phase=None)
        world.emit("completed", schedule)
        end(world, subscription)
    else:
        _release(world, schedule)


def next_phase(world: World, subscription: Object) -> None:
    """Let the schedule of a subscription go on before its renewal is billed, where both are due."""
    schedule = world.objects.get(subscription["schedule"] or "")
    if schedule is not None:
        _advance(world, schedule)


def _release(world: World, schedule: Object) -> None:
    subscription = world.objects.get(schedule["subscription"] or "")
    released = schedule["subscription"]
    world.change(
        schedule,
        status="released",
        released_at=world.now(),
        released_subscription=released,
        subscription=None,
        current_phase=None,
    )
    if subscription is not None:
        world.change(subscription, schedule=None)
    world.emit("released", schedule)


@life("subscription_schedules.release", "subscription_schedules.cancel")
def stop(ask: Ask) -> Object:
    """Let the subscription go on without the schedule, or end both."""
    world = ask.world
    schedule = world.get("subscription_schedule", ask.target)
    if schedule["status"] not in LIVE:
        raise wrong_state(schedule, ask.row.method)
    if ask.row.method == "release":
        _release(world, schedule)
        return schedule
    subscription = world.objects.get(schedule["subscription"] or "")
    world.change(schedule, status="canceled", canceled_at=world.now(), current_phase=None)
    world.emit("canceled", schedule)
    if subscription is not None:
        end(world, subscription)
    return schedule


@life("subscription_schedules.update")
def update(ask: Ask) -> Object:
    """Change the phases that are still to come, or what is said of a schedule."""
    world, params = ask.world, dict(ask.params)
    schedule = world.get("subscription_schedule", ask.target)
    if schedule["status"] not in LIVE:
        raise wrong_state(schedule, "update")
    before = clone(schedule)
    fields: Object = {}
    if phases := params.pop("phases", None):
        begin = schedule["phases"][0]["start_date"]
        fields["phases"] = _phases(world, phases, begin)
    if "end_behavior" in params:
        fields["end_behavior"] = params["end_behavior"]
    if "metadata" in params:
        fields["metadata"] = merged(schedule["metadata"] or {}, params["metadata"])
    if settings := params.get("default_settings"):
        simple = {
            name: value
            for name, value in settings.items()
            if name in ("collection_method", "default_payment_method", "description")
        }
        fields["default_settings"] = {**schedule["default_settings"], **simple}
    world.change(schedule, **fields)
    if phases and schedule["current_phase"]:
        now = world.now()
        phase: Any = next(
            (one for one in schedule["phases"] if one["start_date"] <= now < one["end_date"]), None
        )  # Any: JSON
        if phase is None:
            raise Refusal("One of the phases must be the current one.", param="phases")
        world.change(schedule, current_phase={"start_date": phase["start_date"], "end_date": phase["end_date"]})
        world.later(phase["end_date"], "schedule.advance", schedule)
    world.emit("updated", schedule, {name: before[name] for name in fields})
    return schedule


@filtered("subscription_schedule", "scheduled")
def _is_scheduled(schedule: Object, scheduled: bool) -> bool:
    return (schedule["status"] == "not_started") is scheduled
