"""All accounts of an emulator: one lock and one transaction each, and the order of their events.

A request locks its own account. If it needs another account (a transfer, an application fee), it also takes that lock when the
lock is free. Otherwise its changes are undone, and it starts again with both locks, taken in sorted order, so that two requests
never wait for each other.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.environment import Environment
from pinstripe.emulator.state.event_log import NO_REQUEST, RequestInfo
from pinstripe.emulator.state.tables import table_names
from pinstripe.emulator.state.timer_handlers import run_deferred, run_due_timers
from pinstripe.emulator.state.timers import ACCOUNT_CLOCK, Timer
from pinstripe.emulator.validation.errors import DECLINED, ErrorResponse
from pinstripe.errors import InvalidArgumentError

T = TypeVar("T")

PLATFORM = ""
"""The id of the platform's own account. With an account per API key, its key in `Accounts` is the owner's."""
SNAPSHOT_HEADER = b"pinstripe emulator 3\n"


class _AccountNeeded(Exception):
    """The request needs another account, whose lock is not free."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id


class Accounts:
    """The accounts of an emulator by key: the owner, then the id. `run` is the only way to change an account."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.event_order: list[tuple[str, str]] = []
        """The account and the id of every event, oldest first."""
        self.changed: threading.Condition = threading.Condition(threading.RLock())
        """Notified after every change. Its lock guards `event_order`, `version` and commits."""
        self.version: int = 0
        """Incremented with every change."""
        self.listeners: list[Callable[[], None]] = []
        self.on_events: Callable[[AccountState, Sequence[str]], None] = lambda state, event_ids: None
        """Called at a commit with an account and the ids of its new events."""
        self.on_commit: Callable[[Sequence[AccountState]], None] = lambda states: None
        """Called at a commit with the accounts that changed, before their lists of changes are cleared."""
        self._states: dict[str, AccountState] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._creation = threading.Lock()
        self._local = threading.local()

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._states))

    def __contains__(self, account_id: object) -> bool:
        return account_id in self._states

    def state(self, account_id: str = PLATFORM) -> AccountState:
        """Return the state of an account for reading; a new account is empty."""
        if (state := self._states.get(account_id)) is not None:
            return state
        with self._creation:
            if account_id not in self._states:
                self._locks[account_id] = threading.RLock()
                self._states[account_id] = AccountState(account_id, self.environment, self._other)
            return self._states[account_id]

    @contextmanager
    def reading(self, account_id: str = PLATFORM) -> Iterator[AccountState]:
        """Lock an account while it is read."""
        state = self.state(account_id)
        with self._locks[account_id]:
            yield state

    def run(
        self,
        account_id: str,
        action: Callable[[AccountState], T],
        *,
        request: RequestInfo = NO_REQUEST,
        base_url: str = "",
    ) -> T:
        """Run the due timers of an account and then an action, in one transaction.

        An exception undoes the changes, except for the `ErrorResponse` of a declined payment. ``action`` may run more than once,
        when it needs an account that another request is changing.
        """
        needed_ids = {account_id}
        while True:
            with self._locked(needed_ids) as locked_ids:
                state = self.state(account_id)
                state.request, state.base_url = request, base_url
                try:
                    run_deferred(state)
                    run_due_timers(state, ACCOUNT_CLOCK, self.environment.time())
                    result = action(state)
                except _AccountNeeded as needed:
                    self._rollback(locked_ids)
                    needed_ids.add(needed.account_id)
                    continue
                except ErrorResponse as error:
                    if error.status == DECLINED:
                        self._commit(locked_ids)
                    else:
                        self._rollback(locked_ids)
                    raise
                except BaseException:
                    self._rollback(locked_ids)
                    raise
                self._commit(locked_ids)
                return result

    @contextmanager
    def _locked(self, account_ids: set[str]) -> Iterator[list[str]]:
        """Lock accounts; the list grows with the accounts that `_other` locks."""
        locked_ids = sorted(account_ids)
        with ExitStack() as stack:
            for account_id in locked_ids:
                self.state(account_id)
                stack.enter_context(self._locks[account_id])
            self._local.locked_ids, self._local.stack = locked_ids, stack
            yield locked_ids

    def _other(self, account_id: str) -> AccountState:
        locked_ids: list[str] = self._local.locked_ids
        state = self.state(account_id)
        if account_id not in locked_ids:
            lock = self._locks[account_id]
            if not lock.acquire(blocking=False):
                raise _AccountNeeded(account_id)
            self._local.stack.callback(lock.release)
            locked_ids.append(account_id)
            state.request = NO_REQUEST
        return state

    def _rollback(self, account_ids: Sequence[str]) -> None:
        for account_id in account_ids:
            self._states[account_id].transaction.rollback()
            self._states[account_id].commit()

    def _commit(self, account_ids: Sequence[str]) -> None:
        states = [self._states[account_id] for account_id in account_ids]
        changed = [state for state in states if state.transaction.has_changes]
        if changed:
            with self.changed:
                for state in changed:
                    if state.events.new or state.events.resent:
                        self.on_events(state, state.events.new)
                        self.event_order.extend((state.key, event_id) for event_id in state.events.new)
                self.on_commit(changed)
        for state in states:
            state.commit()
        if changed:
            self.announce()

    def announce(self) -> None:
        """Notify everything that waits for a change."""
        with self.changed:
            self.version += 1
            self.changed.notify_all()
            for listener in self.listeners:
                listener()

    def snapshot(self) -> bytes:
        """Return the state of all accounts as bytes, for `restore`."""
        with self._locked(set(self._states)), self.changed:
            accounts = {account_id: _dump(state) for account_id, state in self._states.items()}
            environment = self.environment
            shared = (self.event_order, environment.ticks, environment.offset, environment.random.getstate())
            return SNAPSHOT_HEADER + pickle.dumps((accounts, shared))

    def restore(self, snapshot: bytes) -> None:
        """Restore the state of a snapshot; raise `InvalidArgumentError` for bytes that are not one of this version."""
        if not snapshot.startswith(SNAPSHOT_HEADER):
            raise InvalidArgumentError(
                "snapshot: these bytes were not created by this version's Emulator.snapshot().", param="snapshot"
            )
        with self._locked(set(self._states)), self.changed:
            accounts, shared = pickle.loads(snapshot[len(SNAPSHOT_HEADER) :])  # noqa: S301  # created by `snapshot`
            self.event_order[:], self.environment.ticks, self.environment.offset, random_state = shared
            self.environment.random.setstate(random_state)
            for account_id in set(self._states) - set(accounts):
                del self._states[account_id]
            for account_id, dump in accounts.items():
                self._locks.setdefault(account_id, threading.RLock())
                self._states[account_id] = AccountState(account_id, self.environment, self._other)
                _load(self._states[account_id], dump)
            self.announce()


def _dump(state: AccountState) -> dict[str, Any]:  # Any: plain data of many types, for pickle
    return {
        "objects": state.objects.in_order(),
        "tables": {name: {key: state.tables[name][key] for key in state.tables[name]} for name in table_names()},
        "events": state.events.by_id,
        "timers": [
            (clock, timer.at, timer.number, timer.name, timer.object_type, timer.object_id)
            for clock, timers in state.clock.timers.items()
            for timer in sorted(timers)
            if not timer.canceled
        ],
        "last_timer": state.clock.last_number,
    }


def _load(state: AccountState, dump: dict[str, Any]) -> None:  # Any: as in `_dump`
    for value in dump["objects"]:
        state.objects.add(value)
    for name, rows in dump["tables"].items():
        for key, row in rows.items():
            state.tables[name].load(key, row)
    state.events.by_id.update(dump["events"])
    for clock, *timer in dump["timers"]:
        state.clock.timers.setdefault(clock, []).append(Timer(*timer))  # sorted, so it is a heap
    state.clock.last_number = dump["last_timer"]
    state.commit()
