"""The life of one call, without I/O: prepare, send, judge, retry, decode or raise.

`life` is a generator. It yields what it wants done, a `Request` or a `Sleep`, and is sent the outcome; the drivers in
``transport`` do it, one blocking, one awaiting. Everything about calls is therefore written once, and tested by hand.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import quote

from pinstripe import _retry, errors, form
from pinstripe._api_version import API_VERSION
from pinstripe._version import __version__

if TYPE_CHECKING:
    from pinstripe._decoding import Drift
    from pinstripe.types import RequestOptions

__all__ = ["Call", "Config", "Failure", "Request", "Response", "Sleep", "fill_path", "life"]

logger = logging.getLogger("pinstripe")

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
}
TYPED = ("payment_intent", "setup_intent", "payment_method", "source")
# A meter event session is renewed this many seconds before it ends.
SESSION_MARGIN = 30.0


@dataclass(frozen=True)
class Config:
    """What a client was made with. The API key never shows in its repr."""

    api_key: str = field(repr=False)
    hosts: Mapping[str, str]
    api_version: str = API_VERSION
    stripe_account: str | None = None
    stripe_context: str | None = None
    max_retries: int = 2
    timeout: float = 80.0
    validation: Literal["warn", "strict"] = "warn"
    on_drift: Callable[[Drift], None] | None = None
    session: Session = field(default_factory=lambda: Session(), compare=False, repr=False)
    world: World = field(default_factory=lambda: World(), compare=False, repr=False)


@dataclass(eq=False, repr=False)
class Session:
    """The session that the meter event stream needs, kept until shortly before it ends."""

    token: str = ""
    expires_at: float = 0.0


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """Time and chance, so that a test can hold them."""

    now: Callable[[], float] = time.time
    timer: Callable[[], float] = time.perf_counter
    random: Callable[[], float] = random.random
    new_key: Callable[[], str] = lambda: str(uuid.uuid4())


@dataclass(eq=False, repr=False)
class Call:
    """What somebody asked for."""

    verb: str
    path: str
    params: Mapping[str, Any]  # Any: parameters are what the typed faces say
    model: Any = None  # Any: a row's names, a model, or a page of models
    options: RequestOptions | None = None
    host: Host = "api"
    file: Any = None  # Any: see param.FileInput
    sink: Any = None  # Any: where a download goes; the driver writes to it


@dataclass(eq=False, repr=False)
class Request:
    """One attempt, ready to be sent. It has no repr, since its headers hold the API key."""

    verb: str
    url: str
    headers: dict[str, str]
    content: bytes | None
    timeout: float
    sink: Any = None  # Any: as in Call


@dataclass(eq=False)
class Sleep:
    """Wait before the next attempt."""

    seconds: float


@dataclass(eq=False)
class Failure:
    """No whole answer came."""

    reason: str
    timed_out: bool = False


@dataclass(eq=False)
class Response:
    """The answer to a call; on models and pages it is ``last_response``.

    ``headers`` have lower-case names. ``attempts`` is how often the request was sent.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    idempotency_key: str | None = None
    attempts: int = 1

    @property
    def request_id(self) -> str | None:
        """Stripe's name for the request (``req_...``): give it to their support. https://docs.stripe.com/api/request_ids"""
        return self.headers.get("request-id")


Life: TypeAlias = Generator["Request | Sleep", "Response | Failure | None", Response]


