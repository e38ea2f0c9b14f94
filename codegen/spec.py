"""One version of Stripe's API as frozen dataclasses: schemas, operations and events.

`codegen.document` reads them from Stripe's OpenAPI document; `codegen.facts` keeps them in `codegen/api/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, get_args

ScalarKind = Literal[
    "string", "integer", "float", "boolean", "timestamp", "datetime", "decimal", "int64", "currency", "binary", "any"
]
PageKind = Literal["list", "search", "v2"]
Body = Literal["query", "form", "json", "multipart"]
Shape = Literal["object", "page", "search", "v2", "upload", "download", "nothing"]
Host = Literal["api", "files", "meter_events"]

SCALARS: dict[str, ScalarKind] = {kind: kind for kind in get_args(ScalarKind)}
PAGES: dict[str, PageKind] = {kind: kind for kind in get_args(PageKind)}
BODIES: dict[str, Body] = {body: body for body in get_args(Body)}
SHAPES: dict[str, Shape] = {shape: shape for shape in get_args(Shape)}
HOSTS: dict[str, Host] = {host: host for host in get_args(Host)}
DELETED = "deleted_"


@dataclass(frozen=True)
class Scalar:
    """A value without parts. A `timestamp` is in Unix seconds, a `datetime` an RFC 3339 string."""

    kind: ScalarKind
    max_length: int | None = None


@dataclass(frozen=True)
class Enum:
    """One of a few literal values."""

    values: tuple[str | bool, ...]


@dataclass(frozen=True)
class ListOf:
    """A list."""

    item: Type


@dataclass(frozen=True)
class MapOf:
    """An object with free keys."""

    value: Type


@dataclass(frozen=True)
class Ref:
    """An object described by a schema of its own."""

    schema: str


@dataclass(frozen=True)
class Object:
    """An object described where it stands."""

    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Expandable:
    """An ID, or one of these objects where `expand` requested it."""

    schemas: tuple[str, ...]


@dataclass(frozen=True)
class PageOf:
    """A page of a list, of search results, or of a v2 list."""

    kind: PageKind
    item: Type


@dataclass(frozen=True)
class Union:
    """One of several types."""

    options: tuple[Type, ...]


@dataclass(frozen=True)
class Nullable:
    """An item of a list or a value of a map that can be null (or, in a v1 request, empty)."""

    inner: Type


Type: TypeAlias = Scalar | Enum | ListOf | MapOf | Ref | Object | Expandable | PageOf | Union | Nullable


@dataclass(frozen=True)
class Field:
    """A field of a model, or a parameter.

    `clearable` parameters take an empty string that unsets them. Where `open` is set, Stripe itself does not hold the
    value to its type.
    """

    name: str
    type: Type
    required: bool = False
    nullable: bool = False
    clearable: bool = False
    deprecated: bool = False
    open: bool = False


@dataclass(frozen=True)
class Schema:
    """An object of the API that has a name: a resource, a part of one, or one of several others (`options`)."""

    name: str
    fields: tuple[Field, ...] = ()
    options: tuple[str, ...] = ()
    resource: bool = False

    @cached_property
    def object(self) -> str | None:
        """The value of the `object` field, where there is only one."""
        for item in self.fields:
            if item.name == "object" and isinstance(item.type, Enum) and len(item.type.values) == 1:
                return str(item.type.values[0])
        return None

    @property
    def standalone(self) -> bool:
        """Return whether users meet it as an object of its own, not only as a part of another."""
        return self.resource or self.object is not None

    @property
    def original(self) -> str:
        """The name of the schema that this one is the deleted variant of, else its own name."""
        return self.name.removeprefix(DELETED)


@dataclass(frozen=True)
class Operation:
    """One call of the API. `aliases` are further (service, method) names of the same call."""

    service: str
    method: str
    verb: str
    path: str
    body: Body
    path_params: tuple[str, ...]
    params: tuple[Field, ...]
    returns: Type | None
    shape: Shape
    host: Host = "api"
    deprecated: bool = False
    errors: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The dotted name: `customers.create`."""
        return f"{self.service}.{self.method}"

    @property
    def is_list(self) -> bool:
        """Return whether it returns a page, so that its parameters are filters."""
        return self.shape in ("page", "search", "v2")


@dataclass(frozen=True)
class Event:
    """A snapshot event type and the schema of its `data.object`."""

    type: str
    object: str
    previous_attributes: bool = False


@dataclass(frozen=True)
class ThinEvent:
    """A thin (v2) event type: the schema it is about, if any, and the fields of its `data`, if it carries any."""

    type: str
    related: str | None = None
    data: tuple[Field, ...] | None = None


@dataclass(frozen=True)
class Api:
    """One version of Stripe's API."""

    version: str
    schemas: Mapping[str, Schema]
    operations: Mapping[str, Operation]
    events: Mapping[str, Event]
    thin_events: Mapping[str, ThinEvent]

    @cached_property
    def services(self) -> frozenset[str]:
        """The services that have operations."""
        return frozenset(operation.service for operation in self.operations.values())

    @cached_property
    def resources(self) -> Mapping[str, str]:
        """The object that each operation is about, by the operation's name."""
        return {name: self._resource(operation) for name, operation in self.operations.items()}

    def _resource(self, operation: Operation) -> str:
        siblings = (self.operations.get(f"{operation.service}.{name}") for name in ("retrieve", "create", "list"))
        for candidate in (operation, *siblings):
            if candidate and len(result := self._returned(candidate)) == 1:
                return result.pop()
        return ""

    def _returned(self, operation: Operation) -> set[str]:
        return {self.schemas[name].original for name in references(operation.returns) if name != "v2.deleted_object"}


def path_params(path: str) -> tuple[str, ...]:
    """Return the names of the arguments in a path, in their order."""
    return tuple(re.findall(r"{(\w+)}", path))


def parts(kind: Type) -> Iterator[Type]:
    """Yield the type and every type inside it, without the fields of objects."""
    yield kind
    match kind:
        case ListOf(inner) | MapOf(inner) | PageOf(_, inner) | Nullable(inner):
            yield from parts(inner)
        case Union(options):
            for option in options:
                yield from parts(option)
        case _:
            pass


def references(kind: Type | None) -> Iterator[str]:
    """Yield the names of the schemas that a type embeds."""
    if kind is not None:
        yield from (part.schema for part in parts(kind) if isinstance(part, Ref))


def without_client_variants(names: Iterable[str]) -> list[str]:
    """Return the names of schemas that are alternatives, without those that only publishable keys receive."""
    result = list(dict.fromkeys(names))
    return [name for name in result if len(result) == 1 or not name.endswith("_client")]


def objects(kind: Type) -> tuple[Object, ...]:
    """Return the objects described in place in a type."""
    return tuple(part for part in parts(kind) if isinstance(part, Object))


def values(kind: Type) -> tuple[str | bool, ...]:
    """Return the literal values that a type allows."""
    return tuple(value for part in parts(kind) if isinstance(part, Enum) for value in part.values)


def max_length(kind: Type) -> int | None:
    """Return how many characters a type allows, if it has a limit."""
    limits = (part.max_length for part in parts(kind) if isinstance(part, Scalar))
    return next((limit for limit in limits if limit is not None), None)
