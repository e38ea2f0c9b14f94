"""Subscriptions that are paused and resumed, trial offers, and settings that subscriptions pass to their invoices."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

import pinstripe
from tests.emulator.conftest import NEW_YEAR, Shop, at


def test_a_pause_credits_unused_time_and_stops_renewals(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100)).id
    shop.advance(at(1, 11))
    paused = shop.client.subscriptions.pause(subscription)
    assert paused.status == "paused"
    assert paused.status_details is not None
    assert paused.status_details.paused.subscription.type == "pause_requested"
    assert shop.emulator.events.types[-2:] == ["customer.subscription.updated", "customer.subscription.paused"]
    assert [item.amount for item in shop.client.invoice_items.list(pending=True)] == [-2100]
    shop.advance(at(3, 2))
    assert len(shop.client.invoices.list(subscription=subscription).data) == 1


@pytest.mark.parametrize(("since", "credit"), [("item_current_period_start", -3100), ("none", None)])
def test_a_pause_credits_what_the_request_says(shop: Shop, since: str, credit: int | None) -> None:
    subscription = shop.subscribe(shop.price(3100)).id
    shop.advance(at(1, 11))
    shop.client.subscriptions.pause(subscription, bill_for={"unused_time_from": {"type": since}})  # type: ignore[typeddict-item]  # from the table above
    amounts = [item.amount for item in shop.client.invoice_items.list(pending=True)]
    assert amounts == ([] if credit is None else [credit])


def test_a_pause_can_be_invoiced_at_once(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100)).id
    shop.advance(at(1, 11))
    shop.client.subscriptions.pause(subscription, invoicing_behavior="invoice")
    assert (shop.latest(subscription).total, shop.balance) == (-2100, -2100)


def test_a_paused_subscription_cannot_be_paused_again(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price()).id
    shop.client.subscriptions.pause(subscription)
    with pytest.raises(pinstripe.InvalidRequestError, match="status of paused"):
        shop.client.subscriptions.pause(subscription)


def test_resuming_begins_a_new_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100)).id
    shop.advance(at(1, 11))
    shop.client.subscriptions.pause(subscription)
    shop.advance(at(2, 20))
    resumed = shop.client.subscriptions.resume(subscription)
    assert (resumed.status, resumed.status_details) == ("active", None)
    assert resumed.billing_cycle_anchor == datetime(2026, 2, 20, tzinfo=timezone.utc)
    assert (shop.latest(subscription).total, shop.latest(subscription).status) == (3100 - 2100, "paid")


def test_resuming_with_an_unchanged_anchor_charges_the_rest_of_the_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(2800)).id
    shop.client.subscriptions.pause(subscription, bill_for={"unused_time_from": {"type": "none"}})
    shop.advance(at(2, 15))
    resumed = shop.client.subscriptions.resume(
        subscription, billing_cycle_anchor={"type": "unchanged"}, proration_behavior="always_invoice"
    )
    assert resumed.billing_cycle_anchor == datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert shop.latest(subscription).total == 1400
    shop.advance(at(3, 1, 2))
    assert shop.latest(subscription).total == 2800


def test_a_subscription_stays_paused_until_the_invoice_of_its_resumption_is_paid(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100)).id
    shop.client.subscriptions.pause(subscription, bill_for={"unused_time_from": {"type": "none"}})
    shop.use("pm_card_chargeCustomerFail")
    assert shop.client.subscriptions.resume(subscription).status == "paused"
    invoice = shop.latest(subscription)
    assert invoice.status == "open"
    shop.use("pm_card_visa")
    shop.client.invoices.pay(invoice.id)
    assert shop.client.subscriptions.retrieve(subscription).status == "active"


def test_an_unpaid_resumption_is_given_up_after_23_hours(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100)).id
    shop.client.subscriptions.pause(subscription, bill_for={"unused_time_from": {"type": "none"}})
    shop.use("pm_card_chargeCustomerFail")
    shop.client.subscriptions.resume(subscription)
    shop.advance(NEW_YEAR + 24 * 3600)
    assert (shop.latest(subscription).status, shop.client.subscriptions.retrieve(subscription).status) == (
        "void",
        "paused",
    )


def test_resuming_on_the_attempt_does_not_wait_for_the_payment(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100)).id
    shop.client.subscriptions.pause(subscription, bill_for={"unused_time_from": {"type": "none"}})
    shop.use("pm_card_chargeCustomerFail")
    resumed = shop.client.subscriptions.resume(subscription, payment_behavior="resume_on_payment_attempt")
    assert resumed.status == "past_due"


def test_a_schedule_pauses_and_resumes_its_subscription(shop: Shop) -> None:
    schedule = shop.client.subscription_schedules.create(
        customer=shop.customer,
        start_date="now",
        phases=[{"items": [{"price": shop.price(3100)}], "duration": {"interval": "year"}}],
        pause_schedules=[
            {
                "key": "holidays",
                "pause": {"pause_at": {"type": "timestamp", "timestamp": at(1, 11)}},
                "resume": {"resume_at": {"type": "duration", "duration": {"interval": "week"}}},
            }
        ],
    )
    subscription = str(schedule.subscription)
    shop.advance(at(1, 12))
    assert shop.client.subscriptions.retrieve(subscription).status == "paused"
    shop.advance(at(1, 19))
    assert shop.client.subscriptions.retrieve(subscription).status == "active"
    (planned,) = shop.client.subscription_schedules.retrieve(schedule.id).pause_schedules
    assert planned.resume is not None
    assert (planned.pause.status.type, planned.resume.status.type) == ("succeeded", "succeeded")


def test_a_preview_shows_what_a_pause_bills(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3100)).id
    shop.advance(at(1, 11))
    preview = shop.client.invoices.create_preview(
        subscription=subscription, subscription_details={"pause": {"type": "subscription"}}
    )
    assert preview.total == -2100
    assert shop.client.subscriptions.retrieve(subscription).status == "active"


def test_a_trial_offer_applies_for_its_periods(shop: Shop) -> None:
    offer = shop.client.product_catalog.trial_offers.create(
        price=shop.price(100),
        duration={"type": "relative", "relative": {"iterations": 2}},
        end_behavior={"transition": {"price": shop.price(3000)}},
    )
    subscription = shop.client.subscriptions.create(
        customer=shop.customer, items=[{"current_trial": {"trial_offer": offer.id}}]
    )
    trial = subscription.items.data[0].current_trial
    assert trial is not None
    assert trial.end_date == datetime(2026, 3, 1, tzinfo=timezone.utc)
    shop.advance(at(4, 2))
    totals = [invoice.total for invoice in shop.client.invoices.list(subscription=subscription.id)]
    assert totals == [3000, 3000, 100, 100]
    assert shop.client.subscriptions.retrieve(subscription.id).items.data[0].current_trial is None


def test_an_inactive_trial_offer_is_refused(shop: Shop) -> None:
    offers = shop.client.product_catalog.trial_offers
    offer = offers.create(
        price=shop.price(100),
        duration={"type": "relative", "relative": {"iterations": 2}},
        end_behavior={"transition": {"price": shop.price(3000)}},
    )
    offers.update(offer.id, active=False)
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        shop.client.subscriptions.create(customer=shop.customer, items=[{"current_trial": {"trial_offer": offer.id}}])
    assert caught.value.param == "items[0][current_trial][trial_offer]"


def test_invoices_have_the_texts_of_the_invoice_settings(shop: Shop) -> None:
    subscription = shop.subscribe(
        shop.price(),
        invoice_settings={
            "description": "Thank you",
            "footer": "Ltd.",
            "custom_fields": [{"name": "PO", "value": "7"}],
        },
    )
    invoice = shop.latest(subscription.id)
    assert (invoice.description, invoice.footer) == ("Thank you", "Ltd.")
    assert invoice.custom_fields is not None
    assert invoice.custom_fields[0].value == "7"


def test_a_reason_of_ones_own_can_be_given_for_a_cancellation(shop: Shop) -> None:
    option = shop.client.billing.feedback_options.create(description="Too slow")
    subscription = shop.subscribe(shop.price()).id
    canceled = shop.client.subscriptions.cancel(subscription, cancellation_details={"feedback_option": option.id})
    assert canceled.cancellation_details is not None
    assert canceled.cancellation_details.feedback_option == option.id
    assert shop.client.billing.feedback_options.deactivate(option.id).status == "inactive"
    assert [reason.id for reason in shop.client.billing.feedback_options.list(status="inactive")] == [option.id]


def test_an_item_can_name_a_plan_instead_of_a_price(shop: Shop) -> None:
    product = shop.client.products.create(name="Gold", type="service")
    plan = shop.client.plans.create(id="gold", amount=900, currency="usd", interval="month", product=product.id)
    subscription = shop.client.subscriptions.create(customer=shop.customer, items=[{"plan": "gold"}])
    item = subscription.items.data[0]
    assert item.plan is not None
    assert (item.plan.id, item.price.unit_amount) == (plan.id, 900)
    assert [listed.id for listed in shop.client.subscriptions.list(plan="gold", customer=shop.customer)] == [
        subscription.id
    ]
    changed = shop.client.subscription_items.update(item.id, price=shop.price(1200))
    assert changed.plan is not None
    assert (changed.plan.id, changed.plan.amount) == (changed.price.id, 1200)


def test_the_trial_of_a_price_applies_where_the_subscription_wants_it(shop: Shop) -> None:
    price = shop.price(900, recurring={"interval": "month", "trial_period_days": 14})
    assert shop.subscribe(price).status == "active"
    trialing = shop.subscribe(price, trial_from_plan=True)
    assert trialing.trial_end == datetime(2026, 1, 15, tzinfo=timezone.utc)
