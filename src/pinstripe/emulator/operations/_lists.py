"""Lists: filters and pages, of API v1 and v2. https://docs.stripe.com/api/pagination"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeAlias

from pinstripe.emulator.state.account import Ask, Object
from pinstripe.emulator.validation.errors import Refusal

PAGING = {"limit", "starting_after", "ending_before", "expand", "page", "query", "include"}
MAX_LIMIT = 100
BOUNDS: dict[str, Callable[[Any, Any], bool]] = {  # Any: numbers or times
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


Filter: TypeAlias = Callable[[Object, Any], bool]  # Any: JSON
FILTERS: dict[tuple[str, str], Filter] = {
    ("billing.alert", "meter"): lambda found, meter: (found["usage_threshold"] or {}).get("meter") == meter,
    ("entitlements.feature", "archived"): lambda found, archived: found["active"] is not archived,
    ("financial_connections.account", "session"): lambda found, session: False,  # sessions here collect no accounts
    ("issuing.personalization_design", "lookup_keys"): lambda found, keys: found["lookup_key"] in keys,
    ("shipping_rate", "currency"): lambda found, currency: (
        (found.get("fixed_amount") or {}).get("currency") == currency
    ),
}
"""Filters that no field of the objects is called like; here those of kinds that have no room of their own."""


def filtered(kind: str, name: str) -> Callable[[Filter], Filter]:
    """Say what a filter of the lists of a kind lets through: its function takes an object, and what is wanted."""

    def keep(function: Filter) -> Filter:
        FILTERS[kind, name] = function
        return function

    return keep


def embedded(data: list[Object], url: str) -> Object:
    """A list as it stands within an object, whole; ``url`` is where its pages are."""
    return {"object": "list", "data": data, "has_more": False, "url": url}


def matching(ask: Ask, objects: Iterable[Object], *others: str) -> Iterable[Object]:
    """The objects that a list's filters let through, but for the filters that somebody else looks at."""
    filters = {
        name: value
        for name, value in ask.params.items()
        if name not in PAGING and name not in others and value is not None
    }
    return (found for found in objects if all(passes(found, name, value) for name, value in filters.items()))


def passes(found: Object, name: str, wanted: Any) -> bool:  # Any: JSON
    """Whether an object has what a filter wants: the same value, one of several, a time in a range, fields that agree."""
    if own := FILTERS.get((str(found.get("object")), name)):
        return own(found, wanted)
    if name not in found:
        name, _, test = name.rpartition("_")
        return test not in BOUNDS or BOUNDS[test](_moment(found[name]), _moment(wanted))
    value = found[name]
    if isinstance(wanted, dict) and set(wanted) <= set(BOUNDS):
        return value is not None and all(BOUNDS[test](value, bound) for test, bound in wanted.items())
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(passes(value, key, item) for key, item in wanted.items())
    if isinstance(wanted, list):
        return not wanted or value in wanted
    if isinstance(value, dict) and "id" in value:
        value = value["id"]
    return bool(value == wanted)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def listed(ask: Ask, objects: Iterable[Object]) -> Object:
    """A page of objects that come newest first."""
    if ask.row.path.startswith("/v2/"):
        return _listed_v2(ask, objects)
    params = ask.params
    limit = _limit(params)
    if "starting_after" in params and "ending_before" in params:
        raise Refusal("starting_after and ending_before cannot be used together.", param="ending_before")
    path = ask.row.path.format(**ask.path)
    if edge := params.get("ending_before"):
        found = list(objects)
        found = found[: _at(edge, found, "ending_before")]
        page = found[-limit:]
        return {"object": "list", "data": page, "has_more": len(found) > len(page), "url": path}
    rest = iter(objects)
    if edge := params.get("starting_after"):
        for one in rest:
            if one["id"] == edge:
                break
        else:
            raise Refusal(f"No such object: '{edge}'", code="resource_missing", param="starting_after")
    page = []
    for one in rest:
        if len(page) == limit:
            return {"object": "list", "data": page, "has_more": True, "url": path}
        page.append(one)
    return {"object": "list", "data": page, "has_more": False, "url": path}


def _at(edge: str, found: list[Object], param: str) -> int:
    for index, one in enumerate(found):
        if one["id"] == edge:
            return index
    raise Refusal(f"No such object: '{edge}'", code="resource_missing", param=param)


def _limit(params: Object) -> int:
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= MAX_LIMIT:
        raise Refusal(f"Invalid integer: {limit}; limit is from 1 to {MAX_LIMIT}", param="limit")
    return limit


def _listed_v2(ask: Ask, objects: Iterable[Object]) -> Object:
    limit, page = _limit(ask.params), str(ask.params.get("page") or "0")
    if not page.isdigit():
        raise Refusal(f"Invalid page: {page}", param="page")
    found, at = list(objects), int(page)
    path = ask.row.path.format(**ask.path)
    return {
        "data": found[at : at + limit],
        "next_page_url": f"{path}?page={at + limit}&limit={limit}" if at + limit < len(found) else None,
        "previous_page_url": f"{path}?page={max(0, at - limit)}&limit={limit}" if at else None,
    }
