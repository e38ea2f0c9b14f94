"""Connection pools: one per process, and for async clients one per running event loop.

A pool belongs to the process and the event loop that opened its connections. A forked child forgets the pools of its parent
without closing them, since the parent still uses these connections. The pools of an event loop are closed when it ends.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import warnings
import weakref
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import anyio
import httpx

from pinstripe._call import is_loopback
from pinstripe._deadline import bounded

__all__ = ["MAX_CANCELLED", "MAX_CONNECTIONS", "AsyncPool", "AsyncPools", "Kind", "Pools", "UnusableError", "origin_of"]

MAX_CONNECTIONS = 100
"""The most connections of a pool. Measured: `docs/reliability.md`."""
KEEPALIVE_EXPIRY = 60.0
"""The seconds after which an idle connection is closed, rather than used again."""
MAX_CANCELLED = 50
"""After this many cancelled exchanges a pool is replaced, since httpcore loses track of connections that were being opened."""
# The pools that forked children inherited. They are kept, since garbage collection would close their sockets with a warning.
_inherited: list[object] = []


class UnusableError(Exception):
    """There is no HTTP client to send a request with: nothing was sent, and another attempt would not help."""


class Kind(NamedTuple):
    """What a pool differs by: whether it verifies certificates, and whether it obeys proxies in environment variables."""

    verify: bool
    trust_env: bool


class Origin(NamedTuple):
    """Where a request goes: the kind of its pool, and ``host:port`` for messages."""

    kind: Kind
    address: str


def origin_of(url: str) -> Origin:
    """Return the origin of a URL. A loopback address has no proxy; plain HTTP, as of an emulator, needs no certificates."""
    end = url.find("/", url.find("://") + 3)
    return _origin(url if end < 0 else url[:end])


@lru_cache(maxsize=64)
def _origin(base: str) -> Origin:
    parts = urlsplit(base)
    is_tls, host = parts.scheme != "http", parts.hostname or ""
    address = f"[{host}]" if ":" in host else host
    return Origin(Kind(is_tls, not is_loopback(host)), f"{address}:{parts.port or (443 if is_tls else 80)}")


def _client_options(kind: Kind, limits: httpx.Limits) -> dict[str, Any]:  # Any: options of many types
    # Without trust_env httpx would also ignore SSL_CERT_FILE, which is why the certificates of loopback are loaded here.
    verify = httpx.create_ssl_context() if kind.verify and not kind.trust_env else kind.verify
    return {"limits": limits, "follow_redirects": False, "verify": verify, "trust_env": kind.trust_env}


def _opening_failed(error: Exception) -> UnusableError:
    return UnusableError(
        f"No HTTP client can be made: {error} ({type(error).__name__}). Check the environment variables HTTPS_PROXY, "
        "HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR."
    )


CLOSED = "The client is closed: it sends no more requests. Create another client."
FORKED = (
    "http_client was used before this process was forked, and its connections belong to the parent process. "
    "Create the httpx client and the pinstripe client in each process."
)
OTHER_LOOP = (
    "http_client was used on another event loop, and its connections belong to that loop. Create one httpx client and one "
    "pinstripe client per event loop, or leave out http_client: pinstripe's own connections work on any number of loops."
)


def _has_connections(client: Any) -> bool:  # Any: an HTTP client of any kind
    """Return whether a borrowed client holds connections. One with a transport inside the process has none to lose."""
    transport = getattr(client, "_transport", None)
    if isinstance(transport, (httpx.HTTPTransport, httpx.AsyncHTTPTransport)):
        return True
    return type(transport).__module__.partition(".")[0] == "httpx_aiohttp"


class _Borrowed:
    """The client of the user, with the process and event loop that used it first."""

    def __init__(self, client: Any) -> None:  # Any: an HTTP client of any kind
        self.client = client
        self._owner: tuple[int, object] | None = None

    def take(self, loop: object = None) -> Any:  # Any: an HTTP client of any kind
        """Return the client; raise `UnusableError` if it is closed, or belongs to another process or event loop."""
        if getattr(self.client, "is_closed", False):
            raise UnusableError("http_client is closed: it cannot send requests any more.")
        if self._owner is None:
            self._owner = (os.getpid(), loop)
        elif self._owner[0] != os.getpid():
            if _has_connections(self.client):
                raise UnusableError(FORKED)
        elif self._owner[1] is not loop and _has_connections(self.client):
            raise UnusableError(OTHER_LOOP)
        return self.client


class Pools:
    """The pools of a sync client, or the client of the user."""

    def __init__(self, borrowed: Any, *, is_closed: bool) -> None:  # Any: an HTTP client of the user, or None
        self._borrowed = _Borrowed(borrowed) if borrowed is not None else None
        self._pools: dict[Kind, httpx.Client] = {}
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self.is_closed = is_closed

    def client(self, kind: Kind) -> httpx.Client:
        """Return the client for requests of this kind; raise `UnusableError` if there is none."""
        if self.is_closed:
            raise UnusableError(CLOSED)
        if self._borrowed is not None:
            borrowed: httpx.Client = self._borrowed.take()
            return borrowed
        if self._pid != os.getpid():
            _inherited.append(self._pools)
            self._pools, self._lock, self._pid = {}, threading.Lock(), os.getpid()
        pool = self._pools.get(kind)
        return pool if pool is not None else self._open(kind)

    def _open(self, kind: Kind) -> httpx.Client:
        limits = httpx.Limits(
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEPALIVE_EXPIRY,
        )
        with self._lock:
            if kind not in self._pools:
                try:
                    self._pools[kind] = bounded(httpx.Client(**_client_options(kind, limits)))
                except Exception as error:
                    raise _opening_failed(error) from error
            return self._pools[kind]

    def close(self) -> None:
        """Close the pools, and refuse further requests."""
        self.is_closed = True
        if self._pid == os.getpid():
            while self._pools:
                self._pools.popitem()[1].close()


@dataclass(eq=False)
class AsyncPool:
    """The pool of one event loop. httpcore sets no limit: its queue does not survive cancellations, while ``slots`` does."""

    client: httpx.AsyncClient
    slots: anyio.Semaphore
    closer: AsyncGenerator[None, None]
    in_flight: int = 0
    cancelled: int = 0


@dataclass(eq=False)
class _Loop:
    """The pools of one event loop."""

    loop: object
    pools: dict[Kind, AsyncPool] = field(default_factory=dict)

    @property
    def is_dead(self) -> bool:
        """Whether this is an asyncio loop that was closed without closing its async generators, hence its pools."""
        return bool(getattr(self.loop, "is_closed", bool)())


class AsyncPools:
    """The pools of an async client, by event loop, or the client of the user."""

    def __init__(self, borrowed: Any, *, is_closed: bool) -> None:  # Any: an HTTP client of the user, or None
        self._borrowed = _Borrowed(borrowed) if borrowed is not None else None
        self._loops: dict[int, _Loop] = {}
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self.is_closed = is_closed

    def borrowed(self) -> httpx.AsyncClient | None:
        """Return the client of the user, if there is one; raise `UnusableError` if it cannot be used here."""
        if self.is_closed:
            raise UnusableError(CLOSED)
        if self._borrowed is None:
            return None
        client: httpx.AsyncClient = self._borrowed.take(_running_loop())
        return client

    async def pool(self, kind: Kind) -> AsyncPool:
        """Return the pool of the running event loop; raise `UnusableError` if none can be opened."""
        if self._pid != os.getpid():
            _inherited.append(self._loops)
            self._loops, self._lock, self._pid = {}, threading.Lock(), os.getpid()
        loop = _running_loop()
        known = self._loops.get(id(loop))
        if known is not None and known.loop is loop and (pool := known.pools.get(kind)) is not None:
            return pool
        try:
            client = httpx.AsyncClient(
                **_client_options(
                    kind,
                    httpx.Limits(
                        max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEEPALIVE_EXPIRY
                    ),
                )
            )
        except Exception as error:
            raise _opening_failed(error) from error
        pool = AsyncPool(
            client, anyio.Semaphore(MAX_CONNECTIONS), _close_with_loop(client, weakref.ref(self), id(loop))
        )
        with self._lock:
            self._forget_dead_loops()
            if (known := self._loops.get(id(loop))) is None:
                known = self._loops[id(loop)] = _Loop(loop)
            known.pools[kind] = pool
        await anext(pool.closer)  # from here on, the event loop closes the pool when it ends
        return pool

    def _forget_dead_loops(self) -> None:
        dead = [number for number, known in self._loops.items() if known.is_dead]
        if dead:
            for number in dead:
                del self._loops[number]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)  # the loop that could close these connections is gone
                gc.collect()

    def forget(self, number: int, client: httpx.AsyncClient) -> None:
        """Forget a pool, so that new requests open another one."""
        with self._lock:
            known = self._loops.get(number)
            if known is not None:
                known.pools = {kind: pool for kind, pool in known.pools.items() if pool.client is not client}
                if not known.pools:
                    del self._loops[number]

    async def retire(self, pool: AsyncPool) -> None:
        """Let new requests open another pool, and close this one if this was its last request."""
        self.forget(id(_running_loop()), pool.client)
        if not pool.in_flight:
            with anyio.CancelScope(shield=True):
                await pool.closer.aclose()

    async def close(self) -> None:
        """Close the pools of the running event loop, and refuse further requests. Other loops close theirs when they end."""
        self.is_closed = True
        if self._pid != os.getpid():
            return
        known = self._loops.pop(id(_running_loop()), None)
        for pool in list(known.pools.values()) if known is not None else ():
            await pool.closer.aclose()


async def _close_with_loop(
    client: httpx.AsyncClient, owner: weakref.ref[AsyncPools], number: int
) -> AsyncGenerator[None, None]:
    """Close a client when the event loop ends, which closes its async generators, or when the pool is dropped."""
    try:
        yield
    finally:
        if (pools := owner()) is not None:
            pools.forget(number, client)
        with anyio.CancelScope(shield=True):
            await client.aclose()


def _running_loop() -> object:
    """Return the running event loop of asyncio, or the token of the running trio loop."""
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            token: object = trio.lowlevel.current_trio_token()
        except RuntimeError:
            pass
        else:
            return token
    import asyncio  # here, so that trio and the sync client need not load it

    return asyncio.get_running_loop()
