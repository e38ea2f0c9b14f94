"""The life of a call, driven by hand: no network, no clock, no chance."""

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
from pinstripe._call import Call, Config, Environment, Failure, Request, Response, Sleep, call_flow, decoded, fill_path
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
class Story:
    """What a call did: what it sent, how long it waited, and how it ended."""

    sent: list[Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    answer: Response | None = None
    error: errors.StripeError | None = None


def play(call: Call, *outcomes: Response | Failure, using: Config | None = None) -> Story:
    """Give a call these outcomes, one for each attempt; the last one again and again."""
    story = Story()
    running = call_flow(call, using or config())
    try:
        action: Request | Sleep = next(running)
        while True:
            if isinstance(action, Sleep):
                story.waits.append(action.seconds)
                action = running.send(None)
            else:
                story.sent.append(replace(action, headers=dict(action.headers)))
                outcome = outcomes[min(len(story.sent), len(outcomes)) - 1]
                action = running.send(replace(outcome))
    except StopIteration as done:
        story.answer = done.value
    except errors.StripeError as error:
        story.error = error
    return story


def post(path: str = "/v1/customers", **params: Any) -> Call:  # Any: parameters
    return Call("POST", path, params, "Customer")


def get(path: str = "/v1/customers/cus_1", **params: Any) -> Call:  # Any: parameters
    return Call("GET", path, params, "Customer")


def status(code: int, body: object = b"", **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(code, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def error(status_code: int, **said: object) -> Response:
    return status(status_code, {"error": said}, request_id="req_9")


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_post_is_a_form_with_a_key_that_nobody_has_to_make() -> None:
    (request,) = play(post(email="a@b.c"), OK).sent
    assert (request.verb, request.url, request.content) == ("POST", "https://api.test/v1/customers", b"email=a%40b.c")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Idempotency-Key"] == "key-1"
    assert request.headers["Stripe-Version"] == API_VERSION
    assert request.headers["User-Agent"].startswith("pinstripe/")
    assert request.timeout == 80.0


def test_a_get_has_its_parameters_in_the_query_and_no_key() -> None:
    (request,) = play(get(expand=["tax"]), OK).sent
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
def test_what_could_happen_twice_gets_an_idempotency_key(verb: str, path: str, *, has_key: bool) -> None:
    (request,) = play(Call(verb, path, {}), OK).sent
    assert ("Idempotency-Key" in request.headers) is has_key


def test_times_in_a_query_are_written_as_the_version_of_the_api_does() -> None:
    new_year = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    (first,) = play(Call("GET", "/v1/charges", {"created": {"gte": new_year}}), OK).sent
    (second,) = play(Call("GET", "/v2/core/events", {"created": {"gte": new_year}, "limit": 3}), OK).sent
    assert first.url.endswith("/v1/charges?created[gte]=1767225600")
    assert second.url.endswith("/v2/core/events?created[gte]=2026-01-01T00%3A00%3A00Z&limit=3")


def test_v2_bodies_are_json() -> None:
    (request,) = play(post("/v2/core/accounts", display_name="é"), OK).sent
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content or b"") == {"display_name": "é"}


def test_options_of_one_call_win_over_the_clients() -> None:
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
    story = play(call, status(500), using=config(stripe_account="acct_1", stripe_context="ctx_1"))
    (request,) = story.sent
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
def test_an_option_that_cannot_be_used_is_refused_by_name(options: Any) -> None:  # Any: mistakes
    story = play(replace(post(), options=options), OK)
    assert isinstance(story.error, errors.InvalidArgumentError)
    assert story.sent == []
    assert story.error.param is not None


# --- paths ------------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: text.strip() and text not in (".", "..")))
def test_an_id_is_one_segment_of_the_path_whatever_is_in_it(identifier: str) -> None:
    path = fill_path("/v1/customers/{customer}/sources", {"customer": identifier})
    assert path.count("/") == 4
    assert path.isascii()
    assert not set("?# ") & set(path)


@pytest.mark.parametrize("identifier", ["", "  ", ".", "..", None, 5, b"cus_1", object()])
def test_what_is_no_id_is_refused_before_anything_is_sent(identifier: object) -> None:
    with pytest.raises(errors.InvalidArgumentError, match="customer") as caught:
        fill_path("/v1/customers/{customer}", {"customer": identifier})
    assert caught.value.param == "customer"


def test_an_object_stands_for_its_id() -> None:
    assert (
        fill_path("/v1/customers/{customer}", {"customer": Customer.model_construct(id="cus_1")})
        == "/v1/customers/cus_1"
    )


# --- retries ----------------------------------------------------------------------------------------------------------

NO_ANSWER = Failure("the connection broke")


@pytest.mark.parametrize(
    "outcome", [NO_ANSWER, Failure("late", timed_out=True), *map(status, (409, 429, 500, 502, 503, 504))]
)
def test_what_may_pass_is_tried_again_with_the_same_key(outcome: Response | Failure) -> None:
    story = play(post(email="x"), outcome, outcome, OK)
    assert story.answer is not None
    assert story.answer.attempts == 3
    assert story.answer.idempotency_key == "key-1"
    assert [request.headers["Idempotency-Key"] for request in story.sent] == ["key-1"] * 3
    assert len({request.content for request in story.sent}) == 1
    assert len(story.waits) == 2


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 422])
def test_what_will_not_pass_is_not_tried_again(code: int) -> None:
    assert len(play(post(), error(code, message="no")).sent) == 1


