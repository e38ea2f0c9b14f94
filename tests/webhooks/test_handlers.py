"""The registry of handlers: by event type or prefix, in order, sync or async, with hooks."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar, Token
from typing import Any

import pytest

from pinstripe import webhooks
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.webhooks import Handlers
from pinstripe.webhooks.handlers import HandlerRun


def make_event(event_type: str) -> Any:  # Any: the class depends on the type
    data = {"id": "evt_1", "object": "event", "created": 1, "data": {"object": {"object": "x"}}, "livemode": False}
    return webhooks.read({**data, "pending_webhooks": 0, "type": event_type})


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def handlers(calls: list[str]) -> Handlers:
    handlers = Handlers()

    @handlers.on("invoice.paid")
    def paid(event: Any) -> None:  # Any: the event
        calls.append(f"sync {event.type} {threading.current_thread() is threading.main_thread()}")

    @handlers.on("customer.created", "customer.updated")
    async def changed(event: Any) -> None:  # Any: the event
        await asyncio.sleep(0)
        calls.append(f"async {event.type}")

    return handlers


def test_dispatch_calls_the_handler_of_the_event_type(handlers: Handlers, calls: list[str]) -> None:
    for event_type in ("invoice.paid", "customer.created", "customer.updated"):
        assert handlers.dispatch(make_event(event_type))
    assert calls == ["sync invoice.paid True", "async customer.created", "async customer.updated"]


def test_adispatch_runs_sync_handlers_in_a_thread(handlers: Handlers, calls: list[str]) -> None:
    async def dispatch_both() -> None:
        assert await handlers.adispatch(make_event("invoice.paid"))
        assert await handlers.adispatch(make_event("customer.created"))

    asyncio.run(dispatch_both())
    assert calls == ["sync invoice.paid False", "async customer.created"]


def test_unhandled_events_are_counted(handlers: Handlers, calls: list[str]) -> None:
    assert not handlers.dispatch(make_event("invoice.sent"))
    assert not asyncio.run(handlers.adispatch(make_event("invoice.sent")))
    assert handlers.unhandled == {"invoice.sent": 2}
    assert calls == []


def test_otherwise_handles_all_other_events(handlers: Handlers, calls: list[str]) -> None:
    @handlers.otherwise
    def other(event: Any) -> None:  # Any: the event
        calls.append(f"otherwise {event.type}")

    handlers.dispatch(make_event("invoice.sent"))
    handlers.dispatch(make_event("brand.new.type"))
    handlers.dispatch(make_event("invoice.paid"))
    assert calls[:2] == ["otherwise invoice.sent", "otherwise brand.new.type"]
    assert calls[2].startswith("sync")
    assert not handlers.unhandled


@pytest.mark.parametrize(
    ("event_type", "message"),
    [("invoice.payd", "did you mean 'invoice.paid'"), ("", "Unknown event type"), (None, "Unknown event type")],
)
def test_unknown_event_type_is_a_value_error_at_import(event_type: Any, message: str) -> None:  # Any: also None
    with pytest.raises(ValueError, match=message):
        Handlers().on(event_type)
    with pytest.raises(ValueError, match=message):
        Handlers().on("invoice.paid", event_type)


def test_registering_needs_an_event_type(handlers: Handlers) -> None:
    with pytest.raises(ValueError, match="needs an event type"):
        handlers.on()  # type: ignore[call-overload]  # mypy rejects it, too
    with pytest.raises(ValueError, match="needs a type"):
        handlers.on_any()


def test_all_event_types_can_be_handled() -> None:
    handlers = Handlers()
    on: Any = handlers.on  # Any: its overloads take literal types only
    for event_type in [*EVENT_TYPES, *THIN_EVENT_TYPES]:
        on(event_type)(lambda event: None)
    assert all(handlers.dispatch(make_event(event_type)) for event_type in EVENT_TYPES)


def test_exceptions_of_handlers_propagate(handlers: Handlers) -> None:
    @handlers.on("invoice.voided")
    async def failing(event: Any) -> None:  # Any: the event
        raise RuntimeError("failed")

    with pytest.raises(RuntimeError):
        handlers.dispatch(make_event("invoice.voided"))
    with pytest.raises(RuntimeError):
        asyncio.run(handlers.adispatch(make_event("invoice.voided")))


# --- several handlers of a type, and prefixes -------------------------------------------------------------------------


def test_handlers_of_a_type_run_in_the_order_of_their_registration(calls: list[str]) -> None:
    handlers = Handlers()

    def register(name: str, decorator: Any) -> None:  # Any: its class depends on the type
        def handler(event: Any) -> None:  # Any: the event
            calls.append(name)

        async def ahandler(event: Any) -> None:  # Any: the event
            calls.append(f"async {name}")

        decorator(handler)
        decorator(ahandler)

    register("all", handlers.on_any("*"))
    register("type", handlers.on("invoice.paid"))
    register("prefix", handlers.on_any("customer.*", "invoice.*"))
    register("exact", handlers.on_any("invoice.paid"))
    register("others", handlers.on_any("invoiceitem.*", "invoice.paid.later", "invoice"))
    in_order = [f"{prefix}{name}" for name in ("all", "type", "prefix", "exact") for prefix in ("", "async ")]
    assert handlers.dispatch(make_event("invoice.paid"))
    assert calls == in_order
    assert asyncio.run(handlers.adispatch(make_event("invoice.paid")))
    assert calls == in_order * 2


def test_handler_that_raises_stops_the_next_ones(calls: list[str]) -> None:
    handlers = Handlers()

    @handlers.on("invoice.paid")
    def failing(event: Any) -> None:  # Any: the event
        raise RuntimeError("failed")

    handlers.on("invoice.paid")(lambda event: calls.append("next"))
    with pytest.raises(RuntimeError):
        handlers.dispatch(make_event("invoice.paid"))
    with pytest.raises(RuntimeError):
        asyncio.run(handlers.adispatch(make_event("invoice.paid")))
    assert calls == []


def test_handler_that_is_registered_twice_runs_once(calls: list[str]) -> None:
    handlers = Handlers()

    def handler(event: Any) -> None:  # Any: the event
        calls.append(event.type)

    handlers.on("invoice.paid", "invoice.sent")(handler)
    handlers.on_any("invoice.*")(handler)
    handlers.dispatch(make_event("invoice.paid"))
    assert calls == ["invoice.paid"]


def test_on_any_takes_types_that_are_newer_than_the_package(calls: list[str]) -> None:
    handlers = Handlers()
    with pytest.raises(ValueError, match=r"Unknown event type 'v9.account.teleported'.*on_any"):
        handlers.on("v9.account.teleported")
    handlers.on_any("v9.account.teleported")(lambda event: calls.append(event.type))
    handlers.dispatch(make_event("v9.account.teleported"))
    assert calls == ["v9.account.teleported"]


@pytest.mark.parametrize("pattern", ["", "invoice*", "*.paid", "in*.paid", ".*", "**", " invoice.*", None, 1])
def test_on_any_refuses_other_patterns(pattern: Any) -> None:  # Any: invalid patterns
    with pytest.raises(ValueError, match="prefix such as"):
        Handlers().on_any("invoice.paid", pattern)


def test_registered_types_are_those_to_enable() -> None:
    handlers = Handlers()
    assert list(handlers.registered_types) == []
    handlers.otherwise(print)
    handlers.on("invoice.paid", "customer.created")(print)
    handlers.on_any("v9.account.teleported", "payout.*")(print)
    payouts = sorted(name for name in EVENT_TYPES if name.startswith("payout."))
    assert len(payouts) > 3
    assert handlers.registered_types == ("customer.created", "invoice.paid", *payouts, "v9.account.teleported")
    handlers.on_any("*")(print)
    assert handlers.registered_types[0] == "*"


@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_sync_handler_returns_is_awaited(calls: list[str], *, is_async: bool) -> None:
    """A decorator may return a sync function around an async one."""
    handlers = Handlers()

    async def handler(event: Any) -> None:  # Any: the event
        await asyncio.sleep(0)
        calls.append(event.type)

    handlers.on("invoice.paid")(lambda event: handler(event))
    event = make_event("invoice.paid")
    assert asyncio.run(handlers.adispatch(event)) if is_async else handlers.dispatch(event)
    assert calls == ["invoice.paid"]


# --- hooks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
def test_hooks_run_around_each_handler(calls: list[str], *, is_async: bool) -> None:
    handlers, current = Handlers(), ContextVar("current", default="nothing")
    runs: dict[HandlerRun, Token[str]] = {}

    @handlers.before
    def before(run: HandlerRun) -> None:
        runs[run] = current.set(run.handler.rpartition(".")[2])

    @handlers.after
    def after(run: HandlerRun) -> None:
        calls.append(f"{run.event.type} {current.get()} {run.error!r}")
        current.reset(runs.pop(run))  # an error if this is another context than that of before()

    @handlers.on("invoice.paid")
    def first(event: Any) -> None:  # Any: the event
        calls.append(f"in {current.get()}")

    @handlers.on("invoice.paid")
    async def second(event: Any) -> None:  # Any: the event
        calls.append(f"in {current.get()}")
        raise RuntimeError("failed")

    event = make_event("invoice.paid")
    with pytest.raises(RuntimeError):
        asyncio.run(handlers.adispatch(event)) if is_async else handlers.dispatch(event)
    failed = "invoice.paid second RuntimeError('failed')"
    assert calls == ["in first", "invoice.paid first None", "in second", failed]
    assert runs == {}


def test_hook_that_raises_before_a_handler_prevents_it_and_one_after_it_is_logged(
    calls: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    handlers = Handlers()
    handlers.on("invoice.paid")(lambda event: calls.append("handled"))

    @handlers.after
    def after(run: HandlerRun) -> None:
        raise RuntimeError("after")

    handlers.dispatch(make_event("invoice.paid"))
    assert [record.message.rpartition(".")[2] for record in caplog.records] == ["after failed"]

    @handlers.before
    def before(run: HandlerRun) -> None:
        raise RuntimeError("before")

    with pytest.raises(RuntimeError, match="before"):
        handlers.dispatch(make_event("invoice.paid"))
    assert calls == ["handled"]
