"""Invoice items and the lines of drafts. https://docs.stripe.com/api/invoiceitems"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from pinstripe.emulator.billing import money
from pinstripe.emulator.billing.invoice_lines import cost, line_details, of_invoice_item, pricing
from pinstripe.emulator.operations._filters import list_filter, matches
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoices import fill
from pinstripe.emulator.operations.products import make_price, make_product
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import InvoiceLineDetails
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param


def make_item(state: AccountState, customer: str, params: Object, **fields: Any) -> Object:  # Any: JSON
    """An invoice item, for a price or for an amount; kept."""
    amount, currency, price, unit = priced(state, params)
    now = state.clock.now()
    item = state.draft(
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
        tax_rates=[state.objects["tax_rate", one] for one in params.get("tax_rates") or []],
        **fields,
    )
    if not item["description"] and price is not None:
        item["description"] = (state.objects.find("product", price["product"]) or {}).get("name")
    state.objects.add(item)
    for at, given in enumerate(params.get("discounts") or []):
        discount = redeem(state, given, f"discounts[{at}]", customer=customer, invoice_item=item["id"])
        state.objects.update(item, discounts=[*item["discounts"], discount["id"]])
    return item


def priced(state: AccountState, params: Object) -> tuple[int, str, Object | None, str | None]:
    """What something costs that is a price, describes one, or says an amount: amount, currency, price, the amount of a unit."""
    given = params.get("pricing") or {}
    price = state.objects.get("price", given["price"], "pricing[price]") if given.get("price") else None
    if params.get("price"):
        price = state.objects.get("price", params["price"], "price")
    quantity = params.get("quantity", 1)
    if described := params.get("price_data"):
        described = {**described}
        if product := described.pop("product_data", None):
            described["product"] = make_product(
                state, {name: value for name, value in product.items() if name not in ("tax_code",)}
            )["id"]
        price = make_price(state, described)
    if price is not None:
        currency = params.get("currency") or price["currency"]
        return cost(state, price, quantity, currency), currency, price, None
    if "amount" in params:
        unit = format(Decimal(params["amount"]) / quantity if quantity else Decimal(0), "f")
        return params["amount"], params.get("currency", "usd").lower(), None, unit
    if "unit_amount_decimal" in params:
        amount = money.whole(Decimal(params["unit_amount_decimal"]) * quantity)
        return amount, params.get("currency", "usd").lower(), None, params["unit_amount_decimal"]
    raise missing_param("amount")


@operation("invoice_items.create")
def create(context: OperationContext) -> Object:
    """An item on a draft, or for the next invoice of the customer."""
    state, params = context.state, context.params
    if "customer" not in params:
        raise missing_param("customer")
    customer = state.objects.get("customer", params["customer"], "customer")
    invoice = state.objects.get("invoice", params["invoice"], "invoice") if params.get("invoice") else None
    if invoice is not None:
        editable(invoice)
        if "currency" not in params and not params.get("pricing") and not params.get("price_data"):
            params = {**params, "currency": invoice["currency"]}
    item = make_item(state, customer["id"], params)
    if subscription := params.get("subscription"):
        details = {"subscription": subscription, "subscription_item": None}
        state.objects.update(item, parent={"type": "subscription_details", "subscription_details": details})
    if invoice is not None:
        if item["currency"] != invoice["currency"]:
            raise ErrorResponse(
                f"The currency of the invoice is {invoice['currency']}, not {item['currency']}.", param="currency"
            )
        state.objects.update(item, invoice=invoice["id"])
        fill(state, invoice, [*invoice["lines"]["data"], of_invoice_item(state, item)])
    if not customer.get("currency"):
        state.objects.update(customer, currency=item["currency"])
    state.events.emit("created", item)
    return item


def editable(invoice: Object) -> None:
    """Refuse to change the lines of an invoice that is no draft."""
    if invoice["status"] != "draft":
        raise ErrorResponse(f"Invoice is {invoice['status']}, its lines can't be changed.", code="invoice_not_editable")


@operation("invoice_items.update")
def update(context: OperationContext) -> Object:
    """Change an item that is on no invoice, or on a draft."""
    state, params = context.state, dict(context.params)
    item = state.objects.get("invoiceitem", context.target_id)
    invoice = state.objects.get("invoice", item["invoice"]) if item["invoice"] else None
    if invoice is not None:
        editable(invoice)
    fields: Object = {}
    if {"amount", "quantity", "pricing", "unit_amount_decimal", "price_data"} & set(params):
        known = {"quantity": item["quantity"], "currency": item["currency"]}
        if item["pricing"] and item["pricing"]["price_details"] and "amount" not in params:
            known["price"] = item["pricing"]["price_details"]["price"]
        elif item["pricing"] and "amount" not in params:
            known["unit_amount_decimal"] = item["pricing"]["unit_amount_decimal"]
        amount, _, price, unit = priced(state, {**known, **params})
        fields = {"amount": amount, "net_amount": amount, "pricing": pricing(price, unit)}
        fields["quantity_decimal"] = str(params.get("quantity", item["quantity"]))
    if "tax_rates" in params:
        fields["tax_rates"] = [state.objects["tax_rate", one] for one in params.pop("tax_rates") or []]
    params.pop("discounts", None)
    state.apply_update(item, params, **fields)
    if invoice is not None:
        old = invoice["lines"]["data"]
        fill(state, invoice, [_again(state, line, item) for line in old])
    return item


def _again(state: AccountState, line: Object, item: Object) -> Object:
    if line_details(state, line).invoice_item != item["id"]:
        return line
    new = {**of_invoice_item(state, item), "id": line["id"]}
    details = InvoiceLineDetails(tuple(rate["id"] for rate in item["tax_rates"] or []), item["id"])
    state.tables.invoice_lines.set(line["id"], details)
    return new


@operation("invoice_items.delete")
def delete(context: OperationContext) -> Object:
    """Delete an item that is on no invoice, or on a draft."""
    state = context.state
    item = state.objects.get("invoiceitem", context.target_id)
    if item["invoice"]:
        invoice = state.objects.get("invoice", item["invoice"])
        editable(invoice)
        rest = [line for line in invoice["lines"]["data"] if line_details(state, line).invoice_item != item["id"]]
        fill(state, invoice, rest)
    state.events.emit("deleted", item)
    return state.objects.mark_deleted(item)


@list_filter("invoiceitem", "pending")
def _is_pending(item: Object, pending: bool) -> bool:
    return (item["invoice"] is None) is pending


@list_filter("invoiceitem", "created")
def _is_of_date(item: Object, created: Any) -> bool:  # Any: a time, or a range of them
    return matches({"date": item["date"]}, "date", created)


@operation("invoices.line_items.list")
def lines(context: OperationContext) -> Object:
    """The lines of an invoice."""
    return paginate(context, context.state.objects.get("invoice", context.path["invoice"])["lines"]["data"])


@operation("invoices.add_lines", "invoices.update_lines", "invoices.remove_lines")
def change_lines(context: OperationContext) -> Object:
    """Add, change or remove several lines of a draft at once."""
    state, given = context.state, context.params["lines"]
    invoice = state.objects.get("invoice", context.target_id)
    editable(invoice)
    found = list(invoice["lines"]["data"])
    for at, one in enumerate(given):
        if context.endpoint.method == "add_lines":
            if item := one.get("invoice_item"):
                item = state.objects.get("invoiceitem", item, f"lines[{at}][invoice_item]")
            else:
                item = make_item(state, invoice["customer"], {"currency": invoice["currency"], **one})
            state.objects.update(item, invoice=invoice["id"])
            found.append(of_invoice_item(state, item))
            continue
        place = _place(found, one["id"], f"lines[{at}][id]")
        if context.endpoint.method == "remove_lines":
            _let_go(state, found.pop(place), one.get("behavior", "delete"))
        else:
            found[place] = _changed(state, found[place], one, invoice["currency"])
    fill(state, invoice, found)
    state.events.emit("updated", invoice, {})
    return invoice


def _place(found: list[Object], identifier: str, where: str | None) -> int:
    for at, line in enumerate(found):
        if line["id"] == identifier:
            return at
    raise missing_object("line_item", identifier, where)


def _let_go(state: AccountState, line: Object, behavior: str) -> None:
    item = state.objects.find("invoiceitem", line_details(state, line).invoice_item)
    if item is not None and behavior == "unassign":
        state.objects.update(item, invoice=None)
    elif item is not None:
        state.objects.mark_deleted(item)


def _changed(state: AccountState, line: Object, params: Object, currency: str) -> Object:
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
        amount, _, price, unit = priced(state, {**known, **params})
        quantity = params.get("quantity", line["quantity"])
        fields |= {
            "amount": amount,
            "subtotal": amount,
            "pricing": pricing(price, unit),
            "quantity": quantity,
            "quantity_decimal": str(quantity),
        }
    if "tax_rates" in params:
        details = replace(line_details(state, line), tax_rates=tuple(params["tax_rates"] or ()))
        state.tables.invoice_lines.set(line["id"], details)
    return {**line, **fields}


@operation("invoices.line_items.update")
def update_line(context: OperationContext) -> Object:
    """Change a line of a draft."""
    state = context.state
    invoice = state.objects.get("invoice", context.path["invoice"])
    editable(invoice)
    found = list(invoice["lines"]["data"])
    place = _place(found, context.target_id, None)
    found[place] = _changed(state, found[place], context.params, invoice["currency"])
    fill(state, invoice, found)
    changed: Object = invoice["lines"]["data"][place]
    return changed
