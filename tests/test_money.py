"""Amounts and currencies: exact in both directions, and never rounded silently."""

from __future__ import annotations

import decimal
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinstripe.emulator.billing.money import CURRENCIES as EMULATOR_CURRENCIES
from pinstripe.errors import InvalidArgumentError
from pinstripe.money import CURRENCIES, decimals, format_amount, from_amount, smallest_step, to_amount

currencies = st.sampled_from(sorted(CURRENCIES)) | st.sampled_from(sorted(CURRENCIES)).map(str.upper)
MODES = [decimal.ROUND_HALF_UP, decimal.ROUND_HALF_EVEN, decimal.ROUND_DOWN, decimal.ROUND_CEILING]


@pytest.mark.parametrize(
    ("value", "currency", "amount"),
    [
        ("10.50", "usd", 1050),
        ("10.5", "EUR", 1050),
        ("500", "jpy", 500),
        ("-3", "krw", -3),
        ("5.120", "kwd", 5120),
        ("10", "bhd", 10000),
        ("5", "isk", 500),
        ("5", "ugx", 500),
        ("10.45", "huf", 1045),
        ("800.45", "twd", 80045),
        ("1E+3", "usd", 100000),
        ("0", "clp", 0),
    ],
)
def test_values_become_amounts_and_back(value: str, currency: str, amount: int) -> None:
    assert to_amount(Decimal(value), currency) == amount
    assert from_amount(amount, currency) == Decimal(value)


@pytest.mark.parametrize(
    ("value", "currency", "payout"),
    [
        ("10.505", "usd", False),
        ("0.001", "eur", False),
        ("500.5", "jpy", False),
        ("5.124", "kwd", False),
        ("5.50", "isk", False),
        ("5.01", "ugx", False),
        ("10.45", "huf", True),
        ("800.45", "twd", True),
        ("1e-30", "usd", False),
    ],
)
def test_a_value_that_would_have_to_be_rounded_raises_an_error(value: str, currency: str, payout: bool) -> None:
    with pytest.raises(InvalidArgumentError, match=r"is not a multiple of .* Pass rounding="):
        to_amount(Decimal(value), currency, payout=payout)


def test_rounding_is_to_the_smallest_step_of_the_currency() -> None:
    assert to_amount(Decimal("10.505"), "usd", rounding=decimal.ROUND_HALF_UP) == 1051
    assert to_amount(Decimal("5.124"), "kwd", rounding=decimal.ROUND_HALF_UP) == 5120
    assert to_amount(Decimal("5.50"), "isk", rounding=decimal.ROUND_HALF_EVEN) == 600
    assert to_amount(Decimal("10.45"), "huf", rounding=decimal.ROUND_DOWN, payout=True) == 1000
    assert to_amount(Decimal("10.45"), "huf", rounding=decimal.ROUND_DOWN) == 1045


@given(st.integers(-(10**17), 10**17), currencies)
def test_every_amount_becomes_a_value_and_back(steps: int, currency: str) -> None:
    for payout in (False, True):
        amount = steps // 10**3 * smallest_step(currency, payout=payout)
        value = from_amount(amount, currency)
        assert to_amount(value, currency, payout=payout) == amount
        assert value * 10 ** decimals(currency) == amount


@given(st.decimals(-(10**12), 10**12, places=9), currencies, st.sampled_from(MODES), st.booleans())
def test_a_value_is_converted_exactly_or_not_at_all(value: Decimal, currency: str, rounding: str, payout: bool) -> None:
    step = from_amount(smallest_step(currency, payout=payout), currency)
    rounded = to_amount(value, currency, rounding=rounding, payout=payout)
    assert from_amount(rounded, currency) == (value / step).to_integral_value(rounding) * step
    if value % step == 0:
        assert to_amount(value, currency, payout=payout) == rounded
    else:
        with pytest.raises(InvalidArgumentError):
            to_amount(value, currency, payout=payout)


@given(st.integers(-(10**17), 10**17), currencies)
def test_the_precision_of_the_decimal_context_does_not_matter(amount: int, currency: str) -> None:
    amount -= amount % smallest_step(currency)
    with decimal.localcontext() as context:
        context.prec = 3
        value = from_amount(amount, currency)
        assert to_amount(value, currency) == amount
        assert to_amount(value, currency, rounding=decimal.ROUND_HALF_UP) == amount
        assert format_amount(amount, currency)
    assert value * 10 ** decimals(currency) == amount


