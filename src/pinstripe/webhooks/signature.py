"""Sign webhook payloads and verify their signatures. https://docs.stripe.com/webhooks/signature"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable
from typing import NoReturn, TypeAlias

from pinstripe.errors import InvalidArgumentError, SignatureVerificationError

__all__ = ["TOLERANCE", "sign", "verify"]

Payload: TypeAlias = bytes | bytearray | str
Secrets: TypeAlias = str | Iterable[str]

TOLERANCE = 300
"""Default maximum age of a signature, in seconds."""


class MaskedSecret(str):
    """A secret whose repr does not show it, as debuggers and error reporters print the variables of functions."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'whsec_***'"

    def __deepcopy__(self, memo: object) -> MaskedSecret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("Webhook secrets cannot be pickled: pass them to each process by its environment.")


def sign(payload: Payload, secret: str, timestamp: int | None = None) -> str:
    """Return the ``Stripe-Signature`` header for a payload, for tests and for your own senders.

    ``timestamp`` is in Unix seconds and defaults to the current time. Raises `InvalidArgumentError` if the secret is
    empty or not a ``str``.
    """
    secret = _mask(secret)
    check_secrets([secret])
    if not secret.strip():
        raise InvalidArgumentError("secret is empty: pass the endpoint's secret, whsec_...", param="secret")
    seconds = int(time.time()) if timestamp is None else timestamp
    return f"t={seconds},v1={_compute_signature(seconds, _to_bytes(payload), secret)}"


def verify(
    payload: Payload, sig_header: str | bytes | None, secret: Secrets, tolerance: float | None = TOLERANCE
) -> None:
    """Verify that Stripe signed this payload recently; raise `SignatureVerificationError` (a ``ValueError``) if not.

    ``payload`` is the raw request body: JSON that was parsed and serialized again is not what Stripe signed. ``secret``
    is one secret or several: the old and the new one while a secret is rotated, or those of several endpoints.
    ``tolerance`` is the maximum age in seconds; 0 and ``None`` accept any age. Raises `InvalidArgumentError` if a
    secret is not a ``str``, or the tolerance is not a number.
    https://docs.stripe.com/webhooks/signature
    """
    secret = secrets = mask_secrets(secret)
    check_secrets(secrets)
    check_tolerance(tolerance)
    body = _to_bytes(payload)
    timestamp, signatures = _parse_header(sig_header)
    secrets = [candidate for candidate in secrets if candidate.strip()]
    if not secrets:
        raise SignatureVerificationError("No webhook secret was passed: pass the endpoint's secret, whsec_...")
    matches = False
    for candidate in secrets:
        expected = _compute_signature(timestamp, body, candidate).encode()
        for signature in signatures:
            matches |= hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass"))
    if not matches:
        raise SignatureVerificationError(
            "No signature in the Stripe-Signature header matches this payload: check that the secret belongs to this "
            "endpoint, and pass the raw body of the request."
        )
    if tolerance and timestamp < time.time() - tolerance:
        raise SignatureVerificationError(
            f"The signature is older than {tolerance:g} seconds; the request may be a replay."
        )


class _NotText(MaskedSecret):
    """Stands for a secret of another type, whose name it holds."""

    __slots__ = ()


def mask_secrets(secret: Secrets) -> list[MaskedSecret]:
    """Return one or several secrets as a list that does not show them; `check_secrets` refuses those that are not text.

    Functions assign the list to the parameter that held the secret, before anything in them can raise: error reporters
    print the variables of functions.
    """
    is_iterable = isinstance(secret, Iterable) and not isinstance(secret, (str, bytes, bytearray, memoryview))
    return [_mask(candidate) for candidate in (secret if is_iterable else [secret])]


def _mask(secret: object) -> MaskedSecret:
    if isinstance(secret, MaskedSecret):
        return secret
    if secret is None or isinstance(secret, str):
        return MaskedSecret(secret or "")
    return _NotText(type(secret).__name__)


def check_secrets(secrets: Iterable[MaskedSecret]) -> None:
    """Raise `InvalidArgumentError` if a secret is not text."""
    for secret in secrets:
        if isinstance(secret, _NotText):
            raise InvalidArgumentError(
                f"secret: pass the endpoint's secret (whsec_...) as a str, not a {secret:s}.", param="secret"
            )


def check_tolerance(tolerance: float | None) -> None:
    """Raise `InvalidArgumentError` if a tolerance is neither a number of seconds nor ``None``."""
    if tolerance is not None and not (isinstance(tolerance, (int, float)) and tolerance >= 0):
        raise InvalidArgumentError(
            f"tolerance: pass a number of seconds, or None to accept any age, not {tolerance!r}.", param="tolerance"
        )


def _to_bytes(payload: Payload) -> bytes:
    if isinstance(payload, str):
        return payload.encode("utf-8", "surrogatepass")
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload)
    raise InvalidArgumentError(
        f"payload: pass the raw body of the request (bytes or str), not a {type(payload).__name__}. JSON that was "
        "parsed and serialized again is not what Stripe signed.",
        param="payload",
    )


def _parse_header(header: str | bytes | None) -> tuple[int, list[str]]:
    """Return the timestamp and the ``v1`` signatures of a header; ignore its other items."""
    text = header.decode("latin-1") if isinstance(header, (bytes, bytearray)) else header
    if not isinstance(text, str) or not text:
        raise SignatureVerificationError("The request has no Stripe-Signature header.")
    items = [item.split("=") for item in text.split(",")]
    try:
        timestamp = int(next(item[1] for item in items if item[0] == "t"))
        signatures = [item[1] for item in items if item[0] == "v1"]
    except (IndexError, StopIteration, ValueError):
        raise SignatureVerificationError("The Stripe-Signature header does not have the form t=...,v1=...") from None
    if not signatures:
        raise SignatureVerificationError("The Stripe-Signature header has no v1 signature.")
    return timestamp, signatures


def _compute_signature(timestamp: int, body: bytes, secret: str) -> str:
    key = secret.encode("utf-8", "surrogatepass")
    return hmac.new(key, str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()
