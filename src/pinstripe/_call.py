"""The lifecycle of one call, without I/O: prepare, send, retry, decode or raise.

`call_flow` is a generator. It yields a `Request` to send or a `Sleep`, and receives the outcome. The sync and the async driver
in ``_transport`` send the requests and wait, so that the logic of calls is written once.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from pinstripe import _retry, errors, form
from pinstripe._api_version import API_VERSION
from pinstripe._lazy import LazyModule
from pinstripe._logs import log_as_environment_says
from pinstripe._response import Response
from pinstripe._secrets import Secret, masked
from pinstripe._version import __version__
from pinstripe.errors import Drift
from pinstripe.types import JSON, RequestOptions

if TYPE_CHECKING:
    from pinstripe import hooks
else:
    hooks = LazyModule("pinstripe.hooks")

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
    "decoded",
    "fill_path",
]

logger = logging.getLogger("pinstripe")
log_as_environment_says(logger)

Options: TypeAlias = Mapping[str, Any]  # Any: the values of RequestOptions, checked by check_options
Host: TypeAlias = Literal["api", "files", "connect", "meter_events"]
USER_AGENT = f"pinstripe/{__version__} python/{'.'.join(map(str, sys.version_info[:3]))}"
OPTIONS: dict[str, tuple[type, ...]] = {
    "idempotency_key": (str,),
    "stripe_account": (str,),
    "stripe_context": (str,),
    "stripe_version": (str,),
    "api_key": (str,),
    "timeout": (int, float),
    "max_retries": (int,),
    "headers": (dict,),
    "extra_params": (dict,),
}
# The options that say for whom a call acts, and how. An empty one would silently mean the client's own.
_NOT_EMPTY = ("idempotency_key", "stripe_account", "stripe_context", "stripe_version", "api_key")
_LIVE_KEYS = ("sk_live_", "rk_live_", "sk_org_live_")
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
    timeout: float = 80.0
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
    timeout: float
    sink: Any = None  # Any: as in Call
    upload: Any = None  # Any: as `file` of Call


@dataclass(eq=False)
class Sleep:
    """Wait before the next attempt."""

    seconds: float


@dataclass(eq=False)
class Failure:
    """An attempt without a complete response."""

    reason: str
    timed_out: bool = False


Outcome: TypeAlias = "Response | Failure | None"
CallFlow: TypeAlias = Generator["Request | Sleep", Outcome, Response]


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


def check_options(options: Mapping[str, object]) -> None:
    """Raise `InvalidArgumentError`, which names the option, if a request option is unknown or has a wrong type."""
    for name, value in options.items():
        if name not in OPTIONS:
            raise errors.InvalidArgumentError(
                f"request_options[{name}] is not an option. The options are {', '.join(OPTIONS)}.", param=name
            )
        if value is not None and (not isinstance(value, OPTIONS[name]) or isinstance(value, bool)):
            expected = OPTIONS[name][-1].__name__
            shown = type(value).__name__ if name in ("api_key", "headers") else repr(value)
            raise errors.InvalidArgumentError(f"request_options[{name}] must be a {expected}, not {shown}.", param=name)
        if name in _NOT_EMPTY and isinstance(value, str) and not str.strip(value):
            raise errors.InvalidArgumentError(
                f"request_options[{name}] is empty. Leave it out to use the {name} of the client, if it has one.",
                param=name,
            )


def call_flow(call: Call, config: Config) -> CallFlow:
    """Run a call: yield each `Request` and `Sleep`, receive the outcomes, and return the response or raise."""
    flow = _flow(call, config)
    if call.file is not None:
        flow = _with_file(call, flow)
    return flow if config.trace is None else config.trace(call, config, flow)


def _with_file(call: Call, flow: CallFlow) -> CallFlow:
    with call.file:
        return (yield from flow)


def _flow(call: Call, config: Config) -> CallFlow:
    options: Options = call.options or {}
    if options:
        check_options(options)
    token: Secret | None = None
    session_config = config
    if call.host == "meter_events":
        session_config = _session_config(config, options)
        token = yield from _session_token(session_config)
    request = _prepare(call, config, options, token)
    watched = config.on_request or config.on_response or config.on_retry
    info: Any = None  # Any: a hooks.RequestInfo, if a hook needs it
    key = request.headers.get("Idempotency-Key")
    max_retries = options.get("max_retries")
    allowed: int = config.max_retries if max_retries is None else max_retries
    attempt = 0
    while True:
        attempt += 1
        if watched:
            info = _request_info(call, request, attempt)
            hooks.call_hook(config.on_request, info)
        started = config.environment.timer()
        outcome = yield request
        assert outcome is not None  # noqa: S101  # for type checkers: drivers send the outcome of a request
        response = outcome if isinstance(outcome, Response) else None
        if logger.isEnabledFor(logging.DEBUG):
            _log(call, outcome, attempt, config.environment.timer() - started)
        if config.on_response is not None:
            hooks.call_hook(config.on_response, _response_info(info, outcome, config.environment.timer() - started))
        if response is not None and 200 <= response.status_code < 300:
            response.idempotency_key, response.attempts = key, attempt
            return response
        if response is not None and response.status_code == 401 and token is not None:
            renewed = yield from _session_token(session_config, rejected=token)
            if renewed != token:
                token, request.headers["Authorization"] = None, Secret("Bearer " + renewed)
                allowed += 1
                continue
        status, headers = (response.status_code, response.headers) if response else (None, {})
        retry_after = _retry.retry_after(headers, datetime.fromtimestamp(config.environment.now(), timezone.utc))
        if attempt > allowed or not _retry.should_retry(status, headers) or retry_after > _retry.MAX_RETRY_AFTER:
            raise _error(outcome, key, attempt, retry_after, call.params)
        delay = _retry.retry_delay(attempt - 1, retry_after, config.environment.random())
        reason = outcome.reason if isinstance(outcome, Failure) else f"status {outcome.status_code}"
        if logger.isEnabledFor(logging.INFO):
            logger.info("%s: retrying in %.2f s, after %s (attempt %d)", _name(call), delay, reason, attempt)
        if config.on_retry is not None:
            hooks.call_hook(config.on_retry, hooks.RetryInfo(info, reason, delay))
        yield Sleep(delay)


def decoded(call: Call, config: Config, response: Response) -> Any:  # Any: what the model of the call is
    """Return the result of a call; raise `APIError` if the response is not a JSON object."""
    if call.sink is not None:
        return call.sink.written
    if call.model is bytes:
        return response.content
    if call.model is None:
        return None
    from pinstripe import _base, _decoding  # here, so that importing a client does not import Pydantic

    try:
        result = _decoding.decode_as(
            call.model, response.content, validation=config.validation, on_drift=config.on_drift
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
    if isinstance(result, _base.StripeModel):
        _base.set_last_response(result, response)
        return result
    raise errors.from_response(response.status_code, response.headers, response.content, None)


def _prepare(call: Call, config: Config, options: Options, token: Secret | None) -> Request:
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
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        subject = "the API key" if name == "Authorization" else f"the header {name}"
        raise errors.InvalidArgumentError(f"{subject} must be a str of printable ASCII characters.", param=name)


def _session_config(config: Config, options: Options) -> Config:
    """Return a config with a session of its own if the call has its own key or account, to which a session is bound."""
    own = {name: options[name] for name in ("api_key", "stripe_account", "stripe_context") if options.get(name)}
    return replace(config, session=Session(), **own) if own else config


def _session_token(config: Config, rejected: Secret | None = None) -> Generator[Request | Sleep, Outcome, Secret]:
    """Return the token of the meter event session, renewed if it expires soon or is the one that Stripe rejected.

    https://docs.stripe.com/api/v2/billing-meter
    """
    session = config.session
    if session.token == rejected or session.expires_at - SESSION_MARGIN <= config.environment.now():
        call = Call("POST", "/v2/billing/meter_event_session", {}, "V2BillingMeterEventSession")
        created = decoded(call, config, (yield from call_flow(call, config)))
        session.token, session.expires_at = Secret(created.authentication_token), created.expires_at.timestamp()
    return session.token


def _error(
    outcome: Response | Failure, key: str | None, attempts: int, retry_after: float, params: Mapping[str, object]
) -> errors.StripeError:
    if isinstance(outcome, Failure):
        cls = errors.APITimeoutError if outcome.timed_out else errors.APIConnectionError
        return cls(outcome.reason, idempotency_key=key, attempts=attempts)
    error = errors.from_response(outcome.status_code, outcome.headers, outcome.content, _parse(outcome.content))
    error.idempotency_key, error.attempts = key, attempts
    if retry_after > _retry.MAX_RETRY_AFTER:
        error.message += f" Not retried, since Stripe requires a wait of {retry_after:.0f} seconds."
    if error.code == "parameter_invalid_empty" and error.param and _is_none(params, error.param):
        error.message += (
            f" None clears a field, and {error.param} cannot be cleared: leave it out where there is no value."
        )
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


def _is_none(params: Mapping[str, object], name: str) -> bool:
    """Return whether a parameter, named as in ``items[0][price]``, was passed as ``None``."""
    value: Any = params  # Any: nested parameters
    for step in name.replace("]", "").split("["):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, (list, tuple)) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return False
    return value is None


def _name(call: Call) -> str:
    """Return the verb and the path of a call, for logs, without the query, which contains parameters."""
    return f"{call.verb} {call.path.partition('?')[0]}"


def _log(call: Call, outcome: Response | Failure, attempt: int, elapsed: float) -> None:
    if isinstance(outcome, Response):
        result = f"{outcome.status_code} {outcome.request_id or ''}".rstrip()
    else:
        result = "timed out" if outcome.timed_out else "failed"
    logger.debug("%s: %s (attempt %d, %.0f ms)", _name(call), result, attempt, elapsed * 1000)


def _request_info(call: Call, request: Request, attempt: int) -> hooks.RequestInfo:
    headers = request.headers
    return hooks.RequestInfo(
        operation=call.operation or _name(call),
        verb=call.verb,
        path=call.path.partition("?")[0],
        attempt=attempt,
        api_version=headers["Stripe-Version"],
        idempotency_key=headers.get("Idempotency-Key"),
        stripe_account=headers.get("Stripe-Account"),
        stripe_context=headers.get("Stripe-Context"),
    )


def _response_info(request: hooks.RequestInfo, outcome: Response | Failure, elapsed: float) -> hooks.ResponseInfo:
    if isinstance(outcome, Failure):
        return hooks.ResponseInfo(request, elapsed, None, None, outcome.reason, replayed=False)
    replayed = outcome.headers.get("idempotent-replayed") == "true"
    return hooks.ResponseInfo(request, elapsed, outcome.status_code, outcome.request_id, None, replayed)
