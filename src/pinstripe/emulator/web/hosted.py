"""The pages that Stripe hosts: Checkout, payment links, the customer portal, invoices, and the bank's challenge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.billing.money import written
from pinstripe.emulator.operations import checkout_sessions, invoices, payment_links
from pinstripe.emulator.operations._intents import intent_details, set_return_url
from pinstripe.emulator.operations.payment_methods import attach_to, create_payment_method
from pinstripe.emulator.operations.quotes import paper
from pinstripe.emulator.operations.subscription_updates import apply
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse


@dataclass
class Shown:
    """A template, and what it shows."""

    template: str
    values: dict[str, Any]  # Any: as Jinja takes it
    status: int = 200


Content: TypeAlias = Shown | str | bytes
"""A template with its values, a URL to redirect to, or a PDF."""
Page: TypeAlias = Callable[[AccountState, Object, dict[str, str] | None], Content]
"""Returns the content of a page about an object; the form that was submitted is the last argument."""
PAGES: dict[tuple[str, str], Page] = {}


def page(name: str, rest: str = "") -> Callable[[Page], Page]:
    """Say what is shown at ``/name/{id}/rest``."""

    def keep(function: Page) -> Page:
        PAGES[name, rest] = function
        return function

    return keep


def card(given: dict[str, str]) -> Object:
    """The card that somebody typed."""
    month, _, year = given.get("expiry", "12 / 34").replace(" ", "").partition("/")
    if not (month.isdigit() and year.isdigit()):
        raise ErrorResponse("Your card's expiration date is incomplete.", status=402)
    whole = int(year) if int(year) > 99 else 2000 + int(year)
    number = given.get("number", "").replace(" ", "")
    return {"number": number, "exp_month": int(month), "exp_year": whole, "cvc": given.get("cvc", "123")}


@page("checkout")
def pay(state: AccountState, session: Object, given: dict[str, str] | None) -> Shown | str:
    """Checkout."""
    error = ""
    if given is not None:
        try:
            checkout_sessions.complete(state, session, {**given, "card": card(given)})
        except ErrorResponse as error_response:
            error = _kept_error(error_response)
    intent = state.objects.find("payment_intent", session["payment_intent"])
    if intent is not None and intent["status"] == "requires_action":
        set_return_url(state, intent["id"], f"{state.base_url}/checkout/{session['id']}")
        return f"{state.base_url}/authenticate/{intent['id']}"
    if session["status"] == "complete":
        url = (session["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", session["id"])
        return url or Shown("message.html", {"title": "Thank you", "text": "Your payment was successful."})
    values = {"session": session, "items": line_items.kept(state, session), "error": error, "given": given or {}}
    return Shown("checkout.html", values, 402 if error else 200)


def _kept_error(error_response: ErrorResponse) -> str:
    """A decline is shown on the page, and stays as an effect; anything else is another page."""
    if error_response.status != 402:
        raise error_response
    return str(error_response)


@page("pay")
def link(state: AccountState, found: Object, given: dict[str, str] | None) -> str:
    """A payment link: a new checkout for everybody."""
    return str(payment_links.follow(state, found)["url"])


@page("authenticate")
def authenticate(state: AccountState, intent: Object, given: dict[str, str] | None) -> Shown | str:
    """The bank's challenge."""
    if given is not None and intent["status"] in ("requires_action", "requires_challenge"):
        checkout_sessions.answer_challenge(state, intent["id"], success=given.get("answer") == "complete")
        if url := intent_details(state, intent["id"]).return_url:
            kind = intent["object"]
            return (
                f"{url}{'&' if '?' in url else '?'}{kind}={intent['id']}&{kind}_client_secret={intent['client_secret']}"
            )
    return Shown("authenticate.html", {"intent": intent})


@page("invoices")
def invoice(state: AccountState, found: Object, given: dict[str, str] | None) -> Shown:
    """An invoice, which its customer can pay."""
    error = ""
    if given is not None and found["status"] == "open":
        try:
            method = create_payment_method(state, {"type": "card", "card": card(given)})
            invoices.pay_with(state, found, method)
        except ErrorResponse as error_response:
            error = _kept_error(error_response)
    return Shown("invoice.html", {"invoice": found, "error": error, "given": given or {}}, 402 if error else 200)


@page("invoices", "pdf")
def invoice_paper(state: AccountState, found: Object, given: dict[str, str] | None) -> bytes:
    """An invoice on paper."""
    lines = [f"{line['description']}: {written(line['amount'], line['currency'])}" for line in found["lines"]["data"]]
    return paper([f"Invoice {found['number']}", *lines, f"Total: {written(found['total'], found['currency'])}"])


@page("portal")
def portal(state: AccountState, session: Object, given: dict[str, str] | None) -> Shown | str:
    """The customer portal."""
    customer = state.objects.get("customer", session["customer"])
    error = ""
    if given is not None:
        try:
            _act(state, customer, given)
            return f"{state.base_url}/portal/{session['id']}"
        except ErrorResponse as error_response:
            error = _kept_error(error_response)
    default = customer["invoice_settings"]["default_payment_method"]
    values = {
        "session": session,
        "customer": customer,
        "subscriptions": list(state.objects.all("subscription", customer=customer["id"])),
        "methods": [
            (one, one["id"] == default) for one in state.objects.all("payment_method", customer=customer["id"])
        ],
        "invoices": list(state.objects.all("invoice", customer=customer["id"])),
        "names": {one["id"]: one["name"] for one in state.objects.all("product")},
        "error": error,
    }
    return Shown("portal.html", values, 402 if error else 200)


def _act(state: AccountState, customer: Object, given: dict[str, str]) -> None:
    """What the buttons of the portal do."""
    if identifier := given.get("cancel") or given.get("renew"):
        subscription = state.objects.get("subscription", identifier)
        if subscription["customer"] != customer["id"]:
            raise ErrorResponse("That is another customer's subscription.", status=403)
        apply(state, subscription, {"cancel_at_period_end": "cancel" in given})
    elif "number" in given:
        method = attach_to(state, create_payment_method(state, {"type": "card", "card": card(given)}), customer)
        settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
        state.events.emit("updated", customer, state.objects.update(customer, invoice_settings=settings))
