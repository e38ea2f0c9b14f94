"""Meters and meter events, of API v1 and v2.

https://docs.stripe.com/billing/subscriptions/usage-based
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import OWNER_SEPARATOR, AccountState
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import MeterUsage, UsageEvent
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

MAX_AGE, MAX_LEAD = 35 * DAY, 300
"""The number of seconds that the timestamp of a meter event may be in the past and in the future."""
SESSION_SECONDS = 900
GROUPING_SECONDS = {"hour": 3600, "day": DAY}


@operation("billing.meters.create")
def create(context: OperationContext) -> Object:
    """Create a meter; no other active meter may have its event name."""
    state, params = context.state, context.params
    if _active_meter(state, params["event_name"]):
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


@operation("billing.meters.update")
def update(context: OperationContext) -> Object:
    """Change the name of a meter."""
    return context.state.apply_update(find(context), context.params, updated=context.state.clock.now())


@operation("billing.meters.deactivate", "billing.meters.reactivate")
def change_status(context: OperationContext) -> Object:
    """Deactivate or reactivate a meter."""
    state, deactivate = context.state, context.endpoint.method == "deactivate"
    meter = state.objects.get("billing.meter", context.target_id)
    if meter["status"] != ("active" if deactivate else "inactive"):
        raise wrong_state(meter, context.endpoint.method)
    state.objects.update(
        meter,
        status="inactive" if deactivate else "active",
        updated=state.clock.now(),
        status_transitions={"deactivated_at": state.clock.now() if deactivate else None},
    )
    state.events.emit("deactivated" if deactivate else "reactivated", meter)
    return meter


def _active_meter(state: AccountState, event_name: str) -> Object | None:
    return next(state.objects.all("billing.meter", event_name=event_name, status="active"), None)


def _required_meter(state: AccountState, event_name: str, param: str | None = None) -> Object:
    meter = _active_meter(state, event_name)
    if meter is None:
        raise ErrorResponse(f"No active meter found for event name {event_name}.", code="no_meter", param=param)
    return meter


@operation("billing.meter_events.create")
def create_event(context: OperationContext) -> Object:
    """Record usage; the payload names the customer and the value."""
    state, params = context.state, context.params
    meter = _required_meter(state, params["event_name"], "event_name")
    timestamp = params.get("timestamp") or state.clock.now()
    _record_usage(state, meter, params, timestamp)
    return {
        "object": "billing.meter_event",
        "created": state.clock.now(),
        "event_name": params["event_name"],
        "livemode": False,
        "identifier": params.get("identifier") or state.new_id("url"),
        "payload": params["payload"],
        "timestamp": timestamp,
    }


@operation("v2.billing.meter_events.create")
def create_event_v2(context: OperationContext) -> Object:
    """Record usage, as of now."""
    state, params = context.state, context.params
    meter = _required_meter(state, params["event_name"])
    _record_usage(state, meter, params, state.clock.now())
    return {
        "object": "v2.billing.meter_event",
        "created": rfc3339(state.clock.now()),
        "event_name": params["event_name"],
        "livemode": False,
        "identifier": params.get("identifier") or state.new_id("url"),
        "payload": params["payload"],
        "timestamp": params.get("timestamp") or rfc3339(state.clock.now()),
    }


def _record_usage(state: AccountState, meter: Object, params: Object, timestamp: int) -> None:
    payload, identifier = params["payload"], params.get("identifier")
    customer_key = meter["customer_mapping"]["event_payload_key"]
    if customer_key not in payload:
        raise missing_param(f"payload[{customer_key}]")
    customer = state.objects.get("customer", payload[customer_key], f"payload[{customer_key}]")
    state.clock.follow(customer)
    value = _usage_value(meter, payload)
    now = state.clock.now()
    if not now - MAX_AGE <= timestamp <= now + MAX_LEAD:
        raise ErrorResponse("The timestamp is more than 35 days ago, or more than 5 minutes ahead.", param="timestamp")
    key = (meter["id"], customer["id"])
    usage = state.tables.meter_usage.get(key) or MeterUsage()
    if identifier and any(event.identifier == identifier for event in usage.events):
        raise ErrorResponse(
            f"An event with the identifier {identifier} exists already.",
            code="duplicate_meter_event",
            param="identifier",
        )
    event = UsageEvent(timestamp, str(value), identifier)
    state.tables.meter_usage.set(key, MeterUsage((*usage.events, event)))


def _usage_value(meter: Object, payload: Object) -> Decimal:
    if meter["default_aggregation"]["formula"] == "count":
        return Decimal(1)
    key = meter["value_settings"]["event_payload_key"]
    if key not in payload:
        raise missing_param(f"payload[{key}]")
    try:
        return Decimal(payload[key])
    except InvalidOperation:
        raise ErrorResponse(f"The value is not a number: {payload[key]}", param=f"payload[{key}]") from None


def _usage_between(state: AccountState, meter: Object, customer_id: str, start: int, end: int) -> Decimal:
    """Return the usage of a customer from ``start`` until before ``end``."""
    usage = state.tables.meter_usage.get((meter["id"], customer_id)) or MeterUsage()
    events = [event for event in usage.events if start <= event.timestamp < end]
    if meter["default_aggregation"]["formula"] == "last":
        return Decimal(max(events, key=lambda event: event.timestamp).value) if events else Decimal(0)
    return sum((Decimal(event.value) for event in events), Decimal(0))


def metered_quantity(state: AccountState, price: Object, customer_id: str, start: int, end: int) -> int:
    """Return the quantity of a metered price that is billed for a period, in whole units."""
    meter = state.objects.find("billing.meter", price["recurring"].get("meter"))
    return int(_usage_between(state, meter, customer_id, start, end)) if meter else 0


@operation("billing.meter_event_adjustments.create", "v2.billing.meter_event_adjustments.create")
def cancel_event(context: OperationContext) -> Object:
    """Cancel a meter event by its identifier."""
    state, params = context.state, context.params
    meter = _active_meter(state, params["event_name"])
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
    version = "v2." if context.endpoint.path.startswith("/v2/") else ""
    adjustment = state.draft(f"{version}billing.meter_event_adjustment", params)
    adjustment.update(status="complete", cancel={"identifier": identifier})
    return adjustment


@operation("billing.meters.event_summaries.list")
def list_summaries(context: OperationContext) -> Object:
    """Return a page of the usage of a customer: in total, or for each hour or day with usage."""
    state, params = context.state, context.params
    meter = state.objects.get("billing.meter", context.path["id"])
    start, end = params["start_time"], params["end_time"]
    if end <= start:
        raise ErrorResponse("end_time must be after start_time.", param="end_time")
    window: int = GROUPING_SECONDS.get(params.get("value_grouping_window") or "") or end - start
    summaries = []
    for window_start in range(start, end, window):
        window_end = min(window_start + window, end)
        value = _usage_between(state, meter, params["customer"], window_start, window_end)
        if value or window == end - start:
            summaries.append(
                {
                    "id": f"mtrusg_test_{meter['id'][-8:]}{window_start}",
                    "object": "billing.meter_event_summary",
                    "aggregated_value": float(value),
                    "end_time": window_end,
                    "livemode": False,
                    "meter": meter["id"],
                    "start_time": window_start,
                }
            )
    return paginate(context, summaries[::-1])


@operation("v2.billing.meter_event_session.create")
def create_session(context: OperationContext) -> Object:
    """Create a token for the meter event stream."""
    state = context.state
    session = state.draft("v2.billing.meter_event_session")
    session.update(
        authentication_token=state.new_id("v2.billing.meter_event_session") + state.owner.removesuffix(OWNER_SEPARATOR),
        expires_at=rfc3339(state.clock.now() + SESSION_SECONDS),
    )
    return session


@operation("v2.billing.meter_event_stream.create")
def stream_events(context: OperationContext) -> Object:
    """Record the usage of many events; errors are reported by thin events, because the response is empty."""
    state = context.state
    for event in context.params["events"]:
        meter = _active_meter(state, event["event_name"])
        if meter is None:
            continue
        try:
            _record_usage(state, meter, event, state.clock.now())
        except ErrorResponse as error:
            now = rfc3339(state.clock.now())
            state.events.emit_thin(
                "v1.billing.meter.error_report_triggered",
                meter,
                developer_message_summary=str(error),
                validation_start=now,
                validation_end=now,
                reason={"error_count": 1, "error_types": []},
            )
    return {}
