"""Example objects of any model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pinstripe._base import StripeModel
from pinstripe._decoding import decode_as
from pinstripe.emulator.examples import example, to_json
from pinstripe.errors import InvalidArgumentError, ResponseValidationError
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.testing._requests import _new_account, event_json

__all__ = ["make"]

M = TypeVar("M", bound=StripeModel)


def make(model: type[M], /, **fields: Any) -> M:  # Any: values of the model's fields
    """Return an example object of a model: ``make(Invoice, total=500)``.

    Fields that are not passed have values that fit those that are: the invoice has a line of 500, and 500 are due. Values
    can be models, dicts with some of the fields of a part, and times. Ids differ from call to call. Raises
    `InvalidArgumentError` for fields that the model does not have, and for values that do not fit it.
    """
    by_name = {name: field.alias or name for name, field in model.model_fields.items()}
    fields = {by_name.get(name, name): value for name, value in fields.items()}
    event_type = _event_type(model, fields)
    if event_type:
        example_object = {**event_json(event_type), **to_json(fields)}
    else:
        example_object = example(_new_account(), model.__name__, fields)
    try:
        decoded: M = decode_as(model, example_object, validation="strict")
    except ResponseValidationError as error:
        raise InvalidArgumentError(f"The fields do not fit {model.__name__}: {error}") from None
    return decoded


def _event_type(model: type[StripeModel], fields: Mapping[str, object]) -> str:
    """Return the type of the event that a model or a field names; empty if the model is not one."""
    if "type" not in model.model_fields:
        return ""
    names = (fields.get("type"), *get_args(model.model_fields["type"].annotation))
    return next((str(name) for name in names if name in EVENT_TYPES or name in THIN_EVENT_TYPES), "")
