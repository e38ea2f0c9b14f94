"""The inbox with SQLite, PostgreSQL and Redis: each event takes effect exactly once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pinstripe import InvalidArgumentError, webhooks
from pinstripe.webhooks.inbox import ClaimStore, EntryKey, Inbox
from pinstripe.webhooks.stores import SCHEMA_VERSION, PostgreSQL, Redis, SQLite, TransactionalInbox
from tests.webhooks.servers import postgresql_server, redis_server

BACKENDS = ["sqlite", "postgresql", "redis"]
MakeStore = Callable[[], ClaimStore]


def make_event(event_id: str) -> Any:  # Any: an event whose object is untyped
    data = {"id": event_id, "object": "event", "created": 1, "data": {"object": {"object": "x"}}, "livemode": False}
    return webhooks.read({**data, "pending_webhooks": 0, "type": "invoice.paid"})


def new_id() -> str:
    return f"evt_{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def conninfo() -> Iterator[str | None]:
    with postgresql_server() as address:
        yield address


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str | None]:
    with redis_server() as address:
        yield address


@pytest.fixture(scope="module", params=BACKENDS)
def make_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeStore]:
    """Return a function that opens stores on the same data, as several processes would."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("inbox") / "inbox.sqlite"
        yield lambda: SQLite(path)
        return
    address = request.getfixturevalue("conninfo" if request.param == "postgresql" else "redis_url")
    if address is None:
        pytest.skip(f"{request.param} is not installed")
    if request.param == "postgresql":
        yield lambda: PostgreSQL(lambda: psycopg.connect(address))
        return
    clients: list[redis.Redis] = []

    def redis_store() -> ClaimStore:
        clients.append(redis.Redis.from_url(address))
        return Redis(clients[-1])

    yield redis_store
    for client in clients:
        client.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(make_store: MakeStore, clock: Clock) -> Inbox:
    return Inbox(make_store(), lease=60, now=clock, name=new_id())  # no test sees the inbox of another


def key_of(inbox: Inbox, event: Any) -> EntryKey:  # Any: the event
    return EntryKey(inbox.name, event.id)


def test_processed_event_is_not_processed_again(inbox: Inbox) -> None:
    calls: list[str] = []
    event = make_event(new_id())
    outcomes = [inbox.process(event, lambda event: calls.append(event.id)) for _ in range(3)]
    assert outcomes == ["processed", "duplicate", "duplicate"]
    assert calls == [event.id]


def test_event_can_be_processed_again_after_its_handler_failed(inbox: Inbox) -> None:
    event = make_event(new_id())

    def fail(_: object) -> None:
        raise RuntimeError("failed")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            inbox.process(event, fail)
    assert inbox.process(event, lambda _: None) == "processed"


def test_concurrent_delivery_is_busy(inbox: Inbox) -> None:
    event = make_event(new_id())
    inner: list[str] = []
    assert inbox.process(event, lambda event: inner.append(inbox.process(event, lambda _: None))) == "processed"
    assert inner == ["busy"]


def test_claim_expires_after_its_lease(inbox: Inbox, clock: Clock) -> None:
    event = make_event(new_id())
    key = key_of(inbox, event)
    assert inbox.store.claim(key, "expired token", clock.now, inbox.lease).status == "claimed"
    clock.now += 59.9
    assert inbox.process(event, lambda _: None) == "busy"
    clock.now += 0.2
    assert inbox.process(event, lambda _: None) == "processed"
    assert not inbox.store.renew(key, "expired token", clock.now + 60)
    assert not inbox.store.finish(key, "expired token", clock.now, inbox.retention)
    assert not inbox.store.finish(key, "expired token", clock.now, inbox.retention, "handler")
    inbox.store.release(key, "expired token")
    assert inbox.process(event, lambda _: None) == "duplicate"


