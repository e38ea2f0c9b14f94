"""What Stripe has and nobody makes: countries, tax codes, rates of exchange, climate products, types of reports."""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find, life
from pinstripe.emulator.operations._lists import listed, matching
from pinstripe.emulator.state.account import Ask, Object, World

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


def _fill(world: World) -> None:
    if world.hidden.get("catalogs"):
        return
    world.hide("catalogs", True)
    for country, currency in CURRENCIES.items():
        world.make(
            "country_spec", {"id": country}, default_currency=currency,
            supported_payment_currencies=sorted({"usd", "eur", currency}),
            supported_bank_account_currencies={currency: [country]}, supported_payment_methods=["card"],
            supported_transfer_countries=[country],
        )  # fmt: skip
    for currency in sorted(set(CURRENCIES.values())):
        world.make("exchange_rate", {"id": currency}, rates=dict.fromkeys(sorted(set(CURRENCIES.values())), 1.0))
    for code, name in TAX_CODES.items():
        world.make("tax_code", {"id": code}, name=name, description=name)
    for report in REPORTS:
        world.make("reporting.report_type", {"id": report}, name=report, version=int(report[-1]), default_columns=[])
    supplier = world.make("climate.supplier", {"id": "climsup_emulator"}, name="Carbon of the Emulator", locations=[])
    price = {"usd": {"amount_fees": 1500, "amount_subtotal": 50_000, "amount_total": 51_500}}
    world.make(
        "climate.product", {"id": "climsku_emulator"}, name="Direct air capture", suppliers=[supplier],
        current_prices_per_metric_ton=price,
        metric_tons_available="1000.0",
    )  # fmt: skip
    world.make("issuing.physical_bundle", {"id": "ics_emulator"}, name="Standard", status="active", type="standard")


SERVICES = (
    "country_specs", "exchange_rates", "tax_codes", "reporting.report_types", "climate.products", "climate.suppliers",
    "issuing.physical_bundles",
)  # fmt: skip


@life(*(f"{service}.retrieve" for service in SERVICES))
def retrieve(ask: Ask) -> Object:
    """One of them."""
    _fill(ask.world)
    return find(ask)


@life(*(f"{service}.list" for service in SERVICES))
def list_all(ask: Ask) -> Object:
    """All of them."""
    _fill(ask.world)
    kind = {"reporting.report_types": "reporting.report_type"}.get(ask.row.service, ask.row.service.removesuffix("s"))
    return listed(ask, matching(ask, ask.world.every(kind)))


@life("climate.orders.create")
def order(ask: Ask) -> Object:
    """Carbon removal, ordered."""
    world, params = ask.world, ask.params
    _fill(world)
    product = world.get("climate.product", params["product"], "product")
    tons = params.get("metric_tons", "1")
    amount = params.get("amount") or int(float(tons) * product["current_prices_per_metric_ton"]["usd"]["amount_total"])
    made = world.draft("climate.order", {name: value for name, value in params.items() if name not in ("amount",)})
    made.update(
        amount_fees=0, amount_subtotal=amount, amount_total=amount, currency=params.get("currency", "usd"),
        metric_tons=tons, product=product["id"],
        status="confirmed", confirmed_at=world.now(), delivery_details=[], expected_delivery_year=2030,
    )  # fmt: skip
    world.keep(made)
    world.emit("created", made)
    return made
