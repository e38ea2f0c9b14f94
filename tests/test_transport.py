"""Both drivers over real sockets: complete and broken responses, uploads and downloads."""

from __future__ import annotations

import gzip
import io
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from httpx_aiohttp import HttpxAiohttpClient

import pinstripe

CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}
Run = Callable[[Callable[[Any], Any]], Any]  # Any: an operation on a client, sync or async


@contextmanager
def server(*responses: bytes | None) -> Iterator[tuple[str, list[bytes]]]:
    """Run a server that sends these responses in order; for ``None`` it sends nothing. Yield its URL and the requests."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)
    requests: list[bytes] = []
    hold = threading.Event()

    def serve() -> None:
        for response in responses:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requests.append(read_request(connection))
                if response is None:
                    hold.wait(20)
                else:
                    connection.sendall(response)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        hold.set()
        listener.close()
        thread.join(20)


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (chunk := connection.recv(65536)):
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length and (chunk := connection.recv(65536)):
        body += chunk
    return head + b"\r\n\r\n" + body


def response(status: int, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


OK = response(200, json.dumps(CUSTOMER).encode(), "Request-Id: req_7")


@pytest.fixture(params=["sync", "asyncio", "trio", "aiohttp"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:  # Any: the result of the operation
    """Run an operation on a client of either kind: the async one on asyncio and trio, and with the transport of aiohttp."""
    kind: str = request.param

    def run_on_client(
        url: str,
        operation: Callable[[Any], Any],  # Any: a client, a result
        *,
        own_client: bool = False,
        **options: Any,  # Any: those of a client
    ) -> Any:  # Any: a result
        options["base_url"] = url
        if kind == "sync":
            if own_client:
                options["http_client"] = httpx.Client()
            with pinstripe.Client("sk_test_x", **options) as client:
                return operation(client)

        async def run_async() -> Any:  # Any: a result
            async with AsyncExitStack() as stack:
                if kind == "aiohttp":
                    options["http_client"] = await stack.enter_async_context(HttpxAiohttpClient())
                elif own_client:
                    options["http_client"] = await stack.enter_async_context(httpx.AsyncClient())
                client = await stack.enter_async_context(pinstripe.AsyncClient("sk_test_x", **options))
                return await operation(client)

        return anyio.run(run_async, backend="trio" if kind == "trio" else "asyncio")

    return run_on_client


def test_a_result_is_a_model_with_its_response(run: Callable[..., Any]) -> None:
    with server(OK) as (url, requests):
        customer = run(url, lambda client: client.customers.create(email="é@b.c"))
    assert isinstance(customer, pinstripe.models.Customer)
    assert customer.last_response.request_id == "req_7"
    assert customer.last_response.status_code == 200
    assert customer.last_response.idempotency_key is not None
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/customers HTTP/1.1")
    assert b"\r\nauthorization: bearer sk_test_x" in head.lower()
    assert f"pinstripe/{pinstripe.__version__}".encode() in head
    assert f"httpx/{httpx.__version__}".encode() in head
    assert body == b"email=%C3%A9%40b.c"


@pytest.mark.parametrize("own_client", [False, True])
def test_a_header_in_the_request_options_replaces_ours_in_any_case(own_client: bool, run: Callable[..., Any]) -> None:
    own = {"accept-encoding": "identity", "STRIPE-version": "2020-08-27", "x-mine": "1"}
    with server(OK) as (url, requests):
        run(url, lambda client: client.customers.create(request_options={"headers": own}), own_client=own_client)
    head = [line.lower() for line in requests[0].partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    assert len({line.partition(b":")[0] for line in head}) == len(head)
    assert {
        b"accept-encoding: identity",
        b"stripe-version: 2020-08-27",
        b"x-mine: 1",
        b"connection: keep-alive",
    } <= set(head)


def test_a_response_can_be_compressed(run: Callable[..., Any]) -> None:
    packed = response(200, gzip.compress(json.dumps(CUSTOMER).encode()), "Content-Encoding: gzip")
    with server(packed) as (url, requests):
        assert run(url, lambda client: client.customers.retrieve("cus_1")).id == "cus_1"
    assert b"gzip" in requests[0].lower().partition(b"accept-encoding: ")[2]


def test_a_timeout_raises_a_timeout_error(run: Callable[..., Any]) -> None:
    with server(None) as (url, _), pytest.raises(pinstripe.APITimeoutError) as caught:
        run(url, lambda client: client.customers.create(), max_retries=0, timeout=0.05)
    assert caught.value.attempts == 1
    assert caught.value.idempotency_key
    assert caught.value.request_sent is None


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(response(200, b'{"id": "cus', length=500), id="cut short"),
        pytest.param(b"", id="closed at once"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="no HTTP"),
    ],
)
def test_an_incomplete_response_raises_a_connection_error(broken: bytes, run: Callable[..., Any]) -> None:
    with server(broken) as (url, _), pytest.raises(pinstripe.APIConnectionError) as caught:
        run(url, lambda client: client.customers.create(), max_retries=0)  # aiohttp itself would repeat a GET
    assert caught.value.request_sent is None
    assert url.removeprefix("http://") in str(caught.value)
    assert "may have carried out" in str(caught.value)
    assert caught.value.idempotency_key
    assert caught.value.__cause__ is not None


def test_a_refused_connection_raises_a_connection_error(run: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(pinstripe.APIConnectionError, match=f"127.0.0.1:{port}.*was not sent") as caught:
        run(f"http://127.0.0.1:{port}", lambda client: client.customers.create(), max_retries=0)
    assert caught.value.request_sent is False
    assert not isinstance(caught.value, pinstripe.APITimeoutError)
    assert isinstance(caught.value.__cause__, httpx.TransportError)


@pytest.mark.parametrize("status", [200, 502])
def test_the_page_of_a_proxy_raises_an_api_error_with_an_excerpt(status: int, run: Callable[..., Any]) -> None:
    page = response(status, b"<html><h1>Proxy says no</h1></html>", "Content-Type: text/html")
    with server(page) as (url, _), pytest.raises(pinstripe.APIError, match="Proxy says no"):
        run(url, lambda client: client.customers.retrieve("cus_1"), max_retries=0)


def test_redirects_are_not_followed_so_that_the_key_is_sent_to_no_other_host(run: Callable[..., Any]) -> None:
    with server(response(302, b"", "Location: http://127.0.0.1:9/")) as (url, _), pytest.raises(pinstripe.APIError):
        run(url, lambda client: client.customers.retrieve("cus_1"), max_retries=0)


def test_a_retry_sends_the_same_idempotency_key(run: Callable[..., Any]) -> None:
    cut = response(200, b'{"id": "cus', length=500)
    with server(cut, OK) as (url, requests):
        customer = run(url, lambda client: client.customers.create(email="a"), max_retries=1)
    keys = [
        line for request in requests for line in request.split(b"\r\n") if line.lower().startswith(b"idempotency-key")
    ]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert customer.last_response.attempts == 2


FILE = {"id": "file_1", "object": "file", "created": 1, "purpose": "dispute_evidence", "size": 4}


@pytest.mark.parametrize("kind", ["path", "bytes", "open"])
def test_an_upload_is_multipart_and_goes_to_the_host_for_files(
    kind: str, run: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x00\xff\r\n")
    file: Any = {"path": path, "bytes": b"\x00\xff\r\n", "open": io.BytesIO(b"\x00\xff\r\n")}[kind]  # Any: any file
    with server(response(200, json.dumps(FILE).encode())) as (url, requests):
        uploaded = run(
            "http://127.0.0.1:9",
            lambda client: client.files.create(file=file, purpose="dispute_evidence"),
            files_url=url,
        )
    assert uploaded.size == 4
    assert requests[0].startswith(b"POST /v1/files HTTP/1.1")
    assert b'name="purpose"\r\n\r\ndispute_evidence' in requests[0]
    assert b"\r\n\r\n\x00\xff\r\n\r\n--" in requests[0]


PDF = b"%PDF-1.7 " + bytes(range(256)) * 40


def test_a_download_returns_bytes(run: Callable[..., Any]) -> None:
    with server(response(200, PDF)) as (url, requests):
        assert run("http://127.0.0.1:9", lambda client: client.quotes.pdf("qt_1"), files_url=url) == PDF
    assert requests[0].startswith(b"GET /v1/quotes/qt_1/pdf HTTP/1.1")


def test_a_download_creates_its_file_only_when_it_is_complete(run: Callable[..., Any], tmp_path: Path) -> None:
    to = tmp_path / "quote.pdf"
    with server(response(200, PDF[:50], length=500)) as (url, _), pytest.raises(pinstripe.APIConnectionError):
        run(url, lambda client: client.quotes.pdf("qt_1", to=to), max_retries=0)
    assert list(tmp_path.iterdir()) == []
    with server(response(200, PDF[:50], length=500), response(200, PDF)) as (url, _):
        assert run(url, lambda client: client.quotes.pdf("qt_1", to=to), max_retries=1) == len(PDF)
    assert to.read_bytes() == PDF
    assert list(tmp_path.iterdir()) == [to]


def test_a_retried_download_into_an_open_file_starts_at_the_same_position(run: Callable[..., Any]) -> None:
    to = io.BytesIO(b"data")
    to.seek(4)
    with server(response(200, PDF[:50], length=500), response(200, PDF)) as (url, _):
        run(url, lambda client: client.quotes.pdf("qt_1", to=to), max_retries=1)
    assert to.getvalue() == b"data" + PDF


def test_a_failed_download_raises_an_error_and_leaves_no_file(run: Callable[..., Any], tmp_path: Path) -> None:
    not_found = response(404, b'{"error": {"message": "No such quote", "type": "invalid_request_error"}}')
    with server(not_found) as (url, _), pytest.raises(pinstripe.InvalidRequestError, match="No such quote"):
        run(url, lambda client: client.quotes.pdf("qt_1", to=tmp_path / "quote.pdf"))
    assert list(tmp_path.iterdir()) == []


def test_close_does_not_close_the_http_client_of_the_user() -> None:
    borrowed = httpx.Client()
    with server(OK, OK) as (url, _):
        with pinstripe.Client("sk_test_x", base_url=url, http_client=borrowed) as client:
            client.customers.retrieve("cus_1")
        assert not borrowed.is_closed
        with pinstripe.Client("sk_test_x", base_url=url) as client:
            client.customers.retrieve("cus_1")
    borrowed.close()


def test_certificates_are_verified_for_every_url_except_plain_http() -> None:
    module: Any = import_module("pinstripe._pools")  # Any: its private names
    for url, checked in (("https://api.stripe.com/v1/x", True), ("HTTPS://api.stripe.com", True), ("http://a", False)):
        assert module.origin_of(url).kind.verify is checked
    pools = module.Pools(None, is_closed=False)
    for url in ("https://api.stripe.com", "https://localhost:8443"):
        shard = pools.pool(module.origin_of(url).kind).take()
        assert shard.client._transport._pool._ssl_context.verify_mode is ssl.CERT_REQUIRED
    pools.close()
