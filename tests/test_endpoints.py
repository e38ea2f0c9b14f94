"""Every endpoint by its name: the verb, the path and the method, sync and async."""

from __future__ import annotations

import asyncio
import inspect
import json
import pydoc
from collections.abc import Callable
from typing import Any
from unittest import mock

import httpx
import pytest

import pinstripe
from codegen import facts, names
from pinstripe._endpoint import Endpoint, Resource
from pinstripe.resources import endpoints
from tests.codegen.builders import shared_document

ENDPOINTS = endpoints()
FACTS = facts.load()


def method_of(endpoint: Endpoint, root: Any) -> Any:  # Any: a client; a method
    service = root
    for step in endpoint.service.split("."):
        service = getattr(service, step)
    return getattr(service, endpoint.method)


def arguments(endpoint: Endpoint) -> list[str]:
    return [f"id_{index}/é" for index in range(endpoint.path.count("{"))]


def expected_path(endpoint: Endpoint) -> str:
    path = endpoint.path
    for index in range(endpoint.path.count("{")):
        start, end = path.index("{"), path.index("}")
        path = f"{path[:start]}id_{index}%2F%C3%A9{path[end + 1 :]}"
    return path


class Sent(Exception):  # not an error, but the way out of the call
    """Contains the request that was sent."""


SESSION = {
    "object": "v2.billing.meter_event_session",
    "id": "mes_1",
    "authentication_token": "token",
    "created": "2026-01-01T00:00:00Z",
    "expires_at": "2999-01-01T00:00:00Z",
    "livemode": False,
}


def capture(request: httpx.Request) -> httpx.Response:
    raise Sent(request)


def capture_the_stream(request: httpx.Request) -> httpx.Response:
    """Respond to the request for the session, which precedes the meter event stream."""
    return httpx.Response(200, json=SESSION) if request.url.path.endswith("session") else capture(request)


def transport(endpoint: Endpoint) -> httpx.MockTransport:
    return httpx.MockTransport(capture_the_stream if endpoint.path.endswith("meter_event_stream") else capture)


def sent_by(endpoint: Endpoint, client: Any) -> httpx.Request:  # Any: a client of either kind
    params = {"file": b"x"} if endpoint.kind == "upload" else {}
    with pytest.raises(pinstripe.APIConnectionError) as caught:
        asyncio.run(_finished(lambda: method_of(endpoint, client)(*arguments(endpoint), **params)))
    assert isinstance(caught.value.__cause__, Sent)
    request: httpx.Request = caught.value.__cause__.args[0]
    return request


async def _finished(operation: Callable[[], Any]) -> None:  # Any: a result, a coroutine or a pager
    result = operation()
    if inspect.isawaitable(result):
        await result


def check_request(endpoint: Endpoint, request: httpx.Request) -> None:
    assert (request.method, request.url.raw_path.decode()) == (endpoint.verb, expected_path(endpoint))
    host = {"upload": "files", "download": "files"}.get(endpoint.kind, "api")
    if endpoint.path.endswith("meter_event_stream"):
        host = "meter-events"
    assert request.url.host == f"{host}.stripe.com"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.service}.{endpoint.method}")
def test_each_endpoint_sends_its_verb_and_path(endpoint: Endpoint) -> None:
    client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=transport(endpoint)))
    check_request(endpoint, sent_by(endpoint, client))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.service}.{endpoint.method}")
def test_each_endpoint_sends_its_verb_and_path_with_the_async_client(endpoint: Endpoint) -> None:
    http_client = httpx.AsyncClient(transport=transport(endpoint))
    check_request(endpoint, sent_by(endpoint, pinstripe.AsyncClient("sk_test_x", http_client=http_client)))


def test_every_operation_of_the_facts_is_there_under_each_of_its_names() -> None:
    wanted = [
        (operation.verb, names.path(operation.path), service, method)
        for operation in FACTS.operations.values()
        for service, method in ((operation.service, operation.method), *operation.aliases)
    ]
    assert sorted(
        (endpoint.verb, endpoint.path, endpoint.service, endpoint.method) for endpoint in ENDPOINTS
    ) == sorted(wanted)


def test_the_names_are_those_that_stripes_users_know() -> None:
    known = json.loads((shared_document("openapi-endive") / "operations.json").read_text())
    wanted = {
        (endpoint["verb"].upper(), names.path(endpoint["path"]), endpoint["service"], endpoint["method"])
        for endpoint in known
    }
    assert wanted <= {(endpoint.verb, endpoint.path, endpoint.service, endpoint.method) for endpoint in ENDPOINTS}


def test_a_path_argument_can_be_positional_or_named() -> None:
    client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=httpx.MockTransport(capture)))
    calls: list[Callable[[], object]] = [
        lambda: client.customers.retrieve("cus_1"),
        lambda: client.customers.retrieve(customer="cus_1"),
    ]
    for call in calls:
        with pytest.raises(pinstripe.APIConnectionError) as caught:
            call()
        assert isinstance(caught.value.__cause__, Sent)
        assert caught.value.__cause__.args[0].url.path == "/v1/customers/cus_1"


