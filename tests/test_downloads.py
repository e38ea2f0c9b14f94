"""Downloads into files and paths, and what happens to them when an attempt fails."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pinstripe import errors
from pinstripe._downloads import Sink

CONTENT = b"%PDF-1.7 " + bytes(range(256)) * 1000
CHUNKS = [CONTENT[start : start + 7000] for start in range(0, len(CONTENT), 7000)]


class CutError(Exception):
    pass


def cut() -> Iterator[bytes]:
    """Yield the beginning of the content, then fail as a cut connection does."""
    yield from CHUNKS[:3]
    raise CutError


def fill(sink: Sink, chunks: Iterator[bytes]) -> None:
    sink.fill(chunks)


def afill(sink: Sink, chunks: Iterator[bytes]) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    asyncio.run(sink.afill(stream()))


@pytest.fixture(params=[fill, afill])
def download(request: pytest.FixtureRequest) -> Callable[[Any], Sink]:  # Any: a path or a file
    """Download with a cut in the first attempt."""

    def run(to: Any) -> Sink:  # Any: a path or a file
        sink = Sink(to)
        with pytest.raises(CutError):
            request.param(sink, cut())
        request.param(sink, iter(CHUNKS))
        return sink

    return run


def test_a_retried_download_into_a_pipe_writes_everything_once(download: Callable[[Any], Sink]) -> None:
    class Pipe(io.RawIOBase):
        """A pipe: it cannot be sought."""

        def __init__(self) -> None:
            self.received = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:  # Any: a buffer
            self.received += bytes(data)
            return len(data)

    pipe = Pipe()
    assert download(pipe).written == len(CONTENT)
    assert pipe.received == CONTENT


def test_a_raw_file_that_writes_less_than_it_is_given_receives_everything(download: Callable[[Any], Sink]) -> None:
    class ShortWrites(io.BytesIO):
        def write(self, data: Any) -> int:  # Any: a buffer
            return super().write(data[:1000])

    file = ShortWrites()
    download(file)
    assert file.getvalue() == CONTENT


def test_a_download_into_the_middle_of_a_file_keeps_what_follows(
    download: Callable[[Any], Sink], tmp_path: Path
) -> None:
    path = tmp_path / "records"
    path.write_bytes(b"a" * 10 + b"b" * len(CONTENT) + b"c" * 10)
    with path.open("r+b") as file:
        file.seek(10)
        download(file)
    assert path.read_bytes() == b"a" * 10 + CONTENT + b"c" * 10


def test_a_failed_download_leaves_an_open_file_as_it_was(tmp_path: Path) -> None:
    file = io.BytesIO(b"before")
    file.seek(6)
    with pytest.raises(CutError):
        Sink(file).fill(cut())
    assert file.getvalue() == b"before"


def test_a_download_to_a_path_appears_when_it_is_complete(download: Callable[[Any], Sink], tmp_path: Path) -> None:
    download(tmp_path / "quote.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["quote.pdf"]
    assert (tmp_path / "quote.pdf").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder, "is a folder"),
        (lambda folder: folder / "missing" / "quote.pdf", "there is no folder"),
        (lambda folder: io.StringIO(), 'mode "wb"'),
        (lambda folder: (folder / "text").open("w"), 'mode "wb"'),
        (lambda folder: (folder / "empty").open("rb"), 'mode "wb"'),
        (lambda folder: 5, "not int"),
        (lambda folder: None, "not NoneType"),
    ],
)
def test_a_destination_that_cannot_be_written_is_refused(
    make: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:  # Any: an invalid destination
    (tmp_path / "empty").touch()
    to = make(tmp_path)
    try:
        with pytest.raises(errors.InvalidArgumentError, match=message) as caught:
            Sink(to)
        assert caught.value.param == "to"
    finally:
        if isinstance(to, io.IOBase):
            to.close()


def test_a_closed_file_is_refused() -> None:
    file = io.BytesIO()
    file.close()
    with pytest.raises(errors.InvalidArgumentError, match="closed"):
        Sink(file)


def test_a_disk_that_is_full_raises_an_error(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(errors.StripeError, match="No space") as caught:
        Sink(full).fill(iter(CHUNKS))
    assert isinstance(caught.value.__cause__, OSError)
