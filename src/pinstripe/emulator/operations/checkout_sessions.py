"""Checkout sessions. https://docs.stripe.com/payments/checkout"""

from __future__ import annotations

from pinstripe.emulator.billing.line_items import (
    Totals,
    add_up,
    build_line_items,
    register_line_items,
    set_line_items,
    update_line_items,
)
from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._checkout_checks import check_items, check_params, check_total
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._payment_method_types import ALLOWED, compatible_types
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.discounts import redeem_all, release
from pinstripe.emulator.operations.promotion_codes import check_minimum
from pinstripe.emulator.operations.transfers import check_connect
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
CONNECT_FEES = {"payment_intent_data": "application_fee_amount", "subscription_data": "application_fee_percent"}
"""The parameters that share payments with connected accounts, and the names of the platform's fees in them."""


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
    _apply_trial(items, params.get("subscription_data") or {})
    for name, fee in CONNECT_FEES.items():
        check_connect(state, params.get(name) or {}, fee, name)
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
        payment_method_types=compatible_types(params.get(ALLOWED), items[0]["currency"] if items else ""),
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


def _apply_trial(items: list[Object], subscription_data: Object) -> None:
    """Set what recurring line items cost now to 0 if the subscription begins with a trial."""
    if subscription_data.get("trial_period_days") or subscription_data.get("trial_end"):
        for item in items:
            if item["price"]["recurring"]:
                item.update(amount_subtotal=0, amount_total=0)


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
        items, details = update_line_items(state, session, item_params), state.tables.checkout_sessions[session["id"]]
        _apply_trial(items, details.subscription_data)
        discount_ids = details.discounts
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
    return expire_session(context.state, context.state.objects.get("checkout.session", context.target_id))


def expire_session(state: AccountState, session: Object) -> Object:
    """Expire a session; raise `ErrorResponse` for one that is not open."""
    if session["status"] != "open":
        raise wrong_state(session, "expire")
    _expire(state, session)
    return session


@timer_handler("session.expire")
def _expire(state: AccountState, session: Object) -> None:
    if session["status"] == "open":
        details = state.tables.checkout_sessions[session["id"]]
        for discount_id in details.discounts if not details.subscription else ():
            release(state, state.objects["discount", discount_id])
        state.objects.update(session, status="expired", url=None)
        state.events.emit("expired", session)
