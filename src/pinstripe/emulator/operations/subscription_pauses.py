"""Subscriptions that are paused and resumed.

https://docs.stripe.com/billing/subscriptions/pause
"""

from __future__ import annotations

from pinstripe.emulator.billing import subscription_invoices
from pinstripe.emulator.billing.periods import around
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone, previous_values
from pinstripe.emulator.state.tables import Flag, Timestamp
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import wrong_state

PAUSABLE = ("active", "trialing", "past_due", "unpaid")
RESUMPTION_SECONDS = 23 * 3600
"""How long the invoice of a resumption can be paid."""


def pause_details(state: AccountState, reason: str) -> Object:
    """Return the ``status_details`` of a subscription that is paused now."""
    paused = {"subscription": {"type": reason}, "transitioned_at": state.clock.now(), "type": "subscription"}
    return {"paused": paused}


@operation("subscriptions.pause")
def pause(context: OperationContext) -> Object:
    """Pause a subscription; unused time is credited and metered usage billed as ``bill_for`` says."""
    state, params = context.state, context.params
    subscription = state.objects.get("subscription", context.target_id)
    if subscription["status"] not in PAUSABLE:
        raise wrong_state(subscription, "pause")
    before = clone(subscription)
    bill_for = params.get("bill_for") or {}
    _credit(state, subscription, (bill_for.get("unused_time_from") or {}).get("type", "now"))
    if (bill_for.get("outstanding_usage_through") or {}).get("type") == "none":
        for item in subscription["items"]["data"]:
            state.tables.billed_until.set(item["id"], Timestamp(state.clock.now()))
    if params.get("invoicing_behavior") == "invoice":
        invoice = subscription_invoices.invoice_now(state, subscription)
        if invoice is not None:
            invoices.collect(state, invoice)
    state.objects.update(subscription, status="paused", status_details=pause_details(state, "pause_requested"))
    state.events.emit("updated", subscription, previous_values(before, subscription))
    state.events.emit("paused", subscription)
    return subscription


def _credit(state: AccountState, subscription: Object, since: str) -> None:
    if since == "now":
        subscription_invoices.credit_unused(state, subscription)
    elif since == "item_current_period_start" and subscription["status"] != "trialing":
        for item in subscription["items"]["data"]:
            if not subscription_invoices.is_metered(item):
                start = item["current_period_start"]
                subscription_invoices.prorate(state, subscription, item, item["price"], item["quantity"], -1, start)


@operation("subscriptions.resume")
def resume(context: OperationContext) -> Object:
    """Resume a paused subscription; what it costs is to be paid first, unless ``payment_behavior`` says otherwise."""
    state, params = context.state, context.params
    subscription = state.objects.get("subscription", context.target_id)
    if subscription["status"] != "paused":
        raise wrong_state(subscription, "resume")
    before = clone(subscription)
    invoice = _bill_resumption(state, subscription, params)
    at_once = params.get("payment_behavior") == "resume_on_payment_attempt"
    if invoice is None or invoice["status"] == "paid" or at_once:
        _activate(state, subscription, before)
    else:
        state.tables.resumptions.set(invoice["id"], Flag())
        state.clock.schedule(state.clock.now() + RESUMPTION_SECONDS, "subscription.give_up_resumption", invoice)
    if invoice is not None and invoice["status"] == "open":
        invoices.collect(state, invoice)
    return subscription


def _bill_resumption(state: AccountState, subscription: Object, params: Object) -> Object | None:
    """Begin new periods, or go on with the current ones, and return the invoice for them, if there is one."""
    if (params.get("billing_cycle_anchor") or {}).get("type", "now") == "now":
        state.objects.update(subscription, billing_cycle_anchor=state.clock.now())
        subscription_invoices.restart_periods(state, subscription)
        invoice = subscription_invoices.cycle_invoice(
            state, subscription, "subscription_update", subscription["items"]["data"]
        )
        invoices.finalize(state, invoice)
        return invoice
    proration = params.get("proration_behavior", "create_prorations")
    at = params.get("proration_date") or state.clock.now()
    for item in subscription["items"]["data"]:
        start, end = around(subscription["billing_cycle_anchor"], item["price"]["recurring"], state.clock.now())
        state.objects.update(item, current_period_start=start, current_period_end=end)
        if proration != "none" and not subscription_invoices.is_metered(item):
            subscription_invoices.prorate(state, subscription, item, item["price"], item["quantity"], 1, at)
    return subscription_invoices.invoice_now(state, subscription) if proration == "always_invoice" else None


def _activate(state: AccountState, subscription: Object, before: Object) -> None:
    state.objects.update(subscription, status="active", status_details=None)
    subscription_invoices.schedule(state, subscription)
    state.events.emit("updated", subscription, previous_values(before, subscription))
    state.events.emit("resumed", subscription)


@invoices.when("paid")
def _resume_after_payment(state: AccountState, invoice: Object) -> None:
    subscription = _waiting_subscription(state, invoice)
    if subscription is not None:
        _activate(state, subscription, clone(subscription))


@invoices.when("uncollectible")
def _resume_after_write_off(state: AccountState, invoice: Object) -> None:
    _resume_after_payment(state, invoice)


@timer_handler("subscription.give_up_resumption")
def _give_up(state: AccountState, invoice: Object) -> None:
    if _waiting_subscription(state, invoice) is not None and invoice["status"] == "open":
        invoices.cancel(state, invoice)


def _waiting_subscription(state: AccountState, invoice: Object) -> Object | None:
    """Return the paused subscription that an invoice resumes when it is paid."""
    if invoice["id"] not in state.tables.resumptions:
        return None
    subscription = state.objects.find("subscription", invoices.subscription_of(invoice))
    return subscription if subscription is not None and subscription["status"] == "paused" else None
