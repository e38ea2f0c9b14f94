"""Credit notes: less is owed of an invoice, or some of it comes back. https://docs.stripe.com/invoicing/integration/programmatic-credit-notes"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import embedded_list, paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.customers import adjust_balance
from pinstripe.emulator.operations.invoices import mark_paid, payment_of
from pinstripe.emulator.operations.refunds import refund_charge
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param, wrong_state


@operation("credit_notes.create")
def create(context: OperationContext) -> Object:
    """A credit note on an open or a paid invoice."""
    state, params = context.state, context.params
    invoice = state.objects.get("invoice", params["invoice"], "invoice")
    note = _draft(state, invoice, params)
    state.objects.add(note)
    customer = state.objects.get("customer", invoice["customer"])
    if note["pre_payment_amount"]:
        left = invoice["amount_remaining"] - note["pre_payment_amount"]
        state.objects.update(
            invoice,
            amount_due=invoice["amount_due"] - note["pre_payment_amount"],
            amount_remaining=left,
            pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] + note["pre_payment_amount"],
        )
        found = payment_of(state, invoice)
        if found is not None and left:
            state.objects.update(found[1], amount=left)
            state.objects.update(found[0], amount_requested=left)
        if not left:
            mark_paid(state, invoice)
    if note["post_payment_amount"]:
        _pay_back(state, invoice, note, params, customer)
    state.events.emit("created", note)
    return note


def _pay_back(state: AccountState, invoice: Object, note: Object, params: Object, customer: Object) -> None:
    total = invoice["post_payment_credit_notes_amount"] + note["post_payment_amount"]
    state.objects.update(invoice, post_payment_credit_notes_amount=total)
    if amount := params.get("refund_amount"):
        found = payment_of(state, invoice)
        if found is None or not found[1]["latest_charge"]:
            raise ErrorResponse("The invoice was not paid by a charge that can be refunded.", param="refund_amount")
        refund = refund_charge(state, state.objects["charge", found[1]["latest_charge"]], {"amount": amount})
        shown = {"refund": refund["id"], "amount_refunded": amount, "payment_record_refund": None, "type": "refund"}
        state.objects.update(note, refunds=[shown])
    if amount := params.get("credit_amount"):
        moved = adjust_balance(
            state, customer, -amount, "credit_note", credit_note=note["id"], currency=invoice["currency"]
        )
        state.objects.update(note, customer_balance_transaction=moved["id"])


def _draft(state: AccountState, invoice: Object, params: Object) -> Object:
    if invoice["status"] not in ("open", "paid"):
        raise ErrorResponse(
            f"Credit notes are for open and paid invoices; this one is {invoice['status']}.", param="invoice"
        )
    note = state.draft(
        "credit_note", {name: value for name, value in params.items() if name not in ("lines", "refunds", "invoice")}
    )
    lines, amount, tax = _lines(state, invoice, params)
    earlier = sum(one["total"] for one in state.objects.all("credit_note", invoice=invoice["id"], status="issued"))
    if amount < 1 or amount + earlier > invoice["total"]:
        raise ErrorResponse(
            f"The amount to credit is from 1 to {invoice['total'] - earlier}, what is left of the invoice.",
            param="amount",
        )
    before = min(amount, invoice["amount_remaining"]) if invoice["status"] == "open" else 0
    after = amount - before
    given = sum(int(params.get(name) or 0) for name in ("refund_amount", "credit_amount", "out_of_band_amount"))
    if after != given:
        raise ErrorResponse(
            f"credit_amount, refund_amount and out_of_band_amount add up to {given}, but {after} is to be given back.",
            param="refund_amount",
        )
    count = sum(1 for _ in state.objects.all("credit_note", invoice=invoice["id"])) + 1
    note.update(
        amount=amount,
        amount_shipping=0,
        currency=invoice["currency"],
        customer=invoice["customer"],
        discount_amount=0,
        discount_amounts=[],
        effective_at=params.get("effective_at") or state.clock.now(),
        invoice=invoice["id"],
        lines=embedded_list(lines, f"/v1/credit_notes/{note['id']}/lines"),
        number=f"{invoice['number']}-CN-{count:02}",
        out_of_band_amount=params.get("out_of_band_amount"),
        pdf=f"{state.base_url}/credit_notes/{note['id']}/pdf",
        post_payment_amount=after,
        pre_payment_amount=before,
        pretax_credit_amounts=[],
        refunds=[],
        status="issued",
        subtotal=amount - tax,
        subtotal_excluding_tax=amount - tax,
        total=amount,
        total_excluding_tax=amount - tax,
        total_taxes=[],
        customer_balance_transaction=None,
        type="mixed" if before and after else "pre_payment" if before else "post_payment",
    )
    return note


def _lines(state: AccountState, invoice: Object, params: Object) -> tuple[list[Object], int, int]:
    """The lines of a credit note, the whole amount, and the tax in it."""
    given = params.get("lines")
    if not given:
        amount = params.get("amount") or sum(
            int(params.get(name) or 0) for name in ("refund_amount", "credit_amount", "out_of_band_amount")
        )
        if not amount:
            raise missing_param("amount")
        return [_line(state, "custom_line_item", int(amount), "Credit")], int(amount), 0
    found, taxed = [], 0
    for at, one in enumerate(given):
        if one["type"] == "custom_line_item":
            amount = int(one["unit_amount"]) * one.get("quantity", 1)
            found.append(
                _line(state, "custom_line_item", amount, one.get("description"), quantity=one.get("quantity", 1))
            )
            continue
        line = next((line for line in invoice["lines"]["data"] if line["id"] == one.get("invoice_line_item")), None)
        if line is None:
            raise missing_object("line_item", str(one.get("invoice_line_item")), f"lines[{at}][invoice_line_item]")
        amount = one.get("amount")
        if amount is None:
            quantity = one.get("quantity", line["quantity"] or 1)
            off = sum(part["amount"] for part in line["discount_amounts"])
            amount = (line["amount"] - off) * quantity // (line["quantity"] or 1)
        tax = sum(part["amount"] for part in line["taxes"] if part["tax_behavior"] == "exclusive")
        net = line["amount"] - sum(part["amount"] for part in line["discount_amounts"])
        taxed += tax * amount // net if net else 0
        found.append(
            _line(
                state,
                "invoice_line_item",
                amount,
                line["description"],
                quantity=one.get("quantity"),
                invoice_line_item=line["id"],
            )
        )
    return found, sum(line["amount"] for line in found) + taxed, taxed


def _line(
    state: AccountState,
    type_: str,
    amount: int,
    description: str | None,
    quantity: int | None = 1,
    invoice_line_item: str | None = None,
) -> Object:
    line = state.draft("credit_note_line_item")
    line.update(
        amount=amount,
        description=description,
        discount_amount=0,
        discount_amounts=[],
        invoice_line_item=invoice_line_item,
        pretax_credit_amounts=[],
        quantity=quantity,
        tax_rates=[],
        taxes=[],
        type=type_,
        unit_amount=amount // (quantity or 1),
    )
    return line


@operation("credit_notes.preview")
def preview(context: OperationContext) -> Object:
    """A credit note as it would be."""
    return _draft(
        context.state, context.state.objects.get("invoice", context.params["invoice"], "invoice"), context.params
    )


@operation("credit_notes.preview_lines.list")
def preview_lines(context: OperationContext) -> Object:
    """The lines of a credit note as it would be."""
    note = _draft(
        context.state, context.state.objects.get("invoice", context.params["invoice"], "invoice"), context.params
    )
    return paginate(context, note["lines"]["data"])


@operation("credit_notes.line_items.list")
def line_items(context: OperationContext) -> Object:
    """The lines of a credit note."""
    return paginate(context, context.state.objects.get("credit_note", context.path["credit_note"])["lines"]["data"])


@operation("credit_notes.void_credit_note")
def void(context: OperationContext) -> Object:
    """Take a credit note back that was issued before the invoice was paid."""
    state = context.state
    note = state.objects.get("credit_note", context.target_id)
    invoice = state.objects.get("invoice", note["invoice"])
    if note["status"] != "issued" or not note["pre_payment_amount"] or invoice["status"] != "open":
        raise wrong_state(note, "void")
    amount = note["pre_payment_amount"]
    state.objects.update(
        invoice,
        amount_due=invoice["amount_due"] + amount,
        amount_remaining=invoice["amount_remaining"] + amount,
        pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] - amount,
    )
    if found := payment_of(state, invoice):
        state.objects.update(found[1], amount=invoice["amount_remaining"])
    state.objects.update(note, status="void", voided_at=state.clock.now())
    state.events.emit("voided", note)
    return note
