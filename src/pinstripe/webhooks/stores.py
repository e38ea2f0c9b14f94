"""Where an inbox keeps its claims: `SQLite` (one file, standard library), `PostgreSQL` (psycopg 3) and `Redis` (redis-py)."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pinstripe.errors import InvalidArgumentError
from pinstripe.webhooks.inbox import Claim

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pinstripe.events import Event, EventNotification
    from pinstripe.webhooks.inbox import Outcome

__all__ = ["PostgreSQL", "Redis", "SQLite", "Transactions"]

JOINED = "joined"
WAIT = 30.0
"""Seconds to wait for another process's write to a SQLite file."""

_CREATE = """create table if not exists pinstripe_inbox
    (event_id text primary key, token text not null, until double precision not null, done double precision)"""
# Takes a free event, or one whose claim has run out; gives a row only to whoever got it.
_CLAIM = """insert into pinstripe_inbox (event_id, token, until) values (?, ?, ?)
    on conflict (event_id) do update set token = excluded.token, until = excluded.until
    where pinstripe_inbox.done is null and pinstripe_inbox.until <= ? returning token"""
_LOOK = "select done from pinstripe_inbox where event_id = ?"
_FINISH = "update pinstripe_inbox set done = ? where event_id = ? and token = ? and done is null returning token"
_RELEASE = "delete from pinstripe_inbox where event_id = ? and token = ? and done is null"
_PRUNE = "delete from pinstripe_inbox where done < ?"


class _Sql:
    """What both databases share: the same statements, run in a cursor with a transaction of its own."""

    def __init__(self, cursor: Callable[[], AbstractContextManager[Any]]) -> None:  # Any: a DB-API cursor
        self._cursor = cursor

    def claim(self, event_id: str, token: str, now: float, lease: float) -> Claim:
        """Claim an event that nobody has, or whose claim has run out."""
        with self._cursor() as cursor:
            return _claim(cursor.execute, event_id, token, now, now + lease)

    def finish(self, event_id: str, token: str, now: float) -> bool:
        """Mark a claimed event as processed; whether the claim was still ours."""
        with self._cursor() as cursor:
            return cursor.execute(_FINISH, (now, event_id, token)).fetchone() is not None

    def release(self, event_id: str, token: str) -> None:
        """Give a claim back, if it is still ours."""
        with self._cursor() as cursor:
            cursor.execute(_RELEASE, (event_id, token))

    def prune(self, before: float) -> int:
        """Forget what was processed before a time; how many."""
        with self._cursor() as cursor:
            return int(cursor.execute(_PRUNE, (before,)).rowcount)


def _claim(execute: Callable[..., Any], event_id: str, token: str, now: float, until: float) -> Claim:  # Any: a cursor
    if execute(_CLAIM, (event_id, token, until, now)).fetchone():
        return "claimed"
    row = execute(_LOOK, (event_id,)).fetchone()
    return "done" if row and row[0] is not None else "busy"


class _Connection(sqlite3.Connection):
    """A connection that is closed when its thread has ended."""

    def __del__(self) -> None:
        self.close()


class SQLite(_Sql):
    """Claims in a SQLite file: for one machine, with any number of processes and threads. https://sqlite.org/lang_upsert.html"""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if os.fspath(path) == ":memory:":
            raise InvalidArgumentError("path: an inbox in memory would forget; name a file.", param="path")
        super().__init__(self._open)
        self._path = os.fspath(path)
        self._local = threading.local()
        with self._open() as cursor:
            cursor.execute("pragma journal_mode = wal")
            cursor.execute(_CREATE)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Cursor]:
        connection = getattr(self._local, "connection", None)
        if connection is None or self._local.process != os.getpid():
            connection = sqlite3.connect(
                self._path, timeout=WAIT, isolation_level=None, factory=_Connection, check_same_thread=False
            )
            self._local.connection, self._local.process = connection, os.getpid()
        cursor = connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


class PostgreSQL(_Sql):
    """Claims in a PostgreSQL table. https://www.psycopg.org/psycopg3/docs/

    ``connect`` gives a psycopg connection as a context manager: ``ConnectionPool(...).connection``, or
    ``lambda: psycopg.connect("...")``.
    """

    def __init__(self, connect: Callable[[], AbstractContextManager[Any]]) -> None:  # Any: a psycopg connection
        super().__init__(self._open)
        self._connect = connect
        with self._open() as cursor:
            cursor.execute("select pg_advisory_xact_lock(7238461950)")  # two processes may begin at the same moment
            cursor.execute(_CREATE)

    @contextmanager
    def _open(self) -> Iterator[_Cursor]:
        with self._connect() as connection, connection.transaction(), connection.cursor() as cursor:
            yield _Cursor(cursor)

    def process_in(
        self,
        connection: Any,  # Any: a psycopg connection, in a transaction
        event: Event | EventNotification,
        handle: Callable[[Any], object],  # Any: the event
    ) -> Outcome:
        """Run a handler in the caller's own transaction: its writes and the event's mark commit together, or not at all.

        Another delivery of the event waits until that transaction ends. A failure is raised: roll back, and the event is free.
        """
        now = time.time()
        with connection.cursor() as raw:
            cursor = _Cursor(raw)
            claim = _claim(cursor.execute, event.id, JOINED, now, now)
            if claim != "claimed":
                return "duplicate" if claim == "done" else "busy"
            cursor.execute(_FINISH, (now, event.id, JOINED))
        handle(event)
        return "processed"


