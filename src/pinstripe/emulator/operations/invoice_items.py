"""Invoice items. https://docs.stripe.com/api/invoiceitems"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from pinstripe.emulator.billing.invoice_line_builder import line_details, line_of_invoice_item, line_pricing
from pinstripe.emulator.billing.money import round_amount
from pinstripe.emulator.billing.pricing import cost
from pinstripe.emulator.operations._filters import list_filter, matches
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoices import set_lines
from pinstripe.emulator.operations.prices import create_price_from_data
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.state.tables import InvoiceLineDetails
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param

PRICED_BY = {"amount", "quantity", "pricing", "unit_amount_decimal", "price_data"}
"""The parameters that change the amount of an invoice item or line."""


class ItemAmount(NamedTuple):
    """The amount of an invoice item or line, and its price or unit amount."""

    amount: int
    currency: str
    price: Object | None = None
    unit_amount: str | None = None

    @property
    def pricing(self) -> Object | None:
        """The ``pricing`` field."""
        return line_pricing(self.price, self.unit_amount)


def create_item(state: AccountState, customer: str, params: Object) -> Object:
    """Store an invoice item with the amount of a price, or with an amount of its own; no event is emitted yet."""
    item_amount = price_item(state, params)
    now, quantity = state.clock.now(), params.get("quantity", 1)
    copied = ("description", "metadata", "period", "test_clock")
    item = state.draft("invoiceitem", {name: params[name] for name in copied if name in params})
    item.update(
        amount=item_amount.amount,
        currency=item_amount.currency,
        customer=customer,
        date=now,
        discountable=params.get("discountable", item_amount.amount >= 0),
        discounts=[],
        invoice=None,
        net_amount=item_amount.amount,
        parent=None,
        period=params.get("period") or {"start": now, "end": now},
        pricing=item_amount.pricing,
        proration=False,
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=[state.objects["tax_rate", rate_id] for rate_id in params.get("tax_rates") or []],
    )
    if not item["description"] and item_amount.price is not None:
        item["description"] = (state.objects.find("product", item_amount.price["product"]) or {}).get("name")
    state.objects.add(item)
    for index, discount_params in enumerate(params.get("discounts") or []):
        path, owner = f"discounts[{index}]", {"customer": customer, "invoice_item": item["id"]}
        discount = redeem(state, discount_params, path, **owner)
        state.objects.update(item, discounts=[*item["discounts"], discount["id"]])
    return item


def add_items_to_subscription(state: AccountState, subscription: Object, params: list[Object] | None) -> None:
    """Create the pending invoice items that ``add_invoice_items`` describes."""
    for item_params in params or []:
        item = create_item(state, subscription["customer"], {"currency": subscription["currency"], **item_params})
        _set_subscription(state, item, subscription["id"])


def _set_subscription(state: AccountState, item: Object, subscription_id: str) -> None:
    details = {"subscription": subscription_id, "subscription_item": None}
    state.objects.update(item, parent={"type": "subscription_details", "subscription_details": details})


def price_item(state: AccountState, params: Object) -> ItemAmount:
    """Return the amount for a price, ``price_data``, an amount or a unit amount."""
    price = _price(state, params)
    if price is not None:
        currency = params.get("currency") or price["currency"]
        return ItemAmount(cost(state, price, params.get("quantity", 1), currency), currency, price)
    quantity, currency = params.get("quantity", 1), params.get("currency", "usd").lower()
    if "amount" in params:
        unit_amount = Decimal(params["amount"]) / quantity if quantity else Decimal(0)
        return ItemAmount(params["amount"], currency, unit_amount=format(unit_amount, "f"))
    if "unit_amount_decimal" in params:
        amount = round_amount(Decimal(params["unit_amount_decimal"]) * quantity)
        return ItemAmount(amount, currency, unit_amount=params["unit_amount_decimal"])
    raise missing_param("amount")


def _price(state: AccountState, params: Object) -> Object | None:
    if price_data := params.get("price_data"):
        return create_price_from_data(state, price_data)
    if params.get("price"):
        return state.objects.get("price", params["price"], "price")
    price = (params.get("pricing") or {}).get("price")
    return state.objects.get("price", price, "pricing[price]") if price else None


def reprice(state: AccountState, item: Object, params: Object, currency: str) -> ItemAmount:
    """Return the new amount of an invoice item or line; it keeps its price or unit amount unless one was passed."""
    current: Object = {"quantity": item["quantity"], "currency": currency}
    if item["pricing"] and not {"amount", "pricing", "price_data", "unit_amount_decimal"} & set(params):
        if details := item["pricing"]["price_details"]:
            current["price"] = details["price"]
        else:
            current["unit_amount_decimal"] = item["pricing"]["unit_amount_decimal"]
    return price_item(state, {**current, **params})


@operation("invoice_items.create")
def create(context: OperationContext) -> Object:
    """Create an item on a draft, or for the next invoice of the customer."""
    state, params = context.state, context.params
    if "customer" not in params:
        raise missing_param("customer")
    customer = state.objects.get("customer", params["customer"], "customer")
    invoice = state.objects.get("invoice", params["invoice"], "invoice") if params.get("invoice") else None
    if invoice is not None:
        check_editable(invoice)
        if "currency" not in params and not params.get("pricing") and not params.get("price_data"):
            params = {**params, "currency": invoice["currency"]}
    item = create_item(state, customer["id"], params)
    if subscription_id := params.get("subscription"):
        _set_subscription(state, item, subscription_id)
    if invoice is not None:
        if item["currency"] != invoice["currency"]:
            raise ErrorResponse(
                f"The currency of the invoice is {invoice['currency']}, not {item['currency']}.", param="currency"
            )
        state.objects.update(item, invoice=invoice["id"])
        set_lines(state, invoice, [*invoice["lines"]["data"], line_of_invoice_item(state, item)])
    if not customer.get("currency"):
        state.objects.update(customer, currency=item["currency"])
    state.events.emit("created", item)
    return item


def check_editable(invoice: Object) -> None:
    """Raise `ErrorResponse` when an invoice is not a draft."""
    if invoice["status"] != "draft":
        raise ErrorResponse(f"Invoice is {invoice['status']}, its lines can't be changed.", code="invoice_not_editable")


def _draft_of(state: AccountState, item: Object) -> Object | None:
    """Return the draft that an item is on; raise `ErrorResponse` when its invoice is finalized."""
    if not item["invoice"]:
        return None
    invoice = state.objects.get("invoice", item["invoice"])
    check_editable(invoice)
    return invoice


@operation("invoice_items.update")
def update(context: OperationContext) -> Object:
    """Update an item that is pending or on a draft."""
    state, params = context.state, dict(context.params)
    item = state.objects.get("invoiceitem", context.target_id)
    invoice = _draft_of(state, item)
    fields: Object = {}
    if PRICED_BY & set(params):
        item_amount = reprice(state, item, params, item["currency"])
        fields = {
            "amount": item_amount.amount,
            "net_amount": item_amount.amount,
            "pricing": item_amount.pricing,
            "quantity_decimal": str(params.get("quantity", item["quantity"])),
        }
    if "tax_rates" in params:
        fields["tax_rates"] = [state.objects["tax_rate", rate_id] for rate_id in params.pop("tax_rates") or []]
    params.pop("discounts", None)
    state.apply_update(item, params, **fields)
    if invoice is not None:
        set_lines(state, invoice, [_updated_line(state, line, item) for line in invoice["lines"]["data"]])
    return item


def _updated_line(state: AccountState, line: Object, item: Object) -> Object:
    """Return the new line of an item that was updated; lines of other items stay as they are."""
    if line_details(state, line).invoice_item != item["id"]:
        return line
    updated = {**line_of_invoice_item(state, item), "id": line["id"]}
    details = InvoiceLineDetails(tuple(rate["id"] for rate in item["tax_rates"] or []), item["id"])
    state.tables.invoice_lines.set(line["id"], details)
    return updated


@operation("invoice_items.delete")
def delete(context: OperationContext) -> Object:
    """Delete an item that is pending or on a draft."""
    state = context.state
    item = state.objects.get("invoiceitem", context.target_id)
    if invoice := _draft_of(state, item):
        lines = [line for line in invoice["lines"]["data"] if line_details(state, line).invoice_item != item["id"]]
        set_lines(state, invoice, lines)
    state.events.emit("deleted", item)
    return state.objects.mark_deleted(item)


@list_filter("invoiceitem", "pending")
def _is_pending(item: Object, pending: bool) -> bool:
    return (item["invoice"] is None) is pending


@list_filter("invoiceitem", "created")
def _was_created(item: Object, created: JSON) -> bool:
    return matches({"date": item["date"]}, "date", created)
