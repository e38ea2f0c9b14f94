"""Which model describes an object, by its ``object`` value and, for events, by its type.

The generated models register themselves here when they are first imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinstripe._base import StripeModel

__all__ = ["Registry", "register", "registry"]


@dataclass(frozen=True)
class Registry:
    """The models by ``object`` value, and the functions that load them."""

    objects: Mapping[str, str]
    """The name of the model of each ``object`` value."""
    deleted: Mapping[str, str]
    """The name of the model of what is returned for a deleted object."""
    load: Callable[[str], type[StripeModel]]
    """Load a model by its name."""
    event: Callable[[str], type[StripeModel]]
    """Load the class of an event type."""


_registered: list[Registry] = []


def register(registry: Registry) -> None:
    """Set the registry. Called by ``pinstripe.models`` when it is imported."""
    _registered[:] = [registry]


def registry() -> Registry:
    """Return the registered models."""
    if not _registered:
        import_module("pinstripe.models")  # imported by name, since generated modules are above this one
    return _registered[0]
