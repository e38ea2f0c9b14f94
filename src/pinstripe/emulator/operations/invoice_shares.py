"""The shares of an invoice's payment that go to a connected account or to the platform.

https://docs.stripe.com/connect/subscriptions
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pinstripe.emulator.billing.money import round_amount
from pinstripe.emulator.operations.transfers import check_connect
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import InvoiceDetails

SHARES = ("application_fee_amount", "transfer_data")


def set_shares(state: AccountState, invoice: Object, params: Object) -> None:
    """Store the shares in the parameters of an invoice, which responses do not show, or raise `ErrorResponse`."""
    if shares := {name: params[name] for name in SHARES if name in params}:
        details = state.tables.invoices.get(invoice["id"]) or InvoiceDetails()
        shares = {**(details.shares or {}), **shares}
        check_connect(state, shares)
        state.tables.invoices.set(invoice["id"], replace(details, shares=shares))


def payment_shares(state: AccountState, invoice: Object, subscription: Object | None) -> Object:
    """Return the parameters of a payment intent that share the payment of an invoice."""
    details = state.tables.invoices.get(invoice["id"]) or InvoiceDetails()
    shares: Object = {}
    if subscription is not None:
        if percent := subscription["application_fee_percent"]:
            shares["application_fee_amount"] = _part(invoice, percent)
        if data := subscription["transfer_data"]:
            percent = data.get("amount_percent")
            amount = {"amount": _part(invoice, percent)} if percent is not None else {}
            shares["transfer_data"] = {"destination": data["destination"], **amount}
    return {**shares, **{name: value for name, value in (details.shares or {}).items() if value}}


def _part(invoice: Object, percent: float) -> int:
    return round_amount(Decimal(invoice["amount_due"]) * Decimal(str(percent)) / 100)
