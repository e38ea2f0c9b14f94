"""Clients: their options, their services, and requests without an endpoint."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

import pinstripe
from pinstripe.form import decode
from pinstripe.models import Customer, Invoice
from pinstripe.types import JSON


def recording(requests: list[httpx.Request], body: dict[str, JSON]) -> httpx.Client:
    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=body)

    return httpx.Client(transport=httpx.MockTransport(handle))


CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}


def test_the_api_key_comes_from_the_argument_then_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pinstripe.InvalidArgumentError, match="STRIPE_API_KEY"):
        pinstripe.Client()
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_secret")
    assert pinstripe.Client()._config.api_key == "sk_test_secret"
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_api")
    assert pinstripe.AsyncClient()._config.api_key == "sk_test_api"
    assert pinstripe.Client("sk_test_given")._config.api_key == "sk_test_given"


def test_a_base_url_that_is_not_stripes_is_the_default_of_the_other_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dict(pinstripe.Client("sk_test_x")._config.hosts) == {
        "api": "https://api.stripe.com",
        "files": "https://files.stripe.com",
        "connect": "https://connect.stripe.com",
        "meter_events": "https://meter-events.stripe.com",
    }
    monkeypatch.setenv("STRIPE_API_BASE", "http://localhost:12111/")
    assert set(pinstripe.Client("sk_test_x")._config.hosts.values()) == {"http://localhost:12111"}
    client = pinstripe.Client("sk_test_x", base_url="http://a.test", files_url="http://b.test")
    assert (client._config.hosts["api"], client._config.hosts["files"]) == ("http://a.test", "http://b.test")
    assert client._config.hosts["connect"] == "http://a.test"


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"api_key": ""}, "api_key"),
        ({"api_key": "sk_test_x\n"}, "api_key"),
        ({"max_retries": -1}, "max_retries"),
        ({"max_retries": "2"}, "max_retries"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"timeout": httpx.Timeout(-1)}, "timeout"),
        ({"timeout": "3"}, "timeout"),
        ({"deadline": 0}, "deadline"),
        ({"deadline": httpx.Timeout(1)}, "deadline"),
        ({"validation": "off"}, "validation"),
        ({"base_url": "localhost:12111"}, "base_url"),
        ({"files_url": "ftp://x"}, "files_url"),
        ({"base_url": "https://a.test\n"}, "base_url"),
        ({"base_url": "http://[::1"}, "base_url"),
        ({"base_url": "http://a.test:99999"}, "base_url"),
        ({"base_url": "https://a.test/?x=1"}, "base_url"),
        ({"base_url": "https://user:password@a.test"}, "base_url"),
        ({"base_url": b"https://a.test"}, "base_url"),
        ({"http_client": httpx.AsyncClient()}, "http_client"),
        ({"http_client": httpx.Client}, "http_client"),
        ({"http_client": object()}, "http_client"),
        ({"http_client": httpx.Client(auth=("user", "password"))}, "http_client"),
    ],
)
def test_an_invalid_option_raises_an_error_that_names_it(options: Any, param: str) -> None:  # Any: invalid options
    with pytest.raises(pinstripe.InvalidArgumentError) as caught:
        pinstripe.Client(**{"api_key": "sk_test_x", **options})
    assert caught.value.param == param


def test_with_options_changes_only_these_options_and_shares_the_connections() -> None:
    requests: list[httpx.Request] = []
    client = pinstripe.Client("sk_test_x", stripe_account="acct_1", http_client=recording(requests, CUSTOMER))
    other = client.with_options(stripe_account="acct_2", max_retries=0, api_key="sk_test_y")
    alone = other.with_options(stripe_account=None)
    for each in (client, other, alone):
        each.customers.retrieve("cus_1")
    assert [request.headers.get("stripe-account") for request in requests] == ["acct_1", "acct_2", None]
    assert [request.headers["authorization"][7:] for request in requests] == ["sk_test_x", "sk_test_y", "sk_test_y"]
    assert other._transport is client._transport
    assert client._config.max_retries == 2
    with pytest.raises(pinstripe.InvalidArgumentError):
        client.with_options(max_retries=-1)


@pytest.mark.parametrize("make", [pinstripe.Client, pinstripe.AsyncClient])
def test_the_api_key_is_in_no_repr_and_a_client_cannot_be_pickled(
    make: Callable[[str], Any],
) -> None:  # Any: a client of either kind
    client = make("sk_test_very_secret")
    assert "very_secret" not in repr(client) + repr(client.customers) + repr(client._config) + repr(
        client.customers.create
    )
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="API key"):
            copying(client)


def test_a_service_is_created_once() -> None:
    client = pinstripe.Client("sk_test_x")
    assert client.customers is client.customers
    assert client.v2.core.accounts is client.v2.core.accounts


def test_request_can_call_an_operation_of_an_older_api_version() -> None:
    requests: list[httpx.Request] = []
    upcoming = {"object": "invoice", "amount_due": 500, "currency": "usd", "customer": "cus_1", "subscription": "sub_1"}
    client = pinstripe.Client("sk_test_x", http_client=recording(requests, upcoming))
    invoice = client.request(
        Invoice,
        "GET",
        "/v1/invoices/upcoming",
        params={"customer": "cus_1"},
        request_options={"stripe_version": "2024-06-20"},
    )
    assert isinstance(invoice, Invoice)
    assert invoice.amount_due == 500
    assert invoice.customer == "cus_1"
    assert (invoice.model_extra or {})["subscription"] == "sub_1"
    assert str(requests[0].url) == "https://api.stripe.com/v1/invoices/upcoming?customer=cus_1"
    assert requests[0].headers["stripe-version"] == "2024-06-20"


def test_request_can_return_an_object_without_a_model() -> None:
    requests: list[httpx.Request] = []
    record = {"id": "mbur_1", "object": "usage_record", "quantity": 3, "timestamp": 1, "livemode": False}
    client = pinstripe.Client("sk_test_x", http_client=recording(requests, record))
    usage_record = client.request(
        pinstripe.StripeObject, "POST", "/v1/subscription_items/si_1/usage_records", params={"quantity": 3}
    )
    assert isinstance(usage_record, pinstripe.StripeObject)
    assert (usage_record.model_extra or {})["quantity"] == 3
    assert requests[0].content == b"quantity=3"
    assert usage_record.last_response.idempotency_key == requests[0].headers["idempotency-key"]


@pytest.mark.parametrize(("verb", "path", "param"), [("PUT", "/v1/x", "verb"), ("GET", "v1/x", "path")])
def test_request_rejects_an_invalid_verb_or_path(verb: Any, path: str, param: str) -> None:  # Any: invalid arguments
    with pytest.raises(pinstripe.InvalidArgumentError) as caught:
        pinstripe.Client("sk_test_x").request(Customer, verb, path)
    assert caught.value.param == param


def test_oauth_returns_the_url_to_connect_an_account() -> None:
    client = pinstripe.Client("sk_test_x")
    url = client.oauth.authorize_url(
        client_id="ca_1", redirect_uri="https://a.test/back", state="s", stripe_user={"email": "a@b.c"}
    )
    parts = urlsplit(url)
    assert (parts.netloc, parts.path) == ("connect.stripe.com", "/oauth/authorize")
    query = parse_qs(parts.query)
    assert query["response_type"] == ["code"]
    assert query["stripe_user[email]"] == ["a@b.c"]
    assert "/express/oauth/authorize?" in client.oauth.authorize_url(client_id="ca_1", express=True)
    assert "sk_test" not in url


def test_oauth_exchanges_a_code_for_a_token_and_revokes_it() -> None:
    requests: list[httpx.Request] = []
    token = {"access_token": "sk_test_theirs", "stripe_user_id": "acct_2", "scope": "read_write", "livemode": False}
    client = pinstripe.Client("sk_test_x", http_client=recording(requests, token))
    granted = client.oauth.token(grant_type="authorization_code", code="ac_1")
    assert granted.stripe_user_id == "acct_2"
    assert "theirs" not in repr(granted)
    assert str(requests[0].url) == "https://connect.stripe.com/oauth/token"
    assert decode(requests[0].content) == {
        "grant_type": "authorization_code",
        "code": "ac_1",
        "client_secret": "sk_test_x",
    }
    assert client.oauth.deauthorize(client_id="ca_1", stripe_user_id="acct_2").stripe_user_id == "acct_2"


def test_an_error_of_oauth_has_its_message_and_code() -> None:
    body = {"error": "invalid_grant", "error_description": "This authorization code has already been used."}
    transport = httpx.MockTransport(lambda _: httpx.Response(400, json=body))
    client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=transport))
    with pytest.raises(pinstripe.InvalidRequestError, match="already been used") as caught:
        client.oauth.token(grant_type="authorization_code", code="ac_1")
    assert caught.value.code == "invalid_grant"


def test_an_operation_without_a_result_returns_none() -> None:
    session = {
        "object": "v2.billing.meter_event_session",
        "id": "mes_1",
        "authentication_token": "token",
        "created": "2026-01-01T00:00:00Z",
        "expires_at": "2999-01-01T00:00:00Z",
        "livemode": False,
    }
    requests: list[httpx.Request] = []
    client = pinstripe.Client("sk_test_x", http_client=recording(requests, session))
    client.v2.billing.meter_event_stream.create(events=[{"event_name": "calls", "payload": {"value": "1"}}])
    client.v2.billing.meter_event_stream.create(events=[{"event_name": "calls", "payload": {"value": "2"}}])
    assert [request.url.host for request in requests] == [
        "api.stripe.com",
        "meter-events.stripe.com",
        "meter-events.stripe.com",
    ]
    assert requests[1].headers["authorization"] == "Bearer token"
    client.with_options(stripe_account="acct_2").v2.billing.meter_event_stream.create(events=[])
    assert [request.url.host for request in requests[3:]] == ["api.stripe.com", "meter-events.stripe.com"]
    assert requests[3].headers["stripe-account"] == "acct_2"
