"""Amounts and currencies: Stripe's integers to `Decimal` and back, exactly.

Stripe's amounts are integers in the smallest unit of the currency: 1050 is $10.50, but 1050 yen, and 1.050 Kuwaiti dinars.
Nothing here rounds unless the caller says how. https://docs.stripe.com/currencies
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from pinstripe.errors import InvalidArgumentError

__all__ = ["CURRENCIES", "decimals", "format_amount", "from_amount", "smallest_step", "to_amount"]

_TWO = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve czk
    dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd kes kgs khr kyd kzt
    lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mro mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln
    qar ron rsd rub sar sbd scr sek sgd shp sle sll sos srd std szl thb tjs top try ttd twd tzs uah ugx usd uyu uzs wst xcd
    xcg yer zar zmw
"""
_ZERO = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE = "bhd jod kwd omr tnd"

CURRENCIES: Mapping[str, int] = MappingProxyType(
    {code: digits for digits, codes in ((2, _TWO), (0, _ZERO), (3, _THREE)) for code in codes.split()}
)
"""The currencies that Stripe accepts, in lower case, and how many digits of their amounts are decimals."""

# Currencies whose amounts end with zeros. The Icelandic króna and the Ugandan shilling have no fractions any more, but their
# amounts still have two decimals.
_STEPS = {"isk": 100, "ugx": 100, **dict.fromkeys(_THREE.split(), 10)}
_PAYOUT_STEPS = {**_STEPS, "huf": 100, "twd": 100}
# The largest amount that is converted: far above Stripe's limits, and below what would take long.
_MAX_DIGITS = 18


def decimals(currency: str) -> int:
    """Return how many digits of an amount are decimals: 2 for ``"usd"``, 0 for ``"jpy"``, 3 for ``"kwd"``.

    These are the digits of Stripe's amounts. ``"isk"`` and ``"ugx"`` have 2, although no smaller unit is in use.
    Raises `InvalidArgumentError` for a currency that is not in `CURRENCIES`.
    """
    return CURRENCIES[_code(currency)]


def smallest_step(currency: str, *, payout: bool = False) -> int:
    """Return what an amount must be a multiple of: mostly 1; 10 where there are 3 decimals, and 100 for ``"isk"`` and ``"ugx"``.

    With ``payout=True`` it is 100 for ``"huf"`` and ``"twd"``, too: Stripe charges fractions of them, but pays out none.
    """
    return (_PAYOUT_STEPS if payout else _STEPS).get(_code(currency), 1)


def to_amount(value: Decimal, currency: str, *, rounding: str | None = None, payout: bool = False) -> int:
    """Return Stripe's amount of a value: ``to_amount(Decimal("10.50"), "usd")`` is 1050.

    ``rounding`` is one of the modes of `decimal`, such as ``decimal.ROUND_HALF_UP``. Without it, a value that is not a
    multiple of the currency's `smallest_step` raises `InvalidArgumentError`. So do an unknown currency and a ``float``,
    which holds no exact amount, and an ``int``, which might be an amount already.
    """
    code, step = _code(currency), smallest_step(currency, payout=payout)
    if not isinstance(value, Decimal):
        raise InvalidArgumentError(
            f"value must be a Decimal such as Decimal('10.50'), not {type(value).__name__}.", param="value"
        )
    if not value.is_finite() or value.adjusted() > _MAX_DIGITS:
        raise InvalidArgumentError(f"{value} cannot be an amount of money.", param="value")
    steps = _shift(value, CURRENCIES[code] - len(str(step)) + 1)  # steps are powers of ten
    rounded = steps.to_integral_value(decimal.ROUND_DOWN if rounding is None else rounding)
    if rounding is None and rounded != steps:
        smallest = from_amount(step, code)
        raise InvalidArgumentError(
            f"{value} {code.upper()} is not a multiple of {smallest}, the smallest step of "
            f"{'a payout in ' if payout else ''}this currency. Pass rounding=decimal.ROUND_HALF_UP or another mode to round it.",
            param="value",
        )
    return int(rounded) * step


def from_amount(amount: int | Decimal, currency: str) -> Decimal:
    """Return the value of Stripe's amount: ``from_amount(1050, "usd")`` is ``Decimal("10.50")``.

    ``amount`` may be a ``Decimal``, as ``price.unit_amount_decimal`` is, with fractions of the smallest unit.
    """
    code = _code(currency)
    if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
        raise InvalidArgumentError(f"amount must be an int or a Decimal, not {type(amount).__name__}.", param="amount")
    value = Decimal(amount)
    if not value.is_finite():
        raise InvalidArgumentError(f"{amount} cannot be an amount of money.", param="amount")
    return _shift(value, -CURRENCIES[code])


def format_amount(amount: int | Decimal, currency: str, *, locale: str | None = None) -> str:
    """Format Stripe's amount for people: ``10.50 USD``, or with ``locale="de_DE"``: ``10,50 $``.

    A locale needs Babel: ``pip install 'pinstripe[babel]'``. All decimals are shown, those of an amount with fractions, too.
    """
    value, code = from_amount(amount, currency), _code(currency)
    digits = CURRENCIES[code]
    if not amount % smallest_step(code) and smallest_step(code) == 100:
        digits = 0
    shown = max(digits, -_exponent(value))
    if locale is None:
        return f"{value:.{shown}f} {code.upper()}"
    try:
        from babel import Locale, numbers
    except ImportError:
        raise ImportError("Formatting an amount for a locale needs Babel: pip install 'pinstripe[babel]'.") from None
    # Not numbers.format_currency: it rounds to the digits that are usual in cash, for some currencies to whole units.
    pattern = numbers.parse_pattern(Locale.parse(locale).currency_formats["standard"].pattern)
    pattern.frac_prec = (shown, shown)
    text: str = pattern.apply(value, locale, currency=code.upper(), currency_digits=False)
    return text


def _code(currency: str) -> str:
    code = currency.lower() if isinstance(currency, str) else ""
    if code not in CURRENCIES:
        raise InvalidArgumentError(
            f"{currency!r} is not a currency that this version of pinstripe knows; "
            "pinstripe.money.CURRENCIES lists them.",
            param="currency",
        )
    return code


def _shift(value: Decimal, digits: int) -> Decimal:
    """Move the decimal point to the right, exactly: ``Decimal.scaleb`` would round to the precision of the context."""
    sign, numerals, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101  # for type checkers: the value is finite
    return Decimal((sign, numerals, exponent + digits))


def _exponent(value: Decimal) -> int:
    """Return the exponent of a value without the zeros at its end."""
    _, numerals, exponent = value.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101  # as in _shift
    text = "".join(map(str, numerals))
    return exponent + len(text) - len(text.rstrip("0")) if value else 0
