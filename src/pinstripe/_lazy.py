"""Imports that happen when something is first used. Importing this module is cheap."""

from __future__ import annotations

from importlib import import_module

__all__ = ["LazyModule", "import_later", "import_now"]


class LazyModule:
    """Stands for a module, and imports it when one of its names is first read.

    For annotations: ``typing.get_type_hints`` finds the names, and importing the annotated module stays cheap.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> object:
        return getattr(import_module(self._name), attribute)


_later: dict[str, str] = {}


def import_later(**modules: str) -> None:
    """Set the modules that `import_now` imports. Called by ``pinstripe/__init__.py``, which may depend on all modules."""
    _later.update(modules)


def import_now(key: str) -> None:
    """Import a module that the calling module needs, but must not depend on."""
    import_module(_later[key])
