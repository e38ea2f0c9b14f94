"""Events and their delivery, in order and signed, and `Emulator.events.wait`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.events import CustomerCreatedEvent, Event
from pinstripe.webhooks import construct_event, parse_event_notification
from tests.emulator.conftest import Shop, at


class Receiver(BaseHTTPRequestHandler):
    """Record each request, and respond with the next of ``statuses``."""

    received: ClassVar[list[tuple[str, bytes, str]]] = []
    statuses: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, body, self.headers["Stripe-Signature"]))
        self.send_response(self.statuses.pop(0) if self.statuses else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.received, Receiver.statuses = [], []
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def types(path: str) -> list[str]:
    return [json.loads(body)["type"] for place, body, _ in Receiver.received if place == path]


def test_an_event_contains_its_object_as_it_was(emulator: Emulator, client: pinstripe.Client) -> None:
    customer = client.customers.create(name="Jenny").id
    client.customers.update(customer, name="Ann")
    created, updated = emulator.events
    assert created.type == "customer.created"
    assert created.data.object.name == "Jenny"
    assert updated.type == "customer.updated"
    assert updated.data.object.name == "Ann"
    assert updated.data.previous_attributes == {"name": "Jenny"}
    assert created.request is not None
    assert updated.request is not None
    assert created.request.id != updated.request.id


def test_an_update_without_changes_emits_no_event(emulator: Emulator, client: pinstripe.Client) -> None:
    customer = client.customers.create(name="Jenny").id
    client.customers.update(customer, name="Jenny")
    assert emulator.events.types == ["customer.created"]


def test_wait_returns_the_first_matching_event(emulator: Emulator, client: pinstripe.Client) -> None:
    waited: list[Any] = []  # Any: an event

    def wait() -> None:
        waited.append(emulator.events.wait("customer.created", where=lambda event: event.data.object.name == "Ann"))

    thread = threading.Thread(target=wait)
    thread.start()
    client.customers.create(name="Jenny")
    client.customers.create(name="Ann")
    thread.join(10)
    assert [event.data.object.name for event in waited] == ["Ann"]
    with pytest.raises(TimeoutError, match=r"No invoice.paid .* Events: customer.created, customer.created"):
        emulator.events.wait("invoice.paid", timeout=0.01)
    with pytest.raises(pinstripe.InvalidArgumentError, match="payd"):
        emulator.events.wait("invoice.payd")  # type: ignore[call-overload]  # the mistake


def test_wait_takes_the_class_of_an_event(emulator: Emulator, client: pinstripe.Client) -> None:
    client.products.create(name="Gold")
    client.customers.create(name="Jenny")
    assert emulator.events.wait(CustomerCreatedEvent).data.object.name == "Jenny"
    with pytest.raises(TimeoutError):
        emulator.events.wait(CustomerCreatedEvent, where=lambda event: event.data.object.name == "Ann", timeout=0)
    with pytest.raises(pinstripe.InvalidArgumentError, match="Event"):
        emulator.events.wait(Event)


def test_endpoints_receive_their_enabled_events_in_order_and_signed(
    emulator: Emulator, client: pinstripe.Client, receiver: str
) -> None:
    every = client.webhook_endpoints.create(url=f"{receiver}/every", enabled_events=["*"])
    client.webhook_endpoints.create(url=f"{receiver}/some", enabled_events=["customer.deleted"])
    customers = [client.customers.create().id for _ in range(5)]
    client.customers.delete(customers[0])
    emulator.settle()
    assert types("/every") == ["customer.created"] * 5 + ["customer.deleted"]
    assert types("/some") == ["customer.deleted"]
    assert every.secret is not None
    events = [
        construct_event(body, signature, every.secret)
        for path, body, signature in Receiver.received
        if path == "/every"
    ]
    assert [event.data.object.id for event in events if event.type == "customer.created"] == customers
    assert {event.pending_webhooks for event in client.events.list()} == {0}


def test_a_failed_delivery_is_retried_and_can_be_redelivered(
    emulator: Emulator, client: pinstripe.Client, receiver: str
) -> None:
    client.webhook_endpoints.create(url=f"{receiver}/hook", enabled_events=["*"])
    Receiver.statuses = [500, 500, 500]
    client.customers.create()
    emulator.settle()
    (failed,) = emulator.deliveries
    assert (failed.attempts, failed.status, failed.delivered) == (3, 500, False)
    (event,) = client.events.list(delivery_success=False)
    assert event.pending_webhooks == 1
    again = emulator.redeliver(failed)
    emulator.settle()
    assert again.delivered
    assert types("/hook") == ["customer.created"] * 4
    assert client.events.list(delivery_success=False).data == []


def test_a_disabled_endpoint_receives_nothing(emulator: Emulator, client: pinstripe.Client, receiver: str) -> None:
    hook = client.webhook_endpoints.create(url=f"{receiver}/hook", enabled_events=["*"]).id
    client.webhook_endpoints.update(hook, disabled=True)
    client.customers.create()
    emulator.settle()
    assert Receiver.received == []
    with pytest.raises(pinstripe.InvalidRequestError, match=r"Did you mean customer\.created"):
        client.request(
            pinstripe.StripeObject,
            "POST",
            "/v1/webhook_endpoints",
            params={"url": receiver, "enabled_events": ["customer.creatd"]},
        )


def test_connect_endpoints_receive_the_events_of_connected_accounts(
    emulator: Emulator, client: pinstripe.Client, receiver: str
) -> None:
    client.webhook_endpoints.create(url=f"{receiver}/connect", enabled_events=["customer.created"], connect=True)
    client.webhook_endpoints.create(url=f"{receiver}/own", enabled_events=["customer.created"])
    account = client.accounts.create(type="standard").id
    client.customers.create(name="Theirs", request_options={"stripe_account": account})
    emulator.settle()
    assert [(path, json.loads(body)["account"]) for path, body, _ in Receiver.received] == [("/connect", account)]


def test_thin_events_are_delivered_and_can_be_fetched(
    emulator: Emulator, client: pinstripe.Client, receiver: str
) -> None:
    destination = client.v2.core.event_destinations.create(
        name="Accounts",
        type="webhook_endpoint",
        event_payload="thin",
        enabled_events=["v2.core.account.created"],
        webhook_endpoint={"url": f"{receiver}/thin"},
        include=["webhook_endpoint.signing_secret"],
    )
    assert destination.webhook_endpoint is not None
    account = client.v2.core.accounts.create(contact_email="jenny@example.com")
    emulator.settle()
    ((_, body, signature),) = Receiver.received
    notification = parse_event_notification(body, signature, str(destination.webhook_endpoint.signing_secret))
    assert notification.type == "v2.core.account.created"
    assert "data" not in json.loads(body)
    assert notification.fetch_event(client).id == notification.id
    related: Any = notification.fetch_related_object(client)  # Any: by its type
    assert related.id == account.id


def test_changes_of_api_v1_have_thin_events_for_destinations_that_want_them(
    emulator: Emulator, client: pinstripe.Client, receiver: str
) -> None:
    client.v2.core.event_destinations.create(
        name="Thin",
        type="webhook_endpoint",
        event_payload="thin",
        enabled_events=["v1.customer.created", "v1.price.deactivated", "v1.price.lookup_key_changed"],
        webhook_endpoint={"url": f"{receiver}/thin"},
    )
    customer = client.customers.create()
    price = client.prices.create(currency="usd", unit_amount=100, product_data={"name": "Mug"})
    client.prices.update(price.id, active=False, nickname="Old")
    emulator.settle()
    assert types("/thin") == ["v1.customer.created", "v1.price.deactivated"]
    first = list(client.v2.core.events.list())[-1]
    assert first.related_object is not None
    assert first.related_object.url == f"/v1/customers/{customer.id}"
    snapshot = client.events.retrieve(str(first.snapshot_event))
    assert snapshot.type == "customer.created"
    assert snapshot.data.object.id == customer.id


def test_items_and_statuses_of_subscriptions_have_thin_events_of_their_own(shop: Shop) -> None:
    enabled = [
        f"v1.customer.subscription.{action}"
        for action in ("active", "paused", "item_added", "item_removed", "item_price_changed", "item_quantity_changed")
    ]
    shop.client.v2.core.event_destinations.create(
        name="Thin",
        type="webhook_endpoint",
        event_payload="thin",
        enabled_events=enabled,
        webhook_endpoint={"url": "http://127.0.0.1:9/none"},
    )
    subscription = shop.subscribe(shop.price(900))
    item = subscription.items.data[0].id
    update = shop.client.subscriptions.update
    update(subscription.id, items=[{"price": shop.price(100)}])
    update(subscription.id, items=[{"id": item, "price": shop.price(1200), "quantity": 2}])
    update(subscription.id, items=[{"id": item, "deleted": True}])
    shop.client.subscriptions.pause(subscription.id)
    assert [event.type.rpartition(".")[2] for event in reversed(shop.client.v2.core.events.list().data)] == [
        "active",
        "item_added",
        "item_price_changed",
        "item_quantity_changed",
        "item_removed",
        "paused",
    ]


def test_the_thin_event_of_an_upcoming_invoice_names_the_subscription(shop: Shop) -> None:
    shop.client.v2.core.event_destinations.create(
        name="Thin",
        type="webhook_endpoint",
        event_payload="thin",
        enabled_events=["v1.invoice.upcoming"],
        webhook_endpoint={"url": "http://127.0.0.1:9/none"},
    )
    subscription = shop.subscribe(shop.price(900))
    shop.advance(at(1, 26))
    (event,) = shop.client.v2.core.events.list()
    assert event.related_object is None
    data = event.model_dump(mode="json", by_alias=True, exclude_unset=True)["data"]
    assert data == {"customer": shop.customer, "subscription": subscription.id}


def test_the_url_of_the_related_object_of_each_thin_event_retrieves_it() -> None:
    emulator = Emulator(seed=1)
    client = emulator.client(validation="strict")
    account = emulator.add("v2.money_management.financial_account")
    management = client.v2.money_management
    address = management.financial_addresses.create(financial_account=account.id, type="bank_account")
    management.test_helpers.financial_addresses.credit(
        address.id, amount={"value": 100, "currency": "usd"}, network="ach"
    )
    related = [event.related_object for event in client.v2.core.events.list()]
    assert address.id in {reference.id for reference in related if reference}
    for reference in related:
        assert reference is not None
        assert client.request(pinstripe.StripeObject, "GET", reference.url).model_dump()["id"] == reference.id
