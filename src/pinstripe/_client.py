"""`Client` and `AsyncClient`: configuration, the tree of services, ``with_options`` and ``request``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pinstripe._api_version import API_VERSION
from pinstripe._call import Call, Config, Response, Session, decoded, life
from pinstripe._oauth import AsyncOAuth, OAuth
from pinstripe._pagination import AsyncPage, AsyncPager, Page, Pages
from pinstripe.errors import InvalidArgumentError
from pinstripe.resources import AsyncServices, Services

if TYPE_CHECKING:
    from typing_extensions import Self

    from pinstripe._base import StripeModel
    from pinstripe._decoding import Drift
    from pinstripe._transport import AsyncTransport, Transport
    from pinstripe.types import AsyncHttpClient, HttpClient, RequestOptions  # noqa: F401  # named in the bases below

    M = TypeVar("M", bound=StripeModel)

__all__ = ["AsyncClient", "Client"]

H = TypeVar("H")
T = TypeVar("T")
API = "https://api.stripe.com"
HOSTS = {
    "files": "https://files.stripe.com",
    "connect": "https://connect.stripe.com",
    "meter_events": "https://meter-events.stripe.com",
}
UNSET: Any = object()  # Any: stands where a caller passed nothing, whatever the type


class _Settings(Generic[H]):
    """What both clients share: how they are made, and made again with other options."""

    config: Config

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
        self._set(
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
        self._http_client: Any = http_client  # Any: the transport knows httpx, this room does not
        self._shared: list[
            Any
        ] = []  # Any: the transport, once it is made; clients from with_options hold the same list

    def with_options(
        self,
        *,
        api_key: str = UNSET,
        api_version: str = UNSET,
        stripe_account: str | None = UNSET,
        stripe_context: str | None = UNSET,
        max_retries: int = UNSET,
        timeout: float = UNSET,
        validation: Literal["warn", "strict"] = UNSET,
        on_drift: Callable[[Drift], None] | None = UNSET,
    ) -> Self:
        """A client with some options changed, which shares the connection pool; ``None`` takes an account or context away."""
        given: dict[str, Any] = {  # Any: options of many types
            "api_key": api_key,
            "api_version": api_version,
            "stripe_account": stripe_account,
            "stripe_context": stripe_context,
            "max_retries": max_retries,
            "timeout": timeout,
            "validation": validation,
            "on_drift": on_drift,
        }
        changes = {name: value for name, value in given.items() if value is not UNSET}
        if "api_key" in changes:
            changes["api_key"] = _key(api_key)
        made = object.__new__(type(self))
        made._http_client, made._shared = self._http_client, self._shared
        made._set(replace(self.config, session=Session(), **changes))
        return made

    def _set(self, config: Config) -> None:
        _check(config)
        self.config = config

    def __repr__(self) -> str:
        account = f" as {self.config.stripe_account}" if self.config.stripe_account else ""
        return f"<pinstripe.{type(self).__name__} for {self.config.hosts['api']}{account}>"

    def __reduce__(self) -> str:
        raise TypeError(
            "A client holds an API key and open connections, so it cannot be pickled or copied; make a new one."
        )


class Client(_Settings["HttpClient"], Services):
    """Stripe's API, blocking: ``client.customers.create(email=...)``. https://docs.stripe.com/api

    ``http_client`` is an ``httpx.Client`` of one's own. The key is ``api_key``, else the environment's ``STRIPE_API_KEY``,
    then ``STRIPE_SECRET_KEY``; ``base_url`` is else ``STRIPE_API_BASE``, and the other hosts follow it. ``timeout`` is in
    seconds; ``max_retries`` 0 means one attempt.
    ``validation="strict"`` raises `ResponseValidationError` where an answer does not fit its model; ``"warn"`` keeps what came,
    and tells ``on_drift``. Safe to use from many threads. Raises `InvalidArgumentError` where an option cannot be used.
    """

    @property
    def _transport(self) -> Transport:
        if not self._shared:
            from pinstripe._transport import Transport  # here, so that making a client does not import httpx

            self._shared.append(Transport(self._http_client))
        transport: Transport = self._shared[0]
        return transport

    @cached_property
    def oauth(self) -> OAuth:
        """Connect's OAuth. https://docs.stripe.com/connect/oauth-reference"""
        return OAuth(self)

    def request(
        self,
        model: type[M],
        verb: Literal["GET", "POST", "DELETE"],
        path: str,
        *,
        params: Mapping[str, Any] | None = None,  # Any: what no table describes
        request_options: RequestOptions | None = None,
    ) -> M:
        """Call an operation that has no row, such as one of an older API version, and decode its answer as ``model``.

        `StripeObject` takes any answer. Raises like every operation.
        """
        call = _raw(model, verb, path, params, request_options)
        result: M = self.perform(call, lambda call, response: decoded(call, self.config, response))
        return result

    def perform(self, call: Call, finish: Callable[[Call, Response], T]) -> T:
        """Carry out a call, and finish with its answer."""
        return finish(call, self._transport.run(life(call, self.config)))

    def page(self, call: Call, pages: Pages) -> Page[Any]:  # Any: the row says of what
        """Carry out a call that lists."""
        response = self._transport.run(life(call, self.config))
        return Page(self, call, pages, decoded(replace(call, model=pages.target(call.model)), self.config, response))

    def close(self) -> None:
        """Close the connections, unless ``http_client`` was given; clients made by ``with_options`` share them."""
        if self._shared:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(_Settings["AsyncHttpClient"], AsyncServices):  # type: ignore[misc, unused-ignore]  # one class at run time
    """Stripe's API, awaiting: ``await client.customers.create(email=...)``. https://docs.stripe.com/api

    The options are those of `Client`; ``http_client`` is an ``httpx.AsyncClient``. Lists are ``async for``-able and awaitable.
    """

    @property
    def _transport(self) -> AsyncTransport:
        if not self._shared:
            from pinstripe._transport import AsyncTransport  # here, so that making a client does not import httpx

            self._shared.append(AsyncTransport(self._http_client))
        transport: AsyncTransport = self._shared[0]
        return transport

    @cached_property
    def oauth(self) -> AsyncOAuth:
        """Connect's OAuth. https://docs.stripe.com/connect/oauth-reference"""
        return AsyncOAuth(self)

    async def request(
        self,
        model: type[M],
        verb: Literal["GET", "POST", "DELETE"],
        path: str,
        *,
        params: Mapping[str, Any] | None = None,  # Any: what no table describes
        request_options: RequestOptions | None = None,
    ) -> M:
        """Call an operation that has no row, such as one of an older API version, and decode its answer as ``model``."""
        call = _raw(model, verb, path, params, request_options)
        result: M = await self.perform(call, lambda call, response: decoded(call, self.config, response))
        return result

    async def perform(self, call: Call, finish: Callable[[Call, Response], T]) -> T:
        """Carry out a call, and finish with its answer."""
        return finish(call, await self._transport.run(life(call, self.config)))

    def page(self, call: Call, pages: Pages) -> AsyncPager[Any]:  # Any: the row says of what
        """A call that lists, carried out when it is awaited."""
        return AsyncPager(self, call, pages)

    async def fetch_page(self, call: Call, pages: Pages) -> AsyncPage[Any]:  # Any: the row says of what
        """Carry out a call that lists."""
        response = await self._transport.run(life(call, self.config))
        return AsyncPage(
            self, call, pages, decoded(replace(call, model=pages.target(call.model)), self.config, response)
        )

    async def close(self) -> None:
        """Close the connections, unless ``http_client`` was given; clients made by ``with_options`` share them."""
        if self._shared:
            await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _raw(
    model: type[M],
    verb: str,
    path: str,
    params: Mapping[str, Any] | None,
    options: RequestOptions | None,  # Any: as above
) -> Call:
    if verb not in ("GET", "POST", "DELETE"):
        raise InvalidArgumentError(f"verb is GET, POST or DELETE, not {verb!r}.", param="verb")
    if not path.startswith("/"):
        raise InvalidArgumentError(f"path begins with a slash, such as /v1/customers; not {path!r}.", param="path")
    return Call(verb, path, params or {}, model, options)


