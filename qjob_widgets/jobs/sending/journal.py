"""The journal: what was asked to be sent and is not yet accepted, in a file that outlives the kernel.

A composite writes what each of its parts is made of before the first byte is sent. A part leaves the journal
when the service has accepted it, a composite with its last part; which circuits it had stays, in words. What
a killed process left is found again by the composite's id and sent by `CompositeJob.resume()`.

Rows are keyed by the instance's CRN, else by the service's address. No token is in the file. Request bodies
are kept without tags, which may change before they are sent.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from qjob_widgets.errors import QJobError
from qjob_widgets.jobs.sending.journal_file import JournalFile, opened
from qjob_widgets.jobs.sending.kept_circuits import KeptCircuits, keep
from qjob_widgets.monitor.described import KnownCircuits
from qjob_widgets.tags import Place

UNSENT, REFUSED, CANCELLED = "unsent", "refused", "cancelled"

_COMPOSITE = "FROM composites WHERE service = ? AND id = ?"
_PART = f"WHERE number = (SELECT number {_COMPOSITE}) AND job = ?"

_INSERT = (
    'INSERT INTO parts (number, job, total, start, "end", state, since, known, body, key)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state,"
    " reason = NULL, since = excluded.since, known = excluded.known,"
    # A request of an earlier process may still be on its way: this one is then the same submission.
    " body = coalesce(excluded.body, body), key = coalesce(key, excluded.key)"
)

Value = TypeVar("Value")


def user_file() -> Path:
    """The journal of this user: in `QJOB_WIDGETS_HOME`, else where the system keeps a program's data."""
    from platformdirs import user_data_path

    home = os.environ.get("QJOB_WIDGETS_HOME")
    return (Path(home) if home else user_data_path("qjob_widgets", appauthor=False)) / "journal.sqlite3"


class Busy(QJobError):
    """Somebody else is sending the composite's parts."""


@dataclass(frozen=True)
class Header:
    """What the parts of a composite have in common."""

    kind: str = "run"
    name: str | None = None
    tags: tuple[str, ...] = ()
    backend: str = ""


@dataclass(frozen=True)
class Planned:
    """A part that is to be sent; `body` is None where the service has an earlier submission of it.

    `circuits` says which it has; None where that has been written before, or shall not be.
    """

    place: Place
    known_ids: frozenset[str] = frozenset()
    body: bytes | None = None
    key: str = ""
    circuits: KnownCircuits | None = None


@dataclass(frozen=True)
class Kept:
    """A part that the journal has; `state` is UNSENT, REFUSED (with a reason) or CANCELLED."""

    place: Place
    state: str
    reason: str | None
    known_ids: frozenset[str]


@dataclass(frozen=True)
class Attempt:
    """What a part's submission is called, each time that it is sent.

    `age` is how many seconds ago a request of it began whose answer nobody has heard, None if there is none.
    """

    key: str
    age: float | None = None


class Journal:
    """The journal of one service.

    Args:
        service: What tells the service from others: its CRN, else its address.
        file: The SQLite file, made when the first job is written; None is the user's.
        temporary: Whether service and file end with this process: nothing survives a power cut then.
    """

    def __init__(self, service: str, file: Path | None = None, *, temporary: bool = False) -> None:
        self._service = service
        self._file = opened(file or user_file(), temporary=temporary)
        self.circuits = KeptCircuits(service, self._file)

    def intent(self, composite_id: str) -> Intent:
        """What it says of one composite."""
        return Intent(composite_id, self._service, self._file)


