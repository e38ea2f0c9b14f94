"""The pages that people open: what happens in the emulator, and the pages that Stripe hosts, such as Checkout."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl

from pinstripe.emulator.billing.money import written
from pinstripe.emulator.server.dispatch import Answer, Core, Question
from pinstripe.emulator.state.account import NOBODY
from pinstripe.emulator.validation.errors import Refusal
from pinstripe.emulator.web import hosted

if TYPE_CHECKING:
    from jinja2 import Environment

    from pinstripe.emulator import Emulator

Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]  # Any: ASGI's own
PATIENCE = 25.0
"""Seconds that a page waits for news before it asks again."""
SHOWN = 50


class Pages:
    """The pages of an emulator."""

    def __init__(self, core: Core, emulator: Emulator) -> None:
        self._core, self._emulator = core, emulator
        self._environment: Environment | None = None

    async def answer(self, question: Question, receive: Receive) -> Answer | None:
        """The page that a request is for; ``None`` where it is for none."""
        steps = question.path.strip("/").split("/")
        if steps == ["wait"]:
            return await self._wait(dict(parse_qsl(question.query)), receive)
        return await asyncio.to_thread(self._page, question, steps)

    def _page(self, question: Question, steps: list[str]) -> Answer | None:
        try:
            if steps == [""]:
                return self._html("status.html", **self._state())
            if steps[0] == "objects" and len(steps) == 2:
                return self._object(steps[1])
            if steps == ["deliveries"] and question.verb == "POST":
                return self._send_again(question)
            page = hosted.PAGES.get((steps[0], "/".join(steps[2:])))
            if page is None or len(steps) < 2:
                return None
            return self._hosted(page, question, steps[1])
        except Refusal as refusal:
            return self._html("message.html", refusal.status, title="That did not work", text=str(refusal))

    def _hosted(self, page: hosted.Page, question: Question, identifier: str) -> Answer:
        account = next((name for name, world in self._core.worlds.items() if identifier in world.objects), None)
        if account is None:
            return self._html("message.html", 404, title="Nothing is here", text=f"There is no {identifier}.")
        given = dict(parse_qsl(question.body.decode())) if question.verb == "POST" else None
        with self._core.session(account, NOBODY, question.base) as world:
            shown = page(world, world.objects[identifier], given)
        if isinstance(shown, bytes):
            return Answer(200, shown, {"Content-Type": "application/pdf"})
        if isinstance(shown, str):
            return Answer(303, b"", {"Location": shown})
        return self._html(shown.template, shown.status, **shown.values)

    def _html(self, template: str, status: int = 200, /, **values: Any) -> Answer:  # Any: what a template shows
        if self._environment is None:
            try:
                from jinja2 import Environment, PackageLoader
            except ImportError as error:
                raise ImportError("The emulator's pages need Jinja: pip install 'pinstripe[emulator]'") from error
            self._environment = Environment(loader=PackageLoader("pinstripe.emulator.web"), autoescape=True)
            self._environment.filters |= {"money": written, "moment": _moment}
        text = self._environment.get_template(template).render(**values)
        return Answer(status, text.encode(), {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})

    def _state(self) -> dict[str, Any]:  # Any: what the template shows
        core = self._core
        with core.changed:
            kinds: dict[str, list[Any]] = {}  # Any: JSON
            for world in core.worlds.values():
                for kind, ids in world.kinds.items():
                    kinds.setdefault(kind, []).extend(list(ids)[-3:])
            counts = {kind: sum(len(world.kinds.get(kind, ())) for world in core.worlds.values()) for kind in kinds}
            events = [
                (identifier, core.worlds[account].happened[identifier]) for account, identifier in core.order[-SHOWN:]
            ]
            return {
                "version": core.version,
                "kinds": [(kind, counts[kind], kinds[kind][-3:]) for kind in sorted(kinds)],
                "requests": list(core.requests)[-SHOWN:][::-1],
                "events": events[::-1],
                "deliveries": list(enumerate(self._emulator.deliveries))[-SHOWN:][::-1],
            }

    def _object(self, identifier: str) -> Answer:
        for world in self._core.worlds.values():
            happening = world.happened.get(identifier)
            found = happening.whole if happening else world.objects.get(identifier)
            if found is not None:
                return self._html("object.html", id=identifier, text=json.dumps(found, indent=2))
        return self._html("message.html", 404, title="Nothing is here", text=f"There is no {identifier}.")

    def _send_again(self, question: Question) -> Answer:
        number = dict(parse_qsl(question.body.decode())).get("delivery", "")
        deliveries = self._emulator.deliveries
        if not number.isdigit() or int(number) >= len(deliveries):
            raise Refusal("There is no such delivery.", status=404)
        self._emulator.redeliver(deliveries[int(number)])
        return Answer(303, b"", {"Location": "/"})

    async def _wait(self, query: dict[str, str], receive: Receive) -> Answer:
        """Answer when something has changed since a version, or after a while, or when nobody listens any more."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the server has stopped
                loop.call_soon_threadsafe(changed.set)

        with self._core.changed:
            self._core.listeners.append(tell)
            known = query.get("version") == str(self._core.version)
        if known:
            waits = [asyncio.ensure_future(changed.wait()), asyncio.ensure_future(_gone(receive))]
            await asyncio.wait(waits, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            for one in waits:
                one.cancel()
        with self._core.changed:
            self._core.listeners.remove(tell)
        return Answer(200, str(self._core.version).encode(), {"Content-Type": "text/plain"})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S}"
