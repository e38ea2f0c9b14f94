"""Ids in parameters must be those of objects that there are. https://docs.stripe.com/error-codes#resource-missing"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from pinstripe._base import Embedded
from pinstripe._decoding import annotation_of
from pinstripe._registry import registry
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.object_types import REFERENCES, SERVICE_REFERENCES
from pinstripe.emulator.validation.errors import missing_object


def check_references(state: AccountState, service: str, params: Object) -> None:
    """Raise `ErrorResponse` for the first parameter that refers to no object; the test clocks of the others apply."""
    _walk(state, service, params, "")


def _walk(state: AccountState, service: str, value: Any, where: str) -> None:  # Any: JSON
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        path = f"{where}[{name}]" if where else str(name)
        if isinstance(item, (dict, list)) and name != "metadata":
            if item and isinstance(item, list) and isinstance(item[0], str):
                for index, one in enumerate(item):
                    _check(state, service, str(name), one, f"{path}[{index}]")
            else:
                _walk(state, service, item, path)
        elif isinstance(item, str) and isinstance(name, str):
            _check(state, service, name, item, path)


def _check(state: AccountState, service: str, name: str, identifier: str, where: str) -> None:
    kinds = _kinds(service, name)
    if not kinds:
        return
    found = state.objects.find(kinds, identifier)
    if found is None or found.get("deleted"):
        raise missing_object(kinds[0], identifier, where)
    state.clock.follow(found)


@cache
def _kinds(service: str, name: str) -> tuple[str, ...]:
    for (prefix, own), kinds in SERVICE_REFERENCES.items():
        if own == name and service.startswith(prefix):
            return kinds or ()
    return REFERENCES.get(name, ())


@cache
def referenced_types(kind: str) -> dict[str, tuple[str, ...]]:
    """The fields of a kind's objects that hold ids, and the kinds of what they name."""
    kinds = {model: kind for kind, model in registry().objects.items()}
    model = registry().load(registry().objects[kind])
    if not model.__pydantic_complete__:
        model.model_rebuild()
    found = {}
    for name, field in model.model_fields.items():
        part = _embedded(annotation_of(field))
        if part is not None and part.expandable:
            found[field.alias or name] = tuple(kinds[one] for one in part.names.split(" | ") if one in kinds)
    return found


def _embedded(annotation: Any) -> Embedded | None:  # Any: whatever stands in an annotation
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, Embedded):
            return part
    return next((found for arg in get_args(annotation) if (found := _embedded(arg))), None)
