"""Invoices of subscriptions: finalised and paid. https://docs.stripe.com/invoicing/overview"""

from __future__ import annotations

from pinstripe.emulator.expand import includable
from pinstripe.emulator.generic import life
from pinstripe.emulator.lives import payments
from pinstripe.emulator.lives.cards import payment_method
from pinstripe.emulator.refusal import Refusal, missing_param
from pinstripe.emulator.world import Ask, Object, World


def for_subscription(world: World, subscription: Object, reason: str) -> Object:
    """The invoice of a subscription's current period, finalised and not yet paid."""
    customer = world.get("customer", subscription["customer"])
    items = subscription["items"]["data"]
    invoice = world.draft("invoice")
    lines = [_line(world, invoice, subscription, item) for item in items]
    total = sum(line["amount"] for line in lines)
    parent = {"subscription": subscription["id"], "metadata": subscription["metadata"]}
    invoice.update(
        amount_due=total,
        amount_remaining=total,
        auto_advance=True,
        billing_reason=reason,
        collection_method=subscription["collection_method"],
        currency=subscription["currency"],
        customer=customer["id"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        default_payment_method=subscription["default_payment_method"],
        issuer={"type": "self"},
        lines=_list_object(f"/v1/invoices/{invoice['id']}/lines", lines),
        metadata={},
        parent={"type": "subscription_details", "subscription_details": parent, "quote_details": None},
        period_start=world.now(),
        period_end=world.now(),
        status="draft",
        subtotal=total,
        total=total,
    )
    world.keep(invoice)
    world.emit("created", invoice)
    _finalise(world, invoice, customer)
    return invoice


def _line(world: World, invoice: Object, subscription: Object, item: Object) -> Object:
    price, quantity = item["price"], item.get("quantity", 1)
    amount = price["unit_amount"] * quantity
    if subscription["status"] == "trialing":
        amount = 0
    line = world.draft("line_item")
    details = {
        "subscription": subscription["id"],
        "subscription_item": item["id"],
        "invoice_item": None,
        "proration": False,
    }
    line.update(
        amount=amount,
        currency=price["currency"],
        description=f"{quantity} x {world.get('product', price['product'])['name']}",
        discountable=True,
        invoice=invoice["id"],
        parent={
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {**details, "proration_details": None},
        },
        period={"start": item["current_period_start"], "end": item["current_period_end"]},
        pricing={
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        quantity=quantity,
        subscription=subscription["id"],
        subtotal=amount,
    )
    return line


def _finalise(world: World, invoice: Object, customer: Object) -> None:
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}"
    customer["next_invoice_sequence"] += 1
    world.change(
        invoice,
        number=number,
        status="open",
        effective_at=world.now(),
        hosted_invoice_url=f"https://pinstripe.test/invoices/{invoice['id']}",
        invoice_pdf=f"https://pinstripe.test/invoices/{invoice['id']}/pdf",
        status_transitions={**invoice["status_transitions"], "finalized_at": world.now()},
    )
    world.emit("finalized", invoice)
    if invoice["amount_due"]:
        intent = payments.make(
            world,
            {"amount": invoice["amount_due"], "currency": invoice["currency"], "metadata": {}},
            customer=customer["id"],
            description="Subscription creation",
            payment_method=None,
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
        world.hidden[invoice["id"]] = payment["id"]


def pay_with(world: World, invoice: Object, method: Object | None) -> None:
    """Collect an open invoice; raises where the card's bank says no. An invoice of nothing is paid at once."""
    if invoice["amount_due"]:
        payment = world.objects[world.hidden[invoice["id"]]]
        intent = world.get("payment_intent", payment["payment"]["payment_intent"])
        if method is None:
            raise missing_param("payment_method")
        world.change(intent, payment_method=method["id"])
        world.change(invoice, attempted=True, attempt_count=invoice["attempt_count"] + 1)
        try:
            payments.confirmed(world, intent)
        except Refusal:
            world.emit("payment_failed", invoice)
            raise
        if intent["status"] != "succeeded":
            world.emit("payment_action_required", invoice)
            return
        world.change(
            payment,
            amount_paid=intent["amount"],
            status="paid",
            status_transitions={"canceled_at": None, "paid_at": world.now()},
        )
    mark_paid(world, invoice)


def mark_paid(world: World, invoice: Object) -> None:
    """Say that an invoice is paid, and let its subscription know."""
    world.change(
        invoice,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        attempted=True,
        status="paid",
        status_transitions={**invoice["status_transitions"], "paid_at": world.now()},
    )
    for action in ("paid", "payment_succeeded"):
        world.emit(action, invoice)


@life("invoices.pay")
def pay(ask: Ask) -> Object:
    """Pay an open invoice, with the payment method that was passed or the customer's own."""
    world = ask.world
    invoice = world.get("invoice", ask.target)
    if invoice["status"] != "open":
        raise Refusal(f"Invoice is {invoice['status']}, so it cannot be paid.", code="invoice_not_editable")
    if ask.params.get("paid_out_of_band"):
        mark_paid(world, invoice)
    else:
        given = ask.params.get("payment_method")
        pay_with(world, invoice, payment_method(world, given) if given else default_method(world, invoice))
    subscription = (invoice["parent"] or {}).get("subscription_details")
    if subscription and invoice["status"] == "paid":
        found = world.get("subscription", subscription["subscription"])
        if found["status"] in ("incomplete", "past_due", "unpaid"):
            before = world.change(found, status="active")
            world.emit("updated", found, before)
    return invoice


def default_method(world: World, found: Object) -> Object | None:
    """The payment method of a subscription or an invoice, or else the customer's default one."""
    customer = world.get("customer", found["customer"])
    chosen = found.get("default_payment_method") or customer["invoice_settings"]["default_payment_method"]
    return world.get("payment_method", chosen) if chosen else None


@includable("invoice", "payments")
def invoice_payments(world: World, invoice: Object) -> Object:
    """The payments of an invoice."""
    data = [one for one in world.every("invoice_payment") if one["invoice"] == invoice["id"]]
    return _list_object("/v1/invoice_payments", data)


@includable("invoice", "confirmation_secret")
def confirmation_secret(world: World, invoice: Object) -> Object | None:
    """What a front end needs to pay an invoice."""
    payment = world.objects.get(world.hidden.get(invoice["id"], ""))
    if payment is None:
        return None
    intent = world.get("payment_intent", payment["payment"]["payment_intent"])
    return {"type": "payment_intent", "client_secret": intent["client_secret"]}


def _list_object(url: str, data: list[Object]) -> Object:
    return {"object": "list", "data": data, "has_more": False, "url": url}
