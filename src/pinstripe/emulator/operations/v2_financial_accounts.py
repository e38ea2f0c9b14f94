"""Money management of API v2: financial accounts with their balances and transactions, and how money gets into them.

An account has one financial account from the start, since no operation creates one.
https://docs.stripe.com/financial-accounts
"""

from __future__ import annotations

from datetime import datetime

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._filters import BOUNDS, filter_objects, list_filter
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import JSON, Object, merge_metadata
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object

PREFIX = "v2.money_management."
BALANCES = ("available", "inbound_pending", "outbound_pending")
TEST_BANK = "STRIPE TEST BANK"
CURRENCIES = ("usd", "gbp", "eur")
COUNTRIES = {"usd": "US", "gbp": "GB", "eur": "IE"}
"""The country of a financial address in each currency."""
BANK_ACCOUNT_KINDS = {"usd": "aba", "gbp": "sort_code", "eur": "iban"}
DEBIT_STEPS = ("queued", "processing", "succeeded")
"""The steps of a bank debit, which happen immediately."""


def timestamp(state: AccountState, seconds: int = 0) -> str:
    """Return the time in some seconds, as API v2 writes it."""
    return rfc3339(state.clock.now() + seconds)


def emit(state: AccountState, action: str, value: Object, **data: JSON) -> None:
    """Create a thin event about an object of money management: ``emit(state, "posted", payment)``."""
    object_type: str = value["object"]
    state.events.emit_thin(f"{object_type}.{action}", value, **data)


def set_status(state: AccountState, value: Object, status: str, **fields: JSON) -> Object:
    """Set the status of an object and the time of it, and emit the event of that name."""
    transitions = {**(value.get("status_transitions") or {}), f"{status}_at": timestamp(state)}
    state.objects.update(value, status=status, status_transitions=transitions, **fields)
    emit(state, status, value)
    return value


def money(value: int, currency: str) -> Object:
    """Return an amount as API v2 writes it."""
    return {"value": value, "currency": currency.lower()}


def check_amount(amount: Object) -> Object:
    """Return an amount of parameters, or raise `ErrorResponse` when it is not positive."""
    if amount["value"] < 1:
        raise ErrorResponse("Invalid positive integer", code="parameter_invalid_integer", param="amount[value]")
    return money(amount["value"], amount["currency"])


def find_account(state: AccountState, account_id: str, param: str) -> Object:
    """Return a financial account that is open."""
    account = state.objects.get(f"{PREFIX}financial_account", account_id, param)
    if account["status"] != "open":
        raise ErrorResponse(f"The financial account {account_id} is {account['status']}.", param=param)
    return account


def available(account: Object, currency: str) -> int:
    """Return the available amount of a financial account in a currency."""
    return int(account["balance"]["available"].get(currency, {}).get("value", 0))


def move(state: AccountState, account: Object, currency: str, **changes: int) -> None:
    """Change the balances of a financial account: ``move(state, account, "usd", available=-100, outbound_pending=100)``."""
    balance = {name: dict(account["balance"][name]) for name in BALANCES}
    for name, change in changes.items():
        current = balance[name].get(currency, {}).get("value", 0)
        balance[name][currency] = money(current + change, currency)
    state.objects.update(account, balance=balance)


def record_transaction(
    state: AccountState,
    account: Object,
    category: str,
    flow: Object,
    amount: Object,
    *,
    posted: bool,
    **impact: int,
) -> Object:
    """Change the balances of a financial account, and record the transaction and its first entry."""
    flow_type = category.removesuffix("_reversal")
    transaction = state.draft(f"{PREFIX}transaction")
    transaction.update(
        amount=amount,
        balance_impact=_zero_impact(amount["currency"]),
        category=category,
        description=flow.get("description") or None,
        financial_account=account["id"],
        flow={"type": flow_type, flow_type: flow["id"]},
        metadata={},
        regulatory_receipt={"status": "not_applicable"},
        status="posted" if posted else "pending",
        status_transitions={"posted_at": timestamp(state) if posted else None, "void_at": None},
    )
    state.objects.add(transaction)
    _add_entry(state, account, transaction, impact)
    emit(state, "created", transaction, treasury_transaction=None, v1_id=None)
    return transaction


def finish_transaction(state: AccountState, flow: Object, status: str, **impact: int) -> Object:
    """Post or void the pending transaction of a movement, and change the balances of its financial account."""
    transaction = next(
        value for value in state.objects.all(f"{PREFIX}transaction") if flow_id(value["flow"]) == flow["id"]
    )
    account = state.objects[f"{PREFIX}financial_account", transaction["financial_account"]]
    transitions = {**transaction["status_transitions"], f"{status}_at": timestamp(state)}
    state.objects.update(transaction, status=status, status_transitions=transitions)
    if status == "posted":
        state.objects.update(transaction, regulatory_receipt=receipt(state, transaction))
    _add_entry(state, account, transaction, impact)
    emit(state, "updated", transaction, treasury_transaction=None)
    return transaction


def receipt(state: AccountState, transaction: Object) -> Object:
    """Return a regulatory receipt whose URL expires in an hour."""
    url = f"{state.base_url}/receipts/{transaction['id']}"
    return {"status": "available", "url": url, "url_expires_at": timestamp(state, 3600)}


def _zero_impact(currency: str) -> Object:
    return {name: money(0, currency) for name in BALANCES}


def _add_entry(state: AccountState, account: Object, transaction: Object, impact: dict[str, int]) -> None:
    currency = transaction["amount"]["currency"]
    move(state, account, currency, **impact)
    entry = state.draft(f"{PREFIX}transaction_entry")
    entry.update(
        balance_impact={**_zero_impact(currency), **{name: money(value, currency) for name, value in impact.items()}},
        transaction=transaction["id"],
        transaction_details={name: transaction[name] for name in ("category", "financial_account", "flow")},
    )
    state.objects.add(entry)
    total = {
        name: money(value["value"] + impact.get(name, 0), currency)
        for name, value in transaction["balance_impact"].items()
    }
    state.objects.update(transaction, balance_impact=total)


def flow_id(flow: Object | None) -> str | None:
    """Return the id of the movement that a transaction or an adjustment is about."""
    return flow.get(flow["type"]) if flow else None


def _created_within(value: Object, bounds: Object) -> bool:
    created = _parse(value["created"])
    return all(BOUNDS[name](created, _parse(bound)) for name, bound in bounds.items())


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


for _name in (
    "adjustment",
    "inbound_transfer",
    "outbound_payment",
    "received_credit",
    "transaction",
    "transaction_entry",
):
    list_filter(PREFIX + _name, "created")(_created_within)


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
