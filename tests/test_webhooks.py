"""A signature verifies exactly when nothing was bent; the event arrives as its type."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

import pinstripe
from codegen import facts
from pinstripe import SignatureVerificationError, webhooks

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


def verifies(payload: Any, header: Any, secret: Any, tolerance: float | None = None) -> bool:  # Any: bent things
    try:
        webhooks.verify(payload, header, secret, tolerance)
    except SignatureVerificationError:
        return False
    return True


@given(payloads, secrets, st.integers(0, 2**40))
def test_what_was_signed_verifies(payload: bytes | str, secret: str, timestamp: int) -> None:
    header = webhooks.sign(payload, secret, timestamp)
    assert verifies(payload, header, secret)
    assert verifies(payload, header.encode(), [secret])


@given(payloads, payloads, secrets, secrets, st.integers(0, 2**40), st.integers(0, 2**40))
def test_anything_bent_does_not_verify(
    payload: bytes | str, other: bytes | str, secret: str, wrong: str, timestamp: int, later: int
) -> None:
    def raw(text: bytes | str) -> bytes:
        return text.encode() if isinstance(text, str) else text

    header = webhooks.sign(payload, secret, timestamp)
    assert verifies(other, header, secret) is (raw(other) == raw(payload))
    assert verifies(payload, header, wrong) is (wrong == secret)
    assert verifies(payload, header.replace(f"t={timestamp},", f"t={later},"), secret) is (later == timestamp)


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_a_signature_with_one_other_digit_does_not_verify(at: int, digit: str) -> None:
    head, _, signature = webhooks.sign(b"{}", SECRET, 1).rpartition("=")
    bent = signature[:at] + digit + signature[at + 1 :]
    assert verifies(b"{}", f"{head}={bent}", SECRET) is (bent == signature)


fragments = st.sampled_from(
    ["t=", "v1=", "v0=", ",", "=", "1767225600", "-1", "é", "\ud800", " ", "\0", "t", "v1", "²", "\u0661"]
)
headers = st.text() | st.lists(fragments | st.text(max_size=3), max_size=8).map("".join) | st.binary() | st.none()


@given(payloads, headers)
def test_a_header_with_anything_in_it_raises_nothing_else(
    payload: bytes | str, header: Any
) -> None:  # Any: bent things
    assert verifies(payload, header, SECRET) is False


valid = webhooks.sign("{}", SECRET, 1767225600)
bends = st.lists(
    st.sampled_from([*valid.split(","), "v1=abc", "v0=abc", "t=1", "t= 1767225600 ", "t=1_767_225_600", "x", "", "v1="])
    | st.text(st.characters(max_codepoint=127), max_size=4),
    max_size=6,
).map(",".join)


@given(st.sampled_from(["{}", '{"a": 1}']), bends | headers, st.sampled_from([SECRET, "other", "", " ", None]))
def test_the_verdict_is_the_official_packages_wherever_that_one_does_not_crash(
    payload: str,
    header: Any,
    secret: Any,  # Any: bent things
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
    ("age", "tolerance", "fine"),
    [(299, 300, True), (301, 300, False), (10**6, 0, True), (10**6, None, True), (-500, 300, True), (11, 10.5, False)],
)
def test_an_old_signature_does_not_verify(
    age: int, tolerance: float | None, *, fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    header = webhooks.sign(b"{}", SECRET, 2_000_000_000 - age)
    assert verifies(b"{}", header, SECRET, tolerance) is fine


def test_several_secrets_are_tried_while_one_is_rotated() -> None:
    header = webhooks.sign(b"{}", "whsec_new")
    assert verifies(b"{}", header, ["whsec_old", "whsec_new"])
    assert verifies(b"{}", f"{webhooks.sign(b'{}', 'whsec_a', 5)},v1=00", ("whsec_a",))
    assert not verifies(b"{}", header, ["whsec_old"])
    assert not verifies(b"{}", header, [])


def test_without_a_timestamp_it_is_signed_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.9)
    assert webhooks.sign(b"{}", SECRET).startswith("t=2000000000,v1=")


def test_signatures_equal_the_official_packages() -> None:
    official = stripe.WebhookSignature.generate_signature_header('{"é": 1}', SECRET, 1767225600)
    assert webhooks.sign('{"é": 1}', SECRET, 1767225600) == official
    assert webhooks.sign('{"é": 1}'.encode(), SECRET, 1767225600) == official


def test_parsed_json_is_refused_since_it_is_not_what_was_signed() -> None:
    parsed: Any = EVENT  # Any: the mistake
    with pytest.raises(pinstripe.InvalidArgumentError, match="raw body"):
        webhooks.verify(parsed, "t=1,v1=a", SECRET)


# --- events -----------------------------------------------------------------------------------------------------------


def delivered(event: Any) -> Any:  # Any: JSON; an event
    payload = json.dumps(event).encode()
    return webhooks.construct_event(payload, webhooks.sign(payload, SECRET), SECRET)


def test_an_event_arrives_as_its_type() -> None:
    event = delivered(EVENT)
    assert type(event) is pinstripe.events.CustomerCreatedEvent
    assert isinstance(event, pinstripe.models.Event)
    assert isinstance(event.data.object, pinstripe.models.Customer)
    assert event.data.object.id == "cus_1"


def test_an_event_type_that_nobody_knows_is_an_event_whose_object_is_decoded() -> None:
    event = delivered({**EVENT, "type": "customer.teleported"})
    assert type(event) is pinstripe.models.Event
    assert isinstance(event.data.object, pinstripe.models.Customer)
    odd = delivered({**EVENT, "data": {"object": {"object": "hologram", "id": "holo_1", "colour": "blue"}}})
    assert isinstance(odd.data.object, pinstripe.StripeObject)


def test_what_changed_is_there() -> None:
    data = {**EVENT["data"], "previous_attributes": {"email": None}}  # type: ignore[dict-item]  # JSON
    assert delivered({**EVENT, "type": "customer.updated", "data": data}).data.previous_attributes == {"email": None}


def test_a_wrong_signature_gives_no_event() -> None:
    payload = json.dumps(EVENT)
    with pytest.raises(SignatureVerificationError):
        webhooks.construct_event(payload, webhooks.sign(payload, "whsec_other"), SECRET)


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"{", b'{"object": "customer"}', b"\xff"])
def test_a_signed_payload_that_is_no_event_says_so(payload: bytes) -> None:
    with pytest.raises(pinstripe.ResponseValidationError) as caught:
        webhooks.construct_event(payload, webhooks.sign(payload, SECRET), SECRET)
    assert caught.value.body == payload


def test_a_thin_event_says_which_function_to_call() -> None:
    with pytest.raises(pinstripe.InvalidArgumentError, match="parse_event_notification"):
        delivered({"object": "v2.core.event", "id": "evt_1", "type": "v1.billing.meter.no_meter_found"})


def test_every_event_type_has_a_class_of_its_own() -> None:
    from pinstripe.models._event_types import EVENT_TYPES

    assert set(EVENT_TYPES) == set(facts.load().events)
    for event_type, (name, _, _) in EVENT_TYPES.items():
        cls = getattr(pinstripe.events, name)
        assert cls is pinstripe.events.class_for(event_type)
        assert cls.__name__ == name
        assert type(delivered({**EVENT, "type": event_type})) is cls
    with pytest.raises(AttributeError):
        pinstripe.events.InvoicePayedEvent  # type: ignore[attr-defined]  # noqa: B018  # the mistake


def test_an_event_can_be_kept_and_decoded_again() -> None:
    event = delivered(EVENT)
    again = pinstripe.decode(event.model_dump_json(by_alias=True, exclude_unset=True))
    assert again == event
    assert type(again) is type(event)
