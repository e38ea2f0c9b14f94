"""The building blocks of models: `StripeModel`, references to objects, embedded objects, and pages.

The generated models hold only names and types; what these types do at run time is defined here.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, Protocol, TypeAlias, TypeVar, Union

from pydantic import VERSION as PYDANTIC_VERSION
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, PydanticSerializationError, core_schema

from pinstripe import _dumps, _repr, errors
from pinstripe._registry import registry
from pinstripe._response import Response
from pinstripe.types import JSON

__all__ = [
    "Expandable",
    "Lazy",
    "ListObject",
    "ModelMeta",
    "Ref",
    "SearchResult",
    "StripeModel",
    "StripeObject",
    "V2List",
    "ref_id",
]

E = TypeVar("E", bound="StripeModel")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# A deferred build of Pydantic is not thread-safe, and it also builds the models of the fields: one lock for all models.
BUILD_LOCK = threading.RLock()
# Values of fields are serialized by their own class; before version 2.14, Pydantic does not build this class for it.
_BUILD_INNER = tuple(int(part) for part in PYDANTIC_VERSION.split(".")[:2]) < (2, 14)
Schema: TypeAlias = Any  # Any: core schemas are a union of a hundred TypedDicts

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass

    class ModelMeta(ModelMetaclass):
        """Keeps type checkers from deriving an `__init__` for each model, which doubles the time mypy takes to read them.

        `typing.dataclass_transform` applies to the classes of a decorated metaclass, not to those of its subclasses.
        """

        def __hash__(self) -> int: ...  # else Pyright takes a class for one of its instances, which it cannot hash
else:
    ModelMeta = type(BaseModel)


class StripeModel(BaseModel, metaclass=ModelMeta):
    """The base class of all models. Models are frozen, keep unknown fields, compare by value, and can be hashed.

    `to_json` and ``model_dump_json(by_alias=True, exclude_unset=True)`` return the JSON that the model was decoded from.
    """

    __slots__ = ("_last_response",)  # not a field, so that equality, copies, pickles and dumps leave it out

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="allow",
        defer_build=True,
        populate_by_name=True,
        protected_namespaces=(),
        ser_json_inf_nan="null",
    )

    def __hash__(self) -> int:
        """Return a hash that equal models have in common: of the ``id``, else of all fields but dicts, lists and models."""
        fields = self.__dict__
        if isinstance(fields.get("id"), str):
            return hash((type(self), fields["id"]))
        scalars = (str, int, float, Decimal, date, type(None))
        values = {**(self.__pydantic_extra__ or {}), **fields}
        return hash((type(self), frozenset(item for item in values.items() if isinstance(item[1], scalars))))

    def to_dict(self) -> dict[str, JSON]:
        """Return the JSON that this object was decoded from, as a dict that ``json.dumps`` accepts.

        ``pinstripe.decode`` makes an equal object of it. The dict is a copy: changing it does not change the object.
        """
        return _dumps.to_dict(self, by_alias=True, exclude_unset=True)

    def to_json(self) -> str:
        """Return the JSON that this object was decoded from. ``pinstripe.decode`` makes an equal object of it."""
        return self.model_dump_json(by_alias=True, exclude_unset=True)

    @property
    def last_response(self) -> Response:
        """The HTTP response that returned this object: ``request_id``, ``status_code``, ``headers``, ``idempotency_key``.

        ``None`` for objects that were not returned by a call, such as those inside other objects. The type leaves that out, so
        that the response to a call can be read without a check.
        """
        return _slot(StripeModel, "_last_response", self)  # type: ignore[no-any-return]  # the type leaves None out, see above

    @classmethod
    def model_rebuild(cls, **options: Any) -> bool | None:  # Any: Pydantic's own options
        """Build the validator of this model. Thread-safe."""
        with BUILD_LOCK:
            if cls.__pydantic_complete__ and not options.get("force"):
                return None
            options["_parent_namespace_depth"] = options.get("_parent_namespace_depth", 2) + 1
            built = super().model_rebuild(**options)
            if _BUILD_INNER:
                for model in _models_in(cls.__pydantic_core_schema__):
                    model.model_rebuild()
            return built

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _preserve_json(handler.resolve_ref_schema(schema))
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe the fields, for OpenAPI documents."""  # Any: JSON
        from pinstripe._field_docs import field_docs  # here, since most programs make no JSON schema

        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        fields = cls.__pydantic_fields__
        for name, text in field_docs(cls).items():
            for key in {name, fields[name].alias or name} & properties.keys() if name in fields else ():
                properties[key].setdefault("description", text)
        return schema

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Return what a ``repr`` shows: what tells objects of this type apart, on one line, and no secrets."""
        return _repr.arguments(self)

    if not TYPE_CHECKING:  # with the signatures of Pydantic

        def model_dump_json(self, **options: object) -> str:
            """Return the JSON of this object, as Pydantic does, but also of text with unpaired surrogates."""
            try:
                return super().model_dump_json(**options)
            except PydanticSerializationError:
                return _dumps.to_json(self, **options)

        def __getattr__(self, name: str) -> object:
            if name in type(self).__pydantic_fields__:
                raise AttributeError(
                    f"{type(self).__name__}.{name} is not in the response, although Stripe's API description requires it. "
                    f"model_fields_set lists the fields that are."
                )
            try:
                return super().__getattr__(name)
            except AttributeError:
                from pinstripe import _model_hints  # here, since it is needed for errors only

                if hint := _model_hints.model_attribute(type(self).__name__, name):
                    raise hint from None
                raise

        def __getitem__(self, name: object) -> object:
            from pinstripe import _model_hints  # here, since it is needed for errors only

            raise _model_hints.model_item(type(self).__name__, name)


class StripeObject(StripeModel):
    """An object of a type that no model describes. Its fields are attributes, with the values of the JSON."""


def set_last_response(model: StripeModel, response: object) -> None:
    """Attach the response that returned a model. It is not part of equality, dumps or pickles."""
    object.__setattr__(model, "_last_response", response)


def _slot(owner: type[StripeModel], name: str, model: StripeModel) -> Any:  # Any: slots have no types
    """Return the value of a slot, or ``None``; an unknown field of the same name does not matter."""
    try:
        return owner.__dict__[name].__get__(model)
    except AttributeError:
        return None


def validator(model: type[StripeModel]) -> Any:  # Any: a SchemaValidator, or a wrapper by a plugin of Pydantic
    """Return the validator of a model, building it if needed. Thread-safe."""
    if _BUILD_INNER or not model.__pydantic_complete__:  # the models inside may not be built yet: wait for the lock
        model.model_rebuild()
    return model.__pydantic_validator__


class _Nesting(threading.local):
    depth = 0


_nesting = _Nesting()
MAX_NESTING = 64


def validate_embedded(validate: Callable[[Any], Any], value: object) -> object:  # Any: JSON, and a model
    """Validate an embedded object, unless so many objects are around it that the stack might not suffice."""
    if _nesting.depth >= MAX_NESTING:
        raise PydanticCustomError("stripe_nesting", "Input should not be nested as deeply")
    _nesting.depth += 1
    try:
        return validate(value)
    finally:
        _nesting.depth -= 1


def _preserve_json(schema: Schema) -> None:
    """Change the schema of a model so that it coerces nothing, and serializes each field as it was decoded."""
    while schema["type"] != "model-fields":
        schema = schema["schema"]
    _preserve_fields(schema["fields"])


def _preserve_fields(fields: Mapping[str, Schema]) -> None:
    for item in fields.values():
        if not _make_strict(item["schema"]):
            item["schema"]["serialization"] = {"type": "any"}


def _make_strict(schema: Schema) -> bool:
    """Make the scalars in a schema strict; return whether something in it has a serialization of its own."""
    schema_type = schema["type"]
    if schema_type in ("int", "bool", "str"):
        schema["strict"] = True
    if schema_type == "float":  # 0 stays 0, and does not become 0.0
        either = [core_schema.int_schema(strict=True), core_schema.float_schema(strict=True)]
        schema.clear()
        schema.update(core_schema.union_schema(list(either), mode="left_to_right"))
        return False
    serialized = "serialization" in schema
    for inner in ("schema", "items_schema", "values_schema"):
        if inner in schema and schema_type not in ("model", "function-plain"):
            serialized = _make_strict(schema[inner]) or serialized
    if schema_type == "union":
        for choice in schema["choices"]:
            serialized = _make_strict(choice[0] if isinstance(choice, tuple) else choice) or serialized
    return serialized


def _models_in(schema: Any) -> Iterator[type[StripeModel]]:  # Any: any part of a core schema
    """Return the models inside a core schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "model":
            yield schema["cls"]
        for key, value in schema.items():
            if key not in ("metadata", "serialization", "function", "config"):
                yield from _models_in(value)
    elif isinstance(schema, (list, tuple)):
        for item in schema:
            yield from _models_in(item)


