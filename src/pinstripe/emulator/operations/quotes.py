"""Quotes. https://docs.stripe.com/quotes"""

from __future__ import annotations

from pinstripe.emulator.billing.line_items import (
    add_up,
    build_line_items,
    line_items_of,
    register_line_items,
    set_line_items,
)
from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import invoices
from pinstripe.emulator.operations._documents import Document, date_fact, person_facts, summary
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem_all
from pinstripe.emulator.operations.invoice_items import create_item
from pinstripe.emulator.operations.subscriptions import start_subscription
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

EXPIRY = 30 * DAY
DERIVED = ("line_items", "discounts", "default_tax_rates", "subscription_data")
"""The parameters of a new quote that are not fields as they were passed."""
UPDATABLE_AFTER_DRAFT = {"metadata", "expires_at", "header", "footer", "description", "expand"}
FROM_STATUSES: dict[str, tuple[str, ...]] = {
    "finalized": ("draft",),
    "canceled": ("draft", "open"),
    "accepted": ("open",),
}
"""The statuses from which a quote can be finalized, canceled and accepted, by event."""


@operation("quotes.create")
def create(context: OperationContext) -> Object:
    """Create a draft quote."""
    state, params = context.state, dict(context.params)
    source = params.pop("from_quote", None)
    if source:
        original = state.objects.get("quote", source["quote"], "from_quote[quote]")
        items = [_item_params(item) for item in line_items_of(state, original)]
        params = {"customer": original["customer"], "line_items": items, **params}
    quote = state.draft("quote", {name: value for name, value in params.items() if name not in DERIVED})
    days_until_due = (params.get("invoice_settings") or {}).get("days_until_due")
    quote.update(
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        collection_method=params.get("collection_method", "charge_automatically"),
        default_tax_rates=params.get("default_tax_rates") or [],
        discounts=[],
        expires_at=params.get("expires_at") or state.clock.now() + EXPIRY,
        from_quote={"is_revision": bool(source.get("is_revision")), "quote": source["quote"]} if source else None,
        invoice_settings={"days_until_due": days_until_due, "issuer": {"type": "self"}},
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
    _compute(state, quote, params)
    state.events.emit("created", quote)
    return quote


def _item_params(item: Object) -> Object:
    return {"price": item["price"]["id"], "quantity": item["quantity"]}


def _compute(state: AccountState, quote: Object, params: Object) -> None:
    """Set the line items and discounts that were passed, and update the amounts of a quote."""
    if "discounts" in params:
        discounts = redeem_all(state, params["discounts"], customer=quote["customer"])
        state.objects.update(quote, discounts=discounts)
    if "line_items" in params:
        set_line_items(state, quote, build_line_items(state, params["line_items"] or [], None))
    items = clone(line_items_of(state, quote))
    upfront = _totals(state, quote, items)
    set_line_items(state, quote, items)
    recurring = [item for item in items if item["price"]["recurring"]]
    renewal = None
    if recurring:
        cycle = recurring[0]["price"]["recurring"]
        interval = {"interval": cycle["interval"], "interval_count": cycle["interval_count"]}
        renewal = {**_totals(state, quote, clone(recurring)), **interval}
    state.objects.update(
        quote,
        **upfront,
        computed={"recurring": renewal, "upfront": upfront},
        currency=items[0]["currency"] if items else None,
    )


def _totals(state: AccountState, quote: Object, items: list[Object]) -> Object:
    rates = [state.objects["tax_rate", rate_id] for rate_id in quote["default_tax_rates"]]
    discounts = [state.objects["discount", discount_id] for discount_id in quote["discounts"]]
    totals = add_up(state, items, discounts, rates)
    return {"amount_subtotal": totals.subtotal, "amount_total": totals.total, "total_details": totals.details}


@operation("quotes.update")
def update(context: OperationContext) -> Object:
    """Update a quote; after it was finalized, only its dates and texts."""
    state, params = context.state, dict(context.params)
    quote = state.objects.get("quote", context.target_id)
    if quote["status"] != "draft" and set(params) - UPDATABLE_AFTER_DRAFT:
        raise wrong_state(quote, "update")
    computed: Object = {name: params.pop(name) for name in ("line_items", "discounts") if name in params}
    if "default_tax_rates" in params:
        state.objects.update(quote, default_tax_rates=params.pop("default_tax_rates") or [])
    for name in ("subscription_data", "invoice_settings"):
        if changes := params.pop(name, None):
            if isinstance(changes.get("effective_date"), str):
                changes = {**changes, "effective_date": None}  # current_period_end, of a subscription not yet started
            state.objects.update(quote, **{name: {**quote[name], **changes}})
    state.apply_update(quote, params)
    _compute(state, quote, computed)
    return quote


def _check_status(quote: Object, event: str, action: str) -> None:
    if quote["status"] not in FROM_STATUSES[event]:
        raise wrong_state(quote, action)


def _transition(state: AccountState, quote: Object, event: str, **fields: JSON) -> Object:
    """Set the status and its time, and emit the event of a transition."""
    status = "open" if event == "finalized" else event
    transitions = {**quote["status_transitions"], f"{event}_at": state.clock.now()}
    state.objects.update(quote, status=status, status_transitions=transitions, **fields)
    state.events.emit(event, quote)
    return quote


@operation("quotes.finalize_quote")
def finalize(context: OperationContext) -> Object:
    """Finalize a draft: number it, so that it can be accepted."""
    state = context.state
    quote = state.objects.get("quote", context.target_id)
    _check_status(quote, "finalized", "finalize")
    if not quote["customer"]:
        raise missing_param("customer")
    if not line_items_of(state, quote):
        raise missing_param("line_items")
    count = sum(1 for other in state.objects.all("quote") if other["number"]) + 1
    prefix = state.objects["customer", quote["customer"]]["invoice_prefix"]
    expires_at = context.params.get("expires_at", quote["expires_at"])
    return _transition(state, quote, "finalized", number=f"QT-{prefix}-{count:04}-1", expires_at=expires_at)


@operation("quotes.cancel")
def cancel(context: OperationContext) -> Object:
    """Cancel a quote."""
    quote = context.state.objects.get("quote", context.target_id)
    _check_status(quote, "canceled", "cancel")
    return _transition(context.state, quote, "canceled")


@operation("quotes.accept")
def accept(context: OperationContext) -> Object:
    """Accept a quote: start its subscription, or create a draft invoice when nothing recurs."""
    state = context.state
    quote = state.objects.get("quote", context.target_id)
    _check_status(quote, "accepted", "accept")
    if quote["expires_at"] < state.clock.now():
        raise ErrorResponse("This quote has expired.", code="quote_expired")
    items = line_items_of(state, quote)
    recurring = [_item_params(item) for item in items if item["price"]["recurring"]]
    one_time = [_item_params(item) for item in items if not item["price"]["recurring"]]
    if recurring:
        subscription = _start_subscription(state, quote, recurring, one_time)
        fields = {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
    else:
        fields = {"invoice": _create_invoice(state, quote, one_time)["id"]}
    return _transition(state, quote, "accepted", **fields)


def _billing_params(quote: Object) -> Object:
    params = {
        "collection_method": quote["collection_method"],
        "discounts": [{"discount": discount_id} for discount_id in quote["discounts"]],
        "default_tax_rates": quote["default_tax_rates"],
    }
    if quote["collection_method"] == "send_invoice":
        params["days_until_due"] = quote["invoice_settings"]["days_until_due"] or 30
    return params


def _start_subscription(state: AccountState, quote: Object, recurring: list[Object], one_time: list[Object]) -> Object:
    passed_on = ("trial_period_days", "description", "metadata")
    data = {name: value for name, value in quote["subscription_data"].items() if value and name in passed_on}
    params = {
        "customer": quote["customer"],
        "items": recurring,
        "add_invoice_items": one_time,
        "payment_behavior": "allow_incomplete",
    }
    return start_subscription(state, {**params, **_billing_params(quote), **data})


def _create_invoice(state: AccountState, quote: Object, one_time: list[Object]) -> Object:
    customer = state.objects.get("customer", quote["customer"])
    parent = {"type": "quote_details", "quote_details": {"quote": quote["id"]}, "subscription_details": None}
    params = {**_billing_params(quote), "currency": quote["currency"]}
    invoice = invoices.create_draft(state, customer, params, parent=parent)
    state.objects.update(invoice, billing_reason="quote_accept")
    items = [create_item(state, customer["id"], item_params) for item_params in one_time]
    invoices.set_lines(state, invoice, invoices.lines_of_items(state, invoice, items))
    state.events.emit("created", invoice)
    return invoice


register_line_items("quote", "/v1/quotes", "quotes.line_items.list", "quotes.computed_upfront_line_items.list")


@operation("quotes.pdf")
def pdf(context: OperationContext) -> bytes:
    """Return a finalized quote as a PDF file."""
    quote = context.state.objects.get("quote", context.path["quote"])
    if quote["status"] == "draft":
        raise wrong_state(quote, "print")
    currency = quote["currency"] or "usd"
    customer = context.state.objects.find("customer", quote["customer"]) or {}
    details, total = quote["total_details"], format_amount(quote["amount_total"], currency)
    document = Document(
        f"Quote {quote['number']}",
        total,
        [
            *date_fact("Created", quote["created"]),
            *date_fact("Valid until", quote["expires_at"]),
            *person_facts("Customer", customer.get("name"), customer.get("email")),
        ],
        [
            (f"{item['quantity']} × {item['description']}", "", format_amount(item["amount_subtotal"], currency))
            for item in line_items_of(context.state, quote)
        ],
        summary(
            quote["amount_subtotal"], details["amount_discount"], details["amount_tax"], quote["amount_total"], currency
        ),
    )
    return document.pdf()