class Intent:
    """What one composite means to send. Where there is no journal, it writes and finds nothing.

    Its lease says who may send the composite's parts: at one time one object of one process.
    """

    def __init__(self, composite_id: str, service: str = "", file: JournalFile | None = None) -> None:
        self._composite_id = composite_id
        self._key = (service, composite_id)
        self._file = file
        self._number: int | None = None
        """Number of the composite while the lease is held."""

    @property
    def journaled(self) -> bool:
        """Whether there is a journal at all."""
        return self._file is not None

    def acquire(self) -> None:
        """Take the lease, until `rest`.

        Raises:
            Busy: If somebody else has it.
        """
        if self._number is None and self._file is not None:
            file = self._file
            found = file.do(lambda sql: self._taken(sql, file), make=True)
            if isinstance(found, Busy):
                raise found
            self._number = found

    def _taken(self, sql: sqlite3.Connection, file: JournalFile) -> int | Busy:
        sql.execute("INSERT OR IGNORE INTO composites (service, id) VALUES (?, ?)", self._key)
        number, process = sql.execute(f"SELECT number, process {_COMPOSITE}", self._key).fetchone()
        if not file.hold(number, self):
            return Busy(
                f"The parts of {self._composite_id} are being sent by {_named(process)}. Wait until that is"
                " done, or end that process, and try again."
            )
        sql.execute("UPDATE composites SET process = ? WHERE number = ?", (os.getpid(), number))
        return int(number)

    def rest(self) -> None:
        """Give the lease back. A composite without parts leaves the journal."""
        number, self._number = self._number, None
        if number is None or self._file is None:
            return
        file = self._file

        def give_back(sql: sqlite3.Connection) -> None:
            sql.execute(
                "DELETE FROM composites WHERE number = ?1"
                " AND NOT EXISTS (SELECT 1 FROM parts WHERE number = ?1)",
                (number,),
            )
            file.drop(number)

        file.do(give_back)

    def holder(self) -> str | None:
        """Who else is sending the composite's parts, in words; None if nobody is."""
        file = self._file
        if file is None or self._number is not None:
            return None

        def find(sql: sqlite3.Connection) -> str | None:
            row = sql.execute(f"SELECT number, process {_COMPOSITE}", self._key).fetchone()
            if row is None:
                return None
            if file.hold(row[0], self):
                file.drop(row[0])
                return None
            return _named(row[1])

        return file.do(find)

    def plan(self, header: Header, parts: Iterable[Planned]) -> bool:
        """Write down what is to be sent, with the lease held.

        Returns:
            Whether all of it is on disk; otherwise it is lost if this process is killed.
        """
        number, file = self._number, self._file
        if number is None or file is None:
            return False
        facts = (header.kind, header.name, json.dumps(header.tags), header.backend, number)
        statement = "UPDATE composites SET kind = ?, name = ?, tags = ?, backend = ? WHERE number = ?"
        # A transaction a part: making thousands of bodies must not keep other processes waiting.
        written = all(file.do(self._insert(number, part)) for part in parts)
        return bool(written and file.do(lambda sql: sql.execute(statement, facts), sync=True))

    def _insert(self, number: int, part: Planned) -> Callable[[sqlite3.Connection], bool]:
        place = part.place
        values = (number, place.job, place.total, place.start, place.end, UNSENT, time.time())
        facts = (*values, json.dumps(sorted(part.known_ids)), part.body, part.key)

        def insert(sql: sqlite3.Connection) -> bool:
            sql.execute(_INSERT, facts)
            if part.circuits is not None:
                keep(sql, self._key, place.job, part.circuits)
            return True

        return insert

    def relabel(self, header: Header) -> None:
        """The composite has another name or other tags."""
        facts = (header.name, json.dumps(header.tags), *self._key)
        self._do(
            lambda sql: sql.execute(
                "UPDATE composites SET name = ?, tags = ? WHERE service = ? AND id = ?", facts
            )
        )

    @property
    def header(self) -> Header | None:
        """What was written of the composite as a whole; None if the journal does not have it."""
        row = self._do(
            lambda sql: sql.execute(f"SELECT kind, name, tags, backend {_COMPOSITE}", self._key).fetchone()
        )
        if row is None or row[2] is None:
            return None
        return Header(row[0], row[1], tuple(json.loads(row[2])), row[3])

    def parts(self) -> dict[int, Kept]:
        """The parts that the journal has, by index."""
        rows = self._do(
            lambda sql: sql.execute(
                'SELECT job, total, start, "end", state, reason, known FROM parts'
                f" WHERE number = (SELECT number {_COMPOSITE}) ORDER BY job",
                self._key,
            ).fetchall()
        )
        return {
            row[0]: Kept(Place(*row[:4]), row[4], row[5], frozenset(json.loads(row[6]))) for row in rows or ()
        }

    def body(self, index: int) -> bytes | None:
        """The request body of a part, without tags; None if the journal does not have it."""
        row = self._do(
            lambda sql: sql.execute(f"SELECT body FROM parts {_PART}", (*self._key, index)).fetchone()
        )
        return None if row is None else row[0]

    def attempt(self, index: int) -> Attempt | None:
        """Under which key a part is sent, by whatever process; None if the journal does not have it."""
        row = self._do(
            lambda sql: sql.execute(f"SELECT key, began FROM parts {_PART}", (*self._key, index)).fetchone()
        )
        if row is None or row[0] is None:
            return None
        return Attempt(row[0], None if row[1] is None else max(0.0, time.time() - row[1]))

    def begun(self, index: int) -> None:
        """A request with this part is sent now."""
        self._each(f"UPDATE parts SET began = ? {_PART}", [(time.time(), *self._key, index)])

    def answered(self, index: int) -> None:
        """The service has answered that it does not have this part."""
        self._each(f"UPDATE parts SET began = NULL {_PART}", [(*self._key, index)])

    def accepted(self, indexes: Iterable[int]) -> None:
        """The service has these parts: they leave the journal."""
        self._each(f"DELETE FROM parts {_PART}", [(*self._key, index) for index in indexes])

    def refused(self, index: int, why: str) -> None:
        """The service does not take this part; it is kept for a rerun."""
        self._settled([index], REFUSED, why)

    def cancelled(self, indexes: Iterable[int]) -> None:
        """These parts were cancelled before they were sent; they are kept for a rerun."""
        self._settled(indexes, CANCELLED, None)

    def _settled(self, indexes: Iterable[int], state: str, reason: str | None) -> None:
        facts = (state, reason, time.time())
        self._each(
            f"UPDATE parts SET state = ?, reason = ?, since = ? {_PART}",
            [(*facts, *self._key, index) for index in indexes],
        )

    def _each(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            self._do(lambda sql: sql.executemany(statement, rows))

    def _do(self, work: Callable[[sqlite3.Connection], Value]) -> Value | None:
        return None if self._file is None else self._file.do(work)


def _named(process: int | None) -> str:
    return "this process" if process == os.getpid() else f"process {process}"


def with_tags(body: bytes, tags: Sequence[str], session_id: str | None = None) -> bytes:
    """A request body with these tags in the place of its own, and in this session."""
    request: Mapping[str, object] = json.loads(body)
    session = {} if session_id is None else {"session_id": session_id}
    return json.dumps({**request, "tags": list(tags), **session}).encode()
