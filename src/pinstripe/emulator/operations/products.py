"""Products. https://docs.stripe.com/api/products"""

from __future__ import annotations

from pinstripe.emulator.operations import prices
from pinstripe.emulator.operations._crud import check_id_is_free, find
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse


@operation("products.create")
def create(context: OperationContext) -> Object:
    """Create a product, and its default price when ``default_price_data`` was passed."""
    state, params = context.state, dict(context.params)
    price_data = params.pop("default_price_data", None)
    check_id_is_free(state, "product", params)
    product = prices.create_product(state, params)
    if price_data:
        price = prices.create_price(state, {**price_data, "product": product["id"]})
        state.objects.update(product, default_price=price["id"])
    return product


@operation("products.update")
def update(context: OperationContext) -> Object:
    """Update a product; its default price must be one of its prices."""
    state, product = context.state, find(context)
    if default_price := context.params.get("default_price"):
        price = state.objects.get("price", default_price, "default_price")
        if price["product"] != product["id"]:
            raise ErrorResponse("The price specified belongs to another product.", param="default_price")
    return state.apply_update(product, context.params, updated=state.clock.now())


@operation("products.delete")
def delete(context: OperationContext) -> Object:
    """Delete a product that has no prices."""
    product = find(context)
    if next(context.state.objects.all("price", product=product["id"]), None):
        raise ErrorResponse("This product cannot be deleted because it has one or more user-created prices.")
    context.state.events.emit("deleted", product)
    return context.state.objects.mark_deleted(product)


@list_filter("product", "ids")
def _has_id(product: Object, ids: list[str]) -> bool:
    return not ids or product["id"] in ids
