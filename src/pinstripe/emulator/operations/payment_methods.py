"""Payment methods: made, saved for customers, taken from them. https://docs.stripe.com/payments/payment-methods"""

from __future__ import annotations

from pinstripe.emulator.operations._filters import filter_objects
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.test_cards import (
    CARDS,
    card_of,
    check_dates,
    detach_instrument,
    instrument_of,
    named,
    shown,
)
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Instrument
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param


def payment_method(state: AccountState, identifier: str, param: str | None = "payment_method") -> Object:
    """The payment method with an id; ``pm_card_visa`` and its like become a new one each time. A card will do, too."""
    name = identifier.removeprefix("pm_card_")
    if identifier.startswith("pm_card_") and name in CARDS:
        return make(state, name, {})
    found = state.objects.find(("payment_method", "card", "bank_account"), identifier)
    if found is None or found.get("deleted"):
        raise missing_object("PaymentMethod", identifier, param)
    return found


def make(state: AccountState, name: str, params: Object) -> Object:
    """A payment method for a test card."""
    kept = {name: value for name, value in params.items() if name not in ("card", "customer")}
    method = state.draft("payment_method", kept)
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
    state.objects.add(method)
    state.tables.instruments.set(method["id"], Instrument(name))
    return method


EMPTY_ADDRESS: Object = {
    "city": None,
    "country": None,
    "line1": None,
    "line2": None,
    "postal_code": None,
    "state": None,
}


def from_data(state: AccountState, params: Object) -> Object:
    """A payment method from what describes one; types other than cards are kept as they are, and never decline."""
    if params.get("type", "card" if params.get("card") else None) != "card":
        if "type" not in params:
            raise missing_param("type")
        method = state.create("payment_method", params, customer=None)
        if method.get(params["type"]) is None:
            state.objects.update(method, **{params["type"]: state.draft_part("payment_method", params["type"])})
        return method
    given = params.get("card")
    if not given:
        raise missing_param("card")
    token = state.tables.token_contents.get(str(given.get("token", "")))
    if token is not None and token.card is not None:
        return make(state, token.card, {**params, "card": {}})
    check_dates(state, given)
    return make(state, named(given), params)


def method_of(state: AccountState, params: Object) -> Object | None:
    """The payment method that the parameters of an intent name, describe, or have a token for."""
    if token := params.get("confirmation_token"):
        found = state.objects.get("confirmation_token", token, "confirmation_token")
        return payment_method(state, state.tables.confirmation_token_methods[found["id"]].id)
    if data := params.get("payment_method_data"):
        return from_data(state, data)
    return payment_method(state, params["payment_method"]) if params.get("payment_method") else None


@operation("payment_methods.create")
def create(context: OperationContext) -> Object:
    """From a card's number, or a token such as ``tok_visa``; from a customer's one for a connected account."""
    if source := context.params.get("payment_method"):
        original = payment_method(context.state, source) if context.state.id == "" else None
        name = instrument_of(context.state, original["id"]).card if original else "visa"
        return make(context.state, name, {})
    return from_data(context.state, context.params)


@operation("payment_methods.attach")
def attach(context: OperationContext) -> Object:
    """Save a payment method for a customer."""
    if "customer" not in context.params:
        raise missing_param("customer")
    customer = context.state.objects.get("customer", context.params["customer"], "customer")
    return attach_to(context.state, payment_method(context.state, context.target_id, None), customer)


def attach_to(state: AccountState, method: Object, customer: Object) -> Object:
    """Save a payment method for a customer; raises where the card's bank does not let it be saved."""
    card = card_of(state, method)
    if not card.attaches and (error_response := card.refuse()):
        raise error_response
    if method["customer"] not in (None, customer["id"]):
        raise ErrorResponse(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    if method["customer"] is None:
        state.objects.update(method, customer=customer["id"])
        state.events.emit("attached", method)
    return method


@operation("payment_methods.detach")
def detach(context: OperationContext) -> Object:
    """Take a payment method from its customer; it cannot be used again."""
    state = context.state
    method = state.objects.get("payment_method", context.target_id)
    if method["customer"] is None:
        raise ErrorResponse(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            code="payment_method_unexpected_state",
        )
    customer = state.objects.find("customer", method["customer"]) or {}
    if not customer.get("deleted") and customer["invoice_settings"]["default_payment_method"] == method["id"]:
        settings = {**customer["invoice_settings"], "default_payment_method": None}
        state.events.emit("updated", customer, state.objects.update(customer, invoice_settings=settings))
    before = state.objects.update(method, customer=None)
    detach_instrument(state, method["id"])
    state.events.emit("detached", method, before)
    return method


@operation("payment_methods.retrieve", "customers.payment_methods.retrieve")
def retrieve(context: OperationContext) -> Object:
    """One payment method."""
    method = payment_method(context.state, context.target_id, None)
    if "customer" in context.path and method["customer"] != context.path["customer"]:
        raise missing_object("payment_method", context.target_id)
    return method


@operation("payment_methods.update")
def update(context: OperationContext) -> Object:
    """Change a payment method: its card's expiry, its billing details."""
    state, params = context.state, dict(context.params)
    method = state.objects.get("payment_method", context.target_id)
    fields: Object = {}
    if card := params.pop("card", None):
        known = ("exp_month", "exp_year")
        fields["card"] = {**method["card"], **{name: card[name] for name in known if name in card}}
    return state.apply_update(method, params, **fields)


@operation("customers.payment_methods.list", "payment_methods.list")
def list_methods(context: OperationContext) -> Object:
    """The payment methods that customers have; those of nobody are not listed."""
    customer = context.path.get("customer")
    found = (one for one in filter_objects(context, context.state.objects.all("payment_method")) if one["customer"])
    return paginate(context, (one for one in found if customer in (None, one["customer"])))
