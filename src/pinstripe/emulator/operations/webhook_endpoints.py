"""Webhook endpoints.

https://docs.stripe.com/webhooks
"""

from __future__ import annotations

from collections.abc import Sequence

from pinstripe.emulator.operations._crud import find
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.state.tables import EndpointSecret
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.versions import check_version
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES


def check_endpoint(url: str, event_types: Sequence[str], url_param: str = "url") -> None:
    """Raise `ErrorResponse` for a URL that does not begin with http:// or https://, and for an unknown event type."""
    if not url.startswith(("http://", "https://")):
        raise ErrorResponse(
            "Invalid URL: a webhook endpoint's begins with http:// or https://", code="url_invalid", param=url_param
        )
    for index, event_type in enumerate(event_types):
        if event_type != "*" and event_type not in EVENT_TYPES and event_type not in THIN_EVENT_TYPES:
            raise ErrorResponse(
                f"Invalid enabled_events: no event has the type {event_type}.", param=f"enabled_events[{index}]"
            )


def create_secret(state: AccountState, endpoint: Object, *, connect: bool) -> str:
    """Create the signing secret of a webhook endpoint or event destination.

    With ``connect``, it receives the events of connected accounts.
    """
    secret = state.new_id("webhook_secret", 32)
    state.tables.endpoint_secrets.set(endpoint["id"], EndpointSecret(secret, connect))
    return secret


@operation("webhook_endpoints.create")
def create(context: OperationContext) -> Object:
    """Create a webhook endpoint; only this response contains its secret."""
    state, params = context.state, context.params
    check_endpoint(params["url"], params["enabled_events"])
    if version := params.get("api_version"):
        check_version(version, "api_version")
    endpoint = state.create("webhook_endpoint", params, status="enabled")
    return {**endpoint, "secret": create_secret(state, endpoint, connect=bool(params.get("connect")))}


@operation("webhook_endpoints.update")
def update(context: OperationContext) -> Object:
    """Change a webhook endpoint, or disable it."""
    params, endpoint = dict(context.params), find(context)
    check_endpoint(params.get("url") or endpoint["url"], params.get("enabled_events", []))
    fields: Object = {}
    if "disabled" in params:
        fields["status"] = "disabled" if params.pop("disabled") else "enabled"
    return context.state.apply_update(endpoint, params, **fields)
