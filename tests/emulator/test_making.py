"""`Emulator.make`: objects in a state that takes many calls to reach."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.models import (
    Account,
    Charge,
    CheckoutSession,
    Coupon,
    Customer,
    Dispute,
    Invoice,
    PaymentIntent,
    PaymentLink,
    PaymentMethod,
    Price,
    Product,
    PromotionCode,
    Refund,
    Review,
    SetupIntent,
    Subscription,
)
from tests.emulator.conftest import DAY, Shop, at


@pytest.mark.parametrize(
    ("model", "statuses"),
    [
        (
            PaymentIntent,
            "requires_payment_method requires_confirmation requires_action requires_capture succeeded canceled",
        ),
        (SetupIntent, "requires_payment_method requires_confirmation requires_action succeeded canceled"),
        (Charge, "succeeded failed"),
        (CheckoutSession, "open complete expired"),
        (Invoice, "draft open paid uncollectible void"),
        (Subscription, "active trialing past_due unpaid canceled incomplete incomplete_expired paused"),
    ],
)
def test_each_status_can_be_made(emulator: Emulator, client: pinstripe.Client, model: Any, statuses: str) -> None:
    for status in statuses.split():
        value = emulator.make(model, status=status)
        assert value.status == status
        service: Any = {
            PaymentIntent: client.payment_intents,
            SetupIntent: client.setup_intents,
            Charge: client.charges,
            CheckoutSession: client.checkout.sessions,
            Invoice: client.invoices,
            Subscription: client.subscriptions,
        }[model]
        assert service.retrieve(value.id) == value
    with pytest.raises(pinstripe.InvalidArgumentError, match="Possible are"):
        emulator.make(model, status="odd")


@pytest.mark.parametrize(
    "model",
    [Account, Coupon, Customer, Dispute, PaymentLink, PaymentMethod, Price, Product, PromotionCode, Refund, Review],
)
def test_each_model_is_made_without_fields(emulator: Emulator, model: Any) -> None:
    assert isinstance(emulator.make(model), model)


def test_a_past_due_subscription_has_a_history_and_recovers(emulator: Emulator, client: pinstripe.Client) -> None:
    subscription = emulator.make(Subscription, status="past_due", metadata={"plan": "gold"})
    paid, unpaid = [item.status for item in client.invoices.list(subscription=subscription.id)][::-1]
    assert (paid, unpaid, subscription.metadata) == ("paid", "open", {"plan": "gold"})
    assert "invoice.payment_failed" in emulator.events.types
    customer = str(subscription.customer)
    card = client.payment_methods.attach("pm_card_visa", customer=customer).id
    client.customers.update(customer, invoice_settings={"default_payment_method": card})
    client.invoices.pay(str(subscription.latest_invoice))
    assert client.subscriptions.retrieve(subscription.id).status == "active"


def test_a_subscription_that_started_earlier_has_been_renewed(emulator: Emulator, client: pinstripe.Client) -> None:
    price = emulator.make(Price, unit_amount=2900, recurring={"interval": "month"})
    start = datetime(2025, 9, 15, tzinfo=timezone.utc)
    subscription = emulator.make(Subscription, items=[{"price": price, "quantity": 2}], start_date=start)
    invoices = client.invoices.list(subscription=subscription.id).data
    assert [(item.total, item.status) for item in invoices] == [(5800, "paid")] * 4
    assert [item.created.month for item in invoices] == [12, 11, 10, 9]
    assert subscription.start_date == start


def test_a_subscription_of_a_customer_with_a_test_clock_follows_it(shop: Shop) -> None:
    shop.advance(at(3, 1))
    subscription = shop.emulator.make(Subscription, customer=shop.customer, status="unpaid")
    assert (subscription.status, subscription.test_clock) == ("unpaid", shop.clock)
    assert int(subscription.created.timestamp()) < at(3, 1) - 31 * DAY


def test_an_invoice_has_the_total_or_lines_that_are_passed(emulator: Emulator, client: pinstripe.Client) -> None:
    customer = emulator.make(Customer, name="Ann")
    invoice = emulator.make(Invoice, total=500, customer=customer)
    assert (invoice.total, invoice.amount_remaining, invoice.customer) == (500, 500, customer.id)
    lines = emulator.make(Invoice, lines=[{"amount": 300}, {"amount": 200, "description": "B"}], status="paid")
    assert (lines.total, lines.amount_paid) == (500, 500)
    assert emulator.hosted_invoice(invoice).pay().status == "paid"


def test_a_refunded_charge_has_a_refund(emulator: Emulator, client: pinstripe.Client) -> None:
    charge = emulator.make(Charge, amount=700, refunded=True)
    assert (charge.refunded, charge.amount_refunded) == (True, 700)
    assert client.refunds.list(charge=charge.id).data[0].amount == 700


def test_fields_that_no_operation_sets_are_stored(emulator: Emulator, client: pinstripe.Client) -> None:
    customer = emulator.make(Customer, delinquent=True, created=datetime(2020, 1, 1, tzinfo=timezone.utc))
    assert client.customers.retrieve(customer.id) == customer
    assert (customer.delinquent, customer.created.year) == (True, 2020)


def test_objects_are_made_in_connected_accounts(emulator: Emulator) -> None:
    account = emulator.make(Account).id
    customer = emulator.make(Customer, stripe_account=account)
    assert emulator.client(stripe_account=account).customers.retrieve(customer.id).id == customer.id


def test_wrong_fields_change_nothing(emulator: Emulator) -> None:
    with pytest.raises(pinstripe.InvalidArgumentError, match="nam"):
        emulator.make(Customer, nam="Ann")
    with pytest.raises(pinstripe.InvalidArgumentError, match="amount"):
        emulator.make(PaymentIntent, amount="much")
    with pytest.raises(pinstripe.InvalidArgumentError, match="livemode"):
        emulator.make(Customer, livemode="perhaps")
    assert len(emulator.events) == 0
