"""One typed class per event type, made when first asked for: ``pinstripe.events.InvoicePaidEvent``.

The stubs say what each holds; here only ``type`` tells them apart, since ``data.object`` is decoded by its own ``object`` field.
https://docs.stripe.com/api/events/types
"""

from __future__ import annotations

from typing import Literal

from pinstripe.model import BUILDING
from pinstripe.models import Event
from pinstripe.models._event_types import EVENT_TYPES

__all__ = ["AnyEvent", "Event", "class_for"]

AnyEvent = Event
"""Every event there is; for type checkers the union of the classes, which ``event.type`` narrows."""

_types = {name: event_type for event_type, (name, _, _) in EVENT_TYPES.items()}
_made: dict[str, type[Event]] = {}


def class_for(event_type: str) -> type[Event]:
    """The class of an event type; `Event` itself for a type that nobody knows yet."""
    if event_type not in EVENT_TYPES:
        return Event
    with BUILDING:
        if event_type not in _made:
            fields = {"type": Literal[event_type]}  # made at run time; the stubs say it too
            name, names, _ = EVENT_TYPES[event_type]
            doc = (
                f"``{event_type}``, about a {names}. https://docs.stripe.com/api/events/types#event_types-{event_type}"
            )
            body = {"__module__": __name__, "__qualname__": name, "__doc__": doc, "__annotations__": fields}
            _made[event_type] = type(name, (Event,), body)
        return _made[event_type]


def __getattr__(name: str) -> type[Event]:
    if name not in _types:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return class_for(_types[name])


def __dir__() -> list[str]:
    return sorted([*__all__, *_types])
