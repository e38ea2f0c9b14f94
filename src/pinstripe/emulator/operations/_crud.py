"""What most operations do: create, retrieve, update, delete, list and search, by the shape of their path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, TypeAlias

from pinstripe._registry import registry
from pinstripe.emulator.operations._lists import listed, matching
from pinstripe.emulator.operations._search import query_of
from pinstripe.emulator.operations._transitions import ACTIONS
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_object, wrong_state
from pinstripe.emulator.validation.references import referred

Life: TypeAlias = Callable[[Ask], Any]  # Any: the answer's JSON, or the bytes of a download

LIVES: dict[str, Life] = {}


def life(*names: str) -> Callable[[Life], Life]:
    """Say what operations do, by their dotted names: ``@life("subscriptions.create")``."""

    def keep(function: Life) -> Life:
        for name in names:
            LIVES[name] = function
        return function

    return keep


def carry_out(ask: Ask) -> Any:  # Any: as in Life
    """Do what an operation does."""
    row = ask.row
    name = f"{row.service}.{row.method}"
    for identifier in ask.path.values():
        ask.world.follow(ask.world.objects.get(identifier))
    if own := LIVES.get(name):
        return own(ask)
    if name in ACTIONS:
        return act(ask, name)
    if row.kind == "list":
        return listed(ask, matching(ask, owned(ask, every(ask.world, kinds_of(ask)))))
    if row.kind == "search":
        return searched(ask)
    if row.path.endswith("}"):
        return {"GET": retrieve, "POST": update, "DELETE": delete}[row.verb](ask)
    if row.verb == "POST" and row.method == "create":
        return create(ask)
    raise Refusal(f"The emulator does not carry out {name}.", status=501, type="api_error")


KINDS: dict[str, str] = {}


def kinds_of(ask: Ask) -> list[str]:
    """The kinds of object that an operation is about."""
    if not KINDS:
        KINDS.update({name: kind for kind, name in registry().objects.items()})
    names = (ask.row.model or "").split(" | ")
    return [KINDS[name] for name in names if name in KINDS] or [
        KINDS[name.removeprefix("Deleted")] for name in names if name.removeprefix("Deleted") in KINDS
    ]


def every(world: World, kinds: list[str]) -> Iterable[Object]:
    """The objects of some kinds, newest first."""
    if len(kinds) == 1:
        return world.every(kinds[0])
    return sorted((one for kind in kinds for one in world.every(kind)), key=lambda one: -int(one.get("created") or 0))


def parents(ask: Ask) -> Object:
    """The fields that an object under a path has by its place: ``/v1/transfers/{id}/reversals`` says ``transfer``."""
    steps, found = ask.row.path.strip("/").split("/"), {}
    for before, step in pairwise(steps):
        if step.startswith("{") and step != steps[-1]:
            name = step[1:-1]
            word = before.removesuffix("s") if name == "id" else name.removesuffix("_id")
            found[word] = ask.path[name]
    return found


def owned(ask: Ask, objects: Iterable[Object]) -> Iterable[Object]:
    """The objects that belong to those in the path, which must be there."""
    places = parents(ask)
    for identifier in places.values():
        if identifier not in ask.world.objects and identifier != ask.world.account:
            raise missing_object(next(name for name in places if places[name] == identifier), identifier)
    return (one for one in objects if all(_is_of(ask.world, one, place) for place in places.items()))


def _is_of(world: World, found: Object, place: tuple[str, str]) -> bool:
    name, identifier = place
    owner = found.get(name) if name in found else world.hidden.get(f"owner:{found['id']}")
    return owner is None or (owner["id"] if isinstance(owner, dict) else owner) == identifier


def find(ask: Ask) -> Object:
    """The object that the path names, under the objects that the path names before it."""
    kinds, target = kinds_of(ask), ask.target
    for kind in kinds:
        found = ask.world.objects.get(target)
        if found is not None and found["object"] == kind and not found.get("deleted"):
            if not list(owned(ask, [found])):
                break
            return found
    raise missing_object(kinds[0] if kinds else ask.row.service, target)


def retrieve(ask: Ask) -> Object:
    """An object; what is left of a deleted one where the API shows that."""
    found = ask.world.objects.get(ask.target)
    if (
        found is not None
        and found.get("deleted")
        and "Deleted" in (ask.row.model or "")
        and found["object"] in kinds_of(ask)
    ):
        return found
    return find(ask)


def create(ask: Ask) -> Object:
    """A new object with the parameters in it."""
    world, kind, places = ask.world, kinds_of(ask)[0], parents(ask)
    list(owned(ask, ()))
    check_free(world, kind, ask.params)
    made = world.draft(kind, ask.params)
    _check_ids(world, kind, ask.params)
    made.update({name: value for name, value in places.items() if name in made})
    if "id" not in made:
        return made
    world.keep(made)
    for value in places.values():
        world.hide(f"owner:{made['id']}", value)
    world.emit("created", made)
    return made


def check_free(world: World, kind: str, params: Object) -> None:
    """Refuse an id of one's own that is taken."""
    if isinstance(given := params.get("id"), str) and given in world.objects:
        raise Refusal(f"{kind.capitalize()} already exists.", code="resource_already_exists", param="id")


def update(ask: Ask) -> Object:
    """An object, changed as the parameters say."""
    found = find(ask)
    _check_ids(ask.world, found["object"], ask.params)
    return ask.world.update(found, ask.params)


def _check_ids(world: World, kind: str, params: Object) -> None:
    fields = referred(kind)
    for name, value in params.items():
        if isinstance(value, str) and fields.get(name) and name not in ("payment_method", "account", "destination"):
            found = world.objects.get(value)
            if found is None or found["object"] not in fields[name] or found.get("deleted"):
                raise missing_object(fields[name][0], value, name)


def delete(ask: Ask) -> Object:
    """Delete an object; what is left of it says so."""
    world, found = ask.world, find(ask)
    world.emit("deleted", found)
    return world.bury(found)


def act(ask: Ask, name: str) -> Object:
    """One of the simple actions: from some states into another."""
    action, world = ACTIONS[name], ask.world
    targets = [world.objects[one] for one in ask.path.values() if one in world.objects]
    found = next((one for one in targets if one["object"] == action.kind and not one.get("deleted")), None)
    if found is None:
        raise missing_object(action.kind, ask.target)
    if action.states and found.get("status") not in action.states:
        raise wrong_state(found, ask.row.method)
    part = found.get(action.within) or world.draft_part(action.kind, action.within) if action.within else {}
    before = world.change(found, **action.fields(world.now(), part))
    if action.event:
        world.emit(action.event, found, before if action.event == "updated" else None)
    return found


def searched(ask: Ask) -> Object:
    """A page of search results. https://docs.stripe.com/search"""
    kind = kinds_of(ask)[0]
    matches = query_of(kind, ask.params.get("query", ""))
    found = [one for one in ask.world.every(kind) if matches(one)]
    limit, at = ask.params.get("limit", 10), int(ask.params.get("page") or 0)
    return {
        "object": "search_result",
        "data": found[at : at + limit],
        "has_more": at + limit < len(found),
        "next_page": str(at + limit) if at + limit < len(found) else None,
        "total_count": len(found),
        "url": ask.row.path,
    }
