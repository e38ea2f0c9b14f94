"""Errors of invalid requests: status, type, code, param and message."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.emulator.server.requests import DEFAULT_BASE_URL
from pinstripe.emulator.server.transports import InProcessTransport
from tests.emulator.conftest import NO_REDIRECTS, existing_customer

INVALID_INTEGER = "parameter_invalid_integer"


def raw(
    emulator: Emulator, verb: str, path: str, body: str = "", key: str = "sk_test_x", **headers: str
) -> httpx.Response:
    """Send a request as it is on the wire."""
    all_headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-www-form-urlencoded", **headers}
    with httpx.Client(transport=InProcessTransport(emulator._server)) as sender:
        return sender.request(verb, DEFAULT_BASE_URL + path, content=body, headers=all_headers)


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "code", "param"),
    [
        ("POST", "/v1/customers", "emial=a", 400, "parameter_unknown", "emial"),
        ("POST", "/v1/customers", "address[citty]=a", 400, "parameter_unknown", "address[citty]"),
        ("POST", "/v1/payment_intents", "currency=usd", 400, "parameter_missing", "amount"),
        ("POST", "/v1/payment_intents", "currency=usd&amount=", 400, "parameter_invalid_integer", "amount"),
        ("POST", "/v1/payment_intents", "currency=usd&amount=ten", 400, "parameter_invalid_integer", "amount"),
        ("POST", "/v1/products", "name=", 400, "parameter_invalid_empty", "name"),
        ("POST", "/v1/products", "name=x&active=maybe", 400, None, "active"),
        ("POST", "/v1/payment_intents", "currency=usd&amount=100&capture_method=soon", 400, None, "capture_method"),
        ("POST", "/v1/customers", "name=" + "x" * 257, 400, None, "name"),
        ("POST", "/v1/customers", "metadata[" + "k" * 41 + "]=1", 400, None, "metadata"),
        ("POST", "/v1/subscriptions", "customer=cus_none&items[0][price]=p", 400, "resource_missing", "customer"),
        ("POST", "/v1/invoices", "customer=prod_none", 400, "resource_missing", "customer"),
        ("GET", "/v1/customers/cus_none", "", 404, "resource_missing", "id"),
        ("DELETE", "/v1/customers/cus_none", "", 404, "resource_missing", "id"),
        ("GET", "/v1/customers?limit=101", "", 400, None, "limit"),
        ("GET", "/v1/customers?limit=0", "", 400, None, "limit"),
        ("GET", "/v1/customers?starting_after=cus_none", "", 400, "resource_missing", "starting_after"),
        ("GET", "/v1/payment_intents/pi_none", "", 404, "resource_missing", "intent"),
        ("POST", "/v1/payment_intents", "currency=uds&amount=100", 400, None, "currency"),
        ("POST", "/v1/tax_rates", "display_name=x&inclusive=true&percentage=190", 400, None, "percentage"),
        ("GET", "/v1/nonsense", "", 404, None, None),
        ("PUT", "/v1/customers", "", 404, None, None),
        ("GET", "/v1/charges?customer=cus_none", "", 400, "resource_missing", "customer"),
        ("GET", "/v1/customers/", "", 404, None, None),
        ("GET", "/v1/customers//subscriptions", "", 404, None, None),
        ("POST", "/v1/customers/", "name=x", 404, None, None),
        ("POST", "/v1/subscriptions//cancel", "", 404, None, None),
        ("POST", "/v1/test_helpers/test_clocks", "frozen_time=1000000000000", 400, INVALID_INTEGER, "frozen_time"),
        (
            "POST",
            "/v1/subscriptions",
            "billing_cycle_anchor=1000000000000",
            400,
            INVALID_INTEGER,
            "billing_cycle_anchor",
        ),
        ("POST", "/v1/subscriptions", "cancel_at=-1", 400, INVALID_INTEGER, "cancel_at"),
        ("POST", "/v1/subscriptions", "items[0][quantity]=-2", 400, INVALID_INTEGER, "items[0][quantity]"),
        ("POST", "/v1/invoiceitems", "customer=c&quantity=-1", 400, INVALID_INTEGER, "quantity"),
    ],
)
def test_an_invalid_request_names_the_parameter(
    emulator: Emulator, verb: str, path: str, body: str, status: int, code: str | None, param: str | None
) -> None:
    response = raw(emulator, verb, path, body)
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (status, "invalid_request_error")
    assert (error.get("code"), error.get("param")) == (code, param)
    assert error["message"]
    assert response.headers["Request-Id"].startswith("req_")


@pytest.mark.parametrize(
    ("key", "status", "words"),
    [
        ("", 401, "You did not provide an API key"),
        ("sk_live_51abc", 401, "takes no live keys"),
        ("nonsense", 401, "Invalid API Key"),
        ("pk_test_x", 401, "publishable"),
        ("rk_test_x", 200, None),
    ],
)
def test_only_test_keys_are_accepted(emulator: Emulator, key: str, status: int, words: str | None) -> None:
    response = raw(emulator, "GET", "/v1/customers", key=key)
    assert response.status_code == status
    if words:
        assert words in response.json()["error"]["message"]


def test_a_publishable_key_is_limited_to_front_end_operations(emulator: Emulator, client: pinstripe.Client) -> None:
    intent = client.payment_intents.create(amount=500, currency="usd", payment_method="pm_card_visa")
    path = f"/v1/payment_intents/{intent.id}"
    assert (
        raw(emulator, "POST", "/v1/payment_methods", "type=card&card[token]=tok_visa", key="pk_test_x").status_code
        == 200
    )
    assert raw(emulator, "GET", f"{path}?client_secret=wrong", key="pk_test_x").status_code == 400
    assert raw(emulator, "GET", f"{path}?client_secret={intent.client_secret}", key="pk_test_x").status_code == 200


def test_account_ids_must_be_well_formed(emulator: Emulator) -> None:
    refused = raw(emulator, "GET", "/v1/customers", **{"Stripe-Account": "someone"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "account_invalid")


def test_an_idempotency_key_has_at_most_255_characters(emulator: Emulator) -> None:
    assert raw(emulator, "POST", "/v1/customers", **{"Idempotency-Key": "k" * 255}).status_code == 200
    refused = raw(emulator, "POST", "/v1/customers", **{"Idempotency-Key": "k" * 256})
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "idempotency_error")


def test_a_response_begins_with_id_and_object(emulator: Emulator) -> None:
    assert list(raw(emulator, "POST", "/v1/customers").json())[:2] == ["id", "object"]


def test_a_refused_request_changes_nothing(emulator: Emulator, client: pinstripe.Client) -> None:
    customer = client.customers.create().id
    count, products = len(emulator.events), len(client.products.list().data)
    product = client.products.create(name="x").id
    with pytest.raises(pinstripe.InvalidRequestError, match="recurring"):
        client.subscriptions.create(
            customer=customer,
            items=[{"price_data": {"currency": "usd", "unit_amount": 100, "product": product}}],  # type: ignore[typeddict-item]  # the mistake
        )
    assert len(emulator.events) == count + 1
    assert len(client.products.list().data) == products + 1
    assert client.prices.list().data == []


def test_a_deleted_object_can_only_be_retrieved(client: pinstripe.Client) -> None:
    customer = client.customers.create(name="Jenny").id
    client.customers.delete(customer)
    left = client.customers.retrieve(customer)
    assert (left.id, getattr(left, "deleted", False)) == (customer, True)
    with pytest.raises(pinstripe.InvalidRequestError):
        client.customers.update(customer, name="x")
    with pytest.raises(pinstripe.InvalidRequestError):
        client.payment_intents.create(amount=100, currency="usd", customer=customer)
    assert client.customers.list().data == []


def test_updates_merge_objects_and_empty_values_clear_fields(client: pinstripe.Client) -> None:
    customer = client.customers.create(
        name="Jenny", address={"city": "Paris", "country": "FR"}, metadata={"a": "1", "b": "2"}
    ).id
    client.customers.update(customer, metadata={"a": "", "c": "3"}, address={"line1": "Rue 1"})
    updated = existing_customer(client, customer)
    assert updated.metadata == {"b": "2", "c": "3"}
    assert updated.address is not None
    assert (updated.address.city, updated.address.line1) == ("Paris", "Rue 1")
    client.request(pinstripe.StripeObject, "POST", f"/v1/customers/{customer}", params={"name": "", "metadata": None})
    cleared = existing_customer(client, customer)
    assert (cleared.name, cleared.metadata) == (None, {})


def test_expand_is_limited_to_four_levels(client: pinstripe.Client) -> None:
    customer = client.customers.create(payment_method="pm_card_visa").id
    method = client.payment_methods.list(customer=customer).data[0].id
    intent = client.payment_intents.create(
        amount=100,
        currency="usd",
        customer=customer,
        payment_method=method,
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
    )
    deep = "latest_charge.payment_intent.latest_charge.customer"
    expanded: Any = client.payment_intents.retrieve(intent.id, expand=[deep])  # Any: a tree of expanded objects
    assert expanded.latest_charge.payment_intent.latest_charge.customer.id == customer
    listed = client.charges.list(expand=["data.customer"])
    assert getattr(listed.data[0].customer, "object", None) == "customer"
    for wrong, words in (
        (f"{deep}.name", "more than 4 levels"),
        ("latest_charge.refunds.data.payment_intent.customer", "more than 4 levels"),
        ("status", "cannot be expanded"),
        ("nothing", "cannot be expanded"),
    ):
        with pytest.raises(pinstripe.InvalidRequestError, match=words):
            client.payment_intents.retrieve(intent.id, expand=[wrong])


def test_includable_fields_are_returned_when_expanded(client: pinstripe.Client) -> None:
    charge = client.charges.create(amount=900, currency="usd", source="tok_visa").id
    refund = client.refunds.create(charge=charge, amount=100).id
    assert client.charges.retrieve(charge).refunds is None
    refunds = client.charges.retrieve(charge, expand=["refunds"]).refunds
    assert refunds is not None
    assert [item.id for item in refunds.data] == [refund]
    client.apps.secrets.create(name="token", payload="hidden", scope={"type": "account"})
    secret = client.apps.secrets.find(name="token", scope={"type": "account"}, expand=["payload"])
    assert secret.payload == "hidden"
    assert client.apps.secrets.find(name="token", scope={"type": "account"}).payload is None


def test_an_idempotency_key_in_use_is_refused(emulator: Emulator) -> None:
    async def run() -> list[Any]:  # Any: customers and errors
        client = emulator.async_client(max_retries=0)
        emulator.fail_next("customers.create", "slow", seconds=0.05)
        options: Any = {"idempotency_key": "once"}  # Any: request options
        calls = [client.customers.create(name="Jenny", request_options=options) for _ in range(2)]
        return await asyncio.gather(*calls, return_exceptions=True)

    first, second = asyncio.run(run())
    assert first.name == "Jenny"
    assert isinstance(second, pinstripe.IdempotencyError)
    assert (second.status_code, second.code) == (409, "idempotency_key_in_use")
    assert len(emulator.client().customers.list().data) == 1


@given(
    st.binary(max_size=60),
    st.sampled_from(["/v1/customers", "/v1/charges", "/v2/core/accounts", "/v1/files"]),
    st.sampled_from(["application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]),
)
def test_no_request_body_causes_a_server_error(body: bytes, path: str, content_type: str) -> None:
    with Emulator(seed=1) as emulator:
        response = raw(emulator, "POST", path, body.decode("latin-1"), **{"Content-Type": content_type})
        assert response.status_code < 500
        assert response.json()
