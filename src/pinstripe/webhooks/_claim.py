"""The claim of one event by one delivery, and the storage that an inbox needs for claims."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, NamedTuple, Protocol, TypeAlias

from pinstripe.errors import StripeError
from pinstripe.webhooks._heartbeat import Heartbeat

__all__ = [
    "Claim",
    "ClaimLostError",
    "ClaimResult",
    "ClaimStatus",
    "ClaimStore",
    "EntryKey",
    "claim_of",
    "current_claim",
]

logger: logging.Logger = logging.getLogger("pinstripe.webhooks")
ClaimStatus: TypeAlias = Literal["claimed", "done", "busy"]


class EntryKey(NamedTuple):
    """Identifies an entry of an inbox: the name of the inbox, and the event."""

    inbox: str
    event_id: str


class ClaimResult(NamedTuple):
    """The result of claiming an event; ``finished`` are the handlers that have finished, if it was claimed."""

    status: ClaimStatus
    finished: frozenset[str] = frozenset()


class ClaimStore(Protocol):
    """Storage for the entries of inboxes. Each method is atomic; times are Unix seconds."""

    @property
    def location(self) -> object:
        """The place of the entries: hashable, and equal for stores that share them."""
        ...

    def claim(self, key: EntryKey, token: str, now: float, lease: float) -> ClaimResult:
        """Claim an event that has no claim, or whose claim has expired."""
        ...

    def renew(self, key: EntryKey, token: str, until: float) -> bool:
        """Let a claim expire later; return whether it was still valid."""
        ...

    def finish(self, key: EntryKey, token: str, now: float, retention: float, handler: str = "") -> bool:
        """Mark a handler of a claimed event, or without a handler the event, as finished.

        Return whether the claim was still valid. Remember the mark for ``retention`` seconds.
        """
        ...

    def release(self, key: EntryKey, token: str) -> None:
        """Release a claim if it is still valid; the marks of its handlers stay."""
        ...

    def prune(self, inbox: str, before: float) -> int:
        """Remove the entries of an inbox that were finished, or whose claim expired, before a time; return how many."""
        ...


class ClaimLostError(StripeError):
    """Another delivery has claimed the event, since this one did not renew its claim in time: roll back."""


class Claim:
    """The claim of an event while its handlers run. `current_claim` returns it in a handler."""

    def __init__(
        self,
        store: ClaimStore,
        key: EntryKey,
        lease: float,
        retention: float,
        now: Callable[[], float],
        heartbeat: Heartbeat,
    ) -> None:
        self.event_id: str = key.event_id
        self.lost: bool = False
        """True if another delivery is known to have claimed the event; `check` finds out."""
        self.finished: frozenset[str] = frozenset()
        """The names of the handlers that have finished."""
        self._store, self._key, self._token = store, key, uuid.uuid4().hex
        self._lease, self._retention, self._now, self._heartbeat = lease, retention, now, heartbeat
        self._is_claimed = self._is_running = False

    def __repr__(self) -> str:
        return f"<Claim of {self.event_id} in inbox {self._key.inbox!r}{', lost' if self.lost else ''}>"

    def check(self) -> None:
        """Renew the claim; raise `ClaimLostError` if another delivery has claimed the event.

        Call this last in a handler's own transaction, which the error then rolls back.
        """
        self._require(not self.lost and self._store.renew(self._key, self._token, self._now() + self._lease))

    def begin(self) -> ClaimStatus:
        """Claim the event."""
        result = self._store.claim(self._key, self._token, self._now(), self._lease)
        self._is_claimed, self.finished = result.status == "claimed", result.finished
        return result.status

    @contextmanager
    def held(self) -> Iterator[None]:
        """Renew the claim from time to time, and return it from `current_claim`."""
        token = _current.set(self)
        self._is_running = True
        self._heartbeat.add(self)
        try:
            yield
        finally:
            self._is_running = False
            self._heartbeat.remove(self)
            _current.reset(token)

    def renew(self) -> None:
        """Renew the claim, and log if that fails or another delivery has claimed the event."""
        try:
            is_valid = self._store.renew(self._key, self._token, self._now() + self._lease)
        except Exception:
            logger.warning("could not renew the claim of %s in inbox %r", *reversed(self._key), exc_info=True)
        else:
            if not is_valid and self._is_running:  # a claim that was finished in the meantime is not lost
                self._lose()

    def finish_handler(self, handler: str) -> None:
        """Mark a handler as finished; raise `ClaimLostError` if another delivery has claimed the event."""
        self._require(self._store.finish(self._key, self._token, self._now(), self._retention, handler))
        self.finished |= {handler}

    def finish(self) -> None:
        """Mark the event as processed; raise `ClaimLostError` if another delivery has claimed it."""
        self._require(self._store.finish(self._key, self._token, self._now(), self._retention))

    def release(self) -> None:
        """Release the claim if it is held; log if that fails, since the claim then only expires."""
        if not self._is_claimed or self.lost:
            return
        try:
            self._store.release(self._key, self._token)
        except Exception:
            logger.warning("could not release the claim of %s in inbox %r", *reversed(self._key), exc_info=True)

    def _require(self, is_valid: bool) -> None:
        if not is_valid:
            self._lose()
            raise ClaimLostError(f"Another delivery has claimed {self.event_id}.")

    def _lose(self) -> None:
        if not self.lost:
            self.lost = True
            logger.error(
                "lost the claim of %s in inbox %r: another delivery handles the event, too", *reversed(self._key)
            )


_current: ContextVar[Claim] = ContextVar("pinstripe inbox claim")


def current_claim() -> Claim:
    """Return the claim of the event that is being handled. Raises ``LookupError`` outside of an inbox's handlers."""
    return _current.get()


def claim_of(event_id: str) -> Claim | None:
    """Return the current claim if it is of this event."""
    claim = _current.get(None)
    return claim if claim is not None and claim.event_id == event_id else None