@pytest.mark.parametrize(
    ("args", "params"),
    [((), {}), (("a", "b"), {}), (("a",), {"customer": "b"}), ((5,), {}), (("",), {}), ((None,), {})],
)
def test_an_invalid_path_argument_raises_an_error_that_names_it(
    args: Any, params: Any
) -> None:  # Any: invalid arguments
    client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=httpx.MockTransport(capture)))
    with pytest.raises(pinstripe.InvalidArgumentError, match="customer"):
        client.customers.retrieve(*args, **params)


def test_a_method_has_a_signature_with_its_parameters() -> None:
    client = pinstripe.Client("sk_test_x")
    signature = inspect.signature(client.subscriptions.update)
    assert next(iter(signature.parameters)) == "subscription"
    assert signature.parameters["cancel_at_period_end"].kind is inspect.Parameter.KEYWORD_ONLY
    assert signature.parameters["request_options"].default is not inspect.Parameter.empty
    create = inspect.signature(client.prices.create)
    assert create.parameters["currency"].default is inspect.Parameter.empty
    assert create.parameters["unit_amount"].default is not inspect.Parameter.empty
    text = pydoc.render_doc(client.customers.create)
    assert "email" in text
    assert "POST /v1/customers" in text


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.service}.{endpoint.method}")
def test_every_method_has_a_signature(endpoint: Endpoint) -> None:
    operation = method_of(endpoint, pinstripe.Client("sk_test_x"))
    names = list(inspect.signature(operation).parameters)
    assert "request_options" in names
    assert len(names) >= endpoint.path.count("{")


# --- classes of services ----------------------------------------------------------------------------------------------


def test_an_endpoint_knows_its_service_and_method() -> None:
    (create,) = [endpoint for endpoint in ENDPOINTS if (endpoint.verb, endpoint.path) == ("POST", "/v1/customers")]
    assert (create.service, create.method, create.kind) == ("customers", "create", "object")
    assert (create.model, create.params) == ("Customer", "CustomerCreateParams")
    assert pinstripe.endpoints() == ENDPOINTS


@pytest.mark.parametrize("client_class", [pinstripe.Client, pinstripe.AsyncClient])
def test_a_client_has_no_public_attributes_except_services_and_its_methods(client_class: type) -> None:
    services = {endpoint.service.split(".")[0] for endpoint in ENDPOINTS}
    names = {name for name in dir(client_class) if not name.startswith("_")}
    assert names - services == {"close", "oauth", "request", "with_options"}
    assert services <= names


def test_a_service_of_the_client_class_is_a_class_whose_methods_are_functions() -> None:
    client_class: Any = pinstripe.Client  # Any: the stub describes the attributes of instances
    service: Any = client_class.customers  # Any: as for client_class
    classes = (service, service.balance_transactions, client_class.oauth)
    assert all(issubclass(cls, Resource) for cls in classes)
    assert inspect.isfunction(service.create)
    assert type(pinstripe.Client("sk_test_x").customers) is service


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.service}.{endpoint.method}")
def test_the_async_class_has_the_same_methods_as_coroutine_functions(endpoint: Endpoint) -> None:
    method, async_method = (method_of(endpoint, client) for client in (pinstripe.Client, pinstripe.AsyncClient))
    assert not inspect.iscoroutinefunction(method)
    assert inspect.iscoroutinefunction(async_method) is (endpoint.kind not in ("list", "search"))
    assert inspect.signature(method).parameters == inspect.signature(async_method).parameters
    assert method.__doc__ == async_method.__doc__
    assert async_method.__qualname__ == f"Async{method.__qualname__}"


def test_a_service_can_be_mocked_with_its_signatures() -> None:
    client = mock.create_autospec(pinstripe.Client, instance=True)
    client.customers.create.return_value = "created"
    assert client.customers.create(email="a@b.c") == "created"
    client.customers.create.assert_called_once_with(email="a@b.c")
    client.customers.balance_transactions.list("cus_1", limit=3)
    client.v2.core.accounts.retrieve("acct_1")
    invalid: list[Callable[[], object]] = [
        lambda: client.customers.create(emial="a@b.c"),
        lambda: client.customers.create("a@b.c"),
        lambda: client.customers.retrieve(),
        lambda: client.prices.create(unit_amount=5),
    ]
    for call in invalid:
        with pytest.raises(TypeError):
            call()
    with pytest.raises(AttributeError):
        client.custmers  # noqa: B018  # reading it raises


def test_an_async_service_can_be_mocked_and_awaited() -> None:
    client = mock.create_autospec(pinstripe.AsyncClient, instance=True)
    client.customers.create.return_value = "created"
    client.oauth.token.return_value = "token"

    async def use() -> None:
        assert await client.customers.create(email="a@b.c") == "created"
        assert await client.oauth.token(grant_type="authorization_code", code="ac_1") == "token"
        with pytest.raises(TypeError):
            await client.customers.create(emial="a@b.c")

    asyncio.run(use())
    client.customers.create.assert_awaited_once_with(email="a@b.c")
    assert not inspect.isawaitable(client.customers.list(limit=3))
