"""Which circuits jobs have, in words, kept in the journal's file beyond the day on which they were submitted.

Written with the parts themselves, and read without a request. A single job is kept under the mark that it
carries as a tag, as part 0.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from qjob_widgets.jobs.sending.journal_file import JournalFile
from qjob_widgets.monitor.described import Described, KnownCircuits

LOOK_AGAIN = 1.0
"""Seconds until what was not there is looked for again, if anything has been written since."""
REMEMBERED = 16
"""Composites whose labels stay in memory."""
_SINGLE = ""
"""Stands for all single jobs, which are read together."""

_NUMBER = "(SELECT number FROM known WHERE service = ? AND id = ?)"


@dataclass(frozen=True)
class _Looked:
    """Labels, and when and in which version of the file they were found."""

    at: float = float("-inf")
    version: object = None
    labels: Mapping[object, str] = field(default_factory=dict)


def keep(sql: sqlite3.Connection, key: tuple[str, str], index: int, found: KnownCircuits) -> None:
    """Write down which circuits part `index` of the job has that `key` names: its service, and its id."""
    sql.execute("INSERT OR IGNORE INTO known (service, id, since) VALUES (?, ?, ?)", (*key, time.time()))
    said = json.dumps([[one.name, dict(one.parameters)] for one in found.described])
    label = found.label.encode("utf-8", "replace").decode()  # names may hold halves of characters
    sql.execute(
        f"INSERT OR IGNORE INTO circuits (number, job, label, said) VALUES ({_NUMBER}, ?, ?, ?)",
        (*key, index, label, zlib.compress(said.encode(), 1)),
    )


class KeptCircuits:
    """What is kept of the jobs of one service.

    Args:
        service: What tells the service from others.
        file: The journal's file.
        clock: Seconds.
    """

    def __init__(
        self, service: str, file: JournalFile, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._service, self._file, self._clock = service, file, clock
        self._lock = threading.Lock()
        self._labels: dict[str, _Looked] = {}

    def keep(self, job_id: str, index: int, found: KnownCircuits) -> None:
        """Write down which circuits a part has."""
        self._file.do(lambda sql: keep(sql, (self._service, job_id), index, found), make=True)

    def label(self, job_id: str, index: int, *, single: bool) -> str:
        """The label of a part; "" if it is not there. One look at the file gives those of a whole composite,
        or of all single jobs."""
        among, wanted = (_SINGLE, job_id) if single else (job_id, index)
        with self._lock:
            looked = self._labels.pop(among, _Looked())
            if wanted not in looked.labels and self._clock() - looked.at >= LOOK_AGAIN:
                version = self._file.version
                if version != looked.version:
                    found = self._file.do(lambda sql: self._read(sql, among))
                    looked = _Looked(self._clock(), version, dict(found or ()))
            self._labels[among] = looked
            if len(self._labels) > REMEMBERED:
                del self._labels[next(iter(self._labels))]
        return looked.labels.get(wanted, "")

    def _read(self, sql: sqlite3.Connection, among: str) -> list[tuple[object, str]]:
        if among == _SINGLE:
            statement = (
                "SELECT id, label FROM known JOIN circuits USING (number) WHERE service = ? AND job = 0"
            )
            return sql.execute(statement, (self._service,)).fetchall()
        statement = f"SELECT job, label FROM circuits WHERE number = {_NUMBER}"
        return sql.execute(statement, (self._service, among)).fetchall()

    def parts(self, job_id: str, index: int | None = None) -> dict[int, KnownCircuits]:
        """What is kept of a job's parts, or of one of them, by index."""
        statement = (
            f"SELECT job, label, said FROM circuits WHERE number = {_NUMBER} AND job = coalesce(?, job)"
        )
        rows = self._file.do(lambda sql: sql.execute(statement, (self._service, job_id, index)).fetchall())
        return {job: KnownCircuits(label, _read(said)) for job, label, said in rows or ()}


def _read(said: bytes) -> tuple[Described, ...]:
    return tuple(Described(name, values) for name, values in json.loads(zlib.decompress(said)))
