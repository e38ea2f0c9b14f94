"""An object with nothing in it but what its model requires: the values that Stripe fills in, fit for their type and name."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timezone
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pinstripe._base import Embedded, PageOf, StripeModel
from pinstripe._decoding import annotation_of
from pinstripe._registry import registry
from pinstripe._scalars import Scalar

MakeDefault = Callable[["DefaultValues"], Any]  # Any: JSON
DEFAULT_TEXTS = {"currency": "usd", "country": "US", "type": "card"}
# The first state of a life, where the API lists another first.
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


class DefaultValues:
    """What a default_object object asks for: ids, the time, and where the emulator is."""

    def __init__(self, new_id: Callable[[str], str], now: int, base_url: str) -> None:
        self.new_id, self.now, self.base_url = new_id, now, base_url


def default_object(model: str, values: DefaultValues) -> dict[str, Any]:  # Any: JSON
    """A new object of a model. Fields that may be missing are null, but for those of another type than the object's own."""
    return {key: fill(values) for key, fill in _defaults(registry().load(model))}


@cache
def _defaults(model: type[StripeModel]) -> tuple[tuple[str, MakeDefault], ...]:
    if not model.__pydantic_complete__:
        model.model_rebuild()
    result = []
    types = _literal_values(model.model_fields["type"].annotation) if "type" in model.model_fields else set()
    for name, field in model.model_fields.items():
        key = field.alias or name
        if field.is_required():
            annotation = annotation_of(field)
            result.append((key, _default(key, annotation)))
        elif key == "metadata":
            result.append((key, lambda _: {}))
        elif key == "status" and (texts := _literal_values(annotation_of(field))):
            result.append((key, _constant(_initial_status(texts))))
        elif key not in types and not _is_optional_part(annotation_of(field)):
            result.append((key, _constant(None)))
    return tuple(result)


def _literal_values(annotation: Any) -> set[str]:  # Any: whatever stands in an annotation
    """The texts that a field may hold."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return {text for one in get_args(annotation) for text in _literal_values(one)}


def _is_optional_part(annotation: Any) -> bool:  # Any: as above
    """Whether a field is there only when it is asked for, or when its object is no more: lists, and ``deleted``."""
    if isinstance(annotation, PageOf) or (get_origin(annotation) is Literal and get_args(annotation) in ((True,), (False,))):
        return True
    return any(_is_optional_part(one) for one in get_args(annotation) if get_origin(annotation) is not Literal)


def _initial_status(states: Collection[str]) -> str:
    return next((one for one in INITIAL_STATUSES if one in states), min(states))


def _constant(value: Any) -> MakeDefault:  # Any: JSON
    return lambda _: value


def _default(name: str, annotation: Any) -> MakeDefault:  # Any: as above
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _constant(None) if type(None) in args else _default(name, args[0])
    if origin is Literal:
        return _constant(_initial_status(args) if name == "status" else args[0])
    if origin is Annotated:
        return _annotated(name, args[0], args[1:])
    if origin is list:
        return lambda _: []
    if origin is dict:
        return lambda _: {}
    if isinstance(annotation, type) and issubclass(annotation, StripeModel):
        return lambda values: {key: fill(values) for key, fill in _defaults(annotation)}
    if annotation is str:
        return _text(name)
    return _constant({int: 0, float: 0, bool: name in ("active", "enabled")}.get(annotation))


def _annotated(name: str, inner: Any, parts: tuple[Any, ...]) -> MakeDefault:  # Any: as above
    for part in parts:
        if isinstance(part, PageOf):
            return lambda _: {"object": "list", "data": [], "has_more": False, "url": "/v1"}
        if isinstance(part, Scalar):
            return _scalar_default(part.kind)
        if isinstance(part, Embedded):
            target = part.names.split(" | ")[0]
            if part.expandable:
                return lambda values: values.new_id(target)
            return lambda values: default_object(target, values)
    return _default(name, inner)


def _scalar_default(kind: str) -> MakeDefault:
    if kind == "timestamp":
        return lambda values: values.now
    if kind == "datetime":
        return lambda values: rfc3339(values.now)
    return _constant("0")


def _text(name: str) -> MakeDefault:
    if name == "url" or name.endswith(("_url", "_uri")):
        return lambda values: f"{values.base_url}/{name}/{values.new_id('url')}"
    if name.endswith("secret"):
        return lambda values: f"{name}_{values.new_id('secret')}"
    return _constant(DEFAULT_TEXTS.get(name, name))


def rfc3339(seconds: int) -> str:
    """Unix seconds as API v2 writes them."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


DOES_NOT_FIT = object()


def fit(
    model: str, params: Mapping[str, Any], values: DefaultValues, current: Mapping[str, Any] | None = None
) -> dict[str, Any]:  # Any: JSON
    """The parameters that are fields of a model too, in the form that the field has; the others are left out.

    ``current`` is the object as it is, where it is updated: what stands in its parts and was not passed stays.
    """
    return _fit_fields(registry().load(model), params, values, current or {})


def _fit_fields(
    model: type[StripeModel],
    params: Mapping[str, Any],  # Any: JSON
    values: DefaultValues,
    current: Mapping[str, Any],  # Any: JSON
) -> dict[str, Any]:  # Any: JSON
    fields = _annotations(model)
    result = {}
    for key, given in params.items():
        if key in fields:
            value = _fitted(fields[key], given, values, current.get(key))
            if value is not DOES_NOT_FIT:
                result[key] = value
    return result


@cache
def _annotations(model: type[StripeModel]) -> dict[str, Any]:  # Any: annotations
    _defaults(model)  # builds it
    return {field.alias or name: annotation_of(field) for name, field in model.model_fields.items()}


def _fitted(annotation: Any, value: Any, values: DefaultValues, current: Any) -> Any:  # Any: an annotation, and JSON
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        some = [arg for arg in args if arg is not type(None)]
        return next(
            (result for arg in some if (result := _fitted(arg, value, values, current)) is not DOES_NOT_FIT),
            DOES_NOT_FIT,
        )
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not isinstance(value, dict):
        return DOES_NOT_FIT
    if isinstance(annotation, type) and issubclass(annotation, StripeModel):
        whole = current if isinstance(current, dict) else {key: fill(values) for key, fill in _defaults(annotation)}
        return {**whole, **_fit_fields(annotation, value, values, whole)}
    if origin is list and isinstance(value, list):
        items = [_fitted(args[0], item, values, None) for item in value]
        return DOES_NOT_FIT if DOES_NOT_FIT in items else items
    if origin in (list, dict) and value is None:
        return origin()
    return value if _accepts(annotation, value) else DOES_NOT_FIT


def _accepts(annotation: Any, value: Any) -> bool:  # Any: as above
    if annotation in (str, int, bool):
        return type(value) is annotation
    try:
        _adapter(annotation).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:  # Any: as above
    return TypeAdapter(annotation, config=ConfigDict(strict=True))


def default_part(model: str, name: str, values: DefaultValues) -> Any:  # Any: JSON
    """The object, with nothing in it, that a field of a model holds, or holds several of; null where it holds none."""
    result = _model_in(_annotations(registry().load(model)).get(name))
    return {key: fill(values) for key, fill in _defaults(result)} if result else None


def _model_in(annotation: Any) -> type[StripeModel] | None:  # Any: an annotation
    if args := get_args(annotation):  # first: to Python 3.10, list[...] is a type, too
        return next((result for one in args if (result := _model_in(one))), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, StripeModel) else None
