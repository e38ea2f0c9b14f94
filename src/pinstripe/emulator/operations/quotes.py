"""Quotes: an offer, which becomes an invoice or a subscription when it is accepted. https://docs.stripe.com/quotes"""

from __future__ import annotations

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.billing.money import written
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.invoice_items import make_item
from pinstripe.emulator.operations.subscriptions import start
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

OPEN_FOR = 30 * DAY


@operation("quotes.create")
def create(context: OperationContext) -> Object:
    """A draft of an offer."""
    state, params = context.state, dict(context.params)
    if source := params.pop("from_quote", None):
        original = state.objects.get("quote", source["quote"], "from_quote[quote]")
        items = [{"price": one["price"]["id"], "quantity": one["quantity"]} for one in line_items.kept(state, original)]
        params = {"customer": original["customer"], "line_items": items, **params}
    quote = state.draft(
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
        expires_at=params.get("expires_at") or state.clock.now() + OPEN_FOR,
        from_quote={"is_revision": bool(source.get("is_revision")), "quote": source["quote"]} if source else None,
        invoice_settings={
            "days_until_due": (params.get("invoice_settings") or {}).get("days_until_due"),
            "issuer": {"type": "self"},
        },
        status="draft",
        subscription_data={
            "billing_mode": {"type": "flexible"},
            "description": None,
            "effective_date": None,
            "metadata": None,
            "trial_period_days": None,
            **(params.get("subscription_data") or {}),
        },
    )
    state.objects.add(quote)
    _fill(state, quote, params)
    state.events.emit("created", quote)
    return quote


def _fill(state: AccountState, quote: Object, params: Object) -> None:
    if "discounts" in params:
        found = [
            redeem(state, one, f"discounts[{at}]", customer=quote["customer"])
            for at, one in enumerate(params["discounts"] or [])
        ]
        state.objects.update(quote, discounts=[one["id"] for one in found])
    if "line_items" in params:
        line_items.store(state, quote, line_items.items(state, params["line_items"] or [], None))
    items = clone(line_items.kept(state, quote))
    rates = [state.objects["tax_rate", one] for one in quote["default_tax_rates"]]
    discounts = [state.objects["discount", one] for one in quote["discounts"]]
    totals = line_items.total_up(state, items, discounts, rates)
    recurring = [one for one in items if one["price"]["recurring"]]
    later = None
    if recurring:
        some = line_items.total_up(state, clone(recurring), discounts, rates)
        cycle = recurring[0]["price"]["recurring"]
        later = {
            "amount_subtotal": some.subtotal,
            "amount_total": some.total,
            "interval": cycle["interval"],
            "interval_count": cycle["interval_count"],
            "total_details": some.details,
        }
    first = {"amount_subtotal": totals.subtotal, "amount_total": totals.total, "total_details": totals.details}
    line_items.store(state, quote, items)
    state.objects.update(
        quote,
        amount_subtotal=totals.subtotal,
        amount_total=totals.total,
        computed={"recurring": later, "upfront": first},
        currency=items[0]["currency"] if items else None,
        total_details=totals.details,
    )


@operation("quotes.update")
def update(context: OperationContext) -> Object:
    """Change a quote: its draft in every way, afterwards no more what it offers."""
    state, params = context.state, dict(context.params)
    quote = state.objects.get("quote", context.target_id)
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
        state.objects.update(quote, default_tax_rates=params.pop("default_tax_rates") or [])
    for name in ("subscription_data", "invoice_settings"):
        if given := params.pop(name, None):
            if isinstance(given.get("effective_date"), str):
                given = {**given, "effective_date": None}  # the end of a period that nobody is in yet
            state.objects.update(quote, **{name: {**quote[name], **given}})
    state.apply_update(quote, params)
    _fill(state, quote, own)
    return quote


@operation("quotes.finalize_quote")
def finalize(context: OperationContext) -> Object:
    """Make the offer: it has a number, and can be accepted."""
    state = context.state
    quote = state.objects.get("quote", context.target_id)
    if quote["status"] != "draft":
        raise wrong_state(quote, "finalize")
    if not quote["customer"]:
        raise missing_param("customer")
    if not line_items.kept(state, quote):
        raise missing_param("line_items")
    count = sum(1 for one in state.objects.all("quote") if one["number"]) + 1
    number = f"QT-{state.objects['customer', quote['customer']]['invoice_prefix']}-{count:04}-1"
    transitions = {**quote["status_transitions"], "finalized_at": state.clock.now()}
    fields = {"expires_at": context.params["expires_at"]} if "expires_at" in context.params else {}
    state.objects.update(quote, number=number, status="open", status_transitions=transitions, **fields)
    state.events.emit("finalized", quote)
    return quote


@operation("quotes.cancel")
def cancel(context: OperationContext) -> Object:
    """Take an offer back."""
    state = context.state
    quote = state.objects.get("quote", context.target_id)
    if quote["status"] not in ("draft", "open"):
        raise wrong_state(quote, "cancel")
    state.objects.update(
        quote, status="canceled", status_transitions={**quote["status_transitions"], "canceled_at": state.clock.now()}
    )
    state.events.emit("canceled", quote)
    return quote


@operation("quotes.accept")
def accept(context: OperationContext) -> Object:
    """The customer accepts: a subscription starts, or a draft of an invoice is made."""
    state = context.state
    quote = state.objects.get("quote", context.target_id)
    if quote["status"] != "open":
        raise wrong_state(quote, "accept")
    if quote["expires_at"] < state.clock.now():
        raise ErrorResponse("This quote has expired.", code="quote_expired")
    items = line_items.kept(state, quote)
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
        subscription = start(state, {**asked, **shared, **data})
        fields = {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
    else:
        customer = state.objects.get("customer", quote["customer"])
        details = {"type": "quote_details", "quote_details": {"quote": quote["id"]}, "subscription_details": None}
        invoice = invoices.draft(state, customer, {**shared, "currency": quote["currency"]}, parent=details)
        state.objects.update(invoice, billing_reason="quote_accept")
        extra = [make_item(state, customer["id"], one) for one in once]
        invoices.fill(state, invoice, invoices.take_items(state, invoice, extra))
        state.events.emit("created", invoice)
        fields = {"invoice": invoice["id"]}
    state.objects.update(
        quote,
        status="accepted",
        status_transitions={**quote["status_transitions"], "accepted_at": state.clock.now()},
        **fields,
    )
    state.events.emit("accepted", quote)
    return quote


line_items.show("quote", "/v1/quotes", "quotes.line_items.list", "quotes.computed_upfront_line_items.list")


@operation("quotes.pdf")
def pdf(context: OperationContext) -> bytes:
    """The offer on paper."""
    quote = context.state.objects.get("quote", context.path["quote"])
    if quote["status"] == "draft":
        raise wrong_state(quote, "print")
    lines = [f"Quote {quote['number']}"]
    lines += [
        f"{one['quantity']} x {one['description']}: {written(one['amount_total'], one['currency'])}"
        for one in line_items.kept(context.state, quote)
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
