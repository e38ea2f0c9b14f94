"""Nested parameters as Stripe's forms take them, and back; multipart for files, JSON for API v2.

`pairs` is the encoding itself: maps become ``a[b]``, lists ``a[0]``, ``None`` an empty value (it clears the field). An empty list
or map has nothing in it to send, so nothing is sent. https://docs.stripe.com/api
"""

from __future__ import annotations

import json
import math
import os
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, unquote, unquote_plus

from pinstripe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pinstripe.types import FileInput

__all__ = ["decode", "encode", "encode_v2", "multipart", "pairs", "to_json"]

Decoded: TypeAlias = "str | list[Decoded] | dict[str, Decoded]"
# Deeper than this no parameter of Stripe's goes; a structure that holds itself goes on for ever.
MAX_DEPTH = 30
NO_LISTS = (str, bytes, bytearray, memoryview)
# What stands in a form as it is.
PLAIN = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch


def encode(params: Mapping[str, object]) -> str:
    """Encode nested parameters as a form: ``{"a": {"b": ["c"]}}`` is ``a[b][0]=c``.

    Takes what the typed faces take: text, numbers, booleans (``true``), ``None`` (empty), `Decimal`, aware ``datetime``
    (unix seconds), enums (their value), objects that have an ``id``, and lists and maps of these, in their order. Raises
    `InvalidArgumentError`, which names the field, for anything else.
    """
    found: list[tuple[str, str]] = []
    _walk("", params, 0, _percent_key, _percent, found)
    return "&".join([f"{name}={value}" for name, value in found])


def pairs(params: Mapping[str, object]) -> list[tuple[str, str]]:
    """The names and values of a form, before they are percent-encoded. Raises like `encode`."""
    found: list[tuple[str, str]] = []
    _walk("", params, 0, str, str, found)
    return found


