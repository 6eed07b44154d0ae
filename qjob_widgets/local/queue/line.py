"""The order in which waiting jobs get their turn.

Each backend has a line of its own, first come, first served, with two exceptions: the jobs of one session
or batch stand together, where the first of them came; and once the first job of a dedicated session has
begun, the others of that session go before everything else. The lines take turns for free workers, so that
a long line on one backend keeps nobody waiting on another.

The column `place` holds this: the smaller, the earlier.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import Job

_LINE = "FROM jobs WHERE status = 'Queued' AND backend = ?"
_AHEAD = 10**17
"""More microseconds than have passed since 1970: what is moved by that stands before all that is not."""


@dataclass(frozen=True)
class Rank:
    """Where a waiting job stands: its position, from 1, and the seconds that those before it will take."""

    position: int
    seconds_before: float


class Line:
    """The lines of all backends.

    Args:
        database: Where the jobs are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def first(self, backend: str) -> Job | None:
        """The job whose turn is next on this backend."""
        sql = self._database.reader
        row = sql.execute(f"SELECT * {_LINE} ORDER BY place, number LIMIT 1", (backend,)).fetchone()
        return Job.from_row(row) if row else None

    def lengths(self) -> dict[str, int]:
        """How many jobs wait on each backend where any does."""
        rows = self._database.reader.execute(
            "SELECT backend, count(*) FROM jobs WHERE status = 'Queued' GROUP BY backend"
        )
        return dict(rows.fetchall())

    def waiting(self, most: int) -> int:
        """How many jobs wait, counted up to `most`, however many more there are."""
        sql = self._database.reader
        some = "SELECT 1 FROM jobs WHERE status = 'Queued' LIMIT ?"
        (number,) = sql.execute(f"SELECT count(*) FROM ({some})", (most,)).fetchone()
        return int(number)

    def begun(self, job: Job) -> None:
        """The job has begun: if a dedicated session begins with it, its other jobs go first from now on."""
        if job.session_id is None or job.place < 0:
            return
        with self._database.writing() as sql:
            sql.execute(
                "UPDATE jobs SET place = place - ? WHERE session_id = ? AND place >= 0 AND EXISTS"
                " (SELECT 1 FROM sessions WHERE sessions.id = session_id AND mode = 'dedicated')",
                (_AHEAD, job.session_id),
            )

    def ranks(self, jobs: Sequence[Job], seconds: Callable[[str, str], float]) -> dict[str, Rank]:
        """Where those of `jobs` stand that wait, by id; two questions a backend, however many jobs wait.

        Args:
            jobs: Any jobs.
            seconds: How long a job runs, of its backend and program.
        """
        waiting = sorted((job for job in jobs if job.status == "Queued"), key=lambda job: job.backend)
        return {
            job_id: rank
            for backend, group in itertools.groupby(waiting, key=lambda job: job.backend)
            for job_id, rank in self._ranks(backend, list(group), seconds)
        }

    def _ranks(
        self, backend: str, jobs: Sequence[Job], seconds: Callable[[str, str], float]
    ) -> Iterator[tuple[str, Rank]]:
        ids = {job.number: job.id for job in jobs}
        first, last = (choose((job.place, job.number) for job in jobs) for choose in (min, max))
        sql = self._database.reader
        before = sql.execute(
            f"SELECT program, count(*) {_LINE} AND (place, number) < (?, ?) GROUP BY program",
            (backend, *first),
        ).fetchall()
        position = sum(count for _, count in before)
        spent = sum(count * seconds(backend, program) for program, count in before)
        among = sql.execute(
            f"SELECT number, program {_LINE} AND place BETWEEN ? AND ? AND (place, number) >= (?, ?)"
            " ORDER BY place, number",
            (backend, first[0], last[0], *first),
        )
        for number, program in among:
            position += 1
            if number in ids:
                yield ids[number], Rank(position, spent)
            spent += seconds(backend, program)
