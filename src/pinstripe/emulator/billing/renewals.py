"""What happens to subscriptions when time passes, and when their invoices are paid or not. https://docs.stripe.com/billing/revenue-recovery"""

from __future__ import annotations

from pinstripe.emulator.billing import periods, subscription_invoices
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations.invoice_previews import upcoming
from pinstripe.emulator.operations.subscription_pauses import pause_details
from pinstripe.emulator.operations.subscription_schedules import next_phase
from pinstripe.emulator.operations.subscriptions import ENDED, end
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone, previous_values
from pinstripe.emulator.state.tables import ACCOUNT_KEY, PaymentRetries
from pinstripe.emulator.state.timer_handlers import timer_handler

RETRIES = {"days": [3, 5, 7], "then": "unpaid"}
"""After how many days a payment is tried again, each counted from the try before; and what becomes of the subscription then."""


@timer_handler("subscription.renew")
def renew(state: AccountState, subscription: Object) -> None:
    """A period has ended: begin the next, or end the subscription."""
    now, before = state.clock.now(), clone(subscription)
    if subscription["status"] in (*ENDED, "incomplete", "paused"):
        return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        _leave(state, subscription)
        return
    next_phase(state, subscription)
    if subscription["status"] in ENDED:
        return
    items = [item for item in subscription["items"]["data"] if item["current_period_end"] <= now]
    if not items:
        return
    if subscription["status"] == "trialing":
        _end_trial(state, subscription)
        if subscription["status"] in (*ENDED, "paused"):
            return
    for item in items:
        start, stop = item["current_period_end"], item["current_period_end"]
        while stop <= now:
            _, stop = periods.around(subscription["billing_cycle_anchor"], item["price"]["recurring"], stop)
        state.objects.update(item, current_period_start=start, current_period_end=stop)
    invoice = subscription_invoices.cycle_invoice(state, subscription, "subscription_cycle", items)
    _advance(state, subscription, invoice)
    state.events.emit("updated", subscription, previous_values(before, subscription))
    subscription_invoices.schedule(state, subscription)


def _advance(state: AccountState, subscription: Object, invoice: Object) -> None:
    """Let the invoice of a renewal go its way: finalized in an hour, unless collection is paused or hopeless."""
    pause = subscription["pause_collection"]
    if pause is not None and not (pause.get("resumes_at") and pause["resumes_at"] <= state.clock.now()):
        state.objects.update(invoice, auto_advance=False)
        if pause["behavior"] in ("void", "mark_uncollectible"):
            invoices.finalize(state, invoice)
            if invoice["status"] == "open":
                (invoices.cancel if pause["behavior"] == "void" else invoices.write_off)(state, invoice)
    elif subscription["status"] == "unpaid":
        state.objects.update(invoice, auto_advance=False)
    else:
        if pause is not None:
            state.objects.update(subscription, pause_collection=None)
        invoices.schedule(state, invoice)


def _leave(state: AccountState, subscription: Object) -> None:
    """The end that was arranged has come: what was used is billed, and it is over."""
    reason = (subscription["cancellation_details"] or {}).get("reason") or "cancellation_requested"
    invoice = subscription_invoices.invoice_now(state, subscription, "subscription_cycle")
    if invoice is not None and invoice["status"] == "open":
        invoices.collect(state, invoice)
    end(state, subscription, subscription["cancellation_details"], reason)


def _end_trial(state: AccountState, subscription: Object) -> None:
    behavior = ((subscription["trial_settings"] or {}).get("end_behavior") or {}).get("missing_payment_method")
    missing = (
        subscription["collection_method"] == "charge_automatically"
        and invoices.default_method(state, subscription) is None
    )
    if missing and behavior == "cancel":
        end(state, subscription)
    elif missing and behavior == "pause":
        details = pause_details(state, "trial_end_without_payment_method")
        before = state.objects.update(subscription, status="paused", status_details=details)
        state.events.emit("updated", subscription, before)
        state.events.emit("paused", subscription)
    else:
        state.objects.update(subscription, status="active")


