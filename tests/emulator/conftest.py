"""A shop: an emulator, a test clock that stands at 1 January 2026, and a customer on it with a card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.models import Customer, Invoice, Subscription

DAY = 86_400
NEW_YEAR = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())


def at(month: int, day: int, hour: int = 0, year: int = 2026) -> int:
    """Unix seconds of a day of 2026."""
    return int(datetime(year, month, day, hour, tzinfo=timezone.utc).timestamp())


def living(client: pinstripe.Client, customer: str) -> Customer:
    """A customer who is not deleted, as they are now."""
    found = client.customers.retrieve(customer)
    assert isinstance(found, Customer)
    return found


@dataclass
class Shop:
    """What tests of billing need."""

    emulator: Emulator
    client: pinstripe.Client
    clock: str
    customer: str
    card: str

    def price(self, amount: int | None = 3000, **params: Any) -> str:  # Any: parameters of a price
        """A monthly price, in cents."""
        own = {"unit_amount": amount} if amount is not None else {}
        product = {"product": params.pop("product")} if "product" in params else {"product_data": {"name": "Plan"}}
        recurring = params.pop("recurring", {"interval": "month"})
        return self.client.prices.create(**{"currency": "usd", "recurring": recurring, **product, **own, **params}).id

    def subscribe(self, *prices: str, **params: Any) -> Subscription:  # Any: parameters of a subscription
        """A subscription of the customer."""
        return self.client.subscriptions.create(
            customer=self.customer, items=[{"price": one} for one in prices], **params
        )

    def advance(self, moment: int) -> None:
        """Let time pass."""
        self.client.test_helpers.test_clocks.advance(self.clock, frozen_time=moment)

    def use(self, card: str) -> str:
        """Another default card."""
        method = self.client.payment_methods.attach(card, customer=self.customer)
        self.client.customers.update(self.customer, invoice_settings={"default_payment_method": method.id})
        return method.id

    @property
    def balance(self) -> int | None:
        """The customer's balance: below zero is credit."""
        return living(self.client, self.customer).balance

    def latest(self, subscription: str) -> Invoice:
        """The latest invoice of a subscription."""
        found = self.client.subscriptions.retrieve(subscription, expand=["latest_invoice"]).latest_invoice
        assert isinstance(found, Invoice)
        return found

    def since(self, count: int) -> list[str]:
        """The types of the events after the first so many."""
        return self.emulator.events.types[count:]


@pytest.fixture
def shop(emulator: Emulator, client: pinstripe.Client) -> Shop:
    clock = client.test_helpers.test_clocks.create(frozen_time=NEW_YEAR)
    customer = client.customers.create(email="jenny@example.com", name="Jenny", test_clock=clock.id)
    made = Shop(emulator, client, clock.id, customer.id, "")
    made.card = made.use("pm_card_visa")
    return made
