"""Connection pools: one per process, and for async clients one per running event loop.

A pool belongs to the process and the event loop that opened its connections. A forked child forgets the pools of its parent
without closing them, since the parent still uses these connections. The pools of an event loop are closed when it ends.
"""

from __future__ import annotations

import gc
import os
import ssl
import sys
import threading
import time
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

import anyio
import httpx

from pinstripe._deadline import bounded
from pinstripe._request import is_loopback

__all__ = [
    "MAX_CONNECTIONS",
    "AsyncPools",
    "Kind",
    "Pool",
    "Pools",
    "Shard",
    "UnusableError",
    "close_shard",
    "origin_of",
]

MAX_CONNECTIONS = 100
"""The most connections of a pool. Beyond it, the rate limits of Stripe decide: `docs/reliability.md`."""
KEEPALIVE_EXPIRY = 60.0
"""The seconds after which an idle connection is closed, rather than used again."""
SHARD_SIZE = 10
"""The most requests that one httpx client has at a time."""
MAX_CANCELED = 10
"""After this many canceled requests an httpx client is replaced, since httpcore keeps connections that were being opened."""
S = TypeVar("S", threading.Semaphore, anyio.Semaphore)
# The pools that forked children inherited. They stay alive, since garbage collection would close their sockets with a warning.
_inherited: list[object] = []


class UnusableError(Exception):
    """There is no HTTP client to send a request with: nothing was sent, and another attempt would not help."""


class Kind(NamedTuple):
    """The kind of a pool: whether it verifies certificates, and whether it obeys proxies in environment variables."""

    verify: bool
    trust_env: bool


class Origin(NamedTuple):
    """The destination of a request: the kind of its pool, and ``host:port`` for messages."""

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


