"""Lenient validators: they accept any JSON for a model, keep what does not match as it came, and note which fields those are.

A lenient validator is a second validator of a model, whose core schema is derived from that of the first: each field, each item
of a list and each value of a map is a union of its own schema and a function that notes the difference and returns the value. So
the decoding of JSON that does not match costs about as much as that of JSON that does. `_differences` finds the paths.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from pydantic_core import PydanticCustomError, PydanticOmit, SchemaValidator, core_schema

from pinstripe._base import BUILD_LOCK, Embedded, PageOf, Schema, StripeModel, validate_embedded, validator
from pinstripe._registry import registry
from pinstripe.types import JSON

__all__ = ["Difference", "Target", "is_model", "lenient_validator", "lenient_validator_of_schema", "noting"]

Target: TypeAlias = Any  # Any: a model, or an annotation such as ListObject[Invoice], which has no type of its own
Validate: TypeAlias = Callable[[Any], Any]  # Any: JSON as text or as objects, and the model


class Difference(NamedTuple):
    """A place in the model ``model`` where JSON did not match, without the value and without the path to the model."""

    model: str
    path: str
    kind: Literal["missing", "type", "value"]


class _Notes(threading.local):
    """The differences that the current decoding of this thread has met."""

    def __init__(self) -> None:
        self.met: set[Difference] = set()


_notes = _Notes()
_validators: dict[type[StripeModel], SchemaValidator] = {}
_by_object: dict[str, Validate] = {}  # the same validators by the value of `object`
_MISSING: Any = type("_Missing", (), {"__repr__": lambda self: "MISSING"})()  # Any: stands for a value of every type


def noting(validate: Validate, value: object) -> tuple[Any, set[Difference]]:  # Any: as in Validate
    """Call a method of a lenient validator; return its result and the differences that it met."""
    before, _notes.met = _notes.met, set()
    try:
        return validate(value), _notes.met
    finally:
        _notes.met = before


def is_model(annotation: Target) -> bool:
    """Return whether an annotation is a model."""
    return isinstance(annotation, type) and issubclass(annotation, StripeModel)


def lenient_validator(model: type[StripeModel]) -> SchemaValidator:
    """Return the lenient validator of a model, building it if needed. Thread-safe."""
    lenient = _validators.get(model)
    if lenient is None:
        with BUILD_LOCK:
            validator(model)
            lenient = _validators[model] = lenient_validator_of_schema(model.__pydantic_core_schema__)
    return lenient


def lenient_validator_of_schema(schema: Schema) -> SchemaValidator:
    """Build the lenient validator for a core schema."""
    builder = _Builder([])
    root = builder.value(schema, "", "") if schema["type"] != "definitions" else builder.definitions(schema)
    with BUILD_LOCK:
        # Else pydantic-core would use the validators that these classes have already, which are not lenient.
        complete = [cls for cls in builder.models if cls.__dict__.get("__pydantic_complete__")]
        for cls in complete:
            cls.__pydantic_complete__ = False
        try:
            return SchemaValidator(root)
        finally:
            for cls in complete:
                cls.__pydantic_complete__ = True


@dataclass
class _Builder:
    """Derives a lenient core schema from one that is not. ``owner`` is the name of the model, ``path`` the place in it."""

    models: list[type[StripeModel]]

    def definitions(self, schema: Schema) -> Schema:
        definitions = [self.inside(item, "", "") for item in schema["definitions"]]
        return {**schema, "schema": self.value(schema["schema"], "", ""), "definitions": definitions}

    def value(self, schema: Schema, owner: str, path: str) -> Schema:
        """Return a schema that accepts any value."""
        if schema["type"] == "any":
            return schema
        return _either(self.inside(schema, owner, path), _note(owner, path, schema))

    def inside(self, schema: Schema, owner: str, path: str) -> Schema:
        """Return the schema with lenient schemas for the values inside, if it contains any."""
        kind = schema["type"]
        if kind == "model":
            self.models.append(schema["cls"])
            config = {**schema.get("config", {}), "validate_by_name": False}  # JSON has the names of the API alone
            return {**schema, "schema": self.inside(schema["schema"], schema["cls"].__name__, ""), "config": config}
        if kind == "model-fields":
            fields = {name: self.field(field, name, owner) for name, field in schema["fields"].items()}
            return {**schema, "fields": fields}
        if kind == "nullable":
            return {**schema, "schema": self.inside(schema["schema"], owner, path)}
        if kind == "list" and "items_schema" in schema:
            return {**schema, "items_schema": self.value(schema["items_schema"], owner, f"{path}[]")}
        if kind == "dict":
            values = schema.get("values_schema", core_schema.any_schema())
            values = self.value(values, owner, f"{path}.*")  # the keys are data of the user, not names of fields
            return {**schema, "keys_schema": core_schema.any_schema(), "values_schema": values}
        if kind == "union":
            choices = [choice[0] if isinstance(choice, tuple) else choice for choice in schema["choices"]]
            return {**schema, "choices": [self.inside(choice, owner, path) for choice in choices]}
        if kind == "function-plain" and isinstance(embedded := schema["function"]["function"], Embedded):
            return core_schema.no_info_plain_validator_function(_LenientlyEmbedded(embedded.names))
        page = getattr(schema.get("function", {}).get("function"), "__self__", None)
        if kind == "function-after" and isinstance(page, PageOf):
            return {**schema, "schema": self.inside(schema["schema"], page.page.__name__, "")}
        if kind == "json-or-python" and _is_page(schema["json_schema"]):
            return self.inside(schema["json_schema"], owner, path)
        return schema

    def field(self, field: Schema, name: str, owner: str) -> Schema:
        schema, key = field["schema"], field.get("validation_alias", name)
        if schema["type"] == "default":
            return {**field, "schema": {**schema, "schema": self.value(schema["schema"], owner, key)}}
        note = _note_required(owner, key, schema)
        if _without_null(schema)["type"] == "any":  # it would accept the sentinel
            value: Schema = core_schema.no_info_plain_validator_function(note)
        else:
            value = _either(self.inside(schema, owner, key), note)
        return {**field, "schema": core_schema.with_default_schema(value, default=_MISSING, validate_default=True)}


def _either(schema: Schema, note: Callable[[object], object]) -> Schema:
    if schema["type"] == "nullable":  # the union inside, since it costs time and most nullable fields are null
        return {**schema, "schema": _either(schema["schema"], note)}
    choices = schema["choices"] if schema["type"] == "union" else [schema]
    return core_schema.union_schema(
        [*choices, core_schema.no_info_plain_validator_function(note)], mode="left_to_right"
    )


def _is_page(schema: Schema) -> bool:
    return schema["type"] == "function-after" and isinstance(
        getattr(schema["function"]["function"], "__self__", None), PageOf
    )


def _without_null(schema: Schema) -> Schema:
    while schema["type"] == "nullable":
        schema = schema["schema"]
    return schema


def _note(owner: str, path: str, schema: Schema) -> Callable[[object], object]:
    """Return the function that notes that a value does not match the schema, and returns the value."""
    inner = _without_null(schema)
    literal_types = frozenset(map(type, inner["expected"])) if inner["type"] == "literal" else frozenset()
    other_type, new_value = Difference(owner, path, "type"), Difference(owner, path, "value")

    def note(value: object) -> object:
        _notes.met.add(new_value if type(value) in literal_types else other_type)
        return value

    return note


def _note_required(owner: str, path: str, schema: Schema) -> Callable[[object], object]:
    """Return the same function for a required field: it also notes that the field is missing."""
    accepts_any = _without_null(schema)["type"] == "any"
    missing, note = Difference(owner, path, "missing"), _note(owner, path, schema)

    def note_required(value: object) -> object:
        if value is not _MISSING:
            return value if accepts_any else note(value)
        _notes.met.add(missing)
        raise PydanticOmit

    return note_required


@dataclass(frozen=True)
class _LenientlyEmbedded:
    """Decodes an embedded object as `Embedded` does, with the lenient validator of its model."""

    names: str

    def __call__(self, value: object) -> object:
        if isinstance(value, dict):
            name = value.get("object")
            validate = _by_object.get(name) if type(name) is str and "deleted" not in value else None
            return validate_embedded(validate or self._validate(value), value)
        raise PydanticCustomError("stripe_object", "Input should be an object")

    def _validate(self, value: dict[str, JSON]) -> Validate:
        validate = lenient_validator(registry().model_for(value, self.names)).validate_python
        name = value.get("object")
        if (
            isinstance(name, str)
            and name in registry().objects
            and "deleted" not in value
            and name not in ("event", "v2.core.event")
        ):
            _by_object[name] = validate  # the model depends on nothing else
        return validate
