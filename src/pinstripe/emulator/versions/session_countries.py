"""The filter ``country`` of Financial Connections sessions was ``countries``, of which the first one was used.

https://docs.stripe.com/changelog/endive/2026-09-30/rename-financial-connections-countries-filter-to-country
"""

from __future__ import annotations

from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.versions._change import Change, part

OPERATIONS = {"financial_connections.sessions.create", "link_account_sessions.create"}


def _request(operation: str, params: Object) -> None:
    filters = part(params, "filters")
    if operation in OPERATIONS and "countries" in filters:
        countries = filters.pop("countries")
        first = next(iter(countries.values() if isinstance(countries, dict) else countries or []), None)
        if first:
            filters["country"] = first


def _response(value: Object, _: Object) -> None:
    filters = part(value, "filters")
    if value["object"] in ("financial_connections.session", "link_account_session") and filters:
        country = filters.pop("country", None)
        filters["countries"] = [country] if country else None


CHANGE = Change("2026-09-30.endive", _request, _response, names={"filters[country]": "filters[countries]"})
