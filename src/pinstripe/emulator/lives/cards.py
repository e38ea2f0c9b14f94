"""Payment methods and Stripe's test cards. https://docs.stripe.com/testing"""

from __future__ import annotations

from dataclasses import dataclass

from pinstripe.emulator.generic import life, listed, matching
from pinstripe.emulator.refusal import Refusal, card_declined, missing_param
from pinstripe.emulator.world import Ask, Object, World


@dataclass(frozen=True)
class TestCard:
    """One of Stripe's test cards: how it looks, and what its bank says when it is attached, set up and charged."""

    __test__ = False  # for pytest: this is no test

    number: str
    brand: str = "visa"
    decline_code: str | None = None
    attaches: bool = True  # whether a declining card can be saved and declines only when it is charged
    needs_authentication: bool = False
    funding: str = "credit"

    def refuse(self) -> Refusal | None:
        """What the bank says to a charge."""
        return (
            card_declined(self.decline_code, DECLINES.get(self.decline_code, DECLINED)) if self.decline_code else None
        )


DECLINED = "Your card was declined."
DECLINES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}
CARDS = {
    "visa": TestCard("4242424242424242"),
    "visa_debit": TestCard("4000056655665556", funding="debit"),
    "mastercard": TestCard("5555555555554444", "mastercard"),
    "amex": TestCard("378282246310005", "amex"),
    "discover": TestCard("6011111111111117", "discover"),
    "chargeDeclined": TestCard("4000000000000002", decline_code="generic_decline", attaches=False),
    "chargeDeclinedInsufficientFunds": TestCard("4000000000009995", decline_code="insufficient_funds", attaches=False),
    "chargeDeclinedLostCard": TestCard("4000000000009987", decline_code="lost_card", attaches=False),
    "chargeDeclinedStolenCard": TestCard("4000000000009979", decline_code="stolen_card", attaches=False),
    "chargeDeclinedExpiredCard": TestCard("4000000000000069", decline_code="expired_card", attaches=False),
    "chargeDeclinedIncorrectCvc": TestCard("4000000000000127", decline_code="incorrect_cvc", attaches=False),
    "chargeDeclinedProcessingError": TestCard("4000000000000119", decline_code="processing_error", attaches=False),
    "chargeCustomerFail": TestCard("4000000000000341", decline_code="generic_decline"),
    "authenticationRequired": TestCard("4000002760003184", needs_authentication=True),
    "threeDSecure2Required": TestCard("4000000000003220", needs_authentication=True),
}
BY_NUMBER = {card.number: card for card in CARDS.values()}


def card_of(world: World, method: Object) -> TestCard:
    """The test card behind a payment method."""
    found: TestCard = world.hidden.get(method["id"], CARDS["visa"])
    return found


def payment_method(world: World, identifier: str, param: str | None = "payment_method") -> Object:
    """The payment method with an id; ``pm_card_visa`` and its like become a new one each time."""
    card = CARDS.get(identifier.removeprefix("pm_card_")) if identifier.startswith("pm_card_") else None
    return make(world, card, {}) if card else world.get("payment_method", identifier, param)


def make(world: World, card: TestCard, params: Object) -> Object:
    """A payment method for a test card."""
    given = params.get("card") or {}
    shown: Object = {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": given.get("exp_month", 12),
        "exp_year": given.get("exp_year", 2034),
        "fingerprint": card.number[::-1],
        "funding": card.funding,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    kept = {name: value for name, value in params.items() if name != "card"}
    method = world.make("payment_method", kept, type="card", card=shown, customer=None)
    world.hidden[method["id"]] = card
    return method


@life("payment_methods.create")
def create(ask: Ask) -> Object:
    """From a card's number, or a token such as ``tok_visa``; other types are kept as they are."""
    params = ask.params
    if params.get("type") != "card":
        if "type" not in params:
            raise missing_param("type")
        return ask.world.make("payment_method", params, customer=None)
    given = params.get("card")
    if not given:
        raise missing_param("card")
    if "token" in given:
        card = CARDS.get(str(given["token"]).removeprefix("tok_"))
    else:
        card = BY_NUMBER.get(str(given.get("number", "")).replace(" ", ""))
    if card is None:
        raise Refusal(
            "Your card number is incorrect. The emulator knows Stripe's test cards: https://docs.stripe.com/testing",
            status=402,
            type="card_error",
            code="incorrect_number",
            param="number",
        )
    return make(ask.world, card, params)


@life("payment_methods.attach")
def attach(ask: Ask) -> Object:
    """Save a payment method for a customer."""
    customer = ask.world.get("customer", ask.params.get("customer") or "", "customer")
    return attach_to(ask.world, payment_method(ask.world, ask.target, None), customer)


def attach_to(world: World, method: Object, customer: Object) -> Object:
    """Save a payment method for a customer; raises where the card's bank does not let it be saved."""
    card = card_of(world, method)
    if not card.attaches and (refusal := card.refuse()):
        raise refusal
    if method["customer"] not in (None, customer["id"]):
        raise Refusal("This payment method is another customer's.", code="payment_method_unexpected_state")
    if method["customer"] is None:
        world.change(method, customer=customer["id"])
        world.emit("attached", method)
    return method


@life("payment_methods.detach")
def detach(ask: Ask) -> Object:
    """Take a payment method from its customer; it cannot be used again."""
    method = ask.world.get("payment_method", ask.target)
    if method["customer"] is None:
        raise Refusal("The payment method is not attached to a customer.", code="payment_method_not_attached")
    before = ask.world.change(method, customer=None)
    ask.world.emit("detached", method, before)
    return method


@life("payment_methods.retrieve", "customers.payment_methods.retrieve")
def retrieve(ask: Ask) -> Object:
    """One payment method."""
    return payment_method(ask.world, ask.target, None)


@life("customers.payment_methods.list", "payment_methods.list")
def list_methods(ask: Ask) -> Object:
    """The payment methods that customers have; those of nobody are not listed."""
    return listed(ask, (one for one in matching(ask, ask.world.every("payment_method")) if one["customer"]))
