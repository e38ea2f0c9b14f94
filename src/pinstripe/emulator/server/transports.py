"""The doors to the core: httpx transports for use in process, and an ASGI application for real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import httpx

from pinstripe.emulator.server.dispatch import Answer, Core, Question

Message: TypeAlias = MutableMapping[str, Any]  # Any: ASGI's own
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Page: TypeAlias = Callable[[Question, Receive], Awaitable[Answer | None]]
MAX_BODY = 64 * 1024 * 1024


class InProcess(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests of httpx clients, sync and async, without sockets or threads."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        answer = self._core.handle(_question(request, request.read()))
        if answer.fault and answer.fault.trouble == "slow":
            time.sleep(answer.fault.seconds)
        return self._response(request, answer)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        answer = self._core.handle(_question(request, await request.aread()))
        if answer.fault and answer.fault.trouble == "slow":
            await asyncio.sleep(answer.fault.seconds)
        return self._response(request, answer)

    def _response(self, request: httpx.Request, answer: Answer) -> httpx.Response:
        self._core.done(answer)
        trouble = answer.fault.trouble if answer.fault else ""
        if trouble == "timeout":
            raise httpx.ReadTimeout("The emulator was told not to answer.", request=request)
        if trouble in ("reset_before", "reset_after"):
            raise httpx.ReadError("The emulator was told to reset the connection.", request=request)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def _question(request: httpx.Request, body: bytes) -> Question:
    url = request.url
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers.raw}
    raw_path = url.raw_path.decode("ascii").partition("?")[0]
    return Question(request.method, raw_path, url.query.decode("ascii"), headers, body)


def asgi(core: Core, page: Page) -> Callable[..., Awaitable[None]]:
    """The emulator as an ASGI application: the API, and beside it the pages that people open."""

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        question = await _read(scope, receive)
        if question is None:
            await _answer(
                send, Answer(413, b'{"error": {"type": "invalid_request_error", "message": "The body is too large."}}')
            )
            return
        if not question.path.startswith(("/v1/", "/v2/")):
            found = await page(question, receive)
            if found is not None:
                await _answer(send, found)
                return
        answer = await asyncio.to_thread(core.handle, question)
        try:
            trouble = answer.fault.trouble if answer.fault else ""
            if answer.fault and trouble == "slow":
                await asyncio.sleep(answer.fault.seconds)
            elif trouble == "timeout":
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
            elif trouble in ("reset_before", "reset_after"):
                _reset(send)
                return
        finally:
            core.done(answer)
        await _answer(send, answer)

    return application


async def _read(scope: Message, receive: Receive) -> Question | None:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            return None
        more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    path = (scope.get("raw_path") or scope["path"].encode()).decode("ascii").partition("?")[0]
    base = f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}"
    return Question(scope["method"], path, scope["query_string"].decode("ascii"), headers, b"".join(parts), base)


async def _answer(send: Send, answer: Answer) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    raw.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})


def _reset(send: Send) -> None:
    """Cut the connection, where the server lets us; else fail, which cuts it too, after a 500."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)  # uvicorn's, for h11 and httptools
    if transport is None:
        raise ConnectionResetError("The emulator was told to reset the connection.")
    transport.abort()