@timer_handler("subscription.trial_will_end")
def _trial_will_end(state: AccountState, subscription: Object) -> None:
    if subscription["status"] == "trialing":
        state.events.emit("trial_will_end", subscription)


@timer_handler("subscription.upcoming")
def _upcoming(state: AccountState, subscription: Object) -> None:
    if subscription["status"] in ("active", "past_due") and not subscription["cancel_at"]:
        state.events.emit("invoice.upcoming", upcoming(state, subscription))


@timer_handler("subscription.resume_collection")
def _resume_collection(state: AccountState, subscription: Object) -> None:
    pause = subscription["pause_collection"]
    if pause is not None and pause.get("resumes_at") and pause["resumes_at"] <= state.clock.now():
        state.events.emit("updated", subscription, state.objects.update(subscription, pause_collection=None))


def _subscription(state: AccountState, invoice: Object) -> Object | None:
    found = state.objects.find("subscription", invoices.subscription_of(invoice))
    return found if found is not None and found["status"] not in ENDED else None


@invoices.when("paid")
def _paid(state: AccountState, invoice: Object) -> None:
    """A paid invoice puts its subscription right, if it is the latest."""
    subscription = _subscription(state, invoice)
    if subscription is None:
        return
    before = clone(subscription)
    if subscription["status"] == "incomplete" or (
        subscription["status"] in ("past_due", "unpaid") and subscription["latest_invoice"] == invoice["id"]
    ):
        state.objects.update(subscription, status="active")
        found = invoices.payment_of(state, invoice)
        saves = (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription"
        if saves and found is not None and found[1]["payment_method"]:
            state.objects.update(subscription, default_payment_method=found[1]["payment_method"])
    customer = state.objects["customer", invoice["customer"]]
    if customer.get("delinquent"):
        state.events.emit("updated", customer, state.objects.update(customer, delinquent=False))
    if subscription["id"] in state.tables.announced_subscriptions and subscription != before:
        state.events.emit("updated", subscription, previous_values(before, subscription))


@invoices.when("failed")
def _failed(state: AccountState, invoice: Object) -> None:
    """A payment failed: the subscription is past due, and the payment is tried again, so many times."""
    subscription = _subscription(state, invoice)
    customer = state.objects["customer", invoice["customer"]]
    if subscription is None or subscription["status"] == "incomplete":
        return
    if not customer.get("delinquent"):
        state.objects.update(customer, delinquent=True)
    before = (
        state.objects.update(subscription, status="past_due")
        if subscription["status"] in ("active", "trialing")
        else {}
    )
    retries, tries = state.tables.payment_retries.get(ACCOUNT_KEY) or PaymentRetries(), invoice["attempt_count"]
    if tries <= len(retries.days) and subscription["status"] == "past_due":
        at = state.clock.now() + retries.days[tries - 1] * periods.DAY
        state.objects.update(invoice, next_payment_attempt=at)
        state.clock.schedule(at, "invoice.retry", invoice)
    elif subscription["status"] == "past_due":
        state.objects.update(invoice, next_payment_attempt=None)
        if retries.then == "canceled":
            end(state, subscription, reason="payment_failed")
            return
        before |= state.objects.update(subscription, status=retries.then)
    if before:
        state.events.emit("updated", subscription, before)


@timer_handler("invoice.retry")
def _retry(state: AccountState, invoice: Object) -> None:
    if invoice["status"] == "open" and invoice["next_payment_attempt"] == state.clock.now():
        invoices.collect(state, invoice)


@invoices.when("overdue")
def _overdue(state: AccountState, invoice: Object) -> None:
    subscription = _subscription(state, invoice)
    if subscription is not None and subscription["status"] == "active":
        state.events.emit("updated", subscription, state.objects.update(subscription, status="past_due"))


@invoices.when("voided")
@invoices.when("uncollectible")
def _forgiven(state: AccountState, invoice: Object) -> None:
    subscription = _subscription(state, invoice)
    if (
        subscription is not None
        and subscription["status"] == "past_due"
        and subscription["latest_invoice"] == invoice["id"]
    ):
        state.events.emit("updated", subscription, state.objects.update(subscription, status="active"))
