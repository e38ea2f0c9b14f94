"""`Client` and `AsyncClient`: configuration, services, ``with_options`` and ``request``."""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pinstripe._api_version import API_VERSION
from pinstripe._call import call_flow
from pinstripe._embedded import ListSource
from pinstripe._endpoint import service
from pinstripe._lazy import LazyModule
from pinstripe._oauth import AsyncOAuth, OAuth
from pinstripe._options import check_seconds, read_options
from pinstripe._pagination import AsyncPage, AsyncPager, Page, Pages
from pinstripe._request import Call, Config, Session
from pinstripe._secrets import Secret, masked
from pinstripe.errors import Drift, InvalidArgumentError
from pinstripe.resources import SERVICES, AsyncServices, Services
from pinstripe.types import AsyncHttpClient, HttpClient, HttpTimeout, RequestOptions

if TYPE_CHECKING:
    from pinstripe import hooks
    from pinstripe._base import StripeModel
    from pinstripe._transport import AsyncTransport, Transport
else:
    hooks = LazyModule("pinstripe.hooks")

__all__ = ["AsyncClient", "Client"]

F = TypeVar("F", bound=Callable[..., Any])  # Any: a method with options
C = TypeVar("C", bound="_BaseClient[Any]")  # Any: either kind of HTTP client
H = TypeVar("H")
M = TypeVar("M", bound="StripeModel")
API = "https://api.stripe.com"
HOSTS = {
    "files": "https://files.stripe.com",
    "connect": "https://connect.stripe.com",
    "meter_events": "https://meter-events.stripe.com",
}
UNSET: Any = object()  # Any: the default of options of any type


@dataclass(eq=False)
class _Shared:
    """The state that a client shares with those that its ``with_options`` returns."""

    http_client: Any  # Any: an HTTP client of httpx, which is not imported here, or None
    transport: Any = None  # Any: a transport of either kind, once it is needed
    is_closed: bool = False


def _checks_options(method: F) -> F:
    """Refuse options that a method does not have, and mask the API key, before its frame exists."""
    names = [name for name in inspect.signature(method).parameters if name != "self"]

    @functools.wraps(method)
    def checked(self: Any, /, *args: object, **options: Any) -> Any:  # Any: those of the method
        if "api_key" in options:
            options["api_key"] = masked(options["api_key"])
        elif args:
            args = tuple(map(masked, args))
        subject = type(self).__name__ + ("" if method.__name__ == "__init__" else f".{method.__name__}")
        if len(args) > (method.__name__ == "__init__"):
            takes = "the API key" if method.__name__ == "__init__" else "nothing"
            raise InvalidArgumentError(f"{subject} takes {takes} by position: pass options by name.")
        for name in options.keys() - set(names):
            from pinstripe import _hints  # here, since it is needed for errors only

            raise _hints.unknown_option(subject, name, names)
        return method(self, *args, **options)

    return checked  # type: ignore[return-value]  # it has the parameters of the method


