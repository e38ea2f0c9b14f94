"""The payments of invoices: collect an invoice, record its payment, and notify its subscription.

https://docs.stripe.com/invoicing/payments-on-invoices
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import payment_intents
from pinstripe.emulator.operations._expansion import includable
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._intents import intent_details
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.invoice_shares import payment_shares
from pinstripe.emulator.operations.payment_methods import resolve_payment_method
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.state.tables import ACCOUNT_KEY, InvoiceDetails, PaymentRetries
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse, missing_param, wrong_state

InvoiceHandler: TypeAlias = Callable[[AccountState, Object], None]
Outcome: TypeAlias = Literal["paid", "processing", "failed", "voided", "overdue", "uncollectible"]
HANDLERS: dict[Outcome, list[InvoiceHandler]] = {
    "paid": [],
    "processing": [],
    "failed": [],
    "voided": [],
    "overdue": [],
    "uncollectible": [],
}
"""Functions called after an outcome of an invoice; subscriptions register here."""
DESCRIPTIONS = {"subscription_create": "Subscription creation", "subscription_cycle": "Subscription update"}
"""The description of a payment intent, by the billing reason of its invoice."""


def on_invoice(outcome: Outcome) -> Callable[[InvoiceHandler], InvoiceHandler]:
    """Register the decorated function to be called after an outcome of an invoice: ``@on_invoice("paid")``."""

    def register(handler: InvoiceHandler) -> InvoiceHandler:
        HANDLERS[outcome].append(handler)
        return handler

    return register


def notify(outcome: Outcome, state: AccountState, invoice: Object) -> None:
    """Call the handlers of an outcome."""
    for handler in HANDLERS[outcome]:
        handler(state, invoice)


class InvoicePayment(NamedTuple):
    """An invoice payment and its payment intent."""

    payment: Object
    intent: Object


def invoice_details(state: AccountState, invoice_id: str) -> InvoiceDetails:
    """Return the payment of an invoice and its pending items, which responses do not show."""
    return state.tables.invoices.get(invoice_id) or InvoiceDetails()


def subscription_of(invoice: Object) -> str | None:
    """Return the id of the subscription that an invoice bills."""
    subscription: str | None = ((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription")
    return subscription


def payment_of(state: AccountState, invoice: Object) -> InvoicePayment | None:
    """Return the default payment of an invoice."""
    payment = state.objects.find("invoice_payment", invoice_details(state, invoice["id"]).payment)
    if payment is None:
        return None
    return InvoicePayment(payment, state.objects["payment_intent", payment["payment"]["payment_intent"]])


def default_method(state: AccountState, payer: Object) -> Object | None:
    """Return the payment method of an invoice or subscription, or else the customer's default one."""
    customer = state.objects.get("customer", payer["customer"])
    subscription = state.objects.find("subscription", subscription_of(payer)) if payer["object"] == "invoice" else None
    method_id = (
        payer.get("default_payment_method")
        or (subscription or {}).get("default_payment_method")
        or customer["invoice_settings"]["default_payment_method"]
        or customer.get("default_source")
    )
    return resolve_payment_method(state, method_id) if method_id else None


def create_payment(state: AccountState, invoice: Object) -> None:
    """Create the payment and the payment intent of an invoice that was finalized."""
    shares = payment_shares(state, invoice, state.objects.find("subscription", subscription_of(invoice)))
    intent = payment_intents.create_payment_intent(
        state,
        {
            "amount": invoice["amount_due"],
            "currency": invoice["currency"],
            "allowed_payment_method_types": invoice["payment_settings"].get("payment_method_types"),
            "automatic_payment_methods": {"enabled": False},
            "capture_method": "automatic",
            **shares,
        },
        customer=invoice["customer"],
        description=DESCRIPTIONS.get(invoice["billing_reason"], "Payment for Invoice"),
        payment_method=None,
        setup_future_usage="off_session" if subscription_of(invoice) else None,
    )
    state.events.emit("created", intent)
    payment = state.create(
        "invoice_payment",
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
    )
    details = replace(invoice_details(state, invoice["id"]), payment=payment["id"])
    state.tables.invoices.set(invoice["id"], details)
    _link_intent(state, intent, payment)


