"""Products, prices and plans. https://docs.stripe.com/products-prices/overview"""

from __future__ import annotations

from decimal import Decimal

from pinstripe.emulator.operations._crud import check_free, find, life
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._lists import filtered
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_param


@life("products.create")
def create_product(ask: Ask) -> Object:
    """A product, with its default price where one was described."""
    world, params = ask.world, dict(ask.params)
    described = params.pop("default_price_data", None)
    check_free(world, "product", params)
    product = make_product(world, params)
    if described:
        price = make_price(world, {**described, "product": product["id"]})
        world.change(product, default_price=price["id"])
    return product


def make_product(world: World, params: Object) -> Object:
    """A product, as described."""
    product = world.draft("product", params)
    product.update(
        active=params.get("active", True), updated=world.now(), default_price=None, type=params.get("type", "service")
    )
    world.keep(product)
    world.emit("created", product)
    return product


@life("products.update")
def update_product(ask: Ask) -> Object:
    """Change a product; its default price is one of its own."""
    world, product = ask.world, find(ask)
    if default := ask.params.get("default_price"):
        price = world.get("price", default, "default_price")
        if price["product"] != product["id"]:
            raise Refusal("The price specified is of another product.", param="default_price")
    return world.update(product, ask.params, updated=world.now())


@life("products.delete")
def delete_product(ask: Ask) -> Object:
    """Delete a product that has no prices."""
    product = find(ask)
    if next(ask.world.every("price", product=product["id"]), None):
        raise Refusal("This product cannot be deleted because it has one or more user-created prices.")
    ask.world.emit("deleted", product)
    return ask.world.bury(product)


@life("prices.create")
def create_price(ask: Ask) -> Object:
    """A price, with its product where one was described."""
    world, params = ask.world, dict(ask.params)
    if described := params.pop("product_data", None):
        params["product"] = make_product(world, described)["id"]
    if "product" not in params:
        raise missing_param("product")
    world.get("product", params["product"], "product")
    _claim_lookup_key(world, params)
    return make_price(world, params)


def _claim_lookup_key(world: World, params: Object, own: str = "") -> None:
    key = params.get("lookup_key")
    for price in list(world.every("price", lookup_key=key)) if key else ():
        if price["id"] == own:
            continue
        if not params.get("transfer_lookup_key"):
            raise Refusal(f"A price ({price['id']}) already uses that lookup key.", param="lookup_key")
        world.change(price, lookup_key=None)


def make_price(world: World, params: Object) -> Object:
    """A price; amounts are in the currency's smallest unit."""
    price = world.draft(
        "price", {name: value for name, value in params.items() if name not in ("tiers", "currency_options")}
    )
    price.update(
        active=params.get("active", True),
        billing_scheme=params.get("billing_scheme", "per_unit"),
        currency=params["currency"].lower(),
        type="recurring" if params.get("recurring") else "one_time",
        tax_behavior=params.get("tax_behavior", "unspecified"),
        recurring=_recurring(world, params.get("recurring")),
    )
    if price["billing_scheme"] == "tiered":
        if not params.get("tiers"):
            raise missing_param("tiers")
        if not params.get("tiers_mode"):
            raise missing_param("tiers_mode")
        world.hide(f"tiers:{price['id']}", _tiers(params["tiers"]))
    elif custom := params.get("custom_unit_amount"):
        price["custom_unit_amount"] = {"maximum": None, "minimum": None, "preset": None, **custom}
        price["custom_unit_amount"].pop("enabled", None)
    else:
        price.update(_amount(params))
    if options := params.get("currency_options"):
        world.hide(f"currency_options:{price['id']}", {name: _option(one) for name, one in options.items()})
    world.keep(price)
    world.emit("created", price)
    return price


def _option(given: Object) -> Object:
    tiers = {"tiers": _tiers(given["tiers"])} if given.get("tiers") else _amount(given)
    return {"custom_unit_amount": None, "tax_behavior": given.get("tax_behavior", "unspecified"), **tiers}


LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}


def _recurring(world: World, given: Object | None) -> Object | None:
    if given is None:
        return None
    if given.get("meter"):
        world.get("billing.meter", given["meter"], "recurring[meter]")
    if given.get("interval_count", 1) not in range(1, LONGEST[given["interval"]] + 1):
        most = f"{LONGEST[given['interval']]} {given['interval']}s"
        raise Refusal(f"A price recurs within three years: at most {most}.", param="recurring[interval_count]")
    usage = "metered" if given.get("meter") else "licensed"
    return {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": usage, **given}


def _tiers(given: list[Object]) -> list[Object]:
    found = []
    below = 0
    for at, tier in enumerate(given):
        up_to = None if tier["up_to"] == "inf" else int(tier["up_to"])
        if up_to is not None and up_to <= below:
            raise Refusal("Tiers must be in ascending order of up_to.", param=f"tiers[{at}][up_to]")
        if (up_to is None) != (at == len(given) - 1):
            raise Refusal("The last tier, and it alone, is up to `inf`.", param=f"tiers[{at}][up_to]")
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
        raise Refusal("Pass unit_amount or unit_amount_decimal, one of the two.", param="unit_amount_decimal")
    if "unit_amount" in params and params["unit_amount"] < 0:
        raise Refusal("Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
    return _part(params, "unit_amount")


@life("prices.update")
def update_price(ask: Ask) -> Object:
    """Change what may change of a price: never its amount."""
    _claim_lookup_key(ask.world, ask.params, ask.target)
    return ask.world.update(find(ask), ask.params)


@filtered("price", "lookup_keys")
def _has_key(price: Object, keys: list[str]) -> bool:
    return not keys or price["lookup_key"] in keys


@filtered("price", "recurring")
def _recurs(price: Object, wanted: Object) -> bool:
    return all((price.get("recurring") or {}).get(name) == value for name, value in wanted.items())


@filtered("product", "ids")
def _is_one_of(product: Object, ids: list[str]) -> bool:
    return not ids or product["id"] in ids


@includable("price", "tiers")
def tiers_of(world: World, price: Object) -> list[Object] | None:
    """The tiers of a price."""
    found: list[Object] | None = world.hidden.get(f"tiers:{price['id']}")
    return found


@includable("price", "currency_options")
def currency_options(world: World, price: Object) -> Object:
    """What a price is in other currencies."""
    found: Object = world.hidden.get(f"currency_options:{price['id']}") or {}
    return found


def in_currency(world: World, price: Object, currency: str) -> tuple[Object, list[Object]]:
    """A price as it is in a currency, and its tiers there; raises where it has none."""
    if price["currency"] == currency:
        return price, tiers_of(world, price) or []
    option = currency_options(world, price).get(currency)
    if option is None:
        raise Refusal(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: `{currency}`.",
            param="currency",
        )
    return {**price, **option, "currency": currency}, option.get("tiers") or []


@life("plans.create")
def create_plan(ask: Ask) -> Object:
    """A plan: the older name of a recurring price, which is there too, under the same id."""
    world, params = ask.world, dict(ask.params)
    product = params.pop("product", None)
    if isinstance(product, dict):
        product = make_product(world, product)["id"]
    if product is None:
        raise missing_param("product")
    world.get("product", product, "product")
    amount = (
        {"unit_amount": params["amount"]}
        if "amount" in params
        else {"unit_amount_decimal": params.get("amount_decimal", "0")}
    )
    plan = world.draft("plan", params)
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
        "usage_type": plan["usage_type"],
    }
    shared: Object = {
        name: params[name]
        for name in ("tiers", "tiers_mode", "nickname", "billing_scheme", "metadata")
        if name in params
    }
    price = make_price(
        world, {**shared, **amount, "currency": plan["currency"], "product": product, "recurring": recurring}
    )
    world.hide(f"plan:{plan['id']}", price["id"])
    world.keep(plan)
    world.emit("created", plan)
    return plan
