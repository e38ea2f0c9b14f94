"""Checkout sessions that are completed through their page, with cards that require 3-D Secure, and with trials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.models import CheckoutSession, PaymentIntent, SetupIntent, Subscription

VISA, DECLINED, AUTHENTICATE = "4242424242424242", "4000000000000002", "4000002760003184"


@dataclass
class Shop:
    """An emulator that serves its pages, and a monthly price."""

    emulator: Emulator
    client: pinstripe.Client
    price: str

    def open(self, **params: Any) -> CheckoutSession:  # Any: parameters of a session
        """Open a session of two seats, unless ``params`` say otherwise."""
        defaults: dict[str, Any] = {
            "success_url": "https://example.com",
            "mode": "subscription",
        }  # Any: a literal of parameters
        if params.get("mode") != "setup":
            defaults["line_items"] = [{"price": self.price, "quantity": 2}]
        return self.client.checkout.sessions.create(**{**defaults, **params})

    def submit(self, session: CheckoutSession, number: str) -> httpx.Response:
        """Submit the form of the session's page."""
        form = {"email": "jenny@example.com", "name": "Jenny", "number": number, "expiry": "12 / 34"}
        return httpx.post(str(session.url), data=form)

    def challenge(self, response: httpx.Response) -> str:
        """Return the id of the intent whose challenge a response redirects to."""
        assert response.status_code in (302, 303)
        _, _, intent = response.headers["location"].rpartition("/authenticate/")
        assert intent
        return str(intent)

    def retrieve(self, session: CheckoutSession) -> CheckoutSession:
        return self.client.checkout.sessions.retrieve(
            session.id, expand=["subscription", "payment_intent", "setup_intent"]
        )


@pytest.fixture
def shop(emulator: Emulator) -> Iterator[Shop]:
    with emulator.serve() as url, pinstripe.Client("sk_test_x", base_url=url) as client:
        price = client.prices.create(
            currency="usd", unit_amount=2900, recurring={"interval": "month"}, product_data={"name": "Seat"}
        )
        yield Shop(emulator, client, price.id)


def subscription_of(session: CheckoutSession) -> Subscription:
    assert isinstance(session.subscription, Subscription)
    return session.subscription


def test_a_subscription_is_paid_with_a_card(shop: Shop) -> None:
    session = shop.open()
    assert shop.submit(session, DECLINED).status_code == 402
    assert shop.client.subscriptions.list(status="all").data == []
    shop.submit(session, VISA)
    completed = shop.retrieve(session)
    assert (completed.status, completed.payment_status, completed.amount_total) == ("complete", "paid", 5800)
    assert subscription_of(completed).status == "active"
    assert len(shop.client.customers.list().data) == 1
    types = shop.emulator.events.types
    assert types.index("customer.subscription.created") < types.index("invoice.paid")
    assert types[-1] == "checkout.session.completed"


def test_a_subscription_waits_for_the_authentication_of_its_card(shop: Shop) -> None:
    session = shop.open()
    intent = shop.challenge(shop.submit(session, AUTHENTICATE))
    waiting = shop.retrieve(session)
    assert (waiting.status, waiting.payment_status, waiting.subscription) == ("open", "unpaid", None)
    assert shop.client.subscriptions.list().data[0].status == "incomplete"
    assert "checkout.session.completed" not in shop.emulator.events.types
    shop.emulator.authenticate(intent)
    completed = shop.retrieve(session)
    assert (completed.status, completed.payment_status, subscription_of(completed).status) == (
        "complete",
        "paid",
        "active",
    )
    assert completed.customer_details is not None
    assert completed.customer_details.email == "jenny@example.com"


def test_another_card_pays_after_a_failed_authentication(shop: Shop) -> None:
    session = shop.open()
    intent = shop.challenge(shop.submit(session, AUTHENTICATE))
    shop.emulator.authenticate(intent, success=False)
    page = httpx.get(str(session.url))
    assert "unable to authenticate" in page.text
    assert shop.retrieve(session).status == "open"
    shop.submit(session, VISA)
    (subscription,) = shop.client.subscriptions.list(status="all")
    assert (subscription.status, subscription_of(shop.retrieve(session)).id) == ("active", subscription.id)


