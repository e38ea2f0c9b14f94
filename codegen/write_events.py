"""Write the stubs of ``pinstripe.events`` and ``pinstripe.webhooks.handlers``: one class per event type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from codegen import names, spec, text
from codegen.docstrings import Writer
from codegen.write_models import event_models, thin_models

_IMPORTS = {
    "collections.abc": ["Awaitable"],
    "typing": ["Generic", "Literal", "Protocol", "TypeAlias", "TypeVar", "Union", "overload"],
}
# Objects with an ID by which they cannot be retrieved; events about them have none.
_NO_ID = {"discount"}
_BASES = """
K = TypeVar("K", bound=str)
O = TypeVar("O", bound=StripeModel)
D = TypeVar("D")
E = TypeVar("E", bound=V2CoreEvent)
R = TypeVar("R", bound=StripeModel | None)
A = TypeVar("A", bound=V2CoreEventRelatedObject | None)
_M = TypeVar("_M", bound=StripeModel)

class _Requester(Protocol):
    def request(
        self, model: type[_M], verb: Literal["GET", "POST", "DELETE"], path: str, *, request_options: RequestOptions | None = None
    ) -> _M: ...

class _AsyncRequester(Protocol):
    async def request(
        self, model: type[_M], verb: Literal["GET", "POST", "DELETE"], path: str, *, request_options: RequestOptions | None = None
    ) -> _M: ...

class TypedData(EventData, Generic[O]):
    object: O  # pyright: ignore[reportIncompatibleVariableOverride]

class TypedEvent(Event, Generic[K, O]):
    type: K  # pyright: ignore[reportIncompatibleVariableOverride]
    data: TypedData[O]  # pyright: ignore[reportIncompatibleVariableOverride]

class EventNotification(StripeModel):
    context: str | None = None
    created: DateTime
    id: str
    livemode: bool
    object: Literal["v2.core.event"]
    reason: V2CoreEventReason | None = None
    related_object: V2CoreEventRelatedObject | None = None
    type: str
    @overload
    def fetch_event(self, client: _Requester) -> V2CoreEvent: ...
    @overload
    def fetch_event(self, client: _AsyncRequester) -> Awaitable[V2CoreEvent]: ...
    @overload
    def fetch_related_object(self, client: _Requester) -> StripeModel | None: ...
    @overload
    def fetch_related_object(self, client: _AsyncRequester) -> Awaitable[StripeModel | None]: ...

class RelatedObject(V2CoreEventRelatedObject):
    id: str  # pyright: ignore[reportIncompatibleVariableOverride]

class TypedNotification(EventNotification, Generic[K, E, R, A]):
    type: K  # pyright: ignore[reportIncompatibleVariableOverride]
    related_object: A  # pyright: ignore[reportIncompatibleVariableOverride]
    @overload
    def fetch_event(self, client: _Requester) -> E: ...
    @overload
    def fetch_event(self, client: _AsyncRequester) -> Awaitable[E]: ...
    @overload
    def fetch_related_object(self, client: _Requester) -> R: ...
    @overload
    def fetch_related_object(self, client: _AsyncRequester) -> Awaitable[R]: ...

class TypedThinEvent(V2CoreEvent, Generic[K, D, A]):
    type: K  # pyright: ignore[reportIncompatibleVariableOverride]
    related_object: A  # pyright: ignore[reportIncompatibleVariableOverride]
    data: D  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]

