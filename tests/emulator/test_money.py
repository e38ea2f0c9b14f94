"""Prices, tiers, proration, taxes and fees; the expected amounts are calculated by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinstripe.emulator.billing import money, pricing
from pinstripe.emulator.billing.proration import prorate
from tests.emulator.conftest import NEW_YEAR, Shop, at

GRADUATED: list[dict[str, Any]] = [  # Any: JSON values
    {"up_to": 5, "unit_amount_decimal": "500", "flat_amount_decimal": None},
    {"up_to": 10, "unit_amount_decimal": "400", "flat_amount_decimal": "100"},
    {"up_to": None, "unit_amount_decimal": "300", "flat_amount_decimal": None},
]


def test_graduated_tiers_price_the_units_in_each_tier() -> None:
    assert pricing.graduated_amount(GRADUATED, Decimal(5)) == 2500  # 5 x 500
    assert (
        pricing.graduated_amount(GRADUATED, Decimal(6)) == 2500 + 400 + 100
    )  # the first unit of the second tier adds its flat amount
    assert pricing.graduated_amount(GRADUATED, Decimal(12)) == 2500 + 5 * 400 + 100 + 2 * 300
    assert pricing.graduated_amount(GRADUATED, Decimal(0)) == 0


def test_volume_tiers_price_all_units_by_the_tier_of_the_total() -> None:
    assert pricing.volume_amount(GRADUATED, Decimal(5)) == 2500
    assert pricing.volume_amount(GRADUATED, Decimal(6)) == 6 * 400 + 100
    assert pricing.volume_amount(GRADUATED, Decimal(11)) == 11 * 300


def test_packages_round_up_or_down() -> None:
    price = {"unit_amount_decimal": "1000", "billing_scheme": "per_unit"}
    up = {**price, "transform_quantity": {"divide_by": 100, "round": "up"}}
    down = {**price, "transform_quantity": {"divide_by": 100, "round": "down"}}
    assert pricing.exact_amount(up, [], 101) == 2000
    assert pricing.exact_amount(down, [], 199) == 1000


def test_fractions_of_a_cent_are_rounded_only_at_the_end() -> None:
    price = {"unit_amount_decimal": "0.5", "billing_scheme": "per_unit"}
    assert money.round_amount(pricing.exact_amount(price, [], 3)) == 2  # 1.5 cents
    assert money.round_amount(pricing.exact_amount(price, [], 1000)) == 500


def test_proration_is_to_the_second() -> None:
    start, end = at(1, 1), at(2, 1)
    assert prorate(3000, start, end, at(1, 11)) == 2032  # 3000 x 21 / 31 = 2032.26
    assert prorate(6000, start, end, at(1, 11)) == 4065  # 4064.52
    assert prorate(3000, start, end, start) == 3000
    assert prorate(3000, start, end, end) == 0


@given(st.integers(0, 10**8), st.integers(1, 10**8), st.data())
def test_the_two_parts_of_a_period_add_up_to_within_a_cent(amount: int, length: int, data: st.DataObject) -> None:
    at_second = data.draw(st.integers(0, length))
    after = prorate(amount, 0, length, at_second)
    before = prorate(amount, 0, length, length - at_second)
    assert 0 <= before + after - amount + 1 <= 2


@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_the_parts_of_a_split_amount_add_up(total: int, weights: list[int]) -> None:
    parts = money.split(total, weights)
    assert sum(parts) == (total if sum(weights) else 0)
    assert all(part >= 0 for part in parts)


@given(st.integers(0, 10**8), st.decimals(Decimal("0.01"), 100, places=2))
def test_inclusive_tax_is_part_of_the_amount_and_exclusive_tax_is_added(amount: int, percent: Decimal) -> None:
    rate = {"percentage": float(percent), "inclusive": True}
    ((_, inclusive, base),) = pricing.tax_amounts(amount, [rate])
    assert abs(inclusive + base - amount) <= 1
    ((_, exclusive, base),) = pricing.tax_amounts(amount, [{**rate, "inclusive": False}])
    assert base == amount
    assert exclusive == money.round_amount(amount * percent / 100)


def test_the_fee_is_two_point_nine_percent_and_thirty_cents() -> None:
    assert money.fee(2000) == 88  # 58 + 30
    assert money.fee(1099) == 62  # 31.871 + 30
    assert money.fee(20) == 20  # never more than the payment


def test_a_subscription_with_graduated_tiers_is_billed(shop: Shop) -> None:
    tiers = [{"up_to": 5, "unit_amount": 500}, {"up_to": "inf", "unit_amount": 300, "flat_amount": 100}]
    price = shop.price(None, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    subscription = shop.client.subscriptions.create(customer=shop.customer, items=[{"price": price, "quantity": 8}])
    assert shop.latest(subscription.id).total == 5 * 500 + 3 * 300 + 100
    retrieved = shop.client.prices.retrieve(price, expand=["tiers"])
    assert retrieved.tiers is not None
    assert [(tier.up_to, tier.unit_amount) for tier in retrieved.tiers] == [(5, 500), (None, 300)]


def test_a_price_in_another_currency(shop: Shop) -> None:
    price = shop.price(3000, currency_options={"eur": {"unit_amount": 2700}})
    subscription = shop.subscribe(price, currency="eur")
    assert (subscription.currency, shop.latest(subscription.id).total) == ("eur", 2700)


def test_periods_from_the_31st_end_on_the_last_day_of_the_month(shop: Shop) -> None:
    shop.advance(at(1, 31))
    subscription = shop.subscribe(shop.price())
    ends = [subscription.items.data[0].current_period_end]
    for month in (2, 3, 4):
        shop.advance(at(month, 28 if month == 2 else 31 if month == 3 else 30, 2))
        ends.append(shop.client.subscriptions.retrieve(subscription.id).items.data[0].current_period_end)
    assert [(end.month, end.day) for end in ends] == [(2, 28), (3, 31), (4, 30), (5, 31)]
    assert ends[0].timestamp() > NEW_YEAR


def test_lines_describe_quantity_product_and_price(shop: Shop) -> None:
    gold = shop.client.products.create(name="Gold").id
    quarter = {"interval": "month", "interval_count": 3}
    for price, expected in (
        (shop.price(2900, product=gold), "2 × Gold (at $29.00 / month)"),
        (shop.price(None, product=gold, unit_amount_decimal="0.5"), "2 × Gold (at $0.005 / month)"),
        (shop.price(2900, product=gold, recurring=quarter), "2 × Gold (at $29.00 / every 3 months)"),
    ):
        items: Any = [{"price": price, "quantity": 2}]  # Any: items of a subscription
        subscription = shop.client.subscriptions.create(customer=shop.customer, items=items)
        assert shop.latest(subscription.id).lines.data[0].description == expected


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (500, "jpy", "¥500"),
        (1200, "chf", "12.00 CHF"),
        (-123456, "usd", "-$1,234.56"),
        (1050, "kwd", "1.050 KWD"),
        (Decimal("0.5"), "usd", "$0.005"),
        (0, "eur", "€0.00"),
    ],
)
def test_amounts_are_formatted_by_currency(amount: Decimal | int, currency: str, text: str) -> None:
    assert money.format_amount(amount, currency) == text
