"""The same billing scenario by three clients, pinstripe and the official packages for Python and Node, with the same results."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.emulator.state.json_values import JSON
from tests.emulator.conftest import NEW_YEAR, at

NODE = Path(__file__).parent / "node"
EXPECTED = [
    ["started", "active"],
    ["renewed", [["paid", 5800, 5800], ["paid", 5800, 5800]]],
    ["failed", "past_due", [["open", 5800, 0], ["paid", 5800, 5800], ["paid", 5800, 5800]]],
    ["declined", "card_declined", "generic_decline"],
    ["paid", "active"],
    ["refunded", "succeeded", 1000, 1000],
    ["portal", True],
    [
        "events",
        [
            *("invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_succeeded"),
            *("invoice.upcoming", "invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_succeeded"),
            *("invoice.upcoming", "invoice.created", "invoice.finalized", "invoice.payment_failed"),
            *("invoice.payment_failed", "invoice.paid", "invoice.payment_succeeded"),
        ],
    ],
]


@pytest.fixture
def address(emulator: Emulator) -> Iterator[str]:
    with emulator.serve() as url:
        yield url


def test_pinstripe(address: str) -> None:
    with pinstripe.Client("sk_test_x", base_url=address, validation="strict") as client:
        clock = client.test_helpers.test_clocks.create(frozen_time=NEW_YEAR).id
        customer = client.customers.create(email="jenny@example.com", test_clock=clock).id
        card = client.payment_methods.attach("pm_card_visa", customer=customer).id
        client.customers.update(customer, invoice_settings={"default_payment_method": card})
        price = client.prices.create(
            currency="usd", unit_amount=2900, recurring={"interval": "month"}, product_data={"name": "Gold"}
        ).id
        subscription = client.subscriptions.create(customer=customer, items=[{"price": price, "quantity": 2}])
        results: list[JSON] = [["started", subscription.status]]

        def totals() -> list[list[JSON]]:
            invoices = client.invoices.list(subscription=subscription.id, limit=1)
            return [[item.status, item.total, item.amount_paid] for item in invoices]

        client.test_helpers.test_clocks.advance(clock, frozen_time=at(2, 1, 1))
        results.append(["renewed", totals()])
        bad = client.payment_methods.attach("pm_card_chargeCustomerFail", customer=customer).id
        client.customers.update(customer, invoice_settings={"default_payment_method": bad})
        client.test_helpers.test_clocks.advance(clock, frozen_time=at(3, 1, 1))
        results.append(["failed", client.subscriptions.retrieve(subscription.id).status, totals()])
        latest = client.invoices.list(subscription=subscription.id, limit=1).data[0].id
        with pytest.raises(pinstripe.CardError) as caught:
            client.invoices.pay(latest)
        results.append(["declined", caught.value.code, caught.value.decline_code])
        client.invoices.pay(latest, payment_method=card)
        results.append(["paid", client.subscriptions.retrieve(subscription.id).status])
        charge = client.charges.list(customer=customer, limit=1).data[0].id
        refund = client.refunds.create(charge=charge, amount=1000)
        results.append(["refunded", refund.status, refund.amount, client.charges.retrieve(charge).amount_refunded])
        portal = client.billing_portal.sessions.create(customer=customer, return_url="https://example.com")
        results.append(["portal", portal.url.startswith(address)])
        results.append(["events", [item.type for item in client.events.list(type="invoice.*", limit=100)][::-1]])
    assert results == EXPECTED


def test_the_official_package_for_python(address: str) -> None:
    client: Any = stripe.StripeClient("sk_test_python", base_addresses={"api": address}).v1  # Any: as their types are
    clock = client.test_helpers.test_clocks.create({"frozen_time": NEW_YEAR}).id
    customer = client.customers.create({"email": "jenny@example.com", "test_clock": clock}).id
    card = client.payment_methods.attach("pm_card_visa", {"customer": customer}).id
    client.customers.update(customer, {"invoice_settings": {"default_payment_method": card}})
    price = client.prices.create(
        {"currency": "usd", "unit_amount": 2900, "recurring": {"interval": "month"}, "product_data": {"name": "Gold"}}
    ).id
    subscription = client.subscriptions.create({"customer": customer, "items": [{"price": price, "quantity": 2}]})
    results: list[JSON] = [["started", subscription.status]]

    def totals() -> list[list[JSON]]:
        invoices = client.invoices.list({"subscription": subscription.id, "limit": 1}).auto_paging_iter()
        return [[item.status, item.total, item.amount_paid] for item in invoices]

    client.test_helpers.test_clocks.advance(clock, {"frozen_time": at(2, 1, 1)})
    results.append(["renewed", totals()])
    bad = client.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer}).id
    client.customers.update(customer, {"invoice_settings": {"default_payment_method": bad}})
    client.test_helpers.test_clocks.advance(clock, {"frozen_time": at(3, 1, 1)})
    results.append(["failed", client.subscriptions.retrieve(subscription.id).status, totals()])
    latest = client.invoices.list({"subscription": subscription.id, "limit": 1}).data[0].id
    with pytest.raises(stripe.CardError) as caught:
        client.invoices.pay(latest)
    assert caught.value.error is not None
    results.append(["declined", caught.value.code, caught.value.error.decline_code])
    client.invoices.pay(latest, {"payment_method": card})
    results.append(["paid", client.subscriptions.retrieve(subscription.id).status])
    charge = client.charges.list({"customer": customer, "limit": 1}).data[0].id
    refund = client.refunds.create({"charge": charge, "amount": 1000})
    results.append(["refunded", refund.status, refund.amount, client.charges.retrieve(charge).amount_refunded])
    portal = client.billing_portal.sessions.create({"customer": customer, "return_url": "https://example.com"})
    results.append(["portal", portal.url.startswith(address)])
    results.append(
        ["events", [item.type for item in client.events.list({"type": "invoice.*", "limit": 100}).data][::-1]]
    )
    assert results == EXPECTED


@pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="needs node and npm")
def test_the_official_package_for_node(address: str, tmp_path: Path) -> None:
    folder = tmp_path / "node"
    shutil.copytree(NODE, folder)
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=120)
    done = subprocess.run(
        ["node", "billing.js", address], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    results = json.loads(done.stdout)
    declined = results[3]
    assert declined.pop(1) == "StripeCardError"
    assert results == EXPECTED
