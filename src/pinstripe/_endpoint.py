"""Endpoints: ``get``, ``post``, ``delete``, ``page``, ``search``, ``upload`` and ``download``; and services made of them.

A service is a class whose body is a table of endpoints. Each endpoint becomes a method of the class, and `async_service` makes
the async class from the same table. The parameters of the methods are typed in the stubs; at run time their signatures are
made when they are read, since they need the types of the parameters.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, TypeAlias, cast

from pinstripe._options import read_options
from pinstripe._pagination import Pages, pages_of
from pinstripe._registry import params_type
from pinstripe._request import Call, Config, Host, fill_path
from pinstripe.errors import InvalidArgumentError

__all__ = [
    "Endpoint",
    "Kind",
    "Resource",
    "Service",
    "async_service",
    "delete",
    "download",
    "get",
    "page",
    "post",
    "search",
    "service",
    "upload",
]

Method: TypeAlias = Any  # Any: a method, which the stubs type
Params: TypeAlias = dict[str, Any]  # Any: parameters, which the stubs type
Kind: TypeAlias = Literal["object", "list", "search", "upload", "download"]
_SUMMARIES: dict[Kind, str] = {
    "object": "",
    "list": "Iterate over the result for the items of all pages. ",
    "search": "Iterate over the result for the results of all pages. ",
    "upload": "``file`` is a path, bytes, or a file opened for reading bytes. ",
    "download": "Returns bytes. If ``to`` is a path or a file opened for writing bytes, writes to it and returns the size. ",
}


class ResourceClient(Protocol):
    """The methods of a client that a resource uses. An async client returns awaitables."""

    _config: Config

    def _perform(self, call: Call) -> Any:  # Any: the result of the call, or its awaitable
        """Run a call; return its result."""

    def _page(self, call: Call, pages: Pages) -> Any:  # Any: a Page or an AsyncPager
        """Run a call that lists; return its first page."""


class Endpoint(NamedTuple):
    """One endpoint of Stripe's API: ``POST /v1/customers`` is ``customers.create``."""

    verb: str
    path: str
    model: str | None
    """The name of the model of the result, or of the items of a page; several names are separated by ``|``."""
    params: str | None
    """The name of the type of the parameters."""
    param_names: str = ""
    """The names of the top-level parameters, separated by spaces."""
    kind: Kind = "object"
    host: Host = "api"
    service: str = ""
    """The dotted name of the service: ``customers.balance_transactions``."""
    method: str = ""
    """The name of the method: ``create``."""

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names of the arguments in the path."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))


class Resource:
    """A service: its endpoints are methods. ``service`` is its dotted name."""

    _service: ClassVar[str] = ""
    _endpoints: ClassVar[dict[str, Endpoint]] = {}
    _async_class: ClassVar[type[Resource] | None] = None

    def __init_subclass__(cls, *, service: str = "", is_async: bool = False) -> None:
        """Turn the endpoints in the body of the class into methods."""
        cls._service, cls._async_class = service, None
        cls._endpoints = {
            name: member._replace(service=service, method=name)
            for name, member in vars(cls).items()
            if isinstance(member, Endpoint)
        }
        for name, endpoint in cls._endpoints.items():
            setattr(cls, name, _method(cls, endpoint, is_async=is_async))

    def __init__(self, client: ResourceClient) -> None:
        self._client = client

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            from pinstripe import _hints  # here, since it is needed for errors only

            raise _hints.missing_method(self._service, name, [n for n in dir(type(self)) if not n.startswith("_")])


def async_service(cls: type[Resource]) -> type[Resource]:
    """Return the async class of a service: the same endpoints as coroutine functions, and the async child services."""
    if cls._async_class is None:
        body: dict[str, object] = {"__module__": cls.__module__, "__doc__": cls.__doc__, **cls._endpoints}
        for name, member in vars(cls).items():
            if isinstance(member, Service):
                body[name] = service(async_service(member.load()))
        async_class = type(f"Async{cls.__name__}", (Resource,), body, service=cls._service, is_async=True)
        cls._async_class = cast("type[Resource]", async_class)  # type() does not tell type checkers the base class
    return cls._async_class


