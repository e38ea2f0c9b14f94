"""Filters of lists. https://docs.stripe.com/api/pagination"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import JSON, Object

NOT_FILTERS = {"limit", "starting_after", "ending_before", "expand", "page", "query", "include"}
"""Parameters of lists that are not filters."""
BOUNDS: dict[str, Callable[[JSON, JSON], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}

Filter: TypeAlias = Callable[[Object, JSON], bool]
FILTERS: dict[tuple[str, str], Filter] = {
    ("billing.alert", "meter"): lambda value, meter: (value["usage_threshold"] or {}).get("meter") == meter,
    ("entitlements.feature", "archived"): lambda value, archived: value["active"] is not archived,
    ("financial_connections.account", "session"): lambda value, session: (
        False
    ),  # sessions of the emulator have no accounts
    ("issuing.personalization_design", "lookup_keys"): lambda value, keys: value["lookup_key"] in keys,
    ("shipping_rate", "currency"): lambda value, currency: (
        (value.get("fixed_amount") or {}).get("currency") == currency
    ),
}
"""The filters, by object type and parameter, that do not compare the field of the same name."""


def list_filter(object_type: str, name: str) -> Callable[[Filter], Filter]:
    """Register a filter of the lists of an object type: a function of an object and the value of the parameter."""

    def register(function: Filter) -> Filter:
        FILTERS[object_type, name] = function
        return function

    return register


HIDE_TEST_CLOCKS = {
    "customers.list": ("test_clock",),
    "quotes.list": ("test_clock", "customer"),
    "subscriptions.list": ("test_clock", "customer"),
}
"""The lists that leave out the objects of test clocks, unless one of these parameters is passed."""


def filter_objects(context: OperationContext, objects: Iterable[Object], *ignored: str) -> Iterable[Object]:
    """Return the objects that match every filter of a request; ``ignored`` are filters that the caller applies itself."""
    filters = {
        name: value
        for name, value in context.params.items()
        if name not in NOT_FILTERS and name not in ignored and value is not None
    }
    shown_with = HIDE_TEST_CLOCKS.get(context.operation)
    if shown_with and not any(context.params.get(name) for name in shown_with):
        objects = (value for value in objects if not value.get("test_clock"))
    return (value for value in objects if all(matches(value, name, wanted) for name, wanted in filters.items()))


def matches(value: Object, name: str, wanted: JSON) -> bool:
    """Return whether an object matches a filter: the same value, one of several, a time in a range, or equal fields."""
    if own := FILTERS.get((str(value.get("object")), name)):
        return own(value, wanted)
    if name not in value:
        name, _, bound = name.rpartition("_")
        return bound not in BOUNDS or BOUNDS[bound](_parse_time(value[name]), _parse_time(wanted))
    field = value[name]
    if isinstance(wanted, dict) and set(wanted) <= set(BOUNDS):
        return field is not None and all(BOUNDS[bound](field, limit) for bound, limit in wanted.items())
    if isinstance(wanted, dict):
        return isinstance(field, dict) and all(matches(field, key, item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return not wanted or field in wanted
    if isinstance(field, dict) and "id" in field:
        field = field["id"]
    return bool(field == wanted)


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
