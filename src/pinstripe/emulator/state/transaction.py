"""The undo log of one account, which makes the changes of a request atomic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Undo: TypeAlias = Callable[[], None]


class Transaction:
    """Records how to undo each change since the last commit.

    Changes are undone in reverse order, so an undo function finds the state as it was right after its change.
    """

    def __init__(self) -> None:
        self._undo_log: list[Undo] = []
        self._on_commit: list[Callable[[], None]] = []

    def record(self, undo: Undo) -> None:
        """Record the function that undoes the last change."""
        self._undo_log.append(undo)

    def on_commit(self, action: Callable[[], None]) -> None:
        """Call a function at the next commit, even if the changes were rolled back before."""
        self._on_commit.append(action)

    def savepoint(self) -> int:
        """Return a savepoint for `rollback`."""
        return len(self._undo_log)

    def rollback(self, savepoint: int = 0) -> None:
        """Undo every change since a savepoint, or since the last commit."""
        while len(self._undo_log) > savepoint:
            self._undo_log.pop()()

    @property
    def has_changes(self) -> bool:
        """Whether the state has changed since the last commit."""
        return bool(self._undo_log)

    def commit(self) -> None:
        """Clear the undo log, and call the functions of `on_commit`."""
        self._undo_log.clear()
        actions, self._on_commit = self._on_commit, []
        for action in actions:
            action()
