"""Previews of invoices: apply the changes, copy the invoice, and roll the changes back.

https://docs.stripe.com/api/invoices/create_preview
"""

from __future__ import annotations

from collections.abc import Callable

from pinstripe.emulator.billing import subscription_invoices
from pinstripe.emulator.billing.periods import period_at
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem_all
from pinstripe.emulator.operations.invoice_items import create_item
from pinstripe.emulator.operations.subscription_pauses import pause_subscription
from pinstripe.emulator.operations.subscription_updates import apply_update
from pinstripe.emulator.operations.subscriptions import ENDED, start_subscription
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param

SUBSCRIPTION_DETAILS = {
    "cancel_at",
    "cancel_at_period_end",
    "items",
    "proration_behavior",
    "proration_date",
    "trial_end",
    "billing_cycle_anchor",
}
"""The fields of ``subscription_details`` that are parameters of a subscription."""


@operation("invoices.create_preview")
def create_preview(context: OperationContext) -> Object:
    """Return the next invoice of a subscription, of a changed or new subscription, or of a customer."""
    state, params = context.state, context.params
    subscription = None
    if params.get("subscription"):
        subscription = state.objects.get("subscription", params["subscription"], "subscription")
    customer_id = params.get("customer") or (subscription["customer"] if subscription else None)
    if customer_id is None:
        raise missing_param("customer")

    def create_invoice() -> Object:
        customer = state.objects.get("customer", customer_id, "customer")
        invoice = _create_invoice(state, customer, subscription, params)
        if params.get("discounts"):
            owner = {"customer": invoice["customer"], "invoice": invoice["id"]}
            state.objects.update(invoice, discounts=redeem_all(state, params["discounts"], **owner))
            invoices.set_lines(state, invoice, invoice["lines"]["data"])
        return invoice

    return _preview(state, create_invoice)


def preview_renewal(state: AccountState, subscription: Object) -> Object:
    """Return the next invoice of a subscription, as it will be if nothing changes."""
    return _preview(state, lambda: _create_renewal(state, subscription))


def _preview(state: AccountState, create_invoice: Callable[[], Object]) -> Object:
    """Return a copy of an invoice with an id of its own, and undo everything that created it."""
    savepoint = state.transaction.savepoint()
    try:
        invoice = clone(create_invoice())
    finally:
        state.transaction.rollback(savepoint)
    preview_id = f"upcoming_{invoice['id']}"
    data = [{**line, "invoice": preview_id} for line in invoice["lines"]["data"]]
    lines = {**invoice["lines"], "data": data, "url": f"/v1/invoices/{preview_id}/lines"}
    return {**invoice, "lines": lines, "id": preview_id, "status": "draft"}


def _create_invoice(state: AccountState, customer: Object, subscription: Object | None, params: Object) -> Object:
    details = params.get("subscription_details") or {}
    changes = {name: value for name, value in details.items() if name in SUBSCRIPTION_DETAILS}
    currency = (subscription or {}).get("currency") or params.get("currency") or "usd"
    for item_params in params.get("invoice_items") or []:
        fields = {name: value for name, value in item_params.items() if name not in ("invoiceitem", "metadata")}
        create_item(state, customer["id"], {"currency": currency, **fields})
    if subscription is not None:
        return _create_subscription_invoice(state, subscription, changes, details.get("pause"))
    if anchor := changes.get("billing_cycle_anchor"):
        changes["billing_cycle_anchor"] = anchor.get("timestamp")
    if changes.get("items"):
        new = {**changes, "customer": customer["id"], "payment_behavior": "default_incomplete"}
        return state.objects["invoice", start_subscription(state, new)["latest_invoice"]]
    currency = params.get("currency") or customer.get("currency") or "usd"
    items = invoices.pending_items(state, customer["id"], currency)
    if not items:
        raise _nothing_to_preview(f"No upcoming invoices for customer: {customer['id']}")
    invoice = invoices.create_draft(state, customer, {"currency": currency})
    invoices.set_lines(state, invoice, invoices.lines_of_items(state, invoice, items))
    return invoice


def _create_subscription_invoice(
    state: AccountState, subscription: Object, changes: Object, pause: Object | None
) -> Object:
    """Return the invoice that a change or a pause of a subscription creates, or that of its next renewal."""
    if subscription["status"] in ENDED:
        raise _nothing_to_preview("No upcoming invoices: the subscription has ended.")
    latest_invoice = subscription["latest_invoice"]
    if pause is not None:
        pause_subscription(state, subscription, {**pause, "invoicing_behavior": "invoice"})
    elif changes:
        apply_update(state, subscription, {**changes, "payment_behavior": "default_incomplete"})
    if subscription["latest_invoice"] != latest_invoice:
        return state.objects["invoice", subscription["latest_invoice"]]
    return _create_renewal(state, subscription)


def _create_renewal(state: AccountState, subscription: Object) -> Object:
    customer, currency = subscription["customer"], subscription["currency"]
    if subscription["cancel_at"] and not invoices.pending_items(state, customer, currency, subscription["id"]):
        raise _nothing_to_preview("No upcoming invoices: the subscription is going to be canceled.")
    at = min(item["current_period_end"] for item in subscription["items"]["data"])
    with state.clock.at(at):
        items = [item for item in subscription["items"]["data"] if item["current_period_end"] <= at]
        period_start = min(item["current_period_start"] for item in items)
        for item in items:
            _, end = period_at(subscription["billing_cycle_anchor"], item["price"]["recurring"], at)
            state.objects.update(item, current_period_start=at, current_period_end=end)
        if subscription["status"] == "trialing":
            state.objects.update(subscription, status="active")
        return subscription_invoices.create_cycle_invoice(state, subscription, "upcoming", items, period_start)


def _nothing_to_preview(message: str) -> ErrorResponse:
    return ErrorResponse(message, code="invoice_upcoming_none", status=404)
