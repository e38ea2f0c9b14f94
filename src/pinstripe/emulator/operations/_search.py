"""Stripe's search query language, read into a test of objects. https://docs.stripe.com/search#search-query-language"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse

Test: TypeAlias = Callable[[Object], bool]

TOKEN = re.compile(
    r"""\s*(?:(?P<word>AND|OR)\b|(?P<minus>-)?(?P<field>[A-Za-z_][A-Za-z0-9_.]*(?:\[(?:'[^']*'|"[^"]*")\])?)\s*"""
    r"""(?P<sign>:|~|>=|<=|>|<)\s*(?P<value>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|null|[^\s]+))""",
    re.IGNORECASE,
)
# What can be searched for. https://docs.stripe.com/search#query-fields-for-each-resource
FIELDS = {
    "charge": "amount created currency customer disputed metadata refunded status billing_details.address.postal_code "
    "payment_method_details.card.brand payment_method_details.card.exp_month payment_method_details.card.exp_year "
    "payment_method_details.card.fingerprint payment_method_details.card.last4",
    "customer": "created email metadata name phone",
    "invoice": "created currency customer metadata number receipt_number status subscription total "
    "last_finalization_error_code last_finalization_error_type",
    "payment_intent": "amount created currency customer metadata status",
    "price": "active currency lookup_key metadata product type",
    "product": "active description metadata name shippable url",
    "subscription": "canceled_at created metadata status",
}
TEXTUAL = {"email", "name", "description", "url", "number", "receipt_number", "phone"}
AT_LEAST = 3
"""Letters that a part of a text has at least."""


def parse_query(kind: str, query: str) -> Test:
    """The test that a query is; raises a `ErrorResponse` that says what is wrong with it."""
    tests: list[Test] = []
    words: list[str] = []
    at = 0
    while at < len(query.rstrip()):
        found = TOKEN.match(query, at)
        if found is None or (found["word"] is not None) == (len(tests) == len(words)):
            raise _wrong(query, f"near '{query[at:].strip()[:30]}'")
        if found["word"]:
            words.append(found["word"].upper())
        else:
            tests.append(_clause(kind, query, found))
        at = found.end()
    if not tests or len(words) != len(tests) - 1:
        raise _wrong(query, "it ends too early" if tests else "it is empty")
    if len(set(words)) > 1:
        raise _wrong(query, "AND and OR cannot be used in one query")
    if "OR" in words:
        return lambda found: any(test(found) for test in tests)
    return lambda found: all(test(found) for test in tests)


def _wrong(query: str, why: str) -> ErrorResponse:
    return ErrorResponse(f"We were unable to parse your search query: {query!r}: {why}.", param="query")


def _clause(kind: str, query: str, found: re.Match[str]) -> Test:
    field, sign, raw = found["field"], found["sign"], found["value"]
    name, _, key = field.partition("[")
    if name not in FIELDS[kind].split():
        known = ", ".join(FIELDS[kind].split())
        raise _wrong(query, f"{name} cannot be searched for; these can: {known}")
    if (name == "metadata") != bool(key):
        raise _wrong(query, "metadata is searched by key, as in metadata['key']:'value'")
    quoted = raw[0] in "'\""
    wanted: Any = re.sub(r"\\(.)", r"\1", raw[1:-1]) if quoted else raw  # Any: text or a number
    steps = ["metadata", key[1:-2]] if key else name.split(".")
    if sign == "~" and (len(wanted) < AT_LEAST or name not in TEXTUAL):
        raise _wrong(query, f"~ is for parts of texts, of {AT_LEAST} letters and more")
    if sign in (">", "<", ">=", "<=") and not _is_number(wanted):
        raise _wrong(query, f"{sign} compares numbers")
    test = _test(sign, wanted, is_null=raw == "null")
    negative = found["minus"] is not None
    return lambda one: test(_value(one, steps)) is not negative


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdigit()


def _value(found: Any, steps: list[str]) -> Any:  # Any: JSON
    if steps == ["subscription"]:
        steps = ["parent", "subscription_details", "subscription"]
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _test(sign: str, wanted: str, *, is_null: bool) -> Callable[[Any], bool]:  # Any: JSON
    if is_null:
        return lambda value: value is None
    if sign == "~":
        return lambda value: value is not None and wanted.lower() in str(value).lower()
    if sign == ":":
        return lambda value: value is not None and _text(value) == wanted.lower()
    bound = int(wanted)
    compare: dict[str, Callable[[int], bool]] = {
        ">": lambda value: value > bound,
        "<": lambda value: value < bound,
        ">=": lambda value: value >= bound,
        "<=": lambda value: value <= bound,
    }
    return lambda value: isinstance(value, int) and compare[sign](value)


def _text(value: Any) -> str:  # Any: JSON
    return str(value).lower()
