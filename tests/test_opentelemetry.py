"""Traces with OpenTelemetry: one span per call, without parameters."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import pinstripe
from pinstripe.emulator import Emulator
from pinstripe.integrations.opentelemetry import instrument_client, instrument_handlers

CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}
REPLAYED = {"request-id": "req_2", "idempotent-replayed": "true"}


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinstripe._retry.INITIAL_DELAY", 0.0)


@pytest.fixture(params=["sync", "async"])
def traced(request: pytest.FixtureRequest) -> Any:  # Any: a function of the operation and the outcomes
    """Run an operation of a traced client of either kind; return the spans, and the spans that were current when it sent."""

    def run(operation: Any, *outcomes: Any) -> tuple[list[ReadableSpan], list[Any]]:  # Any: responses or errors
        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        remaining, current = list(outcomes), []

        def handle(sent: httpx.Request) -> httpx.Response:
            current.append(trace.get_current_span())
            outcome = remaining.pop(0)
            if isinstance(outcome, BaseException):
                raise outcome
            status, body, headers = outcome
            return httpx.Response(status, json=body, headers=headers)

        transport = httpx.MockTransport(handle)
        if request.param == "sync":
            client = pinstripe.Client("sk_test_secret", http_client=httpx.Client(transport=transport))
            instrument_client(client, provider)
            operation(client)
        else:
            async_client = pinstripe.AsyncClient("sk_test_secret", http_client=httpx.AsyncClient(transport=transport))
            instrument_client(async_client, provider)

            async def run_async() -> None:
                await operation(async_client)

            asyncio.run(run_async())
        assert trace.get_current_span() is trace.INVALID_SPAN
        return list(exporter.get_finished_spans()), current

    return run


def test_a_call_is_one_span_with_its_attempts_as_events(traced: Any) -> None:
    (span,), current = traced(
        lambda client: client.customers.update(
            "cus_1", email="private@b.c", request_options={"idempotency_key": "k", "stripe_account": "acct_1"}
        ),
        httpx.ReadTimeout("late"),
        (503, {}, {"request-id": "req_1"}),
        (200, CUSTOMER, REPLAYED),
    )
    assert (span.name, span.kind, span.status.status_code) == (
        "stripe customers.update",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "http.request.resend_count": 2,
        "http.response.status_code": 200,
        "server.address": "api.stripe.com",
        "server.port": 443,
        "url.full": "https://api.stripe.com/v1/customers/cus_1",
        "url.template": "/v1/customers/{customer}",
        "stripe.operation": "customers.update",
        "stripe.request_id": "req_2",
        "stripe.idempotency_key": "k",
        "stripe.idempotent_replayed": True,
        "stripe.account": "acct_1",
        "stripe.version": pinstripe.API_VERSION,
    }
    attempts = [dict(event.attributes) for event in span.events if event.name == "attempt"]
    assert attempts == [
        {"stripe.attempt": 1, "error.type": "timeout"},
        {"stripe.attempt": 2, "http.response.status_code": 503, "stripe.request_id": "req_1"},
        {"stripe.attempt": 3, "http.response.status_code": 200, "stripe.request_id": "req_2"},
    ]
    assert len([event for event in span.events if event.name == "retry"]) == 2
    assert {each.get_span_context().span_id for each in current} == {span.context.span_id}


def test_the_span_of_a_failed_call_has_its_error() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    body = {"error": {"type": "card_error", "code": "card_declined", "decline_code": "lost_card", "message": "private"}}
    transport = httpx.MockTransport(lambda _: httpx.Response(402, json=body))
    client = pinstripe.Client("sk_test_secret", http_client=httpx.Client(transport=transport))
    instrument_client(client, provider)
    with pytest.raises(pinstripe.CardError):
        client.with_options(max_retries=0).customers.create(email="private@b.c")
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "402"
    assert span.attributes["stripe.error.code"] == "card_declined"
    assert span.attributes["stripe.error.decline_code"] == "lost_card"
    assert "private" not in span.to_json()
    assert "sk_test_secret" not in span.to_json()


def test_a_canceled_call_ends_its_span() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    async def handle(request: httpx.Request) -> httpx.Response:
        raise asyncio.CancelledError

    async def run() -> None:
        http_client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
        client = pinstripe.AsyncClient("sk_test_secret", http_client=http_client)
        instrument_client(client, provider)
        await client.customers.create()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "canceled"


def test_the_run_of_a_handler_is_a_span_linked_to_the_request_that_caused_the_event() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    emulator = Emulator(seed=1)
    client = emulator.client()
    instrument_client(client, provider)
    handlers = pinstripe.webhooks.Handlers()
    instrument_handlers(handlers, provider)
    current: list[str] = []

    @handlers.on("customer.created")
    def greet(event: pinstripe.events.CustomerCreatedEvent) -> None:
        current.append(getattr(trace.get_current_span(), "name", ""))
        client.customers.update(event.data.object.id, description="greeted")

    @handlers.on("customer.updated")
    async def fail(event: pinstripe.events.CustomerUpdatedEvent) -> None:
        raise ValueError(event.data.object.description)

    client.customers.create(email="ada@example.com")
    handlers.dispatch(emulator.events[0])
    with pytest.raises(ValueError, match="greeted"):
        handlers.dispatch(emulator.events[1])
    create, update, created, updated = exporter.get_finished_spans()
    assert current == ["stripe event customer.created"]
    assert [span.name for span in (create, update, created, updated)] == [
        "stripe customers.create",
        "stripe customers.update",
        "stripe event customer.created",
        "stripe event customer.updated",
    ]
    assert created.kind == SpanKind.CONSUMER
    assert [link.context for link in created.links] == [create.context]
    assert [link.context for link in updated.links] == [update.context]
    assert update.parent == created.context  # the call that the handler made
    assert created.attributes is not None
    assert created.attributes["stripe.request.id"] == emulator.events[0].request.id  # type: ignore[union-attr]  # it has one
    assert (created.status.status_code, updated.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert updated.attributes is not None
    assert updated.attributes["error.type"] == "ValueError"
    assert "greeted" not in str(updated.to_json())
    assert trace.get_current_span() is trace.INVALID_SPAN
