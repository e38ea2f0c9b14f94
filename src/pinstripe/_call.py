"""The lifecycle of one call, without I/O: prepare, send, retry, decode or raise.

`call_flow` is a generator. It yields a `Request` to send or a `Sleep`, and receives the outcome. The sync and the async driver
in ``_transport`` send the requests and wait, so that the logic of calls is written once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pinstripe import _retry, errors
from pinstripe._lazy import LazyModule
from pinstripe._logs import log_as_environment_says
from pinstripe._options import check_options
from pinstripe._request import Call, CallFlow, Config, Failure, Options, Outcome, Request, Session, Sleep, prepare
from pinstripe._response import Response
from pinstripe._secrets import Secret
from pinstripe.types import JSON

if TYPE_CHECKING:
    from pinstripe import hooks
else:
    hooks = LazyModule("pinstripe.hooks")

__all__ = ["call_flow"]

logger = logging.getLogger("pinstripe")
log_as_environment_says(logger)

# The objects inside errors that become models.
ERROR_OBJECTS = ("payment_intent", "setup_intent", "payment_method", "source")
# A meter event session is renewed this many seconds before it expires.
SESSION_MARGIN = 30.0


def call_flow(call: Call, config: Config, page_source: Any = None) -> CallFlow:  # Any: a _base.PageSource
    """Run a call: yield each `Request` and `Sleep`, receive the outcomes, and return the decoded result or raise.

    A successful response that cannot be read counts as a failed attempt, like a connection that was cut. ``page_source``
    fetches the further pages of the lists in the result.
    """
    flow = _flow(call, config, page_source)
    if call.file is not None:
        flow = _with_file(call, flow)
    return flow if config.trace is None else config.trace(call, config, flow)


def _with_file(call: Call, flow: CallFlow) -> CallFlow:
    with call.file:
        return (yield from flow)


@dataclass(eq=False)
class _Attempts:
    """The attempts of a call so far, and whether Stripe may have carried one out."""

    count: int = 0
    request_sent: bool | None = False
    """True if Stripe responded to an attempt, None if it may have received one."""
    is_unclear: bool = False
    """Whether an attempt may have been carried out without a readable response."""

    def add(self, outcome: Response | Failure, status: int | None) -> None:
        """Count a failed attempt; ``status`` is None if there is no readable response."""
        sent = outcome.request_sent if isinstance(outcome, Failure) else True
        self.request_sent = True if self.request_sent or sent else None if None in (self.request_sent, sent) else False
        self.is_unclear |= sent is None or (isinstance(outcome, Response) and (status is None or status >= 500))


def _flow(call: Call, config: Config, page_source: Any) -> CallFlow:  # Any: as in call_flow
    options: Options = call.options or {}
    if options:
        check_options(options)
    timer = config.environment.timer
    deadline = options.get("deadline") or config.deadline
    ends_at = None if deadline is None else timer() + deadline
    session_config, token = config, None
    if call.host == "meter_events":
        session_config = _session_config(config, options)
        token = yield from _session_token(session_config)
    request = prepare(call, config, options, token)
    request.deadline = ends_at
    max_retries = options.get("max_retries")
    allowed: int = config.max_retries if max_retries is None else max_retries
    attempts = _Attempts()
    while True:
        attempts.count += 1
        outcome = yield from _attempt(call, config, request, attempts.count)
        response = outcome if isinstance(outcome, Response) else None
        error: errors.StripeError | None = None
        if response is not None and 200 <= response.status_code < 300:
            response.idempotency_key, response.attempts = request.headers.get("Idempotency-Key"), attempts.count
            try:
                return _decoded(call, config, response, page_source)
            except errors.APIError as unreadable:
                error = unreadable
        if response is not None and response.status_code == 401 and token is not None:
            renewed = yield from _session_token(session_config, rejected=token)
            if renewed != token:
                token, request.headers["Authorization"] = None, Secret("Bearer " + renewed)
                allowed += 1
                continue
        status = response.status_code if response is not None and error is None else None
        error = error or _error(outcome, call.params)
        error.idempotency_key = request.headers.get("Idempotency-Key")
        if status == 404 and call.verb == "DELETE" and attempts.is_unclear:
            error.message += " An earlier attempt may have deleted it: its outcome is unknown."
        attempts.add(outcome, status)
        error.attempts, error.request_sent = attempts.count, attempts.request_sent
        headers = response.headers if response is not None else {}
        retry_after = _retry.retry_after(headers, datetime.fromtimestamp(config.environment.now(), timezone.utc))
        delay = _retry.retry_delay(attempts.count - 1, retry_after, config.environment.random())
        is_final = isinstance(outcome, Failure) and outcome.is_final
        if attempts.count > allowed or is_final or not _retry.should_retry(status, headers):
            raise _explained(error, attempts)
        if retry_after > _retry.MAX_RETRY_AFTER:
            error.message += f" Not retried, since Stripe requires a wait of {retry_after:.0f} seconds."
            raise error
        if ends_at is not None and timer() + delay >= ends_at:
            error.message += f" Not retried, since the deadline of {deadline:g} seconds leaves no time."
            raise _explained(error, attempts)
        reason = outcome.reason if isinstance(outcome, Failure) else f"status {status}" if status else str(error)
        _announce_retry(call, config, request, attempts.count, reason, delay)
        yield Sleep(delay)


def _attempt(
    call: Call, config: Config, request: Request, number: int
) -> Generator[Request | Sleep, Outcome, Response | Failure]:
    """Yield a request; return its outcome, of which hooks and the log learn."""
    if config.on_request is not None:
        hooks.call_hook(config.on_request, _request_info(call, request, number))
    started = config.environment.timer()
    outcome = yield request
    assert outcome is not None  # noqa: S101  # for type checkers: drivers send the outcome of a request
    elapsed = config.environment.timer() - started
    if logger.isEnabledFor(logging.DEBUG):
        _log(call, outcome, number, elapsed)
    if config.on_response is not None:
        info = _request_info(call, request, number)
        hooks.call_hook(config.on_response, _response_info(info, outcome, elapsed))
    return outcome


def _announce_retry(call: Call, config: Config, request: Request, number: int, reason: str, delay: float) -> None:
    if logger.isEnabledFor(logging.INFO):
        logger.info("%s: retrying in %.2f s, after %s (attempt %d)", _name(call), delay, reason, number)
    if config.on_retry is not None:
        hooks.call_hook(config.on_retry, hooks.RetryInfo(_request_info(call, request, number), reason, delay))


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
            raise _unreadable(response) from None
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
    raise _unreadable(response)


def _unreadable(response: Response) -> errors.StripeError:
    return errors.from_response(response.status_code, response.headers, response.content, None)


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
        created = yield from call_flow(call, config)
        session.token, session.expires_at = Secret(created.authentication_token), created.expires_at.timestamp()
    return session.token


def _explained(error: errors.StripeError, attempts: _Attempts) -> errors.StripeError:
    """Add to a connection error whether Stripe may have carried out the request."""
    if isinstance(error, errors.APIConnectionError):
        if error.request_sent is False:
            error.message += " The request was not sent."
        elif attempts.is_unclear:
            error.message += " Stripe may have carried out the request."
    return error


def _error(outcome: Response | Failure, params: Mapping[str, object]) -> errors.StripeError:
    if isinstance(outcome, Failure):
        failed = (errors.APITimeoutError if outcome.timed_out else errors.APIConnectionError)(outcome.reason)
        failed.__cause__ = outcome.cause
        return failed
    error = errors.from_response(outcome.status_code, outcome.headers, outcome.content, _parse(outcome.content))
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
