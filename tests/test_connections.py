"""Connections: event loops, forks, cancellations, deadlines, limits, and whatever else can go wrong with them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import os
import pickle
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import anyio
import httpx
import pytest
import trio

import pinstripe
from tests.fault_server import OK, FaultServer, Ledger, Response, Seen

Operation = Callable[[Any], Any]  # Any: a client of either kind, a result
_retry: Any = import_module("pinstripe._retry")  # Any: its delays are changed
_transport: Any = import_module("pinstripe._transport")  # Any: its private names


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_retry, "INITIAL_DELAY", 0.0)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def retrieve(client: Any) -> Any:  # Any: a client of either kind, a customer or its awaitable
    return client.customers.retrieve("cus_1")


def create(client: Any) -> Any:  # Any: as in retrieve
    return client.customers.create(name="a")


@pytest.fixture(params=["sync", "asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:  # Any: the result of the operation
    """Run an operation on a client of either kind, the async one on asyncio or trio."""

    def run_on_client(operation: Operation, **options: Any) -> Any:  # Any: options of a client, a result
        options = {"api_key": "sk_test_x", **options}
        if request.param == "sync":
            with pinstripe.Client(**options) as client:
                return operation(client)

        async def run_async() -> Any:  # Any: a result
            async with pinstripe.AsyncClient(**options) as client:
                return await operation(client)

        return anyio.run(run_async, backend=request.param)

    return run_on_client


# --- event loops ------------------------------------------------------------------------------------------------------


def test_one_async_client_works_on_one_event_loop_after_another(server: FaultServer) -> None:
    client = pinstripe.AsyncClient("sk_test_x", base_url=server.url)
    for _ in range(3):
        assert asyncio.run(retrieve(client)).id == "cus_1"
        assert trio.run(client.customers.retrieve, "cus_1").id == "cus_1"
    assert server.connections == 6  # none was shared, and none of another loop was used


def test_calls_of_one_event_loop_share_their_connection(server: FaultServer) -> None:
    async def several() -> None:
        client = pinstripe.AsyncClient("sk_test_x", base_url=server.url)
        for _ in range(5):
            await client.customers.retrieve("cus_1")

    asyncio.run(several())
    assert server.connections == 1


def test_threads_with_event_loops_of_their_own_can_share_an_async_client(server: FaultServer) -> None:
    client = pinstripe.AsyncClient("sk_test_x", base_url=server.url)
    ids: list[str] = []

    async def several() -> None:
        for _ in range(5):
            ids.append((await client.customers.retrieve("cus_1")).id)

    threads = [threading.Thread(target=asyncio.run, args=(several(),), daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert ids == ["cus_1"] * 30
    assert server.connections == 6


def test_the_connections_of_an_event_loop_are_closed_with_it_and_the_loop_is_forgotten(server: FaultServer) -> None:
    client = pinstripe.AsyncClient("sk_test_x", base_url=server.url)
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def once() -> None:
        await client.customers.retrieve("cus_1")
        loops.append(weakref.ref(asyncio.get_running_loop()))

    asyncio.run(once())
    gc.collect()  # pytest turns the warning about an unclosed connection into an error
    assert [loop() for loop in loops] == [None]


def test_a_loop_that_was_closed_without_its_generators_is_dropped_without_a_warning(
    server: FaultServer, recwarn: pytest.WarningsRecorder
) -> None:
    client = pinstripe.AsyncClient("sk_test_x", base_url=server.url)
    for _ in range(3):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(retrieve(client))
        loop.close()
    asyncio.run(retrieve(client))
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


def test_an_async_client_that_was_not_closed_closes_its_connections_with_the_loop(
    server: FaultServer, recwarn: pytest.WarningsRecorder
) -> None:
    async def once() -> None:
        await pinstripe.AsyncClient("sk_test_x", base_url=server.url).customers.retrieve("cus_1")

    asyncio.run(once())
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


def test_a_borrowed_client_on_a_second_event_loop_raises_a_clear_error(server: FaultServer) -> None:
    borrowed = httpx.AsyncClient()
    client = pinstripe.AsyncClient("sk_test_x", base_url=server.url, http_client=borrowed)

    async def first() -> None:
        await client.customers.retrieve("cus_1")
        await borrowed._transport.__aexit__()  # its connections, so that they outlive no loop

    asyncio.run(first())
    with pytest.raises(pinstripe.APIConnectionError, match="another event loop") as caught:
        asyncio.run(create(client))
    assert (caught.value.request_sent, caught.value.attempts) == (False, 1)
    assert caught.value.idempotency_key


def test_a_borrowed_client_without_connections_works_on_any_event_loop() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=OK.body))
    client = pinstripe.AsyncClient("sk_test_x", http_client=httpx.AsyncClient(transport=transport))
    assert [asyncio.run(retrieve(client)).id for _ in range(2)] == ["cus_1"] * 2


def test_a_retry_works_on_trio_and_asyncio(run: Callable[..., Any]) -> None:
    ledger = Ledger(lambda number: Response(status=500, body=b"") if number < 3 else None)
    with FaultServer(ledger) as server:
        assert run(create, base_url=server.url).last_response.attempts == 3
    assert ledger.created == {"a": 1}


# --- fork -------------------------------------------------------------------------------------------------------------


def in_child(function: Callable[[], object]) -> Any:  # Any: the result
    """Run a function in a forked child; return its result, or its exception."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            result = function()
        except BaseException as error:
            result = error
        os.write(writer, pickle.dumps(result))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    return pickle.loads(data)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_forked_child_does_not_use_the_connections_of_its_parent(kind: str, server: FaultServer) -> None:
    if kind == "sync":
        client = pinstripe.Client("sk_test_x", base_url=server.url)

        def call() -> str:
            return client.customers.retrieve("cus_1").id

        call()
        assert in_child(call) == "cus_1"
        call()
        client.close()
    else:
        async_client = pinstripe.AsyncClient("sk_test_x", base_url=server.url)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(retrieve(async_client))
        assert in_child(lambda: asyncio.run(retrieve(async_client)).id) == "cus_1"
        loop.run_until_complete(retrieve(async_client))
        loop.run_until_complete(async_client.close())
        loop.close()
    assert [request.connection for request in server.seen] == [1, 2, 1]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_borrowed_client_in_a_forked_child_raises_a_clear_error(server: FaultServer) -> None:
    with httpx.Client() as borrowed:
        client = pinstripe.Client("sk_test_x", base_url=server.url, http_client=borrowed)
        client.customers.retrieve("cus_1")
        error = in_child(lambda: client.customers.retrieve("cus_1"))
        assert isinstance(error, pinstripe.APIConnectionError)
        assert "forked" in str(error)
        assert error.request_sent is False
        assert client.customers.retrieve("cus_1").id == "cus_1"