@pytest.mark.parametrize(
    ("said", "code", "attempts"), [("true", 400, 3), ("false", 500, 1), ("maybe", 500, 3), ("TRUE", 404, 3)]
)
def test_stripe_decides_where_it_says_so(said: str, code: int, attempts: int) -> None:
    story = play(post(), status(code, {}, stripe_should_retry=said))
    assert len(story.sent) == attempts
    assert story.error is not None
    assert story.error.attempts == attempts


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_max_retries_is_how_often_it_is_tried_again(retries: int) -> None:
    assert len(play(post(), NO_ANSWER, using=config(max_retries=retries)).sent) == retries + 1
    assert len(play(replace(post(), options={"max_retries": retries}), NO_ANSWER).sent) == retries + 1


@given(st.integers(0, 50), st.floats(0, 1), st.floats(0, 60))
def test_the_wait_grows_from_half_a_second_to_eight_and_is_never_less_than_asked(
    n: int, chance: float, asked: float
) -> None:
    wait = _retry.retry_delay(n, asked, chance)
    assert wait >= asked
    assert 0.5 <= wait <= max(8.0, asked)
    assert _retry.retry_delay(n + 1, asked, chance) >= wait


def test_chance_spreads_the_waits() -> None:
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
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    story = play(get(), status(503, {}, retry_after=header), OK)
    assert story.waits == [max(seconds, 0.75)]


def test_a_retry_after_of_more_than_a_minute_is_reported_not_obeyed() -> None:
    story = play(get(), status(429, {"error": {"message": "Slow down."}}, retry_after="61"))
    assert story.waits == []
    assert isinstance(story.error, errors.RateLimitError)
    assert "61 seconds" in str(story.error)


# --- what comes back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "cls"),
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
        (NO_ANSWER, errors.APIConnectionError),
        (Failure("late", timed_out=True), errors.APITimeoutError),
    ],
)
def test_the_error_is_chosen_by_status_and_body(answer: Response | Failure, cls: type[errors.StripeError]) -> None:
    story = play(post(), answer, using=config(max_retries=0))
    assert type(story.error) is cls


