"""Find where JSON does not match its model, with the path of each difference.

This walks through the annotations of the models in Python, which takes many times as long as decoding: it runs only for a
difference that was not logged before, for ``on_drift``, and for the error of ``validation="strict"``.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from pinstripe._base import BUILD_LOCK, Embedded, PageOf, StripeModel, validate_embedded, validator
from pinstripe._lenient import Difference, Target, is_model
from pinstripe._registry import registry
from pinstripe.errors import Drift
from pinstripe.types import JSON

__all__ = ["adapter", "annotation_of", "find_drifts"]

_adapters: dict[Target, TypeAdapter[Any]] = {}  # Any: one adapter for each annotation


def find_drifts(target: Target, value: JSON) -> list[tuple[Difference, Drift]]:
    """Return each difference between JSON and a model, in the order of the fields."""
    walk = _Walk()
    walk.visit(target, value, "", "", "")
    return walk.drifts


def annotation_of(info: FieldInfo) -> Target:
    """Return the annotation of a field as it was written, with its metadata."""
    return _subscript(Annotated, (info.annotation, *info.metadata)) if info.metadata else info.annotation


def adapter(annotation: Target) -> TypeAdapter[Any]:  # Any: what the annotation is
    """Return the type adapter of an annotation, building it if needed. Thread-safe."""
    built = _adapters.get(annotation)
    if built is None:
        with BUILD_LOCK:
            built = TypeAdapter(annotation, config=None if _is_page(annotation) else ConfigDict(strict=True))
            _adapters[annotation] = built
    return built


def _is_page(annotation: Target) -> bool:
    return any(isinstance(part, PageOf) for part in getattr(annotation, "__metadata__", ()))


@dataclass
class _Walk:
    """Visits JSON along the annotation that describes it.

    ``path`` is the place in the response; ``place`` is that in the model ``owner``, which contains the value.
    """

    drifts: list[tuple[Difference, Drift]] = field(default_factory=list)

    def visit(self, annotation: Target, value: JSON, path: str, owner: str, place: str) -> None:
        """Record the differences in a value."""
        if _matches(annotation, value):
            return
        origin: Any = get_origin(annotation)  # Any: type checkers know only some of the possible origins
        args = get_args(annotation)
        if is_model(annotation) and isinstance(value, dict):
            self._model(annotation, value, path)
        elif origin is Annotated and isinstance(value, dict) and (visit := self._container(args, path)):
            try:
                visit(value)
            except PydanticCustomError:  # nested too deeply
                self._add(owner, path, place, "type", value)
        elif origin in (Union, types.UnionType) and len(options := set(args) - {type(None)}) == 1:
            self.visit(options.pop(), value, path, owner, place)
        elif origin is list and isinstance(value, list):
            for item in value:
                self.visit(args[0], item, f"{path}[]", owner, f"{place}[]")
        elif origin is dict and isinstance(value, dict):
            for item in value.values():  # the keys are data of the user, not names of fields
                self.visit(args[1], item, f"{path}.*", owner, f"{place}.*")
        else:
            is_new_value = origin is Literal and type(value) in {type(option) for option in args}
            self._add(owner, path, place, "value" if is_new_value else "type", value)

    def _container(self, args: tuple[Any, ...], path: str) -> Callable[[dict[str, JSON]], object] | None:
        for part in args[1:]:
            if isinstance(part, Embedded):
                return partial(self._embedded, part, path)
            if isinstance(part, PageOf):
                return partial(self._model, part.page, path=path, data=_subscript(list, part.item))
        return None

    def _embedded(self, part: Embedded, path: str, raw: dict[str, JSON]) -> None:
        visit = partial(self.visit, registry().model_for(raw, part.names), path=path, owner="", place="")
        validate_embedded(visit, raw)

    def _model(self, cls: type[StripeModel], raw: dict[str, JSON], path: str, **annotations: Target) -> None:
        for name, info in cls.model_fields.items():
            key = info.alias or name
            field_path = f"{path}.{key}" if path else key
            if key in raw:
                self.visit(annotations.get(name, annotation_of(info)), raw[key], field_path, cls.__name__, key)
            elif info.is_required():
                self._add(cls.__name__, field_path, key, "missing")

    def _add(
        self, owner: str, path: str, place: str, kind: Literal["missing", "type", "value"], value: JSON = None
    ) -> None:
        self.drifts.append((Difference(owner, place, kind), Drift(owner, path, kind, value)))


def _matches(annotation: Target, value: JSON) -> bool:
    exact = validator(annotation) if is_model(annotation) else adapter(annotation).validator
    try:
        exact.validate_python(value)
    except ValidationError:
        return False
    return True


def _subscript(form: Any, parts: Any) -> Target:  # Any: special forms, which type checkers cannot subscript at run time
    return form[parts]
