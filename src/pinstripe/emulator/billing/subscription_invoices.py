"""The invoices of subscriptions, their lines, and the timers of billing periods.

https://docs.stripe.com/billing/subscriptions/billing-cycle
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pinstripe.emulator.billing import periods
from pinstripe.emulator.billing.invoice_line_builder import line_of_subscription_item
from pinstripe.emulator.billing.pricing import is_metered
from pinstripe.emulator.billing.proration import prorate
from pinstripe.emulator.operations import billing_meters, invoices
from pinstripe.emulator.operations.discounts import is_active
from pinstripe.emulator.operations.invoice_payments import subscription_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Timestamp

TRIAL_END_NOTICE = 3 * periods.DAY
"""The time between the event ``trial_will_end`` and the end of the trial."""
RENEWAL_NOTICE = 7 * periods.DAY
"""The time between ``invoice.upcoming`` and the renewal; a shorter period has no such event."""


def is_for_subscription(invoice: Object, subscription: Object) -> bool:
    """Return whether an invoice bills a subscription."""
    return bool(subscription_of(invoice) == subscription["id"])


def create_draft(
    state: AccountState,
    subscription: Object,
    billing_reason: str,
    lines: Iterable[Object],
    period_start: int | None = None,
) -> Object:
    """Create a draft invoice with these lines, after the lines of the pending invoice items of the subscription.

    ``period_start`` is the start of the period that has ended, in which invoice items could be added.
    """
    customer = state.objects.get("customer", subscription["customer"])
    details = {"subscription": subscription["id"], "metadata": dict(subscription["metadata"])}
    params = {
        "collection_method": subscription["collection_method"],
        "currency": subscription["currency"],
        "days_until_due": subscription["days_until_due"],
        **{name: subscription["invoice_settings"].get(name) for name in ("custom_fields", "description", "footer")},
        "default_tax_rates": [rate["id"] for rate in subscription["default_tax_rates"] or []],
        "auto_advance": True,
        "automatic_tax": subscription["automatic_tax"],
    }
    invoice = invoices.create_draft(
        state,
        customer,
        params,
        parent={"type": "subscription_details", "subscription_details": details, "quote_details": None},
        default_payment_method=subscription["default_payment_method"],
    )
    discounts = _active_discounts(state, subscription, customer)
    period = {} if period_start is None else {"period_start": period_start}
    state.objects.update(invoice, billing_reason=billing_reason, discounts=discounts, **period)
    items = invoices.pending_items(state, customer["id"], subscription["currency"], subscription["id"])
    invoices.set_lines(state, invoice, [*invoices.lines_of_items(state, invoice, items), *lines])
    state.objects.update(subscription, latest_invoice=invoice["id"])
    state.events.emit("created", invoice)
    return invoice


def _active_discounts(state: AccountState, subscription: Object, customer: Object) -> list[str]:
    """Return the ids of the subscription's active discounts, or that of the customer's when it has none."""
    now = state.clock.now()
    active = [
        discount_id
        for discount_id in subscription["discounts"]
        if is_active(state, state.objects["discount", discount_id], now)
    ]
    if not active and customer.get("discount") and is_active(state, customer["discount"], now):
        return [customer["discount"]["id"]]
    return active


def create_first_invoice(state: AccountState, subscription: Object, *, prorate_first: bool) -> Object | None:
    """Create the first invoice of a subscription; a first period that is cut short by the anchor is prorated.

    Without proration such a period is free, and there is no invoice.
    """
    now, lines = state.clock.now(), []
    for item in subscription["items"]["data"]:
        start, end = item["current_period_start"], item["current_period_end"]
        quantity = 0 if is_metered(item["price"]) else item["quantity"]
        line = line_of_subscription_item(state, subscription, item, start, end, quantity)
        if subscription["status"] == "trialing":
            line.update(amount=0, subtotal=0, description=f"Trial period for {line['description']}")
        elif not is_metered(item["price"]):
            period = periods.period_at(subscription["billing_cycle_anchor"], item["price"]["recurring"], now)
            if start > period[0]:
                amount = prorate(line["amount"], *period, start) if prorate_first else 0
                line.update(amount=amount, subtotal=amount)
        lines.append(line)
    if not prorate_first and subscription["billing_cycle_anchor"] > now and subscription["status"] != "trialing":
        return None
    return create_draft(state, subscription, "subscription_create", lines)


def create_cycle_invoice(
    state: AccountState,
    subscription: Object,
    billing_reason: str,
    items: Sequence[Object],
    period_start: int | None = None,
) -> Object:
    """Create the invoice of items whose current period has just begun; metered items bill the period before."""
    return create_draft(state, subscription, billing_reason, _cycle_lines(state, subscription, items), period_start)


def _cycle_lines(state: AccountState, subscription: Object, items: Sequence[Object]) -> list[Object]:
    lines = []
    for item in items:
        start, end = item["current_period_start"], item["current_period_end"]
        if is_metered(item["price"]):
            since = _billed_until(state, item)
            usage = billing_meters.metered_quantity(state, item["price"], subscription["customer"], since, start)
            line = line_of_subscription_item(state, subscription, item, since, start, usage)
            state.tables.billed_until.set(item["id"], Timestamp(start))
        else:
            line = line_of_subscription_item(state, subscription, item, start, end, item["quantity"])
        lines.append(line)
    return lines


def _billed_until(state: AccountState, item: Object) -> int:
    billed_until = state.tables.billed_until.get(item["id"])
    return billed_until.seconds if billed_until else int(item["created"])


def restart_periods(state: AccountState, subscription: Object) -> None:
    """Start new periods of all items now."""
    now = state.clock.now()
    for item in subscription["items"]["data"]:
        _, end = periods.period_at(subscription["billing_cycle_anchor"], item["price"]["recurring"], now)
        state.objects.update(item, current_period_start=now, current_period_end=end)


def invoice_pending(
    state: AccountState, subscription: Object, billing_reason: str = "subscription_update"
) -> Object | None:
    """Create and finalize an invoice of the usage so far and the pending invoice items, or return ``None``."""
    lines, now = [], state.clock.now()
    for item in subscription["items"]["data"]:
        if not is_metered(item["price"]):
            continue
        since = _billed_until(state, item)
        if usage := billing_meters.metered_quantity(state, item["price"], subscription["customer"], since, now):
            lines.append(line_of_subscription_item(state, subscription, item, since, now, usage))
            state.tables.billed_until.set(item["id"], Timestamp(now))
    pending = invoices.pending_items(state, subscription["customer"], subscription["currency"], subscription["id"])
    if not lines and not pending:
        return None
    invoice = create_draft(state, subscription, billing_reason, lines)
    invoices.finalize(state, invoice)
    return invoice


def schedule_timers(state: AccountState, subscription: Object) -> None:
    """Set the timers of the current periods: renewals, notices and a cancellation."""
    now = state.clock.now()
    ends = sorted({item["current_period_end"] for item in subscription["items"]["data"]})
    for end in ends:
        state.clock.schedule(end, "subscription.renew", subscription)
    if subscription["status"] == "trialing":
        notice = subscription["trial_end"] - TRIAL_END_NOTICE
        if notice > now:
            state.clock.schedule(notice, "subscription.trial_will_end", subscription)
        else:
            state.events.emit("trial_will_end", subscription)
    elif ends and ends[0] - now > RENEWAL_NOTICE:
        state.clock.schedule(ends[0] - RENEWAL_NOTICE, "subscription.upcoming", subscription)
    if subscription["cancel_at"] and subscription["cancel_at"] not in ends:
        state.clock.schedule(subscription["cancel_at"], "subscription.renew", subscription)
