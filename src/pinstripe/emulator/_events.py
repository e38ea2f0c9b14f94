"""The events of an emulator as models, and how to wait for one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args, overload

from pinstripe._base import StripeModel
from pinstripe._decoding import decode_as, model_for
from pinstripe.emulator.state.accounts import Accounts
from pinstripe.errors import InvalidArgumentError
from pinstripe.models._event_types import EVENT_TYPES, THIN_EVENT_TYPES

if TYPE_CHECKING:
    from pinstripe.events import AnyEvent
    from pinstripe.webhooks.handlers import EventType, ThinEventType

E = TypeVar("E", bound=StripeModel)


class Events(Sequence["AnyEvent"]):
    """The events of every account, oldest first: a sequence that grows."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def __len__(self) -> int:
        return len(self._accounts.event_order)

    @overload
    def __getitem__(self, index: int) -> AnyEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[AnyEvent]: ...
    def __getitem__(self, index: int | slice) -> AnyEvent | list[AnyEvent]:
        with self._accounts.changed:
            if isinstance(index, slice):
                return [self._event(*event) for event in self._accounts.event_order[index]]
            return self._event(*self._accounts.event_order[index])

    def _event(self, account: str, event_id: str) -> AnyEvent:
        data = self._accounts.state(account).events.by_id[event_id].object
        event: AnyEvent = decode_as(model_for(data), data)
        return event

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
        """Return the first event of a type, waiting for it if necessary: ``wait("invoice.paid")``.

        With the class of the event instead of its type, the result is typed.

        ``where`` is a condition on the event, ``since`` skips the first events, and ``timeout`` is in seconds. Raises
        ``TimeoutError``, whose message lists the events so far, and `InvalidArgumentError` for a type that does not exist. In
        async code: ``await asyncio.to_thread(emulator.events.wait, "invoice.paid")``.
        """
        event_type, end, at = _type_of(event), time.monotonic() + timeout, since
        with self._accounts.changed:
            while True:
                while at < len(self._accounts.event_order):
                    account, event_id = self._accounts.event_order[at]
                    at += 1
                    if self._accounts.state(account).events.by_id[event_id].type == event_type:
                        candidate = self._event(account, event_id)
                        if where(candidate):
                            return candidate
                if not self._accounts.changed.wait(end - time.monotonic()):
                    types = ", ".join(self.types[since:]) or "none"
                    raise TimeoutError(f"No {event_type} within {timeout} s. Events: {types}.")

    @property
    def types(self) -> list[str]:
        """The types of the events, oldest first."""
        with self._accounts.changed:
            return [
                self._accounts.state(account).events.by_id[event_id].type
                for account, event_id in self._accounts.event_order
            ]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # the sequence grows

    def __repr__(self) -> str:
        return f"<{len(self)} events>"


def _type_of(event: type[StripeModel] | str) -> str:
    """Return the name of an event type, given its name or its class."""
    names = (event,) if isinstance(event, str) else get_args(event.model_fields["type"].annotation)
    for name in names:
        if name in EVENT_TYPES or name in THIN_EVENT_TYPES:
            return str(name)
    raise InvalidArgumentError(f"event: there is no event type {event!r}.", param="event")
