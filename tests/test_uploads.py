"""Uploads of paths, bytes, open files and pipes, sync and async, and after a failed attempt or call."""

from __future__ import annotations

import asyncio
import io
import os
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import pinstripe
from tests.torture_scale import scale

FILE = {"id": "file_1", "object": "file", "created": 1, "purpose": "dispute_evidence", "size": 4}
CONTENT = b"\x89PNG\r\n" + bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinstripe._retry.INITIAL_DELAY", 0.0)


class Uploads:
    """Uploads with a client of either kind, and the parts that its requests had."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.bodies: list[bytes] = []
        self.types: list[str] = []
        self.failures = 0

    def send(self, file: Any, **options: Any) -> Any:  # Any: a file of any kind; those of a client; a File
        options = {"max_retries": 0, **options}
        if self.kind == "sync":
            http_client = httpx.Client(transport=httpx.MockTransport(self._handle))
            client = pinstripe.Client("sk_test_x", http_client=http_client, **options)
            return client.files.create(file=file, purpose="dispute_evidence")

        async def run() -> Any:  # Any: a File
            http_client = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
            client = pinstripe.AsyncClient("sk_test_x", http_client=http_client, **options)
            return await client.files.create(file=file, purpose="dispute_evidence")

        return asyncio.run(run())

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        self.types.append(request.headers["content-type"])
        assert int(request.headers["content-length"]) == len(request.content)
        if self.failures:
            self.failures -= 1
            raise httpx.WriteError("cut")
        return httpx.Response(200, json=FILE)

    def files(self) -> list[tuple[str, bytes]]:
        """Return the name and the content of the file in each request."""
        files = []
        for body, content_type in zip(self.bodies, self.types, strict=True):
            boundary = re.fullmatch(r"multipart/form-data; boundary=(\w+)", content_type)
            assert boundary
            purpose, part = body.split(b"--" + boundary[1].encode())[1:3]
            assert b'name="purpose"\r\n\r\ndispute_evidence\r\n' in purpose
            head, _, content = part.partition(b"\r\n\r\n")
            name = re.search(rb'name="file"; filename="([^"]*)"', head)
            assert name
            assert b"Content-Type: application/octet-stream" in head
            files.append((name[1].decode(), content.removesuffix(b"\r\n")))
        return files


@pytest.fixture(params=["sync", "async"])
def uploads(request: pytest.FixtureRequest) -> Uploads:
    return Uploads(request.param)


def opened(path: Path) -> Any:  # Any: a file
    return path.open("rb")


def pipe(path: Path) -> Any:  # Any: the end of a pipe
    reading, writing = os.pipe()
    os.write(writing, path.read_bytes()[:1000])
    os.close(writing)
    return os.fdopen(reading, "rb")


@pytest.mark.parametrize(
    ("make", "name", "content"),
    [
        (lambda path: path, "evidence %221%22.png", CONTENT),
        (str, "evidence %221%22.png", CONTENT),
        (lambda path: CONTENT, "file", CONTENT),
        (lambda path: ("a.png", CONTENT), "a.png", CONTENT),
        (opened, "evidence %221%22.png", CONTENT),
        (lambda path: io.BytesIO(CONTENT), "file", CONTENT),
        (pipe, "file", CONTENT[:1000]),
        (lambda path: b"", "file", b""),
    ],
)
def test_a_file_is_the_same_on_each_attempt(
    make: Callable[[Path], Any], name: str, content: bytes, uploads: Uploads, tmp_path: Path
) -> None:
    path = tmp_path / 'evidence "1".png'
    path.write_bytes(CONTENT)
    file = make(path)
    uploads.failures = 1
    assert uploads.send(file, max_retries=1).id == "file_1"
    assert uploads.files() == [(name, content)] * 2
    assert uploads.bodies[0] == uploads.bodies[1]
    if isinstance(file, io.IOBase):
        assert not file.closed
        file.close()


def test_a_file_opened_in_the_middle_is_uploaded_from_there(uploads: Uploads, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"head" + CONTENT)
    with path.open("rb") as file:
        file.seek(4)
        uploads.failures = 1
        uploads.send(file, max_retries=1)
    assert uploads.files() == [("a.png", CONTENT)] * 2


def test_the_same_file_can_be_uploaded_again_after_a_failed_call(uploads: Uploads) -> None:
    file = io.BytesIO(b"head" + CONTENT)
    file.seek(4)
    uploads.failures = 1
    with pytest.raises(pinstripe.APIConnectionError):
        uploads.send(file)
    uploads.send(file)
    uploads.send(file)
    assert uploads.files() == [("file", CONTENT)] * 3
    assert file.read() == CONTENT


def text_file(folder: Path) -> Any:  # Any: the mistake
    (folder / "text").write_text("a")
    return (folder / "text").open()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "missing.png", "No such file"),
        (lambda folder: folder, "directory"),
        (lambda folder: "\0", "null"),
        (text_file, '"rb"'),
        (lambda folder: io.StringIO("a"), '"rb"'),
        (lambda folder: 5, '"rb"'),
        (lambda folder: ("a.png", "text"), '"rb"'),
        (lambda folder: None, "file is missing"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_before_anything_is_sent(
    make: Callable[[Path], Any], message: str, uploads: Uploads, tmp_path: Path
) -> None:
    file = make(tmp_path)
    try:
        with pytest.raises(pinstripe.InvalidArgumentError, match=message) as caught:
            uploads.send(file)
        assert caught.value.param == "file"
        assert uploads.bodies == []
    finally:
        if isinstance(file, io.IOBase):
            file.close()


def test_a_large_file_is_never_in_memory_at_once(tmp_path: Path) -> None:
    size = scale(50 << 20) * 8  # 4 MB in the suite, so that the peak of other allocations does not matter
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(size)
    received = 0

    class Count(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal received
            assert isinstance(request.stream, httpx.SyncByteStream)
            received = sum(map(len, request.stream))
            return httpx.Response(200, json=FILE)

    client = pinstripe.Client("sk_test_x", http_client=httpx.Client(transport=Count()))
    client.files.create(file=b"", purpose="dispute_evidence")  # loads what a call needs
    tracemalloc.start()
    client.files.create(file=path, purpose="dispute_evidence")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received > size
    assert peak < size / 4
