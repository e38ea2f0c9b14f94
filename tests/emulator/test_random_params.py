"""Whatever parameters the types allow, each operation responds with typed objects or with an error of Stripe's."""

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
from pinstripe._endpoint import Endpoint
from pinstripe.emulator.state.json_values import JSON
from pinstripe.resources import endpoints
from tests.emulator.operation_calls import method_of, name_of, params_of, path_of
from tests.emulator.operation_params import TEXTS
from tests.emulator.populate import PopulatedEmulator, populate

CALLS_PER_OPERATION = 4
ERRORS = (
    pinstripe.InvalidArgumentError,
    pinstripe.InvalidRequestError,
    pinstripe.CardError,
    pinstripe.PermissionDeniedError,
)
SCALARS: dict[object, Sequence[object]] = {
    int: (0, 1, -1, 5, 1000, 1_767_225_600, 1_900_000_000),
    bool: (True, False),
    float: (0.0, 1.5, 99.9, -1.0),
    Decimal: [Decimal(text) for text in ("0", "1.5", "-2", "1000")],
    datetime: [datetime(2030, 1, 1, tzinfo=timezone.utc)],
}
ODD_TEXTS = ("text", "", "0", "é", "-1")


@pytest.fixture(scope="module")
def snapshot() -> Iterator[tuple[PopulatedEmulator, bytes]]:
    populated = populate()
    populated.ids.pop("discount", None)  # `Emulator.add` created it without a coupon
    yield populated, populated.emulator.snapshot()
    populated.emulator.close()


class RandomParams:
    """Random values of parameter types, with ids of objects that exist."""

    def __init__(self, seed: str, ids: Mapping[str, str]) -> None:
        self.random = random.Random(seed)
        self.ids = ids

    def value(self, annotation: Any, name: str = "", depth: int = 0) -> JSON:  # Any: whatever stands in an annotation
        """Return a value for the parameter of a name."""
        origin, args = get_origin(annotation), get_args(annotation)
        if is_typeddict(annotation):
            hints = get_type_hints(annotation, include_extras=True)
            return {key: self.value(hints[key], key, depth + 1) for key in self.keys(annotation, list(hints), depth)}
        if origin in (Required, NotRequired, Annotated):
            return self.value(args[0], name, depth)
        if origin in (Union, types.UnionType):
            return self.value(self.random.choice(args), name, depth)
        if origin is Literal:
            return self.random.choice(args)
        if origin in (list, Sequence):
            return [self.value(args[0], name, depth + 1) for _ in range(self.random.choice((0, 1, 1, 2)))]
        if origin in (dict, Mapping):
            return {self.random.choice(("key", "usd", "eur")): self.value(args[1], name, depth + 1)}
        if annotation is str:
            return self.text(name)
        return self.random.choice(SCALARS[annotation]) if annotation in SCALARS else None

    def keys(self, typed_dict: Any, names: list[str], depth: int) -> list[str]:  # Any: a TypedDict
        """Return the required keys and some others, fewer in deeper objects."""
        required = sorted(typed_dict.__required_keys__)
        optional = [name for name in names if name not in required]
        count = self.random.choice((0, 1, 1, 2, 3) if depth < 3 else (0, 0, 1))
        return required + self.random.sample(optional, min(len(optional), count))

    def text(self, name: str) -> str:
        """Return the id of an object with a similar name in most cases."""
        similar = [value for key, value in self.ids.items() if key.endswith(name) or name.endswith(key)]
        if similar and self.random.random() < 0.9:
            return self.random.choice(similar)
        return TEXTS.get(name) or self.random.choice((*ODD_TEXTS, *self.ids.values()))


@pytest.mark.parametrize("endpoint", [pytest.param(endpoint, id=name_of(endpoint)) for endpoint in endpoints()])
def test_the_response_is_typed_or_an_error(snapshot: tuple[PopulatedEmulator, bytes], endpoint: Endpoint) -> None:
    populated, contents = snapshot
    random_params = RandomParams(name_of(endpoint), populated.ids)  # the same in every run
    for _ in range(CALLS_PER_OPERATION):
        populated.emulator.restore(contents)
        params = params_of(populated, endpoint) if random_params.random.random() < 0.8 else {}
        if endpoint.params:
            params |= random_params.value(getattr(import_module("pinstripe.params"), endpoint.params))
        with suppress(*ERRORS):
            method_of(populated, endpoint)(*path_of(populated, endpoint), **params)
