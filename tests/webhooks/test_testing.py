"""Helpers for tests of users: signed requests of every event type, and fixtures."""

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
from pinstripe.testing import SECRET, SignedRequest, deliver, event_json, signed_request
from pinstripe.webhooks import Handlers

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_signed_request_of_any_event_type_decodes_strictly(event_type: str) -> None:
    request = signed_request(event_type)
    event = pinstripe.webhooks.construct_event(request.payload, request.headers["Stripe-Signature"], SECRET)
    assert event.type == event_type
    same_event: object = request.event  # mypy takes minutes to compare two unions of all events
    assert same_event == event
    pinstripe.decode(json.loads(request.payload), validation="strict")
    assert not isinstance(event.data.object, pinstripe.StripeObject)
    assert json.loads(request.payload)["data"]["object"]["object"]


@pytest.mark.parametrize("event_type", THIN_EVENT_TYPES)
def test_signed_request_of_any_thin_event_type_is_a_notification(event_type: str) -> None:
    request = signed_request(event_type)
    notification = pinstripe.webhooks.parse_event_notification(
        request.payload, request.headers["Stripe-Signature"], SECRET
    )
    assert notification.type == event_type


def test_data_object_is_a_model_or_a_few_fields(stripe_client: pinstripe.Client) -> None:
    customer = stripe_client.customers.create(email="a@b.c")
    created: Any = signed_request("customer.created", customer).event  # Any: mypy takes minutes to narrow all events
    assert created.data.object == customer
    event = event_json("customer.updated", {"email": "x"}, previous_attributes={"email": None}, account="acct_1")
    assert event["data"]["object"]["email"] == "x"
    assert event["data"]["previous_attributes"] == {"email": None}
    assert event["account"] == "acct_1"
    with pytest.raises(ValueError, match="Unknown event type"):
        event_json("invoice.payd")


@pytest.mark.parametrize("webhook_app", [asgi.webhook_app, wsgi.webhook_app])
def test_deliver_posts_to_an_application(webhook_app: Callable[[Handlers, str], Any]) -> None:  # Any: an application
    handlers, amounts = Handlers(), []

    @handlers.on("invoice.paid")
    def paid(event: pinstripe.events.InvoicePaidEvent) -> None:
        amounts.append(event.data.object.amount_paid)

    app = webhook_app(handlers, SECRET)
    assert deliver(signed_request("invoice.paid", {"amount_paid": 2900}), app, "/x").status_code == 200
    assert deliver(signed_request("invoice.paid", secret="whsec_other"), app).status_code == 400
    assert amounts == [2900]


def test_deliver_posts_to_a_url() -> None:
    handlers = Handlers()
    with served(asgi.webhook_app(handlers, SECRET)) as url:
        assert deliver(signed_request("invoice.paid"), url).status_code == 200
    assert handlers.unhandled == {"invoice.paid": 1}


def test_fixtures_are_available_without_an_import(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio

        def test_clients(stripe_emulator, stripe_client, stripe_async_client):
            customer = stripe_client.customers.create(email="a")
            assert asyncio.run(stripe_async_client.customers.retrieve(customer.id)).email == "a"
            assert [event.type for event in stripe_emulator.events] == ["customer.created"]

        def test_each_test_has_a_new_emulator(stripe_client):
            assert stripe_client.customers.list().data == []

        def test_signed_requests(stripe_signed_request):
            assert stripe_signed_request("invoice.paid").event.type == "invoice.paid"
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=3)


def test_plugin_loads_nothing_until_a_fixture_is_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os, sys

        HEAVY = {"pydantic", "httpx", "asyncio", "pinstripe.emulator", "pinstripe.webhooks", "pinstripe._client"}

        def test_before(request):
            assert "pinstripe.testing.plugin" in sys.modules
            assert sorted(name for name in sys.modules if name.startswith("pinstripe")) == [
                "pinstripe",
                "pinstripe._api_version",
                "pinstripe._lazy",
                "pinstripe._version",
                "pinstripe.testing",
                "pinstripe.testing.plugin",
            ]
            assert not HEAVY & set(sys.modules)
            assert os.environ["PINSTRIPE_TEST_MODE"] == "1"
            request.getfixturevalue("stripe_client")
            assert "pinstripe.emulator" in sys.modules
        """
    )
    options = ("-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider", "-p", "no:xdist")
    pytester.runpytest_subprocess("-q", *options).assert_outcomes(passed=1)


def test_names_of_the_package_are_loaded_when_they_are_used() -> None:
    import pinstripe.testing

    assert set(dir(pinstripe.testing)) == set(pinstripe.testing.__all__)
    with pytest.raises(AttributeError, match="signd_request"):
        pinstripe.testing.signd_request  # type: ignore[attr-defined]  # noqa: B018  # a misspelled name


def test_fixtures_have_their_documented_types(
    stripe_emulator: Emulator, stripe_client: pinstripe.Client, stripe_signed_request: Callable[..., SignedRequest]
) -> None:
    assert isinstance(stripe_client.customers.create(), Customer)
    assert len(stripe_emulator.events) == 1
    assert stripe_signed_request("customer.created", secret="s").payload
