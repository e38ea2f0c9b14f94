"""Invoices: create drafts, finalize, send, pay, void. https://docs.stripe.com/invoicing/integration/workflow-transitions"""

from __future__ import annotations

from pinstripe.emulator.billing.invoice_line_builder import line_of_invoice_item
from pinstripe.emulator.billing.invoice_totals import invoice_totals
from pinstripe.emulator.billing.money import minimum_charge
from pinstripe.emulator.billing.periods import DAY, HOUR
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.customers import adjust_balance
from pinstripe.emulator.operations.discounts import mark_used, redeem_all
from pinstripe.emulator.operations.invoice_payments import (
    cancel_payment,
    collect,
    create_payment,
    default_method,
    mark_paid,
    notify,
    pay,
    payment_of,
    requires_action,
    subscription_of,
)
from pinstripe.emulator.operations.invoice_shares import set_shares
from pinstripe.emulator.operations.payment_methods import resolve_payment_method
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object, clone
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

UPDATABLE_AFTER_DRAFT = {
    "auto_advance",
    "metadata",
    "footer",
    "custom_fields",
    "default_payment_method",
    "expand",
    "payment_settings",
}


@operation("invoices.create")
def create(context: OperationContext) -> Object:
    """Create a draft, with the customer's pending invoice items when they were requested."""
    state, params = context.state, context.params
    if "customer" not in params:
        raise missing_param("customer")
    customer = state.objects.get("customer", params["customer"], "customer")
    subscription = params.get("subscription")
    parent = None
    if subscription:
        details = {"subscription": subscription, "metadata": state.objects["subscription", subscription]["metadata"]}
        parent = {"type": "subscription_details", "subscription_details": details, "quote_details": None}
    invoice = create_draft(state, customer, params, parent=parent)
    lines: list[Object] = []
    if params.get("pending_invoice_items_behavior") == "include" or subscription:
        items = pending_items(state, customer["id"], invoice["currency"], subscription)
        lines = lines_of_items(state, invoice, items)
    set_lines(state, invoice, lines)
    if not customer.get("currency"):
        state.objects.update(customer, currency=invoice["currency"])
    state.events.emit("created", invoice)
    if invoice["auto_advance"]:
        schedule_finalization(state, invoice)
    return invoice


def create_draft(state: AccountState, customer: Object, params: Object, **fields: JSON) -> Object:
    """Store a draft without lines; no event is emitted yet."""
    own = ("subscription", "discounts", "default_tax_rates")
    invoice = state.draft("invoice", {name: value for name, value in params.items() if name not in own})
    now = state.clock.now()
    invoice.update(
        **_customer_fields(customer),
        account_country="US",
        auto_advance=params.get("auto_advance", False),
        automatic_tax=_automatic_tax(params),
        billing_reason="manual",
        collection_method=params.get("collection_method", "charge_automatically"),
        currency=(params.get("currency") or customer.get("currency") or "usd").lower(),
        default_tax_rates=_tax_rates(state, params),
        discounts=[],
        issuer={"type": "self"},
        lines=embedded_list([], f"/v1/invoices/{invoice['id']}/lines"),
        payment_settings=_payment_settings(params),
        period_start=now,
        period_end=now,
        status="draft",
        total_discount_amounts=[],
        total_pretax_credit_amounts=[],
        total_taxes=[],
        **fields,
    )
    if invoice["collection_method"] == "send_invoice" and not invoice["due_date"]:
        if params.get("days_until_due") is None:
            raise missing_param("days_until_due")
        invoice["due_date"] = now + params["days_until_due"] * DAY
    state.objects.add(invoice)
    set_shares(state, invoice, params)
    discounts = redeem_all(state, params.get("discounts"), customer=customer["id"], invoice=invoice["id"])
    state.objects.update(invoice, discounts=discounts)
    return invoice


def _customer_fields(customer: Object) -> Object:
    copied = ("address", "email", "name", "phone", "shipping", "tax_exempt")
    return {
        "customer": customer["id"],
        **{f"customer_{name}": customer[name] for name in copied},
        "customer_tax_ids": [],
    }


def _automatic_tax(params: Object) -> Object:
    enabled = bool((params.get("automatic_tax") or {}).get("enabled"))
    return {"enabled": enabled, "disabled_reason": None, "liability": None, "provider": None, "status": None}


def _payment_settings(params: Object) -> Object:
    settings = params.get("payment_settings") or {}
    return {"default_mandate": None, "payment_method_options": None, "payment_method_types": None, **settings}


def _tax_rates(state: AccountState, params: Object) -> list[Object]:
    return [state.objects["tax_rate", rate_id] for rate_id in params.get("default_tax_rates") or []]


