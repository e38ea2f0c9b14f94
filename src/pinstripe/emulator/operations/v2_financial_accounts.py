"""Financial accounts of API v2: addresses at which they receive money, and transfers into them.

An account has one financial account from the start, since no operation creates one.
https://docs.stripe.com/financial-accounts
"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._filters import filter_objects, list_filter
from pinstripe.emulator.operations._money_management import (
    PREFIX,
    TEST_BANK,
    check_amount,
    emit,
    find_account,
    flow_id,
    money,
    move,
    receipt,
    record_transaction,
    timestamp,
)
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object, merge_metadata
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object

CURRENCIES = ("usd", "gbp", "eur")
COUNTRIES = {"usd": "US", "gbp": "GB", "eur": "IE"}
"""The country of a financial address in each currency."""
BANK_ACCOUNT_KINDS = {"usd": "aba", "gbp": "sort_code", "eur": "iban"}
DEBIT_STEPS = ("queued", "processing", "succeeded")
"""The steps of a bank debit, which happen immediately."""


# Financial accounts


@operation("v2.money_management.financial_accounts.list")
def list_accounts(context: OperationContext) -> Object:
    """Return a page of the financial accounts; the first request creates the account's own."""
    state, object_type = context.state, f"{PREFIX}financial_account"
    if next(state.objects.all(object_type, type="storage"), None) is None:
        account = state.create(
            object_type,
            country="US",
            metadata={},
            status="open",
            storage={"holds_currencies": list(CURRENCIES)},
            type="storage",
        )
        for currency in CURRENCIES:
            move(state, account, currency, available=0, inbound_pending=0, outbound_pending=0)
        emit(state, "created", account)
    return paginate(context, filter_objects(context, state.objects.all(object_type)))


@list_filter("v2.money_management.financial_account", "statuses")
def _has_status(account: Object, statuses: list[str]) -> bool:
    return not statuses or account["status"] in statuses


@operation("v2.money_management.financial_accounts.update")
def update_account(context: OperationContext) -> Object:
    """Change the display name or the metadata of a financial account."""
    return _update(context)


def _update(context: OperationContext, **data: JSON) -> Object:
    value, params = find(context), context.params
    fields = {name: new for name, new in params.items() if name != "metadata"}
    if "metadata" in params:
        fields["metadata"] = merge_metadata(value.get("metadata") or {}, params["metadata"])
    if context.state.objects.update(value, **fields):
        emit(context.state, "updated", value, **data)
    return value


# Financial addresses


@operation("v2.money_management.financial_addresses.create")
def create_address(context: OperationContext) -> Object:
    """Create the number of a bank account at which a financial account receives money; it is active at once."""
    state, params = context.state, context.params
    account = find_account(state, params["financial_account"], "financial_account")
    requested = params.get("bank_account") or {"currency": "usd"}
    currency = requested["currency"]
    kind = BANK_ACCOUNT_KINDS[currency]
    address = state.create(
        f"{PREFIX}financial_address",
        bank_account={
            "country": requested.get("country") or COUNTRIES[currency],
            "currency": currency,
            "type": kind,
            kind: _bank_details(state, kind),
        },
        financial_account=account["id"],
        settlement_currency=currency,
        status="active",
        type=params["type"],
    )
    emit(state, "activated", address)
    return address


def _bank_details(state: AccountState, kind: str) -> Object:
    number = "".join(state.random.choices("0123456789", k=8))
    if kind == "aba":
        return {"account_number": f"9876{number}", "bank_name": TEST_BANK, "routing_number": "110000000"}
    if kind == "sort_code":
        return {"account_holder_name": "Emulator", "account_number": number, "sort_code": "108800"}
    return {"account_holder_name": "Emulator", "bank_name": TEST_BANK, "iban": f"IE64TEST932086{number}"}


