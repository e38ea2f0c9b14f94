"""Writes ``resources/``: for every service a table of rows, and the index that finds a service by its dotted name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from codegen import ir, names, text
from codegen.write_models import docs_url, spec

# A row may be called like a word of the vocabulary; such rows come last, so that the word is still itself above them.
VOCABULARY = {"get", "post", "delete", "page", "search", "upload", "download", "service"}


@dataclass
class Service:
    """One service: its rows, and the services below it."""

    name: str
    rows: list[ir.Endpoint] = field(default_factory=list)
    children: list[Service] = field(default_factory=list)

    @property
    def class_name(self) -> str:
        """``customers.balance_transactions`` is ``CustomersBalanceTransactions``."""
        return names.camel(self.name)

    @property
    def module(self) -> str:
        """Services are kept together by their first word."""
        return self.name.split(".")[0]

    @property
    def ordered(self) -> list[ir.Endpoint]:
        """The rows, in an order that lets each of them be written."""
        return sorted(self.rows, key=lambda row: (row.method in VOCABULARY, row.method))


def services(api: ir.Api) -> dict[str, Service]:
    """Every service by its dotted name, namespaces without rows among them."""
    found: dict[str, Service] = {}
    for endpoint in api.endpoints:
        steps = endpoint.service.split(".")
        for index in range(len(steps)):
            found.setdefault(".".join(steps[: index + 1]), Service(".".join(steps[: index + 1])))
        found[endpoint.service].rows.append(endpoint)
    for name, service in sorted(found.items()):
        if "." in name:
            found[name.rsplit(".", 1)[0]].children.append(service)
    return dict(sorted(found.items()))


def modules(found: dict[str, Service]) -> dict[str, list[Service]]:
    """The services of every module, children before their parents."""
    grouped: dict[str, list[Service]] = defaultdict(list)
    for service in found.values():
        grouped[service.module].append(service)
    return {
        module: sorted(group, key=lambda one: (-one.name.count("."), one.name)) for module, group in grouped.items()
    }


def write_resources(api: ir.Api) -> Iterator[tuple[str, str]]:
    """Every file of ``resources/`` with its text, and the API's version."""
    found = services(api)
    for module, group in modules(found).items():
        yield f"resources/{module}.py", _module(api, module, group)
    yield "resources/__init__.py", _index(api, found)
    yield (
        "_api_version.py",
        (
            text.header(api.version, "The version of Stripe's API that this package speaks.")
            + f'API_VERSION = "{api.version}"\n'
        ),
    )


def _module(api: ir.Api, module: str, group: Iterable[Service]) -> str:
    used: set[str] = {"Resource"}
    bodies = []
    for service in group:
        bodies.append("\n".join(_class(api, service, used)) + "\n")
    bodies.append("".join(f"Async{service.class_name} = {service.class_name}\n" for service in group))
    return (
        text.header(api.version, f"The services of `client.{module}`: https://docs.stripe.com/api")
        + text.imports({"pinstripe._endpoint": used})
        + "\n"
        + "\n".join(bodies)
    )


def _class(api: ir.Api, service: Service, used: set[str]) -> Iterator[str]:
    yield f"class {service.class_name}(Resource):"
    yield f'    """`client.{service.name}`: {docs_url(service.name)}"""'
    for child in service.children:
        used.add("service")
        yield f'    {child.name.split(".")[-1]} = service("{child.name}")'
    for row in service.ordered:
        yield f"    {row.method} = {_row(api, row, used)}"


def _row(api: ir.Api, row: ir.Endpoint, used: set[str]) -> str:
    word = {"page": "page", "v2": "page", "search": "search", "upload": "upload", "download": "download"}.get(
        row.shape, row.verb.lower()
    )
    used.add(word)
    model = spec(api.models, row.returns)
    arguments = [f'"{row.path}"', f'"{model}"' if model else "None"]
    if row.params:
        arguments.append(f'"{row.params_name}"')
    if row.shape == "download":
        arguments.pop(1)
    if row.host == "meter_events":
        arguments.append(f'host="{row.host}"')
    return f"{word}({', '.join(arguments)})"


def _index(api: ir.Api, found: dict[str, Service]) -> str:
    rows = text.fill("SERVICES: tuple[str, ...] = (", [f'"{name}"' for name in found], ")")
    top = "".join(f'    {name} = service("{name}")\n' for name in found if "." not in name)
    return (
        text.header(api.version, "Every service, by its dotted name; a service is loaded when it is first used.")
        + "from importlib import import_module\n\nfrom pinstripe._endpoint import Resource, service\n\n"
        + f"{rows}\n\n\n"
        + _INDEX_CODE
        + f'\n\nclass Services:\n    """What a client offers: one attribute for each service."""\n\n{top}'
        + "\n\nAsyncServices = Services\n"
    )


_INDEX_CODE = '''def load(name: str) -> type[Resource]:
    """The class of a service: that of ``customers.balance_transactions`` is ``customers.CustomersBalanceTransactions``."""
    words = name.replace("_", ".").split(".")
    module = import_module(f"pinstripe.resources.{name.partition('.')[0]}")
    found = getattr(module, "".join(word.capitalize() for word in words))
    assert isinstance(found, type) and issubclass(found, Resource)
    return found
'''
