"""Meters, and what was used. https://docs.stripe.com/billing/subscriptions/usage-based"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import MeterUsage, UsageEvent
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

PAST, AHEAD = 35 * DAY, 300
"""How old, and how far ahead of time, the time of a meter event may be."""


@operation("billing.meters.create")
def create(context: OperationContext) -> Object:
    """A meter; names of events are its own."""
    state, params = context.state, context.params
    if any(one["event_name"] == params["event_name"] for one in state.objects.all("billing.meter", status="active")):
        raise ErrorResponse(
            f"There is already an active meter for the event name {params['event_name']}.",
            code="resource_already_exists",
            param="event_name",
        )
    meter = state.draft("billing.meter", params)
    meter.update(
        customer_mapping=params.get("customer_mapping") or {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        value_settings=params.get("value_settings") or {"event_payload_key": "value"},
        status="active",
        updated=state.clock.now(),
    )
    state.objects.add(meter)
    state.events.emit("created", meter)
    return meter


@operation("billing.meters.deactivate", "billing.meters.reactivate")
def switch(context: OperationContext) -> Object:
    """Turn a meter off, or on again."""
    state, off = context.state, context.endpoint.method == "deactivate"
    meter = state.objects.get("billing.meter", context.target_id)
    if meter["status"] != ("active" if off else "inactive"):
        raise wrong_state(meter, context.endpoint.method)
    transitions = {"deactivated_at": state.clock.now() if off else None}
    state.objects.update(
        meter, status="inactive" if off else "active", updated=state.clock.now(), status_transitions=transitions
    )
    state.events.emit("deactivated" if off else "reactivated", meter)
    return meter


def _meter(state: AccountState, name: str) -> Object | None:
    return next((one for one in state.objects.all("billing.meter", event_name=name, status="active")), None)


@operation("billing.meter_events.create")
def report(context: OperationContext) -> Object:
    """Something was used: ``payload`` says by whom, and how much."""
    state, params = context.state, context.params
    meter = _meter(state, params["event_name"])
    if meter is None:
        raise ErrorResponse(
            f"No active meter found for event name {params['event_name']}.", code="no_meter", param="event_name"
        )
    at = params.get("timestamp") or state.clock.now()
    _count(state, meter, params["payload"], at, params.get("identifier"))
    return {
        "object": "billing.meter_event",
        "created": state.clock.now(),
        "event_name": params["event_name"],
        "livemode": False,
        "identifier": params.get("identifier") or state.new_id("url"),
        "payload": params["payload"],
        "timestamp": at,
    }


def _count(state: AccountState, meter: Object, payload: Object, at: int, identifier: str | None) -> None:
    who, what = meter["customer_mapping"]["event_payload_key"], meter["value_settings"]["event_payload_key"]
    if who not in payload:
        raise missing_param(f"payload[{who}]")
    customer = state.objects.get("customer", payload[who], f"payload[{who}]")
    state.clock.follow(customer)
    counts = meter["default_aggregation"]["formula"] == "count"
    try:
        value = Decimal(1) if counts else Decimal(payload[what])
    except KeyError:
        raise missing_param(f"payload[{what}]") from None
    except InvalidOperation:
        raise ErrorResponse(f"The value is not a number: {payload[what]}", param=f"payload[{what}]") from None
    now = state.clock.now()
    if not now - PAST <= at <= now + AHEAD:
        raise ErrorResponse("The timestamp is more than 35 days ago, or more than 5 minutes ahead.", param="timestamp")
    key = (meter["id"], customer["id"])
    usage = state.tables.meter_usage.get(key) or MeterUsage()
    if identifier and any(event.identifier == identifier for event in usage.events):
        raise ErrorResponse(
            f"An event with the identifier {identifier} exists already.",
            code="duplicate_meter_event",
            param="identifier",
        )
    state.tables.meter_usage.set(key, MeterUsage((*usage.events, UsageEvent(at, str(value), identifier))))


def aggregated(state: AccountState, meter: Object, customer: str, start: int, end: int) -> Decimal:
    """What a customer used from one time until before another."""
    usage = state.tables.meter_usage.get((meter["id"], customer)) or MeterUsage()
    events = [event for event in usage.events if start <= event.timestamp < end]
    if meter["default_aggregation"]["formula"] == "last":
        return Decimal(max(events, key=lambda event: event.timestamp).value) if events else Decimal(0)
    return sum((Decimal(event.value) for event in events), Decimal(0))


def total(state: AccountState, price: Object, customer: str, start: int, end: int) -> int:
    """What is billed of a metered price, in whole units."""
    meter = state.objects.find("billing.meter", price["recurring"].get("meter"))
    return int(aggregated(state, meter, customer, start, end)) if meter else 0


@operation("billing.meter_event_adjustments.create", "v2.billing.meter_event_adjustments.create")
def adjust(context: OperationContext) -> Object:
    """Take an event back."""
    state, params = context.state, context.params
    meter = _meter(state, params["event_name"])
    identifier = (params.get("cancel") or {}).get("identifier")
    usages = state.tables.meter_usage
    keys = [key for key in usages if meter and key[0] == meter["id"]]
    key = next((key for key in keys if any(event.identifier == identifier for event in usages[key].events)), None)
    if key is None or identifier is None:
        raise ErrorResponse(
            f"No event with the identifier {identifier}.", code="resource_missing", param="cancel[identifier]"
        )
    remaining = (event for event in usages[key].events if event.identifier != identifier)
    usages.set(key, MeterUsage(tuple(remaining)))
    v2 = context.endpoint.path.startswith("/v2/")
    made = state.draft("v2.billing.meter_event_adjustment" if v2 else "billing.meter_event_adjustment", params)
    made.update(status="complete", cancel={"identifier": identifier})
    return made


@operation("billing.meters.event_summaries.list")
def summaries(context: OperationContext) -> Object:
    """What a customer used, as a whole or by hour or day."""
    state, params = context.state, context.params
    meter = state.objects.get("billing.meter", context.path["id"])
    start, end = params["start_time"], params["end_time"]
    if end <= start:
        raise ErrorResponse("end_time must be after start_time.", param="end_time")
    step: int = {"hour": 3600, "day": DAY}.get(params.get("value_grouping_window") or "") or end - start
    found = []
    for at in range(start, end, step):
        value = aggregated(state, meter, params["customer"], at, min(at + step, end))
        if value or step == end - start:
            found.append(
                {
                    "id": f"mtrusg_test_{meter['id'][-8:]}{at}",
                    "object": "billing.meter_event_summary",
                    "aggregated_value": float(value),
                    "end_time": min(at + step, end),
                    "livemode": False,
                    "meter": meter["id"],
                    "start_time": at,
                }
            )
    return paginate(context, found[::-1])


@operation("v2.billing.meter_events.create")
def report_v2(context: OperationContext) -> Object:
    """As for API v1."""
    state, params = context.state, context.params
    meter = _meter(state, params["event_name"])
    if meter is None:
        raise ErrorResponse(f"No active meter found for event name {params['event_name']}.", code="no_meter")
    _count(state, meter, params["payload"], state.clock.now(), params.get("identifier"))
    return {
        "object": "v2.billing.meter_event",
        "created": rfc3339(state.clock.now()),
        "event_name": params["event_name"],
        "livemode": False,
        "identifier": params.get("identifier") or state.new_id("url"),
        "payload": params["payload"],
        "timestamp": params.get("timestamp") or rfc3339(state.clock.now()),
    }


@operation("v2.billing.meter_event_session.create")
def session(context: OperationContext) -> Object:
    """A token for the meter event stream, for fifteen minutes."""
    made = context.state.draft("v2.billing.meter_event_session")
    made.update(
        authentication_token=context.state.new_id("v2.billing.meter_event_session"),
        expires_at=rfc3339(context.state.clock.now() + 900),
    )
    return made


@operation("v2.billing.meter_event_stream.create")
def stream(context: OperationContext) -> Object:
    """Many events at once; those of no meter are told of by a thin event, as the answer is empty."""
    state = context.state
    for event in context.params["events"]:
        meter = _meter(state, event["event_name"])
        if meter is None:
            continue
        try:
            _count(state, meter, event["payload"], state.clock.now(), event.get("identifier"))
        except ErrorResponse as error_response:
            state.events.emit_thin(
                "v1.billing.meter.error_report_triggered",
                meter,
                f"/v1/billing/meters/{meter['id']}",
                developer_message_summary=str(error_response),
                validation_start=rfc3339(state.clock.now()),
                validation_end=rfc3339(state.clock.now()),
                reason={"error_count": 1, "error_types": []},
            )
    return {}


@operation("billing.meters.update")
def update(context: OperationContext) -> Object:
    """Change a meter's name."""
    return context.state.apply_update(find(context), context.params, updated=context.state.clock.now())
