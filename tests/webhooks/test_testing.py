"""What users get for tests of their own: deliveries of every type, and fixtures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.emulator.server.serving import serve as served
from pinstripe.integrations import asgi, wsgi
from pinstripe.models import Customer
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.testing import SECRET, Delivery, deliver, delivery, event_json
from pinstripe.webhooks import Handlers

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_delivery_of_any_type_is_realistic_signed_and_strict(event_type: str) -> None:
    made = delivery(event_type)
    event = pinstripe.webhooks.construct_event(made.payload, made.headers["Stripe-Signature"], SECRET)
    assert event.type == event_type
    assert made.event == event
    pinstripe.decode(json.loads(made.payload), validation="strict")
    about = json.loads(made.payload)["data"]["object"]
    assert not isinstance(event.data.object, pinstripe.StripeObject)
    assert about["object"]


@pytest.mark.parametrize("event_type", THIN_EVENT_TYPES)
def test_thin_events_can_be_delivered_too(event_type: str) -> None:
    made = delivery(event_type)
    found = pinstripe.webhooks.parse_event_notification(made.payload, made.headers["Stripe-Signature"], SECRET)
    assert found.type == event_type


def test_an_event_is_about_a_model_or_a_few_fields(stripe_client: pinstripe.Client) -> None:
    customer = stripe_client.customers.create(email="a@b.c")
    assert delivery("customer.created", customer).event.data.object == customer  # type: ignore[union-attr]  # a snapshot
    changed = event_json("customer.updated", {"email": "x"}, previous_attributes={"email": None}, account="acct_1")
    assert changed["data"]["object"]["email"] == "x"
    assert changed["data"]["previous_attributes"] == {"email": None}
    assert changed["account"] == "acct_1"
    with pytest.raises(ValueError, match="no event type"):
        event_json("invoice.payd")


@pytest.mark.parametrize("make", [asgi.webhook_app, wsgi.webhook_app])
def test_a_delivery_is_posted_to_an_application(make: Callable[[Handlers, str], Any]) -> None:  # Any: an application
    handlers, seen = Handlers(), []

    @handlers.on("invoice.paid")
    def paid(event: pinstripe.events.InvoicePaidEvent) -> None:
        seen.append(event.data.object.amount_paid)

    app = make(handlers, SECRET)
    assert deliver(delivery("invoice.paid", {"amount_paid": 2900}), app, "/x").status_code == 200
    assert deliver(delivery("invoice.paid", secret="whsec_other"), app).status_code == 400
    assert seen == [2900]


def test_a_delivery_is_posted_to_a_url() -> None:
    handlers = Handlers()
    with served(asgi.webhook_app(handlers, SECRET)) as url:
        assert deliver(delivery("invoice.paid"), url).status_code == 200
    assert handlers.unhandled == {"invoice.paid": 1}


def test_the_fixtures_come_by_themselves(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio

        def test_clients(stripe_emulator, stripe_client, stripe_async_client):
            made = stripe_client.customers.create(email="a")
            assert asyncio.run(stripe_async_client.customers.retrieve(made.id)).email == "a"
            assert [event.type for event in stripe_emulator.events] == ["customer.created"]

        def test_each_test_has_its_own(stripe_client):
            assert stripe_client.customers.list().data == []

        def test_deliveries(stripe_delivery):
            assert stripe_delivery("invoice.paid").event.type == "invoice.paid"
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=3)


def test_the_fixtures_are_what_they_say(
    stripe_emulator: Emulator, stripe_client: pinstripe.Client, stripe_delivery: Callable[..., Delivery]
) -> None:
    assert isinstance(stripe_client.customers.create(), Customer)
    assert len(stripe_emulator.events) == 1
    assert stripe_delivery("customer.created", secret="s").payload
