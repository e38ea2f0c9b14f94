"""Invoices: drafted, finalised, paid, or given up. https://docs.stripe.com/invoicing/integration/workflow-transitions"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pinstripe.emulator.billing import money
from pinstripe.emulator.billing.invoice_lines import of_invoice_item, total_up
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import payment_intents
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import embedded, filtered
from pinstripe.emulator.operations.customers import credit
from pinstripe.emulator.operations.discounts import redeem, spent
from pinstripe.emulator.operations.payment_methods import payment_method
from pinstripe.emulator.state.account import Ask, Object, World
from pinstripe.emulator.state.timers import timer
from pinstripe.emulator.validation.errors import Refusal, missing_param, wrong_state

HOUR = 3600
Watch: TypeAlias = Callable[[World, Object], None]
WATCHERS: dict[str, list[Watch]] = {"paid": [], "failed": [], "voided": [], "overdue": [], "uncollectible": []}
"""What others do when an invoice has come to something; subscriptions live by it."""


def when(state: str) -> Callable[[Watch], Watch]:
    """Say what else happens when an invoice is paid, and so on."""

    def keep(function: Watch) -> Watch:
        WATCHERS[state].append(function)
        return function

    return keep


def _tell(state: str, world: World, invoice: Object) -> None:
    for watch in WATCHERS[state]:
        watch(world, invoice)


def draft(world: World, customer: Object, params: Object, **fields: Any) -> Object:  # Any: JSON
    """An invoice without lines; kept."""
    known = {
        name: value for name, value in params.items() if name not in ("subscription", "discounts", "default_tax_rates")
    }
    invoice = world.draft("invoice", known)
    rates = params.get("default_tax_rates") or []
    invoice.update(
        account_country="US",
        auto_advance=params.get("auto_advance", False),
        automatic_tax={"enabled": bool((params.get("automatic_tax") or {}).get("enabled")), "disabled_reason": None,
        "liability": None, "provider": None, "status": None},
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
        default_tax_rates=[world.objects[one] for one in rates],
        discounts=[],
        issuer={"type": "self"},
        lines=embedded([], f"/v1/invoices/{invoice['id']}/lines"),
        payment_settings={"default_mandate": None, "payment_method_options": None, "payment_method_types": None,
        **(params.get("payment_settings") or {})},
        period_start=world.now(),
        period_end=world.now(),
        status="draft",
        total_discount_amounts=[],
        total_pretax_credit_amounts=[],
        total_taxes=[],
        **fields,
    )  # fmt: skip
    if invoice["collection_method"] == "send_invoice" and not invoice["due_date"]:
        if params.get("days_until_due") is None:
            raise missing_param("days_until_due")
        invoice["due_date"] = world.now() + params["days_until_due"] * DAY
    world.keep(invoice)
    given = params.get("discounts") or []
    found = [
        redeem(world, one, f"discounts[{at}]", customer=customer["id"], invoice=invoice["id"])
        for at, one in enumerate(given)
    ]
    world.change(invoice, discounts=[one["id"] for one in found])
    return invoice


def fill(world: World, invoice: Object, lines: list[Object]) -> None:
    """Put lines into a draft, in place of those it has, and add them up."""
    world.change(invoice, **total_up(world, invoice, lines))


def pending_items(world: World, customer: str, currency: str, subscription: str | None = None) -> list[Object]:
    """The invoice items of a customer that wait for an invoice, oldest first; for a subscription, its own and those of none."""
    found = []
    for item in world.every("invoiceitem", customer=customer, invoice=None, currency=currency):
        parent = (item["parent"] or {}).get("subscription_details") or {}
        if subscription is None or parent.get("subscription") in (None, subscription):
            found.append(item)
    return found[::-1]


def take_items(world: World, invoice: Object, items: list[Object]) -> list[Object]:
    """The lines of invoice items, which belong to this invoice from now on."""
    for item in items:
        world.change(item, invoice=invoice["id"])
    return [of_invoice_item(world, item) for item in items]


@life("invoices.create")
def create(ask: Ask) -> Object:
    """A draft, with the customer's invoice items where that was asked for."""
    world, params = ask.world, ask.params
    if "customer" not in params:
        raise missing_param("customer")
    customer = world.get("customer", params["customer"], "customer")
    subscription = params.get("subscription")
    parent = None
    if subscription:
        details = {"subscription": subscription, "metadata": world.objects[subscription]["metadata"]}
        parent = {"type": "subscription_details", "subscription_details": details, "quote_details": None}
    invoice = draft(world, customer, params, parent=parent)
    lines: list[Object] = []
    if params.get("pending_invoice_items_behavior") == "include" or subscription:
        lines = take_items(world, invoice, pending_items(world, customer["id"], invoice["currency"], subscription))
    fill(world, invoice, lines)
    if not customer.get("currency"):
        world.change(customer, currency=invoice["currency"])
    world.emit("created", invoice)
    if invoice["auto_advance"]:
        schedule(world, invoice)
    return invoice


