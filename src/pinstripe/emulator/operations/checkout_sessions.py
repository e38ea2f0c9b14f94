"""Checkout sessions. https://docs.stripe.com/payments/checkout"""

from __future__ import annotations

from dataclasses import replace

from pinstripe.emulator.billing.line_items import (
    Totals,
    add_up,
    build_line_items,
    line_items_of,
    register_line_items,
    set_line_items,
    update_line_items,
)
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations import payment_intents, setup_intents, three_d_secure
from pinstripe.emulator.operations._checkout_checks import check_items, check_params, check_total
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._intents import intent_details
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.customers import create_customer
from pinstripe.emulator.operations.discounts import redeem_all
from pinstripe.emulator.operations.payment_methods import attach_to, create_payment_method
from pinstripe.emulator.operations.promotion_codes import check_minimum
from pinstripe.emulator.operations.subscriptions import start_subscription
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.state.tables import CheckoutSessionDetails
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

EMPTY_CUSTOMER_DETAILS: Object = {
    "address": None,
    "business_name": None,
    "email": None,
    "individual_name": None,
    "name": None,
    "phone": None,
    "tax_exempt": "none",
    "tax_ids": None,
}
DERIVED = {
    "line_items",
    "discounts",
    "customer",
    "expires_at",
    "shipping_options",
    "payment_intent_data",
    "subscription_data",
    "setup_intent_data",
}
"""The parameters of a new session that are not fields as they were passed."""
SUBSCRIPTION_DATA = (
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
"""The fields of ``subscription_data`` that are passed on to the subscription."""


@operation("checkout.sessions.create")
def create(context: OperationContext) -> Object:
    """Create a session, which is open for a day; ``url`` is its page."""
    params = context.params
    if "mode" not in params:
        raise missing_param("mode")
    check_params(params, context.state.clock.now())
    if _is_hosted(params) and not params.get("success_url"):
        _check_line_items(params)
        raise missing_param("success_url")
    return open_session(context.state, params)


def open_session(state: AccountState, params: Object, **fields: JSON) -> Object:
    """Store a session; ``fields`` are set as they are."""
    mode = _check_line_items(params)
    items = build_line_items(state, params.get("line_items") or [], params.get("currency"))
    if "payment_link" not in fields:
        check_items(params, items)
    _check_mode(mode, items)
    session = state.draft("checkout.session", {name: value for name, value in params.items() if name not in DERIVED})
    owner = {"customer": params.get("customer"), "checkout_session": session["id"]}
    discount_ids = redeem_all(state, params.get("discounts"), **owner)
    discounts = [state.objects["discount", discount_id] for discount_id in discount_ids]
    totals = add_up(state, items, discounts)
    if items:
        check_minimum(state, discounts, totals.subtotal, items[0]["currency"])
        check_total(mode, totals.total, items[0]["currency"])
    customer = state.objects.get("customer", params["customer"], "customer") if params.get("customer") else None
    session.update(
        **_amounts(mode, params, items, totals),
        **_access(state, session, params),
        **_customer_fields(mode, params, customer),
        automatic_tax=_automatic_tax(params),
        custom_fields=session.get("custom_fields") or [],
        discounts=[
            {"coupon": discount["source"]["coupon"], "promotion_code": discount["promotion_code"]}
            for discount in discounts
        ],
        mode=mode,
        payment_method_collection=params.get(
            "payment_method_collection", "always" if mode == "subscription" else "if_required"
        ),
        payment_method_types=params.get("allowed_payment_method_types") or ["card"],
        shipping_options=[],
        status="open",
        **fields,
    )
    set_line_items(state, session, items)
    details = CheckoutSessionDetails(
        payment_intent_data=params.get("payment_intent_data") or {},
        subscription_data=params.get("subscription_data") or {},
        setup_intent_data=params.get("setup_intent_data") or {},
        discounts=tuple(discount_ids),
    )
    state.tables.checkout_sessions.set(session["id"], details)
    state.objects.add(session)
    state.clock.schedule(session["expires_at"], "session.expire", session)
    return session


def _check_line_items(params: Object) -> str:
    """Return the mode of a session; raise `ErrorResponse` when it needs line items and has none."""
    mode = str(params.get("mode", "payment" if params.get("line_items") else "setup"))
    if mode != "setup" and not params.get("line_items"):
        raise missing_param("line_items")
    return mode


def _check_mode(mode: str, items: list[Object]) -> None:
    recurring = any(item["price"]["type"] == "recurring" for item in items)
    if mode == "payment" and recurring:
        raise ErrorResponse(
            "You specified `payment` mode but passed a recurring price. Use `subscription` mode.", param="mode"
        )
    if mode == "subscription" and not recurring:
        raise ErrorResponse("You must provide at least one recurring price in `subscription` mode.", param="line_items")


def _is_hosted(params: Object) -> bool:
    return bool(params.get("ui_mode", "hosted_page") == "hosted_page")


def _amounts(mode: str, params: Object, items: list[Object], totals: Totals) -> Object:
    return {
        "amount_subtotal": totals.subtotal if items else None,
        "amount_total": totals.total if items else None,
        "currency": items[0]["currency"] if items else params.get("currency", "usd"),
        "payment_status": "no_payment_required" if mode == "setup" or not totals.total else "unpaid",
        "total_details": totals.details,
    }


def _access(state: AccountState, session: Object, params: Object) -> Object:
    """Return the fields that say how the customer reaches the session: a page, or a client secret."""
    hosted, session_id = _is_hosted(params), session["id"]
    return {
        "client_secret": None if hosted else f"{session_id}_secret_{state.new_id('secret', 25)}",
        "expires_at": params.get("expires_at") or state.clock.now() + DAY,
        "ui_mode": params.get("ui_mode", "hosted_page"),
        "url": f"{state.base_url}/checkout/{session_id}" if hosted else None,
    }


def _customer_fields(mode: str, params: Object, customer: Object | None) -> Object:
    email = params.get("customer_email") or (customer or {}).get("email")
    creation = {"payment": params.get("customer_creation") or "if_required", "subscription": "always"}.get(mode)
    return {
        "customer": customer["id"] if customer else None,
        "customer_creation": creation,
        "customer_details": {**EMPTY_CUSTOMER_DETAILS, "email": email} if email else None,
    }


def _automatic_tax(params: Object) -> Object:
    enabled = bool((params.get("automatic_tax") or {}).get("enabled"))
    return {"enabled": enabled, "liability": None, "provider": None, "status": None}


@operation("checkout.sessions.update")
def update(context: OperationContext) -> Object:
    """Update a session; line items can change while it is open."""
    state, params = context.state, dict(context.params)
    session = state.objects.get("checkout.session", context.target_id)
    if item_params := params.pop("line_items", None):
        if session["status"] != "open":
            raise wrong_state(session, "update")
        items = update_line_items(state, session, item_params)
        discount_ids = state.tables.checkout_sessions[session["id"]].discounts
        totals = add_up(state, items, [state.objects["discount", discount_id] for discount_id in discount_ids])
        set_line_items(state, session, items)
        state.objects.update(
            session, amount_subtotal=totals.subtotal, amount_total=totals.total, total_details=totals.details
        )
    return state.apply_update(session, params)


register_line_items("checkout.session", "/v1/checkout/sessions", "checkout.sessions.line_items.list")


@list_filter("checkout.session", "customer_details")
def _has_email(session: Object, customer_details: Object) -> bool:
    return bool((session["customer_details"] or {}).get("email") == customer_details["email"])


@operation("checkout.sessions.expire")
def expire(context: OperationContext) -> Object:
    """Expire an open session."""
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


def complete(state: AccountState, session: Object, form: Object) -> Object:
    """Complete a session as its page does: pay, subscribe, or save a card.

    ``form`` holds the ``email``, ``name`` and ``card`` of the customer. Raises `ErrorResponse` for a declined card. The session
    stays open while the customer must authenticate the payment.
    """
    if session["status"] != "open":
        raise ErrorResponse(
            f"This session is {session['status']} and can no longer be completed.", code="checkout_session_not_open"
        )
    person = {"email": form.get("email"), "name": form.get("name")}
    method = create_payment_method(state, {"type": "card", "card": form["card"], "billing_details": person})
    customer = _session_customer(state, session, person)
    customer_details = {**EMPTY_CUSTOMER_DETAILS, **(session["customer_details"] or {}), **person}
    complete_mode = {"payment": _pay, "subscription": _subscribe, "setup": _set_up}[session["mode"]]
    fields = complete_mode(state, session, customer, method)
    if fields is None:
        return session
    customer_id = customer["id"] if customer else None
    fields = {"customer_details": customer_details, "customer": customer_id, **fields}
    state.objects.update(session, status="complete", url=None, **fields)
    state.events.emit("completed", session)
    return session


def _session_customer(state: AccountState, session: Object, person: Object) -> Object | None:
    """Return the customer of a session; a new one if the session creates one."""
    if session["customer"]:
        return state.objects.get("customer", session["customer"])
    if session["customer_creation"] != "always":
        return None
    details = state.tables.checkout_sessions[session["id"]]
    if details.customer is None:  # a customer whose first card was declined is not created again
        details = replace(details, customer=create_customer(state, person)["id"])
        state.tables.checkout_sessions.set(session["id"], details)
    return state.objects.get("customer", details.customer or "")


def _pay(state: AccountState, session: Object, customer: Object | None, method: Object) -> Object | None:
    """Pay a session, and return its new fields; ``None`` while the customer must authenticate."""
    if not session["amount_total"]:
        return {"payment_status": "no_payment_required"}
    customer_id = customer["id"] if customer else None
    intent = state.objects.find("payment_intent", session["payment_intent"])
    if intent is None:
        data = state.tables.checkout_sessions[session["id"]].payment_intent_data
        params = {
            **data,
            "amount": session["amount_total"],
            "currency": session["currency"],
            "automatic_payment_methods": {"enabled": False},
        }
        intent = payment_intents.create_payment_intent(state, params, customer=customer_id, payment_method=None)
        state.events.emit("created", intent)
        state.objects.update(session, payment_intent=intent["id"])
    state.objects.update(intent, payment_method=method["id"], customer=customer_id)
    payment_intents.confirm_payment_intent(state, intent, {})
    if intent["status"] == "requires_action":
        details = replace(intent_details(state, intent["id"]), checkout_session=session["id"])
        state.tables.intents.set(intent["id"], details)
        return None
    return {"payment_status": "paid" if intent["status"] == "succeeded" else "unpaid"}


def _subscribe(state: AccountState, session: Object, customer: Object | None, method: Object) -> Object:
    assert customer is not None  # noqa: S101  # in this mode a session always has a customer
    details, items = state.tables.checkout_sessions[session["id"]], line_items_of(state, session)
    attach_to(state, method, customer)
    data = details.subscription_data
    params: Object = {
        "customer": customer["id"],
        "default_payment_method": method["id"],
        "items": [_item_params(item) for item in items if item["price"]["recurring"]],
        "add_invoice_items": [_item_params(item) for item in items if not item["price"]["recurring"]],
        "payment_behavior": "error_if_incomplete",
        "discounts": [{"discount": discount_id} for discount_id in details.discounts],
        **{name: data[name] for name in SUBSCRIPTION_DATA if name in data},
    }
    subscription = start_subscription(state, params)
    return {"subscription": subscription["id"], "invoice": subscription["latest_invoice"], "payment_status": "paid"}


def _item_params(item: Object) -> Object:
    metered = (item["price"]["recurring"] or {}).get("usage_type") == "metered"
    return {"price": item["price"]["id"], **({} if metered else {"quantity": item["quantity"]})}


def _set_up(state: AccountState, session: Object, customer: Object | None, method: Object) -> Object:
    data = state.tables.checkout_sessions[session["id"]].setup_intent_data
    intent = setup_intents.create_setup_intent(
        state,
        {**data, "customer": customer["id"] if customer else None, "automatic_payment_methods": {"enabled": False}},
        method,
    )
    setup_intents.confirm_setup_intent(state, intent, {})
    return {"setup_intent": intent["id"]}


def _on_intent_succeeded(state: AccountState, intent: Object) -> None:
    """Complete the session whose payment was authenticated."""
    session = state.objects.find("checkout.session", intent_details(state, intent["id"]).checkout_session)
    if session is not None and session["status"] == "open":
        state.objects.update(session, status="complete", url=None, payment_status="paid", customer=intent["customer"])
        state.events.emit("completed", session)


payment_intents.OUTCOME_HOOKS["succeeded"].append(_on_intent_succeeded)


def complete_challenge(state: AccountState, intent_id: str, *, success: bool) -> Object:
    """Complete or fail the authentication of a payment or setup intent or of a card, and return the object."""
    if ("three_d_secure.authentication", intent_id) in state.objects:
        return three_d_secure.finish_challenge(state, intent_id, success=success)
    setup_intent = state.objects.find("setup_intent", intent_id)
    if setup_intent is not None:
        return setup_intents.finish_authentication(state, setup_intent, success=success)
    return payment_intents.finish_authentication(state, state.objects.get("payment_intent", intent_id), success=success)
