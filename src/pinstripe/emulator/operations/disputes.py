"""Disputes of charges.

https://docs.stripe.com/disputes/how-disputes-work
"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.balance_transactions import record_transaction
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import missing_object, wrong_state

FEE = 1500
"""Stripe's fee for a dispute in the US, in cents."""
RESPONSE_SECONDS = 9 * DAY
OPEN = ("needs_response", "warning_needs_response")
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}
"""The texts of ``evidence[uncategorized_text]`` that decide a dispute. https://docs.stripe.com/testing#disputes"""


def open_dispute(state: AccountState, charge: Object, reason: str) -> None:
    """Dispute a charge, and withdraw its amount and a fee; the reason ``inquiry`` opens one that withdraws nothing."""
    inquiry = reason == "inquiry"
    dispute = state.draft("dispute")
    dispute.update(
        amount=charge["amount"],
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        evidence=dict.fromkeys(dispute["evidence"]) | {"enhanced_evidence": {}},
        evidence_details={
            "due_by": state.clock.now() + RESPONSE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
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
        _record_adjustment(state, dispute, -charge["amount"], FEE)
    state.events.emit("created", dispute)
    if not inquiry:
        state.events.emit("funds_withdrawn", dispute)


def _record_adjustment(state: AccountState, dispute: Object, amount: int, fee: int = 0) -> None:
    transaction = record_transaction(state, "adjustment", dispute, amount, fee)
    state.objects.update(dispute, balance_transactions=[*dispute["balance_transactions"], transaction])


def _find_dispute(context: OperationContext) -> Object:
    if "dispute" in context.path:
        return context.state.objects.get("dispute", context.path["dispute"])
    charge = context.state.objects.get("charge", context.path["charge"])
    dispute = next(context.state.objects.all("dispute", charge=charge["id"]), None)
    if dispute is None:
        raise missing_object("dispute", charge["id"])
    return dispute


@operation("charges.dispute.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return the dispute of a charge."""
    return _find_dispute(context)


@operation("disputes.update", "charges.dispute.update")
def update(context: OperationContext) -> Object:
    """Add evidence, and submit it unless ``submit`` is false; the evidence in `VERDICTS` decides the dispute at once."""
    state, params = context.state, dict(context.params)
    dispute = _find_dispute(context)
    if dispute["status"] not in OPEN:
        raise wrong_state(dispute, "update")
    evidence = params.pop("evidence", None) or {}
    submit = bool(evidence) and params.pop("submit", True)
    details = dict(dispute["evidence_details"])
    details["has_evidence"] = bool(evidence) or details["has_evidence"]
    details["submission_count"] += submit
    if submit:
        details["submission_method"] = "manual"
    fields: Object = {"evidence": {**dispute["evidence"], **evidence}, "evidence_details": details}
    warning = dispute["status"].startswith("warning")
    if submit:
        details["submission_method"] = "manual"
        fields["status"] = "warning_under_review" if warning else "under_review"
    state.apply_update(dispute, params, **fields)
    verdict = VERDICTS.get(str(evidence.get("uncategorized_text")))
    if submit and verdict:
        _close(state, dispute, "warning_closed" if warning else verdict)
    return dispute


@operation("disputes.close", "charges.dispute.close")
def close(context: OperationContext) -> Object:
    """Accept a dispute, which is lost thereby."""
    dispute = _find_dispute(context)
    if dispute["status"] not in OPEN:
        raise wrong_state(dispute, "close")
    _close(context.state, dispute, "warning_closed" if dispute["status"].startswith("warning") else "lost")
    return dispute


def _close(state: AccountState, dispute: Object, status: str) -> None:
    state.objects.update(dispute, status=status, is_charge_refundable=status != "lost")
    if status == "won":
        _record_adjustment(state, dispute, dispute["amount"])
        state.events.emit("funds_reinstated", dispute)
    state.events.emit("closed", dispute)
