"""Invoices as they would be: what is previewed is done, shown, and taken back. https://docs.stripe.com/api/invoices/create_preview"""

from __future__ import annotations

from pinstripe.emulator.billing import subscription_invoices
from pinstripe.emulator.billing.periods import around
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoice_items import make_item
from pinstripe.emulator.operations.subscription_pauses import pause_subscription
from pinstripe.emulator.operations.subscription_updates import apply
from pinstripe.emulator.operations.subscriptions import ENDED, start
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param

SHARED = (
    "cancel_at",
    "cancel_at_period_end",
    "items",
    "proration_behavior",
    "proration_date",
    "trial_end",
    "billing_cycle_anchor",
)


@operation("invoices.create_preview")
def create_preview(context: OperationContext) -> Object:
    """The next invoice of a subscription, or what a change or a new subscription would bill."""
    state, params = context.state, context.params
    subscription = (
        state.objects.get("subscription", params["subscription"], "subscription")
        if params.get("subscription")
        else None
    )
    customer = params.get("customer") or (subscription["customer"] if subscription else None)
    if customer is None:
        raise missing_param("customer")
    savepoint = state.transaction.savepoint()
    try:
        invoice = clone(_invoice(state, state.objects.get("customer", customer, "customer"), subscription, params))
    finally:
        state.transaction.rollback(savepoint)
    return _named(invoice)


def _named(invoice: Object, **fields: str) -> Object:
    """An invoice that is none, with an id that says so."""
    identifier = f"upcoming_{invoice['id']}"
    lines = [{**line, "invoice": identifier} for line in invoice["lines"]["data"]]
    shown = {**invoice["lines"], "data": lines, "url": f"/v1/invoices/{identifier}/lines"}
    return {**invoice, "lines": shown, "id": identifier, "status": "draft", **fields}


def _invoice(state: AccountState, customer: Object, subscription: Object | None, params: Object) -> Object:
    details = {
        name: value
        for name, value in (params.get("subscription_details") or {}).items()
        if name in (*SHARED, "start_date")
    }
    details.pop("start_date", None)
    anchor = details.get("billing_cycle_anchor") or {}
    if subscription is None and anchor:
        details["billing_cycle_anchor"] = anchor.get("timestamp")
    for given in params.get("invoice_items") or []:
        known = {name: value for name, value in given.items() if name not in ("invoiceitem", "metadata")}
        make_item(
            state,
            customer["id"],
            {"currency": (subscription or {}).get("currency") or params.get("currency") or "usd", **known},
        )
    if subscription is not None:
        if subscription["status"] in ENDED:
            raise ErrorResponse(
                "No upcoming invoices for a subscription that is over.", code="invoice_upcoming_none", status=404
            )
        latest = subscription["latest_invoice"]
        if pause := (params.get("subscription_details") or {}).get("pause"):
            pause_subscription(state, subscription, {**pause, "invoicing_behavior": "invoice"})
        elif details:
            apply(state, subscription, {**details, "payment_behavior": "default_incomplete"})
        if subscription["latest_invoice"] != latest:
            return _with_discounts(state, state.objects["invoice", subscription["latest_invoice"]], params)
        return _with_discounts(state, _next(state, subscription), params)
    if details.get("items"):
        made = start(state, {**details, "customer": customer["id"], "payment_behavior": "default_incomplete"})
        return _with_discounts(state, state.objects["invoice", made["latest_invoice"]], params)
    currency = params.get("currency") or customer.get("currency") or "usd"
    waiting = invoices.pending_items(state, customer["id"], currency)
    if not waiting:
        raise ErrorResponse(
            f"No upcoming invoices for customer: {customer['id']}", code="invoice_upcoming_none", status=404
        )
    invoice = invoices.draft(state, customer, {"currency": currency})
    invoices.fill(state, invoice, invoices.take_items(state, invoice, waiting))
    return _with_discounts(state, invoice, params)


def _with_discounts(state: AccountState, invoice: Object, params: Object) -> Object:
    if given := params.get("discounts"):
        owner = {"customer": invoice["customer"], "invoice": invoice["id"]}
        found = [redeem(state, one, f"discounts[{at}]", **owner)["id"] for at, one in enumerate(given)]
        state.objects.update(invoice, discounts=found)
        invoices.fill(state, invoice, invoice["lines"]["data"])
    return invoice


def _next(state: AccountState, subscription: Object) -> Object:
    """The invoice of the next renewal."""
    if subscription["cancel_at"] and not invoices.pending_items(
        state, subscription["customer"], subscription["currency"], subscription["id"]
    ):
        raise ErrorResponse(
            "No upcoming invoices: the subscription is going to be canceled.", code="invoice_upcoming_none", status=404
        )
    at = min(item["current_period_end"] for item in subscription["items"]["data"])
    with state.clock.at(at):
        items = [item for item in subscription["items"]["data"] if item["current_period_end"] <= at]
        for item in items:
            _, end = around(subscription["billing_cycle_anchor"], item["price"]["recurring"], at)
            state.objects.update(item, current_period_start=at, current_period_end=end)
        if subscription["status"] == "trialing":
            state.objects.update(subscription, status="active")
        return subscription_invoices.cycle_invoice(state, subscription, "upcoming", items)


def upcoming(state: AccountState, subscription: Object) -> Object:
    """The next invoice of a subscription, as it will be if nothing changes."""
    savepoint = state.transaction.savepoint()
    try:
        return _named(clone(_next(state, subscription)), billing_reason="upcoming")
    finally:
        state.transaction.rollback(savepoint)
