"""Renew subscriptions, and follow the payment of their invoices: retries, past due, unpaid, canceled.

https://docs.stripe.com/billing/revenue-recovery
"""

from __future__ import annotations

from pinstripe.emulator.billing import periods, subscription_invoices
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations.invoice_payments import (
    collect,
    on_invoice,
    payment_of,
    subscription_of,
)
from pinstripe.emulator.operations.invoice_previews import preview_renewal
from pinstripe.emulator.operations.subscription_schedules import advance_schedule
from pinstripe.emulator.operations.subscriptions import ENDED, end_subscription
from pinstripe.emulator.operations.trials import end_trial
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone, previous_values
from pinstripe.emulator.state.tables import ACCOUNT_KEY, PaymentRetries
from pinstripe.emulator.state.timer_handlers import timer_handler


@timer_handler("subscription.renew")
def renew(state: AccountState, subscription: Object) -> None:
    """Start the next period of the items whose period has ended, or end the subscription."""
    now, before = state.clock.now(), clone(subscription)
    if subscription["status"] in (*ENDED, "incomplete", "paused"):
        return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        _end_as_scheduled(state, subscription)
        return
    advance_schedule(state, subscription)
    if subscription["status"] in ENDED:
        return
    items = [item for item in subscription["items"]["data"] if item["current_period_end"] <= now]
    if not items:
        return
    if subscription["status"] == "trialing":
        end_trial(state, subscription)
        if subscription["status"] == "paused":
            state.events.emit("updated", subscription, previous_values(before, subscription))
            state.events.emit("paused", subscription)
        if subscription["status"] != "active":
            return
    period_start = min(item["current_period_start"] for item in items)
    for item in items:
        start, end = item["current_period_end"], item["current_period_end"]
        while end <= now:
            _, end = periods.period_at(subscription["billing_cycle_anchor"], item["price"]["recurring"], end)
        state.objects.update(item, current_period_start=start, current_period_end=end)
    invoice = subscription_invoices.create_cycle_invoice(state, subscription, "subscription_cycle", items, period_start)
    _advance_invoice(state, subscription, invoice)
    state.events.emit("updated", subscription, previous_values(before, subscription))
    subscription_invoices.schedule_timers(state, subscription)


def _advance_invoice(state: AccountState, subscription: Object, invoice: Object) -> None:
    """Schedule the invoice of a renewal to be finalized, unless collection is paused or the subscription is unpaid."""
    pause = subscription["pause_collection"]
    if pause is not None and not (pause.get("resumes_at") and pause["resumes_at"] <= state.clock.now()):
        state.objects.update(invoice, auto_advance=False)
        if pause["behavior"] in ("void", "mark_uncollectible"):
            invoices.finalize(state, invoice)
            if invoice["status"] == "open":
                (invoices.void if pause["behavior"] == "void" else invoices.mark_uncollectible)(state, invoice)
    elif subscription["status"] == "unpaid":
        state.objects.update(invoice, auto_advance=False)
    else:
        if pause is not None:
            state.objects.update(subscription, pause_collection=None)
        invoices.schedule_finalization(state, invoice)


def _end_as_scheduled(state: AccountState, subscription: Object) -> None:
    """End a subscription at its ``cancel_at``, and bill the usage so far."""
    reason = (subscription["cancellation_details"] or {}).get("reason") or "cancellation_requested"
    invoice = subscription_invoices.invoice_pending(state, subscription, "subscription_cycle")
    if invoice is not None and invoice["status"] == "open":
        collect(state, invoice)
    end_subscription(state, subscription, subscription["cancellation_details"], reason)


@timer_handler("subscription.trial_will_end")
def _announce_trial_end(state: AccountState, subscription: Object) -> None:
    if subscription["status"] == "trialing":
        state.events.emit("trial_will_end", subscription)


@timer_handler("subscription.upcoming")
def _announce_renewal(state: AccountState, subscription: Object) -> None:
    if subscription["status"] in ("active", "past_due") and not subscription["cancel_at"]:
        state.events.emit("invoice.upcoming", preview_renewal(state, subscription))


