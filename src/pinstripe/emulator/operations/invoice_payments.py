"""The payments of invoices. https://docs.stripe.com/invoicing/payments-on-invoices"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._lists import embedded, filtered
from pinstripe.emulator.operations.invoices import mark_paid, payment_of
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.validation.errors import Refusal, missing_param, wrong_state


@life("invoices.attach_payment")
def attach(ask: Ask) -> Object:
    """Pay an open invoice with a payment that was made, or is being made, beside it."""
    world, params = ask.world, ask.params
    invoice = world.get("invoice", ask.target)
    if invoice["status"] != "open":
        raise wrong_state(invoice, "attach a payment to", "invoice_not_editable")
    if not params.get("payment_intent"):
        raise missing_param("payment_intent")
    intent = world.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["currency"] != invoice["currency"] or intent["customer"] != invoice["customer"]:
        raise Refusal("The payment is in another currency, or of another customer.", param="payment_intent")
    done = intent["status"] == "succeeded"
    payment = world.make(
        "invoice_payment",
        None,
        amount_paid=intent["amount"] if done else None,
        amount_requested=intent["amount"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=False,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="paid" if done else "open",
        status_transitions={"canceled_at": None, "paid_at": world.now() if done else None},
    )
    if done:
        world.emit("paid", payment)
        left = max(0, invoice["amount_remaining"] - intent["amount"])
        world.change(invoice, amount_paid=invoice["amount_paid"] + intent["amount"], amount_remaining=left)
        if not left:
            mark_paid(world, invoice)
    else:
        world.hide(f"paid_with:{intent['id']}", payment["id"])
    return invoice


@filtered("invoice_payment", "payment")
def _is_with(payment: Object, wanted: Object) -> bool:
    return wanted.get("payment_intent") in (None, payment["payment"].get("payment_intent"))


@includable("invoice", "payments")
def invoice_payments(world: World, invoice: Object) -> Object:
    """The payments of an invoice."""
    return embedded(list(world.every("invoice_payment", invoice=invoice["id"])), "/v1/invoice_payments")


@includable("invoice", "confirmation_secret")
def confirmation_secret(world: World, invoice: Object) -> Object | None:
    """What a front end needs to pay an invoice."""
    found = payment_of(world, invoice)
    return {"type": "payment_intent", "client_secret": found[1]["client_secret"]} if found else None
