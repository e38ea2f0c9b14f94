"""Value lists of Radar.

https://docs.stripe.com/radar/lists
"""

from __future__ import annotations

from pinstripe.emulator.operations._filters import list_filter
from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse

CREATOR = "owner@example.com"


@operation("radar.value_lists.create")
def create_list(context: OperationContext) -> Object:
    """Create a value list; its alias must be unique."""
    state, params = context.state, context.params
    if next(state.objects.all("radar.value_list", alias=params["alias"]), None):
        raise ErrorResponse(
            "A value list with that alias exists already.", code="resource_already_exists", param="alias"
        )
    value_list = state.draft("radar.value_list", params)
    value_list.update(created_by=CREATOR, item_type=params.get("item_type", "string"))
    value_list["list_items"]["url"] = f"/v1/radar/value_list_items?value_list={value_list['id']}"
    return state.objects.add(value_list)


@operation("radar.value_lists.delete")
def delete_list(context: OperationContext) -> Object:
    """Delete a value list and its items."""
    state = context.state
    value_list = state.objects.get("radar.value_list", context.target_id)
    for item in list(state.objects.all("radar.value_list_item", value_list=value_list["id"])):
        state.objects.mark_deleted(item)
    return state.objects.mark_deleted(value_list)


@operation("radar.value_list_items.create")
def create_item(context: OperationContext) -> Object:
    """Add a value to a list; it must be new to the list."""
    state, params = context.state, context.params
    value_list = state.objects.get("radar.value_list", params["value_list"], "value_list")
    if next(state.objects.all("radar.value_list_item", value_list=value_list["id"], value=params["value"]), None):
        raise ErrorResponse("The value is in the list already.", code="resource_already_exists", param="value")
    item = state.create("radar.value_list_item", params, created_by=CREATOR)
    items = value_list["list_items"]
    state.objects.update(value_list, list_items={**items, "data": [item, *items["data"]]})
    return item


@list_filter("radar.value_list", "contains")
def _contains(value_list: Object, text: str) -> bool:
    return any(text in item["value"] for item in value_list["list_items"]["data"])