def _link_intent(state: AccountState, intent: Object, payment: Object) -> None:
    details = replace(intent_details(state, intent["id"]), invoice_payment=payment["id"])
    state.tables.intents.set(intent["id"], details)


def cancel_payment(state: AccountState, payment: InvoicePayment) -> None:
    """Cancel the payment of an invoice that is voided or paid in another way."""
    payment_intents.cancel_payment_intent(state, payment.intent, "void_invoice")
    transitions = {"canceled_at": state.clock.now(), "paid_at": None}
    state.objects.update(payment.payment, status="canceled", status_transitions=transitions)


def collect(state: AccountState, invoice: Object) -> None:
    """Collect an open invoice without the customer: charge the default payment method, or send the invoice.

    A declined payment is not an error here.
    """
    if invoice["status"] != "open":
        return
    if invoice["collection_method"] == "send_invoice":
        state.events.emit("sent", invoice)
        return
    try:
        pay(state, invoice, default_method(state, invoice), off_session=True)
    except ErrorResponse as error:
        if error.status != DECLINED:
            raise


def pay(state: AccountState, invoice: Object, method: Object | None, *, off_session: bool = False) -> None:
    """Pay an open invoice with a payment method; raise `ErrorResponse` for a declined payment."""
    payment = payment_of(state, invoice)
    if payment is None:
        mark_paid(state, invoice)
        return
    if method is None:
        _record_failure(state, invoice)
        raise ErrorResponse(
            "There is no default payment method to charge: set one on the customer, the subscription or the invoice.",
            status=DECLINED,
            type="card_error",
            code="payment_intent_payment_attempt_failed",
        )
    state.objects.update(payment.intent, payment_method=method["id"])
    payment_intents.confirm_payment_intent(state, payment.intent, {"off_session": off_session})
    if payment.intent["status"] == "requires_action":
        state.events.emit("payment_action_required", invoice)


def requires_action(object_type: str, **fields: JSON) -> ErrorResponse:
    """Return the error of the payment of an invoice or subscription for which the customer must authenticate."""
    return ErrorResponse(
        f"Payment for this {object_type} requires additional user action before it can be completed successfully. Complete"
        " it with the PaymentIntent of the invoice.",
        status=DECLINED,
        type="card_error",
        code=f"{object_type}_payment_intent_requires_action",
        **fields,
    )


def mark_paid(state: AccountState, invoice: Object, *, out_of_band: bool = False) -> None:
    """Set an invoice to paid, and notify its subscription."""
    state.objects.update(
        invoice,
        amount_paid=0 if out_of_band else invoice["amount_due"],
        amount_paid_off_stripe=invoice["amount_due"] if out_of_band else 0,
        amount_remaining=0,
        attempted=invoice["attempted"] or not out_of_band,
        auto_advance=False,
        next_payment_attempt=None,
        status="paid",
        status_transitions={**invoice["status_transitions"], "paid_at": state.clock.now()},
    )
    for action in ("paid", "payment_succeeded"):
        state.events.emit(action, invoice)
    notify("paid", state, invoice)


def _next_attempt(state: AccountState, invoice: Object, attempts: int) -> int | None:
    """Return when the failed payment of a subscription is retried, according to the account's settings."""
    subscription = state.objects.find("subscription", subscription_of(invoice))
    retries = state.tables.payment_retries.get(ACCOUNT_KEY) or PaymentRetries()
    retried = subscription is not None and subscription["status"] in ("active", "trialing", "past_due")
    if not retried or attempts > len(retries.days):
        return None
    return int(state.clock.now() + retries.days[attempts - 1] * DAY)


