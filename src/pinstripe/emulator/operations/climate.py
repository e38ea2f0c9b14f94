"""Climate: the product, its supplier, and orders.

https://docs.stripe.com/climate/orders
"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.reference_data import provide
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object

PRODUCT_ID = "climsku_emulator"
PRICE_PER_TON = {"usd": {"amount_fees": 1500, "amount_subtotal": 50_000, "amount_total": 51_500}}
DELIVERY_YEAR = 2030


def _create_product(state: AccountState) -> None:
    if ("climate.product", PRODUCT_ID) in state.objects:
        return
    supplier = state.create("climate.supplier", {"id": "climsup_emulator"}, name="Carbon of the Emulator", locations=[])
    state.create(
        "climate.product",
        {"id": PRODUCT_ID},
        name="Direct air capture",
        suppliers=[supplier],
        current_prices_per_metric_ton=PRICE_PER_TON,
        metric_tons_available="1000.0",
    )


provide(("climate.products", "climate.suppliers"), _create_product)


@operation("climate.orders.create")
def create_order(context: OperationContext) -> Object:
    """Order carbon removal, by weight or by amount; the order is confirmed at once."""
    state, params = context.state, context.params
    _create_product(state)
    product = state.objects.get("climate.product", params["product"], "product")
    price = product["current_prices_per_metric_ton"]["usd"]["amount_total"]
    tons = params.get("metric_tons", "1")
    amount = params.get("amount") or int(float(tons) * price)
    order = state.draft("climate.order", {name: value for name, value in params.items() if name != "amount"})
    order.update(
        amount_fees=0,
        amount_subtotal=amount,
        amount_total=amount,
        currency=params.get("currency", "usd"),
        metric_tons=tons,
        product=product["id"],
        status="confirmed",
        confirmed_at=state.clock.now(),
        delivery_details=[],
        expected_delivery_year=DELIVERY_YEAR,
    )
    state.objects.add(order)
    state.events.emit("created", order)
    return order
