"""What the types of parameters are made of. Costs nothing to import: no Pydantic, no httpx."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Any, BinaryIO, Protocol, TypeAlias, TypedDict

FileInput: TypeAlias = str | PathLike[str] | bytes | BinaryIO | tuple[str, bytes]
"""A file to upload: a path, its bytes, a file open for reading bytes, or a name with the bytes."""

Strings: TypeAlias = list[str]
"""Texts. A list, since a single text would pass for a sequence of texts."""


@dataclass(frozen=True)
class MaxLen:
    """The longest text that Stripe takes here, in characters. Where nothing is said, API v1 takes 5,000."""

    length: int


class HttpClient(Protocol):
    """An ``httpx.Client``, as far as one is needed. A protocol, so that type checkers need not read all of httpx."""

    def build_request(self, *args: Any, **kwargs: Any) -> Any:  # Any: httpx's own types
        """Make a request."""

    def send(self, *args: Any, **kwargs: Any) -> Any:  # Any: httpx's own types
        """Send a request."""

    def close(self) -> None:
        """Close the connections."""


class AsyncHttpClient(Protocol):
    """The same for an ``httpx.AsyncClient``."""

    def build_request(self, *args: Any, **kwargs: Any) -> Any:  # Any: httpx's own types
        """Make a request."""

    async def send(self, *args: Any, **kwargs: Any) -> Any:  # Any: httpx's own types
        """Send a request."""

    async def aclose(self) -> None:
        """Close the connections."""


class RequestOptions(TypedDict, total=False):
    """What can be set for one call alone. https://docs.stripe.com/api/request_ids

    ``timeout`` is in seconds; ``max_retries`` 0 means one attempt; ``headers`` are sent besides the client's own.
    """

    idempotency_key: str
    stripe_account: str
    stripe_context: str
    stripe_version: str
    api_key: str
    timeout: float
    max_retries: int
    headers: dict[str, str]
