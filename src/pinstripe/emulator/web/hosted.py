"""The registry of the pages that Stripe hosts, and Checkout, payment links and 3-D Secure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from pinstripe.emulator.billing.line_items import add_up, line_items_of
from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.billing.pricing import cost, in_currency
from pinstripe.emulator.operations import checkout_codes, checkout_completion, payment_links
from pinstripe.emulator.operations._intents import intent_details, set_return_url
from pinstripe.emulator.operations.discounts import coupon_of
from pinstripe.emulator.operations.payment_methods import create_payment_method
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
QUERY_PAGES = ("pay",)
"""The pages without a form; they get the query instead."""
EXPIRY = re.compile(r"\s*(\d{1,2})\s*[-/. ]?\s*(\d{4}|\d{2})\s*")


def page(name: str, rest: str = "") -> Callable[[Page], Page]:
    """Register the decorated function for the pages at ``/name/{id}/rest``."""

    def register(function: Page) -> Page:
        PAGES[name, rest] = function
        return function

    return register


def parse_card(form: Form) -> Object:
    """Return the card of a form; raise `ErrorResponse` for an expiration date that is not like 12/34, 1234 or 12 / 2034."""
    expiry = EXPIRY.fullmatch(form.get("expiry") or "12/34")
    if expiry is None:
        raise ErrorResponse("Your card's expiration date is incomplete.", status=DECLINED)
    month, year = map(int, expiry.groups())
    return {
        "number": re.sub(r"[\s-]", "", form.get("number", "")),
        "exp_month": month,
        "exp_year": year if year > 99 else 2000 + year,
        "cvc": form.get("cvc") or "123",
    }


def card_method(state: AccountState, form: Form) -> Object:
    """Create a payment method with the card of a form."""
    return create_payment_method(state, {"type": "card", "card": parse_card(form)})


def decline_message(action: Callable[[], object]) -> str:
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


def unit_details(state: AccountState, price: Object, quantity: int, currency: str) -> str:
    """Return ``3 × $29.00``; empty for one unit and for prices with tiers or packages."""
    unit_amount = in_currency(state, price, currency)[0].get("unit_amount_decimal")
    if unit_amount is None or quantity < 2 or price.get("transform_quantity"):
        return ""
    return f"{quantity} × {format_amount(Decimal(unit_amount), currency)}"


def format_interval(recurring: Object) -> str:
    """Return ``per month`` or ``every 3 months``."""
    interval, count = recurring["interval"], recurring["interval_count"]
    return f"per {interval}" if count == 1 else f"every {count} {interval}s"


@page("checkout")
def checkout(state: AccountState, session: Object, form: Form | None) -> Template | str:
    """Show a checkout session, and complete it."""
    error = code_error = ""
    if form is not None and form.get("action"):
        code = form.get("promotion_code", "") if form["action"] == "apply" else None
        code_error = checkout_codes.change_code(state, session, code)
    elif form is not None:
        error = decline_message(lambda: _complete(state, session, form))
    intent = checkout_completion.challenge_of(state, session)
    if intent is not None and intent["status"] == "requires_action":
        set_return_url(state, intent["id"], f"{state.base_url}/checkout/{session['id']}")
        return f"{state.base_url}/authenticate/{intent['id']}"
    if session["status"] == "complete":
        url = (session["success_url"] or "").replace("{CHECKOUT_SESSION_ID}", session["id"])
        return url or Template("message.html", {"title": "Thank you", "text": _confirmation(state, session)})
    status = DECLINED if error else 200
    if not error and intent is not None:
        error = ((intent.get("last_payment_error") or intent.get("last_setup_error")) or {}).get("message", "")
    customer = state.objects.find("customer", session["customer"]) or {}
    details = session["customer_details"] or {}
    values = {
        **_order(state, session),
        "session": session,
        "needs_card": checkout_completion.needs_card(session),
        "can_enter_code": checkout_codes.can_change_code(state, session),
        "email": customer.get("email") or details.get("email"),
        "known": bool(customer.get("email")),
        "name": details.get("name") or customer.get("name"),
        "error": error,
        "code_error": code_error,
        "form": form or {},
    }
    return Template("checkout.html", values, status)


def _complete(state: AccountState, session: Object, form: Form) -> None:
    card = {"card": parse_card(form)} if "number" in form else {}
    checkout_completion.complete(state, session, {**form, **card})


def _confirmation(state: AccountState, session: Object) -> str:
    link = state.objects.find("payment_link", session["payment_link"]) or {}
    confirmation = (link.get("after_completion") or {}).get("hosted_confirmation") or {}
    return confirmation.get("custom_message") or "Your payment was successful."


def _order(state: AccountState, session: Object) -> dict[str, Any]:  # Any: values of a template
    """Return what a session costs: its items, discounts, the amount due today, and what is due in each later period."""
    items, details = line_items_of(state, session), state.tables.checkout_sessions[session["id"]]
    discounts = [state.objects["discount", discount_id] for discount_id in details.discounts]
    coupons = [coupon_of(state, discount) for discount in discounts]
    codes = [state.objects.find("promotion_code", discount["promotion_code"]) for discount in discounts]
    lasting = [discount for discount, coupon in zip(discounts, coupons, strict=True) if coupon["duration"] != "once"]
    recurring = [item for item in items if item["price"]["recurring"]]
    later = [{**item, "amount_subtotal": _full_amount(state, item)} for item in recurring]
    later_total = add_up(state, later, lasting).total if later else 0
    intervals = {format_interval(item["price"]["recurring"]) for item in recurring}
    metered = any(item["price"]["recurring"]["usage_type"] == "metered" for item in recurring)
    return {
        "lines": [_line(state, item) for item in items],
        "discounts": [
            ((code or {}).get("code") or coupon["name"] or coupon["id"], _terms(coupon))
            for code, coupon in zip(codes, coupons, strict=True)
        ],
        "free": sum(item["amount_subtotal"] for item in later) - sum(item["amount_subtotal"] for item in recurring),
        "trial": _trial(details.subscription_data),
        "trial_end": details.subscription_data.get("trial_end"),
        "later": f"{format_amount(later_total, session['currency'])} {intervals.pop()}" if len(intervals) == 1 else "",
        "metered": metered,
        "repeats": bool(recurring),
    }


def _full_amount(state: AccountState, item: Object) -> int:
    """Return what an item costs without a trial or discounts; 0 if it depends on usage."""
    return cost(state, item["price"], item["quantity"], item["currency"]) if item["quantity"] else 0


def _line(state: AccountState, item: Object) -> tuple[str, str, str]:
    """Return the description of an item, its unit price and its amount."""
    price = item["price"]
    interval = f" {format_interval(price['recurring'])}" if price["recurring"] else ""
    if not item["quantity"]:
        return item["description"], f"by usage{interval}", ""
    details = unit_details(state, price, item["quantity"], item["currency"])
    return (
        item["description"],
        f"{details}{interval}".strip(),
        format_amount(_full_amount(state, item), item["currency"]),
    )


def _trial(subscription_data: Object) -> str:
    days = subscription_data.get("trial_period_days")
    return f"{days} {'day' if days == 1 else 'days'}" if days else ""


def _terms(coupon: Object) -> str:
    """Return what a coupon takes off and for how long: ``20% off for 3 months``."""
    if coupon["percent_off"] is not None:
        value = f"{coupon['percent_off']:g}% off"
    else:
        value = f"{format_amount(coupon['amount_off'], coupon['currency'])} off"
    months = coupon["duration_in_months"]
    return f"{value} " + (coupon["duration"] if not months else f"for {months} month{'s' if months > 1 else ''}")


@page("pay")
def payment_link(state: AccountState, link: Object, form: Form | None) -> str:
    """Open a payment link: redirect to a new checkout session. ``form`` is the query of the URL."""
    return str(payment_links.open_link(state, link, form)["url"])


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
