"""Transfers of a platform's balance to connected accounts.

https://docs.stripe.com/connect/separate-charges-and-transfers
"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import embedded_list
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.accounts import PLATFORM_ACCOUNT_ID
from pinstripe.emulator.operations.application_fees import create_fee
from pinstripe.emulator.operations.balance import available_amount
from pinstripe.emulator.operations.balance_transactions import record_transaction, seconds_until_available
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.accounts import PLATFORM
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object


@operation("transfers.create")
def create(context: OperationContext) -> Object:
    """Transfer an available amount, or a part of a charge, to a connected account."""
    state, params = context.state, context.params
    destination = _destination(state, params["destination"], "destination")
    charge = None
    if "source_transaction" in params:
        charge = state.objects.get("charge", params["source_transaction"], "source_transaction")
    amount = params.get("amount") or (charge["amount"] if charge else 0)
    currency = params["currency"].lower()
    if amount < 1:
        raise ErrorResponse("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if charge is None and amount > available_amount(state, currency):
        raise ErrorResponse(
            "You have insufficient available funds in your Stripe account.", code="balance_insufficient"
        )
    if charge is not None and amount > charge["amount"]:
        raise ErrorResponse(
            "The amount is more than that of the source transaction.", code="amount_too_large", param="amount"
        )
    return _transfer(state, destination, amount, currency, params, charge)


def _destination(state: AccountState, account_id: str, param: str) -> AccountState:
    if account_id == (state.id or PLATFORM_ACCOUNT_ID):
        raise ErrorResponse("Cannot transfer to your own Stripe account.", param=param)
    account = state.objects.find(("account", "v2.core.account"), account_id)
    if account is None or account.get("deleted"):
        raise missing_object("destination", account_id, param)
    return state.other(account_id)


def check_connect(
    state: AccountState, params: Object, fee: str = "application_fee_amount", parent: str | None = None
) -> None:
    """Raise `ErrorResponse` for a destination that does not exist, and for a fee of a payment to the platform itself.

    ``parent`` is the name of the parameter that contains ``params``.
    """
    destination = (params.get("transfer_data") or {}).get("destination")
    if destination:
        path = f"{parent}[transfer_data]" if parent else "transfer_data"
        _destination(state, destination, f"{path}[destination]")
    elif params.get(fee) and state.id == PLATFORM:
        raise ErrorResponse(
            f"Can only apply an {fee} to a direct payment (with the Stripe-Account header) or a destination payment"
            " (with `transfer_data[destination]`).",
            param=f"{parent}[{fee}]" if parent else fee,
        )


def _transfer(
    state: AccountState,
    destination: AccountState,
    amount: int,
    currency: str,
    params: Object,
    charge: Object | None,
    application_fee: int = 0,
) -> Object:
    """Transfer an amount; that of a charge is available when the charge is."""
    pending = seconds_until_available(state, charge["balance_transaction"]) if charge else 0
    fields = {name: params.get(name) for name in ("description", "transfer_group", "metadata")}
    transfer = state.draft("transfer", fields)
    transfer.update(
        amount=amount,
        amount_reversed=0,
        currency=currency,
        destination=destination.id,
        reversed=False,
        reversals=embedded_list([], f"/v1/transfers/{transfer['id']}/reversals"),
        source_transaction=charge["id"] if charge else None,
        source_type="card",
        transfer_group=params.get("transfer_group"),
    )
    state.objects.add(transfer)
    transaction = record_transaction(state, "transfer", transfer, -amount, pending=pending)
    payment = _receive_payment(destination, transfer, pending, application_fee)
    state.objects.update(transfer, balance_transaction=transaction["id"], destination_payment=payment["id"])
    state.events.emit("created", transfer)
    return transfer


def _receive_payment(destination: AccountState, transfer: Object, pending: int, application_fee: int) -> Object:
    """Create the charge as which a transfer arrives at the connected account."""
    payment = destination.create(
        "charge",
        amount=transfer["amount"],
        amount_captured=transfer["amount"],
        application_fee_amount=application_fee or None,
        captured=True,
        currency=transfer["currency"],
        paid=True,
        source_transfer=transfer["id"],
        status="succeeded",
        outcome=None,
        payment_method_details={"type": "stripe_account", "stripe_account": {}},
    )
    transaction = record_transaction(
        destination, "payment", payment, transfer["amount"], pending=pending, application_fee=application_fee
    )
    destination.objects.update(payment, balance_transaction=transaction["id"])
    return payment


def transfer_charge(state: AccountState, charge: Object, captured: int) -> None:
    """Transfer a destination charge to its connected account, which pays the application fee."""
    transfer_data = charge["transfer_data"]
    destination = _destination(state, transfer_data["destination"], "transfer_data[destination]")
    amount = int(transfer_data["amount"]) if transfer_data.get("amount") else captured
    params = {"transfer_group": charge["transfer_group"]}
    fee = int(charge["application_fee_amount"] or 0)
    transfer = _transfer(state, destination, amount, charge["currency"], params, charge, fee)
    state.objects.update(charge, transfer=transfer["id"])
    if fee:
        pending = seconds_until_available(state, charge["balance_transaction"])
        application_fee = create_fee(state, charge, fee, destination.id, pending)
        payment = destination.objects["charge", transfer["destination_payment"]]
        destination.objects.update(payment, application_fee=application_fee["id"])


def reverse_transfer_of_charge(state: AccountState, charge: Object, amount: int) -> None:
    """Reverse an amount of the transfer of a charge, or the remaining amount if it is less."""
    transfer = state.objects.get("transfer", charge["transfer"])
    _reverse(state, transfer, min(amount, transfer["amount"] - transfer["amount_reversed"]), {})


@operation("transfers.reversals.create")
def reverse(context: OperationContext) -> Object:
    """Reverse a transfer, or a part of it."""
    transfer = context.state.objects.get("transfer", context.path["id"])
    return _reverse(context.state, transfer, context.params.get("amount"), context.params)


def _reverse(state: AccountState, transfer: Object, requested: int | None, params: Object) -> Object:
    remaining = transfer["amount"] - transfer["amount_reversed"]
    amount = remaining if requested is None else requested
    if not 1 <= amount <= remaining:
        raise ErrorResponse(
            f"The amount is greater than the unreversed amount of the transfer ({remaining}).",
            code="amount_too_large",
            param="amount",
        )
    reversal = state.create(
        "transfer_reversal", params, amount=amount, currency=transfer["currency"], transfer=transfer["id"]
    )
    pending = seconds_until_available(state, transfer["balance_transaction"])
    transaction = record_transaction(state, "transfer_refund", reversal, amount, pending=pending)
    state.objects.update(reversal, balance_transaction=transaction["id"])
    destination = state.other(transfer["destination"])
    payment = destination.objects["charge", transfer["destination_payment"]]
    record_transaction(destination, "payment_refund", payment, -amount, pending=pending)
    reversed_amount = transfer["amount_reversed"] + amount
    state.objects.update(
        transfer,
        amount_reversed=reversed_amount,
        reversed=reversed_amount == transfer["amount"],
        reversals={**transfer["reversals"], "data": [reversal, *transfer["reversals"]["data"]]},
    )
    state.events.emit("reversed", transfer)
    return reversal
