"""Money that leaves a financial account of API v2: outbound payments, and the payout intents that make them.

https://docs.stripe.com/global-payouts/send-money
"""

from __future__ import annotations

from datetime import date, datetime, timezone

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.v2_financial_accounts import (
    PREFIX,
    available,
    check_amount,
    emit,
    find_account,
    finish_transaction,
    money,
    record_transaction,
    set_status,
    timestamp,
)
from pinstripe.emulator.operations.v2_payout_methods import (
    PAYOUT_METHOD,
    VERIFICATION,
    expected_match,
    find_payout_method,
    match_fields,
    set_verification_status,
)
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object, merge_metadata
from pinstripe.emulator.state.timer_handlers import timer_handler
from pinstripe.emulator.validation.errors import ErrorResponse, missing_param, wrong_state

PAYMENT = f"{PREFIX}outbound_payment"
PAYOUT_INTENT = f"{PREFIX}payout_intent"
POSTING_SECONDS = 60
"""Seconds until an outbound payment is posted; until then it can be canceled."""
QUOTE_SECONDS = 300
"""Seconds for which an exchange rate is guaranteed. Every rate is 1."""
STATEMENT_DESCRIPTOR = "EMULATOR"
EXECUTABLE = ("requires_action", "pending")
"""The statuses in which a payout intent can be changed or canceled."""


def _recipient_method(state: AccountState, destination: Object) -> Object:
    """Return the payout method that money is sent to: the one that is named, or the recipient's latest."""
    recipient = destination.get("recipient")
    if method_id := destination.get("payout_method"):
        method = find_payout_method(state, method_id, recipient, "to[payout_method]")
    else:
        owner = state.other(recipient) if recipient else state
        latest = next((value for value in owner.objects.all(PAYOUT_METHOD) if not value["archived"]), None)
        if latest is None:
            raise missing_param("to[payout_method]")
        method = latest
    if method["archived"] or method["restricted"]:
        raise ErrorResponse(
            f"The payout method {method['id']} cannot be used: it is archived or restricted.",
            param="to[payout_method]",
        )
    return method


# Outbound payments


@operation("v2.money_management.outbound_payments.create")
def create_payment(context: OperationContext) -> Object:
    """Send money from a financial account to a recipient."""
    state, params = context.state, context.params
    amount = check_amount(params["amount"])
    account = find_account(state, params["from"]["financial_account"], "from[financial_account]")
    method = _recipient_method(state, params["to"])
    if not _is_covered(account, params, amount):
        raise ErrorResponse(
            "The financial account has insufficient funds for this payment.",
            code="insufficient_funds",
            param="amount",
        )
    verification = _usable_verification(state, params.get("recipient_verification"), method)
    payment = _send(state, account, method, amount, params)
    if verification is not None:
        consumer = {"type": "outbound_payment", "outbound_payment": payment["id"]}
        set_verification_status(state, verification, "consumed", consumed_by=consumer)
    return payment


def _is_covered(account: Object, params: Object, amount: Object) -> bool:
    return available(account, params["from"]["currency"].lower()) >= int(amount["value"])


def _usable_verification(state: AccountState, verification_id: str | None, method: Object) -> Object | None:
    if verification_id is None:
        return None
    verification = state.objects.get(VERIFICATION, verification_id, "recipient_verification")
    if verification["payout_method"] != method["id"] or verification["status"] not in ("verified", "acknowledged"):
        raise ErrorResponse(
            "The recipient verification is for another payout method, or it has to be acknowledged or was used.",
            param="recipient_verification",
        )
    return verification


def _send(
    state: AccountState, account: Object, method: Object, amount: Object, params: Object, intent_id: str | None = None
) -> Object:
    """Create an outbound payment, and hold its amount until it is posted."""
    destination = params["to"]
    debited = money(amount["value"], params["from"]["currency"])
    payment = state.create(
        PAYMENT,
        amount=amount,
        cancelable=True,
        description=params.get("description"),
        expected_arrival_date=timestamp(state, DAY)[:10],
        metadata=merge_metadata({}, params.get("metadata") or {}),
        payout_intent=intent_id,
        recipient_notification=params.get("recipient_notification") or {"setting": "configured"},
        recipient_verification=params.get("recipient_verification"),
        statement_descriptor=params.get("statement_descriptor") or STATEMENT_DESCRIPTOR,
        status="processing",
        status_transitions={},
        to={
            "credited": money(amount["value"], destination.get("currency") or amount["currency"]),
            "payout_method": method["id"],
            "payout_method_options": destination.get("payout_method_options"),
            "recipient": destination["recipient"],
        },
        tracking_details={"status": "pending", "type": method["type"]},
        **{"from": {"debited": debited, "financial_account": account["id"]}},
    )
    emit(state, "created", payment)
    value = debited["value"]
    held = money(-value, debited["currency"])
    record_transaction(
        state, account, "outbound_payment", payment, held, posted=False, available=-value, outbound_pending=value
    )
    state.clock.schedule(state.clock.now() + POSTING_SECONDS, "v2.outbound_payment.post", payment)
    return payment


