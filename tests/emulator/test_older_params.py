"""Parameters that Stripe's packages type and its public document hides: cards by number or token, plans, and more."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from tests.emulator.test_strictness import raw

CARDS = [
    {"payment_method_data[type]": "card", "payment_method_data[card][token]": "tok_visa"},
    {
        "payment_method_data[type]": "card",
        "payment_method_data[card][number]": "4242424242424242",
        "payment_method_data[card][exp_month]": "12",
        "payment_method_data[card][exp_year]": "2034",
    },
]
RETURN_URL = "https://example.com"


@pytest.mark.parametrize("card", CARDS)
def test_intents_and_confirmation_tokens_take_the_data_of_a_card(emulator: Emulator, card: dict[str, str]) -> None:
    confirm = {"confirm": "true", "return_url": RETURN_URL}
    payment = {"amount": "900", "currency": "usd", "payment_method_options[card][moto]": "true", **confirm, **card}
    assert raw(emulator, "POST", "/v1/payment_intents", urlencode(payment)).json()["status"] == "succeeded"
    assert raw(emulator, "POST", "/v1/setup_intents", urlencode(confirm | card)).json()["status"] == "succeeded"
    token = raw(emulator, "POST", "/v1/test_helpers/confirmation_tokens", urlencode(card)).json()
    assert token["payment_method_preview"]["card"]["last4"] == "4242"
    intent = raw(emulator, "POST", "/v1/payment_intents", "amount=900&currency=usd").json()["id"]
    confirmed = raw(
        emulator,
        "POST",
        f"/v1/payment_intents/{intent}/confirm",
        urlencode({"confirmation_token": token["id"], "return_url": RETURN_URL}),
    )
    assert confirmed.json()["status"] == "succeeded"


def test_plans_can_be_subscribed_to(client: pinstripe.Client) -> None:
    client.products.create(id="gold", name="Gold", type="service")
    for plan, amount in (("gold", 1500), ("silver", 900)):
        client.plans.create(id=plan, amount=amount, currency="usd", interval="month", product="gold")
    customer = client.customers.create(
        payment_method="pm_card_visa", invoice_settings={"default_payment_method": "pm_card_visa"}, validate=True
    ).id
    subscription = client.subscriptions.create(customer=customer, items=[{"plan": "gold", "quantity": 2}])
    (item,) = subscription.items.data
    assert (item.plan is not None and item.plan.id, item.price.id) == ("gold", "gold")
    assert [listed.id for listed in client.subscriptions.list(plan="gold")] == [subscription.id]
    assert client.subscriptions.list(plan="silver").data == []
    changed = client.subscriptions.update(subscription.id, items=[{"id": item.id, "plan": "silver"}])
    assert changed.items.data[0].price.unit_amount == 900
    added = client.subscription_items.create(subscription=subscription.id, plan="gold")
    assert added.price.id == "gold"
    preview = client.invoices.create_preview(
        customer=customer, subscription_details={"items": [{"plan": "gold", "quantity": 3}]}
    )
    assert preview.total == 4500
    schedule = client.subscription_schedules.create(
        customer=customer,
        start_date="now",
        phases=[{"items": [{"plan": "gold"}], "duration": {"interval": "month"}}],
    )
    assert schedule.phases[0].items[0].price == "gold"
    client.plans.update("gold", active=False, nickname="Old")
    assert (client.prices.retrieve("gold").active, client.prices.retrieve("gold").nickname) == (False, "Old")
    with pytest.raises(pinstripe.InvalidRequestError, match="inactive"):
        client.subscriptions.create(customer=customer, items=[{"plan": "gold"}])


def test_the_type_of_a_product_is_a_filter(client: pinstripe.Client) -> None:
    client.products.create(name="Mug", type="good")
    service = client.products.create(name="Seat", type="service")
    assert [product.id for product in client.products.list(type="service")] == [service.id]


def test_a_card_that_is_not_validated_can_be_added_though_it_is_declined(client: pinstripe.Client) -> None:
    with pytest.raises(pinstripe.CardError):
        client.customers.create(source="tok_chargeDeclined", validate=True)
    assert client.customers.create(source="tok_chargeDeclined", validate=False).default_source is not None
