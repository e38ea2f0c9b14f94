"""Quotes: an offer, which becomes an invoice or a subscription when it is accepted. https://docs.stripe.com/quotes"""

from __future__ import annotations

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.billing.money import written
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoice_items import make_item
from pinstripe.emulator.operations.subscriptions import start
from pinstripe.emulator.state.account import Ask, Object, World, clone
from pinstripe.emulator.validation.errors import Refusal, missing_param, wrong_state

OPEN_FOR = 30 * DAY


@life("quotes.create")
def create(ask: Ask) -> Object:
    """A draft of an offer."""
    world, params = ask.world, dict(ask.params)
    if source := params.pop("from_quote", None):
        original = world.get("quote", source["quote"], "from_quote[quote]")
        items = [{"price": one["price"]["id"], "quantity": one["quantity"]} for one in line_items.kept(world, original)]
        params = {"customer": original["customer"], "line_items": items, **params}
    quote = world.draft(
        "quote",
        {
            name: value
            for name, value in params.items()
            if name not in ("line_items", "discounts", "default_tax_rates", "subscription_data")
        },
    )
    quote.update(
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        collection_method=params.get("collection_method", "charge_automatically"),
        default_tax_rates=params.get("default_tax_rates") or [],
        discounts=[],
        expires_at=params.get("expires_at") or world.now() + OPEN_FOR,
        from_quote={"is_revision": bool(source.get("is_revision")), "quote": source["quote"]} if source else None,
        invoice_settings={"days_until_due": (params.get("invoice_settings") or {}).get("days_until_due"),
        "issuer": {"type": "self"}},
        status="draft",
        subscription_data={
            "billing_mode": {"type": "flexible"}, "description": None, "effective_date": None, "metadata": None,
            "trial_period_days": None,
            **(params.get("subscription_data") or {}),
        },
    )  # fmt: skip
    world.keep(quote)
    _fill(world, quote, params)
    world.emit("created", quote)
    return quote


def _fill(world: World, quote: Object, params: Object) -> None:
    if "discounts" in params:
        found = [
            redeem(world, one, f"discounts[{at}]", customer=quote["customer"])
            for at, one in enumerate(params["discounts"] or [])
        ]
        world.change(quote, discounts=[one["id"] for one in found])
    if "line_items" in params:
        world.hide(f"items:{quote['id']}", line_items.items(world, params["line_items"] or [], None))
    items = clone(line_items.kept(world, quote))
    rates = [world.objects[one] for one in quote["default_tax_rates"]]
    discounts = [world.objects[one] for one in quote["discounts"]]
    totals = line_items.total_up(world, items, discounts, rates)
    recurring = [one for one in items if one["price"]["recurring"]]
    later = None
    if recurring:
        some = line_items.total_up(world, clone(recurring), discounts, rates)
        cycle = recurring[0]["price"]["recurring"]
        later = {
            "amount_subtotal": some.subtotal, "amount_total": some.total, "interval": cycle["interval"],
            "interval_count": cycle["interval_count"], "total_details": some.details,
        }  # fmt: skip
    first = {"amount_subtotal": totals.subtotal, "amount_total": totals.total, "total_details": totals.details}
    world.hide(f"items:{quote['id']}", items)
    world.change(
        quote,
        amount_subtotal=totals.subtotal,
        amount_total=totals.total,
        computed={"recurring": later, "upfront": first},
        currency=items[0]["currency"] if items else None,
        total_details=totals.details,
    )


@life("quotes.update")
def update(ask: Ask) -> Object:
    """Change a quote: its draft in every way, afterwards no more what it offers."""
    world, params = ask.world, dict(ask.params)
    quote = world.get("quote", ask.target)
    if quote["status"] != "draft" and set(params) - {
        "metadata",
        "expires_at",
        "header",
        "footer",
        "description",
        "expand",
    }:
        raise wrong_state(quote, "update")
    own: Object = {name: params.pop(name) for name in ("line_items", "discounts") if name in params}
    if "default_tax_rates" in params:
        world.change(quote, default_tax_rates=params.pop("default_tax_rates") or [])
    for name in ("subscription_data", "invoice_settings"):
        if given := params.pop(name, None):
            if isinstance(given.get("effective_date"), str):
                given = {**given, "effective_date": None}  # the end of a period that nobody is in yet
            world.change(quote, **{name: {**quote[name], **given}})
    world.update(quote, params)
    _fill(world, quote, own)
    return quote