def _record_failure(state: AccountState, invoice: Object) -> None:
    attempts = invoice["attempt_count"] + 1
    state.objects.update(
        invoice, attempted=True, attempt_count=attempts, next_payment_attempt=_next_attempt(state, invoice, attempts)
    )
    state.events.emit("payment_failed", invoice)
    notify("failed", state, invoice)


def _payable(state: AccountState, intent: Object) -> tuple[Object, Object] | None:
    """Return the invoice payment and the invoice of a payment intent, if the invoice can still be paid."""
    payment = state.objects.find("invoice_payment", intent_details(state, intent["id"]).invoice_payment)
    invoice = state.objects["invoice", payment["invoice"]] if payment else None
    return (payment, invoice) if payment and invoice and invoice["status"] in ("open", "uncollectible") else None


def _on_intent_failed(state: AccountState, intent: Object) -> None:
    if payable := _payable(state, intent):
        _record_failure(state, payable[1])


def _on_intent_succeeded(state: AccountState, intent: Object) -> None:
    if payable := _payable(state, intent):
        payment, invoice = payable
        transitions = {"canceled_at": None, "paid_at": state.clock.now()}
        state.objects.update(payment, amount_paid=intent["amount"], status="paid", status_transitions=transitions)
        state.events.emit("invoice_payment.paid", payment)
        state.objects.update(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
        if intent["amount"] >= invoice["amount_remaining"]:
            mark_paid(state, invoice)
        else:
            _record_part_payment(state, invoice, intent["amount"])


def _on_intent_processing(state: AccountState, intent: Object) -> None:
    if payable := _payable(state, intent):
        notify("processing", state, payable[1])


payment_intents.OUTCOME_HOOKS["processing"].append(_on_intent_processing)
payment_intents.OUTCOME_HOOKS["failed"].append(_on_intent_failed)
payment_intents.OUTCOME_HOOKS["succeeded"].append(_on_intent_succeeded)


def _record_part_payment(state: AccountState, invoice: Object, amount: int) -> None:
    remaining = max(0, invoice["amount_remaining"] - amount)
    state.objects.update(invoice, amount_paid=invoice["amount_paid"] + amount, amount_remaining=remaining)


@operation("invoices.attach_payment")
def attach(context: OperationContext) -> Object:
    """Attach a payment intent to an open invoice, which it pays when it has succeeded."""
    state, params = context.state, context.params
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] != "open":
        raise wrong_state(invoice, "attach a payment to", "invoice_not_editable")
    if not params.get("payment_intent"):
        raise missing_param("payment_intent")
    intent = state.objects.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["currency"] != invoice["currency"] or intent["customer"] != invoice["customer"]:
        raise ErrorResponse(
            "The payment intent must have the currency and the customer of the invoice.", param="payment_intent"
        )
    succeeded = intent["status"] == "succeeded"
    payment = state.create(
        "invoice_payment",
        amount_paid=intent["amount"] if succeeded else None,
        amount_requested=intent["amount"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=False,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="paid" if succeeded else "open",
        status_transitions={"canceled_at": None, "paid_at": state.clock.now() if succeeded else None},
    )
    if not succeeded:
        _link_intent(state, intent, payment)
        return invoice
    state.events.emit("paid", payment)
    _record_part_payment(state, invoice, intent["amount"])
    if not invoice["amount_remaining"]:
        mark_paid(state, invoice)
    return invoice


@list_filter("invoice_payment", "payment")
def _has_payment(payment: Object, wanted: Object) -> bool:
    return wanted.get("payment_intent") in (None, payment["payment"].get("payment_intent"))


@includable("invoice", "payments")
def _include_payments(state: AccountState, invoice: Object) -> Object:
    return embedded_list(list(state.objects.all("invoice_payment", invoice=invoice["id"])), "/v1/invoice_payments")


@includable("invoice", "confirmation_secret")
def _include_confirmation_secret(state: AccountState, invoice: Object) -> Object | None:
    payment = payment_of(state, invoice)
    return {"type": "payment_intent", "client_secret": payment.intent["client_secret"]} if payment else None
