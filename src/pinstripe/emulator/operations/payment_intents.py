"""Payment intents: from what is to be paid to what was paid. https://docs.stripe.com/payments/paymentintents/lifecycle"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pinstripe.emulator.operations import charges
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import attach_to, method_of, payment_method
from pinstripe.emulator.operations.test_cards import TestCard, card_of, instrument_of, is_set_up, set_up
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.state.tables import IntentDetails
from pinstripe.emulator.validation.errors import ErrorResponse, wrong_state

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
WATCHERS: dict[str, list[Callable[[AccountState, Object], None]]] = {"succeeded": [], "failed": []}
"""What others do when an intent has come to something; invoices and checkouts live by it."""


@operation("payment_intents.create")
def create(context: OperationContext) -> Object:
    """A payment intent, confirmed at once where that was asked for."""
    state, params = context.state, context.params
    charges.check_amount(params["amount"], params["currency"].lower())
    if params.get("off_session") and not params.get("confirm"):
        raise ErrorResponse("off_session can only be set when confirm is true.", param="off_session")
    method = method_of(state, params)
    intent = make(state, params, payment_method=method["id"] if method else None)
    state.events.emit("created", intent)
    return confirmed(state, intent, params) if params.get("confirm") else intent


def make(state: AccountState, params: Object, **fields: Any) -> Object:  # Any: JSON
    """A payment intent that waits to be confirmed, or for a payment method."""
    known = {name: value for name, value in params.items() if name not in ("payment_method", "transfer_data")}
    intent = state.draft("payment_intent", known)
    automatic = params.get("automatic_payment_methods")
    intent.update(
        amount=params["amount"],
        amount_capturable=0,
        amount_received=0,
        automatic_payment_methods={"enabled": True, **automatic} if automatic else None,
        capture_method=params.get("capture_method", "automatic_async"),
        client_secret=f"{intent['id']}_secret_{state.new_id('secret', 25)}",
        confirmation_method=params.get("confirmation_method", "automatic"),
        currency=params["currency"].lower(),
        payment_method_types=params.get("payment_method_types") or ["card"],
        payment_method_options=params.get("payment_method_options") or {},
        last_payment_error=None,
        next_action=None,
        processing=None,
        transfer_data=clone(params.get("transfer_data")),
        **fields,
    )
    intent["status"] = "requires_confirmation" if intent["payment_method"] else "requires_payment_method"
    return state.objects.add(intent)


@operation("payment_intents.confirm")
def confirm(context: OperationContext) -> Object:
    """Confirm a payment intent, with the payment method that was passed or the one it has."""
    state, params = context.state, context.params
    intent = state.objects.get("payment_intent", context.target_id)
    in_state(intent, "confirm", OPEN)
    if method := method_of(state, params):
        state.objects.update(intent, payment_method=method["id"])
    fields = {name: params[name] for name in ("receipt_email", "setup_future_usage", "shipping") if params.get(name)}
    state.objects.update(intent, **fields)
    return confirmed(state, intent, params)


@operation("payment_intents.update")
def update(context: OperationContext) -> Object:
    """Change a payment intent that is not over."""
    state, params = context.state, dict(context.params)
    intent = state.objects.get("payment_intent", context.target_id)
    if intent["status"] not in OPEN and set(params) - {
        "metadata",
        "description",
        "receipt_email",
        "transfer_group",
        "expand",
    }:
        in_state(intent, "update", OPEN)
    fields: Object = {}
    if "amount" in params:
        charges.check_amount(params["amount"], params.get("currency") or intent["currency"])
    method = method_of(state, params)
    for name in ("payment_method", "payment_method_data"):
        params.pop(name, None)
    if method is not None:
        fields = {"payment_method": method["id"], "status": "requires_confirmation"}
    return state.apply_update(intent, params, **fields)


@operation("payment_intents.capture")
def capture(context: OperationContext) -> Object:
    """Take the money that a card holds, or less of it."""
    state, params = context.state, context.params
    intent = state.objects.get("payment_intent", context.target_id)
    in_state(intent, "capture", ("requires_capture",))
    amount = int(params.get("amount_to_capture") or intent["amount_capturable"])
    charge = state.objects.get("charge", intent["latest_charge"])
    charges.take(state, charge, amount, "amount_to_capture", params)
    state.objects.update(intent, status="succeeded", amount_capturable=0, amount_received=amount)
    state.events.emit("succeeded", intent)
    return intent


@operation("payment_intents.cancel")
def cancel(context: OperationContext) -> Object:
    """Give up on a payment intent; what a card holds for it is let go."""
    intent = context.state.objects.get("payment_intent", context.target_id)
    in_state(intent, "cancel", (*OPEN, "requires_capture", "processing"))
    return give_up(context.state, intent, context.params.get("cancellation_reason"))


def give_up(state: AccountState, intent: Object, reason: str | None) -> Object:
    """Cancel a payment intent."""
    if intent["status"] == "requires_capture":
        charge = state.objects.get("charge", intent["latest_charge"])
        state.objects.update(charge, amount_refunded=charge["amount"], refunded=True)
        state.events.emit("refunded", charge)
    state.objects.update(
        intent,
        status="canceled",
        amount_capturable=0,
        canceled_at=state.clock.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    state.events.emit("canceled", intent)
    return intent


@operation("payment_intents.increment_authorization")
def increment(context: OperationContext) -> Object:
    """Let a card hold more."""
    state = context.state
    intent = state.objects.get("payment_intent", context.target_id)
    in_state(intent, "increment", ("requires_capture",))
    amount = context.params["amount"]
    if amount <= intent["amount"]:
        raise ErrorResponse("The amount must be more than the one that is authorized.", param="amount")
    state.objects.update(state.objects.get("charge", intent["latest_charge"]), amount=amount)
    state.objects.update(intent, amount=amount, amount_capturable=amount)
    state.events.emit("amount_capturable_updated", intent)
    return intent


@operation("payment_intents.verify_microdeposits")
def verify(context: OperationContext) -> Object:
    """Verify a bank account by its deposits of 32 and 45 cents, or the descriptor code SM11AA; then the payment is made."""
    check_deposits(context)
    intent = context.state.objects.get("payment_intent", context.target_id)
    in_state(intent, "verify", OPEN)
    return paid(context.state, intent, {})


def check_deposits(context: OperationContext) -> None:
    """Refuse amounts or a code that were not on the bank statement."""
    if (
        sorted(context.params.get("amounts") or [32, 45]) != [32, 45]
        or context.params.get("descriptor_code", "SM11AA") != "SM11AA"
    ):
        raise ErrorResponse(
            "The amounts or the code are not those of the microdeposits.",
            code="payment_method_microdeposit_verification_amounts_mismatch",
            param="amounts",
        )


@operation("payment_intents.apply_customer_balance")
def apply_balance(context: OperationContext) -> Object:
    """Pay with what the customer has sent by bank transfer."""
    state = context.state
    intent = state.objects.get("payment_intent", context.target_id)
    in_state(intent, "apply a balance to", OPEN)
    return intent


def confirmed(state: AccountState, intent: Object, params: Object) -> Object:
    """OperationContext the card's bank for the money; raises where it says no."""
    if intent["payment_method"] is None:
        raise missing_method(intent)
    method = payment_method(state, intent["payment_method"])
    if method.get("customer") and method["customer"] != intent["customer"]:
        raise ErrorResponse(
            "The provided PaymentMethod belongs to a customer: pass that customer, too.", param="payment_method"
        )
    if instrument_of(state, method["id"]).detached:
        raise ErrorResponse(
            "The provided PaymentMethod was previously detached from a customer and can't be used again.",
            code="payment_method_unexpected_state",
        )
    card, off_session = card_of(state, method), bool(params.get("off_session"))
    if must_authenticate(state, card, method, off_session=off_session):
        if off_session:
            return declined(state, intent, method, _unauthenticated())
        state.objects.update(
            intent, status="requires_action", next_action=challenge(state, intent, params.get("return_url"))
        )
        state.events.emit("requires_action", intent)
        return intent
    return paid(state, intent, params)


