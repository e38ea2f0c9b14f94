"""Disputes: a cardholder says that a charge was wrong. https://docs.stripe.com/disputes/how-disputes-work"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import balance
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import missing_object, wrong_state

FEE = 1500
"""What Stripe takes for a dispute in the US, in cents."""
OPEN = ("needs_response", "warning_needs_response")


def open_dispute(state: AccountState, charge: Object, reason: str) -> None:
    """Dispute a charge: its money and a fee are withdrawn, but for an inquiry."""
    inquiry = reason == "inquiry"
    dispute = state.draft("dispute")
    dispute.update(
        amount=charge["amount"],
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        evidence=dict.fromkeys(dispute["evidence"]) | {"enhanced_evidence": {}},
        evidence_details={
            "due_by": state.clock.now() + 9 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=inquiry,
        payment_intent=charge["payment_intent"],
        reason="general" if inquiry else reason,
        status="warning_needs_response" if inquiry else "needs_response",
        enhanced_eligibility_types=[],
    )
    state.objects.add(dispute)
    state.objects.update(charge, disputed=True)
    if not inquiry:
        _move(state, dispute, -charge["amount"], FEE)
    state.events.emit("created", dispute)
    if not inquiry:
        state.events.emit("funds_withdrawn", dispute)


def _move(state: AccountState, dispute: Object, amount: int, fee: int = 0) -> None:
    moved = balance.record(state, "adjustment", dispute, amount, fee)
    state.objects.update(dispute, balance_transactions=[*dispute["balance_transactions"], moved])


def _find(context: OperationContext) -> Object:
    if "dispute" in context.path:
        return context.state.objects.get("dispute", context.path["dispute"])
    charge = context.state.objects.get("charge", context.path["charge"])
    found = next(context.state.objects.all("dispute", charge=charge["id"]), None)
    if found is None:
        raise missing_object("dispute", charge["id"])
    return found


@operation("charges.dispute.retrieve")
def retrieve(context: OperationContext) -> Object:
    """The dispute of a charge."""
    return _find(context)


@operation("disputes.update", "charges.dispute.update")
def update(context: OperationContext) -> Object:
    """Add evidence; ``winning_evidence`` and ``losing_evidence`` as the text that has no category decide at once."""
    state, params = context.state, dict(context.params)
    dispute = _find(context)
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
    state.apply_update(dispute, params, **fields)
    verdict = {"winning_evidence": "won", "losing_evidence": "lost"}.get(str(given.get("uncategorized_text")))
    if submit and verdict:
        _close(state, dispute, "warning_closed" if warning else verdict)
    return dispute


@operation("disputes.close", "charges.dispute.close")
def close(context: OperationContext) -> Object:
    """Accept a dispute: it is lost."""
    dispute = _find(context)
    if dispute["status"] not in OPEN:
        raise wrong_state(dispute, "close")
    _close(context.state, dispute, "warning_closed" if dispute["status"].startswith("warning") else "lost")
    return dispute


def _close(state: AccountState, dispute: Object, status: str) -> None:
    state.objects.update(dispute, status=status, is_charge_refundable=status != "lost")
    if status == "won":
        _move(state, dispute, dispute["amount"])
        state.events.emit("funds_reinstated", dispute)
    state.events.emit("closed", dispute)
