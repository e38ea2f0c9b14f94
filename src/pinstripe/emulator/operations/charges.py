"""Charges: what a card's bank is asked for, and what then happens to the money. https://docs.stripe.com/api/charges"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.billing import money
from pinstripe.emulator.operations import accounts, balance, disputes
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.sources import default_source, from_token
from pinstripe.emulator.operations.test_cards import card_of, instrument_card
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param


def make(
    state: AccountState,
    params: Object,
    method: Object,
    error_response: ErrorResponse | None,
    *,
    capture: bool = True,
    **fields: Any,  # Any: JSON
) -> Object:
    """A charge, after the card's bank has said yes, or no; where it is captured, the balance has the money."""
    paid, said = error_response is None, error_response.error if error_response else {}
    card = card_of(state, method)
    charge = state.create(
        "charge",
        {**{name: params.get(name) for name in ("description", "receipt_email", "shipping", "statement_descriptor")}},
        metadata=dict(params.get("metadata") or {}),
        amount=params["amount"],
        amount_captured=0,
        application_fee_amount=params.get("application_fee_amount"),
        billing_details=method.get("billing_details") or {"address": None, "email": None, "name": None, "phone": None},
        captured=False,
        currency=params["currency"].lower(),
        failure_code=said.get("code"),
        failure_message=said.get("message"),
        fraud_details={},
        on_behalf_of=params.get("on_behalf_of"),
        outcome=_outcome(error_response, card.risk),
        paid=paid,
        payment_method=method["id"],
        payment_method_details=_details(method),
        receipt_url=f"{state.base_url}/receipts/{state.new_id('url')}",
        status="succeeded" if paid else "failed",
        transfer_group=params.get("transfer_group"),
        **fields,
    )
    charge["receipt_url"] = f"{state.base_url}/receipts/{charge['id']}"
    if transfer := params.get("transfer_data"):
        state.objects.update(
            charge, transfer_data={"destination": transfer["destination"], "amount": transfer.get("amount")}
        )
    if paid and capture:
        settle(state, charge, charge["amount"], params)
    return charge


def settle(state: AccountState, charge: Object, amount: int, params: Object) -> None:
    """Capture a charge: the money is in the balance, and shared with connected accounts where that was asked for."""
    card = instrument_card(state, charge["payment_method"])
    moved = balance.record(state, "charge", charge, amount, money.fee(amount), wait=balance.WAIT if card.pending else 0)
    state.objects.update(charge, captured=True, amount_captured=amount, balance_transaction=moved["id"])
    if charge["transfer_data"]:
        accounts.share(state, charge, amount)
    elif charge["application_fee_amount"]:
        accounts.take_fee(state, charge, int(charge["application_fee_amount"]))


def after(state: AccountState, charge: Object, method: Object) -> None:
    """What a test card does when it was charged: some dispute it."""
    if reason := card_of(state, method).dispute:
        disputes.open_dispute(state, charge, reason)


SHOWN = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")


def _details(method: Object) -> Object:
    if method["object"] == "card":
        checks = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": method.get("cvc_check")}
        card = {name: method[name] for name in SHOWN}
        card |= {"brand": method["brand"].lower(), "checks": checks, "wallet": None}
    elif method.get("card"):
        card = {name: method["card"][name] for name in (*SHOWN, "checks", "wallet")}
    else:
        return {"type": method.get("type", method["object"])}
    return {
        "type": "card",
        "card": {**card, "network": card["brand"], "three_d_secure": None, "installments": None, "mandate": None},
    }


def _outcome(error_response: ErrorResponse | None, risk: str) -> Object:
    if error_response is None:
        return {
            "network_status": "approved_by_network",
            "reason": "elevated_risk_level" if risk == "elevated" else None,
            "risk_level": risk,
            "risk_score": {"normal": 20, "elevated": 70}.get(risk, 90),
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    blocked = error_response.error.get("decline_code") == "fraudulent"
    return {
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": "highest_risk_level" if blocked else error_response.error.get("decline_code"),
        "risk_level": "highest" if blocked else "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "blocked" if blocked else "issuer_declined",
    }


@operation("charges.create")
def create(context: OperationContext) -> Object:
    """A charge of a token, of a customer's card, or of its default one."""
    state, params = context.state, context.params
    if "amount" not in params or "currency" not in params:
        raise missing_param("amount" if "amount" not in params else "currency")
    check_amount(params["amount"], params["currency"].lower())
    customer = state.objects.get("customer", params["customer"], "customer") if "customer" in params else None
    source = params.get("source") or params.get("card")
    if source:
        method = from_token(state, source, customer)
    elif customer is None:
        raise ErrorResponse("Must provide source or customer.")
    else:
        found = default_source(state, customer)
        if found is None:
            raise ErrorResponse(
                "Cannot charge a customer that has no active card", status=402, type="card_error", code="missing"
            )
        method = found
    error_response = card_of(state, method).refuse()
    if card_of(state, method).authentication == "always" and error_response is None:
        error_response = ErrorResponse(
            "Your card was declined. This transaction requires authentication.",
            status=402,
            type="card_error",
            code="authentication_required",
            decline_code="authentication_required",
        )
    charge = make(
        state,
        params,
        method,
        error_response,
        capture=params.get("capture", True),
        customer=customer["id"] if customer else None,
    )
    if error_response is not None:
        state.events.emit("failed", charge)
        error_response.error["charge"] = charge["id"]
        raise error_response
    state.events.emit("succeeded", charge)
    after(state, charge, method)
    return charge


def check_amount(amount: int, currency: str) -> None:
    """Refuse amounts that no card is charged for."""
    if amount < 1:
        raise ErrorResponse(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount < (least := money.minimum_charge(currency)):
        raise ErrorResponse(
            f"Amount must be at least {money.format_amount(least, currency)}.", code="amount_too_small", param="amount"
        )
    if amount > 99_999_999:
        raise ErrorResponse("Amount must be no more than 999,999.99.", code="amount_too_large", param="amount")


@operation("charges.capture")
def capture(context: OperationContext) -> Object:
    """Take the money that a card holds, or less of it."""
    state = context.state
    charge = state.objects.get("charge", context.target_id)
    if charge["captured"] or charge["status"] != "succeeded":
        raise ErrorResponse(f"Charge {charge['id']} has already been captured.", code="charge_already_captured")
    if charge["amount_refunded"]:
        raise ErrorResponse(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    take(state, charge, int(context.params.get("amount") or charge["amount"]), "amount", context.params)
    return charge


def take(state: AccountState, charge: Object, amount: int, param: str, params: Object) -> None:
    """Capture an amount; the rest of what the card holds is let go."""
    if not 1 <= amount <= charge["amount"]:
        raise ErrorResponse("The amount to capture is more than the card holds.", code="amount_too_large", param=param)
    if "application_fee_amount" in params:
        state.objects.update(charge, application_fee_amount=params["application_fee_amount"])
    settle(state, charge, amount, params)
    state.objects.update(charge, amount_refunded=charge["amount"] - amount)
    state.events.emit("captured", charge)


@operation("charges.update")
def update(context: OperationContext) -> Object:
    """Change what is said of a charge."""
    charge = context.state.objects.get("charge", context.target_id)
    return context.state.apply_update(
        charge, {name: value for name, value in context.params.items() if name != "customer"}
    )
