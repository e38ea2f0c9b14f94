"""Stores for the claims of an inbox.

`SQLite` uses one file and the standard library, `PostgreSQL` uses psycopg 3, and `Redis` uses redis-py.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pinstripe._lazy import LazyModule
from pinstripe.errors import InvalidArgumentError
from pinstripe.webhooks.inbox import RETENTION, ClaimResult, Outcome

if TYPE_CHECKING:
    from pinstripe import events as _events
else:
    _events = LazyModule("pinstripe.events")

__all__ = ["PostgreSQL", "Redis", "SQLite", "TransactionalInbox"]

SCHEMA_VERSION = 1
"""Schema version of SQLite files, in ``pragma user_version``; files of version 0 have the same schema."""
LOCK_TIMEOUT = 30.0
"""Seconds to wait for another process that writes to a SQLite file."""
SCHEMA_LOCK = 7238461950
"""Key of the PostgreSQL advisory lock that is held while the table is created."""
TRANSACTION_TOKEN = "joined"  # noqa: S105  # names a claim, not a secret
"""Token of claims that are made and finished in one transaction."""

_CREATE_TABLE = """create table if not exists pinstripe_inbox
    (event_id text primary key, token text not null, until double precision not null, done double precision)"""
# Claims an event that has no claim or an expired one; returns a row only if it did.
_CLAIM = """insert into pinstripe_inbox (event_id, token, until) values (?, ?, ?)
    on conflict (event_id) do update set token = excluded.token, until = excluded.until
    where pinstripe_inbox.done is null and pinstripe_inbox.until <= ? returning token"""
_SELECT_DONE = "select done from pinstripe_inbox where event_id = ?"
_FINISH = "update pinstripe_inbox set done = ? where event_id = ? and token = ? and done is null returning token"
_RELEASE = "delete from pinstripe_inbox where event_id = ? and token = ? and done is null"
_PRUNE = "delete from pinstripe_inbox where done < ?"


class _SQLStore:
    """The methods of both SQL stores: the same statements, each in a transaction of its own."""

    def __init__(self, cursor: Callable[[], AbstractContextManager[Any]]) -> None:  # Any: a DB-API cursor
        self._cursor = cursor

    def claim(self, event_id: str, token: str, now: float, lease: float) -> ClaimResult:
        """Claim an event that has no claim, or whose claim has expired."""
        with self._cursor() as cursor:
            return _claim(cursor.execute, event_id, token, now, now + lease)

    def finish(self, event_id: str, token: str, now: float) -> bool:
        """Mark a claimed event as processed; return whether the claim was still valid."""
        with self._cursor() as cursor:
            return cursor.execute(_FINISH, (now, event_id, token)).fetchone() is not None

    def release(self, event_id: str, token: str) -> None:
        """Release a claim if it is still valid."""
        with self._cursor() as cursor:
            cursor.execute(_RELEASE, (event_id, token))

    def prune(self, before: float) -> int:
        """Remove events processed before a time; return how many."""
        with self._cursor() as cursor:
            return int(cursor.execute(_PRUNE, (before,)).rowcount)


def _claim(
    execute: Callable[..., Any],  # Any: a DB-API cursor
    event_id: str,
    token: str,
    now: float,
    until: float,
) -> ClaimResult:
    if execute(_CLAIM, (event_id, token, until, now)).fetchone():
        return "claimed"
    row = execute(_SELECT_DONE, (event_id,)).fetchone()
    return "done" if row and row[0] is not None else "busy"


class _Connection(sqlite3.Connection):
    """A connection that closes when the thread that owns it ends."""

    def __del__(self) -> None:
        self.close()


class SQLite(_SQLStore):
    """Claims in a SQLite file: for one machine, with any number of processes and threads.

    Raises `InvalidArgumentError` if a newer version of pinstripe wrote the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if os.fspath(path) == ":memory:":
            raise InvalidArgumentError(
                "path: an inbox in memory would lose its claims when the process ends; pass the path of a file.",
                param="path",
            )
        super().__init__(self._open)
        self._path = os.fspath(path)
        self._local = threading.local()
        with self._open() as cursor:
            self._migrate(cursor)

    def _migrate(self, cursor: sqlite3.Cursor) -> None:
        """Create the table, or upgrade a file of an older version."""
        (version,) = cursor.execute("pragma user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise InvalidArgumentError(
                f"path: {self._path} has schema version {version}, but this version of pinstripe supports versions up "
                f"to {SCHEMA_VERSION}. Upgrade pinstripe, or pass another file if this one belongs to another program.",
                param="path",
            )
        cursor.execute("pragma journal_mode = wal")
        cursor.execute(_CREATE_TABLE)
        if version < SCHEMA_VERSION:
            cursor.execute(f"pragma user_version = {SCHEMA_VERSION}")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Cursor]:
        connection = getattr(self._local, "connection", None)
        if connection is None or self._local.process != os.getpid():
            connection = sqlite3.connect(
                self._path, timeout=LOCK_TIMEOUT, isolation_level=None, factory=_Connection, check_same_thread=False
            )
            self._local.connection, self._local.process = connection, os.getpid()
        with closing(connection.cursor()) as cursor:
            yield cursor

    def close(self) -> None:
        """Close the connection of the current thread."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


class PostgreSQL(_SQLStore):
    """Claims in a PostgreSQL table. https://www.psycopg.org/psycopg3/docs/

    ``connect`` returns a psycopg connection as a context manager: ``ConnectionPool(...).connection``, or
    ``lambda: psycopg.connect("...")``.
    """

    def __init__(self, connect: Callable[[], AbstractContextManager[Any]]) -> None:  # Any: a psycopg connection
        super().__init__(self._open)
        self._connect = connect
        with self._open() as cursor:
            # Concurrent `create table if not exists` statements can fail with a unique violation.
            cursor.execute(f"select pg_advisory_xact_lock({SCHEMA_LOCK})")
            cursor.execute(_CREATE_TABLE)

    @contextmanager
    def _open(self) -> Iterator[_QuestionMarkCursor]:
        with self._connect() as connection, connection.transaction(), connection.cursor() as cursor:
            yield _QuestionMarkCursor(cursor)

    def process_in(
        self,
        connection: Any,  # Any: a psycopg connection, in a transaction
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], object],  # Any: the event
    ) -> Outcome:
        """Run a handler in the caller's transaction, so that its writes and the mark of the event commit together.

        Another delivery of the event waits until that transaction ends. If the handler raises, roll back: this also
        releases the event.
        """
        now = time.time()
        with connection.cursor() as psycopg_cursor:
            cursor = _QuestionMarkCursor(psycopg_cursor)
            claim = _claim(cursor.execute, event.id, TRANSACTION_TOKEN, now, now)
            if claim != "claimed":
                return "duplicate" if claim == "done" else "busy"
            cursor.execute(_FINISH, (now, event.id, TRANSACTION_TOKEN))
        handle(event)
        return "processed"


@dataclass
class TransactionalInbox:
    """An inbox that runs each handler in a transaction, so that its writes and the mark of the event commit together.

    Handlers write with the psycopg connection in ``connection`` and must not commit. Pass this to a receiver or to the
    Celery queue instead of an `Inbox`. https://www.psycopg.org/psycopg3/docs/basic/transactions.html
    """

    store: PostgreSQL

    @property
    def connection(self) -> Any:  # Any: a psycopg connection
        """The connection of the transaction that the handler runs in. Raises ``LookupError`` outside of a handler."""
        return _connection.get()

    def process(
        self,
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], object],  # Any: the event
    ) -> Outcome:
        """Run a handler on an event in a transaction; if the handler raises, roll back and re-raise."""
        with self.store._connect() as connection, connection.transaction():
            token = _connection.set(connection)
            try:
                return self.store.process_in(connection, event, handle)
            finally:
                _connection.reset(token)

    async def aprocess(
        self,
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], Coroutine[Any, Any, object]],  # Any: the event; asyncio's types
    ) -> Outcome:
        """Run an async handler like `process`, in a thread and in an event loop of its own."""
        return await asyncio.to_thread(self.process, event, lambda event: asyncio.run(handle(event)))


_connection: ContextVar[Any] = ContextVar("pinstripe inbox connection")  # Any: a psycopg connection


@dataclass
class _QuestionMarkCursor:
    """A psycopg cursor whose placeholders are question marks, as in SQLite."""

    cursor: Any  # Any: a psycopg cursor

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> Any:  # Any: a psycopg cursor
        """Run a statement and return the cursor."""
        return self.cursor.execute(statement.replace("?", "%s"), parameters)


# KEYS: the event. ARGV: token, now, until, seconds to retain the claim. A value is "<token> <until>", or "done".
_REDIS_CLAIM = """
local value = redis.call("get", KEYS[1])
if value == "done" then return "done" end
if value and tonumber(string.match(value, " (%S+)$")) > tonumber(ARGV[2]) then return "busy" end
redis.call("set", KEYS[1], ARGV[1] .. " " .. ARGV[3], "EX", ARGV[4])
return "claimed"
"""
# KEYS: the event. ARGV: token, seconds to retain the mark; empty to release the claim.
_REDIS_FINISH = """
local value = redis.call("get", KEYS[1])
if not value or string.match(value, "^(.*) %S+$") ~= ARGV[1] then return 0 end
if ARGV[2] == "" then redis.call("del", KEYS[1]) else redis.call("set", KEYS[1], "done", "EX", ARGV[2]) end
return 1
"""


class Redis:
    """Claims in Redis, which removes them after ``retention`` seconds. ``client`` is a ``redis.Redis``.

    Use a Redis that persists its data (AOF) and does not evict keys: events whose keys are lost may be processed again.
    https://redis.io/docs/
    """

    def __init__(
        self,
        client: Any,  # Any: a redis-py client
        *,
        prefix: str = "pinstripe:inbox:",
        retention: float = RETENTION,
    ) -> None:
        self._prefix, self._retention = prefix, int(retention)
        self._claim = client.register_script(_REDIS_CLAIM)
        self._finish = client.register_script(_REDIS_FINISH)

    def claim(self, event_id: str, token: str, now: float, lease: float) -> ClaimResult:
        """Claim an event that has no claim, or whose claim has expired."""
        arguments = [token, repr(now), repr(now + lease), self._retention]
        response = self._claim(keys=[self._prefix + event_id], args=arguments)
        result = response.decode() if isinstance(response, bytes) else response
        return cast("ClaimResult", result)  # the script returns nothing else

    def finish(self, event_id: str, token: str, now: float) -> bool:
        """Mark a claimed event as processed; return whether the claim was still valid."""
        return bool(self._finish(keys=[self._prefix + event_id], args=[token, self._retention]))

    def release(self, event_id: str, token: str) -> None:
        """Release a claim if it is still valid."""
        self._finish(keys=[self._prefix + event_id], args=[token, ""])

    def prune(self, before: float) -> int:
        """Do nothing and return 0: Redis removes old events itself."""
        return 0
