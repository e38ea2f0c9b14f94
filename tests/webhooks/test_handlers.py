"""Handlers: one for each type, sync and async, and nothing unknown."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from pinstripe import webhooks
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.webhooks import Handlers


def event(event_type: str, identifier: str = "evt_1") -> Any:  # Any: an event
    found = {"id": identifier, "object": "event", "created": 1, "data": {"object": {"object": "x"}}, "livemode": False}
    return webhooks.read({**found, "pending_webhooks": 0, "type": event_type})


@pytest.fixture
def ran() -> list[str]:
    return []


@pytest.fixture
def handlers(ran: list[str]) -> Handlers:
    made = Handlers()

    @made.on("invoice.paid")
    def paid(event: Any) -> None:  # Any: the event
        ran.append(f"sync {event.type} {threading.current_thread() is threading.main_thread()}")

    @made.on("customer.created", "customer.updated")
    async def changed(event: Any) -> None:  # Any: as above
        await asyncio.sleep(0)
        ran.append(f"async {event.type}")

    return made


def test_an_event_goes_to_its_handler_sync(handlers: Handlers, ran: list[str]) -> None:
    assert [handlers.dispatch(event(kind)) for kind in ("invoice.paid", "customer.created", "customer.updated")] == [
        True
    ] * 3
    assert ran == ["sync invoice.paid True", "async customer.created", "async customer.updated"]


def test_an_event_goes_to_its_handler_awaited_and_sync_ones_block_nothing(handlers: Handlers, ran: list[str]) -> None:
    async def story() -> None:
        assert await handlers.adispatch(event("invoice.paid"))
        assert await handlers.adispatch(event("customer.created"))

    asyncio.run(story())
    assert ran == ["sync invoice.paid False", "async customer.created"]


def test_what_nobody_handles_is_counted(handlers: Handlers, ran: list[str]) -> None:
    assert not handlers.dispatch(event("invoice.sent"))
    assert not asyncio.run(handlers.adispatch(event("invoice.sent")))
    assert handlers.unhandled == {"invoice.sent": 2}
    assert ran == []


def test_one_handler_takes_everything_else(handlers: Handlers, ran: list[str]) -> None:
    @handlers.otherwise
    def rest(event: Any) -> None:  # Any: the event
        ran.append(f"rest {event.type}")

    handlers.dispatch(event("invoice.sent"))
    handlers.dispatch(event("brand.new.type"))
    handlers.dispatch(event("invoice.paid"))
    assert ran[:2] == ["rest invoice.sent", "rest brand.new.type"]
    assert ran[2].startswith("sync")
    assert not handlers.unhandled


@pytest.mark.parametrize(
    ("wrong", "said"), [("invoice.payd", "did you mean 'invoice.paid'"), ("", "no event type"), (None, "no event type")]
)
def test_a_type_that_does_not_exist_is_a_value_error_at_import(wrong: Any, said: str) -> None:  # Any: mistakes
    with pytest.raises(ValueError, match=said):
        Handlers().on(wrong)
    with pytest.raises(ValueError, match=said):
        Handlers().on("invoice.paid", wrong)


def test_a_type_has_one_handler(handlers: Handlers) -> None:
    with pytest.raises(ValueError, match="has a handler already"):
        handlers.on("invoice.paid")
    with pytest.raises(ValueError, match="needs an event type"):
        handlers.on()  # type: ignore[call-overload]  # the mistake


def test_every_type_can_be_handled() -> None:
    handlers = Handlers()
    on: Any = handlers.on  # Any: any text
    for event_type in [*EVENT_TYPES, *THIN_EVENT_TYPES]:
        on(event_type)(lambda event: None)
    assert all(handlers.dispatch(event(event_type)) for event_type in EVENT_TYPES)


def test_a_failure_is_raised(handlers: Handlers) -> None:
    @handlers.on("invoice.voided")
    async def failing(event: Any) -> None:  # Any: the event
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        handlers.dispatch(event("invoice.voided"))
    with pytest.raises(RuntimeError):
        asyncio.run(handlers.adispatch(event("invoice.voided")))
