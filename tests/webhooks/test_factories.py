"""`pinstripe.testing.make`: example objects of any model, whose fields agree with each other."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest

from pinstripe import InvalidArgumentError
from pinstripe._base import StripeModel
from pinstripe._registry import registry
from pinstripe.events import InvoicePaidEvent
from pinstripe.models import (
    Address,
    Charge,
    CheckoutSession,
    Customer,
    Invoice,
    PaymentIntent,
    PaymentMethod,
    Price,
    Subscription,
    SubscriptionItem,
)
from pinstripe.testing import make


@pytest.mark.parametrize("name", sorted(registry().objects.values()))
def test_each_model_has_an_example(name: str) -> None:
    model: type[StripeModel] = registry().load(name)
    assert isinstance(make(model), model)


def test_an_invoice_adds_up() -> None:
    invoice = make(Invoice, total=500)
    assert (invoice.status, invoice.subtotal, invoice.amount_due, invoice.amount_remaining) == ("open", 500, 500, 500)
    assert [line.amount for line in invoice.lines.data] == [500]
    paid = make(Invoice, status="paid", total=500)
    assert (paid.amount_paid, paid.amount_remaining, paid.attempted) == (500, 0, True)
    assert paid.status_transitions.paid_at
    assert make(Invoice, status="draft").number is None


def test_the_lines_of_an_invoice_determine_its_total() -> None:
    invoice = make(Invoice, lines={"data": [{"amount": 300}, {"amount": 200}]})
    assert (invoice.total, [line.currency for line in invoice.lines.data]) == (500, ["usd", "usd"])


@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "canceled"])
def test_a_subscription_has_an_item_and_the_times_of_its_status(status: str) -> None:
    start = datetime(2026, 1, 31, tzinfo=timezone.utc)
    subscription = make(Subscription, status=status, start_date=start, currency="eur")
    (item,) = subscription.items.data
    assert item.current_period_start == start
    assert item.current_period_end == datetime(2026, 2, 28, tzinfo=timezone.utc)
    assert (item.subscription, item.price.currency) == (subscription.id, "eur")
    assert item.price.id.startswith("price_")
    assert item.price.recurring
    assert item.price.recurring.interval == "month"
    assert (subscription.trial_end == item.current_period_end) == (status == "trialing")
    assert bool(subscription.ended_at) == (status == "canceled")


def test_payments_have_the_amounts_of_their_status() -> None:
    intent = make(PaymentIntent, amount=700, status="succeeded")
    assert (intent.amount_received, intent.currency, bool(intent.latest_charge)) == (700, "usd", True)
    assert make(PaymentIntent).status == "requires_payment_method"
    charge = make(Charge, amount=700, refunded=True)
    assert (charge.paid, charge.amount_captured, charge.amount_refunded) == (True, 700, 700)
    assert make(Charge, status="failed").paid is False
    assert make(CheckoutSession, status="complete", amount_total=700).payment_status == "paid"


def test_parts_are_completed_and_models_can_be_fields() -> None:
    method = make(PaymentMethod, card={"last4": "0005"})
    assert method.card
    assert (method.type, method.card.last4, method.card.brand) == ("card", "0005", "visa")
    price = make(Price, unit_amount=2900, recurring={"interval": "year"})
    assert price.type == "recurring"
    assert price.unit_amount_decimal == Decimal(2900)
    item = make(SubscriptionItem, price=price)
    assert item.price == price
    customer = make(Customer, name="Ann", address=make(Address, city="Berlin"))
    assert customer.address
    assert (customer.name, customer.address.city) == ("Ann", "Berlin")


def test_an_event_is_made_from_its_class() -> None:
    invoice = make(Invoice, total=500)
    event = make(InvoicePaidEvent, data={"object": invoice})
    assert (event.type, event.data.object.total) == ("invoice.paid", 500)


def test_ids_differ_and_references_have_the_form_of_ids() -> None:
    first, second = make(Subscription), make(Subscription)
    assert first.id != second.id
    assert str(first.customer).startswith("cus_")


def test_fields_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="totl"):
        make(Invoice, totl=500)
    with pytest.raises(InvalidArgumentError, match="total"):
        make(Invoice, total="much")
