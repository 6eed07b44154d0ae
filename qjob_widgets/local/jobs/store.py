"""All jobs of a service. Every change of a job's status is made here, along `status.TRANSITIONS`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qjob_widgets.local.jobs import listing
from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import Job, Outcome, Query, Submission, new_job_id, now
from qjob_widgets.rest.paths import PAGE
from qjob_widgets.status import TRANSITIONS, from_server


class Store:
    """Jobs in a database.

    Args:
        database: Where they are.
        clock: Microseconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], int] = now) -> None:
        self._database = database
        self._clock = clock

    def add(self, new: Submission, script: Mapping[str, object] | None = None) -> Job:
        """Take a job in, Queued. Its `created` is later than that of every job before it.

        A job whose key is known is there already, and given as it is.

        Args:
            new: The job.
            script: The outcome that it shall have, None for what its run gives.
        """
        with self._database.writing() as sql:
            if (known := _with_key(sql, new.key)) is not None:
                return known
            (latest,) = sql.execute("SELECT coalesce(max(created), 0) FROM jobs").fetchone()
            created = max(self._clock(), latest + 1)
            number = sql.execute(
                "INSERT INTO jobs (id, status, created, backend, program, session_id, private, cost, caller,"
                " tags, script, image, estimate, key, place)"
                " VALUES (?, 'Queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                " coalesce((SELECT min(place) FROM jobs WHERE session_id = ?), ?))",
                (
                    new_job_id(),
                    created,
                    new.backend,
                    new.program,
                    new.session_id,
                    new.private,
                    new.cost,
                    new.caller,
                    json.dumps(new.tags),
                    json.dumps(script) if script else None,
                    new.image,
                    new.estimate,
                    new.key,
                    new.session_id,
                    created,
                ),
            ).lastrowid
            assert number is not None
            sql.execute("INSERT INTO payloads (number, params) VALUES (?, ?)", (number, new.params))
            _write_tags(sql, number, new.tags)
            return Job.from_row(sql.execute("SELECT * FROM jobs WHERE number = ?", (number,)).fetchone())

    def with_key(self, key: str | None) -> Job | None:
        """The job that was handed in under this key."""
        return _with_key(self._database.reader, key)

    def find(self, job_id: str) -> Job | None:
        """The job with this id."""
        row = self._database.reader.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return Job.from_row(row) if row else None

    def page(self, query: Query) -> tuple[list[Job], int]:
        """The jobs that a list request asks for, and how many match on all pages."""
        return listing.page(self._database.reader, query)

    def count(self, status: str, backend: str | None = None) -> int:
        """Number of jobs in `status`, of all backends or of one."""
        (number,) = self._database.reader.execute(
            f"SELECT count(*) FROM jobs WHERE status = ?{' AND backend = ?' if backend else ''}",
            (status, backend) if backend else (status,),
        ).fetchone()
        return int(number)

    def payload(self, job: Job, column: str) -> Any:
        """`params` (bytes), `result` (bytes or None) or `logs` (text or None) of a job."""
        row = self._database.reader.execute(
            f"SELECT {column} FROM payloads WHERE number = ?", (job.number,)
        ).fetchone()
        return row[0] if row else None

    def take_result(self, job: Job) -> bytes | None:
        """The result, which is gone from then on; None if there is none."""
        with self._database.writing() as sql:
            row = sql.execute("SELECT result FROM payloads WHERE number = ?", (job.number,)).fetchone()
            sql.execute("UPDATE payloads SET result = NULL WHERE number = ?", (job.number,))
        return row["result"] if row else None

    def publish(self, job: Job, first: int, texts: Sequence[str]) -> None:
        """Keep what finished PUBs gave, as JSON texts, from the PUB number `first` on."""
        rows = [(job.number, place, text) for place, text in enumerate(texts, first)]
        with self._database.writing() as sql:
            sql.executemany("INSERT OR REPLACE INTO interim VALUES (?, ?, ?)", rows)

    def interim(self, job: Job, after: int, limit: int = PAGE) -> list[str]:
        """What finished PUBs gave, in their order, without the first `after` of them."""
        rows = self._database.reader.execute(
            "SELECT result FROM interim WHERE number = ? AND place >= ? ORDER BY place LIMIT ?",
            (job.number, after, limit),
        )
        return [text for (text,) in rows]

    def recent_durations(self, limit: int = 500) -> list[tuple[str, str, float]]:
        """Backend, program, and seconds from start to end of the latest completed jobs, oldest first."""
        rows = self._database.reader.execute(
            "SELECT backend, program, (finished - running) / 1e6 FROM jobs WHERE status LIKE 'Completed%'"
            " ORDER BY number DESC LIMIT ?",
            (limit,),
        )
        return [tuple(row) for row in rows][::-1]

    def start(self, job: Job) -> bool:
        """Queued → Running; False if the job is no longer queued."""
        return self._move(job.id, "Running", "running = ?", (self._clock(),))

    def end(self, job_id: str, outcome: Outcome) -> bool:
        """To a final status, with result and logs; False if the job is final already, or gone."""
        facts = (self._clock(), outcome.reason, outcome.reason_code, outcome.seconds)
        changes = "finished = ?, reason = ?, reason_code = ?, seconds = ?"
        return self._move(job_id, outcome.status, changes, facts, outcome)

    def requeue(self) -> int:
        """Running → Queued for what the last life of this service left running; their number."""
        with self._database.writing() as sql:
            interrupted = "SELECT number FROM jobs WHERE status = 'Running'"
            sql.execute(f"DELETE FROM interim WHERE number IN ({interrupted})")
            change = "UPDATE jobs SET status = 'Queued', running = NULL WHERE status = 'Running'"
            return sql.execute(change).rowcount

    def set_tags(self, job_id: str, tags: tuple[str, ...]) -> None:
        """Replace a job's tags."""
        with self._database.writing() as sql:
            row = sql.execute("SELECT number, tags FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row:
                values = (json.dumps(tags), row["number"])
                sql.execute("UPDATE jobs SET tags = ? WHERE number = ?", values)
                _remove_tags(sql, row["number"], json.loads(row["tags"]))
                _write_tags(sql, row["number"], tags)

    def delete(self, job: Job) -> None:
        """Forget a job and all that belongs to it."""
        with self._database.writing() as sql:
            row = sql.execute("SELECT tags FROM jobs WHERE number = ?", (job.number,)).fetchone()
            _remove_tags(sql, job.number, json.loads(row["tags"]) if row else ())
            for table in ("jobs", "payloads", "interim"):
                sql.execute(f"DELETE FROM {table} WHERE number = ?", (job.number,))

    def _move(
        self, job_id: str, status: str, changes: str, facts: tuple[object, ...], ended: Outcome | None = None
    ) -> bool:
        with self._database.writing() as sql:
            row = sql.execute("SELECT number, status FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None or not _allowed(row["status"], status):
                return False
            sql.execute(
                f"UPDATE jobs SET status = ?, {changes} WHERE number = ?", (status, *facts, row["number"])
            )
            if ended:
                sql.execute(
                    "UPDATE payloads SET result = ?, logs = ? WHERE number = ?",
                    (ended.result, ended.logs, row["number"]),
                )
        return True


def _allowed(old: str, new: str) -> bool:
    """Whether a job may go from `old` to `new`; a longer word ("Cancelled - ...") counts as its beginning."""
    return new.split(" ")[0] in TRANSITIONS.get(old, frozenset()) and not from_server(old).final


def _with_key(sql: sqlite3.Connection, key: str | None) -> Job | None:
    row = sql.execute("SELECT * FROM jobs WHERE key = ?", (key,)).fetchone() if key else None
    return Job.from_row(row) if row else None


def _remove_tags(sql: sqlite3.Connection, number: int, tags: Sequence[str]) -> None:
    """By name, since the table has no other index."""
    sql.executemany("DELETE FROM job_tags WHERE tag = ? AND number = ?", [(tag, number) for tag in tags])


def _write_tags(sql: sqlite3.Connection, number: int, tags: tuple[str, ...]) -> None:
    sql.executemany("INSERT OR IGNORE INTO job_tags VALUES (?, ?)", [(tag, number) for tag in tags])
