"""Events, as the API returns them.

https://docs.stripe.com/api/events
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from pinstripe.emulator.operations._filters import BOUNDS
from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.event_log import StoredEvent
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import missing_object


def _newest_first(context: OperationContext, *, thin: bool) -> Iterator[tuple[str, StoredEvent]]:
    for event_id in reversed(context.state.events.by_id):
        stored = context.state.events.by_id[event_id]
        if stored.thin is thin:
            yield event_id, stored


@operation("events.retrieve", "v2.core.events.retrieve")
def retrieve(context: OperationContext) -> Object:
    """Return an event, with its object as it was at the time."""
    stored = context.state.events.by_id.get(context.target_id)
    if stored is None or stored.thin is not context.endpoint.path.startswith("/v2/"):
        raise missing_object("event", context.target_id)
    return stored.object


@operation("events.list")
def list_events(context: OperationContext) -> Object:
    """Return a page of events, newest first; ``type`` may contain ``*``."""
    params = context.params
    patterns = params.get("types") or [params.get("type") or "*"]
    created = params.get("created", {})
    bounds = {"gte": created, "lte": created} if isinstance(created, int) else created
    delivered = params.get("delivery_success")
    # Events are stored as text: only those on the page are parsed, unless the filter looks into them.
    matching = (
        {"id": event_id, "stored": stored}
        for event_id, stored in _newest_first(context, thin=False)
        if any(fnmatchcase(stored.type, pattern) for pattern in patterns)
        and all(BOUNDS[name](stored.created, bound) for name, bound in bounds.items())
        and (delivered is None or (stored.object["pending_webhooks"] == 0) == delivered)
    )
    page = paginate(context, matching)
    return {**page, "data": [entry["stored"].object for entry in page["data"]]}


@operation("v2.core.events.list")
def list_thin_events(context: OperationContext) -> Object:
    """Return a page of thin events, of all objects or of one."""
    object_id, types = context.params.get("object_id"), context.params.get("types")
    events = (stored.object for _, stored in _newest_first(context, thin=True) if not types or stored.type in types)
    if object_id is not None:
        events = (event for event in events if (event["related_object"] or {}).get("id") == object_id)
    return paginate(context, events)
