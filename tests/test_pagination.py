"""Pagination, forwards and backwards, sync and async: lists, searches and API v2."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pinstripe
from pinstripe.models import Customer
from pinstripe.types import JSON


def customer(number: int) -> dict[str, JSON]:
    return {"id": f"cus_{number}", "object": "customer", "created": number, "livemode": False}


def stripe_handler(total: int, requests: list[httpx.Request]) -> Callable[[httpx.Request], httpx.Response]:
    """Return a handler that lists this many customers, newest first, and as many search results and v2 events."""
    customers = [customer(number) for number in range(total, 0, -1)]

    def list_v1(query: httpx.QueryParams) -> dict[str, JSON]:
        ids = [item["id"] for item in customers]
        limit = int(query.get("limit", 10))
        if "ending_before" in query:
            before = customers[: ids.index(query["ending_before"])]
            return {"object": "list", "data": before[-limit:], "has_more": len(before) > limit, "url": "/v1/customers"}
        start = ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
        more = len(customers) > start + limit
        return {"object": "list", "data": customers[start : start + limit], "has_more": more, "url": "/v1/customers"}

    def search(query: httpx.QueryParams) -> dict[str, JSON]:
        start, limit = int(query.get("page", 0)), int(query.get("limit", 10))
        body = {"object": "search_result", "url": "/v1/customers/search", "data": customers[start : start + limit]}
        if start + limit < total:
            return {**body, "has_more": True, "next_page": str(start + limit), "total_count": total}
        return {**body, "has_more": False, "next_page": None, "total_count": total}

    def list_v2(query: httpx.QueryParams) -> dict[str, JSON]:
        start, limit = int(query.get("page", 0)), int(query.get("limit", 10))
        data = [
            {
                "id": item["id"],
                "object": "v2.core.event",
                "type": "x",
                "created": "2026-01-01T00:00:00Z",
                "livemode": False,
            }
            for item in customers[start : start + limit]
        ]
        following = f"/v2/core/events?page={start + limit}&limit={limit}"
        return {"data": data, "next_page_url": following if start + limit < total else None, "previous_page_url": None}

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        kinds = {"/v1/customers": list_v1, "/v1/customers/search": search, "/v2/core/events": list_v2}
        return httpx.Response(200, content=json.dumps(kinds[request.url.path](request.url.params)))

    return handle


def clients(total: int) -> tuple[pinstripe.Client, pinstripe.AsyncClient, list[httpx.Request]]:
    requests: list[httpx.Request] = []
    transport = httpx.MockTransport(stripe_handler(total, requests))
    sync = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=transport), validation="strict")
    async_client = pinstripe.AsyncClient(
        "sk_test_x", http_client=httpx.AsyncClient(transport=transport), validation="strict"
    )
    return sync, async_client, requests


LISTS: dict[str, Callable[[Any, int], Any]] = {  # Any: a client of either kind; its page
    "v1": lambda client, limit: client.customers.list(limit=limit),
    "search": lambda client, limit: client.customers.search(query="email:'a'", limit=limit),
    "v2": lambda client, limit: client.v2.core.events.list(limit=limit),
}


async def collected(pager: Any) -> list[str]:  # Any: an async pager
    return [item.id async for item in pager]


@pytest.mark.parametrize("style", LISTS)
@given(total=st.integers(0, 25), limit=st.integers(1, 30))
def test_iterating_yields_every_item_once_for_every_page_size(style: str, total: int, limit: int) -> None:
    sync, async_client, requests = clients(total)
    expected = [f"cus_{number}" for number in range(total, 0, -1)]
    assert [item.id for item in LISTS[style](sync, limit)] == expected
    assert len(requests) == max(1, -(-total // limit))
    assert asyncio.run(collected(LISTS[style](async_client, limit))) == expected
    assert {request.url.host for request in requests} == {"api.stripe.com"}


@given(total=st.integers(1, 25), limit=st.integers(1, 30), data=st.data())
def test_ending_before_iterates_backwards_to_the_newest_item(total: int, limit: int, data: st.DataObject) -> None:
    edge = data.draw(st.integers(1, total))
    sync, async_client, _ = clients(total)
    expected = [f"cus_{number}" for number in range(edge + 1, total + 1)]
    assert [item.id for item in sync.customers.list(limit=limit, ending_before=f"cus_{edge}")] == expected
    pager = async_client.customers.list(limit=limit, ending_before=f"cus_{edge}")
    assert asyncio.run(collected(pager)) == expected


def test_a_page_has_its_items_and_the_next_page() -> None:
    sync, _, requests = clients(5)
    page = sync.customers.list(limit=2)
    assert [item.id for item in page.data] == ["cus_5", "cus_4"]
    assert isinstance(page.data[0], Customer)
    assert page.has_more
    assert page.last_response.status_code == 200
    second = page.next_page()
    assert [item.id for item in second.data] == ["cus_3", "cus_2"]
    assert [[item.id for item in each.data] for each in page.pages()] == [
        ["cus_5", "cus_4"],
        ["cus_3", "cus_2"],
        ["cus_1"],
    ]
    last = second.next_page()
    assert not last.has_more
    count = len(requests)
    after = last.next_page()
    assert (after.data, after.has_more, list(after), len(requests)) == ([], False, [], count)
    assert "customers" in repr(page)


def test_an_async_list_can_be_awaited_or_iterated_and_sends_no_request_before() -> None:
    _, async_client, requests = clients(5)

    async def use() -> None:
        pager = async_client.customers.list(limit=2)
        assert requests == []
        page = await pager
        assert [item.id for item in page.data] == ["cus_5", "cus_4"]
        assert [item.id for item in (await page.next_page()).data] == ["cus_3", "cus_2"]
        assert [item.id async for item in page] == ["cus_5", "cus_4", "cus_3", "cus_2", "cus_1"]
        assert [len(each.data) async for each in async_client.customers.list(limit=2).pages()] == [2, 2, 1]
        last = await (await page.next_page()).next_page()
        assert (await last.next_page()).data == []

    asyncio.run(use())


def test_a_search_has_the_total_count() -> None:
    sync, _, _ = clients(5)
    assert sync.customers.search(query="email:'a'", limit=2).total_count == 5
    assert sync.customers.list().total_count is None


def test_filters_and_options_are_sent_for_every_page() -> None:
    sync, _, requests = clients(3)
    list(sync.customers.list(limit=1, email="a@b.c", request_options={"stripe_account": "acct_1"}))
    assert len(requests) == 3
    assert {request.url.params["email"] for request in requests} == {"a@b.c"}
    assert {request.headers["stripe-account"] for request in requests} == {"acct_1"}


def test_an_empty_page_ends_the_list_even_if_it_has_more() -> None:
    empty = {"object": "list", "data": [], "has_more": True, "url": "/v1/customers"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=empty))
    client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=transport))
    assert list(client.customers.list()) == []


def client_of(*bodies: JSON) -> tuple[pinstripe.Client, list[httpx.Request]]:
    """Return a client whose requests get these bodies in order, the last one again and again, and its requests."""
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        assert len(requests) < 50, "the list does not end"
        return httpx.Response(200, json=bodies[min(len(requests), len(bodies)) - 1], headers={"request-id": "req_1"})

    return pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=httpx.MockTransport(handle))), requests


def v1_page(*numbers: int, **fields: JSON) -> dict[str, JSON]:
    data = [customer(number) for number in numbers]
    return {"object": "list", "data": data, "has_more": True, "url": "/v1/customers", **fields}


@pytest.mark.parametrize(
    "url",
    [
        ".evil.example/x",
        "@evil.example/x",
        ":x@evil.example/x",
        "//evil.example/x",
        "/\\evil.example/x",
        "https://evil.example/x",
        "https://api.stripe.com/v2/core/events?page=2",
        "v2/core/events?page=2",
        "/v2/core/events?page=2\r\nHost: evil.example",
        "/v2/core/ev ents",
        "/é",
    ],
)
def test_a_next_page_is_a_path_on_the_same_host(url: str) -> None:
    event = {
        "id": "evt_1",
        "object": "v2.core.event",
        "type": "x",
        "created": "2026-01-01T00:00:00Z",
        "livemode": False,
    }
    client, requests = client_of({"data": [event], "next_page_url": url, "previous_page_url": None})
    page = client.v2.core.events.list()
    for fetch in (page.next_page, lambda: list(page)):
        with pytest.raises(pinstripe.APIError, match="not a path on the same host") as caught:
            fetch()
        assert caught.value.request_id == "req_1"
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"object": "list", "has_more": False, "url": "/v1/customers"}, "data is missing"),
        (v1_page(data=None), "data is of type NoneType"),
        (v1_page(data={"0": customer(1)}), "data is of type dict"),
        (v1_page(data="x"), "data is of type str"),
        ({"object": "list", "data": [], "url": "/v1/customers"}, "has_more is missing"),
        (v1_page(1, has_more="false"), "has_more is of type str"),
        (v1_page(1, has_more=None), "has_more is of type NoneType"),
    ],
)
def test_a_page_without_its_items_or_their_end_raises_an_error(body: dict[str, JSON], problem: str) -> None:
    client, _ = client_of(body)
    with pytest.raises(pinstripe.APIError, match=problem) as caught:
        client.customers.list()
    assert caught.value.status_code == 200
    assert caught.value.body


def test_a_v2_page_whose_next_page_has_another_type_raises_an_error() -> None:
    client, _ = client_of({"data": [], "next_page_url": 5, "previous_page_url": None})
    with pytest.raises(pinstripe.APIError, match="next_page_url is of type int"):
        client.v2.core.events.list()


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([v1_page(2, 1)], id="the same page"),
        pytest.param([v1_page(4, 3), v1_page(2, 1), v1_page(4, 3)], id="a cycle of pages"),
    ],
)
def test_a_list_that_repeats_itself_ends_with_an_error(pages: list[JSON]) -> None:
    client, _ = client_of(*pages)
    seen: list[str] = []
    with pytest.raises(pinstripe.APIError, match="repeat themselves"):
        seen.extend(item.id for item in client.customers.list())
    assert len(seen) == len(set(seen))
    with pytest.raises(pinstripe.APIError, match=r"same page"):
        client.customers.list(starting_after=pages[-1]["data"][-1]["id"]).next_page()


def test_a_v2_list_that_repeats_itself_ends_with_an_error() -> None:
    client, _ = client_of({"data": [], "next_page_url": "/v2/core/events?page=2", "previous_page_url": None})
    with pytest.raises(pinstripe.APIError, match=r"same page|repeat themselves"):
        list(client.v2.core.events.list())


@pytest.mark.parametrize("token", [None, "", 5])
def test_a_search_with_more_results_and_no_token_ends_with_an_error(token: JSON) -> None:
    client, _ = client_of(v1_page(1, object="search_result", next_page=token))
    with pytest.raises(pinstripe.APIError, match="next_page is missing"):
        list(client.customers.search(query="email:'a'"))


def test_an_empty_page_of_a_search_leads_to_the_next_one() -> None:
    client, _ = client_of(
        v1_page(object="search_result", next_page="a"), v1_page(1, object="search_result", has_more=False)
    )
    assert [item.id for item in client.customers.search(query="email:'a'")] == ["cus_1"]
