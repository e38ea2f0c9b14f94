"""Invoices: drafted, finalized, paid, or given up. https://docs.stripe.com/invoicing/integration/workflow-transitions"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from pinstripe.emulator.billing import money
from pinstripe.emulator.billing.invoice_lines import of_invoice_item, total_up
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import payment_intents
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._intents import intent_details
from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.customers import adjust_balance
from pinstripe.emulator.operations.discounts import redeem, spent
from pinstripe.emulator.operations.payment_methods import resolve_payment_method
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import InvoiceDetails
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

HOUR = 3600
Watch: TypeAlias = Callable[[AccountState, Object], None]
WATCHERS: dict[str, list[Watch]] = {"paid": [], "failed": [], "voided": [], "overdue": [], "uncollectible": []}
"""What others do when an invoice has come to something; subscriptions live by it."""


def when(state: str) -> Callable[[Watch], Watch]:
    """Say what else happens when an invoice is paid, and so on."""

    def keep(function: Watch) -> Watch:
        WATCHERS[state].append(function)
        return function

    return keep


def _notify(outcome: str, state: AccountState, invoice: Object) -> None:
    for watcher in WATCHERS[outcome]:
        watcher(state, invoice)


def draft(state: AccountState, customer: Object, params: Object, **fields: Any) -> Object:  # Any: JSON
    """An invoice without lines; kept."""
    known = {
        name: value for name, value in params.items() if name not in ("subscription", "discounts", "default_tax_rates")
    }
    invoice = state.draft("invoice", known)
    rates = params.get("default_tax_rates") or []
    invoice.update(
        account_country="US",
        auto_advance=params.get("auto_advance", False),
        automatic_tax={
            "enabled": bool((params.get("automatic_tax") or {}).get("enabled")),
            "disabled_reason": None,
            "liability": None,
            "provider": None,
            "status": None,
        },
        billing_reason="manual",
        collection_method=params.get("collection_method", "charge_automatically"),
        currency=(params.get("currency") or customer.get("currency") or "usd").lower(),
        customer=customer["id"],
        customer_address=customer["address"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        customer_phone=customer["phone"],
        customer_shipping=customer["shipping"],
        customer_tax_exempt=customer["tax_exempt"],
        customer_tax_ids=[],
        default_tax_rates=[state.objects["tax_rate", one] for one in rates],
        discounts=[],
        issuer={"type": "self"},
        lines=embedded_list([], f"/v1/invoices/{invoice['id']}/lines"),
        payment_settings={
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
            **(params.get("payment_settings") or {}),
        },
        period_start=state.clock.now(),
        period_end=state.clock.now(),
        status="draft",
        total_discount_amounts=[],
        total_pretax_credit_amounts=[],
        total_taxes=[],
        **fields,
    )
    if invoice["collection_method"] == "send_invoice" and not invoice["due_date"]:
        if params.get("days_until_due") is None:
            raise missing_param("days_until_due")
        invoice["due_date"] = state.clock.now() + params["days_until_due"] * DAY
    state.objects.add(invoice)
    given = params.get("discounts") or []
    found = [
        redeem(state, one, f"discounts[{at}]", customer=customer["id"], invoice=invoice["id"])
        for at, one in enumerate(given)
    ]
    state.objects.update(invoice, discounts=[one["id"] for one in found])
    return invoice


def fill(state: AccountState, invoice: Object, lines: list[Object]) -> None:
    """Put lines into a draft, in place of those it has, and add them up."""
    state.objects.update(invoice, **total_up(state, invoice, lines))


def pending_items(state: AccountState, customer: str, currency: str, subscription: str | None = None) -> list[Object]:
    """The invoice items of a customer that wait for an invoice, oldest first; for a subscription, its own and those of none."""
    found = []
    for item in state.objects.all("invoiceitem", customer=customer, invoice=None, currency=currency):
        parent = (item["parent"] or {}).get("subscription_details") or {}
        if subscription is None or parent.get("subscription") in (None, subscription):
            found.append(item)
    return found[::-1]


def take_items(state: AccountState, invoice: Object, items: list[Object]) -> list[Object]:
    """The lines of invoice items, which belong to this invoice from now on."""
    for item in items:
        state.objects.update(item, invoice=invoice["id"])
    return [of_invoice_item(state, item) for item in items]


@operation("invoices.create")
def create(context: OperationContext) -> Object:
    """A draft, with the customer's invoice items where that was asked for."""
    state, params = context.state, context.params
    if "customer" not in params:
        raise missing_param("customer")
    customer = state.objects.get("customer", params["customer"], "customer")
    subscription = params.get("subscription")
    parent = None
    if subscription:
        details = {"subscription": subscription, "metadata": state.objects["subscription", subscription]["metadata"]}
        parent = {"type": "subscription_details", "subscription_details": details, "quote_details": None}
    invoice = draft(state, customer, params, parent=parent)
    lines: list[Object] = []
    if params.get("pending_invoice_items_behavior") == "include" or subscription:
        lines = take_items(state, invoice, pending_items(state, customer["id"], invoice["currency"], subscription))
    fill(state, invoice, lines)
    if not customer.get("currency"):
        state.objects.update(customer, currency=invoice["currency"])
    state.events.emit("created", invoice)
    if invoice["auto_advance"]:
        schedule(state, invoice)
    return invoice


