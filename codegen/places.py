"""The places that documentation can describe: fields of models and parameters of operations, by dotted path.

Items of lists, values of maps and pages add no step to a path: `items.price` is the price of each item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from codegen import spec


@dataclass(frozen=True)
class Place:
    """One field or parameter.

    `components` are the component schemas around it, outermost first, each with the path from there; `component` is the
    one it refers to itself.
    """

    path: str
    field: spec.Field
    components: tuple[tuple[str, str], ...] = ()
    component: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """The string values that the place allows."""
        return tuple(value for value in spec.values(self.field.type) if isinstance(value, str))


def of_schema(api: spec.Api, name: str) -> dict[str, Place]:
    """Return the places of a schema's fields by path, down to where other objects begin."""
    return _by_path(_places(api, api.schemas[name].fields, "", (), frozenset({name})))


def of_operation(api: spec.Api, operation: spec.Operation) -> dict[str, Place]:
    """Return the places of an operation's parameters by path."""
    return _by_path(_places(api, operation.params, "", (), frozenset()))


def of_event(api: spec.Api, event: spec.ThinEvent) -> dict[str, Place]:
    """Return the places of the fields of a thin event's data by path."""
    return _by_path(_places(api, event.data or (), "", (), frozenset()))


def _by_path(places: Iterable[Place]) -> dict[str, Place]:
    result: dict[str, Place] = {}
    for place in places:
        if other := result.get(place.path):  # alternatives of one union
            both = spec.Union((other.field.type, place.field.type))
            place = replace(other, field=replace(other.field, type=both))
        result[place.path] = place
    return result


def _places(
    api: spec.Api,
    fields: Iterable[spec.Field],
    prefix: str,
    around: tuple[tuple[str, str], ...],
    seen: frozenset[str],
) -> Iterator[Place]:
    for field in fields:
        path = f"{prefix}{field.name}"
        inside = tuple((name, f"{start}{field.name}") for name, start in around)
        components = embedded_components(api, field.type)
        yield Place(path, field, inside, components[0] if components else "")
        below = tuple((name, f"{start}.") for name, start in inside)
        for part in spec.objects(field.type):
            yield from _places(api, part.fields, f"{path}.", below, seen)
        for name in components:
            if name not in seen:
                yield from _places(api, api.schemas[name].fields, f"{path}.", (*below, (name, "")), seen | {name})


def embedded_components(api: spec.Api, kind: spec.Type) -> list[str]:
    """Return the component schemas that a type embeds; objects with documentation of their own are none."""
    names = spec.without_client_variants(spec.references(kind))
    return [name for name in names if is_component(api.schemas[name])]


def is_component(schema: spec.Schema) -> bool:
    """Return whether a schema is a part of objects rather than an object of its own."""
    return not schema.standalone and not schema.options


def component_uses(api: spec.Api) -> Mapping[str, frozenset[str]]:
    """Return the objects in which each component appears."""
    result: dict[str, set[str]] = {}
    for name, schema in api.schemas.items():
        if schema.standalone:
            for place in of_schema(api, name).values():
                for component in embedded_components(api, place.field.type):
                    result.setdefault(component, set()).add(name)
    return {name: frozenset(uses) for name, uses in result.items()}
