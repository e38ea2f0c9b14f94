"""Seeds, snapshots and state files."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from tests.emulator.conftest import NEW_YEAR, NO_REDIRECTS, Shop, at, existing_customer


def create_objects(client: pinstripe.Client) -> list[str]:
    """Create a few objects, and return their ids and times."""
    customer = client.customers.create(name="Jenny", payment_method="pm_card_visa")
    intent = client.payment_intents.create(amount=900, currency="usd", customer=customer.id)
    return [f"{customer.id} {customer.created}", f"{intent.id} {intent.client_secret} {intent.created}"]


def test_a_seed_makes_ids_and_times_reproducible() -> None:
    first, second, other = (Emulator(seed=seed) for seed in (7, 7, 8))
    assert create_objects(first.client()) == create_objects(second.client()) != create_objects(other.client())
    assert [event.id for event in first.events] == [event.id for event in second.events]


def test_a_snapshot_can_be_restored_in_this_emulator_and_in_another(shop: Shop) -> None:
    subscription = shop.subscribe(shop.price(1000))
    snapshot, events = shop.emulator.snapshot(), shop.emulator.events.types
    shop.client.subscriptions.cancel(subscription.id)
    shop.emulator.restore(snapshot)
    assert shop.client.subscriptions.retrieve(subscription.id).status == "active"
    assert shop.emulator.events.types == events
    with Emulator() as other:
        other.restore(snapshot)
        client = other.client()
        client.test_helpers.test_clocks.advance(shop.clock, frozen_time=at(2, 1, 1))
        assert [invoice.total for invoice in client.invoices.list(subscription=subscription.id)] == [1000, 1000]
    assert [invoice.total for invoice in shop.client.invoices.list(subscription=subscription.id)] == [1000]


def test_later_changes_do_not_change_a_snapshot(client: pinstripe.Client, emulator: Emulator) -> None:
    customer = client.customers.create(name="Jenny").id
    snapshot = emulator.snapshot()
    client.customers.update(customer, name="Ann")
    emulator.restore(snapshot)
    client.customers.update(customer, metadata={"a": "1"})
    emulator.restore(snapshot)
    restored = existing_customer(client, customer)
    assert (restored.name, restored.metadata) == ("Jenny", {})


def test_the_state_is_loaded_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "stripe.sqlite"
    with Emulator(seed=1, db=path) as emulator:
        client = emulator.client()
        clock = client.test_helpers.test_clocks.create(frozen_time=NEW_YEAR)
        customer = client.customers.create(test_clock=clock.id, source="tok_visa", metadata={"a": "1"})
        price = client.prices.create(
            currency="usd",
            billing_scheme="tiered",
            tiers_mode="volume",
            tiers=[{"up_to": "inf", "unit_amount": 700}],
            product_data={"name": "Plan"},
            recurring={"interval": "month"},
        )
        subscription = client.subscriptions.create(customer=customer.id, items=[{"price": price.id}])
        client.customers.delete(client.customers.create().id)
        options: Any = {"idempotency_key": "once"}  # Any: request options
        product = client.products.create(name="Once", request_options=options)
        customer_ids, types = (
            [customer.id for customer in client.customers.list(test_clock=clock.id)],
            emulator.events.types,
        )
    with Emulator(seed=1, db=path) as emulator:
        client = emulator.client()
        assert [customer.id for customer in client.customers.list(test_clock=clock.id)] == customer_ids
        assert emulator.events.types == types
        assert client.products.create(name="Once", request_options=options).id == product.id
        client.subscription_items.update(subscription.items.data[0].id, quantity=2, proration_behavior="none")
        assert client.subscriptions.retrieve(subscription.id).items.data[0].quantity == 2
        client.test_helpers.test_clocks.advance(clock.id, frozen_time=at(2, 1, 1))
        assert [invoice.total for invoice in client.invoices.list(subscription=subscription.id)] == [1400, 700]
        assert client.customers.create().id not in customer_ids
    with Emulator(db=path) as emulator:
        assert len(emulator.client().invoices.list().data) == 2


def test_embedded_objects_are_the_stored_objects_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "stripe.sqlite"
    with Emulator(db=path) as emulator:
        client = emulator.client()
        client.charges.create(amount=5000, currency="usd", source="tok_bypassPending")
        account = client.accounts.create(type="express").id
        transfer = client.transfers.create(amount=900, currency="usd", destination=account).id
        reversal = client.transfers.reversals.create(transfer, amount=100).id
    with Emulator(db=path) as emulator:
        client = emulator.client()
        client.transfers.reversals.update(transfer, reversal, metadata={"why": "test"})
        reversals = client.transfers.retrieve(transfer).reversals
        assert [item.metadata for item in reversals.data] == [{"why": "test"}]


def test_the_changes_of_a_failed_request_are_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "stripe.sqlite"
    with Emulator(db=path) as emulator:
        client = emulator.client()
        customer = client.customers.create().id
        with pytest.raises(pinstripe.InvalidRequestError):
            client.subscriptions.create(customer=customer, items=[{"price": "price_none"}])
        with pytest.raises(pinstripe.CardError):
            client.payment_intents.create(
                amount=500,
                currency="usd",
                payment_method="pm_card_chargeDeclined",
                confirm=True,
                automatic_payment_methods=NO_REDIRECTS,
            )
    with Emulator(db=path) as emulator:
        client = emulator.client()
        assert client.subscriptions.list(status="all").data == []
        assert [intent.status for intent in client.payment_intents.list()] == ["requires_payment_method"]


def test_a_restored_snapshot_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "stripe.sqlite"
    with Emulator(db=path) as emulator:
        client = emulator.client()
        first = client.customers.create().id
        snapshot = emulator.snapshot()
        client.customers.create()
        emulator.restore(snapshot)
    with Emulator(db=path) as emulator:
        assert [customer.id for customer in emulator.client().customers.list()] == [first]


WORKER = """
import sys
from pinstripe.emulator import Emulator
emulator = Emulator(db=sys.argv[1])
client = emulator.client()
while True:
    print(client.customers.create(name="Jenny", payment_method="pm_card_visa").id, flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_responded(tmp_path: Path) -> None:
    path = tmp_path / "stripe.sqlite"
    with subprocess.Popen([sys.executable, "-c", WORKER, str(path)], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        responded = [worker.stdout.readline().strip() for _ in range(40)]
        os.kill(worker.pid, signal.SIGKILL)
        responded += [line.strip() for line in worker.stdout if line.endswith("\n")]
    with Emulator(db=path) as emulator:
        client = emulator.client()
        stored = {customer.id for customer in client.customers.list(limit=100)}
        assert stored >= set(responded)
        assert len(stored) <= len(responded) + 1  # the last one may be stored without a response
        owners = [method.customer for method in client.payment_methods.list(limit=100)]
        assert sorted(map(str, owners)) == sorted(stored)  # each with its card: requests are atomic


def test_other_files_are_refused_and_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Notes. " * 1000)
    with pytest.raises(pinstripe.InvalidArgumentError, match="not a database"):
        Emulator(db=path)
    assert path.read_text() == "Notes. " * 1000
    other = tmp_path / "other.sqlite"
    Emulator(db=other).close()
    with closing(sqlite3.connect(other)) as file, file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(pinstripe.InvalidArgumentError, match="schema version 99"):
        Emulator(db=other)
