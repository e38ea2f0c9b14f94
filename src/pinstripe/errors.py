"""The exception tree. Every error that pinstripe raises is a `StripeError`; https://docs.stripe.com/api/errors

Which class an answer becomes is decided by two tables, by ``type`` and by status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinstripe._decoding import Drift
    from pinstripe.models import BankAccount, Card, PaymentIntent, PaymentMethod, SetupIntent, Source

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AuthenticationError",
    "CardError",
    "IdempotencyError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseValidationError",
    "SignatureVerificationError",
    "StripeError",
    "from_answer",
]

# How much of a body that is not JSON an error shows, in characters.
SHOWN = 200


class StripeError(Exception):
    """Anything that went wrong. What Stripe said about it is in the attributes, ``None`` where it said nothing.

    ``message``, ``type``, ``code``, ``decline_code``, ``param`` and ``doc_url`` are Stripe's words; ``status_code``,
    ``request_id``, ``headers`` and ``body`` are the answer's; ``idempotency_key`` and ``attempts`` say what was sent and
    how often. The objects that came inside the error are typed: ``payment_intent``, ``setup_intent``,
    ``payment_method``, ``source``.
    """

    payment_intent: PaymentIntent | None = None
    setup_intent: SetupIntent | None = None
    payment_method: PaymentMethod | None = None
    source: BankAccount | Card | Source | None = None

    def __init__(
        self,
        message: str = "",
        *,
        type: str | None = None,  # Stripe's word for it
        code: str | None = None,
        decline_code: str | None = None,
        param: str | None = None,
        doc_url: str | None = None,
        charge: str | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        json_body: Mapping[str, Any] | None = None,  # Any: JSON
        idempotency_key: str | None = None,
        attempts: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.type = type
        self.code = code
        self.decline_code = decline_code
        self.param = param
        self.doc_url = doc_url
        self.charge = charge
        self.status_code = status_code
        self.request_id = request_id
        self.headers: Mapping[str, str] = headers or {}
        self.body = body
        self.json_body: Mapping[str, Any] = json_body or {}  # Any: JSON
        self.idempotency_key = idempotency_key
        self.attempts = attempts

    def __str__(self) -> str:
        facts = {
            "status": self.status_code,
            "code": self.code,
            "decline code": self.decline_code,
            "param": self.param,
            "request": self.request_id,
            "attempts": self.attempts if self.attempts and self.attempts > 1 else None,
        }
        said = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
        return f"{self.message} ({said})" if said else self.message

    def __reduce__(self) -> tuple[Any, ...]:  # Any: pickle's own protocol
        return _restore, (type(self), dict(self.__dict__))


def _restore(cls: type[StripeError], state: dict[str, Any]) -> StripeError:  # Any: whatever the error held
    error = cls(state.get("message", ""))
    error.__dict__.update(state)
    return error


class APIError(StripeError):
    """Stripe failed (a status of 500 or more), or its answer cannot be read. https://docs.stripe.com/error-low-level"""


class APIConnectionError(StripeError):
    """No whole answer came: the connection failed, or broke off. https://docs.stripe.com/error-low-level"""


class APITimeoutError(APIConnectionError):
    """No answer came in time. A request that changes something may have been carried out all the same."""


class AuthenticationError(StripeError):
    """There is no API key, or Stripe does not know it (401). https://docs.stripe.com/api/authentication"""


class PermissionDeniedError(StripeError):
    """The API key may not do this (403). https://docs.stripe.com/keys"""


class CardError(StripeError):
    """The card or other means of payment was declined (402): see ``decline_code``. https://docs.stripe.com/declines"""


class InvalidRequestError(StripeError):
    """Stripe does not accept the request (400, 404, 409, 422): ``param`` names the field if one is to blame."""


class IdempotencyError(InvalidRequestError):
    """The idempotency key was used before, with other parameters. https://docs.stripe.com/api/idempotent_requests"""


class RateLimitError(StripeError):
    """Too many requests (429), after all retries. https://docs.stripe.com/rate-limits"""


class SignatureVerificationError(StripeError):
    """A webhook's signature is not right: do not trust the payload. https://docs.stripe.com/webhooks#verify-events"""


class InvalidArgumentError(StripeError, ValueError):
    """What was passed cannot be sent; nothing was. ``param`` names the field."""


class ResponseValidationError(StripeError):
    """An answer does not fit its model. Nothing is lost: ``body`` and ``headers`` are the raw answer, ``drifts`` say where."""

    def __init__(self, message: str = "", *, drifts: tuple[Drift, ...] = (), **facts: Any) -> None:  # Any: as above
        super().__init__(message, **facts)
        self.drifts = drifts


BY_TYPE: dict[str, type[StripeError]] = {
    "card_error": CardError,
    "idempotency_error": IdempotencyError,
    "idempotency_key_in_use": IdempotencyError,
    "rate_limit_error": RateLimitError,
    "authentication_error": AuthenticationError,
    "api_connection_error": APIConnectionError,
}
BY_CODE: dict[str, type[StripeError]] = {
    "idempotency_key_in_use": IdempotencyError,
    "rate_limit": RateLimitError,
    "lock_timeout": RateLimitError,
}
BY_STATUS: dict[int, type[StripeError]] = {
    401: AuthenticationError,
    402: CardError,
    403: PermissionDeniedError,
    429: RateLimitError,
}


def choose(status: int, kind: str | None, code: str | None) -> type[StripeError]:
    """The class of an error answer."""
    if status >= 500:
        return APIError
    found = BY_TYPE.get(kind or "") or BY_STATUS.get(status) or BY_CODE.get(code or "")
    if found is not None:
        return found
    return InvalidRequestError if status >= 400 else APIError


def from_answer(status: int, headers: Mapping[str, str], body: bytes, parsed: object) -> StripeError:
    """The error that an answer is: Stripe's own, OAuth's (``{"error": "invalid_grant", ...}``), or a stranger's page."""
    lowered = {name.lower(): value for name, value in headers.items()}
    facts: dict[str, Any] = {  # Any: keyword arguments of many types
        "status_code": status,
        "request_id": lowered.get("request-id"),
        "headers": lowered,
        "body": body,
    }
    if not isinstance(parsed, Mapping):
        return APIError(_unreadable(status, body), **facts)
    said = parsed.get("error")
    facts["json_body"] = parsed
    if isinstance(said, str):
        message = _text(parsed.get("error_description")) or said
        cls = AuthenticationError if said == "invalid_client" else choose(status, None, said)
        return cls(message, code=said, **facts)
    if not isinstance(said, Mapping):
        return choose(status, None, None)(_unreadable(status, body), **facts)
    for name in ("type", "code", "decline_code", "param", "doc_url", "charge"):
        facts[name] = _text(said.get(name))
    message = _text(said.get("message")) or _text(said.get("user_message")) or f"Stripe answered with status {status}."
    return choose(status, facts["type"], facts["code"])(message, **facts)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _unreadable(status: int, body: bytes) -> str:
    start = " ".join(body[: 4 * SHOWN].decode("utf-8", "replace").split())[:SHOWN]
    if not start:
        return f"The answer with status {status} is empty."
    return f"The answer with status {status} is not Stripe's JSON; it begins: {start}"
