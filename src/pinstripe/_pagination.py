"""Pages that iterate, sync and async: lists by their last id, searches by their token, API v2 by its next URL.

`Pages` decides what the next page is; `Page`, `AsyncPage` and `AsyncPager` fetch it. https://docs.stripe.com/api/pagination
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from pinstripe import errors
from pinstripe._request import Call
from pinstripe._response import Response

__all__ = ["AsyncPage", "AsyncPageClient", "AsyncPager", "Page", "PageClient", "Pages", "check_path", "pages_of"]

T = TypeVar("T")
Body: TypeAlias = Any  # Any: a ListObject, SearchResult or V2List; their module imports Pydantic
# A path that begins with exactly one slash, so that appending it to the URL of a host leaves the host as it is.
_is_local_path = re.compile(r"/(?![/\\])[!\"$-\[\]-~]*").fullmatch


def check_path(url: object, call: Call, body: Body) -> str:
    """Return the URL of another page if it is a path on the same host; raise `APIError` otherwise.

    The API key goes wherever the next request goes.
    """
    if not isinstance(url, str) or not _is_local_path(url):
        raise unusable(call, body, f"the URL of its next page is {url!r}, which is not a path on the same host")
    return url


def unusable(call: Call, body: Body, problem: str) -> errors.APIError:
    """Return the error for a page from which no other page can be fetched."""
    response: Response | None = getattr(body, "last_response", None)
    facts: dict[str, Any] = {}  # Any: arguments of StripeError
    if response is not None:
        facts = {
            "status_code": response.status_code,
            "headers": response.headers,
            "request_id": response.request_id,
            "body": response.content,
            "attempts": response.attempts,
        }
    return errors.APIError(f"The list {call.path.partition('?')[0]} cannot be read: {problem}.", **facts)


@dataclass(frozen=True)
class Pages:
    """One kind of pagination: how its pages are decoded, and which call fetches the page after one."""

    style: Literal["v1", "search", "v2"]

    def target(self, item: Any) -> Any:  # Any: as in _decoding.resolve
        """Return what a page with such items is decoded as."""
        from pinstripe import _base, _decoding  # here, so that importing a client does not import Pydantic

        pages: dict[str, Any] = {  # Any: generic classes that are subscripted at run time
            "v1": _base.ListObject,
            "search": _base.SearchResult,
            "v2": _base.V2List,
        }
        return pages[self.style][_decoding.resolve(item)]

    def has_more(self, body: Body) -> bool:
        """Return whether another page follows."""
        return bool(body.next_page_url if self.style == "v2" else body.has_more)

    def is_backwards(self, call: Call) -> bool:
        """Return whether the pages go from ``ending_before`` back to the beginning of the list."""
        return self.style == "v1" and bool(call.params.get("ending_before")) and not call.params.get("starting_after")

    def checked(self, call: Call, body: Body) -> Body:
        """Return the body of a page; raise `APIError` if it has no items or does not say whether it is the last."""
        fields: dict[str, tuple[type, ...]] = {"data": (list,)}
        if self.style == "v2":
            fields["next_page_url"] = (str, type(None))
        else:
            fields["has_more"] = (bool,)
        for name, types in fields.items():
            value = getattr(body, name, _MISSING)
            if value is _MISSING:
                raise unusable(call, body, f"{name} is missing")
            if not isinstance(value, types):
                raise unusable(call, body, f"{name} is of type {type(value).__name__}")
        return body

    def after(self, call: Call, body: Body) -> Call | None:
        """Return the call that fetches the page after this one; ``None`` after the last page.

        Raises `APIError` if the page repeats itself, or does not say where the next one is.
        """
        cursor = self.cursor(call, body)
        if cursor is None:
            return None
        if self.style == "v2":
            following = replace(call, path=cursor, params={})
        else:
            name = "page" if self.style == "search" else self._direction(call)
            following = replace(call, params={**call.params, name: cursor})
        if (following.path, following.params) == (call.path, call.params):
            raise unusable(call, body, "its next page is the same page")
        return following

    def cursor(self, call: Call, body: Body) -> str | None:
        """Return what the next page begins after: an id, a token or a path; ``None`` after the last page."""
        if not self.has_more(body):
            return None
        if self.style == "v2":
            return check_path(body.next_page_url, call, body)
        if self.style == "search":
            token = getattr(body, "next_page", None)
            if not isinstance(token, str) or not token:
                raise unusable(call, body, "has_more is true, and next_page is missing")
            return token
        if not body.data:
            return None
        identifier = getattr(body.data[0 if self.is_backwards(call) else -1], "id", None)
        if not isinstance(identifier, str) or not identifier:
            raise unusable(call, body, "the last item has no id")
        return str(identifier)

    def _direction(self, call: Call) -> str:
        return "ending_before" if self.is_backwards(call) else "starting_after"


_MISSING = object()
_STYLES = {"v1": Pages("v1"), "search": Pages("search"), "v2": Pages("v2")}


def pages_of(style: Literal["v1", "search", "v2"]) -> Pages:
    """Return the pagination of this style."""
    return _STYLES[style]


class PageClient(Protocol):
    """The methods of a client that a page uses."""

    def _page(self, call: Call, pages: Pages) -> Page[Any]:  # Any: the type of the items is that of the endpoint
        """Fetch a page."""
        ...


class AsyncPageClient(Protocol):
    """The methods of a client that an async page uses."""

    async def _fetch_page(self, call: Call, pages: Pages) -> AsyncPage[Any]:  # Any: as in PageClient
        """Fetch a page."""
        ...


class _BasePage(Generic[T]):
    """The base of sync and async pages."""

    def __init__(self, client: Any, call: Call, pages: Pages, body: Body) -> None:  # Any: see the subclasses
        self._client, self._call, self._pages, self._body = client, call, pages, body

    @property
    def data(self) -> list[T]:
        """The items of this page, in Stripe's order."""
        items: list[T] = self._body.data
        return items

    @property
    def has_more(self) -> bool:
        """Whether more items follow this page (or precede it, with ``ending_before``)."""
        return self._pages.has_more(self._body)

    @property
    def total_count(self) -> int | None:
        """The number of results of a search with ``expand=["total_count"]``."""
        return getattr(self._body, "total_count", None)

    @property
    def last_response(self) -> Response:
        """The HTTP response that returned this page."""
        response: Response = self._body.last_response
        return response

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.data)} from {self._call.path}, has_more={self.has_more}>"

    def _items(self) -> list[T]:
        return self.data[::-1] if self._pages.is_backwards(self._call) else self.data

    def _is_last(self, seen: set[str]) -> bool:
        """Return whether no page follows; raise `APIError` if one that was fetched before would follow."""
        cursor = self._pages.cursor(self._call, self._body)
        if cursor in seen:
            raise unusable(self._call, self._body, "its pages repeat themselves")
        if cursor is not None:
            seen.add(cursor)
        return cursor is None

    def _empty_body(self) -> Body:
        values = {"data": [], "has_more": False, "next_page": None, "next_page_url": None}
        return self._body.model_copy(
            update={name: value for name, value in values.items() if hasattr(self._body, name)}
        )


