"""Objects that exist in every account: countries, exchange rates, tax codes, report types, card bundles."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pinstripe.emulator.operations._crud import find, object_types_of
from pinstripe.emulator.operations._filters import filter_objects
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object

CURRENCIES = {"US": "usd", "GB": "gbp", "DE": "eur", "FR": "eur", "CA": "cad", "AU": "aud", "JP": "jpy"}
"""The default currency of each country."""
TAX_CODES = {
    "txcd_00000000": "Nontaxable",
    "txcd_10000000": "General - Electronically Supplied Services",
    "txcd_20030000": "General - Services",
    "txcd_99999999": "General - Tangible Goods",
}
REPORT_TYPES = (
    "balance.summary.1",
    "balance_change_from_activity.itemized.3",
    "payouts.summary.1",
    "ending_balance_reconciliation.itemized.4",
)


def provide(services: Iterable[str], create_objects: Callable[[AccountState], None]) -> None:
    """Register the handlers that retrieve and list the objects of services; the first request of an account creates them."""

    def retrieve_object(context: OperationContext) -> Object:
        """Return one of the objects."""
        create_objects(context.state)
        return find(context)

    def list_objects(context: OperationContext) -> Object:
        """Return a page of the objects."""
        create_objects(context.state)
        (object_type,) = object_types_of(context)
        return paginate(context, filter_objects(context, context.state.objects.all(object_type)))

    for service in services:
        operation(f"{service}.retrieve")(retrieve_object)
        operation(f"{service}.list")(list_objects)


def _create_reference_data(state: AccountState) -> None:
    if ("country_spec", "US") in state.objects:
        return
    currencies = sorted(set(CURRENCIES.values()))
    for country, currency in CURRENCIES.items():
        state.create(
            "country_spec",
            {"id": country},
            default_currency=currency,
            supported_payment_currencies=sorted({"usd", "eur", currency}),
            supported_bank_account_currencies={currency: [country]},
            supported_payment_methods=["card"],
            supported_transfer_countries=[country],
        )
    for currency in currencies:
        state.create("exchange_rate", {"id": currency}, rates=dict.fromkeys(currencies, 1.0))
    for code, name in TAX_CODES.items():
        state.create("tax_code", {"id": code}, name=name, description=name)
    for report in REPORT_TYPES:
        state.create("reporting.report_type", {"id": report}, name=report, version=int(report[-1]), default_columns=[])
    state.create("issuing.physical_bundle", {"id": "ics_emulator"}, name="Standard", status="active", type="standard")


provide(
    ("country_specs", "exchange_rates", "tax_codes", "reporting.report_types", "issuing.physical_bundles"),
    _create_reference_data,
)
