"""The intermediate form: what the API description says, as plain dataclasses.

Everything the writers need is here, and nothing of the OpenAPI document's own shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ScalarKind = Literal[
    "str", "int", "float", "bool", "timestamp", "datetime", "decimal", "int64", "currency", "binary", "any"
]
Shape = Literal["object", "page", "search", "v2", "upload", "download", "nothing"]
Host = Literal["api", "files", "meter_events"]
PageKind = Literal["list", "search", "v2"]


@dataclass(frozen=True)
class Scalar:
    """A value without parts; ``timestamp`` is unix seconds, ``datetime`` an RFC 3339 string."""

    kind: ScalarKind
    max_length: int | None = None


@dataclass(frozen=True)
class Enum:
    """One of a few literal values, strings or booleans."""

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
class Object:
    """An object with known fields: the key of its `Model`."""

    key: str


@dataclass(frozen=True)
class Expandable:
    """An id, or in its place one of these objects when ``expand`` asked for it."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class Lazy:
    """One of these objects, decoded by its ``object`` field when it comes, so that the graph ends here."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class Union:
    """One of several types."""

    options: tuple[Type, ...]


@dataclass(frozen=True)
class PageOf:
    """A page of a list, of search results, or of a v2 list."""

    kind: PageKind
    item: Type


@dataclass(frozen=True)
class Clearable:
    """A parameter that the empty value clears (``anyOf [..., ""]``), or that may be null."""

    inner: Type


Type: TypeAlias = Scalar | Enum | ListOf | MapOf | Object | Expandable | Lazy | Union | PageOf | Clearable


@dataclass(frozen=True)
class Field:
    """One field of a model, or one parameter."""

    name: str
    type: Type
    required: bool = False
    nullable: bool = False
    deprecated: bool = False


@dataclass
class Model:
    """An object with known fields. ``owner`` and ``via`` say where an inline object stands."""

    key: str
    fields: tuple[Field, ...]
    object_value: str | None = None
    resource: bool = False
    component: bool = True
    name: str = ""
    module: str = ""
    same: str = ""  # the key of the shape that this one only gives another name
    base: str = ""  # the key of the shape whose fields this one has besides its own


@dataclass
class Endpoint:
    """One operation: the row that calls it, and everything its face shows."""

    verb: str
    path: str
    service: str
    method: str
    path_params: tuple[str, ...]
    params: tuple[Field, ...]
    returns: Type | None
    shape: Shape = "object"
    host: Host = "api"
    deprecated: bool = False
    params_name: str = ""

    @property
    def key(self) -> str:
        """The key of the operation's own parameters."""
        return f"{self.service}.{self.method}()"


@dataclass(frozen=True)
class Event:
    """A snapshot event type and the schema of its ``data.object``."""

    type: str
    object: Type
    previous_attributes: bool


@dataclass(frozen=True)
class ThinEvent:
    """A thin (v2) event type: what it is about, and its own data if it carries any."""

    type: str
    related_key: str | None
    data_key: str | None


@dataclass
class Api:
    """The whole description."""

    version: str
    models: dict[str, Model] = field(default_factory=dict)
    params: dict[str, Model] = field(default_factory=dict)
    endpoints: list[Endpoint] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    thin_events: list[ThinEvent] = field(default_factory=list)
    model_values: dict[Enum, str] = field(default_factory=dict)
    param_values: dict[Enum, str] = field(default_factory=dict)
