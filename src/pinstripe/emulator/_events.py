"""The emulator's events, typed, and a way to wait for one without sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args, overload

from pinstripe._base import StripeModel, model_for
from pinstripe._decoding import decode_as
from pinstripe.errors import InvalidArgumentError
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES

if TYPE_CHECKING:
    from pinstripe.emulator.server.dispatch import Core
    from pinstripe.events import AnyEvent
    from pinstripe.webhooks.handlers import EventType, ThinEventType

E = TypeVar("E", bound=StripeModel)


class Events(Sequence["AnyEvent"]):
    """Every event so far, oldest first, of every account."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def __len__(self) -> int:
        return len(self._core.order)

    @overload
    def __getitem__(self, index: int) -> AnyEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[AnyEvent]: ...
    def __getitem__(self, index: int | slice) -> AnyEvent | list[AnyEvent]:
        with self._core.changed:
            if isinstance(index, slice):
                return [self._event(place) for place in self._core.order[index]]
            return self._event(self._core.order[index])

    def _event(self, place: tuple[str, str]) -> AnyEvent:
        account, identifier = place
        event = self._core.worlds[account].happened[identifier].whole
        found: AnyEvent = decode_as(model_for(event), event)
        return found

    @overload
    def wait(
        self, event: type[E], *, where: Callable[[E], bool] = ..., since: int = ..., timeout: float = ...
    ) -> E: ...
    @overload
    def wait(
        self,
        event: EventType | ThinEventType,
        *,
        where: Callable[[Any], bool] = ...,  # Any: the event's own class
        since: int = ...,
        timeout: float = ...,
    ) -> Any: ...  # Any: the event's own class
    def wait(
        self,
        event: type[StripeModel] | str,
        *,
        where: Callable[[Any], bool] = lambda event: True,  # Any: the event's own class
        since: int = 0,
        timeout: float = 10.0,
    ) -> Any:  # Any: the event's own class
        """The first event of a type, now or when it happens: ``wait("invoice.paid")``, or with its class, which types the answer.

        ``where`` may ask for more, ``since`` leaves out the first so many, ``timeout`` is in seconds. Raises
        ``TimeoutError``, which says what happened instead, and `InvalidArgumentError` for a type that does not exist. In
        async code: ``await asyncio.to_thread(emulator.events.wait, "invoice.paid")``.
        """
        event_type, end, at = _type_of(event), time.monotonic() + timeout, since
        with self._core.changed:
            while True:
                while at < len(self._core.order):
                    account, identifier = self._core.order[at]
                    at += 1
                    if self._core.worlds[account].happened[identifier].type == event_type:
                        found = self._event((account, identifier))
                        if where(found):
                            return found
                if not self._core.changed.wait(end - time.monotonic()):
                    seen = ", ".join(self.types[since:]) or "nothing"
                    raise TimeoutError(f"No {event_type} in {timeout} s. What happened: {seen}.")

    @property
    def types(self) -> list[str]:
        """The types of the events, oldest first."""
        with self._core.changed:
            return [self._core.worlds[account].happened[identifier].type for account, identifier in self._core.order]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"<{len(self)} events>"


def _type_of(event: type[StripeModel] | str) -> str:
    """The type of an event, by its name or by its class."""
    names = (event,) if isinstance(event, str) else get_args(event.model_fields["type"].annotation)
    for name in names:
        if name in EVENT_TYPES or name in THIN_EVENT_TYPES:
            return str(name)
    raise InvalidArgumentError(f"No event is called {event!r}.", param="event")