class _BaseClient(Generic[H]):
    """The base of both clients, which holds their options."""

    _config: Config
    _is_async: ClassVar[bool] = False

    @_checks_options
    def __init__(
        self,
        api_key: str | None = None,
        *,
        api_version: str = API_VERSION,
        stripe_account: str | None = None,
        stripe_context: str | None = None,
        base_url: str | None = None,
        files_url: str | None = None,
        connect_url: str | None = None,
        meter_events_url: str | None = None,
        max_retries: int = 2,
        timeout: float | HttpTimeout | None = None,
        deadline: float | None = None,
        http_client: H | None = None,
        validation: Literal["warn", "strict"] = "warn",
        on_drift: Callable[[Drift], None] | None = None,
        on_request: Callable[[hooks.RequestInfo], object] | None = None,
        on_response: Callable[[hooks.ResponseInfo], object] | None = None,
        on_retry: Callable[[hooks.RetryInfo], object] | None = None,
    ) -> None:
        api = base_url if base_url is not None else os.environ.get("STRIPE_API_BASE") or API
        hosts = {"files": files_url, "connect": connect_url, "meter_events": meter_events_url}
        self._set_config(
            Config(
                _key(api_key),
                {"api": _url("base_url", api), **{name: _host(name, url, api) for name, url in hosts.items()}},
                api_version=api_version,
                stripe_account=stripe_account,
                stripe_context=stripe_context,
                max_retries=max_retries,
                timeout=timeout,
                deadline=deadline,
                validation=validation,
                on_drift=on_drift,
                on_request=on_request,
                on_response=on_response,
                on_retry=on_retry,
            )
        )
        if http_client is not None:
            _check_http_client(http_client, is_async=self._is_async)
        self._shared = _Shared(http_client)

    @_checks_options
    def with_options(
        self: C,
        *,
        api_key: str = UNSET,
        api_version: str = UNSET,
        stripe_account: str | None = UNSET,
        stripe_context: str | None = UNSET,
        max_retries: int = UNSET,
        timeout: float | HttpTimeout | None = UNSET,
        deadline: float | None = UNSET,
        validation: Literal["warn", "strict"] = UNSET,
        on_drift: Callable[[Drift], None] | None = UNSET,
        on_request: Callable[[hooks.RequestInfo], object] | None = UNSET,
        on_response: Callable[[hooks.ResponseInfo], object] | None = UNSET,
        on_retry: Callable[[hooks.RetryInfo], object] | None = UNSET,
    ) -> C:
        """Return a client with some options changed. It shares the connection pool. ``None`` removes the account or context."""
        options: dict[str, Any] = {  # Any: options of many types
            "api_key": api_key,
            "api_version": api_version,
            "stripe_account": stripe_account,
            "stripe_context": stripe_context,
            "max_retries": max_retries,
            "timeout": timeout,
            "deadline": deadline,
            "validation": validation,
            "on_drift": on_drift,
            "on_request": on_request,
            "on_response": on_response,
            "on_retry": on_retry,
        }
        changes = {name: value for name, value in options.items() if value is not UNSET}
        if "api_key" in changes:
            changes["api_key"] = _key(api_key)
        client = object.__new__(type(self))
        client._shared = self._shared
        client._set_config(replace(self._config, session=Session(), **changes))
        return client

    def _set_config(self, config: Config) -> None:
        _check(config)
        self._config = config

    def __repr__(self) -> str:
        config: Config | None = vars(self).get("_config")
        if config is None:  # in a traceback with local variables
            return f"<pinstripe.{type(self).__name__} without options>"
        account = f" as {config.stripe_account}" if config.stripe_account else ""
        return f"<pinstripe.{type(self).__name__} for {config.hosts['api']}{account}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            from pinstripe import _hints  # here, since it is needed for errors only

            names = [service for service in SERVICES if "." not in service]
            raise _hints.missing_service(
                type(self).__name__, name, [*names, "with_options", "request", "close", "oauth"]
            )

    def __reduce__(self) -> str:
        raise TypeError(
            "A client cannot be pickled or copied, since it holds an API key and open connections. Create another one."
        )


