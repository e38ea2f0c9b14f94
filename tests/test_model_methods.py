"""The methods of every model: dictionaries, JSON, reprs, hashes, copies; and the times of API v2."""

from __future__ import annotations

import copy
import json
import pickle
import re
import typing
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import pinstripe
from pinstripe import decode
from pinstripe._repr import is_secret
from pinstripe._scalars import ExactDateTime
from pinstripe.models import (
    AccountLink,
    BillingPortalSession,
    Customer,
    EphemeralKey,
    Invoice,
    PaymentIntent,
    V2CoreAccount,
    WebhookEndpoint,
)
from pinstripe.types import JSON

SAMPLES: dict[str, dict[str, JSON]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "samples").glob("*.json"))
}
any_text = st.text(st.characters(exclude_categories=()))  # with surrogates
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)


def models_in(value: object) -> Iterator[pinstripe.StripeModel]:
    """Return a model and all models in it."""
    if isinstance(value, pinstripe.StripeModel):
        yield value
        for inner in value.__dict__.values():
            yield from models_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from models_in(inner)


# --- to_dict and to_json ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_to_dict_and_to_json_return_the_json_that_was_decoded(name: str) -> None:
    model = decode(SAMPLES[name])
    assert model.to_dict() == SAMPLES[name]
    assert json.loads(json.dumps(model.to_dict())) == SAMPLES[name]
    assert json.loads(model.to_json()) == SAMPLES[name]
    assert decode(model.to_dict()) == decode(model.to_json()) == model
    for inner in models_in(model):
        assert json.loads(json.dumps(inner.to_dict())) == json.loads(inner.to_json())


def test_the_dict_of_a_model_contains_only_the_types_of_json() -> None:
    def types(value: JSON) -> set[type]:
        inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        return {type(value)}.union(*map(types, inner))

    for name in SAMPLES:
        assert types(decode(SAMPLES[name]).to_dict()) <= {dict, list, str, int, float, bool, type(None)}


def test_changing_the_dict_of_a_model_does_not_change_the_model() -> None:
    customer = decode({**SAMPLES["customer"], "metadata": {"a": "1"}})
    customer.to_dict()["metadata"]["a"] = "2"
    assert customer.to_dict()["metadata"] == {"a": "1"}


@given(st.dictionaries(any_text, json_values, max_size=5))
def test_text_with_unpaired_surrogates_is_dumped_as_it_was_decoded(raw: dict[str, JSON]) -> None:
    for data in (raw, {**SAMPLES["customer"], "metadata": {"user": raw}, "new": raw}):
        expected = json.loads(json.dumps(data))
        for model in (decode(data), decode(json.dumps(data))):
            assert model.to_dict() == expected
            assert json.loads(model.to_json()) == expected
            assert json.loads(model.model_dump_json(by_alias=True, exclude_unset=True, indent=2)) == expected


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ue000d800", "\ue000\ud800\ue000"])
def test_an_unpaired_surrogate_in_a_typed_field_or_a_key_is_dumped(text: str) -> None:
    raw = {**SAMPLES["customer"], "description": text, "name": "Ada", "metadata": {text: text}}
    model = decode(json.dumps(raw))
    assert isinstance(model, Customer)
    assert model.description == text
    assert json.loads(model.to_json()) == model.to_dict() == raw


# --- reprs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_a_repr_is_one_line_that_fits_a_terminal(name: str) -> None:
    for model in models_in(decode(SAMPLES[name])):
        assert len(repr(model)) <= 100
        assert "\n" not in repr(model)


def test_a_repr_shows_the_id_and_what_tells_objects_of_a_type_apart() -> None:
    invoice = decode(SAMPLES["invoice"])
    assert repr(invoice).startswith("Invoice(id='in_1PgcRt', status='paid', total=2000,")
    assert repr(invoice).endswith(", ...)")
    assert repr(decode({"object": "hologram", "id": "holo_1", "color": "blue"})) == (
        "StripeObject(id='holo_1', object='hologram', ...)"
    )
    assert isinstance(invoice, Invoice)
    assert repr(invoice.automatic_tax) == "InvoiceAutomaticTax(enabled=False)"
    assert repr(invoice.lines).startswith("ListObject(data=[1 of InvoiceLineItem], has_more=False")


