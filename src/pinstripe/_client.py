"""`Client` and `AsyncClient`: configuration, services, ``with_options`` and ``request``."""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pinstripe._api_version import API_VERSION
from pinstripe._call import Call, Config, Session, call_flow, decoded
from pinstripe._endpoint import service
from pinstripe._lazy import LazyModule
from pinstripe._oauth import AsyncOAuth, OAuth
from pinstripe._options import read_options
from pinstripe._pagination import AsyncPage, AsyncPager, Page, Pages
from pinstripe._secrets import Secret, masked
from pinstripe.errors import Drift, InvalidArgumentError
from pinstripe.resources import SERVICES, AsyncServices, Services
from pinstripe.types import AsyncHttpClient, HttpClient, RequestOptions

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
        timeout: float = 80.0,
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
                validation=validation,
                on_drift=on_drift,
                on_request=on_request,
                on_response=on_response,
                on_retry=on_retry,
            )
        )
        self._http_client: Any = http_client  # Any: an HTTP client of httpx, which is not imported here
        # Holds the transport once it is made. Clients made by with_options share the list. Any: a transport of either kind.
        self._shared: list[Any] = []

    @_checks_options
    def with_options(
        self: C,
        *,
        api_key: str = UNSET,
        api_version: str = UNSET,
        stripe_account: str | None = UNSET,
        stripe_context: str | None = UNSET,
        max_retries: int = UNSET,
        timeout: float = UNSET,
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
        client._http_client, client._shared = self._http_client, self._shared
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
    ``httpx.Client`` to use instead of an own one. ``timeout`` is in seconds; ``max_retries`` 0 means one attempt.

    ``validation="strict"`` raises `ResponseValidationError` if a response does not match its model. With ``"warn"`` the
    values that do not match stay as they are in the JSON, and each difference is logged once and passed to ``on_drift``.

    ``on_request``, ``on_response`` and ``on_retry`` are called for each attempt and each retry: see `pinstripe.hooks`.

    Clients are thread-safe. Raises `InvalidArgumentError` if an option cannot be used.
    """

    oauth: OAuth = service(OAuth)
    """Connect's OAuth. https://docs.stripe.com/connect/oauth-reference"""

    @property
    def _transport(self) -> Transport:
        if not self._shared:
            from pinstripe._transport import Transport  # here, so that making a client does not import httpx

            self._shared.append(Transport(self._http_client))
        transport: Transport = self._shared[0]
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
        flow = call_flow(call, self._config)
        try:
            response = self._transport.run(flow)
        finally:
            flow.close()
        return decoded(call, self._config, response)

    def _page(self, call: Call, pages: Pages) -> Page[Any]:  # Any: the type of the items is that of the endpoint
        return Page(
            self, call, pages, pages.checked(call, self._perform(replace(call, model=pages.target(call.model))))
        )

    def close(self) -> None:
        """Close the connections, unless ``http_client`` was given. Clients made by ``with_options`` share them."""
        if self._shared:
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
    iterate over all items with ``async for``.
    """

    oauth: AsyncOAuth = service(AsyncOAuth)
    """Connect's OAuth. https://docs.stripe.com/connect/oauth-reference"""

    @property
    def _transport(self) -> AsyncTransport:
        if not self._shared:
            from pinstripe._transport import AsyncTransport  # here, so that making a client does not import httpx

            self._shared.append(AsyncTransport(self._http_client))
        transport: AsyncTransport = self._shared[0]
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
        flow = call_flow(call, self._config)
        try:
            response = await self._transport.run(flow)
        finally:
            flow.close()
        return decoded(call, self._config, response)

    def _page(self, call: Call, pages: Pages) -> AsyncPager[Any]:  # Any: the type of the items is that of the endpoint
        return AsyncPager(self, call, pages)

    async def _fetch_page(self, call: Call, pages: Pages) -> AsyncPage[Any]:  # Any: as in _page
        body = await self._perform(replace(call, model=pages.target(call.model)))
        return AsyncPage(self, call, pages, pages.checked(call, body))

    async def close(self) -> None:
        """Close the connections, unless ``http_client`` was given. Clients made by ``with_options`` share them."""
        if self._shared:
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
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidArgumentError(f"{name} must be a URL such as {API}, not {url!r}.", param=name)
    return url.rstrip("/")


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
    if isinstance(config.timeout, bool) or not isinstance(config.timeout, (int, float)) or not config.timeout > 0:
        raise InvalidArgumentError(
            f"timeout must be a positive number of seconds, not {config.timeout!r}.", param="timeout"
        )
