"""A file to upload. It is read while the request is sent, so that all of it is never in memory at once."""

from __future__ import annotations

import os
import shutil
import tempfile
from types import TracebackType
from typing import Any

from pinstripe.errors import InvalidArgumentError

__all__ = ["Upload"]

# The content of a pipe is held in memory until it has this many bytes, then in a temporary file.
_IN_MEMORY = 1 << 20
_HELP = 'pass a path, bytes, (name, bytes), or a file opened with mode "rb"'


class Upload:
    """A file to upload: a path, bytes, a name with bytes, or a file opened for reading bytes.

    As a context manager it opens a path, and at the end closes it, or restores the position of a file that the user opened,
    so that another call uploads the same content. ``fields`` are the other parts of the form.
    """

    def __init__(self, file: Any) -> None:  # Any: a types.FileInput, checked here
        self._source = file
        self._name = "file"
        self._content: bytes | None = None
        self._file: Any = None  # Any: any object with `read`
        self._start = 0
        self._is_own = False
        self.fields: dict[str, str] = {}

    def __enter__(self) -> Upload:
        source = self._source
        if isinstance(source, bytes):
            self._content = source
        elif isinstance(source, tuple):
            if len(source) != 2 or not isinstance(source[0], str) or not isinstance(source[1], bytes):
                raise InvalidArgumentError(f"file: {_HELP}.", param="file")
            self._name, self._content = source
        elif isinstance(source, (str, os.PathLike)):
            try:
                self._file, self._is_own = open(source, "rb"), True  # closed by __exit__
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise InvalidArgumentError(f"file: {reason}: {os.fspath(source)!r}.", param="file") from error
            self._name = os.path.basename(os.fsdecode(source))
        else:
            self._open(source)
        return self

    def _open(self, source: Any) -> None:  # Any: as in __init__
        """Take a file that the user opened: from its position on, or a copy of what a pipe contains."""
        try:
            is_bytes = isinstance(source.read(0), bytes)
            seekable = bool(source.seekable()) if hasattr(source, "seekable") else hasattr(source, "seek")
        except (AttributeError, TypeError, ValueError, OSError) as error:
            raise InvalidArgumentError(f"file: {_HELP} ({error}).", param="file") from error
        if not is_bytes:
            raise InvalidArgumentError(f"file: {_HELP}.", param="file")
        name = getattr(source, "name", None)
        self._name = os.path.basename(name) if isinstance(name, str) else "file"
        if seekable:
            self._file, self._start = source, source.seek(0, os.SEEK_CUR)
        else:
            self._file, self._is_own = tempfile.SpooledTemporaryFile(_IN_MEMORY), True  # noqa: SIM115  # as in __enter__
            shutil.copyfileobj(source, self._file)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        if self._is_own:
            self._file.close()
        elif not getattr(self._file, "closed", False):
            self._file.seek(self._start)

    def part(self) -> tuple[str, Any, str]:  # Any: bytes, or an object with `read`, as httpx takes them
        """Return the name, content and type of the file for one attempt, as httpx takes them."""
        content = _Reader(self._file, self._start) if self._content is None else self._content
        return self._name, content, "application/octet-stream"


class _Reader:
    """The rest of a file from a position on, so that httpx measures and reads only this."""

    def __init__(self, file: Any, start: int) -> None:  # Any: as in Upload
        self._file, self._start = file, start

    def read(self, size: int = -1) -> bytes:
        content: bytes = self._file.read(size)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        position: int = self._file.seek(offset + self._start if whence == os.SEEK_SET else offset, whence)
        return position - self._start

    def tell(self) -> int:
        position: int = self._file.tell()
        return position - self._start
