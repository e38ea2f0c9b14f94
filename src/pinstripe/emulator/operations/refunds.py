"""Refunds: all of a charge or a part, once. https://docs.stripe.com/refunds"""

from __future__ import annotations

from pinstripe.emulator.operations import accounts, balance
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.test_cards import instrument_card
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param, wrong_state


@operation("refunds.create", "charges.refund", "charges.refunds.create")
def create(context: OperationContext) -> Object:
    """Give money back; a charge's own route answers with the charge."""
    refund = give_back(context.state, _charge(context), context.params)
    return context.state.objects.get("charge", refund["charge"]) if context.endpoint.method == "refund" else refund


def _charge(context: OperationContext) -> Object:
    state, params = context.state, context.params
    if identifier := context.path.get("charge"):
        return state.objects.get("charge", identifier)
    if identifier := params.get("charge"):
        return state.objects.get("charge", identifier, "charge")
    if "payment_intent" not in params:
        raise missing_param("charge")
    intent = state.objects.get("payment_intent", params["payment_intent"], "payment_intent")
    if not intent["latest_charge"]:
        raise ErrorResponse("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    return state.objects.get("charge", intent["latest_charge"])


def give_back(state: AccountState, charge: Object, params: Object) -> Object:
    """Refund a charge; raises the `ErrorResponse` that Stripe would."""
    left = charge["amount"] - charge["amount_refunded"]  # what was not captured has gone back already
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise ErrorResponse(
            f"Charge {charge['id']} cannot be refunded: it has not been captured.", code="charge_not_refundable"
        )
    if charge["refunded"] or left == 0:
        raise ErrorResponse(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    dispute = next(state.objects.all("dispute", charge=charge["id"]), None)
    if dispute is not None and not dispute["is_charge_refundable"]:
        raise ErrorResponse(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    amount = int(params.get("amount") or left)
    if amount < 1:
        raise ErrorResponse("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise ErrorResponse(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            code="amount_too_large",
            param="amount",
        )
    outcome = instrument_card(state, charge["payment_method"]).refund
    refund = state.create(
        "refund",
        params,
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        destination_details={
            "type": "card",
            "card": {"type": "refund", "reference_status": "pending", "reference_type": "acquirer_reference_number"},
        },
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        status="pending" if outcome == "pending" else "succeeded",
    )
    moved = balance.record(state, "refund", refund, -amount)
    state.objects.update(refund, balance_transaction=moved["id"])
    refunded = charge["amount_refunded"] + amount
    before = state.objects.update(charge, amount_refunded=refunded, refunded=refunded == charge["amount"])
    if params.get("reverse_transfer") and charge.get("transfer"):
        accounts.reverse(state, state.objects.get("transfer", charge["transfer"]), amount, {})
    if params.get("refund_application_fee") and charge["application_fee"]:
        accounts.refund_fee(state, charge["application_fee"], amount, charge["amount"])
    state.events.emit("created", refund)
    state.events.emit("refunded", charge, before)
    if outcome == "failed":
        _fail(state, refund)
    elif outcome == "pending":
        state.clock.schedule(state.clock.now() + 60, "refund.arrive", refund)
    return refund


def _fail(state: AccountState, refund: Object) -> None:
    """The bank could not take the money: it is back in the balance."""
    moved = balance.record(state, "refund_failure", refund, refund["amount"])
    before = state.objects.update(
        refund, status="failed", failure_reason="expired_or_canceled_card", failure_balance_transaction=moved["id"]
    )
    _unrefund(state, refund)
    state.events.emit("updated", refund, before)
    state.events.emit("failed", refund)


def _unrefund(state: AccountState, refund: Object) -> None:
    charge = state.objects.get("charge", refund["charge"])
    state.objects.update(charge, amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)


@timer_handler("refund.arrive")
def _arrive(state: AccountState, refund: Object) -> None:
    if refund["status"] == "pending":
        state.events.emit("updated", refund, state.objects.update(refund, status="succeeded"))


@operation("refunds.cancel", "test_helpers.refunds.expire")
def cancel(context: OperationContext) -> Object:
    """Take back a refund that is on its way; the money is in the balance again."""
    state = context.state
    refund = state.objects.get("refund", context.target_id)
    if refund["status"] not in ("pending", "requires_action"):
        raise wrong_state(refund, context.endpoint.method)
    moved = balance.record(state, "refund_failure", refund, refund["amount"])
    status = "canceled" if context.endpoint.method == "cancel" else "failed"
    before = state.objects.update(refund, status=status, failure_balance_transaction=moved["id"])
    _unrefund(state, refund)
    state.events.emit("updated", refund, before)
    return refund


@includable("charge", "refunds")
def of_charge(state: AccountState, charge: Object) -> Object:
    """A charge's refunds, newest first: shown where they are asked for."""
    data = list(state.objects.all("refund", charge=charge["id"]))
    return embedded_list(data, f"/v1/charges/{charge['id']}/refunds")


@operation("charges.refunds.retrieve")
def retrieve(context: OperationContext) -> Object:
    """A refund of a charge."""
    refund = context.state.objects.get("refund", context.path["refund"])
    if refund["charge"] != context.path["charge"]:
        raise missing_object("refund", refund["id"])
    return refund
