"""The doors to the core: httpx transports for use in process, and an ASGI application for real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import httpx

from pinstripe.emulator.core import Core, Question

Message: TypeAlias = MutableMapping[str, Any]  # Any: ASGI's own
MAX_BODY = 64 * 1024 * 1024


class InProcess(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests of httpx clients, sync and async, without sockets or threads."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        return self._answer(request, await request.aread())

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        url = request.url
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers.raw}
        raw_path = url.raw_path.decode("ascii").partition("?")[0]
        answer = self._core.handle(Question(request.method, raw_path, url.query.decode("ascii"), headers, body))
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def asgi(core: Core) -> Callable[..., Awaitable[None]]:
    """The emulator as an ASGI application."""

    async def application(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False) and len(body) <= MAX_BODY
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path = (scope.get("raw_path") or scope["path"].encode()).decode("ascii").partition("?")[0]
        question = Question(scope["method"], path, scope["query_string"].decode("ascii"), headers, body)
        answer = await asyncio.to_thread(core.handle, question)
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        raw.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})

    return application
