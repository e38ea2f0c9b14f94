"""A server with real sockets that misbehaves as a test wants, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}


@dataclass(frozen=True)
class Seen:
    """A request that the server received, and the number of the connection on which it came."""

    verb: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True)
class Response:
    """The behavior of the server for one request.

    ``length`` is the ``Content-Length`` if it differs from that of the body. ``end`` is ``keep`` (the connection stays open),
    ``close`` (it is closed after the response), ``reset`` (it is closed without a response) or ``hold`` (nothing comes).
    ``drip`` sends the bytes of the head or the body one by one, with this many seconds in between, without end.
    """

    status: int = 200
    body: bytes = json.dumps(CUSTOMER).encode()
    headers: tuple[str, ...] = ()
    length: int | None = None
    end: Literal["keep", "close", "reset", "hold"] = "keep"
    drip: Literal["", "head", "body"] = ""

    def encode(self) -> bytes:
        """Return the bytes of the response."""
        length = len(self.body) if self.length is None else self.length
        lines = [f"HTTP/1.1 {self.status} X", "Request-Id: req_1"]
        if self.status != 204:
            lines.append(f"Content-Length: {length}")
        if self.end == "close":
            lines.append("Connection: close")
        return "\r\n".join([*lines, *self.headers, "", ""]).encode() + self.body


OK = Response()


@dataclass
class FaultServer:
    """A server that responds to each request as ``behave`` decides. Use it as a context manager."""

    behave: Callable[[Seen], Response] = lambda _: OK
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    """The number of connections that were opened."""

    def __enter__(self) -> FaultServer:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()

        async def finish(server: asyncio.Server) -> None:
            server.close()
            for _ in range(10):  # so that the tasks of connections that were just accepted start
                await asyncio.sleep(0)
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for _ in range(10):  # so that the transports close their sockets
                await asyncio.sleep(0)

        def serve() -> None:
            asyncio.set_event_loop(self._loop)
            server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024))
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            ready.set()
            self._loop.run_forever()
            self._loop.run_until_complete(finish(server))
            self._loop.close()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    def count(self, header: str) -> Counter[str]:
        """Return the number of requests with each value of a header."""
        return Counter(request.headers[header] for request in self.seen if header in request.headers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while await self._respond(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        """Respond to one request; return whether the connection stays open."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        verb, path, _ = lines[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.seen.append(seen := Seen(verb, path, headers, body, number))
        response = self.behave(seen)
        if response.end == "reset":
            return False
        if response.end == "hold":
            await reader.read()  # until the client closes the connection
            return False
        data = response.encode()
        if response.drip:
            head, separator, _ = data.partition(b"\r\n\r\n")
            writer.write(head[:20] if response.drip == "head" else head + separator)
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.write(data)
        await writer.drain()
        return response.end == "keep"


@dataclass
class Ledger:
    """A Stripe that creates a customer once for each idempotency key, and fails before or after as a test wants."""

    fault: Callable[[int], Response | None] = lambda _: None
    """Returns what to do with the n-th request instead of responding; the customer is created nevertheless."""
    created: Counter[str] = field(default_factory=Counter)
    """The number of customers of each name."""
    _done: dict[str, bytes] = field(default_factory=dict)
    _requests: int = 0

    def __call__(self, seen: Seen) -> Response:
        """Create the customer unless its key was seen before; then fail, or respond."""
        self._requests += 1
        name = seen.body.decode().partition("name=")[2]
        key = seen.headers["idempotency-key"]
        if key not in self._done:
            self.created[name] += 1
            self._done[key] = json.dumps({**CUSTOMER, "id": f"cus_{name}", "name": name}).encode()
        return self.fault(self._requests) or Response(body=self._done[key])
