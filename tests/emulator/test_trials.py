"""The end of trials, and subscriptions that owe nothing when they begin."""

from __future__ import annotations

from typing import Any

import pytest

import pinstripe
from pinstripe.models import SetupIntent
from tests.emulator.conftest import DAY, NEW_YEAR, Shop, at


def customer_without_card(shop: Shop) -> str:
    return shop.client.customers.create(test_clock=shop.clock).id


def end_behavior(behavior: str) -> dict[str, Any]:  # Any: parameters of a subscription
    return {"trial_settings": {"end_behavior": {"missing_payment_method": behavior}}}


def test_a_trial_that_ends_early_bills_a_full_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(1500), trial_period_days=14)
    shop.advance(NEW_YEAR + 3 * DAY)
    ended = shop.client.subscriptions.update(subscription.id, trial_end="now")
    invoice = shop.latest(subscription.id)
    assert (ended.status, invoice.status, invoice.total, len(invoice.lines.data)) == ("active", "paid", 1500, 1)
    assert ended.billing_cycle_anchor.timestamp() == NEW_YEAR + 3 * DAY
    shop.advance(at(2, 4, 1))
    assert shop.latest(subscription.id).total == 1500


def test_a_trial_that_ends_with_another_price_credits_nothing(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(1500), trial_period_days=14)
    item = subscription.items.data[0].id
    shop.client.subscriptions.update(
        subscription.id, trial_end="now", items=[{"id": item, "price": shop.price(4000), "quantity": 2}]
    )
    assert shop.latest(subscription.id).total == 8000


