"""The endpoints that Stripe's CLI uses and the API reference does not describe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

import pinstripe
from pinstripe import form
from pinstripe.emulator import Emulator
from pinstripe.models import CheckoutSession

ITALIAN, AUSTRIAN = "IT60X0542811101000000123456", "AT611904300234573201"
"""IBANs whose debits fail and succeed."""


@dataclass
class Shop:
    """An emulator with a client, and requests to endpoints that the client does not have."""

    emulator: Emulator
    client: pinstripe.Client
    http: httpx.Client

    def send(self, verb: str, path: str, **params: Any) -> Any:  # Any: parameters, and the JSON of the response
        return self.http.request(verb, path, content=form.encode(params)).json()

    def session(self, **params: Any) -> CheckoutSession:  # Any: parameters
        price = self.client.prices.create(currency="eur", unit_amount=1500, product_data={"name": "Mug"})
        return self.client.checkout.sessions.create(
            mode="payment",
            success_url="https://example.com",
            line_items=[{"price": price.id, "quantity": 2}],
            **params,
        )

    def debit(self, session: CheckoutSession, iban: str) -> Any:  # Any: the JSON of the response
        """Pay a session from a bank account."""
        method = self.client.payment_methods.create(
            type="sepa_debit", sepa_debit={"iban": iban}, billing_details={"email": "a@example.com", "name": "Jenny"}
        )
        return self.send("POST", f"/v1/payment_pages/{session.id}/confirm", payment_method=method.id)

    def issue_card(self) -> str:
        """Create an active card, and return its id."""
        cardholder = self.client.issuing.cardholders.create(
            name="Jenny",
            billing={"address": {"line1": "1 Main St", "city": "Boston", "country": "US", "postal_code": "02108"}},
        )
        cards = self.client.issuing.cards
        return cards.create(cardholder=cardholder.id, currency="usd", type="virtual", status="active").id


@pytest.fixture
def shop(emulator: Emulator, client: pinstripe.Client) -> Iterator[Shop]:
    headers = {"Authorization": "Bearer sk_test_emulator", "Content-Type": "application/x-www-form-urlencoded"}
    with emulator.serve() as url, httpx.Client(base_url=url, headers=headers) as http:
        yield Shop(emulator, client, http)


def test_a_payment_page_shows_the_session_and_completes_it(shop: Shop) -> None:
    session = shop.session()
    page = shop.send("GET", f"/v1/payment_pages/{session.id}")
    assert (page["session_id"], page["amount_total"], page["status"]) == (session.id, 3000, "open")
    method = shop.client.payment_methods.create(
        type="card", card={"token": "tok_visa"}, billing_details={"email": "jenny@example.com", "name": "Jenny"}
    )
    confirm = f"/v1/payment_pages/{session.id}/confirm"
    refused = shop.send("POST", confirm, payment_method=method.id, expected_amount=1)["error"]
    assert refused["param"] == "expected_amount"
    confirmed = shop.send("POST", confirm, payment_method=method.id, expected_amount=3000)
    assert (confirmed["status"], confirmed["payment_status"]) == ("complete", "paid")
    assert shop.send("POST", confirm, payment_method=method.id)["error"]["code"] == "checkout_session_not_open"
    completed = shop.client.checkout.sessions.retrieve(session.id)
    assert completed.customer_details is not None
    assert (completed.status, completed.customer_details.email) == ("complete", "jenny@example.com")


@pytest.mark.parametrize(
    ("iban", "outcome", "status"),
    [(AUSTRIAN, "async_payment_succeeded", "paid"), (ITALIAN, "async_payment_failed", "unpaid")],
)
def test_a_session_reports_how_its_bank_debit_ends(shop: Shop, iban: str, outcome: str, status: str) -> None:
    session = shop.session(allowed_payment_method_types=["sepa_debit"])
    page = shop.debit(session, iban)
    assert (page["status"], page["payment_status"]) == ("complete", "unpaid")
    assert shop.emulator.events.types[-1] == "checkout.session.completed"
    assert shop.client.checkout.sessions.retrieve(session.id).payment_status == status
    assert shop.emulator.events.types.count(f"checkout.session.{outcome}") == 1


def test_a_test_authorization_sends_the_request_to_the_application(shop: Shop) -> None:
    card = shop.issue_card()
    path = f"/v1/issuing/cards/{card}/test/authorizations"
    authorization = shop.send("POST", path, held_amount=100, authorization_method="online")
    assert (authorization["amount"], authorization["approved"], authorization["card"]["id"]) == (100, True, card)
    assert shop.emulator.events.types[-2:] == ["issuing_authorization.request", "issuing_authorization.created"]
    assert shop.send("POST", path)["error"]["param"] == "held_amount"


def test_the_receipt_of_a_card_purchase_follows_it(shop: Shop) -> None:
    card = shop.issue_card()
    shop.client.test_helpers.issuing.transactions.create_force_capture(
        card=card, amount=100, purchase_details={"receipt": [{"description": "Ride", "quantity": "2", "unit_cost": 50}]}
    )
    types = ["issuing_transaction.created", "issuing_transaction.purchase_details_receipt_updated"]
    assert shop.emulator.events.types[-2:] == types
    event: Any = shop.emulator.events[-1]
    [line] = event.data.object.purchase_details.receipt
    assert (line.description, line.quantity, line.unit_cost, line.total) == ("Ride", 2, 50, None)


def test_only_events_that_exist_are_sent_again(shop: Shop) -> None:
    assert shop.send("POST", "/v1/events/evt_missing/retry")["error"]["code"] == "resource_missing"
    shop.client.customers.create()
    event = shop.client.events.list().data[0].id
    assert (
        shop.send("POST", f"/v1/events/{event}/retry", webhook_endpoint="we_1")["error"]["param"] == "webhook_endpoint"
    )
    assert shop.send("POST", f"/v1/events/{event}/retry", for_stripecli=True)["id"] == event
    assert shop.send("POST", f"/v1/events/{event}/retry", other=1)["error"]["code"] == "parameter_unknown"
