"""Complete checkout sessions as their pages do: pay, subscribe, or save a card, with 3-D Secure where the card requires it.

https://docs.stripe.com/payments/checkout/how-checkout-works
"""

from __future__ import annotations

from dataclasses import replace

from pinstripe.emulator.billing.line_items import line_items_of
from pinstripe.emulator.billing.pricing import is_metered
from pinstripe.emulator.operations import payment_intents, setup_intents, three_d_secure
from pinstripe.emulator.operations._intents import intent_details
from pinstripe.emulator.operations.checkout_sessions import EMPTY_CUSTOMER_DETAILS
from pinstripe.emulator.operations.customers import create_customer
from pinstripe.emulator.operations.invoice_payments import pay, payment_of
from pinstripe.emulator.operations.payment_methods import attach_to, create_payment_method
from pinstripe.emulator.operations.subscriptions import start_subscription
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse

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
    "application_fee_percent",
    "transfer_data",
    "on_behalf_of",
)
"""The fields of ``subscription_data`` that are passed on to the subscription."""
INTENTS = ("payment_intent", "setup_intent")


def complete(state: AccountState, session: Object, form: Object, method: Object | None = None) -> Object:
    """Complete a session as its page does: pay, subscribe, or save a card.

    ``form`` holds the ``email`` and ``name`` of the customer, and the ``card`` unless there is a payment method. Raises
    `ErrorResponse` for a declined card. The session stays open while the customer must authenticate the card.
    """
    if session["status"] != "open":
        raise ErrorResponse(
            f"This session is {session['status']} and can no longer be completed.", code="checkout_session_not_open"
        )
    person = {"email": form.get("email"), "name": form.get("name")}
    if method is None and form.get("card"):
        method = create_payment_method(state, {"type": "card", "card": form["card"], "billing_details": person})
    if method is None and needs_card(session):
        raise ErrorResponse(
            "Your card number is incomplete.", status=DECLINED, type="card_error", code="incomplete_number"
        )
    customer = _session_customer(state, session, person)
    intent = {"payment": _pay, "subscription": _subscribe, "setup": _set_up}[session["mode"]](
        state, session, customer, method
    )
    state.objects.update(
        session,
        customer=customer["id"] if customer else None,
        customer_details={**EMPTY_CUSTOMER_DETAILS, **(session["customer_details"] or {}), **person},
    )
    if intent is not None and intent["status"] in ("requires_action", "processing"):
        state.tables.intents.set(
            intent["id"], replace(intent_details(state, intent["id"]), checkout_session=session["id"])
        )
    if intent is not None and intent["status"] == "requires_action":
        details = replace(state.tables.checkout_sessions[session["id"]], challenge=intent["id"])
        state.tables.checkout_sessions.set(session["id"], details)
    else:
        _finish(state, session)
    return session


def needs_card(session: Object) -> bool:
    """Return whether a session can only be completed with a payment method."""
    return bool(
        session["mode"] == "setup" or session["amount_total"] or session["payment_method_collection"] == "always"
    )


def challenge_of(state: AccountState, session: Object) -> Object | None:
    """Return the intent that the customer of a session must authenticate, or failed to."""
    details = state.tables.checkout_sessions.get(session["id"])
    return state.objects.find(INTENTS, details.challenge) if details else None


