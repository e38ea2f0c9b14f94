"""Lists inside of objects, such as ``subscription.items``: they iterate over their items and load their further pages."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import pinstripe
from pinstripe import errors
from pinstripe._base import ListObject, PageOf
from pinstripe._differences import annotation_of
from pinstripe._registry import registry
from pinstripe.emulator import Emulator
from pinstripe.models import Subscription, SubscriptionItem
from pinstripe.types import JSON, RequestOptions

SUBSCRIPTION: dict[str, JSON] = json.loads((Path(__file__).parent / "samples" / "subscription.json").read_text())
URL = "/v1/subscription_items?subscription=sub_1"


def items(first: int, last: int) -> list[JSON]:
    return [{**SUBSCRIPTION["items"]["data"][0], "id": f"si_{number}"} for number in range(first, last + 1)]


def subscription(count: int = 3, *, has_more: bool = True, url: str = URL) -> dict[str, JSON]:
    page = {"object": "list", "data": items(1, count), "has_more": has_more, "url": url}
    return {**SUBSCRIPTION, "items": page}


class Api:
    """A subscription with 8 items, of which 3 are in each page, for both kinds of client."""

    def __init__(self, body: JSON | None = None, **options: Any) -> None:  # Any: options of a client
        self.body = subscription() if body is None else body
        self.requests: list[httpx.Request] = []
        transport = httpx.MockTransport(self._handle)
        self.sync = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=transport), **options)
        self.asynchronous = pinstripe.AsyncClient(
            "sk_test_x", http_client=httpx.AsyncClient(transport=transport), **options
        )

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path != "/v1/subscription_items":
            return httpx.Response(200, json=self.body)
        assert request.url.params["subscription"] == "sub_1"
        first = int(request.url.params["starting_after"].removeprefix("si_")) + 1
        page = {"object": "list", "data": items(first, min(first + 2, 8)), "has_more": first + 2 < 8, "url": URL}
        return httpx.Response(200, json=page)


ALL = [f"si_{number}" for number in range(1, 9)]


def test_iterating_over_an_embedded_list_yields_the_items_of_all_pages() -> None:
    api = Api(validation="strict")
    result = api.sync.subscriptions.retrieve("sub_1")
    assert [item.id for item in result.items] == ALL
    assert all(isinstance(item, SubscriptionItem) for item in result.items)
    assert [request.url.path for request in api.requests[1:3]] == ["/v1/subscription_items"] * 2


def test_an_async_client_iterates_over_an_embedded_list_with_async_for() -> None:
    async def ids(api: Api) -> list[str]:
        result = await api.asynchronous.subscriptions.retrieve("sub_1")
        return [item.id async for item in result.items]

    assert asyncio.run(ids(Api(validation="strict"))) == ALL


def test_lists_within_the_items_of_pages_and_expanded_objects_load_further_pages() -> None:
    inside = {**json.loads((Path(__file__).parent / "samples" / "customer.json").read_text())}
    inside["subscriptions"] = {"object": "list", "data": [subscription()], "has_more": False, "url": "/v1/x"}
    bodies = [
        {"object": "list", "data": [subscription()], "has_more": False, "url": "/v1/subscriptions"},
        {"object": "list", "data": [inside], "has_more": False, "url": "/v1/customers"},
        {**subscription(), "customer": inside},
    ]
    assert [[item.id for item in result.items] for result in Api(bodies[0]).sync.subscriptions.list()] == [ALL]
    (customer,) = Api(bodies[1]).sync.customers.list()
    assert customer.subscriptions is not None
    assert [[item.id for item in result.items] for result in customer.subscriptions] == [ALL]
    owner = Api(bodies[2]).sync.subscriptions.retrieve("sub_1").customer
    assert isinstance(owner, pinstripe.models.Customer)
    assert owner.subscriptions is not None
    assert [item.id for item in next(iter(owner.subscriptions)).items] == ALL


def test_lists_of_a_response_with_drift_load_further_pages() -> None:
    body = subscription()
    del body["items"]["data"][0]["quantity"], body["status"]
    body["items"]["data"][0]["created"] = "yesterday"
    assert [item.id for item in Api(body).sync.subscriptions.retrieve("sub_1").items] == ALL


def test_further_pages_have_the_options_of_the_call_but_not_its_idempotency_key() -> None:
    api = Api(stripe_context="of the client")
    options: RequestOptions = {
        "stripe_account": "acct_1",
        "api_key": "sk_test_other",
        "stripe_version": "2020-08-27",
        "idempotency_key": "k",
        "headers": {"X-Trace": "1", "idempotency-key": "k"},
    }
    created = api.sync.subscriptions.create(customer="cus_1", items=[], request_options=options)
    assert len(list(created.items)) == 8
    for request in api.requests[1:]:
        assert request.headers["stripe-account"] == "acct_1"
        assert request.headers["stripe-context"] == "of the client"
        assert request.headers["authorization"] == "Bearer sk_test_other"
        assert request.headers["stripe-version"] == "2020-08-27"
        assert request.headers["x-trace"] == "1"
        assert "idempotency-key" not in request.headers
    other = Api().sync.with_options(stripe_account="acct_2")
    assert len(list(other.subscriptions.retrieve("sub_1").items)) == 8


@pytest.mark.parametrize(
    "url",
    [
        ".evil.example/x",
        "@evil.example/x",
        "//evil.example/x",
        "///evil.example",
        "https://evil.example/v1/subscription_items",
        "/\\evil.example",
        "\\\\evil.example",
        "evil.example",
        ":80@evil.example",
        "/v1/x#fragment",
        "/v1/a\nb",
        "/v1/ä",
        "",
    ],
)
def test_a_url_that_is_not_a_path_of_stripe_raises_before_the_first_item(url: str) -> None:
    api = Api(subscription(url=url))
    result = api.sync.subscriptions.retrieve("sub_1")
    with pytest.raises(errors.APIError, match="not a path on the same host"):
        iter(result.items)
    assert len(api.requests) == 1


def test_cursors_in_the_url_are_replaced_and_its_filters_stay() -> None:
    api = Api(subscription(url="/v1/subscription_items?starting_after=si_7&subscription=sub_1&ending_before=si_1"))
    assert [item.id for item in api.sync.subscriptions.retrieve("sub_1").items] == ALL
    assert [request.url.params.multi_items() for request in api.requests[1:]] == [
        [("subscription", "sub_1"), ("starting_after", "si_3")],
        [("subscription", "sub_1"), ("starting_after", "si_6")],
    ]


def unbound() -> dict[str, Callable[[], Subscription]]:
    """Return how a subscription comes to have no client."""
    retrieve = Api().sync.subscriptions.retrieve

    def of_event() -> Subscription:
        raw = {"object": "event", "id": "evt_1", "type": "customer.subscription.updated", "created": 1}
        event = pinstripe.decode({**raw, "data": {"object": subscription()}, "livemode": False, "pending_webhooks": 0})
        return typing.cast(Any, event).data.object  # type: ignore[no-any-return]

    return {
        "decoded": lambda: typing.cast(Subscription, pinstripe.decode(subscription())),
        "event": of_event,
        "pickled": lambda: pickle.loads(pickle.dumps(retrieve("sub_1"))),
        "deep copy": lambda: copy.deepcopy(retrieve("sub_1")),
    }


@pytest.mark.parametrize("origin", unbound())
def test_a_list_with_more_items_and_no_client_raises_before_the_first_item(origin: str) -> None:
    result = unbound()[origin]()
    with pytest.raises(
        errors.InvalidArgumentError, match=r"no client to fetch them.*its url is /v1/subscription_items"
    ):
        iter(result.items)
    with pytest.raises(errors.InvalidArgumentError, match="no client"):
        result.items.__aiter__()
    assert len(result.items.data) == 3


def test_a_list_of_the_other_kind_of_client_raises_before_the_first_item() -> None:
    with pytest.raises(errors.InvalidArgumentError, match="returned by a Client: iterate over it with `for`"):
        Api().sync.subscriptions.retrieve("sub_1").items.__aiter__()
    result = asyncio.run(retrieved(Api()))
    with pytest.raises(
        errors.InvalidArgumentError, match="returned by an AsyncClient: iterate over it with `async for`"
    ):
        iter(result.items)


async def retrieved(api: Api) -> Subscription:
    return await api.asynchronous.subscriptions.retrieve("sub_1")


def test_a_list_without_more_items_iterates_without_a_client() -> None:
    async def ids(result: Subscription) -> list[str]:
        return [item.id async for item in result.items]

    body = subscription(has_more=False)
    for result in (
        pinstripe.decode(body),
        Api(body).sync.subscriptions.retrieve("x"),
        asyncio.run(retrieved(Api(body))),
    ):
        assert isinstance(result, Subscription)
        assert [item.id for item in result.items] == ALL[:3]
        assert asyncio.run(ids(result)) == ALL[:3]


@pytest.mark.parametrize("change", [{"has_more": "yes"}, {"has_more": None}, {"data": "abc"}, {"data": None}])
def test_a_list_whose_fields_have_other_types_raises_before_the_first_item(change: dict[str, JSON]) -> None:
    body = subscription()
    body["items"].update(change)
    with pytest.raises(errors.ResponseValidationError, match="data or has_more"):
        iter(Api(body).sync.subscriptions.retrieve("sub_1").items)


def test_client_and_response_take_no_part_in_equality_pickles_copies_and_dumps() -> None:
    api = Api()
    result = api.sync.subscriptions.retrieve("sub_1")
    plain = pinstripe.decode(subscription())
    assert result == plain
    assert hash(result) == hash(plain)
    assert result.last_response.status_code == 200
    assert [plain.last_response] == [None]
    for twin in (copy.copy(result), copy.deepcopy(result), result.model_copy(), pickle.loads(pickle.dumps(result))):
        assert twin == result
        assert [twin.last_response] == [None]
    assert result.to_dict() == plain.to_dict() == subscription()
    assert result.model_dump() == plain.model_dump()
    assert "last_response" not in dict(result)
    assert b"sk_test" not in pickle.dumps(result)


def test_the_result_of_a_request_that_lists_loads_further_pages_with_its_parameters() -> None:
    api = Api({"object": "list", "data": items(1, 3), "has_more": True, "url": "/v1/subscription_items"})
    page = api.sync.request(
        ListObject[SubscriptionItem], "GET", "/v1/other", params={"subscription": "sub_1", "limit": 3}
    )
    iterator = iter(page)
    assert [next(iterator).id for _ in range(3)] == ALL[:3]
    with pytest.raises(errors.APIError, match="repeat"):  # the API of this test has the same page for every cursor
        next(iterator)
    assert api.requests[1].url.path == "/v1/other"
    assert dict(api.requests[1].url.params) == {"subscription": "sub_1", "limit": "3", "starting_after": "si_3"}


def embedded_lists() -> Iterator[tuple[str, Any]]:  # Any: the annotation of an item
    """Return each field that is a list, and what its items are."""

    def parts(annotation: Any) -> Iterator[Any]:  # Any: annotations
        yield from (part.item for part in getattr(annotation, "__metadata__", ()) if isinstance(part, PageOf))
        for inner in typing.get_args(annotation):
            yield from parts(inner)

    for name in dir(pinstripe.models):
        model = getattr(pinstripe.models, name)
        if isinstance(model, type) and issubclass(model, pinstripe.StripeModel):
            model.model_rebuild()
            for field, info in model.model_fields.items():
                for item in parts(annotation_of(info)):
                    yield f"{name}.{field}", item


def test_the_items_of_every_embedded_list_are_decoded_by_their_object_field() -> None:
    result = dict(embedded_lists())
    assert len(result) > 20
    for field, item in result.items():
        if isinstance(item, type) and issubclass(item, pinstripe.StripeModel):
            (value,) = typing.get_args(item.model_fields["object"].annotation)
            assert registry().model_for({"object": value}) is item, field


def test_the_items_of_a_subscription_of_the_emulator_iterate() -> None:
    emulator = Emulator()
    client = emulator.client()
    customer = client.customers.create(
        payment_method="pm_card_visa", invoice_settings={"default_payment_method": "pm_card_visa"}
    )
    prices = [
        client.prices.create(
            currency="usd", unit_amount=number, recurring={"interval": "month"}, product_data={"name": f"Plan {number}"}
        ).id
        for number in range(1, 14)
    ]
    created = client.subscriptions.create(customer=customer.id, items=[{"price": price} for price in prices])
    result = client.subscriptions.retrieve(created.id)
    assert sorted(item.price.id for item in result.items) == sorted(prices)

    async def ids() -> list[str]:
        again = await emulator.async_client().subscriptions.retrieve(created.id)
        return [item.price.id async for item in again.items]

    assert sorted(asyncio.run(ids())) == sorted(prices)
