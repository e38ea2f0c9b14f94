"""Two drivers, sync and async, that run calls with httpx. All decisions are made in ``_call``."""

from __future__ import annotations

import threading
import time
from contextlib import aclosing, closing
from functools import lru_cache
from typing import Any

import httpx

from pinstripe._call import USER_AGENT, CallFlow, Failure, Request, Response, Sleep

__all__ = ["AsyncTransport", "Transport"]

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
_AGENT = f"{USER_AGENT} httpx/{httpx.__version__}"
# The headers that httpx.Client adds. Requests are built without it, since merging its defaults takes most of the time of a call.
_DEFAULT_HEADERS = {"Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}


class Transport:
    """Runs calls with the HTTP client that the user passed, or else with one that is created when it is first needed."""

    def __init__(self, client: httpx.Client | None) -> None:
        self._client = client
        self._own: dict[bool, httpx.Client] = {}
        self._lock = threading.Lock()

    def run(self, flow: CallFlow) -> Response:
        """Run a call; return its response."""
        try:
            action = next(flow)
            while True:
                if isinstance(action, Sleep):
                    time.sleep(action.seconds)
                    action = flow.send(None)
                else:
                    action = flow.send(self._send(action))
        except StopIteration as done:
            response: Response = done.value
            return response

    def _send(self, request: Request) -> Response | Failure:
        client = self._client or self._own_client(verify=_is_tls(request))
        try:
            if request.sink is None:
                return _response(client.send(_build(self._client, request)))
            with closing(client.send(_build(self._client, request), stream=True)) as received:
                if received.is_success:
                    request.sink.fill(received.iter_bytes())
                else:
                    received.read()
                return _response(received, streamed=received.is_success)
        except httpx.RequestError as error:
            return _failure(error)

    def _own_client(self, *, verify: bool) -> httpx.Client:
        with self._lock:
            if verify not in self._own:
                self._own[verify] = httpx.Client(limits=_LIMITS, follow_redirects=False, verify=verify)
            return self._own[verify]

    def close(self) -> None:
        """Close the connections, but not those of a client that the user passed."""
        while self._own:
            self._own.popitem()[1].close()


class AsyncTransport:
    """Runs calls like `Transport`, but awaits."""

    def __init__(self, client: httpx.AsyncClient | None) -> None:
        self._client = client
        self._own: dict[bool, httpx.AsyncClient] = {}

    async def run(self, flow: CallFlow) -> Response:
        """Run a call; return its response."""
        try:
            action = next(flow)
            while True:
                if isinstance(action, Sleep):
                    import asyncio  # here, so that the synchronous client does not load it

                    await asyncio.sleep(action.seconds)
                    action = flow.send(None)
                else:
                    action = flow.send(await self._send(action))
        except StopIteration as done:
            response: Response = done.value
            return response

    async def _send(self, request: Request) -> Response | Failure:
        client = self._client or self._own_client(verify=_is_tls(request))
        try:
            if request.sink is None:
                return _response(await client.send(_build(self._client, request)))
            async with aclosing(await client.send(_build(self._client, request), stream=True)) as received:
                if received.is_success:
                    await request.sink.afill(received.aiter_bytes())
                else:
                    await received.aread()
                return _response(received, streamed=received.is_success)
        except httpx.RequestError as error:
            return _failure(error)

    def _own_client(self, *, verify: bool) -> httpx.AsyncClient:
        if verify not in self._own:
            self._own[verify] = httpx.AsyncClient(limits=_LIMITS, follow_redirects=False, verify=verify)
        return self._own[verify]

    async def close(self) -> None:
        """Close the connections, but not those of a client that the user passed."""
        while self._own:
            await self._own.popitem()[1].aclose()


def _is_tls(request: Request) -> bool:
    """Return whether to verify certificates. Plain HTTP, as of an emulator, needs none, and loading them is slow."""
    return not request.url.startswith("http://")


def _build(client: httpx.Client | httpx.AsyncClient | None, request: Request) -> httpx.Request:
    request.headers["User-Agent"] = _AGENT
    body: dict[str, Any] = {"content": request.content}  # Any: arguments of httpx
    if request.upload is not None:
        body = {"data": request.upload.fields, "files": {"file": request.upload.part()}}
    if client is not None:  # with the headers, cookies and parameters of the user's client
        return client.build_request(request.verb, request.url, headers=request.headers, timeout=request.timeout, **body)
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), request.timeout)
    return httpx.Request(
        request.verb,
        _parse_url(request.url),
        headers={**_DEFAULT_HEADERS, **request.headers},
        extensions={"timeout": timeout},
        **body,
    )


@lru_cache(maxsize=64)
def _parse_url(url: str) -> httpx.URL:
    return httpx.URL(url)


def _response(received: httpx.Response, *, streamed: bool = False) -> Response:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in received.headers.raw}
    return Response(received.status_code, headers, b"" if streamed else received.content)


def _failure(error: httpx.RequestError) -> Failure:
    name = type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return Failure(f"The request to Stripe timed out ({name}).", timed_out=True)
    return Failure(f"The connection to Stripe failed: {str(error) or 'no details'} ({name}).")
