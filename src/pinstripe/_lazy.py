"""Modules that are imported when they are first used."""

from __future__ import annotations

from importlib import import_module

__all__ = ["LazyModule"]


class LazyModule:
    """Stands for a module, and imports it when one of its names is first read.

    For annotations: ``typing.get_type_hints`` finds the names, and importing the annotated module stays cheap.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> object:
        return getattr(import_module(self._name), attribute)
