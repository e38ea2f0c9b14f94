"""The registry of handlers: one handler per event type, sync or async."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from pinstripe import webhooks
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.webhooks import Handlers


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
