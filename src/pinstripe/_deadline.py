"""A deadline for the sync client, which nothing can interrupt while it waits for a socket.

httpcore waits as long for each piece of a response as for the first one, so that a response that drips never times out. Here
each piece is waited for until the deadline at most. The async client cancels what it waits for.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

__all__ = ["bounded", "set_deadline"]


class _Current(threading.local):
    """The deadline of the attempt that this thread makes, by ``time.perf_counter``."""

    deadline: float | None = None


_current = _Current()


def set_deadline(deadline: float | None) -> None:
    """Set the deadline of what this thread sends and receives next."""
    _current.deadline = deadline


def bounded(client: httpx.Client) -> httpx.Client:
    """Return the client, whose connections obey the deadline."""
    for transport in (client._transport, *client._mounts.values()):
        pool: Any = getattr(transport, "_pool", None)  # Any: httpx has no public way to pass a network backend
        if isinstance(getattr(pool, "_network_backend", None), httpcore.NetworkBackend):
            pool._network_backend = _Backend(pool._network_backend)
    return client


def _limited(timeout: float | None) -> float | None:
    if _current.deadline is None:
        return timeout
    left = max(_current.deadline - time.perf_counter(), 0.001)
    return left if timeout is None else min(timeout, left)


class _Backend(httpcore.NetworkBackend):
    """A network backend whose streams obey the deadline."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # Any: httpcore's SOCKET_OPTION
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_tcp(host, port, _limited(timeout), local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    """A connection that obeys the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self.close = inner.close  # type: ignore[method-assign]  # nothing to add
        self.get_extra_info = inner.get_extra_info  # type: ignore[method-assign]  # nothing to add

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _limited(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _limited(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _limited(timeout)))
