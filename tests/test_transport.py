"""Both drivers over real sockets: whole answers, broken ones, files up and down."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

import pinstripe
from pinstripe._call import Request

CUSTOMER = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}
Run = Callable[[Callable[[Any], Any]], Any]  # Any: an operation on a client, sync or async


@contextmanager
def server(*answers: bytes | None) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads each request whole, and answers with these bytes, in order; ``None`` never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)
    requests: list[bytes] = []
    hold = threading.Event()

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requests.append(read_request(connection))
                if answer is None:
                    hold.wait(20)
                else:
                    connection.sendall(answer)

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


def answer(status: int, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


OK = answer(200, json.dumps(CUSTOMER).encode(), "Request-Id: req_7")


@pytest.fixture(params=["sync", "async"])
def both(request: pytest.FixtureRequest) -> Callable[..., Any]:  # Any: what the operation gives
    """Run an operation on a client of either kind."""

    def run(
        url: str,
        operation: Callable[[Any], Any],  # Any: a client, an answer
        *,
        brought: bool = False,
        **options: Any,  # Any: those of a client
    ) -> Any:  # Any: an answer
        if brought:
            options["http_client"] = httpx.Client() if request.param == "sync" else httpx.AsyncClient()
        if request.param == "sync":
            with pinstripe.Client("sk_test_x", base_url=url, **options) as client:
                return operation(client)

        async def awaited() -> Any:  # Any: as above
            async with pinstripe.AsyncClient("sk_test_x", base_url=url, **options) as client:
                found: Awaitable[Any] = operation(client)
                return await found

        return asyncio.run(awaited())

    return run


def test_an_answer_is_a_model_that_knows_its_response(both: Callable[..., Any]) -> None:
    with server(OK) as (url, requests):
        customer = both(url, lambda client: client.customers.create(email="é@b.c"))
    assert isinstance(customer, pinstripe.models.Customer)
    assert customer.last_response.request_id == "req_7"
    assert customer.last_response.status_code == 200
    assert customer.last_response.idempotency_key is not None
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/customers HTTP/1.1")
    assert b"\r\nAuthorization: Bearer sk_test_x" in head
    assert f"pinstripe/{pinstripe.__version__}".encode() in head
    assert f"httpx/{httpx.__version__}".encode() in head
    assert body == b"email=%C3%A9%40b.c"


@pytest.mark.parametrize("brought", [False, True])
def test_a_header_of_ones_own_takes_the_place_of_ours_in_whatever_case(brought: bool, both: Callable[..., Any]) -> None:
    own = {"accept-encoding": "identity", "STRIPE-version": "2020-08-27", "x-mine": "1"}
    with server(OK) as (url, requests):
        both(url, lambda client: client.customers.create(request_options={"headers": own}), brought=brought)
    head = [line.lower() for line in requests[0].partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    assert len({line.partition(b":")[0] for line in head}) == len(head)
    assert {
        b"accept-encoding: identity",
        b"stripe-version: 2020-08-27",
        b"x-mine: 1",
        b"connection: keep-alive",
    } <= set(head)


def test_an_answer_may_be_compressed(both: Callable[..., Any]) -> None:
    packed = answer(200, gzip.compress(json.dumps(CUSTOMER).encode()), "Content-Encoding: gzip")
    with server(packed) as (url, requests):
        assert both(url, lambda client: client.customers.retrieve("cus_1")).id == "cus_1"
    assert b"gzip" in requests[0].lower().partition(b"accept-encoding: ")[2]


def test_a_timeout_is_a_timeout_error(both: Callable[..., Any]) -> None:
    with server(None) as (url, _), pytest.raises(pinstripe.APITimeoutError) as caught:
        both(url, lambda client: client.customers.create(), max_retries=0, timeout=0.05)
    assert caught.value.attempts == 1
    assert caught.value.idempotency_key


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(answer(200, b'{"id": "cus', length=500), id="cut short"),
        pytest.param(b"", id="closed at once"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="no HTTP"),
    ],
)
def test_an_answer_that_breaks_off_is_a_connection_error(broken: bytes, both: Callable[..., Any]) -> None:
    with server(broken) as (url, _), pytest.raises(pinstripe.APIConnectionError):
        both(url, lambda client: client.customers.retrieve("cus_1"), max_retries=0)


def test_nobody_there_is_a_connection_error(both: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(pinstripe.APIConnectionError):
        both(f"http://127.0.0.1:{port}", lambda client: client.customers.retrieve("cus_1"), max_retries=0)


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_from_a_proxy_is_an_api_error_that_shows_it(status: int, both: Callable[..., Any]) -> None:
    page = answer(status, b"<html><h1>Proxy says no</h1></html>", "Content-Type: text/html")
    with server(page) as (url, _), pytest.raises(pinstripe.APIError, match="Proxy says no"):
        both(url, lambda client: client.customers.retrieve("cus_1"), max_retries=0)


def test_redirects_are_not_followed_so_the_key_goes_nowhere_else(both: Callable[..., Any]) -> None:
    with server(answer(302, b"", "Location: http://127.0.0.1:9/")) as (url, _), pytest.raises(pinstripe.APIError):
        both(url, lambda client: client.customers.retrieve("cus_1"), max_retries=0)


def test_a_retry_after_the_effect_sends_the_same_key(both: Callable[..., Any]) -> None:
    cut = answer(200, b'{"id": "cus', length=500)
    with server(cut, OK) as (url, requests):
        customer = both(url, lambda client: client.customers.create(email="a"), max_retries=1)
    keys = [line for request in requests for line in request.split(b"\r\n") if line.startswith(b"Idempotency-Key")]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert customer.last_response.attempts == 2


FILE = {"id": "file_1", "object": "file", "created": 1, "purpose": "dispute_evidence", "size": 4}


@pytest.mark.parametrize("kind", ["path", "bytes", "open"])
def test_a_file_goes_up_as_multipart_to_the_files_host(kind: str, both: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x00\xff\r\n")
    file: Any = {"path": path, "bytes": b"\x00\xff\r\n", "open": io.BytesIO(b"\x00\xff\r\n")}[kind]  # Any: any file
    with server(answer(200, json.dumps(FILE).encode())) as (url, requests):
        found = both(
            "http://127.0.0.1:9",
            lambda client: client.files.create(file=file, purpose="dispute_evidence"),
            files_url=url,
        )
    assert found.size == 4
    assert requests[0].startswith(b"POST /v1/files HTTP/1.1")
    assert b'name="purpose"\r\n\r\ndispute_evidence' in requests[0]
    assert b"\r\n\r\n\x00\xff\r\n\r\n--" in requests[0]


PDF = b"%PDF-1.7 " + bytes(range(256)) * 40


def test_a_download_is_bytes(both: Callable[..., Any]) -> None:
    with server(answer(200, PDF)) as (url, requests):
        assert both("http://127.0.0.1:9", lambda client: client.quotes.pdf("qt_1"), files_url=url) == PDF
    assert requests[0].startswith(b"GET /v1/quotes/qt_1/pdf HTTP/1.1")


def test_a_download_streams_to_a_file_that_appears_only_when_all_of_it_is_there(
    both: Callable[..., Any], tmp_path: Path
) -> None:
    to = tmp_path / "quote.pdf"
    with server(answer(200, PDF[:50], length=500)) as (url, _), pytest.raises(pinstripe.APIConnectionError):
        both(url, lambda client: client.quotes.pdf("qt_1", to=to), max_retries=0)
    assert list(tmp_path.iterdir()) == []
    with server(answer(200, PDF[:50], length=500), answer(200, PDF)) as (url, _):
        assert both(url, lambda client: client.quotes.pdf("qt_1", to=to), max_retries=1) == len(PDF)
    assert to.read_bytes() == PDF
    assert list(tmp_path.iterdir()) == [to]


def test_a_download_into_an_open_file_begins_again_where_it_began(both: Callable[..., Any]) -> None:
    to = io.BytesIO(b"kept")
    to.seek(4)
    with server(answer(200, PDF[:50], length=500), answer(200, PDF)) as (url, _):
        both(url, lambda client: client.quotes.pdf("qt_1", to=to), max_retries=1)
    assert to.getvalue() == b"kept" + PDF


def test_a_refused_download_is_an_error_and_leaves_no_file(both: Callable[..., Any], tmp_path: Path) -> None:
    refusal = answer(404, b'{"error": {"message": "No such quote", "type": "invalid_request_error"}}')
    with server(refusal) as (url, _), pytest.raises(pinstripe.InvalidRequestError, match="No such quote"):
        both(url, lambda client: client.quotes.pdf("qt_1", to=tmp_path / "quote.pdf"))
    assert list(tmp_path.iterdir()) == []


def test_a_clients_own_pool_is_closed_and_a_client_one_is_not() -> None:
    borrowed = httpx.Client()
    with server(OK, OK) as (url, _):
        with pinstripe.Client("sk_test_x", base_url=url, http_client=borrowed) as client:
            client.customers.retrieve("cus_1")
        assert not borrowed.is_closed
        with pinstripe.Client("sk_test_x", base_url=url) as client:
            client.customers.retrieve("cus_1")
    borrowed.close()


def test_certificates_are_checked_for_every_url_but_a_plain_one() -> None:
    room: Any = import_module("pinstripe._transport")  # Any: its inside is nobody's business but this test's
    for url, checked in (("https://api.stripe.com/v1/x", True), ("HTTPS://api.stripe.com", True), ("http://a", False)):
        assert room._is_tls(Request("GET", url, {}, None, 1.0)) is checked
    transport = room.Transport(None)
    pool = transport._own_client(verify=room._is_tls(Request("GET", "https://api.stripe.com", {}, None, 1.0)))
    assert pool._transport._pool._ssl_context.verify_mode is ssl.CERT_REQUIRED
    transport.close()
