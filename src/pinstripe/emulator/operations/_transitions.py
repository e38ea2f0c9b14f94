"""Operations that only change the status or a few fields of an object, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from pinstripe.emulator.state.json_values import JSON, Object

NOW = object()
"""Stands for the time of the request."""


@dataclass(frozen=True)
class Transition:
    """The changes of an operation, the statuses that allow it (any if empty), and the event that it emits."""

    object_type: str
    from_statuses: tuple[str, ...]
    fields: Object
    event: str = ""
    part: str = ""
    """The field whose object is changed; empty for the object itself."""

    def changes(self, now: int, current_part: Object) -> Object:
        """Return the new values of fields of the object."""
        fields = {name: now if value is NOW else value for name, value in self.fields.items()}
        return {self.part: {**current_part, **fields}} if self.part else fields


def _on(object_type: str, *from_statuses: str, event: str = "", part: str = "", **fields: JSON) -> Transition:
    return Transition(object_type, from_statuses, fields, event, part)


ALERT = "billing.alert"
CREDIT_GRANT = "billing.credit_grant"
BANK_ACCOUNT = "financial_connections.account"
VERIFICATION = "identity.verification_session"
AUTHORIZATION = "issuing.authorization"
DESIGN = "issuing.personalization_design"
READER = "terminal.reader"
INBOUND = "treasury.inbound_transfer"

TRANSITIONS: dict[str, Transition] = {
    "billing.alerts.activate": _on(ALERT, "inactive", "active", status="active"),
    "billing.alerts.deactivate": _on(ALERT, "active", "inactive", status="inactive"),
    "billing.alerts.archive": _on(ALERT, "active", "inactive", status="archived"),
    "billing.credit_grants.expire": _on(CREDIT_GRANT, event="updated", expires_at=NOW),
    "billing.credit_grants.void_grant": _on(CREDIT_GRANT, event="updated", voided_at=NOW),
    "climate.orders.cancel": _on(
        "climate.order",
        "awaiting_funds",
        "confirmed",
        "open",
        event="canceled",
        status="canceled",
        canceled_at=NOW,
        cancellation_reason="requested",
    ),
    "financial_connections.accounts.subscribe": _on(BANK_ACCOUNT, "active", subscriptions=["transactions"]),
    "financial_connections.accounts.unsubscribe": _on(BANK_ACCOUNT, "active", subscriptions=[]),
    "identity.verification_sessions.cancel": _on(
        VERIFICATION, "requires_input", event="canceled", status="canceled", client_secret=None, url=None
    ),
    "identity.verification_sessions.redact": _on(VERIFICATION, event="redacted", redaction={"status": "redacted"}),
    "invoice_rendering_templates.archive": _on("invoice_rendering_template", "active", status="archived"),
    "invoice_rendering_templates.unarchive": _on("invoice_rendering_template", "archived", status="active"),
    "issuing.authorizations.approve": _on(AUTHORIZATION, "pending", event="updated", approved=True),
    "issuing.authorizations.decline": _on(AUTHORIZATION, "pending", event="updated", approved=False, status="closed"),
    "issuing.disputes.submit": _on("issuing.dispute", "unsubmitted", event="submitted", status="submitted"),
    "test_helpers.issuing.authorizations.expire": _on(AUTHORIZATION, "pending", event="updated", status="expired"),
    "test_helpers.issuing.authorizations.finalize_amount": _on(AUTHORIZATION, "pending", event="updated"),
    "test_helpers.issuing.authorizations.increment": _on(AUTHORIZATION, "pending", event="updated"),
    "test_helpers.issuing.authorizations.respond": _on(AUTHORIZATION, event="updated"),
    "test_helpers.issuing.authorizations.reverse": _on(AUTHORIZATION, "pending", event="updated", status="reversed"),
    "test_helpers.issuing.personalization_designs.activate": _on(DESIGN, event="activated", status="active"),
    "test_helpers.issuing.personalization_designs.deactivate": _on(DESIGN, event="deactivated", status="inactive"),
    "test_helpers.issuing.personalization_designs.reject": _on(DESIGN, event="rejected", status="rejected"),
    "test_helpers.issuing.settlements.complete": _on("issuing.settlement", "pending", status="complete"),
    "payment_method_domains.validate": _on("payment_method_domain", enabled=True),
    "reviews.approve": _on("review", event="closed", open=False, closed_reason="approved", reason="approved"),
    "sources.verify": _on("source", event="chargeable", status="chargeable"),
    "terminal.readers.cancel_action": _on(READER, event="updated", action=None),
    "test_helpers.terminal.readers.present_payment_method": _on(READER),
    "test_helpers.terminal.readers.succeed_input_collection": _on(READER),
    "test_helpers.terminal.readers.timeout_input_collection": _on(
        READER, event="action_failed", part="action", status="failed", failure_code="collection_timeout"
    ),
    "treasury.financial_accounts.close": _on("treasury.financial_account", "open", event="closed", status="closed"),
    "treasury.inbound_transfers.cancel": _on(
        INBOUND, "processing", event="canceled", status="canceled", cancelable=False
    ),
    "test_helpers.treasury.inbound_transfers.succeed": _on(
        INBOUND, "processing", event="succeeded", status="succeeded", cancelable=False
    ),
    "test_helpers.treasury.inbound_transfers.fail": _on(
        INBOUND,
        "processing",
        event="failed",
        status="failed",
        cancelable=False,
        failure_details={"code": "no_account"},
    ),
    "test_helpers.treasury.inbound_transfers.return_inbound_transfer": _on(INBOUND, "succeeded", returned=True),
}
"""The transitions by operation. https://docs.stripe.com/api"""

