"""Updates of subscriptions: change items, prorate, start new periods, and wait for the payment of pending updates.

https://docs.stripe.com/billing/subscriptions/change
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pinstripe.emulator.billing import proration, subscription_invoices
from pinstripe.emulator.billing.periods import HOUR
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations._subscription_item_changes import apply_change, item_changes, prorate_change
from pinstripe.emulator.operations._subscription_params import (
    check_in_future,
    check_intervals,
    check_trial_end,
    period_end,
)
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem_all
from pinstripe.emulator.operations.invoice_items import add_items_to_subscription
from pinstripe.emulator.operations.invoice_payments import (
    default_method,
    invoice_details,
    on_invoice,
    pay,
    payment_of,
    requires_action,
    subscription_of,
)
from pinstripe.emulator.operations.pending_setup_intents import prepare_payment_method
from pinstripe.emulator.operations.plans import item_fields
from pinstripe.emulator.operations.subscriptions import ENDED, check_payment_method
from pinstripe.emulator.operations.trials import end_trial
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import fit
from pinstripe.emulator.state.json_values import Object, clone, merge_metadata, previous_values
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse

UNBILLED = ("trialing", "incomplete", "paused")
"""The statuses in which the current periods have not been paid and are not credited."""
PENDING_UPDATE_EXPIRY = 23 * HOUR
"""Seconds until a pending update expires whose invoice was not paid."""
DERIVED = {
    "items",
    "discounts",
    "trial_end",
    "cancel_at_period_end",
    "cancel_at",
    "billing_cycle_anchor",
    "default_tax_rates",
    "pause_collection",
    "cancellation_details",
    "add_invoice_items",
    "trial_settings",
    "payment_settings",
    "invoice_settings",
    "metadata",
}
"""The parameters of an update that are not fields as they were passed."""


PENDING_UPDATE_PARAMS = {
    "add_invoice_items",
    "billing_cycle_anchor",
    "discounts",
    "expand",
    "items",
    "off_session",
    "payment_behavior",
    "proration_behavior",
    "proration_date",
    "trial_end",
    "trial_from_plan",
}
"""The parameters of an update with ``pending_if_incomplete``."""


@dataclass
class Update:
    """The billing options of an update of a subscription, and the subscription before the update."""

    before: Object
    savepoint: int
    proration_behavior: str = "create_prorations"
    payment_behavior: str = "allow_incomplete"
    proration_date: int = 0
    restart_periods: bool = False
    scheduled: bool = False
    items: list[Object] = field(default_factory=list)

    @property
    def prorates(self) -> bool:
        """Whether changes are prorated."""
        return self.proration_behavior != "none"


@operation("subscriptions.update", "customers.subscriptions.update")
def update(context: OperationContext) -> Object:
    """Update a subscription."""
    subscription = context.state.objects.get("subscription", context.target_id)
    return apply_update(context.state, subscription, context.params)


def apply_update(state: AccountState, subscription: Object, params: Object, *, scheduled: bool = False) -> Object:
    """Update a subscription with the parameters of ``subscriptions.update``, and bill the changes.

    The changes that a schedule makes are not refused for want of a payment method.
    """
    if subscription["status"] in ENDED and set(params) - {"metadata", "cancellation_details", "expand"}:
        raise ErrorResponse("A canceled subscription can only update its cancellation_details and metadata.")
    _check_params(subscription, params)
    update = Update(
        clone(subscription),
        state.transaction.savepoint(),
        params.get("proration_behavior", "create_prorations"),
        params.get("payment_behavior", "allow_incomplete"),
        params.get("proration_date") or state.clock.now(),
        (params.get("billing_cycle_anchor") or {}).get("type") == "now",
        scheduled,
        params.get("items") or [],
    )
    passed = {name: value for name, value in params.items() if name not in DERIVED}
    fields = fit("Subscription", passed, state.default_values, subscription)
    state.objects.update(subscription, **fields, **_derived_fields(state, subscription, params))
    add_items_to_subscription(state, subscription, params.get("add_invoice_items"))
    _change_trial(state, subscription, params, update)
    if subscription["status"] in ENDED and update.before["status"] not in ENDED:
        return subscription
    if update.items or update.restart_periods:
        _change_items(state, subscription, update)
    elif update.proration_behavior == "always_invoice" and params.get("add_invoice_items"):
        _invoice_pending(state, subscription, update)
    if params.get("default_payment_method"):
        prepare_payment_method(state, subscription)
    if previous := previous_values(update.before, subscription):
        state.events.emit("updated", subscription, previous)
        if "status" in previous and subscription["status"] == "paused":
            state.events.emit("paused", subscription)
    return subscription


def _check_params(subscription: Object, params: Object) -> None:
    """Raise `ErrorResponse` for parameters that a pending update cannot have, and a date outside of the period."""
    if params.get("payment_behavior") == "pending_if_incomplete" and (other := set(params) - PENDING_UPDATE_PARAMS):
        listed = ", ".join(f"`{name}`" for name in sorted(other))
        raise ErrorResponse(
            f"With `payment_behavior` set to `pending_if_incomplete`, you cannot pass {listed}. See"
            " https://docs.stripe.com/billing/subscriptions/pending-updates-reference.",
            param=min(other),
        )
    if (date := params.get("proration_date")) is not None:
        items = subscription["items"]["data"]
        start, end = min(item["current_period_start"] for item in items), period_end(subscription)
        if not start <= date <= end:
            raise ErrorResponse(
                "Cannot specify a `proration_date` outside of the current subscription period.", param="proration_date"
            )


def _derived_fields(state: AccountState, subscription: Object, params: Object) -> Object:
    fields = _cancellation_fields(state, subscription, params)
    if "metadata" in params:
        fields["metadata"] = merge_metadata(subscription["metadata"], params["metadata"])
    if "discounts" in params:
        owner = {"customer": subscription["customer"], "subscription": subscription["id"]}
        fields["discounts"] = redeem_all(state, params["discounts"], **owner)
        for discount_id in subscription["discounts"]:
            if discount_id not in fields["discounts"]:
                state.events.emit("deleted", state.objects["discount", discount_id])
    if "default_tax_rates" in params:
        rate_ids = params["default_tax_rates"] or []
        fields["default_tax_rates"] = [state.objects["tax_rate", rate_id] for rate_id in rate_ids]
    if "pause_collection" in params:
        pause = params["pause_collection"]
        fields["pause_collection"] = {"resumes_at": None, **pause} if pause else None
        if pause and pause.get("resumes_at"):
            state.clock.schedule(pause["resumes_at"], "subscription.resume_collection", subscription)
    for name in ("trial_settings", "payment_settings", "invoice_settings"):
        if params.get(name):
            fields[name] = {**(subscription[name] or {}), **params[name]}
    if method_id := params.get("default_payment_method"):
        state.objects.get("payment_method", method_id, "default_payment_method")
    return fields


def _cancellation_fields(state: AccountState, subscription: Object, params: Object) -> Object:
    fields: Object = {}
    if "cancel_at_period_end" in params:
        at_period_end = params["cancel_at_period_end"]
        cancel_at = period_end(subscription) if at_period_end else None
        fields |= {"cancel_at_period_end": at_period_end, "cancel_at": cancel_at}
    if "cancel_at" in params:
        cancel_at = params["cancel_at"]
        if isinstance(cancel_at, str):  # min_period_end or max_period_end
            cancel_at = period_end(subscription)
        if cancel_at is not None:
            check_in_future(state, cancel_at, "cancel_at")
            state.clock.schedule(cancel_at, "subscription.renew", subscription)
        fields |= {"cancel_at": cancel_at, "cancel_at_period_end": cancel_at == period_end(subscription)}
    if "cancel_at" in fields:
        canceled = fields["cancel_at"] is not None
        fields["canceled_at"] = state.clock.now() if canceled else None
        reason = "cancellation_requested" if canceled else None
        fields["cancellation_details"] = {
            "comment": None,
            "feedback": None,
            "feedback_option": None,
            "reason": reason,
        }
    if details := params.get("cancellation_details"):
        current = fields.get("cancellation_details") or subscription["cancellation_details"] or {}
        fields["cancellation_details"] = {**current, **details}
    return fields


def _change_trial(state: AccountState, subscription: Object, params: Object, update: Update) -> None:
    """End a trial now, or start or extend one."""
    trial_end, now = params.get("trial_end"), state.clock.now()
    if trial_end is None:
        return
    if trial_end == "now":
        if subscription["status"] == "trialing":
            state.objects.update(subscription, trial_end=now)
            state.events.emit("trial_will_end", subscription)
            end_trial(state, subscription)
            update.restart_periods = subscription["status"] == "active"
        return
    check_trial_end(state, trial_end)
    if update.prorates:
        proration.credit_unused(state, subscription)
    state.objects.update(
        subscription,
        status="trialing",
        trial_start=subscription["trial_start"] or now,
        trial_end=trial_end,
        billing_cycle_anchor=trial_end,
    )
    for item in subscription["items"]["data"]:
        state.objects.update(item, current_period_start=now, current_period_end=trial_end)
    subscription_invoices.schedule_timers(state, subscription)


def _change_items(state: AccountState, subscription: Object, update: Update) -> None:
    """Add, replace and remove items; prorate the changes, or start new periods when an interval changes."""
    unbilled = subscription["status"] in UNBILLED
    changes = item_changes(state, subscription, update.items)
    restart = update.restart_periods or any(change.has_new_interval for change in changes)
    if restart and not unbilled and update.prorates and update.before["status"] not in UNBILLED:
        proration.credit_unused(state, subscription, update.proration_date)
    for change in changes:
        if not restart and not unbilled and update.prorates:
            prorate_change(state, subscription, change, update.proration_date)
        apply_change(state, subscription, change)
    if not subscription["items"]["data"]:
        raise ErrorResponse("A subscription must have at least one active item.", param="items")
    check_intervals(subscription)
    if restart and not unbilled:
        _restart(state, subscription)
        items = subscription["items"]["data"]
        invoice = subscription_invoices.create_cycle_invoice(state, subscription, "subscription_update", items)
        invoices.finalize(state, invoice)
        _pay(state, subscription, invoice, update)
    elif update.proration_behavior == "always_invoice":
        _invoice_pending(state, subscription, update)


def _restart(state: AccountState, subscription: Object) -> None:
    state.objects.update(subscription, billing_cycle_anchor=state.clock.now())
    subscription_invoices.restart_periods(state, subscription)
    subscription_invoices.schedule_timers(state, subscription)


def _invoice_pending(state: AccountState, subscription: Object, update: Update) -> None:
    invoice = subscription_invoices.invoice_pending(state, subscription)
    if invoice is not None:
        _pay(state, subscription, invoice, update)


def _pay(state: AccountState, subscription: Object, invoice: Object, update: Update) -> None:
    """Pay the invoice of an update; ``payment_behavior`` decides what a decline does."""
    if invoice["status"] != "open" or subscription["collection_method"] == "send_invoice":
        return
    if update.payment_behavior == "default_incomplete":
        state.objects.update(subscription, status="past_due")
        return
    if not update.scheduled:
        check_payment_method(state, subscription, invoice)
    try:
        pay(state, invoice, default_method(state, subscription))
        payment = payment_of(state, invoice)
        if payment is not None and payment.intent["status"] == "requires_action":
            raise requires_action("subscription")
    except ErrorResponse as error:
        if error.status != DECLINED:
            raise
        if update.payment_behavior == "error_if_incomplete":
            state.transaction.rollback(update.savepoint)
            raise
        if update.payment_behavior == "pending_if_incomplete":
            _make_pending(state, subscription, update)


def _make_pending(state: AccountState, subscription: Object, update: Update) -> None:
    """Restore the items, and keep the update until its invoice is paid.

    https://docs.stripe.com/billing/subscriptions/pending-updates
    """
    expires_at, invoice_id = state.clock.now() + PENDING_UPDATE_EXPIRY, subscription["latest_invoice"]
    updated_items = clone(subscription["items"]["data"])
    old_ids = {item["id"] for item in update.before["items"]["data"]}
    for item in subscription["items"]["data"]:
        if item["id"] not in old_ids:
            state.objects.remove(item)
    items = [state.objects.add(item) for item in clone(update.before["items"]["data"])]
    state.objects.update(
        subscription,
        billing_cycle_anchor=update.before["billing_cycle_anchor"],
        **item_fields(subscription, items),
        pending_update={
            "billing_cycle_anchor": None,
            "cancel_at_period_end": None,
            "discount": None,
            "discounts": None,
            "expires_at": expires_at,
            "metadata": None,
            "subscription_items": updated_items,
            "trial_end": subscription["trial_end"] if update.before["status"] == "trialing" else None,
            "trial_from_plan": None,
        },
        status=update.before["status"],
        trial_end=update.before["trial_end"],
    )
    details = replace(invoice_details(state, invoice_id), pending_items=update.items)
    state.tables.invoices.set(invoice_id, details)
    state.clock.schedule(expires_at, "subscription.expire_pending_update", subscription)


@on_invoice("paid")
def _apply_pending_update(state: AccountState, invoice: Object) -> None:
    subscription = state.objects.find("subscription", subscription_of(invoice))
    items = invoice_details(state, invoice["id"]).pending_items
    if subscription is None or items is None or subscription["pending_update"] is None:
        return
    before = clone(subscription)
    ends_trial = subscription["pending_update"]["trial_end"] is not None
    state.objects.update(subscription, pending_update=None)
    if ends_trial:
        state.objects.update(subscription, status="active", trial_end=state.clock.now())
    changes = item_changes(state, subscription, items)
    for change in changes:
        apply_change(state, subscription, change)
    if ends_trial or any(change.has_new_interval for change in changes):
        _restart(state, subscription)
    state.events.emit("updated", subscription, previous_values(before, subscription))
    state.events.emit("pending_update_applied", subscription)


@timer_handler("subscription.expire_pending_update")
def _expire_pending_update(state: AccountState, subscription: Object) -> None:
    pending = subscription["pending_update"]
    if pending is None or pending["expires_at"] > state.clock.now():
        return
    state.objects.update(subscription, pending_update=None)
    invoice = state.objects["invoice", subscription["latest_invoice"]]
    if invoice["status"] == "open":
        invoices.void(state, invoice)
    state.events.emit("pending_update_expired", subscription)
