"""The operations on the lines of invoices. https://docs.stripe.com/api/invoice-line-item"""

from __future__ import annotations

from dataclasses import replace

from pinstripe.emulator.billing.invoice_line_builder import line_details, line_of_invoice_item
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.invoice_items import check_editable, create_item, reprice
from pinstripe.emulator.operations.invoices import set_lines
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, merge_metadata
from pinstripe.emulator.validation.errors import missing_object

PRICED_BY = {"amount", "quantity", "pricing", "price_data"}


@operation("invoices.line_items.list")
def list_lines(context: OperationContext) -> Object:
    """List the lines of an invoice."""
    return paginate(context, context.state.objects.get("invoice", context.path["invoice"])["lines"]["data"])


@operation("invoices.line_items.update")
def update(context: OperationContext) -> Object:
    """Update a line of a draft."""
    state = context.state
    invoice = state.objects.get("invoice", context.path["invoice"])
    check_editable(invoice)
    lines = list(invoice["lines"]["data"])
    index = _index_of(lines, context.target_id, None)
    lines[index] = _updated_line(state, lines[index], context.params, invoice["currency"])
    set_lines(state, invoice, lines)
    line: Object = invoice["lines"]["data"][index]
    return line


@operation("invoices.add_lines")
def add(context: OperationContext) -> Object:
    """Add lines to a draft, for existing or new invoice items."""
    state, invoice = context.state, _draft(context)
    lines = list(invoice["lines"]["data"])
    for index, params in enumerate(context.params["lines"]):
        if item_id := params.get("invoice_item"):
            item = state.objects.get("invoiceitem", item_id, f"lines[{index}][invoice_item]")
        else:
            item = create_item(state, invoice["customer"], {"currency": invoice["currency"], **params})
        state.objects.update(item, invoice=invoice["id"])
        lines.append(line_of_invoice_item(state, item))
    return _save(state, invoice, lines)


@operation("invoices.update_lines")
def update_several(context: OperationContext) -> Object:
    """Update several lines of a draft."""
    state, invoice = context.state, _draft(context)
    lines = list(invoice["lines"]["data"])
    for number, params in enumerate(context.params["lines"]):
        index = _index_of(lines, params["id"], f"lines[{number}][id]")
        lines[index] = _updated_line(state, lines[index], params, invoice["currency"])
    return _save(state, invoice, lines)


@operation("invoices.remove_lines")
def remove(context: OperationContext) -> Object:
    """Remove lines from a draft; their invoice items are deleted, or pending again."""
    state, invoice = context.state, _draft(context)
    lines = list(invoice["lines"]["data"])
    for number, params in enumerate(context.params["lines"]):
        line = lines.pop(_index_of(lines, params["id"], f"lines[{number}][id]"))
        item = state.objects.find("invoiceitem", line_details(state, line).invoice_item)
        if item is not None and params.get("behavior", "delete") == "unassign":
            state.objects.update(item, invoice=None)
        elif item is not None:
            state.objects.mark_deleted(item)
    return _save(state, invoice, lines)


def _draft(context: OperationContext) -> Object:
    invoice = context.state.objects.get("invoice", context.target_id)
    check_editable(invoice)
    return invoice


def _save(state: AccountState, invoice: Object, lines: list[Object]) -> Object:
    set_lines(state, invoice, lines)
    state.events.emit("updated", invoice, {})
    return invoice


def _index_of(lines: list[Object], line_id: str, param: str | None) -> int:
    for index, line in enumerate(lines):
        if line["id"] == line_id:
            return index
    raise missing_object("line_item", line_id, param)


def _updated_line(state: AccountState, line: Object, params: Object, currency: str) -> Object:
    fields: Object = {name: params[name] for name in ("description", "discountable", "period") if name in params}
    if "metadata" in params:
        fields["metadata"] = merge_metadata(line["metadata"], params["metadata"] or {})
    if PRICED_BY & set(params):
        item_amount = reprice(state, line, params, currency)
        quantity = params.get("quantity", line["quantity"])
        fields |= {
            "amount": item_amount.amount,
            "subtotal": item_amount.amount,
            "pricing": item_amount.pricing,
            "quantity": quantity,
            "quantity_decimal": str(quantity),
        }
    if "tax_rates" in params:
        details = replace(line_details(state, line), tax_rates=tuple(params["tax_rates"] or ()))
        state.tables.invoice_lines.set(line["id"], details)
    return {**line, **fields}
