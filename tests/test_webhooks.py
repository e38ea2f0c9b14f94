"""Signatures verify only unmodified payloads, and events are decoded to the class of their type."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
import time
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

import pinstripe
from codegen import facts
from pinstripe import SignatureVerificationError, webhooks
from pinstripe.integrations import wsgi
from pinstripe.integrations.asgi import webhook_app
from pinstripe.webhooks.receiver import Receiver

SECRET = "whsec_test"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": pinstripe.API_VERSION,
    "created": 1767225600,
    "data": {"object": {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}},
    "livemode": False,
    "pending_webhooks": 1,
    "request": {"id": "req_1", "idempotency_key": None},
    "type": "customer.created",
}
# HMAC pads a short key with zero bytes and hashes a long one; between those no two keys are the same.
secrets = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=15).filter(
    str.strip
)
payloads = st.binary() | st.text(st.characters(exclude_categories=["Cs"]))


def verifies(payload: Any, header: Any, secret: Any, tolerance: float | None = None) -> bool:  # Any: invalid arguments
    try:
        webhooks.verify(payload, header, secret, tolerance)
    except SignatureVerificationError:
        return False
    return True


@given(payloads, secrets, st.integers(0, 2**40))
def test_signed_payload_verifies(payload: bytes | str, secret: str, timestamp: int) -> None:
    header = webhooks.sign(payload, secret, timestamp)
    assert verifies(payload, header, secret)
    assert verifies(payload, header.encode(), [secret])


@given(payloads, payloads, secrets, secrets, st.integers(0, 2**40), st.integers(0, 2**40))
def test_modified_payload_secret_or_timestamp_does_not_verify(
    payload: bytes | str, other: bytes | str, secret: str, wrong: str, timestamp: int, later: int
) -> None:
    def raw(text: bytes | str) -> bytes:
        return text.encode() if isinstance(text, str) else text

    header = webhooks.sign(payload, secret, timestamp)
    assert verifies(other, header, secret) is (raw(other) == raw(payload))
    assert verifies(payload, header, wrong) is (wrong == secret)
    assert verifies(payload, header.replace(f"t={timestamp},", f"t={later},"), secret) is (later == timestamp)


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_signature_with_another_digit_does_not_verify(index: int, digit: str) -> None:
    head, _, signature = webhooks.sign(b"{}", SECRET, 1).rpartition("=")
    modified = signature[:index] + digit + signature[index + 1 :]
    assert verifies(b"{}", f"{head}={modified}", SECRET) is (modified == signature)


fragments = st.sampled_from(
    ["t=", "v1=", "v0=", ",", "=", "1767225600", "-1", "é", "\ud800", " ", "\0", "t", "v1", "²", "\u0661"]
)
headers = st.text() | st.lists(fragments | st.text(max_size=3), max_size=8).map("".join) | st.binary() | st.none()


@given(payloads, headers)
def test_invalid_header_raises_no_other_exception(payload: bytes | str, header: Any) -> None:  # Any: invalid arguments
    assert verifies(payload, header, SECRET) is False


valid_header = webhooks.sign("{}", SECRET, 1767225600)
modified_headers = st.lists(
    st.sampled_from(
        [*valid_header.split(","), "v1=abc", "v0=abc", "t=1", "t= 1767225600 ", "t=1_767_225_600", "x", "", "v1="]
    )
    | st.text(st.characters(max_codepoint=127), max_size=4),
    max_size=6,
).map(",".join)


@given(
    st.sampled_from(["{}", '{"a": 1}']), modified_headers | headers, st.sampled_from([SECRET, "other", "", " ", None])
)
def test_verify_agrees_with_the_official_package_unless_that_crashes(
    payload: str,
    header: Any,
    secret: Any,  # Any: invalid arguments
) -> None:
    try:
        stripe.WebhookSignature.verify_header(payload, header, secret)
        official = True
    except stripe.SignatureVerificationError:
        official = False
    except Exception:
        return
    assert verifies(payload, header, secret) is official


@pytest.mark.parametrize(
    ("age", "tolerance", "valid"),
    [(299, 300, True), (301, 300, False), (10**6, 0, True), (10**6, None, True), (-500, 300, True), (11, 10.5, False)],
)
def test_old_signature_does_not_verify(
    age: int, tolerance: float | None, *, valid: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    header = webhooks.sign(b"{}", SECRET, 2_000_000_000 - age)
    assert verifies(b"{}", header, SECRET, tolerance) is valid


def test_any_of_several_secrets_verifies() -> None:
    header = webhooks.sign(b"{}", "whsec_new")
    assert verifies(b"{}", header, ["whsec_old", "whsec_new"])
    assert verifies(b"{}", f"{webhooks.sign(b'{}', 'whsec_a', 5)},v1=00", ("whsec_a",))
    assert not verifies(b"{}", header, ["whsec_old"])
    assert not verifies(b"{}", header, [])


def test_sign_defaults_to_the_current_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.9)
    assert webhooks.sign(b"{}", SECRET).startswith("t=2000000000,v1=")


def test_signatures_equal_those_of_the_official_package() -> None:
    official = stripe.WebhookSignature.generate_signature_header('{"é": 1}', SECRET, 1767225600)
    assert webhooks.sign('{"é": 1}', SECRET, 1767225600) == official
    assert webhooks.sign('{"é": 1}'.encode(), SECRET, 1767225600) == official


def test_parsed_json_is_rejected() -> None:
    parsed: Any = EVENT  # Any: mypy rejects it, too
    with pytest.raises(pinstripe.InvalidArgumentError, match="raw body"):
        webhooks.verify(parsed, "t=1,v1=a", SECRET)


# --- arguments of other types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [SECRET.encode(), bytearray(SECRET.encode()), [SECRET.encode()], [SECRET, 5], 5])
def test_secret_that_is_not_text_is_an_error_that_does_not_show_it(secret: Any) -> None:  # Any: invalid secrets
    header = webhooks.sign(b"{}", SECRET)
    functions: list[Callable[[], object]] = [
        lambda: webhooks.verify(b"{}", header, secret),
        lambda: webhooks.construct_event(b"{}", header, secret),
        lambda: webhooks.parse_event_notification(b"{}", header, secret),
        lambda: Receiver(webhooks.Handlers(), secret),
        lambda: webhook_app(webhooks.Handlers(), secret),
    ]
    for function in functions:
        with pytest.raises(pinstripe.InvalidArgumentError, match=r"secret: pass .* as a str, not a") as caught:
            function()
        assert caught.value.param == "secret"
        assert SECRET not in shown_by_a_debugger(caught.value)
    if isinstance(secret, bytes):
        with pytest.raises(pinstripe.InvalidArgumentError, match="as a str, not a bytes"):
            webhooks.sign(b"{}", secret)  # type: ignore[arg-type]  # mypy rejects it, too


@pytest.mark.parametrize("tolerance", ["300", float("nan"), -1, [300], "", b"1"])
def test_tolerance_that_is_not_a_number_of_seconds_is_an_error(tolerance: Any) -> None:  # Any: invalid tolerances
    header = webhooks.sign(b"{}", SECRET)
    for function in (
        lambda: webhooks.verify(b"{}", header, SECRET, tolerance),
        lambda: Receiver(webhooks.Handlers(), SECRET, tolerance),
    ):
        with pytest.raises(pinstripe.InvalidArgumentError, match="number of seconds") as caught:
            function()
        assert caught.value.param == "tolerance"


@pytest.mark.parametrize("name", ["id", "type"])
@pytest.mark.parametrize("value", [None, 5, "", [], {}])
@pytest.mark.parametrize("kind", ["event", "v2.core.event"])
def test_signed_event_without_id_or_type_is_a_400(name: str, value: object, kind: str) -> None:
    event: dict[str, object] = {**EVENT, "object": kind, name: value}
    if value is None:
        del event[name]
    payload = json.dumps(event).encode()
    header = webhooks.sign(payload, SECRET)
    construct = webhooks.construct_event if kind == "event" else webhooks.parse_event_notification
    with pytest.raises(pinstripe.ResponseValidationError, match=f"without '{name}'") as caught:
        construct(payload, header, SECRET)
    assert caught.value.body == payload
    handlers = webhooks.Handlers()
    assert Receiver(handlers, SECRET).receive(payload, header).status == 400
    assert not handlers.unhandled


@pytest.mark.parametrize("text", ["²", "٣", "-1", "1_0", "x", " ", "9" * 5000, "", "2"])
def test_any_content_length_gets_a_response(text: str) -> None:
    body = json.dumps(EVENT).encode()
    headers = {"HTTP_STRIPE_SIGNATURE": webhooks.sign(body, SECRET), "CONTENT_LENGTH": text}
    statuses: list[str] = []
    app = wsgi.webhook_app(webhooks.Handlers(), SECRET)
    app(
        {"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(body), **headers}, lambda status, _: statuses.append(status)
    )
    assert statuses == ["413 " + HTTPStatus(413).phrase if text.startswith("9") else "400 Bad Request"]
    assert Receiver(webhooks.Handlers(), SECRET).check_request("POST", "²") is None


@pytest.mark.parametrize("payload", [b"{", b"\xff", b"[]"])
def test_old_idiom_catches_payloads_and_signatures(payload: bytes) -> None:
    with pytest.raises(ValueError):
        webhooks.construct_event(payload, webhooks.sign(payload, SECRET), SECRET)
    with pytest.raises(ValueError):
        webhooks.construct_event(payload, webhooks.sign(payload, "whsec_other"), SECRET)


# --- secrets are not shown --------------------------------------------------------------------------------------------


def shown_by_a_debugger(error: BaseException) -> str:
    """Return the variables of the functions of pinstripe in a traceback, as error reporters print them."""
    shown: list[str] = []
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "/pinstripe/" in frame.f_code.co_filename:
            shown += [repr(value) for name, value in frame.f_locals.items() if name != "self"]
    return " ".join([*shown, str(error), repr(error)])


def test_secret_stands_in_no_variable_of_a_traceback() -> None:
    cases: list[tuple[bytes, str]] = [(b"{}", "t=1,v1=a"), (b"{", webhooks.sign(b"{", SECRET)), (b"{}", "")]
    for payload, header in cases:
        for function in (webhooks.construct_event, webhooks.parse_event_notification, webhooks.verify):
            try:
                function(payload, header, [SECRET])
            except pinstripe.StripeError as error:
                assert SECRET not in shown_by_a_debugger(error)  # noqa: PT017  # not each function refuses each case


def test_receiver_does_not_show_its_secrets() -> None:
    receiver = Receiver(webhooks.Handlers(), [SECRET, "whsec_old"])
    for shown in (vars(receiver), dataclasses.asdict(receiver), receiver, webhook_app(webhooks.Handlers(), SECRET)):
        assert SECRET not in repr(shown)
        assert "whsec_old" not in repr(shown)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(receiver)
    body = json.dumps(EVENT).encode()
    assert receiver.receive(body, webhooks.sign(body, SECRET)).status == 200


# --- events -----------------------------------------------------------------------------------------------------------


def construct(event: Any) -> Any:  # Any: JSON; the class depends on the type
    payload = json.dumps(event).encode()
    return webhooks.construct_event(payload, webhooks.sign(payload, SECRET), SECRET)


def test_event_has_the_class_of_its_type() -> None:
    event = construct(EVENT)
    assert type(event) is pinstripe.events.CustomerCreatedEvent
    assert isinstance(event, pinstripe.models.Event)
    assert isinstance(event.data.object, pinstripe.models.Customer)
    assert event.data.object.id == "cus_1"


def test_event_of_unknown_type_has_a_decoded_object() -> None:
    event = construct({**EVENT, "type": "customer.teleported"})
    assert type(event) is pinstripe.models.Event
    assert isinstance(event.data.object, pinstripe.models.Customer)
    unknown = construct({**EVENT, "data": {"object": {"object": "hologram", "id": "holo_1", "color": "blue"}}})
    assert isinstance(unknown.data.object, pinstripe.StripeObject)


def test_previous_attributes_are_decoded() -> None:
    data = {**EVENT["data"], "previous_attributes": {"email": None}}  # type: ignore[dict-item]  # JSON
    assert construct({**EVENT, "type": "customer.updated", "data": data}).data.previous_attributes == {"email": None}


def test_event_with_a_wrong_signature_is_rejected() -> None:
    payload = json.dumps(EVENT)
    with pytest.raises(SignatureVerificationError):
        webhooks.construct_event(payload, webhooks.sign(payload, "whsec_other"), SECRET)


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"{", b'{"object": "customer"}', b"\xff"])
def test_signed_payload_that_is_not_an_event_is_rejected(payload: bytes) -> None:
    with pytest.raises(pinstripe.ResponseValidationError) as caught:
        webhooks.construct_event(payload, webhooks.sign(payload, SECRET), SECRET)
    assert caught.value.body == payload


def test_thin_event_names_the_right_function() -> None:
    with pytest.raises(pinstripe.InvalidArgumentError, match="parse_event_notification"):
        construct({"object": "v2.core.event", "id": "evt_1", "type": "v1.billing.meter.no_meter_found"})


def test_each_event_type_has_a_class() -> None:
    from pinstripe.models._event_types import EVENT_TYPES

    assert set(EVENT_TYPES) == set(facts.load().events)
    for event_type, (name, _, _) in EVENT_TYPES.items():
        cls = getattr(pinstripe.events, name)
        assert cls is pinstripe.events.class_for(event_type)
        assert cls.__name__ == name
        assert type(construct({**EVENT, "type": event_type})) is cls
    with pytest.raises(AttributeError):
        pinstripe.events.InvoicePayedEvent  # type: ignore[attr-defined]  # noqa: B018  # a misspelled name


def test_event_can_be_serialized_and_decoded_again() -> None:
    event = construct(EVENT)
    decoded = pinstripe.decode(event.model_dump_json(by_alias=True, exclude_unset=True))
    assert decoded == event
    assert type(decoded) is type(event)
