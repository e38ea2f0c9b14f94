"""Subscription items; each operation is an update of the subscription. https://docs.stripe.com/api/subscription_items"""

from __future__ import annotations

from pinstripe.emulator.operations._pagination import paginate
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.operations.subscription_updates import apply_update
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import missing_param

SUBSCRIPTION_PARAMS = ("payment_behavior", "proration_behavior", "proration_date", "off_session")
"""The parameters that belong to the update of the subscription."""


@operation("subscription_items.create")
def create(context: OperationContext) -> Object:
    """Add an item to a subscription."""
    state, params = context.state, dict(context.params)
    subscription = state.objects.get("subscription", params.pop("subscription"), "subscription")
    update: Object = {name: params.pop(name) for name in SUBSCRIPTION_PARAMS if name in params}
    apply_update(state, subscription, {**update, "items": [params]})
    item: Object = subscription["items"]["data"][-1]
    return item


@operation("subscription_items.update", "subscription_items.delete")
def update_or_delete(context: OperationContext) -> Object:
    """Update an item, or remove it from its subscription."""
    state, params = context.state, dict(context.params)
    item = state.objects.get("subscription_item", context.target_id)
    update: Object = {name: params.pop(name) for name in SUBSCRIPTION_PARAMS if name in params}
    params.pop("clear_usage", None)
    deleted = {"deleted": True} if context.endpoint.verb == "DELETE" else {}
    subscription = state.objects.get("subscription", item["subscription"])
    apply_update(state, subscription, {**update, "items": [{**params, "id": item["id"], **deleted}]})
    return state.objects["subscription_item", item["id"]]


@operation("subscription_items.list")
def list_items(context: OperationContext) -> Object:
    """List the items of a subscription."""
    if not context.params.get("subscription"):
        raise missing_param("subscription")
    subscription = context.state.objects.get("subscription", context.params["subscription"], "subscription")
    return paginate(context, subscription["items"]["data"])
