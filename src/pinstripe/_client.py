"""`Client` and `AsyncClient`: configuration, services, ``with_options`` and ``request``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pinstripe._api_version import API_VERSION
from pinstripe._call import Call, Config, Session, call_flow, decoded
from pinstripe._embedded import ListSource
from pinstripe._endpoint import service
from pinstripe._oauth import AsyncOAuth, OAuth
from pinstripe._pagination import AsyncPage, AsyncPager, Page, Pages
from pinstripe.errors import Drift, InvalidArgumentError
from pinstripe.resources import AsyncServices, Services
from pinstripe.types import AsyncHttpClient, HttpClient, RequestOptions

if TYPE_CHECKING:
    from pinstripe._base import StripeModel
    from pinstripe._transport import AsyncTransport, Transport

__all__ = ["AsyncClient", "Client"]

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


class _BaseClient(Generic[H]):
    """The base of both clients, which holds their options."""

    _config: Config

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
    ) -> None:
        api = base_url or os.environ.get("STRIPE_API_BASE") or API
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
            )
        )
        self._http_client: Any = http_client  # Any: an HTTP client of httpx, which is not imported here
        # Holds the transport once it is made. Clients made by with_options share the list. Any: a transport of either kind.
        self._shared: list[Any] = []

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
        account = f" as {self._config.stripe_account}" if self._config.stripe_account else ""
        return f"<pinstripe.{type(self).__name__} for {self._config.hosts['api']}{account}>"

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
        result: M = self._perform(_call(model, verb, path, params, request_options))
        return result

    def _perform(self, call: Call) -> Any:  # Any: what the model of the call is
        return decoded(call, self._config, self._transport.run(call_flow(call, self._config)), ListSource(self, call))

    def _page(self, call: Call, pages: Pages) -> Page[Any]:  # Any: the type of the items is that of the endpoint
        response = self._transport.run(call_flow(call, self._config))
        target = replace(call, model=pages.target(call.model))
        return Page(self, call, pages, decoded(target, self._config, response, ListSource(self, call)))

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
        result: M = await self._perform(_call(model, verb, path, params, request_options))
        return result

    async def _perform(self, call: Call) -> Any:  # Any: what the model of the call is
        response = await self._transport.run(call_flow(call, self._config))
        return decoded(call, self._config, response, ListSource(self, call, is_async=True))

    def _page(self, call: Call, pages: Pages) -> AsyncPager[Any]:  # Any: the type of the items is that of the endpoint
        return AsyncPager(self, call, pages)

    async def _fetch_page(self, call: Call, pages: Pages) -> AsyncPage[Any]:  # Any: as in _page
        response = await self._transport.run(call_flow(call, self._config))
        target = replace(call, model=pages.target(call.model))
        source = ListSource(self, call, is_async=True)
        return AsyncPage(self, call, pages, decoded(target, self._config, response, source))

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
    params: Mapping[str, Any] | None,  # Any: as in Client.request
    options: RequestOptions | None,
) -> Call:
    if verb not in ("GET", "POST", "DELETE"):
        raise InvalidArgumentError(f"verb must be GET, POST or DELETE, not {verb!r}.", param="verb")
    if not path.startswith("/"):
        raise InvalidArgumentError(f"path must begin with a slash, such as /v1/customers, not {path!r}.", param="path")
    return Call(verb, path, params or {}, model, options)


def _key(api_key: str | None) -> str:
    key = api_key if api_key is not None else os.environ.get("STRIPE_API_KEY") or os.environ.get("STRIPE_SECRET_KEY")
    if key is None:
        raise InvalidArgumentError(
            "No API key: pass api_key, or set STRIPE_API_KEY. Find your keys at https://dashboard.stripe.com/apikeys",
            param="api_key",
        )
    if not isinstance(key, str) or not key or not key.isascii() or not key.isprintable() or " " in key:
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
    if isinstance(config.max_retries, bool) or not isinstance(config.max_retries, int) or config.max_retries < 0:
        raise InvalidArgumentError(
            f"max_retries must be an int of 0 or more, not {config.max_retries!r}.", param="max_retries"
        )
    if isinstance(config.timeout, bool) or not isinstance(config.timeout, (int, float)) or not config.timeout > 0:
        raise InvalidArgumentError(
            f"timeout must be a positive number of seconds, not {config.timeout!r}.", param="timeout"
        )
