"""Money, exactly: prices with tiers and packages, proration, discounts, taxes, Stripe's fee.

Whole cents come out, halves rounded away from zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]  # Any: JSON

FEE_PERCENT = Decimal("2.9")
FEE_FIXED = 30
"""What Stripe takes of a card payment in the US: 2.9 % and 30 cents. https://stripe.com/pricing"""
_CURRENCIES = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop
    crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd
    jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mro mur mvr mwk mxn myr mzn nad
    ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sll sos srd std szl
    thb tjs tnd top try ttd twd tzs uah ugx usd usdc uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw
"""
CURRENCIES = frozenset(_CURRENCIES.split())
"""What can be paid in. https://docs.stripe.com/currencies"""
ZERO_DECIMAL = {
    "bif",
    "clp",
    "djf",
    "gnf",
    "jpy",
    "kmf",
    "krw",
    "mga",
    "pyg",
    "rwf",
    "ugx",
    "vnd",
    "vuv",
    "xaf",
    "xof",
    "xpf",
}
"""Those that have no cents."""


def whole(amount: Decimal) -> int:
    """An amount in whole cents."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def fee(amount: int) -> int:
    """Stripe's fee for a payment."""
    return min(amount, whole(amount * FEE_PERCENT / 100) + FEE_FIXED)


def amount_of(price: Object, tiers: Sequence[Object], quantity: Decimal | int) -> Decimal:
    """What a quantity of a price costs, before it is rounded. https://docs.stripe.com/products-prices/pricing-models"""
    count = Decimal(quantity)
    if package := price.get("transform_quantity"):
        count = (count / package["divide_by"]).quantize(
            Decimal(1), ROUND_UP if package["round"] == "up" else "ROUND_DOWN"
        )
    if price.get("billing_scheme") != "tiered":
        return Decimal(price.get("unit_amount_decimal") or 0) * count
    return volume(tiers, count) if price["tiers_mode"] == "volume" else graduated(tiers, count)


def graduated(tiers: Sequence[Object], count: Decimal) -> Decimal:
    """Each tier prices the units that fall into it; a tier's flat amount is due when it is reached."""
    total, below = Decimal(0), Decimal(0)
    for tier in tiers:
        if below and count <= below:
            break
        top = count if tier["up_to"] is None else min(count, Decimal(tier["up_to"]))
        total += (top - below) * _unit(tier) + _flat(tier)
        below = top if tier["up_to"] is None else Decimal(tier["up_to"])
    return total


def volume(tiers: Sequence[Object], count: Decimal) -> Decimal:
    """The tier that the whole quantity falls into prices all of it."""
    tier = next((one for one in tiers if one["up_to"] is None or count <= one["up_to"]), tiers[-1])
    return count * _unit(tier) + _flat(tier)


def _unit(tier: Object) -> Decimal:
    return Decimal(tier.get("unit_amount_decimal") or 0)


def _flat(tier: Object) -> Decimal:
    return Decimal(tier.get("flat_amount_decimal") or 0)


def prorated(amount: Decimal | int, start: int, end: int, at: int) -> int:
    """The part of an amount for a period that is for the rest of it, to the second."""
    return whole(Decimal(amount) * (end - at) / (end - start))


def discounted(amount: int, coupon: Object) -> int:
    """What a coupon takes off an amount."""
    if coupon.get("percent_off") is not None:
        return whole(amount * Decimal(str(coupon["percent_off"])) / 100)
    return min(amount, int(coupon["amount_off"])) if amount > 0 else 0


def shared(total: int, parts: Sequence[int]) -> list[int]:
    """A total, shared out in proportion to parts; the shares add up to it exactly, the last cents going to the first parts."""
    weight = sum(parts)
    if not weight:
        return [0 for _ in parts]
    shares = [total * part // weight for part in parts]
    for index in range(total - sum(shares)):
        shares[index % len(shares)] += 1
    return shares


def taxes(amount: int, rates: Iterable[Object]) -> list[tuple[Object, int, int]]:
    """Each rate with its tax and what it is a tax on. Inclusive rates are in the amount already."""
    found, some = [], list(rates)
    inclusive = sum((Decimal(str(rate["percentage"])) for rate in some if rate["inclusive"]), Decimal(0))
    net = amount * 100 / (100 + inclusive)
    for rate in some:
        found.append((rate, whole(net * Decimal(str(rate["percentage"])) / 100), whole(net)))
    return found


def smallest(currency: str) -> int:
    """The least that can be charged. https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""
    return {"usd": 50, "eur": 50, "gbp": 30, "cad": 50, "aud": 50, "chf": 50, "jpy": 50}.get(currency, 1)


def written(amount: int, currency: str) -> str:
    """An amount as a person reads it."""
    value = str(amount) if currency in ZERO_DECIMAL else f"{Decimal(amount) / 100:.2f}"
    return f"{value} {currency.upper()}"


def symbolic(amount: Decimal, currency: str) -> str:
    """A price as invoices write it, which may be a part of a cent: ``$29.00``, ``$0.005``, ``12.00 CHF``."""
    zero = currency in ZERO_DECIMAL
    exact = amount if zero else amount / 100
    value = f"{exact.normalize():f}" if zero or exact * 100 % 1 else f"{exact:.2f}"
    symbol = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}.get(currency)
    return f"{symbol}{value}" if symbol else f"{value} {currency.upper()}"