def test_events_are_removed_after_the_retention_time(inbox: Inbox, clock: Clock, make_store: MakeStore) -> None:
    inbox.retention = 1000.0
    if isinstance(inbox.store, Redis):
        client = inbox.store._client
        event = make_event(new_id())
        inbox.process(event, lambda _: None)
        assert 990 < client.ttl(f"pinstripe:inbox:{inbox.name}:{event.id}") <= 1000
        return
    old, recent = make_event(new_id()), make_event(new_id())
    inbox.process(old, lambda _: None)
    clock.now += inbox.retention + 1
    inbox.process(recent, lambda _: None)
    abandoned = make_event(new_id())
    inbox.store.claim(key_of(inbox, abandoned), "token", clock.now - 2 * inbox.retention, inbox.lease)
    assert inbox.prune() == 2
    assert inbox.process(old, lambda _: None) == "processed"
    assert inbox.process(recent, lambda _: None) == "duplicate"


def test_aprocess_processes_an_event_once(inbox: Inbox) -> None:
    event, calls = make_event(new_id()), []

    async def handle(event: Any) -> None:  # Any: the event
        calls.append(event.id)
        assert await inbox.aprocess(event, handle) == "busy"

    async def fail(_: Any) -> None:  # Any: the event
        raise RuntimeError("failed")

    async def process() -> list[str]:
        with pytest.raises(RuntimeError):
            await inbox.aprocess(event, fail)
        return [await inbox.aprocess(event, handle) for _ in range(2)]

    assert asyncio.run(process()) == ["processed", "duplicate"]
    assert calls == [event.id]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(2, 8))
def test_concurrent_deliveries_run_each_event_once(make_store: MakeStore, deliveries: list[int], threads: int) -> None:
    prefix, effects, lock = new_id(), Counter[str](), threading.Lock()
    inbox = Inbox(make_store(), name=prefix)
    pending = [f"{prefix}_{number}" for number in deliveries] * 2
    barrier = threading.Barrier(threads)

    def handle(event: Any) -> None:  # Any: the event
        with lock:
            effects[event.id] += 1

    def work() -> None:
        barrier.wait()
        while True:
            with lock:
                if not pending:
                    break
                event_id = pending.pop()
            inbox.process(make_event(event_id), handle)
        if isinstance(inbox.store, SQLite):
            inbox.store.close()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert effects == {f"{prefix}_{number}": 1 for number in set(deliveries)}


def test_store_agrees_with_a_model_for_any_sequence_of_claims(make_store: MakeStore) -> None:
    """The model tracks the token and the expiry of each claim, and which events and handlers have finished."""

    class Machine(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.store, self.now, self.prefix = make_store(), 1_000_000.0, new_id()
            self.held: dict[int, tuple[str, float]] = {}
            self.done: set[int] = set()
            self.finished: dict[int, frozenset[str]] = {}

        def key(self, event: int) -> EntryKey:
            return EntryKey(self.prefix, f"evt_{event}")

        def is_held(self, event: int, token: str) -> bool:
            return event in self.held and self.held[event][0] == token

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"), lease=st.sampled_from([1.0, 10.0]))
        def claim(self, event: int, token: str, lease: float) -> None:
            result = self.store.claim(self.key(event), token, self.now, lease)
            if event in self.done:
                assert result == ("done", frozenset())
            elif event in self.held and self.held[event][1] > self.now:
                assert result == ("busy", frozenset())
            else:
                assert result == ("claimed", self.finished.get(event, frozenset()))
                self.held[event] = (token, self.now + lease)

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"), lease=st.sampled_from([1.0, 10.0]))
        def renew(self, event: int, token: str, lease: float) -> None:
            valid = self.is_held(event, token)
            assert self.store.renew(self.key(event), token, self.now + lease) is valid
            if valid:
                self.held[event] = (token, self.now + lease)

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"), handler=st.sampled_from(["a.b", "c é"]))
        def finish_handler(self, event: int, token: str, handler: str) -> None:
            valid = self.is_held(event, token)
            assert self.store.finish(self.key(event), token, self.now, 1000.0, handler) is valid
            if valid:
                self.finished[event] = self.finished.get(event, frozenset()) | {handler}

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"))
        def finish(self, event: int, token: str) -> None:
            valid = self.is_held(event, token)
            assert self.store.finish(self.key(event), token, self.now, 1000.0) is valid
            if valid:
                del self.held[event]
                self.done.add(event)

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"))
        def release(self, event: int, token: str) -> None:
            self.store.release(self.key(event), token)
            if self.is_held(event, token):
                del self.held[event]

        @rule(seconds=st.sampled_from([0.5, 1.0, 10.0]))
        def advance(self, seconds: float) -> None:
            self.now += seconds

        @invariant()
        def no_event_is_claimed_and_done(self) -> None:
            assert not set(self.held) & self.done

    run_state_machine_as_test(Machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))


