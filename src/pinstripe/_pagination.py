"""Pages that iterate, sync and async: lists by their last id, search by its token, API v2 by its next URL.

What the next page is, is decided once, in `Pages`; `Page` and `AsyncPager` only carry it out.
https://docs.stripe.com/api/pagination
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pinstripe import errors

if TYPE_CHECKING:
    from pinstripe._call import Call, Response
    from pinstripe._client import AsyncClient, Client

__all__ = ["AsyncPage", "AsyncPager", "Page", "Pages", "paged"]

T = TypeVar("T")


@dataclass(frozen=True)
class Pages:
    """One way of paging: how a page is read, and which call gives the one after it."""

    style: Literal["v1", "search", "v2"]

    def target(self, item: Any) -> Any:  # Any: a row's names; an annotation
        """What a page of such items decodes as."""
        from pinstripe import _base, _decoding  # here, so that importing a client does not import Pydantic

        pages: dict[str, Any] = {
            "v1": _base.ListObject,
            "search": _base.SearchResult,
            "v2": _base.V2List,
        }  # Any: as above
        return pages[self.style][_decoding.resolve(item)]

    def has_more(self, body: Any) -> bool:  # Any: one of the three pages
        """Whether there is a page after this one."""
        return bool(body.next_page_url if self.style == "v2" else body.has_more)

    def is_backwards(self, call: Call) -> bool:
        """Whether the pages go from ``ending_before`` back to the beginning of the list."""
        return self.style == "v1" and bool(call.params.get("ending_before")) and not call.params.get("starting_after")

    def after(self, call: Call, body: Any) -> Call | None:  # Any: one of the three pages
        """The call for the page after this one; none where the list ends."""
        if not self.has_more(body) or not body.data:
            return None
        if self.style == "v2":
            url = urlsplit(body.next_page_url)  # only its path: the API key goes to no other host
            return replace(call, path=f"{url.path}?{url.query}", params={})
        if self.style == "search":
            return replace(call, params={**call.params, "page": body.next_page})
        backwards = self.is_backwards(call)
        edge = getattr(body.data[0 if backwards else -1], "id", None)
        if not isinstance(edge, str):
            raise errors.APIError(f"{call.path}: the page has no id to go on from.", body=str(body).encode())
        return replace(call, params={**call.params, "ending_before" if backwards else "starting_after": edge})


_STYLES = {"v1": Pages("v1"), "search": Pages("search"), "v2": Pages("v2")}


def paged(style: Literal["v1", "search", "v2"]) -> Pages:
    """The way of paging with a name."""
    return _STYLES[style]


class _Page(Generic[T]):
    """What a page shows, sync and async."""

    def __init__(
        self, client: Any, call: Call, pages: Pages, body: Any
    ) -> None:  # Any: a client; one of the three pages
        self._client, self._call, self._pages, self._body = client, call, pages, body

    @property
    def data(self) -> list[T]:
        """The items of this page, in Stripe's order."""
        items: list[T] = self._body.data
        return items

    @property
    def has_more(self) -> bool:
        """Whether there are items after this page (before it, with ``ending_before``)."""
        return self._pages.has_more(self._body)

    @property
    def total_count(self) -> int | None:
        """How many results a search has, where ``expand=["total_count"]`` asked for it."""
        return getattr(self._body, "total_count", None)

    @property
    def last_response(self) -> Response:
        """The HTTP response that this page came in."""
        response: Response = self._body.last_response
        return response

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.data)} from {self._call.path}, has_more={self.has_more}>"

    def _items(self) -> list[T]:
        return self.data[::-1] if self._pages.is_backwards(self._call) else self.data

    def _nothing(self) -> Any:  # Any: one of the three pages
        ended = {"data": [], "has_more": False, "next_page": None, "next_page_url": None}
        kept = {name: value for name, value in ended.items() if hasattr(self._body, name)}
        return self._body.model_copy(update=kept)


class Page(_Page[T]):
    """One page of a list, and the way to the others: iterating gives the items of this page and of all after it."""

    _client: Client

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page._items()

    def next_page(self) -> Page[T]:
        """The page after this one; an empty one after the last."""
        call = self._pages.after(self._call, self._body)
        if call is None:
            return Page(self._client, self._call, self._pages, self._nothing())
        page: Page[T] = self._client.page(call, self._pages)
        return page

    def pages(self) -> Iterator[Page[T]]:
        """This page and all after it."""
        page = self
        while True:
            yield page
            if not page.has_more or not page.data:
                return
            page = page.next_page()


class AsyncPage(_Page[T]):
    """One page of a list, and the way to the others: ``async for`` gives the items of this page and of all after it."""

    _client: AsyncClient

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page._items():
                yield item

    async def next_page(self) -> AsyncPage[T]:
        """The page after this one; an empty one after the last."""
        call = self._pages.after(self._call, self._body)
        if call is None:
            return AsyncPage(self._client, self._call, self._pages, self._nothing())
        page: AsyncPage[T] = await self._client.page(call, self._pages)
        return page

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """This page and all after it."""
        page = self
        while True:
            yield page
            if not page.has_more or not page.data:
                return
            page = await page.next_page()


class AsyncPager(Generic[T]):
    """A list that was asked for and not yet fetched: ``await`` it for its first page, or ``async for`` over all items."""

    def __init__(self, client: AsyncClient, call: Call, pages: Pages) -> None:
        self._client, self._call, self._pages = client, call, pages

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:  # Any: what the event loop passes
        return self._first().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for item in await self._first():
            yield item

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Every page."""
        async for page in (await self._first()).pages():
            yield page

    async def _first(self) -> AsyncPage[T]:
        found: AsyncPage[T] = await self._client.fetch_page(self._call, self._pages)
        return found