def test_long_text_is_cut_in_a_repr() -> None:
    assert len(repr(decode({"object": "customer", "id": "cus_1", "name": "x" * 10_000}))) <= 100


SECRET = "sk_test_a_secret_value"  # not a key
WITH_SECRETS = {
    "payment_intent": {**SAMPLES["payment_intent"], "client_secret": SECRET},
    "setup_intent": {**SAMPLES["setup_intent"], "client_secret": SECRET},
    "checkout_session": {**SAMPLES["checkout.session"], "client_secret": SECRET},
    "webhook_endpoint": {**SAMPLES["webhook_endpoint"], "secret": SECRET},
    "invoice": {**SAMPLES["invoice"], "confirmation_secret": {"client_secret": SECRET, "type": "payment_intent"}},
    "ephemeral_key": {
        "id": "ephkey_1",
        "object": "ephemeral_key",
        "secret": SECRET,
        "created": 1,
        "expires": 2,
        "livemode": False,
    },
    "connection_token": {"object": "terminal.connection_token", "secret": SECRET},
    "account_link": {"object": "account_link", "created": 1, "expires_at": 2, "url": SECRET},
    "portal": {"object": "billing_portal.session", "id": "bps_1", "url": SECRET},
    "app_secret": {"object": "apps.secret", "id": "x", "name": "n", "payload": SECRET},
    "card": {"object": "issuing.card", "number": SECRET, "cvc": SECRET},
    "meter_session": {"object": "v2.billing.meter_event_session", "authentication_token": SECRET},
    "event_destination": {"object": "v2.core.event_destination", "webhook_endpoint": {"signing_secret": SECRET}},
    "unknown": {"object": "hologram", "client_secret": SECRET, "access_token": SECRET},
    "expanded": {**SAMPLES["invoice"], "charge": {"object": "hologram", "id": "x", "client_secret": SECRET}},
    "event": {**SAMPLES["event"], "data": {"object": {**SAMPLES["webhook_endpoint"], "secret": SECRET}}},
}


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_secrets_are_in_no_repr_and_stay_in_dumps(name: str) -> None:
    model = decode(WITH_SECRETS[name])
    for inner in models_in(model):
        assert SECRET not in f"{inner!r} {inner} {[inner]}"
    assert model.to_dict() == WITH_SECRETS[name]
    assert SECRET in model.to_json()


def test_a_secret_is_masked_where_it_would_be_shown() -> None:
    assert repr(decode(WITH_SECRETS["connection_token"])) == "TerminalConnectionToken(secret='***')"
    invoice = decode(WITH_SECRETS["invoice"])
    assert isinstance(invoice, Invoice)
    assert repr(invoice.confirmation_secret) == (
        "InvoiceConfirmationSecret(type='payment_intent', client_secret='***')"
    )
    for cls in (PaymentIntent, WebhookEndpoint, EphemeralKey):
        assert is_secret(cls.__name__, "client_secret" if cls is PaymentIntent else "secret")
    assert is_secret(AccountLink.__name__, "url")
    assert is_secret(BillingPortalSession.__name__, "url")
    assert not is_secret("Invoice", "number")


# Fields whose names resemble those of secrets, and which are none: numbers for people, kinds, counts, references.
NO_SECRETS = re.compile(
    r"lookup_key|idempotency_key|event_payload_key|localization_key|publishable_key|key|(event_)?payload|token|token_type"
    r"|card_number_source|credential_usage|(stored|setup)_credential_usage|token_[a-z_]+|cvc_[a-z]+|\w*_cvc_\w*"
    r"|tokenization_method|shipping\w*|tipping\w*|\w*_(tipping|provided)|wallet_token_\w+|network_token\w*"
)
SUSPICIOUS = re.compile(
    r"secret|password|token|passphrase|credential|private|(^|_)key($|_)|cvc|(^|_)pin($|_)|payload|iban$"
)


def test_every_text_field_with_the_name_of_a_secret_is_masked_or_known_to_be_none() -> None:
    unclear = set()
    for name in dir(pinstripe.models):
        model = getattr(pinstripe.models, name)
        if isinstance(model, type) and issubclass(model, pinstripe.StripeModel):
            for field, info in model.model_fields.items():
                is_text = info.annotation is str or str in typing.get_args(info.annotation)
                if (
                    is_text
                    and SUSPICIOUS.search(field)
                    and not is_secret(name, field)
                    and not NO_SECRETS.fullmatch(field)
                ):
                    unclear.add(f"{name}.{field}")
    assert unclear == set()


