"""Several accounts: locks, requests that need two accounts, snapshots, state files of other versions."""

from __future__ import annotations

import pickle
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.emulator.operations._registry import HANDLERS
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.accounts import Accounts
from pinstripe.emulator.state.environment import Environment
from pinstripe.emulator.state.persistence import SCHEMA_VERSION
from pinstripe.emulator.state.tables import Amount
from pinstripe.emulator.validation.errors import ErrorResponse
from tests.emulator.conftest import NO_REDIRECTS

TIMEOUT = 20.0
"""Seconds after which a test that waits has failed."""
BALANCE = ("available", "usd")
SCHEMA_1 = """
CREATE TABLE objects (seq INTEGER PRIMARY KEY, account TEXT, id TEXT, kind TEXT, json TEXT, UNIQUE (account, id));
CREATE TABLE about (name TEXT PRIMARY KEY, json TEXT) WITHOUT ROWID;
INSERT INTO about VALUES ('layout', '1'), ('ticks', '0');
"""
"""Tables of a state file that was written before schema versions were stored in ``user_version``."""


@pytest.fixture
def accounts() -> Accounts:
    return Accounts(Environment(seed=1))


def balance(state: AccountState) -> int:
    row = state.tables.balances.get(BALANCE)
    return row.amount if row else 0


def move(state: AccountState, destination: str, amount: int) -> None:
    """Move an amount from an account to another one."""
    state.tables.balances.set(BALANCE, Amount(balance(state) - amount))
    other = state.other(destination)
    other.tables.balances.set(BALANCE, Amount(balance(other) + amount))


def test_two_requests_that_need_each_others_account_both_end(accounts: Accounts) -> None:
    both_locked = threading.Barrier(2)
    attempts: list[str] = []

    def request(source: str, destination: str) -> None:
        def action(state: AccountState) -> None:
            first = source not in attempts
            attempts.append(source)
            if first:
                both_locked.wait(TIMEOUT)  # each holds the lock that the other one needs
            move(state, destination, 100)

        accounts.run(source, action)

    with ThreadPoolExecutor(2) as pool:
        requests = [pool.submit(request, "acct_a", "acct_b"), pool.submit(request, "acct_b", "acct_a")]
        for submitted in requests:
            submitted.result(TIMEOUT)
    assert (balance(accounts.state("acct_a")), balance(accounts.state("acct_b"))) == (0, 0)
    assert len(attempts) > 2  # at least one of them started again


