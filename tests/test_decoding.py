"""Drift: responses and events that do not match the API description are decoded, and each difference is reported."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pinstripe
from pinstripe import Drift, _decoding, _differences, _lenient, decode
from pinstripe._base import ListObject, validator
from pinstripe.models import Customer, ExchangeRate, Subscription
from pinstripe.types import JSON
from tests.torture_scale import scale

SAMPLES = {
    path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "samples").glob("*.json"))
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
names = st.sampled_from(["cls", "_fields_set", "self", "object", "deleted", "data", "model_config", "__dict__", "id"])


def sample(name: str) -> dict[str, Any]:  # Any: JSON
    raw: dict[str, Any] = copy.deepcopy(SAMPLES[name])
    return raw


def dumped(model: pinstripe.StripeModel) -> str:
    return exact(json.loads(model.model_dump_json(by_alias=True, exclude_unset=True)))


def exact(value: JSON) -> str:
    """Return a text that is the same for the same JSON alone: in it 0 is not 0.0."""
    return json.dumps(value, sort_keys=True)


@pytest.fixture(autouse=True)
def _nothing_logged_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_decoding, "_logged", set())
    monkeypatch.setattr(_decoding, "_logged_versions", set())


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "pinstripe._decoding"]


# --- any mutation -----------------------------------------------------------------------------------------------------


def places(value: JSON, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*at, key))


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:  # Any: JSON
    """Return a sample with up to four fields or items removed, replaced or added."""
    raw = sample(draw(st.sampled_from(sorted(SAMPLES))))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from([path for path in places(raw) if path] or [("id",)]))
        node: Any = raw
        for step in path[:-1]:
            node = node[step]
        match draw(st.sampled_from(["remove", "replace", "null", "retype", "add"])):
            case "remove":
                del node[path[-1]]
            case "replace":
                node[path[-1]] = draw(json_values)
            case "null":
                node[path[-1]] = None
            case "retype":
                node[path[-1]] = draw(st.sampled_from([0, 1.5, "x", True, [], {}, [node[path[-1]]], {"a": 1}]))
            case _ if isinstance(node, dict):
                node[draw(names | st.text())] = draw(json_values)
    return raw


def decoded_with_drifts(raw: dict[str, Any], form: Callable[[Any], Any]) -> tuple[pinstripe.StripeModel, list[Drift]]:
    drifts: list[Drift] = []
    return decode(form(raw), on_drift=drifts.append), drifts


@settings(max_examples=scale(12_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_mutated_sample_decodes_and_dumps_the_same_json(raw: dict[str, Any]) -> None:
    expected = exact(raw)
    for form in (lambda raw: raw, json.dumps):
        model = decode(form(raw))
        assert dumped(model) == expected
        assert model == decode(form(raw))


@settings(max_examples=scale(12_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_the_differences_that_decoding_meets_are_those_of_the_careful_walk(raw: dict[str, Any]) -> None:
    model = _decoding.model_for(raw)
    walked = {difference for difference, _ in _differences.find_drifts(model, raw)}
    validate = _lenient.lenient_validator(model)
    assert _lenient.noting(validate.validate_json, json.dumps(raw))[1] == walked
    assert _lenient.noting(validate.validate_python, raw)[1] == walked


def test_decoding_notes_no_keys_of_maps() -> None:
    raw = {**sample("customer"), "metadata": {"order": 1}}
    validate = _lenient.lenient_validator(Customer).validate_json
    _, met = _lenient.noting(validate, json.dumps(raw))
    assert met == {_lenient.Difference("Customer", "metadata.*", "type")}


@pytest.mark.parametrize("name", SAMPLES)
def test_json_that_matches_is_decoded_as_by_the_strict_validator(name: str) -> None:
    text = json.dumps(SAMPLES[name])
    lenient, strict = decode(text), decode(text, validation="strict")
    assert lenient == strict
    assert repr(lenient) == repr(strict)
    assert lenient.model_fields_set == strict.model_fields_set


def test_the_lenient_validators_leave_the_strict_ones_as_they_are() -> None:
    before = validator(Subscription)
    raw = sample("subscription")
    del raw["billing_mode"]
    decode(raw)
    assert validator(Subscription) is before
    with pytest.raises(pinstripe.ResponseValidationError):
        decode(raw, validation="strict")


def test_the_items_of_a_page_keep_what_does_not_match() -> None:
    good, bad = sample("subscription"), {**sample("subscription"), "status": "hibernating", "created": "yesterday"}
    drifts: list[Drift] = []
    content = json.dumps({"object": "list", "data": [good, bad, 5], "has_more": False, "url": "/"})
    page: Any = _decoding.decode_as(_page_of(Subscription), content, on_drift=drifts.append)
    assert [type(item) for item in page.data] == [Subscription, Subscription, int]
    assert [(drift.model, drift.path, drift.kind) for drift in drifts] == [
        ("Subscription", "data[].created", "type"),
        ("Subscription", "data[].status", "value"),
        ("ListObject", "data[]", "type"),
    ]


def _page_of(model: Any) -> Any:  # Any: an annotation
    page: Any = ListObject
    return page[model]


# --- single traps -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cls", "_fields_set", "self", "values", "model_config", "__class__"])
def test_an_unknown_field_can_have_any_name(name: str) -> None:
    raw = {**sample("charge"), name: "unknown", "amount": "much"}
    assert dumped(decode(raw)) == exact(raw)
    assert dumped(decode(json.dumps(raw))) == exact(raw)


def test_zero_in_a_float_field_stays_zero() -> None:
    raw = {"object": "exchange_rate", "id": "usd", "rates": {"eur": 0, "chf": 0.0, "jpy": 151}}
    rate = decode(json.dumps(raw), validation="strict")
    assert isinstance(rate, ExchangeRate)
    assert dumped(rate) == exact(raw)


@pytest.mark.parametrize("validation", ["warn", "strict"])
def test_three_thousand_nested_objects_raise_no_recursion_error(validation: Any) -> None:  # Any: the literal
    raw: dict[str, Any] = sample("charge")
    for _ in range(3_000):
        raw = {"object": "charge", "id": "ch_1", "payment_intent": {"object": "payment_intent", "latest_charge": raw}}
    try:
        charge = decode(raw, validation=validation)
    except pinstripe.ResponseValidationError:
        assert validation == "strict"
    else:
        assert charge.model_dump(include={"id"}) == {"id": "ch_1"}


def test_json_that_is_nested_too_deeply_is_a_clear_error() -> None:
    with pytest.raises(pinstripe.ResponseValidationError, match="nested too deeply"):
        decode('{"object": "charge", "x": ' + "[" * 100_000 + "]" * 100_000 + "}")


def test_a_callback_that_raises_does_not_lose_the_response(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Drift] = []

    def on_drift(drift: Drift) -> None:
        seen.append(drift)
        raise RuntimeError("broken callback")

    charge = decode({**sample("charge"), "amount": "much", "paid": "yes"}, on_drift=on_drift)
    assert charge.model_dump()["amount"] == "much"
    assert [drift.path for drift in seen] == ["amount", "paid"]
    assert any("broken callback" in (record.exc_text or "") for record in caplog.records)


def test_paths_do_not_contain_the_keys_of_maps(caplog: pytest.LogCaptureFixture) -> None:
    drifts: list[Drift] = []
    for start in (0, 10):
        metadata = {f"order-{start + number}": number for number in range(10)}
        decode({**sample("customer"), "metadata": metadata}, on_drift=drifts.append)
    assert {drift.path for drift in drifts} == {"metadata.*"}
    assert len(drifts) == 20
    assert len(warnings(caplog)) == 1


def test_the_same_difference_in_many_places_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    for number in range(20):
        decode({**sample("charge"), "amount": f"much{number}"})
        decode({**sample("payment_intent"), "latest_charge": {**sample("charge"), "amount": "much"}})
    assert len(warnings(caplog)) == 1


def test_a_difference_that_was_logged_needs_no_careful_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[object] = []
    find = _differences.find_drifts

    def observed(target: Any, value: JSON) -> Any:  # Any: as in find_drifts
        walks.append(target)
        return find(target, value)

    monkeypatch.setattr(_differences, "find_drifts", observed)
    for _ in range(5):
        decode({**sample("charge"), "amount": "much"})
    assert len(walks) == 1
    decode({**sample("charge"), "amount": "much"}, on_drift=lambda drift: None)
    assert len(walks) == 2


@pytest.mark.parametrize("text", [r'"\ud800"', r'"a\udfffb"', r'["\udc00", {"a": "\udbff"}]'], ids=ascii)
@pytest.mark.parametrize("field", ["id", "name", "metadata", "unknown"])
def test_a_lone_surrogate_is_decoded_and_dumped(text: str, field: str) -> None:
    raw = {**sample("customer"), field: json.loads(text)}
    for data in (json.dumps(raw), raw):
        customer = decode(data)
        assert isinstance(customer, Customer)
        assert dumped(customer) == exact(raw)


def test_a_lone_surrogate_can_be_part_of_the_name_of_a_field_or_of_a_key() -> None:
    raw = {**sample("customer"), "\ud800": 1, "metadata": {"\udfff": "x"}, "address": {"city": "x", "\udfff": 2}}
    customer = decode(json.dumps(raw))
    assert isinstance(customer, Customer)
    assert customer.email == raw["email"]
    assert customer.metadata == raw["metadata"]
    assert customer.model_extra == {"\ud800": 1}


# --- API versions -----------------------------------------------------------------------------------------------------


def old_event(version: str | None = "2020-08-27", number: int = 1) -> dict[str, Any]:  # Any: JSON
    subscription = sample("subscription")
    for name in ("billing_mode", "collection_method", "automatic_tax", "discounts"):
        del subscription[name]
    event = {**sample("event"), "id": f"evt_{number}", "type": "customer.subscription.updated"}
    return {**event, "api_version": version, "data": {"object": subscription}}


def test_an_event_of_another_api_version_is_logged_once_and_not_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        decode(old_event(number=number))
    (message,) = warnings(caplog)
    assert message.startswith(
        f"event evt_0 was rendered for API version 2020-08-27, this package describes {pinstripe.API_VERSION}: "
    )
    assert "(and 1 more)" in message
    assert "create a webhook endpoint with this version" in message
    decode(old_event("2019-02-19"))
    assert len(warnings(caplog)) == 2


def test_a_webhook_of_another_api_version_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    payload = json.dumps(old_event())
    for _ in range(3):
        header = pinstripe.webhooks.sign(payload, "whsec_x")
        event = pinstripe.webhooks.construct_event(payload, header, "whsec_x")
    assert event.data.object.model_dump()["object"] == "subscription"
    assert [message.split(",")[0] for message in warnings(caplog)] == [
        "event evt_1 was rendered for API version 2020-08-27"
    ]


def test_an_event_of_this_api_version_is_logged_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    decode(old_event(pinstripe.API_VERSION))
    assert len(warnings(caplog)) == 4


def test_an_event_of_another_api_version_without_differences_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    decode({**old_event(), "data": {"object": sample("subscription")}})
    assert warnings(caplog) == []


def test_an_on_drift_callback_gets_each_drift_of_an_event_of_another_api_version() -> None:
    drifts: list[Drift] = []
    for number in range(2):
        decode(old_event(number=number), on_drift=drifts.append)
    assert len(drifts) == 8


def test_strict_validation_names_the_api_version_of_an_event() -> None:
    with pytest.raises(pinstripe.ResponseValidationError, match=r"event evt_1 was rendered for API version 2020-08-27"):
        decode(old_event(), validation="strict")


def test_a_page_of_events_names_the_event_of_another_api_version(caplog: pytest.LogCaptureFixture) -> None:
    events = [old_event(pinstripe.API_VERSION, 1), old_event(number=2)]
    content = json.dumps({"object": "list", "data": events, "has_more": False, "url": "/v1/events"})
    _decoding.decode_as(_page_of(pinstripe.models.Event), content)
    (message,) = warnings(caplog)
    assert message.startswith("event evt_2 was rendered for API version 2020-08-27")


def test_a_response_of_another_api_version_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    content = json.dumps(old_event()["data"]["object"])

    def respond(request: httpx.Request) -> httpx.Response:
        headers = {"Stripe-Version": request.headers["Stripe-Version"], "Request-Id": "req_1"}
        return httpx.Response(200, content=content, headers=headers)

    client = pinstripe.Client(
        "sk_test_x", api_version="2020-08-27", http_client=httpx.Client(transport=httpx.MockTransport(respond))
    )
    for _ in range(3):
        client.subscriptions.retrieve("sub_1")
    (message,) = warnings(caplog)
    assert message.startswith(
        f"the response was rendered for API version 2020-08-27, this package describes {pinstripe.API_VERSION}: "
    )
