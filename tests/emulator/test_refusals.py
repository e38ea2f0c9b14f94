"""Requests that Stripe refuses, although their parameters are well-formed."""

from __future__ import annotations

from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from tests.emulator.conftest import NEW_YEAR, NO_REDIRECTS, Shop, at
from tests.emulator.test_payments import pay
from tests.emulator.test_strictness import raw


def test_a_default_intent_is_confirmed_only_with_a_return_url(client: pinstripe.Client) -> None:
    intent = client.payment_intents.create(amount=900, currency="usd", payment_method="pm_card_visa")
    assert intent.automatic_payment_methods is not None
    assert intent.automatic_payment_methods.allow_redirects == "always"
    with pytest.raises(pinstripe.InvalidRequestError, match="must provide a `return_url`") as caught:
        client.payment_intents.confirm(intent.id)
    assert (caught.value.status_code, caught.value.param) == (400, "return_url")
    with pytest.raises(pinstripe.InvalidRequestError, match="Not a valid URL"):
        client.payment_intents.confirm(intent.id, return_url="home")
    assert client.payment_intents.confirm(intent.id, return_url="https://a.test").status == "succeeded"
    with pytest.raises(pinstripe.InvalidRequestError, match="must provide a `return_url`"):
        client.setup_intents.create(payment_method="pm_card_visa", confirm=True)


def test_a_payment_method_without_a_customer_is_used_once(client: pinstripe.Client) -> None:
    method = client.payment_methods.create(type="card", card={"token": "tok_visa"}).id
    assert pay(client, method).status == "succeeded"
    for again in (
        lambda: pay(client, method),
        lambda: client.payment_methods.attach(method, customer=client.customers.create().id),
    ):
        with pytest.raises(pinstripe.InvalidRequestError, match="may not be used again") as caught:
            again()
        assert caught.value.code == "payment_method_unexpected_state"


def test_a_detached_payment_method_is_not_attached_again(client: pinstripe.Client) -> None:
    customer = client.customers.create().id
    method = client.payment_methods.attach("pm_card_visa", customer=customer).id
    client.payment_methods.detach(method)
    with pytest.raises(pinstripe.InvalidRequestError, match="may not be used again"):
        client.payment_methods.attach(method, customer=customer)


def test_a_payment_method_without_a_customer_is_not_updated(client: pinstripe.Client) -> None:
    method = client.payment_methods.create(type="card", card={"token": "tok_visa"}).id
    with pytest.raises(pinstripe.InvalidRequestError, match="save this PaymentMethod to a customer"):
        client.payment_methods.update(method, metadata={"a": "1"})


def test_error_on_requires_action_declines_a_payment_that_needs_authentication(client: pinstripe.Client) -> None:
    with pytest.raises(pinstripe.CardError) as caught:
        pay(client, "pm_card_threeDSecure2Required", error_on_requires_action=True)
    assert (caught.value.code, caught.value.decline_code) == ("authentication_required", "authentication_not_handled")
    (intent,) = client.payment_intents.list()
    assert intent.status == "requires_payment_method"


def test_error_if_incomplete_refuses_a_subscription_that_needs_authentication(shop: Shop) -> None:
    shop.use("pm_card_threeDSecure2Required")
    with pytest.raises(pinstripe.CardError) as caught:
        shop.subscribe(shop.price(), payment_behavior="error_if_incomplete")
    assert (caught.value.status_code, caught.value.code) == (402, "subscription_payment_intent_requires_action")
    assert list(shop.client.subscriptions.list(customer=shop.customer)) == []


def test_an_update_with_error_if_incomplete_that_needs_authentication_changes_nothing(shop: Shop) -> None:
    price, larger = shop.price(), shop.price(9000)
    subscription = shop.subscribe(price)
    shop.use("pm_card_threeDSecure2Required")
    item = subscription.items.data[0].id
    with pytest.raises(pinstripe.CardError) as caught:
        shop.client.subscriptions.update(
            subscription.id,
            items=[{"id": item, "price": larger}],
            proration_behavior="always_invoice",
            payment_behavior="error_if_incomplete",
        )
    assert caught.value.code == "subscription_payment_intent_requires_action"
    assert shop.client.subscriptions.retrieve(subscription.id).items.data[0].price.id == price


def test_paying_an_invoice_that_needs_authentication_is_an_error(shop: Shop, emulator: Emulator) -> None:
    shop.use("pm_card_threeDSecure2Required")
    subscription = shop.subscribe(shop.price(), payment_behavior="default_incomplete")
    with pytest.raises(pinstripe.CardError) as caught:
        shop.client.invoices.pay(str(subscription.latest_invoice))
    assert (caught.value.status_code, caught.value.code) == (402, "invoice_payment_intent_requires_action")
    assert caught.value.payment_intent is not None
    emulator.authenticate(caught.value.payment_intent.id)
    assert shop.client.subscriptions.retrieve(subscription.id).status == "active"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("currency=usd&allowed_payment_method_types[]=ideal", "No valid payment method types"),
        (
            "currency=usd&allowed_payment_method_types[]=card&excluded_payment_method_types[]=alipay",
            "only specify one of these parameters",
        ),
        (
            "currency=usd&allowed_payment_method_types[]=card&automatic_payment_methods[enabled]=true",
            "only specify one of these parameters",
        ),
        ("currency=usd&application_fee_amount=10", "Can only apply an application_fee_amount"),
        ("currency=usd&transfer_data[destination]=acct_unknown", "No such destination"),
    ],
)
def test_a_payment_intent_is_refused(emulator: Emulator, body: str, words: str) -> None:
    response = raw(emulator, "POST", "/v1/payment_intents", f"amount=1000&{body}")
    assert (response.status_code, words in response.json()["error"]["message"]) == (400, True), response.text


