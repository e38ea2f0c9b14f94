"""JSON values: aliases, copies, differences, and the merging of metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from pinstripe.emulator.validation.errors import ErrorResponse

JSON: TypeAlias = Any  # Any: a JSON value; its type is that of the field or parameter it belongs to
"""A JSON value."""
Object: TypeAlias = dict[str, JSON]
"""A JSON object, such as an object of Stripe's API or the parameters of a request."""

MAX_METADATA_KEYS = 50
MAX_METADATA_KEY_LENGTH = 40
MAX_METADATA_VALUE_LENGTH = 500


def clone(value: JSON) -> JSON:
    """Return a deep copy."""
    if isinstance(value, dict):
        return {name: clone(item) for name, item in value.items()}
    return [clone(item) for item in value] if isinstance(value, list) else value


def changed_parts(previous: Object, current: Object) -> Object:
    """Return previous values without the fields of hashes that are equal in the current object; added ones are null."""
    parts: Object = {}
    for name, value in previous.items():
        now = current.get(name)
        if isinstance(value, dict) and isinstance(now, dict) and value.get("object") != "list":
            before = {key: value.get(key) for key in {**value, **now} if value.get(key) != now.get(key)}
            parts[name] = changed_parts(before, now)
        else:
            parts[name] = value
    return parts


def previous_values(before: Object, after: Object) -> Object:
    """Return the fields of ``before`` whose value differs in ``after``."""
    return {name: value for name, value in before.items() if after.get(name) != value}


def merge_metadata(current: Mapping[str, str], changes: Mapping[str, str] | None) -> dict[str, str]:
    """Return metadata after an update: an empty value removes its key, and ``None`` removes every key.

    Raises `ErrorResponse` when a key, a value or the number of keys exceeds Stripe's limits.
    https://docs.stripe.com/metadata
    """
    if changes is None:
        return {}
    for key, value in changes.items():
        if len(key) > MAX_METADATA_KEY_LENGTH or "[" in key or "]" in key:
            raise ErrorResponse(
                f"Metadata keys are at most {MAX_METADATA_KEY_LENGTH} characters, without square brackets: {key}",
                param="metadata",
            )
        if len(value or "") > MAX_METADATA_VALUE_LENGTH:
            raise ErrorResponse(
                f"Metadata values are at most {MAX_METADATA_VALUE_LENGTH} characters: {key}", param=f"metadata[{key}]"
            )
    merged = {key: value for key, value in {**current, **changes}.items() if value}
    if len(merged) > MAX_METADATA_KEYS:
        raise ErrorResponse(f"Metadata has at most {MAX_METADATA_KEYS} keys.", param="metadata")
    return merged
