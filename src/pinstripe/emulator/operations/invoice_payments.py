"""The payments of invoices. https://docs.stripe.com/invoicing/payments-on-invoices"""

from __future__ import annotations

from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.invoices import link_invoice_payment, mark_paid, payment_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state


@operation("invoices.attach_payment")
def attach(context: OperationContext) -> Object:
    """Pay an open invoice with a payment that was made, or is being made, beside it."""
    state, params = context.state, context.params
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] != "open":
        raise wrong_state(invoice, "attach a payment to", "invoice_not_editable")
    if not params.get("payment_intent"):
        raise missing_param("payment_intent")
    intent = state.objects.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["currency"] != invoice["currency"] or intent["customer"] != invoice["customer"]:
        raise ErrorResponse("The payment is in another currency, or of another customer.", param="payment_intent")
    done = intent["status"] == "succeeded"
    payment = state.create(
        "invoice_payment",
        None,
        amount_paid=intent["amount"] if done else None,
        amount_requested=intent["amount"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=False,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="paid" if done else "open",
        status_transitions={"canceled_at": None, "paid_at": state.clock.now() if done else None},
    )
    if done:
        state.events.emit("paid", payment)
        left = max(0, invoice["amount_remaining"] - intent["amount"])
        state.objects.update(invoice, amount_paid=invoice["amount_paid"] + intent["amount"], amount_remaining=left)
        if not left:
            mark_paid(state, invoice)
    else:
        link_invoice_payment(state, intent, payment)
    return invoice


@list_filter("invoice_payment", "payment")
def _is_with(payment: Object, wanted: Object) -> bool:
    return wanted.get("payment_intent") in (None, payment["payment"].get("payment_intent"))


@includable("invoice", "payments")
def invoice_payments(state: AccountState, invoice: Object) -> Object:
    """The payments of an invoice."""
    return embedded_list(list(state.objects.all("invoice_payment", invoice=invoice["id"])), "/v1/invoice_payments")


@includable("invoice", "confirmation_secret")
def confirmation_secret(state: AccountState, invoice: Object) -> Object | None:
    """What a front end needs to pay an invoice."""
    found = payment_of(state, invoice)
    return {"type": "payment_intent", "client_secret": found[1]["client_secret"]} if found else None
