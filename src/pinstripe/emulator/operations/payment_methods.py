"""Payment methods: create, attach, detach.

https://docs.stripe.com/payments/payment-methods
"""

from __future__ import annotations

from pinstripe.emulator.operations import test_bank_accounts
from pinstripe.emulator.operations._filters import filter_objects
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._payment_method_types import BANK_DEBITS
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.test_cards import (
    CARDS,
    card_details,
    card_name,
    card_of,
    check_card_details,
    instrument_of,
    mark_detached,
)
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Instrument
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param

EMPTY_ADDRESS: Object = {
    "city": None,
    "country": None,
    "line1": None,
    "line2": None,
    "postal_code": None,
    "state": None,
}
EMPTY_BILLING_DETAILS: Object = {"address": EMPTY_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}


def resolve_payment_method(state: AccountState, method_id: str, param: str | None = "payment_method") -> Object:
    """Return the payment method, card or bank account with an id; ``pm_card_visa`` and the like create a new one each time."""
    name = method_id.removeprefix("pm_card_")
    if method_id.startswith("pm_card_") and name in CARDS:
        return _create_card_method(state, name, {})
    if method_id in test_bank_accounts.TOKENS:
        return _create_bank_method(state, test_bank_accounts.params_of_token(method_id), verified=True)
    method = state.objects.find(("payment_method", "card", "bank_account"), method_id)
    if method is None or method.get("deleted"):
        raise missing_object("PaymentMethod", method_id, param)
    return method


def _create_card_method(state: AccountState, name: str, params: Object) -> Object:
    fields = {name: value for name, value in params.items() if name not in ("card", "customer")}
    method = state.draft("payment_method", fields)
    method.update(type="card", card=card_details(CARDS[name], params.get("card") or {}), customer=None)
    method.setdefault("allow_redisplay", "unspecified")
    details = {name: value for name, value in (params.get("billing_details") or {}).items() if value is not None}
    address = {**EMPTY_ADDRESS, **(details.get("address") or {})}
    method["billing_details"] = {**EMPTY_BILLING_DETAILS, **details, "address": address}
    state.objects.add(method)
    state.tables.instruments.set(method["id"], Instrument(name))
    return method


def _create_bank_method(state: AccountState, params: Object, *, verified: bool) -> Object:
    method_type = params["type"]
    method = state.create("payment_method", params, customer=None)
    details = test_bank_accounts.bank_details(method_type, params.get(method_type) or {})
    state.objects.update(method, **{method_type: details})
    test_bank_accounts.set_debit(state, method, params, verified=verified)
    return method


def create_payment_method(state: AccountState, params: Object) -> Object:
    """Create a payment method. Those of other types than ``card`` are stored as they were passed, and never decline."""
    if params.get("type", "card" if params.get("card") else None) != "card":
        if "type" not in params:
            raise missing_param("type")
        if params["type"] in BANK_DEBITS:
            return _create_bank_method(state, params, verified=False)
        method = state.create("payment_method", params, customer=None)
        if method.get(params["type"]) is None:
            state.objects.update(method, **{params["type"]: state.draft_part("payment_method", params["type"])})
        return method
    details = params.get("card")
    if not details:
        raise missing_param("card")
    token = state.tables.token_contents.get(str(details.get("token", "")))
    if token is not None and token.card is not None:
        return _create_card_method(state, token.card, {**params, "card": {}})
    check_card_details(state, details)
    return _create_card_method(state, card_name(details), params)


def payment_method_from_params(state: AccountState, params: Object) -> Object | None:
    """Return the payment method of an intent's parameters: of a confirmation token, described, or by id."""
    if token_id := params.get("confirmation_token"):
        token = state.objects.get("confirmation_token", token_id, "confirmation_token")
        return resolve_payment_method(state, state.tables.confirmation_token_methods[token["id"]].id)
    if data := params.get("payment_method_data"):
        return create_payment_method(state, data)
    return resolve_payment_method(state, params["payment_method"]) if params.get("payment_method") else None


@operation("payment_methods.create")
def create(context: OperationContext) -> Object:
    """Create a payment method; ``payment_method`` clones one of the platform for a connected account."""
    if source_id := context.params.get("payment_method"):
        # The methods of the platform are another account's objects: their clone there is a Visa card.
        original = resolve_payment_method(context.state, source_id) if context.state.id == "" else None
        name = instrument_of(context.state, original["id"]).card if original else "visa"
        return _create_card_method(context.state, name, {})
    return create_payment_method(context.state, context.params)


@operation("payment_methods.attach")
def attach(context: OperationContext) -> Object:
    """Attach a payment method to a customer."""
    if "customer" not in context.params:
        raise missing_param("customer")
    customer = context.state.objects.get("customer", context.params["customer"], "customer")
    return attach_to(context.state, resolve_payment_method(context.state, context.target_id, None), customer)


def used_method() -> ErrorResponse:
    """Return the error of a payment method that cannot be used again."""
    return ErrorResponse(
        "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was detached "
        "from a Customer. It may not be used again: attach a PaymentMethod to a Customer before you use it several times.",
        code="payment_method_unexpected_state",
    )


def attach_to(state: AccountState, method: Object, customer: Object) -> Object:
    """Attach a payment method to a customer; raise `ErrorResponse` when the card's bank declines that."""
    instrument = instrument_of(state, method["id"])
    if method["customer"] is None and (instrument.detached or instrument.used):
        raise used_method()
    card = card_of(state, method["id"])
    if not card.attaches and (error := card.decline()):
        raise error
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
    """Detach a payment method from its customer; it cannot be used again."""
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
    previous = state.objects.update(method, customer=None)
    mark_detached(state, method["id"])
    state.events.emit("detached", method, previous)
    return method


@operation("payment_methods.retrieve", "customers.payment_methods.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return a payment method."""
    method = resolve_payment_method(context.state, context.target_id, None)
    if "customer" in context.path and method["customer"] != context.path["customer"]:
        raise missing_object("payment_method", context.target_id)
    return method


@operation("payment_methods.update")
def update(context: OperationContext) -> Object:
    """Change a payment method: of its card, only the expiry."""
    state, params = context.state, dict(context.params)
    method = state.objects.get("payment_method", context.target_id)
    if method["customer"] is None:
        raise ErrorResponse(
            "You must save this PaymentMethod to a customer before you can update it.",
            code="payment_method_unexpected_state",
        )
    fields: Object = {}
    if card := params.pop("card", None):
        expiry = {name: card[name] for name in ("exp_month", "exp_year") if name in card}
        fields["card"] = {**method["card"], **expiry}
    return state.apply_update(method, params, **fields)


@operation("customers.payment_methods.list", "payment_methods.list")
def list_payment_methods(context: OperationContext) -> Object:
    """Return a page of the payment methods of a customer or of all customers; detached ones are not listed."""
    customer = context.path.get("customer")
    methods = filter_objects(context, context.state.objects.all("payment_method"))
    attached = (method for method in methods if method["customer"])
    return paginate(context, (method for method in attached if customer in (None, method["customer"])))
