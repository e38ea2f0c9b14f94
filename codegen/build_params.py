"""Build the TypedDicts of parameters: one for every operation, and one for every object inside, named by its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from codegen import names, spec
from codegen.build_models import alternatives, literal, merged
from codegen.classes import ClassDef, FieldDef, ModuleDef, unique
from codegen.docstrings import Writer, paragraphs

NO_KEYS = "It takes no keys: pass `{}`."
SCALARS: dict[spec.ScalarKind, str] = {
    "string": "str",
    "currency": "str",
    "integer": "int",
    "float": "float",
    "boolean": "bool",
    "timestamp": "int | datetime",
    "datetime": "datetime | str",
    "decimal": "Decimal | str",
    "int64": "int",
    "binary": "FileInput",
    "any": "Any",
}
_IMPORTS: dict[str, tuple[str, str]] = {
    "int | datetime": ("datetime", "datetime"),
    "datetime | str": ("datetime", "datetime"),
    "Decimal | str": ("decimal", "Decimal"),
    "FileInput": ("pinstripe.types", "FileInput"),
    "Any": ("typing", "Any"),
}


class Annotations:
    """Writes the types of parameters, for a module of TypedDicts or for a stub of methods.

    In stubs the methods called ``list`` hide the type, and limits of length are left to the documentation.
    """

    def __init__(self, imports: Mapping[str, set[str]], *, stub: bool = False) -> None:
        self.imports = imports
        self.stub = stub

    def annotation(self, kind: spec.Type, name: str) -> str:
        """Return the type of a parameter; ``name`` is the class of an object in it."""
        match kind:
            case spec.Scalar("string", length) if length and length != spec.DEFAULT_MAX_LENGTH and not self.stub:
                self.imports["typing"].add("Annotated")
                self.imports["pinstripe.types"].add("MaxLen")
                return f"Annotated[str, MaxLen({length})]"
            case spec.Scalar(scalar):
                return self._scalar(SCALARS[scalar])
            case spec.Enum(values):
                self.imports["typing"].add("Literal")
                return f"Literal[{', '.join(map(literal, values))}]"
            case spec.ListOf(of):
                return self._list(self.annotation(of, name), of)
            case spec.MapOf(of):
                self.imports["collections.abc"].add("Mapping")
                return f"Mapping[str, {self.annotation(of, name)}]"
            case spec.Nullable(of):
                return f"{self.annotation(of, name)} | None"
            case spec.Union(()):
                self.imports["typing"].add("Literal")
                return 'Literal[""]'
            case spec.Union(options):
                return alternatives(self.annotation(option, name) for option in options)
            case spec.Object():
                return name
            case _:
                raise TypeError(f"a parameter cannot be {kind}")

    def field(self, item: spec.Field, name: str) -> str:
        """Return the type of a parameter, with ``None`` when it can be cleared."""
        annotation = self.annotation(item.type, name)
        return f"{annotation} | None" if item.clearable or item.nullable else annotation

    def _scalar(self, name: str) -> str:
        if name in _IMPORTS:
            module, imported = _IMPORTS[name]
            self.imports[module].add(imported)
        return name

    def _list(self, item: str, kind: spec.Type) -> str:
        if any(isinstance(part, spec.Scalar) and SCALARS[part.kind] == "str" for part in spec.parts(kind)):
            if self.stub and item == "str":
                self.imports["pinstripe.types"].add("Strings")
                return "Strings"
            if self.stub:
                self.imports["builtins"].add("list")
                return f"builtins.list[{item}]"
            return f"list[{item}]"  # not Sequence, since a string is a sequence of strings
        self.imports["collections.abc"].add("Sequence")
        return f"Sequence[{item}]"


def build_params(api: spec.Api, writer: Writer) -> dict[str, ModuleDef]:
    """Return the modules of parameters by name: one for every top-level service."""
    modules: dict[str, ModuleDef] = {}
    for operation in sorted(api.operations.values(), key=lambda operation: operation.name):
        if not operation.params:
            continue
        name = operation.service.partition(".")[0]
        module = modules.setdefault(name, ModuleDef(name, f"The parameters of `client.{name}`."))
        root = names.params(operation.service, operation.method, api.services)
        _Classes(module, operation, writer).build(root)
    return unique(modules)


class _Classes:
    def __init__(self, module: ModuleDef, operation: spec.Operation, writer: Writer) -> None:
        self.module, self.operation, self.writer = module, operation, writer
        self.annotations = Annotations(module.imports.runtime)
        self.name = ""

    def build(self, name: str) -> None:
        path = names.path(self.operation.path)
        self.name = name
        self.cls(name, self.operation.params, "", f"The parameters of `{self.operation.verb} {path}`.")

    def cls(self, name: str, fields: Iterable[spec.Field], path: str, doc: str) -> None:
        cls = ClassDef(name, [], doc)
        for item in fields:
            cls.fields.append(self.field(cls, item, f"{path}.{item.name}" if path else item.name))
        if not cls.fields:
            cls.doc = paragraphs(doc, NO_KEYS)
        self.module.classes.append(cls)

    def field(self, cls: ClassDef, item: spec.Field, path: str) -> FieldDef:
        doc = self.writer.param(self.operation.name, path)
        name = names.part(cls.name, item)
        if inner := spec.objects(item.type):
            cls.uses.add(name)
            described = doc or f"The object in `{path}` of `{self.name}`."
            self.cls(name, merged(part.fields for part in inner), path, described)
        annotation = self.annotations.field(item, name)
        return FieldDef(item.name, item.name, annotation, doc, item.required)
