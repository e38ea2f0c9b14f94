"""Checks parameters as Stripe does, against the same TypedDicts that the client's types are made of.

A reader takes a value as it came (text from a form, anything from JSON) and gives it typed, or refuses it by name.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from typing_extensions import NotRequired, Required, is_typeddict

from pinstripe.emulator.billing.money import CURRENCIES
from pinstripe.emulator.validation.errors import ErrorResponse, empty_param, missing_param, unknown_param
from pinstripe.types import MaxLen

Read = Callable[[Any, str], Any]  # Any: a value as it came; the same, typed
# What a text may have where the API says nothing. https://docs.stripe.com/api
DEFAULT_MAX_LENGTH = 5000
MANY = 40


def validate(
    params_name: str | None, params: Mapping[str, Any], file: object = None
) -> dict[str, Any]:  # Any: as above
    """The parameters of an operation, typed; raises `ErrorResponse` for the first that is not right. A file came beside them."""
    if file is not None:
        params = {**params, "file": file}
    if params_name is None:
        for name in params:
            raise unknown_param(name, ())
        return {}
    found: dict[str, Any] = _reader(getattr(import_module("pinstripe.params"), params_name))(params, "")
    return found


@cache
def _reader(annotation: Any) -> Read:  # Any: whatever stands in an annotation
    origin, args = get_origin(annotation), get_args(annotation)
    if is_typeddict(annotation):
        return _typed_dict(annotation)
    if origin in (Required, NotRequired):
        return _reader(args[0])
    if origin is Annotated:
        length = next((part.length for part in args[1:] if isinstance(part, MaxLen)), DEFAULT_MAX_LENGTH)
        return _limited(args[0], length)
    if origin in (Union, types.UnionType):
        return _union(args)
    if origin is Literal:
        return _literal(args)
    if origin in (list, Sequence):
        return _list(args[0])
    if origin in (dict, Mapping):
        return _map(args[1])
    return _SCALARS.get(annotation, _anything)


def _typed_dict(shape: Any) -> Read:  # Any: a TypedDict
    fields: dict[str, Any] = {}  # Any: annotations

    def read(value: Any, where: str) -> Any:  # Any: as in Read
        if not isinstance(value, Mapping):
            raise ErrorResponse(f"Invalid object for {where}: expected its fields.", param=where)
        if not fields and shape.__annotations__:
            fields.update(get_type_hints(shape, include_extras=True))
        found = {}
        for name, item in value.items():
            path = f"{where}[{name}]" if where else name
            if name not in fields:
                raise unknown_param(path, fields)
            found[name] = _reader(fields[name])(item, path)
            if name == "currency" and isinstance(found[name], str):
                _check_currency(found[name], path)
        for name in sorted(shape.__required_keys__):
            path = f"{where}[{name}]" if where else name
            if name not in found:
                raise missing_param(path)
            if found[name] is None and not _is_clearable(fields[name]):
                raise empty_param(path)
        return found

    return read


def _is_clearable(annotation: Any) -> bool:  # Any: whatever stands in an annotation
    args = get_args(annotation)
    return type(None) in args or any(
        _is_clearable(arg) for arg in args if get_origin(annotation) in (Required, Annotated)
    )


def _union(options: tuple[Any, ...]) -> Read:  # Any: annotations
    clearable = type(None) in options
    some = [option for option in options if option is not type(None)]
    if datetime in some:  # a number in API v1, and a text of a form of its own in v2
        some = [option for option in some if option is not (datetime if int in some else str)]

    def read(value: Any, where: str) -> Any:  # Any: as in Read
        if clearable and (value is None or value == ""):
            return None
        error_response: ErrorResponse | None = None
        for option in some:
            try:
                return _reader(option)(value, where)
            except ErrorResponse as error:
                if error_response is None or isinstance(value, Mapping) == is_typeddict(option):
                    error_response = error
        raise error_response or ErrorResponse(f"Invalid {where}.", param=where)

    return read


def _literal(options: tuple[Any, ...]) -> Read:  # Any: texts and booleans
    known = {("true" if option else "false") if isinstance(option, bool) else option: option for option in options}

    def read(value: Any, where: str) -> Any:  # Any: as in Read
        if isinstance(value, str) and value in known:
            return known[value]
        if isinstance(value, bool) and value in options:
            return value
        raise ErrorResponse(
            f"Invalid {where}: must be one of {_listed(str(value), [str(one) for one in known])}", param=where
        )

    return read


def _listed(value: str, names: list[str]) -> str:
    """Names to choose from; where they are many, the few that are meant."""
    if len(names) > MANY:
        close = get_close_matches(value, names, 3)
        return f"{len(names)} values. Did you mean {' or '.join(close)}?" if close else f"{len(names)} values."
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f", or {names[-1]}"


def _list(item: Any) -> Read:  # Any: an annotation
    def read(value: Any, where: str) -> Any:  # Any: as in Read
        found = list(value.values()) if isinstance(value, Mapping) and all(key.isdigit() for key in value) else value
        if not isinstance(found, list):
            raise ErrorResponse("Invalid array", param=where)
        read_one, typed = _reader(item), []
        for index, one in enumerate(found):
            typed.append(read_one(one, f"{where}[{index}]"))
            if typed[-1] is None:
                raise empty_param(f"{where}[{index}]")
        return typed

    return read


def _map(item: Any) -> Read:  # Any: an annotation
    def read(value: Any, where: str) -> Any:  # Any: as in Read
        found = {str(index): one for index, one in enumerate(value)} if isinstance(value, list) else value
        if not isinstance(found, Mapping):
            raise ErrorResponse("Invalid hash", param=where)
        read_one = _value if item is str else _reader(item)
        return {key: read_one(one, f"{where}[{key}]") for key, one in found.items()}

    return read


def _limited(inner: Any, length: int) -> Read:  # Any: an annotation
    def read(value: Any, where: str) -> Any:  # Any: as in Read
        found = _reader(inner)(value, where)
        if isinstance(found, str) and len(found) > length:
            raise ErrorResponse(f"Invalid string: {found[:20]}...; must be at most {length} characters", param=where)
        return found

    return read


def _text(value: Any, where: str) -> str | None:  # Any: as in Read
    if not isinstance(value, str):
        raise ErrorResponse(f"Invalid string: {value}", param=where)
    if not value:
        return None  # an empty value clears a field
    if len(value) > DEFAULT_MAX_LENGTH:
        raise ErrorResponse(
            f"Invalid string: {value[:20]}...; must be at most {DEFAULT_MAX_LENGTH} characters", param=where
        )
    return value


def _value(value: Any, where: str) -> str:  # Any: as in Read
    """A value of metadata, which may be empty."""
    return _text(value, where) or ""


def _integer(value: Any, where: str) -> int:  # Any: as in Read
    if isinstance(value, str) and value.lstrip("-").isascii() and value.removeprefix("-").isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ErrorResponse(f"Invalid integer: {value}", code="parameter_invalid_integer", param=where)


def _boolean(value: Any, where: str) -> bool:  # Any: as in Read
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ErrorResponse(f"Invalid boolean: {value}", param=where)


def _decimal(value: Any, where: str) -> str:  # Any: as in Read
    try:
        if Decimal(value).is_finite():
            return str(value)
    except (InvalidOperation, TypeError, ValueError):
        pass
    raise ErrorResponse(f"Invalid decimal: {value}", param=where)


def _number(value: Any, where: str) -> float:  # Any: as in Read
    found = float(_decimal(str(value), where))
    return int(found) if found.is_integer() else found


def _moment(value: Any, where: str) -> str:  # Any: as in Read
    try:
        if datetime.fromisoformat(str(value).replace("Z", "+00:00")).tzinfo:
            return str(value)
    except ValueError:
        pass
    raise ErrorResponse(f"Invalid date-time: {value}", param=where)


def _anything(value: Any, where: str) -> Any:  # Any: as in Read
    return value


def _check_currency(value: str, where: str) -> None:
    if value.lower() not in CURRENCIES:
        raise ErrorResponse(
            f"Invalid currency: {value}. https://docs.stripe.com/currencies lists those there are.", param=where
        )


_SCALARS: dict[Any, Read] = {  # Any: annotations
    str: _text,
    int: _integer,
    bool: _boolean,
    float: _number,
    Decimal: _decimal,
    datetime: _moment,
}
