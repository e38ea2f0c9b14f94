"""The event log of one account. https://docs.stripe.com/api/events"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from pinstripe._api_version import API_VERSION
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import JSON, Object, changed_parts
from pinstripe.emulator.state.object_paths import object_path
from pinstripe.emulator.state.object_types import EVENT_NAMES
from pinstripe.emulator.state.transaction import Transaction
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES


@dataclass(frozen=True)
class RequestInfo:
    """The id and the idempotency key of the request that causes an event."""

    id: str | None = None
    idempotency_key: str | None = None


NO_REQUEST = RequestInfo()
"""The request of events without a request, such as a renewal."""


class StoredEvent(NamedTuple):
    """An event as JSON, with the fields that lists filter by."""

    type: str
    created: int
    json: str
    thin: bool = False

    @property
    def object(self) -> Object:
        """The event as an object."""
        event: Object = json.loads(self.json)
        return event


class EventLog:
    """The events of an account by id, oldest first."""

    def __init__(
        self,
        account_id: str,
        new_id: Callable[[str], str],
        now: Callable[[], int],
        request: Callable[[], RequestInfo],
        transaction: Transaction,
    ) -> None:
        self._account_id, self._new_id, self._now, self._request = account_id, new_id, now, request
        self._transaction = transaction
        self.by_id: dict[str, StoredEvent] = {}
        self.new: list[str] = []
        """The ids of the events that were created since the last commit."""
        self.resent: list[tuple[str, str | None]] = []
        """The events to deliver again at the next commit, each to the endpoint with an id or to those that receive it."""

    def emit(self, action: str, subject: Object, previous: Object | None = None) -> None:
        """Create an event with a copy of an object, unless Stripe has no such event type.

        ``action`` is the last part of the event type (``updated``), or the full type. ``previous`` are the previous values
        of the fields that changed.
        """
        object_type: str = subject["object"]
        event_type = _event_type(object_type, action)
        if event_type is None:
            return
        data: Object = {"object": subject}
        if previous is not None:
            data["previous_attributes"] = changed_parts(previous, subject)
        request = self._request()
        event: Object = {
            "id": self._new_id("event"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self._now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": request.id, "idempotency_key": request.idempotency_key},
            "type": event_type,
        }
        if self._account_id:
            event["account"] = self._account_id
        self._append(event["id"], StoredEvent(event_type, self._now(), json.dumps(event)))

    def emit_thin(
        self,
        event_type: str,
        related: Object | None,
        *,
        snapshot_event: str | None = None,
        **data: JSON,
    ) -> None:
        """Create a thin event (API v2). https://docs.stripe.com/event-destinations#thin-events

        ``snapshot_event`` is the id of the snapshot event of the same change. Settings and balances have no id.
        """
        if event_type not in THIN_EVENT_TYPES:
            return
        event: Object = {
            "id": self._new_id("v2.core.event"),
            "object": "v2.core.event",
            "context": self._account_id or None,
            "created": rfc3339(self._now()),
            "livemode": False,
            "type": event_type,
            "reason": None,
            "related_object": None,
        }
        if related is not None:
            identity = {"id": related["id"]} if "id" in related else {}
            event["related_object"] = {**identity, "type": related["object"], "url": object_path(related)}
        if snapshot_event is not None:
            event["snapshot_event"] = snapshot_event
        if data:
            event["data"] = data
        self._append(event["id"], StoredEvent(event_type, self._now(), json.dumps(event), thin=True))

    def _append(self, event_id: str, event: StoredEvent) -> None:
        self.by_id[event_id] = event
        self.new.append(event_id)

        def undo() -> None:
            del self.by_id[event_id]
            self.new.pop()  # changes are undone in reverse order, so this event is the last

        self._transaction.record(undo)

    def resend(self, event_id: str, endpoint_id: str | None) -> None:
        """Deliver an event again when the request is committed: to one endpoint, or to those that receive it."""
        self.resent.append((event_id, endpoint_id))
        self._transaction.record(self.resent.clear)

    def set_pending_webhooks(self, event_id: str, count: int) -> Mapping[str, JSON]:
        """Set the number of endpoints that have not received an event yet, and return the event."""
        stored = self.by_id[event_id]
        event = {**stored.object, "pending_webhooks": max(0, count)}
        self.by_id[event_id] = stored._replace(json=json.dumps(event))
        return event


@cache
def _event_type(object_type: str, action: str) -> str | None:
    name = EVENT_NAMES.get(object_type, object_type)
    candidates = (action,) if "." in action else (f"{name}.{action}", f"{name.replace('.', '_', 1)}.{action}")
    return next((event_type for event_type in candidates if event_type in EVENT_TYPES), None)
