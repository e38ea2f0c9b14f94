"""Write ``resources/``: the table of endpoints of every service, and the index of the services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from codegen import ir, names, text
from codegen.write_models import docs_url, spec

# A method may have the name of one of these functions; such methods come last, so that the functions are not hidden before.
FUNCTIONS = {"get", "post", "delete", "page", "search", "upload", "download", "service"}


@dataclass
class Service:
    """One service: its endpoints, and its child services."""

    name: str
    endpoints: list[ir.Endpoint] = field(default_factory=list)
    children: list[Service] = field(default_factory=list)

    @property
    def class_name(self) -> str:
        """The name of the class: ``CustomersBalanceTransactions`` for ``customers.balance_transactions``."""
        return names.camel(self.name)

    @property
    def module(self) -> str:
        """The name of the module: the first word of the name."""
        return self.name.split(".")[0]

    @property
    def ordered(self) -> list[ir.Endpoint]:
        """The endpoints in the order of the class body."""
        return sorted(self.endpoints, key=lambda endpoint: (endpoint.method in FUNCTIONS, endpoint.method))


def services(api: ir.Api) -> dict[str, Service]:
    """Return every service by its dotted name, including those without endpoints of their own."""
    found: dict[str, Service] = {}
    for endpoint in api.endpoints:
        steps = endpoint.service.split(".")
        for index in range(len(steps)):
            found.setdefault(".".join(steps[: index + 1]), Service(".".join(steps[: index + 1])))
        found[endpoint.service].endpoints.append(endpoint)
    for name, service in sorted(found.items()):
        if "." in name:
            found[name.rsplit(".", 1)[0]].children.append(service)
    return dict(sorted(found.items()))


def modules(found: dict[str, Service]) -> dict[str, list[Service]]:
    """Return the services of every module, children before their parents."""
    grouped: dict[str, list[Service]] = defaultdict(list)
    for service in found.values():
        grouped[service.module].append(service)
    return {
        module: sorted(group, key=lambda one: (-one.name.count("."), one.name)) for module, group in grouped.items()
    }


def write_resources(api: ir.Api) -> Iterator[tuple[str, str]]:
    """Return every file of ``resources/`` with its text, and the module of the API version."""
    found = services(api)
    for module, group in modules(found).items():
        yield f"resources/{module}.py", _module(api, module, group)
    yield "resources/__init__.py", _index(api, found)
    yield (
        "_api_version.py",
        (
            text.header(api.version, "The version of Stripe's API that this package uses.")
            + f'API_VERSION = "{api.version}"\n'
        ),
    )


def _module(api: ir.Api, module: str, group: Iterable[Service]) -> str:
    used: set[str] = {"Resource", "async_service"}
    bodies = []
    for service in group:
        bodies.append("\n".join(_class(api, service, used)) + "\n")
    bodies.append("".join(f"Async{service.class_name} = async_service({service.class_name})\n" for service in group))
    return (
        text.header(api.version, f"The services of `client.{module}`: https://docs.stripe.com/api")
        + text.imports({"pinstripe._endpoint": used})
        + "\n"
        + "\n".join(bodies)
    )


def _class(api: ir.Api, service: Service, used: set[str]) -> Iterator[str]:
    yield f'class {service.class_name}(Resource, service="{service.name}"):'
    yield f'    """`client.{service.name}`: {docs_url(service.name)}"""'
    for child in service.children:
        used.add("service")
        yield f"    {child.name.split('.')[-1]} = service({child.class_name})"
    for endpoint in service.ordered:
        yield f"    {endpoint.method} = {_endpoint(api, endpoint, used)}"


def _endpoint(api: ir.Api, endpoint: ir.Endpoint, used: set[str]) -> str:
    function = {"page": "page", "v2": "page", "search": "search", "upload": "upload", "download": "download"}.get(
        endpoint.shape, endpoint.verb.lower()
    )
    used.add(function)
    model = spec(api.models, endpoint.returns)
    arguments = [f'"{endpoint.path}"', f'"{model}"' if model else "None"]
    if endpoint.params:
        arguments.append(f'"{endpoint.params_name}"')
    if endpoint.shape == "download":
        arguments.pop(1)
    if endpoint.host == "meter_events":
        arguments.append(f'host="{endpoint.host}"')
    return f"{function}({', '.join(arguments)})"


def _index(api: ir.Api, found: dict[str, Service]) -> str:
    names = text.fill("SERVICES: tuple[str, ...] = (", [f'"{name}"' for name in found], ")")
    top = [service for name, service in found.items() if "." not in name]
    classes = "".join(
        f'\n\nclass {prefix}Services:\n    """The services of {article} client, each loaded when it is first used."""\n\n'
        + "".join(
            f'    {service.name} = _lazy("{service.module}", "{prefix}{service.class_name}")\n' for service in top
        )
        for prefix, article in (("", "a"), ("Async", "an async"))
    )
    return (
        text.header(api.version, "The services, each loaded when it is first used.")
        + "from importlib import import_module\n\nfrom pinstripe._endpoint import Endpoint, Resource, Service\n\n"
        + f"{names}\n\n\n"
        + _INDEX_CODE
        + classes
    )


_INDEX_CODE = '''def endpoints() -> list[Endpoint]:
    """Return every endpoint, by service and method. https://docs.stripe.com/api"""
    return [endpoint for name in SERVICES for endpoint in _load(name)._endpoints.values()]


def _load(name: str) -> type[Resource]:
    words = name.replace("_", ".").split(".")
    return _class(name.partition(".")[0], "".join(word.capitalize() for word in words))


def _lazy(module: str, name: str) -> Service:
    return Service(lambda: _class(module, name))


def _class(module: str, name: str) -> type[Resource]:
    cls = getattr(import_module(f"pinstripe.resources.{module}"), name)
    assert isinstance(cls, type) and issubclass(cls, Resource)
    return cls
'''
