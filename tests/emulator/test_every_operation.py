"""Every operation responds with typed objects in ``strict`` validation, and refuses wrong parameters."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_type_hints

import pytest
from pydantic import BaseModel
from typing_extensions import NotRequired, Required

import pinstripe
from pinstripe._endpoint import Endpoint
from pinstripe.emulator.operations._filters import NOT_FILTERS
from pinstripe.emulator.state.json_values import JSON
from pinstripe.resources import endpoints
from tests.emulator.operation_calls import ARRANGE, method_of, name_of, params_of, path_of
from tests.emulator.populate import PopulatedEmulator, populate

ENDPOINTS = list(endpoints())


def each(selected: list[Endpoint]) -> list[Any]:  # Any: parameter sets of pytest
    return [pytest.param(endpoint, id=name_of(endpoint)) for endpoint in selected]


def params_type_of(endpoint: Endpoint) -> Any:  # Any: a TypedDict, found by name
    assert endpoint.params is not None
    return getattr(import_module("pinstripe.params"), endpoint.params)


@pytest.fixture(scope="module")
def snapshot() -> tuple[PopulatedEmulator, bytes]:
    populated = populate()
    return populated, populated.emulator.snapshot()


@pytest.fixture
def populated(snapshot: tuple[PopulatedEmulator, bytes]) -> Iterator[PopulatedEmulator]:
    """Return a populated emulator in the same state for each test."""
    populated, contents = snapshot
    populated.emulator.restore(contents)
    ids = dict(populated.ids)
    yield populated
    populated.ids.clear()
    populated.ids.update(ids)


def call(populated: PopulatedEmulator, endpoint: Endpoint, **params: JSON) -> Any:  # Any: the response of any operation
    method = method_of(populated, endpoint)
    return method(*path_of(populated, endpoint), **{**params_of(populated, endpoint), **params})


@pytest.mark.parametrize("endpoint", each(ENDPOINTS))
def test_the_response_is_typed(populated: PopulatedEmulator, endpoint: Endpoint) -> None:
    if arrange := ARRANGE.get(name_of(endpoint)):
        arrange(populated)
    response = call(populated, endpoint)
    if endpoint.kind in ("list", "search"):
        assert all(isinstance(item, BaseModel) for item in response.data)
    elif endpoint.model is None and endpoint.kind == "object":
        assert response is None  # the meter event stream responds with an empty body
    else:
        assert isinstance(response, bytes if endpoint.kind == "download" else BaseModel)


@pytest.mark.parametrize("endpoint", each([endpoint for endpoint in ENDPOINTS if endpoint.kind != "upload"]))
def test_an_unknown_parameter_is_refused(populated: PopulatedEmulator, endpoint: Endpoint) -> None:
    with pytest.raises(pinstripe.InvalidRequestError, match="Received unknown parameter: no_such_param") as caught:
        call(populated, endpoint, request_options={"extra_params": {"no_such_param": "x"}})
    assert (caught.value.code, caught.value.param) == ("parameter_unknown", "no_such_param")


def required_params() -> Iterator[Any]:  # Any: parameter sets of pytest
    for endpoint in ENDPOINTS:
        if endpoint.params and endpoint.kind != "upload":
            for name in sorted(params_type_of(endpoint).__required_keys__):
                yield pytest.param(endpoint, name, id=f"{name_of(endpoint)}-{name}")


@pytest.mark.parametrize(("endpoint", "name"), list(required_params()))
def test_a_missing_parameter_is_named(populated: PopulatedEmulator, endpoint: Endpoint, name: str) -> None:
    params = {key.rstrip("_"): value for key, value in params_of(populated, endpoint).items()}  # from_ is sent as from
    params.pop(name)
    path = endpoint.path
    for object_id in path_of(populated, endpoint):
        before, _, after = path.partition("{")
        path = before + object_id + after.partition("}")[2]
    with pytest.raises(pinstripe.InvalidRequestError, match="Missing required param") as caught:
        populated.client.request(pinstripe.StripeObject, endpoint.verb, path, params=params)  # type: ignore[arg-type]  # the endpoint table says str
    assert caught.value.code == "parameter_missing"
    assert str(caught.value.param).startswith(name)


CREATE_ENDPOINTS = [
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.method == "create" and endpoint.model and endpoint.params and "{" not in endpoint.path
]


@pytest.mark.parametrize("endpoint", each(CREATE_ENDPOINTS))
def test_a_created_object_has_the_description_and_metadata_that_were_sent(
    populated: PopulatedEmulator, endpoint: Endpoint
) -> None:
    fields = params_type_of(endpoint).__annotations__
    params: dict[str, JSON] = {}
    if "metadata" in fields:
        params["metadata"] = {"order": "6735"}
    if "description" in fields:
        params["description"] = "Something of mine"
    if arrange := ARRANGE.get(name_of(endpoint)):
        arrange(populated)
    created = call(populated, endpoint, **params)
    for name, value in params.items():
        if name in type(created).model_fields:
            assert getattr(created, name) == value
    if "livemode" in type(created).model_fields:
        assert created.livemode is False


TIMES_WITHOUT_MATCH = {"created_after": 4_000_000_000, "created_before": 1}


def list_filters() -> Iterator[Any]:  # Any: parameter sets of pytest
    """Iterate over the filters of lists that take a text, a time or a range, with a value that no object has."""
    for endpoint in ENDPOINTS:
        if endpoint.kind == "list" and endpoint.params and endpoint.service != "credit_notes.preview_lines":
            for name, hint in get_type_hints(params_type_of(endpoint)).items():
                value = TIMES_WITHOUT_MATCH.get(name) or value_without_match(hint)
                if value is not None and name not in NOT_FILTERS:
                    yield pytest.param(endpoint, name, value, id=f"{name_of(endpoint)}-{name}")


def value_without_match(hint: Any) -> JSON:  # Any: a type hint
    if "Range" in str(hint):
        return {"gt": 4_000_000_000}
    if "Sequence[str]" in str(hint):
        return ["no match"]
    return "no match" if hint in (NotRequired[str], Required[str], str) or "MaxLen" in str(hint) else None


@pytest.mark.parametrize(("endpoint", "name", "value"), list(list_filters()))
def test_no_filter_of_a_list_is_ignored(
    populated: PopulatedEmulator, endpoint: Endpoint, name: str, value: JSON
) -> None:
    data, param = [], name
    try:
        data = call(populated, endpoint, **{name: value}).data
    except pinstripe.InvalidRequestError as error:
        param = str(error.param)
    assert param.startswith(name)
    assert data == []
