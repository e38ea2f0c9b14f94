"""Credit notes. https://docs.stripe.com/invoicing/integration/programmatic-credit-notes"""

from __future__ import annotations

from typing import NamedTuple

from pinstripe.emulator.operations._pagination import embedded_list, paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.customers import adjust_balance
from pinstripe.emulator.operations.invoice_payments import mark_paid, payment_of
from pinstripe.emulator.operations.refunds import refund_charge
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, missing_param, wrong_state

AMOUNTS = ("refund_amount", "credit_amount", "out_of_band_amount")
"""The parameters that say how the amount after payment is credited."""


class NoteLines(NamedTuple):
    """The lines of a credit note, and the tax that is credited with them."""

    lines: list[Object]
    tax: int = 0

    @property
    def amount(self) -> int:
        """The amount of the lines, with tax."""
        return sum(int(line["amount"]) for line in self.lines) + self.tax


@operation("credit_notes.create")
def create(context: OperationContext) -> Object:
    """Create a credit note for an open or paid invoice."""
    state, params = context.state, context.params
    invoice = state.objects.get("invoice", params["invoice"], "invoice")
    note = _draft(state, invoice, params)
    state.objects.add(note)
    if note["pre_payment_amount"]:
        _reduce_amount_due(state, invoice, note["pre_payment_amount"])
    if note["post_payment_amount"]:
        _credit_payment(state, invoice, note, params)
    state.events.emit("created", note)
    return note


def _reduce_amount_due(state: AccountState, invoice: Object, amount: int) -> None:
    """Reduce the amount due of an open invoice; it is paid when nothing remains."""
    remaining = invoice["amount_remaining"] - amount
    state.objects.update(
        invoice,
        amount_due=invoice["amount_due"] - amount,
        amount_remaining=remaining,
        pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] + amount,
    )
    payment = payment_of(state, invoice)
    if payment is not None and remaining:
        state.objects.update(payment.intent, amount=remaining)
        state.objects.update(payment.payment, amount_requested=remaining)
    if not remaining:
        mark_paid(state, invoice)


def _credit_payment(state: AccountState, invoice: Object, note: Object, params: Object) -> None:
    """Refund a part of a paid invoice, or add it to the customer's balance."""
    total = invoice["post_payment_credit_notes_amount"] + note["post_payment_amount"]
    state.objects.update(invoice, post_payment_credit_notes_amount=total)
    if amount := params.get("refund_amount"):
        payment = payment_of(state, invoice)
        if payment is None or not payment.intent["latest_charge"]:
            raise ErrorResponse("The invoice was not paid by a charge that can be refunded.", param="refund_amount")
        refund = refund_charge(state, state.objects["charge", payment.intent["latest_charge"]], {"amount": amount})
        entry = {"refund": refund["id"], "amount_refunded": amount, "payment_record_refund": None, "type": "refund"}
        state.objects.update(note, refunds=[entry])
    if amount := params.get("credit_amount"):
        customer = state.objects.get("customer", invoice["customer"])
        owner = {"credit_note": note["id"], "currency": invoice["currency"]}
        transaction = adjust_balance(state, customer, -amount, "credit_note", **owner)
        state.objects.update(note, customer_balance_transaction=transaction["id"])


def _draft(state: AccountState, invoice: Object, params: Object) -> Object:
    """Return a credit note that is not stored; raise `ErrorResponse` when the amounts do not add up."""
    if invoice["status"] not in ("open", "paid"):
        raise ErrorResponse(
            f"Credit notes require an open or paid invoice; this one is {invoice['status']}.", param="invoice"
        )
    own = ("lines", "refunds", "invoice")
    note = state.draft("credit_note", {name: value for name, value in params.items() if name not in own})
    note_lines = _lines(state, invoice, params)
    amount, tax = note_lines.amount, note_lines.tax
    before_payment = min(amount, invoice["amount_remaining"]) if invoice["status"] == "open" else 0
    _check_amounts(state, invoice, params, amount, amount - before_payment)
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
        lines=embedded_list(note_lines.lines, f"/v1/credit_notes/{note['id']}/lines"),
        number=f"{invoice['number']}-CN-{count:02}",
        out_of_band_amount=params.get("out_of_band_amount"),
        pdf=f"{state.base_url}/credit_notes/{note['id']}/pdf",
        post_payment_amount=amount - before_payment,
        pre_payment_amount=before_payment,
        pretax_credit_amounts=[],
        refunds=[],
        status="issued",
        subtotal=amount - tax,
        subtotal_excluding_tax=amount - tax,
        total=amount,
        total_excluding_tax=amount - tax,
        total_taxes=[],
        customer_balance_transaction=None,
        type=_note_type(before_payment, amount - before_payment),
    )
    return note


