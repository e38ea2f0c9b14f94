"""The emulator's state in one SQLite file: what a request changed is written before its answer goes out, in one transaction."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from pinstripe.emulator.server.idempotency import Kept
from pinstripe.emulator.state.account import Happening, Timer
from pinstripe.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pinstripe.emulator.server.dispatch import Core
    from pinstripe.emulator.state.account import World

LAYOUT = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY, account TEXT, id TEXT, kind TEXT, json TEXT, UNIQUE (account, id));
CREATE TABLE IF NOT EXISTS hidden (account TEXT, key TEXT, json TEXT, PRIMARY KEY (account, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, account TEXT, id TEXT, type TEXT, created INTEGER, thin INTEGER, json TEXT, UNIQUE (account, id));
CREATE TABLE IF NOT EXISTS timers (
    account TEXT, clock TEXT, at INTEGER, number INTEGER, name TEXT, id TEXT, PRIMARY KEY (account, clock, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    account TEXT, key TEXT, print TEXT, status INTEGER, body BLOB, headers TEXT, PRIMARY KEY (account, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, json TEXT) WITHOUT ROWID;
"""


class Store:
    """A file that follows the state of a core."""

    def __init__(self, path: str | Path) -> None:
        try:
            self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            try:
                self._file.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + SCHEMA)
                layout = self._about("layout")
            except sqlite3.Error:
                self.close()
                raise
        except sqlite3.Error as error:
            raise InvalidArgumentError(f"The state cannot live in {path}: {error}.", param="db") from error
        if layout not in (None, LAYOUT):
            self.close()
            raise InvalidArgumentError(f"Another version of the emulator wrote {path}; name another file.", param="db")

    def _about(self, name: str) -> object:
        found = self._file.execute("SELECT json FROM about WHERE name = ?", (name,)).fetchone()
        return json.loads(found[0]) if found else None

    def load(self, core: Core) -> None:
        """Read the whole of it into a core that is new."""
        rows = self._file.execute
        for account, identifier, kind, text in rows("SELECT account, id, kind, json FROM objects ORDER BY seq"):
            world = core.world(account)
            world.objects[identifier] = json.loads(text)
            world.kinds.setdefault(kind, {})[identifier] = None
        for account, key, text in rows("SELECT account, key, json FROM hidden"):
            core.world(account).hidden[key] = json.loads(text)
        for account, identifier, *happening in rows(
            "SELECT account, id, type, created, json, thin FROM events ORDER BY seq"
        ):
            event_type, created, text, thin = happening
            core.world(account).happened[identifier] = Happening(event_type, created, text, bool(thin))
            core.order.append((account, identifier))
        for account, clock, *timer in rows(
            "SELECT account, clock, at, number, name, id FROM timers ORDER BY at, number"
        ):
            core.world(account).timers.setdefault(clock, []).append(Timer(*timer))
        for world in core.worlds.values():
            _join(world)
            world.numbers = max((timer.number for queue in world.timers.values() for timer in queue), default=0)
        core.put_answers(
            (account, key, Kept(print_of, status, bytes(body), json.loads(headers)))
            for account, key, print_of, status, body, headers in rows(
                "SELECT account, key, print, status, body, headers FROM answers"
            )
        )
        ticks, chance = self._about("ticks"), self._about("chance")
        if isinstance(ticks, int):
            core.ticks = ticks
        if isinstance(chance, list) and core.seed is not None:
            core.random.setstate((chance[0], tuple(chance[1]), chance[2]))

    def commit(self, core: Core) -> None:
        """Write what the request that is being answered has changed."""
        write = self._file.execute
        write("BEGIN IMMEDIATE")
        try:
            for world in core.worlds.values():
                if world.undos:
                    self._write_world(world)
            for account, key in core.fresh:
                kept = core.kept[account, key]
                values = (account, key, kept.print, kept.status, kept.body, json.dumps(kept.headers))
                write("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", values)
            about = {"layout": LAYOUT, "ticks": core.ticks}
            if core.seed is not None:
                about |= {"chance": core.random.getstate()}  # type: ignore[dict-item]  # JSON takes a tuple as a list
            for name, value in about.items():
                write("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, json.dumps(value)))
        except BaseException:
            write("ROLLBACK")
            raise
        write("COMMIT")

    def _write_world(self, world: World) -> None:
        write, account = self._file.execute, world.account
        for identifier in world.dirty:
            found = world.objects.get(identifier)
            if found is None:
                write("DELETE FROM objects WHERE account = ? AND id = ?", (account, identifier))
            else:
                write(
                    "INSERT INTO objects (account, id, kind, json) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (account, id) DO UPDATE SET json = excluded.json",
                    (account, identifier, found["object"], json.dumps(found)),
                )
        for key in world.dirty_hidden:
            if key in world.hidden:
                write("INSERT OR REPLACE INTO hidden VALUES (?, ?, ?)", (account, key, json.dumps(world.hidden[key])))
            else:
                write("DELETE FROM hidden WHERE account = ? AND key = ?", (account, key))
        for identifier in world.news:
            self.write_event(world, identifier)
        for clock, timer in world.touched:
            if timer in world.timers.get(clock, ()):
                write("INSERT OR REPLACE INTO timers VALUES (?, ?, ?, ?, ?, ?)", (account, clock, *timer))
            else:
                write(
                    "DELETE FROM timers WHERE account = ? AND clock = ? AND number = ?", (account, clock, timer.number)
                )

    def write_event(self, world: World, identifier: str) -> None:
        """Write an event, or that it has been delivered."""
        event_type, created, text, thin = world.happened[identifier]
        self._file.execute(
            "INSERT INTO events (account, id, type, created, thin, json) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (account, id) DO UPDATE SET json = excluded.json",
            (world.account, identifier, event_type, created, thin, text),
        )

    def rewrite(self, core: Core) -> None:
        """Write everything anew, after a snapshot was put back."""
        for table in ("objects", "hidden", "events", "timers", "answers"):
            self._file.execute(f"DELETE FROM {table}")  # noqa: S608  # names of our own
        for world in core.worlds.values():
            world.dirty, world.dirty_hidden, world.news = (
                dict.fromkeys(world.objects),
                set(world.hidden),
                list(world.happened),
            )
            world.touched = {(clock, timer) for clock, queue in world.timers.items() for timer in queue}
            world.undos.append(lambda: None)
        core.fresh = list(core.kept)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _join(world: World) -> None:
    """Let lists inside objects hold the objects themselves again: the items of a subscription are objects of their own."""
    for found in world.objects.values():
        for part in found.values():
            if isinstance(part, dict) and part.get("object") == "list":
                part["data"] = [world.objects.get(one.get("id", ""), one) for one in part["data"]]