def missing_method(intent: Object) -> ErrorResponse:
    """An intent cannot be confirmed without a payment method."""
    word = intent["object"].replace("_", " ")
    return ErrorResponse(
        f"You cannot confirm this {word}, which has no payment method: pass one, or update it with one first.",
        code=f"{intent['object']}_unexpected_state",
        **{intent["object"]: clone(intent)},
    )


def must_authenticate(state: AccountState, card: TestCard, method: Object, *, off_session: bool) -> bool:
    """Whether the bank wants its customer to answer a 3-D Secure challenge."""
    if card.authentication == "unless_set_up":
        return not is_set_up(state, method)
    return card.authentication == "always"


def intent_details(state: AccountState, intent: str) -> IntentDetails:
    """Return what is known of a payment or setup intent and not shown."""
    return state.tables.intents.get(intent) or IntentDetails()


def set_return_url(state: AccountState, intent: str, url: str) -> None:
    """Remember where the customer returns to after a challenge."""
    state.tables.intents.set(intent, replace(intent_details(state, intent), return_url=url))


def challenge(state: AccountState, intent: Object, return_url: str | None) -> Object:
    """What is to be done next: a page on which a person answers for the bank's customer."""
    url = f"{state.base_url}/authenticate/{intent['id']}"
    if return_url:
        set_return_url(state, intent["id"], return_url)
        return {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": return_url}}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url, "source": state.new_id("source")},
    }


