"""Build the services: their methods in the table of endpoints, and the methods of their stubs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from codegen import names, spec
from codegen.build_models import targets
from codegen.build_params import Annotations
from codegen.classes import FieldDef, MethodDef, ServiceDef
from codegen.docstrings import Writer, reference


def build_services(api: spec.Api, writer: Writer) -> dict[str, ServiceDef]:
    """Return every service by its dotted name, including those without methods of their own."""
    services: dict[str, ServiceDef] = {}
    for operation, service, method in _methods(api):
        steps = service.split(".")
        for index in range(len(steps)):
            path = ".".join(steps[: index + 1])
            services.setdefault(path, ServiceDef(path, writer.service(path)))
        services[service].methods.append(_method(api, writer, operation, service, method))
    for path, result in sorted(services.items()):
        if "." in path:
            services[path.rpartition(".")[0]].children.append(result)
    return dict(sorted(services.items()))


def _methods(api: spec.Api) -> Iterator[tuple[spec.Operation, str, str]]:
    for operation in sorted(api.operations.values(), key=lambda operation: operation.name):
        yield operation, operation.service, operation.method
        for service, method in operation.aliases:
            yield operation, service, method


def _method(api: spec.Api, writer: Writer, operation: spec.Operation, service: str, method: str) -> MethodDef:
    params_name = names.params(operation.service, operation.method, api.services) if operation.params else ""
    ordered = sorted(operation.params, key=lambda item: not item.required)
    return MethodDef(
        name=method,
        verb=operation.verb,
        path=names.path(operation.path),
        shape=operation.shape,
        host=operation.host,
        path_names=tuple(names.argument(name) for name in operation.path_params),
        models=tuple(names.model(api.schemas[name]) for name in targets(api, operation.returns)),
        params_name=params_name,
        params=tuple(FieldDef(names.safe(item.name), item.name, "", "", item.required) for item in ordered),
        doc=writer.method(operation, method, f"{reference(service)}/{method}", ordered),
        deprecated=writer.deprecation(operation) if operation.deprecated else "",
    )


def stub_annotations(
    operation: spec.Operation, params_name: str, imports: Mapping[str, set[str]]
) -> tuple[dict[str, str], set[str]]:
    """Return the annotations of an operation's parameters in its stub, and the classes of parameters they name."""
    annotations = Annotations(imports, stub=True)
    result: dict[str, str] = {}
    classes: set[str] = set()
    for item in operation.params:
        name = names.part(params_name, item)
        if spec.objects(item.type):
            classes.add(name)
        result[item.name] = annotations.field(item, name)
    return result, classes


def modules(services: Mapping[str, ServiceDef]) -> dict[str, list[ServiceDef]]:
    """Return the services of every module, children before their parents."""
    grouped: dict[str, list[ServiceDef]] = {}
    for service in services.values():
        grouped.setdefault(service.module, []).append(service)
    return {
        module: sorted(group, key=lambda service: (-service.name.count("."), service.name))
        for module, group in grouped.items()
    }
