"""Traces with OpenTelemetry: a span per call, and per run of a webhook handler. Needs the extra ``opentelemetry``.

    from pinstripe.integrations.opentelemetry import instrument_client, instrument_handlers

    client = pinstripe.Client()
    instrument_client(client)
    handlers = pinstripe.webhooks.Handlers()
    instrument_handlers(handlers)

A span is named by its operation (``stripe customers.create``). Each attempt is an event. The attributes are those of the
semantic conventions for HTTP, and the request id, error code and replay of Stripe. Parameters, keys and the messages of
errors, which may quote parameters, are never recorded. https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode

from pinstripe._client import AsyncClient, Client
from pinstripe._request import Call, CallFlow, Config, Failure, Request, Sleep
from pinstripe._response import Response
from pinstripe._version import __version__
from pinstripe.errors import StripeError
from pinstripe.webhooks.handlers import HandlerRun, Handlers

__all__ = ["instrument_client", "instrument_handlers"]

MAX_REMEMBERED = 10_000
"""The number of calls of this process to which the events they cause can be linked."""


class _Calls:
    """The spans of the latest calls by idempotency key, which the events that a call causes name."""

    def __init__(self) -> None:
        self._spans: OrderedDict[str, SpanContext] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, key: str, span: Span) -> None:
        with self._lock:
            self._spans[key] = span.get_span_context()
            if len(self._spans) > MAX_REMEMBERED:
                self._spans.popitem(last=False)

    def links(self, key: str | None) -> list[Link]:
        with self._lock:
            context = self._spans.get(key) if key else None
        return [Link(context)] if context is not None else []


_calls = _Calls()


def instrument_client(client: Client | AsyncClient, tracer_provider: trace.TracerProvider | None = None) -> None:
    """Trace the calls of a client, and of the clients that ``with_options`` makes of it from now on."""
    tracer = trace.get_tracer("pinstripe", __version__, tracer_provider)
    client._config = replace(client._config, trace=_traced_by(tracer))


def instrument_handlers(handlers: Handlers, tracer_provider: trace.TracerProvider | None = None) -> None:
    """Trace the runs of webhook handlers: one span per run, named by the event type (``stripe event invoice.paid``).

    The span has the id of the event, and the id and idempotency key of the request that caused it. If a traced client of this
    process made that request, the span is linked to that of the call.
    """
    tracer = trace.get_tracer("pinstripe", __version__, tracer_provider)
    running: dict[int, AbstractContextManager[Span]] = {}

    @handlers.before
    def begin(run: HandlerRun) -> None:
        event = run.event
        attributes = {"stripe.event.id": event.id, "stripe.event.type": event.type, "stripe.handler": run.handler}
        cause = getattr(event, "request", None) or getattr(getattr(event, "reason", None), "request", None)
        for name in ("id", "idempotency_key"):
            if value := getattr(cause, name, None):
                attributes[f"stripe.request.{name}"] = value
        span = tracer.start_as_current_span(
            f"stripe event {event.type}",
            kind=SpanKind.CONSUMER,
            attributes=attributes,
            links=_calls.links(attributes.get("stripe.request.idempotency_key")),
        )
        span.__enter__()
        running[id(run)] = span

    @handlers.after
    def end(run: HandlerRun) -> None:
        if (span := running.pop(id(run), None)) is None:
            return
        if run.error is not None:
            trace.get_current_span().set_status(StatusCode.ERROR)
            trace.get_current_span().set_attribute("error.type", type(run.error).__name__)
        span.__exit__(None, None, None)


def _traced_by(tracer: trace.Tracer) -> Callable[[Call, Config, CallFlow], CallFlow]:
    def traced(call: Call, config: Config, flow: CallFlow) -> CallFlow:
        """Run the flow of a call in a span."""
        name = call.operation or f"{call.verb} request"
        with tracer.start_as_current_span(
            f"stripe {name}", kind=SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                return (yield from _observed(span, call, flow))
            except StripeError as error:
                _fail(span, error)
                raise
            except GeneratorExit:
                span.set_status(StatusCode.ERROR)
                span.set_attribute("error.type", "canceled")
                raise

    return traced


def _observed(span: Span, call: Call, flow: CallFlow) -> CallFlow:
    """Run a flow; record its requests and their outcomes in a span."""
    attempt = 0
    try:
        action = next(flow)
        while True:
            if isinstance(action, Sleep):
                span.add_event("retry", {"stripe.retry.delay": action.seconds})
            else:
                attempt += 1
                _describe(span, call, action, attempt)
            outcome = yield action
            if isinstance(action, Request):
                _record(span, outcome, attempt)
            action = flow.send(outcome)
    except StopIteration as done:
        return done.value
    finally:
        flow.close()


def _describe(span: Span, call: Call, request: Request, attempt: int) -> None:
    url = urlsplit(request.url)
    span.set_attribute("http.request.method", request.verb)
    span.set_attribute("url.full", f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}")
    span.set_attribute("server.address", url.hostname or "")
    span.set_attribute("server.port", url.port or (80 if url.scheme == "http" else 443))
    if call.operation:
        span.set_attribute("stripe.operation", call.operation)
        span.set_attribute("url.template", call.template)
    if attempt > 1:
        span.set_attribute("http.request.resend_count", attempt - 1)
    if key := request.headers.get("Idempotency-Key"):
        _calls.remember(key, span)
    for header in ("Idempotency-Key", "Stripe-Account", "Stripe-Version"):
        if header in request.headers:
            span.set_attribute(
                "stripe." + header.removeprefix("Stripe-").lower().replace("-", "_"), request.headers[header]
            )


def _record(span: Span, outcome: object, attempt: int) -> None:
    if isinstance(outcome, Failure):
        kind = "timeout" if outcome.timed_out else "connection_error"
        span.add_event("attempt", {"stripe.attempt": attempt, "error.type": kind})
    elif isinstance(outcome, Response):
        span.set_attribute("http.response.status_code", outcome.status_code)
        if outcome.request_id:
            span.set_attribute("stripe.request_id", outcome.request_id)
        if outcome.headers.get("idempotent-replayed") == "true":
            span.set_attribute("stripe.idempotent_replayed", value=True)
        facts = {"stripe.attempt": attempt, "http.response.status_code": outcome.status_code}
        span.add_event("attempt", facts | ({"stripe.request_id": outcome.request_id} if outcome.request_id else {}))


def _fail(span: Span, error: StripeError) -> None:
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", str(error.status_code or type(error).__name__))
    for name in ("type", "code", "decline_code"):
        if value := getattr(error, name):
            span.set_attribute(f"stripe.error.{name}", value)
