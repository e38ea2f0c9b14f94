"""The demo: a customer, a saved card, a subscription and its webhooks, step by step. No account, no network.

``python -m pinstripe demo``
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from pinstripe import webhooks
from pinstripe._client import Client
from pinstripe.errors import CardError, InvalidArgumentError, InvalidRequestError, SignatureVerificationError
from pinstripe.models import Charge, Invoice, Subscription

if TYPE_CHECKING:
    from pinstripe.events import AnyEvent

KEY = "sk_test_pinstripe_demo"
WAIT = 10.0
"""Seconds to wait for the last webhook."""


class Screen:
    """Prints steps, in colour where the terminal has it."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._step = 0

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text

    def line(self, text: str = "") -> None:
        """A plain line."""
        print(text, flush=True)

    def step(self, title: str) -> None:
        """The headline of a step."""
        self._step += 1
        self.line(f"\n{self._paint('1;35', f'{self._step}.')} {self._paint('1', title)}")

    def fact(self, name: str, value: object) -> None:
        """A name and a value."""
        self.line(f"   {self._paint('2', f'{name:<30}')} {self._paint('36', str(value))}")

    def good(self, text: str) -> None:
        """Something that went as it should."""
        self.line(f"   {self._paint('32', '✓')} {text}")


class Mailbox:
    """The webhooks that came, verified and typed."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.refused: int = 0
        self.secret = ""
        self._came = threading.Condition()

    def put(self, payload: bytes, signature: str | None) -> bool:
        """Take a webhook, if it is what it says it is."""
        with self._came:
            try:
                event = webhooks.construct_event(payload, signature, self.secret)
            except SignatureVerificationError:
                self.refused += 1
                return False
            self.events.append(event)
            self._came.notify_all()
            return True

    def wait_for(self, event_type: str) -> bool:
        """Wait until an event of a type is there."""
        with self._came:
            return self._came.wait_for(lambda: any(event.type == event_type for event in self.events), WAIT)


@contextmanager
def receiver(mailbox: Mailbox) -> Iterator[str]:
    """A webhook receiver on a free port, standard library only; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200 if mailbox.put(body, self.headers.get("Stripe-Signature")) else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks"
    finally:
        server.shutdown()
        server.server_close()


