"""Previews of invoices: of customers, new customers, schedules and cancellations."""

from __future__ import annotations

from typing import Any

import pytest

import pinstripe
from pinstripe.models import Invoice
from tests.emulator.conftest import DAY, NEW_YEAR, Shop, at


def preview(shop: Shop, **params: Any) -> Invoice:  # Any: parameters of a preview
    count = len(shop.emulator.events.types)
    invoice = shop.client.invoices.create_preview(**params)
    assert (invoice.status, shop.since(count)) == ("draft", [])
    return invoice


def test_the_preview_of_a_customer_is_the_next_renewal_of_any_subscription(shop: Shop) -> None:
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        preview(shop, customer=shop.customer)
    assert caught.value.code == "invoice_upcoming_none"
    shop.subscribe(shop.price(9900, recurring={"interval": "year"}))
    shop.subscribe(shop.price(3000))
    shop.client.invoice_items.create(customer=shop.customer, amount=500, currency="usd")
    invoice = preview(shop, customer=shop.customer)
    assert (invoice.total, invoice.lines.data[-1].period.start.timestamp()) == (3500, at(2, 1))


def test_a_preview_needs_no_customer(shop: Shop) -> None:
    details = {"items": [{"price": shop.price(3000), "quantity": 2}]}
    new = {"address": {"country": "US", "line1": "1 Main St"}, "tax_exempt": "exempt"}
    invoice = preview(shop, subscription_details=details, customer_details=new)
    assert invoice.customer_address is not None
    assert (invoice.total, invoice.customer_address.line1, invoice.customer_tax_exempt) == (6000, "1 Main St", "exempt")
    assert preview(shop, subscription_details=details).total == 6000
    items = [{"amount": 700, "currency": "eur"}]
    assert preview(shop, currency="eur", customer_details={"tax_exempt": "none"}, invoice_items=items).total == 700
    assert list(shop.client.customers.list()) == []
    assert [customer.id for customer in shop.client.customers.list(test_clock=shop.clock)] == [shop.customer]


def test_customer_details_replace_those_of_the_customer_in_the_preview_only(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000)).id
    address = {"city": "Berlin", "country": "DE"}
    invoice = preview(shop, customer=shop.customer, customer_details={"address": address})
    assert (invoice.customer_address is not None and invoice.customer_address.city) == "Berlin"
    assert shop.latest(subscription).customer_address is None


def test_the_preview_of_a_new_schedule_is_its_first_invoice(shop: Shop) -> None:
    customer = shop.client.customers.create().id
    phase = {"items": [{"price": shop.price(3000), "quantity": 2}], "duration": {"interval": "month"}}
    assert preview(shop, customer=customer, schedule_details={"phases": [phase]}).total == 6000
    later = {"phases": [{**phase, "start_date": at(6, 1)}]}
    assert preview(shop, customer=customer, schedule_details=later).lines.data[0].period.start.timestamp() == at(6, 1)


def test_the_preview_of_a_schedule_has_the_items_of_the_next_phase(shop: Shop) -> None:
    basic, pro, month = shop.price(1000), shop.price(2500), {"interval": "month", "interval_count": 1}
    phases: list[Any] = [  # Any: a literal of the parameters
        {"items": [{"price": basic}], "duration": month, "proration_behavior": "none"},
        {"items": [{"price": pro}], "duration": month, "proration_behavior": "none"},
    ]
    schedule = shop.client.subscription_schedules.create(customer=shop.customer, start_date="now", phases=phases)
    assert preview(shop, schedule=schedule.id).total == 2500
    assert schedule.subscription is not None
    assert preview(shop, subscription=schedule.subscription.id).total == 2500
    changed = [phases[0], {**phases[1], "items": [{"price": pro, "quantity": 3}]}]
    assert preview(shop, schedule=schedule.id, schedule_details={"phases": changed}).total == 7500
    assert preview(shop, schedule=schedule.id).total == 2500
    shop.advance(at(2, 1, 1))
    assert shop.latest(schedule.subscription.id).total == 2500


def test_a_change_of_the_current_phase_is_prorated(shop: Shop) -> None:
    month = {"interval": "month", "interval_count": 2}
    phase: Any = {"items": [{"price": shop.price(3100)}], "duration": month}  # Any: a literal of parameters
    schedule = shop.client.subscription_schedules.create(customer=shop.customer, start_date="now", phases=[phase])
    shop.advance(NEW_YEAR + 10 * DAY)
    changed: Any = [
        {**phase, "items": [{"price": shop.price(6200)}], "start_date": NEW_YEAR}
    ]  # Any: a literal of parameters
    # 21 of 31 days are left
    assert preview(shop, schedule=schedule.id, schedule_details={"phases": changed}).total == 6200 + 4200 - 2100
    shop.client.subscription_schedules.update(schedule.id, phases=changed, proration_behavior="always_invoice")
    assert schedule.subscription is not None
    assert shop.latest(schedule.subscription.id).total == 4200 - 2100


def test_a_schedule_cannot_be_previewed_together_with_a_subscription(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price())
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        preview(shop, subscription=subscription.id, schedule_details={"end_behavior": "cancel"})
    assert (caught.value.code, caught.value.param) == ("parameters_exclusive", "subscription")


def test_the_preview_of_a_cancellation_credits_the_rest_of_the_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100))
    shop.advance(NEW_YEAR + 10 * DAY)
    assert preview(shop, subscription=subscription.id, subscription_details={"cancel_now": True}).total == -2100
    with pytest.raises(pinstripe.InvalidRequestError, match="bills nothing"):
        preview(
            shop,
            subscription=subscription.id,
            subscription_details={"cancel_now": True, "proration_behavior": "none"},
        )
    assert shop.client.subscriptions.retrieve(subscription.id).status == "active"


def test_a_schedule_of_a_customer_without_a_card_bills_an_hour_later(shop: Shop) -> None:
    customer = shop.client.customers.create(test_clock=shop.clock).id
    phase: Any = {
        "items": [{"price": shop.price(3000)}],
        "duration": {"interval": "month"},
    }  # Any: a literal of parameters
    schedule = shop.client.subscription_schedules.create(customer=customer, start_date=at(1, 5), phases=[phase])
    shop.advance(at(1, 5))
    subscription = shop.client.subscription_schedules.retrieve(schedule.id, expand=["subscription"]).subscription
    assert isinstance(subscription, pinstripe.models.Subscription)
    assert (subscription.status, shop.latest(subscription.id).status) == ("active", "draft")
    shop.advance(at(1, 5, 2))
    assert shop.client.subscriptions.retrieve(subscription.id).status == "past_due"