@life("quotes.finalize_quote")
def finalize(ask: Ask) -> Object:
    """Make the offer: it has a number, and can be accepted."""
    world = ask.world
    quote = world.get("quote", ask.target)
    if quote["status"] != "draft":
        raise wrong_state(quote, "finalize")
    if not quote["customer"]:
        raise missing_param("customer")
    if not line_items.kept(world, quote):
        raise missing_param("line_items")
    count = sum(1 for one in world.every("quote") if one["number"]) + 1
    number = f"QT-{world.objects[quote['customer']]['invoice_prefix']}-{count:04}-1"
    transitions = {**quote["status_transitions"], "finalized_at": world.now()}
    fields = {"expires_at": ask.params["expires_at"]} if "expires_at" in ask.params else {}
    world.change(quote, number=number, status="open", status_transitions=transitions, **fields)
    world.emit("finalized", quote)
    return quote


@life("quotes.cancel")
def cancel(ask: Ask) -> Object:
    """Take an offer back."""
    world = ask.world
    quote = world.get("quote", ask.target)
    if quote["status"] not in ("draft", "open"):
        raise wrong_state(quote, "cancel")
    world.change(
        quote, status="canceled", status_transitions={**quote["status_transitions"], "canceled_at": world.now()}
    )
    world.emit("canceled", quote)
    return quote


@life("quotes.accept")
def accept(ask: Ask) -> Object:
    """The customer accepts: a subscription starts, or a draft of an invoice is made."""
    world = ask.world
    quote = world.get("quote", ask.target)
    if quote["status"] != "open":
        raise wrong_state(quote, "accept")
    if quote["expires_at"] < world.now():
        raise Refusal("This quote has expired.", code="quote_expired")
    items = line_items.kept(world, quote)
    discounts = [{"discount": one} for one in quote["discounts"]]
    recurring = [
        {"price": one["price"]["id"], "quantity": one["quantity"]} for one in items if one["price"]["recurring"]
    ]
    once = [
        {"price": one["price"]["id"], "quantity": one["quantity"]} for one in items if not one["price"]["recurring"]
    ]
    shared = {
        "collection_method": quote["collection_method"],
        "discounts": discounts,
        "default_tax_rates": quote["default_tax_rates"],
    }
    if quote["collection_method"] == "send_invoice":
        shared["days_until_due"] = quote["invoice_settings"]["days_until_due"] or 30
    fields: Object = {}
    if recurring:
        data = {
            name: value
            for name, value in quote["subscription_data"].items()
            if value and name in ("trial_period_days", "description", "metadata")
        }
        asked = {
            "customer": quote["customer"],
            "items": recurring,
            "add_invoice_items": once,
            "payment_behavior": "allow_incomplete",
        }
        subscription = start(world, {**asked, **shared, **data})
        fields = {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
    else:
        customer = world.get("customer", quote["customer"])
        details = {"type": "quote_details", "quote_details": {"quote": quote["id"]}, "subscription_details": None}
        invoice = invoices.draft(world, customer, {**shared, "currency": quote["currency"]}, parent=details)
        world.change(invoice, billing_reason="quote_accept")
        extra = [make_item(world, customer["id"], one) for one in once]
        invoices.fill(world, invoice, invoices.take_items(world, invoice, extra))
        world.emit("created", invoice)
        fields = {"invoice": invoice["id"]}
    world.change(
        quote,
        status="accepted",
        status_transitions={**quote["status_transitions"], "accepted_at": world.now()},
        **fields,
    )
    world.emit("accepted", quote)
    return quote


line_items.show("quote", "/v1/quotes", "quotes.line_items.list", "quotes.computed_upfront_line_items.list")


@life("quotes.pdf")
def pdf(ask: Ask) -> bytes:
    """The offer on paper."""
    quote = ask.world.get("quote", ask.path["quote"])
    if quote["status"] == "draft":
        raise wrong_state(quote, "print")
    lines = [f"Quote {quote['number']}"]
    lines += [
        f"{one['quantity']} x {one['description']}: {written(one['amount_total'], one['currency'])}"
        for one in line_items.kept(ask.world, quote)
    ]
    return paper([*lines, f"Total: {written(quote['amount_total'], quote['currency'] or 'usd')}"])


def paper(lines: list[str]) -> bytes:
    """A PDF of one page with lines of text."""
    shown = [
        line.encode("latin-1", "replace").replace(b"\\\\", b"\\\\\\\\").replace(b"(", b"\\\\(").replace(b")", b"\\\\)")
        for line in lines
    ]
    text = b"BT /F1 12 Tf 50 780 Td " + b" ".join(b"(%s) Tj 0 -18 Td" % line for line in shown) + b" ET"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    ]
    found, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(found))
        found += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(parts) + 1, table)
    return found + head + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(found))
