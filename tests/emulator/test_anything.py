"""Whatever the types allow, the emulator carries it out or refuses it: it never stumbles, and never answers what is not typed."""

from __future__ import annotations

import random
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from decimal import Decimal
from importlib import import_module
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from typing_extensions import NotRequired, Required, is_typeddict

import pinstripe
from pinstripe._endpoint import Row, endpoints
from tests.emulator import walk as a_walk
from tests.emulator.walk import TEXTS, Walk, path_of

TIMES = 4
REFUSALS = (
    pinstripe.InvalidArgumentError,
    pinstripe.InvalidRequestError,
    pinstripe.CardError,
    pinstripe.PermissionDeniedError,
)
NUMBERS = (0, 1, -1, 5, 1000, 1_767_225_600, 1_900_000_000)
SCALARS: dict[object, Sequence[object]] = {
    int: NUMBERS,
    bool: (True, False),
    float: (0.0, 1.5, 99.9, -1.0),
    Decimal: [Decimal(one) for one in ("0", "1.5", "-2", "1000")],
    datetime: [datetime(2030, 1, 1, tzinfo=timezone.utc)],
}


@pytest.fixture(scope="module")
def whole() -> Iterator[tuple[Walk, bytes]]:
    made = a_walk.start()
    made.ids.pop("discount", None)  # one that was put in place, of no coupon
    yield made, made.emulator.snapshot()
    made.emulator.close()


def value(walk: Walk, chance: random.Random, annotation: Any, name: str, depth: int = 0) -> Any:  # Any: types, and JSON
    """Any value of a parameter's type, with ids of objects that are there."""
    origin, args = get_origin(annotation), get_args(annotation)
    if is_typeddict(annotation):
        hints = get_type_hints(annotation, include_extras=True)
        names = sorted(annotation.__required_keys__)
        others = [one for one in hints if one not in names]
        some = chance.sample(others, min(len(others), chance.choice((0, 1, 1, 2, 3) if depth < 3 else (0, 0, 1))))
        return {one: value(walk, chance, hints[one], one, depth + 1) for one in names + some}
    if origin in (Required, NotRequired, Annotated):
        return value(walk, chance, args[0], name, depth)
    if origin in (Union, types.UnionType):
        return value(walk, chance, chance.choice(args), name, depth)
    if origin is Literal:
        return chance.choice(args)
    if origin in (list, Sequence):
        return [value(walk, chance, args[0], name, depth + 1) for _ in range(chance.choice((0, 1, 1, 2)))]
    if origin in (dict, Mapping):
        return {chance.choice(("key", "usd", "eur")): value(walk, chance, args[1], name, depth + 1)}
    if annotation is str:
        return text(walk, chance, name)
    return chance.choice(SCALARS[annotation]) if annotation in SCALARS else None


def text(walk: Walk, chance: random.Random, name: str) -> str:
    near = [one for kind, one in walk.ids.items() if kind.endswith(name) or name.endswith(kind)]
    if near and chance.random() < 0.9:
        return chance.choice(near)
    return TEXTS.get(name) or chance.choice(("text", "", "0", "é", "-1", *walk.ids.values()))


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.service}.{row.method}") for row in endpoints()])
def test_it_is_carried_out_or_refused(whole: tuple[Walk, bytes], row: Row) -> None:
    walk, snapshot = whole
    chance = random.Random(f"{row.service}.{row.method}")  # the same every time
    for _ in range(TIMES):
        walk.emulator.restore(snapshot)
        params = walk.params(row) if chance.random() < 0.8 else {}
        if row.params:
            params |= value(walk, chance, getattr(import_module("pinstripe.params"), row.params), "")
        target: Any = walk.client  # Any: found by name
        for part in row.service.split("."):
            target = getattr(target, part)
        with suppress(*REFUSALS):
            getattr(target, row.method)(*path_of(walk, row), **params)
