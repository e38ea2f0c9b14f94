"""Proration: the part of a price for the rest of a period. https://docs.stripe.com/billing/subscriptions/prorations"""

from __future__ import annotations

from decimal import Decimal

from pinstripe.emulator.billing.invoice_line_builder import line_pricing
from pinstripe.emulator.billing.money import round_amount
from pinstripe.emulator.billing.periods import format_date
from pinstripe.emulator.billing.pricing import cost, discount_amount, in_currency, is_metered
from pinstripe.emulator.operations.discounts import coupon_of, is_active
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object


def prorate(amount: Decimal | int, start: int, end: int, at: int) -> int:
    """Return the part of the amount of a period that is for the time from ``at`` to its end, to the second."""
    return round_amount(Decimal(amount) * (end - at) / (end - start))


def credit_item(state: AccountState, subscription: Object, item: Object, at: int) -> None:
    """Add an invoice item that credits the rest of the current period of a subscription item."""
    description = f"Unused time on {_describe(state, item['price'], item['quantity'])} after {format_date(at)}"
    amount = -_rest_of_period(state, subscription, item, item["price"], item["quantity"], at)
    _add_proration(state, subscription, item, item["price"], item["quantity"], amount, description, at)


def charge_item(state: AccountState, subscription: Object, item: Object, price: Object, quantity: int, at: int) -> None:
    """Add an invoice item that charges a price for the rest of the current period of a subscription item."""
    description = f"Remaining time on {_describe(state, price, quantity)} after {format_date(at)}"
    amount = _rest_of_period(state, subscription, item, price, quantity, at)
    _add_proration(state, subscription, item, price, quantity, amount, description, at)


def credit_unused(state: AccountState, subscription: Object, at: int | None = None) -> None:
    """Credit the rest of the current periods of a subscription with its next invoice."""
    at = state.clock.now() if at is None else at
    if subscription["status"] in ("trialing", "incomplete"):
        return
    for item in subscription["items"]["data"]:
        if not is_metered(item["price"]) and item["current_period_end"] > at:
            credit_item(state, subscription, item, at)


def _describe(state: AccountState, price: Object, quantity: int) -> str:
    name = (state.objects.find("product", price["product"]) or {}).get("name", "")
    return f"{quantity} x {name}" if quantity != 1 else str(name)


def _rest_of_period(
    state: AccountState, subscription: Object, item: Object, price: Object, quantity: int, at: int
) -> int:
    amount = _discounted_cost(state, subscription, price, quantity)
    return prorate(amount, item["current_period_start"], item["current_period_end"], at)


def _discounted_cost(state: AccountState, subscription: Object, price: Object, quantity: int) -> int:
    """Return what a period costs after the subscription's percentage discounts."""
    amount = cost(state, price, quantity, subscription["currency"])
    for discount_id in subscription["discounts"]:
        discount = state.objects["discount", discount_id]
        coupon = coupon_of(state, discount)
        if coupon["percent_off"] is not None and is_active(state, discount, state.clock.now()):
            amount -= discount_amount(amount, coupon)
    return amount


def _add_proration(
    state: AccountState,
    subscription: Object,
    item: Object,
    price: Object,
    quantity: int,
    amount: int,
    description: str,
    at: int,
) -> None:
    invoice_item = state.draft("invoiceitem")
    price_in_currency, _ = in_currency(state, price, subscription["currency"])
    details = {"subscription": subscription["id"], "subscription_item": item["id"]}
    invoice_item.update(
        amount=amount,
        currency=subscription["currency"],
        customer=subscription["customer"],
        date=at,
        description=description,
        discountable=False,
        discounts=[],
        invoice=None,
        net_amount=amount,
        parent={"type": "subscription_details", "subscription_details": details},
        period={"start": at, "end": item["current_period_end"]},
        pricing=line_pricing(price_in_currency),
        proration=True,
        proration_details={"discount_amounts": [], "credited_items": None},
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=list(item.get("tax_rates") or []),
    )
    state.objects.add(invoice_item)
    state.events.emit("created", invoice_item)