def fill_path(template: str, arguments: Mapping[str, object]) -> str:
    """A path with its arguments, each percent-encoded as one segment.

    Refuses, before anything is sent, an argument that is missing, empty or no id at all: an empty id would turn
    "retrieve" into "list".
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
    """Refuse an unknown or unusable request option, by name."""
    for name, value in options.items():
        if name not in OPTIONS:
            known = ", ".join(OPTIONS)
            raise errors.InvalidArgumentError(
                f"request_options[{name}] is not an option; there are {known}.", param=name
            )
        if value is not None and (not isinstance(value, OPTIONS[name]) or isinstance(value, bool)):
            kind = OPTIONS[name][-1].__name__
            raise errors.InvalidArgumentError(f"request_options[{name}] is a {kind}, not {value!r}.", param=name)


def life(call: Call, config: Config) -> Life:
    """Carry out a call: yields `Request` and `Sleep`, is sent `Response` and `Failure`, returns the answer or raises."""
    options: Mapping[str, Any] = call.options or {}  # Any: checked below
    if options:
        check_options(options)
    token = (yield from _session_token(_for_session(config, options))) if call.host == "meter_events" else None
    request = _prepare(call, config, options, token)
    key = request.headers.get("Idempotency-Key")
    retries = options.get("max_retries")
    allowed: int = config.max_retries if retries is None else retries
    attempt = 0
    while True:
        attempt += 1
        started = config.world.timer()
        received = yield request
        assert received is not None  # noqa: S101  # for the checker: drivers answer a Request with an outcome
        outcome = received
        response = outcome if isinstance(outcome, Response) else None
        if logger.isEnabledFor(logging.DEBUG):
            _log(call, outcome, attempt, config.world.timer() - started)
        if response is not None and 200 <= response.status_code < 300:
            response.idempotency_key, response.attempts = key, attempt
            return response
        status, headers = (response.status_code, response.headers) if response else (None, {})
        asked = _retry.retry_after(headers, datetime.fromtimestamp(config.world.now(), timezone.utc))
        if attempt > allowed or not _retry.should_retry(status, headers) or asked > _retry.MAX_RETRY_AFTER:
            raise _error(outcome, key, attempt, asked)
        yield Sleep(_retry.wait(attempt - 1, asked, config.world.random()))


def decoded(call: Call, config: Config, response: Response) -> Any:  # Any: what the row's model says
    """The typed answer of a call, or an `APIError` that shows what came instead of JSON."""
    if call.model is None:
        return None
    from pinstripe import _base, _decoding  # here, so that importing a client does not import Pydantic

    try:
        result = _decoding.decode_as(
            call.model, response.content, validation=config.validation, on_drift=config.on_drift
        )
    except errors.ResponseValidationError as error:
        if _parse(response.content) is None:
            raise errors.from_answer(response.status_code, response.headers, response.content, None) from None
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
    raise errors.from_answer(response.status_code, response.headers, response.content, None)


def _prepare(call: Call, config: Config, options: Mapping[str, Any], token: str | None) -> Request:  # Any: options
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
        headers["Idempotency-Key"] = key or config.world.new_key()
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
        headers[str(name).title()] = value  # in the case that ours are in, so that it replaces one of ours
    for name, value in headers.items():
        _check_header(name, value)
    timeout = options.get("timeout")
    return Request(call.verb, url, headers, content, config.timeout if timeout is None else timeout, call.sink)


def _check_header(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        shown = "the API key" if name == "Authorization" else f"the header {name}"
        raise errors.InvalidArgumentError(f"{shown} has characters that a header cannot hold.", param=name)


def _for_session(config: Config, options: Mapping[str, Any]) -> Config:  # Any: options
    """A session belongs to a key and an account: a call that has its own gets its own session."""
    own = {name: options[name] for name in ("api_key", "stripe_account", "stripe_context") if options.get(name)}
    return replace(config, session=Session(), **own) if own else config


def _session_token(config: Config) -> Generator[Request | Sleep, Response | Failure | None, str]:
    """The token of a meter event session: the one at hand, or a new one. https://docs.stripe.com/api/v2/billing-meter"""
    session = config.session
    if session.expires_at - SESSION_MARGIN <= config.world.now():
        call = Call("POST", "/v2/billing/meter_event_session", {}, "V2BillingMeterEventSession")
        made = decoded(call, config, (yield from life(call, config)))
        session.token, session.expires_at = made.authentication_token, made.expires_at.timestamp()
    return session.token


def _error(outcome: Response | Failure, key: str | None, attempts: int, asked: float) -> errors.StripeError:
    if isinstance(outcome, Failure):
        cls = errors.APITimeoutError if outcome.timed_out else errors.APIConnectionError
        return cls(outcome.reason, idempotency_key=key, attempts=attempts)
    error = errors.from_answer(outcome.status_code, outcome.headers, outcome.content, _parse(outcome.content))
    error.idempotency_key, error.attempts = key, attempts
    if asked > _retry.MAX_RETRY_AFTER:
        error.message += f" Stripe asks to wait {asked:.0f} seconds, which is too long to wait here."
    said = error.json_body.get("error")
    for name in TYPED:
        value = said.get(name) if isinstance(said, Mapping) else None
        if isinstance(value, Mapping):
            from pinstripe import _decoding  # here, so that importing a client does not import Pydantic

            setattr(error, name, _decoding.decode(value))
    return error


def _parse(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _log(call: Call, outcome: Response | Failure, attempt: int, elapsed: float) -> None:
    if isinstance(outcome, Response):
        said = f"{outcome.status_code} {outcome.request_id or ''}".rstrip()
    else:
        said = "timed out" if outcome.timed_out else "failed"
    logger.debug("%s %s: %s (attempt %d, %.0f ms)", call.verb, call.path, said, attempt, elapsed * 1000)
