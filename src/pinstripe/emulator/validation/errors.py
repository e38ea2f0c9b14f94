"""How the emulator says no: Stripe's errors, as data. https://docs.stripe.com/api/errors"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

DOCS = "https://docs.stripe.com/error-codes/"


class ErrorResponse(Exception):
    """A request that is not carried out. Becomes an answer with a status and Stripe's error object."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # Stripe's word for it
        code: str | None = None,
        param: str | None = None,
        **more: Any,  # Any: whatever else the error object holds, such as payment_intent
    ) -> None:
        super().__init__(message)
        self.status = status
        said = {"code": code, "doc_url": DOCS + code.replace("_", "-") if code else None, "param": param, **more}
        self.error = {
            "message": message,
            "type": type,
            **{name: value for name, value in said.items() if value is not None},
        }


def missing_object(kind: str, identifier: str, param: str | None = None) -> ErrorResponse:
    """There is no such object: 404 where its id stands in the path, 400 where a parameter names it."""
    word, place = _SPELT.get(kind, (kind.rpartition(".")[2].replace("_", " "), "id"))
    return ErrorResponse(
        f"No such {word}: '{identifier}'", status=400 if param else 404, code="resource_missing", param=param or place
    )


# How Stripe calls a kind where it is missing, and the parameter of the path, where that is not its name and `id`.
_SPELT = {"payment_intent": ("payment_intent", "intent"), "setup_intent": ("setupintent", "intent")}


def unknown_param(name: str, known: Iterable[str]) -> ErrorResponse:
    """A parameter that the operation does not take."""
    close = get_close_matches(name.rpartition("[")[2].rstrip("]"), list(known), 1)
    hint = f". Did you mean {close[0]}?" if close else ""
    return ErrorResponse(f"Received unknown parameter: {name}{hint}", code="parameter_unknown", param=name)


def missing_param(name: str) -> ErrorResponse:
    """A parameter without which the operation makes no sense."""
    return ErrorResponse(f"Missing required param: {name}.", code="parameter_missing", param=name)


def empty_param(name: str) -> ErrorResponse:
    """An empty value, which clears a field, for one that cannot be cleared."""
    return ErrorResponse(
        f"You passed an empty string for '{name}', which cannot be cleared: leave it out, or give a value.",
        code="parameter_invalid_empty",
        param=name,
    )


def card_declined(
    decline_code: str, message: str = "Your card was declined.", **more: Any
) -> ErrorResponse:  # Any: as above
    """The card's bank says no. https://docs.stripe.com/declines"""
    code = decline_code if decline_code in ("expired_card", "incorrect_cvc", "processing_error") else "card_declined"
    return ErrorResponse(message, status=402, type="card_error", code=code, decline_code=decline_code, **more)


def wrong_state(found: dict[str, Any], action: str, code: str | None = None, **more: Any) -> ErrorResponse:  # Any: JSON
    """An action that an object's state does not allow."""
    word = found["object"].rpartition(".")[2].replace("_", " ")
    state = found.get("status")
    return ErrorResponse(
        f"You cannot {action.replace('_', ' ')} this {word} because it has a status of {state}.", code=code, **more
    )