@dataclass
class Transactions:
    """An inbox in whose transactions handlers write, so that a handler's writes and its event's mark commit together.

    A handler finds the psycopg connection in ``connection``; it must not commit. Give this to a receiver or to Celery's queue in
    the place of an `Inbox`. https://www.psycopg.org/psycopg3/docs/basic/transactions.html
    """

    store: PostgreSQL

    @property
    def connection(self) -> Any:  # Any: a psycopg connection
        """The connection of the transaction that the handler runs in; raises ``LookupError`` outside of a handler."""
        return _connection.get()

    def process(self, event: Event | EventNotification, handle: Callable[[Any], object]) -> Outcome:  # Any: the event
        """Run a handler on an event in a transaction of its own; a failure is raised, and rolls everything back."""
        with self.store._connect() as connection, connection.transaction():
            token = _connection.set(connection)
            try:
                return self.store.process_in(connection, event, handle)
            finally:
                _connection.reset(token)

    async def aprocess(
        self,
        event: Event | EventNotification,
        handle: Callable[[Any], Coroutine[Any, Any, object]],  # Any: the event, and asyncio's own
    ) -> Outcome:
        """The same in a thread, where an async handler runs in an event loop of its own."""
        return await asyncio.to_thread(self.process, event, lambda found: asyncio.run(handle(found)))


_connection: ContextVar[Any] = ContextVar("pinstripe inbox connection")  # Any: a psycopg connection


@dataclass
class _Cursor:
    """A psycopg cursor that takes question marks."""

    cursor: Any  # Any: psycopg's own

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> Any:  # Any: as above
        """Run a statement."""
        return self.cursor.execute(statement.replace("?", "%s"), parameters)


# KEYS: the event. ARGV: token, now, until, seconds to keep a claim. A value is "token until", or "done".
_REDIS_CLAIM = """
local found = redis.call("get", KEYS[1])
if found == "done" then return "done" end
if found and tonumber(string.match(found, " (%S+)$")) > tonumber(ARGV[2]) then return "busy" end
redis.call("set", KEYS[1], ARGV[1] .. " " .. ARGV[3], "EX", ARGV[4])
return "claimed"
"""
_REDIS_FINISH = """
local found = redis.call("get", KEYS[1])
if not found or string.match(found, "^(.*) %S+$") ~= ARGV[1] then return 0 end
if ARGV[2] == "" then redis.call("del", KEYS[1]) else redis.call("set", KEYS[1], "done", "EX", ARGV[2]) end
return 1
"""


class Redis:
    """Claims in Redis, which forgets them by itself after ``keep`` seconds. ``client`` is a ``redis.Redis``.

    Use a Redis that keeps its data (AOF) and does not evict: what it forgets may be processed again. https://redis.io/docs/
    """

    def __init__(
        self, client: Any, *, prefix: str = "pinstripe:inbox:", keep: float = 35 * 24 * 3600.0
    ) -> None:  # Any: redis-py's
        self._prefix, self._keep = prefix, int(keep)
        self._claim = client.register_script(_REDIS_CLAIM)
        self._finish = client.register_script(_REDIS_FINISH)

    def claim(self, event_id: str, token: str, now: float, lease: float) -> Claim:
        """Claim an event that nobody has, or whose claim has run out."""
        answer = self._claim(keys=[self._prefix + event_id], args=[token, repr(now), repr(now + lease), self._keep])
        found: Any = answer.decode() if isinstance(answer, bytes) else answer  # Any: one of the three words
        claim: Claim = found
        return claim

    def finish(self, event_id: str, token: str, now: float) -> bool:
        """Mark a claimed event as processed; whether the claim was still ours."""
        return bool(self._finish(keys=[self._prefix + event_id], args=[token, self._keep]))

    def release(self, event_id: str, token: str) -> None:
        """Give a claim back, if it is still ours."""
        self._finish(keys=[self._prefix + event_id], args=[token, ""])

    def prune(self, before: float) -> int:
        """Nothing to do: Redis forgets by itself."""
        return 0