class Service:
    """An attribute that is a service: the service of an instance, and the class of the service of a class."""

    def __init__(self, load: Callable[[], type[Resource]]) -> None:
        self.load = load
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:  # Any: a client or a resource; the stubs type the service
        cls = self.load()
        if instance is None:
            return cls
        resource = instance.__dict__[self._name] = cls(getattr(instance, "_client", instance))
        return resource


def service(cls: type[Resource]) -> Any:  # Any: as in Service
    """Define a child service."""
    return Service(lambda: cls)


def get(
    path: str, model: str | None, params: str | None = None, param_names: str = "", *, host: Host = "api"
) -> Method:
    """Define an endpoint that reads one object."""
    return Endpoint("GET", path, model, params, param_names, host=host)


def post(
    path: str, model: str | None, params: str | None = None, param_names: str = "", *, host: Host = "api"
) -> Method:
    """Define an endpoint that creates or changes an object, or performs an action."""
    return Endpoint("POST", path, model, params, param_names, host=host)


def delete(path: str, model: str | None, params: str | None = None, param_names: str = "") -> Method:
    """Define an endpoint that deletes."""
    return Endpoint("DELETE", path, model, params, param_names)


def page(path: str, model: str, params: str | None = None, param_names: str = "") -> Method:
    """Define an endpoint that lists; ``model`` is that of the items."""
    return Endpoint("GET", path, model, params, param_names, "list")


def search(path: str, model: str, params: str | None = None, param_names: str = "") -> Method:
    """Define an endpoint that searches; ``model`` is that of the results."""
    return Endpoint("GET", path, model, params, param_names, "search")


def upload(path: str, model: str, params: str | None = None, param_names: str = "") -> Method:
    """Define an endpoint that uploads a file, to the host for files."""
    return Endpoint("POST", path, model, params, param_names, "upload", "files")


def download(path: str, params: str | None = None, param_names: str = "") -> Method:
    """Define an endpoint that downloads a file, from the host for files."""
    return Endpoint("GET", path, None, params, param_names, "download", "files")


def _method(cls: type[Resource], endpoint: Endpoint, *, is_async: bool) -> Method:
    """Return the method of an endpoint: a coroutine function, if it is async and does not return a pager."""
    names = endpoint.path_names

    def call(self: Resource, /, *args: object, **params: Any) -> Any:
        return _start(self._client, endpoint, names, args, params)

    async def await_call(self: Resource, /, *args: object, **params: Any) -> Any:
        return await _start(self._client, endpoint, names, args, params)

    method = await_call if is_async and endpoint.kind not in ("list", "search") else call
    method.__module__, method.__name__ = cls.__module__, endpoint.method
    method.__qualname__ = f"{cls.__qualname__}.{endpoint.method}"
    method.__doc__ = f"``{endpoint.verb} {endpoint.path}`` {_SUMMARIES[endpoint.kind]}https://docs.stripe.com/api"
    method.__annotations__ = {}
    vars(method)["__wrapped__"] = _LazySignature(endpoint, is_async)  # where `inspect.signature` looks
    return method


def _start(
    client: ResourceClient,
    endpoint: Endpoint,
    names: tuple[str, ...],
    args: tuple[object, ...],
    params: Params,
) -> Any:  # Any: as in ResourceClient
    """Start the call of an endpoint; return what the client does."""
    options = params.pop("request_options", None)
    extra: Params = {}
    if options is not None:
        options = read_options(options, extra)
    path = _path(endpoint, names, args, params)
    allowed, renamed = _names_of(endpoint.param_names)
    if not params.keys() <= allowed:
        _check_names(endpoint, params)
    for name in renamed:
        if name in params:
            params[name[:-1]] = params.pop(name)
    if extra:
        params.update(extra)
    call = Call(endpoint.verb, path, params, endpoint.model, options, endpoint.host)
    call.operation, call.template = f"{endpoint.service}.{endpoint.method}", endpoint.path
    if endpoint.kind == "list":
        return client._page(call, pages_of("v2" if path.startswith("/v2/") else "v1"))
    if endpoint.kind == "search":
        return client._page(call, pages_of("search"))
    if endpoint.kind == "upload":
        if params.get("file") is None:
            raise InvalidArgumentError(
                "file is missing: pass a path, bytes, or a file opened for reading bytes.", param="file"
            )
        from pinstripe._uploads import Upload  # here, since few programs upload

        call.file = Upload(params.pop("file"))
    elif endpoint.kind == "download":
        to = params.pop("to", None)
        if to is None:
            call.model = bytes
        else:
            from pinstripe._downloads import Sink  # here, since few programs download

            call.sink = Sink(to)
    return client._perform(call)