@timer_handler("subscription.resume_collection")
def _resume_collection(state: AccountState, subscription: Object) -> None:
    pause = subscription["pause_collection"]
    if pause is not None and pause.get("resumes_at") and pause["resumes_at"] <= state.clock.now():
        state.events.emit("updated", subscription, state.objects.update(subscription, pause_collection=None))


def _live_subscription(state: AccountState, invoice: Object) -> Object | None:
    """Return the subscription of an invoice, unless it has ended."""
    subscription = state.objects.find("subscription", subscription_of(invoice))
    return subscription if subscription is not None and subscription["status"] not in ENDED else None


@on_invoice("paid")
def _activate(state: AccountState, invoice: Object) -> None:
    """Activate the subscription of a paid invoice, and mark the customer as no longer delinquent."""
    subscription = _live_subscription(state, invoice)
    if subscription is None:
        return
    before = clone(subscription)
    overdue = subscription["status"] in ("past_due", "unpaid") and subscription["latest_invoice"] == invoice["id"]
    if subscription["status"] == "incomplete" or overdue:
        state.objects.update(subscription, status="active")
        _save_payment_method(state, subscription, invoice)
    customer = state.objects["customer", invoice["customer"]]
    if customer.get("delinquent"):
        state.events.emit("updated", customer, state.objects.update(customer, delinquent=False))
    if subscription["id"] in state.tables.announced_subscriptions and subscription != before:
        state.events.emit("updated", subscription, previous_values(before, subscription))


@on_invoice("processing")
def _activate_early(state: AccountState, invoice: Object) -> None:
    """Activate a new subscription while its first bank debit is processed."""
    subscription = _live_subscription(state, invoice)
    if subscription is not None and subscription["status"] == "incomplete":
        previous = state.objects.update(subscription, status="active")
        if subscription["id"] in state.tables.announced_subscriptions:
            state.events.emit("updated", subscription, previous)


def _save_payment_method(state: AccountState, subscription: Object, invoice: Object) -> None:
    if (subscription["payment_settings"] or {}).get("save_default_payment_method") != "on_subscription":
        return
    payment = payment_of(state, invoice)
    if payment is not None and payment.intent["payment_method"]:
        state.objects.update(subscription, default_payment_method=payment.intent["payment_method"])


@on_invoice("failed")
def _follow_up_failure(state: AccountState, invoice: Object) -> None:
    """Set the subscription to past due and schedule a retry; after the last retry, apply the account's settings."""
    subscription = _live_subscription(state, invoice)
    customer = state.objects["customer", invoice["customer"]]
    if subscription is None or subscription["status"] == "incomplete":
        return
    if not customer.get("delinquent"):
        state.objects.update(customer, delinquent=True)
    previous: Object = {}
    if subscription["status"] in ("active", "trialing"):
        previous = state.objects.update(subscription, status="past_due")
    if subscription["status"] == "past_due":
        if (at := invoice["next_payment_attempt"]) is not None:
            state.clock.schedule(at, "invoice.retry", invoice)
        else:
            retries = state.tables.payment_retries.get(ACCOUNT_KEY) or PaymentRetries()
            if retries.then == "canceled":
                end_subscription(state, subscription, reason="payment_failed")
                return
            previous |= state.objects.update(subscription, status=retries.then)
    if previous:
        state.events.emit("updated", subscription, previous)


@timer_handler("invoice.retry")
def _retry_payment(state: AccountState, invoice: Object) -> None:
    if invoice["status"] == "open" and invoice["next_payment_attempt"] == state.clock.now():
        collect(state, invoice)


@on_invoice("overdue")
def _set_past_due(state: AccountState, invoice: Object) -> None:
    subscription = _live_subscription(state, invoice)
    if subscription is not None and subscription["status"] == "active":
        state.events.emit("updated", subscription, state.objects.update(subscription, status="past_due"))


@on_invoice("voided")
@on_invoice("uncollectible")
def _clear_past_due(state: AccountState, invoice: Object) -> None:
    """Activate a past due subscription whose latest invoice is no longer expected to be paid."""
    subscription = _live_subscription(state, invoice)
    if subscription is None or subscription["status"] != "past_due":
        return
    if subscription["latest_invoice"] == invoice["id"]:
        state.events.emit("updated", subscription, state.objects.update(subscription, status="active"))
