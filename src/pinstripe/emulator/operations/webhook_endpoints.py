"""Webhook endpoints and event destinations. https://docs.stripe.com/webhooks"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find, life
from pinstripe.emulator.state.account import Ask, Object
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.validation.errors import Refusal
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES


def _check(url: str, types: list[str], param: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise Refusal(
            "Invalid URL: a webhook endpoint's begins with http:// or https://", code="url_invalid", param=param
        )
    for at, one in enumerate(types):
        if one != "*" and one not in EVENT_TYPES and one not in THIN_EVENT_TYPES:
            raise Refusal(f"Invalid enabled_events: no event has the type {one}.", param=f"enabled_events[{at}]")


@life("webhook_endpoints.create")
def create(ask: Ask) -> Object:
    """A webhook endpoint; its secret is in this answer only."""
    world, params = ask.world, ask.params
    _check(params["url"], params["enabled_events"], "url")
    endpoint = world.make("webhook_endpoint", params, status="enabled")
    secret = world.new_id("webhook_secret", 32)
    world.hide(endpoint["id"], {"secret": secret, "connect": bool(params.get("connect"))})
    return {**endpoint, "secret": secret}


@life("webhook_endpoints.update")
def update(ask: Ask) -> Object:
    """Change a webhook endpoint, or disable it."""
    params, endpoint = dict(ask.params), find(ask)
    _check(params.get("url") or endpoint["url"], params.get("enabled_events", []), "url")
    fields: Object = {"status": "disabled" if params.pop("disabled") else "enabled"} if "disabled" in params else {}
    return ask.world.update(endpoint, params, **fields)


@life("v2.core.event_destinations.create")
def create_destination(ask: Ask) -> Object:
    """Where events go, thin or whole; to a webhook endpoint they are sent, to the clouds they are not."""
    world, params = ask.world, ask.params
    hook = params.get("webhook_endpoint") or {}
    if params["type"] == "webhook_endpoint":
        if not hook.get("url"):
            raise Refusal(
                "A destination of type webhook_endpoint has webhook_endpoint[url].",
                code="parameter_missing",
                param="webhook_endpoint[url]",
            )
        _check(hook["url"], params["enabled_events"], "webhook_endpoint[url]")
    destination = world.draft(
        "v2.core.event_destination", {name: value for name, value in params.items() if name != "webhook_endpoint"}
    )
    destination.update(
        status="enabled", description=params.get("description", ""), updated=rfc3339(world.now()), status_details=None
    )
    for name in ("amazon_eventbridge", "azure_event_grid"):
        if params["type"] != name:
            destination.pop(name, None)
    if hook:
        destination["webhook_endpoint"] = {"url": hook["url"], "signing_secret": None}
    world.keep(destination)
    secret = world.new_id("webhook_secret", 32)
    if hook:
        world.hide(destination["id"], {"secret": secret, "connect": True})
        if "webhook_endpoint.signing_secret" in (params.get("include") or []):
            return {**destination, "webhook_endpoint": {"url": hook["url"], "signing_secret": secret}}
    return destination


@life("v2.core.event_destinations.disable", "v2.core.event_destinations.enable")
def switch(ask: Ask) -> Object:
    """Stop sending to a destination, or go on."""
    destination = ask.world.get("v2.core.event_destination", ask.path["id"])
    off = ask.row.method == "disable"
    details = {"disabled": {"reason": "user"}} if off else None
    ask.world.change(
        destination, status="disabled" if off else "enabled", status_details=details, updated=rfc3339(ask.world.now())
    )
    return destination


@life("v2.core.event_destinations.update")
def update_destination(ask: Ask) -> Object:
    """Change a destination."""
    params, destination = dict(ask.params), find(ask)
    fields: Object = {"updated": rfc3339(ask.world.now())}
    if hook := params.pop("webhook_endpoint", None):
        fields["webhook_endpoint"] = {**destination["webhook_endpoint"], **hook}
    return ask.world.update(destination, params, **fields)


@life("v2.core.event_destinations.ping")
def ping(ask: Ask) -> Object:
    """Send an event that only says that it could be sent."""
    world = ask.world
    destination = world.get("v2.core.event_destination", ask.path["id"])
    world.emit_thin("v2.core.event_destination.ping", destination, f"/v2/core/event_destinations/{destination['id']}")
    return world.happened[world.news[-1]].whole
