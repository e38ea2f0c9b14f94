"""Hosted pages, completed in process: `Emulator.checkout`, `hosted_invoice`, `portal` and `payment_link`."""

from __future__ import annotations

from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.models import PromotionCode
from tests.emulator.conftest import Shop

CHALLENGE = "4000 0027 6000 3184"
DECLINED = "4000000000000002"
PLAN: Any = {"currency": "usd", "unit_amount": 2900, "product_data": {"name": "Gold"}}  # Any: `price_data`
MONTHLY = {**PLAN, "recurring": {"interval": "month"}}


def open_session(client: pinstripe.Client, mode: Any = "payment", **params: Any) -> str:  # Any: parameters of a session
    items = {"line_items": [{"price_data": MONTHLY if mode == "subscription" else PLAN, "quantity": 1}]}
    if mode == "setup":
        items = {"currency": "usd", "customer": client.customers.create().id}  # type: ignore[dict-item]  # other parameters
    return client.checkout.sessions.create(mode=mode, success_url="https://example.com", **{**items, **params}).id


@pytest.mark.parametrize("mode", ["payment", "subscription", "setup"])
def test_a_checkout_is_completed_with_a_card(emulator: Emulator, client: pinstripe.Client, mode: str) -> None:
    session = emulator.checkout(open_session(client, mode)).pay(name="Ann", email="ann@example.com")
    assert (session.status, session.payment_status) == (
        "complete",
        "no_payment_required" if mode == "setup" else "paid",
    )
    assert session.customer_details
    assert (session.customer_details.name, session.customer_details.email) == ("Ann", "ann@example.com")
    assert emulator.events.wait("checkout.session.completed").data.object.id == session.id
    assert client.checkout.sessions.retrieve(session.id) == session


@pytest.mark.parametrize("mode", ["payment", "subscription", "setup"])
def test_a_checkout_waits_for_3d_secure(emulator: Emulator, client: pinstripe.Client, mode: str) -> None:
    page = emulator.checkout(client.checkout.sessions.retrieve(open_session(client, mode)))
    assert page.pay(CHALLENGE).status == "open"
    assert page.authenticate(success=False).status == "open"
    assert page.pay(CHALLENGE).status == "open"
    assert page.authenticate().status == "complete"
    assert page.session.status == "complete"


def test_a_declined_checkout_can_be_paid_with_another_card(emulator: Emulator, client: pinstripe.Client) -> None:
    page = emulator.checkout(open_session(client))
    with pytest.raises(pinstripe.CardError) as caught:
        page.pay(DECLINED)
    assert (caught.value.code, caught.value.decline_code) == ("card_declined", "generic_decline")
    assert "charge.failed" in emulator.events.types
    assert page.pay().payment_status == "paid"
    with pytest.raises(pinstripe.InvalidRequestError, match="complete"):
        page.pay()


def test_a_checkout_expires(emulator: Emulator, client: pinstripe.Client) -> None:
    page = emulator.checkout(open_session(client))
    assert page.expire().status == "expired"
    assert emulator.events.types[-1] == "checkout.session.expired"
    with pytest.raises(pinstripe.InvalidRequestError):
        page.expire()


def test_an_authentication_needs_a_challenge(emulator: Emulator, client: pinstripe.Client) -> None:
    with pytest.raises(pinstripe.InvalidArgumentError, match="does not wait"):
        emulator.checkout(open_session(client)).authenticate()
    with pytest.raises(pinstripe.InvalidRequestError, match="No such"):
        emulator.checkout("cs_test_missing")


def test_a_payment_link_opens_a_checkout(emulator: Emulator, client: pinstripe.Client) -> None:
    price = client.prices.create(**PLAN)
    link = client.payment_links.create(line_items=[{"price": price.id, "quantity": 2}])
    first, second = emulator.payment_link(link), emulator.payment_link(link.id)
    assert first.id != second.id
    assert first.pay().amount_total == 5800
    assert second.session.payment_link == link.id
    client.payment_links.update(link.id, active=False)
    with pytest.raises(pinstripe.InvalidRequestError, match="no longer active"):
        emulator.payment_link(link)


def test_a_hosted_invoice_is_paid(shop: Shop) -> None:
    client = shop.client
    draft = client.invoices.create(customer=shop.customer, collection_method="send_invoice", days_until_due=3)
    client.invoice_items.create(customer=shop.customer, invoice=draft.id, amount=900, currency="usd")
    page = shop.emulator.hosted_invoice(draft)
    with pytest.raises(pinstripe.InvalidRequestError, match="draft"):
        page.pay()
    client.invoices.finalize_invoice(draft.id)
    with pytest.raises(pinstripe.CardError):
        page.pay(DECLINED)
    assert page.pay(CHALLENGE).status == "open"
    assert page.authenticate().status == "paid"
    assert page.invoice.amount_paid == 900


def test_a_customer_uses_the_portal(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price())
    session = shop.client.billing_portal.sessions.create(customer=shop.customer)
    page = shop.emulator.portal(session)
    assert page.cancel(subscription).cancel_at_period_end
    assert not page.renew(subscription.id).cancel_at_period_end
    method = page.add_card("5555555555554444")
    assert method.card
    assert (method.card.brand, method.customer) == ("mastercard", shop.customer)
    with pytest.raises(pinstripe.CardError, match="declined"):
        page.add_card(DECLINED)
    assert page.session == session


def test_a_promotion_code_is_entered_on_the_page(emulator: Emulator, client: pinstripe.Client) -> None:
    emulator.make(PromotionCode, code="TENOFF")
    page = emulator.checkout(open_session(client, allow_promotion_codes=True))
    with pytest.raises(pinstripe.InvalidRequestError):
        page.apply_code("UNKNOWN")
    assert page.apply_code("TENOFF").amount_total == 2610
    assert page.apply_code(None).amount_total == 2900
    page.apply_code("TENOFF")
    assert page.pay().amount_total == 2610


def test_a_session_that_needs_no_card_is_completed_without_one(emulator: Emulator, client: pinstripe.Client) -> None:
    trial: Any = {"trial_period_days": 14}
    session = open_session(client, "subscription", subscription_data=trial, payment_method_collection="if_required")
    assert emulator.checkout(session).pay(None).status == "complete"


def test_a_customer_changes_a_quantity_in_the_portal(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price())
    update: Any = {"enabled": True, "default_allowed_updates": ["quantity"], "products": []}
    configuration = shop.client.billing_portal.configurations.create(features={"subscription_update": update})
    session = shop.client.billing_portal.sessions.create(customer=shop.customer, configuration=configuration.id)
    changed = shop.emulator.portal(session).update_quantity(subscription.items.data[0], 3)
    assert changed.items.data[0].quantity == 3
    with pytest.raises(pinstripe.StripeError, match="does not allow"):
        shop.emulator.portal(session).cancel(subscription)


def test_pages_of_connected_accounts(emulator: Emulator) -> None:
    account = emulator.client().accounts.create(country="US").id
    session = open_session(emulator.client(stripe_account=account))
    assert emulator.checkout(session, stripe_account=account).pay().payment_status == "paid"
