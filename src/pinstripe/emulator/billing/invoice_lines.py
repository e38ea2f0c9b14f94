"""The lines of invoices, and what they add up to: discounts, taxes, totals. https://docs.stripe.com/invoicing/overview"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from pinstripe.emulator.billing import money
from pinstripe.emulator.operations.discounts import coupon_of, holds
from pinstripe.emulator.operations.products import in_currency
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.state.tables import InvoiceLineDetails


def cost(state: AccountState, price: Object, quantity: Decimal | int, currency: str) -> int:
    """What a quantity of a price costs in a currency."""
    shown, tiers = in_currency(state, price, currency)
    return money.whole(money.amount_of(shown, tiers, quantity))


def pricing(price: Object | None, unit: str | None = None) -> Object | None:
    """How a line says what it is a line of."""
    if price is None:
        return None if unit is None else {"type": "price_details", "price_details": None, "unit_amount_decimal": unit}
    details = {"price": price["id"], "product": price["product"]}
    return {"type": "price_details", "price_details": details, "unit_amount_decimal": price.get("unit_amount_decimal")}


def of_item(state: AccountState, subscription: Object, item: Object, start: int, end: int, quantity: int) -> Object:
    """The line of a subscription's item for a period."""
    price = item["price"]
    amount = cost(state, price, quantity, subscription["currency"])
    line = _line(state, amount, subscription["currency"], _said(state, price, quantity, subscription), start, end)
    details = {
        "subscription": subscription["id"],
        "subscription_item": item["id"],
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
    }
    line.update(
        discountable=True,
        discounts=[one for one in item["discounts"] if holds(state, state.objects["discount", one], state.clock.now())],
        metadata=dict(subscription["metadata"]),
        parent={
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": details,
        },
        pricing=pricing(price),
        quantity=quantity,
        quantity_decimal=str(quantity),
        subscription=subscription["id"],
    )
    state.tables.invoice_lines.set(line["id"], InvoiceLineDetails(_tax_rate_ids(item)))
    return line


def _said(state: AccountState, price: Object, quantity: int, subscription: Object) -> str:
    """The description of a line, as in ``2 × Gold (at $29.00 / month)``."""
    shown, _ = in_currency(state, price, subscription["currency"])
    every, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    unit = shown.get("unit_amount_decimal")
    each = "tiered" if unit is None else f"at {money.symbolic(Decimal(unit), subscription['currency'])}"
    name = (state.objects.find("product", price["product"]) or {}).get("name", "")
    return f"{quantity} × {name} ({each} / {every if count == 1 else f'every {count} {every}s'})"


