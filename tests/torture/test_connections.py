"""Connections under many faults, cancellations, threads and forked processes. `make torture` repeats all of it at length."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from httpx_aiohttp import HttpxAiohttpClient

import pinstripe
from tests.fault_server import FaultServer, Ledger, Response, Seen
from tests.test_connections import UNREADABLE
from tests.torture_scale import scale

pytestmark = pytest.mark.torture
_retry: Any = import_module("pinstripe._retry")  # Any: its delays are changed
FAULTS = [
    *UNREADABLE.values(),
    Response(status=500, body=b""),
    Response(status=429, body=b"{}"),
    Response(status=409, body=b"{}"),
]


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_retry, "INITIAL_DELAY", 0.0)


def chaos(seed: int) -> Callable[[int], Response | None]:
    """Return a fault for every second request, of all kinds."""
    source = random.Random(seed)
    return lambda _: source.choice(FAULTS) if source.random() < 0.5 else None


@pytest.mark.parametrize("kind", ["sync", "asyncio", "trio", "aiohttp"])
def test_no_chaos_creates_a_customer_twice_or_never(kind: str) -> None:
    names = [f"c{number}" for number in range(scale(4600))]
    ledger = Ledger(chaos(1))
    created: list[str] = []
    with FaultServer(ledger) as server:
        if kind == "sync":
            with pinstripe.Client("sk_test_x", base_url=server.url, max_retries=40) as client:
                created += [client.customers.create(name=name).id for name in names]
        else:

            async def create_all() -> None:
                http_client = HttpxAiohttpClient() if kind == "aiohttp" else None
                options: Any = {"http_client": http_client, "max_retries": 40}  # Any: options of a client
                async with pinstripe.AsyncClient("sk_test_x", base_url=server.url, **options) as client:
                    for start in range(0, len(names), 40):

                        async def create(name: str, client: pinstripe.AsyncClient = client) -> None:
                            created.append((await client.customers.create(name=name)).id)

                        async with anyio.create_task_group() as group:
                            for name in names[start : start + 40]:
                                group.start_soon(create, name)
                if http_client is not None:
                    await http_client.aclose()

            anyio.run(create_all, backend="trio" if kind == "trio" else "asyncio")
    assert ledger.created == dict.fromkeys(names, 1)
    assert sorted(created) == sorted(f"cus_{name}" for name in names)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_canceled_calls_leave_the_client_as_it_was(backend: str) -> None:
    """Cancel each call at another step: while it waits for a slot, connects, sends or receives."""
    total = max(300, scale(3000))

    async def cancel_all(url: str) -> None:
        async with pinstripe.AsyncClient("sk_test_x", base_url=url) as client:
            source, done = random.Random(2), 0
            while done < total:
                async with anyio.create_task_group() as group:
                    for _ in range(150):
                        group.start_soon(client.customers.retrieve, "cus_1")
                    for _ in range(source.randrange(40)):
                        await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()
                done += 150
            for _ in range(200):
                await client.customers.retrieve("cus_1", request_options={"timeout": 20, "max_retries": 0})
            before = server.connections
            for _ in range(20):
                await client.customers.retrieve("cus_1")
            assert server.connections == before

    with FaultServer() as server:
        anyio.run(cancel_all, server.url, backend=backend)


def echo(seen: Seen) -> Response:
    """Respond with the customer in the path."""
    return Response(
        body=f'{{"id": "{seen.path.rpartition("/")[2]}", "object": "customer", "created": 1, "livemode": false}}'.encode()
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_children_receive_their_own_responses() -> None:
    calls, children = scale(6000), 4
    with FaultServer(echo) as server, pinstripe.Client("sk_test_x", base_url=server.url) as client:
        client.customers.retrieve("cus_parent")
        pids = []
        for child in range(children):
            pid = os.fork()
            if pid == 0:
                names = [f"cus_{child}_{number}" for number in range(calls)]
                wrong = 0
                try:
                    wrong = sum(client.customers.retrieve(name).id != name for name in names)
                except BaseException:
                    wrong = -1
                os._exit(0 if wrong == 0 else 1)
            pids.append(pid)
        names = [f"cus_p_{number}" for number in range(calls)]
        assert [client.customers.retrieve(name).id for name in names] == names
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * children
        assert server.connections == children + 1


def test_threads_with_event_loops_of_their_own_share_an_async_client() -> None:
    rounds, threads = scale(2000), 6
    results: list[bool] = []
    with FaultServer(echo) as server:
        client = pinstripe.AsyncClient("sk_test_x", base_url=server.url)

        async def several(name: str) -> None:
            async def retrieve(number: int) -> None:
                results.append((await client.customers.retrieve(f"{name}_{number}")).id == f"{name}_{number}")

            async with anyio.create_task_group() as group:
                for number in range(5):
                    group.start_soon(retrieve, number)

        def work(thread: int) -> None:
            for number in range(rounds):
                asyncio.run(several(f"cus_{thread}_{number}"))

        running = [threading.Thread(target=work, args=(thread,), daemon=True) for thread in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(600)
    assert results == [True] * (rounds * threads * 5)


def test_threads_share_a_sync_client() -> None:
    calls, threads = scale(20_000) // 20 or 1, 20
    results: list[bool] = []
    with FaultServer(echo) as server, pinstripe.Client("sk_test_x", base_url=server.url) as client:

        def work(thread: int) -> None:
            for number in range(calls):
                name = f"cus_{thread}_{number}"
                results.append(client.customers.retrieve(name).id == name)

        running = [threading.Thread(target=work, args=(thread,), daemon=True) for thread in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(600)
        assert results == [True] * (calls * threads)
        assert server.connections <= threads


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_thousand_calls_at_fifty_in_flight_open_fifty_connections(backend: str) -> None:
    per_task = max(4, scale(400))

    async def all_calls(url: str) -> None:
        async with pinstripe.AsyncClient("sk_test_x", base_url=url) as client, anyio.create_task_group() as group:

            async def work() -> None:
                for _ in range(per_task):
                    await client.customers.retrieve("cus_1")

            for _ in range(50):
                group.start_soon(work)

    with FaultServer() as server:
        anyio.run(all_calls, server.url, backend=backend)
        assert len(server.seen) == per_task * 50
        assert server.connections <= 50


def test_nothing_raw_escapes_from_random_responses() -> None:
    source = random.Random(3)
    intact = Response(
        body=b'{"id": "cus_1", "object": "customer"}', headers=("Content-Type: application/json",)
    ).encode()

    def mutate() -> bytes:
        data = bytearray(intact)
        for _ in range(source.randrange(1, 6)):
            at = source.randrange(len(data))
            data[at : at + source.randrange(3)] = source.randbytes(source.randrange(3))
        return bytes(data)

    class Mutated(Response):
        def encode(self) -> bytes:
            return mutate()

    with (
        FaultServer(lambda _: Mutated(end="close")) as server,
        pinstripe.Client("sk_test_x", base_url=server.url, max_retries=0, timeout=5) as client,
    ):
        failed: list[tuple[int | None, bool]] = []
        for _ in range(scale(5000)):
            try:
                client.customers.create(name="a")
            except pinstripe.StripeError as error:
                failed.append((error.attempts, bool(error.idempotency_key)))
        assert failed
        assert set(failed) == {(1, True)}
