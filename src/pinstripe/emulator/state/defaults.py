"""Default objects: every field of a model with a value that fits its type and name; and parameters as field values."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pinstripe._base import Embedded, PageOf, StripeModel
from pinstripe._differences import annotation_of
from pinstripe._registry import registry
from pinstripe._scalars import Scalar
from pinstripe.emulator.state.json_values import JSON, Object

Annotation: TypeAlias = Any  # Any: the types of annotations have no common type
DefaultFactory: TypeAlias = "Callable[[DefaultValues], JSON]"
DEFAULT_TEXTS = {"currency": "usd", "country": "US", "type": "card"}
"""The defaults of text fields by name; the default of the others is their name."""
INITIAL_STATUSES = (
    "open",
    "active",
    "pending",
    "requires_input",
    "processing",
    "unsubmitted",
    "review",
    "enabled",
    "inactive",
)
"""The statuses of new objects, in order of preference; the API description does not say which one is the first."""
DOES_NOT_FIT = object()


@dataclass(frozen=True, slots=True)
class DefaultValues:
    """The values of an account that default objects contain: new ids, the time, the base URL."""

    new_id: Callable[[str], str]
    now: int
    base_url: str


def default_object(model_name: str, values: DefaultValues) -> Object:
    """Return a new object of a model.

    Optional fields are null, except for those that belong to another ``type`` of the object, which are left out.
    """
    return _build(_default_factories(registry().load(model_name)), values)


def default_part(model_name: str, field_name: str, values: DefaultValues) -> JSON:
    """Return a new object for a field of a model, or for the list that it holds; ``None`` when it holds no objects."""
    part = _model_in(_annotations(registry().load(model_name)).get(field_name))
    return _build(_default_factories(part), values) if part else None


def _build(factories: tuple[tuple[str, DefaultFactory], ...], values: DefaultValues) -> Object:
    return {key: factory(values) for key, factory in factories}


@cache
def _default_factories(model: type[StripeModel]) -> tuple[tuple[str, DefaultFactory], ...]:
    """Return the fields of a model that a default object has, with the functions that create their values."""
    if not model.__pydantic_complete__:
        model.model_rebuild()
    factories: list[tuple[str, DefaultFactory]] = []
    object_kinds = _literal_values(model.model_fields["type"].annotation) if "type" in model.model_fields else set()
    for name, field in model.model_fields.items():
        key = field.alias or name
        if field.is_required():
            factories.append((key, _factory(key, annotation_of(field))))
        elif key == "metadata":
            factories.append((key, lambda _: {}))
        elif key == "status" and (statuses := _literal_values(annotation_of(field))):
            factories.append((key, _constant(_initial_status(statuses))))
        elif key not in object_kinds and not _is_includable(annotation_of(field)):
            factories.append((key, _constant(None)))
    return tuple(factories)


@cache
def _origin(annotation: Annotation) -> Annotation:
    return get_origin(annotation)


@cache
def _args(annotation: Annotation) -> tuple[Annotation, ...]:
    return get_args(annotation)


def _literal_values(annotation: Annotation) -> set[str]:
    if _origin(annotation) is Literal:
        return set(get_args(annotation))
    return {text for arg in get_args(annotation) for text in _literal_values(arg)}


def _is_includable(annotation: Annotation) -> bool:
    """Return whether a field is absent unless it is included, such as a list, or unless the object is deleted."""
    if isinstance(annotation, PageOf):
        return True
    if _origin(annotation) is Literal and get_args(annotation) in ((True,), (False,)):
        return True
    return any(_is_includable(arg) for arg in get_args(annotation) if _origin(annotation) is not Literal)


def _initial_status(statuses: Collection[str]) -> str:
    return next((status for status in INITIAL_STATUSES if status in statuses), min(statuses))


def _constant(value: JSON) -> DefaultFactory:
    return lambda _: value


def _factory(name: str, annotation: Annotation) -> DefaultFactory:
    """Return what creates the default of a required field."""
    origin, args = _origin(annotation), _args(annotation)
    if origin in (Union, types.UnionType):
        return _constant(None) if type(None) in args else _factory(name, args[0])
    if origin is Literal:
        return _constant(_initial_status(args) if name == "status" else args[0])
    if origin is Annotated:
        return _annotated_factory(name, args[0], args[1:])
    if origin is list:
        return lambda _: []
    if origin is dict:
        return lambda _: {}
    if isinstance(annotation, type) and issubclass(annotation, StripeModel):
        return lambda values: _build(_default_factories(annotation), values)
    if annotation is str:
        return _text_factory(name)
    return _constant({int: 0, float: 0, bool: name in ("active", "enabled")}.get(annotation))


def _annotated_factory(name: str, annotation: Annotation, parts: tuple[Annotation, ...]) -> DefaultFactory:
    for part in parts:
        if isinstance(part, PageOf):
            return lambda _: {"object": "list", "data": [], "has_more": False, "url": "/v1"}
        if isinstance(part, Scalar):
            return _scalar_factory(part.kind)
        if isinstance(part, Embedded):
            target = part.names.split(" | ")[0]
            if part.expandable:
                object_type = registry().object_type(target) or target
                return lambda values: values.new_id(object_type)
            return lambda values: default_object(target, values)
    return _factory(name, annotation)


def _scalar_factory(kind: str) -> DefaultFactory:
    if kind == "timestamp":
        return lambda values: values.now
    if kind == "datetime":
        return lambda values: rfc3339(values.now)
    return _constant("0")


def _text_factory(name: str) -> DefaultFactory:
    if name == "url" or name.endswith(("_url", "_uri")):
        return lambda values: f"{values.base_url}/{name}/{values.new_id('url')}"
    if name.endswith("secret"):
        return lambda values: f"{name}_{values.new_id('secret')}"
    return _constant(DEFAULT_TEXTS.get(name, name))


def rfc3339(seconds: int) -> str:
    """Format unix seconds as API v2 does."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def fit(
    model_name: str, params: Mapping[str, JSON], values: DefaultValues, current: Mapping[str, JSON] | None = None
) -> Object:
    """Return the parameters that are fields of a model and fit its types; others are left out.

    ``current`` is the object that is updated: parameters change the fields of its parts one by one.
    """
    return _fit_fields(registry().load(model_name), params, values, current or {})


