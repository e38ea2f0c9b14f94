"""Two drivers, sync and async, that run calls with httpx. All decisions are made in ``_call``."""

from __future__ import annotations

import time
import zlib
from contextlib import aclosing
from functools import lru_cache
from typing import Any

import anyio
import httpx

from pinstripe._deadline import set_deadline
from pinstripe._pools import AsyncPools, Pool, Pools, UnusableError, close_shard, origin_of
from pinstripe._request import USER_AGENT, CallFlow, Failure, Request, Sleep
from pinstripe._response import Response

__all__ = ["AsyncTransport", "Transport"]

DEFAULT_TIMEOUT = 80.0
"""The seconds that a client waits for a connection and for each part of a response, unless it has its own timeout."""
MAX_RESPONSE = 64 * 1024 * 1024
"""The largest response that is read into memory, in bytes after decompression."""
CHUNK = 65536
_AGENT = f"{USER_AGENT} httpx/{httpx.__version__}"
# The headers that httpx.Client adds. Requests are built without it, since merging its defaults takes most of the time of a call.
_DEFAULT_HEADERS = {"Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}
_HTTPX_DEFAULT_TIMEOUT = httpx.Timeout(5.0)  # of a client that was made without a timeout
_PHASES = ("connect", "read", "write", "pool")
# The request was not sent, if one of these is raised.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
# The request cannot be sent, however often it is tried.
_UNSENDABLE = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL)
# The connection was lost, or the response cannot be read.
_LOST = (
    httpx.HTTPError,
    httpx.StreamError,
    OSError,
    EOFError,
    zlib.error,
    anyio.ClosedResourceError,
    anyio.BrokenResourceError,
)
# The libraries below httpx, whose own exceptions mean the same.
_HTTP_LIBRARIES = ("aiohttp", "h11", "httpcore")


class _TooLargeError(Exception):
    """The response is larger than the limit."""


class _DeadlineError(Exception):
    """The deadline of the call has passed."""


class Transport:
    """Runs calls with the HTTP client that the user passed, or else with pools of its own."""

    def __init__(self, client: httpx.Client | None, *, is_closed: bool = False) -> None:
        self._client = client
        self._timeout = _default_timeout(client)
        self._pools = Pools(client, is_closed=is_closed)

    def run(self, flow: CallFlow) -> Any:  # Any: the result of the call
        """Run a call; return its result."""
        try:
            action = next(flow)
            while True:
                if isinstance(action, Sleep):
                    time.sleep(action.seconds)
                    action = flow.send(None)
                else:
                    action = flow.send(self._send(action))
        except StopIteration as done:
            return done.value

    def _send(self, request: Request) -> Response | Failure:
        try:
            client = self._pools.borrowed()
            if client is not None:
                return self._exchange(client, request)
            pool = self._pools.pool(origin_of(request.url).kind)
            if not pool.slots.acquire(blocking=False) and not pool.slots.acquire(
                timeout=_timeouts(request, self._timeout)["pool"]
            ):
                return _failure(httpx.PoolTimeout("all connections are in use"), request)
            try:
                shard = pool.take()
                try:
                    return self._exchange(shard.client, request)
                finally:
                    if (unused := pool.restore(shard)) is not None:
                        unused.client.close()
            finally:
                pool.slots.release()
        except UnusableError as error:
            return _unusable(error)

    def _exchange(self, client: httpx.Client, request: Request) -> Response | Failure:
        set_deadline(request.deadline)
        try:
            received = client.send(
                _build(self._client, request, self._timeout), stream=True, follow_redirects=False, auth=None
            )
            try:
                if request.sink is not None and received.is_success:
                    request.sink.fill(received.iter_bytes())
                    return _response(received)
                if received.is_stream_consumed:  # by a transport in the process, or an event hook
                    return _response(received, [received.read()])
                size, chunks = 0, []
                for chunk in received.iter_raw():
                    chunks.append(chunk)
                    size += len(chunk)
                    _check_progress(request, size)
                return _response(received, chunks, is_raw=True)
            finally:
                received.close()
        except Exception as error:
            if request.sink is not None and not isinstance(error, (httpx.HTTPError, httpx.InvalidURL)):
                raise
            return _failure(error, request)

    def close(self) -> None:
        """Close the connections, but not those of a client that the user passed. Further calls raise an error."""
        self._pools.close()


