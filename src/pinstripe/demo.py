"""Demo of a customer, a saved card, a subscription and its webhooks; it needs no account and no network.

Run it with ``python -m pinstripe demo``.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pinstripe import webhooks
from pinstripe._client import Client
from pinstripe.errors import (
    CardError,
    InvalidArgumentError,
    InvalidRequestError,
    SignatureVerificationError,
    UnknownParameterError,
)
from pinstripe.events import AnyEvent
from pinstripe.models import Charge, Customer, Invoice, Subscription

API_KEY = "sk_test_pinstripe_demo"
WEBHOOK_TIMEOUT = 10.0
"""Seconds to wait for the webhooks."""


class Screen:
    """Prints numbered steps, in color if the terminal supports it."""

    def __init__(self, *, color: bool) -> None:
        self._color = color
        self._step = 0

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._color else text

    def line(self, text: str = "") -> None:
        """Print a plain line."""
        print(text, flush=True)

    def step(self, title: str) -> None:
        """Print the title of the next step."""
        self._step += 1
        self.line(f"\n{self._paint('1;35', f'{self._step}.')} {self._paint('1', title)}")

    def value(self, name: str, value: object) -> None:
        """Print a name and a value."""
        self.line(f"   {self._paint('2', f'{name:<30}')} {self._paint('36', str(value))}")

    def success(self, text: str) -> None:
        """Print something that works as it should."""
        self.line(f"   {self._paint('32', '✓')} {text}")


class ReceivedEvents:
    """The events received by webhook, verified and typed."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.rejected: int = 0
        self.secret = ""
        self._changed = threading.Condition()

    def add(self, payload: bytes, signature: str | None) -> bool:
        """Verify a webhook and add its event; return whether its signature is valid."""
        with self._changed:
            try:
                event = webhooks.construct_event(payload, signature, self.secret)
            except SignatureVerificationError:
                self.rejected += 1
                return False
            self.events.append(event)
            self._changed.notify_all()
            return True

    def wait_for(self, event_type: str) -> bool:
        """Wait until an event of a type has arrived; return False after a timeout."""
        with self._changed:
            return self._changed.wait_for(
                lambda: any(event.type == event_type for event in self.events), WEBHOOK_TIMEOUT
            )