class _Names(NamedTuple):
    """The names that the parameters of an endpoint may have, and those that are renamed: ``from_`` to ``from``."""

    allowed: frozenset[str]
    renamed: tuple[str, ...]


@cache
def _names_of(param_names: str) -> _Names:
    names = param_names.split()
    renamed = tuple(name for name in names if name[-1] == "_" and keyword.iskeyword(name[:-1]))
    return _Names(frozenset((*names, *(name[:-1] for name in renamed))), renamed)


def _check_names(endpoint: Endpoint, params: Params) -> None:
    """Raise `UnknownParameterError` for a parameter that the endpoint does not have."""
    own = {"download": {"to"}, "upload": {"file"}}.get(endpoint.kind, set())
    names = _names_of(endpoint.param_names).allowed | own
    for name in params:
        if name not in names:
            from pinstripe import _hints  # here, since it is needed for errors only

            raise _hints.unknown_parameter(f"{endpoint.service}.{endpoint.method}", name, names)


def _path(endpoint: Endpoint, names: tuple[str, ...], args: tuple[object, ...], params: Params) -> str:
    """Return the path with its arguments, and remove these from the parameters."""
    if len(args) > len(names):
        from pinstripe import _hints  # here, since it is needed for errors only

        raise _hints.positional_arguments(f"{endpoint.service}.{endpoint.method}", names, args)
    if not names:
        return endpoint.path
    arguments = dict(zip(names, args, strict=False))
    for name in names:
        if name in arguments and name in params:
            raise InvalidArgumentError(f"{name} is passed twice.", param=name)
        if name not in arguments:
            if name not in params:
                raise InvalidArgumentError(f"{endpoint.service}.{endpoint.method} requires {name}.", param=name)
            arguments[name] = params.pop(name)
    return fill_path(endpoint.path, arguments)


class _LazySignature(NamedTuple):
    """The signature of a method, made when it is read from the type of the parameters."""

    endpoint: Endpoint
    is_async: bool

    @property
    def __signature__(self) -> inspect.Signature:
        parameter, endpoint = inspect.Parameter, self.endpoint
        params = [parameter("self", parameter.POSITIONAL_OR_KEYWORD)]
        params += [parameter(name, parameter.POSITIONAL_OR_KEYWORD, annotation=str) for name in endpoint.path_names]
        if endpoint.params:
            shape: Any = params_type(endpoint.params)  # Any: typeshed does not describe the class of a TypedDict
            names = sorted(shape.__annotations__, key=lambda name: (name not in shape.__required_keys__, name))
            for name in names:
                default = parameter.empty if name in shape.__required_keys__ else ...
                safe = name + "_" if keyword.iskeyword(name) else name
                annotation = shape.__annotations__[name]
                params.append(parameter(safe, parameter.KEYWORD_ONLY, default=default, annotation=annotation))
        if endpoint.kind == "download":
            params.append(parameter("to", parameter.KEYWORD_ONLY, default=None))
        params.append(parameter("request_options", parameter.KEYWORD_ONLY, default=..., annotation="RequestOptions"))
        page_type = f"{'AsyncPager' if self.is_async else 'Page'}[{endpoint.model}]"
        results = {"list": page_type, "search": page_type, "download": "bytes"}
        return inspect.Signature(params, return_annotation=results.get(endpoint.kind, endpoint.model))
