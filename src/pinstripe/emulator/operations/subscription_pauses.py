"""Subscriptions that are paused and resumed.

https://docs.stripe.com/billing/subscriptions/pause
"""

from __future__ import annotations

from collections.abc import Callable

from pinstripe.emulator.billing import proration, subscription_invoices
from pinstripe.emulator.billing.periods import HOUR, add, period_at
from pinstripe.emulator.billing.pricing import is_metered
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.invoice_payments import collect, on_invoice, subscription_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone, previous_values
from pinstripe.emulator.state.tables import Flag, Timestamp
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

PAUSABLE = ("active", "trialing", "past_due", "unpaid")
RESUMPTION_SECONDS = 23 * HOUR
"""Seconds until the invoice of a resumption is voided."""


def pause_details(state: AccountState, reason: str) -> Object:
    """Return the ``status_details`` of a subscription that is paused now."""
    paused = {"subscription": {"type": reason}, "transitioned_at": state.clock.now(), "type": "subscription"}
    return {"paused": paused}


@operation("subscriptions.pause")
def pause(context: OperationContext) -> Object:
    """Pause a subscription; unused time is credited and metered usage billed as ``bill_for`` says."""
    subscription = context.state.objects.get("subscription", context.target_id)
    pause_subscription(context.state, subscription, context.params)
    return subscription


def pause_subscription(state: AccountState, subscription: Object, params: Object) -> None:
    """Pause a subscription as the parameters of the operation say."""
    if subscription["status"] not in PAUSABLE:
        raise wrong_state(subscription, "pause")
    before = clone(subscription)
    bill_for = params.get("bill_for") or {}
    _credit(state, subscription, (bill_for.get("unused_time_from") or {}).get("type", "now"))
    if (bill_for.get("outstanding_usage_through") or {}).get("type") == "none":
        for item in subscription["items"]["data"]:
            state.tables.billed_until.set(item["id"], Timestamp(state.clock.now()))
    if params.get("invoicing_behavior") == "invoice":
        invoice = subscription_invoices.invoice_pending(state, subscription)
        if invoice is not None:
            collect(state, invoice)
    state.objects.update(subscription, status="paused", status_details=pause_details(state, "pause_requested"))
    state.events.emit("updated", subscription, previous_values(before, subscription))
    state.events.emit("paused", subscription)


def _credit(state: AccountState, subscription: Object, since: str) -> None:
    if since == "now":
        proration.credit_unused(state, subscription)
    elif since == "item_current_period_start" and subscription["status"] != "trialing":
        for item in subscription["items"]["data"]:
            if not is_metered(item["price"]):
                start = item["current_period_start"]
                proration.credit_item(state, subscription, item, start)


@operation("subscriptions.resume")
def resume(context: OperationContext) -> Object:
    """Resume a paused subscription; what it costs is to be paid first, unless ``payment_behavior`` says otherwise."""
    subscription = context.state.objects.get("subscription", context.target_id)
    resume_subscription(context.state, subscription, context.params)
    return subscription


def resume_subscription(state: AccountState, subscription: Object, params: Object) -> None:
    """Resume a subscription as the parameters of the operation say."""
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
        collect(state, invoice)


def _bill_resumption(state: AccountState, subscription: Object, params: Object) -> Object | None:
    """Begin new periods, or go on with the current ones, and return the invoice for them, if there is one."""
    if (params.get("billing_cycle_anchor") or {}).get("type", "now") == "now":
        state.objects.update(subscription, billing_cycle_anchor=state.clock.now())
        subscription_invoices.restart_periods(state, subscription)
        invoice = subscription_invoices.create_cycle_invoice(
            state, subscription, "subscription_update", subscription["items"]["data"]
        )
        invoices.finalize(state, invoice)
        return invoice
    behavior = params.get("proration_behavior", "create_prorations")
    at = params.get("proration_date") or state.clock.now()
    for item in subscription["items"]["data"]:
        start, end = period_at(subscription["billing_cycle_anchor"], item["price"]["recurring"], state.clock.now())
        state.objects.update(item, current_period_start=start, current_period_end=end)
        if behavior != "none" and not is_metered(item["price"]):
            proration.charge_item(state, subscription, item, item["price"], item["quantity"], at)
    return subscription_invoices.invoice_pending(state, subscription) if behavior == "always_invoice" else None


def _activate(state: AccountState, subscription: Object, before: Object) -> None:
    state.objects.update(subscription, status="active", status_details=None)
    subscription_invoices.schedule_timers(state, subscription)
    state.events.emit("updated", subscription, previous_values(before, subscription))
    state.events.emit("resumed", subscription)


@on_invoice("paid")
def _resume_after_payment(state: AccountState, invoice: Object) -> None:
    subscription = _waiting_subscription(state, invoice)
    if subscription is not None:
        _activate(state, subscription, clone(subscription))


@on_invoice("uncollectible")
def _resume_after_write_off(state: AccountState, invoice: Object) -> None:
    _resume_after_payment(state, invoice)


@timer_handler("subscription.give_up_resumption")
def _give_up(state: AccountState, invoice: Object) -> None:
    if _waiting_subscription(state, invoice) is not None and invoice["status"] == "open":
        invoices.void(state, invoice)


