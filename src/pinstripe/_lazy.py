"""Imports that happen when something is first used. Importing this module is cheap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["LazyClasses", "LazyModule", "import_later", "import_now"]


class LazyModule:
    """Stands for a module, and imports it when one of its names is first read.

    For annotations: ``typing.get_type_hints`` finds the names, and importing the annotated module stays cheap.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> object:
        return getattr(import_module(self._name), attribute)


class LazyClasses:
    """The classes of the modules of a package, imported when they are first used.

    ``modules`` tells the module by the words that the name of a class begins with; the most words that fit count:
    ``{"Customer": "customers", "CustomerSession": "customer_sessions"}``. ``namespace`` is that of the package.
    """

    def __init__(self, namespace: dict[str, Any], modules: Mapping[str, str]) -> None:  # Any: what a module may contain
        self._namespace = namespace
        self._modules = modules

    def load(self, name: str) -> type:
        """Return a class, importing it if needed; raise `AttributeError` if there is none of this name."""
        loaded: type | None = self._namespace.get(name)
        if loaded is None:
            loaded = self._namespace[name] = self._import(name)
        return loaded

    def module_of(self, name: str) -> str | None:
        """Return the module that a class of this name would be in."""
        words = re.findall("[A-Z][^A-Z]*", name)
        beginnings = ("".join(words[:count]) for count in range(len(words), 0, -1))
        return next((self._modules[beginning] for beginning in beginnings if beginning in self._modules), None)

    def names(self) -> list[str]:
        """Return the names of all classes. Imports every module."""
        return [name for module in sorted(set(self._modules.values())) for name in self._module(module).__all__]

    def _import(self, name: str) -> type:
        module_name = self.module_of(name)
        module = self._module(module_name) if module_name else None
        if module is None or name not in module.__all__:
            raise AttributeError(f"module {self._namespace['__name__']!r} has no attribute {name!r}")
        imported: type = getattr(module, name)
        return imported

    def _module(self, name: str) -> ModuleType:
        return import_module(f"{self._namespace['__name__']}.{name}")


_later: dict[str, str] = {}


def import_later(**modules: str) -> None:
    """Set the modules that `import_now` imports. Called by ``pinstripe/__init__.py``, which may depend on all modules."""
    _later.update(modules)


def import_now(key: str) -> None:
    """Import a module that the calling module needs, but must not depend on."""
    import_module(_later[key])
