"""Calls and the requests that they become: configuration, parameters and options in, URL, headers and body out."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

from pinstripe import errors, form
from pinstripe._api_version import API_VERSION
from pinstripe._lazy import LazyModule
from pinstripe._response import Response
from pinstripe._secrets import Secret, masked
from pinstripe._version import __version__
from pinstripe.errors import Drift
from pinstripe.types import HttpTimeout, RequestOptions

if TYPE_CHECKING:
    from pinstripe import hooks
else:
    hooks = LazyModule("pinstripe.hooks")

__all__ = [
    "USER_AGENT",
    "Call",
    "CallFlow",
    "Config",
    "Environment",
    "Failure",
    "Host",
    "Options",
    "Outcome",
    "Request",
    "Session",
    "Sleep",
    "fill_path",
    "is_loopback",
    "prepare",
]

Options: TypeAlias = Mapping[str, Any]  # Any: the values of RequestOptions, checked by check_options
Host: TypeAlias = Literal["api", "files", "connect", "meter_events"]
USER_AGENT = f"pinstripe/{__version__} python/{'.'.join(map(str, sys.version_info[:3]))}"
_LIVE_KEYS = ("sk_live_", "rk_live_", "sk_org_live_")


@dataclass(frozen=True)
class Config:
    """The configuration of a client. The API key is not part of its repr."""

    api_key: str = field(repr=False)
    hosts: Mapping[str, str]
    api_version: str = API_VERSION
    stripe_account: str | None = None
    stripe_context: str | None = None
    max_retries: int = 2
    timeout: float | HttpTimeout | None = None
    deadline: float | None = None
    validation: Literal["warn", "strict"] = "warn"
    on_drift: Callable[[Drift], None] | None = None
    on_request: Callable[[hooks.RequestInfo], object] | None = None
    on_response: Callable[[hooks.ResponseInfo], object] | None = None
    on_retry: Callable[[hooks.RetryInfo], object] | None = None
    trace: Callable[[Call, Config, CallFlow], CallFlow] | None = None
    """Runs the flow of each call, and sees its requests and their outcomes: for `pinstripe.integrations.opentelemetry`."""
    session: Session = field(default_factory=lambda: Session(), compare=False, repr=False)
    environment: Environment = field(default_factory=lambda: Environment(), compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_key", masked(self.api_key))


@dataclass(eq=False, repr=False)
class Session:
    """The session that authenticates the meter event stream."""

    token: Secret = Secret()  # noqa: RUF009  # immutable
    expires_at: float = 0.0


def _new_key() -> str:
    from uuid import uuid4  # here, since the import is slow and only requests that change something need it

    return str(uuid4())


class Environment(NamedTuple):
    """The clocks and the sources of random values, which tests replace."""

    now: Callable[[], float] = time.time
    timer: Callable[[], float] = time.perf_counter
    random: Callable[[], float] = random.random
    new_key: Callable[[], str] = _new_key


@dataclass(eq=False, repr=False)
class Call:
    """One call of an operation, before it is prepared as a request."""

    verb: str
    path: str
    params: Mapping[str, Any]  # Any: the stubs type the parameters
    model: Any = None  # Any: names of models, a model, a page of models, `bytes`, or None for no result
    options: RequestOptions | None = None
    host: Host = "api"
    file: Any = None  # Any: an Upload of _uploads
    sink: Any = None  # Any: a Sink of _downloads, which writes a download to it
    operation: str = ""
    template: str = ""
    """The path with the names of its arguments: ``/v1/customers/{customer}``."""


@dataclass(eq=False, repr=False)
class Request:
    """One attempt, ready to be sent. It has no repr, since its headers contain the API key."""

    verb: str
    url: str
    headers: dict[str, str]
    content: bytes | None
    timeout: float | HttpTimeout | None
    sink: Any = None  # Any: as in Call
    upload: Any = None  # Any: as `file` of Call
    deadline: float | None = None
    """The time at which all attempts have to end, by the clock of `Environment.timer`."""


@dataclass(eq=False)
class Sleep:
    """Wait before the next attempt."""

    seconds: float


@dataclass(eq=False)
class Failure:
    """An attempt without a complete response.

    ``request_sent`` is False if nothing was sent, and None if that is unknown. ``is_final`` means that another attempt would
    not help.
    """

    reason: str
    timed_out: bool = False
    request_sent: bool | None = None
    is_final: bool = False
    cause: BaseException | None = None


Outcome: TypeAlias = "Response | Failure | None"
CallFlow: TypeAlias = Generator["Request | Sleep", Outcome, Any]  # Any: the result, what the model of the call is


def fill_path(template: str, arguments: Mapping[str, object]) -> str:
    """Return a path with its arguments, each percent-encoded as one segment.

    Raises `InvalidArgumentError` for an empty or non-string id: an empty id would turn "retrieve" into "list".
    """
    path = template
    for name, value in arguments.items():
        text = value if isinstance(value, str) else getattr(value, "id", None)
        if not isinstance(text, str):
            raise errors.InvalidArgumentError(f"{name}: expected an id, not {type(value).__name__}.", param=name)
        if not text.strip() or text in (".", ".."):
            raise errors.InvalidArgumentError(f"{name}: {str(text)!r} is not an id.", param=name)
        try:
            path = path.replace("{" + name + "}", quote(text, safe=""))
        except UnicodeEncodeError:
            raise errors.InvalidArgumentError(
                f"{name}: {str(text)!r} contains a lone surrogate, which no id does.", param=name
            ) from None
    return path


def prepare(call: Call, config: Config, options: Options, token: Secret | None) -> Request:
    """Return the request of a call; raise `InvalidArgumentError` if an argument cannot be sent."""
    api_key = options.get("api_key") or config.api_key
    if api_key.startswith(_LIVE_KEYS) and os.environ.get("PINSTRIPE_TEST_MODE") == "1":
        raise errors.InvalidArgumentError(
            "The API key is a live one, and PINSTRIPE_TEST_MODE=1 forbids these: use a key such as sk_test_...",
            param="api_key",
        )
    v2 = call.path.startswith("/v2/")
    url = config.hosts[call.host] + call.path
    headers = {
        "Authorization": Secret("Bearer " + (token or api_key)),
        "Stripe-Version": options.get("stripe_version") or config.api_version,
        "User-Agent": USER_AGENT,
        "Accept": "application/json",
    }
    if account := options.get("stripe_account") or config.stripe_account:
        headers["Stripe-Account"] = account
    if context := options.get("stripe_context") or config.stripe_context:
        headers["Stripe-Context"] = context
    key = options.get("idempotency_key")
    if key or call.verb == "POST" or (v2 and call.verb == "DELETE"):
        headers["Idempotency-Key"] = key or config.environment.new_key()
    for name, value in (options.get("headers") or {}).items():
        headers[str(name).title()] = value  # in the case of the names above, so that it replaces one of them
    for name, value in headers.items():
        _check_header(name, value)
    if url.startswith("http://") and "_live_" in headers["Authorization"]:
        _check_loopback(url)
    content: bytes | None = None
    if call.file is not None:
        call.file.fields = dict(form.pairs(call.params))
        headers.setdefault("Content-Type", f"multipart/form-data; boundary={os.urandom(16).hex()}")
    elif call.verb != "POST":
        if call.params:
            url += ("&" if "?" in url else "?") + (form.encode_v2 if v2 else form.encode)(call.params)
    elif v2:
        headers.setdefault("Content-Type", "application/json")
        content = form.to_json(call.params)
    else:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        content = form.encode(call.params).encode("ascii")
    timeout = options.get("timeout")
    timeout = config.timeout if timeout is None else timeout
    return Request(call.verb, url, headers, content, timeout, call.sink, call.file)


def _check_header(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or value != value.strip():
        subject = "the API key" if name == "Authorization" else f"the header {name}"
        raise errors.InvalidArgumentError(
            f"{subject} must be a str of printable ASCII characters, without a space at its ends.", param=name
        )


def _check_loopback(url: str) -> None:
    """Raise `InvalidArgumentError` for a URL of plain HTTP to another machine, where a live API key could be read."""
    host = urlsplit(url).hostname or ""
    if not is_loopback(host):
        raise errors.InvalidArgumentError(
            f"A live API key is not sent to {host} without TLS: use an https:// URL, or a test key.", param="base_url"
        )


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    return host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")