def test_stores_can_be_opened_concurrently(make_store: MakeStore) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            store = make_store()
            if isinstance(store, SQLite):
                store.close()
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []


def process_until_killed(path: str, event_ids: list[str], log: str, killed_at: int) -> None:
    """Handle events and kill this process in the handler of one."""
    inbox = Inbox(SQLite(path), lease=1.0, now=lambda: 1_000_000.0)
    for index, event_id in enumerate(event_ids):

        def handle(event: Any, index: int = index) -> None:  # Any: the event
            if index == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
            with open(log, "a") as file:
                file.write(event.id + "\n")

        inbox.process(make_event(event_id), handle)


@pytest.mark.parametrize("killed_at", [0, 7, 19])
def test_another_process_handles_the_events_of_a_killed_one(killed_at: int, tmp_path: Path) -> None:
    path, log = str(tmp_path / "inbox.sqlite"), str(tmp_path / "log")
    event_ids = [new_id() for _ in range(20)]
    SQLite(path).close()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=process_until_killed, args=(path, event_ids, log, killed_at))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    handled = Path(log).read_text().split() if Path(log).exists() else []
    assert handled == event_ids[:killed_at]
    inbox = Inbox(SQLite(path), lease=1.0, now=lambda: 1_000_002.0)
    for event_id in event_ids:
        inbox.process(make_event(event_id), lambda event: handled.append(event.id))
    assert handled == event_ids


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "60", None])
@pytest.mark.parametrize("name", ["lease", "retention"])
def test_lease_and_retention_are_numbers_of_seconds(name: str, value: Any) -> None:  # Any: invalid values
    with pytest.raises(InvalidArgumentError, match=name) as caught:
        Inbox(SQLite(":memory:"), **{name: value})
    assert caught.value.param == name


# --- the schema version of SQLite files -------------------------------------------------------------------------------


def user_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("pragma user_version").fetchone()
        return int(version)