"""


def write_events(api: spec.Api, writer: Writer) -> Iterator[tuple[str, str]]:
    """Return the stubs of ``pinstripe.events`` and ``pinstripe.webhooks.handlers``."""
    yield "events.pyi", _events(api, writer)
    yield "webhooks/handlers.pyi", _handlers(api)


def _events(api: spec.Api, writer: Writer) -> str:
    models = {"Event as Event", "EventData", "V2CoreEvent", "V2CoreEventReason", "V2CoreEventRelatedObject"}
    classes = []
    for event in api.events.values():
        models_of_event = event_models(api, event.object)
        models.update(models_of_event)
        bases = f'TypedEvent[Literal["{event.type}"], {" | ".join(models_of_event)}]'
        classes.append(_class(names.event(event.type), bases, writer.event(event.type)))
    for thin in api.thin_events.values():
        related, data = thin_models(api, thin)
        models.update(name for name in (related, data) if name)
        kind, name, doc = f'Literal["{thin.type}"]', names.event(thin.type), writer.event(thin.type)
        about = _related_object(api, thin)
        classes.append(_class(name, f"TypedThinEvent[{kind}, {data or None}, {about}]", doc))
        notification = f"TypedNotification[{kind}, {name}, {related or None}, {about}]"
        classes.append(_class(names.notification(thin.type), notification, doc))
    own = {
        "pinstripe.models": models,
        "pinstripe._base": ["StripeModel"],
        "pinstripe._scalars": ["DateTime"],
        "pinstripe.types": ["RequestOptions"],
    }
    return (
        text.header("One class for each type of event, and their union, which `event.type` narrows.")
        + text.grouped_imports({**_IMPORTS, **own})
        + _BASES
        + "".join(classes)
        + f"\nAnyEvent: TypeAlias = Union[{', '.join(names.event(event) for event in api.events)}]"
        + f"\nAnyNotification: TypeAlias = Union[{', '.join(names.notification(event) for event in api.thin_events)}]"
        + "\n\ndef class_for(event_type: str) -> type[StripeModel]: ...\n"
        + "def notification_class_for(event_type: str) -> type[EventNotification]: ...\n"
    )


def _related_object(api: spec.Api, event: spec.ThinEvent) -> str:
    """Return the type of a thin event's `related_object`, which can be absent, or have no ID."""
    if event.related is None:
        return "V2CoreEventRelatedObject | None"
    has_id = any(item.name == "id" and item.required for item in api.schemas[event.related].fields)
    return "RelatedObject" if has_id and event.related not in _NO_ID else "V2CoreEventRelatedObject"


def _class(name: str, base: str, doc: str) -> str:
    return f"class {name}({base}):\n{text.docstring(doc, '    ')}\n"


_HANDLERS = """
E = TypeVar("E")
R = TypeVar("R")

class On(Protocol[E]):
    def __call__(self, handler: Callable[[E], R], /) -> Callable[[E], R]: ...

class UnknownEventType(Protocol): ...

@dataclass(eq=False)
class HandlerRun:
    event: Event | EventNotification
    handler: str
    error: BaseException | None = None

class Handlers:
    unhandled: Counter[str]
    def __init__(self) -> None: ...
    @property
    def registered_types(self) -> tuple[str, ...]: ...
    def before(self, hook: Callable[[HandlerRun], R]) -> Callable[[HandlerRun], R]: ...
    def after(self, hook: Callable[[HandlerRun], R]) -> Callable[[HandlerRun], R]: ...
    def dispatch(self, event: Event | EventNotification) -> bool: ...
    async def adispatch(self, event: Event | EventNotification) -> bool: ...
    def otherwise(self, handler: Callable[[Event | EventNotification], R]) -> Callable[[Event | EventNotification], R]: ...
    def on_any(self, *patterns: str) -> On[Event | EventNotification]: ...
"""
# The last overload of `on`: without it, a checker lists all overloads where it meets a misspelled type.
_UNKNOWN_TYPE = """    @overload
    def on(self, type: str, /, *more: str) -> UnknownEventType: ...
"""


def _handlers(api: spec.Api) -> str:
    classes = [(event, names.event(event)) for event in api.events]
    classes += [(event, names.notification(event)) for event in api.thin_events]
    rows = [
        f'    @overload\n    def on(self, type: Literal["{kind}"], /) -> On[events.{name}]: ...\n'
        for kind, name in classes
    ]
    typing = ["Literal", "Protocol", "TypeAlias", "TypeVar", "overload"]
    standard = {
        "collections": ["Counter"],
        "collections.abc": ["Callable"],
        "dataclasses": ["dataclass"],
        "typing": typing,
    }
    own = {"pinstripe": ["events"], "pinstripe.events": ["AnyEvent", "AnyNotification", "Event", "EventNotification"]}
    several = "".join(
        f"    @overload\n    def on(self, type: {kind}, second: {kind}, /, *more: {kind}) -> On[{takes}]: ...\n"
        for kind, takes in (
            ("EventType", "AnyEvent"),
            ("ThinEventType", "AnyNotification"),
            ("EventType | ThinEventType", "AnyEvent | AnyNotification"),
        )
    )
    return (
        text.header("Handlers of events, each with the type of its event.")
        + text.grouped_imports({**standard, **own})
        + f"\nEventType: TypeAlias = Literal[{_quoted(api.events)}]\n"
        + f"ThinEventType: TypeAlias = Literal[{_quoted(api.thin_events)}]\n"
        + _HANDLERS
        + "".join(rows)
        + several
        + _UNKNOWN_TYPE
    )


def _quoted(types: Iterable[str]) -> str:
    return ", ".join(f'"{event_type}"' for event_type in types)
