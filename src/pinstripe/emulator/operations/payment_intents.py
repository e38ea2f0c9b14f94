"""Payment intents: from what is to be paid to what was paid. https://docs.stripe.com/payments/paymentintents/lifecycle"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pinstripe.emulator.operations import charges
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations.payment_methods import attach_to, method_of, payment_method
from pinstripe.emulator.operations.test_cards import TestCard, card_of, is_set_up, set_up
from pinstripe.emulator.state.account import Ask, Object, World, clone
from pinstripe.emulator.validation.errors import Refusal, wrong_state

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
WATCHERS: dict[str, list[Callable[[World, Object], None]]] = {"succeeded": [], "failed": []}
"""What others do when an intent has come to something; invoices and checkouts live by it."""


@life("payment_intents.create")
def create(ask: Ask) -> Object:
    """A payment intent, confirmed at once where that was asked for."""
    world, params = ask.world, ask.params
    charges.check_amount(params["amount"], params["currency"].lower())
    if params.get("off_session") and not params.get("confirm"):
        raise Refusal("off_session can only be set when confirm is true.", param="off_session")
    method = method_of(world, params)
    intent = make(world, params, payment_method=method["id"] if method else None)
    world.emit("created", intent)
    return confirmed(world, intent, params) if params.get("confirm") else intent


def make(world: World, params: Object, **fields: Any) -> Object:  # Any: JSON
    """A payment intent that waits to be confirmed, or for a payment method."""
    known = {name: value for name, value in params.items() if name not in ("payment_method", "transfer_data")}
    intent = world.draft("payment_intent", known)
    automatic = params.get("automatic_payment_methods")
    intent.update(
        amount=params["amount"],
        amount_capturable=0,
        amount_received=0,
        automatic_payment_methods={"enabled": True, **automatic} if automatic else None,
        capture_method=params.get("capture_method", "automatic_async"),
        client_secret=f"{intent['id']}_secret_{world.new_id('secret', 25)}",
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
    return world.keep(intent)


@life("payment_intents.confirm")
def confirm(ask: Ask) -> Object:
    """Confirm a payment intent, with the payment method that was passed or the one it has."""
    world, params = ask.world, ask.params
    intent = world.get("payment_intent", ask.target)
    in_state(intent, "confirm", OPEN)
    if method := method_of(world, params):
        world.change(intent, payment_method=method["id"])
    fields = {name: params[name] for name in ("receipt_email", "setup_future_usage", "shipping") if params.get(name)}
    world.change(intent, **fields)
    return confirmed(world, intent, params)


@life("payment_intents.update")
def update(ask: Ask) -> Object:
    """Change a payment intent that is not over."""
    world, params = ask.world, dict(ask.params)
    intent = world.get("payment_intent", ask.target)
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
    method = method_of(world, params)
    for name in ("payment_method", "payment_method_data"):
        params.pop(name, None)
    if method is not None:
        fields = {"payment_method": method["id"], "status": "requires_confirmation"}
    return world.update(intent, params, **fields)


@life("payment_intents.capture")
def capture(ask: Ask) -> Object:
    """Take the money that a card holds, or less of it."""
    world, params = ask.world, ask.params
    intent = world.get("payment_intent", ask.target)
    in_state(intent, "capture", ("requires_capture",))
    amount = int(params.get("amount_to_capture") or intent["amount_capturable"])
    charge = world.get("charge", intent["latest_charge"])
    charges.take(world, charge, amount, "amount_to_capture", params)
    world.change(intent, status="succeeded", amount_capturable=0, amount_received=amount)
    world.emit("succeeded", intent)
    return intent


@life("payment_intents.cancel")
def cancel(ask: Ask) -> Object:
    """Give up on a payment intent; what a card holds for it is let go."""
    intent = ask.world.get("payment_intent", ask.target)
    in_state(intent, "cancel", (*OPEN, "requires_capture", "processing"))
    return give_up(ask.world, intent, ask.params.get("cancellation_reason"))


def give_up(world: World, intent: Object, reason: str | None) -> Object:
    """Cancel a payment intent."""
    if intent["status"] == "requires_capture":
        charge = world.get("charge", intent["latest_charge"])
        world.change(charge, amount_refunded=charge["amount"], refunded=True)
        world.emit("refunded", charge)
    world.change(
        intent,
        status="canceled",
        amount_capturable=0,
        canceled_at=world.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    world.emit("canceled", intent)
    return intent


@life("payment_intents.increment_authorization")
def increment(ask: Ask) -> Object:
    """Let a card hold more."""
    world = ask.world
    intent = world.get("payment_intent", ask.target)
    in_state(intent, "increment", ("requires_capture",))
    amount = ask.params["amount"]
    if amount <= intent["amount"]:
        raise Refusal("The amount must be more than the one that is authorized.", param="amount")
    world.change(world.get("charge", intent["latest_charge"]), amount=amount)
    world.change(intent, amount=amount, amount_capturable=amount)
    world.emit("amount_capturable_updated", intent)
    return intent


@life("payment_intents.verify_microdeposits")
def verify(ask: Ask) -> Object:
    """Verify a bank account by its deposits of 32 and 45 cents, or the descriptor code SM11AA; then the payment is made."""
    check_deposits(ask)
    intent = ask.world.get("payment_intent", ask.target)
    in_state(intent, "verify", OPEN)
    return paid(ask.world, intent, {})


def check_deposits(ask: Ask) -> None:
    """Refuse amounts or a code that were not on the bank statement."""
    if (
        sorted(ask.params.get("amounts") or [32, 45]) != [32, 45]
        or ask.params.get("descriptor_code", "SM11AA") != "SM11AA"
    ):
        raise Refusal(
            "The amounts or the code are not those of the microdeposits.",
            code="payment_method_microdeposit_verification_amounts_mismatch",
            param="amounts",
        )


@life("payment_intents.apply_customer_balance")
def apply_balance(ask: Ask) -> Object:
    """Pay with what the customer has sent by bank transfer."""
    world = ask.world
    intent = world.get("payment_intent", ask.target)
    in_state(intent, "apply a balance to", OPEN)
    return intent


def confirmed(world: World, intent: Object, params: Object) -> Object:
    """Ask the card's bank for the money; raises where it says no."""
    if intent["payment_method"] is None:
        raise missing_method(intent)
    method = payment_method(world, intent["payment_method"])
    if method.get("customer") and method["customer"] != intent["customer"]:
        raise Refusal(
            "The provided PaymentMethod belongs to a customer: pass that customer, too.", param="payment_method"
        )
    if world.hidden.get(method["id"], {}).get("detached"):
        raise Refusal(
            "The provided PaymentMethod was previously detached from a customer and can't be used again.",
            code="payment_method_unexpected_state",
        )
    card, off_session = card_of(world, method), bool(params.get("off_session"))
    if must_authenticate(world, card, method, off_session=off_session):
        if off_session:
            return declined(world, intent, method, _unauthenticated())
        world.change(intent, status="requires_action", next_action=challenge(world, intent, params.get("return_url")))
        world.emit("requires_action", intent)
        return intent
    return paid(world, intent, params)


