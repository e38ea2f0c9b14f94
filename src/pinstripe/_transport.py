"""Two drivers, sync and async, that run calls with httpx. All decisions are made in ``_call``."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing, contextmanager
from functools import lru_cache
from typing import BinaryIO

import httpx

from pinstripe._call import USER_AGENT, CallFlow, Failure, Request, Response, Sleep

__all__ = ["AsyncTransport", "Sink", "Transport"]

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


class Sink:
    """The destination of a download: a path, whose file appears once it is complete, or a file opened for writing bytes."""

    def __init__(self, to: str | os.PathLike[str] | BinaryIO) -> None:
        self._path = os.fspath(to) if isinstance(to, (str, os.PathLike)) else None
        self._file = None if isinstance(to, (str, os.PathLike)) else to
        self._start = self._file.seek(0, os.SEEK_CUR) if self._file is not None and self._file.seekable() else 0
        self.written = 0

    def fill(self, chunks: Iterator[bytes]) -> None:
        """Write all chunks; another attempt replaces them."""
        with self._open() as file:
            for chunk in chunks:
                self.written += file.write(chunk)

    async def afill(self, chunks: AsyncIterator[bytes]) -> None:
        """Write all chunks like `fill`, but await each."""
        with self._open() as file:
            async for chunk in chunks:
                self.written += file.write(chunk)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        self.written = 0
        if self._path is not None:
            part = f"{self._path}.part"
            try:
                with open(part, "wb") as file:
                    yield file
                os.replace(part, self._path)
            finally:
                if os.path.exists(part):
                    os.remove(part)
            return
        assert self._file is not None  # noqa: S101  # for type checkers: there is a path or a file
        if self._file.seekable():
            self._file.seek(self._start)
            self._file.truncate()
        yield self._file


def _is_tls(request: Request) -> bool:
    """Return whether to verify certificates. Plain HTTP, as of an emulator, needs none, and loading them is slow."""
    return not request.url.startswith("http://")


def _build(client: httpx.Client | httpx.AsyncClient | None, request: Request) -> httpx.Request:
    request.headers["User-Agent"] = _AGENT
    if client is not None:  # with the headers, cookies and parameters of the user's client
        return client.build_request(
            request.verb, request.url, headers=request.headers, content=request.content, timeout=request.timeout
        )
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), request.timeout)
    return httpx.Request(
        request.verb,
        _parse_url(request.url),
        headers={**_DEFAULT_HEADERS, **request.headers},
        content=request.content,
        extensions={"timeout": timeout},
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