def main(*, live_test_mode: bool = False) -> int:
    """Run the demo; the answer is the exit code."""
    screen = Screen(colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    key = os.environ.get("STRIPE_API_KEY", "")
    if live_test_mode:
        return _against_stripe(screen, key)
    if key:
        screen.line(
            "STRIPE_API_KEY is set. The demo runs on the emulator all the same; --live-test-mode would use the key."
        )
    return _against_emulator(screen)


def _against_emulator(screen: Screen) -> int:
    from pinstripe.emulator import Emulator  # here, since the emulator is not needed against Stripe

    mailbox = Mailbox()
    with Emulator() as emulator, emulator.serve() as url, receiver(mailbox) as inbox_url:
        screen.line(f"A Stripe emulator is at {url}, a webhook receiver at {inbox_url}.")
        client = Client(KEY, base_url=url, validation="strict")
        screen.step("Register a webhook endpoint")
        endpoint = client.webhook_endpoints.create(url=inbox_url, enabled_events=["*"])
        mailbox.secret = getattr(endpoint, "secret", None) or ""
        screen.fact("endpoint", endpoint.id)
        subscription = story(client, screen)
        screen.step("Receive the signed events")
        complete = mailbox.wait_for("customer.subscription.created")
        emulator.settle()
        for event in mailbox.events:
            tell(event, screen)
        if not complete or mailbox.refused:
            screen.line("   The webhooks did not all arrive.")
            return 1
        screen.good(f"{len(mailbox.events)} events, every signature verified")
        check_strictness(client, screen)
        screen.line(f"\nDone: {subscription.id} is {subscription.status}.")
    return 0


def _against_stripe(screen: Screen, key: str) -> int:
    if not key.startswith(("sk_test_", "rk_test_")):
        screen.line("--live-test-mode needs STRIPE_API_KEY to be a test key (sk_test_...).")
        return 2
    screen.line("This is Stripe's own test mode, with the key in STRIPE_API_KEY.")
    started = datetime.now(timezone.utc) - timedelta(seconds=1)
    client = Client(key)
    subscription = story(client, screen)
    screen.step("Read the events")
    for event in reversed(list(client.events.list(created={"gte": started}))):
        screen.fact(event.type, event.id)
    client.subscriptions.cancel(subscription.id)
    screen.line(f"\nDone: {subscription.id} was started and is canceled again.")
    return 0


def story(client: Client, screen: Screen) -> Subscription:
    """A customer, a saved card, a price, a subscription."""
    screen.step("Create a customer")
    customer = client.customers.create(email="ada@example.com", name="Ada Lovelace", metadata={"user.id": "1"})
    screen.fact("customer", customer.id)
    screen.fact("created", customer.created)
    screen.fact("request", customer.last_response.request_id)

    screen.step("Save a card with a SetupIntent")
    declined(screen, lambda: client.setup_intents.create(
        customer=customer.id, payment_method="pm_card_chargeDeclined", payment_method_types=["card"], confirm=True
    ))  # fmt: skip
    intent = client.setup_intents.create(
        customer=customer.id,
        payment_method="pm_card_visa",
        payment_method_types=["card"],
        confirm=True,
        expand=["payment_method"],
    )
    screen.fact("setup intent", f"{intent.id}, {intent.status}")
    method = intent.payment_method
    if method is None:
        raise InvalidRequestError("The setup intent has no payment method.")
    card = client.payment_methods.retrieve(method.id).card
    screen.fact("payment method", method.id)
    if card is not None:
        screen.fact("card", f"{card.brand} ending in {card.last4}")
    client.customers.update(customer.id, invoice_settings={"default_payment_method": method.id})

    screen.step("Start a subscription")
    product = client.products.create(name="Analytics Pro")
    price = client.prices.create(product=product.id, currency="usd", unit_amount=2900, recurring={"interval": "month"})
    subscription: Subscription = client.subscriptions.create(
        customer=customer.id, items=[{"price": price.id, "quantity": 3}], expand=["latest_invoice"]
    )
    screen.fact("subscription", f"{subscription.id}, {subscription.status}")
    screen.fact("period ends", subscription.items.data[0].current_period_end)
    invoice = subscription.latest_invoice
    if isinstance(invoice, Invoice):
        screen.fact("invoice", f"{invoice.number}, {invoice.status}, {money(invoice.amount_paid, invoice.currency)}")
    return subscription


def declined(screen: Screen, attempt: Callable[[], object]) -> None:
    """Show what a declined card looks like."""
    try:
        attempt()
    except CardError as error:
        screen.good(f"a bad card is a CardError: {error.decline_code}, {error.message}")


def tell(event: AnyEvent, screen: Screen) -> None:
    """One line about an event, and the typed object that it is about."""
    found = event.data.object
    about = str(getattr(found, "id", ""))
    if isinstance(found, Invoice) and event.type == "invoice.paid":
        about += f", {money(found.amount_paid, found.currency)}"
    elif isinstance(found, Charge):
        about += f", {money(found.amount, found.currency)}"
    elif isinstance(found, Subscription):
        about += f", {found.status}"
    screen.fact(event.type, about)


def check_strictness(client: Client, screen: Screen) -> None:
    """What is refused before it is sent, and what the API refuses."""
    screen.step("Make mistakes")
    try:
        client.customers.retrieve("")
    except InvalidArgumentError as error:
        screen.good(f"an empty id is refused before it is sent: {error.message}")
    try:
        client.customers.create(emial="ada@example.com")  # pyright: ignore[reportCallIssue]  # the mistake
    except InvalidRequestError as error:
        screen.good(f"a typo is an error in mypy, and here: {error.message}")


def money(amount: int, currency: str) -> str:
    """An amount in cents, for people."""
    return f"{amount / 100:.2f} {currency.upper()}"
