"""References: ids in parameters must be those of existing objects.

https://docs.stripe.com/error-codes#resource-missing
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from pinstripe._base import Embedded
from pinstripe._differences import annotation_of
from pinstripe._registry import registry
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.state.object_types import REFERENCES, SERVICE_REFERENCES
from pinstripe.emulator.validation.errors import missing_object


def check_references(state: AccountState, service: str, params: Object) -> None:
    """Raise `ErrorResponse` for the first id of an object that does not exist.

    The account's clock follows the objects that are found: the request runs at the time of their test clock.
    """
    _check_value(state, service, params, "")


def _check_value(state: AccountState, service: str, value: JSON, path: str) -> None:
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        item_path = f"{path}[{name}]" if path else str(name)
        if isinstance(item, (dict, list)) and name != "metadata":
            if item and isinstance(item, list) and isinstance(item[0], str):
                for index, object_id in enumerate(item):
                    _check_id(state, service, str(name), object_id, f"{item_path}[{index}]")
            else:
                _check_value(state, service, item, item_path)
        elif isinstance(item, str) and isinstance(name, str):
            _check_id(state, service, name, item, item_path)


def _check_id(state: AccountState, service: str, name: str, object_id: str, path: str) -> None:
    object_types = _referenced_by_param(service, name)
    if not object_types:
        return
    value = state.objects.find(object_types, object_id)
    if value is None or value.get("deleted"):
        raise missing_object(object_types[0], object_id, path)
    state.clock.follow(value)


@cache
def _referenced_by_param(service: str, name: str) -> tuple[str, ...]:
    for (prefix, param), object_types in SERVICE_REFERENCES.items():
        if param == name and service.startswith(prefix):
            return object_types or ()
    return REFERENCES.get(name, ())


@cache
def referenced_types(object_type: str) -> dict[str, tuple[str, ...]]:
    """Return the expandable fields of an object type, with the object types that they refer to."""
    object_types = {model: name for name, model in registry().objects.items()}
    model = registry().load(registry().objects[object_type])
    if not model.__pydantic_complete__:
        model.model_rebuild()
    fields = {}
    for name, field in model.model_fields.items():
        embedded = _embedded(annotation_of(field))
        if embedded is not None and embedded.expandable:
            models = embedded.names.split(" | ")
            fields[field.alias or name] = tuple(object_types[model] for model in models if model in object_types)
    return fields


def _embedded(annotation: Any) -> Embedded | None:  # Any: an annotation
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, Embedded):
            return part
    return next((embedded for arg in get_args(annotation) if (embedded := _embedded(arg))), None)
