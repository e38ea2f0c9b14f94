"""Scalars as Stripe writes them: unix seconds, RFC 3339 times, decimal strings, and strings of digits.

Each is strict in what it reads, so that what is written again is what came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = ["DateTime", "DecimalString", "Int64String", "Timestamp"]


class ExactDateTime(datetime):
    """An RFC 3339 time of API v2 that remembers how it was written (``2026-01-01T00:00:00.000Z``)."""

    text: str

    @classmethod
    def parse(cls, text: str) -> ExactDateTime:
        """Read a time; raises ``ValueError`` where it is not one or has no time zone."""
        head, dot, fraction = text.partition(".")
        if dot:  # before Python 3.11 fromisoformat takes three or six digits only
            digits = len(fraction) - len(fraction.lstrip("0123456789"))
            text_iso = f"{head}.{fraction[:digits][:6].ljust(6, '0')}{fraction[digits:]}"
        else:
            text_iso = text
        moment = datetime.fromisoformat(text_iso.replace("Z", "+00:00").replace("z", "+00:00"))
        if moment.tzinfo is None:
            raise ValueError("a time without a time zone")
        moment = moment.astimezone(timezone.utc)
        self = cls(*moment.timetuple()[:6], moment.microsecond, timezone.utc)
        self.text = text
        return self

    def __reduce_ex__(self, protocol: object) -> tuple[object, ...]:
        return (ExactDateTime.parse, (self.text,))


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise PydanticCustomError("naive_datetime", "Input should be a datetime with a time zone")
    return value


def _read_exact(value: object) -> datetime:
    if isinstance(value, datetime):
        return _aware(value)
    try:
        return ExactDateTime.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise PydanticCustomError("date_time", "Input should be an RFC 3339 time with a time zone") from None


def _from_unix(value: int) -> datetime:
    try:
        return datetime.fromtimestamp(value, timezone.utc)
    except (OverflowError, OSError, ValueError):
        raise PydanticCustomError("timestamp", "Input should be unix seconds that a datetime can hold") from None


def _write_unix(value: object) -> object:
    return int(value.timestamp()) if isinstance(value, datetime) else value


def _write_exact(value: object) -> object:
    if isinstance(value, ExactDateTime):
        return value.text
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    return value


def _write_decimal(value: object) -> object:
    return format(value, "f") if isinstance(value, Decimal) else value


def _write_int64(value: object) -> object:
    return str(value) if isinstance(value, int) else value


def _json_writer(write: Callable[[object], object]) -> core_schema.SerSchema:
    return core_schema.plain_serializer_function_ser_schema(write, when_used="json")


@dataclass(frozen=True)
class Wire:
    """How one kind of scalar is read and written: strict in what it takes, so that what is written is what came."""

    kind: Literal["timestamp", "datetime", "decimal", "int64"]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _WIRE[self.kind]()

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return dict(_WIRE_JSON[self.kind])


def _timestamp_schema() -> CoreSchema:
    number = core_schema.int_schema(strict=True)
    read = core_schema.no_info_after_validator_function(_from_unix, number)
    by_hand = core_schema.no_info_after_validator_function(_aware, core_schema.is_instance_schema(datetime))
    either = core_schema.union_schema([read, by_hand], mode="left_to_right")
    return core_schema.json_or_python_schema(read, either, serialization=_json_writer(_write_unix))


def _datetime_schema() -> CoreSchema:
    return core_schema.no_info_plain_validator_function(_read_exact, serialization=_json_writer(_write_exact))


def _decimal_schema() -> CoreSchema:
    text = core_schema.str_schema(strict=True, pattern=r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$")
    read = core_schema.chain_schema([text, core_schema.decimal_schema(strict=False)])
    either = core_schema.union_schema([core_schema.is_instance_schema(Decimal), read], mode="left_to_right")
    return core_schema.json_or_python_schema(read, either, serialization=_json_writer(_write_decimal))


def _int64_schema() -> CoreSchema:
    text = core_schema.str_schema(strict=True, pattern=r"^(0|-?[1-9][0-9]{0,18})$")
    read = core_schema.chain_schema([text, core_schema.int_schema(strict=False)])
    either = core_schema.union_schema([core_schema.int_schema(strict=True), read], mode="left_to_right")
    return core_schema.json_or_python_schema(read, either, serialization=_json_writer(_write_int64))


_WIRE: dict[str, Callable[[], CoreSchema]] = {
    "timestamp": _timestamp_schema,
    "datetime": _datetime_schema,
    "decimal": _decimal_schema,
    "int64": _int64_schema,
}
_WIRE_JSON: dict[str, dict[str, object]] = {
    "timestamp": {"type": "integer", "format": "unix-time"},
    "datetime": {"type": "string", "format": "date-time"},
    "decimal": {"type": "string", "format": "decimal"},
    "int64": {"type": "string", "format": "int64"},
}

Timestamp = Annotated[datetime, Wire("timestamp")]
"""Unix seconds on the wire, an aware UTC ``datetime`` here."""
DateTime = Annotated[datetime, Wire("datetime")]
"""An RFC 3339 string on the wire (API v2), an aware UTC ``datetime`` here."""
DecimalString = Annotated[Decimal, Wire("decimal")]
"""A decimal string on the wire, an exact ``Decimal`` here."""
Int64String = Annotated[int, Wire("int64")]
"""A string of digits on the wire (API v2), an ``int`` here."""
