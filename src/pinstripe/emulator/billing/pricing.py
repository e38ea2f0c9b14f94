"""Amounts of prices with tiers, packages and currencies, of discounts by coupons, and of taxes by tax rates.

https://docs.stripe.com/products-prices/pricing-models
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from pinstripe.emulator.billing.money import round_amount
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import PriceDetails
from pinstripe.emulator.validation.errors import ErrorResponse


def cost(state: AccountState, price: Object, quantity: Decimal | int, currency: str) -> int:
    """Return the amount of a quantity of a price in a currency; raise `ErrorResponse` when the price does not have it."""
    price, tiers = in_currency(state, price, currency)
    return round_amount(exact_amount(price, tiers, quantity))


def is_metered(price: Object) -> bool:
    """Return whether a price, recurring or not, is billed by usage."""
    return (price["recurring"] or {}).get("usage_type") == "metered"


def price_details(state: AccountState, price: Object) -> PriceDetails:
    """Return the tiers of a price and its other currencies, which responses include only on request."""
    return state.tables.prices.get(price["id"]) or PriceDetails()


def in_currency(state: AccountState, price: Object, currency: str) -> tuple[Object, list[Object]]:
    """Return a price and its tiers in a currency; raise `ErrorResponse` when the price does not have it."""
    details = price_details(state, price)
    if price["currency"] == currency:
        return price, details.tiers or []
    option = details.currency_options.get(currency)
    if option is None:
        raise ErrorResponse(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: `{currency}`.",
            param="currency",
        )
    return {**price, **option, "currency": currency}, option.get("tiers") or []


def exact_amount(price: Object, tiers: Sequence[Object], quantity: Decimal | int) -> Decimal:
    """Return what a quantity of a price costs, not yet rounded."""
    count = Decimal(quantity)
    if package := price.get("transform_quantity"):
        rounding = ROUND_UP if package["round"] == "up" else ROUND_DOWN
        count = (count / package["divide_by"]).quantize(Decimal(1), rounding)
    if price.get("billing_scheme") != "tiered":
        return Decimal(price.get("unit_amount_decimal") or 0) * count
    return volume_amount(tiers, count) if price["tiers_mode"] == "volume" else graduated_amount(tiers, count)


def graduated_amount(tiers: Sequence[Object], count: Decimal) -> Decimal:
    """Price the units in each tier by that tier; the flat amount of a tier is due once a unit is in it."""
    total, below = Decimal(0), Decimal(0)
    for tier in tiers:
        if below and count <= below:
            break
        top = count if tier["up_to"] is None else min(count, Decimal(tier["up_to"]))
        total += (top - below) * _unit_amount(tier) + _flat_amount(tier)
        below = top if tier["up_to"] is None else Decimal(tier["up_to"])
    return total


def volume_amount(tiers: Sequence[Object], count: Decimal) -> Decimal:
    """Price all units by the tier that the total quantity is in."""
    tier = next((tier for tier in tiers if tier["up_to"] is None or count <= tier["up_to"]), tiers[-1])
    return count * _unit_amount(tier) + _flat_amount(tier)


def _unit_amount(tier: Object) -> Decimal:
    return Decimal(tier.get("unit_amount_decimal") or 0)


def _flat_amount(tier: Object) -> Decimal:
    return Decimal(tier.get("flat_amount_decimal") or 0)


def discount_amount(amount: int, coupon: Object) -> int:
    """Return what a coupon takes off an amount."""
    if coupon.get("percent_off") is not None:
        return round_amount(amount * Decimal(str(coupon["percent_off"])) / 100)
    return min(amount, int(coupon["amount_off"])) if amount > 0 else 0


def tax_amounts(amount: int, rates: Iterable[Object]) -> list[tuple[Object, int, int]]:
    """Return each tax rate with its tax and the taxable amount. Inclusive taxes are part of the amount."""
    rates = list(rates)
    inclusive = sum((Decimal(str(rate["percentage"])) for rate in rates if rate["inclusive"]), Decimal(0))
    net = amount * 100 / (100 + inclusive)
    return [(rate, round_amount(net * Decimal(str(rate["percentage"])) / 100), round_amount(net)) for rate in rates]
