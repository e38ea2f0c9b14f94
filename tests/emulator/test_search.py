"""Stripe's search language, for the resources that have it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pinstripe
from pinstripe.emulator.operations._search import parse_query


@pytest.fixture
def people(client: pinstripe.Client) -> dict[str, str]:
    ids = {}
    for name, city in (("Jane Doe", "Paris"), ("John Doe", "Rome"), ("Ann", "Paris")):
        ids[name] = client.customers.create(
            name=name, email=f"{name.split()[0].lower()}@example.com", metadata={"city": city}
        ).id
    return ids


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name:'Ann'", {"Ann"}),
        ('name:"ann"', {"Ann"}),
        ("name~'doe'", {"Jane Doe", "John Doe"}),
        ("-name~'doe'", {"Ann"}),
        ("metadata['city']:'Paris'", {"Jane Doe", "Ann"}),
        ("metadata['city']:'Paris' AND name~'jane'", {"Jane Doe"}),
        ("name:'Ann' OR metadata['city']:'Rome'", {"Ann", "John Doe"}),
        ("phone:null", {"Jane Doe", "John Doe", "Ann"}),
        ("-metadata['none']:null", set()),
        ("created>1767225600", {"Jane Doe", "John Doe", "Ann"}),
        ("created<1767225600", set()),
    ],
)
def test_a_search_returns_the_matching_objects(
    client: pinstripe.Client, people: dict[str, str], query: str, names: set[str]
) -> None:
    assert {item.name for item in client.customers.search(query=query)} == names


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_search_results_are_paginated(client: pinstripe.Client, people: dict[str, str], limit: int) -> None:
    query = "name:'Ann' OR name~'doe'"
    ids = [customer.id for customer in client.customers.search(query=query, limit=limit)]
    assert sorted(ids) == sorted(people.values())


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "empty"),
        ("name", "near 'name'"),
        ("nickname:'x'", "cannot be searched for"),
        ("name:'a' AND email:'b' OR phone:'c'", "cannot be used in one query"),
        ("name~'ab'", "3 letters"),
        ("created>'soon'", "compares numbers"),
        ("metadata:'x'", "by key"),
        ("name:'a' AND", "ends too early"),
    ],
)
def test_an_invalid_query_is_refused_with_its_reason(client: pinstripe.Client, query: str, words: str) -> None:
    with pytest.raises(pinstripe.InvalidRequestError, match=words) as caught:
        client.customers.search(query=query or " ")
    assert caught.value.param == "query"


@pytest.mark.parametrize(
    ("object_type", "query", "match"),
    [
        ("charge", "payment_method_details.card.last4:4242", {"payment_method_details": {"card": {"last4": "4242"}}}),
        ("invoice", "total>=100 AND status:'open'", {"total": 100, "status": "open"}),
        ("invoice", "subscription:'sub_1'", {"parent": {"subscription_details": {"subscription": "sub_1"}}}),
        ("payment_intent", "amount<=5", {"amount": 5}),
        ("price", "active:'true' AND lookup_key:'gold'", {"active": True, "lookup_key": "gold"}),
        ("product", "shippable:null", {"shippable": None}),
        ("subscription", "status:'active'", {"status": "active"}),
    ],
)
def test_each_resource_has_its_own_search_fields(object_type: str, query: str, match: dict[str, object]) -> None:
    assert parse_query(object_type, query)(match)


@given(st.text(min_size=1, max_size=20))
def test_any_text_can_be_searched_for(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert parse_query("customer", f"name:'{quoted}'")({"name": text})
    assert not parse_query("customer", f"-name:'{quoted}'")({"name": text})
