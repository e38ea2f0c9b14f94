"""Expand ids into objects, and fill in fields that are only included on request.

https://docs.stripe.com/api/expanding_objects
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pinstripe._registry import registry
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.validation.references import referenced_types

MAX_DEPTH = 4
Include: TypeAlias = Callable[[AccountState, Object], JSON]
INCLUDABLE: dict[tuple[str, str], Include] = {}
"""The functions that return the value of an includable field, by object type and field."""


def includable(object_type: str, field: str) -> Callable[[Include], Include]:
    """Register the decorated function for a field that responses contain only on request."""

    def register(function: Include) -> Include:
        INCLUDABLE[object_type, field] = function
        return function

    return register


def expand(state: AccountState, value: Object, paths: list[str]) -> Object:
    """Return a copy of an object with the fields at some paths expanded, or the object itself without paths.

    Raises `ErrorResponse` for a path that cannot be expanded.
    """
    if not paths:
        return value
    expanded: Object = clone(value)
    for path in paths:
        names = path.split(".")
        if value.get("object") in ("list", "search_result") and names[0] not in value:
            raise _not_expandable(path, f" You may want to try expanding 'data.{path}' instead.")
        if len(names) > MAX_DEPTH:  # the `data` of a list counts as a level
            raise ErrorResponse(f"You cannot expand more than {MAX_DEPTH} levels of a property: {path}", param="expand")
        _expand(state, expanded, names, path)
    return expanded


def _expand(state: AccountState, value: JSON, names: list[str], path: str) -> None:
    if isinstance(value, list):
        for item in value:
            _expand(state, item, names, path)
        return
    if not names or not isinstance(value, dict):
        return
    name, object_type = names[0], str(value.get("object"))
    include = INCLUDABLE.get((object_type, name))
    if include is not None and not isinstance(value.get(name), dict):
        value[name] = clone(include(state, value))
    if name not in value:
        if value.get("object") in (None, "list") or object_type.startswith("v2."):
            return  # a part that this object does not have
        raise _not_expandable(path)
    field = value[name]
    described = object_type in registry().objects
    if include is None and isinstance(field, str) and described and name not in referenced_types(object_type):
        raise _not_expandable(path)
    if isinstance(field, list):
        value[name] = [_resolve(state, item) for item in field]
    else:
        value[name] = _resolve(state, field)
    _expand(state, value[name], names[1:], path)


def _not_expandable(path: str, hint: str = "") -> ErrorResponse:
    return ErrorResponse(
        f"This property cannot be expanded ({path}).{hint}", code="property_cannot_be_expanded", param="expand"
    )


def _resolve(state: AccountState, value: JSON) -> JSON:
    """Return a copy of the object with an id; other values as they are."""
    return clone(next(state.objects.with_id(value), value)) if isinstance(value, str) else value
