"""Compress the wheel better than zlib does: most of it is documentation, which every installation downloads."""

from __future__ import annotations

import os
import zipfile
from typing import Any

import deflate
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LEVEL = 12
"""The highest level of libdeflate."""


class _Compressor:
    """Compresses a file of an archive at once; `zipfile` writes it in pieces."""

    def __init__(self) -> None:
        self._data = b""

    def compress(self, data: bytes) -> bytes:
        self._data += data
        return b""

    def flush(self) -> bytes:
        return bytes(deflate.deflate_compress(self._data, LEVEL))


def recompress(path: str) -> None:
    """Write a wheel again, with the same files in the same order."""
    part = f"{path}.part"
    with zipfile.ZipFile(path) as wheel, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as smaller:
        for info in wheel.infolist():
            data = wheel.read(info)
            entry: Any = smaller.open(info, "w")  # Any: zipfile has no public way to set the compressor
            entry._compressor = _Compressor()
            with entry:
                entry.write(data)
    os.replace(part, path)


class WheelHook(BuildHookInterface[Any]):  # Any: the configuration of the builder
    """Recompresses wheels, but not those of editable installations."""

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # Any: hatchling's data
        """Run after a wheel was built."""
        if version == "standard":
            recompress(artifact_path)
