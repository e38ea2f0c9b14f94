"""Run an operation: with its handler, or by its path as create, retrieve, update, delete, list or search of plain objects."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from pinstripe._registry import registry
from pinstripe.emulator.operations._filters import FILTERS, filter_objects
from pinstripe.emulator.operations._pagination import limit_of, paginate
from pinstripe.emulator.operations._registry import HANDLERS
from pinstripe.emulator.operations._search import parse_query
from pinstripe.emulator.operations._transitions import TRANSITIONS
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import JSON, Object
from pinstripe.emulator.state.object_types import INDEXES
from pinstripe.emulator.state.tables import Reference
from pinstripe.emulator.validation.errors import ErrorResponse, missing_object, wrong_state
from pinstripe.emulator.validation.references import referenced_types


def run_operation(context: OperationContext) -> JSON | bytes:
    """Run an operation, and return the JSON of the response or a PDF file.

    The request runs at the time of the test clock of the objects in its path.
    """
    for object_id in context.path.values():
        for value in context.state.objects.with_id(object_id):
            context.state.clock.follow(value)
    if handler := HANDLERS.get(context.operation):
        return handler(context)
    endpoint = context.endpoint
    if context.operation in TRANSITIONS:
        return change_status(context)
    if endpoint.kind == "list":
        return list_objects(context)
    if endpoint.kind == "search":
        return search(context)
    if endpoint.path.endswith("}"):
        return {"GET": retrieve, "POST": update, "DELETE": delete}[endpoint.verb](context)
    if endpoint.verb == "POST" and endpoint.method == "create":
        return create(context)
    raise ErrorResponse(f"The emulator does not support {context.operation}.", status=501, type="api_error")


def object_types_of(context: OperationContext) -> tuple[str, ...]:
    """Return the types of the objects that an operation returns."""
    return _object_types(context.endpoint.model or "")


@cache
def _object_types(models: str) -> tuple[str, ...]:
    types = {model: object_type for object_type, model in registry().objects.items()}
    names = models.split(" | ")
    returned = [types[name] for name in names if name in types]
    deleted = [name.removeprefix("Deleted") for name in names]
    return tuple(returned or [types[name] for name in deleted if name in types])


def path_owners(context: OperationContext) -> dict[str, str]:
    """Return the ids before the last one in the path, by field: ``/v1/transfers/{id}/reversals`` has a ``transfer``."""
    segments, owners = context.endpoint.path.strip("/").split("/"), {}
    for before, segment in pairwise(segments):
        if segment.startswith("{") and segment != segments[-1]:
            name = segment[1:-1]
            owners[before.removesuffix("s") if name == "id" else name.removesuffix("_id")] = context.path[name]
    return owners


def owned(context: OperationContext, objects: Iterable[Object]) -> Iterable[Object]:
    """Return the objects that belong to those in the path; raise `ErrorResponse` when one of those is missing."""
    state, owners = context.state, path_owners(context)
    for name, object_id in owners.items():
        if object_id != state.id and next(state.objects.with_id(object_id), None) is None:
            raise missing_object(name, object_id)
    return (value for value in objects if all(_belongs_to(state, value, *owner) for owner in owners.items()))


def _belongs_to(state: AccountState, value: Object, name: str, owner_id: str) -> bool:
    if name in value:
        owner = value[name]
        return owner is None or (owner["id"] if isinstance(owner, dict) else owner) == owner_id
    reference = state.tables.owners.get(value["id"])
    return reference is None or reference.id == owner_id


def find(context: OperationContext) -> Object:
    """Return the object that the path names, below the objects that the path names before it."""
    types = object_types_of(context)
    for object_type in types:
        value = context.state.objects.find(object_type, context.target_id)
        if value is not None and not value.get("deleted"):
            if not list(owned(context, [value])):
                break
            return value
    raise missing_object(types[0] if types else context.endpoint.service, context.target_id)


def retrieve(context: OperationContext) -> Object:
    """Return an object, or the remains of a deleted one if the endpoint returns those."""
    if "Deleted" in (context.endpoint.model or ""):
        value = context.state.objects.find(object_types_of(context), context.target_id)
        if value is not None and value.get("deleted"):
            return value
    return find(context)


def list_objects(context: OperationContext) -> Object:
    """Return a page of the objects of the endpoint's types that match its filters, newest first."""
    types, objects = object_types_of(context), context.state.objects
    if len(types) == 1:
        candidates: Iterable[Object] = objects.all(types[0], **_indexed_filters(types[0], context.params))
    else:
        candidates = sorted(
            (value for object_type in types for value in objects.all(object_type)),
            key=lambda value: -int(value.get("created") or 0),
        )
    return paginate(context, filter_objects(context, owned(context, candidates)))


