"""Checkout sessions: a page on which a customer pays, subscribes, or saves a card. https://docs.stripe.com/payments/checkout"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pinstripe.emulator.billing import line_items
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import payment_intents, setup_intents, three_d_secure
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._intents import intent_details
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.customers import create_customer
from pinstripe.emulator.operations.discounts import redeem
from pinstripe.emulator.operations.payment_methods import attach_to, create_payment_method
from pinstripe.emulator.operations.subscriptions import start
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import CheckoutSessionDetails
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

NO_DETAILS: Object = {
    "address": None,
    "business_name": None,
    "email": None,
    "individual_name": None,
    "name": None,
    "phone": None,
    "tax_exempt": "none",
    "tax_ids": None,
}


@operation("checkout.sessions.create")
def create(context: OperationContext) -> Object:
    """A session, open for a day; ``url`` is its page."""
    return open_session(context.state, context.params)


def open_session(state: AccountState, params: Object, **fields: Any) -> Object:  # Any: JSON
    """A session as the parameters of its creation say; kept."""
    mode = params.get("mode", "payment" if params.get("line_items") else "setup")
    if mode != "setup" and not params.get("line_items"):
        raise missing_param("line_items")
    hosted = params.get("ui_mode", "hosted_page") == "hosted_page"
    if hosted and not params.get("success_url") and not fields:
        raise missing_param("success_url")
    items = line_items.items(state, params.get("line_items") or [], params.get("currency"))
    recurring = [one["price"]["type"] == "recurring" for one in items]
    if mode == "payment" and any(recurring):
        raise ErrorResponse(
            "You specified `payment` mode but passed a recurring price. Use `subscription` mode.", param="mode"
        )
    if mode == "subscription" and not any(recurring):
        raise ErrorResponse("You must provide at least one recurring price in `subscription` mode.", param="line_items")
    own = (
        "line_items",
        "discounts",
        "customer",
        "expires_at",
        "shipping_options",
        "payment_intent_data",
        "subscription_data",
        "setup_intent_data",
    )
    session = state.draft("checkout.session", {name: value for name, value in params.items() if name not in own})
    owner = {"customer": params.get("customer"), "checkout_session": session["id"]}
    discounts = [
        redeem(state, one, f"discounts[{at}]", **owner) for at, one in enumerate(params.get("discounts") or [])
    ]
    totals = line_items.total_up(state, items, discounts)
    customer = state.objects.get("customer", params["customer"], "customer") if params.get("customer") else None
    email = params.get("customer_email") or (customer or {}).get("email")
    session.update(
        amount_subtotal=totals.subtotal if items else None,
        amount_total=totals.total if items else None,
        automatic_tax={
            "enabled": bool((params.get("automatic_tax") or {}).get("enabled")),
            "liability": None,
            "provider": None,
            "status": None,
        },
        client_secret=None if hosted else f"{session['id']}_secret_{state.new_id('secret', 25)}",
        currency=items[0]["currency"] if items else params.get("currency", "usd"),
        custom_fields=session.get("custom_fields") or [],
        customer=customer["id"] if customer else None,
        customer_creation=_creation(mode, params),
        customer_details={**NO_DETAILS, "email": email} if email else None,
        discounts=[{"coupon": one["source"]["coupon"], "promotion_code": one["promotion_code"]} for one in discounts],
        expires_at=params.get("expires_at") or state.clock.now() + DAY,
        mode=mode,
        payment_method_collection=params.get(
            "payment_method_collection", "always" if mode == "subscription" else "if_required"
        ),
        payment_method_types=params.get("allowed_payment_method_types") or ["card"],
        payment_status="no_payment_required" if mode == "setup" or not totals.total else "unpaid",
        shipping_options=[],
        status="open",
        total_details=totals.details,
        ui_mode=params.get("ui_mode", "hosted_page"),
        url=f"{state.base_url}/checkout/{session['id']}" if hosted else None,
        **fields,
    )
    line_items.store(state, session, items)
    details = CheckoutSessionDetails(
        payment_intent_data=params.get("payment_intent_data") or {},
        subscription_data=params.get("subscription_data") or {},
        setup_intent_data=params.get("setup_intent_data") or {},
        discounts=tuple(one["id"] for one in discounts),
    )
    state.tables.checkout_sessions.set(session["id"], details)
    state.objects.add(session)
    state.clock.schedule(session["expires_at"], "session.expire", session)
    return session


def _creation(mode: str, params: Object) -> str | None:
    if mode == "payment":
        return str(params.get("customer_creation") or "if_required")
    return "always" if mode == "subscription" else None


@operation("checkout.sessions.update")
def update(context: OperationContext) -> Object:
    """Change a session, and while it is open what is bought."""
    state, params = context.state, dict(context.params)
    session = state.objects.get("checkout.session", context.target_id)
    if given := params.pop("line_items", None):
        if session["status"] != "open":
            raise wrong_state(session, "update")
        bought = line_items.changed(state, session, given)
        discounts = [state.objects["discount", one] for one in state.tables.checkout_sessions[session["id"]].discounts]
        totals = line_items.total_up(state, bought, discounts)
        line_items.store(state, session, bought)
        sums = {"amount_subtotal": totals.subtotal, "amount_total": totals.total, "total_details": totals.details}
        state.objects.update(session, **sums)
    return state.apply_update(session, params)


line_items.show("checkout.session", "/v1/checkout/sessions", "checkout.sessions.line_items.list")


@list_filter("checkout.session", "customer_details")
def _is_by(session: Object, wanted: Object) -> bool:
    return bool((session["customer_details"] or {}).get("email") == wanted["email"])


@operation("checkout.sessions.expire")
def expire(context: OperationContext) -> Object:
    """Close a session that is open."""
    session = context.state.objects.get("checkout.session", context.target_id)
    if session["status"] != "open":
        raise wrong_state(session, "expire")
    _expire(context.state, session)
    return session


@timer_handler("session.expire")
def _expire(state: AccountState, session: Object) -> None:
    if session["status"] == "open":
        state.objects.update(session, status="expired", url=None)
        state.events.emit("expired", session)


def complete(state: AccountState, session: Object, given: Object) -> Object:
    """What the page's button does: ``given`` is what the customer typed. Raises a `ErrorResponse` where the card is declined."""
    if session["status"] != "open":
        raise ErrorResponse(
            f"This session is {session['status']}: it can't be paid any more.", code="checkout_session_not_open"
        )
    method = create_payment_method(
        state,
        {
            "type": "card",
            "card": given["card"],
            "billing_details": {"email": given.get("email"), "name": given.get("name")},
        },
    )
    customer = _customer(state, session, given)
    shown = (session["customer_details"] or {}) | {"email": given.get("email"), "name": given.get("name")}
    customer_details = {**NO_DETAILS, **shown}
    details = state.tables.checkout_sessions[session["id"]]
    fields: Object = {"customer_details": customer_details, "customer": customer["id"] if customer else None}
    fields |= {"payment": _pay, "subscription": _subscribe, "setup": _set_up}[session["mode"]](
        state, session, customer, method, details
    )
    if fields.get("waits"):
        return session
    state.objects.update(session, status="complete", url=None, **fields)
    state.events.emit("completed", session)
    return session


