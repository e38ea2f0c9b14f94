"""Write ``params/``: a TypedDict for the parameters of every operation, and for every object inside them."""

from __future__ import annotations

import keyword
from collections import defaultdict
from collections.abc import Iterable, Iterator

from codegen import ir, shapes, text
from codegen.write_models import literal, quoted, values_module

DEFAULT_LIMIT = 5000
SCALARS: dict[str, str] = {
    "str": "str",
    "currency": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "timestamp": "int | datetime",
    "datetime": "datetime | str",
    "decimal": "Decimal | str",
    "int64": "int",
    "binary": "FileInput",
    "any": "Any",
}
IMPORTED: dict[str, str] = {
    "int | datetime": "datetime",
    "datetime | str": "datetime",
    "Decimal | str": "decimal",
    "FileInput": "pinstripe.types",
    "Any": "typing",
}


class ParamNames:
    """Write the types of parameters, and collect what has to be imported for them."""

    def __init__(self, api: ir.Api, *, limits: bool, strings: str) -> None:
        self.params = api.params
        self.values = api.param_values
        self.limits = limits
        self.strings = strings
        self.used_values: set[str] = set()
        self.imports: dict[str, set[str]] = defaultdict(set)
        self.shapes: set[str] = set()

    def annotation(self, kind: ir.Type) -> str:
        """Return the type of a parameter."""
        match kind:
            case ir.Scalar("str", length) if self.limits and length and length != DEFAULT_LIMIT:
                self.imports["typing"].add("Annotated")
                self.imports["pinstripe.types"].add("MaxLen")
                return f"Annotated[str, MaxLen({length})]"
            case ir.Scalar(name):
                return self._scalar(SCALARS[name])
            case ir.Enum() if kind in self.values:
                self.used_values.add(self.values[kind])
                return self.values[kind]
            case ir.Enum(values):
                self.imports["typing"].add("Literal")
                return f"Literal[{', '.join(map(literal, values))}]"
            case ir.ListOf(item):
                return self._list(self.annotation(item))
            case ir.MapOf(value):
                self.imports["collections.abc"].add("Mapping")
                return f"Mapping[str, {self.annotation(value)}]"
            case ir.Clearable(ir.Union(())):
                self.imports["typing"].add("Literal")
                return 'Literal[""] | None'
            case ir.Clearable(inner):
                return text.alternatives([*self.annotation(inner).split(" | "), "None"])
            case ir.Union(options):
                return text.alternatives(self.annotation(option) for option in options)
            case ir.Object(key):
                self.shapes.add(key)
                return self.params[key].name
            case _:
                raise TypeError(f"a parameter cannot be {kind}")

    def _scalar(self, name: str) -> str:
        if module := IMPORTED.get(name):
            self.imports[module].add({"datetime": "datetime", "decimal": "Decimal"}.get(module, name))
        return name

    def _list(self, item: str) -> str:
        if item == "str" and self.strings == "Strings":
            self.imports["pinstripe.types"].add("Strings")
            return "Strings"
        if any(option == "str" or option.startswith("Annotated[str") for option in item.split(" | ")):
            if self.strings == "Strings":
                self.imports["builtins"].add("list")
                return f"builtins.list[{item}]"
            return f"list[{item}]"  # not Sequence, since a string is a sequence of strings
        self.imports["collections.abc"].add("Sequence")
        return f"Sequence[{item}]"


def write_params(api: ir.Api) -> Iterator[tuple[str, str]]:
    """Return every file of ``params/`` with its text."""
    modules: dict[str, list[ir.Model]] = defaultdict(list)
    for shape in api.params.values():
        modules[shape.module].append(shape)
    rows = {endpoint.key: endpoint for endpoint in api.endpoints}
    for module, models in sorted(modules.items()):
        yield f"params/{module}.py", _module(api, module, models, rows)
    yield "params/values.py", values_module(api.version, api.param_values)
    yield "params/__init__.py", _index(api, modules)


