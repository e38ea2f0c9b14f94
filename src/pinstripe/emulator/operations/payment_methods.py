"""Payment methods: made, saved for customers, taken from them. https://docs.stripe.com/payments/payment-methods"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import listed, matching
from pinstripe.emulator.operations.test_cards import CARDS, card_of, check_dates, named, shown
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_object, missing_param


def payment_method(world: World, identifier: str, param: str | None = "payment_method") -> Object:
    """The payment method with an id; ``pm_card_visa`` and its like become a new one each time. A card will do, too."""
    name = identifier.removeprefix("pm_card_")
    if identifier.startswith("pm_card_") and name in CARDS:
        return make(world, name, {})
    found = world.objects.get(identifier)
    if found is None or found["object"] not in ("payment_method", "card", "bank_account") or found.get("deleted"):
        raise missing_object("PaymentMethod", identifier, param)
    return found


def make(world: World, name: str, params: Object) -> Object:
    """A payment method for a test card."""
    kept = {name: value for name, value in params.items() if name not in ("card", "customer")}
    method = world.draft("payment_method", kept)
    method.update(type="card", card=shown(CARDS[name], params.get("card") or {}), customer=None)
    method.setdefault("allow_redisplay", "unspecified")
    method["billing_details"] = {
        "address": EMPTY_ADDRESS,
        "email": None,
        "name": None,
        "phone": None,
        "tax_id": None,
    } | {name: value for name, value in (params.get("billing_details") or {}).items() if value is not None}
    method["billing_details"]["address"] = {**EMPTY_ADDRESS, **(method["billing_details"]["address"] or {})}
    world.keep(method)
    world.hide(method["id"], {"card": name})
    return method


EMPTY_ADDRESS: Object = {
    "city": None,
    "country": None,
    "line1": None,
    "line2": None,
    "postal_code": None,
    "state": None,
}


def from_data(world: World, params: Object) -> Object:
    """A payment method from what describes one; types other than cards are kept as they are, and never decline."""
    if params.get("type", "card" if params.get("card") else None) != "card":
        if "type" not in params:
            raise missing_param("type")
        method = world.make("payment_method", params, customer=None)
        if method.get(params["type"]) is None:
            world.change(method, **{params["type"]: world.draft_part("payment_method", params["type"])})
        return method
    given = params.get("card")
    if not given:
        raise missing_param("card")
    token = world.objects.get(str(given.get("token", "")))
    if token is not None and token["object"] == "token":
        return make(world, world.hidden[token["id"]]["card"], {**params, "card": {}})
    check_dates(world, given)
    return make(world, named(given), params)


def method_of(world: World, params: Object) -> Object | None:
    """The payment method that the parameters of an intent name, describe, or have a token for."""
    if token := params.get("confirmation_token"):
        found = world.get("confirmation_token", token, "confirmation_token")
        return payment_method(world, world.hidden[f"method:{found['id']}"])
    if data := params.get("payment_method_data"):
        return from_data(world, data)
    return payment_method(world, params["payment_method"]) if params.get("payment_method") else None


@life("payment_methods.create")
def create(ask: Ask) -> Object:
    """From a card's number, or a token such as ``tok_visa``; from a customer's one for a connected account."""
    if source := ask.params.get("payment_method"):
        original = payment_method(ask.world, source) if ask.world.account == "" else None
        name = ask.world.hidden.get(original["id"], {}).get("card", "visa") if original else "visa"
        return make(ask.world, name, {})
    return from_data(ask.world, ask.params)


@life("payment_methods.attach")
def attach(ask: Ask) -> Object:
    """Save a payment method for a customer."""
    if "customer" not in ask.params:
        raise missing_param("customer")
    customer = ask.world.get("customer", ask.params["customer"], "customer")
    return attach_to(ask.world, payment_method(ask.world, ask.target, None), customer)


def attach_to(world: World, method: Object, customer: Object) -> Object:
    """Save a payment method for a customer; raises where the card's bank does not let it be saved."""
    card = card_of(world, method)
    if not card.attaches and (refusal := card.refuse()):
        raise refusal
    if method["customer"] not in (None, customer["id"]):
        raise Refusal(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    if method["customer"] is None:
        world.change(method, customer=customer["id"])
        world.emit("attached", method)
    return method


@life("payment_methods.detach")
def detach(ask: Ask) -> Object:
    """Take a payment method from its customer; it cannot be used again."""
    world = ask.world
    method = world.get("payment_method", ask.target)
    if method["customer"] is None:
        raise Refusal(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            code="payment_method_unexpected_state",
        )
    customer = world.objects.get(method["customer"], {})
    if not customer.get("deleted") and customer["invoice_settings"]["default_payment_method"] == method["id"]:
        settings = {**customer["invoice_settings"], "default_payment_method": None}
        world.emit("updated", customer, world.change(customer, invoice_settings=settings))
    before = world.change(method, customer=None)
    world.hide(method["id"], {**world.hidden.get(method["id"], {}), "detached": True})
    world.emit("detached", method, before)
    return method


@life("payment_methods.retrieve", "customers.payment_methods.retrieve")
def retrieve(ask: Ask) -> Object:
    """One payment method."""
    method = payment_method(ask.world, ask.target, None)
    if "customer" in ask.path and method["customer"] != ask.path["customer"]:
        raise missing_object("payment_method", ask.target)
    return method


@life("payment_methods.update")
def update(ask: Ask) -> Object:
    """Change a payment method: its card's expiry, its billing details."""
    world, params = ask.world, dict(ask.params)
    method = world.get("payment_method", ask.target)
    fields: Object = {}
    if card := params.pop("card", None):
        known = ("exp_month", "exp_year")
        fields["card"] = {**method["card"], **{name: card[name] for name in known if name in card}}
    return world.update(method, params, **fields)


@life("customers.payment_methods.list", "payment_methods.list")
def list_methods(ask: Ask) -> Object:
    """The payment methods that customers have; those of nobody are not listed."""
    customer = ask.path.get("customer")
    found = (one for one in matching(ask, ask.world.every("payment_method")) if one["customer"])
    return listed(ask, (one for one in found if customer in (None, one["customer"])))
