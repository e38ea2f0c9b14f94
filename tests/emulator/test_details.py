"""Fields and events that handlers of webhooks read."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from tests.emulator.conftest import DAY, Shop, at
from tests.emulator.test_payments import pay
from tests.emulator.test_strictness import raw


def _of_type(emulator: Emulator, event_type: str) -> list[Any]:  # Any: events of one type
    return [event for event in emulator.events if event.type == event_type]


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def test_a_subscription_of_one_item_shows_its_plan_and_quantity(shop: Shop) -> None:
    price = shop.price(3000)
    subscription: Any = shop.subscribe(price)  # Any: fields without a description
    assert (subscription.plan["id"], subscription.quantity) == (price, 1)
    item = subscription.items.data[0].id
    changed: Any = shop.client.subscriptions.update(subscription.id, items=[{"id": item, "quantity": 3}])
    assert changed.quantity == 3
    assert _of_type(shop.emulator, "customer.subscription.updated")[-1].data.previous_attributes["quantity"] == 1
    several: Any = shop.client.subscriptions.update(subscription.id, items=[{"price": shop.price(500)}])
    assert (several.plan, several.quantity) == (None, None)


def test_previous_attributes_contain_only_what_changed_in_a_hash(client: pinstripe.Client, emulator: Emulator) -> None:
    customer = client.customers.create(metadata={"a": "1", "b": "2"}).id
    client.customers.update(customer, metadata={"b": "3", "c": "4"}, invoice_settings={"footer": "x"})
    (event,) = _of_type(emulator, "customer.updated")
    assert event.data.previous_attributes == {
        "metadata": {"b": "2", "c": None},
        "invoice_settings": {"footer": None},
    }


def test_the_draft_of_a_renewal_shows_when_it_is_charged_and_the_period_that_ended(shop: Shop) -> None:
    shop.subscribe(shop.price())
    shop.advance(at(2, 1))
    (draft,) = shop.client.invoices.list(customer=shop.customer, status="draft").data
    assert draft.next_payment_attempt == _time(at(2, 1, 1))
    assert (draft.period_start, draft.period_end) == (_time(at(1, 1)), _time(at(2, 1)))
    shop.advance(at(2, 1, 1))
    paid = shop.client.invoices.retrieve(str(draft.id))
    assert (paid.status, paid.auto_advance, paid.next_payment_attempt) == ("paid", False, None)


def test_the_event_of_a_failed_payment_shows_the_next_attempt(shop: Shop) -> None:
    shop.subscribe(shop.price())
    shop.use("pm_card_chargeCustomerFail")
    shop.advance(at(2, 1, 1))
    (event,) = _of_type(shop.emulator, "invoice.payment_failed")
    assert event.data.object.next_payment_attempt == _time(at(2, 4, 1))


def test_a_line_names_the_unit_of_its_product(shop: Shop) -> None:
    product = shop.client.products.create(name="Team", unit_label="seat").id
    subscription = shop.client.subscriptions.create(
        customer=shop.customer, items=[{"price": shop.price(1000, product=product), "quantity": 3}]
    )
    assert shop.latest(subscription.id).lines.data[0].description == "3 seat × Team (at $10.00 / month)"


def test_a_decline_says_what_to_do(emulator: Emulator, client: pinstripe.Client) -> None:
    body = "amount=900&currency=usd&payment_method=pm_card_chargeDeclinedInsufficientFunds&confirm=true"
    response = raw(
        emulator, "POST", "/v1/payment_intents", f"{body}&return_url=https://a.test", **{"Idempotency-Key": "k"}
    )
    error = response.json()["error"]
    assert (error["advice_code"], error["network_decline_code"], error["param"]) == ("try_again_later", "51", "")
    assert response.headers["Request-Id"] in error["request_log_url"]
    (charge,) = client.charges.list().data
    assert charge.outcome is not None
    assert (charge.outcome.advice_code, charge.outcome.network_decline_code) == ("try_again_later", "51")


def test_a_charge_shows_the_authorization_of_its_card(client: pinstripe.Client) -> None:
    charge: Any = pay(client, capture_method="manual", expand=["latest_charge"]).latest_charge
    card = charge.payment_method_details.card
    assert (card.amount_authorized, card.network, len(card.network_transaction_id)) == (2000, "visa", 15)
    assert card.capture_before - charge.created == 7 * (_time(DAY) - _time(0))


def test_a_refund_that_changes_has_both_events(client: pinstripe.Client, emulator: Emulator) -> None:
    intent = pay(client, "pm_card_refundFail")
    client.refunds.create(payment_intent=intent.id)
    client.refunds.list()
    types = emulator.events.types
    assert types.index("refund.updated") + 1 == types.index("charge.refund.updated")


def test_a_refund_whose_metadata_change_has_both_events(client: pinstripe.Client, emulator: Emulator) -> None:
    refund = client.refunds.create(payment_intent=pay(client).id)
    client.refunds.update(refund.id, metadata={"order": "1"})
    assert emulator.events.types[-2:] == ["refund.updated", "charge.refund.updated"]
    client.refunds.update(refund.id, metadata={"order": "1"})
    assert emulator.events.types.count("charge.refund.updated") == 1


def test_the_discount_of_a_subscription_has_events(shop: Shop) -> None:
    coupon = shop.client.coupons.create(percent_off=10, duration="forever").id
    subscription = shop.subscribe(shop.price(), discounts=[{"coupon": coupon}])
    (created,) = _of_type(shop.emulator, "customer.discount.created")
    assert created.data.object.subscription == subscription.id
    shop.client.subscriptions.update(subscription.id, discounts=None)
    (deleted,) = _of_type(shop.emulator, "customer.discount.deleted")
    assert deleted.data.object.id == created.data.object.id


def test_a_schedule_announces_its_end(shop: Shop) -> None:
    phase: Any = {"items": [{"price": shop.price()}], "duration": {"interval": "month", "interval_count": 1}}
    shop.client.subscription_schedules.create(customer=shop.customer, start_date="now", phases=[phase])
    shop.advance(at(1, 24))
    assert shop.emulator.events.types.count("subscription_schedule.expiring") == 0
    shop.advance(at(1, 25))
    (event,) = _of_type(shop.emulator, "subscription_schedule.expiring")
    assert event.created == _time(at(1, 25))


@pytest.mark.parametrize(("delinquent", "outcome"), [(True, "aborted"), (False, "canceled")])
def test_a_schedule_ends_with_its_subscription(shop: Shop, delinquent: bool, outcome: str) -> None:
    phase: Any = {"items": [{"price": shop.price()}], "duration": {"interval": "year", "interval_count": 1}}
    schedule = shop.client.subscription_schedules.create(customer=shop.customer, start_date="now", phases=[phase])
    if delinquent:
        shop.emulator.retry_payments(days=[], then="canceled")
        shop.use("pm_card_chargeCustomerFail")
        shop.advance(at(2, 2))
    else:
        shop.client.subscriptions.cancel(str(schedule.subscription))
    assert shop.client.subscription_schedules.retrieve(schedule.id).status == "canceled"
    (event,) = _of_type(shop.emulator, f"subscription_schedule.{outcome}")
    assert event.data.object.id == schedule.id


def test_a_payment_link_has_an_event(client: pinstripe.Client, emulator: Emulator) -> None:
    price = client.prices.create(currency="usd", unit_amount=900, product_data={"name": "A"}).id
    link = client.payment_links.create(line_items=[{"price": price, "quantity": 1}])
    assert emulator.events.wait("payment_link.created").data.object.id == link.id


def test_the_balance_becomes_available_in_time(client: pinstripe.Client, emulator: Emulator) -> None:
    pay(client)
    client.balance.retrieve()
    created = int(emulator.events[-1].created.timestamp())
    emulator.advance(created + 3 * DAY)
    event = _of_type(emulator, "balance.available")[0]
    assert event.data.object.available[0].amount == 1912


def test_a_balance_that_is_available_at_once_has_an_event(client: pinstripe.Client, emulator: Emulator) -> None:
    pay(client, "pm_card_bypassPending")
    client.balance.retrieve()  # charges are settled at the next request
    (event,) = _of_type(emulator, "balance.available")
    assert event.data.object.available[0].amount == 1912


@pytest.mark.parametrize(("number", "code", "param"), [("4242424242424241", "incorrect_number", "number")])
def test_the_error_of_a_card_names_the_detail(client: pinstripe.Client, number: str, code: str, param: str) -> None:
    card: Any = {"number": number, "exp_month": 12, "exp_year": 2034}
    with pytest.raises(pinstripe.CardError) as caught:
        client.payment_methods.create(type="card", card=card)
    assert (caught.value.code, caught.value.param) == (code, param)


def _transfer_intent(client: pinstripe.Client, customer: str, amount: int) -> Any:  # Any: an intent
    return client.payment_intents.create(
        amount=amount,
        currency="usd",
        customer=customer,
        payment_method_data={"type": "customer_balance"},
        payment_method_options={
            "customer_balance": {"funding_type": "bank_transfer", "bank_transfer": {"type": "us_bank_transfer"}}
        },
        allowed_payment_method_types=["customer_balance"],
        confirm=True,
    )


def test_a_cash_balance_pays_the_intents_that_wait_for_a_transfer(client: pinstripe.Client, emulator: Emulator) -> None:
    customer = client.customers.create().id
    intent = _transfer_intent(client, customer, 3000)
    assert intent.next_action.display_bank_transfer_instructions.amount_remaining == 3000
    client.test_helpers.customers.fund_cash_balance(customer, amount=1000, currency="usd")
    partly: Any = client.payment_intents.retrieve(intent.id)
    assert partly.next_action.display_bank_transfer_instructions.amount_remaining == 2000
    assert "payment_intent.partially_funded" in emulator.events.types
    client.test_helpers.customers.fund_cash_balance(customer, amount=2500, currency="usd")
    paid = client.payment_intents.retrieve(intent.id)
    assert (paid.status, paid.amount_received) == ("succeeded", 3000)
    assert client.customers.cash_balance.retrieve(customer).available == {"usd": 500}
    assert _transfer_intent(client, customer, 500).status == "succeeded"


def test_a_cash_balance_can_be_applied_by_hand(client: pinstripe.Client) -> None:
    customer = client.customers.create().id
    client.customers.cash_balance.update(customer, settings={"reconciliation_mode": "manual"})
    intent = _transfer_intent(client, customer, 3000)
    client.test_helpers.customers.fund_cash_balance(customer, amount=3000, currency="usd")
    assert client.payment_intents.retrieve(intent.id).status == "requires_action"
    assert client.payment_intents.apply_customer_balance(intent.id).status == "succeeded"


def test_a_deleted_account_deauthorizes_the_platform(client: pinstripe.Client, emulator: Emulator) -> None:
    account = client.accounts.create(type="standard").id
    client.accounts.delete(account)
    (event,) = _of_type(emulator, "account.application.deauthorized")
    assert event.account == account


def test_an_authorization_of_an_active_card_is_requested_first(emulator: Emulator, client: pinstripe.Client) -> None:
    address: Any = {"line1": "1 Main", "city": "NYC", "country": "US", "postal_code": "10001"}
    holder = client.issuing.cardholders.create(name="Jenny", billing={"address": address}).id
    card = client.issuing.cards.create(cardholder=holder, currency="usd", type="virtual", status="active").id
    client.test_helpers.issuing.authorizations.create(card=card, amount=500)
    (request,) = _of_type(emulator, "issuing_authorization.request")
    assert (request.data.object.approved, request.data.object.pending_request.amount) == (False, 500)
