"""Write ``resources/``: the table of endpoints of every service, and the index of the services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from codegen import names, spec, text
from codegen.build_services import modules
from codegen.classes import MethodDef, ServiceDef
from codegen.docstrings import reference

# A method may have the name of one of these functions. Such methods come last, so that they do not hide the functions before.
FUNCTIONS = {"get", "post", "delete", "page", "search", "upload", "download", "service"}
_SHAPES = {"page": "page", "v2": "page", "search": "search", "upload": "upload", "download": "download"}


def write_resources(api: spec.Api, services: Mapping[str, ServiceDef]) -> Iterator[tuple[str, str]]:
    """Return every file of ``resources/`` with its text, and the module of the API version."""
    for module, group in modules(services).items():
        yield f"resources/{module}.py", _module(module, group)
    yield "resources/__init__.py", _index(services)
    title = "The version of Stripe's API that this package uses."
    yield "_api_version.py", text.header(title) + f'from typing import Final\n\nAPI_VERSION: Final = "{api.version}"\n'


def in_class_order(methods: Iterable[MethodDef]) -> list[MethodDef]:
    """Return methods in the order of the class body."""
    return sorted(methods, key=lambda method: (method.name in FUNCTIONS, method.name))


def _module(module: str, group: Iterable[ServiceDef]) -> str:
    used: set[str] = {"Resource", "async_service"}
    bodies = [_class(service, used) for service in group]
    for service in group:
        name = names.service(service.name)
        bodies.append(f"Async{name} = async_service({name})\n")
    return (
        text.header(f"The services of `client.{module}`: https://docs.stripe.com/api")
        + text.imports({"pinstripe._endpoint": used})
        + "\n\n"
        + "\n\n".join(bodies)
    )


def _class(service: ServiceDef, used: set[str]) -> str:
    lines = [f'class {names.service(service.name)}(Resource, service="{service.name}"):']
    lines.append(f'    """`client.{service.name}`: {reference(service.name)}"""\n')
    for child in service.children:
        used.add("service")
        lines.append(f"    {child.name.rpartition('.')[2]} = service({names.service(child.name)})")
    for method in in_class_order(service.methods):
        summary = method.doc.partition("\n\n")[0]  # jedi shows the documentation of the source, not of the stub
        lines.append(f"    {method.name} = {_endpoint(method, used)}\n" + text.docstring(summary, "    ").rstrip())
    return "\n".join(lines) + "\n"


def _endpoint(method: MethodDef, used: set[str]) -> str:
    function = _SHAPES.get(method.shape, method.verb.lower())
    used.add(function)
    model, params = " | ".join(method.models), method.params_name
    arguments = [f'"{method.path}"']
    if method.shape != "download":
        arguments.append(f'"{model}"' if model else "None")
    if params:
        arguments += [f'"{params}"', f'"{" ".join(sorted(parameter.name for parameter in method.params))}"']
    if method.host == "meter_events":
        arguments.append(f'host="{method.host}"')
    return f"{function}({', '.join(arguments)})"


def _index(services: Mapping[str, ServiceDef]) -> str:
    listed = "".join(f'"{name}", ' for name in services)
    top = [service for name, service in services.items() if "." not in name]
    classes = "".join(
        f'\n\nclass {prefix}Services:\n    """The services of {article} client, each loaded when it is first used."""\n\n'
        + "".join(
            f'    {service.name} = _lazy("{service.module}", "{prefix}{names.service(service.name)}")\n'
            for service in top
        )
        for prefix, article in (("", "a"), ("Async", "an async"))
    )
    return (
        text.header("The services, each loaded when it is first used.")
        + "from importlib import import_module\n\nfrom pinstripe._endpoint import Endpoint, Resource, Service\n\n"
        + f"SERVICES: tuple[str, ...] = ({listed})\n\n\n"
        + _INDEX_CODE
        + classes
    )


_INDEX_CODE = '''def endpoints() -> list[Endpoint]:
    """Return every endpoint, by service and method. https://docs.stripe.com/api"""
    return [endpoint for name in SERVICES for endpoint in _load(name)._endpoints.values()]


def _load(name: str) -> type[Resource]:
    words = name.replace("_", ".").split(".")
    return _class(name.partition(".")[0], "".join(word[0].upper() + word[1:] for word in words))


def _lazy(module: str, name: str) -> Service:
    return Service(lambda: _class(module, name))


def _class(module: str, name: str) -> type[Resource]:
    cls = getattr(import_module(f"pinstripe.resources.{module}"), name)
    assert isinstance(cls, type) and issubclass(cls, Resource)
    return cls
'''
