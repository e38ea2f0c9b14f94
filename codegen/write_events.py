"""Writes the typed face of ``pinstripe.events``: one class for each event type, and the union that ``type`` narrows."""

from __future__ import annotations

from collections.abc import Iterator

from codegen import ir, shapes, text
from codegen.write_models import event_name, spec

_HEAD = """from typing import Generic, Literal, TypeAlias, TypeVar, Union

"""
_BASES = """
K = TypeVar("K", bound=str)
O = TypeVar("O", bound=StripeModel)

class TypedData(EventData, Generic[O]):
    object: O  # pyright: ignore[reportIncompatibleVariableOverride]

class TypedEvent(Event, Generic[K, O]):
    type: K  # pyright: ignore[reportIncompatibleVariableOverride]
    data: TypedData[O]  # pyright: ignore[reportIncompatibleVariableOverride]

"""


def write_events(api: ir.Api) -> Iterator[tuple[str, str]]:
    """The stub of ``pinstripe.events``."""
    used = {api.models[key].name for event in api.events for key in shapes.targets(event.object)}
    names = [event_name(event.type) for event in api.events]
    classes = [
        f'class {event_name(event.type)}(TypedEvent[Literal["{event.type}"], {spec(api.models, event.object)}]): ...\n'
        for event in api.events
    ]
    yield (
        "events.pyi",
        (
            text.header(
                api.version, "One class for each type of event, and the union of them that `event.type` narrows."
            )
            + _HEAD
            + text.imports({"pinstripe.models": used | {"Event as Event", "EventData", "StripeModel"}})
            + _BASES
            + "".join(classes)
            + "\n"
            + text.fill("AnyEvent: TypeAlias = Union[", names, "]")
            + "\n\ndef class_for(event_type: str) -> type[Event]: ...\n"
        ),
    )