class AsyncTransport:
    """Runs calls like `Transport`, but awaits, with a pool for each event loop."""

    def __init__(self, client: httpx.AsyncClient | None, *, is_closed: bool = False) -> None:
        self._client = client
        self._timeout = _default_timeout(client)
        self._pools = AsyncPools(client, is_closed=is_closed)

    async def run(self, flow: CallFlow) -> Any:  # Any: the result of the call
        """Run a call; return its result."""
        try:
            action = next(flow)
            while True:
                if isinstance(action, Sleep):
                    await anyio.sleep(action.seconds)
                    action = flow.send(None)
                else:
                    action = flow.send(await self._send(action))
        except StopIteration as done:
            return done.value

    async def _send(self, request: Request) -> Response | Failure:
        try:
            client = self._pools.borrowed()
            if client is not None:
                return await self._receive(client, request)
            pool = self._pools.pool(origin_of(request.url).kind)
            try:
                pool.slots.acquire_nowait()
            except anyio.WouldBlock:
                try:
                    with anyio.fail_after(_timeouts(request, self._timeout)["pool"]):
                        await pool.slots.acquire()
                except TimeoutError:
                    return _failure(httpx.PoolTimeout("all connections are in use"), request)
            try:
                return await self._receive_from(pool, request)
            finally:
                pool.slots.release()
        except UnusableError as error:
            return _unusable(error)

    async def _receive_from(self, pool: Pool[anyio.Semaphore], request: Request) -> Response | Failure:
        shard = pool.take()
        try:
            outcome = await self._receive(shard.client, request)
        except BaseException:  # canceled, since all other errors are failures
            shard.canceled += 1
            raise
        else:
            if isinstance(outcome, Failure) and outcome.timed_out:  # by a deadline, perhaps, which cancels what it ends
                shard.canceled += 1
            return outcome
        finally:
            if (unused := pool.restore(shard)) is not None:
                await close_shard(unused)

    async def _receive(self, client: httpx.AsyncClient, request: Request) -> Response | Failure:
        if request.deadline is None:
            return await self._exchange(client, request)
        with anyio.move_on_after(request.deadline - time.perf_counter()):
            return await self._exchange(client, request)
        return _failure(_DeadlineError(), request)

    async def _exchange(self, client: httpx.AsyncClient, request: Request) -> Response | Failure:
        try:
            received = await client.send(
                _build(self._client, request, self._timeout), stream=True, follow_redirects=False, auth=None
            )
            try:
                if request.sink is not None and received.is_success:
                    content: Any = received.aiter_bytes()  # Any: a generator; httpx types it as an iterator
                    async with aclosing(content) as decoded:
                        await request.sink.afill(decoded)
                    return _response(received)
                if received.is_stream_consumed:
                    return _response(received, [await received.aread()])
                size, chunks = 0, []
                stream: Any = received.aiter_raw()  # Any: likewise
                async with aclosing(stream) as raw:  # trio warns of generators that are not closed
                    async for chunk in raw:
                        chunks.append(chunk)
                        size += len(chunk)
                        _check_progress(request, size)
                return _response(received, chunks, is_raw=True)
            finally:
                await received.aclose()
        except Exception as error:
            if request.sink is not None and not isinstance(error, (httpx.HTTPError, httpx.InvalidURL)):
                raise
            return _failure(error, request)

    async def close(self) -> None:
        """Close the connections of this event loop, but not those of a client that the user passed.

        Further calls raise an error.
        """
        await self._pools.close()


def _default_timeout(client: httpx.Client | httpx.AsyncClient | None) -> float | httpx.Timeout:
    """Return the timeout of calls that have none: that of the user's client, unless it was made without one."""
    timeout = getattr(client, "timeout", None)
    return timeout if isinstance(timeout, httpx.Timeout) and timeout != _HTTPX_DEFAULT_TIMEOUT else DEFAULT_TIMEOUT


def _timeouts(request: Request, default: float | httpx.Timeout) -> dict[str, float | None]:
    """Return the timeouts of an attempt by its phases, none of which exceeds the time until the deadline."""
    timeout = default if request.timeout is None else request.timeout
    if isinstance(timeout, (int, float)):
        phases: dict[str, float | None] = dict.fromkeys(_PHASES, timeout)
    else:
        phases = {phase: getattr(timeout, phase) for phase in _PHASES}
    if request.deadline is None:
        return phases
    left = max(request.deadline - time.perf_counter(), 0.001)
    return {phase: left if seconds is None else min(seconds, left) for phase, seconds in phases.items()}


