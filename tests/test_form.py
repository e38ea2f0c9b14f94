"""Encoding and decoding of nested parameters."""

from __future__ import annotations

import enum
import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from pinstripe import InvalidArgumentError, Ref
from pinstripe.form import decode, encode, pairs, to_json
from pinstripe.models import Customer
from pinstripe.types import JSON

# A lone surrogate cannot be encoded as UTF-8.
text = st.text(st.characters(exclude_categories=["Cs"]))
# A dict with the keys 0, 1, 2, ... is encoded like a list, so it is decoded as one.
keys = text.filter(lambda key: key and not key.isdigit())


def structures(leaves: st.SearchStrategy[JSON]) -> st.SearchStrategy[JSON]:
    """Generate nested dicts and lists of these values; none empty, since a form cannot express that."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(keys, inner, min_size=1, max_size=4),
        max_leaves=12,
    )


names = st.text(st.characters(categories=["Ll", "Lu"], include_characters="_"), min_size=1)
params = st.dictionaries(names, structures(text), max_size=5)


@given(params)
def test_decoding_is_the_inverse_of_encoding(structure: dict[str, JSON]) -> None:
    assert decode(encode(structure)) == structure


@given(params)
def test_an_encoded_form_is_ascii_and_a_valid_form(structure: dict[str, JSON]) -> None:
    encoded = encode(structure)
    assert encoded.isascii()
    assert " " not in encoded
    assert [value for _, value in parse_qsl(encoded, keep_blank_values=True)] == [
        value for _, value in pairs(structure)
    ]


cents = st.integers(-(10**9), 10**9).map(lambda number: Decimal(number) / 100)
plain = text | st.integers() | cents
times = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, timezone.utc))
# In lists, the official encoder writes booleans and times as Python prints them. It does not escape brackets in keys, which
# Stripe does not accept.
unlisted = plain | st.booleans() | times
unbracketed = keys.filter(lambda key: "[" not in key and "]" not in key)
nested = st.recursive(
    st.lists(plain, max_size=3) | unlisted,
    lambda inner: (
        st.dictionaries(unbracketed, inner, max_size=3)
        | st.lists(st.dictionaries(unbracketed, inner, max_size=3), max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(names, nested, max_size=5))
def test_the_pairs_equal_those_of_the_official_package(structure: dict[str, JSON]) -> None:
    expected = [(key, str(value)) for key, value in _api_encode(structure)]
    assert pairs(structure) == expected


class Color(enum.Enum):
    RED = "red"


class Interval(str, enum.Enum):
    MONTH = "month"


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ({"a": {"b": ["c"]}}, "a[b][0]=c"),
        ({"items": [{"price": "price_1", "quantity": 2}]}, "items[0][price]=price_1&items[0][quantity]=2"),
        ({"a": True, "b": False}, "a=true&b=false"),
        ({"a": [True]}, "a[0]=true"),
        ({"name": None}, "name="),
        ({"metadata": {"key": None}}, "metadata[key]="),
        ({"a": -3, "b": 0}, "a=-3&b=0"),
        ({"percent": 12.5}, "percent=12.5"),
        ({"a": Decimal("0.10"), "b": Decimal("1E+3")}, "a=0.10&b=1000"),
        ({"at": datetime(2026, 1, 1, tzinfo=timezone.utc)}, "at=1767225600"),
        ({"at": datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))}, "at=1767225600"),
        ({"customer": Ref("cus_1")}, "customer=cus_1"),
        ({"customer": Customer.model_construct(id="cus_1")}, "customer=cus_1"),
        ({"a": Color.RED, "b": Interval.MONTH}, "a=red&b=month"),
        ({"a": ("x", "y")}, "a[0]=x&a[1]=y"),
        ({"a": [], "b": {}, "c": "d"}, "c=d"),
        ({"z": "1", "a": "2"}, "z=1&a=2"),
        ({"q": "a b&c=d+é"}, "q=a%20b%26c%3Dd%2B%C3%A9"),
        ({"metadata": {"a b&": "c"}}, "metadata[a%20b%26]=c"),
        ({"metadata": {"user.id": "1"}}, "metadata[user.id]=1"),
    ],
)
def test_each_type_of_value_is_encoded_as_stripe_expects(value: dict[str, JSON], encoded: str) -> None:
    assert encode(value) == encoded


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"at": datetime(2026, 1, 1)}, "at"),  # noqa: DTZ001  # naive, which is the error under test
        ({"card": {"exp": [b"12"]}}, "card[exp][0]"),
        ({"a": {"b": {1, 2}}}, "a[b]"),
        ({"a": object()}, "a"),
        ({"day": date(2026, 1, 1)}, "day"),
        ({"a": float("nan")}, "a"),
        ({"a": Decimal("Infinity")}, "a"),
        ({"metadata": {1: "x"}}, "metadata"),
        ({"metadata": {"": "x"}}, "metadata"),
    ],
)
def test_a_value_that_cannot_be_encoded_raises_an_error_that_names_the_parameter(
    value: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        encode(value)
    assert caught.value.param == field
    assert field in str(caught.value)


def test_a_structure_that_contains_itself_raises_an_error() -> None:
    loop: dict[str, JSON] = {}
    loop["again"] = loop
    with pytest.raises(InvalidArgumentError, match="nested too deep"):
        encode({"a": loop})


def test_a_lone_surrogate_raises_an_error() -> None:
    with pytest.raises(InvalidArgumentError, match="lone surrogate"):
        encode({"a": "\ud800"})


@pytest.mark.parametrize(
    ("body", "structure"),
    [
        ("expand[]=a&expand[]=b", {"expand": ["a", "b"]}),
        ("a%5Bb%5D=c+d", {"a": {"b": "c d"}}),
        ("a[1]=x&a[0]=y", {"a": {"1": "x", "0": "y"}}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("", {}),
        ("a", {"a": ""}),
        ("[]=1&]=2&a[b=3", {"[]": "1", "]": "2", "a[b": "3"}),
    ],
)
def test_the_forms_of_other_clients_are_decoded(body: str, structure: dict[str, JSON]) -> None:
    assert decode(body) == structure


@given(st.binary() | st.text())
def test_any_bytes_can_be_decoded(body: bytes | str) -> None:
    assert isinstance(decode(body), dict)


def test_json_for_v2_has_rfc_3339_times_decimal_strings_and_nulls() -> None:
    sent = to_json(
        {
            "at": datetime(2026, 1, 1, tzinfo=timezone.utc),
            "amount": {"value": 100, "currency": "usd"},
            "rate": Decimal("0.10"),
            "name": None,
            "list": [True, "é", {"customer": Ref("cus_1")}],
        }
    )
    assert json.loads(sent) == {
        "at": "2026-01-01T00:00:00Z",
        "amount": {"value": 100, "currency": "usd"},
        "rate": "0.10",
        "name": None,
        "list": [True, "é", {"customer": "cus_1"}],
    }
    with pytest.raises(InvalidArgumentError, match=r"a\[0\]"):
        to_json({"a": [b"x"]})


@given(
    st.dictionaries(
        text.filter(bool),
        st.recursive(
            st.none() | st.booleans() | text | st.integers(),
            lambda inner: st.lists(inner) | st.dictionaries(text, inner),
            max_leaves=10,
        ),
    )
)
def test_parsing_json_is_the_inverse_of_encoding_it(structure: dict[str, JSON]) -> None:
    assert json.loads(to_json(structure)) == structure
