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


def format_amount(amount: int | Decimal, currency: str) -> str:
    """Format an amount for people, with fractions of a cent, too: ``-$29.00``, ``$0.005``, ``12.00 CHF``."""
    digits = money.CURRENCIES.get(currency, 2)
    units = abs(Decimal(amount)).scaleb(-digits)
    exponent = units.normalize().as_tuple().exponent
    shown = max(digits, -exponent) if isinstance(exponent, int) else digits
    value, symbol = f"{units:,.{shown}f}", SYMBOLS.get(currency)
    sign = "-" if amount < 0 else ""
    return f"{sign}{symbol}{value}" if symbol else f"{sign}{value} {currency.upper()}"
