"""Billing credits: grants, their transactions and the summary.

https://docs.stripe.com/billing/subscriptions/usage-based/billing-credits
"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object, clone


@operation("billing.credit_grants.create")
def create(context: OperationContext) -> Object:
    """Grant a customer credit for metered usage."""
    state, params = context.state, context.params
    grant = state.draft("billing.credit_grant", params)
    grant.update(
        category=params.get("category", "promotional"),
        effective_at=params.get("effective_at") or state.clock.now(),
        updated=state.clock.now(),
    )
    state.objects.add(grant)
    state.create(
        "billing.credit_balance_transaction",
        type="credit",
        credit={
            "type": "credits_granted",
            "amount": clone(grant["amount"]),
            "credits_application_invoice_voided": None,
        },
        debit=None,
        credit_grant=grant["id"],
        effective_at=grant["effective_at"],
        test_clock=None,
    )
    state.events.emit("created", grant)
    return grant


@operation("billing.credit_balance_transactions.list")
def list_transactions(context: OperationContext) -> Object:
    """Return a page of the credit transactions of a customer or a grant."""
    state, params = context.state, context.params
    customer_id, grant_id = params.get("customer"), params.get("credit_grant")

    def matches(transaction: Object) -> bool:
        grant = state.objects.find("billing.credit_grant", transaction["credit_grant"]) or {}
        return grant_id in (None, transaction["credit_grant"]) and customer_id in (None, grant.get("customer"))

    if "customer_account" in params:  # no grant of the emulator belongs to a customer account
        return paginate(context, [])
    return paginate(context, filter(matches, state.objects.all("billing.credit_balance_transaction")))


@operation("billing.credit_balance_summary.retrieve")
def retrieve_summary(context: OperationContext) -> Object:
    """Return the sums of a customer's grants that are neither voided nor expired, by currency."""
    state = context.state
    customer = state.objects.get("customer", context.params.get("customer") or "", "customer")
    sums: dict[str, int] = {}
    for grant in state.objects.all("billing.credit_grant", customer=customer["id"]):
        money = grant["amount"].get("monetary")
        expired = grant["expires_at"] and grant["expires_at"] <= state.clock.now()
        if money and not expired and not grant["voided_at"]:
            sums[money["currency"]] = sums.get(money["currency"], 0) + money["value"]
    amounts = [
        {"type": "monetary", "monetary": {"currency": currency, "value": value}}
        for currency, value in (sums or {"usd": 0}).items()
    ]
    return {
        "object": "billing.credit_balance_summary",
        "customer": customer["id"],
        "livemode": False,
        "balances": [{"available_balance": amount, "ledger_balance": amount} for amount in amounts],
    }
