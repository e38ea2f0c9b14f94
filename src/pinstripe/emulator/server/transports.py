"""Transports that carry the requests of httpx clients to a server in the same process."""

from __future__ import annotations

import asyncio
import time

import httpx

from pinstripe.emulator.server.dispatch import Server
from pinstripe.emulator.server.requests import Request
from pinstripe.emulator.server.responses import Response


class InProcessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """An httpx transport, sync and async, that calls the server without sockets or threads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response to a request of a sync client."""
        response = self._server.handle(_read(request, request.read()))
        if response.fault and response.fault.kind == "slow":
            time.sleep(response.fault.seconds)
        return self._finish(request, response)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response to a request of an async client."""
        response = self._server.handle(_read(request, await request.aread()))
        if response.fault and response.fault.kind == "slow":
            await asyncio.sleep(response.fault.seconds)
        return self._finish(request, response)

    def _finish(self, request: httpx.Request, response: Response) -> httpx.Response:
        self._server.release(response)
        fault = response.fault.kind if response.fault else ""
        if fault == "timeout":
            raise httpx.ReadTimeout("Fault of the emulator: no response.", request=request)
        if fault in ("reset_before", "reset_after"):
            raise httpx.ReadError("Fault of the emulator: the connection was reset.", request=request)
        return httpx.Response(response.status, headers=response.headers, content=response.body)


def _read(request: httpx.Request, body: bytes) -> Request:
    url = request.url
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers.raw}
    raw_path = url.raw_path.decode("ascii").partition("?")[0]
    return Request(request.method, raw_path, url.query.decode("ascii"), headers, body)
