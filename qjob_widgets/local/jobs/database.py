"""SQLite as the service uses it: one connection that writes, under one lock; one reader for each thread."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from qjob_widgets.errors import QJobError

FILE = "jobs.sqlite"
"""Its name in a service's folder."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    reason TEXT, reason_code INTEGER,
    created INTEGER NOT NULL, running INTEGER, finished INTEGER,  -- microseconds since 1970, UTC
    seconds REAL,                                                 -- execution time
    backend TEXT NOT NULL, program TEXT NOT NULL, session_id TEXT,
    private INTEGER NOT NULL, cost INTEGER NOT NULL, caller TEXT,
    tags TEXT NOT NULL,                                           -- JSON list, order kept
    script TEXT,                                                  -- JSON of a scripted outcome
    image TEXT NOT NULL DEFAULT '',
    estimate REAL,                                                -- expected seconds from start to end
    key TEXT,                                                     -- what its sender calls this submission
    place INTEGER NOT NULL DEFAULT 0                              -- in the line of its backend: see `line`
);
CREATE INDEX IF NOT EXISTS jobs_open ON jobs (created) WHERE status IN ('Queued', 'Running');
CREATE INDEX IF NOT EXISTS jobs_created ON jobs (created);
CREATE INDEX IF NOT EXISTS jobs_of_backend ON jobs (backend, created);
CREATE INDEX IF NOT EXISTS jobs_of_program ON jobs (program, created);
CREATE INDEX IF NOT EXISTS jobs_in_session ON jobs (session_id, created) WHERE session_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, mode TEXT NOT NULL, backend TEXT NOT NULL, max_ttl INTEGER NOT NULL,
    created INTEGER NOT NULL, stopped INTEGER  -- stopped taking jobs
);
CREATE TABLE IF NOT EXISTS job_tags (
    tag TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (tag, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payloads (number INTEGER PRIMARY KEY, params BLOB, result BLOB, logs TEXT);
CREATE TABLE IF NOT EXISTS interim (
    number INTEGER NOT NULL, place INTEGER NOT NULL, result TEXT NOT NULL, PRIMARY KEY (number, place)
) WITHOUT ROWID;
"""

_LATER = {
    "image": "TEXT NOT NULL DEFAULT ''",
    "estimate": "REAL",
    "key": "TEXT",
    "place": "INTEGER NOT NULL DEFAULT 0",
}
"""Columns of `jobs` that a file of an earlier version does not have."""

_INDEXES_OF_THEM = """
CREATE UNIQUE INDEX IF NOT EXISTS jobs_key ON jobs (key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_line ON jobs (backend, place, number, program) WHERE status = 'Queued';
CREATE INDEX IF NOT EXISTS jobs_of_session ON jobs (session_id, place) WHERE session_id IS NOT NULL;
DROP INDEX IF EXISTS jobs_queued;
DROP INDEX IF EXISTS jobs_session;
"""


class Database:
    """The file of one service.

    Args:
        file: Where it is; made if it is not there.
        durable: Whether what was written must survive a power cut of the machine.

    Raises:
        QJobError: If what is there is no such file.
    """

    def __init__(self, file: Path, *, durable: bool) -> None:
        self._file = file
        self._local = threading.local()
        self._lock = threading.Lock()
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # it holds the service's token
        file.chmod(0o600)
        self._writer = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._writer.row_factory = sqlite3.Row
        try:
            self._prepare(durable)
        except sqlite3.DatabaseError as error:
            self._writer.close()
            raise QJobError(
                f"The jobs in {str(file)!r} cannot be used ({error}); move this file away, or choose another"
                " path."
            ) from None

    def _prepare(self, durable: bool) -> None:
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        self._writer.executescript(_SCHEMA)
        there = {row["name"] for row in self._writer.execute("PRAGMA table_info(jobs)")}
        for name in _LATER.keys() - there:
            self._writer.execute(f"ALTER TABLE jobs ADD COLUMN {name} {_LATER[name]}")
        self._writer.executescript(_INDEXES_OF_THEM)

    @property
    def reader(self) -> sqlite3.Connection:
        """This thread's connection for reading."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._file, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
        return connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The writing connection, in a transaction: all of the block happens, or nothing."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def remembered(self, name: str, fresh: str) -> str:
        """What was remembered under this name, which from now on is `fresh` if there was nothing."""
        with self.writing() as sql:
            sql.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, fresh))
            (value,) = sql.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(value)

    def remember(self, name: str, value: str) -> None:
        """Remember a value under this name, in place of what was there."""
        with self.writing() as sql:
            sql.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def compact(self) -> None:
        """Give the space of what was deleted back to the file system."""
        with self._lock:
            self._writer.execute("VACUUM")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the writing connection; those that read end with their threads."""
        with self._lock:
            self._writer.close()
