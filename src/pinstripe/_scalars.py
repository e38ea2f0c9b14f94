"""The scalars of Stripe's JSON: unix times, RFC 3339 times, decimal strings, and strings of digits.

Each accepts only the form that Stripe sends, so that serializing it returns the same JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, SupportsIndex

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = ["DateTime", "DecimalString", "Int64String", "Timestamp"]


class ExactDateTime(datetime):
    """An RFC 3339 time of API v2 that keeps its text (``2026-01-01T00:00:00.000Z``)."""

    _text = ""  # that of times that were calculated, whose text is made when it is read

    @property
    def text(self) -> str:
        """The time as Stripe sent it; of times that were calculated from it, the usual form."""
        return self._text or _rfc3339(self)

    @classmethod
    def parse(cls, text: str) -> ExactDateTime:
        """Parse an RFC 3339 time; raise ``ValueError`` if it is not one, or has no time zone."""
        head, dot, fraction = text.partition(".")
        if dot:  # before Python 3.11, fromisoformat accepts only three or six digits
            digits = len(fraction) - len(fraction.lstrip("0123456789"))
            iso = f"{head}.{fraction[:digits][:6].ljust(6, '0')}{fraction[digits:]}"
        else:
            iso = text
        parsed = datetime.fromisoformat(iso.replace("Z", "+00:00").replace("z", "+00:00"))
        if parsed.tzinfo is None:
            raise ValueError("the time has no time zone")
        parsed = parsed.astimezone(timezone.utc)
        self = cls(*parsed.timetuple()[:6], parsed.microsecond, timezone.utc)
        self._text = text
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:  # Any: as in typeshed
        return (ExactDateTime.parse, (self._text,)) if self._text else super().__reduce_ex__(protocol)


def _rfc3339(value: datetime) -> str:
    return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise PydanticCustomError("naive_datetime", "Input should be an aware datetime, with a time zone")
    return value


def _parse_rfc3339(value: object) -> datetime:
    if isinstance(value, datetime):
        return _aware(value)
    try:
        return ExactDateTime.parse(value if isinstance(value, str) else "")
    except (ValueError, OverflowError):  # OverflowError: a time zone moves it out of the years 1 to 9999
        raise PydanticCustomError("date_time", "Input should be an RFC 3339 time with a time zone") from None


def _parse_unix(value: int) -> datetime:
    try:
        return datetime.fromtimestamp(value, timezone.utc)
    except (OverflowError, OSError, ValueError):
        raise PydanticCustomError("timestamp", "Input should be a unix time within the range of datetime") from None


def _format_unix(value: object) -> object:
    return int(value.timestamp()) if isinstance(value, datetime) else value


def _format_rfc3339(value: object) -> object:
    if isinstance(value, ExactDateTime):
        return value.text
    return _rfc3339(value) if isinstance(value, datetime) else value


def _format_decimal(value: object) -> object:
    return format(value, "f") if isinstance(value, Decimal) else value


def _format_int64(value: object) -> object:
    return str(value) if isinstance(value, int) else value


def _for_json(serialize: Callable[[object], object]) -> core_schema.SerSchema:
    return core_schema.plain_serializer_function_ser_schema(serialize, when_used="json")


@dataclass(frozen=True)
class Scalar:
    """The schema of one kind of scalar, in annotations such as `Timestamp`."""

    kind: Literal["timestamp", "datetime", "decimal", "int64"]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _SCHEMAS[self.kind]()

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return dict(_JSON_SCHEMAS[self.kind])


def _timestamp_schema() -> CoreSchema:
    number = core_schema.int_schema(strict=True)
    read = core_schema.no_info_after_validator_function(_parse_unix, number)
    aware = core_schema.no_info_after_validator_function(_aware, core_schema.is_instance_schema(datetime))
    either = core_schema.union_schema([read, aware], mode="left_to_right")
    return core_schema.json_or_python_schema(read, either, serialization=_for_json(_format_unix))


def _datetime_schema() -> CoreSchema:
    return core_schema.no_info_plain_validator_function(_parse_rfc3339, serialization=_for_json(_format_rfc3339))


def _decimal_schema() -> CoreSchema:
    text = core_schema.str_schema(strict=True, pattern=r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$")
    read = core_schema.chain_schema([text, core_schema.decimal_schema(strict=False)])
    either = core_schema.union_schema([core_schema.is_instance_schema(Decimal), read], mode="left_to_right")
    return core_schema.json_or_python_schema(read, either, serialization=_for_json(_format_decimal))


def _int64_schema() -> CoreSchema:
    text = core_schema.str_schema(strict=True, pattern=r"^(0|-?[1-9][0-9]{0,18})$")
    read = core_schema.chain_schema([text, core_schema.int_schema(strict=False)])
    either = core_schema.union_schema([core_schema.int_schema(strict=True), read], mode="left_to_right")
    return core_schema.json_or_python_schema(read, either, serialization=_for_json(_format_int64))


_SCHEMAS: dict[str, Callable[[], CoreSchema]] = {
    "timestamp": _timestamp_schema,
    "datetime": _datetime_schema,
    "decimal": _decimal_schema,
    "int64": _int64_schema,
}
_JSON_SCHEMAS: dict[str, dict[str, object]] = {
    "timestamp": {"type": "integer", "format": "unix-time"},
    "datetime": {"type": "string", "format": "date-time"},
    "decimal": {"type": "string", "format": "decimal"},
    "int64": {"type": "string", "format": "int64"},
}

Timestamp = Annotated[datetime, Scalar("timestamp")]
"""Unix seconds in JSON, an aware UTC ``datetime`` in Python."""
DateTime = Annotated[datetime, Scalar("datetime")]
"""An RFC 3339 string in JSON (API v2), an aware UTC ``datetime`` in Python."""
DecimalString = Annotated[Decimal, Scalar("decimal")]
"""A decimal string in JSON, a ``Decimal`` in Python."""
Int64String = Annotated[int, Scalar("int64")]
"""A string of digits in JSON (API v2), an ``int`` in Python."""
