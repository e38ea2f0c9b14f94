"""The exceptions, with the types of the objects inside them."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pinstripe.models import BankAccount, Card, PaymentIntent, PaymentMethod, SetupIntent, Source
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
    "from_response",
]

class StripeError(Exception):
    payment_intent: PaymentIntent | None
    setup_intent: SetupIntent | None
    payment_method: PaymentMethod | None
    source: BankAccount | Card | Source | None
    message: str
    type: str | None
    code: str | None
    decline_code: str | None
    param: str | None
    doc_url: str | None
    charge: str | None
    status_code: int | None
    request_id: str | None
    headers: Mapping[str, str]
    body: bytes
    json_body: Mapping[str, JSON]
    idempotency_key: str | None
    attempts: int | None
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
        status_code: int | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        json_body: Mapping[str, JSON] | None = None,
        idempotency_key: str | None = None,
        attempts: int | None = None,
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
class SignatureVerificationError(StripeError): ...
class InvalidArgumentError(StripeError, ValueError): ...

class Drift(NamedTuple):
    model: str
    path: str
    kind: Literal["missing", "type", "value"]
    value: object = None

class ResponseValidationError(StripeError):
    drifts: tuple[Drift, ...]
    def __init__(self, message: str = "", *, drifts: tuple[Drift, ...] = (), **facts: Any) -> None: ...

def from_response(status: int, headers: Mapping[str, str], body: bytes, parsed: JSON) -> StripeError: ...
