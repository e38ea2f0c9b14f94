"""Validate parameters as Stripe does, against the TypedDicts that type the client's parameters.

Each annotation has a parser: it takes a value as it was sent (text in a form, any JSON value in JSON) and returns the typed
value, or raises the `ErrorResponse` that names the parameter.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from typing_extensions import NotRequired, Required, is_typeddict

from pinstripe.emulator.billing.money import CURRENCIES
from pinstripe.emulator.validation.errors import ErrorResponse, empty_param, missing_param, unknown_param
from pinstripe.types import MaxLen

Value: TypeAlias = Any  # Any: text of a form or a JSON value, before and after it is parsed
Annotation: TypeAlias = Any  # Any: the types of annotations have no common type
Parser: TypeAlias = Callable[[Value, str], Value]
"""Returns the typed value of a parameter; the second argument is the parameter's name in errors."""
DEFAULT_MAX_LENGTH = 5000
"""The maximum length of text if the API description sets none. https://docs.stripe.com/api"""
MAX_TIME = 99_999_999_999
"""The latest unix time, in the year 5138: times in milliseconds are later."""
MAX_LISTED_VALUES = 40
"""Errors list the allowed values of an enum up to this number."""
UNDESCRIBED: dict[str, Annotation] = {}
"""The TypedDicts of endpoints that are not in the endpoint table, by name."""


def validate(params_name: str | None, params: Mapping[str, Value], file: object = None) -> dict[str, Value]:
    """Return the typed parameters of an operation; raise `ErrorResponse` for the first invalid one.

    ``params_name`` is the name of its TypedDict, and ``file`` the file of an upload.
    """
    if file is not None:
        params = {**params, "file": file}
    if params_name is None:
        for name in params:
            raise unknown_param(name, ())
        return {}
    typed_dict = UNDESCRIBED.get(params_name) or getattr(import_module("pinstripe.params"), params_name)
    typed: dict[str, Value] = _parser(typed_dict)(params, "")
    return typed


@cache
def _parser(annotation: Annotation) -> Parser:
    origin, args = _origin(annotation), get_args(annotation)
    if is_typeddict(annotation):
        return _typed_dict_parser(annotation)
    if origin in (Required, NotRequired):
        return _parser(args[0])
    if origin is Annotated:
        max_length = next((part.length for part in args[1:] if isinstance(part, MaxLen)), DEFAULT_MAX_LENGTH)
        return _max_length_parser(args[0], max_length)
    if origin in (Union, types.UnionType):
        return _union_parser(args)
    if origin is Literal:
        return _literal_parser(args)
    if origin in (list, Sequence):
        return _list_parser(args[0])
    if origin in (dict, Mapping):
        return _map_parser(args[1])
    return _SCALAR_PARSERS.get(annotation, _parse_anything)


def _origin(annotation: Annotation) -> Annotation:
    return get_origin(annotation)


def _typed_dict_parser(typed_dict: Annotation) -> Parser:
    fields: dict[str, Annotation] = {}  # filled at the first use: TypedDicts may refer to themselves

    def parse(value: Value, path: str) -> Value:
        if not isinstance(value, Mapping):
            raise ErrorResponse(f"Invalid object for {path}: expected its fields.", param=path)
        if not fields and typed_dict.__annotations__:
            fields.update(get_type_hints(typed_dict, include_extras=True))
        typed = {}
        for name, item in value.items():
            item_path = _join(path, name)
            if name not in fields:
                raise unknown_param(item_path, fields)
            typed[name] = _parser(fields[name])(item, item_path)
            if name == "currency" and isinstance(typed[name], str):
                _check_currency(typed[name], item_path)
            if name == "quantity" and isinstance(typed[name], int) and typed[name] < 0:
                message = f"This value must be greater than or equal to 0 (it currently is '{typed[name]}')."
                raise ErrorResponse(message, code="parameter_invalid_integer", param=item_path)
        for name in sorted(typed_dict.__required_keys__):
            if name not in typed:
                raise missing_param(_join(path, name))
            if typed[name] is None and not _is_clearable(fields[name]):
                raise empty_param(_join(path, name))
        return typed

    return parse


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _is_clearable(annotation: Annotation) -> bool:
    args = get_args(annotation)
    return type(None) in args or any(_is_clearable(arg) for arg in args if _origin(annotation) in (Required, Annotated))


def _union_parser(options: tuple[Annotation, ...]) -> Parser:
    clearable = type(None) in options
    options = tuple(option for option in options if option is not type(None))
    is_unix_time = datetime in options and int in options
    if datetime in options:  # a number in API v1, and RFC 3339 text in v2
        client_only = datetime if int in options else str
        options = tuple(option for option in options if option is not client_only)

    def parse(value: Value, path: str) -> Value:
        if clearable and (value is None or value == ""):
            return None
        best: ErrorResponse | None = None
        for option in options:
            try:
                typed = _parser(option)(value, path)
            except ErrorResponse as error:
                # the best error is that of the option with the value's shape
                if best is None or isinstance(value, Mapping) == is_typeddict(option):
                    best = error
                continue
            if is_unix_time and option is int:
                _check_time(typed, path)
            return typed
        raise best or ErrorResponse(f"Invalid {path}.", param=path)

    return parse


