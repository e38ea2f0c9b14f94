"""Objects as they go out: copies, with the ids that were asked for filled in. https://docs.stripe.com/api/expanding_objects"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pinstripe._registry import registry
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.validation.references import referenced_types

MAX_DEPTH = 4

# Fields that are only there when they are asked for, by kind and name.
INCLUDABLE: dict[tuple[str, str], Callable[[AccountState, Object], Any]] = {}  # Any: JSON


def includable(
    kind: str, name: str
) -> Callable[[Callable[[AccountState, Object], Any]], Callable[[AccountState, Object], Any]]:  # Any: JSON
    """Say what an includable field holds."""

    def keep(function: Callable[[AccountState, Object], Any]) -> Callable[[AccountState, Object], Any]:  # Any: JSON
        INCLUDABLE[kind, name] = function
        return function

    return keep


def expand(state: AccountState, found: Object, paths: list[str]) -> Object:
    """An answer with its paths expanded, a copy where there are any; raises the `ErrorResponse` that Stripe would."""
    if not paths:
        return found
    answer: Object = clone(found)
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_DEPTH:  # the data of a list is a level, too
            raise ErrorResponse(f"You cannot expand more than {MAX_DEPTH} levels of a property: {path}", param="expand")
        _expand(state, answer, steps, path)
    return answer


def _expand(state: AccountState, node: Any, steps: list[str], path: str) -> None:  # Any: JSON
    if isinstance(node, list):
        for item in node:
            _expand(state, item, steps, path)
        return
    if not steps or not isinstance(node, dict):
        return
    step, rest = steps[0], steps[1:]
    fill = INCLUDABLE.get((str(node.get("object")), step))
    if fill is not None and not isinstance(node.get(step), dict):
        node[step] = clone(fill(state, node))
    if step not in node:
        if node.get("object") in (None, "list") or str(node.get("object")).startswith("v2."):
            return  # a part that is not there this time
        raise ErrorResponse(
            f"This property cannot be expanded ({path}).", code="property_cannot_be_expanded", param="expand"
        )
    value = node[step]
    kind = str(node.get("object"))
    if fill is None and isinstance(value, str) and kind in registry().objects and step not in referenced_types(kind):
        raise ErrorResponse(
            f"This property cannot be expanded ({path}).", code="property_cannot_be_expanded", param="expand"
        )
    if isinstance(value, list):
        node[step] = value = [_whole(state, item) for item in value]
    else:
        node[step] = value = _whole(state, value)
    _expand(state, value, rest, path)


def _whole(state: AccountState, value: Any) -> Any:  # Any: JSON
    return clone(next(state.objects.with_id(value), value)) if isinstance(value, str) else value
