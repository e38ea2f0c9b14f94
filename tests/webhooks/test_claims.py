"""Faults while handlers run: cancellation, slow handlers, lost claims, full disks and several processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pinstripe import InvalidArgumentError
from pinstripe.events import InvoicePaidEvent
from pinstripe.integrations.asgi import WebhookApp, webhook_app
from pinstripe.testing import SECRET, SignedRequest, deliver, signed_request
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.inbox import ClaimLostError, EntryKey, Inbox, current_claim
from pinstripe.webhooks.receiver import Receiver
from pinstripe.webhooks.stores import SQLite
from tests.torture_scale import scale
from tests.webhooks.opening import open_and_process
from tests.webhooks.test_inbox import Clock, make_event

TIMEOUT = 30.0
"""Seconds after which a test that waits for a thread fails."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(clock: Clock) -> Inbox:
    return Inbox(SQLite(":memory:"), now=clock)


async def post(app: WebhookApp, request: SignedRequest) -> int:
    """Deliver a request to an ASGI application, in the current task; return the status."""
    statuses: list[int] = []

    async def receive() -> Any:  # Any: an ASGI message
        return {"type": "http.request", "body": request.payload}

    async def send(message: Any) -> None:  # Any: an ASGI message
        statuses.extend([message["status"]] if "status" in message else [])

    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    await app({"type": "http", "method": "POST", "headers": headers}, receive, send)
    return statuses[0]


# --- two endpoints ----------------------------------------------------------------------------------------------------


def recording(calls: list[str], name: str) -> Handlers:
    handlers = Handlers()

    @handlers.on("invoice.paid")
    def paid(event: InvoicePaidEvent) -> None:
        calls.append(f"{name} {event.id}")

    return handlers


def test_two_endpoints_on_one_store_both_run_each_event(tmp_path: Path) -> None:
    calls: list[str] = []
    store = SQLite(tmp_path / "inbox.sqlite")
    billing = webhook_app(recording(calls, "billing"), SECRET, inbox=Inbox(store, name="billing"))
    mail = webhook_app(recording(calls, "mail"), SECRET, inbox=Inbox(store, name="mail"))
    request = signed_request("invoice.paid", id="evt_1")
    for app in (billing, mail, billing, mail):
        assert deliver(request, app).status_code == 200
    assert calls == ["billing evt_1", "mail evt_1"]


def test_two_inboxes_of_one_store_and_name_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SQLite("inbox.sqlite")
    first = Inbox(store)
    for same in (store, SQLite(tmp_path / "inbox.sqlite")):
        with pytest.raises(InvalidArgumentError, match=r"already has an inbox 'default'.*name=") as caught:
            Inbox(same)
        assert caught.value.param == "name"
    others = Inbox(store, name="mail"), Inbox(SQLite("other.sqlite")), Inbox(SQLite(":memory:"))
    assert [other.name for other in others] == ["mail", "default", "default"]
    del first
    assert Inbox(store).name == "default"


def test_one_inbox_with_two_sets_of_handlers_is_an_error(inbox: Inbox) -> None:
    handlers, others = recording([], "a"), recording([], "b")
    Receiver(handlers, SECRET, inbox=inbox)
    Receiver(handlers, SECRET, inbox=inbox)
    with pytest.raises(InvalidArgumentError, match=r"other handlers already.*name="):
        webhook_app(others, SECRET, inbox=inbox)


@pytest.mark.parametrize("name", ["", None, 1])
def test_the_name_of_an_inbox_is_text(name: Any) -> None:  # Any: invalid names
    with pytest.raises(InvalidArgumentError, match="name"):
        Inbox(SQLite(":memory:"), name=name)


# --- cancellation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(scale(1000)))
def test_canceled_delivery_keeps_its_claim_until_the_thread_of_its_handler_ends(inbox: Inbox, number: int) -> None:
    """The claim of the second delivery is busy while the first one works, and a duplicate afterwards."""
    running, may_end, effects = threading.Event(), threading.Event(), []
    handlers = Handlers()

    @handlers.on("invoice.paid")
    def paid(event: InvoicePaidEvent) -> None:
        running.set()
        assert may_end.wait(TIMEOUT)
        effects.append(event.id)

    app, request = webhook_app(handlers, SECRET, inbox=inbox), signed_request("invoice.paid", id=f"evt_{number}")

    async def scenario() -> list[int]:
        task = asyncio.create_task(post(app, request))
        await asyncio.to_thread(running.wait, TIMEOUT)
        for _ in range(3):  # as a server does that loses its patience
            task.cancel()
            await asyncio.sleep(0)
        statuses = [await post(app, request)]
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [*statuses, await post(app, request), await post(app, request)]

    assert asyncio.run(scenario()) == [409, 200, 200]
    assert effects == [f"evt_{number}"]


