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
    bodies = [_class(cls) for cls in in_order(sorted(module.classes, key=_place))]
    imports = {name: set(result) for name, result in module.imports.runtime.items()}
    imports["typing_extensions"] = {"TypedDict"}
    if any("Required[" in body for body in bodies):
        imports["typing_extensions"].add("Required")
    return text.header(module.title) + text.grouped_imports(imports) + "".join(f"\n\n{body}" for body in bodies)


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
    rows = "".join(
        f'    "{name}": (' + "".join(f'"{result}", ' for result in sorted(cls.name for cls in module.classes)) + "),\n"
        for name, module in modules.items()
    )
    return (
        text.header("The parameters of every operation as TypedDicts, loaded when they are first used.")
        + "from importlib import import_module\nfrom typing import TYPE_CHECKING\n\n"
        + "from pinstripe._registry import register_params as _register_params\n\nif TYPE_CHECKING:\n"
        + "".join(f"    from pinstripe.params.{name} import *\n" for name in modules)
        + f"\n# The classes of every module.\n_CLASSES: dict[str, tuple[str, ...]] = {{\n{rows}}}\n"
        + "_MODULES = {name: module for module, names in _CLASSES.items() for name in names}\n\n\n"
        + _INDEX_CODE
    )


_INDEX_CODE = """def __dir__() -> list[str]:
    return sorted(_MODULES)


def _load(name: str) -> type:
    params: type = globals().get(name) or getattr(import_module(f"pinstripe.params.{_MODULES[name]}"), name)
    globals()[name] = params
    return params


_register_params(_load)

if not TYPE_CHECKING:  # a type checker that sees __getattr__ accepts every name
    __all__ = __dir__()

    def __getattr__(name: str) -> type:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _load(name)
"""