def _customer(state: AccountState, session: Object, given: Object) -> Object | None:
    if session["customer"]:
        return state.objects.get("customer", session["customer"])
    if session["customer_creation"] != "always":
        return None
    details = state.tables.checkout_sessions[session["id"]]
    if details.customer is None:  # one customer, however often the card is declined
        customer = create_customer(state, {"email": given.get("email"), "name": given.get("name")})
        details = replace(details, customer=customer["id"])
        state.tables.checkout_sessions.set(session["id"], details)
    return state.objects.get("customer", details.customer or "")


def _pay(
    state: AccountState, session: Object, customer: Object | None, method: Object, details: CheckoutSessionDetails
) -> Object:
    data = details.payment_intent_data
    if not session["amount_total"]:
        return {"payment_status": "no_payment_required"}
    intent = state.objects.find("payment_intent", session["payment_intent"])
    if intent is None:
        asked = {**data, "amount": session["amount_total"], "currency": session["currency"]}
        intent = payment_intents.create_payment_intent(
            state, asked, customer=customer["id"] if customer else None, payment_method=None
        )
        state.events.emit("created", intent)
        state.objects.update(session, payment_intent=intent["id"])
    state.objects.update(intent, payment_method=method["id"], customer=customer["id"] if customer else None)
    payment_intents.confirm_payment_intent(state, intent, {})
    if intent["status"] == "requires_action":
        state.tables.intents.set(
            intent["id"], replace(intent_details(state, intent["id"]), checkout_session=session["id"])
        )
        return {"waits": True}
    return {"payment_status": "paid" if intent["status"] == "succeeded" else "unpaid"}


