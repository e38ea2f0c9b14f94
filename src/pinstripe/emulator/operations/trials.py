"""The end of a subscription's trial, on its date or earlier. https://docs.stripe.com/billing/subscriptions/trials"""

from __future__ import annotations

from pinstripe.emulator.billing.pricing import is_metered
from pinstripe.emulator.operations.invoice_payments import default_method
from pinstripe.emulator.operations.subscription_pauses import pause_details
from pinstripe.emulator.operations.subscriptions import end_subscription
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Timestamp


def end_trial(state: AccountState, subscription: Object) -> None:
    """Activate, pause or cancel a trialing subscription, as ``trial_settings`` says; usage until now is free.

    Of the events only that of a cancellation is emitted.
    """
    behavior = ((subscription["trial_settings"] or {}).get("end_behavior") or {}).get("missing_payment_method")
    automatic = subscription["collection_method"] == "charge_automatically"
    missing = automatic and default_method(state, subscription) is None
    forgive_usage(state, subscription)
    if missing and behavior == "cancel":
        end_subscription(state, subscription)
    elif missing and behavior == "pause":
        details = pause_details(state, "trial_end_without_payment_method")
        state.objects.update(subscription, status="paused", status_details=details)
    else:
        state.objects.update(subscription, status="active")


def forgive_usage(state: AccountState, subscription: Object) -> None:
    """Do not bill the usage until now."""
    for item in subscription["items"]["data"]:
        if is_metered(item["price"]):
            state.tables.billed_until.set(item["id"], Timestamp(state.clock.now()))
