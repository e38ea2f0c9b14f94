"""The simple actions, as a table: an object of a kind goes from some states into another, and an event may say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Fields = dict[str, Any]  # Any: JSON
NOW = object()
"""Stands for the time of the action."""


@dataclass(frozen=True)
class Transition:
    """One action."""

    object_type: str
    from_statuses: tuple[str, ...]
    sets: Fields = field(default_factory=dict)
    event: str = ""
    within: str = ""
    """The field that the new values stand in, where it is not the object itself."""

    def fields(self, now: int, part: Fields) -> Fields:
        """What the action changes, in the object or in a part of it."""
        sets = {name: now if value is NOW else value for name, value in self.sets.items()}
        return {self.within: {**part, **sets}} if self.within else sets


def _simple(service: str, kind: str, **actions: tuple[tuple[str, ...], Fields, str]) -> dict[str, Transition]:
    return {f"{service}.{name}": Transition(kind, *action) for name, action in actions.items()}


def _shipping(*names: str) -> dict[str, Transition]:
    states = {"submit": "submitted", "ship": "shipped", "deliver": "delivered", "return": "returned", "fail": "failure"}
    return {
        f"test_helpers.issuing.cards.{name}_card": Transition(
            "issuing.card", (), {"status": states[name]}, "updated", "shipping"
        )
        for name in names
    }


def _reader(service: str, *names: str) -> dict[str, Transition]:
    """What a reader is told to do, and has done at once. https://docs.stripe.com/terminal/payments/collect-card-payment"""
    return {
        f"{service}.{name}": Transition(
            "terminal.reader",
            (),
            {"action": {"type": name, "status": "succeeded", "failure_code": None, "failure_message": None}},
            "action_succeeded",
        )
        for name in names
    }


MOVING = ("processing",)
TRANSITIONS: dict[str, Transition] = {
    **_simple(
        "billing.alerts",
        "billing.alert",
        activate=(("inactive", "active"), {"status": "active"}, ""),
        deactivate=(("active", "inactive"), {"status": "inactive"}, ""),
        archive=(("active", "inactive"), {"status": "archived"}, ""),
    ),
    **_simple(
        "billing.credit_grants",
        "billing.credit_grant",
        expire=((), {"expires_at": NOW}, "updated"),
        void_grant=((), {"voided_at": NOW}, "updated"),
    ),
    **_simple(
        "climate.orders",
        "climate.order",
        cancel=(
            ("awaiting_funds", "confirmed", "open"),
            {"status": "canceled", "canceled_at": NOW, "cancellation_reason": "requested"},
            "canceled",
        ),
    ),
    **_simple(
        "financial_connections.accounts",
        "financial_connections.account",
        disconnect=(("active", "inactive"), {"status": "disconnected"}, "disconnected"),
        refresh=(("active",), {"ownership_refresh": {"last_attempted_at": 0, "status": "succeeded"}}, ""),
        subscribe=(("active",), {"subscriptions": ["transactions"]}, ""),
        unsubscribe=(("active",), {"subscriptions": []}, ""),
    ),
    **_simple(
        "linked_accounts",
        "financial_connections.account",
        disconnect=(("active", "inactive"), {"status": "disconnected"}, "disconnected"),
        refresh=(("active",), {"ownership_refresh": {"last_attempted_at": 0, "status": "succeeded"}}, ""),
    ),
    **_simple(
        "identity.verification_sessions",
        "identity.verification_session",
        cancel=(("requires_input",), {"status": "canceled", "client_secret": None, "url": None}, "canceled"),
        redact=((), {"redaction": {"status": "redacted"}}, "redacted"),
    ),
    **_simple(
        "invoice_rendering_templates",
        "invoice_rendering_template",
        archive=(("active",), {"status": "archived"}, ""),
        unarchive=(("archived",), {"status": "active"}, ""),
    ),
    **_simple(
        "issuing.authorizations",
        "issuing.authorization",
        approve=(("pending",), {"approved": True}, "updated"),
        decline=(("pending",), {"approved": False, "status": "closed"}, "updated"),
    ),
    **_simple("issuing.disputes", "issuing.dispute", submit=(("unsubmitted",), {"status": "submitted"}, "submitted")),
    **_simple(
        "test_helpers.issuing.authorizations",
        "issuing.authorization",
        expire=(("pending",), {"status": "expired"}, "updated"),
        finalize_amount=(("pending",), {}, "updated"),
        increment=(("pending",), {}, "updated"),
        respond=((), {}, "updated"),
        reverse=(("pending",), {"status": "reversed"}, "updated"),
    ),
    **_simple(
        "test_helpers.issuing.personalization_designs",
        "issuing.personalization_design",
        activate=((), {"status": "active"}, "activated"),
        deactivate=((), {"status": "inactive"}, "deactivated"),
        reject=((), {"status": "rejected"}, "rejected"),
    ),
    **_simple(
        "test_helpers.issuing.settlements",
        "issuing.settlement",
        complete=(("pending",), {"status": "complete"}, ""),
    ),
    **_shipping("submit", "ship", "deliver", "return", "fail"),
    **_simple(
        "payment_method_domains",
        "payment_method_domain",
        validate=((), {"enabled": True}, ""),
    ),
    **_simple(
        "reviews", "review", approve=((), {"open": False, "closed_reason": "approved", "reason": "approved"}, "closed")
    ),
    **_simple("sources", "source", verify=((), {"status": "chargeable"}, "chargeable")),
    **_reader(
        "terminal.readers",
        "collect_inputs",
        "collect_payment_method",
        "confirm_payment_intent",
        "process_payment_intent",
        "process_setup_intent",
        "refund_payment",
        "set_reader_display",
    ),
    "terminal.readers.cancel_action": Transition("terminal.reader", (), {"action": None}, "updated"),
    "test_helpers.terminal.readers.present_payment_method": Transition("terminal.reader", ()),
    "test_helpers.terminal.readers.succeed_input_collection": Transition("terminal.reader", ()),
    "test_helpers.terminal.readers.timeout_input_collection": Transition(
        "terminal.reader", (), {"status": "failed", "failure_code": "collection_timeout"}, "action_failed", "action"
    ),
    "treasury.financial_accounts.close": Transition(
        "treasury.financial_account", ("open",), {"status": "closed"}, "closed"
    ),
    **_simple(
        "treasury.inbound_transfers",
        "treasury.inbound_transfer",
        cancel=(MOVING, {"status": "canceled", "cancelable": False}, "canceled"),
    ),
    **_simple(
        "test_helpers.treasury.inbound_transfers",
        "treasury.inbound_transfer",
        succeed=(MOVING, {"status": "succeeded", "cancelable": False}, "succeeded"),
        fail=(MOVING, {"status": "failed", "cancelable": False, "failure_details": {"code": "no_account"}}, "failed"),
        return_inbound_transfer=(("succeeded",), {"returned": True}, ""),
    ),
}
for _service, _kind in (
    ("outbound_payments", "treasury.outbound_payment"),
    ("outbound_transfers", "treasury.outbound_transfer"),
):
    TRANSITIONS |= _simple(
        f"treasury.{_service}", _kind, cancel=(MOVING, {"status": "canceled", "cancelable": False}, "canceled")
    )
    _returned = {"status": "returned", "cancelable": False}
    TRANSITIONS |= _simple(
        f"test_helpers.treasury.{_service}",
        _kind,
        fail=(MOVING, {"status": "failed", "cancelable": False}, "failed"),
        post=(MOVING, {"status": "posted", "cancelable": False}, "posted"),
        **{f"return_{_service[:-1]}": ((*MOVING, "posted"), _returned, "returned")},
    )
