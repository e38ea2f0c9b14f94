"""Refunds: all of a charge or a part, once. https://docs.stripe.com/refunds"""

from __future__ import annotations

from pinstripe.emulator.operations import accounts, balance
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._lists import embedded
from pinstripe.emulator.operations.test_cards import card_of
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.state.timers import timer
from pinstripe.emulator.validation.errors import Refusal, missing_object, missing_param, wrong_state


@life("refunds.create", "charges.refund", "charges.refunds.create")
def create(ask: Ask) -> Object:
    """Give money back; a charge's own route answers with the charge."""
    refund = give_back(ask.world, _charge(ask), ask.params)
    return ask.world.get("charge", refund["charge"]) if ask.row.method == "refund" else refund


def _charge(ask: Ask) -> Object:
    world, params = ask.world, ask.params
    if identifier := ask.path.get("charge"):
        return world.get("charge", identifier)
    if identifier := params.get("charge"):
        return world.get("charge", identifier, "charge")
    if "payment_intent" not in params:
        raise missing_param("charge")
    intent = world.get("payment_intent", params["payment_intent"], "payment_intent")
    if not intent["latest_charge"]:
        raise Refusal("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    return world.get("charge", intent["latest_charge"])


def give_back(world: World, charge: Object, params: Object) -> Object:
    """Refund a charge; raises the `Refusal` that Stripe would."""
    left = charge["amount"] - charge["amount_refunded"]  # what was not captured has gone back already
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise Refusal(
            f"Charge {charge['id']} cannot be refunded: it has not been captured.", code="charge_not_refundable"
        )
    if charge["refunded"] or left == 0:
        raise Refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    dispute = next(world.every("dispute", charge=charge["id"]), None)
    if dispute is not None and not dispute["is_charge_refundable"]:
        raise Refusal(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    amount = int(params.get("amount") or left)
    if amount < 1:
        raise Refusal("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise Refusal(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            code="amount_too_large",
            param="amount",
        )
    method = world.objects.get(charge["payment_method"] or "", {"id": ""})
    outcome = card_of(world, method).refund
    refund = world.make(
        "refund",
        params,
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        destination_details={"type": "card",
        "card": {"type": "refund", "reference_status": "pending", "reference_type": "acquirer_reference_number"}},
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        status="pending" if outcome == "pending" else "succeeded",
    )  # fmt: skip
    moved = balance.record(world, "refund", refund, -amount)
    world.change(refund, balance_transaction=moved["id"])
    refunded = charge["amount_refunded"] + amount
    before = world.change(charge, amount_refunded=refunded, refunded=refunded == charge["amount"])
    if params.get("reverse_transfer") and charge.get("transfer"):
        accounts.reverse(world, world.get("transfer", charge["transfer"]), amount, {})
    if params.get("refund_application_fee") and charge["application_fee"]:
        accounts.refund_fee(world, charge["application_fee"], amount, charge["amount"])
    world.emit("created", refund)
    world.emit("refunded", charge, before)
    if outcome == "failed":
        _fail(world, refund)
    elif outcome == "pending":
        world.later(world.now() + 60, "refund.arrive", refund)
    return refund


def _fail(world: World, refund: Object) -> None:
    """The bank could not take the money: it is back in the balance."""
    moved = balance.record(world, "refund_failure", refund, refund["amount"])
    before = world.change(
        refund, status="failed", failure_reason="expired_or_canceled_card", failure_balance_transaction=moved["id"]
    )
    _unrefund(world, refund)
    world.emit("updated", refund, before)
    world.emit("failed", refund)


def _unrefund(world: World, refund: Object) -> None:
    charge = world.get("charge", refund["charge"])
    world.change(charge, amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)


@timer("refund.arrive")
def _arrive(world: World, refund: Object) -> None:
    if refund["status"] == "pending":
        world.emit("updated", refund, world.change(refund, status="succeeded"))


@life("refunds.cancel", "test_helpers.refunds.expire")
def cancel(ask: Ask) -> Object:
    """Take back a refund that is on its way; the money is in the balance again."""
    world = ask.world
    refund = world.get("refund", ask.target)
    if refund["status"] not in ("pending", "requires_action"):
        raise wrong_state(refund, ask.row.method)
    moved = balance.record(world, "refund_failure", refund, refund["amount"])
    status = "canceled" if ask.row.method == "cancel" else "failed"
    before = world.change(refund, status=status, failure_balance_transaction=moved["id"])
    _unrefund(world, refund)
    world.emit("updated", refund, before)
    return refund


@includable("charge", "refunds")
def of_charge(world: World, charge: Object) -> Object:
    """A charge's refunds, newest first: shown where they are asked for."""
    data = list(world.every("refund", charge=charge["id"]))
    return embedded(data, f"/v1/charges/{charge['id']}/refunds")


@life("charges.refunds.retrieve")
def retrieve(ask: Ask) -> Object:
    """A refund of a charge."""
    refund = ask.world.get("refund", ask.path["refund"])
    if refund["charge"] != ask.path["charge"]:
        raise missing_object("refund", refund["id"])
    return refund
