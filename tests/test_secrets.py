"""API keys and webhook secrets: in no repr, format, log, traceback with local variables, or pickle."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import pinstripe
from pinstripe._secrets import Secret, redact
from pinstripe.form import decode, encode, to_json

KEY = "sk_live_very_secret_key"
CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}


@pytest.fixture(autouse=True)
def live_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow the live key of these tests, whose requests go nowhere."""
    monkeypatch.setenv("PINSTRIPE_TEST_MODE", "0")


def shown(error: BaseException) -> str:
    """Return all that a traceback with local variables shows, as of ``pytest -l`` or Sentry, in frames of the package."""
    exception: traceback.TracebackException | None = traceback.TracebackException.from_exception(
        error, capture_locals=True
    )
    texts: list[str] = [str(error), repr(error)]
    while exception is not None:
        for frame in exception.stack:
            if "pinstripe" in frame.filename and "/tests/" not in frame.filename:
                texts += [f"{name} = {value}" for name, value in (frame.locals or {}).items()]
        exception = exception.__cause__ or exception.__context__
    return "\n".join(texts)


def client(status: int = 200, body: object = CUSTOMER, **options: Any) -> Any:  # Any: so that mistakes type-check
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=json.dumps(body)))
    return pinstripe.Client(KEY, http_client=httpx.Client(transport=transport), **options)


OTHER = {"request_options": {"api_key": KEY}}
SENT_BY_HAND = {"request_options": {"headers": {"authorization": f"Bearer {KEY}"}}}
FAILING: dict[str, Callable[[], object]] = {
    "an option": lambda: pinstripe.Client(KEY, max_retries=-1),
    "an unknown option": lambda: client(max_network_retries=1),
    "a key by position": lambda: pinstripe.Client(KEY, "x"),  # type: ignore[call-arg]  # the mistake
    "a base URL": lambda: pinstripe.Client(KEY, base_url="x"),
    "a key as bytes": lambda: pinstripe.Client(KEY.encode()),  # type: ignore[arg-type]  # the mistake
    "a key with a line end": lambda: pinstripe.Client(KEY + "\n"),
    "another key": lambda: client().with_options(api_key=KEY + "\n"),
    "another key as bytes": lambda: client().with_options(api_key=KEY.encode()),
    "an option beside another key": lambda: client().with_options(api_key=KEY, max_retries=-1),
    "a key of a call as bytes": lambda: client().customers.create(request_options={"api_key": KEY.encode()}),
    "a key of a call with a line end": lambda: client().customers.create(request_options={"api_key": KEY + "\n"}),
    "an unknown parameter": lambda: client().customers.create(emial=1, **OTHER),
    "a parameter": lambda: client().customers.create(email=object(), **OTHER),
    "a parameter of API v2": lambda: client().v2.core.accounts.create(display_name=object(), **OTHER),
    "an id": lambda: client().customers.retrieve("", **OTHER),
    "a header": lambda: client().customers.create(request_options={"api_key": KEY, "headers": {"X": "é"}}),
    "a key in a header": lambda: client().customers.create(emial=1, **SENT_BY_HAND),
    "a parameter of OAuth": lambda: client().oauth.token(code=object(), grant_type="authorization_code"),
    "a path": lambda: client().request(pinstripe.StripeObject, "GET", "x", **OTHER),
    "an error of Stripe": lambda: client(401, {"error": {"message": "No."}}).customers.create(**OTHER),
    "an unreadable response": lambda: client(200, [1]).customers.create(**OTHER),
    "a page": lambda: client(200, {"object": "list"}).customers.list(**OTHER),
}


@pytest.mark.parametrize("cause", FAILING)
def test_an_error_shows_the_key_in_no_message_and_no_local_variable(cause: str) -> None:
    with pytest.raises(pinstripe.StripeError) as caught:
        FAILING[cause]()
    assert "very_secret" not in shown(caught.value)
    assert "very_secret" not in repr(pickle.dumps(caught.value))


