"""Sub-jobs, or many jobs, as a table of words: what twins, plain text and terminals have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.widgets import words
from qjob_widgets.widgets.group import row as job_row
from qjob_widgets.widgets.shown import LONGEST_NAME, shown

MOST_ROWS = 200
URGENT = (
    Status.ERROR,
    Status.CANCELLED,
    Status.RUNNING,
    Status.QUEUED,
    Status.VALIDATING,
    Status.INITIALIZING,
    Status.DONE,
)
"""States, those that want to be seen before others."""
_ORDER = {status: place for place, status in enumerate(URGENT)}
SUB_JOBS = ("#", "Circuits", "Which", "Job", "Status", "Queue", "Elapsed", "QPU", "Try", "Reason")
JOBS = ("Name", "Status", "Done", "Queue", "Elapsed", "QPU", "Backend", "Tags", "Reason", "Job")
NUMBERS = frozenset({"#", "Circuits", "Done", "Queue", "Elapsed", "QPU", "Try"})
"""Columns that are set to the right."""


@dataclass(frozen=True)
class Listing:
    """A table: the columns that say something, its rows and their states, and how many are not listed."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    states: tuple[Status, ...]
    more: int
    noun: str = "sub-job"
    """What a row is called."""

    @property
    def left_out(self) -> str:
        """How many rows are not listed, in words; "" if all are."""
        if not self.more:
            return ""
        return f"and {self.more:,} more {self.noun}{'' if self.more == 1 else 's'}"


def sub_jobs(
    snapshot: CompositeSnapshot,
    now: datetime,
    labels: Sequence[str] = (),
    most: int | None = MOST_ROWS,
    *,
    urgent_first: bool = True,
) -> Listing:
    """The parts, `most` of them and then the urgent ones; None is all. Otherwise they are in index order."""
    parts = list(enumerate(snapshot.parts))
    urgent = sorted(parts, key=lambda each: _ORDER[each[1].status])[:most]
    listed = urgent if urgent_first else sorted(urgent, key=lambda each: each[0])
    rows = [_part(index, part, now, labels[index] if labels else "") for index, part in listed]
    return _told(SUB_JOBS, rows, [part.status for _, part in listed], len(parts) - len(listed), "sub-job")


def jobs(told: Sequence[CompositeSnapshot], now: datetime, most: int | None = MOST_ROWS) -> Listing:
    """Jobs, each in one row, in their order; where there are more than `most`, the urgent ones."""
    urgent = sorted(enumerate(told), key=lambda each: _ORDER[each[1].status])[:most]
    listed = [job for _, job in sorted(urgent, key=lambda each: each[0])]
    several = len({job.backend for job in told}) > 1
    rows = [_job(job, now, several) for job in listed]
    return _told(JOBS, rows, [job.status for job in listed], len(told) - len(listed), "job")


def _told(
    columns: Sequence[str], rows: Sequence[tuple[str, ...]], states: Iterable[Status], more: int, noun: str
) -> Listing:
    told = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    return Listing(
        tuple(columns[place] for place in told),
        tuple(tuple(row[place] for place in told) for row in rows),
        tuple(states),
        more,
        noun,
    )


def _part(index: int, part: JobSnapshot, now: datetime, label: str) -> tuple[str, ...]:
    place = part.place
    return (
        str(index),
        "" if place is None else words.span(place.start, place.end),
        shown(label),
        shown(part.job_id, LONGEST_NAME) or "not sent",
        shown(words.unknown_word(part) or part.status.value),
        "" if part.position is None else f"{part.position:,}",
        _elapsed(part, now),
        _used(part),
        "" if part.attempt <= 1 else str(part.attempt),
        shown(part.why),
    )


def _job(job: CompositeSnapshot, now: datetime, several: bool) -> tuple[str, ...]:
    """A row; the backend stands in it where there are several."""
    whole, total = job_row(job), len(job.parts)
    return (
        shown(job.name or "", LONGEST_NAME),
        "sending" if job.sending else shown(words.unknown_word(whole) or whole.status.value),
        f"{job.counts[Status.DONE]:,} of {total:,}" if job.composite else "",
        "" if whole.position is None else f"{whole.position:,}",
        _elapsed(whole, now),
        _used(whole),
        shown(job.backend, LONGEST_NAME) if several else "",
        shown(", ".join(job.tags[:100])),
        shown(whole.why),
        shown(job.job_id, LONGEST_NAME),
    )


def _used(part: JobSnapshot) -> str:
    seconds = part.usage_seconds
    if seconds is None:
        return ""
    if not 0 < seconds < 90:
        return words.duration(seconds)
    return "< 0.1 s" if seconds < 0.1 else f"{seconds:.1f} s"


def _elapsed(part: JobSnapshot, now: datetime) -> str:
    if part.created is None or (part.final and part.finished is None):
        return ""
    seconds = max(0.0, ((part.finished or now) - part.created).total_seconds())
    text = f"{seconds:.1f} s" if seconds < 90 else words.duration(seconds)
    return f"≈ {text}" if part.times_seen else text
