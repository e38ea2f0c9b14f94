"""The registry of models, by ``object`` value or event type, and of the types of parameters, by name.

The generated packages register themselves here when they are imported. ``pinstripe/__init__.py`` sets how to import them, so
that this module does not depend on them, and they are imported only when they are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from pinstripe._lazy import import_now
from pinstripe.types import JSON

__all__ = ["Registry", "params_type", "register", "register_params", "registry"]

Model: TypeAlias = Any  # Any: a type[StripeModel]; that class is built on this module, so it cannot be named here


class Registry(NamedTuple):
    """The models by ``object`` value, and the functions that load them."""

    objects: Mapping[str, str]
    """The name of the model of each ``object`` value."""
    deleted: Mapping[str, str]
    """The name of the model of a deleted object."""
    load: Callable[[str], Model]
    """Load a model by its name."""
    event: Callable[[str], Model]
    """Load the class of an event type."""
    fallback: Model
    """The model of an ``object`` value that no other model describes."""

    def model_for(self, data: Mapping[str, JSON], names: str = "") -> Model:
        """Return the model of an object: by its ``object`` field, else the one that ``names`` allows."""
        value = data.get("object")
        if value in ("event", "v2.core.event") and isinstance(data.get("type"), str):
            event, base = self.event(data["type"]), self.load(self.objects[value])
            return event if issubclass(event, base) else base  # the type is new, or one of the other API version
        if isinstance(value, str):
            table = self.deleted if data.get("deleted") is True and value in self.deleted else self.objects
            if name := table.get(value):
                return self.load(name)
        elif names and "|" not in names:
            return self.load(names)
        return self.fallback

    def object_type(self, model: str) -> str:
        """Return the ``object`` value of a model; empty if it is a part of objects."""
        return next((value for value, name in self.objects.items() if name == model), "")


_registered: list[Registry] = []
_params_loaders: list[Callable[[str], type]] = []


def register(registry: Registry) -> None:
    """Set the registry of the models."""
    _registered[:] = [registry]


def register_params(load: Callable[[str], type]) -> None:
    """Set the function that loads the type of an operation's parameters by its name."""
    _params_loaders[:] = [load]


def registry() -> Registry:
    """Return the registry of the models."""
    if not _registered:
        import_now("models")
    return _registered[0]


def params_type(name: str) -> type:
    """Return the type of an operation's parameters (a TypedDict) by its name."""
    if not _params_loaders:
        import_now("params")
    return _params_loaders[0](name)
