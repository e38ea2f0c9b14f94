"""What happens to subscriptions when time passes, and when their invoices are paid or not. https://docs.stripe.com/billing/revenue-recovery"""

from __future__ import annotations

from pinstripe.emulator.billing import periods, subscription_invoices
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations.invoice_previews import upcoming
from pinstripe.emulator.operations.subscription_schedules import next_phase
from pinstripe.emulator.operations.subscriptions import ENDED, end
from pinstripe.emulator.state.account import Object, World, clone, since
from pinstripe.emulator.state.timers import timer

RETRIES = {"days": [3, 5, 7], "then": "unpaid"}
"""After how many days a payment is tried again, each counted from the try before; and what becomes of the subscription then."""


@timer("subscription.renew")
def renew(world: World, subscription: Object) -> None:
    """A period has ended: begin the next, or end the subscription."""
    now, before = world.now(), clone(subscription)
    if subscription["status"] in (*ENDED, "incomplete", "paused"):
        return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        _leave(world, subscription)
        return
    next_phase(world, subscription)
    if subscription["status"] in ENDED:
        return
    items = [item for item in subscription["items"]["data"] if item["current_period_end"] <= now]
    if not items:
        return
    if subscription["status"] == "trialing":
        _end_trial(world, subscription)
        if subscription["status"] in (*ENDED, "paused"):
            return
    for item in items:
        start, stop = item["current_period_end"], item["current_period_end"]
        while stop <= now:
            _, stop = periods.around(subscription["billing_cycle_anchor"], item["price"]["recurring"], stop)
        world.change(item, current_period_start=start, current_period_end=stop)
    invoice = subscription_invoices.cycle_invoice(world, subscription, "subscription_cycle", items)
    _advance(world, subscription, invoice)
    world.emit("updated", subscription, since(before, subscription))
    subscription_invoices.schedule(world, subscription)


def _advance(world: World, subscription: Object, invoice: Object) -> None:
    """Let the invoice of a renewal go its way: finalised in an hour, unless collection is paused or hopeless."""
    pause = subscription["pause_collection"]
    if pause is not None and not (pause.get("resumes_at") and pause["resumes_at"] <= world.now()):
        world.change(invoice, auto_advance=False)
        if pause["behavior"] in ("void", "mark_uncollectible"):
            invoices.finalise(world, invoice)
            if invoice["status"] == "open":
                (invoices.cancel if pause["behavior"] == "void" else invoices.write_off)(world, invoice)
    elif subscription["status"] == "unpaid":
        world.change(invoice, auto_advance=False)
    else:
        if pause is not None:
            world.change(subscription, pause_collection=None)
        invoices.schedule(world, invoice)


def _leave(world: World, subscription: Object) -> None:
    """The end that was arranged has come: what was used is billed, and it is over."""
    reason = (subscription["cancellation_details"] or {}).get("reason") or "cancellation_requested"
    invoice = subscription_invoices.invoice_now(world, subscription, "subscription_cycle")
    if invoice is not None and invoice["status"] == "open":
        invoices.collect(world, invoice)
    end(world, subscription, subscription["cancellation_details"], reason)


def _end_trial(world: World, subscription: Object) -> None:
    behavior = ((subscription["trial_settings"] or {}).get("end_behavior") or {}).get("missing_payment_method")
    missing = (
        subscription["collection_method"] == "charge_automatically"
        and invoices.default_method(world, subscription) is None
    )
    if missing and behavior == "cancel":
        end(world, subscription)
    elif missing and behavior == "pause":
        world.emit("updated", subscription, world.change(subscription, status="paused"))
        world.emit("paused", subscription)
    else:
        world.change(subscription, status="active")


@timer("subscription.trial_will_end")
def _trial_will_end(world: World, subscription: Object) -> None:
    if subscription["status"] == "trialing":
        world.emit("trial_will_end", subscription)


@timer("subscription.upcoming")
def _upcoming(world: World, subscription: Object) -> None:
    if subscription["status"] in ("active", "past_due") and not subscription["cancel_at"]:
        world.emit("invoice.upcoming", upcoming(world, subscription))


@timer("subscription.resume_collection")
def _resume_collection(world: World, subscription: Object) -> None:
    pause = subscription["pause_collection"]
    if pause is not None and pause.get("resumes_at") and pause["resumes_at"] <= world.now():
        world.emit("updated", subscription, world.change(subscription, pause_collection=None))


def _subscription(world: World, invoice: Object) -> Object | None:
    found = world.objects.get(invoices.subscription_of(invoice) or "")
    return found if found is not None and found["status"] not in ENDED else None


@invoices.when("paid")
def _paid(world: World, invoice: Object) -> None:
    """A paid invoice puts its subscription right, if it is the latest."""
    subscription = _subscription(world, invoice)
    if subscription is None:
        return
    before = clone(subscription)
    if subscription["status"] == "incomplete" or (
        subscription["status"] in ("past_due", "unpaid") and subscription["latest_invoice"] == invoice["id"]
    ):
        world.change(subscription, status="active")
        found = invoices.payment_of(world, invoice)
        saves = (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription"
        if saves and found is not None and found[1]["payment_method"]:
            world.change(subscription, default_payment_method=found[1]["payment_method"])
    customer = world.objects[invoice["customer"]]
    if customer.get("delinquent"):
        world.emit("updated", customer, world.change(customer, delinquent=False))
    if world.hidden.get(f"created:{subscription['id']}") and subscription != before:
        world.emit("updated", subscription, since(before, subscription))


@invoices.when("failed")
def _failed(world: World, invoice: Object) -> None:
    """A payment failed: the subscription is past due, and the payment is tried again, so many times."""
    subscription = _subscription(world, invoice)
    customer = world.objects[invoice["customer"]]
    if subscription is None or subscription["status"] == "incomplete":
        return
    if not customer.get("delinquent"):
        world.change(customer, delinquent=True)
    before = world.change(subscription, status="past_due") if subscription["status"] in ("active", "trialing") else {}
    rules, tries = world.hidden.get("retries") or RETRIES, invoice["attempt_count"]
    if tries <= len(rules["days"]) and subscription["status"] == "past_due":
        at = world.now() + rules["days"][tries - 1] * periods.DAY
        world.change(invoice, next_payment_attempt=at)
        world.later(at, "invoice.retry", invoice)
    elif subscription["status"] == "past_due":
        world.change(invoice, next_payment_attempt=None)
        if rules["then"] == "canceled":
            end(world, subscription, reason="payment_failed")
            return
        before |= world.change(subscription, status=rules["then"])
    if before:
        world.emit("updated", subscription, before)


@timer("invoice.retry")
def _retry(world: World, invoice: Object) -> None:
    if invoice["status"] == "open" and invoice["next_payment_attempt"] == world.now():
        invoices.collect(world, invoice)


@invoices.when("overdue")
def _overdue(world: World, invoice: Object) -> None:
    subscription = _subscription(world, invoice)
    if subscription is not None and subscription["status"] == "active":
        world.emit("updated", subscription, world.change(subscription, status="past_due"))


@invoices.when("voided")
@invoices.when("uncollectible")
def _forgiven(world: World, invoice: Object) -> None:
    subscription = _subscription(world, invoice)
    if (
        subscription is not None
        and subscription["status"] == "past_due"
        and subscription["latest_invoice"] == invoice["id"]
    ):
        world.emit("updated", subscription, world.change(subscription, status="active"))