def test_a_card_is_saved_after_its_authentication(shop: Shop) -> None:
    customer = shop.client.customers.create().id
    session = shop.open(mode="setup", currency="usd", customer=customer)
    intent = shop.challenge(shop.submit(session, AUTHENTICATE))
    assert shop.retrieve(session).status == "open"
    assert shop.client.payment_methods.list(customer=customer).data == []
    shop.emulator.authenticate(intent)
    completed = shop.retrieve(session)
    assert isinstance(completed.setup_intent, SetupIntent)
    assert (completed.status, completed.payment_status, completed.setup_intent.status) == (
        "complete",
        "no_payment_required",
        "succeeded",
    )
    assert len(shop.client.payment_methods.list(customer=customer).data) == 1


def test_a_payment_keeps_the_details_of_the_customer_during_authentication(shop: Shop) -> None:
    data = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Mug"}}
    session = shop.open(mode="payment", line_items=[{"price_data": data, "quantity": 1}])
    shop.emulator.authenticate(shop.challenge(shop.submit(session, AUTHENTICATE)))
    completed = shop.retrieve(session)
    assert isinstance(completed.payment_intent, PaymentIntent)
    assert completed.customer_details is not None
    assert (completed.status, completed.payment_intent.status, completed.customer_details.name) == (
        "complete",
        "succeeded",
        "Jenny",
    )


def test_a_trial_costs_nothing_now(shop: Shop) -> None:
    session = shop.open(subscription_data={"trial_period_days": 14})
    assert (session.amount_subtotal, session.amount_total) == (0, 0)
    assert session.payment_status == "no_payment_required"
    (item,) = shop.client.checkout.sessions.line_items.list(session.id)
    assert (item.amount_subtotal, item.amount_total, item.quantity) == (0, 0, 2)
    assert "14 days free, then $58.00 per month" in httpx.get(str(session.url)).text
    shop.submit(session, VISA)
    completed = shop.retrieve(session)
    assert (completed.status, completed.payment_status) == ("complete", "no_payment_required")
    assert subscription_of(completed).status == "trialing"


def test_what_is_due_beside_a_trial_is_paid_now(shop: Shop) -> None:
    fee = shop.client.prices.create(currency="usd", unit_amount=1000, product_data={"name": "Setup"}).id
    session = shop.open(
        line_items=[{"price": shop.price, "quantity": 2}, {"price": fee, "quantity": 1}],
        subscription_data={"trial_period_days": 14},
    )
    assert session.amount_total == 1000
    shop.submit(session, VISA)
    completed = shop.retrieve(session)
    assert (completed.payment_status, subscription_of(completed).status) == ("paid", "trialing")
    assert shop.client.invoices.list().data[0].amount_paid == 1000


def test_a_trial_waits_for_the_authentication_of_its_card(shop: Shop) -> None:
    session = shop.open(subscription_data={"trial_period_days": 14})
    intent = shop.challenge(shop.submit(session, AUTHENTICATE))
    assert (intent.startswith("seti_"), shop.retrieve(session).status) == (True, "open")
    shop.emulator.authenticate(intent)
    subscription = subscription_of(shop.retrieve(session))
    assert (subscription.status, subscription.pending_setup_intent) == ("trialing", None)


def test_the_trial_of_a_payment_link_is_that_of_its_subscriptions(shop: Shop) -> None:
    link = shop.client.payment_links.create(
        line_items=[{"price": shop.price, "quantity": 1}], subscription_data={"trial_period_days": 7}
    )
    url = httpx.get(link.url).headers["location"]
    session = shop.client.checkout.sessions.list().data[0]
    assert (session.url, session.amount_total) == (url, 0)
    shop.submit(session, VISA)
    assert subscription_of(shop.retrieve(session)).status == "trialing"


def test_usage_costs_nothing_now(shop: Shop) -> None:
    meter = shop.client.billing.meters.create(
        display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )
    price = shop.client.prices.create(
        currency="usd",
        unit_amount=7,
        recurring={"interval": "month", "usage_type": "metered", "meter": meter.id},
        product_data={"name": "Calls"},
    )
    session = shop.open(line_items=[{"price": price.id}])
    assert (session.amount_total, session.payment_status) == (0, "no_payment_required")
    shop.submit(session, VISA)
    assert subscription_of(shop.retrieve(session)).status == "active"
