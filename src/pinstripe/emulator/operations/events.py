"""Events, as the API shows them. https://docs.stripe.com/api/events"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from pinstripe.emulator.operations._crud import life
from pinstripe.emulator.operations._lists import BOUNDS, listed
from pinstripe.emulator.state.account import Ask, Happening, Object
from pinstripe.emulator.validation.errors import missing_object


def _every(ask: Ask, *, thin: bool) -> Iterator[tuple[str, Happening]]:
    for identifier in reversed(ask.world.happened):
        happening = ask.world.happened[identifier]
        if happening.thin is thin:
            yield identifier, happening


@life("events.retrieve", "v2.core.events.retrieve")
def retrieve(ask: Ask) -> Object:
    """An event, as it was."""
    happening = ask.world.happened.get(ask.target)
    if happening is None or happening.thin is not ask.row.path.startswith("/v2/"):
        raise missing_object("event", ask.target)
    return happening.whole


@life("events.list")
def list_events(ask: Ask) -> Object:
    """Events, newest first; ``type`` may end in a star."""
    params = ask.params
    wanted = params.get("types") or ([params["type"]] if params.get("type") else ["*"])
    range_ = params.get("created", {})
    range_ = {"gte": range_, "lte": range_} if isinstance(range_, int) else range_
    delivered = params.get("delivery_success")
    found = (
        {"id": identifier, "happening": happening}
        for identifier, happening in _every(ask, thin=False)
        if any(fnmatchcase(happening.type, one) for one in wanted)
        and all(BOUNDS[name](happening.created, bound) for name, bound in range_.items())
        and (delivered is None or (happening.whole["pending_webhooks"] == 0) == delivered)
    )
    page = listed(ask, found)
    return {**page, "data": [one["happening"].whole for one in page["data"]]}


@life("v2.core.events.list")
def list_thin(ask: Ask) -> Object:
    """Thin events, of an object or of all."""
    related, types = ask.params.get("object_id"), ask.params.get("types")
    found = [one.whole for _, one in _every(ask, thin=True)]
    return listed(
        ask,
        (
            one
            for one in found
            if (related is None or (one["related_object"] or {}).get("id") == related)
            and (not types or one["type"] in types)
        ),
    )
