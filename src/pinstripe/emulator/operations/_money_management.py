"""Shared by the modules of money management (API v2): events, balances of financial accounts, and their transactions.

https://docs.stripe.com/financial-accounts
"""

from __future__ import annotations

from datetime import datetime

from pinstripe.emulator.operations._filters import BOUNDS, list_filter
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.validation.errors import ErrorResponse

PREFIX = "v2.money_management."
BALANCES = ("available", "inbound_pending", "outbound_pending")
TEST_BANK = "STRIPE TEST BANK"


def timestamp(state: AccountState, seconds: int = 0) -> str:
    """Return the time in some seconds, as API v2 writes it."""
    return rfc3339(state.clock.now() + seconds)


def emit(state: AccountState, action: str, value: Object, **data: JSON) -> None:
    """Create a thin event about an object of money management: ``emit(state, "posted", payment)``."""
    object_type: str = value["object"]
    url = f"/v2/money_management/{object_type.removeprefix(PREFIX)}s/{value['id']}"
    state.events.emit_thin(f"{object_type}.{action}", value, url, **data)


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
