"""Meters, and what was used. https://docs.stripe.com/billing/subscriptions/usage-based"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._crud import find, life
from pinstripe.emulator.operations._lists import listed
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.validation.errors import Refusal, missing_param, wrong_state

PAST, AHEAD = 35 * DAY, 300
"""How old, and how far ahead of time, the time of a meter event may be."""


@life("billing.meters.create")
def create(ask: Ask) -> Object:
    """A meter; names of events are its own."""
    world, params = ask.world, ask.params
    if any(one["event_name"] == params["event_name"] for one in world.every("billing.meter", status="active")):
        raise Refusal(
            f"There is already an active meter for the event name {params['event_name']}.",
            code="resource_already_exists",
            param="event_name",
        )
    meter = world.draft("billing.meter", params)
    meter.update(
        customer_mapping=params.get("customer_mapping") or {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        value_settings=params.get("value_settings") or {"event_payload_key": "value"},
        status="active",
        updated=world.now(),
    )
    world.keep(meter)
    world.emit("created", meter)
    return meter


@life("billing.meters.deactivate", "billing.meters.reactivate")
def switch(ask: Ask) -> Object:
    """Turn a meter off, or on again."""
    world, off = ask.world, ask.row.method == "deactivate"
    meter = world.get("billing.meter", ask.target)
    if meter["status"] != ("active" if off else "inactive"):
        raise wrong_state(meter, ask.row.method)
    transitions = {"deactivated_at": world.now() if off else None}
    world.change(meter, status="inactive" if off else "active", updated=world.now(), status_transitions=transitions)
    world.emit("deactivated" if off else "reactivated", meter)
    return meter


def _meter(world: World, name: str) -> Object | None:
    return next((one for one in world.every("billing.meter", event_name=name, status="active")), None)


@life("billing.meter_events.create")
def report(ask: Ask) -> Object:
    """Something was used: ``payload`` says by whom, and how much."""
    world, params = ask.world, ask.params
    meter = _meter(world, params["event_name"])
    if meter is None:
        raise Refusal(
            f"No active meter found for event name {params['event_name']}.", code="no_meter", param="event_name"
        )
    at = params.get("timestamp") or world.now()
    _count(world, meter, params["payload"], at, params.get("identifier"))
    return {
        "object": "billing.meter_event", "created": world.now(), "event_name": params["event_name"], "livemode": False,
        "identifier": params.get("identifier") or world.new_id("url"), "payload": params["payload"], "timestamp": at,
    }  # fmt: skip


def _count(world: World, meter: Object, payload: Object, at: int, identifier: str | None) -> None:
    who, what = meter["customer_mapping"]["event_payload_key"], meter["value_settings"]["event_payload_key"]
    if who not in payload:
        raise missing_param(f"payload[{who}]")
    customer = world.get("customer", payload[who], f"payload[{who}]")
    world.follow(customer)
    counts = meter["default_aggregation"]["formula"] == "count"
    try:
        value = Decimal(1) if counts else Decimal(payload[what])
    except KeyError:
        raise missing_param(f"payload[{what}]") from None
    except InvalidOperation:
        raise Refusal(f"The value is not a number: {payload[what]}", param=f"payload[{what}]") from None
    now = world.now()
    if not now - PAST <= at <= now + AHEAD:
        raise Refusal("The timestamp is more than 35 days ago, or more than 5 minutes ahead.", param="timestamp")
    key = f"usage:{meter['id']}:{customer['id']}"
    known = world.hidden.get(key, [])
    if identifier and any(one[2] == identifier for one in known):
        raise Refusal(
            f"An event with the identifier {identifier} exists already.",
            code="duplicate_meter_event",
            param="identifier",
        )
    world.hide(key, [*known, [at, str(value), identifier]])


def aggregated(world: World, meter: Object, customer: str, start: int, end: int) -> Decimal:
    """What a customer used from one time until before another."""
    events = [one for one in world.hidden.get(f"usage:{meter['id']}:{customer}", []) if start <= one[0] < end]
    if meter["default_aggregation"]["formula"] == "last":
        return Decimal(max(events, key=lambda one: one[0])[1]) if events else Decimal(0)
    return sum((Decimal(one[1]) for one in events), Decimal(0))


def total(world: World, price: Object, customer: str, start: int, end: int) -> int:
    """What is billed of a metered price, in whole units."""
    meter = world.objects.get(price["recurring"].get("meter") or "")
    return int(aggregated(world, meter, customer, start, end)) if meter else 0


@life("billing.meter_event_adjustments.create", "v2.billing.meter_event_adjustments.create")
def adjust(ask: Ask) -> Object:
    """Take an event back."""
    world, params = ask.world, ask.params
    meter = _meter(world, params["event_name"])
    identifier = (params.get("cancel") or {}).get("identifier")
    known = [key for key in world.hidden if meter and key.startswith(f"usage:{meter['id']}:")]
    place = next((key for key in known if any(one[2] == identifier for one in world.hidden[key])), None)
    if place is None or identifier is None:
        raise Refusal(
            f"No event with the identifier {identifier}.", code="resource_missing", param="cancel[identifier]"
        )
    world.hide(place, [one for one in world.hidden[place] if one[2] != identifier])
    v2 = ask.row.path.startswith("/v2/")
    made = world.draft("v2.billing.meter_event_adjustment" if v2 else "billing.meter_event_adjustment", params)
    made.update(status="complete", cancel={"identifier": identifier})
    return made


@life("billing.meters.event_summaries.list")
def summaries(ask: Ask) -> Object:
    """What a customer used, as a whole or by hour or day."""
    world, params = ask.world, ask.params
    meter = world.get("billing.meter", ask.path["id"])
    start, end = params["start_time"], params["end_time"]
    if end <= start:
        raise Refusal("end_time must be after start_time.", param="end_time")
    step: int = {"hour": 3600, "day": DAY}.get(params.get("value_grouping_window") or "") or end - start
    found = []
    for at in range(start, end, step):
        value = aggregated(world, meter, params["customer"], at, min(at + step, end))
        if value or step == end - start:
            found.append({
                "id": f"mtrusg_test_{meter['id'][-8:]}{at}", "object": "billing.meter_event_summary",
                "aggregated_value": float(value),
                "end_time": min(at + step, end), "livemode": False, "meter": meter["id"], "start_time": at,
            })  # fmt: skip
    return listed(ask, found[::-1])


@life("v2.billing.meter_events.create")
def report_v2(ask: Ask) -> Object:
    """As for API v1."""
    world, params = ask.world, ask.params
    meter = _meter(world, params["event_name"])
    if meter is None:
        raise Refusal(f"No active meter found for event name {params['event_name']}.", code="no_meter")
    _count(world, meter, params["payload"], world.now(), params.get("identifier"))
    return {
        "object": "v2.billing.meter_event", "created": rfc3339(world.now()), "event_name": params["event_name"],
        "livemode": False,
        "identifier": params.get("identifier") or world.new_id("url"), "payload": params["payload"],
        "timestamp": params.get("timestamp") or rfc3339(world.now()),
    }  # fmt: skip


@life("v2.billing.meter_event_session.create")
def session(ask: Ask) -> Object:
    """A token for the meter event stream, for fifteen minutes."""
    made = ask.world.draft("v2.billing.meter_event_session")
    made.update(
        authentication_token=ask.world.new_id("v2.billing.meter_event_session"),
        expires_at=rfc3339(ask.world.now() + 900),
    )
    return made


@life("v2.billing.meter_event_stream.create")
def stream(ask: Ask) -> Object:
    """Many events at once; those of no meter are told of by a thin event, as the answer is empty."""
    world = ask.world
    for event in ask.params["events"]:
        meter = _meter(world, event["event_name"])
        if meter is None:
            continue
        try:
            _count(world, meter, event["payload"], world.now(), event.get("identifier"))
        except Refusal as refusal:
            world.emit_thin(
                "v1.billing.meter.error_report_triggered", meter, f"/v1/billing/meters/{meter['id']}",
                developer_message_summary=str(refusal), validation_start=rfc3339(world.now()),
                validation_end=rfc3339(world.now()),
                reason={"error_count": 1, "error_types": []},
            )  # fmt: skip
    return {}


@life("billing.meters.update")
def update(ask: Ask) -> Object:
    """Change a meter's name."""
    return ask.world.update(find(ask), ask.params, updated=ask.world.now())