# --- responses that cannot be read ------------------------------------------------------------------------------------

PACKED = gzip.compress(OK.body)
UNREADABLE = {
    "gzip cut": Response(body=PACKED[:-20], headers=("Content-Encoding: gzip",)),
    "not gzip": Response(headers=("Content-Encoding: gzip",)),
    "length too small": Response(length=len(OK.body) - 5, end="close"),
    "length too large": Response(length=len(OK.body) + 5, end="close"),
    "length is not a number": Response(headers=("Content-Length: \xb2",), end="close"),
    "empty": Response(body=b""),
    "204": Response(status=204, body=b""),
    "HTML": Response(body=b"<html>"),
    "a list": Response(body=b"[]"),
    "reset": Response(end="reset"),
}


@pytest.mark.parametrize("unreadable", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_success_is_retried_with_the_same_key(unreadable: Response, run: Callable[..., Any]) -> None:
    ledger = Ledger(lambda number: unreadable if number < 3 else None)
    with FaultServer(ledger) as server:
        customer = run(create, base_url=server.url)
        assert customer.id == "cus_a"
        assert customer.last_response.attempts == 3
        assert list(server.count("idempotency-key").values()) == [3]
    assert ledger.created == {"a": 1}


@pytest.mark.parametrize("unreadable", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_success_raises_an_error_with_key_and_attempts(
    unreadable: Response, run: Callable[..., Any]
) -> None:
    with FaultServer(lambda _: unreadable) as server:
        with pytest.raises(pinstripe.StripeError) as caught:
            run(create, base_url=server.url, max_retries=1)
        assert caught.value.attempts == 2
        assert [caught.value.idempotency_key] == list(server.count("idempotency-key"))
        assert caught.value.request_sent is not False


def test_an_unreadable_page_is_retried(run: Callable[..., Any]) -> None:
    responses = [
        Response(body=b'{"object": "list", "data": [{}'),
        Response(body=b'{"object": "list", "data": [], "has_more": false, "url": "/"}'),
    ]
    with FaultServer(lambda seen: responses.pop(0)) as server:
        page = run(lambda client: client.customers.list(), base_url=server.url)
    assert page.data == []
    assert page.last_response.attempts == 2


MISSING = Response(status=404, body=b'{"error": {"type": "invalid_request_error", "message": "No such customer"}}')


@pytest.mark.parametrize(
    ("first", "unclear"), [(Response(end="reset"), True), (Response(status=500), True), (MISSING, False)]
)
def test_a_delete_that_finds_nothing_after_an_unclear_attempt_mentions_it(
    first: Response, unclear: bool, run: Callable[..., Any]
) -> None:
    responses = [first, MISSING]
    with FaultServer(lambda _: responses.pop(0)) as server, pytest.raises(pinstripe.InvalidRequestError) as caught:
        run(lambda client: client.customers.delete("cus_1"), base_url=server.url)
    assert ("may have deleted it" in str(caught.value)) is unclear
    assert caught.value.request_sent is True


# --- deadlines, timeouts and limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("drip", ["head", "body"])
def test_a_deadline_ends_a_response_that_drips(drip: Any, run: Callable[..., Any]) -> None:  # Any: see Response
    with FaultServer(lambda _: Response(drip=drip, length=1_000_000)) as server:
        started = time.perf_counter()
        with pytest.raises(pinstripe.APITimeoutError, match="deadline") as caught:
            run(create, base_url=server.url, deadline=0.3)
        assert time.perf_counter() - started < 5
    assert caught.value.idempotency_key
    assert caught.value.request_sent is None


def test_a_deadline_bounds_all_attempts_and_the_delays_between_them(run: Callable[..., Any]) -> None:
    with FaultServer(lambda _: Response(status=503, headers=("Retry-After: 30",))) as server:
        with pytest.raises(pinstripe.APIError, match="the deadline of 5 seconds leaves no time") as caught:
            run(lambda client: client.customers.create(request_options={"deadline": 5}), base_url=server.url)
        assert (len(server.seen), caught.value.attempts) == (1, 1)


def test_a_timeout_can_be_one_of_httpx(run: Callable[..., Any]) -> None:
    with FaultServer(lambda _: Response(end="hold")) as server:
        for options in ({"timeout": httpx.Timeout(5, read=0.05)}, {"timeout": 0.05}):
            with pytest.raises(pinstripe.APITimeoutError):
                run(retrieve, base_url=server.url, max_retries=0, **options)
        with pytest.raises(pinstripe.APITimeoutError):
            run(
                lambda client: client.customers.retrieve(
                    "cus_1", request_options={"timeout": httpx.Timeout(5, read=0.05)}
                ),
                base_url=server.url,
                max_retries=0,
            )


@pytest.mark.parametrize(
    ("borrowed", "expected"),
    [
        (httpx.Client(), 80.0),
        (httpx.Client(timeout=7), httpx.Timeout(7)),
        (httpx.Client(timeout=None), httpx.Timeout(None)),
    ],
)
def test_the_timeout_is_that_of_a_borrowed_client_if_it_has_one(
    borrowed: httpx.Client, expected: float | httpx.Timeout
) -> None:
    sent: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, content=OK.body)

    borrowed._transport = httpx.MockTransport(respond)
    client = pinstripe.Client("sk_test_x", http_client=borrowed)
    client.customers.retrieve("cus_1")
    client.customers.retrieve("cus_1", request_options={"timeout": 3})
    timeouts = [request.extensions["timeout"] for request in sent]
    assert timeouts == [httpx.Timeout(expected).as_dict(), httpx.Timeout(3).as_dict()]


def test_a_response_that_is_too_large_is_an_error_and_not_retried(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_transport, "MAX_RESPONSE", 1 << 20)
    bomb = Response(body=gzip.compress(bytes(20 << 20)), headers=("Content-Encoding: gzip",))
    with FaultServer(lambda _: bomb) as server:
        with pytest.raises(pinstripe.APIConnectionError, match="larger than 1 MiB") as caught:
            run(create, base_url=server.url)
        assert (len(server.seen), caught.value.request_sent) == (1, True)


def test_a_response_that_is_compressed_twice_is_not_decompressed(run: Callable[..., Any]) -> None:
    twice = Response(body=gzip.compress(PACKED), headers=("Content-Encoding: gzip, gzip",))
    with FaultServer(lambda _: twice) as server, pytest.raises(pinstripe.APIConnectionError, match="more than once"):
        run(retrieve, base_url=server.url, max_retries=0)


def test_connections_stay_open_above_twenty_calls_at_a_time() -> None:
    async def many(url: str) -> None:
        async with pinstripe.AsyncClient("sk_test_x", base_url=url) as client, anyio.create_task_group() as group:

            async def work() -> None:
                for _ in range(4):
                    await client.customers.retrieve("cus_1")

            for _ in range(50):
                group.start_soon(work)

    with FaultServer() as server:
        asyncio.run(many(server.url))
        assert len(server.seen) == 200
        assert server.connections <= 50


def test_at_most_a_hundred_connections_are_open_and_the_other_calls_wait() -> None:
    async def many(url: str) -> None:
        async with pinstripe.AsyncClient("sk_test_x", base_url=url) as client, anyio.create_task_group() as group:
            for _ in range(250):
                group.start_soon(client.customers.retrieve, "cus_1")

    with FaultServer() as server:
        asyncio.run(many(server.url))
        assert len(server.seen) == 250
        assert server.connections <= 100


def test_a_call_without_a_free_connection_times_out_unsent() -> None:
    async def one_too_many(url: str) -> None:
        client = pinstripe.AsyncClient("sk_test_x", base_url=url, max_retries=0)
        async with client, anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(client.customers.retrieve, "cus_1")
            await anyio.lowlevel.checkpoint()
            with pytest.raises(pinstripe.APITimeoutError, match="No connection") as caught:
                await client.customers.create(request_options={"timeout": 0.05})
            assert caught.value.request_sent is False
            group.cancel_scope.cancel()

    with FaultServer(lambda _: Response(end="hold")) as server:
        asyncio.run(one_too_many(server.url))


@pytest.mark.parametrize(("seconds", "connections"), [(50, 1), (70, 2)])
def test_a_quiet_service_uses_its_connection_again_within_a_minute(
    seconds: float, connections: int, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    http11: Any = import_module("httpcore._sync.http11")  # Any: its clock is replaced
    monkeypatch.setattr(http11, "time", type("Clock", (), {"monotonic": staticmethod(lambda: now[0])}))
    with pinstripe.Client("sk_test_x", base_url=server.url) as client:
        client.customers.retrieve("cus_1")
        now[0] += seconds
        client.customers.retrieve("cus_1")
    assert server.connections == connections


# --- cancellation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_canceled_calls_use_up_no_connections(backend: str) -> None:
    async def cancel_many(url: str) -> None:
        async with pinstripe.AsyncClient("sk_test_x", base_url=url) as client:
            for _ in range(6):
                async with anyio.create_task_group() as group:
                    for _ in range(50):
                        group.start_soon(client.customers.retrieve, "cus_1")
                    await anyio.lowlevel.checkpoint()
                    group.cancel_scope.cancel()
            customer = await client.customers.retrieve("cus_1", request_options={"timeout": 5, "max_retries": 0})
            assert customer.id == "cus_1"

    with FaultServer() as server:
        anyio.run(cancel_many, server.url, backend=backend)
        assert len(server.seen) >= 1


# --- everything else is an error of pinstripe -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
        ("HTTPS_PROXY", "nonsense://x"),
        ("HTTPS_PROXY", "http://[::1"),
        ("SSL_CERT_FILE", __file__),
    ],
)
def test_a_bad_proxy_or_certificate_in_the_environment_is_an_error_that_names_the_variables(
    name: str, value: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(pinstripe.APIConnectionError, match="SSL_CERT_FILE") as caught:
        run(create, base_url="https://a.test")
    assert (caught.value.request_sent, caught.value.attempts) == (False, 1)
    assert caught.value.__cause__ is not None
    assert caught.value.idempotency_key


def test_loopback_goes_through_no_proxy_of_the_environment(
    run: Callable[..., Any], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ALL_PROXY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert run(retrieve, base_url=server.url).id == "cus_1"
    assert run(retrieve, base_url=server.url.replace("127.0.0.1", "localhost")).id == "cus_1"


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x"])
def test_a_live_key_is_sent_without_tls_to_loopback_alone(
    key: str, run: Callable[..., Any], server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PINSTRIPE_TEST_MODE")
    with pytest.raises(pinstripe.InvalidArgumentError, match=r"a\.test without TLS") as caught:
        run(retrieve, base_url="http://a.test", api_key=key)
    assert key not in str(caught.value)
    with pytest.raises(pinstripe.InvalidArgumentError):
        run(
            lambda client: client.customers.retrieve("cus_1", request_options={"api_key": key}),
            base_url="http://a.test",
        )
    assert run(retrieve, base_url=server.url, api_key=key).id == "cus_1"


@pytest.mark.parametrize("location", ["http://[::1", "//", "http://\xff:x/", "\x00", "https://a.test:99999/"])
def test_an_odd_location_is_an_error(location: str, run: Callable[..., Any]) -> None:
    redirect = Response(status=302, headers=(f"Location: {location}",), end="close")
    with FaultServer(lambda _: redirect) as server, pytest.raises(pinstripe.StripeError):
        run(create, base_url=server.url, max_retries=0)


def test_a_borrowed_client_follows_no_redirects(server: FaultServer) -> None:
    elsewhere = Response(status=302, headers=(f"Location: {server.url}/",))
    with FaultServer(lambda _: elsewhere) as first, httpx.Client(follow_redirects=True) as borrowed:
        client = pinstripe.Client("sk_test_x", base_url=first.url, http_client=borrowed, max_retries=0)
        with pytest.raises(pinstripe.APIError):
            create(client)
    assert server.seen == []


def test_a_closed_client_raises_an_error(run: Callable[..., Any], server: FaultServer) -> None:
    for used in (False, True):
        with pinstripe.Client("sk_test_x", base_url=server.url) as client:
            if used:
                retrieve(client)
        with pytest.raises(pinstripe.APIConnectionError, match="client is closed") as caught:
            create(client.with_options(max_retries=1))
        assert (caught.value.request_sent, caught.value.attempts) == (False, 1)

    async def close_twice() -> None:
        async_client = pinstripe.AsyncClient("sk_test_x", base_url=server.url)
        await async_client.customers.retrieve("cus_1")
        await async_client.close()
        await async_client.close()
        with pytest.raises(pinstripe.APIConnectionError, match="client is closed"):
            await async_client.customers.retrieve("cus_1")

    asyncio.run(close_twice())


def test_a_borrowed_client_that_is_closed_later_raises_an_error(server: FaultServer) -> None:
    with httpx.Client() as borrowed:
        client = pinstripe.Client("sk_test_x", base_url=server.url, http_client=borrowed)
    with pytest.raises(pinstripe.APIConnectionError, match="http_client is closed"):
        retrieve(client)
    with pytest.raises(pinstripe.InvalidArgumentError, match="is closed"):
        pinstripe.Client("sk_test_x", http_client=borrowed)


def test_calls_that_run_while_their_client_is_closed_raise_an_error(run: Callable[..., Any]) -> None:
    arrived = threading.Event()

    def hold(_: Seen) -> Response:
        arrived.set()
        return Response(end="hold")

    async def close_while_running(url: str) -> None:
        client = pinstripe.AsyncClient("sk_test_x", base_url=url)

        async def call() -> None:
            with pytest.raises(pinstripe.APIConnectionError) as caught:
                await client.customers.create()
            assert caught.value.request_sent is None

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await anyio.to_thread.run_sync(arrived.wait, 20)
            await client.close()

    with FaultServer(hold) as server:
        asyncio.run(close_while_running(server.url))
        arrived.clear()
        client = pinstripe.Client("sk_test_x", base_url=server.url, timeout=2)
        errors: list[BaseException] = []

        def call() -> None:
            with contextlib.suppress(pinstripe.APIConnectionError):
                client.customers.create()
                errors.append(AssertionError("no error"))

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        assert arrived.wait(20)
        client.close()
        thread.join(20)
        assert not thread.is_alive()
        assert errors == []


def test_a_request_that_is_not_valid_http_is_neither_sent_nor_retried(server: FaultServer) -> None:
    options: Any = {"headers": {"not a name": "x"}}  # Any: see RequestOptions
    client = pinstripe.Client("sk_test_x", base_url=server.url)
    with client, pytest.raises(pinstripe.APIConnectionError, match="not valid HTTP") as caught:
        client.customers.create(request_options=options)
    assert (caught.value.request_sent, caught.value.attempts, server.seen) == (False, 1, [])


def test_a_name_that_does_not_resolve_is_an_unsent_request(run: Callable[..., Any]) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", fail)
        with pytest.raises(pinstripe.APIConnectionError, match=r"a\.test:80.*was not sent") as caught:
            run(create, base_url="http://a.test", max_retries=1)
    assert (caught.value.request_sent, caught.value.attempts) == (False, 2)


def test_the_cause_of_a_connection_error_has_no_frames_that_contain_the_api_key(run: Callable[..., Any]) -> None:
    with FaultServer(lambda _: Response(end="reset")) as server, pytest.raises(pinstripe.APIConnectionError) as caught:
        run(create, base_url=server.url, max_retries=0)
    cause = caught.value.__cause__
    assert cause is not None
    while cause is not None:
        assert cause.__traceback__ is None
        cause = cause.__cause__


def test_request_sent_is_about_all_attempts(run: Callable[..., Any]) -> None:
    responses = [Response(status=503, body=b""), Response(end="reset")]
    with FaultServer(lambda _: responses.pop(0)) as server, pytest.raises(pinstripe.APIConnectionError) as caught:
        run(create, base_url=server.url, max_retries=1)
    assert (caught.value.request_sent, caught.value.attempts) == (True, 2)
    assert "may have carried out" in str(caught.value)