def test_transfers_in_both_directions_lose_no_money(accounts: Accounts) -> None:
    names = ["acct_a", "acct_b", "acct_c"]

    def transfer(number: int) -> None:
        source, destination = names[number % 3], names[(number + 1 + number // 3 % 2) % 3]
        accounts.run(source, lambda state: move(state, destination, number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(transfer, range(300), timeout=TIMEOUT))
    expected = dict.fromkeys(names, 0)
    for number in range(300):
        expected[names[number % 3]] -= number
        expected[names[(number + 1 + number // 3 % 2) % 3]] += number
    assert {name: balance(accounts.state(name)) for name in names} == expected
    assert sum(expected.values()) == 0


def test_transfers_and_fees_between_a_platform_and_its_account_lose_no_money(emulator: Emulator) -> None:
    platform = emulator.client()
    account = platform.accounts.create(type="express").id
    connected = emulator.client(stripe_account=account)
    platform.charges.create(amount=50_000, currency="usd", source="tok_bypassPending")

    def transfer(_: int) -> None:
        platform.transfers.create(amount=100, currency="usd", destination=account)

    def charge_with_fee(_: int) -> None:
        connected.payment_intents.create(
            amount=1000,
            currency="usd",
            payment_method="pm_card_visa",
            confirm=True,
            automatic_payment_methods=NO_REDIRECTS,
            application_fee_amount=50,
        )

    with ThreadPoolExecutor(4) as pool:
        submitted = [pool.submit(request, number) for number in range(20) for request in (transfer, charge_with_fee)]
        for request in submitted:
            request.result(TIMEOUT)
    connected.balance.retrieve()  # the last charge is settled at the next request
    for client, types in ((platform, {"transfer": -2000, "application_fee": 1000}), (connected, {"payment": 2000})):
        transactions = list(client.balance_transactions.list(limit=100))
        for name, amount in types.items():
            assert sum(transaction.amount for transaction in transactions if transaction.type == name) == amount
        amounts = client.balance.retrieve()
        total = sum(part.amount for part in amounts.available) + sum(part.amount for part in amounts.pending)
        assert total == sum(transaction.net for transaction in transactions)
    assert len(connected.charges.list(limit=100).data) == 40


def test_other_accounts_are_not_blocked_while_a_request_runs(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = emulator.client()
    account = platform.accounts.create(type="express").id
    connected = emulator.client(stripe_account=account)
    running, finish = threading.Event(), threading.Event()
    create = HANDLERS["products.create"]

    def create_when_released(context: OperationContext) -> Any:  # Any: the JSON of the response
        running.set()
        assert finish.wait(TIMEOUT)
        return create(context)

    monkeypatch.setitem(HANDLERS, "products.create", create_when_released)
    with ThreadPoolExecutor(2) as pool:
        try:
            blocked = pool.submit(platform.products.create, name="Gold")
            assert running.wait(TIMEOUT)
            other = pool.submit(connected.customers.create, name="Jenny")
            assert other.result(TIMEOUT).name == "Jenny"
            assert not blocked.done()
        finally:
            finish.set()
        assert blocked.result(TIMEOUT).name == "Gold"


def test_an_error_undoes_the_changes_of_both_accounts(accounts: Accounts) -> None:
    def fail(state: AccountState) -> None:
        move(state, "acct_b", 100)
        raise ErrorResponse("Refused.")

    with pytest.raises(ErrorResponse, match="Refused"):
        accounts.run("acct_a", fail)
    assert (balance(accounts.state("acct_a")), balance(accounts.state("acct_b"))) == (0, 0)
    assert accounts.version == 0


def test_the_changes_of_a_declined_payment_are_stored(accounts: Accounts) -> None:
    def decline(state: AccountState) -> None:
        state.create("charge", {"amount": 900})
        raise ErrorResponse("Your card was declined.", status=402)

    with pytest.raises(ErrorResponse, match="declined"):
        accounts.run("acct_a", decline)
    assert len(list(accounts.state("acct_a").objects.all("charge"))) == 1


def test_a_snapshot_contains_every_account(emulator: Emulator) -> None:
    platform = emulator.client()
    account = platform.accounts.create(type="express").id
    connected = emulator.client(stripe_account=account)
    platform.charges.create(amount=5000, currency="usd", source="tok_bypassPending")
    platform.transfers.create(amount=900, currency="usd", destination=account)
    snapshot = emulator.snapshot()
    events = [event.id for event in emulator.events]
    connected.customers.create(name="Jenny")
    platform.transfers.create(amount=100, currency="usd", destination=account)
    emulator.restore(snapshot)
    with Emulator(seed=2) as other:
        other.restore(snapshot)
        for restored in (emulator, other):
            client = restored.client(stripe_account=account)
            assert [event.id for event in restored.events] == events
            assert client.customers.list().data == []
            assert [amount.amount for amount in client.balance.retrieve().available] == [900]


def test_bytes_that_are_not_a_snapshot_are_refused_and_change_nothing(emulator: Emulator) -> None:
    client = emulator.client()
    customer = client.customers.create().id
    for data in (b"", b"snapshot", pickle.dumps({}), emulator.snapshot()[8:]):
        with pytest.raises(pinstripe.InvalidArgumentError, match=r"Emulator\.snapshot\(\)"):
            emulator.restore(data)
    assert [customer.id for customer in client.customers.list()] == [customer]


def test_a_state_file_of_schema_version_1_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "stripe.sqlite"
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(SCHEMA_1)
    content = path.read_bytes()
    expected = (
        f"schema version 1, and this emulator reads version {SCHEMA_VERSION}.*Pass another file, or delete this one"
    )
    with pytest.raises(pinstripe.InvalidArgumentError, match=expected) as raised:
        Emulator(db=path)
    assert raised.value.param == "db"
    assert path.read_bytes() == content
    path.unlink()
    Emulator(db=path).close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
