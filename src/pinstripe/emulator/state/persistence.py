"""The state of an emulator in a SQLite file. The changes of a request are written before its response is sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from pinstripe.emulator.state.account import AccountState
from pinstripe.emulator.state.accounts import Accounts
from pinstripe.emulator.state.event_log import StoredEvent
from pinstripe.emulator.state.json_values import JSON
from pinstripe.emulator.state.tables import row_adapter, table_names
from pinstripe.emulator.state.timers import Timer
from pinstripe.errors import InvalidArgumentError

SCHEMA_VERSION = 2
"""The ``user_version`` of the file. Version 1, written by pinstripe before 0.2, has a table ``about`` instead."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY, account TEXT, type TEXT, id TEXT, json TEXT, UNIQUE (account, type, id));
CREATE TABLE IF NOT EXISTS side_rows (
    account TEXT, name TEXT, key TEXT, json TEXT, PRIMARY KEY (account, name, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, account TEXT, id TEXT, type TEXT, created INTEGER, thin INTEGER, json TEXT, UNIQUE (account, id));
CREATE TABLE IF NOT EXISTS timers (
    account TEXT, clock TEXT, at INTEGER, number INTEGER, name TEXT, type TEXT, id TEXT,
    PRIMARY KEY (account, clock, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS environment (name TEXT PRIMARY KEY, json TEXT) WITHOUT ROWID;
"""
TABLES = ("objects", "side_rows", "events", "timers")


class StateFile:
    """A SQLite file that holds the state of all accounts.

    Raises `InvalidArgumentError` for a file that cannot be opened, or that another schema version wrote.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise InvalidArgumentError(f"db: cannot open {path}: {error}.", param="db") from error
        try:
            self._check_schema(path)
            self._file.executescript(
                f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION};"
            )
        except sqlite3.Error as error:
            self.close()
            raise InvalidArgumentError(f"db: cannot open {path}: {error}.", param="db") from error
        except InvalidArgumentError:
            self.close()
            raise

    def _check_schema(self, path: str | Path) -> None:
        version = self._file.execute("PRAGMA user_version").fetchone()[0]
        names = {name for (name,) in self._file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version == 0 and "about" in names:
            version = 1
        if version not in (0, SCHEMA_VERSION):
            raise InvalidArgumentError(
                f"db: {path} has schema version {version}, and this emulator reads version {SCHEMA_VERSION}. Pass another file, "
                "or delete this one and create its objects again.",
                param="db",
            )
        if version == 0 and names:
            raise InvalidArgumentError(
                f"db: {path} is not a state file of the emulator; pass another file.", param="db"
            )

    def load(self, accounts: Accounts) -> None:
        """Load the file into empty accounts."""
        select = self._file.execute
        for account_id, text in select("SELECT account, json FROM objects ORDER BY seq"):
            accounts.state(account_id).objects.add(json.loads(text))
        for account_id, name, key, text in select("SELECT account, name, key, json FROM side_rows"):
            row = row_adapter(name).validate_json(text)
            accounts.state(account_id).tables[name].load(_key(json.loads(key)), row)
        for account_id, event_id, event_type, created, text, thin in select(
            "SELECT account, id, type, created, json, thin FROM events ORDER BY seq"
        ):
            event = StoredEvent(event_type, created, text, bool(thin))
            accounts.state(account_id).events.by_id[event_id] = event
            accounts.event_order.append((account_id, event_id))
        for account_id, clock, *timer in select(
            "SELECT account, clock, at, number, name, type, id FROM timers ORDER BY at, number"
        ):
            state = accounts.state(account_id).clock
            state.timers.setdefault(clock, []).append(Timer(*timer))  # sorted, so it is a heap
            state.last_number = max(state.last_number, state.timers[clock][-1].number)
        for account_id in accounts:
            _link_embedded_objects(accounts.state(account_id))
            accounts.state(account_id).commit()
        environment = accounts.environment
        ticks, offset = self._environment("ticks"), self._environment("offset")
        random_state = self._environment("random")
        if isinstance(ticks, int):
            environment.ticks = ticks
        if isinstance(offset, int):
            environment.offset = offset
        if isinstance(random_state, list) and environment.seed is not None:
            environment.random.setstate((random_state[0], tuple(random_state[1]), random_state[2]))

    def _environment(self, name: str) -> object:
        row = self._file.execute("SELECT json FROM environment WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def commit(self, accounts: Accounts, changed: Sequence[AccountState]) -> None:
        """Write the changes of accounts since their last commit, in one transaction."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            for state in changed:
                self._write_changes(state)
            self._write_environment(accounts)
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def _write_environment(self, accounts: Accounts) -> None:
        values: dict[str, JSON] = {"ticks": accounts.environment.ticks, "offset": accounts.environment.offset}
        if accounts.environment.seed is not None:
            values["random"] = accounts.environment.random.getstate()
        for name, value in values.items():
            self._file.execute("INSERT OR REPLACE INTO environment VALUES (?, ?)", (name, json.dumps(value)))

    def _write_changes(self, state: AccountState) -> None:
        for object_type, object_id in state.objects.changed:
            self._write_object(state, object_type, object_id)
        for name, table in state.tables.changed():
            for key in table.changed:
                self._write_row(state, name, key)
        for event_id in state.events.new:
            self.write_event(state, event_id)
        for clock, timer in state.clock.changed:
            self._write_timer(state.key, clock, timer)

    def _write_object(self, state: AccountState, object_type: str, object_id: str) -> None:
        value = state.objects.find(object_type, object_id)
        if value is None:
            self._file.execute(
                "DELETE FROM objects WHERE account = ? AND type = ? AND id = ?", (state.key, object_type, object_id)
            )
        else:
            self._file.execute(
                "INSERT INTO objects (account, type, id, json) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (account, type, id) DO UPDATE SET json = excluded.json",
                (state.key, object_type, object_id, json.dumps(value)),
            )

    def _write_row(self, state: AccountState, name: str, key: str | tuple[str, ...]) -> None:
        row = state.tables[name].get(key)
        if row is None:
            statement = "DELETE FROM side_rows WHERE account = ? AND name = ? AND key = ?"
            self._file.execute(statement, (state.key, name, json.dumps(key)))
        else:
            text = row_adapter(name).dump_json(row).decode()
            self._file.execute(
                "INSERT OR REPLACE INTO side_rows VALUES (?, ?, ?, ?)", (state.key, name, json.dumps(key), text)
            )

    def write_event(self, state: AccountState, event_id: str) -> None:
        """Write an event, or its new number of pending webhooks."""
        event = state.events.by_id[event_id]
        self._file.execute(
            "INSERT INTO events (account, id, type, created, thin, json) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (account, id) DO UPDATE SET json = excluded.json",
            (state.key, event_id, event.type, event.created, event.thin, event.json),
        )

    def _write_timer(self, account_id: str, clock: str, timer: Timer) -> None:
        if timer.canceled:
            self._file.execute(
                "DELETE FROM timers WHERE account = ? AND clock = ? AND number = ?", (account_id, clock, timer.number)
            )
        else:
            self._file.execute(
                "INSERT OR REPLACE INTO timers VALUES (?, ?, ?, ?, ?, ?, ?)",
                (account_id, clock, timer.at, timer.number, timer.name, timer.object_type, timer.object_id),
            )

    def rewrite(self, accounts: Accounts) -> None:
        """Replace the content of the file, after a snapshot was restored."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            for table in TABLES:
                self._file.execute(f"DELETE FROM {table}")  # noqa: S608  # the name is a constant
            for account_id in accounts:
                self._write_all(accounts.state(account_id))
            self._write_environment(accounts)
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def _write_all(self, state: AccountState) -> None:
        for value in state.objects.in_order():
            self._write_object(state, value["object"], value["id"])
        for name in table_names():
            for key in state.tables[name]:
                self._write_row(state, name, key)
        for event_id in state.events.by_id:
            self.write_event(state, event_id)
        for clock, timers in state.clock.timers.items():
            for timer in timers:
                self._write_timer(state.key, clock, timer)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _key(stored: str | list[str]) -> str | tuple[str, ...]:
    return tuple(stored) if isinstance(stored, list) else stored


def _link_embedded_objects(state: AccountState) -> None:
    """Replace the copies in embedded lists by the stored objects, such as the items of a subscription."""
    for value in state.objects:
        for part in value.values():
            if isinstance(part, dict) and part.get("object") == "list":
                part["data"] = [
                    state.objects.find(item.get("object", ""), item.get("id")) or item for item in part["data"]
                ]