def _fit_fields(
    model: type[StripeModel], params: Mapping[str, JSON], values: DefaultValues, current: Mapping[str, JSON]
) -> Object:
    annotations = _annotations(model)
    fields = {}
    for key, param in params.items():
        if key in annotations:
            value = _fit_value(annotations[key], param, values, current.get(key))
            if value is not DOES_NOT_FIT:
                fields[key] = value
    return fields


@cache
def _annotations(model: type[StripeModel]) -> dict[str, Annotation]:
    _default_factories(model)  # completes the model
    return {field.alias or name: annotation_of(field) for name, field in model.model_fields.items()}


def _fit_value(annotation: Annotation, value: JSON, values: DefaultValues, current: JSON) -> JSON:
    """Return a parameter as a value of a field's type, or `DOES_NOT_FIT`."""
    origin, args = _origin(annotation), _args(annotation)
    if origin in (Union, types.UnionType):
        return _fit_union(args, value, values, current)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not isinstance(value, dict):
        return DOES_NOT_FIT
    if isinstance(annotation, type) and issubclass(annotation, StripeModel):
        part = current if isinstance(current, dict) else _build(_default_factories(annotation), values)
        return {**part, **_fit_fields(annotation, value, values, part)}
    if origin is list and isinstance(value, list):
        items = [_fit_value(args[0], item, values, None) for item in value]
        return DOES_NOT_FIT if DOES_NOT_FIT in items else items
    if origin in (list, dict) and value is None:
        return origin()
    return value if _accepts(annotation, value) else DOES_NOT_FIT


def _fit_union(options: tuple[Annotation, ...], value: JSON, values: DefaultValues, current: JSON) -> JSON:
    if value is None and type(None) in options:
        return None
    for option in options:
        if option is not type(None):
            fitted = _fit_value(option, value, values, current)
            if fitted is not DOES_NOT_FIT:
                return fitted
    return DOES_NOT_FIT


def _accepts(annotation: Annotation, value: JSON) -> bool:
    if annotation in (str, int, bool):
        return type(value) is annotation
    try:
        _adapter(annotation).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _adapter(annotation: Annotation) -> TypeAdapter[Any]:  # Any: of any type
    return TypeAdapter(annotation, config=ConfigDict(strict=True))


def _model_in(annotation: Annotation) -> type[StripeModel] | None:
    """Return the first model that an annotation contains."""
    if args := get_args(annotation):  # first: on Python 3.10 list[...] is a type, too
        return next((model for arg in args if (model := _model_in(arg))), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, StripeModel) else None
