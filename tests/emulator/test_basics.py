"""The emulator from end to end: errors, idempotency, objects, payments, subscriptions, webhooks, clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import stripe

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.emulator.billing.periods import add
from pinstripe.models import Customer, Invoice, PaymentIntent, Price
from tests.emulator.conftest import NO_REDIRECTS


def pro(client: pinstripe.Client, amount: int = 2000) -> Price:
    product = client.products.create(name="Pro")
    return client.prices.create(product=product.id, currency="usd", unit_amount=amount, recurring={"interval": "month"})


def paying(client: pinstripe.Client, card: str = "pm_card_visa") -> Customer:
    customer = client.customers.create(email="a@b.c")
    method = client.payment_methods.attach(card, customer=customer.id)
    return client.customers.update(customer.id, invoice_settings={"default_payment_method": method.id})


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "status", "code", "param"),
    [
        (
            lambda c: c.customers.create(request_options={"extra_params": {"emial": "x"}}),
            400,
            "parameter_unknown",
            "emial",
        ),
        (lambda c: c.customers.create(address={"lin": "x"}), 400, "parameter_unknown", "address[lin]"),
        (lambda c: c.prices.create(unit_amount=5), 400, "parameter_missing", "currency"),
        (lambda c: c.customers.create(balance="five"), 400, "parameter_invalid_integer", "balance"),
        (lambda c: c.customers.create(tax_exempt="maybe"), 400, None, "tax_exempt"),
        (lambda c: c.customers.create(name="x" * 257), 400, None, "name"),
        (lambda c: c.customers.create(metadata={"a[b]": "c"}), 400, None, "metadata"),
        (lambda c: c.customers.retrieve("cus_none"), 404, "resource_missing", "id"),
        (lambda c: c.products.retrieve("prod_none"), 404, "resource_missing", "id"),
        (lambda c: c.setup_intents.create(customer="cus_none"), 400, "resource_missing", "customer"),
        (lambda c: c.customers.list(limit=101), 400, None, "limit"),
        (lambda c: c.customers.create(expand=["email.x.y.z.z"]), 400, None, "expand"),
        (lambda c: c.customers.create(expand=["nothing"]), 400, "property_cannot_be_expanded", "expand"),
    ],
)
def test_a_wrong_request_raises_the_error_of_stripe(
    attempt: Callable[[Any], Any],
    status: int,
    code: str | None,
    param: str | None,
    client: pinstripe.Client,  # Any: mistakes
) -> None:
    with pytest.raises(pinstripe.StripeError) as caught:
        attempt(client)
    error = caught.value
    assert (error.status_code, error.code, error.param) == (status, code, param)
    assert error.request_id is not None
    assert len(error.message) > 10


def test_an_unknown_path_is_not_found(emulator: Emulator) -> None:
    with pytest.raises(pinstripe.InvalidRequestError, match="Unrecognized request URL"):
        emulator.client().request(pinstripe.StripeObject, "GET", "/v1/unicorns")


# --- idempotency and accounts -----------------------------------------------------------------------------------------


def test_the_same_idempotency_key_returns_the_same_response(client: pinstripe.Client) -> None:
    first = client.customers.create(email="a", request_options={"idempotency_key": "k"})
    again = client.customers.create(email="a", request_options={"idempotency_key": "k"})
    assert first == again
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert len(client.customers.list().data) == 1
    with pytest.raises(pinstripe.IdempotencyError):
        client.customers.create(email="b", request_options={"idempotency_key": "k"})


def test_each_account_has_its_own_objects(client: pinstripe.Client) -> None:
    client.customers.create(email="a")
    other = client.with_options(stripe_account="acct_2")
    assert other.customers.list().data == []
    other.customers.create(email="b")
    assert [item.email for item in client.customers.list()] == ["a"]


def test_emulators_with_the_same_seed_create_the_same_ids() -> None:
    assert Emulator(seed=7).client().customers.create().id == Emulator(seed=7).client().customers.create().id
    assert Emulator(seed=7).client().customers.create().id != Emulator(seed=8).client().customers.create().id


# --- objects ----------------------------------------------------------------------------------------------------------


def test_updates_merge_metadata_and_clear_fields(client: pinstripe.Client) -> None:
    customer = client.customers.create(email="a", name="Ada", metadata={"a": "1", "b": "2"})
    changed = client.customers.update(customer.id, name="", metadata={"b": "", "c": "3"})
    assert changed.metadata == {"a": "1", "c": "3"}
    assert changed.name in (None, "")
    assert changed.email == "a"
    assert client.customers.update(customer.id, metadata=None).metadata == {}


def test_a_deleted_customer_can_be_retrieved_but_not_listed(client: pinstripe.Client) -> None:
    customer = client.customers.create()
    assert client.customers.delete(customer.id).deleted
    deleted = client.customers.retrieve(customer.id)
    assert isinstance(deleted, pinstripe.models.DeletedCustomer)
    assert client.customers.list().data == []
    with pytest.raises(pinstripe.InvalidRequestError):
        client.customers.update(customer.id, name="x")


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_lists_page_both_ways(limit: int, client: pinstripe.Client) -> None:
    ids = [client.customers.create(email=str(number)).id for number in range(7)]
    assert [item.id for item in client.customers.list(limit=limit)] == ids[::-1]
    assert [item.id for item in client.customers.list(limit=limit, ending_before=ids[2])] == ids[3:]
    assert [item.id for item in client.customers.list(limit=limit, starting_after=ids[2])] == ids[:2][::-1]


def test_lists_filter(client: pinstripe.Client) -> None:
    client.customers.create(email="a")
    wanted = client.customers.create(email="b")
    assert [item.id for item in client.customers.list(email="b")] == [wanted.id]
    assert client.customers.list(created={"gt": wanted.created}).data == []
    assert len(client.customers.list(created={"gte": wanted.created}).data) >= 1


def test_expand_works_within_objects_and_lists(client: pinstripe.Client) -> None:
    customer = paying(client)
    path = "latest_invoice.payments.data.payment"
    subscription = client.subscriptions.create(
        customer=customer.id, items=[{"price": pro(client).id}], expand=[path, "customer"]
    )
    assert isinstance(subscription.customer, Customer)
    invoice = subscription.latest_invoice
    assert isinstance(invoice, Invoice)
    assert invoice.payments is not None
    intent = invoice.payments.data[0].payment.payment_intent
    assert intent is not None
    payment = client.invoice_payments.list(invoice=invoice.id, expand=["data.payment.payment_intent"]).data[0].payment
    assert isinstance(payment.payment_intent, PaymentIntent)
    assert payment.payment_intent.id == intent.id
    listed = client.subscriptions.list(expand=["data.customer"]).data[0]
    assert isinstance(listed.customer, Customer)
    assert isinstance(client.subscriptions.list().data[0].customer, pinstripe.Ref)


# --- cards and intents ------------------------------------------------------------------------------------------------


def test_a_setup_intent_saves_a_card(client: pinstripe.Client) -> None:
    customer = client.customers.create()
    intent = client.setup_intents.create(customer=customer.id)
    assert intent.status == "requires_payment_method"
    done = client.setup_intents.confirm(intent.id, payment_method="pm_card_visa", return_url="https://a.test")
    assert done.status == "succeeded"
    assert done.payment_method is not None
    (method,) = client.customers.payment_methods.list(customer.id).data
    assert method.id == done.payment_method.id
    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("visa", "4242")
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client.setup_intents.cancel(intent.id)
    assert caught.value.code == "setup_intent_unexpected_state"


def test_a_declined_card_is_not_saved(client: pinstripe.Client) -> None:
    customer = client.customers.create()
    with pytest.raises(pinstripe.CardError) as caught:
        client.setup_intents.create(
            customer=customer.id,
            payment_method="pm_card_chargeDeclined",
            confirm=True,
            automatic_payment_methods=NO_REDIRECTS,
        )
    assert caught.value.decline_code == "generic_decline"
    assert caught.value.setup_intent is not None
    assert caught.value.setup_intent.status == "requires_payment_method"
    assert caught.value.setup_intent.last_setup_error is not None
    with pytest.raises(pinstripe.CardError):
        client.payment_methods.attach("pm_card_chargeDeclined", customer=customer.id)
    assert client.customers.payment_methods.list(customer.id).data == []


def test_a_card_by_number_is_a_test_card(client: pinstripe.Client) -> None:
    card = {"number": "5555555555554444", "exp_month": 7, "exp_year": 2031}
    method = client.payment_methods.create(type="card", card=card)  # type: ignore[arg-type]  # a plain dict
    assert method.card is not None
    assert (method.card.brand, method.card.exp_year) == ("mastercard", 2031)
    with pytest.raises(pinstripe.CardError) as caught:
        client.payment_methods.create(
            type="card", card={"number": "4111111111111112", "exp_month": 1, "exp_year": 2030}
        )
    assert caught.value.code == "incorrect_number"


def test_a_payment_can_be_authorized_and_captured_in_part(client: pinstripe.Client) -> None:
    intent = client.payment_intents.create(
        amount=1000,
        currency="usd",
        payment_method="pm_card_visa",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
        capture_method="manual",
    )
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 1000)
    done = client.payment_intents.capture(intent.id, amount_to_capture=700, expand=["latest_charge"])
    assert (done.status, done.amount_received) == ("succeeded", 700)
    charge = done.latest_charge
    assert isinstance(charge, pinstripe.models.Charge)
    assert (charge.amount_captured, charge.amount_refunded) == (700, 300)


def test_a_payment_that_requires_authentication_can_be_canceled(client: pinstripe.Client) -> None:
    intent = client.payment_intents.create(
        amount=1000,
        currency="usd",
        payment_method="pm_card_authenticationRequired",
        confirm=True,
        automatic_payment_methods=NO_REDIRECTS,
    )
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert client.payment_intents.cancel(intent.id).status == "canceled"


# --- subscriptions ----------------------------------------------------------------------------------------------------


def test_a_subscription_bills_its_first_period_at_once(emulator: Emulator, client: pinstripe.Client) -> None:
    customer, price = paying(client), pro(client, 2900)
    subscription = client.subscriptions.create(
        customer=customer.id, items=[{"price": price.id, "quantity": 3}], expand=["latest_invoice"]
    )
    assert subscription.status == "active"
    item = subscription.items.data[0]
    start = int(item.current_period_start.timestamp())
    assert int(item.current_period_end.timestamp()) == add(start, "month", 1)
    invoice = subscription.latest_invoice
    assert isinstance(invoice, Invoice)
    assert (invoice.status, invoice.total, invoice.amount_paid, invoice.amount_remaining) == ("paid", 8700, 8700, 0)
    assert [line.amount for line in invoice.lines.data] == [8700]
    types = [event.type for event in emulator.events]
    order = ["invoice.created", "invoice.finalized", "charge.succeeded", "payment_intent.succeeded", "invoice.paid"]
    assert [event_type for event_type in types if event_type in order] == order
    assert "customer.subscription.created" in types


def test_a_subscription_is_incomplete_until_its_first_invoice_is_paid(client: pinstripe.Client) -> None:
    customer, price = paying(client, "pm_card_chargeCustomerFail"), pro(client)
    subscription = client.subscriptions.create(customer=customer.id, items=[{"price": price.id}])
    assert subscription.status == "incomplete"
    assert subscription.latest_invoice is not None
    invoice = client.invoices.pay(subscription.latest_invoice.id, payment_method="pm_card_visa")
    assert invoice.status == "paid"
    assert client.subscriptions.retrieve(subscription.id).status == "active"


@pytest.mark.parametrize("behavior", ["error_if_incomplete"])
def test_error_if_incomplete_creates_no_subscription_when_the_card_declines(
    behavior: Any, client: pinstripe.Client
) -> None:  # Any: a literal
    customer, price = paying(client, "pm_card_chargeCustomerFail"), pro(client)
    with pytest.raises(pinstripe.CardError):
        client.subscriptions.create(customer=customer.id, items=[{"price": price.id}], payment_behavior=behavior)
    assert client.subscriptions.list(status="all").data == []


def test_the_first_invoice_of_a_trial_is_zero(client: pinstripe.Client) -> None:
    customer, price = client.customers.create(), pro(client)
    subscription = client.subscriptions.create(
        customer=customer.id, items=[{"price": price.id}], trial_period_days=14, expand=["latest_invoice"]
    )
    assert subscription.status == "trialing"
    assert isinstance(subscription.latest_invoice, Invoice)
    assert subscription.latest_invoice.total == 0
    assert subscription.trial_end is not None
    assert subscription.items.data[0].current_period_end == subscription.trial_end


def test_a_subscription_needs_a_payment_method_and_a_recurring_price(client: pinstripe.Client) -> None:
    customer = client.customers.create()
    with pytest.raises(pinstripe.InvalidRequestError, match="no attached payment source"):
        client.subscriptions.create(customer=customer.id, items=[{"price": pro(client).id}])
    product = client.products.create(name="Once")
    once = client.prices.create(product=product.id, currency="usd", unit_amount=5)
    with pytest.raises(pinstripe.InvalidRequestError, match="type=recurring"):
        client.subscriptions.create(customer=customer.id, items=[{"price": once.id}])


def test_a_subscription_can_be_canceled_now_or_at_the_period_end(client: pinstripe.Client) -> None:
    customer, price = paying(client), pro(client)
    subscription = client.subscriptions.create(customer=customer.id, items=[{"price": price.id}])
    leaving = client.subscriptions.update(subscription.id, cancel_at_period_end=True)
    assert leaving.cancel_at == leaving.items.data[0].current_period_end
    assert client.subscriptions.cancel(subscription.id).status == "canceled"
    assert client.subscriptions.list().data == []
    assert [item.id for item in client.subscriptions.list(status="canceled")] == [subscription.id]


@pytest.mark.parametrize(
    ("start", "interval", "count", "end"),
    [
        ("2026-01-31", "month", 1, "2026-02-28"),
        ("2024-01-31", "month", 1, "2024-02-29"),
        ("2026-12-15", "month", 1, "2027-01-15"),
        ("2024-02-29", "year", 1, "2025-02-28"),
        ("2026-01-01", "week", 2, "2026-01-15"),
        ("2026-01-01", "day", 30, "2026-01-31"),
    ],
)
def test_a_period_ends_on_the_same_day_or_the_last_day_of_the_month(
    start: str, interval: str, count: int, end: str
) -> None:
    from datetime import datetime

    def seconds(day: str) -> int:
        return int(datetime.fromisoformat(day + "T12:00:00+00:00").timestamp())

    assert add(seconds(start), interval, count) == seconds(end)


# --- events and webhooks ----------------------------------------------------------------------------------------------


@contextmanager
def receiver(statuses: list[int]) -> Iterator[tuple[str, list[tuple[bytes, str]]]]:
    """Run a webhook receiver that responds with these statuses, then with 200."""
    received: list[tuple[bytes, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((body, self.headers["Stripe-Signature"]))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    server.server_close()
    thread.join()


def test_events_are_typed_and_contain_previous_attributes(emulator: Emulator, client: pinstripe.Client) -> None:
    customer = client.customers.create(email="a")
    client.customers.update(customer.id, email="b")
    created, updated = emulator.events
    assert isinstance(created, pinstripe.events.CustomerCreatedEvent)
    assert created.data.object.email == "a"
    assert isinstance(updated, pinstripe.events.CustomerUpdatedEvent)
    assert updated.data.previous_attributes == {"email": "a"}
    assert [event.id for event in client.events.list(type="customer.updated")] == [updated.id]
    assert updated.request is not None
    assert updated.request.idempotency_key is not None


def test_an_endpoint_receives_its_enabled_events_signed_and_in_order(
    emulator: Emulator, client: pinstripe.Client
) -> None:
    with receiver([]) as (url, received):
        endpoint = client.webhook_endpoints.create(url=url, enabled_events=["customer.created"])
        assert endpoint.secret is not None
        customers = [client.customers.create().id for _ in range(5)]
        client.products.create(name="x")
        emulator.settle()
        events = [pinstripe.webhooks.construct_event(body, signature, endpoint.secret) for body, signature in received]
    assert [event.data.object.id for event in events if event.type == "customer.created"] == customers
    assert client.webhook_endpoints.retrieve(endpoint.id).secret is None
    assert all(delivery.delivered for delivery in emulator.deliveries)


def test_a_failed_delivery_is_retried(emulator: Emulator, client: pinstripe.Client) -> None:
    with receiver([500]) as (url, received):
        client.webhook_endpoints.create(url=url, enabled_events=["*"])
        client.customers.create()
        emulator.settle()
    assert len(received) == 2
    assert received[0][0] == received[1][0]
    (delivery,) = [item for item in emulator.deliveries if item.event["type"] == "customer.created"]
    assert (delivery.attempts, delivery.status) == (2, 200)


# --- clients ----------------------------------------------------------------------------------------------------------


def test_async_clients_work_in_process(emulator: Emulator) -> None:
    async def run() -> list[str | None]:
        async with emulator.async_client(validation="strict") as client:
            await client.customers.create(email="a")
            return [customer.email async for customer in client.customers.list()]

    assert asyncio.run(run()) == ["a"]


def test_any_client_can_use_the_server(emulator: Emulator) -> None:
    with emulator.serve() as url:
        ours = pinstripe.Client("sk_test_x", base_url=url, validation="strict")
        customer = ours.customers.create(email="é@b.c", metadata={"a b": "c&d"})
        addresses: Any = {"api": url}  # Any: the official package's own type
        http_client = stripe.RequestsClient()
        official = stripe.StripeClient("sk_test_x", base_addresses=addresses, http_client=http_client)
        theirs = official.v1.customers.retrieve(customer.id)
        assert theirs.metadata is not None
        assert (theirs.email, theirs.metadata["a b"]) == ("é@b.c", "c&d")
        assert httpx.get(f"{url}/v1/customers", auth=("sk_test_x", "")).status_code == 200
        assert httpx.get(f"{url}/v1/customers").status_code == 401
        with pytest.raises(stripe.InvalidRequestError, match="Received unknown parameter: emial"):
            official.v1.customers.create({"emial": "x"})  # type: ignore[arg-type]  # the mistake
        ours.close()
        http_client.close()  # type: ignore[no-untyped-call]  # the official package does not say


def test_listed_and_retrieved_events_are_typed(client: pinstripe.Client) -> None:
    client.customers.create(email="a")
    (event,) = client.events.list().data
    assert isinstance(event, pinstripe.events.CustomerCreatedEvent)
    again = client.events.retrieve(event.id)
    assert again == event
    if again.type == "customer.created":
        assert again.data.object.email == "a"
