"""An object with nothing in it but what its model requires: the values that Stripe fills in, fit for their type and name."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timezone
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pinstripe._base import Embedded, PageOf, StripeModel
from pinstripe._decoding import annotated
from pinstripe._registry import registry
from pinstripe._scalars import Wire

Fill = Callable[["Names"], Any]  # Any: JSON
TEXTS = {"currency": "usd", "country": "US", "type": "card"}
# The first state of a life, where the API lists another first.
FIRST = ("open", "active", "pending", "requires_input", "processing", "unsubmitted", "review", "enabled", "inactive")


class Names:
    """What a blank object asks for: ids, the time, and where the emulator is."""

    def __init__(self, new_id: Callable[[str], str], now: int, base: str) -> None:
        self.new_id, self.now, self.base = new_id, now, base


def blank(model: str, names: Names) -> dict[str, Any]:  # Any: JSON
    """A new object of a model. Fields that may be missing are null, but for those of another type than the object's own."""
    return {wire: fill(names) for wire, fill in _fills(registry().load(model))}


@cache
def _fills(model: type[StripeModel]) -> tuple[tuple[str, Fill], ...]:
    if not model.__pydantic_complete__:
        model.model_rebuild()
    found = []
    types = _texts(model.model_fields["type"].annotation) if "type" in model.model_fields else set()
    for name, field in model.model_fields.items():
        wire = field.alias or name
        if field.is_required():
            annotation = annotated(field)
            found.append((wire, _fill(wire, annotation)))
        elif wire == "metadata":
            found.append((wire, lambda _: {}))
        elif wire == "status" and (texts := _texts(annotated(field))):
            found.append((wire, _constant(_first(texts))))
        elif wire not in types and not _is_left_out(annotated(field)):
            found.append((wire, _constant(None)))
    return tuple(found)


def _texts(annotation: Any) -> set[str]:  # Any: whatever stands in an annotation
    """The texts that a field may hold."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return {text for one in get_args(annotation) for text in _texts(one)}


def _is_left_out(annotation: Any) -> bool:  # Any: as above
    """Whether a field is there only when it is asked for, or when its object is no more: lists, and ``deleted``."""
    if isinstance(annotation, PageOf) or (get_origin(annotation) is Literal and get_args(annotation) == (True,)):
        return True
    return any(_is_left_out(one) for one in get_args(annotation) if get_origin(annotation) is not Literal)


def _first(states: Collection[str]) -> str:
    return next((one for one in FIRST if one in states), min(states))


def _constant(value: Any) -> Fill:  # Any: JSON
    return lambda _: value


def _fill(name: str, annotation: Any) -> Fill:  # Any: as above
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _constant(None) if type(None) in args else _fill(name, args[0])
    if origin is Literal:
        return _constant(_first(args) if name == "status" else args[0])
    if origin is Annotated:
        return _annotated(name, args[0], args[1:])
    if origin is list:
        return lambda _: []
    if origin is dict:
        return lambda _: {}
    if isinstance(annotation, type) and issubclass(annotation, StripeModel):
        return lambda names: {wire: fill(names) for wire, fill in _fills(annotation)}
    if annotation is str:
        return _text(name)
    return _constant({int: 0, float: 0, bool: name in ("active", "enabled")}.get(annotation))


def _annotated(name: str, inner: Any, parts: tuple[Any, ...]) -> Fill:  # Any: as above
    for part in parts:
        if isinstance(part, PageOf):
            return lambda _: {"object": "list", "data": [], "has_more": False, "url": "/v1"}
        if isinstance(part, Wire):
            return _wire(part.kind)
        if isinstance(part, Embedded):
            target = part.names.split(" | ")[0]
            if part.expandable:
                return lambda names: names.new_id(target)
            return lambda names: blank(target, names)
    return _fill(name, inner)


def _wire(kind: str) -> Fill:
    if kind == "timestamp":
        return lambda names: names.now
    if kind == "datetime":
        return lambda names: rfc3339(names.now)
    return _constant("0")


def _text(name: str) -> Fill:
    if name == "url" or name.endswith(("_url", "_uri")):
        return lambda names: f"{names.base}/{name}/{names.new_id('url')}"
    if name.endswith("secret"):
        return lambda names: f"{name}_{names.new_id('secret')}"
    return _constant(TEXTS.get(name, name))


def rfc3339(seconds: int) -> str:
    """Unix seconds as API v2 writes them."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


UNFIT = object()


def fit(
    model: str, params: Mapping[str, Any], names: Names, kept: Mapping[str, Any] | None = None
) -> dict[str, Any]:  # Any: JSON
    """The parameters that are fields of a model too, in the form that the field has; the others are left out.

    ``kept`` is the object as it is, where it is updated: what stands in its parts and was not passed stays.
    """
    return _fit_fields(registry().load(model), params, names, kept or {})


def _fit_fields(
    model: type[StripeModel],
    params: Mapping[str, Any],  # Any: JSON
    names: Names,
    kept: Mapping[str, Any],  # Any: JSON
) -> dict[str, Any]:  # Any: JSON
    fields = _annotations(model)
    found = {}
    for wire, given in params.items():
        if wire in fields:
            value = _fitted(fields[wire], given, names, kept.get(wire))
            if value is not UNFIT:
                found[wire] = value
    return found


@cache
def _annotations(model: type[StripeModel]) -> dict[str, Any]:  # Any: annotations
    _fills(model)  # builds it
    return {field.alias or name: annotated(field) for name, field in model.model_fields.items()}


def _fitted(annotation: Any, value: Any, names: Names, kept: Any) -> Any:  # Any: an annotation, and JSON
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        some = [arg for arg in args if arg is not type(None)]
        return next((found for arg in some if (found := _fitted(arg, value, names, kept)) is not UNFIT), UNFIT)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not isinstance(value, dict):
        return UNFIT
    if isinstance(annotation, type) and issubclass(annotation, StripeModel):
        whole = kept if isinstance(kept, dict) else {wire: fill(names) for wire, fill in _fills(annotation)}
        return {**whole, **_fit_fields(annotation, value, names, whole)}
    if origin is list and isinstance(value, list):
        items = [_fitted(args[0], item, names, None) for item in value]
        return UNFIT if UNFIT in items else items
    if origin in (list, dict) and value is None:
        return origin()
    return value if _accepts(annotation, value) else UNFIT


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


def blank_part(model: str, name: str, names: Names) -> Any:  # Any: JSON
    """The object, with nothing in it, that a field of a model holds, or holds several of; null where it holds none."""
    found = _model_in(_annotations(registry().load(model)).get(name))
    return {wire: fill(names) for wire, fill in _fills(found)} if found else None


def _model_in(annotation: Any) -> type[StripeModel] | None:  # Any: an annotation
    if args := get_args(annotation):  # first: to Python 3.10, list[...] is a type, too
        return next((found for one in args if (found := _model_in(one))), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, StripeModel) else None
