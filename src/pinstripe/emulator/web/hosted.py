"""The pages that Stripe hosts: Checkout, payment links, the customer portal, invoices, 3-D Secure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pinstripe.emulator.billing.line_items import line_items_of
from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.billing.pricing import cost
from pinstripe.emulator.operations import checkout_completion, invoice_payments, payment_links
from pinstripe.emulator.operations._intents import intent_details, set_return_url
from pinstripe.emulator.operations._pdf import text_pdf
from pinstripe.emulator.operations.payment_methods import attach_to, create_payment_method
from pinstripe.emulator.operations.subscription_updates import apply_update
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse

Form: TypeAlias = dict[str, str]


@dataclass
class Template:
    """A template with its values, and the status of the response."""

    name: str
    values: dict[str, Any]  # Any: values of a template
    status: int = 200


Content: TypeAlias = Template | str | bytes
"""A template, a URL to redirect to, or a PDF file."""
Page: TypeAlias = Callable[[AccountState, Object, Form | None], Content]
"""Returns the content of a page about an object; the last argument is the submitted form, if any."""
PAGES: dict[tuple[str, str], Page] = {}
"""The pages by the first part of their path and the part after the id."""


def page(name: str, rest: str = "") -> Callable[[Page], Page]:
    """Register the decorated function for the pages at ``/name/{id}/rest``."""

    def register(function: Page) -> Page:
        PAGES[name, rest] = function
        return function

    return register


def _card(form: Form) -> Object:
    """Return the card of a form; raise `ErrorResponse` for an incomplete expiration date."""
    month, _, year = form.get("expiry", "12 / 34").replace(" ", "").partition("/")
    if not (month.isdigit() and year.isdigit()):
        raise ErrorResponse("Your card's expiration date is incomplete.", status=DECLINED)
    return {
        "number": form.get("number", "").replace(" ", ""),
        "exp_month": int(month),
        "exp_year": int(year) if int(year) > 99 else 2000 + int(year),
        "cvc": form.get("cvc", "123"),
    }


def _card_method(state: AccountState, form: Form) -> Object:
    return create_payment_method(state, {"type": "card", "card": _card(form)})


def _decline_message(action: Callable[[], object]) -> str:
    """Run the action of a submitted form, and return the message of a declined payment; empty on success.

    A decline is shown on the page, and its effects are stored; other errors have a page of their own.
    """
    try:
        action()
    except ErrorResponse as error:
        if error.status != DECLINED:
            raise
        return str(error)
    return ""


@page("checkout")
def checkout(state: AccountState, session: Object, form: Form | None) -> Template | str:
    """Show a checkout session, and complete it."""
    error = ""
    if form is not None:
        error = _decline_message(lambda: checkout_completion.complete(state, session, {**form, "card": _card(form)}))
    intent = checkout_completion.challenge_of(state, session)
    if intent is not None and intent["status"] == "requires_action":
        set_return_url(state, intent["id"], f"{state.base_url}/checkout/{session['id']}")
        return f"{state.base_url}/authenticate/{intent['id']}"
    if session["status"] == "complete":
        url = (session["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", session["id"])
        return url or Template("message.html", {"title": "Thank you", "text": "Your payment was successful."})
    status = DECLINED if error else 200
    if not error and intent is not None:
        error = ((intent.get("last_payment_error") or intent.get("last_setup_error")) or {}).get("message", "")
    items = line_items_of(state, session)
    after_trial = {
        item["id"]: cost(state, item["price"], item["quantity"], item["currency"])
        for item in items
        if item["quantity"] and not item["amount_subtotal"]
    }
    values = {"session": session, "items": items, "after_trial": after_trial, "error": error, "form": form or {}}
    return Template("checkout.html", values, status)


@page("pay")
def payment_link(state: AccountState, link: Object, form: Form | None) -> str:
    """Open a payment link: redirect to a new checkout session."""
    return str(payment_links.open_link(state, link)["url"])


@page("authenticate")
def authenticate(state: AccountState, intent: Object, form: Form | None) -> Template | str:
    """Show the challenge of 3-D Secure, and complete or fail it."""
    if form is not None and intent["status"] in ("requires_action", "requires_challenge"):
        checkout_completion.complete_challenge(state, intent["id"], success=form.get("challenge") == "complete")
        if url := intent_details(state, intent["id"]).return_url:
            name = intent["object"]
            query = f"{name}={intent['id']}&{name}_client_secret={intent['client_secret']}"
            return f"{url}{'&' if '?' in url else '?'}{query}"
    return Template("authenticate.html", {"intent": intent})


@page("invoices")
def invoice(state: AccountState, invoice: Object, form: Form | None) -> Template:
    """Show an invoice, and pay it."""
    error = ""
    if form is not None and invoice["status"] == "open":
        error = _decline_message(lambda: invoice_payments.pay(state, invoice, _card_method(state, form)))
    values = {"invoice": invoice, "error": error, "form": form or {}}
    return Template("invoice.html", values, DECLINED if error else 200)


@page("invoices", "pdf")
def invoice_pdf(state: AccountState, invoice: Object, form: Form | None) -> bytes:
    """Return an invoice as a PDF file."""
    lines = [
        f"{line['description']}: {format_amount(line['amount'], line['currency'])}" for line in invoice["lines"]["data"]
    ]
    total = format_amount(invoice["total"], invoice["currency"])
    return text_pdf([f"Invoice {invoice['number']}", *lines, f"Total: {total}"])


@page("portal")
def portal(state: AccountState, session: Object, form: Form | None) -> Template | str:
    """Show the customer portal, and apply its submitted forms."""
    customer = state.objects.get("customer", session["customer"])
    error = ""
    if form is not None:
        error = _decline_message(lambda: _submit_portal(state, customer, form))
        if not error:
            return f"{state.base_url}/portal/{session['id']}"
    customer_id = customer["id"]
    default_method = customer["invoice_settings"]["default_payment_method"]
    values = {
        "session": session,
        "customer": customer,
        "subscriptions": list(state.objects.all("subscription", customer=customer_id)),
        "methods": [
            (method, method["id"] == default_method)
            for method in state.objects.all("payment_method", customer=customer_id)
        ],
        "invoices": list(state.objects.all("invoice", customer=customer_id)),
        "product_names": {product["id"]: product["name"] for product in state.objects.all("product")},
        "error": error,
    }
    return Template("portal.html", values, DECLINED if error else 200)


def _submit_portal(state: AccountState, customer: Object, form: Form) -> None:
    """Cancel or renew a subscription, or add a default card."""
    if subscription_id := form.get("cancel") or form.get("renew"):
        subscription = state.objects.get("subscription", subscription_id)
        if subscription["customer"] != customer["id"]:
            raise ErrorResponse("This subscription belongs to another customer.", status=403)
        apply_update(state, subscription, {"cancel_at_period_end": "cancel" in form})
    elif "number" in form:
        method = attach_to(state, _card_method(state, form), customer)
        settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
        state.events.emit("updated", customer, state.objects.update(customer, invoice_settings=settings))
