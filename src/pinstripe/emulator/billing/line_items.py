"""Line items of checkout sessions, payment links and quotes, and their totals."""

from __future__ import annotations

from dataclasses import dataclass

from pinstripe.emulator.billing.money import split
from pinstripe.emulator.billing.pricing import cost, discount_amount, is_metered, tax_amounts
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._pagination import embedded_list, paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import coupon_of
from pinstripe.emulator.operations.prices import check_active, create_price_from_data
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import LineItemDetails, LineItems
from pinstripe.emulator.validation.errors import missing_object, missing_param


def build_line_items(
    state: AccountState, params: list[Object], currency: str | None, path: str = "line_items"
) -> list[Object]:
    """Return line items for a list of parameters, all in one currency; ``path`` is the name of the list in errors."""
    items: list[Object] = []
    for index, item_params in enumerate(params):
        items.append(_build_line_item(state, item_params, currency, f"{path}[{index}]"))
        currency = currency or items[0]["currency"]
    return items


def update_line_items(state: AccountState, owner: Object, params: list[Object]) -> list[Object]:
    """Return the new line items of an object: items passed with an id change, the others are new."""
    current: dict[str, Object] = {item["id"]: item for item in line_items_of(state, owner)}
    items = []
    for index, item_params in enumerate(params):
        path = f"line_items[{index}]"
        if "id" not in item_params:
            items.append(_build_line_item(state, item_params, owner["currency"], path))
            continue
        if item_params["id"] not in current:
            raise missing_object("line_item", item_params["id"], f"{path}[id]")
        item = {**current[item_params["id"]]}
        item |= {name: item_params[name] for name in ("quantity", "adjustable_quantity") if name in item_params}
        amount = _amount(state, item["price"], item["quantity"], item["currency"])
        items.append({**item, "amount_subtotal": amount, "amount_total": amount})
    return items


def _build_line_item(state: AccountState, params: Object, currency: str | None, path: str) -> Object:
    price = _price(state, params, path)
    currency = currency or str(price["currency"])
    quantity = None if is_metered(price) else params.get("quantity", 1)
    amount = _amount(state, price, quantity, currency)
    item = state.draft("item")
    product = state.objects.find("product", price["product"]) or {}
    item.update(
        adjustable_quantity=params.get("adjustable_quantity"),
        amount_discount=0,
        amount_subtotal=amount,
        amount_tax=0,
        amount_total=amount,
        currency=currency,
        description=product.get("name"),
        discounts=[],
        price=price,
        quantity=quantity,
        taxes=[],
    )
    state.tables.line_item_details.set(item["id"], LineItemDetails(tuple(params.get("tax_rates") or ())))
    return item


def _amount(state: AccountState, price: Object, quantity: int | None, currency: str) -> int:
    """Return what a line item costs now; usage is billed later."""
    return 0 if is_metered(price) else cost(state, price, quantity or 0, currency)


def _price(state: AccountState, params: Object, path: str) -> Object:
    if price_data := params.get("price_data"):
        if not price_data.get("product") and not price_data.get("product_data"):
            raise missing_param(f"{path}[price_data][product]")
        return create_price_from_data(state, price_data)
    if not params.get("price"):
        raise missing_param(f"{path}[price]")
    price = state.objects.get("price", params["price"], f"{path}[price]")
    check_active(price, f"{path}[price]")
    return price


@dataclass
class Totals:
    """The totals of line items; ``details`` is the field ``total_details``."""

    subtotal: int
    total: int
    details: Object


def add_up(
    state: AccountState,
    items: list[Object],
    discounts: list[Object],
    tax_rates: list[Object] | None = None,
    shipping: int = 0,
) -> Totals:
    """Set the discounts, taxes and totals of line items, and return their totals."""
    remaining = [item["amount_subtotal"] for item in items]
    for item in items:
        item.update(amount_discount=0, discounts=[], taxes=[])
    for discount in discounts:
        amount = discount_amount(sum(remaining), coupon_of(state, discount))
        for index, part in enumerate(split(amount, remaining)):
            remaining[index] -= part
            items[index]["amount_discount"] += part
            items[index]["discounts"].append({"amount": part, "discount": discount})
    for item, taxable in zip(items, remaining, strict=True):
        rate_ids = _details(state, item).tax_rates
        rates = [state.objects["tax_rate", rate_id] for rate_id in rate_ids] or tax_rates or []
        taxes = tax_amounts(taxable, rates)
        item["taxes"] = [
            {"amount": amount, "rate": rate, "taxability_reason": None, "taxable_amount": base}
            for rate, amount, base in taxes
        ]
        item["amount_tax"] = sum(amount for _, amount, _ in taxes)
        item["amount_total"] = taxable + sum(amount for rate, amount, _ in taxes if not rate["inclusive"])
    details = {
        "amount_discount": sum(item["amount_discount"] for item in items),
        "amount_shipping": shipping,
        "amount_tax": sum(item["amount_tax"] for item in items),
    }
    subtotal, total = sum(item["amount_subtotal"] for item in items), sum(item["amount_total"] for item in items)
    return Totals(subtotal, total + shipping, details)


def line_items_of(state: AccountState, owner: Object) -> list[Object]:
    """Return the line items of an object."""
    line_items = state.tables.line_items.get(owner["id"])
    return line_items.items if line_items else []


def set_line_items(state: AccountState, owner: Object, items: list[Object]) -> None:
    """Set the line items of an object."""
    state.tables.line_items.set(owner["id"], LineItems(items))


def _details(state: AccountState, item: Object) -> LineItemDetails:
    return state.tables.line_item_details.get(item["id"]) or LineItemDetails()


def register_line_items(object_type: str, url: str, *operations: str) -> None:
    """Register the operations that list the line items of an object type, and its includable field ``line_items``."""

    @includable(object_type, "line_items")
    def include_line_items(state: AccountState, owner: Object) -> Object:
        return embedded_list(line_items_of(state, owner), f"{url}/{owner['id']}/line_items")

    @operation(*operations)
    def list_line_items(context: OperationContext) -> Object:
        owner = context.state.objects.get(object_type, context.target_id)
        return paginate(context, line_items_of(context.state, owner))
