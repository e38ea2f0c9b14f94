"""Stripe's search query language, parsed into a predicate. https://docs.stripe.com/search#search-query-language"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.validation.errors import ErrorResponse

Predicate: TypeAlias = Callable[[Object], bool]

TOKEN = re.compile(
    r"""\s*(?:(?P<word>AND|OR)\b|(?P<minus>-)?(?P<field>[A-Za-z_][A-Za-z0-9_.]*(?:\[(?:'[^']*'|"[^"]*")\])?)\s*"""
    r"""(?P<sign>:|~|>=|<=|>|<)\s*(?P<value>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|null|[^\s]+))""",
    re.IGNORECASE,
)
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
"""The searchable fields. https://docs.stripe.com/search#query-fields-for-each-resource"""
TEXT_FIELDS = {"email", "name", "description", "url", "number", "receipt_number", "phone"}
"""The fields that can be searched by a part of their text."""
MIN_SUBSTRING_LENGTH = 3


def parse_query(object_type: str, query: str) -> Predicate:
    """Return the predicate of a query; raise `ErrorResponse` for an invalid query."""
    clauses: list[Predicate] = []
    operators: list[str] = []
    position = 0
    while position < len(query.rstrip()):
        token = TOKEN.match(query, position)
        if token is None or (token["word"] is not None) == (len(clauses) == len(operators)):
            raise _invalid(query, f"near '{query[position:].strip()[:30]}'")
        if token["word"]:
            operators.append(token["word"].upper())
        else:
            clauses.append(_parse_clause(object_type, query, token))
        position = token.end()
    if not clauses or len(operators) != len(clauses) - 1:
        raise _invalid(query, "it ends too early" if clauses else "it is empty")
    if len(set(operators)) > 1:
        raise _invalid(query, "AND and OR cannot be used in one query")
    combine = any if "OR" in operators else all
    return lambda value: combine(clause(value) for clause in clauses)


def _invalid(query: str, reason: str) -> ErrorResponse:
    return ErrorResponse(f"We were unable to parse your search query: {query!r}: {reason}.", param="query")


def _parse_clause(object_type: str, query: str, token: re.Match[str]) -> Predicate:
    field, sign, raw = token["field"], token["sign"], token["value"]
    name, _, key = field.partition("[")
    searchable = FIELDS[object_type].split()
    if name not in searchable:
        raise _invalid(query, f"{name} cannot be searched for; these fields can: {', '.join(searchable)}")
    if (name == "metadata") != bool(key):
        raise _invalid(query, "metadata is searched by key, as in metadata['key']:'value'")
    operand = re.sub(r"\\(.)", r"\1", raw[1:-1]) if raw[0] in "'\"" else raw
    if sign == "~" and (len(operand) < MIN_SUBSTRING_LENGTH or name not in TEXT_FIELDS):
        raise _invalid(query, f"~ needs a text field and at least {MIN_SUBSTRING_LENGTH} letters")
    if sign in (">", "<", ">=", "<=") and not operand.removeprefix("-").isdigit():
        raise _invalid(query, f"{sign} compares numbers")
    path = ["metadata", key[1:-2]] if key else name.split(".")
    matches = _comparison(sign, operand, is_null=raw == "null")
    negated = token["minus"] is not None
    return lambda value: matches(_value_at(value, path)) is not negated


def _value_at(value: JSON, path: list[str]) -> JSON:
    if path == ["subscription"]:
        path = ["parent", "subscription_details", "subscription"]
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _comparison(sign: str, operand: str, *, is_null: bool) -> Callable[[JSON], bool]:
    if is_null:
        return lambda value: value is None
    if sign == "~":
        return lambda value: value is not None and operand.lower() in str(value).lower()
    if sign == ":":
        return lambda value: value is not None and str(value).lower() == operand.lower()
    bound = int(operand)
    compare: dict[str, Callable[[int], bool]] = {
        ">": lambda value: value > bound,
        "<": lambda value: value < bound,
        ">=": lambda value: value >= bound,
        "<=": lambda value: value <= bound,
    }
    return lambda value: isinstance(value, int) and compare[sign](value)