def decode(body: str | bytes) -> dict[str, Decoded]:
    """Read a form back into nested maps, lists and texts; the inverse of `encode`.

    Takes what other clients send, too: ``a[]=1`` adds to a list, brackets may be percent-encoded, ``+`` is a space.
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    root: dict[str, Any] = {}  # Any: texts and maps, until lists are made
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            _put(root, _steps(name), unquote_plus(value))
    return {name: _lists(value) for name, value in root.items()}


def to_json(params: Mapping[str, object]) -> bytes:
    """Encode parameters as JSON for API v2: times as RFC 3339 in UTC, Decimals as strings, ``None`` as null.

    Raises `InvalidArgumentError` for what cannot be sent.
    """
    return json.dumps(_json(params, "", 0), separators=(",", ":"), ensure_ascii=False).encode()


def encode_v2(params: Mapping[str, object]) -> str:
    """Encode the query of API v2: as `encode` does, but times as RFC 3339. Raises like it."""
    return encode({name: _json(value, name, 1) for name, value in params.items()})


def multipart(params: Mapping[str, object], file: FileInput) -> tuple[str, bytes]:
    """Encode parameters and a file as ``multipart/form-data``: the content type, and the body."""
    name, content = _file(file)
    boundary = uuid.uuid4().hex
    parts = [f'name="{_quoted(key)}"\r\n\r\n{value}\r\n'.encode() for key, value in pairs(params)]
    head = f'name="file"; filename="{_quoted(name)}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    parts.append(head.encode() + content + b"\r\n")
    lead = f"--{boundary}\r\nContent-Disposition: form-data; ".encode()
    body = b"".join(lead + part for part in parts) + f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def _walk(
    prefix: str,
    value: Any,  # Any: what came
    depth: int,
    escape_key: Callable[[str], str],
    escape: Callable[[str], str],
    found: list[tuple[str, str]],
) -> None:
    """Find every pair at and below a value. Keys are escaped one by one, so that a bracket in a key is no structure."""
    kind = type(value)  # the common kinds first: a protocol's isinstance is slow
    if kind is int:
        found.append((prefix, str(value)))
    elif kind is dict or isinstance(value, Mapping):
        _check_depth(prefix, depth)
        for key, item in value.items():
            if type(key) is not str or (prefix and not key):
                raise InvalidArgumentError(f"{prefix or 'params'}: a key is a text, not {key!r}.", param=prefix)
            name = f"{prefix}[{escape_key(key)}]" if prefix else escape_key(key)
            if type(item) is str:
                found.append((name, escape(item)))
            else:
                _walk(name, item, depth + 1, escape_key, escape, found)
    elif kind is list or (isinstance(value, Sequence) and not isinstance(value, NO_LISTS)):
        _check_depth(prefix, depth)
        for index, item in enumerate(value):
            _walk(f"{prefix}[{index}]", item, depth + 1, escape_key, escape, found)
    else:
        found.append((prefix, escape(_scalar(prefix, value))))


def _check_depth(name: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        shown = name[:60] + "..."
        raise InvalidArgumentError(f"{shown} is nested too deep, or holds itself.", param=name.partition("[")[0])


def _scalar(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return _scalar(name, value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, datetime):
        return str(math.floor(_aware(name, value).timestamp()))
    if isinstance(value, (Decimal, float)):
        return _number(name, value)
    found = getattr(value, "id", None)
    if isinstance(found, str) and found:
        return str(found)
    raise _refused(name, value)


def _number(name: str, value: Decimal | float) -> str:
    if not math.isfinite(value):
        raise InvalidArgumentError(f"{name}: {value} is not a number that can be sent.", param=name)
    return str(value) if isinstance(value, float) else format(value, "f")


def _aware(name: str, value: datetime) -> datetime:
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidArgumentError(
            f"{name}: {value!r} has no time zone, so it is no moment; pass an aware datetime, such as "
            "datetime.now(timezone.utc), or unix seconds.",
            param=name,
        )
    return value


def _refused(name: str, value: object) -> InvalidArgumentError:
    kind = type(value).__name__
    hint = "pass a str, a number, a bool, None, an aware datetime, or a list or dict of these"
    if isinstance(value, (bytes, bytearray, memoryview)):
        hint = "decode it to str first"
    elif isinstance(value, date):
        hint = "a day is no moment; pass an aware datetime or unix seconds"
    elif hasattr(value, "model_dump"):
        hint = "pass a dict of its fields"
    return InvalidArgumentError(f"{name}: cannot send a {kind}; {hint}.", param=name)


def _percent(text: str) -> str:
    if (text.isalnum() and text.isascii()) or PLAIN(text):
        return text
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{text!r} holds half a character and cannot be sent.") from None


_percent_key = lru_cache(maxsize=1024)(_percent)  # the same few names again and again


def _steps(name: str) -> list[str]:
    """The steps of a name: ``a[b][0]`` is ``a``, ``b``, ``0``."""
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


def _lists(value: Any) -> Decoded:  # Any: as in decode
    if not isinstance(value, dict):
        text: str = value
        return text
    found = {name: _lists(item) for name, item in value.items()}
    if list(found) == [str(index) for index in range(len(found))]:
        return list(found.values())
    return found


def _json(value: object, name: str, depth: int) -> object:
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        _check_depth(name, depth)
        return {key: _json(item, f"{name}[{key}]" if name else key, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        _check_depth(name, depth)
        return [_json(item, f"{name}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, datetime):
        return _aware(name, value).astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, (int, float)) and not isinstance(value, Enum):
        return value if isinstance(value, int) else float(_number(name, value))
    return _scalar(name, value)


def _file(file: FileInput) -> tuple[str, bytes]:
    if isinstance(file, bytes):
        return "file", file
    if isinstance(file, tuple):
        return file
    if isinstance(file, (str, os.PathLike)):
        try:
            with open(file, "rb") as opened:
                return os.path.basename(os.fspath(file)), opened.read()
        except OSError as error:
            raise InvalidArgumentError(f"file: {error.strerror}: {os.fspath(file)!r}.", param="file") from error
    content = file.read() if hasattr(file, "read") else None
    if not isinstance(content, bytes):
        raise InvalidArgumentError(
            'file: pass a path, bytes, (name, bytes), or a file that was opened with "rb".', param="file"
        )
    name = getattr(file, "name", None)
    return (os.path.basename(name) if isinstance(name, str) else "file"), content


def _quoted(text: str) -> str:
    """A name inside quotes in a header, as browsers write it."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
