"""Encode and decode parameters: forms for API v1, JSON for API v2.

In a form, a key of a dict becomes ``a[b]``, an element of a list ``a[0]``, and ``None`` an empty value, which clears the field.
An empty list or dict is not sent. https://docs.stripe.com/api
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import quote, unquote, unquote_plus

from pinstripe._secrets import Secret
from pinstripe.errors import InvalidArgumentError

__all__ = ["decode", "encode", "encode_v2", "pairs", "to_json"]

Decoded: TypeAlias = "str | list[Decoded] | dict[str, Decoded]"
# Stripe's parameters are nested less deep than this; a structure that contains itself is not.
_MAX_DEPTH = 30
_NOT_LISTS = (str, bytes, bytearray, memoryview)
# Strings that need no percent-encoding.
_is_plain = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch


def encode(params: Mapping[str, object]) -> str:
    """Encode nested parameters as a form: ``{"a": {"b": ["c"]}}`` is ``a[b][0]=c``.

    Values may be strings, numbers, booleans (``true``), ``None`` (empty), `Decimal`, aware ``datetime`` (unix seconds), enums
    (their value), objects with an ``id``, and lists and dicts of these. Their order is preserved. Raises `InvalidArgumentError`,
    which names the parameter, for any other value.
    """
    encoded: list[tuple[str, str]] = []
    _collect("", params, 0, _percent_encode_key, _percent_encode, encoded)
    return "&".join([name + "=" + value for name, value in encoded])  # not an f-string, which masks secrets


def pairs(params: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the names and values of a form, not percent-encoded. Raises like `encode`."""
    collected: list[tuple[str, str]] = []
    _collect("", params, 0, str, str, collected)
    return collected


