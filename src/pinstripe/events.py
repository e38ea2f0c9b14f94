"""One class per event type, made when it is first used: ``pinstripe.events.InvoicePaidEvent``.

The stubs type what each event contains. At run time the classes differ only in ``type``, since ``data.object`` is decoded by its
own ``object`` field. A thin event (API v2) has two classes: the notification that is delivered, and the event it is about.
https://docs.stripe.com/api/events/types https://docs.stripe.com/event-destinations#thin-events
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pinstripe._base import ModelMeta, StripeModel
from pinstripe._decoding import decode_as
from pinstripe._event_class import event_class
from pinstripe._registry import registry
from pinstripe._request import fill_path
from pinstripe._scalars import DateTime
from pinstripe.models import Event, V2CoreEvent
from pinstripe.models._event_classes import class_for
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES
from pinstripe.models.v2_core_event import V2CoreEventReason, V2CoreEventRelatedObject
from pinstripe.types import RequestOptions

__all__ = [
    "AnyEvent",
    "AnyNotification",
    "Event",
    "EventNotification",
    "class_for",
    "notification_class_for",
]

M = TypeVar("M", bound=StripeModel)


class _Requester(Protocol):
    """The method of a client that a notification uses to fetch its event. `Client` implements it."""

    def request(
        self,
        model: type[M],
        verb: Literal["GET", "POST", "DELETE"],
        path: str,
        *,
        request_options: RequestOptions | None = None,
    ) -> M:
        """Send a request, and decode the response as ``model``."""
        ...


class _AsyncRequester(Protocol):
    """The same for `AsyncClient`."""

    async def request(
        self,
        model: type[M],
        verb: Literal["GET", "POST", "DELETE"],
        path: str,
        *,
        request_options: RequestOptions | None = None,
    ) -> M:
        """Send a request, and decode the response as ``model``."""
        ...


class EventNotification(StripeModel):
    """The delivered part of a thin event: its id and type, and a reference to its object. https://docs.stripe.com/event-destinations#thin-events"""

    context: str | None = None
    created: DateTime
    id: str
    livemode: bool
    object: Literal["v2.core.event"]
    reason: V2CoreEventReason | None = None
    related_object: V2CoreEventRelatedObject | None = None
    type: str

    def fetch_event(
        self, client: _Requester | _AsyncRequester
    ) -> Any:  # Any: see the stub; an awaitable for an async client
        """Fetch the complete event, in the context of the notification. Await the result of an `AsyncClient`."""
        model = class_for(self.type) if self.type in THIN_EVENT_TYPES else V2CoreEvent
        path = fill_path("/v2/core/events/{id}", {"id": self.id})
        return client.request(model, "GET", path, request_options=self._options())

    def fetch_related_object(self, client: _Requester | _AsyncRequester) -> Any:  # Any: as in fetch_event
        """Fetch the current state of the object that the event is about; return ``None`` if there is none."""
        if self.related_object is None:
            return _none() if hasattr(client, "__aenter__") else None
        name = registry().objects.get(self.related_object.type)
        model = registry().load(name) if name else StripeModel
        return client.request(model, "GET", self.related_object.url, request_options=self._options())

    def _options(self) -> RequestOptions:
        return {"stripe_context": self.context} if self.context else {}


def notification_class_for(event_type: str) -> type[EventNotification]:
    """Return the class of a thin event's notification; `EventNotification` for an unknown type."""
    if event_type not in THIN_EVENT_TYPES:
        return EventNotification
    doc = f"The notification of a ``{event_type}`` event."
    return event_class(THIN_EVENT_TYPES[event_type][0], EventNotification, event_type, doc)


def _decoded_by_type(
    base: type[StripeModel],
    object_type: str,
    class_for: Callable[[str], type[StripeModel]],
    handler: GetCoreSchemaHandler,
) -> CoreSchema:
    def decode(value: object, _: object) -> object:
        if isinstance(value, base):
            return value
        if not isinstance(value, dict) or value.get("object") != object_type or not isinstance(value.get("type"), str):
            message = "Input should be an object of type {object}, with a type of event"
            raise PydanticCustomError("stripe_event", message, {"object": object_type})
        cls = class_for(value["type"])
        return decode_as(cls if issubclass(cls, base) else base, value)

    serialization = core_schema.simple_ser_schema("any")
    return core_schema.no_info_wrap_validator_function(
        decode, handler.generate_schema(base), serialization=serialization
    )


class _ByType(ModelMeta):
    """The metaclass of `AnyEvent` and `AnyNotification`: instances of their base are instances of them."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__bases__)


class AnyEvent(Event, metaclass=_ByType):
    """Any snapshot event: for type checkers the union of all classes, which comparing ``event.type`` narrows.

    As an annotation for Pydantic and FastAPI it decodes an event to the class of its type, as leniently as a webhook is decoded.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        return _decoded_by_type(Event, "event", class_for, handler)


class AnyNotification(EventNotification, metaclass=_ByType):
    """Any notification of a thin event: for type checkers the union of all classes. An annotation as `AnyEvent` is."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        return _decoded_by_type(EventNotification, "v2.core.event", notification_class_for, handler)


# The classes are built when they are used, but not the annotations with them: Pydantic warns of those of FastAPI if they are.
AnyEvent.model_config["defer_build"] = AnyNotification.model_config["defer_build"] = False


async def _none() -> None:
    """Return ``None`` to a caller that awaits it."""


def _classes() -> dict[str, tuple[str, bool]]:
    """Return the event type of each class, and whether the class is that of a notification."""
    classes = {name: (event_type, False) for event_type, (name, _, _) in EVENT_TYPES.items()}
    for event_type, (name, _, _) in THIN_EVENT_TYPES.items():
        classes[name] = (event_type, True)
        classes[name.removesuffix("Notification")] = (event_type, False)
    return classes


def __getattr__(name: str) -> type[StripeModel]:
    event_type, is_notification = _classes().get(name, (None, False))
    if event_type is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return notification_class_for(event_type) if is_notification else class_for(event_type)


def __dir__() -> list[str]:
    return sorted([*__all__, *_classes()])