# --- references and embedded objects ----------------------------------------------------------------------------------


class Ref(str, Generic[T_co]):
    """The id of an object: a ``str`` with an ``.id``, so that ``subscription.customer.id`` works, expanded or not.

    To get the object itself, pass the name of the field in ``expand``: https://docs.stripe.com/api/expanding_objects
    """

    __slots__ = ()

    @property
    def id(self) -> str:
        """The id."""
        return str(self)


def ref_id(value: object) -> str:
    """Return the id of a `Ref`, of a string, or of an object that has an ``id``."""
    identifier = value if isinstance(value, str) else getattr(value, "id", None)
    if not isinstance(identifier, str):
        raise TypeError(f"expected an id or an object with an id, not {type(value).__name__}")
    return str(identifier)


@dataclass(frozen=True)
class Embedded:
    """Decodes an embedded object in a field: by the model that the ``object`` field of the embedded object names.

    The schema of the surrounding model does not contain the schema of the embedded object, so that a model can be built
    without building all models it refers to.
    """

    names: str
    expandable: bool

    def __call__(self, value: object) -> object:
        """Decode the value of the field; raise Pydantic's ``ValidationError`` or an error that becomes one."""
        if isinstance(value, dict):
            return validate_embedded(validator(registry().model_for(value, self.names)).validate_python, value)
        if isinstance(value, StripeModel):
            return value
        raise PydanticCustomError(
            "stripe_object", "Input should be an object" + (" or an id" if self.expandable else "")
        )

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        decoded = core_schema.no_info_plain_validator_function(self)
        if not self.expandable:
            return decoded
        # Most references are ids. A function written in Python takes three times as long for them.
        reference = core_schema.no_info_after_validator_function(Ref, core_schema.str_schema(strict=True))
        return core_schema.union_schema([reference, decoded], mode="left_to_right")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        objects: dict[str, object] = {"type": "object", "description": f"A Stripe object: {self.names}"}
        return {"anyOf": [{"type": "string"}, objects]} if self.expandable else objects


