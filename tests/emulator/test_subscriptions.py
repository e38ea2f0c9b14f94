"""Subscriptions as Stripe's documentation describes them; amounts are calculated by hand."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

import pinstripe
from pinstripe.models import Invoice
from tests.emulator.conftest import DAY, NEW_YEAR, Shop, at


def test_a_renewal_creates_a_draft_that_is_paid_an_hour_later(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    assert subscription.status == "active"
    shop.advance(at(2, 1))
    draft = shop.latest(subscription.id)
    assert (draft.status, draft.billing_reason, draft.total) == ("draft", "subscription_cycle", 3000)
    shop.advance(at(2, 1, 1))
    assert shop.latest(subscription.id).status == "paid"
    assert shop.client.subscriptions.retrieve(subscription.id).items.data[0].current_period_end.timestamp() == at(3, 1)


def test_a_year_has_an_invoice_every_month(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(1000))
    shop.advance(at(1, 1, 2, year=2027))
    invoices = list(shop.client.invoices.list(subscription=subscription.id))
    assert [invoice.total for invoice in invoices] == [1000] * 13
    assert {invoice.status for invoice in invoices} == {"paid"}
    assert [invoice.created.month for invoice in invoices[::-1]] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1]


def test_an_upgrade_is_prorated_to_the_second(shop: Shop) -> None:
    basic, pro = shop.price(3000), shop.price(6000)
    subscription = shop.subscribe(basic)
    shop.advance(NEW_YEAR + 10 * DAY)
    shop.client.subscriptions.update(subscription.id, items=[{"id": subscription.items.data[0].id, "price": pro}])
    # 21 of 31 days are left: 3000 x 21/31 = 2032.26 is credited, 6000 x 21/31 = 4064.52 is charged
    assert [item.amount for item in shop.client.invoice_items.list(customer=shop.customer, pending=True)] == [
        4065,
        -2032,
    ]
    preview = shop.client.invoices.create_preview(subscription=subscription.id)
    assert (preview.total, preview.status) == (6000 + 4065 - 2032, "draft")
    shop.advance(at(2, 1, 1))
    assert shop.latest(subscription.id).total == 8033


def test_a_change_of_an_item_is_prorated_at_the_time_of_the_test_clock(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100))
    shop.advance(NEW_YEAR + 10 * DAY)
    item = subscription.items.data[0].id
    shop.client.subscription_items.update(item, quantity=2, proration_behavior="always_invoice")
    assert shop.latest(subscription.id).total == 2100
    schedule = shop.client.subscription_schedules.create(from_subscription=subscription.id)
    assert schedule.created.timestamp() == NEW_YEAR + 10 * DAY


def test_always_invoice_bills_the_difference_at_once(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    shop.advance(NEW_YEAR + 10 * DAY)
    item = subscription.items.data[0].id
    shop.client.subscriptions.update(
        subscription.id, items=[{"id": item, "quantity": 3}], proration_behavior="always_invoice"
    )
    invoice = shop.latest(subscription.id)
    assert (invoice.total, invoice.status, invoice.billing_reason) == (6097 - 2032, "paid", "subscription_update")


def test_an_invoiced_downgrade_becomes_a_balance_that_pays_the_renewal(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(6000))
    shop.advance(NEW_YEAR + 10 * DAY)
    item = subscription.items.data[0].id
    shop.client.subscriptions.update(
        subscription.id, items=[{"id": item, "price": shop.price(3000)}], proration_behavior="always_invoice"
    )
    assert shop.latest(subscription.id).total == 2032 - 4065
    assert shop.balance == 2032 - 4065
    shop.advance(at(2, 1, 1))
    invoice = shop.latest(subscription.id)
    assert (invoice.total, invoice.amount_due, invoice.starting_balance) == (3000, 3000 - 2033, -2033)
    assert shop.balance == 0


def test_without_proration_nothing_is_billed(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    shop.advance(NEW_YEAR + 10 * DAY)
    item = subscription.items.data[0].id
    shop.client.subscriptions.update(
        subscription.id, items=[{"id": item, "price": shop.price(6000)}], proration_behavior="none"
    )
    shop.advance(at(2, 1, 1))
    assert shop.latest(subscription.id).total == 6000


def test_another_interval_starts_a_new_period_and_invoices_it(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    shop.advance(NEW_YEAR + 10 * DAY)
    yearly = shop.price(30_000, recurring={"interval": "year"})
    changed = shop.client.subscriptions.update(
        subscription.id, items=[{"id": subscription.items.data[0].id, "price": yearly}]
    )
    assert changed.items.data[0].current_period_end.timestamp() == at(1, 11, year=2027)
    invoice = shop.latest(subscription.id)
    assert (invoice.total, invoice.status) == (30_000 - 2032, "paid")


def test_a_future_anchor_prorates_the_first_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100), billing_cycle_anchor=at(1, 11))
    # the period that ends on 11 January began on 11 December: 10 of 31 days
    assert shop.latest(subscription.id).total == 1000
    assert subscription.items.data[0].current_period_end.timestamp() == at(1, 11)


def test_a_trial_ends_in_a_payment(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000), trial_period_days=14)
    assert (subscription.status, shop.latest(subscription.id).total) == ("trialing", 0)
    count = len(shop.emulator.events)
    shop.advance(NEW_YEAR + 14 * DAY + 3600)
    assert shop.client.subscriptions.retrieve(subscription.id).status == "active"
    assert shop.latest(subscription.id).amount_paid == 3000
    assert "customer.subscription.trial_will_end" in shop.since(count)


@pytest.mark.parametrize(
    ("behavior", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_a_trial_without_a_card_ends_with_the_configured_behavior(shop: Shop, behavior: str, status: str) -> None:
    client = shop.client
    customer = client.customers.create(test_clock=shop.clock)
    settings: Any = {"end_behavior": {"missing_payment_method": behavior}}  # Any: a literal of the parameters
    subscription = client.subscriptions.create(
        customer=customer.id, items=[{"price": shop.price()}], trial_period_days=7, trial_settings=settings
    )
    shop.advance(NEW_YEAR + 8 * DAY)
    assert client.subscriptions.retrieve(subscription.id).status == status


def test_cancel_at_period_end_cancels_at_the_end_of_the_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price())
    canceled = shop.client.subscriptions.update(subscription.id, cancel_at_period_end=True)
    assert canceled.cancel_at is not None
    assert canceled.cancel_at.timestamp() == at(2, 1)
    shop.advance(at(2, 1))
    ended = shop.client.subscriptions.retrieve(subscription.id)
    assert (ended.status, shop.latest(subscription.id).billing_reason) == ("canceled", "subscription_create")


def test_cancel_with_proration_credits_the_rest_of_the_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    shop.advance(NEW_YEAR + 10 * DAY)
    shop.client.subscriptions.cancel(subscription.id, prorate=True, invoice_now=True)
    assert shop.balance == -2032
    with pytest.raises(pinstripe.InvalidRequestError, match="canceled"):
        shop.client.subscriptions.cancel(subscription.id)


def test_failed_retries_lead_to_past_due_and_then_unpaid(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    shop.use("pm_card_chargeCustomerFail")
    shop.advance(at(2, 1, 2))
    assert shop.client.subscriptions.retrieve(subscription.id).status == "past_due"
    invoice = shop.latest(subscription.id)
    assert invoice.next_payment_attempt is not None
    assert invoice.next_payment_attempt.timestamp() == at(2, 4, 1)
    shop.advance(at(2, 20))
    assert (shop.client.subscriptions.retrieve(subscription.id).status, shop.latest(subscription.id).attempt_count) == (
        "unpaid",
        4,
    )
    shop.client.invoices.pay(invoice.id, payment_method=shop.card)
    assert shop.client.subscriptions.retrieve(subscription.id).status == "active"


def test_failed_retries_can_cancel_the_subscription(shop: Shop) -> None:
    shop.emulator.retry_payments(days=[1], then="canceled")
    subscription = shop.subscribe(shop.price(3000))
    shop.use("pm_card_chargeCustomerFail")
    shop.advance(at(2, 5))
    ended = shop.client.subscriptions.retrieve(subscription.id)
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.reason == "payment_failed"


def test_a_retry_succeeds_with_another_card(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    shop.use("pm_card_chargeCustomerFail")
    shop.advance(at(2, 2))
    shop.use("pm_card_visa")
    shop.advance(at(2, 5))
    assert (shop.client.subscriptions.retrieve(subscription.id).status, shop.latest(subscription.id).status) == (
        "active",
        "paid",
    )


def test_a_failed_first_payment_leaves_it_incomplete_until_it_expires(shop: Shop) -> None:
    shop.use("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(shop.price(3000))
    assert subscription.status == "incomplete"
    shop.advance(NEW_YEAR + DAY)
    assert shop.client.subscriptions.retrieve(subscription.id).status == "incomplete_expired"
    assert shop.latest(subscription.id).status == "void"


def test_error_if_incomplete_creates_nothing(shop: Shop) -> None:
    shop.use("pm_card_chargeCustomerFail")
    with pytest.raises(pinstripe.CardError):
        shop.subscribe(shop.price(3000), payment_behavior="error_if_incomplete")
    assert list(shop.client.subscriptions.list(status="all", customer=shop.customer)) == []
    assert list(shop.client.invoices.list()) == []


def test_default_incomplete_waits_for_the_confirmation_of_the_intent(shop: Shop) -> None:
    subscription = shop.subscribe(
        shop.price(3000), payment_behavior="default_incomplete", expand=["latest_invoice.confirmation_secret"]
    )
    invoice = subscription.latest_invoice
    assert isinstance(invoice, Invoice)
    assert invoice.confirmation_secret is not None
    intent = invoice.confirmation_secret.client_secret.partition("_secret_")[0]
    shop.client.payment_intents.confirm(intent, payment_method=shop.card)
    assert shop.client.subscriptions.retrieve(subscription.id).status == "active"
    assert shop.latest(subscription.id).status == "paid"


def test_an_update_whose_payment_fails_is_pending_until_it_is_paid(shop: Shop) -> None:
    basic, pro = shop.price(3000), shop.price(9000)
    subscription = shop.subscribe(basic)
    shop.advance(NEW_YEAR + 10 * DAY)
    shop.use("pm_card_chargeCustomerFail")
    pending = shop.client.subscriptions.update(
        subscription.id,
        items=[{"id": subscription.items.data[0].id, "price": pro}],
        proration_behavior="always_invoice",
        payment_behavior="pending_if_incomplete",
    )
    assert pending.pending_update is not None
    assert (pending.status, pending.items.data[0].price.id) == ("active", basic)
    shop.client.invoices.pay(shop.latest(subscription.id).id, payment_method=shop.card)
    applied = shop.client.subscriptions.retrieve(subscription.id)
    assert (applied.pending_update, applied.items.data[0].price.id) == (None, pro)


def test_a_pending_update_that_is_not_paid_expires(shop: Shop) -> None:
    basic = shop.price(3000)
    subscription = shop.subscribe(basic)
    shop.advance(NEW_YEAR + 10 * DAY)
    shop.use("pm_card_chargeCustomerFail")
    shop.client.subscriptions.update(
        subscription.id,
        items=[{"id": subscription.items.data[0].id, "price": shop.price(9000)}],
        proration_behavior="always_invoice",
        payment_behavior="pending_if_incomplete",
    )
    shop.advance(NEW_YEAR + 11 * DAY)
    expired = shop.client.subscriptions.retrieve(subscription.id)
    assert (expired.pending_update, expired.items.data[0].price.id, shop.latest(subscription.id).status) == (
        None,
        basic,
        "void",
    )


def test_paused_collection_voids_new_invoices(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    shop.client.subscriptions.update(subscription.id, pause_collection={"behavior": "void", "resumes_at": at(2, 15)})
    shop.advance(at(2, 1, 2))
    assert shop.latest(subscription.id).status == "void"
    shop.advance(at(3, 1, 2))
    assert shop.latest(subscription.id).status == "paid"
    assert shop.client.subscriptions.retrieve(subscription.id).pause_collection is None


def test_a_sent_invoice_is_overdue_and_then_paid(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000), collection_method="send_invoice", days_until_due=7)
    invoice = shop.latest(subscription.id)
    assert (subscription.status, invoice.status, invoice.number) == ("active", "draft", None)
    assert invoice.due_date == datetime.fromtimestamp(NEW_YEAR + 7 * DAY, timezone.utc)
    shop.advance(NEW_YEAR + 3600)
    assert shop.latest(subscription.id).status == "open"
    assert "invoice.sent" in shop.emulator.events.types
    shop.advance(NEW_YEAR + 8 * DAY)
    assert shop.client.subscriptions.retrieve(subscription.id).status == "past_due"
    shop.client.invoices.pay(invoice.id, paid_out_of_band=True)
    assert shop.client.subscriptions.retrieve(subscription.id).status == "active"


def test_usage_is_billed_at_the_end_of_the_period(shop: Shop) -> None:
    client = shop.client
    meter = client.billing.meters.create(
        display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )
    price = shop.price(7, recurring={"interval": "month", "usage_type": "metered", "meter": meter.id})
    subscription = shop.subscribe(price)
    for number, value in enumerate(("100", "23")):
        client.billing.meter_events.create(
            event_name="calls", payload={"stripe_customer_id": shop.customer, "value": value}, identifier=f"e{number}"
        )
    with pytest.raises(pinstripe.InvalidRequestError, match="exists already"):
        client.billing.meter_events.create(
            event_name="calls", payload={"stripe_customer_id": shop.customer, "value": "1"}, identifier="e1"
        )
    assert shop.latest(subscription.id).total == 0
    shop.advance(at(2, 1, 1))
    assert shop.latest(subscription.id).total == 123 * 7
    shop.advance(at(3, 1, 1))
    assert shop.latest(subscription.id).total == 0


def test_a_schedule_advances_through_its_phases_and_releases_the_subscription(shop: Shop) -> None:
    first, second = shop.price(1000), shop.price(2000)
    schedule = shop.client.subscription_schedules.create(
        customer=shop.customer,
        start_date=NEW_YEAR,
        phases=[
            {"items": [{"price": first}], "duration": {"interval": "month", "interval_count": 2}},
            {"items": [{"price": second}], "duration": {"interval": "month"}},
        ],
    )
    assert schedule.status == "active"
    subscription = str(schedule.subscription)
    paid = [shop.latest(subscription).total]
    for month in (2, 3, 4):
        shop.advance(at(month, 1, 2))
        paid.append(shop.latest(subscription).total)
    assert paid == [1000, 1000, 2000, 2000]
    released = shop.client.subscription_schedules.retrieve(schedule.id)
    assert (released.status, released.released_subscription) == ("released", subscription)


def test_a_schedule_with_a_future_start_date_starts_then(shop: Shop) -> None:
    schedule = shop.client.subscription_schedules.create(
        customer=shop.customer,
        start_date=at(2, 1),
        end_behavior="cancel",
        phases=[{"items": [{"price": shop.price(1000)}], "duration": {"interval": "month"}}],
    )
    assert (schedule.status, schedule.subscription) == ("not_started", None)
    shop.advance(at(2, 2))
    started = shop.client.subscription_schedules.retrieve(schedule.id)
    assert started.status == "active"
    shop.advance(at(3, 2))
    assert shop.client.subscription_schedules.retrieve(schedule.id).status == "completed"
    assert shop.client.subscriptions.retrieve(str(started.subscription)).status == "canceled"


def test_coupons_apply_once_or_for_their_months(shop: Shop) -> None:
    once = shop.client.coupons.create(percent_off=50, duration="once")
    months = shop.client.coupons.create(amount_off=500, currency="usd", duration="repeating", duration_in_months=2)
    subscription = shop.subscribe(shop.price(3000), discounts=[{"coupon": once.id}])
    assert shop.latest(subscription.id).total == 1500
    shop.advance(at(2, 1, 1))
    assert shop.latest(subscription.id).total == 3000
    other = shop.subscribe(shop.price(3000), discounts=[{"coupon": months.id}])
    totals = [shop.latest(other.id).total]
    for month in (3, 4, 5):
        shop.advance(at(month, 2))
        totals.append(shop.latest(other.id).total)
    assert totals == [2500, 2500, 3000, 3000]


def test_prorations_are_discounted(shop: Shop) -> None:
    half = shop.client.coupons.create(percent_off=50, duration="forever")
    subscription = shop.subscribe(shop.price(3000), discounts=[{"coupon": half.id}])
    shop.advance(NEW_YEAR + 10 * DAY)
    shop.client.subscriptions.update(
        subscription.id, items=[{"id": subscription.items.data[0].id, "price": shop.price(6000)}]
    )
    # half of each: 1500 x 21/31 = 1016.13 and 3000 x 21/31 = 2032.26
    assert [item.amount for item in shop.client.invoice_items.list(customer=shop.customer, pending=True)] == [
        2032,
        -1016,
    ]


def test_items_are_added_updated_and_removed(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    shop.advance(NEW_YEAR + 10 * DAY)
    added = shop.client.subscription_items.create(subscription=subscription.id, price=shop.price(1000), quantity=2)
    shop.client.subscription_items.update(added.id, quantity=1, proration_behavior="none")
    assert [item.quantity for item in shop.client.subscription_items.list(subscription=subscription.id)] == [1, 1]
    shop.client.subscription_items.delete(added.id, proration_behavior="none")
    assert len(shop.client.subscriptions.retrieve(subscription.id).items.data) == 1
    with pytest.raises(pinstripe.InvalidRequestError, match="at least one active item"):
        shop.client.subscription_items.delete(subscription.items.data[0].id)
    assert [item.amount for item in shop.client.invoice_items.list(customer=shop.customer, pending=True)] == [1355]


def test_update_events_contain_the_previous_values(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000))
    count = len(shop.emulator.events)
    shop.client.subscriptions.update(subscription.id, metadata={"plan": "gold"}, cancel_at_period_end=True)
    event = shop.emulator.events.wait("customer.subscription.updated", since=count)
    assert event.data.object.metadata == {"plan": "gold"}
    before = event.data.previous_attributes
    assert before["cancel_at_period_end"] is False
    assert before["metadata"] == {"plan": None}


def test_clocks_only_advance_and_are_deleted_with_their_customers(shop: Shop) -> None:
    with pytest.raises(pinstripe.InvalidRequestError, match="only be advanced"):
        shop.client.test_helpers.test_clocks.advance(shop.clock, frozen_time=NEW_YEAR)
    subscription = shop.subscribe(shop.price())
    shop.client.test_helpers.test_clocks.delete(shop.clock)
    assert shop.client.subscriptions.retrieve(subscription.id).status == "canceled"
    with pytest.raises(pinstripe.InvalidRequestError, match="No such customer"):
        shop.client.customers.update(shop.customer, name="x")


def test_invalid_parameters_are_refused(shop: Shop) -> None:
    price = shop.price(3000)
    for params, param in (
        ({"payment_behavior": "pending_if_incomplete"}, "payment_behavior"),
        ({"days_until_due": 3}, "days_until_due"),
        ({"collection_method": "send_invoice"}, "days_until_due"),
        ({"trial_end": NEW_YEAR - 1}, "trial_end"),
    ):
        with pytest.raises(pinstripe.InvalidRequestError) as caught:
            shop.subscribe(price, **params)
        assert caught.value.param == param
    with pytest.raises(pinstripe.InvalidRequestError, match="same price"):
        shop.subscribe(price, price)
    assert shop.client.subscriptions.list(status="all", customer=shop.customer).data == []


def test_the_metadata_of_an_item_is_merged(shop: Shop) -> None:
    item = shop.subscribe(shop.price(3000)).items.data[0].id
    items = shop.client.subscription_items
    items.update(item, metadata={"a": "1", "b": "2"})
    assert items.update(item, metadata={"a": "", "c": "3"}).metadata == {"b": "2", "c": "3"}
    assert items.update(item, metadata=None).metadata == {}


def test_an_item_updated_without_changes_still_renews(shop: Shop) -> None:
    price = shop.price(3000)
    subscription = shop.subscribe(price)
    item = subscription.items.data[0].id
    shop.client.subscriptions.update(subscription.id, items=[{"id": item, "price": price, "quantity": 1}])
    shop.advance(at(2, 1, 1))
    (embedded,) = shop.client.subscriptions.retrieve(subscription.id).items.data
    assert shop.client.subscription_items.retrieve(item).current_period_end == embedded.current_period_end