def test_an_error_says_everything() -> None:
    intent = {
        "id": "pi_1",
        "object": "payment_intent",
        "status": "requires_payment_method",
        "created": 1,
        "livemode": False,
    }
    story = play(
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
    found = story.error
    assert isinstance(found, errors.CardError)
    assert (found.status_code, found.code, found.decline_code) == (402, "card_declined", "insufficient_funds")
    assert (found.param, found.request_id, found.charge) == ("payment_method", "req_9", "ch_1")
    assert found.doc_url == "https://docs.stripe.com/error-codes/card-declined"
    assert (found.idempotency_key, found.attempts) == ("key-1", 1)
    assert found.headers["request-id"] == "req_9"
    assert json.loads(found.body)["error"]["charge"] == "ch_1"
    assert found.payment_intent is not None
    assert found.payment_intent.status == "requires_payment_method"
    assert str(found) == (
        "Your card has insufficient funds. (status 402, code card_declined, decline code insufficient_funds, "
        "param payment_method, request req_9)"
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html>\n<h1>502 Bad Gateway</h1>", "<h1>502 Bad Gateway</h1>"),
        (b'{"id": "cus_1", "obj', 'begins: {"id": "cus_1", "obj'),
        (b"[1, 2]", "[1, 2]"),
        (b"\xff\xfe\x00", "not Stripe's JSON"),
        (b"[" * 100_000, "[[["),
    ],
)
def test_an_answer_that_is_no_object_is_an_api_error_that_shows_its_beginning(body: bytes, said: str) -> None:
    for code in (200, 500):
        call = post()
        story = play(call, status(code, body), using=config(max_retries=0))
        if story.answer is not None:
            with pytest.raises(errors.APIError) as caught:
                decoded(call, config(), story.answer)
            found: errors.StripeError = caught.value
        else:
            assert story.error is not None
            found = story.error
        assert isinstance(found, errors.APIError)
        assert said in str(found)
        assert len(str(found)) < 400
        assert found.body == body
        assert "\n" not in str(found)


def test_every_error_can_be_pickled() -> None:
    story = play(post(), error(402, type="card_error", code="card_declined", message="No."))
    assert story.error is not None
    copy = pickle.loads(pickle.dumps(story.error))
    assert type(copy) is errors.CardError
    assert (str(copy), copy.body, copy.attempts) == (str(story.error), story.error.body, 1)


# --- secrets and logs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [OK, error(400, message="m"), NO_ANSWER])
def test_the_key_shows_nowhere(answer: Response | Failure, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    story = play(post(email="x"), answer)
    shown = [repr(config()), repr(story.answer), repr(story.error), caplog.text]
    if story.error is not None:
        shown += [repr(pickle.dumps(story.error)), "".join(traceback.format_exception(story.error))]
    assert KEY not in "\n".join(shown)
    assert "POST /v1/customers" in caplog.text


def test_a_key_that_no_header_can_hold_is_refused_without_showing_it() -> None:
    story = play(replace(post(), options={"api_key": "sk_test_very_secret\n"}), OK)
    assert isinstance(story.error, errors.InvalidArgumentError)
    assert "very_secret" not in str(story.error)


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
def test_the_meter_event_stream_has_its_own_host_and_a_session_that_is_kept(expires_at: str, sessions: int) -> None:
    using = config()
    call = Call("POST", "/v2/billing/meter_event_stream", {"events": []}, None, host="meter_events")
    first = play(call, session(expires_at), OK, using=using)
    assert [request.url for request in first.sent] == [
        "https://api.test/v2/billing/meter_event_session",
        "https://meter.test/v2/billing/meter_event_stream",
    ]
    assert first.sent[0].headers["Authorization"] == f"Bearer {KEY}"
    assert first.sent[1].headers["Authorization"] == "Bearer token_1"
    second = play(call, *([session(expires_at)] if sessions == 2 else []), OK, using=using)
    assert len(second.sent) == sessions


def test_a_call_with_a_key_of_its_own_gets_a_session_of_its_own() -> None:
    using = config()
    call = Call("POST", "/v2/billing/meter_event_stream", {"events": []}, None, host="meter_events")
    play(call, session("1970-01-12T14:00:00.000Z"), OK, using=using)
    other = play(replace(call, options={"api_key": "sk_test_2"}), session("1970-01-12T14:00:00.000Z"), OK, using=using)
    assert [request.headers["Authorization"] for request in other.sent] == ["Bearer sk_test_2", "Bearer token_1"]
