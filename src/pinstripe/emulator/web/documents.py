"""The pages of invoices and receipts, and the PDF files of invoices and credit notes."""

from __future__ import annotations

from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.billing.periods import format_date
from pinstripe.emulator.operations import invoice_payments
from pinstripe.emulator.operations._documents import Document, date_fact, format_period, person_facts, summary
from pinstripe.emulator.operations._intents import set_return_url
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import DECLINED
from pinstripe.emulator.web.hosted import Form, Template, card_method, decline_message, page


def invoice_document(state: AccountState, invoice: Object) -> Document:
    """Return an invoice as a document for its customer."""
    currency, due, transitions = invoice["currency"], invoice["due_date"], invoice["status_transitions"]
    if invoice["status"] == "open":
        headline = f"{format_amount(invoice['amount_remaining'], currency)} due" + (
            f" {format_date(due)}" if due else ""
        )
    else:
        headline = f"{format_amount(invoice['total'], currency)} {invoice['status']}"
        headline += f" {format_date(transitions['paid_at'])}" if transitions["paid_at"] else ""
    document = Document(
        f"Invoice {invoice['number'] or '(draft)'}",
        headline,
        [
            *person_facts("From", invoice["account_name"], None),
            *person_facts("Bill to", invoice["customer_name"], invoice["customer_email"], invoice["customer_address"]),
            *date_fact("Date", invoice["effective_at"] or invoice["created"]),
            *date_fact("Due", due),
            *date_fact("Paid", transitions["paid_at"]),
        ],
        [_line(line) for line in invoice["lines"]["data"]],
        _totals(invoice),
    )
    if invoice["description"]:
        document.facts.append(("Memo", invoice["description"]))
    return document


def _line(line: Object) -> tuple[str, str, str]:
    details = [format_period(line["period"]["start"], line["period"]["end"])]
    unit_amount = (line["pricing"] or {}).get("unit_amount_decimal")
    if unit_amount and (line["quantity"] or 1) > 1 and " × " not in (line["description"] or ""):
        details.append(f"{line['quantity']} × {format_amount(int(unit_amount), line['currency'])}")
    return line["description"] or "Item", ", ".join(details), format_amount(line["amount"], line["currency"])


def _totals(invoice: Object) -> list[tuple[str, str]]:
    discount = sum(part["amount"] for part in invoice["total_discount_amounts"] or [])
    tax = sum(part["amount"] for part in invoice["total_taxes"] or [])
    currency = invoice["currency"]
    totals = summary(invoice["subtotal"], discount, tax, invoice["total"], currency)
    balance = invoice["amount_due"] - invoice["total"]
    for label, amount in (("Applied balance", balance), ("Amount paid", -invoice["amount_paid"])):
        if amount:
            totals.append((label, format_amount(amount, currency)))
    return [*totals, ("Amount due", format_amount(invoice["amount_remaining"], currency))]


@page("invoices")
def invoice(state: AccountState, invoice: Object, form: Form | None) -> Template | str:
    """Show an invoice, and pay it, with 3-D Secure where the card requires it."""
    error = ""
    if form is not None and invoice["status"] == "open":
        error = decline_message(lambda: invoice_payments.pay(state, invoice, card_method(state, form)))
        payment = invoice_payments.payment_of(state, invoice)
        if not error and payment is not None and payment.intent["status"] == "requires_action":
            set_return_url(state, payment.intent["id"], f"{state.base_url}/invoices/{invoice['id']}")
            return f"{state.base_url}/authenticate/{payment.intent['id']}"
    values = {
        "document": invoice_document(state, invoice),
        "pdf": f"/invoices/{invoice['id']}/pdf",
        "can_pay": invoice["status"] == "open",
        "amount": invoice["amount_remaining"],
        "currency": invoice["currency"],
        "status": invoice["status"],
        "error": error,
        "form": form or {},
    }
    return Template("document.html", values, DECLINED if error else 200)


@page("invoices", "pdf")
def invoice_pdf(state: AccountState, invoice: Object, form: Form | None) -> bytes:
    """Return an invoice as a PDF file."""
    return invoice_document(state, invoice).pdf()


@page("credit_notes", "pdf")
def credit_note_pdf(state: AccountState, note: Object, form: Form | None) -> bytes:
    """Return a credit note as a PDF file."""
    invoice, currency = state.objects["invoice", note["invoice"]], note["currency"]
    document = Document(
        f"Credit note {note['number']}",
        f"{format_amount(note['total'], currency)} credited",
        [
            ("Invoice", invoice["number"]),
            *person_facts("Customer", invoice["customer_name"], invoice["customer_email"]),
            *date_fact("Date", note["effective_at"] or note["created"]),
        ],
        [
            (line["description"] or "Item", "", format_amount(line["amount"], currency))
            for line in note["lines"]["data"]
        ],
        [("Total", format_amount(note["total"], currency))],
    )
    return document.pdf()


@page("receipts")
def receipt(state: AccountState, charge: Object, form: Form | None) -> Template:
    """Show the receipt of a charge."""
    currency = charge["currency"]
    customer = state.objects.find("customer", charge["customer"]) or {}
    card = (charge["payment_method_details"] or {}).get("card") or {}
    amount, refunded = format_amount(charge["amount"], currency), charge["amount_refunded"]
    document = Document(
        f"Receipt for {charge['id']}",
        f"{amount} paid {format_date(charge['created'])}" if charge["paid"] else f"{amount} not paid",
        [
            *person_facts(
                "Customer",
                charge["billing_details"]["name"] or customer.get("name"),
                charge["receipt_email"] or charge["billing_details"]["email"] or customer.get("email"),
            ),
            *([("Payment method", f"{card['brand'].title()} ending in {card['last4']}")] if card else []),
        ],
        [(charge["description"] or "Payment", "", amount)],
        [("Refunded", format_amount(-refunded, currency))] if refunded else [],
    )
    document.totals.append(("Total", format_amount(charge["amount"] - refunded, currency)))
    return Template("document.html", {"document": document})
