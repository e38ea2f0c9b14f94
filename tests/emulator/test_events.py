"""Events as they were at their moment, waited for without sleeping, and delivered in order, again, and for whom they are."""

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


class Receiver(BaseHTTPRequestHandler):
    """Writes down what comes, and answers what it was told."""

    got: ClassVar[list[tuple[str, bytes, str]]] = []
    answers: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, body, self.headers["Stripe-Signature"]))
        self.send_response(self.answers.pop(0) if self.answers else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # theirs
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.got, Receiver.answers = [], []
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def types(path: str) -> list[str]:
    return [json.loads(body)["type"] for place, body, _ in Receiver.got if place == path]


def test_an_event_shows_its_object_as_it_was(emulator: Emulator, client: pinstripe.Client) -> None:
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


def test_a_change_that_changes_nothing_is_no_event(emulator: Emulator, client: pinstripe.Client) -> None:
    customer = client.customers.create(name="Jenny").id
    client.customers.update(customer, name="Jenny")
    assert emulator.events.types == ["customer.created"]


def test_a_test_can_wait_for_an_event(emulator: Emulator, client: pinstripe.Client) -> None:
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


def test_the_class_of_an_event_can_be_waited_for(emulator: Emulator, client: pinstripe.Client) -> None:
    client.products.create(name="Gold")
    client.customers.create(name="Jenny")
    assert emulator.events.wait(CustomerCreatedEvent).data.object.name == "Jenny"
    with pytest.raises(TimeoutError):
        emulator.events.wait(CustomerCreatedEvent, where=lambda event: event.data.object.name == "Ann", timeout=0)
    with pytest.raises(pinstripe.InvalidArgumentError, match="Event"):
        emulator.events.wait(Event)


def test_endpoints_get_what_they_asked_for_in_order_and_signed(
    emulator: Emulator, client: pinstripe.Client, receiver: str
) -> None:
    every = client.webhook_endpoints.create(url=f"{receiver}/every", enabled_events=["*"])
    client.webhook_endpoints.create(url=f"{receiver}/some", enabled_events=["customer.deleted"])
    made = [client.customers.create().id for _ in range(5)]
    client.customers.delete(made[0])
    emulator.settle()
    assert types("/every") == ["customer.created"] * 5 + ["customer.deleted"]
    assert types("/some") == ["customer.deleted"]
    assert every.secret is not None
    shown = [
        construct_event(body, signature, every.secret) for path, body, signature in Receiver.got if path == "/every"
    ]
    assert [event.data.object.id for event in shown if event.type == "customer.created"] == made
    assert {event.pending_webhooks for event in client.events.list()} == {0}


def test_a_delivery_that_failed_is_tried_again_and_can_be_sent_once_more(
    emulator: Emulator, client: pinstripe.Client, receiver: str
) -> None:
    client.webhook_endpoints.create(url=f"{receiver}/hook", enabled_events=["*"])
    Receiver.answers = [500, 500, 500]
    client.customers.create()
    emulator.settle()
    (given_up,) = emulator.deliveries
    assert (given_up.attempts, given_up.status, given_up.delivered) == (3, 500, False)
    (event,) = client.events.list(delivery_success=False)
    assert event.pending_webhooks == 1
    again = emulator.redeliver(given_up)
    emulator.settle()
    assert again.delivered
    assert types("/hook") == ["customer.created"] * 4
    assert client.events.list(delivery_success=False).data == []


def test_an_endpoint_that_is_disabled_gets_nothing(emulator: Emulator, client: pinstripe.Client, receiver: str) -> None:
    hook = client.webhook_endpoints.create(url=f"{receiver}/hook", enabled_events=["*"]).id
    client.webhook_endpoints.update(hook, disabled=True)
    client.customers.create()
    emulator.settle()
    assert Receiver.got == []
    with pytest.raises(pinstripe.InvalidRequestError, match=r"Did you mean customer\.created"):
        client.request(
            pinstripe.StripeObject,
            "POST",
            "/v1/webhook_endpoints",
            params={"url": receiver, "enabled_events": ["customer.creatd"]},
        )


def test_events_of_connected_accounts_go_to_their_platform(
    emulator: Emulator, client: pinstripe.Client, receiver: str
) -> None:
    client.webhook_endpoints.create(url=f"{receiver}/connect", enabled_events=["customer.created"], connect=True)
    client.webhook_endpoints.create(url=f"{receiver}/own", enabled_events=["customer.created"])
    account = client.accounts.create(type="standard").id
    client.customers.create(name="Theirs", request_options={"stripe_account": account})
    emulator.settle()
    assert [(path, json.loads(body)["account"]) for path, body, _ in Receiver.got] == [("/connect", account)]


def test_thin_events_are_delivered_thin_and_can_be_fetched(
    emulator: Emulator, client: pinstripe.Client, receiver: str
) -> None:
    made = client.v2.core.event_destinations.create(
        name="Accounts",
        type="webhook_endpoint",
        event_payload="thin",
        enabled_events=["v2.core.account.created"],
        webhook_endpoint={"url": f"{receiver}/thin"},
        include=["webhook_endpoint.signing_secret"],
    )
    assert made.webhook_endpoint is not None
    account = client.v2.core.accounts.create(contact_email="jenny@example.com")
    emulator.settle()
    ((_, body, signature),) = Receiver.got
    notification = parse_event_notification(body, signature, str(made.webhook_endpoint.signing_secret))
    assert notification.type == "v2.core.account.created"
    assert "data" not in json.loads(body)
    assert notification.fetch_event(client).id == notification.id
    related: Any = notification.fetch_related_object(client)  # Any: by its type
    assert related.id == account.id
