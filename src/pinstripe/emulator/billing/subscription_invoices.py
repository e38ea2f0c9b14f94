"""What a subscription bills: its invoices, their lines, and the timers of its periods. https://docs.stripe.com/billing/subscriptions/billing-cycle"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pinstripe.emulator.billing import money, periods
from pinstripe.emulator.billing.invoice_lines import cost, of_item, pricing
from pinstripe.emulator.operations import billing_meters, invoices
from pinstripe.emulator.operations.discounts import coupon_of, holds
from pinstripe.emulator.operations.products import in_currency
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Timestamp

NOTICE = 3 * periods.DAY
"""How long before the end of a trial Stripe says so."""
UPCOMING = 7 * periods.DAY
"""How long before a renewal Stripe says so, for periods that are longer."""


def is_of(invoice: Object, subscription: Object) -> bool:
    """Whether an invoice is of a subscription."""
    return bool(invoices.subscription_of(invoice) == subscription["id"])


def is_metered(item: Object) -> bool:
    """Whether an item is billed by what was used."""
    return bool(item["price"]["recurring"]["usage_type"] == "metered")


def draft(state: AccountState, subscription: Object, reason: str, lines: Iterable[Object]) -> Object:
    """A draft of a subscription with these lines, and with the invoice items that wait for it."""
    customer = state.objects.get("customer", subscription["customer"])
    details = {"subscription": subscription["id"], "metadata": dict(subscription["metadata"])}
    given = {
        "collection_method": subscription["collection_method"],
        "currency": subscription["currency"],
        "days_until_due": subscription["days_until_due"],
        **{name: subscription["invoice_settings"].get(name) for name in ("custom_fields", "description", "footer")},
        "default_tax_rates": [rate["id"] for rate in subscription["default_tax_rates"] or []],
        "auto_advance": True,
        "automatic_tax": subscription["automatic_tax"],
    }
    invoice = invoices.draft(
        state,
        customer,
        given,
        parent={"type": "subscription_details", "subscription_details": details, "quote_details": None},
        default_payment_method=subscription["default_payment_method"],
    )
    state.objects.update(invoice, billing_reason=reason, discounts=_discounts(state, subscription, customer))
    items = invoices.pending_items(state, customer["id"], subscription["currency"], subscription["id"])
    invoices.fill(state, invoice, [*invoices.take_items(state, invoice, items), *lines])
    state.objects.update(subscription, latest_invoice=invoice["id"])
    state.events.emit("created", invoice)
    return invoice


def _discounts(state: AccountState, subscription: Object, customer: Object) -> list[str]:
    own = [one for one in subscription["discounts"] if holds(state, state.objects["discount", one], state.clock.now())]
    if not own and customer.get("discount") and holds(state, customer["discount"], state.clock.now()):
        return [customer["discount"]["id"]]
    return own


def first_invoice(state: AccountState, subscription: Object, *, prorate: bool) -> Object | None:
    """The invoice with which a subscription starts; the part of a period until its anchor is prorated."""
    now, lines = state.clock.now(), []
    for item in subscription["items"]["data"]:
        start, end = item["current_period_start"], item["current_period_end"]
        line = of_item(state, subscription, item, start, end, 0 if is_metered(item) else item["quantity"])
        if subscription["status"] == "trialing":
            line.update(amount=0, subtotal=0, description=f"Trial period for {line['description']}")
        elif not is_metered(item):
            whole = periods.around(subscription["billing_cycle_anchor"], item["price"]["recurring"], now)
            if start > whole[0]:
                part = money.prorated(line["amount"], whole[0], whole[1], start) if prorate else 0
                line.update(amount=part, subtotal=part)
        lines.append(line)
    if not prorate and subscription["billing_cycle_anchor"] > now and subscription["status"] != "trialing":
        return None
    return draft(state, subscription, "subscription_create", lines)


def cycle_lines(state: AccountState, subscription: Object, items: Sequence[Object]) -> list[Object]:
    """The lines of items for the periods that they are in now; of metered ones, for the period before."""
    lines = []
    for item in items:
        start, end = item["current_period_start"], item["current_period_end"]
        if is_metered(item):
            since = _billed_until(state, item)
            used = billing_meters.metered_quantity(state, item["price"], subscription["customer"], since, start)
            line = of_item(state, subscription, item, since, start, used)
            state.tables.billed_until.set(item["id"], Timestamp(start))
        else:
            line = of_item(state, subscription, item, start, end, item["quantity"])
        lines.append(line)
    return lines


def _billed_until(state: AccountState, item: Object) -> int:
    row = state.tables.billed_until.get(item["id"])
    return row.seconds if row else int(item["created"])


def cycle_invoice(state: AccountState, subscription: Object, reason: str, items: Sequence[Object]) -> Object:
    """The invoice of items for the periods that begin."""
    return draft(state, subscription, reason, cycle_lines(state, subscription, items))


def restart_periods(state: AccountState, subscription: Object) -> None:
    """Let the periods of all items begin now."""
    now = state.clock.now()
    for item in subscription["items"]["data"]:
        _, end = periods.around(subscription["billing_cycle_anchor"], item["price"]["recurring"], now)
        state.objects.update(item, current_period_start=now, current_period_end=end)


def net(state: AccountState, subscription: Object, price: Object, quantity: int) -> int:
    """What a quantity costs for a whole period, after the discounts of the subscription that are parts of it."""
    amount = cost(state, price, quantity, subscription["currency"])
    for identifier in subscription["discounts"]:
        discount = state.objects["discount", identifier]
        if holds(state, discount, state.clock.now()) and coupon_of(state, discount)["percent_off"] is not None:
            amount -= money.discounted(amount, coupon_of(state, discount))
    return amount


def prorate(
    state: AccountState, subscription: Object, item: Object, price: Object, quantity: int, sign: int, at: int
) -> None:
    """An invoice item for the rest of the period: of what is given up (-1), or of what begins (+1)."""
    start, end = item["current_period_start"], item["current_period_end"]
    amount = sign * money.prorated(net(state, subscription, price, quantity), start, end, at)
    name = (state.objects.find("product", price["product"]) or {}).get("name", "")
    words = "Unused time on" if sign < 0 else "Remaining time on"
    many = f"{quantity} x " if quantity != 1 else ""
    made = state.draft("invoiceitem")
    shown, _ = in_currency(state, price, subscription["currency"])
    made.update(
        amount=amount,
        currency=subscription["currency"],
        customer=subscription["customer"],
        date=at,
        description=f"{words} {many}{name} after {periods.date(at)}",
        discountable=False,
        discounts=[],
        invoice=None,
        net_amount=amount,
        parent={
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription["id"], "subscription_item": item["id"]},
        },
        period={"start": at, "end": end},
        pricing=pricing(shown),
        proration=True,
        proration_details={"discount_amounts": [], "credited_items": None},
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=list(item.get("tax_rates") or []),
    )
    state.objects.add(made)
    state.events.emit("created", made)


def credit_unused(state: AccountState, subscription: Object, at: int | None = None) -> None:
    """Give back what is left of the current periods, with the next invoice."""
    moment = state.clock.now() if at is None else at
    if subscription["status"] in ("trialing", "incomplete"):
        return
    for item in subscription["items"]["data"]:
        if not is_metered(item) and item["current_period_end"] > moment:
            prorate(state, subscription, item, item["price"], item["quantity"], -1, moment)


def invoice_now(state: AccountState, subscription: Object, reason: str = "subscription_update") -> Object | None:
    """Invoice what waits for a subscription, and collect it; nothing where nothing waits."""
    lines = []
    for item in subscription["items"]["data"]:
        since = _billed_until(state, item)
        if is_metered(item) and billing_meters.metered_quantity(
            state, item["price"], subscription["customer"], since, state.clock.now()
        ):
            used = billing_meters.metered_quantity(
                state, item["price"], subscription["customer"], since, state.clock.now()
            )
            lines.append(of_item(state, subscription, item, since, state.clock.now(), used))
            state.tables.billed_until.set(item["id"], Timestamp(state.clock.now()))
    waiting = invoices.pending_items(state, subscription["customer"], subscription["currency"], subscription["id"])
    if not lines and not waiting:
        return None
    invoice = draft(state, subscription, reason, lines)
    invoices.finalize(state, invoice)
    return invoice


def schedule(state: AccountState, subscription: Object) -> None:
    """Set the timers of the current periods."""
    ends = sorted({item["current_period_end"] for item in subscription["items"]["data"]})
    now = state.clock.now()
    for end in ends:
        state.clock.schedule(end, "subscription.renew", subscription)
    if subscription["status"] == "trialing":
        state.clock.schedule(max(now, subscription["trial_end"] - NOTICE), "subscription.trial_will_end", subscription)
    elif ends and ends[0] - now > UPCOMING:
        state.clock.schedule(ends[0] - UPCOMING, "subscription.upcoming", subscription)
    if subscription["cancel_at"] and subscription["cancel_at"] not in ends:
        state.clock.schedule(subscription["cancel_at"], "subscription.renew", subscription)
