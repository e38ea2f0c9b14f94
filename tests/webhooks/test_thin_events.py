"""Thin events (API v2) and the event envelopes of Amazon EventBridge and Azure Event Grid."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

import pinstripe
from codegen import facts
from pinstripe import webhooks
from pinstripe.models._event_types import THIN_EVENT_TYPES

SECRET = "whsec_test"
METER = {
    "id": "mtr_1",
    "object": "billing.meter",
    "created": 1,
    "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
    "default_aggregation": {"formula": "sum"},
    "display_name": "Calls",
    "event_name": "calls",
    "event_time_window": None,
    "livemode": False,
    "status": "active",
    "status_transitions": {"deactivated_at": None},
    "updated": 1,
    "value_settings": {"event_payload_key": "value"},
}
NOTIFICATION = {
    "id": "evt_test_1",
    "object": "v2.core.event",
    "type": "v1.billing.meter.error_report_triggered",
    "created": "2026-01-27T12:00:00.000Z",
    "livemode": False,
    "context": "acct_1",
    "reason": {"type": "request", "request": {"id": "req_1", "idempotency_key": "k"}},
    "related_object": {"id": "mtr_1", "type": "billing.meter", "url": "/v1/billing/meters/mtr_1"},
}
DATA = {
    "developer_message_summary": "There is 1 invalid event",
    "reason": {
        "error_count": 1,
        "error_types": [
            {
                "code": "meter_event_no_customer_defined",
                "error_count": 1,
                "sample_errors": [{"error_message": "No customer", "request": {"identifier": "i"}}],
            }
        ],
    },
    "validation_end": "2026-01-27T12:00:10.000Z",
    "validation_start": "2026-01-27T12:00:00.000Z",
}
SNAPSHOT = {
    "id": "evt_1",
    "object": "event",
    "api_version": pinstripe.API_VERSION,
    "created": 1,
    "data": {"object": METER},
    "livemode": False,
    "pending_webhooks": 0,
    "request": None,
    "type": "billing.meter.created",
}


def parse(notification: dict[str, Any]) -> Any:  # Any: JSON; the class depends on the type
    payload = json.dumps(notification).encode()
    return webhooks.parse_event_notification(payload, webhooks.sign(payload, SECRET), SECRET)


def mock_stripe(requests: list[httpx.Request]) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        event = {**NOTIFICATION, "data": DATA, "changes": None}
        return httpx.Response(200, json=METER if "meters" in request.url.path else event)

    return httpx.MockTransport(handle)


def test_notification_fetches_its_event_and_object_with_its_context() -> None:
    notification = parse(NOTIFICATION)
    assert type(notification) is pinstripe.events.V1BillingMeterErrorReportTriggeredEventNotification
    requests: list[httpx.Request] = []
    http_client = httpx.Client(transport=mock_stripe(requests))
    client = pinstripe.Client("sk_test_x", http_client=http_client, validation="strict")
    event = notification.fetch_event(client)
    assert type(event) is pinstripe.events.V1BillingMeterErrorReportTriggeredEvent
    assert event.data.reason.error_types[0].code == "meter_event_no_customer_defined"
    meter = notification.fetch_related_object(client)
    assert isinstance(meter, pinstripe.models.BillingMeter)
    assert [request.url.path for request in requests] == ["/v2/core/events/evt_test_1", "/v1/billing/meters/mtr_1"]
    assert {request.headers["stripe-context"] for request in requests} == {"acct_1"}


def test_notification_can_fetch_with_an_async_client() -> None:
    notification = parse(NOTIFICATION)
    requests: list[httpx.Request] = []
    client = pinstripe.AsyncClient("sk_test_x", http_client=httpx.AsyncClient(transport=mock_stripe(requests)))

    async def fetch() -> None:
        assert (await notification.fetch_event(client)).data.reason.error_count == 1
        assert (await notification.fetch_related_object(client)).id == "mtr_1"
        unrelated = parse({**NOTIFICATION, "related_object": None, "context": None})
        assert await unrelated.fetch_related_object(client) is None
        await unrelated.fetch_event(client)
        assert "stripe-context" not in requests[-1].headers

    asyncio.run(fetch())


def test_every_thin_event_type_has_its_classes() -> None:
    assert set(THIN_EVENT_TYPES) == set(facts.load().thin_events)
    for event_type, (name, _, _) in THIN_EVENT_TYPES.items():
        notification = parse({**NOTIFICATION, "type": event_type})
        assert type(notification).__name__ == name
        assert type(notification) is getattr(pinstripe.events, name)
        assert getattr(pinstripe.events, name.removesuffix("Notification")) is pinstripe.events.class_for(event_type)


def test_unknown_type_is_an_untyped_notification() -> None:
    notification = parse({**NOTIFICATION, "type": "v2.core.unicorn.created"})
    assert type(notification) is pinstripe.events.EventNotification
    assert notification.related_object is not None
    event = pinstripe.decode({**NOTIFICATION, "type": "v2.core.unicorn.created", "data": {"a": 1}}, validation="strict")
    assert type(event) is pinstripe.models.V2CoreEvent


def test_notification_can_be_serialized_and_read_again() -> None:
    notification = parse(NOTIFICATION)
    assert json.loads(notification.model_dump_json(by_alias=True, exclude_unset=True)) == NOTIFICATION
    again: object = webhooks.read(notification.model_dump_json(by_alias=True, exclude_unset=True))
    assert again == notification


def test_wrong_kind_of_event_names_the_right_function() -> None:
    for function, payload, name in (
        (webhooks.construct_event, NOTIFICATION, "parse_event_notification"),
        (webhooks.parse_event_notification, SNAPSHOT, "construct_event"),
    ):
        body = json.dumps(payload)
        with pytest.raises(pinstripe.InvalidArgumentError, match=name):
            function(body, webhooks.sign(body, SECRET), SECRET)


def test_notification_with_a_wrong_signature_is_rejected() -> None:
    body = json.dumps(NOTIFICATION)
    with pytest.raises(pinstripe.SignatureVerificationError):
        webhooks.parse_event_notification(body, webhooks.sign(body, "whsec_other"), SECRET)


EVENTBRIDGE = {
    "version": "0",
    "id": "x",
    "detail-type": "billing.meter.created",
    "source": "aws.partner/stripe.com/ed_1",
}
EVENTGRID = {"specversion": "1.0", "id": "x", "type": "billing.meter.created", "source": "/stripe"}


@pytest.mark.parametrize("inner", [SNAPSHOT, NOTIFICATION])
@pytest.mark.parametrize(("outer", "field"), [(EVENTBRIDGE, "detail"), (EVENTGRID, "data")])
def test_event_from_envelope_is_the_same_typed_event(
    inner: dict[str, Any], outer: dict[str, Any], field: str
) -> None:  # Any: JSON
    expected: object = webhooks.read(inner)  # mypy takes minutes to compare two unions of all events
    for envelope in ({**outer, field: inner}, json.dumps({**outer, field: inner}), {**outer, field: json.dumps(inner)}):
        event: object = webhooks.event_from_envelope(envelope)
        assert event == expected
        assert type(event) is type(expected)


@pytest.mark.parametrize(
    "envelope", [{}, {"detail": {}}, {"data": {"object": "customer"}}, b"[]", b"{", {"detail": "{"}]
)
def test_envelope_without_an_event_is_rejected(envelope: Any) -> None:  # Any: invalid envelopes
    with pytest.raises(pinstripe.ResponseValidationError):
        webhooks.event_from_envelope(envelope)
