"""Disputes: a cardholder says that a charge was wrong. https://docs.stripe.com/disputes/how-disputes-work"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import balance
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import missing_object, wrong_state

FEE = 1500
"""What Stripe takes for a dispute in the US, in cents."""
OPEN = ("needs_response", "warning_needs_response")


def open_dispute(world: World, charge: Object, reason: str) -> None:
    """Dispute a charge: its money and a fee are withdrawn, but for an inquiry."""
    inquiry = reason == "inquiry"
    dispute = world.draft("dispute")
    dispute.update(
        amount=charge["amount"],
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        evidence=dict.fromkeys(dispute["evidence"]) | {"enhanced_evidence": {}},
        evidence_details={
            "due_by": world.now() + 9 * DAY, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=inquiry,
        payment_intent=charge["payment_intent"],
        reason="general" if inquiry else reason,
        status="warning_needs_response" if inquiry else "needs_response",
        enhanced_eligibility_types=[],
    )  # fmt: skip
    world.keep(dispute)
    world.change(charge, disputed=True)
    if not inquiry:
        _move(world, dispute, -charge["amount"], FEE)
    world.emit("created", dispute)
    if not inquiry:
        world.emit("funds_withdrawn", dispute)


def _move(world: World, dispute: Object, amount: int, fee: int = 0) -> None:
    moved = balance.record(world, "adjustment", dispute, amount, fee)
    world.change(dispute, balance_transactions=[*dispute["balance_transactions"], moved])


def _find(ask: Ask) -> Object:
    if "dispute" in ask.path:
        return ask.world.get("dispute", ask.path["dispute"])
    charge = ask.world.get("charge", ask.path["charge"])
    found = next(ask.world.every("dispute", charge=charge["id"]), None)
    if found is None:
        raise missing_object("dispute", charge["id"])
    return found


@life("charges.dispute.retrieve")
def retrieve(ask: Ask) -> Object:
    """The dispute of a charge."""
    return _find(ask)


@life("disputes.update", "charges.dispute.update")
def update(ask: Ask) -> Object:
    """Add evidence; ``winning_evidence`` and ``losing_evidence`` as the text that has no category decide at once."""
    world, params = ask.world, dict(ask.params)
    dispute = _find(ask)
    if dispute["status"] not in OPEN:
        raise wrong_state(dispute, "update")
    given = params.pop("evidence", None) or {}
    evidence = {**dispute["evidence"], **given}
    submit = bool(given) and params.pop("submit", True)
    details = dict(dispute["evidence_details"])
    details.update(
        has_evidence=bool(given) or details["has_evidence"], submission_count=details["submission_count"] + submit
    )
    fields: Object = {"evidence": evidence, "evidence_details": details}
    warning = dispute["status"].startswith("warning")
    if submit:
        fields["status"] = "warning_under_review" if warning else "under_review"
    world.update(dispute, params, **fields)
    verdict = {"winning_evidence": "won", "losing_evidence": "lost"}.get(str(given.get("uncategorized_text")))
    if submit and verdict:
        _close(world, dispute, "warning_closed" if warning else verdict)
    return dispute


@life("disputes.close", "charges.dispute.close")
def close(ask: Ask) -> Object:
    """Accept a dispute: it is lost."""
    dispute = _find(ask)
    if dispute["status"] not in OPEN:
        raise wrong_state(dispute, "close")
    _close(ask.world, dispute, "warning_closed" if dispute["status"].startswith("warning") else "lost")
    return dispute


def _close(world: World, dispute: Object, status: str) -> None:
    world.change(dispute, status=status, is_charge_refundable=status != "lost")
    if status == "won":
        _move(world, dispute, dispute["amount"])
        world.emit("funds_reinstated", dispute)
    world.emit("closed", dispute)
