"""Payment intents and the charges they make. https://docs.stripe.com/payments/paymentintents/lifecycle"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.generic import life
from pinstripe.emulator.lives.cards import attach_to, card_of, payment_method
from pinstripe.emulator.refusal import Refusal, missing_param
from pinstripe.emulator.world import Ask, Object, World

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


@life("payment_intents.create")
def create(ask: Ask) -> Object:
    """A payment intent, confirmed at once where that was asked for."""
    world, params = ask.world, ask.params
    if customer := params.get("customer"):
        world.get("customer", customer, "customer")
    method = payment_method(world, params["payment_method"]) if "payment_method" in params else None
    intent = make(world, params, payment_method=method["id"] if method else None)
    world.emit("created", intent)
    return confirmed(world, intent) if params.get("confirm") else intent


def make(world: World, params: Object, **fields: Any) -> Object:  # Any: JSON
    """A payment intent that waits to be confirmed, or for a payment method."""
    if params["amount"] < 1:
        raise Refusal("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    intent = world.draft("payment_intent", params)
    intent.update(
        amount_capturable=0,
        amount_received=0,
        capture_method=params.get("capture_method", "automatic"),
        client_secret=f"{intent['id']}_secret_{world.new_id('secret')}",
        confirmation_method=params.get("confirmation_method", "automatic"),
        currency=params["currency"].lower(),
        payment_method_types=params.get("payment_method_types") or ["card"],
        last_payment_error=None,
        next_action=None,
        **fields,
    )
    intent["status"] = "requires_confirmation" if intent["payment_method"] else "requires_payment_method"
    world.keep(intent)
    return intent


@life("payment_intents.confirm")
def confirm(ask: Ask) -> Object:
    """Confirm a payment intent, with the payment method that was passed or the one it has."""
    world = ask.world
    intent = world.get("payment_intent", ask.target)
    _in_state(intent, "confirm", OPEN)
    if given := ask.params.get("payment_method"):
        world.change(intent, payment_method=payment_method(world, given)["id"])
    return confirmed(world, intent)


@life("payment_intents.capture")
def capture(ask: Ask) -> Object:
    """Take the money that a card holds, or less of it."""
    world = ask.world
    intent = world.get("payment_intent", ask.target)
    _in_state(intent, "capture", ("requires_capture",))
    amount = int(ask.params.get("amount_to_capture") or intent["amount_capturable"])
    if not 1 <= amount <= intent["amount_capturable"]:
        raise Refusal(
            "The amount to capture is more than the card holds.", code="amount_too_large", param="amount_to_capture"
        )
    charge = world.get("charge", intent["latest_charge"])
    left = charge["amount"] - amount
    world.change(charge, captured=True, amount_captured=amount, amount_refunded=left)
    world.emit("captured", charge)
    world.change(intent, status="succeeded", amount_capturable=0, amount_received=amount)
    world.emit("succeeded", intent)
    return intent


@life("payment_intents.cancel")
def cancel(ask: Ask) -> Object:
    """Give up on a payment intent."""
    world = ask.world
    intent = world.get("payment_intent", ask.target)
    _in_state(intent, "cancel", (*OPEN, "requires_capture"))
    world.change(
        intent,
        status="canceled",
        amount_capturable=0,
        canceled_at=world.now(),
        cancellation_reason=ask.params.get("cancellation_reason"),
        next_action=None,
    )
    world.emit("canceled", intent)
    return intent


def confirmed(world: World, intent: Object) -> Object:
    """Ask the card's bank for the money; raises where it says no."""
    if intent["payment_method"] is None:
        raise missing_param("payment_method")
    method = world.get("payment_method", intent["payment_method"], "payment_method")
    card = card_of(world, method)
    if card.needs_authentication:
        sdk = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        world.change(intent, status="requires_action", next_action=sdk)
        world.emit("requires_action", intent)
        return intent
    refusal = card.refuse()
    charge = _charge(world, intent, method, refusal)
    world.change(intent, latest_charge=charge["id"])
    if refusal is not None:
        error = {**refusal.error, "charge": charge["id"], "payment_method": dict(method)}
        world.change(intent, status="requires_payment_method", payment_method=None, last_payment_error=error)
        world.emit("failed", charge)
        world.emit("payment_failed", intent)
        refusal.error.update(charge=charge["id"], payment_intent=dict(intent))
        raise refusal
    if intent["customer"] and intent.get("setup_future_usage") and method["customer"] is None:
        attach_to(world, method, world.get("customer", intent["customer"], "customer"))
    if not charge["captured"]:
        world.change(intent, status="requires_capture", amount_capturable=charge["amount"], next_action=None)
        world.emit("amount_capturable_updated", intent)
        return intent
    world.change(
        intent, status="succeeded", amount_received=charge["amount"], last_payment_error=None, next_action=None
    )
    world.emit("succeeded", charge)
    world.emit("succeeded", intent)
    return intent


def _charge(world: World, intent: Object, method: Object, refusal: Refusal | None) -> Object:
    paid = refusal is None
    captured = paid and intent["capture_method"] != "manual"
    said = refusal.error if refusal else {}
    return world.make(
        "charge",
        {"metadata": intent["metadata"], "description": intent["description"]},
        amount=intent["amount"],
        amount_captured=intent["amount"] if captured else 0,
        billing_details=method["billing_details"],
        captured=captured,
        currency=intent["currency"],
        customer=intent["customer"],
        failure_code=said.get("code"),
        failure_message=said.get("message"),
        outcome=_outcome(refusal),
        paid=paid,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"type": method["type"], "card": _card_details(method["card"])}
        if method.get("card")
        else None,
        receipt_email=intent["receipt_email"],
        status="succeeded" if paid else "failed",
    )


def _card_details(card: Object) -> Object:
    shown = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    return {
        **{name: card[name] for name in shown},
        "network": card["brand"],
        "three_d_secure": None,
        "installments": None,
    }


def _outcome(refusal: Refusal | None) -> Object:
    if refusal is None:
        return {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "network_status": "declined_by_network",
        "reason": refusal.error.get("decline_code"),
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def _in_state(intent: Object, action: str, states: tuple[str, ...]) -> None:
    if intent["status"] not in states:
        raise Refusal(
            f"You cannot {action} this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
            payment_intent=dict(intent),
        )