def set_lines(state: AccountState, invoice: Object, lines: list[Object]) -> None:
    """Replace the lines of a draft, and update its totals."""
    state.objects.update(invoice, **invoice_totals(state, invoice, lines))


def pending_items(state: AccountState, customer: str, currency: str, subscription: str | None = None) -> list[Object]:
    """Return the invoice items of a customer that are on no invoice, oldest first.

    For a subscription, these are its own items and those of no subscription.
    """
    items = []
    for item in state.objects.all("invoiceitem", customer=customer, invoice=None, currency=currency):
        details = (item["parent"] or {}).get("subscription_details") or {}
        if subscription is None or details.get("subscription") in (None, subscription):
            items.append(item)
    return items[::-1]


def lines_of_items(state: AccountState, invoice: Object, items: list[Object]) -> list[Object]:
    """Assign invoice items to an invoice, and return their lines."""
    for item in items:
        state.objects.update(item, invoice=invoice["id"])
    return [line_of_invoice_item(state, item) for item in items]


@operation("invoices.update")
def update(context: OperationContext) -> Object:
    """Update a draft, or the fields of a finalized invoice that can still change."""
    state, params = context.state, dict(context.params)
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] != "draft":
        for name in sorted(set(params) - UPDATABLE_AFTER_DRAFT):
            message = f"Finalized invoices can't be updated in this way: {name}"
            raise ErrorResponse(message, code="invoice_not_editable", param=name)
    set_shares(state, invoice, params)
    fields: Object = {}
    if "default_tax_rates" in params:
        fields["default_tax_rates"] = _tax_rates(state, params)
        del params["default_tax_rates"]
    if "discounts" in params:
        owner = {"customer": invoice["customer"], "invoice": invoice["id"]}
        fields["discounts"] = redeem_all(state, params.pop("discounts"), **owner)
    if days := params.pop("days_until_due", None):
        fields["due_date"] = invoice["created"] + days * DAY
    previous = state.objects.update(invoice, **fields)
    if invoice["status"] == "draft":
        previous |= state.objects.update(invoice, **invoice_totals(state, invoice, invoice["lines"]["data"]))
    if previous and set(params) <= {"expand"}:
        state.events.emit("updated", invoice, previous)
    return state.apply_update(invoice, params)


@operation("invoices.delete")
def delete(context: OperationContext) -> Object:
    """Delete a draft of no subscription; its invoice items are pending again."""
    state = context.state
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] != "draft" or subscription_of(invoice):
        raise ErrorResponse(
            "You can only delete draft invoices that do not belong to a subscription.", code="invoice_not_editable"
        )
    for item in list(state.objects.all("invoiceitem", invoice=invoice["id"])):
        state.objects.update(item, invoice=None)
    state.events.emit("deleted", invoice)
    return state.objects.mark_deleted(invoice)


def schedule_finalization(state: AccountState, invoice: Object) -> None:
    """Schedule a draft to be finalized and collected in an hour."""
    at = state.clock.now() + HOUR
    charged = invoice["collection_method"] == "charge_automatically"
    state.objects.update(invoice, automatically_finalizes_at=at, next_payment_attempt=at if charged else None)
    state.clock.schedule(at, "invoice.finalize", invoice)


@timer_handler("invoice.finalize")
def _finalize_and_collect(state: AccountState, invoice: Object) -> None:
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        finalize(state, invoice)
        collect(state, invoice)


@operation("invoices.finalize_invoice")
def finalize_invoice(context: OperationContext) -> Object:
    """Finalize a draft; with ``auto_advance``, collect it."""
    state = context.state
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] != "draft":
        raise ErrorResponse(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable"
        )
    if "auto_advance" in context.params:
        state.objects.update(invoice, auto_advance=context.params["auto_advance"])
    finalize(state, invoice)
    if context.params.get("auto_advance"):
        collect(state, invoice)
    return invoice


