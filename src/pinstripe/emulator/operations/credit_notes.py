"""Credit notes: less is owed of an invoice, or some of it comes back. https://docs.stripe.com/invoicing/integration/programmatic-credit-notes"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import embedded, listed
from pinstripe.emulator.operations.customers import credit
from pinstripe.emulator.operations.invoices import mark_paid, payment_of
from pinstripe.emulator.operations.refunds import give_back
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_object, missing_param, wrong_state


@life("credit_notes.create")
def create(ask: Ask) -> Object:
    """A credit note on an open or a paid invoice."""
    world, params = ask.world, ask.params
    invoice = world.get("invoice", params["invoice"], "invoice")
    note = _draft(world, invoice, params)
    world.keep(note)
    customer = world.get("customer", invoice["customer"])
    if note["pre_payment_amount"]:
        left = invoice["amount_remaining"] - note["pre_payment_amount"]
        world.change(
            invoice,
            amount_due=invoice["amount_due"] - note["pre_payment_amount"],
            amount_remaining=left,
            pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] + note["pre_payment_amount"],
        )
        found = payment_of(world, invoice)
        if found is not None and left:
            world.change(found[1], amount=left)
            world.change(found[0], amount_requested=left)
        if not left:
            mark_paid(world, invoice)
    if note["post_payment_amount"]:
        _pay_back(world, invoice, note, params, customer)
    world.emit("created", note)
    return note


def _pay_back(world: World, invoice: Object, note: Object, params: Object, customer: Object) -> None:
    total = invoice["post_payment_credit_notes_amount"] + note["post_payment_amount"]
    world.change(invoice, post_payment_credit_notes_amount=total)
    if amount := params.get("refund_amount"):
        found = payment_of(world, invoice)
        if found is None or not found[1]["latest_charge"]:
            raise Refusal("The invoice was not paid by a charge that can be refunded.", param="refund_amount")
        refund = give_back(world, world.objects[found[1]["latest_charge"]], {"amount": amount})
        shown = {"refund": refund["id"], "amount_refunded": amount, "payment_record_refund": None, "type": "refund"}
        world.change(note, refunds=[shown])
    if amount := params.get("credit_amount"):
        moved = credit(world, customer, -amount, "credit_note", credit_note=note["id"], currency=invoice["currency"])
        world.change(note, customer_balance_transaction=moved["id"])


def _draft(world: World, invoice: Object, params: Object) -> Object:
    if invoice["status"] not in ("open", "paid"):
        raise Refusal(f"Credit notes are for open and paid invoices; this one is {invoice['status']}.", param="invoice")
    note = world.draft(
        "credit_note", {name: value for name, value in params.items() if name not in ("lines", "refunds", "invoice")}
    )
    lines, amount, tax = _lines(world, invoice, params)
    earlier = sum(one["total"] for one in world.every("credit_note", invoice=invoice["id"], status="issued"))
    if amount < 1 or amount + earlier > invoice["total"]:
        raise Refusal(
            f"The amount to credit is from 1 to {invoice['total'] - earlier}, what is left of the invoice.",
            param="amount",
        )
    before = min(amount, invoice["amount_remaining"]) if invoice["status"] == "open" else 0
    after = amount - before
    given = sum(int(params.get(name) or 0) for name in ("refund_amount", "credit_amount", "out_of_band_amount"))
    if after != given:
        raise Refusal(
            f"credit_amount, refund_amount and out_of_band_amount add up to {given}, but {after} is to be given back.",
            param="refund_amount",
        )
    count = sum(1 for _ in world.every("credit_note", invoice=invoice["id"])) + 1
    note.update(
        amount=amount, amount_shipping=0, currency=invoice["currency"], customer=invoice["customer"], discount_amount=0,
        discount_amounts=[], effective_at=params.get("effective_at") or world.now(), invoice=invoice["id"],
        lines=embedded(lines, f"/v1/credit_notes/{note['id']}/lines"),
        number=f"{invoice['number']}-CN-{count:02}", out_of_band_amount=params.get("out_of_band_amount"),
        pdf=f"{world.base}/credit_notes/{note['id']}/pdf", post_payment_amount=after, pre_payment_amount=before,
        pretax_credit_amounts=[], refunds=[], status="issued", subtotal=amount - tax,
        subtotal_excluding_tax=amount - tax, total=amount,
        total_excluding_tax=amount - tax, total_taxes=[], customer_balance_transaction=None,
        type="mixed" if before and after else "pre_payment" if before else "post_payment",
    )  # fmt: skip
    return note


def _lines(world: World, invoice: Object, params: Object) -> tuple[list[Object], int, int]:
    """The lines of a credit note, the whole amount, and the tax in it."""
    given = params.get("lines")
    if not given:
        amount = params.get("amount") or sum(
            int(params.get(name) or 0) for name in ("refund_amount", "credit_amount", "out_of_band_amount")
        )
        if not amount:
            raise missing_param("amount")
        return [_line(world, "custom_line_item", int(amount), "Credit")], int(amount), 0
    found, taxed = [], 0
    for at, one in enumerate(given):
        if one["type"] == "custom_line_item":
            amount = int(one["unit_amount"]) * one.get("quantity", 1)
            found.append(
                _line(world, "custom_line_item", amount, one.get("description"), quantity=one.get("quantity", 1))
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
                world,
                "invoice_line_item",
                amount,
                line["description"],
                quantity=one.get("quantity"),
                invoice_line_item=line["id"],
            )
        )
    return found, sum(line["amount"] for line in found) + taxed, taxed


def _line(world: World, type_: str, amount: int, description: str | None, quantity: int | None = 1,
invoice_line_item: str | None = None) -> Object:  # fmt: skip
    line = world.draft("credit_note_line_item")
    line.update(
        amount=amount, description=description, discount_amount=0, discount_amounts=[], invoice_line_item=invoice_line_item,
        pretax_credit_amounts=[], quantity=quantity, tax_rates=[], taxes=[], type=type_, unit_amount=amount // (quantity or 1),
    )  # fmt: skip
    return line


@life("credit_notes.preview")
def preview(ask: Ask) -> Object:
    """A credit note as it would be."""
    return _draft(ask.world, ask.world.get("invoice", ask.params["invoice"], "invoice"), ask.params)


@life("credit_notes.preview_lines.list")
def preview_lines(ask: Ask) -> Object:
    """The lines of a credit note as it would be."""
    note = _draft(ask.world, ask.world.get("invoice", ask.params["invoice"], "invoice"), ask.params)
    return listed(ask, note["lines"]["data"])


@life("credit_notes.line_items.list")
def line_items(ask: Ask) -> Object:
    """The lines of a credit note."""
    return listed(ask, ask.world.get("credit_note", ask.path["credit_note"])["lines"]["data"])


@life("credit_notes.void_credit_note")
def void(ask: Ask) -> Object:
    """Take a credit note back that was issued before the invoice was paid."""
    world = ask.world
    note = world.get("credit_note", ask.target)
    invoice = world.get("invoice", note["invoice"])
    if note["status"] != "issued" or not note["pre_payment_amount"] or invoice["status"] != "open":
        raise wrong_state(note, "void")
    amount = note["pre_payment_amount"]
    world.change(
        invoice,
        amount_due=invoice["amount_due"] + amount,
        amount_remaining=invoice["amount_remaining"] + amount,
        pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] - amount,
    )
    if found := payment_of(world, invoice):
        world.change(found[1], amount=invoice["amount_remaining"])
    world.change(note, status="void", voided_at=world.now())
    world.emit("voided", note)
    return note
