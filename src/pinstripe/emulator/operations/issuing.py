"""Issuing: cardholders, cards, authorizations and transactions.

https://docs.stripe.com/issuing/testing
"""

from __future__ import annotations

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import fit
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state


@operation("issuing.cardholders.create")
def create_cardholder(context: OperationContext) -> Object:
    """Create a cardholder, an individual or a company."""
    state, params = context.state, context.params
    cardholder = state.draft("issuing.cardholder", params)
    cardholder.update(
        status=params.get("status", "active"),
        type=params.get("type") or ("company" if params.get("company") else "individual"),
        requirements={"disabled_reason": None, "past_due": []},
    )
    state.objects.add(cardholder)
    state.events.emit("created", cardholder)
    return cardholder


@includable("issuing.card", "number")
def number_of_card(state: AccountState, card: Object) -> str:
    """Return the number of a card."""
    return f"400000999000{card['last4']}"


@includable("issuing.card", "cvc")
def cvc_of_card(state: AccountState, card: Object) -> str:
    """Return the security code of a card."""
    return "123"


@operation("issuing.cards.create")
def create_card(context: OperationContext) -> Object:
    """Create a card of a cardholder; only physical ones are shipped."""
    state, params = context.state, context.params
    if not params.get("cardholder"):
        raise missing_param("cardholder")
    cardholder = state.objects.get("issuing.cardholder", params["cardholder"], "cardholder")
    card = state.draft("issuing.card", {name: value for name, value in params.items() if name != "cardholder"})
    card.update(
        brand="Visa",
        cardholder=cardholder,
        currency=params["currency"].lower(),
        exp_month=12,
        exp_year=2034,
        last4="".join(state.random.choices("0123456789", k=4)),
        status=params.get("status", "inactive"),
        type=params["type"],
    )
    if params["type"] == "virtual":
        card["shipping"] = None
    elif card.get("shipping"):
        tracking = dict.fromkeys(("carrier", "tracking_number", "tracking_url", "eta"))
        card["shipping"] |= {"status": "pending", **tracking}
    card.pop("number", None)
    card.pop("cvc", None)
    state.objects.add(card)
    state.events.emit("created", card)
    return card


@operation("test_helpers.issuing.authorizations.create")
def authorize(context: OperationContext) -> Object:
    """Create an authorization, which is approved when the card is active."""
    return create_authorization(context.state, context.params)


def create_authorization(state: AccountState, params: Object) -> Object:
    """Create an authorization with the parameters of ``test_helpers.issuing.authorizations.create``."""
    card = state.objects.get("issuing.card", params["card"], "card")
    amount = params.get("amount", params.get("merchant_amount", 100))
    currency = (params.get("currency") or card["currency"]).lower()
    active = card["status"] == "active"
    fields: Object = {name: params[name] for name in ("authorization_method", "wallet") if name in params}
    authorization = state.draft("issuing.authorization", fields)
    authorization.update(
        amount=amount,
        approved=active,
        card=card,
        cardholder=card["cardholder"]["id"],
        currency=currency,
        merchant_amount=params.get("merchant_amount", amount),
        merchant_currency=params.get("merchant_currency", currency),
        status="pending" if active else "closed",
        balance_transactions=[],
        request_history=[],
        transactions=[],
    )
    return _add_with_merchant(state, authorization, params)


def _add_with_merchant(state: AccountState, draft: Object, params: Object) -> Object:
    """Store a new authorization or transaction, with the merchant that the parameters describe."""
    merchant = params.get("merchant_data") or {}
    draft["merchant_data"] |= {name: value for name, value in merchant.items() if name in draft["merchant_data"]}
    state.objects.add(draft)
    if draft["object"] == "issuing.authorization" and draft["approved"]:
        state.events.emit("request", {**draft, "approved": False, "pending_request": _pending_request(draft)})
    state.events.emit("created", draft)
    return draft


def _pending_request(authorization: Object) -> Object:
    """Return what an application decides about; without its decision, the authorization is approved."""
    names = ("amount", "currency", "merchant_amount", "merchant_currency")
    fields = {name: authorization[name] for name in names}
    return {**fields, "amount_details": None, "is_amount_controllable": False, "network_risk_score": None}


def _create_transaction(
    state: AccountState,
    card: Object,
    amount: int,
    transaction_type: str,
    authorization_id: str | None = None,
    params: Object | None = None,
) -> Object:
    params = params or {}
    transaction = state.draft("issuing.transaction")
    currency = (params.get("currency") or card["currency"]).lower()
    transaction.update(
        amount=amount,
        authorization=authorization_id,
        card=card["id"],
        cardholder=card["cardholder"]["id"],
        currency=currency,
        merchant_amount=params.get("merchant_amount", amount),
        merchant_currency=params.get("merchant_currency", currency),
        type=transaction_type,
    )
    _add_with_merchant(state, transaction, params)
    if details := params.get("purchase_details"):
        _add_purchase_details(state, transaction, details)
    return transaction


def _add_purchase_details(state: AccountState, transaction: Object, params: Object) -> None:
    """Store the details of a purchase, which the merchant provides after it."""
    receipt = [
        {**line, "quantity": float(line["quantity"])} if line.get("quantity") else line  # passed as a decimal string
        for line in params.get("receipt") or []
    ]
    details = {"purchase_details": {**params, "receipt": receipt or None}}
    state.objects.update(transaction, **fit("IssuingTransaction", details, state.default_values))
    if receipt:
        state.events.emit("purchase_details_receipt_updated", transaction)


@operation("test_helpers.issuing.authorizations.capture")
def capture(context: OperationContext) -> Object:
    """Capture an authorization, and close it unless ``close_authorization`` is false."""
    state, params = context.state, context.params
    authorization = state.objects.get("issuing.authorization", context.path["authorization"])
    if authorization["status"] != "pending":
        raise wrong_state(authorization, "capture")
    amount = params.get("capture_amount") or authorization["amount"]
    details = {"purchase_details": params.get("purchase_details")}
    transaction = _create_transaction(state, authorization["card"], -amount, "capture", authorization["id"], details)
    previous = state.objects.update(
        authorization,
        transactions=[*authorization["transactions"], transaction],
        status="closed" if params.get("close_authorization", True) else "pending",
    )
    state.events.emit("updated", authorization, previous)
    return authorization


@operation("test_helpers.issuing.transactions.create_force_capture")
def force_capture(context: OperationContext) -> Object:
    """Capture an amount without an authorization."""
    state, params = context.state, context.params
    card = state.objects.get("issuing.card", params["card"], "card")
    return _create_transaction(state, card, -params["amount"], "capture", params=params)


@operation("test_helpers.issuing.transactions.create_unlinked_refund")
def refund_unlinked(context: OperationContext) -> Object:
    """Refund an amount that belongs to no capture."""
    state, params = context.state, context.params
    card = state.objects.get("issuing.card", params["card"], "card")
    return _create_transaction(state, card, params["amount"], "refund", params=params)


@operation("test_helpers.issuing.transactions.refund")
def refund(context: OperationContext) -> Object:
    """Refund a capture, or a part of it."""
    state = context.state
    captured = state.objects.get("issuing.transaction", context.path["transaction"])
    if captured["type"] != "capture":
        raise ErrorResponse("Only captures can be refunded.", param="transaction")
    card = state.objects.get("issuing.card", captured["card"])
    amount = context.params.get("refund_amount") or -captured["amount"]
    return _create_transaction(state, card, amount, "refund", captured["authorization"])