if TYPE_CHECKING:
    Expandable = Union[Ref[T], T]
    Lazy = Annotated[T, "decoded by its object field"]
else:

    class Expandable:
        """A field that ``expand`` applies to: ``Expandable["Customer"]`` is ``Ref[Customer] | Customer``."""

        def __class_getitem__(cls, names: str) -> object:
            return Annotated[Any, Embedded(names, expandable=True)]

    class Lazy:
        """A field with an embedded object, whose model is loaded when such an object is decoded."""

        def __class_getitem__(cls, names: str) -> object:
            return Annotated[Any, Embedded(names, expandable=False)]


# --- pages ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PageOf:
    """The schema of a page whose items have one type. The class of the page is the same for all types of items."""

    page: type[StripeModel]
    item: Any  # Any: any annotation

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        item = handler.generate_schema(self.item)
        _make_strict(item)
        fields = {
            name: core_schema.model_field(self._field(name, item, handler)) for name in self.page.__pydantic_fields__
        }
        _preserve_fields(fields)
        # Not a model schema: once the class of the page is complete, Pydantic would use the validator of that class instead.
        inner = core_schema.model_fields_schema(
            fields, model_name=self.page.__name__, extra_behavior="allow", extras_schema=core_schema.any_schema()
        )
        decoded = core_schema.no_info_after_validator_function(self._make, inner, serialization={"type": "any"})
        is_page = core_schema.is_instance_schema(self.page)
        python = core_schema.union_schema([decoded, is_page], mode="left_to_right")
        return core_schema.json_or_python_schema(decoded, python, serialization={"type": "any"})

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {"title": self.page.__name__, **handler(schema)}

    def _make(self, parts: tuple[dict[str, Any], dict[str, Any] | None, set[str]]) -> StripeModel:  # Any: field values
        if _BUILD_INNER:
            validator(self.page)
        page = self.page.__new__(self.page)
        names = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__")
        for name, value in zip(names, (*parts, None), strict=True):
            object.__setattr__(page, name, value)
        return page

    def _field(self, name: str, item: CoreSchema, handler: GetCoreSchemaHandler) -> CoreSchema:
        if name == "data":
            return core_schema.list_schema(item)
        field = self.page.__pydantic_fields__[name]
        schema = handler.generate_schema(field.annotation)
        return schema if field.is_required() else core_schema.with_default_schema(schema, default=field.default)


