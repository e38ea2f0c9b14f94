"""Amounts and currencies: rounding, splitting, formatting, Stripe's fee and its minimum charge.

Amounts are integers in the currency's smallest unit. Fractions are rounded once, at the end, with halves away from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from pinstripe import money

FEE_PERCENT = Decimal("2.9")
FEE_FIXED = 30
"""The price of a card payment in the US: 2.9 % and 30 cents. https://stripe.com/pricing"""
CURRENCIES = frozenset({*money.CURRENCIES, "usdc"})
"""The currencies that Stripe accepts. https://docs.stripe.com/currencies"""
_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
ZERO_DECIMAL = frozenset(_ZERO_DECIMAL.split())
"""The currencies without cents."""
MINIMUM_CHARGES = {"usd": 50, "eur": 50, "gbp": 30, "cad": 50, "aud": 50, "chf": 50, "jpy": 50}
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def round_amount(amount: Decimal) -> int:
    """Round to whole units of the currency's smallest unit."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Split a total in proportion to weights; the parts add up to it exactly, and the first parts get the remainder."""
    weight = sum(weights)
    if not weight:
        return [0 for _ in weights]
    parts = [total * part // weight for part in weights]
    for index in range(total - sum(parts)):
        parts[index % len(parts)] += 1
    return parts


def fee(amount: int) -> int:
    """Return Stripe's fee for a payment, which is never more than the payment."""
    return min(amount, round_amount(amount * FEE_PERCENT / 100) + FEE_FIXED)


def minimum_charge(currency: str) -> int:
    """Return the smallest amount that can be charged.

    https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
    """
    return MINIMUM_CHARGES.get(currency, 1)


def format_amount(amount: int, currency: str) -> str:
    """Format an amount for people: ``29.00 USD``."""
    value = str(amount) if currency in ZERO_DECIMAL else f"{Decimal(amount) / 100:.2f}"
    return f"{value} {currency.upper()}"


def format_price(amount: Decimal, currency: str) -> str:
    """Format a price as invoices do; it may have fractions of a cent: ``$29.00``, ``$0.005``, ``12.00 CHF``."""
    zero_decimal = currency in ZERO_DECIMAL
    units = amount if zero_decimal else amount / 100
    value = f"{units.normalize():f}" if zero_decimal or units * 100 % 1 else f"{units:.2f}"
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{value}" if symbol else f"{value} {currency.upper()}"
