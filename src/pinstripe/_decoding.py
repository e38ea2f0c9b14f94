"""Decode JSON to models, even if it does not match Stripe's API description.

JSON that matches its model is decoded by one call of Pydantic's core. Only JSON that does not is decoded field by field: fields
that match are typed, the others keep their JSON value, and each difference is reported as a `Drift`.
"""

from __future__ import annotations

import json
import logging
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from pinstripe._base import BUILD_LOCK, Embedded, Lazy, PageOf, StripeModel, validator
from pinstripe._registry import registry
from pinstripe.errors import Drift, ResponseValidationError
from pinstripe.types import JSON

__all__ = ["Validation", "annotation_of", "decode", "decode_as", "model_for", "resolve"]

Validation: TypeAlias = Literal["warn", "strict"]
Target: TypeAlias = Any  # Any: a model, or an annotation such as ListObject[Invoice], which has no type of its own
logger = logging.getLogger("pinstripe._decoding")
_logged: set[tuple[str, str, str]] = set()
_adapters: dict[Target, TypeAdapter[Any]] = {}  # Any: one adapter for each annotation
_MAX_LOGGED = 10_000


def decode(
    data: bytes | str | Mapping[str, JSON],
    *,
    validation: Validation = "warn",
    on_drift: Callable[[Drift], None] | None = None,
) -> StripeModel:
    """Decode a Stripe object, given as JSON or as a dict, with the model that its ``object`` field names.

    Use it for JSON that was stored: in a queue, a database, a file. An ``object`` without a model becomes a `StripeObject`.
    Raises `ResponseValidationError` if the data is not a JSON object and, with ``validation="strict"``, if it does not
    match its model.
    """
    value = parse(data) if isinstance(data, (bytes, str)) else data
    if not isinstance(value, Mapping):
        raise ResponseValidationError(f"Expected a JSON object, not a JSON value of type {type(value).__name__}.")
    raw = dict(value)
    result = _decode(model_for(raw), raw, None, validation, on_drift)
    assert isinstance(result, StripeModel)  # noqa: S101  # for type checkers: the target is a model
    return result


def decode_as(
    target: Target,
    content: bytes | str | Mapping[str, JSON],
    *,
    validation: Validation = "warn",
    on_drift: Callable[[Drift], None] | None = None,
) -> Any:  # Any: what the target is
    """Decode JSON as a model, as a page such as ``ListObject[Invoice]``, or by the names of models as an endpoint has them."""
    target = resolve(target)
    if isinstance(content, (bytes, str)):
        return _decode(target, None, content, validation, on_drift)
    return _decode(target, content, None, validation, on_drift)


def model_for(data: Mapping[str, JSON], names: str = "") -> type[StripeModel]:
    """Return the model of an object: by its ``object`` field, else the one that ``names`` allows."""
    model: type[StripeModel] = registry().model_for(data, names)
    return model


def resolve(target: Target) -> Target:
    """Return the model with this name; for several names (``Customer | DeletedCustomer``) an annotation that decodes them."""
    if not isinstance(target, str):
        return target
    if "|" in target or target in ("Event", "V2CoreEvent"):  # the class of an event depends on its type
        return _subscript(Lazy, target)
    return registry().load(target)