def _unauthenticated() -> ErrorResponse:
    return ErrorResponse(
        "Your card was declined. This transaction requires authentication.",
        status=402,
        type="card_error",
        code="authentication_required",
        decline_code="authentication_required",
    )


def answered(state: AccountState, intent: Object, *, success: bool) -> Object:
    """The bank's customer has answered the challenge."""
    in_state(intent, "authenticate", ("requires_action",))
    if success:
        set_up(state, payment_method(state, intent["payment_method"]))
        return paid(state, intent, {})
    error = ErrorResponse(
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        status=402,
        code="payment_intent_authentication_failure",
    )
    state.objects.update(
        intent,
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error={**error.error, "payment_method": clone(payment_method(state, intent["payment_method"]))},
    )
    state.events.emit("payment_failed", intent)
    return intent


def paid(state: AccountState, intent: Object, params: Object) -> Object:
    """The charge of an intent, as the card's bank decides."""
    method = payment_method(state, intent["payment_method"])
    error_response = card_of(state, method).refuse()
    if error_response is not None:
        return declined(state, intent, method, error_response)
    charge = _charge(state, intent, method, None)
    state.objects.update(intent, latest_charge=charge["id"], next_action=None, last_payment_error=None)
    if intent["customer"] and intent.get("setup_future_usage") and method["customer"] is None:
        attach_to(state, method, state.objects.get("customer", intent["customer"], "customer"))
        set_up(state, method)
    if not charge["captured"]:
        state.objects.update(intent, status="requires_capture", amount_capturable=charge["amount"])
        state.events.emit("charge.succeeded", charge)
        state.events.emit("amount_capturable_updated", intent)
        return intent
    state.objects.update(intent, status="succeeded", amount_received=charge["amount"])
    state.events.emit("charge.succeeded", charge)
    charges.after(state, charge, method)
    state.events.emit("succeeded", intent)
    for watch in WATCHERS["succeeded"]:
        watch(state, intent)
    return intent


def declined(state: AccountState, intent: Object, method: Object, error_response: ErrorResponse) -> Object:
    """Say that the bank has said no, and raise it."""
    charge = _charge(state, intent, method, error_response)
    error = {**error_response.error, "charge": charge["id"], "payment_method": clone(method)}
    state.objects.update(
        intent,
        latest_charge=charge["id"],
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error=error,
    )
    state.events.emit("failed", charge)
    state.events.emit("payment_failed", intent)
    for watch in WATCHERS["failed"]:
        watch(state, intent)
    error_response.error.update(charge=charge["id"], payment_intent=clone(intent), payment_method=clone(method))
    raise error_response


def _charge(state: AccountState, intent: Object, method: Object, error_response: ErrorResponse | None) -> Object:
    return charges.make(
        state,
        intent,
        method,
        error_response,
        capture=intent["capture_method"] != "manual",
        customer=intent["customer"],
        payment_intent=intent["id"],
    )


def in_state(intent: Object, action: str, states: tuple[str, ...]) -> None:
    """Refuse what the state of a payment or setup intent does not allow."""
    if intent["status"] not in states:
        kind = intent["object"]
        raise wrong_state(intent, action, f"{kind}_unexpected_state", **{kind: clone(intent)})
