"""Treasury: movements of money of financial accounts, and their features.

https://docs.stripe.com/treasury
"""

from __future__ import annotations

from pinstripe.emulator.billing.periods import DAY
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations._singletons import get_singleton, update_singleton
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object

OUTGOING = ("outbound_payment", "outbound_transfer", "received_debit")


@operation("treasury.financial_accounts.features.retrieve")
def retrieve_features(context: OperationContext) -> Object:
    """Return the features of a financial account."""
    account = context.state.objects.get("treasury.financial_account", context.path["financial_account"])
    return get_singleton(context.state, "treasury.financial_account_features", account["id"])


@operation("treasury.financial_accounts.features.update")
def update_features(context: OperationContext) -> Object:
    """Request features of a financial account, which are active at once."""
    account = context.state.objects.get("treasury.financial_account", context.path["financial_account"])
    features = {
        name: {"requested": True, "status": "active", "status_details": [], **feature}
        for name, feature in context.params.items()
        if isinstance(feature, dict)
    }
    return update_singleton(context.state, "treasury.financial_account_features", features, account["id"])


@operation(
    "treasury.outbound_payments.create",
    "treasury.outbound_transfers.create",
    "treasury.inbound_transfers.create",
    "test_helpers.treasury.received_credits.create",
    "test_helpers.treasury.received_debits.create",
)
def create_flow(context: OperationContext) -> Object:
    """Create a movement of money into or out of a financial account, and its transaction."""
    state, params = context.state, context.params
    account = state.objects.get("treasury.financial_account", params["financial_account"], "financial_account")
    flow_type = context.endpoint.service.rpartition(".")[2].removesuffix("s")
    flow = state.draft(f"treasury.{flow_type}", params)
    transaction = _create_transaction(state, flow, flow_type, account, params)
    flow.update(
        currency=params["currency"].lower(),
        status="succeeded" if flow_type.startswith("received") else "processing",
        transaction=transaction["id"],
        amount=params["amount"],
    )
    if "cancelable" in flow:
        flow["cancelable"] = True
    if "expected_arrival_date" in flow:
        flow["expected_arrival_date"] = state.clock.now() + DAY
    state.objects.add(flow)
    state.events.emit("created", flow)
    return flow


def _create_transaction(state: AccountState, flow: Object, flow_type: str, account: Object, params: Object) -> Object:
    return state.create(
        "treasury.transaction",
        amount=-params["amount"] if flow_type in OUTGOING else params["amount"],
        currency=params["currency"].lower(),
        description=params.get("description") or flow_type,
        flow=flow["id"],
        flow_type=flow_type,
        financial_account=account["id"],
        status="posted" if flow_type.startswith("received") else "open",
        flow_details=None,
    )


@operation("treasury.credit_reversals.create", "treasury.debit_reversals.create")
def reverse(context: OperationContext) -> Object:
    """Reverse a received credit or debit."""
    state, params = context.state, context.params
    direction = "credit" if context.endpoint.service.endswith("credit_reversals") else "debit"
    name = f"received_{direction}"
    received = state.objects.get(f"treasury.{name}", params[name], name)
    reversal = state.create(
        f"treasury.{direction}_reversal",
        params,
        amount=received["amount"],
        currency=received["currency"],
        financial_account=received["financial_account"],
        status="processing",
        network="ach",
    )
    state.events.emit("created", reversal)
    return reversal
