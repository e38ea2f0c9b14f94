"""One typed class per event type, made when first asked for: ``pinstripe.events.InvoicePaidEvent``.

The stubs say what each holds; here only ``type`` tells them apart, since ``data.object`` is decoded by its own ``object`` field.
Thin events (API v2) have two classes for each type: the notification that is delivered, and the event that it stands for.
https://docs.stripe.com/api/events/types https://docs.stripe.com/event-destinations#thin-events
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pinstripe._base import BUILDING, StripeModel
from pinstripe._registry import registry
from pinstripe._scalars import DateTime
from pinstripe.models import Event, V2CoreEvent
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.models.v2_core_event import V2CoreEventReason, V2CoreEventRelatedObject

if TYPE_CHECKING:
    from pinstripe._client import AsyncClient, Client
    from pinstripe.types import RequestOptions

__all__ = ["AnyEvent", "AnyNotification", "Event", "EventNotification", "class_for", "notification_class_for"]


class EventNotification(StripeModel):
    """What is delivered of a thin event: its type, and where to find the rest. https://docs.stripe.com/event-destinations#thin-events"""

    context: str | None = None
    created: DateTime
    id: str
    livemode: bool
    object: Literal["v2.core.event"]
    reason: V2CoreEventReason | None = None
    related_object: V2CoreEventRelatedObject | None = None
    type: str

    def fetch_event(self, client: Client | AsyncClient) -> Any:  # Any: the stub says what, for each kind of client
        """The whole event, fetched in the notification's context; to be awaited with an `AsyncClient`."""
        return client.v2.core.events.retrieve(self.id, request_options=self._options())

    def fetch_related_object(self, client: Client | AsyncClient) -> Any:  # Any: as above
        """The object that the event is about, as it is now; ``None`` where it is about none."""
        if self.related_object is None:
            return None if _is_sync(client) else _nothing()
        model = registry().objects.get(self.related_object.type)
        target = registry().load(model) if model else StripeModel
        return client.request(target, "GET", self.related_object.url, request_options=self._options())

    def _options(self) -> RequestOptions:
        return {"stripe_context": self.context} if self.context else {}


AnyEvent: TypeAlias = Event
"""Every snapshot event there is; for type checkers the union of the classes, which ``event.type`` narrows."""
AnyNotification: TypeAlias = EventNotification
"""Every thin event's notification there is; for type checkers their union."""

_made: dict[str, type[StripeModel]] = {}


def class_for(event_type: str) -> type[StripeModel]:
    """The class of an event type, snapshot or thin; `Event` or `V2CoreEvent` for one that nobody knows yet."""
    if event_type in EVENT_TYPES:
        name, names, _ = EVENT_TYPES[event_type]
        about = f"``{event_type}``, about a {names}. https://docs.stripe.com/api/events/types#event_types-{event_type}"
        return _class(name, Event, event_type, about, {})
    if event_type in THIN_EVENT_TYPES:
        name, _, data = THIN_EVENT_TYPES[event_type]
        own = {"data": registry().load(data)} if data else {}
        return _class(name.removesuffix("Notification"), V2CoreEvent, event_type, f"``{event_type}``, whole.", own)
    return V2CoreEvent if event_type.startswith(("v1.", "v2.")) else Event


def notification_class_for(event_type: str) -> type[EventNotification]:
    """The class of a thin event's notification; `EventNotification` itself for a type that nobody knows yet."""
    if event_type not in THIN_EVENT_TYPES:
        return EventNotification
    found = _class(
        THIN_EVENT_TYPES[event_type][0], EventNotification, event_type, f"``{event_type}``, as delivered.", {}
    )
    assert issubclass(found, EventNotification)  # noqa: S101  # for the checker
    return found


def _class(
    name: str,
    base: type[StripeModel],
    event_type: str,
    doc: str,
    fields: dict[str, Any],  # Any: annotations
) -> type[StripeModel]:
    with BUILDING:
        if name not in _made:
            annotations = {"type": Literal[event_type], **fields}  # made at run time; the stubs say it too
            body = {"__module__": __name__, "__qualname__": name, "__doc__": doc, "__annotations__": annotations}
            _made[name] = type(name, (base,), body)
        return _made[name]


def _is_sync(client: object) -> bool:
    return hasattr(client, "__enter__")


async def _nothing() -> None:
    """What an async client gives where there is nothing."""


def _names() -> dict[str, tuple[str, bool]]:
    found = {name: (event_type, False) for event_type, (name, _, _) in EVENT_TYPES.items()}
    for event_type, (name, _, _) in THIN_EVENT_TYPES.items():
        found[name] = (event_type, True)
        found[name.removesuffix("Notification")] = (event_type, False)
    return found


def __getattr__(name: str) -> type[StripeModel]:
    event_type, notification = _names().get(name, (None, False))
    if event_type is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return notification_class_for(event_type) if notification else class_for(event_type)


def __dir__() -> list[str]:
    return sorted([*__all__, *_names()])
