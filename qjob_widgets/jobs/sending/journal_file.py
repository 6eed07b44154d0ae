"""The journal's file: SQLite as the journal uses it, and who in this process holds which composite.

The connection is open only while something is being sent. Whatever goes wrong is one warning: jobs are sent
without a journal rather than not at all.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

from qjob_widgets.jobs.sending.lease import Leases

logger = logging.getLogger(__name__)

KEPT_DAYS = 30
"""So long are refused and cancelled parts kept for a rerun in another process. Unsent ones stay."""
CIRCUITS_DAYS = 90
"""So long is it kept in words which circuits jobs have; after that the service is asked."""
PATIENCE = 10.0
"""Seconds to wait for another process that is writing."""

_SCHEMA = """
PRAGMA auto_vacuum = FULL;
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS composites (
    number INTEGER PRIMARY KEY AUTOINCREMENT,       -- also the byte of its lease, so never used again
    service TEXT NOT NULL, id TEXT NOT NULL,
    kind TEXT, name TEXT, tags TEXT, backend TEXT,  -- tags are a JSON list
    process INTEGER,                                -- who sends it, or did last
    UNIQUE (service, id)
);
CREATE TABLE IF NOT EXISTS parts (
    number INTEGER NOT NULL,
    job INTEGER NOT NULL, total INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    state TEXT NOT NULL, reason TEXT,
    since REAL NOT NULL,                            -- of the state, in seconds since 1970
    known TEXT NOT NULL,                            -- JSON list: ids of its earlier submissions
    body BLOB,                                      -- NULL where the service has an earlier submission
    key TEXT,                                       -- what its submission is called, each time it is sent
    began REAL,                                     -- of a request without an answer, in seconds since 1970
    PRIMARY KEY (number, job)
);
CREATE TABLE IF NOT EXISTS known (                  -- jobs of which it is known which circuits they have
    number INTEGER PRIMARY KEY, service TEXT NOT NULL, id TEXT NOT NULL, since REAL NOT NULL,
    UNIQUE (service, id)
);
CREATE TABLE IF NOT EXISTS circuits (
    number INTEGER NOT NULL, job INTEGER NOT NULL,
    label TEXT NOT NULL, said BLOB NOT NULL,        -- deflated JSON list: names and values
    PRIMARY KEY (number, job)
);
"""
_LATER = {"key": "TEXT", "began": "REAL"}
"""Columns of `parts` that a file of an earlier version does not have."""

Value = TypeVar("Value")


class JournalFile:
    """One file of a process. Get it with `opened`, so that there is one object a file.

    Args:
        path: The file, made when something is first written; readable by this user alone.
        temporary: Whether it goes with a service that ends with this process.
    """

    def __init__(self, path: Path, *, temporary: bool = False) -> None:
        self._path = path
        self._temporary = temporary
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self._sql: sqlite3.Connection | None = None
        self._leases: Leases | None = None
        self._holders: dict[int, object] = {}
        self._told: set[str] = set()
        self._useless = False
        self._pruned = False

    @property
    def version(self) -> object:
        """Changes when anybody writes; None where there is no file."""
        found: list[tuple[int, int]] = []
        for path in (self._path, self._path.with_name(f"{self._path.name}-wal")):
            with suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size))
        return tuple(found) or None

    def do(
        self, work: Callable[[sqlite3.Connection], Value], *, make: bool = False, sync: bool = False
    ) -> Value | None:
        """What `work` gives, done in one transaction; None where the journal cannot be used.

        Args:
            work: What to do.
            make: Make the file if it is not there.
            sync: Return when it is on disk, power cuts included.
        """
        # A forked child owns nothing: the connection and the leases are its parent's.
        if self._useless or os.getpid() != self._owner or not (make or self._path.exists()):
            return None
        with self._lock:
            try:
                sql = self._sql or self._open()
                sql.execute(f"PRAGMA synchronous = {self._synchronous(sync)}")
                sql.execute("BEGIN IMMEDIATE")
                try:
                    found = work(sql)
                except BaseException:
                    sql.execute("ROLLBACK")
                    raise
                sql.execute("COMMIT")
                return found
            except (sqlite3.Error, OSError) as error:
                self._warn(error)
                return None
            finally:
                if not self._holders:
                    self._close()

    def hold(self, number: int, who: object) -> bool:
        """Take the lease of composite `number` for `who`; False if someone else holds it. Inside `do`."""
        holder = self._holders.get(number)
        if holder is None and self._leases is not None and self._leases.take(number):
            self._holders[number] = holder = who
        return holder is who

    def drop(self, number: int) -> None:
        """Give the lease of composite `number` back. Inside `do`."""
        if self._holders.pop(number, None) is not None and self._leases is not None:
            self._leases.drop(number)

    def _synchronous(self, sync: bool) -> str:
        return "OFF" if self._temporary else "FULL" if sync else "NORMAL"

    def _open(self) -> sqlite3.Connection:
        if not self._temporary:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made before SQLite would, which knows no such permissions; its own files take them over.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._leases = self._leases or Leases(self._path.with_suffix(".leases"))
        self._sql = sql = sqlite3.connect(
            self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        with closing(sql.cursor()) as cursor:
            cursor.executescript(_SCHEMA)
            there = {row[1] for row in cursor.execute("PRAGMA table_info(parts)")}
            for name in _LATER.keys() - there:
                cursor.execute(f"ALTER TABLE parts ADD COLUMN {name} {_LATER[name]}")
        if not self._pruned:
            self._pruned = True
            self._prune(sql)
        return sql

    def _prune(self, sql: sqlite3.Connection) -> None:
        sql.execute("BEGIN IMMEDIATE")
        oldest = time.time() - KEPT_DAYS * 86_400
        sql.execute("DELETE FROM parts WHERE state != 'unsent' AND since < ?", (oldest,))
        stale = "SELECT number FROM known WHERE since < ?"
        old = time.time() - CIRCUITS_DAYS * 86_400
        sql.execute(f"DELETE FROM circuits WHERE number IN ({stale})", (old,))
        sql.execute("DELETE FROM known WHERE since < ?", (old,))
        # Without tags: killed before all was written, so nobody has been told of it and nothing was sent.
        dead = "SELECT number FROM composites WHERE tags IS NULL OR number NOT IN (SELECT number FROM parts)"
        for (number,) in sql.execute(dead).fetchall():
            if self.hold(number, self):
                sql.execute("DELETE FROM parts WHERE number = ?", (number,))
                sql.execute("DELETE FROM composites WHERE number = ?", (number,))
                self.drop(number)
        sql.execute("COMMIT")

    def _close(self) -> None:
        sql, self._sql = self._sql, None
        leases, self._leases = self._leases, None
        if sql is not None:
            sql.close()
        if leases is not None:
            leases.close()

    def _warn(self, error: Exception) -> None:
        # A temporary service that was closed has taken its folder with it: nothing is lost by that.
        if self._temporary and not self._path.parent.exists():
            return
        # What SQLite calls operational may pass (locked, disk full); all else is a file that is no journal.
        self._useless = not isinstance(error, (sqlite3.OperationalError, OSError))
        if str(error) not in self._told:
            self._told.add(str(error))
            logger.warning(
                "The journal %s cannot be used (%s): jobs are sent all the same, but what is not sent yet is"
                " lost if this process is killed. If this goes on, move that file away; a new one is made.",
                self._path,
                error,
            )


_opened: dict[tuple[int, Path], JournalFile] = {}
_opening = threading.Lock()


def opened(path: Path, *, temporary: bool = False) -> JournalFile:
    """The one object of this process for the journal at `path`."""
    key = (os.getpid(), path.absolute())
    with _opening:
        if key not in _opened:
            _opened[key] = JournalFile(key[1], temporary=temporary)
        return _opened[key]
