"""Setup intents: save a card for later payments.

https://docs.stripe.com/payments/setup-intents
"""

from __future__ import annotations

from collections.abc import Callable

from pinstripe.emulator.operations._intents import (
    automatic_payment_methods,
    check_microdeposits,
    check_return_url,
    check_status,
    check_unused,
    client_secret,
    find_intent,
    find_intent_to_confirm,
    method_of_intent,
    must_authenticate,
    payment_method_types,
    require_authentication,
)
from pinstripe.emulator.operations._payment_method_types import check_types
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import (
    attach_to,
    payment_method_from_params,
)
from pinstripe.emulator.operations.test_bank_accounts import needs_microdeposits, require_microdeposits
from pinstripe.emulator.operations.test_cards import card_of, mark_set_up
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, clone
from pinstripe.emulator.validation.errors import ErrorResponse

SUCCESS_HOOKS: list[Callable[[AccountState, Object], None]] = []
"""Functions called when a payment method was saved; subscriptions and checkout sessions register here."""


@operation("setup_intents.create")
def create(context: OperationContext) -> Object:
    """Create a setup intent, and confirm it when ``confirm`` is true."""
    state, params = context.state, context.params
    check_types(params)
    method = payment_method_from_params(state, params)
    intent = create_setup_intent(state, params, method)
    if not params.get("confirm"):
        return intent
    check_return_url(state, intent, params)
    return confirm_setup_intent(state, intent, params)


def create_setup_intent(state: AccountState, params: Object, method: Object | None) -> Object:
    """Create a setup intent that is not confirmed."""
    intent = state.draft("setup_intent", {name: value for name, value in params.items() if name != "payment_method"})
    intent.update(
        automatic_payment_methods=automatic_payment_methods(params),
        client_secret=client_secret(state, intent),
        payment_method=method["id"] if method else None,
        payment_method_types=payment_method_types(params),
        status="requires_confirmation" if method else "requires_payment_method",
        usage=params.get("usage", "off_session"),
        last_setup_error=None,
        next_action=None,
    )
    state.objects.add(intent)
    state.events.emit("created", intent)
    return intent


@operation("setup_intents.confirm")
def confirm(context: OperationContext) -> Object:
    """Confirm a setup intent, with the payment method that was passed or its own."""
    intent = find_intent_to_confirm(context, "setup_intent")
    check_return_url(context.state, intent, context.params)
    return confirm_setup_intent(context.state, intent, context.params)


@operation("setup_intents.cancel")
def cancel(context: OperationContext) -> Object:
    """Cancel a setup intent."""
    state = context.state
    intent = find_intent(context, "setup_intent", "cancel")
    state.objects.update(
        intent, status="canceled", cancellation_reason=context.params.get("cancellation_reason"), next_action=None
    )
    state.events.emit("canceled", intent)
    return intent


@operation("setup_intents.update")
def update(context: OperationContext) -> Object:
    """Change a setup intent that has neither succeeded nor been canceled."""
    state, params = context.state, dict(context.params)
    intent = find_intent(context, "setup_intent", "update")
    fields: Object = {}
    method = payment_method_from_params(state, params)
    for name in ("payment_method", "payment_method_data"):
        params.pop(name, None)
    if method is not None:
        fields = {"payment_method": method["id"], "status": "requires_confirmation"}
    if "allowed_payment_method_types" in params:
        fields["payment_method_types"] = payment_method_types(params)
    return state.apply_update(intent, params, **fields)


@operation("setup_intents.verify_microdeposits")
def verify_microdeposits(context: OperationContext) -> Object:
    """Verify a bank account by its deposits of 32 and 45 cents or the code SM11AA, and save it."""
    check_microdeposits(context)
    intent = find_intent(context, "setup_intent", "verify")
    return _save_method(context.state, intent)


def confirm_setup_intent(state: AccountState, intent: Object, params: Object) -> Object:
    """Save the card of an intent, or require authentication first; raise `ErrorResponse` when the bank declines."""
    method = method_of_intent(state, intent)
    check_unused(state, method)
    if needs_microdeposits(state, intent, method):
        return require_microdeposits(state, intent)
    if must_authenticate(state, method):
        return require_authentication(state, intent, params.get("return_url"))
    card = card_of(state, method["id"])
    error = card.decline() if not card.attaches else None
    if error is not None:
        _record_attempt(state, intent, "failed", error)
        setup_error = {**error.error, "payment_method": clone(method)}
        state.objects.update(
            intent, status="requires_payment_method", payment_method=None, last_setup_error=setup_error
        )
        state.events.emit("setup_failed", intent)
        error.error["setup_intent"] = clone(intent)
        raise error
    return _save_method(state, intent)


def finish_authentication(state: AccountState, intent: Object, *, success: bool) -> Object:
    """Save the card of an intent after a successful challenge, or let it fail."""
    check_status(intent, "authenticate", ("requires_action",))
    if success:
        return _save_method(state, intent)
    error = ErrorResponse("The customer did not authenticate.", status=402, code="setup_intent_authentication_failure")
    state.objects.update(
        intent, status="requires_payment_method", next_action=None, payment_method=None, last_setup_error=error.error
    )
    state.events.emit("setup_failed", intent)
    return intent


def _save_method(state: AccountState, intent: Object) -> Object:
    method = method_of_intent(state, intent)
    if intent["customer"]:
        attach_to(state, method, state.objects.get("customer", intent["customer"], "customer"))
    mark_set_up(state, method["id"])
    attempt = _record_attempt(state, intent, "succeeded")
    state.objects.update(
        intent, status="succeeded", last_setup_error=None, next_action=None, latest_attempt=attempt["id"]
    )
    state.events.emit("succeeded", intent)
    for hook in SUCCESS_HOOKS:
        hook(state, intent)
    return intent


def _record_attempt(state: AccountState, intent: Object, status: str, error: ErrorResponse | None = None) -> Object:
    method = state.objects.find(("payment_method", "card"), intent["payment_method"]) or {}
    method_type = str(method.get("type", "card"))
    details: Object = {"card": {"three_d_secure": None}} if method_type == "card" else {method_type: {}}
    return state.create(
        "setup_attempt",
        customer=intent["customer"],
        payment_method=intent["payment_method"],
        payment_method_details={"type": method_type, **details},
        setup_error=error.error if error else None,
        setup_intent=intent["id"],
        status=status,
        usage=intent["usage"],
    )
