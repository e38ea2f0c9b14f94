"""Prices, with tiers and other currencies, and the products that are created with them.

https://docs.stripe.com/products-prices/overview
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pinstripe.emulator.billing.pricing import price_details
from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import PriceDetails
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param

MAX_INTERVAL_COUNTS = {"day": 1095, "week": 156, "month": 36, "year": 3}


@operation("prices.create")
def create(context: OperationContext) -> Object:
    """Create a price, and its product when ``product_data`` was passed."""
    state, params = context.state, dict(context.params)
    if product_data := params.pop("product_data", None):
        params["product"] = create_product(state, product_data)["id"]
    if "product" not in params:
        raise missing_param("product")
    state.objects.get("product", params["product"], "product")
    _claim_lookup_key(state, params)
    return create_price(state, params)


@operation("prices.update")
def update(context: OperationContext) -> Object:
    """Update a price."""
    _claim_lookup_key(context.state, context.params, context.target_id)
    return context.state.apply_update(find(context), context.params)


def _claim_lookup_key(state: AccountState, params: Object, price_id: str = "") -> None:
    """Take the lookup key from another price; raise `ErrorResponse` without ``transfer_lookup_key``."""
    key = params.get("lookup_key")
    for price in list(state.objects.all("price", lookup_key=key)) if key else ():
        if price["id"] == price_id:
            continue
        if not params.get("transfer_lookup_key"):
            raise ErrorResponse(f"A price ({price['id']}) already uses that lookup key.", param="lookup_key")
        state.objects.update(price, lookup_key=None)


def create_product(state: AccountState, params: Object) -> Object:
    """Create a product."""
    product = state.draft("product", params)
    product.update(
        active=params.get("active", True),
        updated=state.clock.now(),
        default_price=None,
        type=params.get("type", "service"),
    )
    state.objects.add(product)
    state.events.emit("created", product)
    return product


def create_price_from_data(state: AccountState, price_data: Object) -> Object:
    """Create a price from the parameter ``price_data``, and its product when that contains ``product_data``."""
    params = dict(price_data)
    if product_data := params.pop("product_data", None):
        params["product"] = create_product(state, product_data)["id"]
    return create_price(state, params)


def create_price(state: AccountState, params: Object) -> Object:
    """Create a price of an existing product."""
    fields = {name: value for name, value in params.items() if name not in ("tiers", "currency_options")}
    price = state.draft("price", fields)
    price.update(
        active=params.get("active", True),
        billing_scheme=params.get("billing_scheme", "per_unit"),
        currency=params["currency"].lower(),
        type="recurring" if params.get("recurring") else "one_time",
        tax_behavior=params.get("tax_behavior", "unspecified"),
        recurring=_recurring(state, params.get("recurring")),
    )
    details = PriceDetails()
    if price["billing_scheme"] == "tiered":
        for name in ("tiers", "tiers_mode"):
            if not params.get(name):
                raise missing_param(name)
        details = PriceDetails(_tiers(params["tiers"]))
    elif custom := params.get("custom_unit_amount"):
        price["custom_unit_amount"] = {"maximum": None, "minimum": None, "preset": None, **custom}
        price["custom_unit_amount"].pop("enabled", None)
    else:
        price.update(_unit_amount(params))
    if options := params.get("currency_options"):
        details = replace(
            details, currency_options={currency: _currency_option(option) for currency, option in options.items()}
        )
    if details != PriceDetails():
        state.tables.prices.set(price["id"], details)
    state.objects.add(price)
    state.events.emit("created", price)
    return price


def _currency_option(params: Object) -> Object:
    amounts = {"tiers": _tiers(params["tiers"])} if params.get("tiers") else _unit_amount(params)
    return {"custom_unit_amount": None, "tax_behavior": params.get("tax_behavior", "unspecified"), **amounts}


def _recurring(state: AccountState, params: Object | None) -> Object | None:
    if params is None:
        return None
    if params.get("meter"):
        state.objects.get("billing.meter", params["meter"], "recurring[meter]")
    interval = params["interval"]
    maximum = MAX_INTERVAL_COUNTS[interval]
    if not 1 <= params.get("interval_count", 1) <= maximum:
        raise ErrorResponse(
            f"Invalid interval_count: prices recur at least every three years; the maximum is {maximum} {interval}s.",
            param="recurring[interval_count]",
        )
    usage_type = "metered" if params.get("meter") else "licensed"
    return {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": usage_type, **params}


def _tiers(params: list[Object]) -> list[Object]:
    tiers: list[Object] = []
    previous = 0
    for index, tier in enumerate(params):
        up_to = None if tier["up_to"] == "inf" else int(tier["up_to"])
        if up_to is not None and up_to <= previous:
            raise ErrorResponse("Tiers must be in ascending order of up_to.", param=f"tiers[{index}][up_to]")
        if (up_to is None) != (index == len(params) - 1):
            raise ErrorResponse(
                "up_to must be `inf` in the last tier, and a number in all others.", param=f"tiers[{index}][up_to]"
            )
        previous = up_to or 0
        tiers.append({"up_to": up_to, **_amount_fields(tier, "unit_amount"), **_amount_fields(tier, "flat_amount")})
    return tiers


def _amount_fields(params: Object, name: str) -> Object:
    """Return an amount as an integer and as a decimal; a fraction of a cent has no integer."""
    amount = params.get(f"{name}_decimal", params.get(name))
    if amount is None:
        return {name: None, f"{name}_decimal": None}
    value = Decimal(amount)
    return {name: int(value) if value == value.to_integral_value() else None, f"{name}_decimal": format(value, "f")}


def _unit_amount(params: Object) -> Object:
    if "unit_amount" not in params and "unit_amount_decimal" not in params:
        raise missing_param("unit_amount")
    if "unit_amount" in params and "unit_amount_decimal" in params:
        raise ErrorResponse("Pass either unit_amount or unit_amount_decimal, not both.", param="unit_amount_decimal")
    if "unit_amount" in params and params["unit_amount"] < 0:
        raise ErrorResponse("Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
    return _amount_fields(params, "unit_amount")


def check_active(price: Object, param: str) -> None:
    """Raise `ErrorResponse` for an inactive price."""
    if not price["active"]:
        raise ErrorResponse(
            "The price specified is inactive. This field only accepts active prices.",
            code="price_inactive",
            param=param,
        )


@list_filter("price", "lookup_keys")
def _has_lookup_key(price: Object, keys: list[str]) -> bool:
    return not keys or price["lookup_key"] in keys


@list_filter("price", "recurring")
def _recurs(price: Object, recurring: Object) -> bool:
    return all((price.get("recurring") or {}).get(name) == value for name, value in recurring.items())


@includable("price", "tiers")
def _include_tiers(state: AccountState, price: Object) -> list[Object] | None:
    return price_details(state, price).tiers


@includable("price", "currency_options")
def _include_currency_options(state: AccountState, price: Object) -> Object:
    return price_details(state, price).currency_options