def schedule(state: AccountState, invoice: Object) -> None:
    """Let a draft be finalized in an hour."""
    state.objects.update(invoice, automatically_finalizes_at=state.clock.now() + HOUR)
    state.clock.schedule(state.clock.now() + HOUR, "invoice.finalize", invoice)


@timer_handler("invoice.finalize")
def _finalise_later(state: AccountState, invoice: Object) -> None:
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        finalize(state, invoice)
        collect(state, invoice)


def collect(state: AccountState, invoice: Object) -> None:
    """Try to get the money of an open invoice, as Stripe does by itself: a decline is no error here."""
    if invoice["status"] != "open":
        return
    if invoice["collection_method"] == "send_invoice":
        state.events.emit("sent", invoice)
        return
    try:
        pay_with(state, invoice, default_method(state, invoice), off_session=True)
    except ErrorResponse as error_response:
        if error_response.status != 402:
            raise


@operation("invoices.update")
def update(context: OperationContext) -> Object:
    """Change an invoice; once it is finalized, only what is said about it."""
    state, params = context.state, dict(context.params)
    invoice = state.objects.get("invoice", context.target_id)
    always = {
        "auto_advance",
        "metadata",
        "footer",
        "custom_fields",
        "default_payment_method",
        "expand",
        "payment_settings",
    }
    if invoice["status"] != "draft" and (wrong := sorted(set(params) - always)):
        raise ErrorResponse(
            f"Finalized invoices can't be updated in this way: {wrong[0]}", code="invoice_not_editable", param=wrong[0]
        )
    fields: Object = {}
    if "default_tax_rates" in params:
        fields["default_tax_rates"] = [state.objects["tax_rate", one] for one in params.pop("default_tax_rates") or []]
    if "discounts" in params:
        given = params.pop("discounts") or []
        owner = {"customer": invoice["customer"], "invoice": invoice["id"]}
        fields["discounts"] = [redeem(state, one, f"discounts[{at}]", **owner)["id"] for at, one in enumerate(given)]
    if days := params.pop("days_until_due", None):
        fields["due_date"] = invoice["created"] + days * DAY
    before = state.objects.update(invoice, **fields)
    before |= (
        state.objects.update(invoice, **total_up(state, invoice, invoice["lines"]["data"]))
        if invoice["status"] == "draft"
        else {}
    )
    if before and set(params) <= {"expand"}:
        state.events.emit("updated", invoice, before)
    return state.apply_update(invoice, params)