def schedule(world: World, invoice: Object) -> None:
    """Let a draft be finalised in an hour."""
    world.change(invoice, automatically_finalizes_at=world.now() + HOUR)
    world.later(world.now() + HOUR, "invoice.finalize", invoice)


@timer("invoice.finalize")
def _finalise_later(world: World, invoice: Object) -> None:
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        finalise(world, invoice)
        collect(world, invoice)


def collect(world: World, invoice: Object) -> None:
    """Try to get the money of an open invoice, as Stripe does by itself: a decline is no error here."""
    if invoice["status"] != "open":
        return
    if invoice["collection_method"] == "send_invoice":
        world.emit("sent", invoice)
        return
    try:
        pay_with(world, invoice, default_method(world, invoice), off_session=True)
    except Refusal as refusal:
        if refusal.status != 402:
            raise


@life("invoices.update")
def update(ask: Ask) -> Object:
    """Change an invoice; once it is finalised, only what is said about it."""
    world, params = ask.world, dict(ask.params)
    invoice = world.get("invoice", ask.target)
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
        raise Refusal(
            f"Finalized invoices can't be updated in this way: {wrong[0]}", code="invoice_not_editable", param=wrong[0]
        )
    fields: Object = {}
    if "default_tax_rates" in params:
        fields["default_tax_rates"] = [world.objects[one] for one in params.pop("default_tax_rates") or []]
    if "discounts" in params:
        given = params.pop("discounts") or []
        owner = {"customer": invoice["customer"], "invoice": invoice["id"]}
        fields["discounts"] = [redeem(world, one, f"discounts[{at}]", **owner)["id"] for at, one in enumerate(given)]
    if days := params.pop("days_until_due", None):
        fields["due_date"] = invoice["created"] + days * DAY
    before = world.change(invoice, **fields)
    before |= (
        world.change(invoice, **total_up(world, invoice, invoice["lines"]["data"]))
        if invoice["status"] == "draft"
        else {}
    )
    if before and set(params) <= {"expand"}:
        world.emit("updated", invoice, before)
    return world.update(invoice, params)


@life("invoices.delete")
def delete(ask: Ask) -> Object:
    """Delete a draft that is of no subscription; its items wait for another invoice."""
    world = ask.world
    invoice = world.get("invoice", ask.target)
    if invoice["status"] != "draft" or subscription_of(invoice):
        raise Refusal("You can only delete draft invoices that are of no subscription.", code="invoice_not_editable")
    for item in list(world.every("invoiceitem", invoice=invoice["id"])):
        world.change(item, invoice=None)
    world.emit("deleted", invoice)
    return world.bury(invoice)


