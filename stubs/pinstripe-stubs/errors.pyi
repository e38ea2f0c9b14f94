"""The exceptions, with the types of the objects inside them."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pinstripe.models import BankAccount, Card, PaymentIntent, PaymentMethod, SetupIntent, Source
from pinstripe.models._error_codes import ErrorCode
from pinstripe.types import JSON

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AuthenticationError",
    "CardError",
    "Drift",
    "IdempotencyError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseValidationError",
    "SignatureVerificationError",
    "StripeError",
    "UnknownParameterError",
    "from_response",
]

class StripeError(Exception):
    """The base class of all errors. Attributes without a value are ``None``."""

    payment_intent: PaymentIntent | None
    """The payment intent that the error is about."""
    setup_intent: SetupIntent | None
    """The setup intent that the error is about."""
    payment_method: PaymentMethod | None
    """The payment method that the error is about."""
    source: BankAccount | Card | Source | None
    """The bank account, card or source that the error is about."""
    message: str
    """Description of the error, for developers; for a `CardError` it can be shown to users."""
    type: str | None
    """Kind of Stripe's error, such as ``card_error``."""
    code: ErrorCode | str | None
    """Code to handle the error by: https://docs.stripe.com/error-codes. Stripe can add codes at any time."""
    decline_code: str | None
    """Reason of the card issuer for declining the payment: https://docs.stripe.com/declines/codes"""
    advice_code: str | None
    """Advice about a declined payment: ``confirm_card_data``, ``do_not_try_again`` or ``try_again_later``."""
    network_decline_code: str | None
    """Reason of the card network for declining the payment."""
    param: str | None
    """Parameter that the error is about."""
    doc_url: str | None
    """Page about the code."""
    request_log_url: str | None
    """Page of the request in Stripe's Dashboard."""
    charge: str | None
    """ID of the charge that failed."""
    status_code: int | None
    """HTTP status of the response. ``None`` if there was no response."""
    request_id: str | None
    """ID of the request, for Stripe's support."""
    headers: Mapping[str, str]
    """Headers of the response, with names in lowercase."""
    body: bytes
    """Body of the response."""
    json_body: Mapping[str, JSON]
    """Body of the response as a dict. Empty if it is not a JSON object."""
    idempotency_key: str | None
    """Idempotency key that was sent."""
    attempts: int | None
    """Number of times the request was sent."""
    request_sent: bool | None
    """``False`` if Stripe received nothing, ``True`` if it responded, ``None`` if it may have carried out the request."""
    def __init__(
        self,
        message: str = "",
        *,
        type: str | None = None,
        code: str | None = None,
        decline_code: str | None = None,
        param: str | None = None,
        doc_url: str | None = None,
        charge: str | None = None,
        advice_code: str | None = None,
        network_decline_code: str | None = None,
        request_log_url: str | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        json_body: Mapping[str, JSON] | None = None,
        idempotency_key: str | None = None,
        attempts: int | None = None,
        request_sent: bool | None = None,
    ) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

class APIError(StripeError): ...
class APIConnectionError(StripeError): ...
class APITimeoutError(APIConnectionError): ...
class AuthenticationError(StripeError): ...
class PermissionDeniedError(StripeError): ...
class CardError(StripeError): ...
class InvalidRequestError(StripeError): ...
class IdempotencyError(InvalidRequestError): ...
class RateLimitError(StripeError): ...
class SignatureVerificationError(StripeError, ValueError): ...
class InvalidArgumentError(StripeError, ValueError): ...
class UnknownParameterError(InvalidArgumentError, TypeError): ...

class Drift(NamedTuple):
    model: str
    path: str
    kind: Literal["missing", "type", "value"]
    value: object = None

class ResponseValidationError(StripeError, ValueError):
    drifts: tuple[Drift, ...]
    def __init__(self, message: str = "", *, drifts: tuple[Drift, ...] = (), **facts: Any) -> None: ...

def from_response(status: int, headers: Mapping[str, str], body: bytes, parsed: JSON) -> StripeError: ...
