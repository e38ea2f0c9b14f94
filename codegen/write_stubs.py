"""Write ``stubs/``: the typed interfaces of the services, sync and async, with every parameter and its documentation."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping

from codegen import names, spec, text
from codegen.build_services import modules, stub_annotations
from codegen.classes import MethodDef, ServiceDef
from codegen.write_resources import in_class_order


def write_stubs(api: spec.Api, services: Mapping[str, ServiceDef]) -> Iterator[tuple[str, str]]:
    """Return every file of ``stubs/pinstripe-stubs`` with its text."""
    operations = {(operation.verb, names.path(operation.path)): operation for operation in api.operations.values()}
    for module, group in modules(services).items():
        yield f"resources/{module}.pyi", _Stub(operations, group).write(module)
    yield "resources/__init__.pyi", _index(services)
    yield "py.typed", "partial\n"
    yield "../services.allowlist.txt", _allowlist(services)


class _Stub:
    """Writes the stub of one module, and collects what it imports."""

    def __init__(self, operations: Mapping[tuple[str, str], spec.Operation], group: list[ServiceDef]) -> None:
        self.operations, self.group = operations, group
        self.taken = {names.service(service.name) for service in group}
        self.imports: dict[str, set[str]] = defaultdict(set)

    def write(self, module: str) -> str:
        bodies = [self.cls(service, is_async) for service in self.group for is_async in (False, True)]
        self.imports["pinstripe._endpoint"].add("Resource")
        self.imports["pinstripe.types"].add("RequestOptions")
        builtins = self.imports.pop("builtins", set())
        lead = "import builtins\n" if builtins else ""
        return (
            text.header(f"The services of `client.{module}`, with every parameter.")
            + lead
            + text.grouped_imports(self.imports)
            + "\n\n"
            + "\n\n".join(bodies)
        )

    def cls(self, service: ServiceDef, is_async: bool) -> str:
        prefix = "Async" if is_async else ""
        lines = [f"class {prefix}{names.service(service.name)}(Resource):\n", text.docstring(service.doc, "    ")]
        lines += [_attribute(child, prefix) for child in service.children]
        lines += [self.method(method, is_async) for method in in_class_order(service.methods)]
        return "".join(lines)

    def method(self, method: MethodDef, is_async: bool) -> str:
        operation = self.operations[method.verb, method.path]
        annotations, classes = stub_annotations(operation, method.params_name, self.imports)
        self.imports["pinstripe.params"] |= classes
        is_page = operation.is_list
        returns = self.returns(method, is_page=is_page, is_async=is_async)
        arguments = ["self", *(f"{name}: str" for name in method.path_names), "*"]
        for item in method.params:
            arguments.append(f"{item.name}: {annotations[item.key]}" + ("" if item.required else " = ..."))
        arguments.append("request_options: RequestOptions = ...")
        word = "async def" if is_async and not is_page else "def"
        decorators = ""
        if method.deprecated:
            self.imports["typing_extensions"].add("deprecated")
            decorators = f"    @deprecated({json.dumps(method.deprecated)})\n"
        if method.shape == "download":
            return decorators + self.download(method, word, arguments)
        doc = text.docstring(method.doc, "        ")
        return f"{decorators}    {word} {method.name}({', '.join(arguments)}) -> {returns}:\n{doc}"

    def returns(self, method: MethodDef, *, is_page: bool, is_async: bool) -> str:
        models = list(method.models)
        if models == ["Event"]:  # comparing its type narrows the union
            self.imports["pinstripe.events"].add("AnyEvent")
            models = ["AnyEvent"]
        else:
            self.imports["pinstripe.models"] |= {
                f"{name} as _{name}" if name in self.taken else name for name in models
            }
            models = [f"_{name}" if name in self.taken else name for name in models]
        model = " | ".join(models) or "None"
        if not is_page:
            return model
        page = "AsyncPager" if is_async else "Page"
        self.imports["pinstripe._pagination"].add(page)
        return f"{page}[{model}]"

    def download(self, method: MethodDef, word: str, arguments: list[str]) -> str:
        """Write the overloads of a download: to bytes, or to a file."""
        self.imports["typing"] |= {"BinaryIO", "overload"}
        self.imports["os"].add("PathLike")
        doc = text.docstring(method.doc, "        ")
        overloads = ((["to: None = ..."], "bytes"), (["to: str | PathLike[str] | BinaryIO"], "int"))
        return "".join(
            f"    @overload\n    {word} {method.name}({', '.join([*arguments, *more])}) -> {returns}:\n{doc}"
            for more, returns in overloads
        )


def _attribute(service: ServiceDef, prefix: str) -> str:
    """Write the attribute that is a service of a client, or of another service."""
    name = service.name.rpartition(".")[2]
    return f"    {name}: {prefix}{names.service(service.name)}\n" + text.docstring(service.doc, "    ")


def _index(services: Mapping[str, ServiceDef]) -> str:
    tops = [service for name, service in services.items() if "." not in name]
    imports = {
        f"pinstripe.resources.{service.module}": [f"Async{names.service(service.name)}", names.service(service.name)]
        for service in tops
    }
    classes = [
        f"class {prefix}Services:\n" + "".join(_attribute(service, prefix) for service in tops)
        for prefix in ("", "Async")
    ]
    return (
        text.header("The services of a client.")
        + "from pinstripe._endpoint import Endpoint\n"
        + text.imports(imports)
        + "\nSERVICES: tuple[str, ...]\n\ndef endpoints() -> list[Endpoint]: ...\n\n"
        + "\n".join(classes)
    )


def _allowlist(services: Mapping[str, ServiceDef]) -> str:
    """Write the allowlist of stubtest: a service is a descriptor at run time and an attribute for type checkers."""
    top = "|".join(name for name in services if "." not in name)
    lines = [rf"pinstripe\.resources\.(Async)?Services\.({top})"]
    for service in services.values():
        if service.children:
            children = "|".join(child.name.rpartition(".")[2] for child in service.children)
            lines.append(
                rf"pinstripe\.resources\.{service.module}\.(Async)?{names.service(service.name)}\.({children})"
            )
    return (
        f"# {text.MARK}.\n# Services: descriptors, which are attributes for type checkers.\n" + "\n".join(lines) + "\n"
    )
