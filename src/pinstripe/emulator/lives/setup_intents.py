"""Setup intents: saving a card for later. https://docs.stripe.com/payments/setup-intents"""

from __future__ import annotations

from pinstripe.emulator.generic import life
from pinstripe.emulator.lives.cards import attach_to, card_of, payment_method
from pinstripe.emulator.refusal import Refusal, missing_param
from pinstripe.emulator.world import Ask, Object, World

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


@life("setup_intents.create")
def create(ask: Ask) -> Object:
    """A setup intent, confirmed at once where that was asked for."""
    world, params = ask.world, ask.params
    if customer := params.get("customer"):
        world.get("customer", customer, "customer")
    intent = world.draft("setup_intent", params)
    method = payment_method(world, params["payment_method"]) if "payment_method" in params else None
    intent.update(
        client_secret=f"{intent['id']}_secret_{world.new_id('secret')}",
        payment_method=method["id"] if method else None,
        payment_method_types=params.get("payment_method_types") or ["card"],
        status="requires_confirmation" if method else "requires_payment_method",
        usage=params.get("usage", "off_session"),
        last_setup_error=None,
        next_action=None,
    )
    world.keep(intent)
    world.emit("created", intent)
    return confirmed(world, intent) if params.get("confirm") else intent


@life("setup_intents.confirm")
def confirm(ask: Ask) -> Object:
    """Confirm a setup intent, with the payment method that was passed or the one it has."""
    world = ask.world
    intent = world.get("setup_intent", ask.target)
    _in_state(intent, "confirm", CONFIRMABLE)
    if given := ask.params.get("payment_method"):
        world.change(intent, payment_method=payment_method(world, given)["id"])
    return confirmed(world, intent)


@life("setup_intents.cancel")
def cancel(ask: Ask) -> Object:
    """Give up on a setup intent."""
    world = ask.world
    intent = world.get("setup_intent", ask.target)
    _in_state(intent, "cancel", CONFIRMABLE)
    world.change(intent, status="canceled", cancellation_reason=ask.params.get("cancellation_reason"), next_action=None)
    world.emit("canceled", intent)
    return intent


@life("setup_intents.update")
def update(ask: Ask) -> Object:
    """Change a setup intent that is not over."""
    world, params = ask.world, dict(ask.params)
    intent = world.get("setup_intent", ask.target)
    _in_state(intent, "update", CONFIRMABLE)
    fields: Object = {}
    if given := params.pop("payment_method", None):
        fields = {"payment_method": payment_method(world, given)["id"], "status": "requires_confirmation"}
    return world.update(intent, params, **fields)


def confirmed(world: World, intent: Object) -> Object:
    """Ask the card's bank; save the card for the customer where it says yes."""
    if intent["payment_method"] is None:
        raise missing_param("payment_method")
    method = world.get("payment_method", intent["payment_method"], "payment_method")
    card = card_of(world, method)
    if card.needs_authentication:
        sdk = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        world.change(intent, status="requires_action", next_action=sdk)
        world.emit("requires_action", intent)
        return intent
    refusal = card.refuse() if not card.attaches else None
    if refusal is not None:
        world.change(
            intent,
            status="requires_payment_method",
            payment_method=None,
            last_setup_error={**refusal.error, "payment_method": dict(method)},
        )
        world.emit("setup_failed", intent)
        refusal.error["setup_intent"] = dict(intent)
        raise refusal
    if intent["customer"]:
        attach_to(world, method, world.get("customer", intent["customer"], "customer"))
    world.change(intent, status="succeeded", last_setup_error=None, next_action=None)
    world.emit("succeeded", intent)
    return intent


def _in_state(intent: Object, action: str, states: tuple[str, ...]) -> None:
    if intent["status"] not in states:
        raise Refusal(
            f"You cannot {action} this SetupIntent because it has a status of {intent['status']}.",
            code="setup_intent_unexpected_state",
            setup_intent=dict(intent),
        )