# --- hashes, equality, copies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_equal_models_have_equal_hashes(name: str) -> None:
    model, twin = decode(SAMPLES[name]), decode(json.dumps(SAMPLES[name]))
    for first, second in zip(models_in(model), models_in(twin), strict=True):
        assert first == second
        assert hash(first) == hash(second) == hash(pickle.loads(pickle.dumps(first)))
        assert {first: 1}[second] == 1
        assert len({first, second}) == 1


def test_models_with_and_without_an_id_can_be_members_of_sets() -> None:
    first, second = decode(SAMPLES["customer"]), decode({**SAMPLES["customer"], "name": "Grace"})
    assert len({first, second, decode(SAMPLES["invoice"])}) == 3
    plain = [
        decode({"object": "hologram", "color": color, "list": [1], "map": {}}) for color in ("blue", "red", "blue")
    ]
    assert len(set(plain)) == 2
    assert len({hash(model) for model in plain}) == 2


NAMES = """
    cls self _fields_set values data last_response _last_response _source to_dict model_extra __dict__ __class__
    __pydantic_extra__ model_fields_set copy name keys
"""


@given(
    st.sampled_from(["customer", "hologram", "list"]),
    st.dictionaries(st.sampled_from(NAMES.split()), json_values, min_size=1, max_size=4),
)
def test_unknown_fields_with_the_names_of_pythons_own_attributes_are_preserved(
    kind: str, fields: dict[str, JSON]
) -> None:
    known = {"id": "x_1", "created": 1, "livemode": False, "data": [], "has_more": False, "url": "/"}
    raw = {"object": kind, **known, **{name: value for name, value in fields.items() if name not in ("data", "name")}}
    model = decode(raw)
    twins = [copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model)), model.model_copy(), decode(raw)]
    for twin in twins:
        assert twin == model
        assert hash(twin) == hash(model)
        assert twin.to_dict() == json.loads(twin.to_json()) == json.loads(json.dumps(raw))
        assert twin.last_response is None
        assert repr(twin)
    assert copy.copy(model) != decode({**raw, "another": 1})


def test_models_stay_frozen() -> None:
    customer = decode(SAMPLES["customer"])
    for name in ("email", "last_response", "new"):
        with pytest.raises((ValidationError, AttributeError)):
            setattr(customer, name, "x")


# --- times of API v2 --------------------------------------------------------------------------------------------------


def created_of(text: str) -> datetime:
    account = decode({**SAMPLES["v2.core.account"], "created": text})
    assert isinstance(account, V2CoreAccount)
    return account.created


@given(
    st.datetimes(datetime(1000, 1, 1), datetime(9000, 1, 1)).map(lambda value: value.isoformat() + "Z"),  # noqa: DTZ001  # strategies take naive limits
    st.timedeltas(timedelta(days=-90), timedelta(days=90)),
)
def test_a_time_that_was_calculated_can_be_pickled_copied_and_written_as_json(text: str, delta: timedelta) -> None:
    created = created_of(text)
    calculated = [created + delta, created - delta, created.replace(year=2000, day=1), created.astimezone()]
    for time in (created, *calculated):
        for twin in (pickle.loads(pickle.dumps(time)), copy.copy(time), copy.deepcopy(time)):
            assert twin == time
        assert datetime.fromisoformat(cast(Any, time).text.replace("Z", "+00:00")) == time
    assert isinstance(created, ExactDateTime)
    assert created.text == text
    changed = decode(SAMPLES["v2.core.account"]).model_copy(update={"created": created + delta})
    assert created_of(changed.to_dict()["created"]) == created + delta


def test_a_time_beyond_the_range_of_datetime_stays_text() -> None:
    assert created_of("0001-01-01T00:00:00+05:00") == cast(Any, "0001-01-01T00:00:00+05:00")
    assert created_of("2026-01-01T00:00:00Z") == datetime(2026, 1, 1, tzinfo=timezone.utc)