class Client(_BaseClient[HttpClient], Services):
    """A synchronous client of Stripe's API: ``client.customers.create(email=...)``. https://docs.stripe.com/api

    ``api_key`` defaults to the environment variable ``STRIPE_API_KEY``, then ``STRIPE_SECRET_KEY``; ``base_url`` to
    ``STRIPE_API_BASE``. If ``base_url`` is not Stripe's, it is also the default of the other URLs. ``http_client`` is an
    ``httpx.Client`` to use instead of an own one. ``timeout`` is a number of seconds or an ``httpx.Timeout``, for each attempt;
    it defaults to 80 seconds, or to the timeout that ``http_client`` was made with. ``deadline`` is in seconds, for all attempts
    of a call together. ``max_retries`` 0 means one attempt.

    ``validation="strict"`` raises `ResponseValidationError` if a response does not match its model. With ``"warn"`` the
    values that do not match stay as they are in the JSON, and each difference is logged once and passed to ``on_drift``.

    ``on_request``, ``on_response`` and ``on_retry`` are called for each attempt and each retry: see `pinstripe.hooks`.

    Clients are thread-safe. Raises `InvalidArgumentError` if an option cannot be used.
    """

    oauth: OAuth = service(OAuth)
    """Connect's OAuth. https://docs.stripe.com/connect/oauth-reference"""

    @property
    def _transport(self) -> Transport:
        if self._shared.transport is None:
            from pinstripe._transport import Transport  # here, so that making a client does not import httpx

            self._shared.transport = Transport(self._shared.http_client, is_closed=self._shared.is_closed)
        transport: Transport = self._shared.transport
        return transport

    def request(
        self,
        model: type[M],
        verb: Literal["GET", "POST", "DELETE"],
        path: str,
        *,
        params: Mapping[str, Any] | None = None,  # Any: no endpoint describes them
        request_options: RequestOptions | None = None,
    ) -> M:
        """Call an operation that has no endpoint, such as one of an older API version, and decode the response as ``model``.

        `StripeObject` accepts any response. Raises the same errors as every operation.
        """
        sent = dict(params or {})
        request_options = read_options(request_options, sent)
        result: M = self._perform(_call(model, verb, path, sent, request_options))
        return result

    def _perform(self, call: Call) -> Any:  # Any: what the model of the call is
        flow = call_flow(call, self._config, ListSource(self, call))
        try:
            return self._transport.run(flow)
        finally:
            flow.close()

    def _page(self, call: Call, pages: Pages) -> Page[Any]:  # Any: the type of the items is that of the endpoint
        body = self._perform(replace(call, model=pages.target(call.model)))
        return Page(self, call, pages, pages.checked(call, body))

    def close(self) -> None:
        """Close the connections, unless ``http_client`` was given, so that further calls raise `APIConnectionError`.

        Clients made by ``with_options`` share the connections, and are closed, too.
        """
        self._shared.is_closed = True
        if self._shared.transport is not None:
            self._transport.close()

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(_BaseClient[AsyncHttpClient], AsyncServices):
    """An asynchronous client of Stripe's API: ``await client.customers.create(email=...)``. https://docs.stripe.com/api

    The options are those of `Client`; ``http_client`` is an ``httpx.AsyncClient``. ``await`` a list for its first page, or
    iterate over all items with ``async for``. One client works on any number of event loops, of asyncio and trio; an
    ``http_client`` on one.
    """

    _is_async = True

    oauth: AsyncOAuth = service(AsyncOAuth)
    """Connect's OAuth. https://docs.stripe.com/connect/oauth-reference"""

    @property
    def _transport(self) -> AsyncTransport:
        if self._shared.transport is None:
            from pinstripe._transport import AsyncTransport  # here, so that making a client does not import httpx

            self._shared.transport = AsyncTransport(self._shared.http_client, is_closed=self._shared.is_closed)
        transport: AsyncTransport = self._shared.transport
        return transport

    async def request(
        self,
        model: type[M],
        verb: Literal["GET", "POST", "DELETE"],
        path: str,
        *,
        params: Mapping[str, Any] | None = None,  # Any: no endpoint describes them
        request_options: RequestOptions | None = None,
    ) -> M:
        """Call an operation that has no endpoint, such as one of an older API version, and decode the response as ``model``.

        `StripeObject` accepts any response. Raises the same errors as every operation.
        """
        sent = dict(params or {})
        request_options = read_options(request_options, sent)
        result: M = await self._perform(_call(model, verb, path, sent, request_options))
        return result

    async def _perform(self, call: Call) -> Any:  # Any: what the model of the call is
        flow = call_flow(call, self._config, ListSource(self, call, is_async=True))
        try:
            return await self._transport.run(flow)
        finally:
            flow.close()

    def _page(self, call: Call, pages: Pages) -> AsyncPager[Any]:  # Any: the type of the items is that of the endpoint
        return AsyncPager(self, call, pages)

    async def _fetch_page(self, call: Call, pages: Pages) -> AsyncPage[Any]:  # Any: as in _page
        body = await self._perform(replace(call, model=pages.target(call.model)))
        return AsyncPage(self, call, pages, pages.checked(call, body))

    async def close(self) -> None:
        """Close the connections, unless ``http_client`` was given, so that further calls raise `APIConnectionError`.

        Clients made by ``with_options`` share the connections, and are closed, too. The connections of other event loops are
        closed when these end.
        """
        self._shared.is_closed = True
        if self._shared.transport is not None:
            await self._transport.close()

    async def __aenter__(self: C) -> C:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _call(
    model: type[M],
    verb: str,
    path: str,
    params: Mapping[str, Any],  # Any: as in Client.request
    options: RequestOptions | None,
) -> Call:
    if verb not in ("GET", "POST", "DELETE"):
        raise InvalidArgumentError(f"verb must be GET, POST or DELETE, not {verb!r}.", param="verb")
    if not isinstance(path, str) or not re.fullmatch(r"/(?!/)[!-~]*", path):
        raise InvalidArgumentError(
            f"path must begin with one slash, such as /v1/customers, and be ASCII without spaces, not {path!r}.",
            param="path",
        )
    return Call(verb, path, params, model, options)


