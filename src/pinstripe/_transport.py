"""Two short drivers, sync and async, that run the life of a call on httpx. Nothing is decided here."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import BinaryIO

import httpx

from pinstripe._call import USER_AGENT, Failure, Life, Request, Response, Sleep

__all__ = ["AsyncTransport", "Sink", "Transport"]

LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
AGENT = f"{USER_AGENT} httpx/{httpx.__version__}"
# What a client of our own would add; to merge that anew for each request takes longer than all else that we do.
DEFAULTS = {"Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}


class Transport:
    """Runs calls, blocking. The pool is made when it is first needed, unless the user brought one."""

    def __init__(self, client: httpx.Client | None) -> None:
        self._borrowed = client
        self._own: dict[bool, httpx.Client] = {}
        self._lock = threading.Lock()

    def run(self, life: Life) -> Response:
        """Do what the call wants until it has its answer."""
        try:
            action = next(life)
            while True:
                if isinstance(action, Sleep):
                    time.sleep(action.seconds)
                    action = life.send(None)
                else:
                    action = life.send(self._send(action))
        except StopIteration as done:
            answer: Response = done.value
            return answer

    def _send(self, request: Request) -> Response | Failure:
        client = self._borrowed or self._made(_is_tls(request))
        try:
            if request.sink is None:
                found = client.send(_built(self._borrowed, request))
                return _answer(found)
            with _closing(client.send(_built(self._borrowed, request), stream=True)) as found:
                if found.is_success:
                    request.sink.fill(found.iter_bytes())
                else:
                    found.read()
                return _answer(found, streamed=found.is_success)
        except httpx.RequestError as error:
            return _failure(error)

    def _made(self, tls: bool) -> httpx.Client:
        with self._lock:
            if tls not in self._own:
                self._own[tls] = httpx.Client(limits=LIMITS, follow_redirects=False, verify=tls)
            return self._own[tls]

    def close(self) -> None:
        """Close the pool, if it is ours."""
        while self._own:
            self._own.popitem()[1].close()


class AsyncTransport:
    """Runs calls, awaiting."""

    def __init__(self, client: httpx.AsyncClient | None) -> None:
        self._borrowed = client
        self._own: dict[bool, httpx.AsyncClient] = {}

    async def run(self, life: Life) -> Response:
        """Do what the call wants until it has its answer."""
        try:
            action = next(life)
            while True:
                if isinstance(action, Sleep):
                    import asyncio  # here, so that the synchronous client does not load it

                    await asyncio.sleep(action.seconds)
                    action = life.send(None)
                else:
                    action = life.send(await self._send(action))
        except StopIteration as done:
            answer: Response = done.value
            return answer

    async def _send(self, request: Request) -> Response | Failure:
        client = self._borrowed or self._made(_is_tls(request))
        try:
            if request.sink is None:
                found = await client.send(_built(self._borrowed, request))
                return _answer(found)
            async with _aclosing(await client.send(_built(self._borrowed, request), stream=True)) as found:
                if found.is_success:
                    await request.sink.afill(found.aiter_bytes())
                else:
                    await found.aread()
                return _answer(found, streamed=found.is_success)
        except httpx.RequestError as error:
            return _failure(error)

    def _made(self, tls: bool) -> httpx.AsyncClient:
        if tls not in self._own:
            self._own[tls] = httpx.AsyncClient(limits=LIMITS, follow_redirects=False, verify=tls)
        return self._own[tls]

    async def close(self) -> None:
        """Close the pool, if it is ours."""
        while self._own:
            await self._own.popitem()[1].aclose()


class Sink:
    """Where a download goes: a path, which appears only when all of it is there, or a file open for writing bytes."""

    def __init__(self, to: str | os.PathLike[str] | BinaryIO) -> None:
        self._path = os.fspath(to) if isinstance(to, (str, os.PathLike)) else None
        self._file = None if isinstance(to, (str, os.PathLike)) else to
        self._start = self._file.tell() if self._file is not None and self._file.seekable() else 0
        self.written = 0

    def fill(self, chunks: Iterator[bytes]) -> None:
        """Write all chunks; a second attempt begins again."""
        with self._open() as file:
            for chunk in chunks:
                self.written += file.write(chunk)

    async def afill(self, chunks: AsyncIterator[bytes]) -> None:
        """The same for chunks that are awaited."""
        with self._open() as file:
            async for chunk in chunks:
                self.written += file.write(chunk)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        self.written = 0
        if self._path is not None:
            part = f"{self._path}.part"
            try:
                with open(part, "wb") as made:
                    yield made
                os.replace(part, self._path)
            finally:
                if os.path.exists(part):
                    os.remove(part)
            return
        file = self._file
        assert file is not None  # noqa: S101  # for the checker: there is a path or a file
        if file.seekable():
            file.seek(self._start)
            file.truncate()
        yield file


def _is_tls(request: Request) -> bool:
    """Whether certificates will be checked. Reading them takes long, and plain HTTP (an emulator's) needs none."""
    return not request.url.startswith("http://")


def _built(borrowed: httpx.Client | httpx.AsyncClient | None, request: Request) -> httpx.Request:
    request.headers["User-Agent"] = AGENT
    if borrowed is not None:  # the user's headers, cookies and parameters count, too
        return borrowed.build_request(
            request.verb, request.url, headers=request.headers, content=request.content, timeout=request.timeout
        )
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), request.timeout)
    return httpx.Request(
        request.verb,
        _parsed(request.url),
        headers={**DEFAULTS, **request.headers},
        content=request.content,
        extensions={"timeout": timeout},
    )


@lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


def _answer(found: httpx.Response, *, streamed: bool = False) -> Response:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in found.headers.raw}
    return Response(found.status_code, headers, b"" if streamed else found.content)


def _failure(error: httpx.RequestError) -> Failure:
    said = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return Failure(f"Stripe did not answer in time ({type(error).__name__}).", timed_out=True)
    return Failure(f"No whole answer came from Stripe: {said} ({type(error).__name__}).")


@contextmanager
def _closing(response: httpx.Response) -> Iterator[httpx.Response]:
    try:
        yield response
    finally:
        response.close()


@asynccontextmanager
async def _aclosing(response: httpx.Response) -> AsyncIterator[httpx.Response]:
    try:
        yield response
    finally:
        await response.aclose()
