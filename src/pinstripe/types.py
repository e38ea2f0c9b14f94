"""The types that parameters and clients are made of. Importing this module loads neither Pydantic nor httpx."""

from __future__ import annotations

from os import PathLike
from typing import Any, BinaryIO, NamedTuple, Protocol, TypeAlias, TypedDict

__all__ = [
    "JSON",
    "AsyncHttpClient",
    "FileInput",
    "HttpClient",
    "HttpTimeout",
    "MaxLen",
    "RequestOptions",
    "Strings",
]

JSON: TypeAlias = Any  # Any: a union of all JSON types would have to be narrowed at every step
"""Decoded JSON: a dict, a list, a string, a number, a boolean or ``None``."""

FileInput: TypeAlias = str | PathLike[str] | bytes | BinaryIO | tuple[str, bytes]
"""A file to upload: a path, its content, a file opened for reading bytes, or a file name with the content."""

Strings: TypeAlias = list[str]
"""A list of strings. Not a ``Sequence[str]``, since a single string is one, too."""


class MaxLen(NamedTuple):
    """The maximum length of a string, in characters. Where it is not given, API v1 accepts 5,000."""

    length: int


class HttpClient(Protocol):
    """The methods of ``httpx.Client`` that a client uses. A protocol, so that type checkers need not read httpx."""

    def build_request(self, *args: Any, **kwargs: Any) -> Any:  # Any: httpx's own types
        """Build a request."""

    def send(self, *args: Any, **kwargs: Any) -> Any:  # Any: httpx's own types
        """Send a request."""

    def close(self) -> None:
        """Close the connections."""


class AsyncHttpClient(Protocol):
    """The methods of ``httpx.AsyncClient`` that an async client uses."""

    def build_request(self, *args: Any, **kwargs: Any) -> Any:  # Any: httpx's own types
        """Build a request."""

    async def send(self, *args: Any, **kwargs: Any) -> Any:  # Any: httpx's own types
        """Send a request."""

    async def aclose(self) -> None:
        """Close the connections."""


class HttpTimeout(Protocol):
    """An ``httpx.Timeout``, in seconds. A protocol, as `HttpClient` is."""

    connect: float | None
    read: float | None
    write: float | None
    pool: float | None


class RequestOptions(TypedDict, total=False):
    """Options of a single call. https://docs.stripe.com/api/request_ids

    ``timeout`` is in seconds, or an ``httpx.Timeout``, for each attempt; ``deadline`` is in seconds, for all attempts together,
    after which the call raises `APITimeoutError`; ``max_retries`` 0 means one attempt; ``headers`` are added to the client's own;
    ``extra_params`` are parameters that this version does not know, such as those of a preview.
    """

    idempotency_key: str
    stripe_account: str
    stripe_context: str
    stripe_version: str
    api_key: str
    timeout: float | HttpTimeout
    deadline: float
    max_retries: int
    headers: dict[str, str]
    extra_params: dict[str, Any]  # Any: unknown parameters
