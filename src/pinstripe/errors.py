"""The exceptions. Every error that pinstripe raises is a `StripeError`; https://docs.stripe.com/api/errors

Tables decide which class an error response becomes, by its ``type``, its status and its ``code``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pinstripe._secrets import redact
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

# How many characters of a body that is not JSON an error message contains.
_MAX_EXCERPT = 200


class StripeError(Exception):
    """The base class of all errors. Attributes without a value are ``None``.

    ``message``, ``type``, ``code``, ``decline_code``, ``advice_code``, ``network_decline_code``, ``param``, ``doc_url`` and
    ``request_log_url`` are those of Stripe's error; ``status_code``, ``request_id``, ``headers`` and ``body`` are those of the
    response; ``idempotency_key`` and ``attempts`` tell which key was sent, and how often. ``request_sent`` is False if Stripe
    received nothing, True if it responded to an attempt, and None if it may have received the request. Objects inside the error
    are models: ``payment_intent``, ``setup_intent``, ``payment_method`` and ``source``.
    """

    payment_intent: Any = None  # Any: a model; the stub names which, since models depend on this module
    setup_intent: Any = None  # Any: a model
    payment_method: Any = None  # Any: a model
    source: Any = None  # Any: a model
    request_sent: bool | None = None

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
    ) -> None:
        super().__init__(message)
        self.message = message
        self.type = type
        self.code = code
        self.decline_code = decline_code
        self.param = param
        self.doc_url = doc_url
        self.charge = charge
        self.advice_code = advice_code
        self.network_decline_code = network_decline_code
        self.request_log_url = request_log_url
        self.status_code = status_code
        self.request_id = request_id
        self.headers: Mapping[str, str] = headers or {}
        self.body = body
        self.json_body: Mapping[str, JSON] = json_body or {}
        self.idempotency_key = idempotency_key
        self.attempts = attempts
        if request_sent is not None:
            self.request_sent = request_sent

    def __str__(self) -> str:
        facts = {
            "status": self.status_code,
            "code": self.code,
            "decline code": self.decline_code,
            "param": self.param,
            "request": self.request_id,
            "attempts": self.attempts if self.attempts and self.attempts > 1 else None,
        }
        details = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
        return f"{self.message} ({details})" if details else self.message

    def __reduce__(self) -> tuple[Any, ...]:  # Any: pickle's protocol
        return _restore, (type(self), dict(self.__dict__))


def _restore(cls: type[StripeError], state: dict[str, Any]) -> StripeError:  # Any: the attributes of the error
    error = cls(state.get("message", ""))
    error.__dict__.update(state)
    return error


class APIError(StripeError):
    """Stripe failed (status 500 or above), or its response cannot be read. https://docs.stripe.com/error-low-level"""


class APIConnectionError(StripeError):
    """The connection failed before the response was complete. https://docs.stripe.com/error-low-level"""


class APITimeoutError(APIConnectionError):
    """The request timed out. Stripe may have carried it out nevertheless."""


class AuthenticationError(StripeError):
    """The API key is missing or invalid (status 401). https://docs.stripe.com/api/authentication"""


class PermissionDeniedError(StripeError):
    """The API key lacks the permission (status 403). https://docs.stripe.com/keys"""


class CardError(StripeError):
    """The card or other payment method was declined (status 402): see ``decline_code``. https://docs.stripe.com/declines"""


class InvalidRequestError(StripeError):
    """Stripe rejected the request (status 400, 404, 409 or 422); ``param`` names the parameter, if it is about one."""


class IdempotencyError(InvalidRequestError):
    """The idempotency key was used before with other parameters. https://docs.stripe.com/api/idempotent_requests"""


class RateLimitError(StripeError):
    """Too many requests (status 429), after all retries. https://docs.stripe.com/rate-limits"""


class SignatureVerificationError(StripeError, ValueError):
    """The signature of a webhook is invalid: do not trust the payload. https://docs.stripe.com/webhooks#verify-events"""


class InvalidArgumentError(StripeError, ValueError):
    """An argument cannot be used, so that no request was sent. ``param`` names the argument."""

    request_sent: bool | None = False


class UnknownParameterError(InvalidArgumentError, TypeError):
    """An operation has no parameter, or a client no option, of this name. No request was sent; ``param`` is the name.

    Parameters that this version does not know go through ``request_options={"extra_params": {...}}``.
    """


