"""Charges: authorize and capture payments.

https://docs.stripe.com/api/charges
"""

from __future__ import annotations

from pinstripe.emulator.billing import money
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import application_fees, transfers
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.balance import current_balance
from pinstripe.emulator.operations.balance_transactions import PENDING_SECONDS, record_transaction
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.disputes import open_dispute
from pinstripe.emulator.operations.payment_sources import default_source, resolve_source
from pinstripe.emulator.operations.test_cards import card_of, instrument_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object, clone, previous_values
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param

MAX_AMOUNT = 99_999_999
EMPTY_BILLING_DETAILS: Object = {"address": None, "email": None, "name": None, "phone": None}
CARD_FIELDS = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
"""The fields of a card that a charge shows."""
NOT_OF_CHARGES = ("financial_connections_account", "networks", "status_details", "generated_from")
"""The fields of other payment methods that a charge does not show."""
CARD_FEATURES: Object = {
    "extended_authorization": {"status": "disabled"},
    "incremental_authorization": {"status": "unavailable"},
    "multicapture": {"status": "unavailable"},
    "network_token": {"used": False},
    "regulated_status": "unregulated",
}
AUTHORIZATION_SECONDS = 7 * DAY
RISK_SCORES = {"normal": 20, "elevated": 70, "highest": 90}


def create_charge(
    state: AccountState,
    params: Object,
    method: Object,
    error: ErrorResponse | None,
    *,
    capture: bool = True,
    settle_later: bool = False,
    pending: bool = False,
    **fields: JSON,
) -> Object:
    """Create a charge that succeeded, or failed with an error, and capture it; emits no event about the charge.

    ``params`` are those of a charge, or a payment intent. ``method`` is a payment method, card, bank account or source. With
    ``settle_later``, the amount reaches the balance at the next request. A ``pending`` charge has neither succeeded nor failed.
    """
    paid = error is None and not pending
    failure = error.error if error else {}
    charge = state.create(
        "charge",
        {name: params.get(name) for name in ("description", "receipt_email", "shipping", "statement_descriptor")},
        metadata=dict(params.get("metadata") or {}),
        amount=params["amount"],
        amount_captured=0,
        application_fee_amount=params.get("application_fee_amount"),
        billing_details=method.get("billing_details") or EMPTY_BILLING_DETAILS,
        captured=False,
        currency=params["currency"].lower(),
        failure_code=failure.get("code"),
        failure_message=failure.get("message"),
        fraud_details={},
        on_behalf_of=params.get("on_behalf_of"),
        outcome=_outcome(error, card_of(state, method["id"]).risk),
        paid=paid,
        payment_method=method["id"],
        payment_method_details=_payment_method_details(state, params["amount"], method, capture=capture, paid=paid),
        status="pending" if pending else "succeeded" if paid else "failed",
        transfer_data=_transfer_data(params.get("transfer_data")),
        transfer_group=params.get("transfer_group"),
        **fields,
    )
    state.objects.update(charge, receipt_url=f"{state.base_url}/receipts/{charge['id']}")
    if paid and capture:
        state.objects.update(charge, captured=True, amount_captured=charge["amount"])
        if settle_later:
            state.clock.defer("charge.settle", charge)
        else:
            settle(state, charge)
    return charge


def settle(state: AccountState, charge: Object) -> None:
    """Add the captured amount to the balance, and share it with connected accounts."""
    amount = charge["amount_captured"]
    pending = PENDING_SECONDS if card_of(state, charge["payment_method"]).pending else 0
    fee = 0 if charge["transfer_data"] else int(charge["application_fee_amount"] or 0)
    transaction = record_transaction(
        state, "charge", charge, amount, money.fee(amount), pending=pending, application_fee=fee
    )
    state.objects.update(charge, balance_transaction=transaction["id"])
    if not pending:
        state.events.emit("balance.available", current_balance(state))
    if charge["transfer_data"]:
        transfers.transfer_charge(state, charge, amount)
    elif fee:
        application_fees.take_fee(state, charge, fee, pending)


def release_charge(state: AccountState, charge: Object) -> None:
    """Release the whole amount of a charge that was authorized and not captured."""
    previous = state.objects.update(charge, amount_refunded=charge["amount"], refunded=True)
    state.events.emit("refunded", charge, previous)


@timer_handler("charge.settle")
def _settle_later(state: AccountState, charge: Object) -> None:
    """Settle a charge of a payment intent with the capture method ``automatic_async``.

    https://docs.stripe.com/payments/payment-intents/asynchronous-capture
    """
    before = clone(charge)
    settle(state, charge)
    state.events.emit("updated", charge, previous_values(before, charge))


def open_disputes(state: AccountState, charge: Object, method: Object) -> None:
    """Dispute a charge when its test card or bank account does so, or warn of fraud."""
    reason = card_of(state, method["id"]).dispute
    if instrument_of(state, method["id"]).debit == "dispute":
        reason = "fraudulent" if method.get("type") == "us_bank_account" else "debit_not_authorized"
    if reason == "warning":
        warning = {"actionable": True, "charge": charge["id"], "fraud_type": "misc"}
        fields = {**warning, "payment_intent": charge["payment_intent"]}
        state.events.emit("created", state.create("radar.early_fraud_warning", None, **fields))
    elif reason:
        open_dispute(state, charge, reason)


