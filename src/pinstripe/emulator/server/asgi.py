"""The emulator as an ASGI application: the API and the HTML pages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from pinstripe._asgi import Application, Message, Receive, Send, read_body, read_headers, send_response
from pinstripe.emulator.server.dispatch import Server
from pinstripe.emulator.server.requests import Request
from pinstripe.emulator.server.responses import Response

PageHandler: TypeAlias = Callable[[Request, Receive], Awaitable[Response | None]]
"""Returns the page at the path of a request, or ``None``."""
MAX_BODY = 64 * 1024 * 1024
"""The maximum size of a body, in bytes."""
TOO_LARGE = Response(413, b'{"error": {"type": "invalid_request_error", "message": "The body is too large."}}')


def asgi_app(server: Server, page_handler: PageHandler) -> Application:
    """Return an ASGI application for a server and its pages."""

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        if request is None:
            await _send(send, TOO_LARGE)
            return
        if not request.path.startswith(("/v1/", "/v2/")):
            page = await page_handler(request, receive)
            if page is not None:
                await _send(send, page)
                return
        response = await asyncio.to_thread(server.handle, request)
        try:
            replaced = await _apply_fault(response, receive, send)
        finally:
            server.release(response)
        if not replaced:
            await _send(send, response)

    return application


async def _apply_fault(response: Response, receive: Receive, send: Send) -> bool:
    """Apply the fault of a response; return whether it replaces the response."""
    fault = response.fault.kind if response.fault else ""
    if response.fault and fault == "slow":
        await asyncio.sleep(response.fault.seconds)
    elif fault == "timeout":
        while (await receive())["type"] != "http.disconnect":
            pass
        return True
    elif fault in ("reset_before", "reset_after"):
        _reset(send)
        return True
    return False


async def _read(scope: Message, receive: Receive) -> Request | None:
    body = await read_body(receive, MAX_BODY)
    if body is None:
        return None
    headers = read_headers(scope)
    path = (scope.get("raw_path") or scope["path"].encode()).decode("ascii").partition("?")[0]
    base_url = f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}"
    return Request(scope["method"], path, scope["query_string"].decode("ascii"), headers, body, base_url)


async def _send(send: Send, response: Response) -> None:
    headers = {**response.headers, "content-length": str(len(response.body))}
    await send_response(send, response.status, headers, response.body)


def _reset(send: Send) -> None:
    """Close the connection without a response; raise an exception if the server does not expose its transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)  # uvicorn's, for h11 and httptools
    if transport is None:
        raise ConnectionResetError("Fault of the emulator: the connection was reset.")
    transport.abort()
