"""The rows' vocabulary: ``get``, ``post``, ``delete``, ``page``, ``search``, ``upload``, ``download``, ``service``.

A resource is a table of rows. The same rows serve the synchronous and the asynchronous client; what differs is written in the
stubs. A row is a descriptor: ``client.customers.create`` is a bound method whose signature is made when somebody asks.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from pinstripe._call import Call, Host, Response, decoded, fill_path
from pinstripe._pagination import Pages, paged
from pinstripe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pinstripe._call import Config

__all__ = [
    "Endpoint",
    "Resource",
    "Row",
    "delete",
    "download",
    "endpoints",
    "get",
    "page",
    "post",
    "search",
    "service",
    "upload",
]


Kind: TypeAlias = Literal["object", "list", "search", "upload", "download"]
SUMMARY: dict[Kind, str] = {
    "object": "",
    "list": "Iterate over it for the items of every page. ",
    "search": "Iterate over it for the results of every page. ",
    "upload": "``file`` is a path, bytes, or a file open for reading bytes. ",
    "download": "Gives bytes; with ``to``, a path or a file open for writing, writes there and gives the count. ",
}


class Caller(Protocol):
    """What a resource asks of a client: carry out a call, and finish with its answer. The async one gives an awaitable."""

    config: Config

    def perform(
        self, call: Call, finish: Callable[[Call, Response], Any]
    ) -> Any:  # Any: the row's answer, or its awaitable
        """Carry out a call."""

    def page(self, call: Call, pages: Pages) -> Any:  # Any: a page, or an async pager
        """Carry out a call that lists."""


class Resource:
    """A table of rows, bound to a client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"


@dataclass(frozen=True)
class Row:
    """One operation of Stripe's API, as data: ``POST /v1/customers`` is ``customers.create``."""

    service: str
    method: str
    verb: str
    path: str
    kind: Kind
    model: str | None
    params: str | None


class Endpoint:
    """One row: a method without ``self`` until a resource binds it."""

    def __init__(
        self, verb: str, path: str, model: str | None, params: str | None, kind: Kind = "object", host: Host = "api"
    ) -> None:
        self.verb, self.path, self.model, self.params = verb, path, model, params
        self.kind: Kind = kind
        self.host: Host = host
        self.path_names = tuple(re.findall(r"\{(\w+)\}", path))
        self.__name__ = self.__qualname__ = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.__name__, self.__qualname__, self.__module__ = name, f"{owner.__qualname__}.{name}", owner.__module__

    def __get__(self, instance: Resource | None, owner: type) -> Endpoint | MethodType:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, resource: Resource, /, *args: object, **params: Any) -> Any:  # Any: the stubs say what
        client = resource._client
        options = params.pop("request_options", None)
        path = self._path(args, params)
        for name in [name for name in params if name[-1] == "_" and keyword.iskeyword(name[:-1])]:
            params[name[:-1]] = params.pop(name)
        call = Call(self.verb, path, params, self.model, options, self.host)
        if self.kind == "object":
            return client.perform(call, lambda call, response: decoded(call, client.config, response))
        return _SPECIAL[self.kind](client, call)

    def _path(self, args: tuple[object, ...], params: dict[str, Any]) -> str:  # Any: as above
        """The path with its arguments, which leave the parameters."""
        if len(args) > len(self.path_names):
            raise InvalidArgumentError(
                f"{self.__qualname__} takes {len(self.path_names)} positional arguments ({', '.join(self.path_names)}), "
                f"not {len(args)}; parameters are passed by name."
            )
        if not self.path_names:
            return self.path
        found = dict(zip(self.path_names, args, strict=False))
        for name in self.path_names:
            if name in found and name in params:
                raise InvalidArgumentError(f"{name} is passed twice.", param=name)
            if name not in found:
                if name not in params:
                    raise InvalidArgumentError(f"{self.__qualname__} needs {name}.", param=name)
                found[name] = params.pop(name)
        return fill_path(self.path, found)

    @property
    def __doc__(self) -> str:  # type: ignore[override]  # a property, since each row has its own
        return f"``{self.verb} {self.path}`` {SUMMARY[self.kind]}https://docs.stripe.com/api"

    @property
    def __signature__(self) -> inspect.Signature:
        """The whole signature, read off the parameters' TypedDict."""
        kinds = inspect.Parameter
        found = [kinds(name, kinds.POSITIONAL_OR_KEYWORD, annotation=str) for name in ("self", *self.path_names)]
        found[0] = found[0].replace(annotation=kinds.empty)
        if self.params:
            shape = getattr(import_module("pinstripe.params"), self.params)
            names = sorted(shape.__annotations__, key=lambda name: (name not in shape.__required_keys__, name))
            for name in names:
                default = kinds.empty if name in shape.__required_keys__ else ...
                safe = name + "_" if keyword.iskeyword(name) else name
                found.append(kinds(safe, kinds.KEYWORD_ONLY, default=default, annotation=shape.__annotations__[name]))
        if self.kind == "download":
            found.append(kinds("to", kinds.KEYWORD_ONLY, default=None))
        found.append(kinds("request_options", kinds.KEYWORD_ONLY, default=..., annotation="RequestOptions"))
        returns = {"list": f"Page[{self.model}]", "search": f"Page[{self.model}]", "download": "bytes"}
        return inspect.Signature(found, return_annotation=returns.get(self.kind, self.model))


