"""Stores for the entries of inboxes.

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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pinstripe._lazy import LazyModule
from pinstripe.errors import InvalidArgumentError
from pinstripe.webhooks._claim import ClaimResult, EntryKey
from pinstripe.webhooks._redis import Redis
from pinstripe.webhooks.inbox import DEFAULT_NAME, Outcome, register

if TYPE_CHECKING:
    from pinstripe import events as _events
else:
    _events = LazyModule("pinstripe.events")

__all__ = ["PostgreSQL", "Redis", "SQLite", "TransactionalInbox"]

SCHEMA_VERSION = 2
"""Schema version of SQLite files, in ``pragma user_version``. Versions 0 and 1 have no columns ``inbox`` and ``handler``."""
MEMORY = ":memory:"
LOCK_TIMEOUT = 30.0
"""Seconds to wait for another process that writes to a SQLite file."""
LOCK_RETRY = 0.01
"""Seconds between attempts where SQLite itself does not wait."""
SCHEMA_LOCK = 7238461950
"""Key of the PostgreSQL advisory lock that is held while the table is created."""
TRANSACTION_TOKEN = "joined"  # noqa: S105  # names a claim, not a secret
"""Token of claims that are made and finished in one transaction."""

# A row without a handler is an event and its claim; a row with one is the mark of a handler that has finished.
_CREATE_TABLE = """create table if not exists pinstripe_inbox
    (inbox text not null, event_id text not null, handler text not null, token text not null,
    until double precision not null, done double precision, primary key (inbox, event_id, handler))"""
# Claims an event that has no claim or an expired one; returns a row only if it did.
_CLAIM = """insert into pinstripe_inbox (inbox, event_id, handler, token, until) values (?, ?, '', ?, ?)
    on conflict (inbox, event_id, handler) do update set token = excluded.token, until = excluded.until
    where pinstripe_inbox.done is null and pinstripe_inbox.until <= ? returning token"""
_EVENT = "inbox = ? and event_id = ? and handler = ''"
_CLAIMED = f"{_EVENT} and token = ? and done is null"
_SELECT_DONE = f"select done from pinstripe_inbox where {_EVENT}"  # noqa: S608  # constants
_SELECT_HANDLERS = "select handler from pinstripe_inbox where inbox = ? and event_id = ? and handler <> ''"
_RENEW = f"update pinstripe_inbox set until = ? where {_CLAIMED} returning token"  # noqa: S608  # constants
_FINISH = f"update pinstripe_inbox set done = ? where {_CLAIMED} returning token"  # noqa: S608  # constants
_FINISH_HANDLER = f"""insert into pinstripe_inbox (inbox, event_id, handler, token, until, done)
    select inbox, event_id, cast(? as text), token, until, cast(? as double precision) from pinstripe_inbox
    where {_CLAIMED}
    on conflict (inbox, event_id, handler) do update set done = excluded.done returning token"""  # noqa: S608  # constants
_RELEASE = f"delete from pinstripe_inbox where {_CLAIMED}"  # noqa: S608  # constants
_PRUNE = "delete from pinstripe_inbox where inbox = ? and (done < ? or done is null and until < ?)"


class _SQLStore:
    """The methods of both SQL stores: the same statements, each in a transaction of its own."""

    def __init__(self, cursor: Callable[[], AbstractContextManager[Any]]) -> None:  # Any: a DB-API cursor
        self._cursor = cursor

    def claim(self, key: EntryKey, token: str, now: float, lease: float) -> ClaimResult:
        """Claim an event that has no claim, or whose claim has expired."""
        with self._cursor() as cursor:
            result = _claim(cursor.execute, key, token, now, now + lease)
            if result.status != "claimed":
                return result
            rows = cursor.execute(_SELECT_HANDLERS, key).fetchall()
            return ClaimResult("claimed", frozenset(handler for (handler,) in rows))

    def renew(self, key: EntryKey, token: str, until: float) -> bool:
        """Let a claim expire later; return whether it was still valid."""
        with self._cursor() as cursor:
            return cursor.execute(_RENEW, (until, *key, token)).fetchone() is not None

    def finish(self, key: EntryKey, token: str, now: float, retention: float, handler: str = "") -> bool:
        """Mark a handler of a claimed event, or without a handler the event; return whether the claim was still valid.

        `prune` removes the marks.
        """
        with self._cursor() as cursor:
            if handler:
                return cursor.execute(_FINISH_HANDLER, (handler, now, *key, token)).fetchone() is not None
            return cursor.execute(_FINISH, (now, *key, token)).fetchone() is not None

    def release(self, key: EntryKey, token: str) -> None:
        """Release a claim if it is still valid; the marks of its handlers stay."""
        with self._cursor() as cursor:
            cursor.execute(_RELEASE, (*key, token))

    def prune(self, inbox: str, before: float) -> int:
        """Remove the entries of an inbox that were finished, or whose claim expired, before a time; return how many."""
        with self._cursor() as cursor:
            return int(cursor.execute(_PRUNE, (inbox, before, before)).rowcount)


def _claim(
    execute: Callable[..., Any],  # Any: a DB-API cursor
    key: EntryKey,
    token: str,
    now: float,
    until: float,
) -> ClaimResult:
    if execute(_CLAIM, (*key, token, until, now)).fetchone():
        return ClaimResult("claimed")
    row = execute(_SELECT_DONE, key).fetchone()
    return ClaimResult("done" if row and row[0] is not None else "busy")


class _Connection(sqlite3.Connection):
    """A connection that closes when the thread that owns it ends."""

    def __del__(self) -> None:
        self.close()


class SQLite(_SQLStore):
    """Entries in a SQLite file: for one machine, with any number of processes and threads.

    A relative path is resolved once. ``SQLite(":memory:")`` is for tests: its entries end with the store. Raises
    `InvalidArgumentError` if a newer version of pinstripe wrote the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        is_memory = os.fspath(path) == MEMORY
        super().__init__(self._open_memory if is_memory else self._open)
        self._path = MEMORY if is_memory else os.path.abspath(path)  # the current directory may change
        self._local = threading.local()
        self._memory_lock = threading.RLock()
        self._memory: _Connection | None = self._connect() if is_memory else None
        self._wait_for_lock(self._migrate)

    @property
    def location(self) -> object:
        """The file; the store itself if it is in memory."""
        return self if self._memory else ("sqlite", os.path.realpath(self._path))

    def _migrate(self) -> None:
        """Create the table, or upgrade a file of an older version."""
        with self._cursor() as cursor:
            self._check_version(cursor)
            cursor.execute("pragma journal_mode = wal")
            cursor.execute("begin immediate")
            try:
                version = self._check_version(cursor)
                columns = [name for _, name, *_ in cursor.execute("pragma table_info(pinstripe_inbox)").fetchall()]
                if columns and "inbox" not in columns:
                    cursor.execute("alter table pinstripe_inbox rename to pinstripe_inbox_1")
                cursor.execute(_CREATE_TABLE)
                if columns and "inbox" not in columns:
                    cursor.execute(
                        f"insert into pinstripe_inbox select '{DEFAULT_NAME}', event_id, '', token, until, done "  # noqa: S608  # constants
                        "from pinstripe_inbox_1"
                    )
                    cursor.execute("drop table pinstripe_inbox_1")
                if version < SCHEMA_VERSION:
                    cursor.execute(f"pragma user_version = {SCHEMA_VERSION}")
            except BaseException:
                cursor.execute("rollback")
                raise
            cursor.execute("commit")

    def _check_version(self, cursor: sqlite3.Cursor) -> int:
        version = int(cursor.execute("pragma user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise InvalidArgumentError(
                f"path: {self._path} has schema version {version}, but this version of pinstripe supports versions up "
                f"to {SCHEMA_VERSION}. Upgrade pinstripe, or pass another file if this one belongs to another program.",
                param="path",
            )
        return version

    def _wait_for_lock(self, work: Callable[[], None]) -> None:
        """Repeat work while the file is locked: SQLite does not wait when a process changes the journal mode."""
        deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            try:
                return work()
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(LOCK_RETRY)

    def _connect(self) -> _Connection:
        return sqlite3.connect(
            self._path, timeout=LOCK_TIMEOUT, isolation_level=None, factory=_Connection, check_same_thread=False
        )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Cursor]:
        connection = getattr(self._local, "connection", None)
        if connection is None or self._local.process != os.getpid():
            connection = self._connect()
            self._local.connection, self._local.process = connection, os.getpid()
        with closing(connection.cursor()) as cursor:
            yield cursor

    @contextmanager
    def _open_memory(self) -> Iterator[sqlite3.Cursor]:
        assert self._memory is not None  # noqa: S101  # for type checkers
        with self._memory_lock, closing(self._memory.cursor()) as cursor:
            yield cursor

    def close(self) -> None:
        """Close the connection of the current thread; in memory, the only one."""
        connection = self._memory or getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


