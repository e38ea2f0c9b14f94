"""Money is exact: each figure is worked out by hand in the test."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pinstripe.emulator.billing import money
from tests.emulator.conftest import NEW_YEAR, Shop, at

GRADUATED: list[dict[str, Any]] = [  # Any: JSON
    {"up_to": 5, "unit_amount_decimal": "500", "flat_amount_decimal": None},
    {"up_to": 10, "unit_amount_decimal": "400", "flat_amount_decimal": "100"},
    {"up_to": None, "unit_amount_decimal": "300", "flat_amount_decimal": None},
]


def test_graduated_tiers_price_the_units_that_fall_into_each() -> None:
    assert money.graduated(GRADUATED, Decimal(5)) == 2500  # 5 x 500
    assert money.graduated(GRADUATED, Decimal(6)) == 2500 + 400 + 100  # the second tier begins, with its flat amount
    assert money.graduated(GRADUATED, Decimal(12)) == 2500 + 5 * 400 + 100 + 2 * 300
    assert money.graduated(GRADUATED, Decimal(0)) == 0


def test_volume_tiers_price_all_units_by_the_tier_of_the_whole() -> None:
    assert money.volume(GRADUATED, Decimal(5)) == 2500
    assert money.volume(GRADUATED, Decimal(6)) == 6 * 400 + 100
    assert money.volume(GRADUATED, Decimal(11)) == 11 * 300


def test_packages_round_up_or_down() -> None:
    price = {"unit_amount_decimal": "1000", "billing_scheme": "per_unit"}
    up = {**price, "transform_quantity": {"divide_by": 100, "round": "up"}}
    down = {**price, "transform_quantity": {"divide_by": 100, "round": "down"}}
    assert money.amount_of(up, [], 101) == 2000
    assert money.amount_of(down, [], 199) == 1000


def test_fractions_of_a_cent_are_rounded_at_the_end_only() -> None:
    price = {"unit_amount_decimal": "0.5", "billing_scheme": "per_unit"}
    assert money.whole(money.amount_of(price, [], 3)) == 2  # 1.5 cents
    assert money.whole(money.amount_of(price, [], 1000)) == 500


def test_proration_is_to_the_second() -> None:
    start, end = at(1, 1), at(2, 1)
    assert money.prorated(3000, start, end, at(1, 11)) == 2032  # 3000 x 21 / 31 = 2032.26
    assert money.prorated(6000, start, end, at(1, 11)) == 4065  # 4064.52
    assert money.prorated(3000, start, end, start) == 3000
    assert money.prorated(3000, start, end, end) == 0


@given(st.integers(0, 10**8), st.integers(1, 10**8), st.data())
def test_a_period_prorated_in_two_is_the_whole_to_a_cent(amount: int, length: int, data: st.DataObject) -> None:
    moment = data.draw(st.integers(0, length))
    rest = money.prorated(amount, 0, length, moment)
    gone = money.prorated(amount, 0, length, length - moment)
    assert 0 <= rest + gone - amount + 1 <= 2


@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_what_is_shared_out_adds_up(total: int, parts: list[int]) -> None:
    shares = money.shared(total, parts)
    assert sum(shares) == (total if sum(parts) else 0)
    assert all(share >= 0 for share in shares)


@given(st.integers(0, 10**8), st.decimals(Decimal("0.01"), 100, places=2))
def test_inclusive_tax_is_in_the_amount_and_exclusive_on_top(amount: int, percent: Decimal) -> None:
    rate = {"percentage": float(percent), "inclusive": True}
    ((_, inside, base),) = money.taxes(amount, [rate])
    assert abs(inside + base - amount) <= 1
    ((_, on_top, whole),) = money.taxes(amount, [{**rate, "inclusive": False}])
    assert whole == amount
    assert on_top == money.whole(amount * percent / 100)


def test_stripe_takes_two_point_nine_percent_and_thirty_cents() -> None:
    assert money.fee(2000) == 88  # 58 + 30
    assert money.fee(1099) == 62  # 31.871 + 30
    assert money.fee(20) == 20  # never more than there is


def test_tiers_bill_what_they_should(shop: Shop) -> None:
    tiers = [{"up_to": 5, "unit_amount": 500}, {"up_to": "inf", "unit_amount": 300, "flat_amount": 100}]
    price = shop.price(None, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    made = shop.client.subscriptions.create(customer=shop.customer, items=[{"price": price, "quantity": 8}])
    assert shop.latest(made.id).total == 5 * 500 + 3 * 300 + 100
    shown = shop.client.prices.retrieve(price, expand=["tiers"])
    assert shown.tiers is not None
    assert [(one.up_to, one.unit_amount) for one in shown.tiers] == [(5, 500), (None, 300)]


def test_a_price_in_another_currency(shop: Shop) -> None:
    price = shop.price(3000, currency_options={"eur": {"unit_amount": 2700}})
    made = shop.subscribe(price, currency="eur")
    assert (made.currency, shop.latest(made.id).total) == ("eur", 2700)


def test_months_end_on_their_last_day(shop: Shop) -> None:
    shop.advance(at(1, 31))
    made = shop.subscribe(shop.price())
    ends = [made.items.data[0].current_period_end]
    for month in (2, 3, 4):
        shop.advance(at(month, 28 if month == 2 else 31 if month == 3 else 30, 2))
        ends.append(shop.client.subscriptions.retrieve(made.id).items.data[0].current_period_end)
    assert [(one.month, one.day) for one in ends] == [(2, 28), (3, 31), (4, 30), (5, 31)]
    assert ends[0].timestamp() > NEW_YEAR


def test_lines_say_what_they_are_for(shop: Shop) -> None:
    gold = shop.client.products.create(name="Gold").id
    quarter = {"interval": "month", "interval_count": 3}
    for price, said in (
        (shop.price(2900, product=gold), "2 × Gold (at $29.00 / month)"),
        (shop.price(None, product=gold, unit_amount_decimal="0.5"), "2 × Gold (at $0.005 / month)"),
        (shop.price(2900, product=gold, recurring=quarter), "2 × Gold (at $29.00 / every 3 months)"),
    ):
        items: Any = [{"price": price, "quantity": 2}]  # Any: items of a subscription
        made = shop.client.subscriptions.create(customer=shop.customer, items=items)
        assert shop.latest(made.id).lines.data[0].description == said


def test_prices_are_written_as_their_currency_is() -> None:
    assert money.symbolic(Decimal(500), "jpy") == "¥500"
    assert money.symbolic(Decimal(1200), "chf") == "12.00 CHF"
