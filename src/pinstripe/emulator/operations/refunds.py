"""Full and partial refunds of charges.

https://docs.stripe.com/refunds
"""

from __future__ import annotations

from pinstripe.emulator.operations import application_fees, charges, payment_intents, transfers
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.balance_transactions import record_transaction
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.test_cards import card_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object, clone, previous_values
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param, wrong_state

PENDING_SECONDS = 60
"""The number of seconds before the refund of a card with pending refunds succeeds."""
CARD_DESTINATION: Object = {
    "type": "card",
    "card": {"type": "refund", "reference_status": "pending", "reference_type": "acquirer_reference_number"},
}


@operation("refunds.create", "charges.refund", "charges.refunds.create")
def create(context: OperationContext) -> Object:
    """Refund a charge; ``charges.refund`` returns the charge instead of the refund."""
    refund = refund_charge(context.state, _charge_to_refund(context), context.params)
    return context.state.objects.get("charge", refund["charge"]) if context.endpoint.method == "refund" else refund


def _charge_to_refund(context: OperationContext) -> Object:
    state, params = context.state, context.params
    if charge_id := context.path.get("charge"):
        return state.objects.get("charge", charge_id)
    if charge_id := params.get("charge"):
        return state.objects.get("charge", charge_id, "charge")
    if "payment_intent" not in params:
        raise missing_param("charge")
    intent = state.objects.get("payment_intent", params["payment_intent"], "payment_intent")
    if not intent["latest_charge"]:
        raise ErrorResponse("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    return state.objects.get("charge", intent["latest_charge"])


def refund_charge(state: AccountState, charge: Object, params: Object) -> Object:
    """Refund a charge; raise `ErrorResponse` when it cannot be refunded."""
    amount = _refund_amount(state, charge, params.get("amount"))
    outcome = card_of(state, charge["payment_method"]).refund
    if not charge["captured"]:
        return _release(state, charge, params)
    status = "pending" if outcome == "pending" else "succeeded"
    refund = _create_refund(state, charge, params, amount=amount, status=status)
    transaction = record_transaction(state, "refund", refund, -amount)
    state.objects.update(refund, balance_transaction=transaction["id"])
    refunded = charge["amount_refunded"] + amount
    previous = state.objects.update(charge, amount_refunded=refunded, refunded=refunded == charge["amount"])
    if params.get("reverse_transfer") and charge.get("transfer"):
        transfers.reverse_transfer_of_charge(state, charge, amount)
    if params.get("refund_application_fee") and charge["application_fee"]:
        application_fees.refund_fee_of_charge(state, charge, amount)
    state.events.emit("created", refund)
    state.events.emit("refunded", charge, previous)
    if outcome == "failed":
        state.clock.defer("refund.fail", refund)
    elif outcome == "pending":
        state.clock.schedule(state.clock.now() + PENDING_SECONDS, "refund.arrive", refund)
    return refund


def _create_refund(state: AccountState, charge: Object, params: Object, **fields: JSON) -> Object:
    return state.create(
        "refund",
        params,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details=CARD_DESTINATION,
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=params.get("reason"),
        **fields,
    )


def _release(state: AccountState, charge: Object, params: Object) -> Object:
    """Release the amount of an uncaptured charge, which was never in the balance, and cancel its payment intent."""
    if params.get("amount") not in (None, charge["amount"]):
        raise ErrorResponse(
            "You cannot partially refund an uncaptured charge. Instead, capture an amount less than the original amount",
            param="amount",
        )
    refund = _create_refund(state, charge, params, amount=charge["amount"], status="succeeded")
    state.events.emit("created", refund)
    intent = state.objects.find("payment_intent", charge["payment_intent"])
    if intent is not None:
        payment_intents.cancel_payment_intent(state, intent, None)
    else:
        charges.release_charge(state, charge)
    return refund


def _refund_amount(state: AccountState, charge: Object, requested: int | None) -> int:
    refundable = charge["amount"] - charge["amount_refunded"]  # an uncaptured part counts as refunded
    if charge["status"] != "succeeded":
        raise ErrorResponse(
            f"Charge {charge['id']} cannot be refunded: it has not succeeded.", code="charge_not_refundable"
        )
    if charge["refunded"] or refundable == 0:
        raise ErrorResponse(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    dispute = next(state.objects.all("dispute", charge=charge["id"]), None)
    if dispute is not None and not dispute["is_charge_refundable"]:
        raise ErrorResponse(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    amount = int(requested or refundable)
    if amount < 1:
        raise ErrorResponse("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > refundable:
        raise ErrorResponse(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({refundable})",
            code="amount_too_large",
            param="amount",
        )
    return amount


@timer_handler("refund.fail")
def _fail(state: AccountState, refund: Object) -> None:
    """Return the amount to the balance, because the bank could not accept the refund."""
    previous = _undo(state, refund, status="failed", failure_reason="expired_or_canceled_card")
    _emit_updated(state, refund, previous)
    state.events.emit("failed", refund)


def _emit_updated(state: AccountState, refund: Object, previous: Object) -> None:
    for event_type in ("refund.updated", "charge.refund.updated"):
        state.events.emit(event_type, refund, previous)


def _undo(state: AccountState, refund: Object, **fields: str) -> Object:
    """Return the amount to the balance and the charge; return the previous values of the refund."""
    transaction = record_transaction(state, "refund_failure", refund, refund["amount"])
    previous = state.objects.update(refund, failure_balance_transaction=transaction["id"], **fields)
    charge = state.objects.get("charge", refund["charge"])
    state.objects.update(charge, amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
    return previous


@timer_handler("refund.arrive")
def _arrive(state: AccountState, refund: Object) -> None:
    if refund["status"] == "pending":
        _emit_updated(state, refund, state.objects.update(refund, status="succeeded"))


@operation("refunds.update")
def update(context: OperationContext) -> Object:
    """Update the metadata of a refund."""
    state = context.state
    refund = state.objects.get("refund", context.target_id)
    before = clone(refund)
    state.apply_update(refund, context.params)
    if refund["charge"] and (previous := previous_values(before, refund)):
        state.events.emit("charge.refund.updated", refund, previous)
    return refund


@operation("refunds.cancel", "test_helpers.refunds.expire")
def cancel(context: OperationContext) -> Object:
    """Cancel a pending refund, or let it expire; the amount returns to the balance."""
    state = context.state
    refund = state.objects.get("refund", context.target_id)
    if refund["status"] not in ("pending", "requires_action"):
        raise wrong_state(refund, context.endpoint.method)
    previous = _undo(state, refund, status="canceled" if context.endpoint.method == "cancel" else "failed")
    _emit_updated(state, refund, previous)
    return refund


@includable("charge", "refunds")
def refunds_of_charge(state: AccountState, charge: Object) -> Object:
    """Return the refunds of a charge, newest first."""
    refunds = list(state.objects.all("refund", charge=charge["id"]))
    return embedded_list(refunds, f"/v1/charges/{charge['id']}/refunds")


@operation("charges.refunds.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return a refund of a charge."""
    refund = context.state.objects.get("refund", context.path["refund"])
    if refund["charge"] != context.path["charge"]:
        raise missing_object("refund", refund["id"])
    return refund
