"""HTML pages: the status page of the emulator, and the pages that Stripe hosts, such as Checkout."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pinstripe._asgi import Receive
from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.billing.periods import format_date
from pinstripe.emulator.server.dispatch import Server
from pinstripe.emulator.server.requests import Request
from pinstripe.emulator.server.responses import Response
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.web import documents, hosted, portal
from pinstripe.emulator.web.status import Deliveries, Filter, StatusPage

__all__ = ["Pages", "documents", "portal"]  # the modules register their pages

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_WAIT = 25.0
"""Seconds that the status page waits for a change before it sends another request."""


class Pages:
    """Responds to the requests for the pages of an emulator."""

    def __init__(self, server: Server, deliveries: Deliveries) -> None:
        self._accounts, self._status_page = server.accounts, StatusPage(server, deliveries)
        self._environment: Environment | None = None

    async def respond(self, request: Request, receive: Receive) -> Response | None:
        """Return the page at the path of a request.

        ``None`` when there is none, and the request has an API key: its sender expects JSON.
        """
        segments = request.path.strip("/").split("/")
        if segments == ["wait"]:
            return await self._wait(dict(parse_qsl(request.query)), receive)
        response = await asyncio.to_thread(self._page, request, segments)
        if response is None and "authorization" not in request.headers:
            return self._not_found(f"There is no page at {request.path}.")
        return response

    def _page(self, request: Request, segments: list[str]) -> Response | None:
        query = dict(parse_qsl(request.query))
        form = dict(parse_qsl(request.body.decode(errors="replace"))) if request.verb == "POST" else None
        try:
            if segments == [""]:
                chosen = Filter(query.get("type", "").strip(), query.get("object", "").strip())
                return self._html("status.html", **self._status_page.status(chosen), back=f"/?{request.query}")
            if segments[0] == "objects" and len(segments) == 2:
                return self._details("object.html", segments[1], self._status_page.object(segments[1]))
            if segments[0] == "requests" and len(segments) == 2:
                return self._details("request.html", segments[1], self._status_page.request(segments[1]))
            if segments == ["deliveries"] and form is not None:
                return self._redeliver(form)
            if segments[0] in hosted.QUERY_PAGES:
                form = query
            page = hosted.PAGES.get((segments[0], "/".join(segments[2:])))
            return self._hosted(page, request, segments[1], form) if page and len(segments) > 1 else None
        except ErrorResponse as error:
            return self._html("message.html", error.status, title="The request failed", text=str(error))

    def _details(self, template: str, name: str, values: dict[str, Any] | None) -> Response:  # Any: as in _html
        return self._html(template, **values) if values is not None else self._not_found(f"There is no {name}.")

    def _hosted(self, page: hosted.Page, request: Request, object_id: str, form: hosted.Form | None) -> Response:
        account = next((account for account in self._accounts if self._find(account, object_id) is not None), None)
        if account is None:
            return self._not_found(f"There is no {object_id}.")

        def respond(state: AccountState) -> hosted.Content:
            value = next(state.objects.with_id(object_id))
            state.clock.follow(value)
            return page(state, value, form)

        content = self._accounts.run(account, respond, base_url=request.base_url)
        if isinstance(content, bytes):
            return Response(200, content, {"Content-Type": "application/pdf"})
        if isinstance(content, str):
            return _redirect(content)
        return self._html(content.name, content.status, **content.values)

    def _find(self, account: str, object_id: str) -> Object | None:
        with self._accounts.reading(account) as state:
            return next(state.objects.with_id(object_id), None)

    def _html(self, template: str, status: int = 200, /, **values: Any) -> Response:  # Any: values of a template
        if self._environment is None:
            try:
                from jinja2 import Environment, PackageLoader
            except ImportError as error:
                raise ImportError("The emulator's pages need Jinja: pip install 'pinstripe[emulator]'") from error
            self._environment = Environment(
                loader=PackageLoader("pinstripe.emulator.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True
            )
            self._environment.filters |= {"money": format_amount, "time": _format_time, "date": format_date}
        text = self._environment.get_template(template).render(**values)
        return Response(
            status, text.encode(), {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
        )

    def _not_found(self, text: str) -> Response:
        return self._html("message.html", 404, title="Not found", text=text)

    def _redeliver(self, form: hosted.Form) -> Response:
        if not self._status_page.redeliver(form.get("event", ""), form.get("endpoint", "")):
            raise ErrorResponse("There is no such delivery.", status=404)
        back = form.get("back", "/")
        return _redirect(back if back.startswith("/") and not back.startswith("//") else "/")

    async def _wait(self, query: dict[str, str], receive: Receive) -> Response:
        """Respond when something changes after a version, after `MAX_WAIT`, or when the client disconnects."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def notify() -> None:
            with contextlib.suppress(RuntimeError):  # the event loop is closed
                loop.call_soon_threadsafe(changed.set)

        with self._accounts.changed:
            self._accounts.listeners.append(notify)
            unchanged = query.get("version") == str(self._accounts.version)
        if unchanged:
            waits = [asyncio.ensure_future(changed.wait()), asyncio.ensure_future(_disconnected(receive))]
            await asyncio.wait(waits, timeout=MAX_WAIT, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        with self._accounts.changed:
            self._accounts.listeners.remove(notify)
        return Response(200, str(self._accounts.version).encode(), {"Content-Type": "text/plain"})


def _redirect(url: str) -> Response:
    return Response(303, b"", {"Location": url})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _format_time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S}"
