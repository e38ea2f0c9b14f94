"""Add up an invoice: the discounts and taxes of its lines, its totals, and what remains to be paid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pinstripe.emulator.billing.invoice_line_builder import line_details
from pinstripe.emulator.billing.money import split
from pinstripe.emulator.billing.pricing import discount_amount, tax_amounts
from pinstripe.emulator.operations.discounts import coupon_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone


@dataclass
class _Taxes:
    """The taxes of an invoice; ``by_rate`` is its ``total_taxes``, by tax rate."""

    inclusive: int = 0
    exclusive: int = 0
    by_rate: dict[str, Object] = field(default_factory=dict)


def invoice_totals(state: AccountState, invoice: Object, lines: Iterable[Object]) -> Object:
    """Return the fields of an invoice with these lines: the lines with discounts and taxes, and every total.

    Discounts of lines apply first, then those of the invoice, then taxes on the rest.
    """
    lines = [{**clone(line), "invoice": invoice["id"], "discount_amounts": [], "taxes": []} for line in lines]
    remaining = [line["amount"] for line in lines]
    for index, line in enumerate(lines):
        for discount_id in line["discounts"]:
            amount = discount_amount(remaining[index], _coupon(state, discount_id))
            remaining[index] -= _apply_discount(line, discount_id, amount)
    for discount_id in invoice["discounts"]:
        _apply_invoice_discount(state, lines, remaining, discount_id)
    taxes = _apply_taxes(state, invoice, lines, remaining)
    subtotal = sum(line["amount"] for line in lines)
    discounts = [discount for line in lines for discount in line["discount_amounts"]]
    discounted = sum(discount["amount"] for discount in discounts)
    total = subtotal - discounted + taxes.exclusive + invoice["amount_shipping"]
    return {
        "lines": {**invoice["lines"], "data": lines},
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - taxes.inclusive,
        "total": total,
        "total_discount_amounts": _sum_by_discount(discounts),
        "total_excluding_tax": total - taxes.exclusive - taxes.inclusive,
        "total_taxes": list(taxes.by_rate.values()),
        **amounts_due(state, invoice, total),
    }


def amounts_due(state: AccountState, invoice: Object, total: int) -> Object:
    """Return the fields that say what is due of a total after the customer's balance."""
    customer = state.objects.find("customer", invoice["customer"]) or {}
    balance = int(customer.get("balance") or 0) if invoice["status"] == "draft" else invoice["starting_balance"]
    due = max(0, total + balance)
    return {"amount_due": due, "amount_remaining": due, "starting_balance": balance}


def _coupon(state: AccountState, discount_id: str) -> Object:
    return coupon_of(state, state.objects["discount", discount_id])


def _apply_discount(line: Object, discount_id: str, amount: int) -> int:
    """Add a discount to a line, unless the line is not discountable; return what was taken off."""
    if not line["discountable"] or amount == 0:
        return 0
    line["discount_amounts"].append({"amount": amount, "discount": discount_id})
    return amount


def _apply_invoice_discount(state: AccountState, lines: list[Object], remaining: list[int], discount_id: str) -> None:
    """Take a discount off the sum of the lines, and split it among them."""
    coupon = _coupon(state, discount_id)
    products = (coupon.get("applies_to") or {}).get("products")
    discountable = [
        index
        for index, line in enumerate(lines)
        if line["discountable"] and remaining[index] > 0 and _is_for_product(line, products)
    ]
    amount = discount_amount(sum(remaining[index] for index in discountable), coupon)
    parts = split(amount, [remaining[index] for index in discountable])
    for index, part in zip(discountable, parts, strict=True):
        remaining[index] -= _apply_discount(lines[index], discount_id, part)


def _is_for_product(line: Object, products: list[str] | None) -> bool:
    details = (line["pricing"] or {}).get("price_details") or {}
    return not products or details.get("product") in products


def _sum_by_discount(discounts: list[Object]) -> list[Object]:
    amounts: dict[str, int] = {}
    for discount in discounts:
        amounts[discount["discount"]] = amounts.get(discount["discount"], 0) + discount["amount"]
    return [{"amount": amount, "discount": discount_id} for discount_id, amount in amounts.items()]


def _apply_taxes(state: AccountState, invoice: Object, lines: list[Object], remaining: list[int]) -> _Taxes:
    """Add taxes to the lines, and return their totals."""
    customer = state.objects.find("customer", invoice["customer"]) or {}
    exempt = (customer.get("tax_exempt") or "none") != "none"
    totals = _Taxes()
    for line, taxable in zip(lines, remaining, strict=True):
        rate_ids = line_details(state, line).tax_rates
        rates = [state.objects["tax_rate", rate_id] for rate_id in rate_ids] or invoice["default_tax_rates"]
        for rate, rate_amount, base in tax_amounts(taxable, rates):
            amount = 0 if exempt else rate_amount
            tax: Object = {
                "amount": amount,
                "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
                "tax_rate_details": {"tax_rate": rate["id"]},
                "taxability_reason": "customer_exempt" if exempt else "standard_rated",
                "taxable_amount": base,
                "type": "tax_rate_details",
            }
            line["taxes"].append(tax)
            if rate["inclusive"]:
                totals.inclusive += amount
            else:
                totals.exclusive += amount
            total = totals.by_rate.setdefault(rate["id"], {**tax, "amount": 0, "taxable_amount": 0})
            total["amount"] += amount
            total["taxable_amount"] += base
    return totals
