"""Ids in parameters must be those of objects that there are. https://docs.stripe.com/error-codes#resource-missing"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from pinstripe._base import Embedded
from pinstripe._decoding import annotated
from pinstripe._registry import registry
from pinstripe.emulator.state.account import Ask, World
from pinstripe.emulator.state.object_types import OWN_REFERENCES, REFERENCES
from pinstripe.emulator.validation.errors import missing_object


def check_references(ask: Ask) -> None:
    """Raise a `Refusal` for the first parameter that names no object; follow the clock of those that do."""
    _walk(ask.world, ask.row.service, ask.params, "")


def _walk(world: World, service: str, value: Any, where: str) -> None:  # Any: JSON
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        path = f"{where}[{name}]" if where else str(name)
        if isinstance(item, (dict, list)) and name != "metadata":
            if item and isinstance(item, list) and isinstance(item[0], str):
                for index, one in enumerate(item):
                    _check(world, service, str(name), one, f"{path}[{index}]")
            else:
                _walk(world, service, item, path)
        elif isinstance(item, str) and isinstance(name, str):
            _check(world, service, name, item, path)


def _check(world: World, service: str, name: str, identifier: str, where: str) -> None:
    kinds = _kinds(service, name)
    if not kinds:
        return
    found = world.objects.get(identifier)
    if found is None or found["object"] not in kinds or found.get("deleted"):
        raise missing_object(kinds[0], identifier, where)
    world.follow(found)


@cache
def _kinds(service: str, name: str) -> tuple[str, ...]:
    for (prefix, own), kinds in OWN_REFERENCES.items():
        if own == name and service.startswith(prefix):
            return kinds or ()
    return REFERENCES.get(name, ())


@cache
def referred(kind: str) -> dict[str, tuple[str, ...]]:
    """The fields of a kind's objects that hold ids, and the kinds of what they name."""
    kinds = {model: kind for kind, model in registry().objects.items()}
    model = registry().load(registry().objects[kind])
    if not model.__pydantic_complete__:
        model.model_rebuild()
    found = {}
    for name, field in model.model_fields.items():
        part = _embedded(annotated(field))
        if part is not None and part.expandable:
            found[field.alias or name] = tuple(kinds[one] for one in part.names.split(" | ") if one in kinds)
    return found


def _embedded(annotation: Any) -> Embedded | None:  # Any: whatever stands in an annotation
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, Embedded):
            return part
    return next((found for arg in get_args(annotation) if (found := _embedded(arg))), None)