def test_usage_in_a_trial_is_free(shop: Shop) -> None:
    meter = shop.client.billing.meters.create(
        display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    subscription = shop.subscribe(shop.price(10, recurring=recurring), trial_period_days=14)
    payload = {"stripe_customer_id": shop.customer, "value": "100"}
    shop.client.billing.meter_events.create(event_name="calls", payload=payload)
    shop.advance(at(1, 15, 1))
    invoice = shop.latest(subscription.id)
    assert (invoice.billing_reason, invoice.total) == ("subscription_cycle", 0)
    shop.advance(at(2, 15, 1))
    assert shop.latest(subscription.id).total == 0


@pytest.mark.parametrize(("behavior", "status"), [("pause", "paused"), ("cancel", "canceled")])
def test_a_trial_that_ends_early_without_a_card_is_paused_or_canceled(shop: Shop, behavior: str, status: str) -> None:
    subscription = shop.client.subscriptions.create(
        customer=customer_without_card(shop),
        items=[{"price": shop.price()}],
        trial_period_days=14,
        **end_behavior(behavior),
    )
    count = len(shop.emulator.events.types)
    ended = shop.client.subscriptions.update(subscription.id, trial_end="now")
    assert (ended.status, ended.latest_invoice) == (status, subscription.latest_invoice)
    events = {
        "pause": ["customer.subscription.updated", "customer.subscription.paused"],
        "cancel": ["customer.subscription.deleted"],
    }
    assert shop.since(count) == ["customer.subscription.trial_will_end", *events[behavior]]


def test_a_trial_whose_end_is_to_be_billed_cannot_end_early_without_a_card(shop: Shop) -> None:
    subscription = shop.client.subscriptions.create(
        customer=customer_without_card(shop), items=[{"price": shop.price()}], trial_period_days=14
    )
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        shop.client.subscriptions.update(subscription.id, trial_end="now")
    assert (caught.value.status_code, caught.value.code) == (400, "resource_missing")
    assert shop.client.subscriptions.retrieve(subscription.id).status == "trialing"
    update = shop.client.subscriptions.update(subscription.id, trial_end="now", payment_behavior="default_incomplete")
    assert (update.status, shop.latest(subscription.id).status) == ("past_due", "open")


def pending_setup_intent(
    shop: Shop, customer: str, **params: Any
) -> SetupIntent | None:  # Any: a literal of parameters
    subscription = shop.client.subscriptions.create(customer=customer, expand=["pending_setup_intent"], **params)
    assert subscription.status in ("trialing", "active")
    intent = subscription.pending_setup_intent
    assert intent is None or isinstance(intent, SetupIntent)
    return intent


def test_a_subscription_with_nothing_due_and_no_card_has_a_pending_setup_intent(shop: Shop) -> None:
    customer = customer_without_card(shop)
    meter = shop.client.billing.meters.create(
        display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )
    metered = shop.price(10, recurring={"interval": "month", "usage_type": "metered", "meter": meter.id})
    coupon = shop.client.coupons.create(percent_off=100, duration="once")
    nothing_due: list[dict[str, Any]] = [  # Any: a literal of parameters
        {"items": [{"price": shop.price()}], "trial_period_days": 7},
        {"items": [{"price": shop.price()}], "trial_period_days": 7, "payment_behavior": "default_incomplete"},
        {"items": [{"price": metered}]},
        {"items": [{"price": shop.price(0)}]},
        {"items": [{"price": shop.price()}], "discounts": [{"coupon": coupon.id}]},
        {"items": [{"price": shop.price()}], "billing_cycle_anchor": at(1, 20), "proration_behavior": "none"},
    ]
    for params in nothing_due:
        intent = pending_setup_intent(shop, customer, **params)
        assert intent is not None
        assert (intent.status, intent.customer, intent.usage) == ("requires_payment_method", customer, "off_session")
        for subscription in shop.client.subscriptions.list(customer=customer):
            shop.client.subscriptions.cancel(subscription.id)  # a customer of a clock can have three


def test_the_balance_of_a_customer_without_a_card_pays_the_first_invoice(shop: Shop) -> None:
    customer = shop.client.customers.create(balance=-5000).id
    subscription = shop.client.subscriptions.create(customer=customer, items=[{"price": shop.price(3000)}])
    assert (subscription.status, shop.latest(subscription.id).amount_due) == ("active", 0)


def test_a_card_that_is_ready_or_an_invoice_that_is_sent_needs_no_setup_intent(shop: Shop) -> None:
    price = [{"price": shop.price()}]
    assert pending_setup_intent(shop, shop.customer, items=price, trial_period_days=7) is None
    sent = {"collection_method": "send_invoice", "days_until_due": 30}
    assert pending_setup_intent(shop, customer_without_card(shop), items=price, trial_period_days=7, **sent) is None


def test_the_payment_method_of_a_pending_setup_intent_becomes_that_of_the_subscription(shop: Shop) -> None:
    customer = customer_without_card(shop)
    intent = pending_setup_intent(
        shop,
        customer,
        items=[{"price": shop.price(3000)}],
        trial_period_days=7,
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
    )
    assert intent is not None
    confirmed = shop.client.setup_intents.confirm(
        intent.id, payment_method="pm_card_visa", return_url="https://example.com"
    )
    subscription = next(iter(shop.client.subscriptions.list(customer=customer)))
    assert (confirmed.status, subscription.pending_setup_intent) == ("succeeded", None)
    assert subscription.default_payment_method == confirmed.payment_method
    assert shop.emulator.events.types[-1] == "customer.subscription.updated"
    shop.advance(at(1, 8, 1))
    assert shop.latest(subscription.id).status == "paid"


def test_a_card_to_be_authenticated_is_authenticated_for_the_trial(shop: Shop) -> None:
    shop.use("pm_card_authenticationRequiredOnSetup")
    intent = pending_setup_intent(shop, shop.customer, items=[{"price": shop.price(3000)}], trial_period_days=7)
    assert intent is not None
    assert (intent.status, intent.next_action is not None) == ("requires_action", True)
    shop.emulator.authenticate(intent.id)
    subscription = next(iter(shop.client.subscriptions.list(customer=shop.customer)))
    assert subscription.pending_setup_intent is None
    shop.advance(at(1, 8, 1))
    assert shop.latest(subscription.id).status == "paid"


def test_a_trial_goes_on_until_the_pending_end_is_paid(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(3000), trial_period_days=14)
    shop.use("pm_card_chargeCustomerFail")
    pending = shop.client.subscriptions.update(
        subscription.id, trial_end="now", payment_behavior="pending_if_incomplete"
    )
    assert (pending.status, pending.trial_end) == ("trialing", subscription.trial_end)
    assert pending.pending_update is not None
    assert pending.pending_update.trial_end is not None
    assert pending.latest_invoice is not None
    shop.client.invoices.pay(pending.latest_invoice.id, payment_method=shop.card)
    applied = shop.client.subscriptions.retrieve(subscription.id)
    assert (applied.status, applied.pending_update) == ("active", None)
    assert applied.items.data[0].current_period_end.timestamp() == at(2, 1)


def test_the_end_of_a_short_trial_is_announced_at_once(shop: Shop) -> None:
    count = len(shop.emulator.events.types)
    subscription = shop.subscribe(shop.price(1000), trial_period_days=2)
    assert shop.since(count)[-2:] == ["customer.subscription.created", "customer.subscription.trial_will_end"]
    count = len(shop.emulator.events.types)
    shop.advance(at(1, 4))
    assert shop.client.subscriptions.retrieve(subscription.id).status == "active"
    assert "customer.subscription.trial_will_end" not in shop.since(count)
