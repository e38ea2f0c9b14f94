"""Write ``stubs/``: the typed interfaces of the services, sync and async, with every parameter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from codegen import ir, shapes, text
from codegen.write_models import docs_url, spec
from codegen.write_params import DEFAULT_LIMIT, ParamNames
from codegen.write_resources import Service, modules, services


def write_stubs(api: ir.Api) -> Iterator[tuple[str, str]]:
    """Return every file of ``stubs/pinstripe-stubs`` with its text."""
    found = services(api)
    for module, group in modules(found).items():
        yield f"resources/{module}.pyi", _module(api, module, group)
    yield "resources/__init__.pyi", _index(api, found)
    yield "py.typed", "partial\n"
    yield "../services.allowlist.txt", _allowlist(api, found)


class StubModule:
    """Write the methods of one stub module, and collect what has to be imported for them."""

    def __init__(self, api: ir.Api, taken: Iterable[str]) -> None:
        self.api = api
        self.taken = set(taken)
        self.names = ParamNames(api, limits=False, strings="Strings")
        self.models: set[str] = set()
        self.events = False
        self.paging: set[str] = set()

    def returns(self, endpoint: ir.Endpoint, *, is_async: bool) -> str:
        """Return the result type of a method, once awaited."""
        names = spec(self.api.models, endpoint.returns).split(" | ") if endpoint.returns else []
        if names == ["Event"]:  # comparing its type narrows the union
            names, self.events = ["AnyEvent"], True
        else:
            self.models.update(f"{name} as _{name}" if name in self.taken else name for name in names)
        model = " | ".join(f"_{name}" if name in self.taken else name for name in names)
        if endpoint.shape in ("page", "search", "v2"):
            page = "AsyncPager" if is_async else "Page"
            self.paging.add(page)
            return f"{page}[{model}]"
        return model or "None"

    def method(self, endpoint: ir.Endpoint, *, is_async: bool) -> str:
        """Write the method of an operation."""
        returns = self.returns(endpoint, is_async=is_async)
        pages = endpoint.shape in ("page", "search", "v2")
        word = "async def" if is_async and not pages else "def"
        arguments = ["self", *(f"{name}: str" for name in endpoint.path_params), "*"]
        params = sorted(endpoint.params, key=lambda item: not item.required)
        for item in params:
            annotation = self.names.annotation(item.type)
            if item.nullable:
                annotation = text.alternatives([*annotation.split(" | "), "None"])
            arguments.append(f"{text.safe(item.name)}: {annotation}" + ("" if item.required else " = ..."))
        arguments.append("request_options: RequestOptions = ...")
        if endpoint.shape == "download":
            return self._download(endpoint, word, arguments)
        head = text.fill(f"    {word} {endpoint.method}(", arguments, f") -> {returns}:", "        ")
        return head + "\n" + self.doc(endpoint)

    def _download(self, endpoint: ir.Endpoint, word: str, arguments: list[str]) -> str:
        """Write the overloads of a download: to bytes, or to a file."""
        whole = text.fill(f"    {word} {endpoint.method}(", [*arguments, "to: None = ..."], ") -> bytes:", "        ")
        parts = [*arguments, "to: str | PathLike[str] | BinaryIO"]
        streamed = text.fill(f"    {word} {endpoint.method}(", parts, ") -> int:", "        ")
        self.names.imports["typing"] |= {"BinaryIO", "overload"}
        self.names.imports["os"].add("PathLike")
        doc = self.doc(endpoint)
        return f"    @overload\n{whole}\n{doc}    @overload\n{streamed}\n{doc}"

    def doc(self, endpoint: ir.Endpoint) -> str:
        """Write the docstring of an operation."""
        first = f"`{endpoint.verb} {endpoint.path}`" + (" (deprecated)" if endpoint.deprecated else "")
        link = f"{docs_url(endpoint.service)}/{endpoint.method}"
        parts = []
        if expandable := self._expandable(endpoint):
            within = " in `data`" if isinstance(endpoint.returns, ir.PageOf) else ""
            parts.append(f"Can be expanded{within}: " + ", ".join(expandable) + ".")
        if limits := _limits(endpoint):
            parts.append("At most, in characters: " + ", ".join(limits) + ".")
        if gone := [item.name for item in endpoint.params if item.deprecated]:
            parts.append("Deprecated: " + ", ".join(gone) + ".")
        lines = _wrap(" ".join([f"{first} {link}", *parts]))
        return '        """' + "\n        ".join(lines) + '"""\n'

    def _expandable(self, endpoint: ir.Endpoint) -> list[str]:
        if not any(item.name == "expand" for item in endpoint.params) or endpoint.returns is None:
            return []
        found: dict[str, None] = {}
        for key in shapes.objects(endpoint.returns):
            for item in self.api.models[key].fields:
                if any(isinstance(part, ir.Expandable) for part in shapes.parts(item.type)):
                    found[item.name] = None
        return list(found)


def _limits(endpoint: ir.Endpoint) -> list[str]:
    found = []
    for item in endpoint.params:
        kind = item.type.inner if isinstance(item.type, ir.Clearable) else item.type
        if isinstance(kind, ir.Scalar) and kind.max_length and kind.max_length != DEFAULT_LIMIT:
            found.append(f"{item.name} {kind.max_length}")
    return found


def _wrap(doc: str) -> list[str]:
    lines, line = [], ""
    for word in doc.split(" "):
        if line and len(line) + len(word) + 9 > text.WIDTH:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    return [*lines, line]


def _module(api: ir.Api, module: str, group: list[Service]) -> str:
    stub = StubModule(api, (service.class_name for service in group))
    bodies = []
    for service in group:
        for is_async in (False, True):
            prefix = "Async" if is_async else ""
            lines = [f"class {prefix}{service.class_name}(Resource):\n"]
            lines += [f"    {child.name.split('.')[-1]}: {prefix}{child.class_name}\n" for child in service.children]
            lines += [stub.method(endpoint, is_async=is_async) for endpoint in service.ordered]
            bodies.append("".join(lines))
    return _head(stub, api, f"The services of `client.{module}`, with every parameter.") + "\n" + "\n".join(bodies)


def _head(stub: StubModule, api: ir.Api, title: str) -> str:
    names: dict[str, set[str]] = defaultdict(set)
    for module, found in stub.names.imports.items():
        if module != "builtins":
            names[module] |= found
    names["pinstripe.models"] |= stub.models
    names["pinstripe.params"] |= {api.params[key].name for key in stub.names.shapes}
    names["pinstripe.params.values"] |= stub.names.used_values
    names["pinstripe._endpoint"].add("Resource")
    names["pinstripe.types"].add("RequestOptions")
    if stub.events:
        names["pinstripe.events"].add("AnyEvent")
    if stub.paging:
        names["pinstripe._pagination"] |= stub.paging
    own = {module: found for module, found in names.items() if module.startswith("pinstripe") and found}
    standard = {module: found for module, found in names.items() if not module.startswith("pinstripe")}
    lead = "import builtins\n" if "builtins" in stub.names.imports else ""
    return text.header(api.version, title) + lead + text.imports(standard) + "\n" + text.imports(own)


def _allowlist(api: ir.Api, found: dict[str, Service]) -> str:
    """Write the allowlist of stubtest: a service is a descriptor at run time and an attribute for type checkers."""
    rows = [r"pinstripe\.resources\.(Async)?Services\.(" + "|".join(name for name in found if "." not in name) + ")"]
    for service in found.values():
        if service.children:
            names = "|".join(child.name.rpartition(".")[2] for child in service.children)
            rows.append(rf"pinstripe\.resources\.{service.module}\.(Async)?{service.class_name}\.({names})")
    reason = "# Services: descriptors, which are attributes for type checkers."
    return f"# Generated by codegen from Stripe's API {api.version}.\n{reason}\n" + "".join(
        f"{endpoint}\n" for endpoint in rows
    )


def _index(api: ir.Api, found: dict[str, Service]) -> str:
    tops = [service for name, service in found.items() if "." not in name]
    imports = text.imports(
        {f"pinstripe.resources.{one.module}": [f"Async{one.class_name}", one.class_name] for one in tops}
    )
    classes = [
        f"class {prefix}Services:\n" + "".join(f"    {one.name}: {prefix}{one.class_name}\n" for one in tops)
        for prefix in ("", "Async")
    ]
    return (
        text.header(api.version, "The services of a client.")
        + "from pinstripe._endpoint import Endpoint\n"
        + imports
        + "\nSERVICES: tuple[str, ...]\n\ndef endpoints() -> list[Endpoint]: ...\n\n"
        + "\n".join(classes)
    )
