"""All 619 operations answer; every answer is typed in ``strict``; each refuses what it does not take."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_type_hints

import pytest
from pydantic import BaseModel
from typing_extensions import NotRequired, Required

import pinstripe
from pinstripe._endpoint import Row, endpoints
from pinstripe.emulator.operations._filters import NOT_FILTERS
from tests.emulator import walk as a_walk
from tests.emulator.walk import ARRANGE, Walk, path_of

ROWS = [pytest.param(row, id=f"{row.service}.{row.method}") for row in endpoints()]


@pytest.fixture(scope="module")
def whole() -> tuple[Walk, bytes]:
    made = a_walk.start()
    return made, made.emulator.snapshot()


@pytest.fixture
def walk(whole: tuple[Walk, bytes]) -> Iterator[Walk]:
    """An emulator with one of everything, as new for each test."""
    made, snapshot = whole
    made.emulator.restore(snapshot)
    ids = dict(made.ids)
    yield made
    made.ids.clear()
    made.ids.update(ids)


def call(walk: Walk, row: Row, **more: Any) -> Any:  # Any: parameters, and any answer
    target: Any = walk.client  # Any: found by name
    for part in row.service.split("."):
        target = getattr(target, part)
    return getattr(target, row.method)(*path_of(walk, row), **{**walk.params(row), **more})


@pytest.mark.parametrize("row", ROWS)
def test_it_answers_and_its_answer_is_typed(walk: Walk, row: Row) -> None:
    if arrange := ARRANGE.get(f"{row.service}.{row.method}"):
        arrange(walk)
    answer = call(walk, row)
    if row.kind in ("list", "search"):
        assert all(isinstance(one, BaseModel) for one in answer.data)
    elif row.model is None and row.kind == "object":
        assert answer is None  # the meter event stream answers with nothing
    else:
        assert isinstance(answer, bytes if row.kind == "download" else BaseModel)


@pytest.mark.parametrize("row", [one for one in ROWS if getattr(one.values[0], "kind", "") != "upload"])
def test_it_refuses_a_parameter_that_it_does_not_know(walk: Walk, row: Row) -> None:
    with pytest.raises(pinstripe.InvalidRequestError, match="Received unknown parameter: colour") as caught:
        call(walk, row, colour="red")
    assert (caught.value.code, caught.value.param) == ("parameter_unknown", "colour")


def _required() -> Iterator[Any]:  # Any: parameters of a test
    for one in endpoints():
        if one.params and one.kind != "upload":
            shape = getattr(import_module("pinstripe.params"), one.params)
            for name in sorted(shape.__required_keys__):
                yield pytest.param(one, name, id=f"{one.service}.{one.method}-{name}")


@pytest.mark.parametrize(("row", "name"), list(_required()))
def test_it_names_the_parameter_that_is_missing(walk: Walk, row: Row, name: str) -> None:
    params = walk.params(row)
    params.pop(name)
    path = row.path
    for value in path_of(walk, row):
        head, _, tail = path.partition("{")
        path = head + value + tail.partition("}")[2]
    with pytest.raises(pinstripe.InvalidRequestError, match="Missing required param") as caught:
        walk.client.request(pinstripe.StripeObject, row.verb, path, params=params)  # type: ignore[arg-type]  # rows say str
    assert caught.value.code == "parameter_missing"
    assert str(caught.value.param).startswith(name)


CREATES = [
    one
    for one in ROWS
    if isinstance(row := one.values[0], Row)
    and row.method == "create"
    and row.model
    and row.params
    and "{" not in row.path
]


@pytest.mark.parametrize("row", CREATES)
def test_what_is_created_holds_what_was_sent(walk: Walk, row: Row) -> None:
    """Texts and metadata that a creation takes and its object shows are there, and are there when it is read again."""
    assert row.params is not None
    shape = getattr(import_module("pinstripe.params"), row.params)
    more: dict[str, Any] = {}  # Any: parameters
    if "metadata" in shape.__annotations__:
        more["metadata"] = {"order": "6735"}
    if "description" in shape.__annotations__:
        more["description"] = "Something of mine"
    made = call(walk, row, **more)
    for name, value in more.items():
        if name in type(made).model_fields:
            assert getattr(made, name) == value
    if "livemode" in type(made).model_fields:
        assert made.livemode is False


def _filters() -> Iterator[Any]:  # Any: parameters of a test
    """Each filter of each list that takes a text or a range, with a value that nothing has."""
    for one in endpoints():
        if one.kind != "list" or not one.params or one.service == "credit_notes.preview_lines":
            continue
        hints = get_type_hints(getattr(import_module("pinstripe.params"), one.params))
        for name, hint in hints.items():
            said = str(hint)
            wrong = (
                {"gt": 4_000_000_000} if "Range" in said else ["nobody"] if "Sequence[str]" in said else "nobody"
                if hint in (NotRequired[str], Required[str]) or hint is str or "MaxLen" in said else None
            )  # fmt: skip
            if wrong is not None and name not in NOT_FILTERS:
                yield pytest.param(one, name, wrong, id=f"{one.service}.{one.method}-{name}")


@pytest.mark.parametrize(("row", "name", "wrong"), list(_filters()))
def test_no_filter_of_a_list_is_overlooked(walk: Walk, row: Row, name: str, wrong: object) -> None:
    found, refused = [], name
    try:
        found = call(walk, row, **{name: wrong}).data
    except pinstripe.InvalidRequestError as error:
        refused = str(error.param)
    assert refused.startswith(name)
    assert found == []
