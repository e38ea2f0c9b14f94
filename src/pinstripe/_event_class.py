"""The class of an event type, made when it is first used."""

from __future__ import annotations

from typing import Literal, TypeVar

from pinstripe._base import BUILD_LOCK, StripeModel

__all__ = ["event_class"]

E = TypeVar("E", bound=StripeModel)
_event_classes: dict[str, type[StripeModel]] = {}


def event_class(name: str, base: type[E], event_type: str, doc: str, **fields: object) -> type[E]:
    """Return the class of an event type: a subclass of ``base`` whose ``type`` is a literal, made when it is first used."""
    with BUILD_LOCK:
        if name not in _event_classes:
            annotations = {"type": Literal[event_type], **fields}  # the stubs have the literals
            body = {
                "__qualname__": name,
                "__module__": "pinstripe.events",
                "__annotations__": annotations,
                "__doc__": doc,
            }
            _event_classes[name] = type(name, (base,), body)
        cls = _event_classes[name]
    assert issubclass(cls, base)  # noqa: S101  # for type checkers: a name belongs to one base
    return cls
