"""Invoice items and the lines of drafts. https://docs.stripe.com/api/invoiceitems"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pinstripe.emulator.billing import money
from pinstripe.emulator.billing.invoice_lines import cost, of_invoice_item, pricing
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import filtered, listed, passes
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoices import fill
from pinstripe.emulator.operations.products import make_price, make_product
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_object, missing_param


def make_item(world: World, customer: str, params: Object, **fields: Any) -> Object:  # Any: JSON
    """An invoice item, for a price or for an amount; kept."""
    amount, currency, price, unit = priced(world, params)
    now = world.now()
    item = world.draft(
        "invoiceitem",
        {name: params[name] for name in ("description", "metadata", "period", "test_clock") if name in params},
    )
    quantity = params.get("quantity", 1)
    item.update(
        amount=amount,
        currency=currency,
        customer=customer,
        date=now,
        discountable=params.get("discountable", amount >= 0),
        discounts=[],
        invoice=None,
        net_amount=amount,
        parent=None,
        period=params.get("period") or {"start": now, "end": now},
        pricing=pricing(price, unit),
        proration=False,
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=[world.objects[one] for one in params.get("tax_rates") or []],
        **fields,
    )
    if not item["description"] and price is not None:
        item["description"] = world.objects.get(price["product"], {}).get("name")
    world.keep(item)
    for at, given in enumerate(params.get("discounts") or []):
        discount = redeem(world, given, f"discounts[{at}]", customer=customer, invoice_item=item["id"])
        world.change(item, discounts=[*item["discounts"], discount["id"]])
    return item


def priced(world: World, params: Object) -> tuple[int, str, Object | None, str | None]:
    """What something costs that is a price, describes one, or says an amount: amount, currency, price, the amount of a unit."""
    given = params.get("pricing") or {}
    price = world.get("price", given["price"], "pricing[price]") if given.get("price") else None
    if params.get("price"):
        price = world.get("price", params["price"], "price")
    quantity = params.get("quantity", 1)
    if described := params.get("price_data"):
        described = {**described}
        if product := described.pop("product_data", None):
            described["product"] = make_product(
                world, {name: value for name, value in product.items() if name not in ("tax_code",)}
            )["id"]
        price = make_price(world, described)
    if price is not None:
        currency = params.get("currency") or price["currency"]
        return cost(world, price, quantity, currency), currency, price, None
    if "amount" in params:
        unit = format(Decimal(params["amount"]) / quantity if quantity else Decimal(0), "f")
        return params["amount"], params.get("currency", "usd").lower(), None, unit
    if "unit_amount_decimal" in params:
        amount = money.whole(Decimal(params["unit_amount_decimal"]) * quantity)
        return amount, params.get("currency", "usd").lower(), None, params["unit_amount_decimal"]
    raise missing_param("amount")


@life("invoice_items.create")
def create(ask: Ask) -> Object:
    """An item on a draft, or for the next invoice of the customer."""
    world, params = ask.world, ask.params
    if "customer" not in params:
        raise missing_param("customer")
    customer = world.get("customer", params["customer"], "customer")
    invoice = world.get("invoice", params["invoice"], "invoice") if params.get("invoice") else None
    if invoice is not None:
        editable(invoice)
        if "currency" not in params and not params.get("pricing") and not params.get("price_data"):
            params = {**params, "currency": invoice["currency"]}
    item = make_item(world, customer["id"], params)
    if subscription := params.get("subscription"):
        details = {"subscription": subscription, "subscription_item": None}
        world.change(item, parent={"type": "subscription_details", "subscription_details": details})
    if invoice is not None:
        if item["currency"] != invoice["currency"]:
            raise Refusal(
                f"The currency of the invoice is {invoice['currency']}, not {item['currency']}.", param="currency"
            )
        world.change(item, invoice=invoice["id"])
        fill(world, invoice, [*invoice["lines"]["data"], of_invoice_item(world, item)])
    if not customer.get("currency"):
        world.change(customer, currency=item["currency"])
    world.emit("created", item)
    return item


def editable(invoice: Object) -> None:
    """Refuse to change the lines of an invoice that is no draft."""
    if invoice["status"] != "draft":
        raise Refusal(f"Invoice is {invoice['status']}, its lines can't be changed.", code="invoice_not_editable")


@life("invoice_items.update")
def update(ask: Ask) -> Object:
    """Change an item that is on no invoice, or on a draft."""
    world, params = ask.world, dict(ask.params)
    item = world.get("invoiceitem", ask.target)
    invoice = world.get("invoice", item["invoice"]) if item["invoice"] else None
    if invoice is not None:
        editable(invoice)
    fields: Object = {}
    if {"amount", "quantity", "pricing", "unit_amount_decimal", "price_data"} & set(params):
        known = {"quantity": item["quantity"], "currency": item["currency"]}
        if item["pricing"] and item["pricing"]["price_details"] and "amount" not in params:
            known["price"] = item["pricing"]["price_details"]["price"]
        elif item["pricing"] and "amount" not in params:
            known["unit_amount_decimal"] = item["pricing"]["unit_amount_decimal"]
        amount, _, price, unit = priced(world, {**known, **params})
        fields = {"amount": amount, "net_amount": amount, "pricing": pricing(price, unit)}
        fields["quantity_decimal"] = str(params.get("quantity", item["quantity"]))
    if "tax_rates" in params:
        fields["tax_rates"] = [world.objects[one] for one in params.pop("tax_rates") or []]
    params.pop("discounts", None)
    world.update(item, params, **fields)
    if invoice is not None:
        old = invoice["lines"]["data"]
        fill(world, invoice, [_again(world, line, item) for line in old])
    return item


def _again(world: World, line: Object, item: Object) -> Object:
    if world.hidden.get(f"line:{line['id']}", {}).get("item") != item["id"]:
        return line
    new = {**of_invoice_item(world, item), "id": line["id"]}
    world.hide(
        f"line:{line['id']}", {"item": item["id"], "tax_rates": [rate["id"] for rate in item["tax_rates"] or []]}
    )
    return new


@life("invoice_items.delete")
def delete(ask: Ask) -> Object:
    """Delete an item that is on no invoice, or on a draft."""
    world = ask.world
    item = world.get("invoiceitem", ask.target)
    if item["invoice"]:
        invoice = world.get("invoice", item["invoice"])
        editable(invoice)
        rest = [
            line
            for line in invoice["lines"]["data"]
            if world.hidden.get(f"line:{line['id']}", {}).get("item") != item["id"]
        ]
        fill(world, invoice, rest)
    world.emit("deleted", item)
    return world.bury(item)


@filtered("invoiceitem", "pending")
def _is_pending(item: Object, pending: bool) -> bool:
    return (item["invoice"] is None) is pending


@filtered("invoiceitem", "created")
def _is_of_date(item: Object, created: Any) -> bool:  # Any: a time, or a range of them
    return passes({"date": item["date"]}, "date", created)


@life("invoices.line_items.list")
def lines(ask: Ask) -> Object:
    """The lines of an invoice."""
    return listed(ask, ask.world.get("invoice", ask.path["invoice"])["lines"]["data"])


@life("invoices.add_lines", "invoices.update_lines", "invoices.remove_lines")
def change_lines(ask: Ask) -> Object:
    """Add, change or remove several lines of a draft at once."""
    world, given = ask.world, ask.params["lines"]
    invoice = world.get("invoice", ask.target)
    editable(invoice)
    found = list(invoice["lines"]["data"])
    for at, one in enumerate(given):
        if ask.row.method == "add_lines":
            if item := one.get("invoice_item"):
                item = world.get("invoiceitem", item, f"lines[{at}][invoice_item]")
            else:
                item = make_item(world, invoice["customer"], {"currency": invoice["currency"], **one})
            world.change(item, invoice=invoice["id"])
            found.append(of_invoice_item(world, item))
            continue
        place = _place(found, one["id"], f"lines[{at}][id]")
        if ask.row.method == "remove_lines":
            _let_go(world, found.pop(place), one.get("behavior", "delete"))
        else:
            found[place] = _changed(world, found[place], one, invoice["currency"])
    fill(world, invoice, found)
    world.emit("updated", invoice, {})
    return invoice


def _place(found: list[Object], identifier: str, where: str | None) -> int:
    for at, line in enumerate(found):
        if line["id"] == identifier:
            return at
    raise missing_object("line_item", identifier, where)


def _let_go(world: World, line: Object, behavior: str) -> None:
    item = world.objects.get(world.hidden.get(f"line:{line['id']}", {}).get("item", ""))
    if item is not None and behavior == "unassign":
        world.change(item, invoice=None)
    elif item is not None:
        world.bury(item)


def _changed(world: World, line: Object, params: Object, currency: str) -> Object:
    fields: Object = {name: params[name] for name in ("description", "discountable", "period") if name in params}
    if "metadata" in params:
        fields["metadata"] = {
            key: value for key, value in {**line["metadata"], **(params["metadata"] or {})}.items() if value
        }
    if {"amount", "quantity", "pricing", "price_data"} & set(params):
        known: Object = {"quantity": line["quantity"], "currency": currency}
        details = (line["pricing"] or {}).get("price_details")
        if "amount" not in params and details:
            known["price"] = details["price"]
        elif "amount" not in params and line["pricing"]:
            known["unit_amount_decimal"] = line["pricing"]["unit_amount_decimal"]
        amount, _, price, unit = priced(world, {**known, **params})
        quantity = params.get("quantity", line["quantity"])
        fields |= {
            "amount": amount,
            "subtotal": amount,
            "pricing": pricing(price, unit),
            "quantity": quantity,
            "quantity_decimal": str(quantity),
        }
    if "tax_rates" in params:
        world.hide(
            f"line:{line['id']}", {**world.hidden.get(f"line:{line['id']}", {}), "tax_rates": params["tax_rates"] or []}
        )
    return {**line, **fields}


@life("invoices.line_items.update")
def update_line(ask: Ask) -> Object:
    """Change a line of a draft."""
    world = ask.world
    invoice = world.get("invoice", ask.path["invoice"])
    editable(invoice)
    found = list(invoice["lines"]["data"])
    place = _place(found, ask.target, None)
    found[place] = _changed(world, found[place], ask.params, invoice["currency"])
    fill(world, invoice, found)
    changed: Object = invoice["lines"]["data"][place]
    return changed
