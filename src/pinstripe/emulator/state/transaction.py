"""The undo log of one account: the changes of a request are made all or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Undo: TypeAlias = Callable[[], None]


class Transaction:
    """Records how to undo each change since the last commit.

    Changes are undone in reverse order, so an undo function may rely on everything that was there when it was recorded.
    """

    def __init__(self) -> None:
        self._undo_log: list[Undo] = []
        self._on_commit: list[Callable[[], None]] = []

    def record(self, undo: Undo) -> None:
        """Record how to undo a change that was just made."""
        self._undo_log.append(undo)

    def on_commit(self, action: Callable[[], None]) -> None:
        """Call a function when the transaction commits. It is also called after a partial rollback."""
        self._on_commit.append(action)

    def savepoint(self) -> int:
        """Return a mark for `rollback`."""
        return len(self._undo_log)

    def rollback(self, savepoint: int = 0) -> None:
        """Undo every change since a savepoint, or since the last commit."""
        while len(self._undo_log) > savepoint:
            self._undo_log.pop()()

    @property
    def has_changes(self) -> bool:
        """Whether anything was changed since the last commit."""
        return bool(self._undo_log)

    def commit(self) -> None:
        """Forget how to undo the changes."""
        self._undo_log.clear()
        actions, self._on_commit = self._on_commit, []
        for action in actions:
            action()
