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
from pinstripe.webhooks.inbox import ClaimStore, Inbox
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
    return Inbox(make_store(), lease=60, now=clock)


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
    assert inbox.store.claim(event.id, "expired token", clock.now, inbox.lease) == "claimed"
    clock.now += 59.9
    assert inbox.process(event, lambda _: None) == "busy"
    clock.now += 0.2
    assert inbox.process(event, lambda _: None) == "processed"
    assert not inbox.store.finish(event.id, "expired token", clock.now)
    inbox.store.release(event.id, "expired token")
    assert inbox.process(event, lambda _: None) == "duplicate"


def test_events_are_removed_after_the_retention_time(inbox: Inbox, clock: Clock, make_store: MakeStore) -> None:
    if isinstance(inbox.store, Redis):
        client = inbox.store._claim.registered_client
        event = make_event(new_id())
        inbox.process(event, lambda _: None)
        assert 0 < client.ttl("pinstripe:inbox:" + event.id) <= inbox.retention
        return
    old, recent = make_event(new_id()), make_event(new_id())
    inbox.process(old, lambda _: None)
    clock.now += inbox.retention + 1
    inbox.process(recent, lambda _: None)
    assert inbox.prune() >= 1
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
    inbox = Inbox(make_store())
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
    """The model tracks the token and the expiry of each claim, and which events are done."""

    class Machine(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.store, self.now, self.prefix = make_store(), 1_000_000.0, new_id()
            self.held: dict[int, tuple[str, float]] = {}
            self.done: set[int] = set()

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"), lease=st.sampled_from([1.0, 10.0]))
        def claim(self, event: int, token: str, lease: float) -> None:
            result = self.store.claim(f"{self.prefix}_{event}", token, self.now, lease)
            if event in self.done:
                assert result == "done"
            elif event in self.held and self.held[event][1] > self.now:
                assert result == "busy"
            else:
                assert result == "claimed"
                self.held[event] = (token, self.now + lease)

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"))
        def finish(self, event: int, token: str) -> None:
            valid = event in self.held and self.held[event][0] == token
            assert self.store.finish(f"{self.prefix}_{event}", token, self.now) is valid
            if valid:
                del self.held[event]
                self.done.add(event)

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"))
        def release(self, event: int, token: str) -> None:
            self.store.release(f"{self.prefix}_{event}", token)
            if event in self.held and self.held[event][0] == token:
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


def test_inbox_rejects_storage_in_memory_and_a_lease_of_zero() -> None:
    with pytest.raises(InvalidArgumentError, match="in memory"):
        SQLite(":memory:")
    with pytest.raises(InvalidArgumentError, match="lease"):
        Inbox(object(), lease=0)  # type: ignore[arg-type]  # the store is never used


# --- the schema version of SQLite files -------------------------------------------------------------------------------


def user_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("pragma user_version").fetchone()
        return int(version)


def test_new_sqlite_file_has_the_current_schema_version(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    SQLite(path).close()
    assert user_version(path) == SCHEMA_VERSION == 1


def test_sqlite_file_without_a_schema_version_opens_and_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute(
            """create table if not exists pinstripe_inbox
            (event_id text primary key, token text not null, until double precision not null, done double precision)"""
        )
        connection.execute("insert into pinstripe_inbox values ('evt_done', 'token', 1000060.0, 1000000.0)")
        connection.execute("insert into pinstripe_inbox values ('evt_expired', 'token', 1000060.0, null)")
    inbox = Inbox(SQLite(path), now=lambda: 1_000_100.0)
    assert user_version(path) == 1
    assert inbox.process(make_event("evt_done"), lambda _: None) == "duplicate"
    assert inbox.process(make_event("evt_expired"), lambda _: None) == "processed"
    assert Inbox(SQLite(path)).process(make_event("evt_expired"), lambda _: None) == "duplicate"


def test_sqlite_file_of_a_newer_schema_version_is_rejected_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 2")
    content = path.read_bytes()
    with pytest.raises(InvalidArgumentError, match=r"schema version 2.*Upgrade pinstripe") as caught:
        SQLite(path)
    assert caught.value.param == "path"
    assert path.read_bytes() == content


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