def parse(content: bytes | str) -> JSON:
    """Parse JSON; raise `ResponseValidationError` if it is not JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ResponseValidationError(f"Expected JSON: {error}.") from None


def annotation_of(info: FieldInfo) -> Target:
    """Return the annotation of a field as it was written, with its metadata."""
    return _subscript(Annotated, (info.annotation, *info.metadata)) if info.metadata else info.annotation


def _decode(
    target: Target,
    value: JSON,
    content: bytes | str | None,
    validation: Validation,
    on_drift: Callable[[Drift], None] | None,
) -> object:
    exact = _validator(target)
    try:
        return exact.validate_python(value) if content is None else exact.validate_json(content)
    except ValidationError:
        lenient = _LenientDecoder()
        result = lenient.decode(target, value if content is None else parse(content), "", "")
    if validation == "strict" and (errors := [drift for drift in lenient.drifts if drift.kind != "value"]):
        raise ResponseValidationError(_message(errors), drifts=tuple(lenient.drifts))
    for drift in lenient.drifts:
        _report(drift, on_drift)
    return result


def _message(drifts: list[Drift]) -> str:
    more = f" (and {len(drifts) - 3} more)" if len(drifts) > 3 else ""
    return f"{'; '.join(map(str, drifts[:3]))}{more}."


def _report(drift: Drift, on_drift: Callable[[Drift], None] | None) -> None:
    """Log a drift the first time it occurs; drifts that differ only in their value count as the same."""
    key = (drift.model, drift.path, drift.kind)
    if key not in _logged and len(_logged) < _MAX_LOGGED:
        _logged.add(key)
        logger.warning("%s", drift)
    if on_drift is not None:
        on_drift(drift)


def _validator(target: Target) -> Any:  # Any: as in _base.validator
    return validator(target) if _is_model(target) else _adapter(target).validator


def _adapter(annotation: Target) -> TypeAdapter[Any]:  # Any: what the annotation is
    adapter = _adapters.get(annotation)
    if adapter is None:
        with BUILD_LOCK:
            adapter = TypeAdapter(annotation, config=None if _is_page(annotation) else ConfigDict(strict=True))
            _adapters[annotation] = adapter
    return adapter


def _is_model(annotation: Target) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, StripeModel)


def _is_page(annotation: Target) -> bool:
    return any(isinstance(part, PageOf) for part in getattr(annotation, "__metadata__", ()))


@dataclass
class _LenientDecoder:
    """Decodes JSON that does not match its model, field by field."""

    drifts: list[Drift] = field(default_factory=list)

    def decode(self, annotation: Target, value: JSON, path: str, owner: str) -> object:
        """Decode what matches, keep the rest as it is, and record the differences."""
        if (exact := self._exact(annotation, value)) is not _MISMATCH:
            return exact
        origin: Any = get_origin(annotation)  # Any: type checkers know only some of the possible origins
        args = get_args(annotation)
        if _is_model(annotation) and isinstance(value, dict):
            return self._model(annotation, value, path)
        if origin is Annotated and isinstance(value, dict):
            for part in args[1:]:
                if isinstance(part, Embedded):
                    return self.decode(model_for(value, part.names), value, path, owner)
                if isinstance(part, PageOf):
                    return self._model(part.page, value, path, data=_subscript(list, part.item))
        if origin in (Union, types.UnionType):
            options = [arg for arg in args if arg is not type(None)]
            if len(options) == 1:
                return self.decode(options[0], value, path, owner)
        if origin is list and isinstance(value, list):
            return [self.decode(args[0], item, f"{path}[]", owner) for item in value]
        if origin is dict and isinstance(value, dict):
            return {key: self.decode(args[1], item, f"{path}.{key}", owner) for key, item in value.items()}
        is_new_value = origin is Literal and type(value) in {type(option) for option in args}
        self.drifts.append(Drift(owner, path, "value" if is_new_value else "type", value))
        return value

    def _exact(self, annotation: Target, value: JSON) -> object:
        try:
            return _validator(annotation).validate_python(value)
        except ValidationError:
            return _MISMATCH

    def _model(self, cls: type[StripeModel], raw: dict[str, JSON], path: str, **annotations: Target) -> StripeModel:
        values: dict[str, object] = {}
        extra = dict(raw)
        for name, info, key in _fields(cls):
            field_path = f"{path}.{key}" if path else key
            if key in extra:
                annotation = annotations.get(name, annotation_of(info))
                values[name] = self.decode(annotation, extra.pop(key), field_path, cls.__name__)
            elif info.is_required():
                self.drifts.append(Drift(cls.__name__, field_path, "missing"))
        present = set(values)
        for name, info, _ in _fields(cls):
            if name not in present and info.is_required() and type(None) in get_args(info.annotation):
                values[name] = None  # the type allows None, so that reading the field needs no error
        return cls.model_construct(_fields_set=present | set(extra), **values, **extra)


_MISMATCH = object()


def _fields(cls: type[StripeModel]) -> Iterator[tuple[str, FieldInfo, str]]:
    for name, info in cls.model_fields.items():
        yield name, info, info.alias or name


def _subscript(form: Any, parts: Any) -> Target:  # Any: special forms, which type checkers cannot subscript at run time
    return form[parts]
