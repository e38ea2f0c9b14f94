"""Promotion codes that customers enter on the page of a checkout session.

https://docs.stripe.com/payments/checkout/discounts#promotion-codes
"""

from __future__ import annotations

from dataclasses import replace

from pinstripe.emulator.billing.line_items import add_up, line_items_of, set_line_items
from pinstripe.emulator.operations._checkout_checks import check_total
from pinstripe.emulator.operations.discounts import redeem, release
from pinstripe.emulator.operations.promotion_codes import check_minimum
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse


def can_change_code(state: AccountState, session: Object) -> bool:
    """Return whether a session accepts promotion codes, and the customer has not tried to pay yet."""
    details = state.tables.checkout_sessions[session["id"]]
    started = session["payment_intent"] or details.subscription or details.challenge
    return bool(session["allow_promotion_codes"] and session["status"] == "open" and not started)


def change_code(state: AccountState, session: Object, code: str | None) -> str:
    """Apply a promotion code to a session instead of the previous one; ``None`` only removes it.

    Returns the message for a code that does not exist or cannot be redeemed, and then changes nothing.
    """
    savepoint = state.transaction.savepoint()
    try:
        _change_code(state, session, code)
    except ErrorResponse as error:
        state.transaction.rollback(savepoint)
        return str(error)
    return ""


def _change_code(state: AccountState, session: Object, code: str | None) -> None:
    if not can_change_code(state, session):
        raise ErrorResponse("Promotion codes can no longer be changed.")
    details = state.tables.checkout_sessions[session["id"]]
    for discount_id in details.discounts:
        release(state, state.objects["discount", discount_id])
    discounts = [_redeem(state, session, code)] if code is not None else []
    items = [dict(item) for item in line_items_of(state, session)]
    totals = add_up(state, items, discounts)
    discount_ids = tuple(discount["id"] for discount in discounts)
    state.tables.checkout_sessions.set(session["id"], replace(details, discounts=discount_ids))
    check_minimum(state, discounts, totals.subtotal, session["currency"])
    check_total(session["mode"], totals.total, session["currency"])
    set_line_items(state, session, items)
    state.objects.update(
        session,
        amount_subtotal=totals.subtotal,
        amount_total=totals.total,
        total_details=totals.details,
        discounts=[
            {"coupon": discount["source"]["coupon"], "promotion_code": discount["promotion_code"]}
            for discount in discounts
        ],
    )


def _redeem(state: AccountState, session: Object, code: str) -> Object:
    for promotion_code in state.objects.all("promotion_code"):
        if promotion_code["active"] and promotion_code["code"].lower() == code.strip().lower():
            owner = {"customer": session["customer"], "checkout_session": session["id"]}
            return redeem(state, {"promotion_code": promotion_code["id"]}, "discounts[0]", **owner)
    raise ErrorResponse("This code is invalid.", code="resource_missing", param="promotion_code")
