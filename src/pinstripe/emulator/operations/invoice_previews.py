"""Previews of invoices: apply the changes, copy the invoice, and roll the changes back.

https://docs.stripe.com/api/invoices/create_preview
"""

from __future__ import annotations

from collections.abc import Callable

from pinstripe.emulator.billing import subscription_invoices
from pinstripe.emulator.billing.periods import period_at
from pinstripe.emulator.billing.proration import credit_unused
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.customers import create_customer
from pinstripe.emulator.operations.discounts import redeem_all
from pinstripe.emulator.operations.invoice_items import create_item
from pinstripe.emulator.operations.subscription_pauses import pause_subscription, resume_subscription
from pinstripe.emulator.operations.subscription_schedules import (
    advance_schedule,
    create_schedule,
    start_schedule,
    update_schedule,
)
from pinstripe.emulator.operations.subscription_updates import apply_update
from pinstripe.emulator.operations.subscriptions import ENDED, start_subscription
from pinstripe.emulator.operations.trials import forgive_usage
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import fit
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse

SUBSCRIPTION_DETAILS = {
    "cancel_at",
    "cancel_at_period_end",
    "default_tax_rates",
    "items",
    "proration_behavior",
    "proration_date",
    "trial_end",
    "billing_cycle_anchor",
}
"""The fields of ``subscription_details`` that are parameters of a subscription."""
OWNERS = {"schedule": "subscription_schedule", "subscription": "subscription"}
"""The object types of the parameters whose next invoice is previewed."""
DETAILS = ("address", "shipping", "tax_exempt")
"""The fields of ``customer_details`` that appear on invoices."""
RENEWED = ("active", "past_due", "trialing", "unpaid")
"""The statuses of a subscription that is renewed."""


@operation("invoices.create_preview")
def create_preview(context: OperationContext) -> Object:
    """Return the next invoice of a subscription or schedule, changed or new, or of a customer."""
    state, params = context.state, context.params
    for name in ("subscription", "subscription_details"):
        if params.get(name) and (params.get("schedule") or params.get("schedule_details")):
            raise ErrorResponse(
                f"A schedule cannot be previewed together with {name}.", code="parameters_exclusive", param=name
            )
    return _preview(state, lambda: _create_invoice(state, params))


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


def _create_invoice(state: AccountState, params: Object) -> Object:
    """Create the invoice that the parameters of a preview describe."""
    owner = None
    for name, object_type in OWNERS.items():
        if params.get(name):
            owner = state.objects.get(object_type, params[name], name)
    customer = _customer(state, params, owner)
    currency = (owner or {}).get("currency") or params.get("currency") or customer["currency"] or "usd"
    for item_params in params.get("invoice_items") or []:
        fields = {name: value for name, value in item_params.items() if name not in ("invoiceitem", "metadata")}
        create_item(state, customer["id"], {"currency": currency, **fields})
    if (owner or {}).get("object") == "subscription_schedule" or params.get("schedule_details"):
        invoice = _create_schedule_invoice(state, customer, owner, params.get("schedule_details"))
    elif (params.get("subscription_details") or {}).get("items") or owner is not None:
        invoice = _create_subscription_invoice(state, customer, owner, params.get("subscription_details") or {})
    else:
        invoice = _create_customer_invoice(state, customer, currency)
    if params.get("discounts"):
        owner_ids = {"customer": customer["id"], "invoice": invoice["id"]}
        state.objects.update(invoice, discounts=redeem_all(state, params["discounts"], **owner_ids))
        invoices.set_lines(state, invoice, invoice["lines"]["data"])
    return invoice


def _customer(state: AccountState, params: Object, owner: Object | None) -> Object:
    """Return the customer of a preview with the details that replace the customer's own, or a new customer."""
    details = {name: value for name, value in (params.get("customer_details") or {}).items() if name in DETAILS}
    customer_id = params.get("customer") or (owner or {}).get("customer")
    if customer_id is None:
        return create_customer(state, details)
    customer = state.objects.get("customer", customer_id, "customer")
    state.objects.update(customer, **fit("Customer", details, state.default_values, customer))
    return customer


