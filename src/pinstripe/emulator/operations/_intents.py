"""Functions for payment intents and setup intents: statuses, confirmation, authentication, microdeposits."""

from __future__ import annotations

from dataclasses import replace

from pinstripe.emulator.operations._payment_method_types import check_type_of_method, compatible_types
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import (
    payment_method_from_params,
    resolve_payment_method,
    used_method,
)
from pinstripe.emulator.operations.test_cards import card_of, instrument_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.state.tables import IntentDetails
from pinstripe.emulator.validation.errors import ErrorResponse, check_url, wrong_state

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
"""The statuses in which an intent can be confirmed."""


def check_status(intent: Object, action: str, statuses: tuple[str, ...] = CONFIRMABLE) -> None:
    """Raise `ErrorResponse`, which contains the intent, when its status does not allow an action."""
    if intent["status"] not in statuses:
        object_type = intent["object"]
        raise wrong_state(intent, action, f"{object_type}_unexpected_state", **{object_type: clone(intent)})


def find_intent(
    context: OperationContext, object_type: str, action: str, statuses: tuple[str, ...] = CONFIRMABLE
) -> Object:
    """Return the intent that the path names; its status must allow the action."""
    intent = context.state.objects.get(object_type, context.target_id)
    check_status(intent, action, statuses)
    return intent


def find_intent_to_confirm(context: OperationContext, object_type: str) -> Object:
    """Return the intent that the path names, with the payment method that the request passes, if any."""
    intent = find_intent(context, object_type, "confirm")
    if method := payment_method_from_params(context.state, context.params):
        context.state.objects.update(intent, payment_method=method["id"])
    return intent


def method_of_intent(state: AccountState, intent: Object) -> Object:
    """Return the payment method of an intent, or raise the `ErrorResponse` of an intent that has none."""
    if intent["payment_method"] is None:
        object_type = intent["object"]
        words = object_type.replace("_", " ")
        raise ErrorResponse(
            f"You cannot confirm this {words}, which has no payment method: pass one, or update it with one first.",
            code=f"{object_type}_unexpected_state",
            **{object_type: clone(intent)},
        )
    method = resolve_payment_method(state, intent["payment_method"])
    check_type_of_method(intent, method)
    return method


def payment_method_types(params: Object) -> list[str]:
    """Return the field of this name of an intent."""
    return compatible_types(params.get("allowed_payment_method_types"), params.get("currency") or "")


def automatic_payment_methods(params: Object) -> Object | None:
    """Return the field of this name of a new intent: enabled, with redirects, unless the types are listed."""
    automatic = {"enabled": True, "allow_redirects": "always", **(params.get("automatic_payment_methods") or {})}
    return None if params.get("allowed_payment_method_types") or not automatic["enabled"] else automatic


def check_return_url(state: AccountState, intent: Object, params: Object) -> None:
    """Raise `ErrorResponse` for a missing ``return_url``, when the customer could be redirected, and for an invalid one."""
    token = state.objects.find("confirmation_token", params.get("confirmation_token"))
    url = params.get("return_url") or (token or {}).get("return_url")
    if url:
        check_url(url, "return_url")
    automatic = intent["automatic_payment_methods"]
    if not url and intent["payment_method"] and automatic and automatic["allow_redirects"] == "always":
        name = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        raise ErrorResponse(
            f"This {name} is configured to accept payment methods enabled in your Dashboard. Some of them redirect your"
            " customer, so you must provide a `return_url`. To accept none of those, set"
            " `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never`.",
            param="return_url",
        )


def check_unused(state: AccountState, method: Object) -> None:
    """Raise `ErrorResponse` for a payment method that was detached, or used without a customer."""
    instrument = instrument_of(state, method["id"])
    if instrument.detached or (instrument.used and method.get("customer") is None):
        raise used_method()


def client_secret(state: AccountState, intent: Object) -> str:
    """Return a new client secret."""
    return f"{intent['id']}_secret_{state.new_id('secret', 25)}"


def must_authenticate(state: AccountState, method: Object, *, off_session: bool = False) -> bool:
    """Return whether the card's bank requires a 3-D Secure challenge."""
    card = card_of(state, method["id"])
    if card.authentication == "unless_set_up":
        return not instrument_of(state, method["id"]).set_up
    return card.authentication == "always" or (card.authentication == "on_session" and not off_session)


def require_authentication(state: AccountState, intent: Object, return_url: str | None) -> Object:
    """Let an intent wait for the customer to complete a 3-D Secure challenge on a page of the emulator."""
    url = f"{state.base_url}/authenticate/{intent['id']}"
    if return_url:
        set_return_url(state, intent["id"], return_url)
        action: Object = {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": return_url}}
    else:
        source = state.new_id("source")
        sdk = {"type": "three_d_secure_redirect", "stripe_js": url, "source": source}
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": sdk}
    state.objects.update(intent, status="requires_action", next_action=action)
    state.events.emit("requires_action", intent)
    return intent


def intent_details(state: AccountState, intent_id: str) -> IntentDetails:
    """Return the hidden details of an intent."""
    return state.tables.intents.get(intent_id) or IntentDetails()


def set_return_url(state: AccountState, intent_id: str, url: str) -> None:
    """Store the URL that the customer returns to after a challenge."""
    state.tables.intents.set(intent_id, replace(intent_details(state, intent_id), return_url=url))


WRONG_MICRODEPOSITS = {
    (10, 11): "attempts_exceeded",
    (40, 41): "timeout",
    "SM33CC": "attempts_exceeded",
    "SM44DD": "timeout",
}
"""The amounts and codes that simulate other errors than a wrong amount."""


def check_microdeposits(context: OperationContext) -> None:
    """Raise `ErrorResponse` for other amounts than 32 and 45 cents, and for another code than SM11AA."""
    amounts = tuple(sorted(context.params.get("amounts") or [32, 45]))
    code = context.params.get("descriptor_code", "SM11AA")
    if amounts != (32, 45) or code != "SM11AA":
        reason = WRONG_MICRODEPOSITS.get(code) or WRONG_MICRODEPOSITS.get(amounts, "amounts_mismatch")
        raise ErrorResponse(
            "The amounts or the code are not those of the microdeposits.",
            code=f"payment_method_microdeposit_verification_{reason}",
            param="amounts",
        )