@timer_handler("v2.outbound_payment.post")
def _post(state: AccountState, payment: Object) -> None:
    if payment["status"] != "processing":
        return
    tracking = {
        "status": "supported",
        "type": payment["tracking_details"]["type"],
        "bank_account": {"trace_id": payment["id"]},
    }
    set_status(state, payment, "posted", cancelable=False, tracking_details=tracking)
    finish_transaction(state, payment, "posted", outbound_pending=-payment["from"]["debited"]["value"])
    intent = state.objects.find(PAYOUT_INTENT, payment["payout_intent"])
    if intent is not None and intent["status"] == "processing":
        set_status(state, intent, "posted")


@operation("v2.money_management.outbound_payments.cancel")
def cancel_payment(context: OperationContext) -> Object:
    """Cancel an outbound payment that has not left yet; its amount is available again."""
    state, payment = context.state, find(context)
    if not payment["cancelable"]:
        raise wrong_state(payment, "cancel")
    set_status(state, payment, "canceled", cancelable=False)
    value = payment["from"]["debited"]["value"]
    finish_transaction(state, payment, "void", available=value, outbound_pending=-value)
    intent = state.objects.find(PAYOUT_INTENT, payment["payout_intent"])
    if intent is not None and intent["status"] == "processing":
        set_status(state, intent, "canceled")
    return payment


@list_filter("v2.money_management.outbound_payment", "recipient")
def _is_sent_to(payment: Object, recipient: str) -> bool:
    return bool(payment["to"]["recipient"] == recipient)


# Payout intents


@operation("v2.money_management.payout_intents.create")
def create_intent(context: OperationContext) -> Object:
    """Plan to pay out money: at once, on a date, or when it is confirmed."""
    state, params = context.state, context.params
    amount, source, destination = check_amount(params["amount"]), params["from"], params["to"]
    account = find_account(state, source["financial_account"], "from[financial_account]")
    method = _recipient_method(state, destination)
    from_currency = source["currency"].lower()
    to_currency = (destination.get("currency") or amount["currency"]).lower()
    intent = state.create(
        PAYOUT_INTENT,
        amount=amount,
        confirmation_method=params.get("confirmation_method", "automatic"),
        description=params.get("description"),
        estimated_fees=[],
        fx_quote=_quote(state, from_currency, to_currency),
        metadata=merge_metadata({}, params.get("metadata") or {}),
        recipient_notification=params.get("recipient_notification") or {"setting": "configured"},
        schedule_options=params.get("schedule_options"),
        statement_descriptor=params.get("statement_descriptor"),
        status_transitions={},
        to={
            "credited": money(amount["value"], to_currency),
            "currency": to_currency,
            "payout_method": method["id"],
            "payout_method_options": destination.get("payout_method_options"),
            "recipient": destination.get("recipient"),
        },
        **{
            "from": {
                "currency": from_currency,
                "debited": money(amount["value"], from_currency),
                "financial_account": account["id"],
            }
        },
    )
    emit(state, "created", intent)
    return _start(state, intent)


def _quote(state: AccountState, from_currency: str, to_currency: str) -> Object | None:
    if from_currency == to_currency:
        return None
    return {
        "lock_duration": "five_minutes",
        "lock_expires_at": timestamp(state, QUOTE_SECONDS),
        "lock_status": "active",
        "rates": {from_currency: {"exchange_rate": "1"}},
        "to_currency": to_currency,
    }


def _start(state: AccountState, intent: Object) -> Object:
    """Let a payout intent wait for its confirmation, or for its date, or execute it."""
    if intent["confirmation_method"] == "manual":
        confirm = {"reason": "manually_requested", "fields_to_review": ["fx_quote"] if intent["fx_quote"] else []}
        return set_status(state, intent, "requires_action", next_action={"type": "confirm", "confirm": confirm})
    return _schedule(state, intent)


def _schedule(state: AccountState, intent: Object) -> Object:
    execute_on = (intent["schedule_options"] or {}).get("execute_on")
    if execute_on is None:
        return _execute(state, intent)
    try:
        day = date.fromisoformat(execute_on)
    except ValueError:
        raise ErrorResponse(
            f"Invalid date: {execute_on}; it is like 2026-10-28.", param="schedule_options[execute_on]"
        ) from None
    at = int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp())
    if at <= state.clock.now():
        return _execute(state, intent)
    state.objects.update(intent, status="pending", next_action=None)
    emit(state, "pending", intent)
    state.clock.schedule(at, "v2.payout_intent.execute", intent)
    return intent


