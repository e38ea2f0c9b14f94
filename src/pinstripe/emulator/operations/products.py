"""Products, prices and plans. https://docs.stripe.com/products-prices/overview"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from pinstripe.emulator.operations._crud import check_id_is_free, find
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import PriceDetails, Reference
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param


@operation("products.create")
def create_product(context: OperationContext) -> Object:
    """A product, with its default price where one was described."""
    state, params = context.state, dict(context.params)
    described = params.pop("default_price_data", None)
    check_id_is_free(state, "product", params)
    product = make_product(state, params)
    if described:
        price = make_price(state, {**described, "product": product["id"]})
        state.objects.update(product, default_price=price["id"])
    return product


def make_product(state: AccountState, params: Object) -> Object:
    """A product, as described."""
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


@operation("products.update")
def update_product(context: OperationContext) -> Object:
    """Change a product; its default price is one of its own."""
    state, product = context.state, find(context)
    if default := context.params.get("default_price"):
        price = state.objects.get("price", default, "default_price")
        if price["product"] != product["id"]:
            raise ErrorResponse("The price specified is of another product.", param="default_price")
    return state.apply_update(product, context.params, updated=state.clock.now())


@operation("products.delete")
def delete_product(context: OperationContext) -> Object:
    """Delete a product that has no prices."""
    product = find(context)
    if next(context.state.objects.all("price", product=product["id"]), None):
        raise ErrorResponse("This product cannot be deleted because it has one or more user-created prices.")
    context.state.events.emit("deleted", product)
    return context.state.objects.mark_deleted(product)


@operation("prices.create")
def create_price(context: OperationContext) -> Object:
    """A price, with its product where one was described."""
    state, params = context.state, dict(context.params)
    if described := params.pop("product_data", None):
        params["product"] = make_product(state, described)["id"]
    if "product" not in params:
        raise missing_param("product")
    state.objects.get("product", params["product"], "product")
    _claim_lookup_key(state, params)
    return make_price(state, params)


def _claim_lookup_key(state: AccountState, params: Object, own: str = "") -> None:
    key = params.get("lookup_key")
    for price in list(state.objects.all("price", lookup_key=key)) if key else ():
        if price["id"] == own:
            continue
        if not params.get("transfer_lookup_key"):
            raise ErrorResponse(f"A price ({price['id']}) already uses that lookup key.", param="lookup_key")
        state.objects.update(price, lookup_key=None)


def make_price(state: AccountState, params: Object) -> Object:
    """A price; amounts are in the currency's smallest unit."""
    price = state.draft(
        "price", {name: value for name, value in params.items() if name not in ("tiers", "currency_options")}
    )
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
        if not params.get("tiers"):
            raise missing_param("tiers")
        if not params.get("tiers_mode"):
            raise missing_param("tiers_mode")
        details = PriceDetails(_tiers(params["tiers"]))
    elif custom := params.get("custom_unit_amount"):
        price["custom_unit_amount"] = {"maximum": None, "minimum": None, "preset": None, **custom}
        price["custom_unit_amount"].pop("enabled", None)
    else:
        price.update(_amount(params))
    if options := params.get("currency_options"):
        details = replace(details, currency_options={name: _option(one) for name, one in options.items()})
    if details != PriceDetails():
        state.tables.prices.set(price["id"], details)
    state.objects.add(price)
    state.events.emit("created", price)
    return price


def _option(given: Object) -> Object:
    tiers = {"tiers": _tiers(given["tiers"])} if given.get("tiers") else _amount(given)
    return {"custom_unit_amount": None, "tax_behavior": given.get("tax_behavior", "unspecified"), **tiers}


LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}


