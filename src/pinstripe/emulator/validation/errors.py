"""Stripe's errors, as exceptions that become error responses. https://docs.stripe.com/api/errors"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

DOCS = "https://docs.stripe.com/error-codes/"
DECLINED = 402
"""The status of a declined payment. Its effects (the failed charge, the events) are stored; other errors have no effects."""
CARD_ERROR_CODES = ("expired_card", "incorrect_cvc", "incorrect_number", "processing_error")
"""The decline codes that are also error codes; the code of the others is ``card_declined``."""
CARD_ERROR_PARAMS = {"expired_card": "exp_month", "incorrect_cvc": "cvc", "incorrect_number": "number"}
DECLINE_ADVICE: dict[str, tuple[str, str | None]] = {
    "expired_card": ("do_not_try_again", "54"),
    "fraudulent": ("do_not_try_again", None),
    "incorrect_cvc": ("confirm_card_data", "82"),
    "incorrect_number": ("confirm_card_data", "14"),
    "insufficient_funds": ("try_again_later", "51"),
    "lost_card": ("do_not_try_again", "41"),
    "processing_error": ("try_again_later", "96"),
    "stolen_card": ("do_not_try_again", "43"),
    "card_velocity_exceeded": ("try_again_later", "65"),
    "pin_try_exceeded": ("do_not_try_again", "75"),
}
"""The advice and the network's code of declines. https://docs.stripe.com/declines"""
NAMES_IN_ERRORS = {"payment_intent": ("payment_intent", "intent"), "setup_intent": ("setupintent", "intent")}
"""The name of an object type and of its path parameter in errors, if they are not the usual ones."""


class ErrorResponse(Exception):
    """An error of the API, which becomes a response with a status and an error object."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # the name of the field
        code: str | None = None,
        param: str | None = None,
        **fields: Any,  # Any: JSON values of other fields, such as payment_intent
    ) -> None:
        super().__init__(message)
        self.status = status
        self.executed = False
        """True if the operation had begun: then the error is stored for the idempotency key of the request."""
        doc_url = DOCS + code.replace("_", "-") if code else None
        optional = {"code": code, "doc_url": doc_url, "param": param, **fields}
        self.error: dict[str, Any] = {  # Any: JSON values
            "message": message,
            "type": type,
            **{name: value for name, value in optional.items() if value is not None},
        }


def missing_object(object_type: str, object_id: str, param: str | None = None) -> ErrorResponse:
    """Return the error of an object that does not exist: 404 for an id in the path, 400 for one in a parameter."""
    usual = (object_type.rpartition(".")[2].replace("_", " "), "id")
    name, path_param = NAMES_IN_ERRORS.get(object_type, usual)
    status = 400 if param else 404
    return ErrorResponse(
        f"No such {name}: '{object_id}'", status=status, code="resource_missing", param=param or path_param
    )


def unknown_param(name: str, known: Iterable[str]) -> ErrorResponse:
    """Return the error of a parameter that the operation does not have."""
    close = get_close_matches(name.rpartition("[")[2].rstrip("]"), list(known), 1)
    hint = f". Did you mean {close[0]}?" if close else ""
    return ErrorResponse(f"Received unknown parameter: {name}{hint}", code="parameter_unknown", param=name)


def missing_param(name: str) -> ErrorResponse:
    """Return the error of a required parameter that was not passed."""
    return ErrorResponse(f"Missing required param: {name}.", code="parameter_missing", param=name)


def empty_param(name: str) -> ErrorResponse:
    """Return the error of an empty value for a field that cannot be cleared."""
    return ErrorResponse(
        f"You passed an empty string for '{name}', which cannot be cleared: leave it out, or pass a value.",
        code="parameter_invalid_empty",
        param=name,
    )


def check_url(url: str, param: str) -> None:
    """Raise `ErrorResponse` for text that is not an absolute URL."""
    if "://" not in url or not url.partition("://")[2]:
        raise ErrorResponse("Not a valid URL", code="url_invalid", param=param)


def card_declined(
    decline_code: str,
    message: str = "Your card was declined.",
    **fields: Any,  # Any: as in `ErrorResponse`
) -> ErrorResponse:
    """Return the error of a declined card. https://docs.stripe.com/declines"""
    code = decline_code if decline_code in CARD_ERROR_CODES else "card_declined"
    advice_code, network_code = DECLINE_ADVICE.get(decline_code, ("try_again_later", "05"))
    return ErrorResponse(
        message,
        status=DECLINED,
        type="card_error",
        code=code,
        param=CARD_ERROR_PARAMS.get(decline_code, ""),
        decline_code=decline_code,
        advice_code=advice_code,
        network_decline_code=network_code,
        **fields,
    )


def wrong_state(
    value: Mapping[str, Any],  # Any: JSON values
    action: str,
    code: str | None = None,
    **fields: Any,  # Any: as in `ErrorResponse`
) -> ErrorResponse:
    """Return the error of an action that the status of an object does not allow."""
    name = value["object"].rpartition(".")[2].replace("_", " ")
    message = f"You cannot {action.replace('_', ' ')} this {name} because it has a status of {value.get('status')}."
    return ErrorResponse(message, code=code, **fields)
