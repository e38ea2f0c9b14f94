"""Time: what happens later, test clocks and their limits, `Emulator.advance`; idempotency keys."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from tests.emulator.conftest import DAY, NEW_YEAR, Shop, at
from tests.emulator.test_payments import pay
from tests.emulator.test_strictness import raw


def test_a_payment_reaches_the_balance_at_the_next_request(emulator: Emulator, client: pinstripe.Client) -> None:
    intent = pay(client, expand=["latest_charge"])
    assert intent.capture_method == "automatic_async"
    assert intent.latest_charge.balance_transaction is None
    assert "charge.updated" not in emulator.events.types
    charge = client.charges.retrieve(intent.latest_charge.id)
    assert charge.balance_transaction is not None
    (updated,) = [event for event in emulator.events if event.type == "charge.updated"]
    assert updated.data.previous_attributes == {"balance_transaction": None}


def test_a_payment_that_is_captured_synchronously_is_in_the_balance_at_once(client: pinstripe.Client) -> None:
    intent = pay(client, capture_method="automatic", expand=["latest_charge"])
    assert intent.latest_charge.balance_transaction is not None


def test_a_clock_is_advancing_in_the_response(shop: Shop) -> None:
    clock = shop.client.test_helpers.test_clocks.advance(shop.clock, frozen_time=at(1, 2))
    assert clock.status == "advancing"
    assert shop.client.test_helpers.test_clocks.retrieve(shop.clock).status == "ready"


def test_a_clock_advances_by_at_most_two_intervals(shop: Shop) -> None:
    advance = shop.client.test_helpers.test_clocks.advance
    shop.subscribe(shop.price())
    with pytest.raises(pinstripe.InvalidRequestError, match="at most two intervals") as caught:
        advance(shop.clock, frozen_time=at(3, 2))
    assert caught.value.param == "frozen_time"
    advance(shop.clock, frozen_time=at(3, 1))


def test_a_clock_has_three_customers_of_three_subscriptions(shop: Shop) -> None:
    for _ in range(2):
        shop.client.customers.create(test_clock=shop.clock)
    with pytest.raises(pinstripe.InvalidRequestError, match="at most 3 customers"):
        shop.client.customers.create(test_clock=shop.clock)
    for _ in range(3):
        shop.subscribe(shop.price())
    with pytest.raises(pinstripe.InvalidRequestError, match="at most 3 subscriptions"):
        shop.subscribe(shop.price())
    preview = shop.client.invoices.create_preview(
        customer=shop.customer, subscription_details={"items": [{"price": shop.price(700)}]}
    )
    assert preview.total == 700


def test_lists_leave_out_the_objects_of_clocks(shop: Shop) -> None:
    subscription, plain = shop.subscribe(shop.price()).id, shop.client.customers.create().id
    client = shop.client
    assert [customer.id for customer in client.customers.list()] == [plain]
    assert [customer.id for customer in client.customers.list(test_clock=shop.clock)] == [shop.customer]
    assert list(client.subscriptions.list()) == []
    shown: tuple[Any, ...] = ({"customer": shop.customer}, {"test_clock": shop.clock})  # Any: parameters
    for params in shown:
        assert [listed.id for listed in client.subscriptions.list(**params)] == [subscription]


def test_the_emulator_advances_objects_with_and_without_a_clock(shop: Shop) -> None:
    client = shop.client
    customer = client.customers.create(payment_method="pm_card_visa").id
    method = client.customers.payment_methods.list(customer).data[0].id
    client.customers.update(customer, invoice_settings={"default_payment_method": method})
    price = shop.price()
    subscriptions = [shop.subscribe(price), client.subscriptions.create(customer=customer, items=[{"price": price}])]
    shop.emulator.advance(datetime(2027, 1, 2, tzinfo=timezone.utc))
    for subscription in subscriptions:
        assert len(client.invoices.list(subscription=subscription.id, limit=100).data) == 13
    with pytest.raises(pinstripe.InvalidArgumentError, match="only move forwards"):
        shop.emulator.advance(NEW_YEAR)


def test_the_time_of_the_emulator_is_part_of_its_state(emulator: Emulator) -> None:
    emulator.advance(NEW_YEAR + 40 * DAY)
    with Emulator(seed=1) as other:
        other.restore(emulator.snapshot())
        created = other.client().customers.create().created
        assert created is not None
        assert created >= datetime(2026, 2, 10, tzinfo=timezone.utc)


def test_an_error_of_an_operation_is_stored_for_its_idempotency_key(emulator: Emulator) -> None:
    headers = {"Idempotency-Key": "k"}
    first = raw(emulator, "POST", "/v1/customers", "payment_method=pm_unknown", **headers)
    again = raw(emulator, "POST", "/v1/customers", "payment_method=pm_unknown", **headers)
    assert (first.status_code, first.content) == (400, again.content)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Original-Request"] == first.headers["Request-Id"]
    other = raw(emulator, "POST", "/v1/customers", "name=Jenny", **headers)
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")


def test_an_invalid_request_does_not_use_its_idempotency_key(emulator: Emulator) -> None:
    headers = {"Idempotency-Key": "k"}
    assert raw(emulator, "POST", "/v1/customers", "emial=a", **headers).status_code == 400
    assert raw(emulator, "POST", "/v1/customers", "email=a", **headers).status_code == 200


def test_an_error_stored_for_a_key_has_no_other_effects(emulator: Emulator, client: pinstripe.Client) -> None:
    body = "amount=900&currency=usd&payment_method=pm_card_visa&confirm=true"
    assert raw(emulator, "POST", "/v1/payment_intents", body, **{"Idempotency-Key": "k"}).status_code == 400
    assert client.payment_intents.list().data == []
    assert client.payment_methods.list().data == []