class Page(_BasePage[T]):
    """One page of a list. Iterating over it yields the items of this page and of all pages after it."""

    _client: PageClient

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page._items()

    def next_page(self) -> Page[T]:
        """Fetch the page after this one; return an empty page after the last one."""
        call = self._pages.after(self._call, self._body)
        if call is None:
            return Page(self._client, self._call, self._pages, self._empty_body())
        return self._client._page(call, self._pages)

    def pages(self) -> Iterator[Page[T]]:
        """Iterate over this page and all pages after it."""
        page, seen = self, set[str]()
        while True:
            is_last = page._is_last(seen)  # first, so that no page is yielded twice
            yield page
            if is_last:
                return
            page = page.next_page()


class AsyncPage(_BasePage[T]):
    """One page of a list. ``async for`` yields the items of this page and of all pages after it."""

    _client: AsyncPageClient

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page._items():
                yield item

    async def next_page(self) -> AsyncPage[T]:
        """Fetch the page after this one; return an empty page after the last one."""
        call = self._pages.after(self._call, self._body)
        if call is None:
            return AsyncPage(self._client, self._call, self._pages, self._empty_body())
        return await self._client._fetch_page(call, self._pages)

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Iterate over this page and all pages after it."""
        page, seen = self, set[str]()
        while True:
            is_last = page._is_last(seen)  # first, so that no page is yielded twice
            yield page
            if is_last:
                return
            page = await page.next_page()


class AsyncPager(Generic[T]):
    """A list that is not fetched yet: ``await`` it for its first page, or iterate over all items with ``async for``."""

    def __init__(self, client: AsyncPageClient, call: Call, pages: Pages) -> None:
        self._client, self._call, self._pages = client, call, pages

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:  # Any: what the event loop sends
        return self._first_page().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self._first_page():
            yield item

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Iterate over all pages."""
        async for page in (await self._first_page()).pages():
            yield page

    async def _first_page(self) -> AsyncPage[T]:
        return await self._client._fetch_page(self._call, self._pages)
