"""Writes ``stubs/``: the typed faces of the services, sync and async, with every parameter spelled out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from codegen import ir, shapes, text
from codegen.write_models import docs_url, spec
from codegen.write_params import DEFAULT_LIMIT, ParamNames
from codegen.write_resources import Service, modules, services


def write_stubs(api: ir.Api) -> Iterator[tuple[str, str]]:
    """Every file of ``stubs/pinstripe-stubs`` with its text."""
    found = services(api)
    for module, group in modules(found).items():
        yield f"resources/{module}.pyi", _module(api, module, group)
    yield "resources/__init__.pyi", _index(api, found)
    yield "py.typed", "partial\n"
    yield "../services.allowlist.txt", _allowlist(api, found)


class Face:
    """Writes the methods of one stub module, and remembers what they need imported."""

    def __init__(self, api: ir.Api, taken: Iterable[str]) -> None:
        self.api = api
        self.taken = set(taken)
        self.names = ParamNames(api, limits=False, strings="Strings")
        self.models: set[str] = set()
        self.events = False
        self.paging: set[str] = set()

    def returns(self, row: ir.Endpoint, *, is_async: bool) -> str:
        """What a method gives, once awaited."""
        names = spec(self.api.models, row.returns).split(" | ") if row.returns else []
        if names == ["Event"]:  # its type tells which of the events it is
            names, self.events = ["AnyEvent"], True
        else:
            self.models.update(f"{name} as _{name}" if name in self.taken else name for name in names)
        model = " | ".join(f"_{name}" if name in self.taken else name for name in names)
        if row.shape in ("page", "search", "v2"):
            page = "AsyncPager" if is_async else "Page"
            self.paging.add(page)
            return f"{page}[{model}]"
        return model or "None"

    def method(self, row: ir.Endpoint, *, is_async: bool) -> str:
        """One operation."""
        returns = self.returns(row, is_async=is_async)
        pages = row.shape in ("page", "search", "v2")
        word = "async def" if is_async and not pages else "def"
        arguments = ["self", *(f"{name}: str" for name in row.path_params), "*"]
        params = sorted(row.params, key=lambda item: not item.required)
        for item in params:
            annotation = self.names.annotation(item.type)
            if item.nullable:
                annotation = text.alternatives([*annotation.split(" | "), "None"])
            arguments.append(f"{text.safe(item.name)}: {annotation}" + ("" if item.required else " = ..."))
        arguments.append("request_options: RequestOptions = ...")
        if row.shape == "download":
            return self._download(row, word, arguments)
        head = text.fill(f"    {word} {row.method}(", arguments, f") -> {returns}:", "        ")
        return head + "\n" + self.doc(row)

    def _download(self, row: ir.Endpoint, word: str, arguments: list[str]) -> str:
        """As bytes, or written to a file as it comes."""
        whole = text.fill(f"    {word} {row.method}(", [*arguments, "to: None = ..."], ") -> bytes:", "        ")
        parts = [*arguments, "to: str | PathLike[str] | BinaryIO"]
        streamed = text.fill(f"    {word} {row.method}(", parts, ") -> int:", "        ")
        self.names.imports["typing"] |= {"BinaryIO", "overload"}
        self.names.imports["os"].add("PathLike")
        doc = self.doc(row)
        return f"    @overload\n{whole}\n{doc}    @overload\n{streamed}\n{doc}"

    def doc(self, row: ir.Endpoint) -> str:
        """The facts of an operation."""
        first = f"`{row.verb} {row.path}`" + (" (deprecated)" if row.deprecated else "")
        link = f"{docs_url(row.service)}/{row.method}"
        said = []
        if expandable := self._expandable(row):
            within = " in `data`" if isinstance(row.returns, ir.PageOf) else ""
            said.append(f"Can be expanded{within}: " + ", ".join(expandable) + ".")
        if limits := _limits(row):
            said.append("At most, in characters: " + ", ".join(limits) + ".")
        if gone := [item.name for item in row.params if item.deprecated]:
            said.append("Deprecated: " + ", ".join(gone) + ".")
        lines = _wrap(" ".join([f"{first} {link}", *said]))
        return '        """' + "\n        ".join(lines) + '"""\n'

    def _expandable(self, row: ir.Endpoint) -> list[str]:
        if not any(item.name == "expand" for item in row.params) or row.returns is None:
            return []
        found: dict[str, None] = {}
        for key in shapes.objects(row.returns):
            for item in self.api.models[key].fields:
                if any(isinstance(part, ir.Expandable) for part in shapes.parts(item.type)):
                    found[item.name] = None
        return list(found)


def _limits(row: ir.Endpoint) -> list[str]:
    found = []
    for item in row.params:
        kind = item.type.inner if isinstance(item.type, ir.Clearable) else item.type
        if isinstance(kind, ir.Scalar) and kind.max_length and kind.max_length != DEFAULT_LIMIT:
            found.append(f"{item.name} {kind.max_length}")
    return found


def _wrap(said: str) -> list[str]:
    lines, line = [], ""
    for word in said.split(" "):
        if line and len(line) + len(word) + 9 > text.WIDTH:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    return [*lines, line]


def _module(api: ir.Api, module: str, group: list[Service]) -> str:
    face = Face(api, (service.class_name for service in group))
    bodies = []
    for service in group:
        for is_async in (False, True):
            prefix = "Async" if is_async else ""
            lines = [f"class {prefix}{service.class_name}(Resource):\n"]
            lines += [f"    {child.name.split('.')[-1]}: {prefix}{child.class_name}\n" for child in service.children]
            lines += [face.method(row, is_async=is_async) for row in service.ordered]
            bodies.append("".join(lines))
    return _head(face, api, f"The services of `client.{module}`, with every parameter.") + "\n" + "\n".join(bodies)


def _head(face: Face, api: ir.Api, title: str) -> str:
    names: dict[str, set[str]] = defaultdict(set)
    for module, found in face.names.imports.items():
        if module != "builtins":
            names[module] |= found
    names["pinstripe.models"] |= face.models
    names["pinstripe.params"] |= {api.params[key].name for key in face.names.shapes}
    names["pinstripe.params.values"] |= face.names.used_values
    names["pinstripe._endpoint"].add("Resource")
    names["pinstripe.types"].add("RequestOptions")
    if face.events:
        names["pinstripe.events"].add("AnyEvent")
    if face.paging:
        names["pinstripe._pagination"] |= face.paging
    own = {module: found for module, found in names.items() if module.startswith("pinstripe") and found}
    standard = {module: found for module, found in names.items() if not module.startswith("pinstripe")}
    lead = "import builtins\n" if "builtins" in face.names.imports else ""
    return text.header(api.version, title) + lead + text.imports(standard) + "\n" + text.imports(own)


def _allowlist(api: ir.Api, found: dict[str, Service]) -> str:
    """For stubtest: a service is a descriptor at run time, and a plain attribute for type checkers."""
    rows = [r"pinstripe\.resources\.(Async)?Services\.(" + "|".join(name for name in found if "." not in name) + ")"]
    for service in found.values():
        if service.children:
            names = "|".join(child.name.rpartition(".")[2] for child in service.children)
            rows.append(rf"pinstripe\.resources\.{service.module}\.(Async)?{service.class_name}\.({names})")
    reason = "# Services: descriptors that load when they are first used; for type checkers plain attributes."
    return f"# Generated by codegen from Stripe's API {api.version}.\n{reason}\n" + "".join(f"{row}\n" for row in rows)


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
        text.header(api.version, "What a client offers: one attribute for each service.")
        + "from pinstripe._endpoint import Resource\n"
        + imports
        + "\nSERVICES: tuple[str, ...]\n\ndef load(name: str) -> type[Resource]: ...\n\n"
        + "\n".join(classes)
    )