def _recurring(state: AccountState, given: Object | None) -> Object | None:
    if given is None:
        return None
    if given.get("meter"):
        state.objects.get("billing.meter", given["meter"], "recurring[meter]")
    if given.get("interval_count", 1) not in range(1, LONGEST[given["interval"]] + 1):
        most = f"{LONGEST[given['interval']]} {given['interval']}s"
        raise ErrorResponse(f"A price recurs within three years: at most {most}.", param="recurring[interval_count]")
    usage = "metered" if given.get("meter") else "licensed"
    return {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": usage, **given}


def _tiers(given: list[Object]) -> list[Object]:
    found = []
    below = 0
    for at, tier in enumerate(given):
        up_to = None if tier["up_to"] == "inf" else int(tier["up_to"])
        if up_to is not None and up_to <= below:
            raise ErrorResponse("Tiers must be in ascending order of up_to.", param=f"tiers[{at}][up_to]")
        if (up_to is None) != (at == len(given) - 1):
            raise ErrorResponse("The last tier, and it alone, is up to `inf`.", param=f"tiers[{at}][up_to]")
        below = up_to or 0
        found.append({"up_to": up_to, **_part(tier, "unit_amount"), **_part(tier, "flat_amount")})
    return found


def _part(tier: Object, name: str) -> Object:
    exact = tier.get(f"{name}_decimal", tier.get(name))
    if exact is None:
        return {name: None, f"{name}_decimal": None}
    value = Decimal(exact)
    return {name: int(value) if value == value.to_integral_value() else None, f"{name}_decimal": format(value, "f")}


def _amount(params: Object) -> Object:
    """A whole number of cents is both; a fraction of a cent is only a decimal."""
    if "unit_amount" not in params and "unit_amount_decimal" not in params:
        raise missing_param("unit_amount")
    if "unit_amount" in params and "unit_amount_decimal" in params:
        raise ErrorResponse("Pass unit_amount or unit_amount_decimal, one of the two.", param="unit_amount_decimal")
    if "unit_amount" in params and params["unit_amount"] < 0:
        raise ErrorResponse("Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
    return _part(params, "unit_amount")


@operation("prices.update")
def update_price(context: OperationContext) -> Object:
    """Change what may change of a price: never its amount."""
    _claim_lookup_key(context.state, context.params, context.target_id)
    return context.state.apply_update(find(context), context.params)


@list_filter("price", "lookup_keys")
def _has_key(price: Object, keys: list[str]) -> bool:
    return not keys or price["lookup_key"] in keys


@list_filter("price", "recurring")
def _recurs(price: Object, wanted: Object) -> bool:
    return all((price.get("recurring") or {}).get(name) == value for name, value in wanted.items())


@list_filter("product", "ids")
def _is_one_of(product: Object, ids: list[str]) -> bool:
    return not ids or product["id"] in ids


@includable("price", "tiers")
def tiers_of(state: AccountState, price: Object) -> list[Object] | None:
    """The tiers of a price."""
    details = state.tables.prices.get(price["id"])
    return details.tiers if details else None


@includable("price", "currency_options")
def currency_options(state: AccountState, price: Object) -> Object:
    """What a price is in other currencies."""
    details = state.tables.prices.get(price["id"])
    return details.currency_options if details else {}


def in_currency(state: AccountState, price: Object, currency: str) -> tuple[Object, list[Object]]:
    """A price as it is in a currency, and its tiers there; raises where it has none."""
    if price["currency"] == currency:
        return price, tiers_of(state, price) or []
    option = currency_options(state, price).get(currency)
    if option is None:
        raise ErrorResponse(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: `{currency}`.",
            param="currency",
        )
    return {**price, **option, "currency": currency}, option.get("tiers") or []


@operation("plans.create")
def create_plan(context: OperationContext) -> Object:
    """A plan: the older name of a recurring price, which is there too, under the same id."""
    state, params = context.state, dict(context.params)
    product = params.pop("product", None)
    if isinstance(product, dict):
        product = make_product(state, product)["id"]
    if product is None:
        raise missing_param("product")
    state.objects.get("product", product, "product")
    amount = (
        {"unit_amount": params["amount"]}
        if "amount" in params
        else {"unit_amount_decimal": params.get("amount_decimal", "0")}
    )
    plan = state.draft("plan", params)
    plan.update(
        active=params.get("active", True),
        product=product,
        currency=params["currency"].lower(),
        interval=params["interval"],
    )
    plan.update(interval_count=params.get("interval_count", 1), usage_type=params.get("usage_type", "licensed"))
    plan.update(billing_scheme=params.get("billing_scheme", "per_unit"), amount=params.get("amount"))
    recurring = {
        "interval": plan["interval"],
        "interval_count": plan["interval_count"],
        "trial_period_days": plan["trial_period_days"],
        "usage_type": plan["usage_type"],
    }
    shared: Object = {
        name: params[name]
        for name in ("tiers", "tiers_mode", "nickname", "billing_scheme", "metadata")
        if name in params
    }
    price = make_price(
        state, {**shared, **amount, "currency": plan["currency"], "product": product, "recurring": recurring}
    )
    state.tables.plan_prices.set(plan["id"], Reference(price["id"]))
    state.objects.add(plan)
    state.events.emit("created", plan)
    return plan


PLAN_FIELDS = ("active", "billing_scheme", "created", "currency", "metadata", "nickname", "product", "tiers_mode")
"""The fields that a price and its plan share."""


def plan_of(state: AccountState, price: Object) -> Object:
    """Return a recurring price in its older form: the plan that it was made for, or a plan of the same id."""
    plan_id = next((plan for plan, row in _plan_prices(state) if row.id == price["id"]), None)
    if plan_id is not None and (plan := state.objects.find("plan", plan_id)) and not plan.get("deleted"):
        return plan
    recurring = price["recurring"]
    return {
        **state.draft("plan", {"id": price["id"]}),
        **{name: price[name] for name in PLAN_FIELDS},
        **{name: recurring[name] for name in ("interval", "interval_count", "trial_period_days", "usage_type")},
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "meter": recurring["meter"],
    }


def _plan_prices(state: AccountState) -> Iterator[tuple[str, Reference]]:
    return ((plan, state.tables.plan_prices[plan]) for plan in state.tables.plan_prices)