def subscription_of(invoice: Object) -> str | None:
    """The subscription that an invoice is of."""
    found: str | None = ((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription")
    return found


@life("invoices.finalize_invoice")
def finalize(ask: Ask) -> Object:
    """Finalise a draft; with ``auto_advance``, collect it, too."""
    world = ask.world
    invoice = world.get("invoice", ask.target)
    if invoice["status"] != "draft":
        raise Refusal(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable"
        )
    if "auto_advance" in ask.params:
        world.change(invoice, auto_advance=ask.params["auto_advance"])
    finalise(world, invoice)
    if ask.params.get("auto_advance"):
        collect(world, invoice)
    return invoice


def finalise(world: World, invoice: Object) -> None:
    """Number an invoice, let the customer's balance pay of it what it can, and open it."""
    customer = world.get("customer", invoice["customer"])
    world.change(invoice, **total_up(world, invoice, invoice["lines"]["data"]))
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}"
    world.change(customer, next_invoice_sequence=customer["next_invoice_sequence"] + 1)
    least = money.smallest(invoice["currency"]) if invoice["collection_method"] == "charge_automatically" else 0
    if invoice["amount_due"] < least:
        world.change(invoice, amount_due=0, amount_remaining=0)  # too little for a card: the customer owes it
    if used := invoice["total"] - invoice["amount_due"]:
        credit(world, customer, used, "applied_to_invoice", invoice=invoice["id"], currency=invoice["currency"])
    spent(world, [*invoice["discounts"], *(one for line in invoice["lines"]["data"] for one in line["discounts"])])
    world.change(
        invoice,
        automatically_finalizes_at=None,
        effective_at=invoice["effective_at"] or world.now(),
        ending_balance=customer["balance"],
        hosted_invoice_url=f"{world.base}/invoices/{invoice['id']}",
        invoice_pdf=f"{world.base}/invoices/{invoice['id']}/pdf",
        number=invoice["number"] or number,
        status="open",
        status_transitions={**invoice["status_transitions"], "finalized_at": world.now()},
    )
    world.emit("finalized", invoice)
    if invoice["amount_due"]:
        _ask_for_payment(world, invoice)
        if invoice["due_date"]:
            world.later(max(invoice["due_date"], world.now()), "invoice.overdue", invoice)
    else:
        mark_paid(world, invoice)


def _ask_for_payment(world: World, invoice: Object) -> None:
    said = {"subscription_create": "Subscription creation", "subscription_cycle": "Subscription update"}
    intent = payment_intents.make(
        world,
        {"amount": invoice["amount_due"], "currency": invoice["currency"], "metadata": {}},
        customer=invoice["customer"],
        description=said.get(invoice["billing_reason"], "Payment for Invoice"),
        payment_method=None,
        setup_future_usage="off_session" if subscription_of(invoice) else None,
    )
    world.emit("created", intent)
    payment = world.make(
        "invoice_payment",
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
    )
    world.hide(f"payment:{invoice['id']}", payment["id"])
    world.hide(f"paid_with:{intent['id']}", payment["id"])


def payment_of(world: World, invoice: Object) -> tuple[Object, Object] | None:
    """The payment of an invoice, and its intent."""
    payment = world.objects.get(world.hidden.get(f"payment:{invoice['id']}", ""))
    return (payment, world.objects[payment["payment"]["payment_intent"]]) if payment else None


@timer("invoice.overdue")
def _overdue(world: World, invoice: Object) -> None:
    if invoice["status"] == "open":
        world.emit("overdue", invoice)
        _tell("overdue", world, invoice)


def pay_with(world: World, invoice: Object, method: Object | None, *, off_session: bool = False) -> None:
    """Collect an open invoice; raises where the card's bank says no."""
    found = payment_of(world, invoice)
    if found is None:
        mark_paid(world, invoice)
        return
    if method is None:
        _count_failure(world, invoice)
        raise Refusal(
            "There is no default payment method to charge: set one on the customer, the subscription or the invoice.",
            status=402,
            type="card_error",
            code="payment_intent_payment_attempt_failed",
        )
    world.change(found[1], payment_method=method["id"])
    payment_intents.confirmed(world, found[1], {"off_session": off_session})
    if found[1]["status"] == "requires_action":
        world.emit("payment_action_required", invoice)


def _count_failure(world: World, invoice: Object) -> None:
    world.change(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    world.emit("payment_failed", invoice)
    _tell("failed", world, invoice)


def _paid_with(world: World, intent: Object) -> tuple[Object, Object] | None:
    """The payment of an invoice that an intent is for, and the invoice, if it can still be paid."""
    payment = world.objects.get(world.hidden.get(f"paid_with:{intent['id']}", ""))
    invoice = world.objects[payment["invoice"]] if payment else None
    return (payment, invoice) if payment and invoice and invoice["status"] in ("open", "uncollectible") else None


def _intent_failed(world: World, intent: Object) -> None:
    if found := _paid_with(world, intent):
        _count_failure(world, found[1])


def _intent_succeeded(world: World, intent: Object) -> None:
    """The intent of an invoice is paid, by Stripe, by the customer or after a challenge: so is the invoice, or its part."""
    found = _paid_with(world, intent)
    if found is None:
        return
    payment, invoice = found
    transitions = {"canceled_at": None, "paid_at": world.now()}
    world.change(payment, amount_paid=intent["amount"], status="paid", status_transitions=transitions)
    world.emit("invoice_payment.paid", payment)
    world.change(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if intent["amount"] >= invoice["amount_remaining"]:
        mark_paid(world, invoice)
    else:
        left = invoice["amount_remaining"] - intent["amount"]
        world.change(invoice, amount_paid=invoice["amount_paid"] + intent["amount"], amount_remaining=left)


payment_intents.WATCHERS["failed"].append(_intent_failed)
payment_intents.WATCHERS["succeeded"].append(_intent_succeeded)


def mark_paid(world: World, invoice: Object, *, outside: bool = False) -> None:
    """Say that an invoice is paid, and let its subscription know."""
    world.change(
        invoice,
        amount_paid=0 if outside else invoice["amount_due"],
        amount_paid_off_stripe=invoice["amount_due"] if outside else 0,
        amount_remaining=0,
        attempted=invoice["attempted"] or not outside,
        next_payment_attempt=None,
        status="paid",
        status_transitions={**invoice["status_transitions"], "paid_at": world.now()},
    )
    for action in ("paid", "payment_succeeded"):
        world.emit(action, invoice)
    _tell("paid", world, invoice)


@life("invoices.pay")
def pay(ask: Ask) -> Object:
    """Pay an invoice, with the payment method that was passed or the customer's own. A draft is finalised first."""
    world, params = ask.world, ask.params
    invoice = world.get("invoice", ask.target)
    if invoice["status"] == "draft":
        finalise(world, invoice)
        if invoice["status"] == "paid":
            return invoice
    if invoice["status"] not in ("open", "uncollectible"):
        raise Refusal(f"Invoice is already {invoice['status']}", code="invoice_not_editable")
    if params.get("paid_out_of_band"):
        if found := payment_of(world, invoice):
            payment_intents.give_up(world, found[1], "void_invoice")
            world.change(found[0], status="canceled", status_transitions={"canceled_at": world.now(), "paid_at": None})
        mark_paid(world, invoice, outside=True)
        return invoice
    given = params.get("payment_method") or params.get("source")
    method = payment_method(world, given) if given else default_method(world, invoice)
    pay_with(world, invoice, method, off_session=bool(params.get("off_session")))
    return invoice


@life("invoices.send_invoice")
def send(ask: Ask) -> Object:
    """Send an invoice to the customer: it is finalised, and an event says that it was sent."""
    world = ask.world
    invoice = world.get("invoice", ask.target)
    if invoice["status"] == "draft":
        finalise(world, invoice)
    elif invoice["status"] != "open":
        raise wrong_state(invoice, "send")
    world.emit("sent", invoice)
    return invoice


@life("invoices.void_invoice")
def void(ask: Ask) -> Object:
    """Take an invoice back, as if it had never been."""
    invoice = ask.world.get("invoice", ask.target)
    if invoice["status"] not in ("open", "uncollectible"):
        raise wrong_state(invoice, "void", "invoice_not_editable")
    cancel(ask.world, invoice)
    return invoice


def cancel(world: World, invoice: Object) -> None:
    """Void an invoice: its payment is given up, and what the customer's balance had paid of it comes back."""
    _withdraw(world, invoice)
    if used := invoice["total"] - invoice["amount_due"]:
        customer = world.get("customer", invoice["customer"])
        credit(world, customer, -used, "unapplied_from_invoice", invoice=invoice["id"], currency=invoice["currency"])
    world.change(
        invoice,
        amount_remaining=0,
        next_payment_attempt=None,
        status="void",
        status_transitions={**invoice["status_transitions"], "voided_at": world.now()},
    )
    world.emit("voided", invoice)
    _tell("voided", world, invoice)


def _withdraw(world: World, invoice: Object) -> None:
    found = payment_of(world, invoice)
    if found is not None and found[1]["status"] not in ("succeeded", "canceled"):
        payment_intents.give_up(world, found[1], "void_invoice")
        world.change(found[0], status="canceled", status_transitions={"canceled_at": world.now(), "paid_at": None})


@life("invoices.mark_uncollectible")
def uncollectible(ask: Ask) -> Object:
    """Write an invoice off."""
    invoice = ask.world.get("invoice", ask.target)
    if invoice["status"] != "open":
        raise wrong_state(invoice, "mark as uncollectible", "invoice_not_editable")
    write_off(ask.world, invoice)
    return invoice


def write_off(world: World, invoice: Object) -> None:
    """Nobody expects the money of an invoice any more."""
    transitions = {**invoice["status_transitions"], "marked_uncollectible_at": world.now()}
    world.change(invoice, status="uncollectible", status_transitions=transitions, next_payment_attempt=None)
    world.emit("marked_uncollectible", invoice)
    _tell("uncollectible", world, invoice)


@filtered("invoice", "subscription")
def _is_of(invoice: Object, subscription: str) -> bool:
    return subscription_of(invoice) == subscription


def default_method(world: World, found: Object) -> Object | None:
    """The payment method of a subscription or an invoice, or else the customer's default one."""
    customer = world.get("customer", found["customer"])
    subscription = world.objects.get(subscription_of(found) or "") if found["object"] == "invoice" else None
    chosen = (
        found.get("default_payment_method")
        or (subscription or {}).get("default_payment_method")
        or customer["invoice_settings"]["default_payment_method"]
        or customer.get("default_source")
    )
    return payment_method(world, chosen) if chosen else None