@contextmanager
def webhook_receiver(received: ReceivedEvents) -> Iterator[str]:
    """Run a webhook receiver on a free port, with the standard library only, and yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200 if received.add(body, self.headers.get("Stripe-Signature")) else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks"
    finally:
        server.shutdown()
        server.server_close()


def main(*, live_test_mode: bool = False) -> int:
    """Run the demo and return the exit code."""
    screen = Screen(color=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    key = os.environ.get("STRIPE_API_KEY", "")
    if live_test_mode:
        return _run_on_stripe(screen, key)
    if key:
        screen.line("STRIPE_API_KEY is set, but the demo uses the emulator; pass --live-test-mode to use the key.")
    return _run_on_emulator(screen)


def _run_on_emulator(screen: Screen) -> int:
    from pinstripe.emulator import Emulator  # imported here, since a run on Stripe does not need it

    received = ReceivedEvents()
    with Emulator() as emulator, emulator.serve() as url, webhook_receiver(received) as webhook_url:
        screen.line(f"A Stripe emulator is at {url}, a webhook receiver at {webhook_url}.")
        client = Client(API_KEY, base_url=url, validation="strict")
        screen.step("Register a webhook endpoint")
        endpoint = client.webhook_endpoints.create(url=webhook_url, enabled_events=["*"])
        received.secret = getattr(endpoint, "secret", None) or ""
        screen.value("endpoint", endpoint.id)
        subscription = subscribe(client, screen)
        screen.step("Receive the signed events")
        complete = received.wait_for("customer.subscription.created")
        emulator.settle()
        for event in received.events:
            show_event(event, screen)
        if not complete or received.rejected:
            screen.line("   Some webhooks did not arrive.")
            return 1
        screen.success(f"{len(received.events)} events, every signature verified")
        show_errors(client, screen)
        screen.line(f"\nDone: {subscription.id} is {subscription.status}.")
    return 0


def _run_on_stripe(screen: Screen, key: str) -> int:
    if not key.startswith(("sk_test_", "rk_test_")):
        screen.line("--live-test-mode needs STRIPE_API_KEY to be a test key (sk_test_...).")
        return 2
    screen.line("The demo runs in Stripe's test mode, with the key in STRIPE_API_KEY.")
    started = datetime.now(timezone.utc) - timedelta(seconds=1)
    client = Client(key)
    subscription = subscribe(client, screen)
    screen.step("Read the events")
    for event in reversed(list(client.events.list(created={"gte": started}))):
        screen.value(event.type, event.id)
    client.subscriptions.cancel(subscription.id)
    screen.line(f"\nDone: {subscription.id} was created and canceled.")
    return 0


def subscribe(client: Client, screen: Screen) -> Subscription:
    """Create a customer with a saved card, and start a subscription."""
    customer = create_customer(client, screen)
    save_card(client, screen, customer)
    screen.step("Start a subscription")
    product = client.products.create(name="Analytics Pro")
    price = client.prices.create(product=product.id, currency="usd", unit_amount=2900, recurring={"interval": "month"})
    subscription: Subscription = client.subscriptions.create(
        customer=customer.id, items=[{"price": price.id, "quantity": 3}], expand=["latest_invoice"]
    )
    screen.value("subscription", f"{subscription.id}, {subscription.status}")
    screen.value("period ends", subscription.items.data[0].current_period_end)
    invoice = subscription.latest_invoice
    if isinstance(invoice, Invoice):
        screen.value("invoice", f"{invoice.number}, {invoice.status}, {money(invoice.amount_paid, invoice.currency)}")
    return subscription


def create_customer(client: Client, screen: Screen) -> Customer:
    """Create a customer."""
    screen.step("Create a customer")
    customer: Customer = client.customers.create(
        email="ada@example.com", name="Ada Lovelace", metadata={"user.id": "1"}
    )
    screen.value("customer", customer.id)
    screen.value("created", customer.created)
    screen.value("request", customer.last_response.request_id)
    return customer


def save_card(client: Client, screen: Screen, customer: Customer) -> None:
    """Save a card as the default payment method of a customer, after one that is declined."""
    screen.step("Save a card with a SetupIntent")
    try:
        client.setup_intents.create(
            customer=customer.id,
            payment_method="pm_card_chargeDeclined",
            confirm=True,
            return_url="https://example.com",
        )
    except CardError as error:
        screen.success(f"a declined card raises a CardError: {error.decline_code}, {error.message}")
    intent = client.setup_intents.create(
        customer=customer.id,
        payment_method="pm_card_visa",
        confirm=True,
        return_url="https://example.com",
        expand=["payment_method"],
    )
    screen.value("setup intent", f"{intent.id}, {intent.status}")
    method = intent.payment_method
    if method is None:
        raise InvalidRequestError("The setup intent has no payment method.")
    card = client.payment_methods.retrieve(method.id).card
    screen.value("payment method", method.id)
    if card is not None:
        screen.value("card", f"{card.brand} ending in {card.last4}")
    client.customers.update(customer.id, invoice_settings={"default_payment_method": method.id})


def show_event(event: AnyEvent, screen: Screen) -> None:
    """Print the type of an event and details of its typed object."""
    data_object = event.data.object
    details = str(getattr(data_object, "id", ""))
    if isinstance(data_object, Invoice) and event.type == "invoice.paid":
        details += f", {money(data_object.amount_paid, data_object.currency)}"
    elif isinstance(data_object, Charge):
        details += f", {money(data_object.amount, data_object.currency)}"
    elif isinstance(data_object, Subscription):
        details += f", {data_object.status}"
    screen.value(event.type, details)


def show_errors(client: Client, screen: Screen) -> None:
    """Show errors that are raised before a request is sent, and one that type checkers find."""
    screen.step("Make mistakes")
    try:
        client.customers.retrieve("")
    except InvalidArgumentError as error:
        screen.success(f"an empty id raises an error before it is sent: {error.message}")
    try:
        client.customers.create(emial="ada@example.com")  # pyright: ignore[reportCallIssue]  # on purpose
    except UnknownParameterError as error:
        screen.success(f"a misspelled parameter is an error in mypy and at run time: {error.message}")


def money(amount: int, currency: str) -> str:
    """Format an amount in cents."""
    return f"{amount / 100:.2f} {currency.upper()}"
