"""What every model is made of: `StripeModel`, ids that may be objects, pages, and the values of Stripe's wire format.

Generated models say only names and types; what those types mean at run time is here. Stripe's conventions are described at
https://docs.stripe.com/api.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar, Union

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pinstripe._registry import registry

__all__ = ["Expandable", "Lazy", "ListObject", "Ref", "SearchResult", "StripeModel", "StripeObject", "V2List", "ref_id"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# A deferred Pydantic build is not safe from two threads, and a build takes in the models below it: one lock for all.
BUILDING = threading.RLock()


class StripeModel(BaseModel):
    """What Stripe sends, validated. Models are frozen, keep fields they do not know, and compare by value.

    ``model_dump_json(by_alias=True, exclude_unset=True)`` gives back the JSON that came in.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        defer_build=True,
        populate_by_name=True,
        protected_namespaces=(),
        ser_json_inf_nan="null",
    )

    @property
    def last_response(self) -> Any:  # Any: the call layer's Response, which this floor does not know
        """The HTTP response that this object came in: ``request_id``, ``status_code``, ``headers``, ``idempotency_key``.

        ``None`` on objects that did not come from a call of their own.
        """
        return self.__dict__.get("last_response")

    @classmethod
    def model_rebuild(cls, **options: Any) -> bool | None:  # Any: Pydantic's own options
        """Build the validator of this model; safe from many threads."""
        with BUILDING:
            if cls.__pydantic_complete__ and not options.get("force"):
                return None
            options["_parent_namespace_depth"] = options.get("_parent_namespace_depth", 2) + 1
            return super().model_rebuild(**options)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _faithful(handler.resolve_ref_schema(schema))
        return schema

    def __getstate__(self) -> dict[Any, Any]:  # Any: Pydantic's own state
        state = super().__getstate__()
        if "last_response" in state["__dict__"]:
            state["__dict__"] = {key: value for key, value in state["__dict__"].items() if key != "last_response"}
        return state

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name in type(self).__pydantic_fields__:
                raise AttributeError(
                    f"{type(self).__name__}.{name} is not in what Stripe sent (the field is required by its API "
                    f"description, so this is a drift; model_fields_set says what did come)"
                )
            return super().__getattr__(name)


class StripeObject(StripeModel):
    """An object of a kind that no model describes: every field is there as it came."""


def set_last_response(model: StripeModel, response: object) -> None:
    """Attach the response that a model came in. It takes no part in equality, dumps or pickles."""
    vars(model).update(last_response=response)


def _faithful(schema: Any) -> None:  # Any: core schemas are a union of a hundred TypedDicts
    """Make a model's schema exact: no value is coerced on the way in, and whatever a field holds is written as it is."""
    while schema["type"] != "model-fields":
        schema = schema["schema"]
    _exact(schema["fields"])


def _exact(fields: Mapping[str, Any]) -> None:  # Any: as above
    for item in fields.values():
        if not _strict(item["schema"]):
            item["schema"]["serialization"] = {"type": "any"}


def _strict(schema: Any) -> bool:  # Any: as above
    """Make the scalars in a schema strict; true when something in it has its own way of being written."""
    kind = schema["type"]
    if kind in ("int", "float", "bool", "str"):
        schema["strict"] = True
    written = "serialization" in schema
    for inner in ("schema", "items_schema", "values_schema"):
        if inner in schema and kind not in ("model", "function-plain"):
            written = _strict(schema[inner]) or written
    if kind == "union":
        for choice in schema["choices"]:
            written = _strict(choice[0] if isinstance(choice, tuple) else choice) or written
    return written


# --- ids that may be objects ------------------------------------------------------------------------------------------


class Ref(str, Generic[T_co]):
    """The id of an object: a ``str`` with an ``.id``, so that ``subscription.customer.id`` is right either way.

    ``expand`` asks Stripe for the object in its place: https://docs.stripe.com/api/expanding_objects
    """

    __slots__ = ()

    @property
    def id(self) -> str:
        """The id itself."""
        return str(self)


def ref_id(value: object) -> str:
    """The id in a `Ref`, a plain string, or an object that has one."""
    found = value if isinstance(value, str) else getattr(value, "id", None)
    if not isinstance(found, str):
        raise TypeError(f"expected an id or an object that has one, not {type(value).__name__}")
    return str(found)


@dataclass(frozen=True)
class Embedded:
    """How a field decodes an object that stands in it: by the ``object`` field, by its own model.

    The schema of the model around it does not hold the schema of what stands here; that is where the graph is cut.
    """

    names: str
    expandable: bool

    def __call__(self, value: object) -> object:
        """Decode what came, or raise; the drift's slow path takes over then."""
        if isinstance(value, dict):
            return decode_object(value, self.names)
        if self.expandable and isinstance(value, str):
            return value if isinstance(value, Ref) else Ref(value)
        if isinstance(value, StripeModel):
            return value
        raise PydanticCustomError(
            "stripe_object", "Input should be an object" + (" or an id" if self.expandable else "")
        )

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        objects: dict[str, object] = {"type": "object", "description": f"A Stripe object: {self.names}"}
        return {"anyOf": [{"type": "string"}, objects]} if self.expandable else objects


