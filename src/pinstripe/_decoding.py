"""Decoding what Stripe sends, and what to do where it does not keep to its own API description.

The happy path is one call into Pydantic's core. Only when that refuses is the answer walked field by field: what is right is
decoded, what is not stays as it came, and each difference becomes a `Drift`.
"""

from __future__ import annotations

import json
import logging
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from pinstripe import _base as m
from pinstripe._registry import registry
from pinstripe.errors import ResponseValidationError

__all__ = ["Drift", "decode", "decode_as"]

Validation: TypeAlias = Literal["warn", "strict"]
logger = logging.getLogger("pinstripe._decoding")
_seen: set[tuple[str, str, str]] = set()
_adapters: dict[object, TypeAdapter[Any]] = {}  # Any: one adapter for each annotation


@dataclass(frozen=True)
class Drift:
    """One place where an answer is not what Stripe's API description says.

    ``kind`` is ``missing`` (a required field did not come), ``type`` (a value of another type) or ``value`` (a value that
    is not in the list; lists of values are open, so this one is never an error).
    """

    model: str
    path: str
    kind: Literal["missing", "type", "value"]
    value: object = None

    def __str__(self) -> str:
        what = {"missing": "is missing", "type": f"is a {type(self.value).__name__}", "value": f"is {self.value!r}"}
        return f"{self.path} {what[self.kind]}, which {self.model} does not allow for"


def decode(
    data: bytes | str | Mapping[str, Any],  # Any: JSON
    *,
    validation: Validation = "warn",
    on_drift: Callable[[Drift], None] | None = None,
) -> m.StripeModel:
    """Decode an object of Stripe's, as JSON or as a dict, by the model that its ``object`` field names.

    For JSON that was kept elsewhere: a queue, a database, a file. An ``object`` that no model has becomes a
    `StripeObject`. Raises `ResponseValidationError` for what is not a JSON object, and with ``validation="strict"`` for
    what does not fit its model.
    """
    found = parse(data) if isinstance(data, (bytes, str)) else data
    if not isinstance(found, Mapping):
        raise ResponseValidationError(f"Expected a JSON object, found a {type(found).__name__}.")
    raw = dict(found)
    result = _decode(m.model_for(raw), raw, None, validation, on_drift)
    assert isinstance(result, m.StripeModel)  # noqa: S101  # for the checker: the target is a model
    return result


def decode_as(
    target: Any,  # Any: a model, a page of models, or the names in a row
    content: bytes | str | Mapping[str, Any],  # Any: JSON
    *,
    validation: Validation = "warn",
    on_drift: Callable[[Drift], None] | None = None,
) -> Any:  # Any: what the target says
    """Decode JSON as a model, a page such as ``ListObject[Invoice]``, or what a row's names say (``Customer``)."""
    target = resolve(target)
    if isinstance(content, (bytes, str)):
        return _decode(target, None, content, validation, on_drift)
    return _decode(target, content, None, validation, on_drift)


def resolve(names: Any) -> Any:  # Any: a row's names; a model class, or an annotation of several
    """The model of a row's names; several names are told apart by the ``object`` field of what comes."""
    if not isinstance(names, str):
        return names
    module, colon, name = names.partition(":")
    if colon:
        return getattr(import_module(module), name)
    if "|" in names or names in ("Event", "V2CoreEvent"):  # an event's class is found by its type
        return _annotation(m.Lazy, names)
    return registry().load(names)


