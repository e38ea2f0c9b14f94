"""Charges: what a card's bank is asked for, and what then happens to the money. https://docs.stripe.com/api/charges"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.billing import money
from pinstripe.emulator.operations import accounts, balance, disputes
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations.sources import default_source, from_token
from pinstripe.emulator.operations.test_cards import card_of
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_param


def make(
    world: World,
    params: Object,
    method: Object,
    refusal: Refusal | None,
    *,
    capture: bool = True,
    **fields: Any,  # Any: JSON
) -> Object:
    """A charge, after the card's bank has said yes, or no; where it is captured, the balance has the money."""
    paid, said = refusal is None, refusal.error if refusal else {}
    card = card_of(world, method)
    charge = world.make(
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
        outcome=_outcome(refusal, card.risk),
        paid=paid,
        payment_method=method["id"],
        payment_method_details=_details(method),
        receipt_url=f"{world.base}/receipts/{world.new_id('url')}",
        status="succeeded" if paid else "failed",
        transfer_group=params.get("transfer_group"),
        **fields,
    )
    charge["receipt_url"] = f"{world.base}/receipts/{charge['id']}"
    if transfer := params.get("transfer_data"):
        world.change(charge, transfer_data={"destination": transfer["destination"], "amount": transfer.get("amount")})
    if paid and capture:
        settle(world, charge, charge["amount"], params)
    return charge


def settle(world: World, charge: Object, amount: int, params: Object) -> None:
    """Capture a charge: the money is in the balance, and shared with connected accounts where that was asked for."""
    card = card_of(world, world.objects.get(charge["payment_method"], {"id": ""}))
    moved = balance.record(world, "charge", charge, amount, money.fee(amount), wait=balance.WAIT if card.pending else 0)
    world.change(charge, captured=True, amount_captured=amount, balance_transaction=moved["id"])
    if charge["transfer_data"]:
        accounts.share(world, charge, amount)
    elif charge["application_fee_amount"]:
        accounts.take_fee(world, charge, int(charge["application_fee_amount"]))


def after(world: World, charge: Object, method: Object) -> None:
    """What a test card does when it was charged: some dispute it."""
    if reason := card_of(world, method).dispute:
        disputes.open_dispute(world, charge, reason)


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


def _outcome(refusal: Refusal | None, risk: str) -> Object:
    if refusal is None:
        return {
            "network_status": "approved_by_network",
            "reason": "elevated_risk_level" if risk == "elevated" else None,
            "risk_level": risk,
            "risk_score": {"normal": 20, "elevated": 70}.get(risk, 90),
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    blocked = refusal.error.get("decline_code") == "fraudulent"
    return {
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": "highest_risk_level" if blocked else refusal.error.get("decline_code"),
        "risk_level": "highest" if blocked else "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "blocked" if blocked else "issuer_declined",
    }


@life("charges.create")
def create(ask: Ask) -> Object:
    """A charge of a token, of a customer's card, or of its default one."""
    world, params = ask.world, ask.params
    if "amount" not in params or "currency" not in params:
        raise missing_param("amount" if "amount" not in params else "currency")
    check_amount(params["amount"], params["currency"].lower())
    customer = world.get("customer", params["customer"], "customer") if "customer" in params else None
    source = params.get("source") or params.get("card")
    if source:
        method = from_token(world, source, customer)
    elif customer is None:
        raise Refusal("Must provide source or customer.")
    else:
        found = default_source(world, customer)
        if found is None:
            raise Refusal(
                "Cannot charge a customer that has no active card", status=402, type="card_error", code="missing"
            )
        method = found
    refusal = card_of(world, method).refuse()
    if card_of(world, method).authentication == "always" and refusal is None:
        refusal = Refusal(
            "Your card was declined. This transaction requires authentication.",
            status=402, type="card_error", code="authentication_required", decline_code="authentication_required",
        )  # fmt: skip
    charge = make(
        world,
        params,
        method,
        refusal,
        capture=params.get("capture", True),
        customer=customer["id"] if customer else None,
    )
    if refusal is not None:
        world.emit("failed", charge)
        refusal.error["charge"] = charge["id"]
        raise refusal
    world.emit("succeeded", charge)
    after(world, charge, method)
    return charge


def check_amount(amount: int, currency: str) -> None:
    """Refuse amounts that no card is charged for."""
    if amount < 1:
        raise Refusal(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount < (least := money.smallest(currency)):
        raise Refusal(
            f"Amount must be at least {money.written(least, currency)}.", code="amount_too_small", param="amount"
        )
    if amount > 99_999_999:
        raise Refusal("Amount must be no more than 999,999.99.", code="amount_too_large", param="amount")


@life("charges.capture")
def capture(ask: Ask) -> Object:
    """Take the money that a card holds, or less of it."""
    world = ask.world
    charge = world.get("charge", ask.target)
    if charge["captured"] or charge["status"] != "succeeded":
        raise Refusal(f"Charge {charge['id']} has already been captured.", code="charge_already_captured")
    if charge["amount_refunded"]:
        raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    take(world, charge, int(ask.params.get("amount") or charge["amount"]), "amount", ask.params)
    return charge


def take(world: World, charge: Object, amount: int, param: str, params: Object) -> None:
    """Capture an amount; the rest of what the card holds is let go."""
    if not 1 <= amount <= charge["amount"]:
        raise Refusal("The amount to capture is more than the card holds.", code="amount_too_large", param=param)
    if "application_fee_amount" in params:
        world.change(charge, application_fee_amount=params["application_fee_amount"])
    settle(world, charge, amount, params)
    world.change(charge, amount_refunded=charge["amount"] - amount)
    world.emit("captured", charge)


@life("charges.update")
def update(ask: Ask) -> Object:
    """Change what is said of a charge."""
    charge = ask.world.get("charge", ask.target)
    return ask.world.update(charge, {name: value for name, value in ask.params.items() if name != "customer"})
