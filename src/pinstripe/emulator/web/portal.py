"""The customer portal. https://docs.stripe.com/customer-management"""

from __future__ import annotations

from typing import Any

from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.billing.pricing import cost
from pinstripe.emulator.operations.payment_methods import attach_to
from pinstripe.emulator.operations.subscription_updates import apply_update
from pinstripe.emulator.operations.subscriptions import end_subscription
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse
from pinstripe.emulator.web.hosted import (
    Form,
    Template,
    card_method,
    decline_message,
    format_interval,
    page,
    unit_details,
)

CHANGEABLE = ("active", "trialing", "past_due")
"""The statuses of the subscriptions that customers can change."""


@page("portal")
def portal(state: AccountState, session: Object, form: Form | None) -> Template | str:
    """Show the customer portal, and apply its submitted forms."""
    customer = state.objects.get("customer", session["customer"])
    features = state.objects.get("billing_portal.configuration", session["configuration"])["features"]
    error = ""
    if form is not None:
        error = decline_message(lambda: _submit(state, customer, features, form))
        if not error:
            return f"{state.base_url}/portal/{session['id']}"
    default_method = customer["invoice_settings"]["default_payment_method"]
    values = {
        "session": session,
        "customer": customer,
        "features": features,
        "subscriptions": [
            (
                subscription,
                [_item(state, item, subscription["currency"], features) for item in subscription["items"]["data"]],
            )
            for subscription in state.objects.all("subscription", customer=customer["id"])
        ],
        "changeable": CHANGEABLE,
        "methods": [
            (method, method["id"] == default_method)
            for method in state.objects.all("payment_method", customer=customer["id"])
            if method["type"] == "card"
        ],
        "invoices": [
            invoice for invoice in state.objects.all("invoice", customer=customer["id"]) if invoice["status"] != "draft"
        ],
        "error": error,
        "form": {},
    }
    return Template("portal.html", values, DECLINED if error else 200)


def _item(
    state: AccountState, item: Object, currency: str, features: Object
) -> dict[str, Any]:  # Any: values of a template
    price, quantity = item["price"], item.get("quantity")
    name = (state.objects.find("product", price["product"]) or {}).get("name") or price["id"]
    metered = price["recurring"]["usage_type"] == "metered"
    amount = "by usage" if metered else format_amount(cost(state, price, quantity or 0, currency), currency)
    return {
        "id": item["id"],
        "name": name,
        "amount": f"{amount} {format_interval(price['recurring'])}",
        "details": unit_details(state, price, quantity or 0, currency),
        "quantity": quantity if not metered and _can_update_quantity(features) else None,
        "period_end": item["current_period_end"],
    }


def _can_update_quantity(features: Object) -> bool:
    update = features["subscription_update"]
    return bool(update["enabled"] and "quantity" in (update["default_allowed_updates"] or []))


def _submit(state: AccountState, customer: Object, features: Object, form: Form) -> None:
    """Cancel or renew a subscription, change a quantity, or add or choose the default card."""
    if "cancel" in form:
        _cancel(state, _subscription(state, customer, form["cancel"]), features["subscription_cancel"])
    elif "renew" in form:
        subscription = _subscription(state, customer, form["renew"])
        _check(features["subscription_cancel"]["enabled"])
        apply_update(state, subscription, {"cancel_at_period_end": False})
    elif "item" in form:
        _check(_can_update_quantity(features))
        item = state.objects.get("subscription_item", form["item"])
        _change_quantity(state, _subscription(state, customer, item["subscription"]), item, form, features)
    elif "default" in form:
        _check(features["payment_method_update"]["enabled"])
        _set_default(state, customer, state.objects.get("payment_method", form["default"]))
    elif "number" in form:
        _check(features["payment_method_update"]["enabled"])
        _set_default(state, customer, attach_to(state, card_method(state, form), customer))


def _check(allowed: object) -> None:
    if not allowed:
        raise ErrorResponse("The configuration of the portal does not allow this change.", status=403)


def _subscription(state: AccountState, customer: Object, subscription_id: str) -> Object:
    subscription = state.objects.get("subscription", subscription_id)
    if subscription["customer"] != customer["id"]:
        raise ErrorResponse("This subscription belongs to another customer.", status=403)
    return subscription


def _cancel(state: AccountState, subscription: Object, feature: Object) -> None:
    _check(feature["enabled"])
    if feature["mode"] == "at_period_end":
        apply_update(state, subscription, {"cancel_at_period_end": True})
    else:
        end_subscription(state, subscription)


def _change_quantity(state: AccountState, subscription: Object, item: Object, form: Form, features: Object) -> None:
    quantity = form.get("quantity", "")
    if not quantity.isdigit() or not int(quantity):
        raise ErrorResponse("The quantity must be at least 1.")
    behavior = features["subscription_update"]["proration_behavior"]
    params = {"items": [{"id": item["id"], "quantity": int(quantity)}], "proration_behavior": behavior}
    apply_update(state, subscription, {**params, "payment_behavior": "error_if_incomplete"})


def _set_default(state: AccountState, customer: Object, method: Object) -> None:
    if method["customer"] != customer["id"]:
        raise ErrorResponse("This card belongs to another customer.", status=403)
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    state.events.emit("updated", customer, state.objects.update(customer, invoice_settings=settings))