if TYPE_CHECKING:
    Expandable = Union[Ref[T], T]
    Lazy = Annotated[T, "decoded by its object field"]
else:

    class Expandable:
        """A field that ``expand`` can fill: ``Expandable["Customer"]`` is ``Ref[Customer] | Customer``."""

        def __class_getitem__(cls, names: str) -> object:
            return Annotated[Any, Embedded(names, expandable=True)]

    class Lazy:
        """An object that is decoded by its ``object`` field, so that its model is loaded only when it comes."""

        def __class_getitem__(cls, names: str) -> object:
            return Annotated[Any, Embedded(names, expandable=False)]


# --- pages ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PageOf:
    """A page whose items are of one type. The page's class stays one class; only its schema knows the type."""

    page: type[StripeModel]
    item: Any  # Any: whatever stands in an annotation

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        item = handler.generate_schema(self.item)
        _strict(item)
        fields = {
            name: core_schema.model_field(self._field(name, item, handler)) for name in self.page.__pydantic_fields__
        }
        _exact(fields)
        # Not a model schema: where the page's own class is complete, Pydantic would take that class's validator instead.
        inner = core_schema.model_fields_schema(
            fields, model_name=self.page.__name__, extra_behavior="allow", extras_schema=core_schema.any_schema()
        )
        made = core_schema.no_info_after_validator_function(self._make, inner, serialization={"type": "any"})
        is_page = core_schema.is_instance_schema(self.page)
        python = core_schema.union_schema([made, is_page], mode="left_to_right")
        return core_schema.json_or_python_schema(made, python, serialization={"type": "any"})

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {"title": self.page.__name__, **handler(schema)}

    def _make(self, parts: tuple[dict[str, Any], dict[str, Any] | None, set[str]]) -> StripeModel:  # Any: field values
        made = self.page.__new__(self.page)
        names = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__")
        for name, value in zip(names, (*parts, None), strict=True):
            object.__setattr__(made, name, value)
        return made

    def _field(self, name: str, item: CoreSchema, handler: GetCoreSchemaHandler) -> CoreSchema:
        if name == "data":
            return core_schema.list_schema(item)
        field = self.page.__pydantic_fields__[name]
        schema = handler.generate_schema(field.annotation)
        return schema if field.is_required() else core_schema.with_default_schema(schema, default=field.default)


class _Page(StripeModel):
    """What the three kinds of page share: ``Page[Item]`` is the page with items of that type."""

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: object) -> object:
            return Annotated[cls, PageOf(cls, item)]


class ListObject(_Page, Generic[T]):
    """A page of a list that stands inside an object, such as ``subscription.items``.

    https://docs.stripe.com/api/pagination
    """

    object: Literal["list"]
    data: list[T]
    has_more: bool
    url: str


class SearchResult(_Page, Generic[T]):
    """A page of search results. https://docs.stripe.com/api/pagination/search"""

    object: Literal["search_result"]
    data: list[T]
    has_more: bool
    url: str
    next_page: str | None = None
    total_count: int | None = None


class V2List(_Page, Generic[T]):
    """A page of a list of API v2. https://docs.stripe.com/api-v2-overview#list-pagination"""

    data: list[T]
    next_page_url: str | None = None
    previous_page_url: str | None = None


# --- which model an object is -----------------------------------------------------------------------------------------


def model_for(data: Mapping[str, Any], names: str = "") -> type[StripeModel]:  # Any: JSON
    """The model of an object, by its ``object`` field, or else by the only name its place allows."""
    known, kind = registry(), data.get("object")
    if kind in ("event", "v2.core.event") and isinstance(data.get("type"), str):
        found, whole = known.event(data["type"]), known.load(known.objects[kind])
        return found if issubclass(found, whole) else whole  # a type that is new, or that belongs to the other kind
    if isinstance(kind, str):
        table = known.deleted if data.get("deleted") is True and kind in known.deleted else known.objects
        if name := table.get(kind):
            return known.load(name)
    elif names and "|" not in names:
        return known.load(names)
    return StripeObject


def build(model: type[StripeModel]) -> type[StripeModel]:
    """The model, with its validator built; safe from many threads."""
    if not model.__pydantic_complete__:
        model.model_rebuild()
    return model


def decode_object(data: dict[str, Any], names: str = "") -> StripeModel:  # Any: JSON
    """Decode an object by its own model, exactly; raises Pydantic's ``ValidationError`` where it does not fit."""
    model = build(model_for(data, names))
    result = model.__pydantic_validator__.validate_python(data)
    assert isinstance(result, StripeModel)  # noqa: S101  # for the checker: a model's validator makes that model
    return result