def _key(api_key: str | None) -> Secret:
    key: Any = masked(  # Any: of any type, checked here
        api_key if api_key is not None else os.environ.get("STRIPE_API_KEY") or os.environ.get("STRIPE_SECRET_KEY")
    )
    if key is None:
        raise InvalidArgumentError(
            "No API key: pass api_key, or set STRIPE_API_KEY. Find your keys at https://dashboard.stripe.com/apikeys",
            param="api_key",
        )
    if not isinstance(key, Secret):
        raise InvalidArgumentError(f"api_key must be a str, not {key.type_name}.", param="api_key")
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidArgumentError(
            "The API key is empty, or contains a space, a line break or another character that keys do not have.",
            param="api_key",
        )
    return key


def _host(name: str, url: str | None, api: str) -> str:
    """Return the URL of a host: the one passed, else Stripe's, or ``base_url`` if that is not Stripe's."""
    if url is not None:
        return _url(f"{name}_url", url)
    if api.rstrip("/") != API:
        return _url("base_url", api)
    return HOSTS[name]


def _url(name: str, url: str) -> str:
    """Return a URL without a slash at its end; raise `InvalidArgumentError` unless it is a host, with a path at most."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except (ValueError, TypeError, AttributeError):
        usable = False
    if not isinstance(url, str) or not usable or not url.isascii() or not url.isprintable() or set(url) & set(" ?#@\\"):
        raise InvalidArgumentError(
            f"{name} must be a URL such as {API}, without credentials, query and fragment.", param=name
        )
    return url.rstrip("/")


def _check_http_client(client: Any, *, is_async: bool) -> None:  # Any: what the user passed as an HTTP client
    """Raise `InvalidArgumentError` unless an HTTP client fits the client, is open, and leaves authentication to pinstripe."""
    expected = "httpx.AsyncClient" if is_async else "httpx.Client"
    httpx = sys.modules.get("httpx")  # not imported here: a client of httpx has done that
    classes = (httpx.Client, httpx.AsyncClient) if httpx is not None else ()
    if isinstance(client, type) or not hasattr(client, "send") or not hasattr(client, "build_request"):
        problem = f"must be an {expected}, not {client if isinstance(client, type) else type(client)!r}"
    elif classes and isinstance(client, classes) and not isinstance(client, classes[is_async]):
        other = "pinstripe.Client" if is_async else "pinstripe.AsyncClient"
        problem = f"must be an {expected}: pass this one to {other}"
    elif getattr(client, "is_closed", False):
        problem = "is closed: it cannot send requests any more"
    elif getattr(client, "auth", None) is not None:
        problem = "has auth=, which would replace the API key: make it without"
    else:
        return
    raise InvalidArgumentError(f"http_client {problem}.", param="http_client")


def _check(config: Config) -> None:
    """Raise `InvalidArgumentError`, which names the option, if an option cannot be used."""
    if config.validation not in ("warn", "strict"):
        raise InvalidArgumentError(
            f'validation must be "warn" or "strict", not {config.validation!r}.', param="validation"
        )
    for name in ("stripe_account", "stripe_context", "api_version"):
        value = getattr(config, name)
        if (value is not None or name == "api_version") and (not isinstance(value, str) or not value.strip()):
            raise InvalidArgumentError(f"{name} must be a str that is not empty, not {value!r}.", param=name)
    for name in ("on_drift", "on_request", "on_response", "on_retry"):
        hook = getattr(config, name)
        if hook is not None and (not callable(hook) or inspect.iscoroutinefunction(hook)):
            raise InvalidArgumentError(f"{name} must be a function, and no coroutine function: {hook!r}.", param=name)
    if isinstance(config.max_retries, bool) or not isinstance(config.max_retries, int) or config.max_retries < 0:
        raise InvalidArgumentError(
            f"max_retries must be an int of 0 or more, not {config.max_retries!r}.", param="max_retries"
        )
    check_seconds("timeout", config.timeout)
    check_seconds("deadline", config.deadline)
