"""Payment intents, from creation to payment.

https://docs.stripe.com/payments/paymentintents/lifecycle
"""

from __future__ import annotations

from collections.abc import Callable

from pinstripe.emulator.operations import charges, transfers
from pinstripe.emulator.operations._intents import (
    CONFIRMABLE,
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
from pinstripe.emulator.operations._payment_method_types import BANK_DEBITS, check_types
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.payment_methods import (
    attach_to,
    payment_method_from_params,
    resolve_payment_method,
)
from pinstripe.emulator.operations.test_bank_accounts import (
    DELAY_SECONDS,
    debit_failed,
    mark_verified,
    microdeposits_failed,
    needs_microdeposits,
    require_microdeposits,
)
from pinstripe.emulator.operations.test_cards import card_of, instrument_of, mark_set_up, mark_used
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object, clone
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse

ALWAYS_UPDATABLE = {"metadata", "description", "receipt_email", "transfer_group", "expand"}
"""The parameters that can be updated in any status."""
OUTCOME_HOOKS: dict[str, list[Callable[[AccountState, Object], None]]] = {
    "succeeded": [],
    "failed": [],
    "processing": [],
}
"""Functions called when a payment succeeds, fails or is processed; invoices and checkout sessions register here."""

CONFIRMATIONS: dict[str, Callable[[AccountState, Object], Object]] = {}
"""The functions that confirm an intent with a payment method of a type that is not charged at once."""


@operation("payment_intents.create")
def create(context: OperationContext) -> Object:
    """Create a payment intent, and confirm it when ``confirm`` is true."""
    state, params = context.state, context.params
    charges.check_amount(params["amount"], params["currency"].lower())
    if params.get("off_session") and not params.get("confirm"):
        raise ErrorResponse("off_session can only be set when confirm is true.", param="off_session")
    check_types(params)
    transfers.check_connect(state, params)
    method = payment_method_from_params(state, params)
    intent = create_payment_intent(state, params, payment_method=method["id"] if method else None)
    state.events.emit("created", intent)
    if not params.get("confirm"):
        return intent
    check_return_url(state, intent, params)
    return confirm_payment_intent(state, intent, params)


def create_payment_intent(state: AccountState, params: Object, **fields: JSON) -> Object:
    """Create a payment intent that is not confirmed; emits no event."""
    intent = state.draft(
        "payment_intent",
        {name: value for name, value in params.items() if name not in ("payment_method", "transfer_data")},
    )
    intent.update(
        amount=params["amount"],
        amount_capturable=0,
        amount_received=0,
        automatic_payment_methods=automatic_payment_methods(params),
        capture_method=params.get("capture_method", "automatic_async"),
        client_secret=client_secret(state, intent),
        confirmation_method=params.get("confirmation_method", "automatic"),
        currency=params["currency"].lower(),
        payment_method_types=payment_method_types(params),
        payment_method_options=params.get("payment_method_options") or {},
        last_payment_error=None,
        next_action=None,
        processing=None,
        transfer_data=clone(params.get("transfer_data")),
        **fields,
    )
    intent["status"] = "requires_confirmation" if intent["payment_method"] else "requires_payment_method"
    return state.objects.add(intent)


@operation("payment_intents.confirm")
def confirm(context: OperationContext) -> Object:
    """Confirm a payment intent, with the payment method that was passed or its own."""
    state, params = context.state, context.params
    intent = find_intent_to_confirm(context, "payment_intent")
    fields: Object = {
        name: params[name] for name in ("receipt_email", "setup_future_usage", "shipping") if params.get(name)
    }
    state.objects.update(intent, **fields)
    check_return_url(state, intent, params)
    return confirm_payment_intent(state, intent, params)


@operation("payment_intents.update")
def update(context: OperationContext) -> Object:
    """Change a payment intent."""
    state, params = context.state, dict(context.params)
    intent = state.objects.get("payment_intent", context.target_id)
    if set(params) - ALWAYS_UPDATABLE:
        check_status(intent, "update")
    check_types({"currency": intent["currency"], **params})
    fields: Object = {}
    if "amount" in params:
        charges.check_amount(params["amount"], params.get("currency") or intent["currency"])
    method = payment_method_from_params(state, params)
    for name in ("payment_method", "payment_method_data"):
        params.pop(name, None)
    if method is not None:
        fields = {"payment_method": method["id"], "status": "requires_confirmation"}
    if "allowed_payment_method_types" in params:
        fields["payment_method_types"] = payment_method_types({"currency": intent["currency"], **params})
    return state.apply_update(intent, params, **fields)


@operation("payment_intents.capture")
def capture(context: OperationContext) -> Object:
    """Capture the authorized amount, or a part of it."""
    state, params = context.state, context.params
    intent = find_intent(context, "payment_intent", "capture", ("requires_capture",))
    amount = int(params.get("amount_to_capture") or intent["amount_capturable"])
    charge = state.objects.get("charge", intent["latest_charge"])
    charges.capture_charge(state, charge, amount, "amount_to_capture", params)
    state.objects.update(intent, status="succeeded", amount_capturable=0, amount_received=amount)
    state.events.emit("succeeded", intent)
    return intent


@operation("payment_intents.cancel")
def cancel(context: OperationContext) -> Object:
    """Cancel a payment intent, and release the amount that was authorized."""
    intent = find_intent(context, "payment_intent", "cancel", (*CONFIRMABLE, "requires_capture", "processing"))
    return cancel_payment_intent(context.state, intent, context.params.get("cancellation_reason"))


def cancel_payment_intent(state: AccountState, intent: Object, reason: str | None) -> Object:
    """Cancel a payment intent whose status allows it."""
    if intent["status"] == "requires_capture":
        charges.release_charge(state, state.objects.get("charge", intent["latest_charge"]))
    state.objects.update(
        intent,
        status="canceled",
        amount_capturable=0,
        canceled_at=state.clock.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    state.events.emit("canceled", intent)
    return intent


@operation("payment_intents.increment_authorization")
def increment_authorization(context: OperationContext) -> Object:
    """Raise the authorized amount."""
    state = context.state
    intent = find_intent(context, "payment_intent", "increment", ("requires_capture",))
    amount = context.params["amount"]
    if amount <= intent["amount"]:
        raise ErrorResponse("The amount must be more than the one that is authorized.", param="amount")
    state.objects.update(state.objects.get("charge", intent["latest_charge"]), amount=amount)
    state.objects.update(intent, amount=amount, amount_capturable=amount)
    state.events.emit("amount_capturable_updated", intent)
    return intent


@operation("payment_intents.verify_microdeposits")
def verify_microdeposits(context: OperationContext) -> Object:
    """Verify a bank account by its deposits of 32 and 45 cents or the code SM11AA, and charge it."""
    check_microdeposits(context)
    intent = find_intent(context, "payment_intent", "verify")
    if intent["payment_method"]:
        mark_verified(context.state, intent["payment_method"])
    return charge_intent(context.state, intent)


def confirm_payment_intent(state: AccountState, intent: Object, params: Object) -> Object:
    """Charge an intent, or require authentication first; raise `ErrorResponse` when the bank declines."""
    method = method_of_intent(state, intent)
    if method.get("customer") and method["customer"] != intent["customer"]:
        raise ErrorResponse(
            "The provided PaymentMethod belongs to a customer: pass that customer, too.", param="payment_method"
        )
    check_unused(state, method)
    if confirm_otherwise := CONFIRMATIONS.get(method.get("type", "")):
        return confirm_otherwise(state, intent)
    if needs_microdeposits(state, intent, method):
        return require_microdeposits(state, intent)
    if not must_authenticate(state, method, off_session=bool(params.get("off_session"))):
        return charge_intent(state, intent)
    if params.get("off_session"):
        raise _decline(state, intent, method, charges.authentication_required())
    if params.get("error_on_requires_action"):
        raise _decline(state, intent, method, charges.authentication_not_handled())
    return require_authentication(state, intent, params.get("return_url"))


def finish_authentication(state: AccountState, intent: Object, *, success: bool) -> Object:
    """Charge an intent after a successful challenge, or let it fail."""
    check_status(intent, "authenticate", ("requires_action",))
    method = resolve_payment_method(state, intent["payment_method"])
    if success:
        mark_set_up(state, method["id"])
        return charge_intent(state, intent)
    error = ErrorResponse(
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        status=402,
        code="payment_intent_authentication_failure",
    )
    _reset(state, intent, {**error.error, "payment_method": clone(method)})
    state.events.emit("payment_failed", intent)
    return intent


def charge_intent(state: AccountState, intent: Object) -> Object:
    """Charge the payment method of an intent; raise `ErrorResponse` when the bank declines."""
    method = method_of_intent(state, intent)
    error = card_of(state, method["id"]).decline()
    if error is not None:
        raise _decline(state, intent, method, error)
    pending = method.get("type") in BANK_DEBITS
    charge = _create_charge(state, intent, method, pending=pending)
    state.objects.update(intent, latest_charge=charge["id"], next_action=None, last_payment_error=None)
    _use_method(state, intent, method)
    if pending:
        return _process_debit(state, intent, method, charge)
    if not charge["captured"]:
        state.objects.update(intent, status="requires_capture", amount_capturable=charge["amount"])
        state.events.emit("charge.succeeded", charge)
        state.events.emit("amount_capturable_updated", intent)
        return intent
    _succeed(state, intent, method, charge)
    return intent


def _use_method(state: AccountState, intent: Object, method: Object) -> None:
    """Save the payment method of an intent that sets it up; one without a customer can be used only once."""
    if intent["customer"] and intent.get("setup_future_usage") and method["customer"] is None:
        attach_to(state, method, state.objects.get("customer", intent["customer"], "customer"))
        mark_set_up(state, method["id"])
    if method["object"] == "payment_method" and method["customer"] is None:
        mark_used(state, method["id"])


def _succeed(state: AccountState, intent: Object, method: Object, charge: Object) -> None:
    state.objects.update(intent, status="succeeded", amount_received=charge["amount"])
    state.events.emit("charge.succeeded", charge)
    charges.open_disputes(state, charge, method)
    state.events.emit("succeeded", intent)
    _call_hooks("succeeded", state, intent)


def _call_hooks(outcome: str, state: AccountState, intent: Object) -> None:
    for hook in OUTCOME_HOOKS[outcome]:
        hook(state, intent)


def _process_debit(state: AccountState, intent: Object, method: Object, charge: Object) -> Object:
    """Let a bank debit be processed: it ends at the next request, after a delay, or never."""
    state.objects.update(intent, status="processing")
    state.events.emit("charge.pending", charge)
    state.events.emit("processing", intent)
    end = instrument_of(state, method["id"]).debit
    if end.endswith("+"):
        state.clock.schedule(state.clock.now() + DELAY_SECONDS, "intent.end_debit", intent)
    elif end != "processing":
        state.clock.defer("intent.end_debit", intent)
    _call_hooks("processing", state, intent)
    return intent


@timer_handler("intent.end_debit")
def _end_debit(state: AccountState, intent: Object) -> None:
    """Let a bank debit succeed or fail, as its test account says."""
    if intent["status"] != "processing":
        return
    method = resolve_payment_method(state, intent["payment_method"])
    charge = state.objects["charge", intent["latest_charge"]]
    end = instrument_of(state, method["id"]).debit.rstrip("+")
    if end in ("success", "dispute"):
        amount = charge["amount"]
        state.objects.update(charge, status="succeeded", paid=True, captured=True, amount_captured=amount)
        charges.settle(state, charge)
        _succeed(state, intent, method, charge)
        return
    error = debit_failed(end)
    failure = {"failure_code": end, "failure_message": str(error)}
    state.objects.update(charge, status="failed", **failure)
    _fail(state, intent, charge, {**error.error, "charge": charge["id"], "payment_method": clone(method)})


@timer_handler("intent.fail_microdeposits")
def _fail_microdeposits(state: AccountState, intent: Object) -> None:
    if intent["status"] == "requires_action":
        _reset(state, intent, microdeposits_failed().error)
        state.events.emit("payment_failed", intent)


def _decline(state: AccountState, intent: Object, method: Object, error: ErrorResponse) -> ErrorResponse:
    """Record a failed charge, and return the error with the objects that Stripe puts into it."""
    charge = _create_charge(state, intent, method, error)
    state.objects.update(intent, latest_charge=charge["id"])
    _fail(state, intent, charge, {**error.error, "charge": charge["id"], "payment_method": clone(method)})
    error.error.update(charge=charge["id"], payment_intent=clone(intent), payment_method=clone(method))
    return error


def _fail(state: AccountState, intent: Object, charge: Object, error: Object) -> None:
    _reset(state, intent, error)
    state.events.emit("failed", charge)
    state.events.emit("payment_failed", intent)
    _call_hooks("failed", state, intent)


def _reset(state: AccountState, intent: Object, error: Object) -> None:
    state.objects.update(
        intent,
        status="requires_payment_method",
        next_action=None,
        payment_method=None,
        last_payment_error=error,
    )


def _create_charge(
    state: AccountState, intent: Object, method: Object, error: ErrorResponse | None = None, *, pending: bool = False
) -> Object:
    return charges.create_charge(
        state,
        intent,
        method,
        error,
        capture=intent["capture_method"] != "manual",
        settle_later=intent["capture_method"] == "automatic_async",
        pending=pending,
        customer=intent["customer"],
        payment_intent=intent["id"],
    )
