"""The intermediate form: the classes and methods to write, with their names, annotations and documentation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class Imports:
    """The imports of a module, at run time and for type checkers only."""

    runtime: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    typing_only: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, module: str, *names: str) -> None:
        """Import names from a module."""
        self.runtime[module].update(names)


@dataclass(frozen=True)
class FieldDef:
    """A field of a model, or a parameter of a TypedDict. ``default`` is the code of its default, ``key`` its name in JSON."""

    name: str
    key: str
    annotation: str
    doc: str = ""
    required: bool = True
    default: str = "None"


@dataclass
class ClassDef:
    """A class to write. ``uses`` are the classes in the annotations of its fields, which are evaluated at import."""

    name: str
    fields: list[FieldDef]
    doc: str = ""
    uses: set[str] = field(default_factory=set)


@dataclass
class ModuleDef:
    """A module of classes."""

    name: str
    title: str
    classes: list[ClassDef] = field(default_factory=list)
    imports: Imports = field(default_factory=Imports)


@dataclass(frozen=True)
class MethodDef:
    """A method of a service, with what its entry in the table of endpoints and its stub need."""

    name: str
    verb: str
    path: str
    shape: str
    host: str
    path_names: tuple[str, ...]
    models: tuple[str, ...]
    """The names of the models of the result, or of the items of a page."""
    params_name: str
    params: tuple[FieldDef, ...]
    """The parameters, with the annotations of the stubs, required ones first."""
    doc: str
    deprecated: str
    """What to do instead of calling a deprecated operation, else nothing."""


@dataclass
class ServiceDef:
    """A service and its child services."""

    name: str
    doc: str = ""
    methods: list[MethodDef] = field(default_factory=list)
    children: list[ServiceDef] = field(default_factory=list)

    @property
    def module(self) -> str:
        """The module of the service: the first part of its name."""
        return self.name.partition(".")[0]


def in_order(classes: Iterable[ClassDef]) -> list[ClassDef]:
    """Return classes so that each comes after those it uses, else in the order they have."""
    by_name = {cls.name: cls for cls in classes}
    ordered: dict[str, ClassDef] = {}

    def visit(cls: ClassDef) -> None:
        if cls.name not in ordered:
            for name in sorted(cls.uses - {cls.name}):
                if name in by_name:
                    visit(by_name[name])
            ordered[cls.name] = cls

    for cls in list(by_name.values()):
        visit(cls)
    return list(ordered.values())


def unique(modules: Mapping[str, ModuleDef]) -> dict[str, ModuleDef]:
    """Return modules in the order of their names; raise `ValueError` where two places would have the same class name."""
    result: dict[str, str] = {}
    for module in modules.values():
        for cls in module.classes:
            if cls.name in result:
                raise ValueError(
                    f"two places would have the class {cls.name}, in {result[cls.name]} and {module.name}; "
                    "name one otherwise in the tables of codegen/names.py"
                )
            result[cls.name] = module.name
    return dict(sorted(modules.items()))
