"""An object with nothing in it but what its model requires: the values that Stripe fills in, fit for their type and name."""

from __future__ import annotations

import types
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from pinstripe.drift import annotated
from pinstripe.model import Embedded, PageOf, StripeModel, registry
from pinstripe.wire import Wire

Fill = Callable[["Names"], Any]  # Any: JSON
TEXTS = {"currency": "usd", "country": "US", "type": "card", "client_secret": "secret"}
NULLS = (str, int, float, bool)


class Names:
    """What a blank object asks for: ids, the time, and its own place."""

    def __init__(self, new_id: Callable[[str], str], now: int) -> None:
        self.new_id, self.now = new_id, now


def blank(model: str, names: Names) -> dict[str, Any]:  # Any: JSON
    """A new object of a model. Fields that may be missing are null where they are plain, and left out where they are not."""
    return {wire: fill(names) for wire, fill in _fills(registry().load(model))}


@cache
def _fills(model: type[StripeModel]) -> tuple[tuple[str, Fill], ...]:
    if not model.__pydantic_complete__:
        model.model_rebuild()
    found = []
    for name, field in model.model_fields.items():
        wire = field.alias or name
        if field.is_required():
            annotation = annotated(field)
            found.append((wire, _fill(wire, annotation)))
        elif wire == "metadata":
            found.append((wire, lambda _: {}))
        elif _is_plain(field.annotation) or any(isinstance(part, Embedded) for part in field.metadata):
            found.append((wire, _constant(None)))
    return tuple(found)


def _is_plain(annotation: Any) -> bool:  # Any: whatever stands in an annotation
    inner = [arg for arg in get_args(annotation) if arg is not type(None)]
    for one in inner if get_origin(annotation) in (Union, types.UnionType) else [annotation]:
        if get_origin(one) is Annotated:
            plain = any(isinstance(part, (Wire, Embedded)) for part in get_args(one)[1:])
        else:
            plain = one in NULLS or get_origin(one) is Literal
        if not plain:
            return False
    return True


def _constant(value: Any) -> Fill:  # Any: JSON
    return lambda _: value


def _fill(name: str, annotation: Any) -> Fill:  # Any: as above
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _constant(None) if type(None) in args else _fill(name, args[0])
    if origin is Literal:
        return _constant(args[0])
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
        return lambda names: f"https://pinstripe.test/{names.new_id('url')}"
    return _constant(TEXTS.get(name, name))


def rfc3339(seconds: int) -> str:
    """Unix seconds as API v2 writes them."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


UNFIT = object()


def fit(model: str, params: dict[str, Any], names: Names) -> dict[str, Any]:  # Any: JSON
    """The parameters that are fields of a model too, in the form that the field has; the others are left out."""
    return _fit_fields(registry().load(model), params, names)


def _fit_fields(model: type[StripeModel], params: dict[str, Any], names: Names) -> dict[str, Any]:  # Any: JSON
    _fills(model)  # builds it
    found = {}
    for name, field in model.model_fields.items():
        wire = field.alias or name
        if wire in params:
            annotation = annotated(field)
            value = _fitted(annotation, params[wire], names)
            if value is not UNFIT:
                found[wire] = value
    return found


def _fitted(annotation: Any, value: Any, names: Names) -> Any:  # Any: an annotation, and JSON
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType) and value is not None:
        some = [arg for arg in args if arg is not type(None)]
        return next((found for arg in some if (found := _fitted(arg, value, names)) is not UNFIT), UNFIT)
    if isinstance(annotation, type) and issubclass(annotation, StripeModel) and isinstance(value, dict):
        return {**{wire: fill(names) for wire, fill in _fills(annotation)}, **_fit_fields(annotation, value, names)}
    if origin is list and isinstance(value, list):
        items = [_fitted(args[0], item, names) for item in value]
        return UNFIT if UNFIT in items else items
    return value if _accepts(annotation, value) else UNFIT


def _accepts(annotation: Any, value: Any) -> bool:  # Any: as above
    try:
        _adapter(annotation).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:  # Any: as above
    return TypeAdapter(annotation, config=ConfigDict(strict=True))
