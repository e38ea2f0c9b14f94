"""The status page: requests with their bodies, events, deliveries and objects, filtered by type and object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol
from urllib.parse import parse_qsl

from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.server.dispatch import LoggedRequest, Server
from pinstripe.emulator.state.delivery import Delivery
from pinstripe.emulator.state.event_log import StoredEvent
from pinstripe.emulator.state.json_values import Object

MAX_SHOWN = 50
"""The number of requests, events, deliveries and objects of a type on the status page."""
LATEST_IDS = 3
"""The number of ids of each object type on the status page."""
LINK = re.compile(r'"(?:(?P<url>https?://[^"\s]+)|(?P<id>[a-z][a-z0-9_]*_\w+))"')
NAMES = ("name", "email", "description", "nickname", "code", "url", "type")
AMOUNTS = ("total", "amount", "amount_total", "unit_amount")

Values = dict[str, Any]  # Any: values of a template


class Deliveries(Protocol):
    """The deliveries of an emulator."""

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The deliveries, oldest first."""
        ...

    def redeliver(self, delivery: Delivery) -> Delivery:
        """Send the event of a delivery again."""
        ...


@dataclass(frozen=True)
class Filter:
    """A part of an event type, operation or object type, and an id that must be mentioned."""

    type: str = ""
    object: str = ""

    def matches(self, types: str, *texts: str) -> bool:
        """Return whether the type is a part of ``types``, and the id of one of ``texts``."""
        return self.type in types and (not self.object or any(self.object in text for text in texts))


class StatusPage:
    """Collects what the status page and the pages of requests and objects show, of all accounts."""

    def __init__(self, server: Server, deliveries: Deliveries) -> None:
        self._server, self._accounts, self._deliveries = server, server.accounts, deliveries

    def status(self, chosen: Filter) -> Values:
        """Return the values of the status page."""
        with self._accounts.changed:
            version = self._accounts.version
        return {
            "version": version,
            "filter": chosen,
            "types": self._types(),
            "requests": list(islice(self._requests(chosen), MAX_SHOWN)),
            "events": list(islice(self._events(chosen), MAX_SHOWN)),
            "deliveries": list(islice(self._matching_deliveries(chosen), MAX_SHOWN)),
            "objects": self._objects(chosen.type),
        }

    def _types(self) -> list[tuple[str, int, list[str]]]:
        ids: dict[str, list[str]] = {}
        for account in self._accounts:
            with self._accounts.reading(account) as state:
                for object_type in state.objects.types:
                    ids.setdefault(object_type, []).extend(state.objects.ids(object_type))
        return [(name, len(ids[name]), ids[name][-LATEST_IDS:]) for name in sorted(ids)]

    def _objects(self, object_type: str) -> list[tuple[Object, str]]:
        objects: list[Object] = []
        for account in self._accounts:
            with self._accounts.reading(account) as state:
                objects += islice(state.objects.all(object_type), MAX_SHOWN)
        return [(value, _summary(value)) for value in objects[:MAX_SHOWN]]

    def _requests(self, chosen: Filter) -> Iterator[LoggedRequest]:
        for request in reversed(list(self._server.requests)):
            body = request.body.decode(errors="replace")
            types = f"{request.operation} {request.path}"
            if f'"object": "{chosen.type}"' in body:
                types += chosen.type
            if chosen.matches(types, request.path, request.params.decode(errors="replace"), body):
                yield request

    def _events(self, chosen: Filter) -> Iterator[tuple[str, StoredEvent]]:
        with self._accounts.changed:
            order = list(self._accounts.event_order)
        for account, event_id in reversed(order):
            event = self._accounts.state(account).events.by_id[event_id]
            if chosen.matches(event.type, event.json):
                yield event_id, event

    def _matching_deliveries(self, chosen: Filter) -> Iterator[Delivery]:
        for delivery in reversed(self._deliveries.deliveries):
            text = json.dumps(delivery.event) if chosen.object else ""
            if chosen.matches(str(delivery.event["type"]), text, delivery.endpoint):
                yield delivery

    def request(self, request_id: str) -> Values | None:
        """Return the values of the page of a request; ``None`` for one that is no longer logged."""
        request = next((request for request in list(self._server.requests) if request.id == request_id), None)
        if request is None:
            return None
        return {
            "request": request,
            "params": _params_text(request.params),
            "body": self._with_links(_json_text(request.body)),
            "events": [
                (event_id, event)
                for event_id, event in self._events(Filter(object=request_id))
                if (event.object.get("request") or {}).get("id") == request_id
            ],
        }

    def object(self, object_id: str) -> Values | None:
        """Return the values of the page of an object or event."""
        value = self._find(object_id)
        if value is None:
            return None
        event = value["object"] == "event"
        deliveries = [delivery for delivery in self._deliveries.deliveries if delivery.event["id"] == object_id]
        return {
            "id": object_id,
            "type": value["type" if event else "object"],
            "text": self._with_links(json.dumps(value, indent=2, ensure_ascii=False)),
            "request": value["request"]["id"] if event else None,
            "deliveries": deliveries[::-1],
            "back": f"/objects/{object_id}",
        }

    def redeliver(self, event_id: str, endpoint: str) -> bool:
        """Send an event to an endpoint again; return whether it was delivered to it before."""
        for delivery in reversed(self._deliveries.deliveries):
            if delivery.event["id"] == event_id and delivery.endpoint == endpoint:
                self._deliveries.redeliver(delivery)
                return True
        return False

    def _find(self, object_id: str) -> Object | None:
        for account in self._accounts:
            with self._accounts.reading(account) as state:
                if event := state.events.by_id.get(object_id):
                    return event.object
                if value := next(state.objects.with_id(object_id), None):
                    return value
        return None

    def _with_links(self, text: str) -> list[tuple[str, str]]:
        """Split a JSON text into parts, each with the URL that it links to; the URL is empty for plain text."""
        parts, end = [], 0
        for match in LINK.finditer(text):
            url = match["url"] or (f"/objects/{match['id']}" if self._find(match["id"]) is not None else "")
            if url:
                parts += [(text[end : match.start() + 1], ""), (match[0][1:-1], url)]
                end = match.end() - 1
        return [*parts, (text[end:], "")]


def _summary(value: Object) -> str:
    parts = [str(value[name]) for name in NAMES if value.get(name)][:1]
    amount = next((value[name] for name in AMOUNTS if isinstance(value.get(name), int)), None)
    if amount is not None and value.get("currency"):
        parts.append(format_amount(amount, value["currency"]))
    if isinstance(value.get("status"), str):
        parts.append(value["status"])
    return ", ".join(parts)


def _params_text(params: bytes) -> str:
    """Return the parameters of a request, one a line; other bodies unchanged."""
    text = params.decode(errors="replace")
    if text.startswith(("{", "--")):
        return _json_text(params)
    return "\n".join(f"{name} = {value}" for name, value in parse_qsl(text, keep_blank_values=True))


def _json_text(body: bytes) -> str:
    text = body.decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