class _ClientOptions:
    """The options of the httpx clients of a pool, which share their certificates, since loading them is slow."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._verify: ssl.SSLContext | None = None

    def for_client(self) -> dict[str, Any]:  # Any: options of many types
        """Return the options of one client. Without ``trust_env`` httpx would also ignore ``SSL_CERT_FILE``."""
        if self._kind.verify and self._verify is None:
            self._verify = httpx.create_ssl_context()
        return {
            "limits": httpx.Limits(
                max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEEPALIVE_EXPIRY
            ),
            "follow_redirects": False,
            "verify": self._verify if self._kind.verify else False,
            "trust_env": self._kind.trust_env,
        }


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


@dataclass(eq=False)
class Shard:
    """An httpx client with a few connections. httpcore looks at all its connections, twice per request, squared."""

    client: Any  # Any: an httpx client of either kind
    closer: AsyncGenerator[None, None] | None = None
    in_flight: int = 0
    canceled: int = 0
    last_used: float = 0.0


class Pool(Generic[S]):
    """Up to `MAX_CONNECTIONS` connections in shards, the first of which are used first.

    The shards never have more requests than connections, since the queue of httpcore does not survive cancellations. Other
    requests wait for one of the ``slots``.
    """

    def __init__(self, slots: S, open_shard: Callable[[], Shard]) -> None:
        self.slots: S = slots
        self._open = open_shard
        self._lock = threading.Lock()
        self.shards: list[Shard] = []

    def take(self) -> Shard:
        """Return a shard with a connection to spare, to be given back; raise `UnusableError` if none can be opened."""
        with self._lock:
            shard = next((shard for shard in self.shards if shard.in_flight < SHARD_SIZE), None)
            if shard is None:
                try:
                    shard = self._open()
                except Exception as error:
                    raise UnusableError(
                        f"No HTTP client can be made: {error} ({type(error).__name__}). Check the environment variables "
                        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR."
                    ) from error
                self.shards.append(shard)
            shard.in_flight += 1
            return shard

    def restore(self, shard: Shard) -> Shard | None:
        """Take a shard back; return one that has to be closed, if any: no longer needed, or with too many canceled requests."""
        with self._lock:
            shard.in_flight -= 1
            shard.last_used = time.monotonic()
            if shard.canceled >= MAX_CANCELED:
                if shard in self.shards:
                    self.shards.remove(shard)
                return None if shard.in_flight else shard
            last = self.shards[-1] if self.shards else shard
            if last is shard or last.in_flight or last.last_used + KEEPALIVE_EXPIRY > shard.last_used:
                return None
            return self.shards.pop()

    def forget(self, client: httpx.AsyncClient) -> None:
        """Forget the shard with this client, which is being closed."""
        with self._lock:
            self.shards = [shard for shard in self.shards if shard.client is not client]


class Pools:
    """The pools of a sync client, or the client of the user."""

    def __init__(self, borrowed: Any, *, is_closed: bool) -> None:  # Any: an HTTP client of the user, or None
        self._borrowed = _Borrowed(borrowed) if borrowed is not None else None
        self._pools: dict[Kind, Pool[threading.Semaphore]] = {}
        self._pid = os.getpid()
        self.is_closed = is_closed

    def borrowed(self) -> httpx.Client | None:
        """Return the client of the user, if there is one; raise `UnusableError` if it cannot be used here."""
        if self.is_closed:
            raise UnusableError(CLOSED)
        client: httpx.Client | None = self._borrowed.take() if self._borrowed is not None else None
        return client

    def pool(self, kind: Kind) -> Pool[threading.Semaphore]:
        """Return the pool of this process for requests of this kind."""
        if self._pid != os.getpid():
            _inherited.append(self._pools)
            self._pools, self._pid = {}, os.getpid()
        pool = self._pools.get(kind)
        if pool is None:
            options = _ClientOptions(kind)
            new = Pool(
                threading.Semaphore(MAX_CONNECTIONS), lambda: Shard(bounded(httpx.Client(**options.for_client())))
            )
            pool = self._pools.setdefault(kind, new)  # atomic, should two threads come here at once
        return pool

    def close(self) -> None:
        """Close the pools, and refuse further requests."""
        self.is_closed = True
        if self._pid == os.getpid():
            while self._pools:
                for shard in self._pools.popitem()[1].shards:
                    shard.client.close()


@dataclass(eq=False)
class _Loop:
    """The pools of one event loop."""

    loop: object
    pools: dict[Kind, Pool[anyio.Semaphore]] = field(default_factory=dict)

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

    def pool(self, kind: Kind) -> Pool[anyio.Semaphore]:
        """Return the pool of the running event loop for requests of this kind."""
        if self._pid != os.getpid():
            _inherited.append(self._loops)
            self._loops, self._lock, self._pid = {}, threading.Lock(), os.getpid()
        loop = _running_loop()
        known = self._loops.get(id(loop))
        if known is not None and known.loop is loop and (pool := known.pools.get(kind)) is not None:
            return pool
        options, owner, number = _ClientOptions(kind), weakref.ref(self), id(loop)

        def open_shard() -> Shard:
            client = httpx.AsyncClient(**options.for_client())
            closer = _close_with_loop(client, owner, number)
            with suppress(StopIteration):
                closer.__anext__().send(None)  # from here on, the event loop closes the client when it ends
            return Shard(client, closer)

        pool = Pool(anyio.Semaphore(MAX_CONNECTIONS), open_shard)
        with self._lock:
            self._forget_dead_loops()
            if (known := self._loops.get(number)) is None:
                known = self._loops[number] = _Loop(loop)
            known.pools[kind] = pool
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
        """Forget a client that is being closed, and its event loop if it was the last one."""
        with self._lock:
            known = self._loops.get(number)
            if known is not None:
                for pool in known.pools.values():
                    pool.forget(client)
                if not any(pool.shards for pool in known.pools.values()):
                    del self._loops[number]

    async def close(self) -> None:
        """Close the pools of the running event loop, and refuse further requests. Other loops close theirs when they end."""
        self.is_closed = True
        if self._pid != os.getpid():
            return
        known = self._loops.pop(id(_running_loop()), None)
        for pool in known.pools.values() if known is not None else ():
            for shard in list(pool.shards):
                await close_shard(shard)


async def close_shard(shard: Shard) -> None:
    """Close the connections of an async client, even if the current task is being canceled."""
    if shard.closer is not None:
        with anyio.CancelScope(shield=True):
            await shard.closer.aclose()


async def _close_with_loop(
    client: httpx.AsyncClient, owner: Callable[[], AsyncPools | None], number: int
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
