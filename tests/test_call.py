"""The lifecycle of a call, without network, clock or random values."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinstripe import API_VERSION, _retry, errors
from pinstripe._call import call_flow
from pinstripe._request import Call, Config, Environment, Failure, Request, Sleep, fill_path
from pinstripe._response import Response
from pinstripe.models import Customer

KEY = "sk_test_very_secret"
HOSTS = {
    "api": "https://api.test",
    "files": "https://files.test",
    "connect": "https://connect.test",
    "meter_events": "https://meter.test",
}
OK = Response(200, {"request-id": "req_1"}, b'{"id": "cus_1", "object": "customer", "created": 1, "livemode": false}')
ENVIRONMENT = Environment(now=lambda: 1_000_000.0, timer=lambda: 0.0, random=lambda: 0.5, new_key=lambda: "key-1")


def config(**options: Any) -> Config:  # Any: the fields of Config
    return Config(KEY, HOSTS, **{"environment": ENVIRONMENT, **options})


@dataclass
class Record:
    """The requests that a call sent, its delays, and its result."""

    sent: list[Request] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    response: Response | None = None
    error: errors.StripeError | None = None


def run(call: Call, *outcomes: Response | Failure, using: Config | None = None) -> Record:
    """Run a call with these outcomes, one for each attempt; the last one is repeated."""
    record = Record()
    last: Response | Failure | None = None
    running = call_flow(call, using or config())
    try:
        action: Request | Sleep = next(running)
        while True:
            if isinstance(action, Sleep):
                record.delays.append(action.seconds)
                action = running.send(None)
            else:
                record.sent.append(replace(action, headers=dict(action.headers)))
                outcome = outcomes[min(len(record.sent), len(outcomes)) - 1]
                last = replace(outcome)
                action = running.send(last)
    except StopIteration:
        record.response = last if isinstance(last, Response) else None
    except errors.StripeError as error:
        record.error = error
    return record


def post(path: str = "/v1/customers", **params: Any) -> Call:  # Any: parameters
    return Call("POST", path, params, "Customer")


def get(path: str = "/v1/customers/cus_1", **params: Any) -> Call:  # Any: parameters
    return Call("GET", path, params, "Customer")


def status(code: int, body: object = b"", **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(code, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def error(status_code: int, **fields: object) -> Response:
    return status(status_code, {"error": fields}, request_id="req_9")


# --- requests ---------------------------------------------------------------------------------------------------------


def test_a_post_is_form_encoded_and_has_an_idempotency_key() -> None:
    (request,) = run(post(email="a@b.c"), OK).sent
    assert (request.verb, request.url, request.content) == ("POST", "https://api.test/v1/customers", b"email=a%40b.c")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Idempotency-Key"] == "key-1"
    assert request.headers["Stripe-Version"] == API_VERSION
    assert request.headers["User-Agent"].startswith("pinstripe/")
    assert request.timeout is None


def test_a_get_has_its_parameters_in_the_query_and_no_idempotency_key() -> None:
    (request,) = run(get(expand=["tax"]), OK).sent
    assert request.url == "https://api.test/v1/customers/cus_1?expand[0]=tax"
    assert request.content is None
    assert "Idempotency-Key" not in request.headers


@pytest.mark.parametrize(
    ("verb", "path", "has_key"),
    [
        ("POST", "/v1/customers", True),
        ("DELETE", "/v1/customers/cus_1", False),
        ("POST", "/v2/core/accounts", True),
        ("DELETE", "/v2/core/accounts/acct_1", True),
        ("GET", "/v2/core/accounts", False),
    ],
)
def test_operations_that_are_not_idempotent_have_an_idempotency_key(verb: str, path: str, *, has_key: bool) -> None:
    (request,) = run(Call(verb, path, {}), OK).sent
    assert ("Idempotency-Key" in request.headers) is has_key


def test_times_in_a_query_are_unix_times_in_v1_and_rfc_3339_in_v2() -> None:
    new_year = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    (first,) = run(Call("GET", "/v1/charges", {"created": {"gte": new_year}}), OK).sent
    (second,) = run(Call("GET", "/v2/core/events", {"created": {"gte": new_year}, "limit": 3}), OK).sent
    assert first.url.endswith("/v1/charges?created[gte]=1767225600")
    assert second.url.endswith("/v2/core/events?created[gte]=2026-01-01T00%3A00%3A00Z&limit=3")


def test_v2_bodies_are_json() -> None:
    (request,) = run(post("/v2/core/accounts", display_name="é"), OK).sent
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content or b"") == {"display_name": "é"}


def test_request_options_override_the_options_of_the_client() -> None:
    call = replace(
        post(),
        options={
            "idempotency_key": "mine",
            "stripe_account": "acct_2",
            "stripe_context": "ctx_2",
            "stripe_version": "2020-08-27",
            "api_key": "sk_test_other",
            "timeout": 3,
            "max_retries": 0,
            "headers": {"X-Mine": "1"},
        },
    )
    record = run(call, status(500), using=config(stripe_account="acct_1", stripe_context="ctx_1"))
    (request,) = record.sent
    assert request.headers["Idempotency-Key"] == "mine"
    assert request.headers["Stripe-Account"] == "acct_2"
    assert request.headers["Stripe-Context"] == "ctx_2"
    assert request.headers["Stripe-Version"] == "2020-08-27"
    assert request.headers["Authorization"] == "Bearer sk_test_other"
    assert request.headers["X-Mine"] == "1"
    assert request.timeout == 3


@pytest.mark.parametrize(
    "options",
    [
        {"idempotencykey": "x"},
        {"timeout": "3"},
        {"max_retries": True},
        {"headers": "x"},
        {"idempotency_key": ""},
        {"stripe_account": "acct\n"},
        {"headers": {"X": "é"}},
    ],
)
def test_an_invalid_request_option_raises_an_error_that_names_it(options: Any) -> None:  # Any: invalid options
    record = run(replace(post(), options=options), OK)
    assert isinstance(record.error, errors.InvalidArgumentError)
    assert record.sent == []
    assert record.error.param is not None


# --- paths ------------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: text.strip() and text not in (".", "..")))
def test_an_id_is_encoded_as_one_segment_of_the_path(identifier: str) -> None:
    path = fill_path("/v1/customers/{customer}/sources", {"customer": identifier})
    assert path.count("/") == 4
    assert path.isascii()
    assert not set("?# ") & set(path)


@pytest.mark.parametrize("identifier", ["", "  ", ".", "..", None, 5, b"cus_1", object()])
def test_an_invalid_id_raises_an_error_that_names_the_argument(identifier: object) -> None:
    with pytest.raises(errors.InvalidArgumentError, match="customer") as caught:
        fill_path("/v1/customers/{customer}", {"customer": identifier})
    assert caught.value.param == "customer"


def test_an_object_can_be_passed_instead_of_its_id() -> None:
    assert (
        fill_path("/v1/customers/{customer}", {"customer": Customer.model_construct(id="cus_1")})
        == "/v1/customers/cus_1"
    )


# --- retries ----------------------------------------------------------------------------------------------------------

BROKEN = Failure("the connection broke")


@pytest.mark.parametrize(
    "outcome", [BROKEN, Failure("late", timed_out=True), *map(status, (409, 429, 500, 502, 503, 504))]
)
def test_temporary_failures_are_retried_with_the_same_idempotency_key(outcome: Response | Failure) -> None:
    record = run(post(email="x"), outcome, outcome, OK)
    assert record.response is not None
    assert record.response.attempts == 3
    assert record.response.idempotency_key == "key-1"
    assert [request.headers["Idempotency-Key"] for request in record.sent] == ["key-1"] * 3
    assert len({request.content for request in record.sent}) == 1
    assert len(record.delays) == 2


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 422])
def test_client_errors_are_not_retried(code: int) -> None:
    assert len(run(post(), error(code, message="no")).sent) == 1


@pytest.mark.parametrize(
    ("header", "code", "attempts"), [("true", 400, 3), ("false", 500, 1), ("maybe", 500, 3), ("TRUE", 404, 3)]
)
def test_stripe_should_retry_decides_if_present(header: str, code: int, attempts: int) -> None:
    record = run(post(), status(code, {}, stripe_should_retry=header))
    assert len(record.sent) == attempts
    assert record.error is not None
    assert record.error.attempts == attempts


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_max_retries_limits_the_number_of_retries(retries: int) -> None:
    assert len(run(post(), BROKEN, using=config(max_retries=retries)).sent) == retries + 1
    assert len(run(replace(post(), options={"max_retries": retries}), BROKEN).sent) == retries + 1


@given(st.integers(0, 50), st.floats(0, 1), st.floats(0, 60))
def test_the_delay_grows_from_half_a_second_to_eight_and_is_never_below_the_minimum(
    n: int, random: float, minimum: float
) -> None:
    delay = _retry.retry_delay(n, minimum, random)
    assert delay >= minimum
    assert 0.5 <= delay <= max(8.0, minimum)
    assert _retry.retry_delay(n + 1, minimum, random) >= delay


def test_the_delay_has_jitter() -> None:
    assert _retry.retry_delay(2, 0, 0.0) < _retry.retry_delay(2, 0, 0.5) < _retry.retry_delay(2, 0, 1.0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("Mon, 12 Jan 1970 13:46:50 GMT", 10.0),
        ("Mon, 12 Jan 1970 13:46:30 GMT", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("nan", 0.0),
        ("-3", 0.0),
    ],
)
def test_retry_after_can_be_seconds_or_a_date(header: str, seconds: float) -> None:
    record = run(get(), status(503, {}, retry_after=header), OK)
    assert record.delays == [max(seconds, 0.75)]


def test_a_retry_after_of_more_than_a_minute_raises_the_error_at_once() -> None:
    record = run(get(), status(429, {"error": {"message": "Slow down."}}, retry_after="61"))
    assert record.delays == []
    assert isinstance(record.error, errors.RateLimitError)
    assert "61 seconds" in str(record.error)


# --- responses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "cls"),
    [
        (error(400, type="invalid_request_error", message="m"), errors.InvalidRequestError),
        (error(404, type="invalid_request_error", code="resource_missing"), errors.InvalidRequestError),
        (error(401, message="m"), errors.AuthenticationError),
        (error(402, type="card_error", code="card_declined", decline_code="lost_card"), errors.CardError),
        (error(403, message="m"), errors.PermissionDeniedError),
        (error(400, type="idempotency_error"), errors.IdempotencyError),
        (error(409, type="invalid_request_error", code="idempotency_key_in_use"), errors.IdempotencyError),
        (error(429, type="invalid_request_error"), errors.RateLimitError),
        (error(500, type="api_error"), errors.APIError),
        (status(500, b"<html>Bad gateway</html>"), errors.APIError),
        (status(400, {"error": "invalid_grant", "error_description": "d"}), errors.InvalidRequestError),
        (status(401, {"error": "invalid_client", "error_description": "d"}), errors.AuthenticationError),
        (status(302, b""), errors.APIError),
        (BROKEN, errors.APIConnectionError),
        (Failure("late", timed_out=True), errors.APITimeoutError),
    ],
)
def test_the_class_of_an_error_depends_on_status_and_body(
    outcome: Response | Failure, cls: type[errors.StripeError]
) -> None:
    record = run(post(), outcome, using=config(max_retries=0))
    assert type(record.error) is cls


def test_an_error_has_everything_from_the_response() -> None:
    intent = {
        "id": "pi_1",
        "object": "payment_intent",
        "status": "requires_payment_method",
        "created": 1,
        "livemode": False,
    }
    record = run(
        post(),
        error(
            402,
            type="card_error",
            code="card_declined",
            decline_code="insufficient_funds",
            message="Your card has insufficient funds.",
            param="payment_method",
            doc_url="https://docs.stripe.com/error-codes/card-declined",
            charge="ch_1",
            payment_intent=intent,
        ),
    )
    card_error = record.error
    assert isinstance(card_error, errors.CardError)
    assert (card_error.status_code, card_error.code, card_error.decline_code) == (
        402,
        "card_declined",
        "insufficient_funds",
    )
    assert (card_error.param, card_error.request_id, card_error.charge) == ("payment_method", "req_9", "ch_1")
    assert card_error.doc_url == "https://docs.stripe.com/error-codes/card-declined"
    assert (card_error.idempotency_key, card_error.attempts) == ("key-1", 1)
    assert card_error.headers["request-id"] == "req_9"
    assert json.loads(card_error.body)["error"]["charge"] == "ch_1"
    assert card_error.payment_intent is not None
    assert card_error.payment_intent.status == "requires_payment_method"
    assert str(card_error) == (
        "Your card has insufficient funds. (status 402, code card_declined, decline code insufficient_funds, "
        "param payment_method, request req_9)"
    )


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html>\n<h1>502 Bad Gateway</h1>", "<h1>502 Bad Gateway</h1>"),
        (b'{"id": "cus_1", "obj', "incomplete (20 bytes)"),
        (b"[1, 2]", "not a JSON object"),
        (b"\xff\xfe\x00", "not JSON from Stripe"),
        (b"[" * 100_000, "not a JSON object"),
    ],
)
def test_a_response_that_is_not_an_object_is_an_api_error_with_an_excerpt(body: bytes, excerpt: str) -> None:
    for code in (200, 500):
        call = post()
        api_error = run(call, status(code, body), using=config(max_retries=0)).error
        assert isinstance(api_error, errors.APIError)
        assert excerpt in str(api_error)
        assert len(str(api_error)) < 400
        assert api_error.body == body
        assert "\n" not in str(api_error)


def test_every_error_can_be_pickled() -> None:
    record = run(post(), error(402, type="card_error", code="card_declined", message="No."))
    assert record.error is not None
    copy = pickle.loads(pickle.dumps(record.error))
    assert type(copy) is errors.CardError
    assert (str(copy), copy.body, copy.attempts) == (str(record.error), record.error.body, 1)


# --- secrets and logs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [OK, error(400, message="m"), BROKEN])
def test_the_api_key_is_in_no_repr_log_error_or_pickle(
    outcome: Response | Failure, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    record = run(post(email="x"), outcome)
    texts = [repr(config()), repr(record.response), repr(record.error), caplog.text]
    if record.error is not None:
        texts += [repr(pickle.dumps(record.error)), "".join(traceback.format_exception(record.error))]
    assert KEY not in "\n".join(texts)
    assert "POST /v1/customers" in caplog.text


def test_an_api_key_with_invalid_characters_is_not_in_the_error() -> None:
    record = run(replace(post(), options={"api_key": "sk_test_very_secret\n"}), OK)
    assert isinstance(record.error, errors.InvalidArgumentError)
    assert "very_secret" not in str(record.error)


# --- meter events -----------------------------------------------------------------------------------------------------


def session(expires_at: str) -> Response:
    return status(
        200,
        {
            "object": "v2.billing.meter_event_session",
            "id": "mes_1",
            "authentication_token": "token_1",
            "created": "1970-01-12T13:00:00.000Z",
            "expires_at": expires_at,
            "livemode": False,
        },
    )


@pytest.mark.parametrize(("expires_at", "sessions"), [("1970-01-12T14:00:00.000Z", 1), ("1970-01-12T13:46:50.000Z", 2)])
def test_the_meter_event_stream_has_its_own_host_and_reuses_its_session(expires_at: str, sessions: int) -> None:
    using = config()
    call = Call("POST", "/v2/billing/meter_event_stream", {"events": []}, None, host="meter_events")
    first = run(call, session(expires_at), OK, using=using)
    assert [request.url for request in first.sent] == [
        "https://api.test/v2/billing/meter_event_session",
        "https://meter.test/v2/billing/meter_event_stream",
    ]
    assert first.sent[0].headers["Authorization"] == f"Bearer {KEY}"
    assert first.sent[1].headers["Authorization"] == "Bearer token_1"
    second = run(call, *([session(expires_at)] if sessions == 2 else []), OK, using=using)
    assert len(second.sent) == sessions


REVOKED = error(401, type="authentication_error", message="The session was revoked.")


@pytest.mark.parametrize("max_retries", [0, 2])
def test_a_session_that_stripe_revoked_is_renewed_once(max_retries: int) -> None:
    using = config(max_retries=max_retries)
    call = Call("POST", "/v2/billing/meter_event_stream", {"events": []}, None, host="meter_events")
    fresh = session("1970-01-12T14:00:00.000Z")
    run(call, fresh, OK, using=using)
    second = replace(fresh, content=fresh.content.replace(b"token_1", b"token_2"))
    renewed = run(call, REVOKED, second, OK, using=using)
    assert renewed.error is None
    assert [request.headers["Authorization"] for request in renewed.sent] == [
        "Bearer token_1",
        f"Bearer {KEY}",
        "Bearer token_2",
    ]
    assert renewed.sent[0].headers["Idempotency-Key"] == renewed.sent[2].headers["Idempotency-Key"]
    assert using.session.token == "token_2"
    failed = run(call, REVOKED, fresh, REVOKED, using=using)
    assert isinstance(failed.error, errors.AuthenticationError)
    assert len(failed.sent) == 3


def test_a_call_with_another_api_key_has_its_own_session() -> None:
    using = config()
    call = Call("POST", "/v2/billing/meter_event_stream", {"events": []}, None, host="meter_events")
    run(call, session("1970-01-12T14:00:00.000Z"), OK, using=using)
    other = run(replace(call, options={"api_key": "sk_test_2"}), session("1970-01-12T14:00:00.000Z"), OK, using=using)
    assert [request.headers["Authorization"] for request in other.sent] == ["Bearer sk_test_2", "Bearer token_1"]
