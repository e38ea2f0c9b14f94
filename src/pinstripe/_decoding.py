"""Decode JSON to models, even if it does not match Stripe's API description.

Pydantic's core decodes all JSON with a lenient validator (`_lenient`): fields that match are typed, the others keep their JSON
value. Each new difference is reported as a `Drift`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import ValidationError
from pydantic_core import SchemaValidator

from pinstripe._api_version import API_VERSION
from pinstripe._base import BUILD_LOCK, Lazy, StripeModel, validator
from pinstripe._lazy import LazyModule
from pinstripe._lenient import Difference, Target, is_model, lenient_validator, lenient_validator_of_schema, noting
from pinstripe._registry import registry
from pinstripe.errors import Drift, ResponseValidationError
from pinstripe.types import JSON

if TYPE_CHECKING:
    from pinstripe import _differences
else:
    _differences = LazyModule("pinstripe._differences")  # for pages, and for differences that are new

__all__ = ["Validation", "decode", "decode_as", "model_for", "resolve"]

Validation: TypeAlias = Literal["warn", "strict"]
logger = logging.getLogger("pinstripe._decoding")
_VERSION_ADVICE = (
    "Fields that are missing raise AttributeError when they are read, and values of other types stay as they are in the JSON. "
    f"Let Stripe render version {API_VERSION}: create a webhook endpoint with this version, and set no other on the client. "
    "This is logged once for each version."
)
_logged: set[Difference] = set()
_logged_versions: set[str] = set()
_validators: dict[Target, SchemaValidator] = {}  # of annotations; the keys can be unions, which have no common type


def decode(
    data: bytes | str | Mapping[str, JSON],
    *,
    validation: Validation = "warn",
    on_drift: Callable[[Drift], None] | None = None,
) -> StripeModel:
    """Decode a Stripe object, given as JSON or as a dict, with the model that its ``object`` field names.

    Use it for JSON that was stored: in a queue, a database, a file. An ``object`` without a model becomes a `StripeObject`.
    Raises `ResponseValidationError` if the data is not a JSON object and, with ``validation="strict"``, if it does not
    match its model.
    """
    value = parse(data) if isinstance(data, (bytes, str)) else data
    if not isinstance(value, Mapping):
        raise ResponseValidationError(f"Expected a JSON object, not a JSON value of type {type(value).__name__}.")
    raw = dict(value)
    result = _decode(model_for(raw), raw, None, validation, on_drift, None)
    assert isinstance(result, StripeModel)  # noqa: S101  # for type checkers: the target is a model
    return result


def decode_as(
    target: Target,
    content: bytes | str | Mapping[str, JSON],
    *,
    validation: Validation = "warn",
    on_drift: Callable[[Drift], None] | None = None,
    version: str | None = None,
) -> Any:  # Any: what the target is
    """Decode JSON as a model, as a page such as ``ListObject[Invoice]``, or by the names of models as an endpoint has them.

    ``version`` is the API version in which the JSON was rendered, if that is known.
    """
    target = resolve(target)
    if isinstance(content, (bytes, str)):
        return _decode(target, None, content, validation, on_drift, version)
    return _decode(target, content, None, validation, on_drift, version)


def model_for(data: Mapping[str, JSON], names: str = "") -> type[StripeModel]:
    """Return the model of an object: by its ``object`` field, else the one that ``names`` allows."""
    model: type[StripeModel] = registry().model_for(data, names)
    return model


def resolve(target: Target) -> Target:
    """Return the model with this name; for several names (``Customer | DeletedCustomer``) an annotation that decodes them."""
    if not isinstance(target, str):
        return target
    if "|" in target or target in ("Event", "V2CoreEvent"):  # the class of an event depends on its type
        lazy: Any = Lazy  # Any: type checkers see a generic alias
        return lazy[target]
    return registry().load(target)


def parse(content: bytes | str) -> JSON:
    """Parse JSON; raise `ResponseValidationError` if it is not JSON."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ResponseValidationError("The JSON is nested too deeply to be decoded.") from None
    except ValueError as error:
        raise ResponseValidationError(f"Expected JSON: {error}.") from None


