"""The laws of the inbox, over SQLite, PostgreSQL and Redis: nothing lost, nothing twice in effect."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pinstripe import InvalidArgumentError, webhooks
from pinstripe.webhooks.inbox import Inbox, Store
from pinstripe.webhooks.stores import PostgreSQL, Redis, SQLite, Transactions
from tests.webhooks.servers import postgresql_server, redis_server

BACKENDS = ["sqlite", "postgresql", "redis"]
Make = Callable[[], Store]


def event(identifier: str) -> Any:  # Any: an event
    found = {"id": identifier, "object": "event", "created": 1, "data": {"object": {"object": "x"}}, "livemode": False}
    return webhooks.read({**found, "pending_webhooks": 0, "type": "invoice.paid"})


def fresh() -> str:
    return f"evt_{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def conninfo() -> Iterator[str | None]:
    with postgresql_server() as found:
        yield found


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str | None]:
    with redis_server() as found:
        yield found


@pytest.fixture(scope="module", params=BACKENDS)
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Makes a store on the same data, as another process would."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("inbox") / "inbox.sqlite"
        yield lambda: SQLite(path)
        return
    found = request.getfixturevalue("conninfo" if request.param == "postgresql" else "redis_url")
    if found is None:
        pytest.skip(f"{request.param} is not on this machine")
    if request.param == "postgresql":
        yield lambda: PostgreSQL(lambda: psycopg.connect(found))
        return
    clients: list[redis.Redis] = []

    def redis_store() -> Store:
        clients.append(redis.Redis.from_url(found))
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
def inbox(make: Make, clock: Clock) -> Inbox:
    return Inbox(make(), lease=60, now=clock)


def test_a_second_delivery_of_a_processed_event_runs_nothing(inbox: Inbox) -> None:
    ran: list[str] = []
    one = event(fresh())
    assert [inbox.process(one, lambda found: ran.append(found.id)) for _ in range(3)] == [
        "processed",
        "duplicate",
        "duplicate",
    ]
    assert ran == [one.id]


def test_a_failed_handler_is_free_to_run_again(inbox: Inbox) -> None:
    one = event(fresh())

    def fail(_: object) -> None:
        raise RuntimeError("no")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            inbox.process(one, fail)
    assert inbox.process(one, lambda _: None) == "processed"


def test_a_delivery_during_another_is_busy(inbox: Inbox) -> None:
    one = event(fresh())
    seen: list[str] = []
    assert inbox.process(one, lambda found: seen.append(inbox.process(found, lambda _: None))) == "processed"
    assert seen == ["busy"]


def test_a_process_that_died_gives_the_event_up_after_its_lease(inbox: Inbox, clock: Clock) -> None:
    one = event(fresh())
    assert inbox.store.claim(one.id, "the dead", clock.now, inbox.lease) == "claimed"
    clock.now += 59.9
    assert inbox.process(one, lambda _: None) == "busy"
    clock.now += 0.2
    assert inbox.process(one, lambda _: None) == "processed"
    assert not inbox.store.finish(one.id, "the dead", clock.now)
    inbox.store.release(one.id, "the dead")
    assert inbox.process(one, lambda _: None) == "duplicate"


def test_old_events_are_forgotten_and_young_ones_are_not(inbox: Inbox, clock: Clock, make: Make) -> None:
    if isinstance(inbox.store, Redis):
        client = inbox.store._claim.registered_client
        one = event(fresh())
        inbox.process(one, lambda _: None)
        assert 0 < client.ttl("pinstripe:inbox:" + one.id) <= inbox.keep
        return
    old, young = event(fresh()), event(fresh())
    inbox.process(old, lambda _: None)
    clock.now += inbox.keep + 1
    inbox.process(young, lambda _: None)
    assert inbox.prune() >= 1
    assert inbox.process(old, lambda _: None) == "processed"
    assert inbox.process(young, lambda _: None) == "duplicate"


def test_awaiting_obeys_the_same_laws(inbox: Inbox) -> None:
    one, ran = event(fresh()), []

    async def handle(found: Any) -> None:  # Any: the event
        ran.append(found.id)
        assert await inbox.aprocess(found, handle) == "busy"

    async def fail(_: Any) -> None:  # Any: the event
        raise RuntimeError("no")

    async def story() -> list[str]:
        with pytest.raises(RuntimeError):
            await inbox.aprocess(one, fail)
        return [await inbox.aprocess(one, handle) for _ in range(2)]

    assert asyncio.run(story()) == ["processed", "duplicate"]
    assert ran == [one.id]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(2, 8))
def test_however_deliveries_come_together_each_event_runs_once(make: Make, deliveries: list[int], threads: int) -> None:
    salt, effects, lock = fresh(), Counter[str](), threading.Lock()
    inbox = Inbox(make())
    waiting = [f"{salt}_{number}" for number in deliveries] * 2
    barrier = threading.Barrier(threads)

    def handle(found: Any) -> None:  # Any: the event
        with lock:
            effects[found.id] += 1

    def work() -> None:
        barrier.wait()
        while True:
            with lock:
                if not waiting:
                    break
                identifier = waiting.pop()
            inbox.process(event(identifier), handle)
        if isinstance(inbox.store, SQLite):
            inbox.store.close()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert effects == {f"{salt}_{number}": 1 for number in set(deliveries)}


def test_any_order_of_claims_crashes_failures_and_time_keeps_the_laws(make: Make) -> None:
    """A model of what may happen, against the store: who holds an event, until when, and whether it is done."""

    class Machine(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.store, self.now, self.salt = make(), 1_000_000.0, fresh()
            self.held: dict[int, tuple[str, float]] = {}
            self.done: set[int] = set()

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"), lease=st.sampled_from([1.0, 10.0]))
        def claim(self, event: int, token: str, lease: float) -> None:
            found = self.store.claim(f"{self.salt}_{event}", token, self.now, lease)
            if event in self.done:
                assert found == "done"
            elif event in self.held and self.held[event][1] > self.now:
                assert found == "busy"
            else:
                assert found == "claimed"
                self.held[event] = (token, self.now + lease)

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"))
        def finish(self, event: int, token: str) -> None:
            ours = event in self.held and self.held[event][0] == token
            assert self.store.finish(f"{self.salt}_{event}", token, self.now) is ours
            if ours:
                del self.held[event]
                self.done.add(event)

        @rule(event=st.integers(0, 2), token=st.sampled_from("abc"))
        def release(self, event: int, token: str) -> None:
            self.store.release(f"{self.salt}_{event}", token)
            if event in self.held and self.held[event][0] == token:
                del self.held[event]

        @rule(seconds=st.sampled_from([0.5, 1.0, 10.0]))
        def later(self, seconds: float) -> None:
            self.now += seconds

        @invariant()
        def nothing_is_both(self) -> None:
            assert not set(self.held) & self.done

    run_state_machine_as_test(Machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))


def test_two_stores_may_begin_at_the_same_moment(make: Make) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            store = make()
            if isinstance(store, SQLite):
                store.close()
        except BaseException as error:
            failed.append(error)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []


def work_and_die(path: str, identifiers: list[str], log: str, die_at: int) -> None:
    """A process that handles events, and is killed in the middle of one."""
    inbox = Inbox(SQLite(path), lease=1.0, now=lambda: 1_000_000.0)
    for count, identifier in enumerate(identifiers):

        def handle(found: Any, count: int = count) -> None:  # Any: the event
            if count == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            with open(log, "a") as file:
                file.write(found.id + "\n")

        inbox.process(event(identifier), handle)


@pytest.mark.parametrize("die_at", [0, 7, 19])
def test_after_a_kill_another_process_finishes_what_was_left(die_at: int, tmp_path: Path) -> None:
    path, log = str(tmp_path / "inbox.sqlite"), str(tmp_path / "log")
    identifiers = [fresh() for _ in range(20)]
    SQLite(path).close()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=work_and_die, args=(path, identifiers, log, die_at))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    handled = Path(log).read_text().split() if Path(log).exists() else []
    assert handled == identifiers[:die_at]
    inbox = Inbox(SQLite(path), lease=1.0, now=lambda: 1_000_002.0)
    for identifier in identifiers:
        inbox.process(event(identifier), lambda found: handled.append(found.id))
    assert handled == identifiers


def test_an_inbox_that_would_forget_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="in memory"):
        SQLite(":memory:")
    with pytest.raises(InvalidArgumentError, match="lease"):
        Inbox(object(), lease=0)  # type: ignore[arg-type]  # never used


# --- PostgreSQL, in the caller's own transaction ----------------------------------------------------------------------


@pytest.fixture
def joined(conninfo: str | None) -> tuple[PostgreSQL, str]:
    if conninfo is None:
        pytest.skip("postgresql is not on this machine")
    with psycopg.connect(conninfo) as connection:
        connection.execute("create table if not exists effects (event_id text)")
    return PostgreSQL(lambda: psycopg.connect(conninfo)), conninfo


def effects_of(conninfo: str, identifier: str) -> int:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("select count(*) from effects where event_id = %s", (identifier,)).fetchone()
        assert row is not None
        return int(row[0])


def test_the_writes_of_a_handler_and_the_mark_of_its_event_commit_together(joined: tuple[PostgreSQL, str]) -> None:
    store, conninfo = joined
    one = event(fresh())

    def deliver(*, fails: bool) -> str:
        with psycopg.connect(conninfo) as connection, connection.transaction():

            def handle(found: Any) -> None:  # Any: the event
                connection.execute("insert into effects values (%s)", (found.id,))
                if fails:
                    raise RuntimeError("after the write")

            return store.process_in(connection, one, handle)

    with pytest.raises(RuntimeError):
        deliver(fails=True)
    assert effects_of(conninfo, one.id) == 0
    assert [deliver(fails=False) for _ in range(3)] == ["processed", "duplicate", "duplicate"]
    assert effects_of(conninfo, one.id) == 1


def test_two_transactions_at_the_same_moment_take_effect_once(joined: tuple[PostgreSQL, str]) -> None:
    store, conninfo = joined
    identifiers = [fresh() for _ in range(20)]
    barrier = threading.Barrier(4)
    outcomes: list[str] = []

    def work() -> None:
        barrier.wait()
        with psycopg.connect(conninfo) as connection:
            for identifier in identifiers:
                with connection.transaction():
                    found = store.process_in(
                        connection,
                        event(identifier),
                        lambda found: connection.execute("insert into effects values (%s)", (found.id,)),
                    )
                outcomes.append(found)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Counter(outcomes) == {"processed": 20, "duplicate": 60}
    assert [effects_of(conninfo, identifier) for identifier in identifiers] == [1] * 20


def test_handlers_write_in_the_transaction_that_marks_their_event(joined: tuple[PostgreSQL, str]) -> None:
    store, conninfo = joined
    inbox = Transactions(store)
    one = event(fresh())

    async def write(found: Any) -> None:  # Any: the event
        inbox.connection.execute("insert into effects values (%s)", (found.id,))

    async def write_and_fail(found: Any) -> None:  # Any: the event
        await write(found)
        raise RuntimeError("after the write")

    async def story() -> list[str]:
        with pytest.raises(RuntimeError):
            await inbox.aprocess(one, write_and_fail)
        return [await inbox.aprocess(one, write) for _ in range(2)]

    assert asyncio.run(story()) == ["processed", "duplicate"]
    assert effects_of(conninfo, one.id) == 1
    with pytest.raises(LookupError):
        inbox.connection  # noqa: B018  # there is no transaction here
