r"""JSON of models, also of text that UTF-8 cannot represent.

A JSON string can contain half of a surrogate pair (``"\ud800"``), and so can a string of Python. Pydantic serializes to UTF-8,
which cannot: models with such text are dumped with these characters escaped.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from pinstripe.types import JSON

__all__ = ["to_dict", "to_json"]

Options: TypeAlias = Any  # Any: the options of Pydantic's model_dump
_MARK = "\ue000"  # for private use: no text that people write contains it, and if one does, it is escaped as well
_ESCAPED = re.compile(f"[\ud800-\udfff{_MARK}]")
_ESCAPE = re.compile(f"{_MARK}([0-9a-f]{{4}})")


def to_dict(model: BaseModel, **options: Options) -> dict[str, JSON]:
    """Return what a model is as JSON, as a dict."""
    try:
        return model.model_dump(mode="json", **options)
    except (PydanticSerializationError, UnicodeError):
        result: dict[str, JSON] = _unescape(_escape(model).model_dump(mode="json", **options))
        return result


def to_json(model: BaseModel, *, indent: int | None = None, ensure_ascii: bool = True, **options: Options) -> str:
    """Return the JSON of a model that contains unpaired surrogates, which are escaped, as all characters outside of ASCII are."""
    separators = (",", ":") if indent is None else None
    return json.dumps(to_dict(model, **options), indent=indent, separators=separators)


def _escape(value: Any) -> Any:  # Any: the values of models
    """Return a copy of a value without unpaired surrogates."""
    if isinstance(value, str):
        return _ESCAPED.sub(lambda match: f"{_MARK}{ord(match[0]):04x}", value)
    if isinstance(value, list):
        return [_escape(item) for item in value]
    if isinstance(value, dict):
        return {_escape(key): _escape(item) for key, item in value.items()}
    if isinstance(value, BaseModel):
        copy = value.model_copy()
        object.__setattr__(copy, "__dict__", _escape(value.__dict__))
        object.__setattr__(copy, "__pydantic_extra__", _escape(value.__pydantic_extra__))
        object.__setattr__(copy, "__pydantic_fields_set__", {_escape(name) for name in value.__pydantic_fields_set__})
        return copy
    return value


def _unescape(value: JSON) -> JSON:
    if isinstance(value, str):
        return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)
    if isinstance(value, list):
        return [_unescape(item) for item in value]
    if isinstance(value, dict):
        return {_unescape(key): _unescape(item) for key, item in value.items()}
    return value