def _create_customer_invoice(state: AccountState, customer: Object, currency: str) -> Object:
    """Return the next renewal of the customer's subscriptions, or else the invoice of the pending items."""
    subscriptions = [
        subscription
        for subscription in state.objects.all("subscription", customer=customer["id"])
        if subscription["status"] in RENEWED and not subscription["cancel_at"]
    ]
    if subscriptions:
        return _create_renewal(state, min(subscriptions, key=_next_renewal))
    items = invoices.pending_items(state, customer["id"], currency)
    if not items:
        raise _nothing_to_preview(f"No upcoming invoices for customer: {customer['id']}")
    invoice = invoices.create_draft(state, customer, {"currency": currency})
    invoices.set_lines(state, invoice, invoices.lines_of_items(state, invoice, items))
    return invoice


def _create_schedule_invoice(
    state: AccountState, customer: Object, schedule: Object | None, details: Object | None
) -> Object:
    """Return the next invoice of a schedule, changed or new."""
    latest_invoice = None
    if schedule is None:
        phases = (details or {}).get("phases") or [{}]
        start = {"start_date": phases[0].get("start_date", "now")}
        schedule = create_schedule(state, {"customer": customer["id"], **start, **(details or {})})
    else:
        subscription = state.objects.find("subscription", schedule["subscription"])
        latest_invoice = (subscription or {}).get("latest_invoice")
        if details:
            update_schedule(state, schedule, details)
    if schedule["status"] == "not_started":
        with state.clock.at(schedule["phases"][0]["start_date"]):
            start_schedule(state, schedule)
    subscription = state.objects.find("subscription", schedule["subscription"])
    if subscription is None:
        raise _nothing_to_preview("No upcoming invoices: the schedule has ended.")
    if subscription["latest_invoice"] != latest_invoice:
        return state.objects["invoice", subscription["latest_invoice"]]
    return _create_renewal(state, subscription)


def _create_subscription_invoice(
    state: AccountState, customer: Object, subscription: Object | None, details: Object
) -> Object:
    """Return the first invoice of a new subscription, that of a change or a pause, or that of the next renewal."""
    changes = {name: value for name, value in details.items() if name in SUBSCRIPTION_DETAILS}
    changes["payment_behavior"] = "default_incomplete"
    if subscription is None:
        anchor = changes.pop("billing_cycle_anchor", None) or {}
        if anchor.get("timestamp"):
            changes["billing_cycle_anchor"] = anchor["timestamp"]
        latest_invoice = start_subscription(state, {**changes, "customer": customer["id"]})["latest_invoice"]
        if latest_invoice is None:
            raise _nothing_to_preview("No upcoming invoices: the first period of the subscription is free.")
        return state.objects["invoice", latest_invoice]
    if subscription["status"] in ENDED:
        raise _nothing_to_preview("No upcoming invoices: the subscription has ended.")
    latest_invoice = subscription["latest_invoice"]
    if details.get("pause") is not None:
        pause_subscription(state, subscription, {**details["pause"], "invoicing_behavior": "invoice"})
    elif details.get("resume_at"):
        resume_subscription(state, subscription, {})
    elif details.get("cancel_now"):
        if details.get("proration_behavior") != "none":
            credit_unused(state, subscription, details.get("proration_date"))
        subscription_invoices.invoice_pending(state, subscription)
    elif len(changes) > 1:
        apply_update(state, subscription, changes)
    if subscription["latest_invoice"] != latest_invoice:
        return state.objects["invoice", subscription["latest_invoice"]]
    if details.get("cancel_now"):
        raise _nothing_to_preview("No upcoming invoices: the cancellation bills nothing.")
    return _create_renewal(state, subscription)


def _next_renewal(subscription: Object) -> int:
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def _create_renewal(state: AccountState, subscription: Object) -> Object:
    customer, currency = subscription["customer"], subscription["currency"]
    if subscription["cancel_at"] and not invoices.pending_items(state, customer, currency, subscription["id"]):
        raise _nothing_to_preview("No upcoming invoices: the subscription is going to be canceled.")
    at = _next_renewal(subscription)
    with state.clock.at(at):
        advance_schedule(state, subscription)
        items = [item for item in subscription["items"]["data"] if item["current_period_end"] <= at]
        period_start = min(item["current_period_start"] for item in items)
        for item in items:
            _, end = period_at(subscription["billing_cycle_anchor"], item["price"]["recurring"], at)
            state.objects.update(item, current_period_start=at, current_period_end=end)
        if subscription["status"] == "trialing":
            forgive_usage(state, subscription)
            state.objects.update(subscription, status="active")
        return subscription_invoices.create_cycle_invoice(state, subscription, "upcoming", items, period_start)


def _nothing_to_preview(message: str) -> ErrorResponse:
    return ErrorResponse(message, code="invoice_upcoming_none", status=404)