def _waiting_subscription(state: AccountState, invoice: Object) -> Object | None:
    """Return the paused subscription that an invoice resumes when it is paid."""
    if invoice["id"] not in state.tables.resumptions:
        return None
    subscription = state.objects.find("subscription", subscription_of(invoice))
    return subscription if subscription is not None and subscription["status"] == "paused" else None


# Pauses that a schedule plans


def plan_pauses(state: AccountState, schedule: Object, params: Object) -> None:
    """Set the pauses of a subscription schedule, if its parameters name any, and the timers of them."""
    if "pause_schedules" not in params:
        return
    planned = [
        _planned(state, given, f"pause_schedules[{index}]") for index, given in enumerate(params["pause_schedules"])
    ]
    state.objects.update(schedule, pause_schedules=planned)
    for entry in planned:
        state.clock.schedule(entry["pause"]["pause_at"], "schedule.pause", schedule)
        if entry["resume"]:
            state.clock.schedule(entry["resume"]["resume_at"], "schedule.pause", schedule)
    _run_planned_pauses(state, schedule)


def _planned(state: AccountState, given: Object, where: str) -> Object:
    pause, resume = given.get("pause"), given.get("resume")
    if pause is None:
        raise missing_param(f"{where}[pause]")
    pause_at = _time_of(state, pause["pause_at"], state.clock.now(), f"{where}[pause][pause_at]")
    settings = pause.get("settings") or {}
    bill_for = settings.get("bill_for") or {}
    entry: Object = {
        "key": given.get("key") or state.new_id("secret"),
        "pause": {
            "pause_at": pause_at,
            "settings": {
                "bill_for": {
                    "outstanding_usage_through": {
                        "type": "pause_at",
                        **(bill_for.get("outstanding_usage_through") or {}),
                    },
                    "unused_time_from": {"type": "pause_at", **(bill_for.get("unused_time_from") or {})},
                },
                "invoicing_behavior": settings.get("invoicing_behavior", "pending_invoice_item"),
                "type": settings.get("type", "subscription"),
            },
            "status": {"type": "scheduled"},
        },
        "resume": None,
    }
    if resume is not None:
        resume_at = _time_of(state, resume["resume_at"], pause_at, f"{where}[resume][resume_at]")
        if resume_at <= pause_at:
            raise ErrorResponse("A pause must end after it begins.", param=f"{where}[resume][resume_at]")
        defaults = {
            "billing_cycle_anchor": "resume_at",
            "payment_behavior": "resume_on_payment_success",
            "proration_behavior": "create_prorations",
        }
        entry["resume"] = {
            "resume_at": resume_at,
            "settings": {**defaults, **(resume.get("settings") or {})},
            "status": {"type": "pending"},
        }
    return entry


def _time_of(state: AccountState, given: Object, since: int, where: str) -> int:
    if given["type"] == "now":
        return state.clock.now()
    if given["type"] == "duration":
        duration = given.get("duration")
        if duration is None:
            raise missing_param(f"{where}[duration]")
        return add(since, duration["interval"], duration.get("interval_count", 1))
    if given.get("timestamp") is None:
        raise missing_param(f"{where}[timestamp]")
    return int(given["timestamp"])


@timer_handler("schedule.pause")
def _run_planned_pauses(state: AccountState, schedule: Object) -> None:
    """Pause or resume the subscription of a schedule where the time has come."""
    subscription = state.objects.find("subscription", schedule["subscription"])
    if schedule["status"] != "active" or subscription is None:
        return
    planned = clone(schedule["pause_schedules"])
    for entry in planned:
        pause, resume = entry["pause"], entry["resume"]
        if pause["status"]["type"] == "scheduled" and pause["pause_at"] <= state.clock.now():
            pause["status"] = _attempt(state, subscription, pause_subscription, _pause_params(pause["settings"]))
            if resume is not None and pause["status"]["type"] == "succeeded":
                resume["status"] = {"type": "scheduled"}
        if resume and resume["status"]["type"] == "scheduled" and resume["resume_at"] <= state.clock.now():
            resume["status"] = _attempt(state, subscription, resume_subscription, _resume_params(resume["settings"]))
    if previous := state.objects.update(schedule, pause_schedules=planned):
        state.events.emit("updated", schedule, previous)


def _attempt(
    state: AccountState,
    subscription: Object,
    action: Callable[[AccountState, Object, Object], None],
    params: Object,
) -> Object:
    try:
        action(state, subscription, params)
    except ErrorResponse as error:
        return {"type": "error", "error": {"code": error.error.get("code"), "message": str(error)}}
    return {"type": "succeeded"}


def _pause_params(settings: Object) -> Object:
    bill_for = {
        name: {"type": "now" if moment["type"] == "pause_at" else moment["type"]}
        for name, moment in settings["bill_for"].items()
    }
    return {"bill_for": bill_for, "invoicing_behavior": settings["invoicing_behavior"]}


def _resume_params(settings: Object) -> Object:
    anchor = "now" if settings["billing_cycle_anchor"] == "resume_at" else "unchanged"
    return {**settings, "billing_cycle_anchor": {"type": anchor}}