def _decode(
    target: Target,
    value: JSON,
    content: bytes | str | None,
    validation: Validation,
    on_drift: Callable[[Drift], None] | None,
    version: str | None,
) -> object:
    if validation == "strict":
        exact = validator(target) if is_model(target) else _differences.adapter(target).validator
        try:
            return exact.validate_python(value) if content is None else exact.validate_json(content)
        except ValidationError:
            pass  # because of a new value of an enum, which is allowed, or of differences that the error names
    lenient = lenient_validator(target) if is_model(target) else _lenient_validator_of(target)
    if content is None:
        result, met = _validate_objects(target, lenient, value)
    else:
        try:
            result, met = noting(lenient.validate_json, content)
        except ValidationError:  # pydantic-core parses neither lone surrogates nor JSON that is nested 200 times
            value, content = parse(content), None
            result, met = _validate_objects(target, lenient, value)
    if met:
        raw = value if content is None else content
        _report(target, raw, met, validation, on_drift, _other_version(result, version))
    return result


def _validate_objects(target: Target, lenient: SchemaValidator, value: JSON) -> tuple[Any, set[Difference]]:
    result, met = noting(lenient.validate_python, value)  # Any, as its type: what the target is
    if is_model(target) and isinstance(value, dict) and not isinstance(result, StripeModel):
        return noting(partial(_validate_without_surrogates, lenient.validate_python), value)
    return result, met


def _validate_without_surrogates(validate: Callable[[object], Any], value: dict[str, JSON]) -> object:
    """Decode an object of which some names contain lone surrogates, which pydantic-core does not accept as names of fields."""
    odd = {name: inner for name, inner in value.items() if not name.isascii() and _has_surrogate(name)}
    model = validate({name: inner for name, inner in value.items() if name not in odd})
    model.__pydantic_extra__.update(odd)
    model.__pydantic_fields_set__.update(odd)
    return model


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _lenient_validator_of(annotation: Target) -> SchemaValidator:
    lenient = _validators.get(annotation)
    if lenient is None:
        with BUILD_LOCK:
            lenient = _validators[annotation] = lenient_validator_of_schema(
                _differences.adapter(annotation).core_schema
            )
    return lenient


def _report(
    target: Target,
    raw: JSON,
    met: set[Difference],
    validation: Validation,
    on_drift: Callable[[Drift], None] | None,
    other_version: tuple[str, str] | None,
) -> None:
    """Raise, log and pass on the differences; return soon if all were logged before and nothing else wants them."""
    version, origin = other_version or (None, "")
    logged = met <= _logged if version is None else version in _logged_versions
    if logged and on_drift is None and validation == "warn":
        return
    drifts = _differences.find_drifts(target, parse(raw) if isinstance(raw, (bytes, str)) else raw)
    if validation == "strict" and (errors := [drift for _, drift in drifts if drift.kind != "value"]):
        start = f"{origin}: " if version else ""
        raise ResponseValidationError(f"{start}{_some(errors)}.", drifts=tuple(drift for _, drift in drifts))
    if not logged:
        _log(drifts, met, version, origin)
    if on_drift is not None:
        for _, drift in drifts:
            try:
                on_drift(drift)
            except Exception:  # the response counts: after a POST it is all that is known of the new object
                logger.exception("on_drift raised an exception for this drift: %s", drift)


def _log(drifts: list[tuple[Difference, Drift]], met: set[Difference], version: str | None, origin: str) -> None:
    """Log each difference the first time it occurs; for another API version log one line for all its differences."""
    if version is not None and drifts:
        _logged_versions.add(version)
        logger.warning("%s: %s. %s", origin, _some([drift for _, drift in drifts]), _VERSION_ADVICE)
        return
    for difference, drift in drifts:
        if difference not in _logged:
            _logged.add(difference)
            logger.warning("%s", drift)
    _logged.update(met)


def _some(drifts: list[Drift]) -> str:
    more = f" (and {len(drifts) - 3} more)" if len(drifts) > 3 else ""
    return f"{'; '.join(map(str, drifts[:3]))}{more}"


def _other_version(result: object, version: str | None) -> tuple[str, str] | None:
    """Return the API version of an event or response, and a sentence about it; ``None`` if it is the version of this package."""
    subject = "the response"
    data = getattr(result, "data", None)
    for event in data if isinstance(data, list) else [result]:
        values = getattr(event, "__dict__", {})
        rendered = values.get("api_version")
        if values.get("object") == "event" and isinstance(rendered, str) and rendered != API_VERSION:
            version, subject = rendered, f"event {values.get('id')}"
            break
    if version is None or version == API_VERSION:
        return None
    return version, f"{subject} was rendered for API version {version}, this package describes {API_VERSION}"