@timer_handler("v2.payout_intent.execute")
def _execute_on_date(state: AccountState, intent: Object) -> None:
    if intent["status"] == "pending":
        _execute(state, intent)


def _execute(state: AccountState, intent: Object) -> Object:
    """Send the money of a payout intent, or wait for money when there is not enough.

    Without a recipient it is a transfer to the own bank account, which leaves at once.
    """
    account = find_account(state, intent["from"]["financial_account"], "from[financial_account]")
    if not _is_covered(account, intent, intent["amount"]):
        failure = {"failure_reason": "insufficient_funds"}
        return set_status(
            state, intent, "requires_action", next_action={"type": "handle_failure", "handle_failure": failure}
        )
    method = _recipient_method(state, intent["to"])
    set_status(state, intent, "processing", next_action=None)
    if intent["to"]["recipient"] is None:
        return _transfer(state, account, intent)
    payment = _send(state, account, method, intent["amount"], intent, intent["id"])
    state.objects.update(intent, latest_payout={"type": "outbound_payment", "outbound_payment": payment["id"]})
    return intent


def _transfer(state: AccountState, account: Object, intent: Object) -> Object:
    transfer: Object = {"id": state.new_id(f"{PREFIX}outbound_transfer"), "description": intent["description"]}
    debited = intent["from"]["debited"]
    sent = money(-debited["value"], debited["currency"])
    record_transaction(state, account, "outbound_transfer", transfer, sent, posted=True, available=sent["value"])
    latest_payout = {"type": "outbound_transfer", "outbound_transfer": transfer["id"]}
    return set_status(state, intent, "posted", latest_payout=latest_payout)


@operation("v2.money_management.payout_intents.confirm")
def confirm_intent(context: OperationContext) -> Object:
    """Confirm a payout intent that waits for it."""
    intent = find(context)
    if intent["status"] != "requires_action" or intent["next_action"]["type"] != "confirm":
        raise wrong_state(intent, "confirm")
    return _schedule(context.state, intent)


@operation("v2.money_management.payout_intents.update")
def update_intent(context: OperationContext) -> Object:
    """Change a payout intent that is not executed yet; one that failed is tried again."""
    state, intent, params = context.state, find(context), context.params
    _check_not_executed(intent, "update")
    fields = {name: value for name, value in params.items() if name not in ("metadata", "to")}
    if "metadata" in params:
        fields["metadata"] = merge_metadata(intent["metadata"], params["metadata"])
    if to := params.get("to"):
        method = _recipient_method(state, {**intent["to"], **to})
        currency = (to.get("currency") or intent["to"]["currency"]).lower()
        credited = money(intent["amount"]["value"], currency)
        fields["to"] = {**intent["to"], **to, "payout_method": method["id"], "currency": currency, "credited": credited}
        fields["fx_quote"] = _quote(state, intent["from"]["currency"], currency)
    state.objects.update(intent, **fields)
    emit(state, "updated", intent)
    if (intent["next_action"] or {}).get("type") == "handle_failure":
        return _start(state, intent)
    return _schedule(state, intent) if "schedule_options" in fields and intent["status"] == "pending" else intent


@operation("v2.money_management.payout_intents.cancel")
def cancel_intent(context: OperationContext) -> Object:
    """Cancel a payout intent that is not executed yet."""
    intent = find(context)
    _check_not_executed(intent, "cancel")
    return set_status(context.state, intent, "canceled", next_action=None)


def _check_not_executed(intent: Object, action: str) -> None:
    if intent["status"] not in EXECUTABLE:
        raise wrong_state(intent, action)


@operation("v2.money_management.payout_intents.refresh_fx_quote")
def refresh_quote(context: OperationContext) -> Object:
    """Return a payout intent with a new exchange rate."""
    state, intent = context.state, find(context)
    _check_not_executed(intent, "refresh the exchange rate of")
    quote = _quote(state, intent["from"]["currency"], intent["to"]["currency"])
    if quote is None:
        raise ErrorResponse(f"The payout intent {intent['id']} converts no currency.")
    state.objects.update(intent, fx_quote=quote)
    emit(state, "updated", intent)
    return intent


@operation("v2.money_management.payout_intents.refresh_recipient_verification")
def refresh_verification(context: OperationContext) -> Object:
    """Return a payout intent whose recipient was compared with the owner of the payout method."""
    state, intent = context.state, find(context)
    _check_not_executed(intent, "verify the recipient of")
    method = _recipient_method(state, intent["to"])
    verification = match_fields(state, intent["to"]["recipient"], expected_match(method))
    state.objects.update(intent, recipient_verification=verification)
    emit(state, "updated", intent)
    return intent