def _module(api: ir.Api, module: str, models: Iterable[ir.Model], rows: dict[str, ir.Endpoint]) -> str:
    names = ParamNames(api, limits=True, strings="list[str]")
    ordered = _ordered(models)
    bodies = [_class(names, model, rows.get(model.key)) for model in ordered if not model.same]
    bodies.append("".join(_class(names, model, None) for model in ordered if model.same))
    local = {model.key for model in ordered}
    for key in names.shapes - local:
        names.imports[f"pinstripe.params.{api.params[key].module}"].add(api.params[key].name)
    if names.used_values:
        names.imports["pinstripe.params.values"] |= names.used_values
    return _file(api, f"Parameters of `{module}`.", names.imports, bodies)


def _file(api: ir.Api, title: str, imports: dict[str, set[str]], bodies: list[str]) -> str:
    said = "\n".join(body for body in bodies if body)
    needed = {name for name in ("TypedDict", "Required") if name in said}
    third = {"typing_extensions": needed} if needed else {}
    standard = {module: found for module, found in imports.items() if "pinstripe" not in module}
    own = {module: found for module, found in imports.items() if "pinstripe" in module}
    blocks = [text.imports(block) for block in (standard, third, own) if block]
    return text.header(api.version, title) + "\n".join(blocks) + "\n" + said


def _ordered(models: Iterable[ir.Model]) -> list[ir.Model]:
    """Sort classes so that each comes after those in its annotations, which are evaluated at import."""
    inside = {model.key: model for model in sorted(models, key=lambda model: model.name)}
    done: dict[str, ir.Model] = {}

    def visit(model: ir.Model) -> None:
        if model.key not in done:
            needed = {key for item in model.fields for key in shapes.objects(item.type)} | {model.base}
            for key in sorted(needed & set(inside) - {model.key}):
                visit(inside[key])
            done[model.key] = model

    for model in inside.values():
        visit(model)
    return list(done.values())


def _class(names: ParamNames, model: ir.Model, endpoint: ir.Endpoint | None) -> str:
    if isinstance(same := names.params.get(model.same), ir.Model):
        names.shapes.add(model.same)
        return f"{model.name} = {same.name}\n"
    said = f'    """Parameters of `{endpoint.verb} {endpoint.path}`."""\n' if endpoint else ""
    fields = []
    base = names.params.get(model.base)
    inherited = {item.name for item in base.fields} if base else set()
    if base:
        names.shapes.add(base.key)
    for item in model.fields:
        if item.name in inherited:
            continue
        annotation = names.annotation(item.type)
        if item.nullable:
            annotation = text.alternatives([*annotation.split(" | "), "None"])
        fields.append((item.name, f"Required[{annotation}]" if item.required else annotation))
    if any(keyword.iskeyword(name) for name, _ in fields):
        rows = "".join(text.fold(f'        "{name}": {annotation},', "        ") + "\n" for name, annotation in fields)
        return f'{model.name} = TypedDict(\n    "{model.name}",\n    {{\n{rows}    }},\n    total=False,\n)\n'
    rows = "".join(text.fold(f"    {name}: {annotation}", "    ") + "\n" for name, annotation in fields)
    return f"class {model.name}({base.name if base else 'TypedDict'}, total=False):\n{said}{rows}" + (
        "" if said or rows else "    pass\n"
    )


def _index(api: ir.Api, modules: dict[str, list[ir.Model]]) -> str:
    rows = "".join(
        text.fill(f'    "{module}": (', quoted(model.name for model in models), "),", "    ") + "\n"
        for module, models in sorted(modules.items())
    )
    return (
        text.header(api.version, "The parameters of every operation as TypedDicts, loaded when they are first used.")
        + "from importlib import import_module\nfrom typing import TYPE_CHECKING\n\n"
        + "from pinstripe._registry import register_params as _register_params\n\nif TYPE_CHECKING:\n"
        + "".join(f"    from pinstripe.params.{module} import *\n" for module in sorted(modules))
        + f"\n# The classes of every module.\n_CLASSES: dict[str, tuple[str, ...]] = {{\n{rows}}}\n"
        + "_MODULES = {name: module for module, names in _CLASSES.items() for name in names}\n\n\n"
        + _INDEX_CODE
    )


_INDEX_CODE = """def __dir__() -> list[str]:
    return sorted(_MODULES)


def _load(name: str) -> type:
    found: type = globals().get(name) or getattr(import_module(f"pinstripe.params.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


_register_params(_load)

if not TYPE_CHECKING:  # a type checker that sees __getattr__ accepts every name
    __all__ = __dir__()

    def __getattr__(name: str) -> type:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _load(name)
"""
