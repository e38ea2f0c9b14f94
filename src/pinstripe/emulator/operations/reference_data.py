"""What Stripe has and nobody makes: countries, tax codes, rates of exchange, climate products, types of reports."""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._filters import filter_objects
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object

CURRENCIES = {"US": "usd", "GB": "gbp", "DE": "eur", "FR": "eur", "CA": "cad", "AU": "aud", "JP": "jpy"}
TAX_CODES = {
    "txcd_00000000": "Nontaxable",
    "txcd_10000000": "General - Electronically Supplied Services",
    "txcd_20030000": "General - Services",
    "txcd_99999999": "General - Tangible Goods",
}
REPORTS = (
    "balance.summary.1",
    "balance_change_from_activity.itemized.3",
    "payouts.summary.1",
    "ending_balance_reconciliation.itemized.4",
)


def _fill(state: AccountState) -> None:
    if ("climate.product", "climsku_emulator") in state.objects:
        return
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
    for currency in sorted(set(CURRENCIES.values())):
        state.create("exchange_rate", {"id": currency}, rates=dict.fromkeys(sorted(set(CURRENCIES.values())), 1.0))
    for code, name in TAX_CODES.items():
        state.create("tax_code", {"id": code}, name=name, description=name)
    for report in REPORTS:
        state.create("reporting.report_type", {"id": report}, name=report, version=int(report[-1]), default_columns=[])
    supplier = state.create("climate.supplier", {"id": "climsup_emulator"}, name="Carbon of the Emulator", locations=[])
    price = {"usd": {"amount_fees": 1500, "amount_subtotal": 50_000, "amount_total": 51_500}}
    state.create(
        "climate.product",
        {"id": "climsku_emulator"},
        name="Direct air capture",
        suppliers=[supplier],
        current_prices_per_metric_ton=price,
        metric_tons_available="1000.0",
    )
    state.create("issuing.physical_bundle", {"id": "ics_emulator"}, name="Standard", status="active", type="standard")


SERVICES = (
    "country_specs",
    "exchange_rates",
    "tax_codes",
    "reporting.report_types",
    "climate.products",
    "climate.suppliers",
    "issuing.physical_bundles",
)


@operation(*(f"{service}.retrieve" for service in SERVICES))
def retrieve(context: OperationContext) -> Object:
    """One of them."""
    _fill(context.state)
    return find(context)


@operation(*(f"{service}.list" for service in SERVICES))
def list_all(context: OperationContext) -> Object:
    """All of them."""
    _fill(context.state)
    kind = {"reporting.report_types": "reporting.report_type"}.get(
        context.endpoint.service, context.endpoint.service.removesuffix("s")
    )
    return paginate(context, filter_objects(context, context.state.objects.all(kind)))


@operation("climate.orders.create")
def order(context: OperationContext) -> Object:
    """Carbon removal, ordered."""
    state, params = context.state, context.params
    _fill(state)
    product = state.objects.get("climate.product", params["product"], "product")
    tons = params.get("metric_tons", "1")
    amount = params.get("amount") or int(float(tons) * product["current_prices_per_metric_ton"]["usd"]["amount_total"])
    made = state.draft("climate.order", {name: value for name, value in params.items() if name not in ("amount",)})
    made.update(
        amount_fees=0,
        amount_subtotal=amount,
        amount_total=amount,
        currency=params.get("currency", "usd"),
        metric_tons=tons,
        product=product["id"],
        status="confirmed",
        confirmed_at=state.clock.now(),
        delivery_details=[],
        expected_delivery_year=2030,
    )
    state.objects.add(made)
    state.events.emit("created", made)
    return made