def _indexed_filters(object_type: str, params: Object) -> Object:
    """Return the filters that an index can apply: an indexed field with exactly this value."""
    return {
        name: params[name]
        for name in INDEXES.get(object_type, ())
        if isinstance(params.get(name), str) and (object_type, name) not in FILTERS
    }


def create(context: OperationContext) -> Object:
    """Create an object with the parameters that are fields of its model."""
    state, object_type, owners = context.state, object_types_of(context)[0], path_owners(context)
    owned(context, ())
    check_id_is_free(state, object_type, context.params)
    draft = state.draft(object_type, context.params)
    _check_references(state, object_type, context.params)
    draft.update({name: object_id for name, object_id in owners.items() if name in draft})
    if "id" not in draft:
        return draft
    state.objects.add(draft)
    for object_id in owners.values():
        state.tables.owners.set(draft["id"], Reference(object_id))
    state.events.emit("created", draft)
    return draft


def check_id_is_free(state: AccountState, object_type: str, params: Object) -> None:
    """Raise `ErrorResponse` for an id that was passed and is in use; that of a deleted object is free."""
    existing = state.objects.find(object_type, params["id"]) if isinstance(params.get("id"), str) else None
    if existing is not None and not existing.get("deleted"):
        raise ErrorResponse(f"{object_type.capitalize()} already exists.", code="resource_already_exists", param="id")


def update(context: OperationContext) -> Object:
    """Update the object that the path names."""
    value = find(context)
    _check_references(context.state, value["object"], context.params)
    return context.state.apply_update(value, context.params)


def _check_references(state: AccountState, object_type: str, params: Object) -> None:
    types = referenced_types(object_type)
    for name, value in params.items():
        if isinstance(value, str) and types.get(name) and name not in ("payment_method", "account", "destination"):
            referenced = state.objects.find(types[name], value)
            if referenced is None or referenced.get("deleted"):
                raise missing_object(types[name][0], value, name)


def delete(context: OperationContext) -> Object:
    """Delete the object that the path names, and return its remains."""
    value = find(context)
    context.state.events.emit("deleted", value)
    return context.state.objects.mark_deleted(value)


def change_status(context: OperationContext) -> Object:
    """Apply a transition of `TRANSITIONS` to the object that the path names."""
    transition, state = TRANSITIONS[context.operation], context.state
    candidates = (state.objects.find(transition.object_type, object_id) for object_id in context.path.values())
    value = next((value for value in candidates if value is not None and not value.get("deleted")), None)
    if value is None:
        raise missing_object(transition.object_type, context.target_id)
    if transition.from_statuses and value.get("status") not in transition.from_statuses:
        raise wrong_state(value, context.endpoint.method)
    part: Object = {}
    if transition.part:
        part = value.get(transition.part) or state.draft_part(transition.object_type, transition.part)
    previous = state.objects.update(value, **transition.changes(state.clock.now(), part))
    if transition.event:
        state.events.emit(transition.event, value, previous if transition.event == "updated" else None)
    return value


def search(context: OperationContext) -> Object:
    """Return a page of search results. https://docs.stripe.com/search"""
    object_type = object_types_of(context)[0]
    matches = parse_query(object_type, context.params.get("query", ""))
    results = [value for value in context.state.objects.all(object_type) if matches(value)]
    limit, start = limit_of(context.params), int(context.params.get("page") or 0)
    more = start + limit < len(results)
    return {
        "object": "search_result",
        "data": results[start : start + limit],
        "has_more": more,
        "next_page": str(start + limit) if more else None,
        "total_count": len(results),
        "url": context.endpoint.path,
    }
