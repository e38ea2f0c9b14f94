"""Every operation there is, by name: the right verb, the right path, sync and async."""

from __future__ import annotations

import asyncio
import inspect
import json
import pydoc
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import pinstripe
from codegen import facts, names
from pinstripe._endpoint import Endpoint
from pinstripe.resources import endpoints
from tests.codegen.builders import shared_document

ROWS = endpoints()
FACTS = facts.load()


def reached(row: Endpoint, root: Any) -> Any:  # Any: a client; a bound operation
    found = root
    for step in row.service.split("."):
        found = getattr(found, step)
    return getattr(found, row.method)


def arguments(row: Endpoint) -> list[str]:
    return [f"id_{index}/é" for index in range(row.path.count("{"))]


def expected_path(row: Endpoint) -> str:
    path = row.path
    for index in range(row.path.count("{")):
        start, end = path.index("{"), path.index("}")
        path = f"{path[:start]}id_{index}%2F%C3%A9{path[end + 1 :]}"
    return path


class Seen(Exception):  # not an error: the request came, and that is all these tests want
    """Carries the request that was sent."""


SESSION = {
    "object": "v2.billing.meter_event_session",
    "id": "mes_1",
    "authentication_token": "token",
    "created": "2026-01-01T00:00:00Z",
    "expires_at": "2999-01-01T00:00:00Z",
    "livemode": False,
}


def capture(request: httpx.Request) -> httpx.Response:
    raise Seen(request)


def capture_the_stream(request: httpx.Request) -> httpx.Response:
    """The meter event stream asks for a session first."""
    return httpx.Response(200, json=SESSION) if request.url.path.endswith("session") else capture(request)


def transport(row: Endpoint) -> httpx.MockTransport:
    return httpx.MockTransport(capture_the_stream if row.path.endswith("meter_event_stream") else capture)


def sent_by(row: Endpoint, client: Any) -> httpx.Request:  # Any: a client of either kind
    params = {"file": b"x"} if row.kind == "upload" else {}
    with pytest.raises(Seen) as caught:
        asyncio.run(_finished(lambda: reached(row, client)(*arguments(row), **params)))
    request: httpx.Request = caught.value.args[0]
    return request


async def _finished(operation: Callable[[], Any]) -> None:  # Any: an answer, a coroutine or a pager
    found = operation()
    if inspect.isawaitable(found):
        await found


def check_request(row: Endpoint, request: httpx.Request) -> None:
    assert (request.method, request.url.raw_path.decode()) == (row.verb, expected_path(row))
    host = {"upload": "files", "download": "files"}.get(row.kind, "api")
    if row.path.endswith("meter_event_stream"):
        host = "meter-events"
    assert request.url.host == f"{host}.stripe.com"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.service}.{row.method}")
def test_each_operation_sends_its_verb_and_path(row: Endpoint) -> None:
    client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=transport(row)))
    check_request(row, sent_by(row, client))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.service}.{row.method}")
def test_each_operation_sends_its_verb_and_path_when_awaited(row: Endpoint) -> None:
    http_client = httpx.AsyncClient(transport=transport(row))
    check_request(row, sent_by(row, pinstripe.AsyncClient("sk_test_x", http_client=http_client)))


def test_every_operation_of_the_facts_is_there_under_each_of_its_names() -> None:
    wanted = [
        (one.verb, names.path(one.path), service, method)
        for one in FACTS.operations.values()
        for service, method in ((one.service, one.method), *one.aliases)
    ]
    assert sorted((row.verb, row.path, row.service, row.method) for row in ROWS) == sorted(wanted)


def test_the_names_are_those_that_stripes_users_know() -> None:
    known = json.loads((shared_document("openapi-endive") / "operations.json").read_text())
    wanted = {(row["verb"].upper(), names.path(row["path"]), row["service"], row["method"]) for row in known}
    assert wanted <= {(row.verb, row.path, row.service, row.method) for row in ROWS}


def test_a_path_argument_can_be_positional_or_named() -> None:
    client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=httpx.MockTransport(capture)))
    calls: list[Callable[[], object]] = [
        lambda: client.customers.retrieve("cus_1"),
        lambda: client.customers.retrieve(customer="cus_1"),
    ]
    for call in calls:
        with pytest.raises(Seen) as caught:
            call()
        assert caught.value.args[0].url.path == "/v1/customers/cus_1"


@pytest.mark.parametrize(
    ("args", "params"),
    [((), {}), (("a", "b"), {}), (("a",), {"customer": "b"}), ((5,), {}), (("",), {}), ((None,), {})],
)
def test_a_wrong_path_argument_is_refused_by_name_before_anything_is_sent(
    args: Any, params: Any
) -> None:  # Any: mistakes
    client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=httpx.MockTransport(capture)))
    with pytest.raises(pinstripe.InvalidArgumentError, match="customer"):
        client.customers.retrieve(*args, **params)


def test_a_bound_operation_shows_its_parameters() -> None:
    client = pinstripe.Client("sk_test_x")
    signature = inspect.signature(client.subscriptions.update)
    assert next(iter(signature.parameters)) == "subscription"
    assert signature.parameters["cancel_at_period_end"].kind is inspect.Parameter.KEYWORD_ONLY
    assert signature.parameters["request_options"].default is not inspect.Parameter.empty
    create = inspect.signature(client.prices.create)
    assert create.parameters["currency"].default is inspect.Parameter.empty
    assert create.parameters["unit_amount"].default is not inspect.Parameter.empty
    shown = pydoc.render_doc(client.customers.create)
    assert "email" in shown
    assert "POST /v1/customers" in shown


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.service}.{row.method}")
def test_every_operation_has_a_signature(row: Endpoint) -> None:
    operation = reached(row, pinstripe.Client("sk_test_x"))
    names = list(inspect.signature(operation).parameters)
    assert "request_options" in names
    assert len(names) >= row.path.count("{")
