"""Financial accounts of API v2: money that arrives, is paid out, and the transactions that record it.

A financial account is opened in the Dashboard; ``emulator.add("v2.money_management.financial_account")`` stands for that.
https://docs.stripe.com/financial-accounts
"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.validation.errors import ErrorResponse, wrong_state

ACCOUNT = "v2.money_management.financial_account"
OUTBOUND_PAYMENT = "v2.money_management.outbound_payment"
PAYOUT_INTENT = "v2.money_management.payout_intent"
SETUP_INTENT = "v2.money_management.outbound_setup_intent"
VERIFICATION = "v2.money_management.recipient_verification"
VERIFICATION_SECONDS = 7 * 24 * 3600


def _now(state: AccountState) -> str:
    return rfc3339(state.clock.now())


def _emit(state: AccountState, value: Object, action: str, **data: JSON) -> None:
    name = value["object"].removeprefix("v2.money_management.")
    plural = f"{name}es" if name.endswith("s") else f"{name}s"
    url = f"/v2/money_management/{plural}/{value['id']}"
    state.events.emit_thin(f"{value['object']}.{action}", value, url, **data)


def _set_status(state: AccountState, value: Object, status: str) -> Object:
    """Set the status of an object with the time of the change, and emit the event of the status."""
    transitions = {**(value.get("status_transitions") or {}), f"{status}_at": _now(state)}
    state.objects.update(value, status=status, status_transitions=transitions)
    _emit(state, value, status)
    return value


def _move(state: AccountState, account_id: str, amount: Object, category: str, flow: Object, *, sign: int) -> Object:
    """Change the available balance of a financial account; return the transaction that records it."""
    account = state.objects.get(ACCOUNT, account_id, "financial_account")
    currency, value = amount["currency"], sign * amount["value"]
    nothing: Object = {"currency": currency, "value": 0}
    available = account["balance"]["available"]
    balance = available.get(currency, nothing)["value"] + value
    if balance < 0:
        raise ErrorResponse("The financial account has insufficient funds.", code="insufficient_funds", param="amount")
    balances = {**account["balance"], "available": {**available, currency: {"currency": currency, "value": balance}}}
    state.objects.update(account, balance=balances)
    transaction = state.create(
        "v2.money_management.transaction",
        None,
        amount={"currency": currency, "value": value},
        balance_impact={
            "available": {"currency": currency, "value": value},
            "inbound_pending": nothing,
            "outbound_pending": nothing,
        },
        category=category,
        financial_account=account_id,
        flow={"type": category, category: flow["id"]},
        regulatory_receipt={"status": "not_applicable"},
        status="posted",
        status_transitions={"posted_at": _now(state)},
    )
    _emit(state, transaction, "created", treasury_transaction=None)
    state.create(
        "v2.money_management.transaction_entry",
        None,
        balance_impact=transaction["balance_impact"],
        effective_at=_now(state),
        transaction=transaction["id"],
    )
    return transaction


@operation("v2.money_management.financial_addresses.create")
def create_address(context: OperationContext) -> Object:
    """Create a financial address, which is active at once."""
    state, params = context.state, context.params
    state.objects.get(ACCOUNT, params["financial_account"], "financial_account")
    currency = (params.get("bank_account") or {}).get("currency", "usd")
    address = state.draft("v2.money_management.financial_address", {"financial_account": params["financial_account"]})
    address.update(settlement_currency=currency, status="active", type=params["type"], bank_account=None)
    state.objects.add(address)
    _emit(state, address, "activated")
    return address


@operation("v2.money_management.test_helpers.financial_addresses.credit")
def credit_address(context: OperationContext) -> Object:
    """Let money arrive at a financial address, as a bank transfer."""
    state, params = context.state, context.params
    address = state.objects.get("v2.money_management.financial_address", context.path["id"])
    details: Object = {
        "financial_address": address["id"],
        "network": params["network"],
        "originating_bank_account": {"type": "aba"},
        "statement_descriptor": params.get("statement_descriptor"),
    }
    credit = state.create(
        "v2.money_management.received_credit",
        None,
        amount=params["amount"],
        amount_received=params["amount"],
        bank_transfer=details,
        financial_account=address["financial_account"],
        status="succeeded",
        status_transitions={"succeeded_at": _now(state)},
        type="bank_transfer",
    )
    transaction = _move(state, address["financial_account"], params["amount"], "received_credit", credit, sign=1)
    _emit(state, credit, "succeeded")
    _emit(state, credit, "available", transaction_id=transaction["id"])
    return {**state.draft("v2.money_management.financial_address_credit_simulation"), "status": "processing"}


@operation("v2.money_management.inbound_transfers.create")
def create_inbound_transfer(context: OperationContext) -> Object:
    """Pull money from a bank account of the user; the bank debit succeeds at once."""
    state, params = context.state, context.params
    amount, target = params["amount"], params["to"]["financial_account"]
    transfer = state.draft("v2.money_management.inbound_transfer")
    history: list[Object] = [
        {
            "id": state.new_id("v2.money_management.inbound_transfer"),
            "created": _now(state),
            "effective_at": _now(state),
            "type": f"bank_debit_{step}",
            f"bank_debit_{step}": {},
        }
        for step in ("queued", "processing", "succeeded")
    ]
    transfer.update(
        {
            "amount": amount,
            "description": params.get("description", ""),
            "from": {
                "debited": amount,
                "payment_method": {"type": "us_bank_account", "us_bank_account": params["from"]["payment_method"]},
            },
            "to": {"credited": amount, "financial_account": target},
            "transfer_history": history,
        }
    )
    state.objects.add(transfer)
    transaction = _move(state, target, amount, "inbound_transfer", transfer, sign=1)
    for step in history:
        _emit(state, transfer, step["type"])
    _emit(state, transfer, "available", transaction_id=transaction["id"])
    return transfer


@operation("v2.money_management.outbound_payments.create")
def create_outbound_payment(context: OperationContext) -> Object:
    """Pay a recipient from a financial account; the payment is processing until it is canceled."""
    return _pay(context.state, context.params)


def _pay(state: AccountState, params: Object, payout_intent: str | None = None) -> Object:
    amount, source = params["amount"], params["from"]["financial_account"]
    own = ("amount", "from", "to")
    payment = state.draft(OUTBOUND_PAYMENT, {name: value for name, value in params.items() if name not in own})
    payment.update(
        {
            "amount": amount,
            "cancelable": True,
            "from": {"debited": amount, "financial_account": source},
            "payout_intent": payout_intent,
            "recipient_notification": params.get("recipient_notification") or {"setting": "configured"},
            "statement_descriptor": params.get("statement_descriptor") or "",
            "status": "processing",
            "to": {
                "credited": amount,
                "payout_method": params["to"].get("payout_method"),
                "recipient": params["to"].get("recipient") or "",
            },
        }
    )
    state.objects.add(payment)
    _move(state, source, amount, "outbound_payment", payment, sign=-1)
    _emit(state, payment, "created")
    return payment


@operation("v2.money_management.outbound_payments.cancel")
def cancel_outbound_payment(context: OperationContext) -> Object:
    """Cancel an outbound payment that is processing; its amount returns to the financial account."""
    payment = find(context)
    if payment["status"] != "processing":
        raise wrong_state(payment, "cancel")
    _return_payment(context.state, payment)
    return payment


def _return_payment(state: AccountState, payment: Object) -> None:
    source = payment["from"]["financial_account"]
    _move(state, source, payment["amount"], "outbound_payment", payment, sign=1)
    state.objects.update(payment, cancelable=False)
    _set_status(state, payment, "canceled")


@operation("v2.money_management.payout_intents.create")
def create_payout_intent(context: OperationContext) -> Object:
    """Create an intent to pay a recipient; it pays at once unless it is to be confirmed."""
    state, params = context.state, context.params
    intent = state.draft(PAYOUT_INTENT, params)
    intent.update(
        {
            "confirmation_method": params.get("confirmation_method", "automatic"),
            "from": dict(params["from"]),
            "to": dict(params["to"]),
            "status": "requires_action",
        }
    )
    state.objects.add(intent)
    _emit(state, intent, "created")
    if intent["confirmation_method"] == "automatic":
        return _process(state, intent)
    action: JSON = {"type": "confirm", "confirm": {"reason": "manually_requested"}}
    state.objects.update(intent, next_action=action)
    return _set_status(state, intent, "requires_action")


def _process(state: AccountState, intent: Object) -> Object:
    payment = _pay(state, intent, intent["id"])
    latest = {"type": "outbound_payment", "outbound_payment": payment["id"]}
    state.objects.update(intent, latest_payout=latest, next_action=None)
    return _set_status(state, intent, "processing")


@operation("v2.money_management.payout_intents.confirm")
def confirm_payout_intent(context: OperationContext) -> Object:
    """Confirm a payout intent that waits for it, which pays the recipient."""
    intent = find(context)
    if intent["status"] != "requires_action":
        raise wrong_state(intent, "confirm")
    return _process(context.state, intent)


@operation("v2.money_management.payout_intents.cancel")
def cancel_payout_intent(context: OperationContext) -> Object:
    """Cancel a payout intent that has not been posted, and its payment."""
    state, intent = context.state, find(context)
    if intent["status"] in ("canceled", "posted"):
        raise wrong_state(intent, "cancel")
    payment_id = (intent.get("latest_payout") or {}).get("outbound_payment")
    payment = state.objects.find(OUTBOUND_PAYMENT, payment_id)
    if payment is not None and payment["status"] == "processing":
        _return_payment(state, payment)
    state.objects.update(intent, next_action=None)
    return _set_status(state, intent, "canceled")


@operation(
    "v2.money_management.payout_intents.refresh_fx_quote",
    "v2.money_management.payout_intents.refresh_recipient_verification",
)
def refresh_payout_intent(context: OperationContext) -> Object:
    """Return a payout intent; its exchange rate and the verification of its recipient are current."""
    return find(context)


@operation("v2.money_management.outbound_setup_intents.create")
def create_setup_intent(context: OperationContext) -> Object:
    """Create an intent to set up a payout method; one that is given is set up at once."""
    state, params = context.state, context.params
    intent = state.draft(SETUP_INTENT, {name: params[name] for name in ("usage_intent",) if name in params})
    method = state.objects.find("v2.money_management.payout_method", params.get("payout_method"))
    intent.update(payout_method=method, status="succeeded" if method else "requires_payout_method")
    intent["usage_intent"] = params.get("usage_intent", "payment")
    return state.objects.add(intent)


@operation("v2.money_management.outbound_setup_intents.cancel")
def cancel_setup_intent(context: OperationContext) -> Object:
    """Cancel an outbound setup intent that has not succeeded."""
    intent = find(context)
    if intent["status"] in ("canceled", "succeeded"):
        raise wrong_state(intent, "cancel")
    context.state.objects.update(intent, status="canceled")
    return intent


@operation("v2.money_management.payout_methods.archive", "v2.money_management.payout_methods.unarchive")
def archive_payout_method(context: OperationContext) -> Object:
    """Archive a payout method, which then cannot be used, or make it usable again."""
    method = find(context)
    context.state.objects.update(method, archived=context.endpoint.method == "archive")
    _emit(context.state, method, "updated")
    return method


@operation("v2.money_management.payout_methods_bank_account_spec.retrieve")
def retrieve_bank_account_spec(context: OperationContext) -> Object:
    """Return which fields a bank account has in each country; the emulator has rules for none."""
    return context.state.draft("v2.money_management.payout_methods_bank_account_spec")


@operation(
    "v2.money_management.recipient_verifications.create",
    "v2.test_helpers.money_management.recipient_verifications",
)
def create_verification(context: OperationContext) -> Object:
    """Verify the recipient of a payout method; the name matches unless the test helper passes another result."""
    state, params = context.state, context.params
    result = params.get("match_result", "match")
    verification = state.draft(VERIFICATION, params)
    verification.update(
        expires_at=rfc3339(state.clock.now() + VERIFICATION_SECONDS),
        match_result=result,
        status="verified" if result == "match" else "awaiting_acknowledgement",
    )
    state.objects.add(verification)
    _emit(state, verification, "created")
    return verification


@operation("v2.money_management.recipient_verifications.acknowledge")
def acknowledge_verification(context: OperationContext) -> Object:
    """Acknowledge that the recipient does not match, so that the verification can be used."""
    state, verification = context.state, find(context)
    if verification["status"] != "awaiting_acknowledgement":
        raise wrong_state(verification, "acknowledge")
    transitions = {**(verification.get("status_transitions") or {}), "acknowledged_at": _now(state)}
    state.objects.update(verification, status="acknowledged", status_transitions=transitions)
    _emit(state, verification, "updated")
    return verification


@operation("v2.money_management.transactions.refresh_regulatory_receipt")
def refresh_receipt(context: OperationContext) -> Object:
    """Return a transaction; the emulator writes no regulatory receipts."""
    return find(context)
