"""The building blocks of models: `StripeModel`, references to objects, embedded objects, and pages.

The generated models hold only names and types; what these types do at run time is defined here.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, Union

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pinstripe._registry import registry
from pinstripe._response import Response

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
    """The base class of all models. Models are frozen, keep unknown fields, and compare by value.

    ``model_dump_json(by_alias=True, exclude_unset=True)`` returns the JSON that the model was decoded from.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="allow",
        defer_build=True,
        populate_by_name=True,
        protected_namespaces=(),
        ser_json_inf_nan="null",
    )

    if TYPE_CHECKING:  # Pydantic adds it to frozen models

        def __hash__(self) -> int: ...

    @property
    def last_response(self) -> Response:
        """The HTTP response that returned this object: ``request_id``, ``status_code``, ``headers``, ``idempotency_key``.

        ``None`` for objects that were not returned by a call, such as those inside other objects. The type leaves that out, so
        that the response to a call can be read without a check.
        """
        return self.__dict__.get("last_response")  # type: ignore[return-value]  # the type leaves None out, see above

    @classmethod
    def model_rebuild(cls, **options: Any) -> bool | None:  # Any: Pydantic's own options
        """Build the validator of this model. Thread-safe."""
        with BUILD_LOCK:
            if cls.__pydantic_complete__ and not options.get("force"):
                return None
            options["_parent_namespace_depth"] = options.get("_parent_namespace_depth", 2) + 1
            return super().model_rebuild(**options)

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

    def __getstate__(self) -> dict[Any, Any]:  # Any: Pydantic's state
        state = super().__getstate__()
        if "last_response" in state["__dict__"]:
            state["__dict__"] = {key: value for key, value in state["__dict__"].items() if key != "last_response"}
        return state

    if not TYPE_CHECKING:

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
    vars(model).update(last_response=response)


def validator(model: type[StripeModel]) -> Any:  # Any: a SchemaValidator, or a wrapper by a plugin of Pydantic
    """Return the validator of a model, building it if needed. Thread-safe."""
    if not model.__pydantic_complete__:
        model.model_rebuild()
    return model.__pydantic_validator__


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
    if schema_type in ("int", "float", "bool", "str"):
        schema["strict"] = True
    serialized = "serialization" in schema
    for inner in ("schema", "items_schema", "values_schema"):
        if inner in schema and schema_type not in ("model", "function-plain"):
            serialized = _make_strict(schema[inner]) or serialized
    if schema_type == "union":
        for choice in schema["choices"]:
            serialized = _make_strict(choice[0] if isinstance(choice, tuple) else choice) or serialized
    return serialized


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
            return validator(registry().model_for(value, self.names)).validate_python(value)
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


class _Page(StripeModel):
    """The base of the three kinds of page: subscripting returns the annotation of a page with items of one type."""

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: object) -> object:
            return Annotated[cls, PageOf(cls, item)]


class ListObject(_Page, Generic[T]):
    """A page of a list that is embedded in an object, such as ``subscription.items``.

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


# --- events -----------------------------------------------------------------------------------------------------------

_event_classes: dict[str, type[StripeModel]] = {}


def event_class(name: str, base: type[E], event_type: str, doc: str, **fields: object) -> type[E]:
    """Return the class of an event type: a subclass of ``base`` whose ``type`` is a literal, made when it is first used."""
    with BUILD_LOCK:
        if name not in _event_classes:
            annotations = {"type": Literal[event_type], **fields}  # the stubs have the literals
            body = {
                "__qualname__": name,
                "__module__": "pinstripe.events",
                "__annotations__": annotations,
                "__doc__": doc,
            }
            _event_classes[name] = type(name, (base,), body)
        cls = _event_classes[name]
    assert issubclass(cls, base)  # noqa: S101  # for type checkers: a name belongs to one base
    return cls