def finalize(state: AccountState, invoice: Object) -> None:
    """Set the number of a draft, apply the customer's balance, and open the invoice, or pay it if no amount is due."""
    customer = state.objects.get("customer", invoice["customer"])
    set_lines(state, invoice, invoice["lines"]["data"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}"
    state.objects.update(customer, next_invoice_sequence=customer["next_invoice_sequence"] + 1)
    minimum = minimum_charge(invoice["currency"]) if invoice["collection_method"] == "charge_automatically" else 0
    if invoice["amount_due"] < minimum:
        state.objects.update(invoice, amount_due=0, amount_remaining=0)  # added to the customer's balance instead
    if applied := invoice["total"] - invoice["amount_due"]:
        adjust_balance(
            state, customer, applied, "applied_to_invoice", invoice=invoice["id"], currency=invoice["currency"]
        )
    line_discounts = [discount for line in invoice["lines"]["data"] for discount in line["discounts"]]
    mark_used(state, [*invoice["discounts"], *line_discounts])
    now = state.clock.now()
    state.objects.update(
        invoice,
        automatically_finalizes_at=None,
        effective_at=invoice["effective_at"] or now,
        ending_balance=customer["balance"],
        hosted_invoice_url=f"{state.base_url}/invoices/{invoice['id']}",
        invoice_pdf=f"{state.base_url}/invoices/{invoice['id']}/pdf",
        number=invoice["number"] or number,
        status="open",
        status_transitions={**invoice["status_transitions"], "finalized_at": now},
    )
    state.events.emit("finalized", invoice)
    if invoice["amount_due"]:
        create_payment(state, invoice)
        if invoice["due_date"]:
            state.clock.schedule(max(invoice["due_date"], now), "invoice.overdue", invoice)
    else:
        mark_paid(state, invoice)


@timer_handler("invoice.overdue")
def _set_overdue(state: AccountState, invoice: Object) -> None:
    if invoice["status"] == "open":
        state.events.emit("overdue", invoice)
        notify("overdue", state, invoice)


@operation("invoices.pay")
def pay_invoice(context: OperationContext) -> Object:
    """Pay an invoice with a payment method or the customer's default one; a draft is finalized first."""
    state, params = context.state, context.params
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] == "draft":
        finalize(state, invoice)
        if invoice["status"] == "paid":
            return invoice
    if invoice["status"] not in ("open", "uncollectible"):
        raise ErrorResponse(f"Invoice is already {invoice['status']}", code="invoice_not_editable")
    if params.get("paid_out_of_band"):
        if payment := payment_of(state, invoice):
            cancel_payment(state, payment)
        mark_paid(state, invoice, out_of_band=True)
        return invoice
    method_id = params.get("payment_method") or params.get("source")
    method = resolve_payment_method(state, method_id) if method_id else default_method(state, invoice)
    pay(state, invoice, method, off_session=bool(params.get("off_session")))
    payment = payment_of(state, invoice)
    if payment is not None and payment.intent["status"] == "requires_action":
        raise requires_action("invoice", payment_intent=clone(payment.intent))
    return invoice


@operation("invoices.send_invoice")
def send(context: OperationContext) -> Object:
    """Finalize a draft if necessary, and emit the event that it was sent."""
    state = context.state
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] == "draft":
        finalize(state, invoice)
    elif invoice["status"] != "open":
        raise wrong_state(invoice, "send")
    state.events.emit("sent", invoice)
    return invoice


@operation("invoices.void_invoice")
def void_invoice(context: OperationContext) -> Object:
    """Void an open or uncollectible invoice."""
    invoice = context.state.objects.get("invoice", context.target_id)
    if invoice["status"] not in ("open", "uncollectible"):
        raise wrong_state(invoice, "void", "invoice_not_editable")
    void(context.state, invoice)
    return invoice


def void(state: AccountState, invoice: Object) -> None:
    """Void an invoice: cancel its payment, and restore what the customer's balance had paid of it."""
    payment = payment_of(state, invoice)
    if payment is not None and payment.intent["status"] not in ("succeeded", "canceled"):
        cancel_payment(state, payment)
    if applied := invoice["total"] - invoice["amount_due"]:
        customer = state.objects.get("customer", invoice["customer"])
        owner = {"invoice": invoice["id"], "currency": invoice["currency"]}
        adjust_balance(state, customer, -applied, "unapplied_from_invoice", **owner)
    state.objects.update(
        invoice,
        amount_remaining=0,
        auto_advance=False,
        next_payment_attempt=None,
        status="void",
        status_transitions={**invoice["status_transitions"], "voided_at": state.clock.now()},
    )
    state.events.emit("voided", invoice)
    notify("voided", state, invoice)


@operation("invoices.mark_uncollectible")
def mark_invoice_uncollectible(context: OperationContext) -> Object:
    """Mark an open invoice as uncollectible."""
    invoice = context.state.objects.get("invoice", context.target_id)
    if invoice["status"] != "open":
        raise wrong_state(invoice, "mark as uncollectible", "invoice_not_editable")
    mark_uncollectible(context.state, invoice)
    return invoice


def mark_uncollectible(state: AccountState, invoice: Object) -> None:
    """Mark an invoice as uncollectible; it is no longer collected, but can still be paid."""
    transitions = {**invoice["status_transitions"], "marked_uncollectible_at": state.clock.now()}
    state.objects.update(
        invoice,
        status="uncollectible",
        status_transitions=transitions,
        auto_advance=False,
        next_payment_attempt=None,
    )
    state.events.emit("marked_uncollectible", invoice)
    notify("uncollectible", state, invoice)


@list_filter("invoice", "subscription")
def _is_for_subscription(invoice: Object, subscription: str) -> bool:
    return subscription_of(invoice) == subscription
