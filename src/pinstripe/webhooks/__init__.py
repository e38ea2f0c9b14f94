"""Webhooks: verified, and typed. https://docs.stripe.com/webhooks"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pinstripe.errors import InvalidArgumentError, ResponseValidationError
from pinstripe.webhooks.signature import TOLERANCE, Payload, Secrets, sign, verify

if TYPE_CHECKING:
    from pinstripe.events import AnyEvent, AnyNotification
    from pinstripe.webhooks.handlers import Handlers

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
) -> AnyEvent:
    """Verify a webhook, and give its event, typed: ``if event.type == "invoice.paid":`` makes ``event.data.object`` an Invoice.

    The arguments are those of `verify`. Raises `SignatureVerificationError` where the signature is not right,
    `ResponseValidationError` for a payload that is no event, and `InvalidArgumentError` for a thin event, which is
    `parse_event_notification`'s. https://docs.stripe.com/webhooks#verify-events
    """
    verify(payload, sig_header, secret, tolerance)
    data = _parse(payload)
    if data["object"] == THIN:
        raise InvalidArgumentError("This is a thin event (API v2): use parse_event_notification.", param="payload")
    event: AnyEvent = _decode(data)
    return event


def parse_event_notification(
    payload: Payload, sig_header: str | bytes | None, secret: Secrets, tolerance: float | None = TOLERANCE
) -> AnyNotification:
    """Verify a thin event's webhook (API v2), and give its notification, typed: ``fetch_event`` gets the rest.

    Raises like `construct_event`, which takes the snapshot events. https://docs.stripe.com/event-destinations#thin-events
    """
    verify(payload, sig_header, secret, tolerance)
    data = _parse(payload)
    if data["object"] == SNAPSHOT:
        raise InvalidArgumentError("This is a snapshot event (API v1): use construct_event.", param="payload")
    notification: AnyNotification = _decode(data)
    return notification


def read(payload: Payload | Mapping[str, Any]) -> AnyEvent | AnyNotification:  # Any: JSON
    """The typed event or notification in a payload that is known to be Stripe's: verified before, or kept in a queue.

    Raises `ResponseValidationError` where it is none.
    """
    found: AnyEvent | AnyNotification = _decode(_parse(payload))
    return found


def event_from_envelope(envelope: Payload | Mapping[str, Any]) -> AnyEvent | AnyNotification:  # Any: JSON
    """The typed event in an envelope of Amazon EventBridge (``detail``) or Azure Event Grid (``data``).

    The cloud has authenticated it already, so there is no signature; check who may call you there.
    Raises `ResponseValidationError` where there is no event in it.
    https://docs.stripe.com/event-destinations/eventbridge https://docs.stripe.com/event-destinations/eventgrid
    """
    outer = envelope if isinstance(envelope, Mapping) else _json(envelope)
    for name in ("detail", "data"):
        inner = outer.get(name) if isinstance(outer, Mapping) else None
        if isinstance(inner, str):
            inner = _json(inner)
        if isinstance(inner, Mapping) and inner.get("object") in (SNAPSHOT, THIN):
            return read(inner)
    raise ResponseValidationError("There is no event of Stripe's in this envelope: neither in detail nor in data.")


def _decode(data: dict[str, Any]) -> Any:  # Any: JSON; an event or a notification
    from pinstripe import _decoding  # here, so that verifying alone does not import Pydantic

    if data["object"] == THIN:
        from pinstripe.events import notification_class_for  # here, as above

        return _decoding.decode_as(notification_class_for(str(data.get("type"))), data)
    return _decoding.decode_as(_decoding.model_for(data), data)


def _parse(payload: Payload | Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON
    data = payload if isinstance(payload, Mapping) else _json(payload)
    if not isinstance(data, Mapping) or data.get("object") not in (SNAPSHOT, THIN):
        raise ResponseValidationError("The payload is JSON, but not an event of Stripe's.", body=_bytes(payload))
    return dict(data)


def _json(payload: Payload) -> Any:  # Any: JSON
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ResponseValidationError(f"The payload is not JSON: {error}.", body=_bytes(payload)) from None


def _bytes(payload: Payload | Mapping[str, Any]) -> bytes:  # Any: JSON
    if isinstance(payload, Mapping):
        return json.dumps(payload, default=str).encode()
    return payload.encode("utf-8", "replace") if isinstance(payload, str) else bytes(payload)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name != "Handlers":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pinstripe.webhooks.handlers import Handlers  # here, since verifying alone needs no handlers

        return Handlers
