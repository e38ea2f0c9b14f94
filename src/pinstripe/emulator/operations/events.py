"""Events, as the API shows them. https://docs.stripe.com/api/events"""

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


def _every(context: OperationContext, *, thin: bool) -> Iterator[tuple[str, StoredEvent]]:
    for identifier in reversed(context.state.events.by_id):
        stored = context.state.events.by_id[identifier]
        if stored.thin is thin:
            yield identifier, stored


@operation("events.retrieve", "v2.core.events.retrieve")
def retrieve(context: OperationContext) -> Object:
    """An event, as it was."""
    stored = context.state.events.by_id.get(context.target_id)
    if stored is None or stored.thin is not context.endpoint.path.startswith("/v2/"):
        raise missing_object("event", context.target_id)
    return stored.object


@operation("events.list")
def list_events(context: OperationContext) -> Object:
    """Events, newest first; ``type`` may end in a star."""
    params = context.params
    wanted = params.get("types") or ([params["type"]] if params.get("type") else ["*"])
    range_ = params.get("created", {})
    range_ = {"gte": range_, "lte": range_} if isinstance(range_, int) else range_
    delivered = params.get("delivery_success")
    found = (
        {"id": identifier, "stored": stored}
        for identifier, stored in _every(context, thin=False)
        if any(fnmatchcase(stored.type, one) for one in wanted)
        and all(BOUNDS[name](stored.created, bound) for name, bound in range_.items())
        and (delivered is None or (stored.object["pending_webhooks"] == 0) == delivered)
    )
    page = paginate(context, found)
    return {**page, "data": [one["stored"].object for one in page["data"]]}


@operation("v2.core.events.list")
def list_thin(context: OperationContext) -> Object:
    """Thin events, of an object or of all."""
    related, types = context.params.get("object_id"), context.params.get("types")
    found = [one.object for _, one in _every(context, thin=True)]
    return paginate(
        context,
        (
            one
            for one in found
            if (related is None or (one["related_object"] or {}).get("id") == related)
            and (not types or one["type"] in types)
        ),
    )
