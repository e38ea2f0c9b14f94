"""Pagination of the lists that are embedded in objects, such as ``subscription.items``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pinstripe._pagination import AsyncPage, Body, Page, Pages, check_path, pages_of
from pinstripe._request import Call, Options

__all__ = ["ListSource"]

_CURSORS = ("starting_after", "ending_before")
# The options of a call that are not those of another call.
_OWN_OPTIONS = ("idempotency_key", "extra_params")


class ListSource:
    """Iterates over the lists in the response to a call: over their first page, and over the pages that follow it.

    The further pages are fetched by the client of the call, with the options of the call: its account, key and API version.
    """

    __slots__ = ("_call", "_client", "is_async")

    def __init__(self, client: Any, call: Call, *, is_async: bool = False) -> None:  # Any: a client of the kind it says
        self._client, self._call, self.is_async = client, call, is_async

    def iterator(self, page: Body) -> Any:  # Any: an iterator, or an async iterator
        """Return an iterator over the items of this page and of all pages after it."""
        call, pages = self._first_call(page)
        if self.is_async:
            return AsyncPage(self._client, call, pages, page).__aiter__()
        return iter(Page(self._client, call, pages, page))

    def _first_call(self, page: Body) -> tuple[Call, Pages]:
        """Return the call that would fetch this page, and its kind of pagination."""
        from pinstripe import _base  # here, as in Pages.target

        item: Any = Annotated[Any, _base.Embedded("", expandable=False)]  # Any: decoded by its object field
        pages = pages_of(
            "v2" if isinstance(page, _base.V2List) else "search" if isinstance(page, _base.SearchResult) else "v1"
        )
        options = _options_for_pages(self._call.options or {})
        if page.last_response is not None and self._call.verb == "GET":  # the result of Client.request, with parameters
            return replace(self._call, model=item, options=options), pages
        path = "" if pages.style == "v2" else _path_of(page, self._call)
        return Call("GET", path, {}, item, options), pages


def _path_of(page: Body, call: Call) -> str:
    """Return the path and the query of a list, without cursors; raise `APIError` if its URL is not a path."""
    parts = urlsplit(check_path(getattr(page, "url", None), call, page))
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in _CURSORS]
    return f"{parts.path}?{urlencode(query)}" if query else parts.path


def _options_for_pages(options: Options) -> Any:  # Any: RequestOptions, from which names are removed
    """Return the options of a call that hold for the pages of the lists in its response, too."""
    shared = {name: value for name, value in options.items() if name not in _OWN_OPTIONS}
    if headers := shared.get("headers"):
        shared["headers"] = {name: value for name, value in headers.items() if name.lower() != "idempotency-key"}
    return shared