def of_invoice_item(state: AccountState, item: Object) -> Object:
    """The line of an invoice item."""
    period = item["period"]
    line = _line(state, item["amount"], item["currency"], item["description"], period["start"], period["end"])
    parent = (item["parent"] or {}).get("subscription_details") or {}
    details = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "subscription": parent.get("subscription"),
        "proration_details": {"credited_items": None},
    }
    if item["proration"]:
        subscribed = {**details, "subscription_item": parent.get("subscription_item")}
        whole = {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": subscribed,
        }
    else:
        whole = {"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None}
    line.update(
        discountable=item["discountable"],
        discounts=list(item["discounts"] or []),
        metadata=dict(item["metadata"] or {}),
        parent=whole,
        pricing=clone(item["pricing"]),
        quantity=item["quantity"],
        quantity_decimal=item["quantity_decimal"],
        subscription=parent.get("subscription"),
    )
    state.tables.invoice_lines.set(line["id"], InvoiceLineDetails(_tax_rate_ids(item), item["id"]))
    return line


def line_details(state: AccountState, line: Object) -> InvoiceLineDetails:
    """Return what is known of an invoice line and not shown."""
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


def total_up(state: AccountState, invoice: Object, given: Iterable[Object]) -> Object:
    """What an invoice with these lines says: the lines with their discounts and taxes, and every sum."""
    lines = [{**clone(line), "invoice": invoice["id"], "discount_amounts": [], "taxes": []} for line in given]
    rests = [line["amount"] for line in lines]
    for at, line in enumerate(lines):
        for identifier in line["discounts"]:
            rests[at] -= _take(line, identifier, money.discounted(rests[at], _coupon(state, identifier)))
    for identifier in invoice["discounts"]:
        _take_shared(state, lines, rests, identifier)
    taxed = _tax(state, invoice, lines, rests)
    subtotal = sum(line["amount"] for line in lines)
    off = sum(one["amount"] for line in lines for one in line["discount_amounts"])
    total = subtotal - off + taxed["exclusive"] + invoice["amount_shipping"]
    return {
        "lines": {**invoice["lines"], "data": lines},
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - taxed["inclusive"],
        "total": total,
        "total_discount_amounts": _summed([one for line in lines for one in line["discount_amounts"]]),
        "total_excluding_tax": total - taxed["exclusive"] - taxed["inclusive"],
        "total_taxes": taxed["totals"],
        **dues(state, invoice, total),
    }


def dues(state: AccountState, invoice: Object, total: int) -> Object:
    """What is to be paid of a total, after the customer's balance."""
    customer = state.objects.find("customer", invoice["customer"]) or {}
    credit = int(customer.get("balance") or 0) if invoice["status"] == "draft" else invoice["starting_balance"]
    due = max(0, total + credit)
    return {"amount_due": due, "amount_remaining": due, "starting_balance": credit}


def _coupon(state: AccountState, identifier: str) -> Object:
    return coupon_of(state, state.objects["discount", identifier])


def _take(line: Object, identifier: str, amount: int) -> int:
    if not line["discountable"] or amount == 0:
        return 0
    line["discount_amounts"].append({"amount": amount, "discount": identifier})
    return amount


def _take_shared(state: AccountState, lines: list[Object], rests: list[int], identifier: str) -> None:
    """A discount of the whole invoice: off the sum of its lines, shared out among them."""
    coupon = _coupon(state, identifier)
    products = (coupon.get("applies_to") or {}).get("products")
    some = [at for at, line in enumerate(lines) if line["discountable"] and rests[at] > 0 and _is_of(line, products)]
    off = money.discounted(sum(rests[at] for at in some), coupon)
    for at, share in zip(some, money.shared(off, [rests[at] for at in some]), strict=True):
        rests[at] -= _take(lines[at], identifier, share)


def _is_of(line: Object, products: list[str] | None) -> bool:
    details = (line["pricing"] or {}).get("price_details") or {}
    return not products or details.get("product") in products


def _summed(amounts: list[Object]) -> list[Object]:
    found: dict[str, int] = {}
    for one in amounts:
        found[one["discount"]] = found.get(one["discount"], 0) + one["amount"]
    return [{"amount": amount, "discount": identifier} for identifier, amount in found.items()]


def _tax(state: AccountState, invoice: Object, lines: list[Object], rests: list[int]) -> Object:
    customer = state.objects.find("customer", invoice["customer"]) or {}
    exempt = (customer.get("tax_exempt") or "none") != "none"
    sums: dict[str, Object] = {}
    found: Object = {"inclusive": 0, "exclusive": 0}
    for line, rest in zip(lines, rests, strict=True):
        own = line_details(state, line).tax_rates
        rates = [state.objects["tax_rate", one] for one in own] if own else invoice["default_tax_rates"]
        for rate, amount, base in money.taxes(rest, rates):
            behavior = "inclusive" if rate["inclusive"] else "exclusive"
            amount = 0 if exempt else amount
            tax: Object = {
                "amount": amount,
                "tax_behavior": behavior,
                "tax_rate_details": {"tax_rate": rate["id"]},
                "taxability_reason": "customer_exempt" if exempt else "standard_rated",
                "taxable_amount": base,
                "type": "tax_rate_details",
            }
            line["taxes"].append(tax)
            found[behavior] += amount
            known = sums.setdefault(rate["id"], {**tax, "amount": 0, "taxable_amount": 0})
            known["amount"] += amount
            known["taxable_amount"] += base
    return {**found, "totals": list(sums.values())}
