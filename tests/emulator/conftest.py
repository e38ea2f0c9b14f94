"""The fixture `shop`: an emulator, a test clock at 1 January 2026, and a customer with a card on that clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.models import Customer, Invoice, Subscription

DAY = 86_400
NO_REDIRECTS: Any = {"enabled": True, "allow_redirects": "never"}  # Any: a parameter of intents
"""The ``automatic_payment_methods`` of an intent that can be confirmed without a ``return_url``."""
NEW_YEAR = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())


def at(month: int, day: int, hour: int = 0, year: int = 2026) -> int:
    """Return a time of 2026 in unix seconds."""
    return int(datetime(year, month, day, hour, tzinfo=timezone.utc).timestamp())


def existing_customer(client: pinstripe.Client, customer_id: str) -> Customer:
    """Retrieve a customer who is not deleted."""
    customer = client.customers.retrieve(customer_id)
    assert isinstance(customer, Customer)
    return customer


@dataclass
class Shop:
    """An emulator with a customer, for tests of billing."""

    emulator: Emulator
    client: pinstripe.Client
    clock: str
    customer: str
    card: str

    def price(self, amount: int | None = 3000, **params: Any) -> str:  # Any: parameters of a price
        """Create a monthly price, in cents."""
        unit_amount = {"unit_amount": amount} if amount is not None else {}
        product = {"product": params.pop("product")} if "product" in params else {"product_data": {"name": "Plan"}}
        recurring = params.pop("recurring", {"interval": "month"})
        return self.client.prices.create(
            **{"currency": "usd", "recurring": recurring, **product, **unit_amount, **params}
        ).id

    def subscribe(self, *prices: str, **params: Any) -> Subscription:  # Any: parameters of a subscription
        """Create a subscription of the customer."""
        return self.client.subscriptions.create(
            customer=self.customer, items=[{"price": price} for price in prices], **params
        )

    def advance(self, until: int) -> None:
        """Advance the emulator, and with it the test clock."""
        self.emulator.advance(until)

    def use(self, card: str) -> str:
        """Set another default card, and return its payment method."""
        method = self.client.payment_methods.attach(card, customer=self.customer)
        self.client.customers.update(self.customer, invoice_settings={"default_payment_method": method.id})
        return method.id

    @property
    def balance(self) -> int | None:
        """The customer's balance; a negative balance is a credit."""
        return existing_customer(self.client, self.customer).balance

    def latest(self, subscription: str) -> Invoice:
        """Return the latest invoice of a subscription."""
        invoice = self.client.subscriptions.retrieve(subscription, expand=["latest_invoice"]).latest_invoice
        assert isinstance(invoice, Invoice)
        return invoice

    def since(self, count: int) -> list[str]:
        """Return the types of the events after the first ``count``."""
        return self.emulator.events.types[count:]


@pytest.fixture
def shop(emulator: Emulator, client: pinstripe.Client) -> Shop:
    clock = client.test_helpers.test_clocks.create(frozen_time=NEW_YEAR)
    customer = client.customers.create(email="jenny@example.com", name="Jenny", test_clock=clock.id)
    shop = Shop(emulator, client, clock.id, customer.id, "")
    shop.card = shop.use("pm_card_visa")
    return shop
