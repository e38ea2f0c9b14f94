"""Build the lines of invoices from subscription items and invoice items.

https://docs.stripe.com/invoicing/overview
"""

from __future__ import annotations

from decimal import Decimal

from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.billing.pricing import cost, in_currency
from pinstripe.emulator.operations.discounts import is_active
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.state.tables import InvoiceLineDetails


def line_pricing(price: Object | None, unit_amount: str | None = None) -> Object | None:
    """Return the ``pricing`` field of a line: its price, or its unit amount."""
    if price is None:
        if unit_amount is None:
            return None
        return {"type": "price_details", "price_details": None, "unit_amount_decimal": unit_amount}
    details = {"price": price["id"], "product": price["product"]}
    return {"type": "price_details", "price_details": details, "unit_amount_decimal": price.get("unit_amount_decimal")}


def line_of_subscription_item(
    state: AccountState, subscription: Object, item: Object, start: int, end: int, quantity: int
) -> Object:
    """Return the line of a subscription item for a period."""
    price, currency = item["price"], subscription["currency"]
    description = _describe(state, price, quantity, subscription)
    line = _line(state, cost(state, price, quantity, currency), currency, description, start, end)
    details = {
        "subscription": subscription["id"],
        "subscription_item": item["id"],
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
    }
    now = state.clock.now()
    discounts = [
        discount_id
        for discount_id in item["discounts"]
        if is_active(state, state.objects["discount", discount_id], now)
    ]
    line.update(
        discountable=True,
        discounts=discounts,
        metadata=dict(subscription["metadata"]),
        parent={
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": details,
        },
        pricing=line_pricing(price),
        quantity=quantity,
        quantity_decimal=str(quantity),
        subscription=subscription["id"],
    )
    state.tables.invoice_lines.set(line["id"], InvoiceLineDetails(_tax_rate_ids(item)))
    return line


def _describe(state: AccountState, price: Object, quantity: int, subscription: Object) -> str:
    """Return the description of a line, as in ``2 × Gold (at $29.00 / month)``."""
    currency = subscription["currency"]
    unit_amount = in_currency(state, price, currency)[0].get("unit_amount_decimal")
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    unit_price = "tiered" if unit_amount is None else f"at {format_amount(Decimal(unit_amount), currency)}"
    product = state.objects.find("product", price["product"]) or {}
    unit = f" {product['unit_label']}" if product.get("unit_label") else ""
    every = interval if count == 1 else f"every {count} {interval}s"
    return f"{quantity}{unit} × {product.get('name', '')} ({unit_price} / {every})"


def line_of_invoice_item(state: AccountState, item: Object) -> Object:
    """Return the line of an invoice item."""
    period = item["period"]
    line = _line(state, item["amount"], item["currency"], item["description"], period["start"], period["end"])
    subscription_details = (item["parent"] or {}).get("subscription_details") or {}
    details = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "subscription": subscription_details.get("subscription"),
        "proration_details": {"credited_items": None},
    }
    if item["proration"]:
        item_details = {**details, "subscription_item": subscription_details.get("subscription_item")}
        parent = {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": item_details,
        }
    else:
        parent = {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None}
    line.update(
        discountable=item["discountable"],
        discounts=list(item["discounts"] or []),
        metadata=dict(item["metadata"] or {}),
        parent=parent,
        pricing=clone(item["pricing"]),
        quantity=item["quantity"],
        quantity_decimal=item["quantity_decimal"],
        subscription=subscription_details.get("subscription"),
    )
    state.tables.invoice_lines.set(line["id"], InvoiceLineDetails(_tax_rate_ids(item), item["id"]))
    return line


def line_details(state: AccountState, line: Object) -> InvoiceLineDetails:
    """Return the tax rates of an invoice line and its invoice item, which responses do not show."""
    return state.tables.invoice_lines.get(line["id"]) or InvoiceLineDetails()


def _tax_rate_ids(item: Object) -> tuple[str, ...]:
    return tuple(rate["id"] for rate in item.get("tax_rates") or [])


def _line(state: AccountState, amount: int, currency: str, description: str | None, start: int, end: int) -> Object:
    line = state.draft("line_item")
    line.update(
        amount=amount,
        currency=currency,
        description=description,
        discount_amounts=[],
        period={"start": start, "end": end},
        pretax_credit_amounts=[],
        subtotal=amount,
        taxes=[],
    )
    return line
