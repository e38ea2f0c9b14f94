"""The destinations of downloads: a path or an open file. Only complete downloads are written."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from pinstripe.errors import InvalidArgumentError, StripeError

__all__ = ["Sink"]

# A download to an open file is held in memory until it has this many bytes, then in a temporary file.
_IN_MEMORY = 1 << 20
_CHUNK = 1 << 16


class Sink:
    """The destination of a download: a path, or a file opened for writing bytes.

    Both receive a download once it is complete, so that a retry neither repeats nor mixes anything: the file at a path
    appears then, and an open file, which may be a pipe, is written from its position on.

    Raises `InvalidArgumentError` if nothing can be written to it.
    """

    def __init__(self, to: Any) -> None:  # Any: what the user passed, checked here
        self._path = os.fspath(to) if isinstance(to, (str, os.PathLike)) else None
        self._file: Any = to  # Any: an object with `write`, checked here
        self.written = 0
        problem = _problem_of_file(to) if self._path is None else _problem_of_path(self._path)
        if problem:
            raise InvalidArgumentError(f"to: {problem}.", param="to")

    def fill(self, chunks: Iterator[bytes]) -> None:
        """Write all chunks; another attempt replaces them."""
        with self._open() as file:
            for chunk in chunks:
                self._write(file, chunk)

    async def afill(self, chunks: AsyncIterator[bytes]) -> None:
        """Write all chunks like `fill`, but await each."""
        with self._open() as file:
            async for chunk in chunks:
                self._write(file, chunk)

    def _write(self, file: Any, chunk: bytes) -> None:  # Any: a temporary file of either kind
        with _translated():
            self.written += file.write(chunk)

    @contextmanager
    def _open(self) -> Iterator[object]:
        """Yield a temporary file; move or copy its content to the destination at the end, unless an error is raised."""
        self.written = 0
        if self._path is None:
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as buffer:
                yield buffer
                with _translated():
                    buffer.seek(0)
                    while chunk := buffer.read(_CHUNK):
                        _write_all(self._file, chunk)
                    if callable(flush := getattr(self._file, "flush", None)):
                        flush()
            return
        part = f"{self._path}.part"
        try:
            with _translated():
                file = open(part, "wb")  # noqa: SIM115  # closed below, where errors of the caller pass untranslated
            with file:
                yield file
                with _translated():
                    file.flush()
            with _translated():
                os.replace(part, self._path)
        finally:
            if os.path.exists(part):
                os.remove(part)


def _problem_of_path(path: str) -> str:
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        return f"{path!r} is a folder, not a file"
    if not os.path.isdir(folder):
        return f"there is no folder {folder!r}"
    return "" if os.access(folder, os.W_OK) else f"no permission to write to the folder {folder!r}"


def _problem_of_file(file: Any) -> str:  # Any: as in Sink
    if not callable(getattr(file, "write", None)):
        return f"pass a path or a file opened for writing bytes, not {type(file).__name__}"
    if getattr(file, "closed", False) is True:
        return "the file is closed"
    mode = getattr(file, "mode", None)
    if isinstance(file, io.TextIOBase) or (isinstance(mode, str) and "b" not in mode):
        return 'the file is opened for text; open it with mode "wb"'
    if callable(getattr(file, "writable", None)) and not file.writable():
        return 'the file is not opened for writing; open it with mode "wb"'
    return ""


def _write_all(file: Any, data: bytes) -> None:  # Any: an object with `write`
    """Write all of the data: a raw file may write less than it is given."""
    rest = memoryview(data)
    while rest:
        count: Any = file.write(rest)  # Any: raw files return None if they would block, and some objects always
        if count is None:
            if isinstance(file, io.RawIOBase):
                raise BlockingIOError("the file is non-blocking and cannot be written now")
            return
        rest = rest[count:]


@contextmanager
def _translated() -> Iterator[None]:
    """Raise a `StripeError` for an error of the file system."""
    try:
        yield
    except (OSError, ValueError, TypeError) as error:
        raise StripeError(f"The download cannot be written: {getattr(error, 'strerror', None) or error}.") from error