def test_new_sqlite_file_has_the_current_schema_version(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    SQLite(path).close()
    assert user_version(path) == SCHEMA_VERSION == 2


VERSION_1 = """create table pinstripe_inbox
    (event_id text primary key, token text not null, until double precision not null, done double precision)"""
ROWS_OF_VERSION_1 = (
    "insert into pinstripe_inbox values ('evt_done', 'token', 1000060.0, 1000000.0)",
    "insert into pinstripe_inbox values ('evt_expired', 'token', 1000060.0, null)",
)


@pytest.mark.parametrize("version", [0, 1])
def test_sqlite_file_of_an_earlier_schema_version_is_upgraded(version: int, tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in ("pragma journal_mode = wal", VERSION_1, *ROWS_OF_VERSION_1):
            connection.execute(statement)
        connection.execute(f"pragma user_version = {version}")
    assert_entries_belong_to_the_default_inbox(SQLite(path))
    assert user_version(path) == 2
    reopened = Inbox(SQLite(path), now=lambda: 1_000_100.0)
    assert reopened.process(make_event("evt_expired"), lambda _: None) == "duplicate"


def assert_entries_belong_to_the_default_inbox(store: ClaimStore) -> None:
    inbox, other = (Inbox(store, now=lambda: 1_000_100.0, name=name) for name in ("default", "other"))
    assert inbox.process(make_event("evt_done"), lambda _: None) == "duplicate"
    assert inbox.process(make_event("evt_expired"), lambda _: None) == "processed"
    assert other.process(make_event("evt_done"), lambda _: None) == "processed"


def test_sqlite_file_of_a_newer_schema_version_is_rejected_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 3")
    content = path.read_bytes()
    with pytest.raises(InvalidArgumentError, match=r"schema version 3.*Upgrade pinstripe") as caught:
        SQLite(path)
    assert caught.value.param == "path"
    assert path.read_bytes() == content


def test_postgresql_table_of_an_earlier_version_is_upgraded(conninfo: str | None) -> None:
    if conninfo is None:
        pytest.skip("postgresql is not installed")
    with psycopg.connect(conninfo) as connection:
        for statement in ("create schema earlier", "set search_path to earlier", VERSION_1, *ROWS_OF_VERSION_1):
            connection.execute(statement)
    for _ in range(2):  # the second finds the upgraded table
        store = PostgreSQL(lambda: psycopg.connect(conninfo, options="-c search_path=earlier"))
    assert_entries_belong_to_the_default_inbox(store)


def test_redis_values_of_an_earlier_version_belong_to_the_default_inbox(redis_url: str | None) -> None:
    if redis_url is None:
        pytest.skip("redis is not installed")
    with closing(redis.Redis.from_url(redis_url)) as client:
        client.set("pinstripe:inbox:evt_done", "done")
        client.set("pinstripe:inbox:evt_expired", "token 1000060.0")
        client.set("pinstripe:inbox:evt_claimed", "token 1000160.0")
        assert_entries_belong_to_the_default_inbox(Redis(client))
        inbox = Inbox(Redis(client), now=lambda: 1_000_100.0)
        assert inbox.process(make_event("evt_claimed"), lambda _: None) == "busy"


# --- PostgreSQL, in the caller's transaction --------------------------------------------------------------------------


@pytest.fixture
def store_and_conninfo(conninfo: str | None) -> tuple[PostgreSQL, str]:
    if conninfo is None:
        pytest.skip("postgresql is not installed")
    with psycopg.connect(conninfo) as connection:
        connection.execute("create table if not exists effects (event_id text)")
    return PostgreSQL(lambda: psycopg.connect(conninfo)), conninfo


def count_effects(conninfo: str, event_id: str) -> int:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("select count(*) from effects where event_id = %s", (event_id,)).fetchone()
        assert row is not None
        return int(row[0])


def test_handler_writes_commit_together_with_the_mark_of_the_event(store_and_conninfo: tuple[PostgreSQL, str]) -> None:
    store, conninfo = store_and_conninfo
    event = make_event(new_id())

    def deliver(*, fails: bool) -> str:
        with psycopg.connect(conninfo) as connection, connection.transaction():

            def handle(event: Any) -> None:  # Any: the event
                connection.execute("insert into effects values (%s)", (event.id,))
                if fails:
                    raise RuntimeError("after the write")

            return store.process_in(connection, event, handle)

    with pytest.raises(RuntimeError):
        deliver(fails=True)
    assert count_effects(conninfo, event.id) == 0
    assert [deliver(fails=False) for _ in range(3)] == ["processed", "duplicate", "duplicate"]
    assert count_effects(conninfo, event.id) == 1


def test_concurrent_transactions_take_effect_once(store_and_conninfo: tuple[PostgreSQL, str]) -> None:
    store, conninfo = store_and_conninfo
    event_ids = [new_id() for _ in range(20)]
    barrier = threading.Barrier(4)
    outcomes: list[str] = []

    def work() -> None:
        barrier.wait()
        with psycopg.connect(conninfo) as connection:
            for event_id in event_ids:
                with connection.transaction():
                    outcome = store.process_in(
                        connection,
                        make_event(event_id),
                        lambda event: connection.execute("insert into effects values (%s)", (event.id,)),
                    )
                outcomes.append(outcome)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Counter(outcomes) == {"processed": 20, "duplicate": 60}
    assert [count_effects(conninfo, event_id) for event_id in event_ids] == [1] * 20


def test_transactional_inbox_runs_handlers_in_its_transaction(store_and_conninfo: tuple[PostgreSQL, str]) -> None:
    store, conninfo = store_and_conninfo
    inbox = TransactionalInbox(store)
    event = make_event(new_id())

    async def write(event: Any) -> None:  # Any: the event
        inbox.connection.execute("insert into effects values (%s)", (event.id,))

    async def write_and_fail(event: Any) -> None:  # Any: the event
        await write(event)
        raise RuntimeError("after the write")

    async def process() -> list[str]:
        with pytest.raises(RuntimeError):
            await inbox.aprocess(event, write_and_fail)
        return [await inbox.aprocess(event, write) for _ in range(2)]

    assert asyncio.run(process()) == ["processed", "duplicate"]
    assert count_effects(conninfo, event.id) == 1
    with pytest.raises(LookupError):
        inbox.connection  # noqa: B018  # outside of a transaction
