"""Write ``params/``: the TypedDicts of parameters, one module for every top-level service."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping

from codegen import text
from codegen.classes import ClassDef, ModuleDef, in_order


def write_params(modules: Mapping[str, ModuleDef]) -> Iterator[tuple[str, str]]:
    """Return every file of ``params/`` with its text."""
    for name, module in modules.items():
        yield f"params/{name}.py", _module(module)
    yield "params/__init__.py", _index(modules)


def _module(module: ModuleDef) -> str:
    classes = in_order(sorted(module.classes, key=_place))
    bodies = [_class(cls) for cls in classes]
    imports = {name: set(imported) for name, imported in module.imports.runtime.items()}
    imports["typing_extensions"] = {"TypedDict"}
    if any("Required[" in body for body in bodies):
        imports["typing_extensions"].add("Required")
    return (
        text.header(module.title)
        + text.grouped_imports(imports)
        + text.exports(classes)
        + "".join(f"\n\n{body}" for body in bodies)
    )


def _place(cls: ClassDef) -> tuple[str, str]:
    """Order classes by their place in the parameters, inner ones first: those of `create` and `update` are alike and zip well."""
    return cls.name.partition("Params")[2] + "~", cls.name


def _class(cls: ClassDef) -> str:
    fields = [
        (field.name, f"Required[{field.annotation}]" if field.required else field.annotation, field.doc)
        for field in cls.fields
    ]
    if any(keyword.iskeyword(name) for name, _, _ in fields):  # such a name can only be written as a string
        rows = "".join(f'        "{name}": {annotation},\n' for name, annotation, _ in fields)
        return f'{cls.name} = TypedDict(\n    "{cls.name}",\n    {{\n{rows}    }},\n    total=False,\n    closed=True,\n)\n'
    body = text.docstring(cls.doc, "    ")
    body += "".join(f"    {name}: {annotation}\n" + text.docstring(doc, "    ") for name, annotation, doc in fields)
    return f"class {cls.name}(TypedDict, total=False, closed=True):\n" + (body or "    pass\n")


def _index(modules: Mapping[str, ModuleDef]) -> str:
    return (
        text.header("The parameters of every operation as TypedDicts, loaded when they are first used.")
        + "from typing import TYPE_CHECKING\n\nfrom pinstripe._lazy import LazyClasses as _LazyClasses\n"
        + "from pinstripe._registry import register_params as _register_params\n\nif TYPE_CHECKING:\n"
        + "".join(f"    from pinstripe.params.{name} import *\n" for name in modules)
        + f"\n{text.lazy_classes(modules)}\n\n"
        + _INDEX_CODE
    )


_INDEX_CODE = """def __dir__() -> list[str]:
    return sorted(_classes.names())


_register_params(_classes.load)

if not TYPE_CHECKING:  # a type checker that sees __getattr__ accepts every name

    def __getattr__(name: str) -> object:
        return __dir__() if name == "__all__" else _classes.load(name)
"""