def test_canceled_async_handler_stops_and_releases_its_claim(inbox: Inbox) -> None:
    handlers, started, calls = Handlers(), asyncio.Event(), []

    @handlers.on("invoice.paid")
    async def paid(event: InvoicePaidEvent) -> None:
        calls.append(event.id)
        started.set()
        if len(calls) == 1:
            await asyncio.Event().wait()

    app, request = webhook_app(handlers, SECRET, inbox=inbox), signed_request("invoice.paid", id="evt_1")

    async def scenario() -> int:
        task = asyncio.create_task(post(app, request))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await post(app, request)

    assert asyncio.run(scenario()) == 200
    assert calls == ["evt_1", "evt_1"]


# --- slow handlers ----------------------------------------------------------------------------------------------------


def test_slow_handler_keeps_its_claim_as_it_is_renewed(inbox: Inbox, clock: Clock) -> None:
    outcomes: list[str] = []

    def slow(event: Any) -> None:  # Any: the event
        for _ in range(10):
            clock.now += inbox.lease / 2
            inbox._heartbeat.beat()
            outcomes.append(inbox.process(event, lambda _: None))
        current_claim().check()

    assert inbox.process(make_event("evt_1"), slow) == "processed"
    assert outcomes == ["busy"] * 10


def test_claims_are_renewed_in_the_background_while_a_handler_runs() -> None:
    renewed = threading.Event()

    class Store(SQLite):
        def renew(self, key: EntryKey, token: str, until: float) -> bool:
            renewed.set()
            return super().renew(key, token, until)

    inbox = Inbox(Store(":memory:"), lease=0.01)
    for number in range(3):
        assert inbox.process(make_event(f"evt_{number}"), lambda _: renewed.wait(TIMEOUT)) == "processed"
        assert renewed.is_set()
        renewed.clear()


@pytest.mark.parametrize("is_async", [False, True])
def test_lost_claim_is_logged_and_is_not_marked_as_processed(
    inbox: Inbox, clock: Clock, caplog: pytest.LogCaptureFixture, *, is_async: bool
) -> None:
    """The machine of the first delivery stops for longer than the lease, and a second delivery takes over."""
    event, other = make_event("evt_1"), Inbox(inbox.store, now=clock, name="other")
    other.name = inbox.name  # stands for another process
    outcomes: list[str] = []

    def take_over(_: Any) -> None:  # Any: the event
        claim = current_claim()
        clock.now += inbox.lease + 1
        outcomes.append(other.process(event, lambda _: None))
        assert not claim.lost
        inbox._heartbeat.beat()
        assert claim.lost

    async def atake_over(event: Any) -> None:  # Any: the event
        take_over(event)

    outcome = asyncio.run(inbox.aprocess(event, atake_over)) if is_async else inbox.process(event, take_over)
    assert (outcomes, outcome) == (["processed"], "busy")
    assert [record.message for record in caplog.records] == [
        "lost the claim of evt_1 in inbox 'default': another delivery handles the event, too"
    ]
    assert inbox.process(event, take_over) == "duplicate"


def test_handler_with_a_lost_claim_rolls_its_transaction_back(inbox: Inbox, clock: Clock) -> None:
    other = Inbox(inbox.store, now=clock, name="other")
    other.name = inbox.name  # stands for another process
    handlers, later = Handlers(), []
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("create table effects (event_id text)")

        @handlers.on("invoice.paid")
        def paid(event: InvoicePaidEvent) -> None:
            with database:
                database.execute("insert into effects values (?)", (event.id,))
                clock.now += inbox.lease + 1
                other.store.claim(EntryKey(other.name, event.id), "another delivery", clock.now, 60)
                current_claim().check()

        handlers.on("invoice.paid")(lambda event: later.append(event.id))
        request = signed_request("invoice.paid")
        response = Receiver(handlers, SECRET, inbox=inbox).receive(request.payload, request.headers["Stripe-Signature"])
        assert response.status == 409
        assert database.execute("select count(*) from effects").fetchone() == (0,)
    assert later == []


def test_renewal_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    class Store(SQLite):
        fails = True

        def renew(self, key: EntryKey, token: str, until: float) -> bool:
            if self.fails:
                raise sqlite3.OperationalError("disk I/O error")
            return super().renew(key, token, until)

    store = Store(":memory:")
    inbox = Inbox(store)

    def handle(_: Any) -> None:  # Any: the event
        inbox._heartbeat.beat()
        assert not current_claim().lost
        store.fails = False
        inbox._heartbeat.beat()
        current_claim().check()

    assert inbox.process(make_event("evt_1"), handle) == "processed"
    assert [record.message for record in caplog.records] == ["could not renew the claim of evt_1 in inbox 'default'"]


def test_there_is_no_claim_outside_of_an_inbox() -> None:
    with pytest.raises(LookupError):
        current_claim()


def test_lost_claim_is_an_error_of_pinstripe() -> None:
    import pinstripe

    assert issubclass(ClaimLostError, pinstripe.StripeError)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def test_eight_processes_open_a_new_file_at_once(tmp_path: Path) -> None:
    files = scale(2000)
    context = multiprocessing.get_context("spawn")
    start, outcomes = context.Barrier(8), context.Queue()
    arguments = (str(tmp_path), files, start, outcomes)
    processes = [context.Process(target=open_and_process, args=arguments) for _ in range(8)]
    for process in processes:
        process.start()
    results = [outcomes.get(timeout=2 * TIMEOUT) for _ in range(8 * files)]
    for process in processes:
        process.join(TIMEOUT)
    assert {outcome for _, outcome in results} <= {"processed", "duplicate", "busy"}
    assert sorted(number for number, outcome in results if outcome == "processed") == list(range(files))