@operation("v2.money_management.test_helpers.financial_addresses.credit")
def credit_address(context: OperationContext) -> Object:
    """Let money arrive at a financial address; it fails when the address is of another currency."""
    state, params = context.state, context.params
    address = state.objects.get(f"{PREFIX}financial_address", context.path["id"])
    amount = check_amount(params["amount"])
    account = find_account(state, address["financial_account"], "id")
    kind = address["bank_account"]["type"]
    credit = state.create(
        f"{PREFIX}received_credit",
        amount=amount,
        amount_received=amount,
        bank_transfer={
            "financial_address": address["id"],
            "network": params["network"],
            "originating_bank_account": {"type": kind, kind: {"bank_name": TEST_BANK}},
            "statement_descriptor": params.get("statement_descriptor"),
        },
        financial_account=account["id"],
        type="bank_transfer",
    )
    if amount["currency"] == address["settlement_currency"]:
        state.objects.update(credit, status="succeeded", status_transitions={"succeeded_at": timestamp(state)})
        emit(state, "succeeded", credit)
        transaction = record_transaction(
            state, account, "received_credit", credit, amount, posted=True, available=amount["value"]
        )
        emit(state, "available", credit, transaction_id=transaction["id"])
    else:
        state.objects.update(
            credit,
            status="failed",
            status_details={"failed": {"reason": "currency_unsupported_on_financial_address"}},
            status_transitions={"failed_at": timestamp(state)},
        )
        emit(state, "failed", credit)
    return {**state.draft(f"{PREFIX}financial_address_credit_simulation"), "status": credit["status"]}


# Inbound transfers


@operation("v2.money_management.inbound_transfers.create")
def create_inbound_transfer(context: OperationContext) -> Object:
    """Debit a verified bank account in favor of a financial account; the debit succeeds at once."""
    state, params = context.state, context.params
    amount, source = check_amount(params["amount"]), params["from"]
    account = find_account(state, params["to"]["financial_account"], "to[financial_account]")
    bank_account = state.objects.find("v2.core.vault.us_bank_account", source["payment_method"])
    if bank_account is None:
        raise missing_object("v2.core.vault.us_bank_account", source["payment_method"], "from[payment_method]")
    if bank_account["archived"] or bank_account["verification"]["status"] != "verified":
        raise ErrorResponse(
            "The bank account cannot be debited: it is archived or not verified.", param="from[payment_method]"
        )
    transfer = state.create(
        f"{PREFIX}inbound_transfer",
        amount=amount,
        description=params.get("description") or "",
        to={"credited": money(amount["value"], params["to"]["currency"]), "financial_account": account["id"]},
        transfer_history=[],
        **{
            "from": {
                "debited": money(amount["value"], source.get("currency") or amount["currency"]),
                "payment_method": {"type": "us_bank_account", "us_bank_account": bank_account["id"]},
            }
        },
    )
    for step in DEBIT_STEPS:
        _add_to_history(state, transfer, f"bank_debit_{step}")
    credited = transfer["to"]["credited"]
    transaction = record_transaction(
        state, account, "inbound_transfer", transfer, credited, posted=True, available=credited["value"]
    )
    emit(state, "available", transfer, transaction_id=transaction["id"])
    return transfer


def _add_to_history(state: AccountState, transfer: Object, step: str) -> None:
    entry = {
        "id": state.new_id(f"{PREFIX}inbound_transfer"),
        "created": timestamp(state),
        "effective_at": timestamp(state),
        "type": step,
        step: {},
    }
    state.objects.update(transfer, transfer_history=[*transfer["transfer_history"], entry])
    emit(state, step, transfer)


# Transactions


@list_filter("v2.money_management.transaction", "flow")
def _is_about(transaction: Object, wanted: JSON) -> bool:
    return bool(flow_id(transaction["flow"]) == wanted)


@list_filter("v2.money_management.adjustment", "adjusted_flow")
def _adjusts(adjustment: Object, wanted: JSON) -> bool:
    return bool(flow_id(adjustment["adjusted_flow"]) == wanted)


@operation("v2.money_management.transactions.update")
def update_transaction(context: OperationContext) -> Object:
    """Change the description or the metadata of a transaction."""
    return _update(context, treasury_transaction=None)


@operation("v2.money_management.transactions.refresh_regulatory_receipt")
def refresh_receipt(context: OperationContext) -> Object:
    """Return a transaction with a new URL of its regulatory receipt; only money that was sent has one."""
    state, transaction = context.state, find(context)
    if transaction["regulatory_receipt"]["status"] not in ("available", "url_expired"):
        raise ErrorResponse(f"The transaction {transaction['id']} has no regulatory receipt.")
    state.objects.update(transaction, regulatory_receipt=receipt(state, transaction))
    return transaction
