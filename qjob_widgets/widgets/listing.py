"""The table of a job's parts as words: what the static twin, its plain text and reports have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.widgets import words
from qjob_widgets.widgets.shown import LONGEST_NAME, shown

MOST_ROWS = 200
_FAILURES_FIRST = (
    Status.ERROR,
    Status.CANCELLED,
    Status.RUNNING,
    Status.QUEUED,
    Status.VALIDATING,
    Status.INITIALIZING,
    Status.DONE,
)
_ORDER = {status: place for place, status in enumerate(_FAILURES_FIRST)}
COLUMNS = ("#", "Circuits", "Which", "Job", "Status", "Queue", "Elapsed", "QPU", "Try", "Reason")
NUMBERS = frozenset({"#", "Circuits", "Queue", "Elapsed", "QPU", "Try"})
"""Columns that are set to the right."""


@dataclass(frozen=True)
class Listing:
    """A table: the columns that say something, its rows, and how many are not listed."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int


def listing(
    snapshot: CompositeSnapshot, now: datetime, labels: Sequence[str] = (), most: int | None = MOST_ROWS
) -> Listing:
    """The parts, failures first, `most` of them; None is all."""
    parts = sorted(enumerate(snapshot.parts), key=lambda row: _ORDER[row[1].status])
    listed = parts if most is None else parts[:most]
    rows = [_row(index, part, now, labels[index] if labels else "") for index, part in listed]
    told = [place for place in range(len(COLUMNS)) if any(row[place] for row in rows)]
    return Listing(
        tuple(COLUMNS[place] for place in told),
        tuple(tuple(row[place] for place in told) for row in rows),
        len(parts) - len(listed),
    )


def headline(snapshot: CompositeSnapshot) -> str:
    """How far the whole is."""
    if len(snapshot.parts) == 1:
        return snapshot.status.value
    counts = snapshot.counts
    told = f"{snapshot.status.value} · {counts[Status.DONE]:,} of {len(snapshot.parts):,} done"
    done = circuits([part for part in snapshot.parts if part.status is Status.DONE])
    total = circuits(snapshot.parts)
    told += f" · {done:,} of {total:,} circuits" if total else ""
    counted = [
        f"{number:,} {status.value}"
        for status, number in counts.items()
        if number and status is not Status.DONE
    ]
    return told + (f" ({', '.join(counted)})" if counted else "")


def circuits(parts: Sequence[JobSnapshot]) -> int:
    """Number of circuits in `parts`; 0 where that is not known."""
    return sum(part.place.end - part.place.start + 1 for part in parts if part.place is not None)


def facts(snapshot: CompositeSnapshot, now: datetime) -> list[str]:
    """When this was, where the job runs, its id and its tags."""
    said = [
        f"As of {now.astimezone().strftime('%Y-%m-%d %H:%M:%S %Z')}",
        shown(snapshot.backend, LONGEST_NAME),
        shown(snapshot.job_id, LONGEST_NAME),
    ]
    if snapshot.tags:
        said.append(f"tags: {shown(', '.join(snapshot.tags[:100]), 1000)}")
    return [text for text in said if text]


def _row(index: int, part: JobSnapshot, now: datetime, label: str) -> tuple[str, ...]:
    place = part.place
    return (
        str(index),
        "" if place is None else _range(place.start, place.end),
        shown(label),
        shown(part.job_id, LONGEST_NAME) or "not sent",
        shown(words.unknown_word(part) or part.status.value),
        "" if part.position is None else f"{part.position:,}",
        _elapsed(part, now),
        "" if part.usage_seconds is None else _seconds(part.usage_seconds),
        "" if part.attempt <= 1 else str(part.attempt),
        shown(part.why),
    )


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"  # noqa: RUF001


def _seconds(seconds: float) -> str:
    return "< 0.01 s" if 0 < seconds < 0.01 else f"{seconds:,.3g} s"


def _elapsed(part: JobSnapshot, now: datetime) -> str:
    if part.created is None or (part.final and part.finished is None):
        return ""
    seconds = ((part.finished or now) - part.created).total_seconds()
    return f"{seconds:.1f} s" if seconds < 90 else words.duration(seconds)
