"""The work of each process of a test; this module imports little, since every process imports it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pinstripe.webhooks.inbox import Inbox
from pinstripe.webhooks.stores import SQLite

TIMEOUT = 60.0
EVENT: Any = SimpleNamespace(id="evt_1")  # Any: stands for an event, of which an inbox needs the id


def open_and_process(folder: str, files: int, start: Any, outcomes: Any) -> None:  # Any: types of multiprocessing
    """Open each file at the same time as the other processes, and process one event."""
    for number in range(files):
        start.wait(TIMEOUT)
        try:
            store = SQLite(f"{folder}/{number}.sqlite")
            outcomes.put((number, Inbox(store).process(EVENT, lambda _: None)))
            store.close()
        except Exception as error:
            outcomes.put((number, repr(error)))