def _literal_parser(options: tuple[str | bool, ...]) -> Parser:
    by_text = {("true" if option else "false") if isinstance(option, bool) else option: option for option in options}

    def parse(value: Value, path: str) -> Value:
        if isinstance(value, str) and value in by_text:
            return by_text[value]
        if isinstance(value, bool) and value in options:
            return value
        allowed = _describe_values(str(value), [str(text) for text in by_text])
        raise ErrorResponse(f"Invalid {path}: must be one of {allowed}", param=path)

    return parse


def _describe_values(value: str, allowed: list[str]) -> str:
    """List the allowed values, or those that are close to the value when there are many."""
    if len(allowed) > MAX_LISTED_VALUES:
        close = get_close_matches(value, allowed, 3)
        return f"{len(allowed)} values." + (f" Did you mean {' or '.join(close)}?" if close else "")
    return allowed[0] if len(allowed) == 1 else ", ".join(allowed[:-1]) + f", or {allowed[-1]}"


def _list_parser(item_annotation: Annotation) -> Parser:
    def parse(value: Value, path: str) -> Value:
        items = value
        if isinstance(value, Mapping) and all(key.isdigit() for key in value):  # a list in a form
            items = list(value.values())
        if not isinstance(items, list):
            raise ErrorResponse("Invalid array", param=path)
        parse_item, typed = _parser(item_annotation), []
        for index, item in enumerate(items):
            typed.append(parse_item(item, f"{path}[{index}]"))
            if typed[-1] is None:
                raise empty_param(f"{path}[{index}]")
        return typed

    return parse


def _map_parser(value_annotation: Annotation) -> Parser:
    def parse(value: Value, path: str) -> Value:
        items = {str(index): item for index, item in enumerate(value)} if isinstance(value, list) else value
        if not isinstance(items, Mapping):
            raise ErrorResponse("Invalid hash", param=path)
        parse_item = _parse_metadata_value if value_annotation is str else _parser(value_annotation)
        return {key: parse_item(item, f"{path}[{key}]") for key, item in items.items()}

    return parse


def _max_length_parser(annotation: Annotation, max_length: int) -> Parser:
    def parse(value: Value, path: str) -> Value:
        typed = _parser(annotation)(value, path)
        if isinstance(typed, str):
            _check_length(typed, max_length, path)
        return typed

    return parse


def _check_length(text: str, max_length: int, path: str) -> None:
    if len(text) > max_length:
        raise ErrorResponse(f"Invalid string: {text[:20]}...; must be at most {max_length} characters", param=path)


def _parse_text(value: Value, path: str) -> str | None:
    if not isinstance(value, str):
        raise ErrorResponse(f"Invalid string: {value}", param=path)
    _check_length(value, DEFAULT_MAX_LENGTH, path)
    return value or None  # an empty value clears a field


def _parse_metadata_value(value: Value, path: str) -> str:
    return _parse_text(value, path) or ""


def _parse_integer(value: Value, path: str) -> int:
    if isinstance(value, str) and value.lstrip("-").isascii() and value.removeprefix("-").isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ErrorResponse(f"Invalid integer: {value}", code="parameter_invalid_integer", param=path)


def _parse_boolean(value: Value, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ErrorResponse(f"Invalid boolean: {value}", param=path)


def _parse_decimal(value: Value, path: str) -> str:
    try:
        if Decimal(value).is_finite():
            return str(value)
    except (InvalidOperation, TypeError, ValueError):
        pass
    raise ErrorResponse(f"Invalid decimal: {value}", param=path)


def _parse_number(value: Value, path: str) -> float:
    number = float(_parse_decimal(str(value), path))
    return int(number) if number.is_integer() else number


def _parse_datetime(value: Value, path: str) -> str:
    try:
        if datetime.fromisoformat(str(value).replace("Z", "+00:00")).tzinfo:
            return str(value)
    except ValueError:
        pass
    raise ErrorResponse(f"Invalid date-time: {value}", param=path)


def _parse_anything(value: Value, path: str) -> Value:
    return value


def _check_time(seconds: int, path: str) -> None:
    """Raise `ErrorResponse` for a unix time that cannot be meant, such as one in milliseconds."""
    if not 0 <= seconds <= MAX_TIME:
        raise ErrorResponse(
            f"Invalid timestamp: {seconds}. Pass seconds since 1970.", code="parameter_invalid_integer", param=path
        )


def _check_currency(value: str, path: str) -> None:
    if value.lower() not in CURRENCIES:
        raise ErrorResponse(
            f"Invalid currency: {value}. See https://docs.stripe.com/currencies for those that Stripe accepts.",
            param=path,
        )


_SCALAR_PARSERS: dict[Annotation, Parser] = {
    str: _parse_text,
    int: _parse_integer,
    bool: _parse_boolean,
    float: _parse_number,
    Decimal: _parse_decimal,
    datetime: _parse_datetime,
}
