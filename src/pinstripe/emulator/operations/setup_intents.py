"""Setup intents: saving a card for later. https://docs.stripe.com/payments/setup-intents"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_intents import (
    challenge,
    check_deposits,
    in_state,
    missing_method,
    must_authenticate,
)
from pinstripe.emulator.operations.payment_methods import attach_to, method_of, payment_method
from pinstripe.emulator.operations.test_cards import card_of, set_up
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


@operation("setup_intents.create")
def create(context: OperationContext) -> Object:
    """A setup intent, confirmed at once where that was asked for."""
    intent = make(context.state, context.params, method_of(context.state, context.params))
    return confirmed(context.state, intent, context.params) if context.params.get("confirm") else intent


def make(state: AccountState, params: Object, method: Object | None) -> Object:
    """A setup intent that waits to be confirmed, or for a payment method."""
    intent = state.draft("setup_intent", {name: value for name, value in params.items() if name != "payment_method"})
    automatic = params.get("automatic_payment_methods")
    intent.update(
        automatic_payment_methods={"enabled": True, **automatic} if automatic else None,
        client_secret=f"{intent['id']}_secret_{state.new_id('secret', 25)}",
        payment_method=method["id"] if method else None,
        payment_method_types=params.get("payment_method_types") or ["card"],
        status="requires_confirmation" if method else "requires_payment_method",
        usage=params.get("usage", "off_session"),
        last_setup_error=None,
        next_action=None,
    )
    state.objects.add(intent)
    state.events.emit("created", intent)
    return intent


@operation("setup_intents.confirm")
def confirm(context: OperationContext) -> Object:
    """Confirm a setup intent, with the payment method that was passed or the one it has."""
    state = context.state
    intent = state.objects.get("setup_intent", context.target_id)
    in_state(intent, "confirm", CONFIRMABLE)
    if method := method_of(state, context.params):
        state.objects.update(intent, payment_method=method["id"])
    return confirmed(state, intent, context.params)


@operation("setup_intents.cancel")
def cancel(context: OperationContext) -> Object:
    """Give up on a setup intent."""
    state = context.state
    intent = state.objects.get("setup_intent", context.target_id)
    in_state(intent, "cancel", CONFIRMABLE)
    state.objects.update(
        intent, status="canceled", cancellation_reason=context.params.get("cancellation_reason"), next_action=None
    )
    state.events.emit("canceled", intent)
    return intent


@operation("setup_intents.update")
def update(context: OperationContext) -> Object:
    """Change a setup intent that is not over."""
    state, params = context.state, dict(context.params)
    intent = state.objects.get("setup_intent", context.target_id)
    in_state(intent, "update", CONFIRMABLE)
    fields: Object = {}
    if given := params.pop("payment_method", None):
        fields = {"payment_method": payment_method(state, given)["id"], "status": "requires_confirmation"}
    return state.apply_update(intent, params, **fields)


@operation("setup_intents.verify_microdeposits")
def verify(context: OperationContext) -> Object:
    """Verify a bank account by its deposits of 32 and 45 cents, or the descriptor code SM11AA."""
    check_deposits(context)
    intent = context.state.objects.get("setup_intent", context.target_id)
    in_state(intent, "verify", CONFIRMABLE)
    if intent["payment_method"] is None:
        raise missing_method(intent)
    return done(context.state, intent)


def confirmed(state: AccountState, intent: Object, params: Object) -> Object:
    """OperationContext the card's bank; save the card for the customer where it says yes."""
    if intent["payment_method"] is None:
        raise missing_method(intent)
    method = payment_method(state, intent["payment_method"])
    card = card_of(state, method)
    if must_authenticate(state, card, method, off_session=False):
        state.objects.update(
            intent, status="requires_action", next_action=challenge(state, intent, params.get("return_url"))
        )
        state.events.emit("requires_action", intent)
        return intent
    error_response = card.refuse() if not card.attaches else None
    if error_response is not None:
        _attempt(state, intent, "failed", error_response)
        error = {**error_response.error, "payment_method": clone(method)}
        state.objects.update(intent, status="requires_payment_method", payment_method=None, last_setup_error=error)
        state.events.emit("setup_failed", intent)
        error_response.error["setup_intent"] = clone(intent)
        raise error_response
    return done(state, intent)


def done(state: AccountState, intent: Object) -> Object:
    """The bank has said yes: the card is saved."""
    method = payment_method(state, intent["payment_method"])
    if intent["customer"]:
        attach_to(state, method, state.objects.get("customer", intent["customer"], "customer"))
    set_up(state, method)
    attempt = _attempt(state, intent, "succeeded", None)
    state.objects.update(
        intent, status="succeeded", last_setup_error=None, next_action=None, latest_attempt=attempt["id"]
    )
    state.events.emit("succeeded", intent)
    return intent


def answered(state: AccountState, intent: Object, *, success: bool) -> Object:
    """The bank's customer has answered the challenge."""
    in_state(intent, "authenticate", ("requires_action",))
    if success:
        return done(state, intent)
    error = ErrorResponse("The customer did not authenticate.", status=402, code="setup_intent_authentication_failure")
    state.objects.update(
        intent, status="requires_payment_method", next_action=None, payment_method=None, last_setup_error=error.error
    )
    state.events.emit("setup_failed", intent)
    return intent


def _attempt(state: AccountState, intent: Object, status: str, error_response: ErrorResponse | None) -> Object:
    return state.create(
        "setup_attempt",
        customer=intent["customer"],
        payment_method=intent["payment_method"],
        payment_method_details={"type": "card", "card": {"three_d_secure": None}},
        setup_error=error_response.error if error_response else None,
        setup_intent=intent["id"],
        status=status,
        usage=intent["usage"],
    )