def decode(body: str | bytes) -> dict[str, Decoded]:
    """Decode a form to nested dicts, lists and strings; the inverse of `encode`.

    Accepts the forms of other clients, too: ``a[]=1`` appends to a list, brackets may be percent-encoded, ``+`` is a space.
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    root: dict[str, Any] = {}  # Any: strings and dicts
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            _put(root, _steps(name), unquote_plus(value))
    return {name: _with_lists(value) for name, value in root.items()}


def to_json(params: Mapping[str, object]) -> bytes:
    """Encode parameters as JSON for API v2: times as RFC 3339 in UTC, `Decimal` as a string, ``None`` as null.

    Raises `InvalidArgumentError`, which names the parameter, for values that `encode` does not accept.
    """
    try:
        return json.dumps(_to_json(params, "", 0), separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise _lone_surrogate(error.object[error.start :][:20]) from None


def encode_v2(params: Mapping[str, object]) -> str:
    """Encode the query of API v2 like `encode`, but times as RFC 3339."""
    return encode({name: _to_json(value, name, 1) for name, value in params.items()})


def _collect(
    prefix: str,
    value: Any,  # Any: a value of any type, checked here
    depth: int,
    escape_key: Callable[[str], str],
    escape: Callable[[str], str],
    collected: list[tuple[str, str]],
) -> None:
    """Append the name and value of everything in a value. Each key is escaped, so that its brackets are not structure."""
    cls = type(value)  # compared first, since isinstance is slow for abstract classes
    if cls is int:
        collected.append((prefix, str(value)))
    elif cls is dict or isinstance(value, Mapping):
        _check_depth(prefix, depth)
        for key, item in value.items():
            if type(key) is not str or (prefix and not key):
                raise InvalidArgumentError(
                    f"{prefix or 'params'}: a key must be a non-empty string, not {key!r}.", param=prefix
                )
            name = f"{prefix}[{escape_key(key)}]" if prefix else escape_key(key)
            if type(item) is str:
                collected.append((name, escape(item)))
            else:
                _collect(name, item, depth + 1, escape_key, escape, collected)
    elif cls is list or (isinstance(value, Sequence) and not isinstance(value, _NOT_LISTS)):
        _check_depth(prefix, depth)
        for index, item in enumerate(value):
            _collect(f"{prefix}[{index}]", item, depth + 1, escape_key, escape, collected)
    else:
        text = escape(_scalar(prefix, value))
        collected.append((prefix, Secret(text) if cls is Secret else text))


def _check_depth(name: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        shown = name[:60] + "..."
        raise InvalidArgumentError(f"{shown} is nested too deep, or contains itself.", param=name.partition("[")[0])


def _scalar(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return _scalar(name, value.value)
    if isinstance(value, str):
        return str.__str__(value)  # not str(value), which masks secrets
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, datetime):
        return str(math.floor(_aware(name, value).timestamp()))
    if isinstance(value, (Decimal, float)):
        return _number(name, value)
    identifier = getattr(value, "id", None)
    if isinstance(identifier, str) and identifier:
        return str(identifier)
    raise _unsupported(name, value)


def _number(name: str, value: Decimal | float) -> str:
    if not math.isfinite(value):
        raise InvalidArgumentError(f"{name}: {value} is not a finite number.", param=name)
    return str(value) if isinstance(value, float) else format(value, "f")


def _aware(name: str, value: datetime) -> datetime:
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidArgumentError(
            f"{name}: naive datetime {value!r}: pass an aware one, such as datetime.now(timezone.utc), or unix seconds.",
            param=name,
        )
    return value


def _unsupported(name: str, value: object) -> InvalidArgumentError:
    hint = "pass a str, a number, a bool, None, an aware datetime, or a list or dict of these"
    if isinstance(value, (bytes, bytearray, memoryview)):
        hint = "decode it to a str"
    elif isinstance(value, date):
        hint = "pass an aware datetime or unix seconds"
    elif hasattr(value, "model_dump"):
        hint = "pass a dict of its fields"
    return InvalidArgumentError(f"{name}: cannot encode a value of type {type(value).__name__}: {hint}.", param=name)


def _percent_encode(text: str) -> str:
    if (text.isalnum() and text.isascii()) or _is_plain(text):
        return text
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise _lone_surrogate(text) from None


def _lone_surrogate(text: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{text!r} contains a lone surrogate, which cannot be encoded as UTF-8.")


_percent_encode_key = lru_cache(maxsize=1024)(_percent_encode)  # keys repeat, values do not


def _steps(name: str) -> list[str]:
    """Split a name into its steps: ``a[b][0]`` into ``a``, ``b`` and ``0``."""
    if "[" not in name:
        name = name.replace("%5B", "[").replace("%5b", "[").replace("%5D", "]").replace("%5d", "]")
    head, bracket, rest = name.partition("[")
    if not bracket or not head or not rest.endswith("]"):
        return [unquote_plus(name)]
    return [unquote_plus(head), *(unquote(step) for step in rest[:-1].split("]["))]


def _put(node: dict[str, Any], steps: list[str], value: str) -> None:  # Any: as in decode
    for step in steps[:-1]:
        below = node.setdefault(step or str(len(node)), {})
        if not isinstance(below, dict):
            below = node[step] = {}
        node = below
    node[steps[-1] or str(len(node))] = value


def _with_lists(value: Any) -> Decoded:  # Any: as in decode
    if not isinstance(value, dict):
        text: str = value
        return text
    items = {name: _with_lists(item) for name, item in value.items()}
    if list(items) == [str(index) for index in range(len(items))]:
        return list(items.values())
    return items


def _to_json(value: object, name: str, depth: int) -> object:
    if value is None or isinstance(value, (bool, str)):
        return str.__str__(value) if isinstance(value, str) else value  # as in _scalar
    if isinstance(value, Mapping):
        _check_depth(name, depth)
        return {key: _to_json(item, f"{name}[{key}]" if name else key, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, _NOT_LISTS):
        _check_depth(name, depth)
        return [_to_json(item, f"{name}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, datetime):
        return _aware(name, value).astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, (int, float)) and not isinstance(value, Enum):
        return value if isinstance(value, int) else float(_number(name, value))
    return _scalar(name, value)