def _finish(state: AccountState, session: Object) -> None:
    fields: Object = {}
    if session["mode"] == "subscription":
        subscription = state.objects["subscription", state.tables.checkout_sessions[session["id"]].subscription or ""]
        fields = {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
    if session["mode"] != "setup":
        fields["payment_status"] = "paid" if session["amount_total"] else "no_payment_required"
    if session["payment_intent"]:
        intent = state.objects["payment_intent", session["payment_intent"]]
        fields["payment_status"] = "paid" if intent["status"] == "succeeded" else "unpaid"
    state.objects.update(session, status="complete", url=None, **fields)
    state.events.emit("completed", session)


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


def _pay(state: AccountState, session: Object, customer: Object | None, method: Object | None) -> Object | None:
    """Pay a session, and return its payment intent, if an amount is due."""
    if not session["amount_total"] or method is None:
        return None
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
    return payment_intents.confirm_payment_intent(state, intent, {})


def _subscribe(state: AccountState, session: Object, customer: Object | None, method: Object | None) -> Object | None:
    """Start the subscription of a session and pay for it; return the intent that its card must authenticate, if any.

    A declined card leaves no subscription; one whose authentication failed is paid with the next card.
    """
    assert customer is not None  # noqa: S101  # in this mode a session always has a customer
    savepoint, details = state.transaction.savepoint(), state.tables.checkout_sessions[session["id"]]
    if method is not None:
        attach_to(state, method, customer)
    subscription = state.objects.find("subscription", details.subscription)
    if subscription is None:
        subscription = start_subscription(state, _subscription_params(state, session, customer, method))
        state.tables.checkout_sessions.set(session["id"], replace(details, subscription=subscription["id"]))
    elif method is not None:
        state.objects.update(subscription, default_payment_method=method["id"])
    if method is None:
        return None
    if subscription["pending_setup_intent"]:
        intent = state.objects["setup_intent", subscription["pending_setup_intent"]]
        if intent["status"] == "requires_payment_method":
            state.objects.update(intent, payment_method=method["id"])
            setup_intents.confirm_setup_intent(state, intent, {})
        return intent
    invoice = state.objects.find("invoice", subscription["latest_invoice"])
    payment = payment_of(state, invoice) if invoice is not None else None
    if invoice is None or payment is None or invoice["status"] != "open":
        return None
    try:
        pay(state, invoice, method)
    except ErrorResponse as error:
        if error.status == DECLINED:
            state.transaction.rollback(savepoint)
            error.error.pop("payment_intent", None)
            error.error.pop("charge", None)
        raise
    return payment.intent


def _subscription_params(state: AccountState, session: Object, customer: Object, method: Object | None) -> Object:
    details, items = state.tables.checkout_sessions[session["id"]], line_items_of(state, session)
    data = details.subscription_data
    return {
        "customer": customer["id"],
        **({"default_payment_method": method["id"]} if method else {}),
        "items": [_item_params(item) for item in items if item["price"]["recurring"]],
        "add_invoice_items": [_item_params(item) for item in items if not item["price"]["recurring"]],
        "payment_behavior": "default_incomplete",
        "discounts": [{"discount": discount_id} for discount_id in details.discounts],
        **{name: data[name] for name in SUBSCRIPTION_DATA if name in data},
    }


def _item_params(item: Object) -> Object:
    return {"price": item["price"]["id"], **({} if is_metered(item["price"]) else {"quantity": item["quantity"]})}


def _set_up(state: AccountState, session: Object, customer: Object | None, method: Object | None) -> Object:
    """Save the card of a session, and return the setup intent."""
    intent = state.objects.find("setup_intent", session["setup_intent"])
    if intent is None:
        data = state.tables.checkout_sessions[session["id"]].setup_intent_data
        customer_id = customer["id"] if customer else None
        params = {**data, "customer": customer_id, "automatic_payment_methods": {"enabled": False}}
        intent = setup_intents.create_setup_intent(state, params, method)
        state.objects.update(session, setup_intent=intent["id"])
    if method is not None:
        state.objects.update(intent, payment_method=method["id"])
    return setup_intents.confirm_setup_intent(state, intent, {})


def _on_success(state: AccountState, intent: Object) -> None:
    """Complete the session whose card was authenticated, or mark the one whose bank debit succeeded as paid."""
    session = state.objects.find("checkout.session", intent_details(state, intent["id"]).checkout_session)
    if session is not None and session["status"] == "open":
        _finish(state, session)
    elif session is not None and session["payment_status"] == "unpaid":
        state.objects.update(session, payment_status="paid")
        state.events.emit("async_payment_succeeded", session)


def _on_failure(state: AccountState, intent: Object) -> None:
    """Report that the bank debit of a complete session failed."""
    session = state.objects.find("checkout.session", intent_details(state, intent["id"]).checkout_session)
    if session is not None and session["status"] == "complete" and session["payment_status"] == "unpaid":
        state.events.emit("async_payment_failed", session)


payment_intents.OUTCOME_HOOKS["succeeded"].append(_on_success)
payment_intents.OUTCOME_HOOKS["failed"].append(_on_failure)
setup_intents.SUCCESS_HOOKS.append(_on_success)


def complete_challenge(state: AccountState, intent_id: str, *, success: bool) -> Object:
    """Complete or fail the authentication of a payment or setup intent or of a card, and return the object."""
    if ("three_d_secure.authentication", intent_id) in state.objects:
        return three_d_secure.finish_challenge(state, intent_id, success=success)
    setup_intent = state.objects.find("setup_intent", intent_id)
    if setup_intent is not None:
        return setup_intents.finish_authentication(state, setup_intent, success=success)
    return payment_intents.finish_authentication(state, state.objects.get("payment_intent", intent_id), success=success)