def _check_amounts(state: AccountState, invoice: Object, params: Object, amount: int, after_payment: int) -> None:
    notes = state.objects.all("credit_note", invoice=invoice["id"], status="issued")
    remaining = invoice["total"] - sum(note["total"] for note in notes)
    if not 1 <= amount <= remaining:
        raise ErrorResponse(
            f"The amount must be from 1 to {remaining}, the part of the invoice that is not credited yet.",
            param="amount",
        )
    credited = sum(int(params.get(name) or 0) for name in AMOUNTS)
    if credited != after_payment:
        raise ErrorResponse(
            f"credit_amount, refund_amount and out_of_band_amount must add up to {after_payment}, the amount "
            f"after payment, not {credited}.",
            param="refund_amount",
        )


def _note_type(before_payment: int, after_payment: int) -> str:
    if before_payment and after_payment:
        return "mixed"
    return "pre_payment" if before_payment else "post_payment"


def _lines(state: AccountState, invoice: Object, params: Object) -> NoteLines:
    """Return the lines that were passed, or one line for the whole amount."""
    if not params.get("lines"):
        amount = int(params.get("amount") or sum(int(params.get(name) or 0) for name in AMOUNTS))
        if not amount:
            raise missing_param("amount")
        return NoteLines([_line(state, "custom_line_item", amount, "Credit")])
    lines, total_tax = [], 0
    for index, line_params in enumerate(params["lines"]):
        if line_params["type"] == "custom_line_item":
            quantity = line_params.get("quantity", 1)
            amount = int(line_params["unit_amount"]) * quantity
            description = line_params.get("description")
            lines.append(_line(state, "custom_line_item", amount, description, quantity=quantity))
        else:
            line, tax = _invoice_line(state, invoice, line_params, f"lines[{index}]")
            lines.append(line)
            total_tax += tax
    return NoteLines(lines, total_tax)


def _invoice_line(state: AccountState, invoice: Object, params: Object, path: str) -> tuple[Object, int]:
    """Return a line that credits an invoice line, and its share of the line's tax."""
    line_id = params.get("invoice_line_item")
    line = next((line for line in invoice["lines"]["data"] if line["id"] == line_id), None)
    if line is None:
        raise missing_object("line_item", str(line_id), f"{path}[invoice_line_item]")
    net = line["amount"] - sum(discount["amount"] for discount in line["discount_amounts"])
    tax = sum(tax["amount"] for tax in line["taxes"] if tax["tax_behavior"] == "exclusive")
    amount = params.get("amount")
    if amount is None:
        quantity = line["quantity"] or 1
        amount = net * params.get("quantity", quantity) // quantity
    fields = {"quantity": params.get("quantity"), "invoice_line_item": line["id"]}
    note_line = _line(state, "invoice_line_item", amount, line["description"], **fields)
    return note_line, tax * amount // net if net else 0


def _line(state: AccountState, line_type: str, amount: int, description: str | None, **fields: JSON) -> Object:
    fields = {"invoice_line_item": None, "quantity": 1, **fields}
    line = state.draft("credit_note_line_item")
    line.update(
        amount=amount,
        description=description,
        discount_amount=0,
        discount_amounts=[],
        pretax_credit_amounts=[],
        tax_rates=[],
        taxes=[],
        type=line_type,
        unit_amount=amount // (fields["quantity"] or 1),
        **fields,
    )
    return line


@operation("credit_notes.preview")
def preview(context: OperationContext) -> Object:
    """Return a credit note without creating it."""
    return _preview(context)


def _preview(context: OperationContext) -> Object:
    invoice = context.state.objects.get("invoice", context.params["invoice"], "invoice")
    return _draft(context.state, invoice, context.params)


@operation("credit_notes.preview_lines.list")
def list_preview_lines(context: OperationContext) -> Object:
    """List the lines of a credit note that is not created."""
    return paginate(context, _preview(context)["lines"]["data"])


@operation("credit_notes.line_items.list")
def list_lines(context: OperationContext) -> Object:
    """List the lines of a credit note."""
    return paginate(context, context.state.objects.get("credit_note", context.path["credit_note"])["lines"]["data"])


@operation("credit_notes.void_credit_note")
def void(context: OperationContext) -> Object:
    """Void a credit note that was issued before the invoice was paid."""
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
    if payment := payment_of(state, invoice):
        state.objects.update(payment.intent, amount=invoice["amount_remaining"])
    state.objects.update(note, status="void", voided_at=state.clock.now())
    state.events.emit("voided", note)
    return note