def _subscribe(
    state: AccountState, session: Object, customer: Object | None, method: Object, details: CheckoutSessionDetails
) -> Object:
    assert customer is not None  # noqa: S101  # sessions that subscribe always have one
    data, items = details.subscription_data, line_items.kept(state, session)
    attach_to(state, method, customer)
    given: Object = {
        "customer": customer["id"],
        "default_payment_method": method["id"],
        "items": [_asked(one) for one in items if one["price"]["recurring"]],
        "add_invoice_items": [_asked(one) for one in items if not one["price"]["recurring"]],
        "payment_behavior": "error_if_incomplete",
        "discounts": [{"discount": one} for one in details.discounts],
    }
    known = (
        "trial_period_days",
        "trial_end",
        "metadata",
        "description",
        "default_tax_rates",
        "billing_cycle_anchor",
        "billing_cycle_anchor_config",
        "invoice_settings",
        "proration_behavior",
        "trial_settings",
    )
    subscription = start(state, {**given, **{name: data[name] for name in known if name in data}})
    return {"subscription": subscription["id"], "invoice": subscription["latest_invoice"], "payment_status": "paid"}


def _asked(item: Object) -> Object:
    metered = (item["price"]["recurring"] or {}).get("usage_type") == "metered"
    return {"price": item["price"]["id"], **({} if metered else {"quantity": item["quantity"]})}


def _set_up(
    state: AccountState, session: Object, customer: Object | None, method: Object, details: CheckoutSessionDetails
) -> Object:
    asked = {**details.setup_intent_data, "customer": customer["id"] if customer else None}
    intent = setup_intents.create_setup_intent(state, asked, method)
    setup_intents.confirm_setup_intent(state, intent, {})
    return {"setup_intent": intent["id"]}


def _after_intent(state: AccountState, intent: Object) -> None:
    """The customer has answered a challenge: the session is paid."""
    session = state.objects.find("checkout.session", intent_details(state, intent["id"]).checkout_session)
    if session is not None and session["status"] == "open":
        state.objects.update(session, status="complete", url=None, payment_status="paid", customer=intent["customer"])
        state.events.emit("completed", session)


payment_intents.OUTCOME_HOOKS["succeeded"].append(_after_intent)


def answer_challenge(state: AccountState, identifier: str, *, success: bool) -> Object:
    """The bank's customer has answered: go on with the intent, and with what waits for it."""
    if ("three_d_secure.authentication", identifier) in state.objects:
        return three_d_secure.finish_challenge(state, identifier, success=success)
    setup_intent = state.objects.find("setup_intent", identifier)
    if setup_intent is not None:
        return setup_intents.finish_authentication(state, setup_intent, success=success)
    intent = state.objects.get("payment_intent", identifier)
    return payment_intents.finish_authentication(state, intent, success=success)
