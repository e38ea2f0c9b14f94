"""Turn requests into responses, without I/O: authentication, idempotency, validation, the operation, expansion."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pinstripe._api_version import API_VERSION
from pinstripe._endpoint import Endpoint
from pinstripe.emulator import operations
from pinstripe.emulator.operations import stripe_cli
from pinstripe.emulator.operations._crud import run_operation
from pinstripe.emulator.operations._expansion import expand
from pinstripe.emulator.operations.context import OperationContext, Upload
from pinstripe.emulator.server import idempotency
from pinstripe.emulator.server.faults import STATUSES, Fault, take_fault
from pinstripe.emulator.server.fixtures import run_fixtures
from pinstripe.emulator.server.requests import Request, account_of, authenticate, owner_of, params_of, version_of
from pinstripe.emulator.server.responses import Response, error_response, json_response
from pinstripe.emulator.server.routing import Router
from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.accounts import PLATFORM, Accounts
from pinstripe.emulator.state.event_log import RequestInfo
from pinstripe.emulator.state.json_values import Object
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse
from pinstripe.emulator.validation.parameters import validate
from pinstripe.emulator.validation.references import check_references
from pinstripe.emulator.versions import downgrade_error, downgrade_response, upgrade_request
from pinstripe.resources import endpoints

operations.load()
logger: logging.Logger = logging.getLogger("pinstripe.emulator")

REQUEST_ID_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
MAX_LOGGED_REQUESTS = 500
MAX_LOGGED_BODY = 64 * 1024
"""The bytes of a body that are logged."""


class LoggedRequest(NamedTuple):
    """A request and its response, for the status page."""

    id: str
    at: int
    account: str
    verb: str
    path: str
    operation: str
    status: int
    message: str
    idempotency_key: str = ""
    replayed: bool = False
    params: bytes = b""
    """The query of a GET or DELETE, or the body."""
    body: bytes = b""
    """The body of the response."""


@dataclass(frozen=True)
class _Call:
    """A request with its endpoint and what was parsed from it; the parameters are not validated."""

    request: Request
    endpoint: Endpoint
    path: Mapping[str, str]
    params: Object
    upload: Upload | None
    api_key: str
    account: str
    version: str
    info: RequestInfo


class Server:
    """Turns requests into responses. Safe to use from many threads."""

    def __init__(self, accounts: Accounts, *, account_per_key: bool = False) -> None:
        self.accounts = accounts
        self.fixtures: list[Object] = []
        """The requests that fill the account of an API key before its first request."""
        self.faults: list[Fault] = []
        self.faults_lock: threading.Lock = threading.Lock()
        self.requests: deque[LoggedRequest] = deque(maxlen=MAX_LOGGED_REQUESTS)
        self._router = Router([*endpoints(), *stripe_cli.ENDPOINTS])
        self._held_keys = idempotency.HeldKeys()
        self._account_per_key = account_per_key
        self._filling = threading.RLock()

    def handle(self, request: Request) -> Response:
        """Return the response to a request; call `release` when it was sent."""
        environment = self.accounts.environment
        request_id = "req_" + environment.choices(REQUEST_ID_ALPHABET, 14)
        if request.verb != "GET":
            environment.tick()
        operation = ""
        try:
            match = self._router.find(request.verb, request.path)
            operation = f"{match[0].service}.{match[0].method}" if match else ""
            response = self._respond(request, match, request_id)
        except ErrorResponse as error:
            response = error_response(error, request_log_url=_log_url(request, request_id))
        except Exception as error:  # a bug in the emulator: the client needs a response
            logger.exception("%s %s failed", request.verb, request.path)
            message = f"Internal error of the emulator: {type(error).__name__}: {error}. Please report it."
            response = json_response(500, {"error": {"type": "api_error", "message": message}})
            response.headers["Stripe-Should-Retry"] = "false"
        version = request.headers.get("stripe-version", API_VERSION)
        response.headers = {"Request-Id": request_id, "Stripe-Version": version, **response.headers}
        self._log(request, operation, request_id, response)
        return response

    def _log(self, request: Request, operation: str, request_id: str, response: Response) -> None:
        message = json.loads(response.body)["error"]["message"] if response.status >= 400 else ""
        logged = LoggedRequest(
            id=request_id,
            at=self.accounts.environment.time(),
            account=request.headers.get("stripe-account", ""),
            verb=request.verb,
            path=request.path,
            operation=operation,
            status=response.status,
            message=message,
            idempotency_key=request.headers.get("idempotency-key", ""),
            replayed="Idempotent-Replayed" in response.headers,
            params=(request.body if request.verb == "POST" else request.query.encode())[:MAX_LOGGED_BODY],
            body=response.body[:MAX_LOGGED_BODY],
        )
        self.requests.append(logged)
        logger.info("%s %s %s %s %s", request_id, request.verb, request.path, response.status, message)
        self.accounts.announce()

    def fill(self, owner: str, api_key: str) -> None:
        """Run the fixtures in a platform's account, unless the account exists."""
        with self._filling:
            if owner not in self.accounts:
                self.accounts.state(owner)
                run_fixtures(self.fixtures, "sk_test_" + api_key.split("_", 2)[2], self.handle)

    def release(self, response: Response) -> None:
        """Release the idempotency key of a response that was sent."""
        if response.held_key is not None:
            self._held_keys.release(response.held_key)

    def _respond(self, request: Request, match: tuple[Endpoint, Mapping[str, str]] | None, request_id: str) -> Response:
        api_key = authenticate(request.headers, match[0] if match else None)
        version = version_of(request.headers, f"{match[0].service}.{match[0].method}" if match else "")
        if match is None:
            hint = "https://docs.stripe.com/api lists them."
            if "" in request.path.split("/")[1:]:
                hint = "To list objects, remove the trailing slash; to retrieve one, pass an id that is not empty."
            message = f"Unrecognized request URL ({request.verb}: {request.path}). {hint}"
            raise ErrorResponse(message, status=404)
        endpoint, path = match
        owner = owner_of(api_key) if self._account_per_key else PLATFORM
        if self.fixtures:
            self.fill(owner, api_key)
        account = account_of(request.headers, self.accounts, owner)
        params, upload = params_of(request)
        with self.faults_lock:
            fault = take_fault(self.faults, endpoint)
        if fault and fault.kind in STATUSES:
            raise _fault_error(fault)
        if fault and fault.kind == "reset_before":
            return Response(500, b'{"error": {"message": "The connection was reset."}}', fault=fault)
        key = idempotency.key_of(request)
        if key is not None:
            self._held_keys.check(account, key)
        info = RequestInfo(request_id, request.headers.get("idempotency-key"))
        call = _Call(request, endpoint, path, params, upload, api_key, account, version, info)
        try:
            response = self.accounts.run(
                account, lambda state: _execute_once(call, state, key), request=info, base_url=request.base_url
            )
        except ErrorResponse as error:
            if key is not None and error.executed:  # its changes are undone, but the key is used
                failed = error_response(error, request_log_url=_log_url(request, request_id))
                self.accounts.run(account, lambda state: _store(call, state, key, failed))
                return failed
            raise
        response.fault = fault
        if fault is not None and key is not None:
            response.held_key = (account, key)
            self._held_keys.hold(account, key)
        return response