def missing_method(intent: Object) -> Refusal:
    """An intent cannot be confirmed without a payment method."""
    word = intent["object"].replace("_", " ")
    return Refusal(
        f"You cannot confirm this {word}, which has no payment method: pass one, or update it with one first.",
        code=f"{intent['object']}_unexpected_state",
        **{intent["object"]: clone(intent)},
    )


def must_authenticate(world: World, card: TestCard, method: Object, *, off_session: bool) -> bool:
    """Whether the bank wants its customer to answer a 3-D Secure challenge."""
    if card.authentication == "unless_set_up":
        return not is_set_up(world, method)
    return card.authentication == "always"


def challenge(world: World, intent: Object, return_url: str | None) -> Object:
    """What is to be done next: a page on which a person answers for the bank's customer."""
    url = f"{world.base}/authenticate/{intent['id']}"
    if return_url:
        world.hide(f"return_url:{intent['id']}", return_url)
        return {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": return_url}}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url, "source": world.new_id("source")},
    }


def _unauthenticated() -> Refusal:
    return Refusal(
        "Your card was declined. This transaction requires authentication.",
        status=402,
        type="card_error",
        code="authentication_required",
        decline_code="authentication_required",
    )


def answered(world: World, intent: Object, *, success: bool) -> Object:
    """The bank's customer has answered the challenge."""
    in_state(intent, "authenticate", ("requires_action",))
    if success:
        set_up(world, payment_method(world, intent["payment_method"]))
        return paid(world, intent, {})
    error = Refusal(
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        status=402,
        code="payment_intent_authentication_failure",
    )
    world.change(
        intent,
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error={**error.error, "payment_method": clone(payment_method(world, intent["payment_method"]))},
    )
    world.emit("payment_failed", intent)
    return intent


def paid(world: World, intent: Object, params: Object) -> Object:
    """The charge of an intent, as the card's bank decides."""
    method = payment_method(world, intent["payment_method"])
    refusal = card_of(world, method).refuse()
    if refusal is not None:
        return declined(world, intent, method, refusal)
    charge = _charge(world, intent, method, None)
    world.change(intent, latest_charge=charge["id"], next_action=None, last_payment_error=None)
    if intent["customer"] and intent.get("setup_future_usage") and method["customer"] is None:
        attach_to(world, method, world.get("customer", intent["customer"], "customer"))
        set_up(world, method)
    if not charge["captured"]:
        world.change(intent, status="requires_capture", amount_capturable=charge["amount"])
        world.emit("charge.succeeded", charge)
        world.emit("amount_capturable_updated", intent)
        return intent
    world.change(intent, status="succeeded", amount_received=charge["amount"])
    world.emit("charge.succeeded", charge)
    charges.after(world, charge, method)
    world.emit("succeeded", intent)
    for watch in WATCHERS["succeeded"]:
        watch(world, intent)
    return intent


def declined(world: World, intent: Object, method: Object, refusal: Refusal) -> Object:
    """Say that the bank has said no, and raise it."""
    charge = _charge(world, intent, method, refusal)
    error = {**refusal.error, "charge": charge["id"], "payment_method": clone(method)}
    world.change(
        intent,
        latest_charge=charge["id"],
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error=error,
    )
    world.emit("failed", charge)
    world.emit("payment_failed", intent)
    for watch in WATCHERS["failed"]:
        watch(world, intent)
    refusal.error.update(charge=charge["id"], payment_intent=clone(intent), payment_method=clone(method))
    raise refusal


def _charge(world: World, intent: Object, method: Object, refusal: Refusal | None) -> Object:
    return charges.make(
        world,
        intent,
        method,
        refusal,
        capture=intent["capture_method"] != "manual",
        customer=intent["customer"],
        payment_intent=intent["id"],
    )


def in_state(intent: Object, action: str, states: tuple[str, ...]) -> None:
    """Refuse what the state of a payment or setup intent does not allow."""
    if intent["status"] not in states:
        kind = intent["object"]
        raise wrong_state(intent, action, f"{kind}_unexpected_state", **{kind: clone(intent)})
