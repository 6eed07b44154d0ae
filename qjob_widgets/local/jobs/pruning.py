"""Forgetting old jobs. Nothing is forgotten unless somebody says what is old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import now

_COMPOSITE = "ibm_composite_job_id_*"
_ENDED = "status NOT IN ('Queued', 'Running')"


@dataclass(frozen=True)
class Old:
    """Which jobs are old: those that ended more than `seconds` ago and are not among the latest `keep`.

    Raises:
        InvalidInput: If neither is given, or one of them cannot be.
    """

    seconds: float | None = None
    keep: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.keep is None:
            raise InvalidInput(
                "Say which jobs are old: older_than=timedelta(days=30), keep=1000 for all but the latest"
                " 1000, or both."
            )
        if self.seconds is not None and not (_is_number(self.seconds) and 0 <= self.seconds < 1e12):
            raise InvalidInput(f"older_than={self.seconds!r} s must not be negative.")
        if self.keep is not None and not (_is_number(self.keep) and self.keep == int(self.keep) >= 0):
            raise InvalidInput(f"keep={self.keep!r} must be a whole number from 0.")

    @classmethod
    def given(cls, older_than: timedelta | None, keep: int | None) -> Old:
        """As a user says it.

        Raises:
            InvalidInput: If it cannot be.
        """
        if older_than is not None and not isinstance(older_than, timedelta):
            raise InvalidInput(f"older_than={older_than!r} must be such as timedelta(days=30).")
        return cls(None if older_than is None else older_than.total_seconds(), keep)

    def facts(self) -> dict[str, Any]:
        """As a JSON object of the constructor's arguments."""
        return {"seconds": self.seconds, "keep": self.keep}


def prune(database: Database, old: Old) -> int:
    """Forget old jobs that have ended, with all that belongs to them, and give their space back.

    The sub-jobs of a composite go together: none, as long as one of them is not old or has not ended.

    Returns:
        How many jobs are gone.
    """
    latest = now() if old.seconds is None else now() - int(old.seconds * 1e6)
    with database.writing() as sql:
        row = sql.execute(
            f"SELECT number FROM jobs WHERE {_ENDED} ORDER BY number DESC LIMIT 1 OFFSET ?", (old.keep or 0,)
        ).fetchone()
        last = row["number"] if row else 0
        sql.execute("CREATE TEMP TABLE IF NOT EXISTS old (number INTEGER PRIMARY KEY)")
        sql.execute("DELETE FROM old")
        sql.execute(
            f"INSERT INTO old SELECT number FROM jobs WHERE number <= ? AND {_ENDED} AND finished <= ?",
            (last, latest),
        )
        sql.execute(
            "DELETE FROM old WHERE number IN (SELECT number FROM job_tags WHERE tag IN ("
            "SELECT tag FROM job_tags WHERE tag GLOB ? AND number NOT IN old))",
            (_COMPOSITE,),
        )
        for table in ("payloads", "interim", "job_tags", "jobs"):
            removed = sql.execute(f"DELETE FROM {table} WHERE number IN old").rowcount
    if removed:
        database.compact()
    return removed


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