def test_relative_path_does_not_follow_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "first")
    inbox = Inbox(SQLite("inbox.sqlite"))
    assert inbox.process(make_event("evt_1"), lambda _: None) == "processed"
    monkeypatch.chdir(tmp_path / "second")
    outcomes: list[str] = []
    thread = threading.Thread(target=lambda: outcomes.append(inbox.process(make_event("evt_1"), lambda _: None)))
    thread.start()
    thread.join()
    assert outcomes == ["duplicate"]
    assert os.listdir(tmp_path / "second") == []


def test_store_in_memory_is_shared_by_threads_and_ends_with_the_store() -> None:
    inbox = Inbox(SQLite(":memory:"))
    outcomes: list[str] = []

    def work() -> None:
        outcomes.append(inbox.process(make_event("evt_1"), lambda _: None))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("processed") == 1
    assert Inbox(SQLite(":memory:")).process(make_event("evt_1"), lambda _: None) == "processed"


def limit_pages(store: SQLite, pages: int | None = None) -> None:
    """Let SQLite report a full disk when the file needs more pages than these; by default, than it has."""
    with store._cursor() as cursor:
        (count,) = cursor.execute("pragma page_count").fetchone()
        cursor.execute(f"pragma max_page_count = {pages or count}")


@pytest.mark.parametrize("fails_at", ["claim", "finish"])
def test_full_disk_is_a_500_that_is_logged_and_loses_nothing(
    fails_at: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SQLite(tmp_path / "inbox.sqlite")
    handlers, calls = Handlers(), []
    request = signed_request("invoice.paid", id="evt_" + "x" * 10_000)  # larger than a page of the file

    @handlers.on("invoice.paid")
    def paid(event: InvoicePaidEvent) -> None:
        calls.append(event.id)
        if fails_at == "finish" and len(calls) == 1:
            limit_pages(store)

    if fails_at == "claim":
        limit_pages(store)
    receiver = Receiver(handlers, SECRET, inbox=Inbox(store))

    def receive() -> int:
        return receiver.receive(request.payload, request.headers["Stripe-Signature"]).status

    assert receive() == 500
    assert any("full" in str(record.exc_info) for record in caplog.records)
    limit_pages(store, 2**30)
    assert [receive(), receive()] == [200, 200]
    assert len(calls) == (1 if fails_at == "claim" else 2)


# --- several handlers of one event ------------------------------------------------------------------------------------


def test_redelivery_runs_only_the_handlers_that_have_not_finished(inbox: Inbox) -> None:
    handlers, calls = Handlers(), []

    @handlers.on("invoice.paid")
    def first(event: InvoicePaidEvent) -> None:
        calls.append("first")

    @handlers.on("invoice.paid")
    async def second(event: InvoicePaidEvent) -> None:
        calls.append("second")
        if calls.count("second") < 3:
            raise RuntimeError("failed")

    @handlers.on_any("invoice.*")
    def third(event: Any) -> None:  # Any: the event
        calls.append("third")

    app, request = webhook_app(handlers, SECRET, inbox=inbox), signed_request("invoice.paid")
    receiver = Receiver(handlers, SECRET, inbox=inbox)
    signature = request.headers["Stripe-Signature"]
    statuses = [deliver(request, app).status_code, receiver.receive(request.payload, signature).status]
    statuses += [deliver(request, app).status_code for _ in range(2)]
    assert statuses == [500, 500, 200, 200]
    assert calls == ["first", "second", "second", "second", "third"]


def test_handlers_of_the_same_name_are_marked_each(inbox: Inbox) -> None:
    handlers, calls = Handlers(), []

    def make(name: str) -> Callable[[Any], None]:  # Any: the event
        def handler(event: Any) -> None:  # Any: the event
            calls.append(name)
            if name == "b" and calls.count("b") == 1:
                raise RuntimeError("failed")

        return handler

    for name in "abc":
        handlers.on("invoice.paid")(make(name))
    event = make_event("evt_1")
    with pytest.raises(RuntimeError):
        inbox.process(event, handlers.dispatch)
    assert inbox.process(event, handlers.dispatch) == "processed"
    assert calls == ["a", "b", "b", "c"]


def test_marks_of_handlers_belong_to_one_event(inbox: Inbox) -> None:
    handlers, calls = Handlers(), []

    @handlers.on("invoice.paid")
    def paid(event: InvoicePaidEvent) -> None:
        calls.append(event.id)
        if event.id == "evt_outer":
            handlers.dispatch(make_event("evt_inner"))  # without an inbox

    for _ in range(2):
        inbox.process(make_event("evt_outer"), handlers.dispatch)
    assert calls == ["evt_outer", "evt_inner"]