def _execute_once(call: _Call, state: AccountState, key: str | None) -> Response:
    """Execute a call, or return the stored response of its idempotency key."""
    if key is None:
        return _execute(call, state)
    fingerprint = idempotency.fingerprint(call.request, call.params)
    if stored := state.tables.idempotent_responses.get(key):
        return idempotency.replay(stored, fingerprint, key)
    try:
        response = _execute(call, state)
    except ErrorResponse as error:
        if error.status != DECLINED:
            raise
        response = error_response(error, request_log_url=_log_url(call.request, str(call.info.id)))
    _store(call, state, key, response)
    return response


def _store(call: _Call, state: AccountState, key: str, response: Response) -> None:
    """Store the response of an idempotency key, and add the headers of such responses."""
    response.headers |= {"Idempotency-Key": key, "Original-Request": str(call.info.id)}
    if key not in state.tables.idempotent_responses:
        fingerprint = idempotency.fingerprint(call.request, call.params)
        state.tables.idempotent_responses.set(key, idempotency.store(response, fingerprint))


def _log_url(request: Request, request_id: str) -> str:
    """Return the URL of the page of a request."""
    return f"{request.base_url}/requests/{request_id}"


def _execute(call: _Call, state: AccountState) -> Response:
    """Execute a call in the API version of the request."""
    context: OperationContext | None = None
    try:
        context = _validated(call, state)
        return _run(call, context)
    except ErrorResponse as error:
        error.executed = context is not None
        downgrade_error(call.version, error, call.params)
        raise


def _validated(call: _Call, state: AccountState) -> OperationContext:
    params = upgrade_request(call.version, f"{call.endpoint.service}.{call.endpoint.method}", call.params)
    params = validate(call.endpoint.params, params, call.upload)
    return OperationContext(state, call.endpoint, call.path, params, call.upload)


def _run(call: _Call, context: OperationContext) -> Response:
    state, params = context.state, context.params
    check_references(state, call.endpoint.service, params)
    result = run_operation(context)
    if isinstance(result, bytes):
        return Response(200, result, {"Content-Type": "application/pdf"})
    if call.api_key.startswith("pk_"):
        _check_client_secret(result, call.params)
    expanded = expand(state, result, params.get("expand") or params.get("include") or [])
    return json_response(200, downgrade_response(call.version, expanded, call.params))


def _check_client_secret(result: Object, params: Object) -> None:
    """Raise `ErrorResponse` when a request with a publishable key does not have the client secret of the intent."""
    if result.get("client_secret") and params.get("client_secret") != result["client_secret"]:
        raise ErrorResponse("The client_secret provided does not match the intent.", param="client_secret")


def _fault_error(fault: Fault) -> ErrorResponse:
    if fault.kind == "rate_limit":
        return ErrorResponse("Too many requests; try again later.", status=429, code="rate_limit")
    return ErrorResponse("This error is a fault of the emulator.", status=fault.status, type="api_error")
