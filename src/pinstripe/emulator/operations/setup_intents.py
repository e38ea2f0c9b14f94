"""Setup intents: saving a card for later. https://docs.stripe.com/payments/setup-intents"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations.payment_intents import (
    challenge,
    check_deposits,
    in_state,
    missing_method,
    must_authenticate,
)
from pinstripe.emulator.operations.payment_methods import attach_to, method_of, payment_method
from pinstripe.emulator.operations.test_cards import card_of, set_up
from pinstripe.emulator.state.account import Ask, Object, World, clone
from pinstripe.emulator.validation.errors import Refusal

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


@life("setup_intents.create")
def create(ask: Ask) -> Object:
    """A setup intent, confirmed at once where that was asked for."""
    intent = make(ask.world, ask.params, method_of(ask.world, ask.params))
    return confirmed(ask.world, intent, ask.params) if ask.params.get("confirm") else intent


def make(world: World, params: Object, method: Object | None) -> Object:
    """A setup intent that waits to be confirmed, or for a payment method."""
    intent = world.draft("setup_intent", {name: value for name, value in params.items() if name != "payment_method"})
    automatic = params.get("automatic_payment_methods")
    intent.update(
        automatic_payment_methods={"enabled": True, **automatic} if automatic else None,
        client_secret=f"{intent['id']}_secret_{world.new_id('secret', 25)}",
        payment_method=method["id"] if method else None,
        payment_method_types=params.get("payment_method_types") or ["card"],
        status="requires_confirmation" if method else "requires_payment_method",
        usage=params.get("usage", "off_session"),
        last_setup_error=None,
        next_action=None,
    )
    world.keep(intent)
    world.emit("created", intent)
    return intent


@life("setup_intents.confirm")
def confirm(ask: Ask) -> Object:
    """Confirm a setup intent, with the payment method that was passed or the one it has."""
    world = ask.world
    intent = world.get("setup_intent", ask.target)
    in_state(intent, "confirm", CONFIRMABLE)
    if method := method_of(world, ask.params):
        world.change(intent, payment_method=method["id"])
    return confirmed(world, intent, ask.params)


@life("setup_intents.cancel")
def cancel(ask: Ask) -> Object:
    """Give up on a setup intent."""
    world = ask.world
    intent = world.get("setup_intent", ask.target)
    in_state(intent, "cancel", CONFIRMABLE)
    world.change(intent, status="canceled", cancellation_reason=ask.params.get("cancellation_reason"), next_action=None)
    world.emit("canceled", intent)
    return intent


@life("setup_intents.update")
def update(ask: Ask) -> Object:
    """Change a setup intent that is not over."""
    world, params = ask.world, dict(ask.params)
    intent = world.get("setup_intent", ask.target)
    in_state(intent, "update", CONFIRMABLE)
    fields: Object = {}
    if given := params.pop("payment_method", None):
        fields = {"payment_method": payment_method(world, given)["id"], "status": "requires_confirmation"}
    return world.update(intent, params, **fields)


@life("setup_intents.verify_microdeposits")
def verify(ask: Ask) -> Object:
    """Verify a bank account by its deposits of 32 and 45 cents, or the descriptor code SM11AA."""
    check_deposits(ask)
    intent = ask.world.get("setup_intent", ask.target)
    in_state(intent, "verify", CONFIRMABLE)
    if intent["payment_method"] is None:
        raise missing_method(intent)
    return done(ask.world, intent)


def confirmed(world: World, intent: Object, params: Object) -> Object:
    """Ask the card's bank; save the card for the customer where it says yes."""
    if intent["payment_method"] is None:
        raise missing_method(intent)
    method = payment_method(world, intent["payment_method"])
    card = card_of(world, method)
    if must_authenticate(world, card, method, off_session=False):
        world.change(intent, status="requires_action", next_action=challenge(world, intent, params.get("return_url")))
        world.emit("requires_action", intent)
        return intent
    refusal = card.refuse() if not card.attaches else None
    if refusal is not None:
        _attempt(world, intent, "failed", refusal)
        error = {**refusal.error, "payment_method": clone(method)}
        world.change(intent, status="requires_payment_method", payment_method=None, last_setup_error=error)
        world.emit("setup_failed", intent)
        refusal.error["setup_intent"] = clone(intent)
        raise refusal
    return done(world, intent)


def done(world: World, intent: Object) -> Object:
    """The bank has said yes: the card is saved."""
    method = payment_method(world, intent["payment_method"])
    if intent["customer"]:
        attach_to(world, method, world.get("customer", intent["customer"], "customer"))
    set_up(world, method)
    attempt = _attempt(world, intent, "succeeded", None)
    world.change(intent, status="succeeded", last_setup_error=None, next_action=None, latest_attempt=attempt["id"])
    world.emit("succeeded", intent)
    return intent


def answered(world: World, intent: Object, *, success: bool) -> Object:
    """The bank's customer has answered the challenge."""
    in_state(intent, "authenticate", ("requires_action",))
    if success:
        return done(world, intent)
    error = Refusal("The customer did not authenticate.", status=402, code="setup_intent_authentication_failure")
    world.change(
        intent, status="requires_payment_method", next_action=None, payment_method=None, last_setup_error=error.error
    )
    world.emit("setup_failed", intent)
    return intent


def _attempt(world: World, intent: Object, status: str, refusal: Refusal | None) -> Object:
    return world.make(
        "setup_attempt",
        customer=intent["customer"],
        payment_method=intent["payment_method"],
        payment_method_details={"type": "card", "card": {"three_d_secure": None}},
        setup_error=refusal.error if refusal else None,
        setup_intent=intent["id"],
        status=status,
        usage=intent["usage"],
    )