def _upload(client: Caller, call: Call) -> Any:  # Any: as in Endpoint.__call__
    params = dict(call.params)
    if "file" not in params:
        raise InvalidArgumentError(
            "file is missing: pass a path, bytes, or a file open for reading bytes.", param="file"
        )
    call.file, call.params = params.pop("file"), params
    return client.perform(call, lambda call, response: decoded(call, client.config, response))


def _download(client: Caller, call: Call) -> Any:  # Any: as in Endpoint.__call__
    params = dict(call.params)
    to = params.pop("to", None)
    call.params = params
    if to is None:
        return client.perform(call, lambda _, response: response.content)
    from pinstripe._transport import Sink  # here, so that importing a client does not import httpx

    sink = call.sink = Sink(to)
    return client.perform(call, lambda *_: sink.written)


def _list(client: Caller, call: Call) -> Any:  # Any: as in Endpoint.__call__
    return client.page(call, paged("v2" if call.path.startswith("/v2/") else "v1"))


def _search(client: Caller, call: Call) -> Any:  # Any: as in Endpoint.__call__
    return client.page(call, paged("search"))


_SPECIAL: dict[Kind, Callable[[Caller, Call], Any]] = {  # Any: as in Endpoint.__call__
    "list": _list,
    "search": _search,
    "upload": _upload,
    "download": _download,
}


def get(path: str, model: str | None, params: str | None = None, *, host: Host = "api") -> Endpoint:
    """A row that reads one object."""
    return Endpoint("GET", path, model, params, host=host)


def post(path: str, model: str | None, params: str | None = None, *, host: Host = "api") -> Endpoint:
    """A row that creates, changes, or acts."""
    return Endpoint("POST", path, model, params, host=host)


def delete(path: str, model: str | None, params: str | None = None) -> Endpoint:
    """A row that deletes."""
    return Endpoint("DELETE", path, model, params)


def page(path: str, model: str, params: str | None = None) -> Endpoint:
    """A row that lists; ``model`` is that of the items."""
    return Endpoint("GET", path, model, params, "list")


def search(path: str, model: str, params: str | None = None) -> Endpoint:
    """A row that searches; ``model`` is that of the results."""
    return Endpoint("GET", path, model, params, "search")


def upload(path: str, model: str, params: str | None = None) -> Endpoint:
    """A row that sends a file, to the host for files."""
    return Endpoint("POST", path, model, params, "upload", "files")


def download(path: str, params: str | None = None) -> Endpoint:
    """A row that fetches a file, from the host for files."""
    return Endpoint("GET", path, None, params, "download", "files")


class Service:
    """An attribute that is a service, loaded when it is first used."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.attribute = name.rpartition(".")[2]

    def __get__(self, instance: Any, owner: type) -> Any:  # Any: a client or a resource; the service
        if instance is None:
            return self
        cls = import_module("pinstripe.resources").load(self.name)  # by name: generated rooms stand above this one
        found = cls(getattr(instance, "_client", instance))
        instance.__dict__[self.attribute] = found
        return found


def service(name: str) -> Any:  # Any: the stubs say which resource
    """The service with a dotted name."""
    return Service(name)


def endpoints() -> list[Row]:
    """Every operation there is, by service and method. https://docs.stripe.com/api"""
    resources = import_module("pinstripe.resources")  # by name, as above
    found = []
    for name in resources.SERVICES:
        for method, row in vars(resources.load(name)).items():
            if isinstance(row, Endpoint):
                found.append(Row(name, method, row.verb, row.path, row.kind, row.model, row.params))
    return found
