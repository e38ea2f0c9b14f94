"""The lifecycle of one call, without I/O: prepare, send, retry, decode or raise.

`call_flow` is a generator. It yields a `Request` to send or a `Sleep`, and receives the outcome. The sync and the async driver
in ``_transport`` send the requests and wait, so that the logic of calls is written once.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

from pinstripe import _retry, errors, form
from pinstripe._api_version import API_VERSION
from pinstripe._response import Response
from pinstripe._version import __version__
from pinstripe.errors import Drift
from pinstripe.types import JSON, HttpTimeout, RequestOptions

__all__ = [
    "Call",
    "CallFlow",
    "Config",
    "Environment",
    "Failure",
    "Host",
    "Request",
    "Response",
    "Session",
    "Sleep",
    "call_flow",
    "fill_path",
    "is_loopback",
]

logger = logging.getLogger("pinstripe")

Options: TypeAlias = Mapping[str, Any]  # Any: the values of RequestOptions, checked by check_options
Host: TypeAlias = Literal["api", "files", "connect", "meter_events"]
USER_AGENT = f"pinstripe/{__version__} python/{'.'.join(map(str, sys.version_info[:3]))}"
OPTIONS: dict[str, tuple[type, ...]] = {
    "idempotency_key": (str,),
    "stripe_account": (str,),
    "stripe_context": (str,),
    "stripe_version": (str,),
    "api_key": (str,),
    "timeout": (object,),
    "deadline": (object,),
    "max_retries": (int,),
    "headers": (dict,),
}
# The objects inside errors that become models.
ERROR_OBJECTS = ("payment_intent", "setup_intent", "payment_method", "source")
# A meter event session is renewed this many seconds before it expires.
SESSION_MARGIN = 30.0


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
    session: Session = field(default_factory=lambda: Session(), compare=False, repr=False)
    environment: Environment = field(default_factory=lambda: Environment(), compare=False, repr=False)


@dataclass(eq=False, repr=False)
class Session:
    """The session that authenticates the meter event stream."""

    token: str = ""
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
    file: Any = None  # Any: a types.FileInput, checked when it is encoded
    sink: Any = None  # Any: a Sink of _transport, which writes a download to it


@dataclass(eq=False, repr=False)
class Request:
    """One attempt, ready to be sent. It has no repr, since its headers contain the API key."""

    verb: str
    url: str
    headers: dict[str, str]
    content: bytes | None
    timeout: float | HttpTimeout | None
    sink: Any = None  # Any: as in Call
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
        path = path.replace("{" + name + "}", quote(text, safe=""))
    return path


def check_options(options: Mapping[str, object]) -> None:
    """Raise `InvalidArgumentError`, which names the option, if a request option is unknown or has a wrong type."""
    for name, value in options.items():
        if name not in OPTIONS:
            raise errors.InvalidArgumentError(
                f"request_options[{name}] is not an option. The options are {', '.join(OPTIONS)}.", param=name
            )
        if name in ("timeout", "deadline"):
            check_seconds(name, value)
        elif value is not None and (not isinstance(value, OPTIONS[name]) or isinstance(value, bool)):
            expected = OPTIONS[name][-1].__name__
            raise errors.InvalidArgumentError(
                f"request_options[{name}] must be a {expected}, not {value!r}.", param=name
            )


def check_seconds(name: str, value: object) -> None:
    """Raise `InvalidArgumentError` unless this is None, a positive number of seconds, or an ``httpx.Timeout`` of such."""
    parts = [value]
    if name == "timeout" and type(value).__module__.partition(".")[0] == "httpx":
        parts = [getattr(value, phase, value) for phase in ("connect", "read", "write", "pool")]
    for part in parts:
        if part is None:
            continue
        if isinstance(part, bool) or not isinstance(part, (int, float)) or not 0 < part < float("inf"):
            kinds = "a positive number of seconds" + (" or an httpx.Timeout of such" if name == "timeout" else "")
            raise errors.InvalidArgumentError(f"{name} must be {kinds}, not {value!r}.", param=name)


def call_flow(call: Call, config: Config, page_source: Any = None) -> CallFlow:  # Any: a _base.PageSource
    """Run a call: yield each `Request` and `Sleep`, receive the outcomes, and return the decoded result or raise.

    A successful response that cannot be read counts as a failed attempt, like a connection that was cut. ``page_source``
    fetches the further pages of the lists in the result.
    """
    options: Options = call.options or {}
    if options:
        check_options(options)
    deadline = options.get("deadline") or config.deadline
    timer = config.environment.timer
    ends_at = None if deadline is None else timer() + deadline
    token = (yield from _session_token(_session_config(config, options))) if call.host == "meter_events" else None
    request = _prepare(call, config, options, token)
    request.deadline = ends_at
    key = request.headers.get("Idempotency-Key")
    max_retries = options.get("max_retries")
    allowed: int = config.max_retries if max_retries is None else max_retries
    attempt = 0
    sent: bool | None = False  # whether an attempt was sent: True if one got a response, None if one may have been
    unclear = False  # whether an attempt may have been carried out without a readable response
    while True:
        attempt += 1
        started = config.environment.timer()
        outcome = yield request
        assert outcome is not None  # noqa: S101  # for type checkers: drivers send the outcome of a request
        response = outcome if isinstance(outcome, Response) else None
        if logger.isEnabledFor(logging.DEBUG):
            _log(call, outcome, attempt, config.environment.timer() - started)
        error: errors.StripeError | None = None
        if response is not None and 200 <= response.status_code < 300:
            response.idempotency_key, response.attempts = key, attempt
            try:
                return _decoded(call, config, response, page_source)
            except errors.APIError as unreadable:
                error = unreadable
        status = response.status_code if response is not None and error is None else None
        headers = response.headers if response is not None else {}
        error = error or _error(outcome)
        if status == 404 and call.verb == "DELETE" and unclear:
            error.message += " An earlier attempt may have deleted it: its outcome is unknown."
        this_sent = outcome.request_sent if isinstance(outcome, Failure) else True
        sent = True if sent or this_sent else None if None in (sent, this_sent) else False
        unclear = unclear or this_sent is None or (response is not None and (status is None or status >= 500))
        error.idempotency_key, error.attempts, error.request_sent = key, attempt, sent
        retry_after = _retry.retry_after(headers, datetime.fromtimestamp(config.environment.now(), timezone.utc))
        delay = _retry.retry_delay(attempt - 1, retry_after, config.environment.random())
        is_final = isinstance(outcome, Failure) and outcome.is_final
        if attempt > allowed or is_final or not _retry.should_retry(status, headers):
            raise _explained(error, unclear=unclear)
        if retry_after > _retry.MAX_RETRY_AFTER:
            error.message += f" Not retried, since Stripe requires a wait of {retry_after:.0f} seconds."
            raise error
        if ends_at is not None and timer() + delay >= ends_at:
            error.message += f" Not retried, since the deadline of {deadline:g} seconds leaves no time."
            raise _explained(error, unclear=unclear)
        yield Sleep(delay)


def _decoded(call: Call, config: Config, response: Response, page_source: Any) -> Any:  # Any: as in call_flow; a model
    """Return the result of a call; raise `APIError` if the response is not a JSON object."""
    if call.sink is not None:
        return call.sink.written
    if call.model is bytes:
        return response.content
    if call.model is None:
        return None
    from pinstripe import _base, _decoding  # here, so that importing a client does not import Pydantic

    token = _base.PAGE_SOURCE.set(page_source)
    try:
        result = _decoding.decode_as(
            call.model,
            response.content,
            validation=config.validation,
            on_drift=config.on_drift,
            version=response.headers.get("stripe-version"),
        )
    except errors.ResponseValidationError as error:
        if _parse(response.content) is None:
            raise errors.from_response(response.status_code, response.headers, response.content, None) from None
        error.__dict__.update(
            status_code=response.status_code,
            headers=dict(response.headers),
            request_id=response.request_id,
            body=response.content,
            idempotency_key=response.idempotency_key,
            attempts=response.attempts,
        )
        raise
    finally:
        _base.PAGE_SOURCE.reset(token)
    if isinstance(result, _base.StripeModel):
        _base.set_last_response(result, response)
        return result
    raise errors.from_response(response.status_code, response.headers, response.content, None)


def _prepare(call: Call, config: Config, options: Options, token: str | None) -> Request:
    v2 = call.path.startswith("/v2/")
    url = config.hosts[call.host] + call.path
    headers = {
        "Authorization": "Bearer " + (token or options.get("api_key") or config.api_key),
        "Stripe-Version": options.get("stripe_version") or config.api_version,
        "User-Agent": USER_AGENT,
        "Accept": "application/json",
    }
    if account := options.get("stripe_account") or config.stripe_account:
        headers["Stripe-Account"] = account
    if context := options.get("stripe_context") or config.stripe_context:
        headers["Stripe-Context"] = context
    key = options.get("idempotency_key")
    if key is not None and not key.strip():
        raise errors.InvalidArgumentError("request_options[idempotency_key] is empty.", param="idempotency_key")
    if key or call.verb == "POST" or (v2 and call.verb == "DELETE"):
        headers["Idempotency-Key"] = key or config.environment.new_key()
    content: bytes | None = None
    if call.file is not None:
        headers["Content-Type"], content = form.multipart(call.params, call.file)
    elif call.verb != "POST":
        if call.params:
            url += ("&" if "?" in url else "?") + (form.encode_v2 if v2 else form.encode)(call.params)
    elif v2:
        headers["Content-Type"], content = "application/json", form.to_json(call.params)
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        content = form.encode(call.params).encode("ascii")
    for name, value in (options.get("headers") or {}).items():
        headers[str(name).title()] = value  # in the case of the names above, so that it replaces one of them
    for name, value in headers.items():
        _check_header(name, value)
    if url.startswith("http://") and "_live_" in headers["Authorization"]:
        _check_loopback(url)
    timeout = options.get("timeout")
    return Request(call.verb, url, headers, content, config.timeout if timeout is None else timeout, call.sink)


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


def _session_config(config: Config, options: Options) -> Config:
    """Return a config with a session of its own if the call has its own key or account, to which a session is bound."""
    own = {name: options[name] for name in ("api_key", "stripe_account", "stripe_context") if options.get(name)}
    return replace(config, session=Session(), **own) if own else config


def _session_token(config: Config) -> Generator[Request | Sleep, Outcome, str]:
    """Return the token of the meter event session, renewed if needed. https://docs.stripe.com/api/v2/billing-meter"""
    session = config.session
    if session.expires_at - SESSION_MARGIN <= config.environment.now():
        call = Call("POST", "/v2/billing/meter_event_session", {}, "V2BillingMeterEventSession")
        created = yield from call_flow(call, config)
        session.token, session.expires_at = created.authentication_token, created.expires_at.timestamp()
    return session.token


