"""The pending setup intent of a subscription that has nothing to pay now, and no payment method that is ready.

https://docs.stripe.com/billing/subscriptions/deferred-payment
"""

from __future__ import annotations

from dataclasses import replace

from pinstripe.emulator.operations import setup_intents
from pinstripe.emulator.operations._intents import intent_details, must_authenticate
from pinstripe.emulator.operations.invoice_payments import default_method
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object

STATUSES = ("trialing", "active")
"""The statuses of a subscription that owes nothing."""


def prepare_payment_method(state: AccountState, subscription: Object) -> None:
    """Create the pending setup intent of a subscription if its payment method is missing or must be authenticated."""
    if subscription["status"] not in STATUSES or subscription["collection_method"] != "charge_automatically":
        return
    method = default_method(state, subscription)
    if method is not None and not must_authenticate(state, method):
        return
    params = {"customer": subscription["customer"], "automatic_payment_methods": {"enabled": False}}
    intent = setup_intents.create_setup_intent(state, params, method)
    details = replace(intent_details(state, intent["id"]), subscription=subscription["id"])
    state.tables.intents.set(intent["id"], details)
    if method is not None:
        setup_intents.confirm_setup_intent(state, intent, {})
    state.objects.update(subscription, pending_setup_intent=intent["id"])


def _on_success(state: AccountState, intent: Object) -> None:
    subscription = state.objects.find("subscription", intent_details(state, intent["id"]).subscription)
    if subscription is None or subscription["pending_setup_intent"] != intent["id"]:
        return
    fields: Object = {"pending_setup_intent": None}
    if (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription":
        fields["default_payment_method"] = intent["payment_method"]
    state.events.emit("updated", subscription, state.objects.update(subscription, **fields))


setup_intents.SUCCESS_HOOKS.append(_on_success)