def parse(content: bytes | str) -> Any:  # Any: JSON
    """Read JSON; raises `ResponseValidationError` where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ResponseValidationError(f"This is not JSON: {error}.") from None


def _decode(
    target: Any,  # Any: as in decode_as
    value: object,
    content: bytes | str | None,
    validation: Validation,
    on_drift: Callable[[Drift], None] | None,
) -> object:
    validator = _validator(target)
    try:
        return validator.validate_python(value) if content is None else validator.validate_json(content)
    except ValidationError:
        walk = Walk()
        result = walk.value(target, value if content is None else parse(content), "", "")
    if validation == "strict" and (wrong := [drift for drift in walk.drifts if drift.kind != "value"]):
        raise ResponseValidationError(f"{_said(wrong)}.", drifts=tuple(walk.drifts))
    for drift in walk.drifts:
        _report(drift, on_drift)
    return result


def _said(drifts: list[Drift]) -> str:
    more = f", and {len(drifts) - 3} more" if len(drifts) > 3 else ""
    return "; ".join(map(str, drifts[:3])) + more


def _report(drift: Drift, on_drift: Callable[[Drift], None] | None) -> None:
    """Log a drift the first time it is seen; list indexes do not make it another one."""
    key = (drift.model, drift.path, drift.kind)
    if key not in _seen and len(_seen) < 10_000:
        _seen.add(key)
        logger.warning("%s", drift)
    if on_drift is not None:
        on_drift(drift)


def _validator(target: Any) -> Any:  # Any: a model or an annotation; Pydantic's validator
    if isinstance(target, type) and issubclass(target, m.StripeModel) and not hasattr(target, "__pydantic_page__"):
        return m.build(target).__pydantic_validator__
    return _adapter(target).validator


def _adapter(annotation: Any) -> TypeAdapter[Any]:  # Any: whatever stands in an annotation
    found = _adapters.get(annotation)
    if found is None:
        with m.BUILDING:
            own = isinstance(annotation, type) and issubclass(annotation, m.StripeModel)
            found = TypeAdapter(annotation, config=None if own or _is_page(annotation) else ConfigDict(strict=True))
            _adapters[annotation] = found
    return found


def _is_page(annotation: Any) -> bool:  # Any: as above
    return any(isinstance(part, m.PageOf) for part in getattr(annotation, "__metadata__", ()))


@dataclass
class Walk:
    """One careful pass over an answer that its model refused."""

    drifts: list[Drift] = field(default_factory=list)

    def value(self, annotation: Any, value: Any, path: str, owner: str) -> object:  # Any: annotations and JSON
        """Decode a value as far as it goes, and note where it does not."""
        if (exact := self._exactly(annotation, value)) is not _REFUSED:
            return exact
        origin, args = get_origin(annotation), get_args(annotation)
        if isinstance(annotation, type) and issubclass(annotation, m.StripeModel) and isinstance(value, dict):
            return self._model(annotation, value, path)
        if origin is Annotated and isinstance(value, dict):
            for part in args[1:]:
                if isinstance(part, m.Embedded):
                    return self.value(m.model_for(value, part.names), value, path, owner)
                if isinstance(part, m.PageOf):
                    return self._model(part.page, value, path, data=_annotation(list, part.item))
        if origin in (Union, types.UnionType):
            some = [arg for arg in args if arg is not type(None)]
            if len(some) == 1:
                return self.value(some[0], value, path, owner)
        if origin is list and isinstance(value, list):
            return [self.value(args[0], item, f"{path}[]", owner) for item in value]
        if origin is dict and isinstance(value, dict):
            return {key: self.value(args[1], item, f"{path}.{key}", owner) for key, item in value.items()}
        is_new = origin is Literal and type(value) in {type(option) for option in args}
        self.drifts.append(Drift(owner, path, "value" if is_new else "type", value))
        return value

    def _exactly(self, annotation: Any, value: object) -> object:  # Any: an annotation
        try:
            return _validator(annotation).validate_python(value)
        except ValidationError:
            return _REFUSED

    def _model(
        self, cls: type[m.StripeModel], raw: dict[str, Any], path: str, **types: Any
    ) -> m.StripeModel:  # Any: JSON
        values: dict[str, object] = {}
        extra = dict(raw)
        for name, info, wire in _fields(cls):
            where = f"{path}.{wire}" if path else wire
            if wire in extra:
                annotation = types.get(name, annotated(info))
                values[name] = self.value(annotation, extra.pop(wire), where, cls.__name__)
            elif info.is_required():
                self.drifts.append(Drift(cls.__name__, where, "missing"))
        came = set(values)
        for name, info, _ in _fields(cls):
            if name not in came and info.is_required() and type(None) in get_args(info.annotation):
                values[name] = None  # the type admits None, so reading it is right
        return cls.model_construct(_fields_set=came | set(extra), **values, **extra)


_REFUSED = object()


def _fields(cls: type[m.StripeModel]) -> Iterator[tuple[str, FieldInfo, str]]:
    for name, info in cls.model_fields.items():
        yield name, info, info.alias or name


def annotated(info: FieldInfo) -> Any:  # Any: an annotation
    """The annotation of a field, put together again as it was written."""
    return _annotation(Annotated, (info.annotation, *info.metadata)) if info.metadata else info.annotation


def _annotation(form: Any, parts: Any) -> Any:  # Any: annotations, made at run time
    return form[parts]