def _explained(error: errors.StripeError, *, unclear: bool) -> errors.StripeError:
    """Add to a connection error whether Stripe may have carried out the request."""
    if isinstance(error, errors.APIConnectionError):
        if error.request_sent is False:
            error.message += " The request was not sent."
        elif unclear:
            error.message += " Stripe may have carried out the request."
    return error


def _error(outcome: Response | Failure) -> errors.StripeError:
    if isinstance(outcome, Failure):
        failed = (errors.APITimeoutError if outcome.timed_out else errors.APIConnectionError)(outcome.reason)
        failed.__cause__ = outcome.cause
        return failed
    error = errors.from_response(outcome.status_code, outcome.headers, outcome.content, _parse(outcome.content))
    body = error.json_body.get("error")
    for name in ERROR_OBJECTS:
        value = body.get(name) if isinstance(body, Mapping) else None
        if isinstance(value, Mapping):
            from pinstripe import _decoding  # here, so that importing a client does not import Pydantic

            setattr(error, name, _decoding.decode(value))
    return error


def _parse(content: bytes) -> JSON:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _log(call: Call, outcome: Response | Failure, attempt: int, elapsed: float) -> None:
    if isinstance(outcome, Response):
        result = f"{outcome.status_code} {outcome.request_id or ''}".rstrip()
    else:
        result = "timed out" if outcome.timed_out else "failed"
    logger.debug("%s %s: %s (attempt %d, %.0f ms)", call.verb, call.path, result, attempt, elapsed * 1000)