class Drift(NamedTuple):
    """One difference between a response and Stripe's API description.

    ``kind`` is ``missing`` (a required field is not there), ``type`` (a value has another type) or ``value`` (a value is not
    in the list of known values, which is never an error).
    """

    model: str
    path: str
    kind: Literal["missing", "type", "value"]
    value: object = None

    def __str__(self) -> str:
        if self.kind == "missing":
            return f"the response has no field {self.path}, which the API description of {self.model} requires"
        if self.kind == "value":
            return f"{self.path} is {self.value!r}, which the API description of {self.model} does not list"
        type_name = type(self.value).__name__
        return f"{self.path} is of type {type_name}, which the API description of {self.model} does not allow"


class ResponseValidationError(StripeError, ValueError):
    """A response does not match its model: ``drifts`` are the differences, ``body`` and ``headers`` those of the response."""

    def __init__(
        self, message: str = "", *, drifts: tuple[Drift, ...] = (), **facts: Any
    ) -> None:  # Any: see StripeError
        super().__init__(message, **facts)
        self.drifts = drifts


_BY_TYPE: dict[str, type[StripeError]] = {
    "card_error": CardError,
    "idempotency_error": IdempotencyError,
    "idempotency_key_in_use": IdempotencyError,
    "rate_limit_error": RateLimitError,
    "authentication_error": AuthenticationError,
    "api_connection_error": APIConnectionError,
}
_BY_CODE: dict[str, type[StripeError]] = {
    "idempotency_key_in_use": IdempotencyError,
    "rate_limit": RateLimitError,
    "lock_timeout": RateLimitError,
}
_BY_STATUS: dict[int, type[StripeError]] = {
    401: AuthenticationError,
    402: CardError,
    403: PermissionDeniedError,
    429: RateLimitError,
}


# The fields of Stripe's error that are attributes of ours.
_FIELDS = (
    "type",
    "code",
    "decline_code",
    "param",
    "doc_url",
    "charge",
    "advice_code",
    "network_decline_code",
    "request_log_url",
)


def from_response(status: int, headers: Mapping[str, str], body: bytes, parsed: JSON) -> StripeError:
    """Return the error for a response: an error of Stripe's, of OAuth (``{"error": "invalid_grant"}``), or an unreadable one."""
    lowered = {name.lower(): value for name, value in headers.items()}
    facts: dict[str, Any] = {  # Any: arguments of StripeError
        "status_code": status,
        "request_id": lowered.get("request-id"),
        "headers": lowered,
        "body": body,
    }
    if not isinstance(parsed, Mapping):
        return APIError(_unreadable(status, body), **facts)
    error = parsed.get("error")
    facts["json_body"] = parsed
    if isinstance(error, str):
        message = _text(parsed.get("error_description")) or error
        cls = AuthenticationError if error == "invalid_client" else _class_for(status, None, error)
        return cls(message, code=error, **facts)
    if not isinstance(error, Mapping):
        return _class_for(status, None, None)(_unreadable(status, body), **facts)
    for name in _FIELDS:
        facts[name] = _text(error.get(name))
    message = _text(error.get("message")) or _text(error.get("user_message")) or f"Stripe returned status {status}."
    return _class_for(status, facts["type"], facts["code"])(message, **facts)


def _class_for(status: int, error_type: str | None, code: str | None) -> type[StripeError]:
    if status >= 500:
        return APIError
    cls = _BY_TYPE.get(error_type or "") or _BY_STATUS.get(status) or _BY_CODE.get(code or "")
    if cls is not None:
        return cls
    return InvalidRequestError if status >= 400 else APIError


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _unreadable(status: int, body: bytes) -> str:
    """Describe a body that is not an object. JSON is not shown, since Stripe's objects contain secrets; others are redacted."""
    excerpt = " ".join(body[: 4 * _MAX_EXCERPT].decode("utf-8", "replace").split())[:_MAX_EXCERPT]
    if not excerpt:
        return f"The response with status {status} is empty."
    if excerpt[0] in '{["':
        return (
            f"The response with status {status} is not a JSON object from Stripe, or is incomplete ({len(body)} bytes)."
        )
    return f"The response with status {status} is not JSON from Stripe. It begins with: {redact(excerpt)}"
