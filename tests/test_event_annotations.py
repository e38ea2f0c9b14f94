"""`AnyEvent` and `AnyNotification` as annotations, for Pydantic and FastAPI."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from pinstripe.events import (
    AnyEvent,
    AnyNotification,
    CustomerUpdatedEvent,
    Event,
    EventNotification,
    V1BillingMeterNoMeterFoundEventNotification,
)
from pinstripe.models import Customer

SAMPLES = Path(__file__).parent / "samples"
CUSTOMER = json.loads((SAMPLES / "customer.json").read_text())
EVENT = {**json.loads((SAMPLES / "event.json").read_text()), "type": "customer.updated", "data": {"object": CUSTOMER}}
NOTIFICATION = {
    "id": "evt_1",
    "object": "v2.core.event",
    "type": "v1.billing.meter.no_meter_found",
    "created": "2026-01-01T00:00:00Z",
    "livemode": False,
}
EVENTS: TypeAdapter[Any] = TypeAdapter(AnyEvent)  # Any: for type checkers a union, at run time an annotation
NOTIFICATIONS: TypeAdapter[Any] = TypeAdapter(AnyNotification)  # Any: a special form


def test_an_event_is_decoded_to_the_class_of_its_type() -> None:
    for event in (EVENTS.validate_python(EVENT), EVENTS.validate_json(json.dumps(EVENT))):
        assert type(event) is CustomerUpdatedEvent
        assert type(event.data.object) is Customer
        assert json.loads(EVENTS.dump_json(event, by_alias=True, exclude_unset=True)) == EVENT


def test_an_event_of_a_type_without_a_class_is_an_event() -> None:
    assert type(EVENTS.validate_python({**EVENT, "type": "customer.applauded"})) is Event


def test_an_event_is_not_decoded_again() -> None:
    event = EVENTS.validate_python(EVENT)
    assert EVENTS.validate_python(event) is event


def test_a_notification_is_decoded_to_the_class_of_its_type() -> None:
    assert type(NOTIFICATIONS.validate_python(NOTIFICATION)) is V1BillingMeterNoMeterFoundEventNotification
    other = NOTIFICATIONS.validate_python({**NOTIFICATION, "type": "v2.core.applause"})
    assert type(other) is EventNotification


def test_an_event_of_an_older_version_is_decoded_as_a_webhook_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    event = EVENTS.validate_python({name: value for name, value in EVENT.items() if name != "pending_webhooks"})
    assert type(event) is CustomerUpdatedEvent


@pytest.mark.parametrize("value", [{}, 1, "evt_1", CUSTOMER, NOTIFICATION, {"object": "event"}])
def test_what_is_not_an_event_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="Input should be an object of type event"):
        EVENTS.validate_python(value)


def test_every_event_is_an_instance() -> None:
    event, notification = EVENTS.validate_python(EVENT), NOTIFICATIONS.validate_python(NOTIFICATION)
    any_event: Any = AnyEvent  # Any: for type checkers a union
    any_notification: Any = AnyNotification  # Any: a special form
    assert isinstance(event, any_event)
    assert isinstance(notification, any_notification)
    assert not isinstance(notification, any_event)


def test_the_schema_is_that_of_an_event() -> None:
    assert EVENTS.json_schema() == Event.model_json_schema()


def test_the_body_of_a_fastapi_route_can_be_any_event() -> None:
    app = FastAPI()

    def receive(event: Any) -> None:  # Any: the annotation is set below, since `annotations` are strings in this module
        """Receive an event."""

    receive.__annotations__["event"] = AnyEvent
    app.post("/webhooks")(receive)
    (route,) = [route for route in app.routes if isinstance(route, APIRoute)]
    (body,) = route.dependant.body_params
    decoded, errors = body.validate(EVENT, loc=("body",))
    assert not errors
    assert type(decoded) is CustomerUpdatedEvent