def _build(
    client: httpx.Client | httpx.AsyncClient | None, request: Request, default: float | httpx.Timeout
) -> httpx.Request:
    request.headers["User-Agent"] = _AGENT
    timeouts = _timeouts(request, default)
    body: dict[str, Any] = {"content": request.content}  # Any: arguments of httpx
    if request.upload is not None:
        body = {"data": request.upload.fields, "files": {"file": request.upload.part()}}
    if client is not None:  # with the headers, cookies and parameters of the user's client
        return client.build_request(
            request.verb, request.url, headers=request.headers, timeout=httpx.Timeout(**timeouts), **body
        )
    return httpx.Request(
        request.verb,
        _parse_url(request.url),
        headers={**_DEFAULT_HEADERS, **request.headers},
        extensions={"timeout": timeouts},
        **body,
    )


@lru_cache(maxsize=64)
def _parse_url(url: str) -> httpx.URL:
    return httpx.URL(url)


def _response(received: httpx.Response, chunks: list[bytes] | None = None, *, is_raw: bool = False) -> Response:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in received.headers.raw}
    encoding = headers.get("content-encoding", "").strip().lower() if is_raw else ""
    content = b"".join(chunks or ())
    if encoding and content:
        content = _decompress(content, encoding)
    return Response(received.status_code, headers, content)


def _decompress(content: bytes, encoding: str) -> bytes:
    """Return a body without its compression, up to the limit. gzip is not left to httpx, which accepts a body that is cut."""
    if "," in encoding:  # each encoding multiplies what a small response can become
        raise httpx.DecodingError("the response is compressed more than once")
    if encoding == "gzip":
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            body = inflate.decompress(content, MAX_RESPONSE + 1)
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error
        if len(body) <= MAX_RESPONSE and not inflate.eof:
            raise httpx.DecodingError("the compressed response is cut short")
    else:
        parts = (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))
        size, chunks = 0, []
        for chunk in httpx.Response(200, headers={"Content-Encoding": encoding}, content=parts).iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_RESPONSE:
                break
        body = b"".join(chunks)
    if len(body) > MAX_RESPONSE:
        raise _TooLargeError
    return body


def _check_progress(request: Request, size: int) -> None:
    if size > MAX_RESPONSE:
        raise _TooLargeError
    if request.deadline is not None and time.perf_counter() > request.deadline:
        raise _DeadlineError


def _unusable(error: UnusableError) -> Failure:
    return Failure(str(error), request_sent=False, is_final=True, cause=_without_frames(error.__cause__))


def _failure(error: Exception, request: Request) -> Failure:
    """Return what an exception means: whether the request may have been sent, and whether to try again."""
    address, name = origin_of(request.url).address, type(error).__name__
    cause = _without_frames(error)
    if isinstance(error, _DeadlineError) or (request.deadline is not None and time.perf_counter() >= request.deadline):
        cause = None if isinstance(error, _DeadlineError) else cause
        return Failure(f"The deadline of the call passed while waiting for {address}.", timed_out=True, cause=cause)
    if isinstance(error, _TooLargeError):
        reason = (
            f"The response from {address} is larger than {MAX_RESPONSE >> 20} MiB. Pass to= to download it to a file."
        )
        return Failure(reason, request_sent=True, is_final=True)
    details = f"{str(error) or 'no details'} ({name})"
    if isinstance(error, _UNSENDABLE):
        reason = f"The request to {address} cannot be sent, since it is not valid HTTP: {details}."
        return Failure(reason, request_sent=False, is_final=True, cause=cause)
    # Other exceptions are of the user's own transport, perhaps: another attempt would only repeat a mistake.
    if not isinstance(error, _LOST) and type(error).__module__.partition(".")[0] not in _HTTP_LIBRARIES:
        return Failure(f"Sending the request to {address} failed: {details}.", is_final=True, cause=cause)
    never_sent, timed_out = isinstance(error, _NEVER_SENT), isinstance(error, httpx.TimeoutException)
    if type(error.__cause__).__module__.startswith(
        "aiohttp."
    ):  # httpx-aiohttp calls any lost connection a ConnectTimeout
        names = [cls.__name__ for cls in type(error.__cause__).__mro__]
        never_sent, timed_out = "ClientConnectorError" in names, "TimeoutError" in names
    if timed_out:
        what, sent = ("No connection to", False) if never_sent else ("No response from", None)
        return Failure(f"{what} {address} in time ({name}).", timed_out=True, request_sent=sent, cause=cause)
    if never_sent:
        return Failure(f"Connecting to {address} failed: {details}.", request_sent=False, cause=cause)
    sent = True if isinstance(error, httpx.DecodingError) else None
    return Failure(f"The connection to {address} failed: {details}.", request_sent=sent, cause=cause)


def _without_frames(error: BaseException | None) -> BaseException | None:
    """Return an exception without its tracebacks, since the variables of their frames contain the API key."""
    current, seen = error, set[int]()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        current.__traceback__ = None
        current = current.__cause__  # not the context, which may be an exception of the caller
    return error
