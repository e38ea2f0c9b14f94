"""Products and prices. https://docs.stripe.com/products-prices/overview"""

from __future__ import annotations

from decimal import Decimal

from pinstripe.emulator.generic import life
from pinstripe.emulator.refusal import Refusal, missing_param
from pinstripe.emulator.world import Ask, Object, World


@life("products.create")
def create_product(ask: Ask) -> Object:
    """A product, with its default price where one was described."""
    world, params = ask.world, dict(ask.params)
    described = params.pop("default_price_data", None)
    if params.get("id") in world.objects:
        raise Refusal("Product already exists.", code="resource_already_exists", param="id")
    product = world.draft("product", params)
    product.update(active=params.get("active", True), updated=world.now(), default_price=None)
    world.keep(product)
    world.emit("created", product)
    if described:
        price = make_price(world, {**described, "product": product["id"]})
        world.change(product, default_price=price["id"])
    return product


@life("prices.create")
def create_price(ask: Ask) -> Object:
    """A price, with its product where one was described."""
    world, params = ask.world, dict(ask.params)
    if described := params.pop("product_data", None):
        product = world.make("product", described, active=True, updated=world.now())
        world.emit("created", product)
        params["product"] = product["id"]
    if "product" not in params:
        raise missing_param("product")
    world.get("product", params["product"], "product")
    return make_price(world, params)


def make_price(world: World, params: Object) -> Object:
    """A price; amounts are in the currency's smallest unit."""
    price = world.draft("price", params)
    price.update(
        active=params.get("active", True),
        billing_scheme=params.get("billing_scheme", "per_unit"),
        currency=params["currency"].lower(),
        type="recurring" if params.get("recurring") else "one_time",
        tax_behavior=params.get("tax_behavior", "unspecified"),
        recurring=_recurring(params.get("recurring")),
    )
    if price["billing_scheme"] == "per_unit" and not params.get("custom_unit_amount"):
        price.update(_amount(params))
    world.keep(price)
    world.emit("created", price)
    return price


def _recurring(given: Object | None) -> Object | None:
    if given is None:
        return None
    return {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed", **given}


def _amount(params: Object) -> Object:
    """A whole number of cents is both; a fraction of a cent is only a decimal."""
    if "unit_amount" in params:
        return {"unit_amount": params["unit_amount"], "unit_amount_decimal": str(params["unit_amount"])}
    if "unit_amount_decimal" not in params:
        raise missing_param("unit_amount")
    exact = Decimal(params["unit_amount_decimal"])
    whole = int(exact) if exact == exact.to_integral_value() else None
    return {"unit_amount": whole, "unit_amount_decimal": format(exact, "f")}
