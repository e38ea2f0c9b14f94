"""Line items of checkouts, payment links and quotes, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass

from pinstripe.emulator.billing import money
from pinstripe.emulator.billing.invoice_lines import cost
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._pagination import embedded_list, paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import coupon_of
from pinstripe.emulator.operations.products import make_price, make_product
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import LineItemDetails, LineItems
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param


def items(state: AccountState, given: list[Object], currency: str | None, where: str = "line_items") -> list[Object]:
    """Line items of prices that are named or described; all in one currency."""
    found: list[Object] = []
    for at, one in enumerate(given):
        found.append(_item(state, one, currency, f"{where}[{at}]"))
        currency = currency or found[0]["currency"]
    return found


def changed(state: AccountState, owner: Object, given: list[Object]) -> list[Object]:
    """The line items of something that is updated: those that are named stay, in another quantity; the others are new."""
    known: dict[str, Object] = {item["id"]: item for item in kept(state, owner)}
    found = []
    for at, one in enumerate(given):
        if "id" not in one:
            found.append(_item(state, one, owner["currency"], f"line_items[{at}]"))
            continue
        if one["id"] not in known:
            raise missing_object("line_item", one["id"], f"line_items[{at}][id]")
        item = {**known[one["id"]]}
        item |= {name: one[name] for name in ("quantity", "adjustable_quantity") if name in one}
        amount = cost(state, item["price"], item["quantity"], item["currency"])
        found.append({**item, "amount_subtotal": amount, "amount_total": amount})
    return found


def _item(state: AccountState, given: Object, currency: str | None, where: str) -> Object:
    price = _price(state, given, where)
    currency = currency or str(price["currency"])
    quantity = given.get("quantity", 1)
    amount = cost(state, price, quantity, currency)
    item = state.draft("item")
    product = state.objects.find("product", price["product"]) or {}
    item.update(
        adjustable_quantity=given.get("adjustable_quantity"),
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
    state.tables.line_item_details.set(item["id"], LineItemDetails(tuple(given.get("tax_rates") or ())))
    return item


def _price(state: AccountState, given: Object, where: str) -> Object:
    if described := given.get("price_data"):
        described = {**described}
        if product := described.pop("product_data", None):
            described["product"] = make_product(
                state,
                {
                    name: value
                    for name, value in product.items()
                    if name in ("name", "description", "images", "metadata")
                },
            )["id"]
        if not described.get("product"):
            raise missing_param(f"{where}[price_data][product]")
        return make_price(state, described)
    if not given.get("price"):
        raise missing_param(f"{where}[price]")
    price = state.objects.get("price", given["price"], f"{where}[price]")
    if not price["active"]:
        raise ErrorResponse(
            "The price specified is inactive. This field only accepts active prices.",
            code="price_inactive",
            param=f"{where}[price]",
        )
    return price


@dataclass
class Totals:
    """What line items add up to."""

    subtotal: int
    total: int
    details: Object


def total_up(
    state: AccountState,
    found: list[Object],
    discounts: list[Object],
    rates: list[Object] | None = None,
    shipping: int = 0,
) -> Totals:
    """Add line items up, after discounts and with taxes, which the items say, too."""
    rests = [item["amount_subtotal"] for item in found]
    for item in found:
        item.update(amount_discount=0, discounts=[], taxes=[])
    for discount in discounts:
        off = money.discounted(sum(rests), coupon_of(state, discount))
        for at, share in enumerate(money.shared(off, rests)):
            rests[at] -= share
            found[at]["amount_discount"] += share
            found[at]["discounts"].append({"amount": share, "discount": discount})
    for item, rest in zip(found, rests, strict=True):
        own = [state.objects["tax_rate", one] for one in _details(state, item).tax_rates]
        taxes = money.taxes(rest, own or rates or [])
        item["taxes"] = [
            {"amount": amount, "rate": rate, "taxability_reason": None, "taxable_amount": base}
            for rate, amount, base in taxes
        ]
        item["amount_tax"] = sum(amount for _, amount, _ in taxes)
        item["amount_total"] = rest + sum(amount for rate, amount, _ in taxes if not rate["inclusive"])
    subtotal, total = sum(one["amount_subtotal"] for one in found), sum(one["amount_total"] for one in found)
    details = {
        "amount_discount": sum(one["amount_discount"] for one in found),
        "amount_shipping": shipping,
        "amount_tax": sum(one["amount_tax"] for one in found),
    }
    return Totals(subtotal, total + shipping, details)


def kept(state: AccountState, owner: Object) -> list[Object]:
    """The line items of something."""
    stored = state.tables.line_items.get(owner["id"])
    return stored.items if stored else []


def store(state: AccountState, owner: Object, items: list[Object]) -> None:
    """Set the line items of an object."""
    state.tables.line_items.set(owner["id"], LineItems(items))


def _details(state: AccountState, item: Object) -> LineItemDetails:
    return state.tables.line_item_details.get(item["id"]) or LineItemDetails()


def show(kind: str, url: str, *operations: str) -> None:
    """Let the objects of a kind show their line items, where they are asked for and on pages of their own."""

    @includable(kind, "line_items")
    def line_items(state: AccountState, owner: Object) -> Object:
        return embedded_list(kept(state, owner), f"{url}/{owner['id']}/line_items")

    @operation(*operations)
    def list_line_items(context: OperationContext) -> Object:
        return paginate(context, kept(context.state, context.state.objects.get(kind, context.target_id)))
