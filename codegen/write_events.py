"""Write the stubs of ``pinstripe.events`` and ``pinstripe.webhooks.handlers``: one class per event type."""

from __future__ import annotations

from collections.abc import Iterator

from codegen import ir, shapes, text
from codegen.write_models import event_name, spec, thin_event_name

_IMPORTS = {
    "collections.abc": ["Awaitable"],
    "typing": ["Generic", "Literal", "Protocol", "TypeAlias", "TypeVar", "Union", "overload"],
}
_BASES = """
K = TypeVar("K", bound=str)
O = TypeVar("O", bound=StripeModel)
D = TypeVar("D")
E = TypeVar("E", bound=V2CoreEvent)
R = TypeVar("R", bound=StripeModel | None)
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

class TypedNotification(EventNotification, Generic[K, E, R]):
    type: K  # pyright: ignore[reportIncompatibleVariableOverride]
    @overload
    def fetch_event(self, client: _Requester) -> E: ...
    @overload
    def fetch_event(self, client: _AsyncRequester) -> Awaitable[E]: ...
    @overload
    def fetch_related_object(self, client: _Requester) -> R: ...
    @overload
    def fetch_related_object(self, client: _AsyncRequester) -> Awaitable[R]: ...

class TypedThinEvent(V2CoreEvent, Generic[K, D]):
    type: K  # pyright: ignore[reportIncompatibleVariableOverride]
    data: D  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]

"""


def write_events(api: ir.Api) -> Iterator[tuple[str, str]]:
    """Return the stubs of ``pinstripe.events`` and ``pinstripe.webhooks.handlers``."""
    yield "events.pyi", _events(api)
    yield "webhooks/handlers.pyi", _handlers(api)


def _events(api: ir.Api) -> str:
    models = {api.models[key].name for event in api.events for key in shapes.targets(event.object)}
    models |= {_model(api, key) for event in api.thin_events for key in (event.related_key, event.data_key) if key}
    wanted = models | {"Event as Event", "EventData", "StripeModel", "V2CoreEvent"}
    classes = [
        f'class {event_name(event.type)}(TypedEvent[Literal["{event.type}"], {spec(api.models, event.object)}]): ...\n'
        for event in api.events
    ]
    for thin in api.thin_events:
        kind, name = f'Literal["{thin.type}"]', thin_event_name(thin.type).removesuffix("Notification")
        data, related = _model(api, thin.data_key), _model(api, thin.related_key)
        classes.append(f"class {name}(TypedThinEvent[{kind}, {data}]): ...\n")
        classes.append(f"class {name}Notification(TypedNotification[{kind}, {name}, {related}]): ...\n")
    own = {
        "pinstripe.models": wanted,
        "pinstripe.models.v2_core_event": ["V2CoreEventReason", "V2CoreEventRelatedObject"],
        "pinstripe._scalars": ["DateTime"],
        "pinstripe.types": ["RequestOptions"],
    }
    return (
        text.header(
            api.version,
            "One class for each type of event, and their union, which `event.type` narrows.",
        )
        + text.imports(_IMPORTS)
        + "\n"
        + text.imports(own)
        + _BASES
        + "".join(classes)
        + "\n"
        + text.fill("AnyEvent: TypeAlias = Union[", [event_name(event.type) for event in api.events], "]")
        + "\n"
        + text.fill("AnyNotification: TypeAlias = Union[", [thin_event_name(one.type) for one in api.thin_events], "]")
        + "\n\ndef class_for(event_type: str) -> type[StripeModel]: ...\n"
        + "def notification_class_for(event_type: str) -> type[EventNotification]: ...\n"
    )


def _model(api: ir.Api, key: str | None) -> str:
    return api.models[key].name if key else "None"


_HANDLERS = """
E = TypeVar("E")
R = TypeVar("R")

class On(Protocol[E]):
    def __call__(self, handler: Callable[[E], R], /) -> Callable[[E], R]: ...

class Handlers:
    unhandled: Counter[str]
    def __init__(self) -> None: ...
    def dispatch(self, event: Event | EventNotification) -> bool: ...
    async def adispatch(self, event: Event | EventNotification) -> bool: ...
    def otherwise(self, handler: Callable[[Event | EventNotification], R]) -> Callable[[Event | EventNotification], R]: ...
"""


def _handlers(api: ir.Api) -> str:
    names = [(event.type, event_name(event.type)) for event in api.events]
    names += [(event.type, thin_event_name(event.type)) for event in api.thin_events]
    rows = [
        f'    @overload\n    def on(self, type: Literal["{kind}"], /) -> On[events.{name}]: ...\n'
        for kind, name in names
    ]
    typing = ["Literal", "Protocol", "TypeAlias", "TypeVar", "overload"]
    standard = {"collections": ["Counter"], "collections.abc": ["Callable"], "typing": typing}
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
        text.header(api.version, "Handlers of events, each with the type of its event.")
        + text.imports(standard)
        + "\n"
        + text.imports(own)
        + "\n"
        + text.fill("EventType: TypeAlias = Literal[", [f'"{event.type}"' for event in api.events], "]")
        + "\n"
        + text.fill("ThinEventType: TypeAlias = Literal[", [f'"{event.type}"' for event in api.thin_events], "]")
        + "\n"
        + _HANDLERS
        + "".join(rows)
        + several
    )