def _payment_method_details(state: AccountState, amount: int, method: Object, *, capture: bool, paid: bool) -> Object:
    if method["object"] == "card":
        checks = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": method.get("cvc_check")}
        card = {name: method[name] for name in CARD_FIELDS}
        card |= {"brand": method["brand"].lower(), "checks": checks, "wallet": None}
    elif method.get("card"):
        card = {name: method["card"][name] for name in (*CARD_FIELDS, "checks", "wallet")}
    else:
        method_type = str(method.get("type", method["object"]))
        details = {name: value for name, value in (method.get(method_type) or {}).items() if name not in NOT_OF_CHARGES}
        return {"type": method_type, method_type: details}
    authorized = {
        "amount_authorized": amount if paid else None,
        "authorization_code": f"{state.random.randrange(10**6):06}" if paid else None,
        "network_transaction_id": f"{state.random.randrange(10**15):015}",
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
    }
    if not capture:
        authorized["capture_before"] = state.clock.now() + AUTHORIZATION_SECONDS
    constant = {
        **CARD_FEATURES,
        "network": card["brand"],
        "three_d_secure": None,
        "installments": None,
        "mandate": None,
    }
    return {"type": "card", "card": {**card, **constant, **authorized}}


def _transfer_data(params: Object | None) -> Object | None:
    return {"destination": params["destination"], "amount": params.get("amount")} if params else None


def _outcome(error: ErrorResponse | None, risk: str) -> Object:
    if error is None:
        return {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": "elevated_risk_level" if risk == "elevated" else None,
            "risk_level": risk,
            "risk_score": RISK_SCORES[risk],
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    blocked = error.error.get("decline_code") == "fraudulent"
    return {
        "advice_code": error.error.get("advice_code"),
        "network_advice_code": None,
        "network_decline_code": error.error.get("network_decline_code"),
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": "highest_risk_level" if blocked else error.error.get("decline_code"),
        "risk_level": "highest" if blocked else "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "blocked" if blocked else "issuer_declined",
    }


@operation("charges.create")
def create(context: OperationContext) -> Object:
    """Charge a token, a card of a customer, or the customer's default one."""
    state, params = context.state, context.params
    for name in ("amount", "currency"):
        if name not in params:
            raise missing_param(name)
    check_amount(params["amount"], params["currency"].lower())
    transfers.check_connect(state, params)
    customer = state.objects.get("customer", params["customer"], "customer") if "customer" in params else None
    method = _method_to_charge(state, params, customer)
    card = card_of(state, method["id"])
    error = card.decline()
    if card.authentication == "always" and error is None:
        error = authentication_required()
    charge = create_charge(
        state,
        params,
        method,
        error,
        capture=params.get("capture", True),
        customer=customer["id"] if customer else None,
    )
    if error is not None:
        state.events.emit("failed", charge)
        error.error["charge"] = charge["id"]
        raise error
    state.events.emit("succeeded", charge)
    open_disputes(state, charge, method)
    return charge


def _method_to_charge(state: AccountState, params: Object, customer: Object | None) -> Object:
    if source := params.get("source") or params.get("card"):
        return resolve_source(state, source, customer)
    if customer is None:
        raise ErrorResponse("Must provide source or customer.")
    method = default_source(state, customer)
    if method is None:
        raise ErrorResponse(
            "Cannot charge a customer that has no active card", status=402, type="card_error", code="missing"
        )
    return method


def authentication_required() -> ErrorResponse:
    """Return the error of a payment that the bank declines because the customer is not there to authenticate it."""
    return _not_authenticated(
        "Your card was declined. This transaction requires authentication.", "authentication_required"
    )


def authentication_not_handled() -> ErrorResponse:
    """Return the error of a payment that requires authentication, with ``error_on_requires_action``."""
    return _not_authenticated(
        "This payment required an authentication action to complete, but `error_on_requires_action` was set.",
        "authentication_not_handled",
    )


def _not_authenticated(message: str, decline_code: str) -> ErrorResponse:
    return ErrorResponse(
        message, status=402, type="card_error", code="authentication_required", decline_code=decline_code
    )


def check_amount(amount: int, currency: str) -> None:
    """Raise `ErrorResponse` for an amount that is too small or too large to charge."""
    if amount < 1:
        raise ErrorResponse(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount < (least := money.minimum_charge(currency)):
        raise ErrorResponse(
            f"Amount must be at least {money.format_amount(least, currency)}.", code="amount_too_small", param="amount"
        )
    if amount > MAX_AMOUNT:
        raise ErrorResponse("Amount must be no more than 999,999.99.", code="amount_too_large", param="amount")


@operation("charges.capture")
def capture(context: OperationContext) -> Object:
    """Capture the authorized amount, or a part of it."""
    state = context.state
    charge = state.objects.get("charge", context.target_id)
    if charge["captured"] or charge["status"] != "succeeded":
        raise ErrorResponse(f"Charge {charge['id']} has already been captured.", code="charge_already_captured")
    if charge["amount_refunded"]:
        raise ErrorResponse(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = int(context.params.get("amount") or charge["amount"])
    capture_charge(state, charge, amount, "amount", context.params)
    return charge


def capture_charge(state: AccountState, charge: Object, amount: int, param: str, params: Object) -> None:
    """Capture an amount, and release the rest of the authorized amount."""
    if not 1 <= amount <= charge["amount"]:
        raise ErrorResponse(
            "The amount to capture is more than the amount that was authorized.", code="amount_too_large", param=param
        )
    if "application_fee_amount" in params:
        state.objects.update(charge, application_fee_amount=params["application_fee_amount"])
    state.objects.update(charge, captured=True, amount_captured=amount, amount_refunded=charge["amount"] - amount)
    settle(state, charge)
    state.events.emit("captured", charge)


@operation("charges.update")
def update(context: OperationContext) -> Object:
    """Update a charge; its customer cannot be changed."""
    charge = context.state.objects.get("charge", context.target_id)
    params = {name: value for name, value in context.params.items() if name != "customer"}
    return context.state.apply_update(charge, params)