def test_a_payment_method_must_support_the_currency(client: pinstripe.Client) -> None:
    method = client.payment_methods.create(type="sepa_debit", sepa_debit={"iban": "DE89370400440532013000"}).id
    with pytest.raises(pinstripe.InvalidRequestError, match="Invalid currency: usd"):
        pay(client, method)


def test_classic_billing_needs_equal_intervals(shop: Shop) -> None:
    monthly, yearly = shop.price(), shop.price(recurring={"interval": "year"})
    with pytest.raises(pinstripe.InvalidRequestError, match="mismatch in interval field"):
        shop.subscribe(monthly, yearly, billing_mode={"type": "classic"})
    assert shop.subscribe(monthly, yearly).status == "active"


def test_a_proration_date_lies_in_the_current_period(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price())
    item = subscription.items.data[0].id
    for date in (NEW_YEAR - 1, at(2, 2)):
        with pytest.raises(pinstripe.InvalidRequestError) as caught:
            shop.client.subscriptions.update(subscription.id, items=[{"id": item, "quantity": 2}], proration_date=date)
        assert caught.value.param == "proration_date"


def test_a_pending_update_has_no_metadata(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price())
    with pytest.raises(pinstripe.InvalidRequestError, match="you cannot pass `metadata`"):
        shop.client.subscriptions.update(subscription.id, metadata={"a": "1"}, payment_behavior="pending_if_incomplete")


def test_promotion_codes_have_a_minimum_and_an_expiry(shop: Shop) -> None:
    coupon = shop.client.coupons.create(percent_off=10, duration="once", redeem_by=at(6, 1)).id
    promotion: Any = {"type": "coupon", "coupon": coupon}  # Any: a parameter
    refused: tuple[Any, ...] = (  # Any: parameters
        {"expires_at": NEW_YEAR - 1},
        {"expires_at": at(7, 1)},
        {"restrictions": {"minimum_amount": 5000}},
    )
    for params in refused:
        with pytest.raises(pinstripe.InvalidRequestError):
            shop.client.promotion_codes.create(promotion=promotion, **params)
    code = shop.client.promotion_codes.create(
        promotion=promotion, restrictions={"minimum_amount": 5000, "minimum_amount_currency": "usd"}
    ).id
    with pytest.raises(pinstripe.InvalidRequestError, match="less than its minimum"):
        shop.subscribe(shop.price(3000), discounts=[{"promotion_code": code}])
    assert shop.subscribe(shop.price(5000), discounts=[{"promotion_code": code}]).status == "active"


def test_expand_of_a_list_begins_with_data(client: pinstripe.Client) -> None:
    with pytest.raises(pinstripe.InvalidRequestError, match=r"try expanding 'data\.customer'"):
        client.charges.list(expand=["customer"])


def test_json_is_not_accepted_by_v1(emulator: Emulator) -> None:
    response = raw(emulator, "POST", "/v1/customers", '{"name": "Jenny"}', **{"Content-Type": "application/json"})
    assert response.status_code == 400
    assert "application/x-www-form-urlencoded" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"line_items": [{"price": "PRICE"}]}, "line_items[0][quantity]"),
        ({"line_items": [{"price": "PRICE", "quantity": 0}]}, "line_items[0][quantity]"),
        ({"success_url": "example"}, "success_url"),
        ({"expires_at": 60}, "expires_at"),
        ({"expires_at": 86_500}, "expires_at"),
        ({"mode": None}, "mode"),
        ({"subscription_data": {"description": "x"}}, "subscription_data"),
        ({"allow_promotion_codes": True, "discounts": [{"coupon": "COUPON"}]}, "discounts"),
        ({"line_items": [{"price": "CHEAP", "quantity": 1}]}, None),
        ({"payment_intent_data": {"application_fee_amount": 10}}, "payment_intent_data[application_fee_amount]"),
        (
            {"payment_intent_data": {"transfer_data": {"destination": "acct_1None"}}},
            "payment_intent_data[transfer_data][destination]",
        ),
    ],
)
def test_a_checkout_session_is_refused(client: pinstripe.Client, params: dict[str, Any], param: str | None) -> None:
    ids = {
        "PRICE": client.prices.create(currency="usd", unit_amount=900, product_data={"name": "A"}).id,
        "CHEAP": client.prices.create(currency="usd", unit_amount=20, product_data={"name": "B"}).id,
        "COUPON": client.coupons.create(percent_off=10, duration="once").id,
    }
    defaults = {"mode": "payment", "line_items": [{"price": "PRICE", "quantity": 1}], "success_url": "https://a.test"}
    all_params: Any = {name: value for name, value in {**defaults, **params}.items() if value is not None}
    all_params["line_items"] = [{**item, "price": ids[item["price"]]} for item in all_params["line_items"]]
    if "discounts" in all_params:
        all_params["discounts"] = [{"coupon": ids["COUPON"]}]
    if "expires_at" in all_params:
        all_params["expires_at"] += NEW_YEAR
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.checkout.sessions.create(**all_params)
    assert caught.value.param == param


def test_a_fee_of_a_destination_payment_is_allowed(client: pinstripe.Client) -> None:
    account = client.accounts.create(type="express").id
    intent = client.payment_intents.create(
        amount=1000,
        currency="usd",
        payment_method="pm_card_visa",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
        application_fee_amount=100,
        transfer_data={"destination": account},
    )
    assert intent.status == "succeeded"
