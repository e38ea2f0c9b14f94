"""Webhooks: verified, and typed. https://docs.stripe.com/webhooks"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pinstripe.errors import InvalidArgumentError, ResponseValidationError
from pinstripe.webhooks.signature import TOLERANCE, Payload, Secrets, sign, verify

if TYPE_CHECKING:
    from pinstripe.events import AnyEvent

__all__ = ["construct_event", "sign", "verify"]


def construct_event(
    payload: Payload, sig_header: str | bytes | None, secret: Secrets, tolerance: float | None = TOLERANCE
) -> AnyEvent:
    """Verify a webhook, and give its event, typed: ``if event.type == "invoice.paid":`` makes ``event.data.object`` an Invoice.

    The arguments are those of `verify`. Raises `SignatureVerificationError` where the signature is not right,
    `ResponseValidationError` for a payload that is no event, and `InvalidArgumentError` for a thin event, which is
    ``parse_event_notification``'s. https://docs.stripe.com/webhooks#verify-events
    """
    verify(payload, sig_header, secret, tolerance)
    return read_event(payload)


def read_event(payload: Payload) -> AnyEvent:
    """The typed event in a payload that is known to be Stripe's."""
    from pinstripe import drift, model  # here, so that verifying alone does not import Pydantic

    try:
        data = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ResponseValidationError(f"The payload is not JSON: {error}.", body=_bytes(payload)) from None
    kind = data.get("object") if isinstance(data, dict) else None
    if kind == "v2.core.event":
        raise InvalidArgumentError("This is a thin event (API v2): use parse_event_notification.", param="payload")
    if kind != "event":
        raise ResponseValidationError("The payload is JSON, but not an event of Stripe's.", body=_bytes(payload))
    event: AnyEvent = drift.decode_as(model.model_for(data), data)
    return event


def _bytes(payload: Payload) -> bytes:
    return payload.encode("utf-8", "replace") if isinstance(payload, str) else bytes(payload)
