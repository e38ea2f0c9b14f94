"""Pages of lists, of API v1 and v2. https://docs.stripe.com/api/pagination"""

from __future__ import annotations

from collections.abc import Iterable

from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse

MAX_LIMIT = 100


def embedded_list(data: list[Object], url: str) -> Object:
    """Return the list of a field of an object, with all its data; ``url`` is that of its pages."""
    return {"object": "list", "data": data, "has_more": False, "url": url}


def paginate(context: OperationContext, objects: Iterable[Object]) -> Object:
    """Return the page of objects that the parameters of the request select; the objects are newest first."""
    if context.endpoint.path.startswith("/v2/"):
        return _paginate_v2(context, objects)
    params = context.params
    limit = limit_of(params)
    if "starting_after" in params and "ending_before" in params:
        raise ErrorResponse("starting_after and ending_before cannot be used together.", param="ending_before")
    url = context.endpoint.path.format(**context.path)
    if edge := params.get("ending_before"):
        before = _until(objects, edge, "ending_before")
        page = before[-limit:]
        return {"object": "list", "data": page, "has_more": len(before) > len(page), "url": url}
    rest = iter(objects)
    if edge := params.get("starting_after"):
        _until(rest, edge, "starting_after")
    page = []
    for value in rest:
        if len(page) == limit:
            return {"object": "list", "data": page, "has_more": True, "url": url}
        page.append(value)
    return {"object": "list", "data": page, "has_more": False, "url": url}


def _until(objects: Iterable[Object], edge: str, param: str) -> list[Object]:
    """Return the objects before the one with an id; all of them are consumed."""
    before: list[Object] = []
    for value in objects:
        if value["id"] == edge:
            return before
        before.append(value)
    raise ErrorResponse(f"No such object: '{edge}'", code="resource_missing", param=param)


def limit_of(params: Object) -> int:
    """Return the number of objects on a page; raise `ErrorResponse` outside of 1 to 100."""
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= MAX_LIMIT:
        raise ErrorResponse(f"Invalid integer: {limit}; limit must be from 1 to {MAX_LIMIT}", param="limit")
    return limit


def _paginate_v2(context: OperationContext, objects: Iterable[Object]) -> Object:
    limit, page = limit_of(context.params), str(context.params.get("page") or "0")
    if not page.isdigit():
        raise ErrorResponse(f"Invalid page: {page}", param="page")
    values, start = list(objects), int(page)
    path = context.endpoint.path.format(**context.path)
    return {
        "data": values[start : start + limit],
        "next_page_url": f"{path}?page={start + limit}&limit={limit}" if start + limit < len(values) else None,
        "previous_page_url": f"{path}?page={max(0, start - limit)}&limit={limit}" if start else None,
    }
