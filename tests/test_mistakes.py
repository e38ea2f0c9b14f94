"""Mistakes, and names that moved from other clients of Stripe: each raises an error that says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import pinstripe
from pinstripe.models import Customer
from pinstripe.types import JSON

CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}


def recording(requests: list[httpx.Request], status: int = 200, body: JSON = CUSTOMER) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, json=body)

    return httpx.MockTransport(handle)


def client(requests: list[httpx.Request] | None = None, **response: Any) -> Any:  # Any: so that mistakes type-check
    transport = recording([] if requests is None else requests, **response)
    return pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=transport))


# --- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "help_text"),
    [
        ({"emial": "a@b.c"}, "Did you mean 'email'?"),
        ({"idempotency_key": "k"}, 'request_options={"idempotency_key": ...}'),
        ({"stripe_account": "acct_1"}, 'request_options={"stripe_account": ...}'),
        ({"max_network_retries": 1}, 'request_options={"max_retries": ...}'),
        ({"params": {"email": "a"}}, "create(**params)"),
        ({"options": {}}, "request_options={...}"),
        ({"qqq": 1}, 'request_options={"extra_params": {"qqq": ...}}'),
    ],
)
def test_an_unknown_parameter_is_refused_before_anything_is_sent(params: dict[str, JSON], help_text: str) -> None:
    requests: list[httpx.Request] = []
    with pytest.raises(pinstripe.UnknownParameterError) as caught:
        client(requests).customers.create(**params)
    assert help_text in str(caught.value)
    assert "customers.create" in str(caught.value)
    assert caught.value.param == next(iter(params))
    assert isinstance(caught.value, pinstripe.InvalidArgumentError)
    assert isinstance(caught.value, TypeError)
    assert requests == []


def test_an_async_call_refuses_unknown_parameters_too() -> None:
    async_client: Any = pinstripe.AsyncClient("sk_test_x")  # Any: for the mistake
    with pytest.raises(pinstripe.UnknownParameterError, match="email"):
        asyncio.run(async_client.customers.create(emial="a"))
    with pytest.raises(pinstripe.UnknownParameterError, match="limit"):
        async_client.customers.list(limits=1)


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.customers.list(limits=1),
        lambda c: c.customers.search(quary="x"),
        lambda c: c.files.create(file=b"x", purpos="x"),
        lambda c: c.quotes.pdf("qt_1", expnd=[]),
        lambda c: c.customers.retrieve("cus_1", id="cus_1"),
        lambda c: c.v2.core.accounts.create(display_nam="x"),
        lambda c: c.oauth.token(cod="x"),
        lambda c: c.oauth.deauthorize(client="x"),
        lambda c: c.oauth.authorize_url(client="x"),
    ],
)
def test_every_kind_of_endpoint_refuses_unknown_parameters(call: Callable[[Any], object]) -> None:
    requests: list[httpx.Request] = []
    with pytest.raises(pinstripe.UnknownParameterError):
        call(client(requests))
    assert requests == []


def test_extra_params_are_sent_with_the_others() -> None:
    requests: list[httpx.Request] = []
    client(requests).customers.create(email="a", request_options={"extra_params": {"preview": {"x": 1}}})
    client(requests).customers.retrieve("cus_1", request_options={"extra_params": {"preview": True}})
    client(requests).request(Customer, "GET", "/v1/x", request_options={"extra_params": {"preview": True}})
    assert requests[0].content == b"email=a&preview[x]=1"
    assert [str(request.url.query, "ascii") for request in requests[1:]] == ["preview=true"] * 2


def test_extra_params_are_sent_once_for_each_page() -> None:
    requests: list[httpx.Request] = []
    following: list[str | None] = ["/v2/core/events?preview=true&page=2", None]

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"data": [], "next_page_url": following.pop(0)})

    a_client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=httpx.MockTransport(handle)))
    assert list(a_client.v2.core.events.list(request_options={"extra_params": {"preview": True}})) == []
    assert [request.url.params.get_list("preview") for request in requests] == [["true"], ["true"]]


@pytest.mark.parametrize("extra", ["x", 5, [("a", 1)]])
def test_extra_params_must_be_a_dict(extra: object) -> None:
    with pytest.raises(pinstripe.InvalidArgumentError, match="extra_params"):
        client().customers.create(request_options={"extra_params": extra})


def test_a_parameter_whose_name_is_a_keyword_has_an_underscore() -> None:
    requests: list[httpx.Request] = []
    for name in ("from_", "from"):
        endpoint = next(each for each in pinstripe.endpoints() if "from_" in each.param_names.split())
        service: Any = client(requests)  # Any: a service, found by name
        for step in endpoint.service.split("."):
            service = getattr(service, step)
        getattr(service, endpoint.method)(*["x"] * len(endpoint.path_names), **{name: "acct_1"})
    assert [request.content or bytes(request.url.query) for request in requests] == [b'{"from":"acct_1"}'] * 2


def test_a_dict_of_parameters_by_position_says_how_to_pass_it() -> None:
    with pytest.raises(pinstripe.InvalidArgumentError, match=r"create\(\*\*params\)"):
        client().customers.create({"email": "a"})
    with pytest.raises(pinstripe.InvalidArgumentError, match=r"takes only customer by position.*update\(\*\*params\)"):
        client().customers.update("cus_1", {"email": "a"})


@pytest.mark.parametrize("name", ["name", "items[0][price]"])
def test_the_error_for_none_explains_that_the_field_cannot_be_cleared(name: str) -> None:
    body = {
        "error": {"type": "invalid_request_error", "code": "parameter_invalid_empty", "param": name, "message": "No."}
    }
    params: dict[str, JSON] = {"name": None} if name == "name" else {"items": [{"price": None}]}
    service = "customers" if name == "name" else "subscriptions"
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        getattr(client(status=400, body=body), service).create(**params)
    assert "None clears a field" in str(caught.value)
    with pytest.raises(pinstripe.InvalidRequestError) as caught:
        client(status=400, body=body).customers.create(name="")
    assert "None" not in str(caught.value)


# --- request options --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stripe_account", "api_key", "stripe_context", "stripe_version", "idempotency_key"])
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_request_option_does_not_act_as_the_client(name: str, value: str) -> None:
    requests: list[httpx.Request] = []
    with pytest.raises(pinstripe.InvalidArgumentError, match=f"{name}.* is empty"):
        client(requests).customers.create(request_options={name: value})
    assert requests == []


@pytest.mark.parametrize(
    "options", [{"stripe_account": ""}, {"stripe_context": " "}, {"api_version": ""}, {"base_url": ""}]
)
def test_an_empty_option_of_a_client_is_refused(options: dict[str, str]) -> None:
    make: Any = pinstripe.Client  # Any: for the mistake
    with pytest.raises(pinstripe.InvalidArgumentError) as caught:
        make("sk_test_x", **options)
    assert caught.value.param in options
    if "base_url" not in options:
        with pytest.raises(pinstripe.InvalidArgumentError):
            client().with_options(**options)


@pytest.mark.parametrize("options", ["x", [("timeout", 1)], 5])
def test_request_options_must_be_a_dict(options: object) -> None:
    with pytest.raises(pinstripe.InvalidArgumentError, match="request_options must be a dict"):
        client().customers.create(request_options=options)


@pytest.mark.parametrize(
    ("call", "param"),
    [
        (lambda c: c.customers.retrieve("cus_\ud800"), "customer"),
        (lambda c: c.customers.create(name="\ud800"), None),
        (lambda c: c.v2.core.accounts.create(display_name="\ud800"), None),
    ],
)
def test_a_lone_surrogate_is_refused(call: Callable[[Any], object], param: str | None) -> None:
    with pytest.raises(pinstripe.InvalidArgumentError, match="surrogate") as caught:
        call(client())
    assert caught.value.param == param


# --- clients and services ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "help_text"),
    [
        ("max_network_retries", "use max_retries"),
        ("stripe_version", "use api_version"),
        ("max_retrys", "Did you mean 'max_retries'?"),
        ("qqq", "has no option 'qqq'."),
    ],
)
@pytest.mark.parametrize("make", [pinstripe.Client, pinstripe.AsyncClient, pinstripe.Client("sk_test_x").with_options])
def test_an_unknown_option_of_a_client_is_refused(make: Any, name: str, help_text: str) -> None:  # Any: for the mistake
    with pytest.raises(pinstripe.UnknownParameterError) as caught:
        make(**{name: 1})
    assert help_text in str(caught.value)
    assert str(caught.value).startswith(("Client", "AsyncClient"))
    assert "_BaseClient" not in str(caught.value)


def test_options_by_position_are_refused() -> None:
    make: Any = pinstripe.Client  # Any: for the mistake
    with pytest.raises(pinstripe.InvalidArgumentError, match="takes the API key by position"):
        make("sk_test_x", "2026-01-01")


@pytest.mark.parametrize(
    ("read", "help_text"),
    [
        (lambda c: c.v1, "client.customers"),
        (lambda c: c.customer, "Did you mean 'customers'?"),
        (lambda c: c.subscriptions.modify, "use update"),
        (lambda c: c.subscriptions.get, "use retrieve"),
        (lambda c: c.subscriptions.delete, "use cancel"),
        (lambda c: c.subscriptions.creat, "Did you mean 'create'?"),
        (lambda c: c.invoices.upcoming, "create_preview"),
        (lambda c: c.v2.core.account, "Did you mean 'accounts'?"),
        (lambda c: c.subscriptions.qqq, "client.subscriptions has no method 'qqq'."),
    ],
)
def test_a_name_that_a_client_does_not_have_says_which_one_to_use(
    read: Callable[[Any], object], help_text: str
) -> None:
    for each in (client(), pinstripe.AsyncClient("sk_test_x")):
        with pytest.raises(AttributeError) as caught:
            read(each)
        assert help_text in str(caught.value)


@pytest.mark.parametrize(
    ("name", "help_text"),
    [
        ("Customer", "pinstripe.models.Customer"),
        ("StripeClient", "pinstripe.Client"),
        ("Webhook", "pinstripe.webhooks.construct_event"),
        ("error", "pinstripe.errors"),
        ("api_key", "pinstripe.Client(api_key)"),
        ("Clint", "Did you mean 'Client'?"),
    ],
)
def test_a_name_that_the_package_does_not_have_says_which_one_to_use(name: str, help_text: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(pinstripe, name)
    assert help_text in str(caught.value)
    assert not hasattr(pinstripe, "__wrapped__")


@pytest.mark.parametrize("name", ["api_key", "api_version", "api_base", "max_network_retries", "default_http_client"])
def test_a_setting_of_the_module_is_refused(name: str) -> None:
    with pytest.raises(AttributeError, match=r"pinstripe\.Client\("):
        setattr(pinstripe, name, "sk_live_very_secret")


@pytest.mark.parametrize(
    ("use", "error", "help_text"),
    [
        (lambda obj: obj["email"], TypeError, "obj.email"),
        (lambda obj: obj["x y"], TypeError, "obj.to_dict()['x y']"),
        (lambda obj: obj.get("email"), AttributeError, "getattr(obj"),
        (lambda obj: obj.save(), AttributeError, "client.customers.update"),
        (lambda obj: obj.delete(), AttributeError, "client.customers.delete"),
        (lambda obj: obj.refresh(), AttributeError, "client.customers.retrieve"),
        (lambda obj: obj.keys(), AttributeError, "obj.to_dict().keys()"),
        (lambda obj: obj.emial, AttributeError, "emial"),
    ],
)
def test_an_object_used_as_in_other_clients_says_what_to_do(
    use: Callable[[Any], object], error: type[Exception], help_text: str
) -> None:
    with pytest.raises(error) as caught:
        use(client().customers.retrieve("cus_1"))
    assert help_text in str(caught.value)


# --- live keys in tests -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x", "sk_org_live_x"])
def test_a_live_key_is_refused_in_test_mode(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[httpx.Request] = []
    a_client = client(requests)
    live = a_client.with_options(api_key=key)
    monkeypatch.setenv("PINSTRIPE_TEST_MODE", "1")
    for send in (live.customers.create, lambda: a_client.customers.create(request_options={"api_key": key})):
        with pytest.raises(pinstripe.InvalidArgumentError, match="PINSTRIPE_TEST_MODE"):
            send()
    assert requests == []
    a_client.customers.create()
    monkeypatch.setenv("PINSTRIPE_TEST_MODE", "0")
    live.customers.create()
    assert len(requests) == 2