def _key(api_key: str | None) -> str:
    key = api_key if api_key is not None else os.environ.get("STRIPE_API_KEY") or os.environ.get("STRIPE_SECRET_KEY")
    if key is None:
        raise InvalidArgumentError(
            "There is no API key: pass api_key, or set STRIPE_API_KEY. Keys are at https://dashboard.stripe.com/apikeys",
            param="api_key",
        )
    if not isinstance(key, str) or not key or not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidArgumentError(
            "The API key is empty, or has characters that no key has (a space, a line end?).", param="api_key"
        )
    return key


def _host(name: str, url: str | None, api: str) -> str:
    """The URL of a host: as given, or Stripe's own, or where ``base_url`` points when that is somebody else's."""
    if url is not None:
        return _url(f"{name}_url", url)
    if api.rstrip("/") != API:
        return _url("base_url", api)
    return HOSTS[name]


def _url(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidArgumentError(f"{name}: {url!r} is not a URL such as {API}.", param=name)
    return url.rstrip("/")


def _check(config: Config) -> None:
    """Refuse options that cannot be used, by name."""
    if config.validation not in ("warn", "strict"):
        raise InvalidArgumentError(f'validation is "warn" or "strict", not {config.validation!r}.', param="validation")
    if isinstance(config.max_retries, bool) or not isinstance(config.max_retries, int) or config.max_retries < 0:
        raise InvalidArgumentError(
            f"max_retries is a number of retries, 0 or more, not {config.max_retries!r}.", param="max_retries"
        )
    if isinstance(config.timeout, bool) or not isinstance(config.timeout, (int, float)) or not config.timeout > 0:
        raise InvalidArgumentError(f"timeout is in seconds, more than 0, not {config.timeout!r}.", param="timeout")
