"""HTML pages: the status page of the emulator, and the pages that Stripe hosts, such as Checkout."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

from pinstripe._asgi import Receive
from pinstripe.emulator.billing.money import format_amount
from pinstripe.emulator.server.dispatch import Server
from pinstripe.emulator.server.requests import Request
from pinstripe.emulator.server.responses import Response
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.delivery import Delivery
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import ErrorResponse
from pinstripe.emulator.web import hosted

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_WAIT = 25.0
"""Seconds that the status page waits for a change before it sends another request."""
MAX_SHOWN = 50
"""The number of requests, events and deliveries on the status page."""
LATEST_IDS = 3
"""The number of ids of each object type on the status page."""


class Deliveries(Protocol):
    """The deliveries of an emulator."""

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The deliveries, oldest first."""
        ...

    def redeliver(self, delivery: Delivery) -> Delivery:
        """Send the event of a delivery again."""
        ...


class Pages:
    """Responds to the requests for the pages of an emulator."""

    def __init__(self, server: Server, deliveries: Deliveries) -> None:
        self._server, self._accounts, self._deliveries = server, server.accounts, deliveries
        self._environment: Environment | None = None

    async def respond(self, request: Request, receive: Receive) -> Response | None:
        """Return the page at the path of a request, or ``None`` when there is none."""
        segments = request.path.strip("/").split("/")
        if segments == ["wait"]:
            return await self._wait(dict(parse_qsl(request.query)), receive)
        return await asyncio.to_thread(self._page, request, segments)

    def _page(self, request: Request, segments: list[str]) -> Response | None:
        try:
            if segments == [""]:
                return self._html("status.html", **self._status())
            if segments[0] == "objects" and len(segments) == 2:
                return self._object(segments[1])
            if segments == ["deliveries"] and request.verb == "POST":
                return self._redeliver(request)
            page = hosted.PAGES.get((segments[0], "/".join(segments[2:])))
            if page is None or len(segments) < 2:
                return None
            return self._hosted(page, request, segments[1])
        except ErrorResponse as error:
            return self._html("message.html", error.status, title="The request failed", text=str(error))

    def _hosted(self, page: hosted.Page, request: Request, object_id: str) -> Response:
        account = next((account for account in self._accounts if self._find(account, object_id) is not None), None)
        if account is None:
            return self._not_found(object_id)
        form = dict(parse_qsl(request.body.decode())) if request.verb == "POST" else None

        def respond(state: AccountState) -> hosted.Content:
            return page(state, next(state.objects.with_id(object_id)), form)

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
            self._environment = Environment(loader=PackageLoader("pinstripe.emulator.web"), autoescape=True)
            self._environment.filters |= {"money": format_amount, "time": _format_time}
        text = self._environment.get_template(template).render(**values)
        return Response(
            status, text.encode(), {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
        )

    def _not_found(self, object_id: str) -> Response:
        return self._html("message.html", 404, title="Not found", text=f"There is no {object_id}.")

    def _status(self) -> dict[str, Any]:  # Any: values of a template
        ids: dict[str, list[str]] = {}
        for account in self._accounts:
            with self._accounts.reading(account) as state:
                for object_type in state.objects.types:
                    ids.setdefault(object_type, []).extend(state.objects.ids(object_type))
        with self._accounts.changed:
            version, latest = self._accounts.version, self._accounts.event_order[-MAX_SHOWN:]
        events = [(event_id, self._accounts.state(account).events.by_id[event_id]) for account, event_id in latest]
        return {
            "version": version,
            "types": [(name, len(ids[name]), ids[name][-LATEST_IDS:]) for name in sorted(ids)],
            "requests": list(self._server.requests)[-MAX_SHOWN:][::-1],
            "events": events[::-1],
            "deliveries": list(enumerate(self._deliveries.deliveries))[-MAX_SHOWN:][::-1],
        }

    def _object(self, object_id: str) -> Response:
        for account in self._accounts:
            event = self._accounts.state(account).events.by_id.get(object_id)
            value = event.object if event else self._find(account, object_id)
            if value is not None:
                return self._html("object.html", id=object_id, text=json.dumps(value, indent=2))
        return self._not_found(object_id)

    def _redeliver(self, request: Request) -> Response:
        number = dict(parse_qsl(request.body.decode())).get("delivery", "")
        deliveries = self._deliveries.deliveries
        if not number.isdigit() or int(number) >= len(deliveries):
            raise ErrorResponse("There is no such delivery.", status=404)
        self._deliveries.redeliver(deliveries[int(number)])
        return _redirect("/")

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
