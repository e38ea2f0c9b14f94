"""The pages that Stripe hosts: Checkout, payment links, the customer portal, invoices, and the bank's challenge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.billing.money import written
from pinstripe.emulator.operations import checkout_sessions, invoices, payment_links
from pinstripe.emulator.operations.payment_methods import attach_to, from_data
from pinstripe.emulator.operations.quotes import paper
from pinstripe.emulator.operations.subscription_updates import apply
from pinstripe.emulator.state.account import Object, World
from pinstripe.emulator.validation.errors import Refusal


@dataclass
class Shown:
    """A template, and what it shows."""

    template: str
    values: dict[str, Any]  # Any: as Jinja takes it
    status: int = 200


Page: TypeAlias = Callable[[World, Object, dict[str, str] | None], Shown | str | bytes]
"""What is shown: a template, the address to go to, or a document. What was typed comes with it, where something was."""
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
        raise Refusal("Your card's expiration date is incomplete.", status=402)
    whole = int(year) if int(year) > 99 else 2000 + int(year)
    number = given.get("number", "").replace(" ", "")
    return {"number": number, "exp_month": int(month), "exp_year": whole, "cvc": given.get("cvc", "123")}


@page("checkout")
def pay(world: World, session: Object, given: dict[str, str] | None) -> Shown | str:
    """Checkout."""
    error = ""
    if given is not None:
        try:
            checkout_sessions.complete(world, session, {**given, "card": card(given)})
        except Refusal as refusal:
            error = _kept_error(refusal)
    waits = world.objects.get(session["payment_intent"] or "", {})
    if waits.get("status") == "requires_action":
        world.hide(f"return_url:{waits['id']}", f"{world.base}/checkout/{session['id']}")
        return f"{world.base}/authenticate/{waits['id']}"
    if session["status"] == "complete":
        url = (session["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", session["id"])
        return url or Shown("message.html", {"title": "Thank you", "text": "Your payment was successful."})
    values = {"session": session, "items": line_items.kept(world, session), "error": error, "given": given or {}}
    return Shown("checkout.html", values, 402 if error else 200)


def _kept_error(refusal: Refusal) -> str:
    """A decline is shown on the page, and stays as an effect; anything else is another page."""
    if refusal.status != 402:
        raise refusal
    return str(refusal)


@page("pay")
def link(world: World, found: Object, given: dict[str, str] | None) -> str:
    """A payment link: a new checkout for everybody."""
    return str(payment_links.follow(world, found)["url"])


@page("authenticate")
def authenticate(world: World, intent: Object, given: dict[str, str] | None) -> Shown | str:
    """The bank's challenge."""
    if given is not None and intent["status"] == "requires_action":
        checkout_sessions.answer_challenge(world, intent["id"], success=given.get("answer") == "complete")
        if url := world.hidden.get(f"return_url:{intent['id']}"):
            kind = intent["object"]
            return (
                f"{url}{'&' if '?' in url else '?'}{kind}={intent['id']}&{kind}_client_secret={intent['client_secret']}"
            )
    return Shown("authenticate.html", {"intent": intent})


@page("invoices")
def invoice(world: World, found: Object, given: dict[str, str] | None) -> Shown:
    """An invoice, which its customer can pay."""
    error = ""
    if given is not None and found["status"] == "open":
        try:
            method = from_data(world, {"type": "card", "card": card(given)})
            invoices.pay_with(world, found, method)
        except Refusal as refusal:
            error = _kept_error(refusal)
    return Shown("invoice.html", {"invoice": found, "error": error, "given": given or {}}, 402 if error else 200)


@page("invoices", "pdf")
def invoice_paper(world: World, found: Object, given: dict[str, str] | None) -> bytes:
    """An invoice on paper."""
    lines = [f"{line['description']}: {written(line['amount'], line['currency'])}" for line in found["lines"]["data"]]
    return paper([f"Invoice {found['number']}", *lines, f"Total: {written(found['total'], found['currency'])}"])


@page("portal")
def portal(world: World, session: Object, given: dict[str, str] | None) -> Shown | str:
    """The customer portal."""
    customer = world.get("customer", session["customer"])
    error = ""
    if given is not None:
        try:
            _act(world, customer, given)
            return f"{world.base}/portal/{session['id']}"
        except Refusal as refusal:
            error = _kept_error(refusal)
    default = customer["invoice_settings"]["default_payment_method"]
    values = {
        "session": session,
        "customer": customer,
        "subscriptions": list(world.every("subscription", customer=customer["id"])),
        "methods": [(one, one["id"] == default) for one in world.every("payment_method", customer=customer["id"])],
        "invoices": list(world.every("invoice", customer=customer["id"])),
        "names": {one["id"]: one["name"] for one in world.every("product")},
        "error": error,
    }
    return Shown("portal.html", values, 402 if error else 200)


def _act(world: World, customer: Object, given: dict[str, str]) -> None:
    """What the buttons of the portal do."""
    if identifier := given.get("cancel") or given.get("renew"):
        subscription = world.get("subscription", identifier)
        if subscription["customer"] != customer["id"]:
            raise Refusal("That is another customer's subscription.", status=403)
        apply(world, subscription, {"cancel_at_period_end": "cancel" in given})
    elif "number" in given:
        method = attach_to(world, from_data(world, {"type": "card", "card": card(given)}), customer)
        settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
        world.emit("updated", customer, world.change(customer, invoice_settings=settings))