def test_a_client_shows_its_key_nowhere_and_sends_it() -> None:
    sent: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(200, json=CUSTOMER)

    a_client = pinstripe.Client(KEY, http_client=httpx.Client(transport=httpx.MockTransport(handle)))
    config = a_client._config
    for text in (
        repr(config),
        repr(vars(a_client)),
        repr(vars(config)),
        repr(dataclasses.asdict(config)),
        f"{config.api_key}",
    ):
        assert "very_secret" not in text
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(config)
    a_client.customers.create()
    a_client.customers.create(request_options={"api_key": "rk_test_other"})
    assert sent == [f"Bearer {KEY}", "Bearer rk_test_other"]


def test_a_secret_is_masked_in_every_text_and_keeps_its_content() -> None:
    secret = Secret(KEY)
    for text in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        "%s" % secret,  # noqa: UP031  # as loggers do
        repr({1: secret}),
    ):
        assert "very_secret" not in text
        assert "sk_live_..." in text
    assert secret == KEY
    assert hash(secret) == hash(KEY)
    assert ("Bearer " + secret, secret.encode(), secret.reveal()) == (f"Bearer {KEY}", KEY.encode(), KEY)
    assert type(secret.reveal()) is str
    assert copy.copy(secret) is copy.deepcopy(secret) is secret
    assert repr(Secret("x")) == "'...'"
    assert repr(Secret(f"Bearer {KEY}")) == "'Bearer sk_live_...'"


def test_a_secret_is_a_parameter_with_its_content() -> None:
    assert decode(encode({"client_secret": Secret(KEY)})) == {"client_secret": KEY}
    assert json.loads(to_json({"client_secret": Secret(KEY)})) == {"client_secret": KEY}


def test_logs_contain_neither_keys_nor_parameters(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    a_client = client()
    a_client.customers.create(email="private@example.com", **OTHER)
    a_client.request(pinstripe.StripeObject, "GET", "/v1/customers?email=private@example.com")
    assert "POST /v1/customers: 200" in caplog.text
    assert "very_secret" not in caplog.text
    assert "private" not in "\n".join(record.getMessage() for record in caplog.records if record.name == "pinstripe")


@pytest.mark.parametrize(
    ("body", "leaked"),
    [
        ('{"id": "pi_1", "client_secret": "pi_1_secret_very_secret", "obj', "very_secret"),
        ('["whsec_very_secret"', "very_secret"),
        (f"<h1>Bad request</h1> Authorization: Bearer {KEY}", "very_secret"),
        ("<h1>Error</h1> Basic c2tfbGl2ZV94Og==", "c2tf"),
        ("<h1>Error</h1> whsec_abc123 pi_1_secret_abc123 rk_test_abc123", "abc123"),
    ],
)
def test_the_message_of_an_unreadable_response_shows_no_secret(body: str, leaked: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    a_client = pinstripe.Client(KEY, max_retries=0, http_client=httpx.Client(transport=transport))
    with pytest.raises(pinstripe.APIError) as caught:
        a_client.customers.retrieve("cus_1")
    assert leaked not in str(caught.value)
    assert redact("nothing secret") == "nothing secret"


def test_a_meter_event_session_shows_its_token_nowhere() -> None:
    session = {
        "object": "v2.billing.meter_event_session",
        "id": "mes_1",
        "authentication_token": "token_very_secret",
        "created": "2026-01-01T00:00:00Z",
        "expires_at": "2999-01-01T00:00:00Z",
        "livemode": False,
    }
    a_client = client(200, session)
    with pytest.raises(pinstripe.InvalidArgumentError) as caught:
        a_client.v2.billing.meter_event_stream.create(events=[object()])
    assert "very_secret" not in shown(caught.value)
    assert "very_secret" not in repr(vars(a_client._config.session))
