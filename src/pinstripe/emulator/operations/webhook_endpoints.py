"""Webhook endpoints and event destinations. https://docs.stripe.com/webhooks"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import EndpointSecret
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES


def _check(url: str, types: list[str], param: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise ErrorResponse(
            "Invalid URL: a webhook endpoint's begins with http:// or https://", code="url_invalid", param=param
        )
    for at, one in enumerate(types):
        if one != "*" and one not in EVENT_TYPES and one not in THIN_EVENT_TYPES:
            raise ErrorResponse(f"Invalid enabled_events: no event has the type {one}.", param=f"enabled_events[{at}]")


@operation("webhook_endpoints.create")
def create(context: OperationContext) -> Object:
    """A webhook endpoint; its secret is in this answer only."""
    state, params = context.state, context.params
    _check(params["url"], params["enabled_events"], "url")
    endpoint = state.create("webhook_endpoint", params, status="enabled")
    secret = state.new_id("webhook_secret", 32)
    state.tables.endpoint_secrets.set(endpoint["id"], EndpointSecret(secret, bool(params.get("connect"))))
    return {**endpoint, "secret": secret}


@operation("webhook_endpoints.update")
def update(context: OperationContext) -> Object:
    """Change a webhook endpoint, or disable it."""
    params, endpoint = dict(context.params), find(context)
    _check(params.get("url") or endpoint["url"], params.get("enabled_events", []), "url")
    fields: Object = {"status": "disabled" if params.pop("disabled") else "enabled"} if "disabled" in params else {}
    return context.state.apply_update(endpoint, params, **fields)


@operation("v2.core.event_destinations.create")
def create_destination(context: OperationContext) -> Object:
    """Where events go, thin or whole; to a webhook endpoint they are sent, to the clouds they are not."""
    state, params = context.state, context.params
    hook = params.get("webhook_endpoint") or {}
    if params["type"] == "webhook_endpoint":
        if not hook.get("url"):
            raise ErrorResponse(
                "A destination of type webhook_endpoint has webhook_endpoint[url].",
                code="parameter_missing",
                param="webhook_endpoint[url]",
            )
        _check(hook["url"], params["enabled_events"], "webhook_endpoint[url]")
    destination = state.draft(
        "v2.core.event_destination", {name: value for name, value in params.items() if name != "webhook_endpoint"}
    )
    destination.update(
        status="enabled",
        description=params.get("description", ""),
        updated=rfc3339(state.clock.now()),
        status_details=None,
    )
    for name in ("amazon_eventbridge", "azure_event_grid"):
        if params["type"] != name:
            destination.pop(name, None)
    if hook:
        destination["webhook_endpoint"] = {"url": hook["url"], "signing_secret": None}
    state.objects.add(destination)
    secret = state.new_id("webhook_secret", 32)
    if hook:
        state.tables.endpoint_secrets.set(destination["id"], EndpointSecret(secret, connect=True))
        if "webhook_endpoint.signing_secret" in (params.get("include") or []):
            return {**destination, "webhook_endpoint": {"url": hook["url"], "signing_secret": secret}}
    return destination


@operation("v2.core.event_destinations.disable", "v2.core.event_destinations.enable")
def switch(context: OperationContext) -> Object:
    """Stop sending to a destination, or go on."""
    destination = context.state.objects.get("v2.core.event_destination", context.path["id"])
    off = context.endpoint.method == "disable"
    details = {"disabled": {"reason": "user"}} if off else None
    context.state.objects.update(
        destination,
        status="disabled" if off else "enabled",
        status_details=details,
        updated=rfc3339(context.state.clock.now()),
    )
    return destination


@operation("v2.core.event_destinations.update")
def update_destination(context: OperationContext) -> Object:
    """Change a destination."""
    params, destination = dict(context.params), find(context)
    fields: Object = {"updated": rfc3339(context.state.clock.now())}
    if hook := params.pop("webhook_endpoint", None):
        fields["webhook_endpoint"] = {**destination["webhook_endpoint"], **hook}
    return context.state.apply_update(destination, params, **fields)


@operation("v2.core.event_destinations.ping")
def ping(context: OperationContext) -> Object:
    """Send an event that only says that it could be sent."""
    state = context.state
    destination = state.objects.get("v2.core.event_destination", context.path["id"])
    state.events.emit_thin(
        "v2.core.event_destination.ping", destination, f"/v2/core/event_destinations/{destination['id']}"
    )
    return state.events.by_id[state.events.new[-1]].object