_HAS_NO_NAMES = """select 1 where not exists (select 1 from pg_attribute
    where attrelid = to_regclass('pinstripe_inbox') and attname = 'inbox' and not attisdropped)"""
_ADD_NAMES = f"""alter table pinstripe_inbox
    add column inbox text not null default '{DEFAULT_NAME}', add column handler text not null default '',
    drop constraint pinstripe_inbox_pkey, add primary key (inbox, event_id, handler)"""


class PostgreSQL(_SQLStore):
    """Entries in a PostgreSQL table. https://www.psycopg.org/psycopg3/docs/

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
            if cursor.execute(_HAS_NO_NAMES).fetchone():
                cursor.execute(_ADD_NAMES)

    @property
    def location(self) -> object:
        """The function that connects: stores that share it share their entries."""
        return ("postgresql", self._connect)

    @contextmanager
    def _open(self) -> Iterator[_QuestionMarkCursor]:
        with self._connect() as connection, connection.transaction(), connection.cursor() as cursor:
            yield _QuestionMarkCursor(cursor)

    def process_in(
        self,
        connection: Any,  # Any: a psycopg connection, in a transaction
        event: _events.Event | _events.EventNotification,
        handle: Callable[[Any], object],  # Any: the event
        *,
        name: str = DEFAULT_NAME,
    ) -> Outcome:
        """Run a handler in the caller's transaction, so that its writes and the mark of the event commit together.

        Another delivery of the event waits until that transaction ends. If the handler raises, roll back: this also
        releases the event. ``name`` is the name of the inbox.
        """
        now, key = time.time(), EntryKey(name, event.id)
        with connection.cursor() as psycopg_cursor:
            cursor = _QuestionMarkCursor(psycopg_cursor)
            status = _claim(cursor.execute, key, TRANSACTION_TOKEN, now, now).status
            if status != "claimed":
                return "duplicate" if status == "done" else "busy"
            cursor.execute(_FINISH, (now, *key, TRANSACTION_TOKEN))
        handle(event)
        return "processed"


@dataclass(eq=False)
class TransactionalInbox:
    """An inbox that runs the handlers of an event in a transaction: their writes and the event's mark commit together.

    Handlers write with the psycopg connection in ``connection`` and must not commit. Pass this to a receiver or to the
    Celery queue instead of an `Inbox`. ``name`` is that of `Inbox`. https://www.psycopg.org/psycopg3/docs/basic/transactions.html
    """

    store: PostgreSQL
    name: str = field(default=DEFAULT_NAME, kw_only=True)

    def __post_init__(self) -> None:
        register(self, self.store.location, self.name)

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
                return self.store.process_in(connection, event, handle, name=self.name)
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
