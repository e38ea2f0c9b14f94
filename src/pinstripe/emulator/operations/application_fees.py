"""Application fees: what a platform takes of the charges of connected accounts.

https://docs.stripe.com/connect/charges
"""

from __future__ import annotations

from decimal import Decimal

from pinstripe.emulator.billing.money import round_amount
from pinstripe.emulator.operations._pagination import embedded_list, paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.balance_transactions import (
    APPLICATION,
    record_transaction,
    seconds_until_available,
)
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.accounts import PLATFORM
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse


def take_fee(state: AccountState, charge: Object, amount: int, pending: int) -> None:
    """Take a fee of a direct charge: a charge that a connected account created itself."""
    fee = create_fee(state.other(PLATFORM), charge, amount, state.id, pending)
    state.objects.update(charge, application_fee=fee["id"])


def create_fee(platform: AccountState, charge: Object, amount: int, account_id: str, pending: int) -> Object:
    """Create a fee of the platform, and add it to its balance when the charge is available."""
    fee = platform.create(
        "application_fee",
        account=account_id,
        amount=amount,
        amount_refunded=0,
        application=APPLICATION,
        charge=charge["id"],
        currency=charge["currency"],
        refunded=False,
    )
    platform.objects.update(
        fee,
        refunds=embedded_list([], f"/v1/application_fees/{fee['id']}/refunds"),
        balance_transaction=record_transaction(platform, "application_fee", fee, amount, pending=pending)["id"],
    )
    if ("charge", charge["id"]) in platform.objects:
        platform.objects.update(charge, application_fee=fee["id"])
    platform.events.emit("created", fee)
    return fee


def refund_fee_of_charge(state: AccountState, charge: Object, amount: int) -> None:
    """Refund the same part of the application fee as ``amount`` is of the charge."""
    platform = state.other(PLATFORM)
    fee = platform.objects.get("application_fee", charge["application_fee"])
    share = round_amount(Decimal(fee["amount"]) * amount / charge["amount"])
    if refundable := min(share, fee["amount"] - fee["amount_refunded"]):
        _refund_fee(platform, fee, refundable, {})


@operation("application_fees.refund", "application_fees.refunds.create")
def refund(context: OperationContext) -> Object:
    """Refund a fee or a part of it; ``application_fees.refund`` returns the fee instead of the refund."""
    fee = context.state.objects.get("application_fee", context.path["id"])
    fee_refund = _refund_fee(context.state, fee, context.params.get("amount"), context.params)
    return fee if context.endpoint.method == "refund" else fee_refund


def _refund_fee(state: AccountState, fee: Object, requested: int | None, params: Object) -> Object:
    remaining = fee["amount"] - fee["amount_refunded"]
    amount = remaining if requested is None else requested
    if not 1 <= amount <= remaining:
        raise ErrorResponse(
            f"The amount is greater than the unrefunded amount of the fee ({remaining}).",
            code="amount_too_large",
            param="amount",
        )
    fee_refund = state.create("fee_refund", params, amount=amount, currency=fee["currency"], fee=fee["id"])
    pending = seconds_until_available(state, fee["balance_transaction"])
    transaction = record_transaction(state, "application_fee_refund", fee_refund, -amount, pending=pending)
    state.objects.update(fee_refund, balance_transaction=transaction["id"])
    record_transaction(state.other(fee["account"]), "application_fee_refund", fee_refund, amount, pending=pending)
    refunded = fee["amount_refunded"] + amount
    refunds = {**fee["refunds"], "data": [fee_refund, *fee["refunds"]["data"]]}
    state.objects.update(fee, amount_refunded=refunded, refunded=refunded == fee["amount"], refunds=refunds)
    state.events.emit("application_fee.refunded", fee)
    return fee_refund


@operation("application_fees.refunds.list")
def list_refunds(context: OperationContext) -> Object:
    """Return a page of the refunds of a fee."""
    fee = context.state.objects.get("application_fee", context.path["id"])
    return paginate(context, context.state.objects.all("fee_refund", fee=fee["id"]))