class PageSource(Protocol):
    """Fetches the pages after one, with the client and the options of the call whose response contains it."""

    is_async: bool

    def iterator(self, page: Any) -> Any:  # Any: a page below, and an iterator or an async iterator of its items
        """Return an iterator over the items of this page and of all pages after it."""


PAGE_SOURCE: ContextVar[PageSource | None] = ContextVar("pinstripe page source", default=None)
"""The source of the pages that are decoded now."""


class _Page(StripeModel, Generic[T]):
    """The base of the three kinds of page: subscripting returns the annotation of a page with items of one type.

    Iterating over a page yields its items, and those of all pages after it, which the client of the call fetches.
    """

    __slots__ = ("_source",)

    if TYPE_CHECKING:
        data: list[T]  # a field of each subclass, in the place where Stripe sends it
    else:

        def __new__(cls, *args: object, **fields: object) -> object:
            page = object.__new__(cls)  # faster than super(), for each page that is decoded
            if (source := PAGE_SOURCE.get()) is not None:
                object.__setattr__(page, "_source", source)
            return page

        def __class_getitem__(cls, item: object) -> object:
            return cls if cls is _Page else Annotated[cls, PageOf(cls, item)]

    def __iter__(self) -> Iterator[T]:  # type: ignore[override]  # not the fields, which Pydantic yields
        source = self._page_source(is_async=False)
        return iter(self.data) if source is None else source.iterator(self)

    def __aiter__(self) -> AsyncIterator[T]:
        source = self._page_source(is_async=True)
        return _each(self.data) if source is None else source.iterator(self)

    def _page_source(self, *, is_async: bool) -> PageSource | None:
        """Return the source of the pages after this one, ``None`` after the last; raise an error if there is none."""
        fields = self.__dict__
        has_more = fields.get("next_page_url") is not None if isinstance(self, V2List) else fields.get("has_more")
        if not isinstance(fields.get("data"), list) or not isinstance(has_more, bool):
            raise errors.ResponseValidationError(
                "Cannot iterate over this list: its data or has_more is missing or of another type."
            )
        if not has_more:
            return None
        source: PageSource | None = _slot(_Page, "_source", self)
        if source is None:
            raise errors.InvalidArgumentError(
                "This list has more items than its first page, and no client to fetch them: it is not part of the response to "
                "a call, but of an event, a copy, or stored data. Use its data for the first page, or list the items with a "
                f"client; its url is {fields.get('url')}."
            )
        if source.is_async != is_async:
            have, use = ("an AsyncClient", "async for") if source.is_async else ("a Client", "for")
            raise errors.InvalidArgumentError(f"This list was returned by {have}: iterate over it with `{use}`.")
        return source


async def _each(items: list[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


class ListObject(_Page[T], Generic[T]):
    """A list that is embedded in an object, such as ``subscription.items``: its first page.

    Iterate over it, with ``async for`` if an async client returned it, for its items and those of all further pages.
    https://docs.stripe.com/api/pagination
    """

    object: Literal["list"]
    data: list[T]
    has_more: bool
    url: str


class SearchResult(_Page[T], Generic[T]):
    """A page of search results. https://docs.stripe.com/api/pagination/search"""

    object: Literal["search_result"]
    data: list[T]
    has_more: bool
    url: str
    next_page: str | None = None
    total_count: int | None = None


class V2List(_Page[T], Generic[T]):
    """A page of a list of API v2. https://docs.stripe.com/api-v2-overview#list-pagination"""

    data: list[T]
    next_page_url: str | None = None
    previous_page_url: str | None = None
