"""Verify webhooks and decode them to typed events. https://docs.stripe.com/webhooks"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pinstripe._lazy import LazyModule
from pinstripe.errors import InvalidArgumentError, ResponseValidationError
from pinstripe.types import JSON
from pinstripe.webhooks.signature import TOLERANCE, Payload, Secrets, mask_secrets, sign, verify

if TYPE_CHECKING:
    from pinstripe import events as _events
    from pinstripe.webhooks.handlers import Handlers
else:
    _events = LazyModule("pinstripe.events")

__all__ = [
    "Handlers",
    "construct_event",
    "event_from_envelope",
    "parse_event_notification",
    "read",
    "sign",
    "verify",
]

SNAPSHOT, THIN = "event", "v2.core.event"


def construct_event(
    payload: Payload, sig_header: str | bytes | None, secret: Secrets, tolerance: float | None = TOLERANCE
) -> _events.AnyEvent:
    """Verify a webhook and return its typed event.

    For type checkers, ``if event.type == "invoice.paid":`` makes ``event.data.object`` an Invoice. The arguments are
    those of `verify`. Raises `SignatureVerificationError` if the signature does not match, `ResponseValidationError` if
    the payload is not an event, and `InvalidArgumentError` for a thin event, which `parse_event_notification` takes. All
    three are ``ValueError``s.
    https://docs.stripe.com/webhooks#verify-events
    """
    secret = mask_secrets(secret)
    verify(payload, sig_header, secret, tolerance)
    data = _parse(payload)
    if data["object"] == THIN:
        raise InvalidArgumentError("This is a thin event (API v2): use parse_event_notification.", param="payload")
    event: _events.AnyEvent = _decode(data)
    return event


def parse_event_notification(
    payload: Payload, sig_header: str | bytes | None, secret: Secrets, tolerance: float | None = TOLERANCE
) -> _events.AnyNotification:
    """Verify the webhook of a thin event (API v2) and return its typed notification.

    The notification's ``fetch_event`` retrieves the event itself. Raises the same exceptions as `construct_event`,
    which takes snapshot events. https://docs.stripe.com/event-destinations#thin-events
    """
    secret = mask_secrets(secret)
    verify(payload, sig_header, secret, tolerance)
    data = _parse(payload)
    if data["object"] == SNAPSHOT:
        raise InvalidArgumentError("This is a snapshot event (API v1): use construct_event.", param="payload")
    notification: _events.AnyNotification = _decode(data)
    return notification


def read(payload: Payload | Mapping[str, JSON]) -> _events.AnyEvent | _events.AnyNotification:
    """Decode the event or notification in a payload that was verified before, such as one from a queue.

    Raises `ResponseValidationError` if the payload is neither.
    """
    event: _events.AnyEvent | _events.AnyNotification = _decode(_parse(payload))
    return event


def event_from_envelope(
    envelope: Payload | Mapping[str, Any],
) -> _events.AnyEvent | _events.AnyNotification:
    """Decode the event in an envelope of Amazon EventBridge (``detail``) or Azure Event Grid (``data``).

    These events have no signature, since the cloud authenticates the sender: restrict who can call your function.
    Raises `ResponseValidationError` if the envelope contains no event.
    https://docs.stripe.com/event-destinations/eventbridge https://docs.stripe.com/event-destinations/eventgrid
    """
    outer = envelope if isinstance(envelope, Mapping) else _load_json(envelope)
    for name in ("detail", "data"):
        inner = outer.get(name) if isinstance(outer, Mapping) else None
        if isinstance(inner, str):
            inner = _load_json(inner)
        if isinstance(inner, Mapping) and inner.get("object") in (SNAPSHOT, THIN):
            return read(inner)
    raise ResponseValidationError("The envelope contains no Stripe event, neither in `detail` nor in `data`.")


def _decode(data: dict[str, JSON]) -> Any:  # Any: an event or a notification
    from pinstripe import _decoding  # imported here so that `verify` alone does not import Pydantic

    if data["object"] == THIN:
        from pinstripe.events import notification_class_for

        return _decoding.decode_as(notification_class_for(str(data.get("type"))), data)
    return _decoding.decode_as(_decoding.model_for(data), data)


def _parse(payload: Payload | Mapping[str, JSON]) -> dict[str, JSON]:
    data = payload if isinstance(payload, Mapping) else _load_json(payload)
    if not isinstance(data, Mapping) or data.get("object") not in (SNAPSHOT, THIN):
        raise ResponseValidationError("The payload is JSON, but not a Stripe event.", body=_to_bytes(payload))
    for name in ("id", "type"):
        if not isinstance(data.get(name), str) or not data[name]:
            message = f"The payload is an event without {name!r}, or with one that is not text."
            raise ResponseValidationError(message, body=_to_bytes(payload))
    return dict(data)


def _load_json(payload: Payload) -> JSON:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ResponseValidationError(f"The payload is not valid JSON: {error}.", body=_to_bytes(payload)) from None


def _to_bytes(payload: Payload | Mapping[str, JSON]) -> bytes:
    if isinstance(payload, Mapping):
        return json.dumps(payload, default=str).encode()
    return payload.encode("utf-8", "replace") if isinstance(payload, str) else bytes(payload)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name != "Handlers":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pinstripe.webhooks.handlers import Handlers  # imported here, since verifying needs no handlers

        return Handlers
