"""What most operations do: create, retrieve, update, delete and list, by the shape of their path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from pinstripe.emulator.refusal import Refusal
from pinstripe.emulator.world import Ask, Object
from pinstripe.model import StripeModel, registry

Life: TypeAlias = Callable[[Ask], Object]

LIVES: dict[str, Life] = {}
PAGING = {"limit", "starting_after", "ending_before", "expand", "page", "query"}
MAX_LIMIT = 100


def life(*names: str) -> Callable[[Life], Life]:
    """Say what operations do, by their dotted names: ``@life("subscriptions.create")``."""

    def keep(function: Life) -> Life:
        for name in names:
            LIVES[name] = function
        return function

    return keep


def carry_out(ask: Ask) -> Object:
    """Do what an operation does."""
    row = ask.row
    own = LIVES.get(f"{row.service}.{row.method}")
    if own is not None:
        return own(ask)
    if row.kind == "list":
        return listed(ask, matching(ask, ask.world.every(kind_of(ask))))
    if row.kind == "object" and row.model:
        by_id = row.path.endswith("}")
        if row.verb == "GET" and by_id:
            return ask.world.get(kind_of(ask), ask.target)
        if row.verb == "POST" and by_id:
            return ask.world.update(ask.world.get(kind_of(ask), ask.target), ask.params)
        if row.verb == "POST" and row.method == "create":
            return create(ask)
        if row.verb == "DELETE" and by_id:
            return delete(ask)
    raise Refusal(f"The emulator does not carry out {row.service}.{row.method} yet.", status=501, type="api_error")


def kind_of(ask: Ask) -> str:
    """The kind of object that an operation is about."""
    model = (ask.row.model or "").split(" | ")[0].removeprefix("Deleted")
    found = KINDS.get(model)
    if found is None:
        KINDS.update({name: kind for kind, name in registry().objects.items()})
        found = KINDS.get(model, "")
    return found


KINDS: dict[str, str] = {}


def create(ask: Ask) -> Object:
    """A new object with the parameters in it."""
    made = ask.world.make(kind_of(ask), ask.params)
    ask.world.emit("created", made)
    return made


def delete(ask: Ask) -> Object:
    """Delete an object; what is left of it says so."""
    world = ask.world
    found = world.get(kind_of(ask), ask.target)
    world.emit("deleted", found)
    left = {"id": found["id"], "object": found["object"], "deleted": True}
    world.objects[found["id"]] = left
    return left


def matching(ask: Ask, objects: Iterable[Object]) -> Iterable[Object]:
    """The objects that a list's filters let through: ids and plain values must be equal, ranges must hold."""
    filters = {name: value for name, value in ask.params.items() if name not in PAGING}
    filters |= {name: value for name, value in ask.path.items() if name != "id"}
    return (found for found in objects if all(_passes(found, name, value) for name, value in filters.items()))


def _passes(found: Object, name: str, wanted: Any) -> bool:  # Any: JSON
    if name not in found:
        return True
    value = found[name]
    if isinstance(wanted, dict) and set(wanted) <= {"gt", "gte", "lt", "lte"}:
        tests: dict[str, Callable[[int], bool]] = {
            "gt": lambda bound: value > bound,
            "gte": lambda bound: value >= bound,
            "lt": lambda bound: value < bound,
            "lte": lambda bound: value <= bound,
        }
        return value is not None and all(tests[test](bound) for test, bound in wanted.items())
    return bool(value == wanted)


def listed(ask: Ask, objects: Iterable[Object]) -> Object:
    """A page of objects that come newest first. https://docs.stripe.com/api/pagination"""
    params = ask.params
    limit = params.get("limit", 10)
    if not 1 <= limit <= MAX_LIMIT:
        raise Refusal(f"Invalid integer: {limit}; limit is from 1 to {MAX_LIMIT}", param="limit")
    if "starting_after" in params and "ending_before" in params:
        raise Refusal("starting_after and ending_before cannot be used together.", param="ending_before")
    found = list(objects)
    edge = params.get("starting_after") or params.get("ending_before")
    if edge is not None:
        at = next((index for index, one in enumerate(found) if one["id"] == edge), None)
        if at is None:
            raise Refusal(f"No such object: '{edge}'", code="resource_missing", param="starting_after")
        found = found[at + 1 :] if "starting_after" in params else found[:at]
    page = found[-limit:] if "ending_before" in params else found[:limit]
    path = ask.row.path.format(**ask.path)
    return {"object": "list", "data": page, "has_more": len(found) > len(page), "url": path}


def model_of(found: Object) -> type[StripeModel]:
    """The model of an object."""
    return registry().load(registry().objects[found["object"]])