@pytest.mark.parametrize("value", [10.5, 10, "10.50", True, None, 1050])
def test_only_a_decimal_is_a_value(value: Any) -> None:  # Any: the mistakes
    with pytest.raises(InvalidArgumentError, match="value must be a Decimal"):
        to_amount(value, "usd")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN", "1e999999", "1e30"])
def test_a_value_that_is_not_a_number_or_too_large_raises_an_error(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot be an amount of money"):
        to_amount(Decimal(value), "usd")


@pytest.mark.parametrize("amount", [10.5, "1050", True, None])
def test_an_amount_is_an_int_or_a_decimal(amount: Any) -> None:  # Any: the mistakes
    with pytest.raises(InvalidArgumentError, match="amount must be"):
        from_amount(amount, "usd")


@pytest.mark.parametrize("currency", ["", "usdollar", "xxx", " usd", "$", None, 5])
def test_an_unknown_currency_raises_an_error(currency: Any) -> None:  # Any: the mistakes
    calls: list[Callable[[], object]] = [
        lambda: decimals(currency),
        lambda: smallest_step(currency),
        lambda: to_amount(Decimal(1), currency),
        lambda: from_amount(1, currency),
        lambda: format_amount(1, currency),
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="is not a currency"):
            call()


def test_the_emulator_accepts_the_same_currencies() -> None:
    assert set(CURRENCIES) == EMULATOR_CURRENCIES - {"usdc"}


def test_a_fraction_of_the_smallest_unit_has_a_value() -> None:
    assert from_amount(Decimal("0.5"), "usd") == Decimal("0.005")


@pytest.mark.parametrize(
    ("amount", "currency", "plain", "english", "german"),
    [
        (1050, "usd", "10.50 USD", "$10.50", "10,50 $"),
        (-1050, "usd", "-10.50 USD", "-$10.50", "-10,50 $"),
        (123456789, "eur", "1234567.89 EUR", "€1,234,567.89", "1.234.567,89 €"),
        (500, "jpy", "500 JPY", "¥500", "500 ¥"),
        (5120, "kwd", "5.120 KWD", "KWD5.120", "5,120 KWD"),
        (500, "isk", "5 ISK", "ISK5", "5 ISK"),
        (550, "isk", "5.50 ISK", "ISK5.50", "5,50 ISK"),
        (500, "ugx", "5 UGX", "UGX5", "5 UGX"),
        (1045, "all", "10.45 ALL", "ALL10.45", "10,45 ALL"),
        (Decimal("0.5"), "usd", "0.005 USD", "$0.005", "0,005 $"),
        (Decimal("1050.00"), "usd", "10.50 USD", "$10.50", "10,50 $"),
    ],
)
def test_amounts_are_formatted_with_all_their_digits(
    amount: int | Decimal, currency: str, plain: str, english: str, german: str
) -> None:
    def spaced(text: str) -> str:
        return text.replace("\N{NO-BREAK SPACE}", " ")

    assert format_amount(amount, currency) == plain
    assert spaced(format_amount(amount, currency, locale="en_US")) == english
    assert spaced(format_amount(amount, currency, locale="de_DE")) == german


@given(st.integers(-(10**17), 10**17), currencies)
def test_formatting_loses_no_digit(amount: int, currency: str) -> None:
    for text in (format_amount(amount, currency), format_amount(amount, currency, locale="en_US").replace(",", "")):
        number = re.search(r"\d[\d.]*", text)
        assert number is not None
        assert Decimal(number[0]) == abs(from_amount(amount, currency))


def test_formatting_for_a_locale_without_babel_says_what_to_install() -> None:
    code = """if True:
        import sys
        sys.modules["babel"] = None
        from pinstripe.money import format_amount
        print(format_amount(1050, "usd"))
        try:
            format_amount(1050, "usd", locale="de_DE")
        except ImportError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "10.50 USD",
        "Formatting an amount for a locale needs Babel: pip install 'pinstripe[babel]'.",
    ]
