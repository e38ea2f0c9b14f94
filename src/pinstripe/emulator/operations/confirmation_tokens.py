"""Confirmation tokens: what a front end collects to confirm an intent.

https://docs.stripe.com/api/confirmation_tokens
"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import resolve_payment_method
from pinstripe.emulator.operations.test_cards import card_details, card_of
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import Reference
from pinstripe.emulator.validation.errors import missing_param

LIFETIME_SECONDS = 12 * 3600


@operation("test_helpers.confirmation_tokens.create")
def create(context: OperationContext) -> Object:
    """Create a confirmation token of a payment method; the one of ``payment_method_data`` is a Visa card."""
    state, params = context.state, context.params
    method = _payment_method(state, params)
    fields: Object = {name: params[name] for name in ("return_url", "setup_future_usage") if name in params}
    token = state.draft("confirmation_token", fields)
    preview = state.draft_part("confirmation_token", "payment_method_preview")
    preview.update(
        type="card",
        card=method.get("card") or card_details(card_of(state, method["id"]), {}),
        billing_details=method["billing_details"],
        customer=None,
    )
    token.update(
        payment_method_preview=preview,
        expires_at=state.clock.now() + LIFETIME_SECONDS,
        use_stripe_sdk=True,
    )
    state.objects.add(token)
    state.tables.confirmation_token_methods.set(token["id"], Reference(method["id"]))
    return token


def _payment_method(state: AccountState, params: Object) -> Object:
    if method_id := params.get("payment_method"):
        return resolve_payment_method(state, method_id)
    if data := params.get("payment_method_data"):
        if data.get("type") != "card":
            raise missing_param("payment_method_data[type]")
        return resolve_payment_method(state, "pm_card_visa")
    raise missing_param("payment_method")