for _service in ("financial_connections.accounts", "linked_accounts"):
    TRANSITIONS |= {
        f"{_service}.disconnect": _on(BANK_ACCOUNT, "active", "inactive", event="disconnected", status="disconnected"),
        f"{_service}.refresh": _on(
            BANK_ACCOUNT, "active", ownership_refresh={"last_attempted_at": 0, "status": "succeeded"}
        ),
    }

CARD_SHIPPING = {
    "submit_card": "submitted",
    "ship_card": "shipped",
    "deliver_card": "delivered",
    "return_card": "returned",
    "fail_card": "failure",
}
for _method, _status in CARD_SHIPPING.items():
    TRANSITIONS[f"test_helpers.issuing.cards.{_method}"] = _on(
        "issuing.card", event="updated", part="shipping", status=_status
    )

READER_ACTIONS = (
    "collect_inputs",
    "collect_payment_method",
    "confirm_payment_intent",
    "process_payment_intent",
    "process_setup_intent",
    "refund_payment",
    "set_reader_display",
)
"""The actions of a reader, which succeed at once. https://docs.stripe.com/terminal/payments/collect-card-payment"""
for _method in READER_ACTIONS:
    TRANSITIONS[f"terminal.readers.{_method}"] = _on(
        READER,
        event="action_succeeded",
        action={"type": _method, "status": "succeeded", "failure_code": None, "failure_message": None},
    )

for _name in ("outbound_payment", "outbound_transfer"):
    _type, _service = f"treasury.{_name}", f"treasury.{_name}s"
    TRANSITIONS |= {
        f"{_service}.cancel": _on(_type, "processing", event="canceled", status="canceled", cancelable=False),
        f"test_helpers.{_service}.fail": _on(_type, "processing", event="failed", status="failed", cancelable=False),
        f"test_helpers.{_service}.post": _on(_type, "processing", event="posted", status="posted", cancelable=False),
        f"test_helpers.{_service}.return_{_name}": _on(
            _type, "processing", "posted", event="returned", status="returned", cancelable=False
        ),
    }
