"""Stripe's webhook signatures: made, and verified. https://docs.stripe.com/webhooks/signature"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable
from typing import TypeAlias

from pinstripe.errors import InvalidArgumentError, SignatureVerificationError

__all__ = ["TOLERANCE", "sign", "verify"]

Payload: TypeAlias = "bytes | bytearray | str"
Secrets: TypeAlias = "str | Iterable[str]"

TOLERANCE = 300
"""Seconds that a signature may be old."""


def sign(payload: Payload, secret: str, timestamp: int | None = None) -> str:
    """The ``Stripe-Signature`` header for a payload, for tests and for senders of one's own.

    ``timestamp`` is in unix seconds, now unless given. Raises `InvalidArgumentError` where there is no secret.
    """
    if not secret.strip():
        raise InvalidArgumentError("secret is empty: pass the endpoint's secret, whsec_...", param="secret")
    seconds = int(time.time()) if timestamp is None else timestamp
    return f"t={seconds},v1={_signature(seconds, _raw(payload), secret)}"


def verify(
    payload: Payload, sig_header: str | bytes | None, secret: Secrets, tolerance: float | None = TOLERANCE
) -> None:
    """Check that a payload is Stripe's, as it was sent, and not old; raises `SignatureVerificationError` if not.

    ``payload`` is the raw body: JSON that was parsed and written again is not what was signed. ``secret`` is one secret or
    several (one endpoint's old and new while it is rotated, or those of several endpoints). ``tolerance`` is in seconds; 0 and
    ``None`` accept any age. https://docs.stripe.com/webhooks/signature
    """
    body = _raw(payload)
    timestamp, signatures = _read(sig_header)
    secrets = [one for one in ([secret] if isinstance(secret, str) else list(secret or ())) if one and one.strip()]
    if not secrets:
        raise SignatureVerificationError("There is no webhook secret; it begins with whsec_.")
    matches = False
    for one in secrets:
        expected = _signature(timestamp, body, one).encode()
        for signature in signatures:
            matches |= hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass"))
    if not matches:
        raise SignatureVerificationError(
            "No signature in the header is right for this payload: check that the secret is this endpoint's, and that the "
            "payload is the raw body."
        )
    if tolerance and timestamp < time.time() - tolerance:
        raise SignatureVerificationError(
            f"The signature is older than {tolerance:g} seconds; the payload may be a replay."
        )


def _raw(payload: Payload) -> bytes:
    if isinstance(payload, str):
        return payload.encode("utf-8", "surrogatepass")
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload)
    raise InvalidArgumentError(
        f"payload: pass the raw body of the request (bytes or str), not a {type(payload).__name__}; JSON that was parsed and "
        "written again is not what Stripe signed.",
        param="payload",
    )


def _read(header: str | bytes | None) -> tuple[int, list[str]]:
    """The timestamp and the ``v1`` signatures of a header; whatever else is in it is left alone."""
    text = header.decode("latin-1") if isinstance(header, (bytes, bytearray)) else header
    if not isinstance(text, str) or not text:
        raise SignatureVerificationError("There is no Stripe-Signature header.")
    items = [item.split("=") for item in text.split(",")]
    try:
        timestamp = int(next(item[1] for item in items if item[0] == "t"))
        signatures = [item[1] for item in items if item[0] == "v1"]
    except (IndexError, StopIteration, ValueError):
        raise SignatureVerificationError("The Stripe-Signature header is not in the form t=...,v1=...") from None
    if not signatures:
        raise SignatureVerificationError("The Stripe-Signature header has no v1 signature.")
    return timestamp, signatures


def _signature(timestamp: int, body: bytes, secret: str) -> str:
    key = secret.encode("utf-8", "surrogatepass")
    return hmac.new(key, str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()