@operation("invoices.delete")
def delete(context: OperationContext) -> Object:
    """Delete a draft that is of no subscription; its items wait for another invoice."""
    state = context.state
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] != "draft" or subscription_of(invoice):
        raise ErrorResponse(
            "You can only delete draft invoices that are of no subscription.", code="invoice_not_editable"
        )
    for item in list(state.objects.all("invoiceitem", invoice=invoice["id"])):
        state.objects.update(item, invoice=None)
    state.events.emit("deleted", invoice)
    return state.objects.mark_deleted(invoice)


def subscription_of(invoice: Object) -> str | None:
    """The subscription that an invoice is of."""
    found: str | None = ((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription")
    return found


@operation("invoices.finalize_invoice")
def finalize_invoice(context: OperationContext) -> Object:
    """Finalise a draft; with ``auto_advance``, collect it, too."""
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
    """Number an invoice, let the customer's balance pay of it what it can, and open it."""
    customer = state.objects.get("customer", invoice["customer"])
    state.objects.update(invoice, **total_up(state, invoice, invoice["lines"]["data"]))
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}"
    state.objects.update(customer, next_invoice_sequence=customer["next_invoice_sequence"] + 1)
    least = money.smallest(invoice["currency"]) if invoice["collection_method"] == "charge_automatically" else 0
    if invoice["amount_due"] < least:
        state.objects.update(invoice, amount_due=0, amount_remaining=0)  # too little for a card: the customer owes it
    if used := invoice["total"] - invoice["amount_due"]:
        adjust_balance(state, customer, used, "applied_to_invoice", invoice=invoice["id"], currency=invoice["currency"])
    spent(state, [*invoice["discounts"], *(one for line in invoice["lines"]["data"] for one in line["discounts"])])
    state.objects.update(
        invoice,
        automatically_finalizes_at=None,
        effective_at=invoice["effective_at"] or state.clock.now(),
        ending_balance=customer["balance"],
        hosted_invoice_url=f"{state.base_url}/invoices/{invoice['id']}",
        invoice_pdf=f"{state.base_url}/invoices/{invoice['id']}/pdf",
        number=invoice["number"] or number,
        status="open",
        status_transitions={**invoice["status_transitions"], "finalized_at": state.clock.now()},
    )
    state.events.emit("finalized", invoice)
    if invoice["amount_due"]:
        _ask_for_payment(state, invoice)
        if invoice["due_date"]:
            state.clock.schedule(max(invoice["due_date"], state.clock.now()), "invoice.overdue", invoice)
    else:
        mark_paid(state, invoice)


def _ask_for_payment(state: AccountState, invoice: Object) -> None:
    said = {"subscription_create": "Subscription creation", "subscription_cycle": "Subscription update"}
    intent = payment_intents.create_payment_intent(
        state,
        {"amount": invoice["amount_due"], "currency": invoice["currency"], "metadata": {}},
        customer=invoice["customer"],
        description=said.get(invoice["billing_reason"], "Payment for Invoice"),
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
    state.tables.invoices.set(invoice["id"], replace(details_of(state, invoice["id"]), payment=payment["id"]))
    link_invoice_payment(state, intent, payment)


def details_of(state: AccountState, invoice: str) -> InvoiceDetails:
    """Return what is known of an invoice and not shown."""
    return state.tables.invoices.get(invoice) or InvoiceDetails()


def link_invoice_payment(state: AccountState, intent: Object, payment: Object) -> None:
    """Remember which invoice payment a payment intent pays."""
    details = replace(intent_details(state, intent["id"]), invoice_payment=payment["id"])
    state.tables.intents.set(intent["id"], details)


def payment_of(state: AccountState, invoice: Object) -> tuple[Object, Object] | None:
    """The payment of an invoice, and its intent."""
    payment = state.objects.find("invoice_payment", details_of(state, invoice["id"]).payment)
    return (payment, state.objects["payment_intent", payment["payment"]["payment_intent"]]) if payment else None


@timer_handler("invoice.overdue")
def _overdue(state: AccountState, invoice: Object) -> None:
    if invoice["status"] == "open":
        state.events.emit("overdue", invoice)
        _notify("overdue", state, invoice)


def pay_with(state: AccountState, invoice: Object, method: Object | None, *, off_session: bool = False) -> None:
    """Collect an open invoice; raises where the card's bank says no."""
    found = payment_of(state, invoice)
    if found is None:
        mark_paid(state, invoice)
        return
    if method is None:
        _count_failure(state, invoice)
        raise ErrorResponse(
            "There is no default payment method to charge: set one on the customer, the subscription or the invoice.",
            status=402,
            type="card_error",
            code="payment_intent_payment_attempt_failed",
        )
    state.objects.update(found[1], payment_method=method["id"])
    payment_intents.confirm_payment_intent(state, found[1], {"off_session": off_session})
    if found[1]["status"] == "requires_action":
        state.events.emit("payment_action_required", invoice)


def _count_failure(state: AccountState, invoice: Object) -> None:
    state.objects.update(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    state.events.emit("payment_failed", invoice)
    _notify("failed", state, invoice)


def _paid_with(state: AccountState, intent: Object) -> tuple[Object, Object] | None:
    """The payment of an invoice that an intent is for, and the invoice, if it can still be paid."""
    payment = state.objects.find("invoice_payment", intent_details(state, intent["id"]).invoice_payment)
    invoice = state.objects["invoice", payment["invoice"]] if payment else None
    return (payment, invoice) if payment and invoice and invoice["status"] in ("open", "uncollectible") else None


def _intent_failed(state: AccountState, intent: Object) -> None:
    if found := _paid_with(state, intent):
        _count_failure(state, found[1])


def _intent_succeeded(state: AccountState, intent: Object) -> None:
    """The intent of an invoice is paid, by Stripe, by the customer or after a challenge: so is the invoice, or its part."""
    found = _paid_with(state, intent)
    if found is None:
        return
    payment, invoice = found
    transitions = {"canceled_at": None, "paid_at": state.clock.now()}
    state.objects.update(payment, amount_paid=intent["amount"], status="paid", status_transitions=transitions)
    state.events.emit("invoice_payment.paid", payment)
    state.objects.update(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if intent["amount"] >= invoice["amount_remaining"]:
        mark_paid(state, invoice)
    else:
        left = invoice["amount_remaining"] - intent["amount"]
        state.objects.update(invoice, amount_paid=invoice["amount_paid"] + intent["amount"], amount_remaining=left)


payment_intents.OUTCOME_HOOKS["failed"].append(_intent_failed)
payment_intents.OUTCOME_HOOKS["succeeded"].append(_intent_succeeded)


def mark_paid(state: AccountState, invoice: Object, *, outside: bool = False) -> None:
    """Say that an invoice is paid, and let its subscription know."""
    state.objects.update(
        invoice,
        amount_paid=0 if outside else invoice["amount_due"],
        amount_paid_off_stripe=invoice["amount_due"] if outside else 0,
        amount_remaining=0,
        attempted=invoice["attempted"] or not outside,
        next_payment_attempt=None,
        status="paid",
        status_transitions={**invoice["status_transitions"], "paid_at": state.clock.now()},
    )
    for action in ("paid", "payment_succeeded"):
        state.events.emit(action, invoice)
    _notify("paid", state, invoice)


@operation("invoices.pay")
def pay(context: OperationContext) -> Object:
    """Pay an invoice, with the payment method that was passed or the customer's own. A draft is finalized first."""
    state, params = context.state, context.params
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] == "draft":
        finalize(state, invoice)
        if invoice["status"] == "paid":
            return invoice
    if invoice["status"] not in ("open", "uncollectible"):
        raise ErrorResponse(f"Invoice is already {invoice['status']}", code="invoice_not_editable")
    if params.get("paid_out_of_band"):
        if found := payment_of(state, invoice):
            payment_intents.cancel_payment_intent(state, found[1], "void_invoice")
            state.objects.update(
                found[0], status="canceled", status_transitions={"canceled_at": state.clock.now(), "paid_at": None}
            )
        mark_paid(state, invoice, outside=True)
        return invoice
    given = params.get("payment_method") or params.get("source")
    method = resolve_payment_method(state, given) if given else default_method(state, invoice)
    pay_with(state, invoice, method, off_session=bool(params.get("off_session")))
    return invoice


@operation("invoices.send_invoice")
def send(context: OperationContext) -> Object:
    """Send an invoice to the customer: it is finalized, and an event says that it was sent."""
    state = context.state
    invoice = state.objects.get("invoice", context.target_id)
    if invoice["status"] == "draft":
        finalize(state, invoice)
    elif invoice["status"] != "open":
        raise wrong_state(invoice, "send")
    state.events.emit("sent", invoice)
    return invoice


@operation("invoices.void_invoice")
def void(context: OperationContext) -> Object:
    """Take an invoice back, as if it had never been."""
    invoice = context.state.objects.get("invoice", context.target_id)
    if invoice["status"] not in ("open", "uncollectible"):
        raise wrong_state(invoice, "void", "invoice_not_editable")
    cancel(context.state, invoice)
    return invoice


def cancel(state: AccountState, invoice: Object) -> None:
    """Void an invoice: its payment is given up, and what the customer's balance had paid of it comes back."""
    _withdraw(state, invoice)
    if used := invoice["total"] - invoice["amount_due"]:
        customer = state.objects.get("customer", invoice["customer"])
        adjust_balance(
            state, customer, -used, "unapplied_from_invoice", invoice=invoice["id"], currency=invoice["currency"]
        )
    state.objects.update(
        invoice,
        amount_remaining=0,
        next_payment_attempt=None,
        status="void",
        status_transitions={**invoice["status_transitions"], "voided_at": state.clock.now()},
    )
    state.events.emit("voided", invoice)
    _notify("voided", state, invoice)


def _withdraw(state: AccountState, invoice: Object) -> None:
    found = payment_of(state, invoice)
    if found is not None and found[1]["status"] not in ("succeeded", "canceled"):
        payment_intents.cancel_payment_intent(state, found[1], "void_invoice")
        state.objects.update(
            found[0], status="canceled", status_transitions={"canceled_at": state.clock.now(), "paid_at": None}
        )


@operation("invoices.mark_uncollectible")
def uncollectible(context: OperationContext) -> Object:
    """Write an invoice off."""
    invoice = context.state.objects.get("invoice", context.target_id)
    if invoice["status"] != "open":
        raise wrong_state(invoice, "savepoint as uncollectible", "invoice_not_editable")
    write_off(context.state, invoice)
    return invoice


def write_off(state: AccountState, invoice: Object) -> None:
    """Nobody expects the money of an invoice any more."""
    transitions = {**invoice["status_transitions"], "marked_uncollectible_at": state.clock.now()}
    state.objects.update(invoice, status="uncollectible", status_transitions=transitions, next_payment_attempt=None)
    state.events.emit("marked_uncollectible", invoice)
    _notify("uncollectible", state, invoice)


@list_filter("invoice", "subscription")
def _is_of(invoice: Object, subscription: str) -> bool:
    return subscription_of(invoice) == subscription


def default_method(state: AccountState, found: Object) -> Object | None:
    """The payment method of a subscription or an invoice, or else the customer's default one."""
    customer = state.objects.get("customer", found["customer"])
    subscription = state.objects.find("subscription", subscription_of(found)) if found["object"] == "invoice" else None
    chosen = (
        found.get("default_payment_method")
        or (subscription or {}).get("default_payment_method")
        or customer["invoice_settings"]["default_payment_method"]
        or customer.get("default_source")
    )
    return resolve_payment_method(state, chosen) if chosen else None
