"""The ``repr`` of models: one line with the fields that tell an object apart from others of its type, and no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from pydantic import BaseModel

__all__ = ["arguments", "is_secret"]

# The fields that tell one object from another, in this order. An object without any of them shows its first fields.
SHOWN_FIRST = (
    "id",
    "object",
    "deleted",
    "type",
    "status",
    "amount",
    "unit_amount",
    "total",
    "amount_due",
    "currency",
    "number",
    "name",
    "display_name",
    "email",
    "nickname",
    "description",
    "code",
    "customer",
    "product",
    "price",
    "quantity",
    "data",
    "has_more",
    "url",
)
MAX_WIDTH = 95  # without the "..." at the end
MAX_TEXT = 40
MASK = "***"
_SECRET = re.compile(
    r"(^|_)(secret|password|passphrase|pin|cvc|iban|private_key|private_key_file)$|_token$|(^|_)account_number$"
)
# Fields that are secret in one model and not in others.
_SECRET_IN: Mapping[str, frozenset[str]] = {
    "AccountLink": frozenset({"url"}),
    "AppsSecret": frozenset({"payload"}),
    "BillingPortalSession": frozenset({"url"}),
    "IdentityVerificationSession": frozenset({"url"}),
    "IssuingCard": frozenset({"number"}),
    "LoginLink": frozenset({"url"}),
    "V2CoreAccountLink": frozenset({"url"}),
}


class _Verbatim(str):
    """Text that a ``repr`` shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def is_secret(model: str, field: str) -> bool:
    """Return whether a field of a model is masked."""
    return _SECRET.search(field) is not None or field in _SECRET_IN.get(model, ())


def arguments(model: BaseModel) -> Iterator[tuple[str | None, object]]:
    """Return the names and values that a ``repr`` shows; the last one has no name if some are left out."""
    name = type(model).__name__
    values = {**model.__dict__, **(model.__pydantic_extra__ or {})}
    present = {field: value for field, value in values.items() if value is not None and field in model.model_fields_set}
    has_id = isinstance(present.get("id"), str)
    if "object" in model.__dict__:
        present.pop("object", None)  # the name of the class says it
    order = [field for field in SHOWN_FIRST if field in present]
    if not has_id:
        order += [field for field in present if field not in SHOWN_FIRST]
    width, shown = MAX_WIDTH - len(name) - len("()"), 0
    for field in order:
        if (value := _brief(present[field], secret=is_secret(name, field))) is None:
            continue
        width -= len(field) + len(repr(value)) + 3
        if width < 0 and shown:
            break
        yield field, value
        shown += 1
    if shown < len(present):
        yield None, _Verbatim("...")


def _brief(value: object, *, secret: bool) -> object | None:
    """Return a value as a ``repr`` shows it; ``None`` if it is too long."""
    if secret:
        return MASK
    if isinstance(value, str):
        text = value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}..."
        return str(text)
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (Decimal, date)):
        return _Verbatim(value)
    if isinstance(value, BaseModel):
        identifier = getattr(value, "id", None)
        return _Verbatim(f"<{type(value).__name__} {identifier}>") if isinstance(identifier, str) else None
    if isinstance(value, list) and value and isinstance(value[0], BaseModel):
        return _Verbatim(f"[{len(value)} of {type(value[0]).__name__}]")
    return None
