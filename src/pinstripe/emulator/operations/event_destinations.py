"""Event destinations of API v2. Only webhook endpoints receive events.

https://docs.stripe.com/event-destinations
"""

from __future__ import annotations

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.webhook_endpoints import check_endpoint, create_secret
from pinstripe.emulator.state.defaults import rfc3339
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.versions import check_version

CLOUD_TYPES = ("amazon_eventbridge", "azure_event_grid")


@operation("v2.core.event_destinations.create")
def create(context: OperationContext) -> Object:
    """Create an event destination; ``include`` adds the signing secret of a webhook endpoint."""
    state, params = context.state, context.params
    webhook = params.get("webhook_endpoint") or {}
    if params["type"] == "webhook_endpoint":
        _check_webhook(webhook, params["enabled_events"])
    if version := params.get("snapshot_api_version"):
        check_version(version, "snapshot_api_version")
    fields = {name: value for name, value in params.items() if name != "webhook_endpoint"}
    destination = state.draft("v2.core.event_destination", fields)
    destination.update(
        status="enabled",
        description=params.get("description", ""),
        updated=rfc3339(state.clock.now()),
        status_details=None,
    )
    for name in CLOUD_TYPES:
        if params["type"] != name:
            destination.pop(name, None)
    if not webhook:
        return state.objects.add(destination)
    destination["webhook_endpoint"] = {"url": webhook["url"], "signing_secret": None}
    state.objects.add(destination)
    secret = create_secret(state, destination, connect=True)
    if "webhook_endpoint.signing_secret" in (params.get("include") or []):
        return {**destination, "webhook_endpoint": {"url": webhook["url"], "signing_secret": secret}}
    return destination


def _check_webhook(webhook: Object, event_types: list[str]) -> None:
    param = "webhook_endpoint[url]"
    if not webhook.get("url"):
        raise ErrorResponse(
            "A destination of type webhook_endpoint has webhook_endpoint[url].", code="parameter_missing", param=param
        )
    check_endpoint(webhook["url"], event_types, param)


@operation("v2.core.event_destinations.disable")
def disable(context: OperationContext) -> Object:
    """Stop the delivery of events to a destination."""
    return _set_status(context, "disabled", {"disabled": {"reason": "user"}})


@operation("v2.core.event_destinations.enable")
def enable(context: OperationContext) -> Object:
    """Resume the delivery of events to a destination."""
    return _set_status(context, "enabled", None)


def _set_status(context: OperationContext, status: str, details: Object | None) -> Object:
    state = context.state
    destination = state.objects.get("v2.core.event_destination", context.path["id"])
    state.objects.update(destination, status=status, status_details=details, updated=rfc3339(state.clock.now()))
    return destination


@operation("v2.core.event_destinations.update")
def update(context: OperationContext) -> Object:
    """Change an event destination."""
    params, destination = dict(context.params), find(context)
    fields: Object = {"updated": rfc3339(context.state.clock.now())}
    if webhook := params.pop("webhook_endpoint", None):
        fields["webhook_endpoint"] = {**destination["webhook_endpoint"], **webhook}
    return context.state.apply_update(destination, params, **fields)


@operation("v2.core.event_destinations.delete")
def delete(context: OperationContext) -> Object:
    """Delete an event destination."""
    destination = context.state.objects.get("v2.core.event_destination", context.target_id)
    context.state.objects.mark_deleted(destination)
    return {"id": destination["id"], "object": destination["object"]}


@operation("v2.core.event_destinations.ping")
def ping(context: OperationContext) -> Object:
    """Send a ping event to a destination, and return it."""
    state = context.state
    destination = state.objects.get("v2.core.event_destination", context.path["id"])
    state.events.emit_thin("v2.core.event_destination.ping", destination)
    return state.events.by_id[state.events.new[-1]].object
