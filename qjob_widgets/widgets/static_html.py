"""The static twin: the last known table as plain HTML, which stays in a saved notebook.

It must read well without style, script or data attributes, since GitHub and JupyterLab's sanitiser take them
away: words carry everything. All text is escaped; a trusted notebook runs scripts in HTML outputs.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import datetime

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.widgets import words
from qjob_widgets.widgets.view_state import circuits

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
_COLUMNS = ("#", "Circuits", "Job", "Status", "Queue", "Elapsed", "Try", "Reason")
# JupyterLab sets all cells to the right, which suits numbers; its sanitiser keeps this one property.
_LEFT = ' style="text-align: left"'
_WORDS = frozenset({"Job", "Status", "Reason"})


def render(snapshot: CompositeSnapshot, *, twin: str, now: datetime, rerun: bool = True) -> str:
    """The twin of a panel: headline, counts and at most 200 rows, failures first."""
    return "".join(_pieces(snapshot, twin, now, rerun))


def _text(value: object) -> str:
    return html.escape(str(value), quote=True)


def _pieces(snapshot: CompositeSnapshot, twin: str, now: datetime, rerun: bool) -> Iterator[str]:
    title = snapshot.name or snapshot.job_id
    yield f'<div class="qjob-static" data-qjob-twin="{_text(twin)}">'
    yield f"<p><b>{_text(title)}</b> {_text(_headline(snapshot))}<br>"
    if sentence := words.why(snapshot, now, rerun=rerun):
        yield f"{_text(sentence)}<br>"
    yield f"<small>As of {_text(now.astimezone().strftime('%Y-%m-%d %H:%M:%S %Z'))}"
    yield f" · {_text(snapshot.backend)} · {_text(snapshot.job_id)}"
    yield f" · tags: {_text(', '.join(snapshot.tags))}</small></p>" if snapshot.tags else "</small></p>"
    rows = sorted(enumerate(snapshot.parts), key=lambda row: _FAILURES_FIRST.index(row[1].status))
    sides = [_LEFT if column in _WORDS else "" for column in _COLUMNS]
    head = "".join(
        f'<th scope="col"{side}>{_text(column)}</th>' for column, side in zip(_COLUMNS, sides, strict=True)
    )
    yield f"<table><thead><tr>{head}</tr></thead><tbody>"
    for index, part in rows[:MOST_ROWS]:
        row = zip(_row(index, part, now), sides, strict=True)
        cells = "".join(f"<td{side}>{_text(cell)}</td>" for cell, side in row)
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table>"
    if len(rows) > MOST_ROWS:
        yield f"<p>{len(rows) - MOST_ROWS:,} more sub-jobs are not listed.</p>"
    yield "</div>"


def _headline(snapshot: CompositeSnapshot) -> str:
    if len(snapshot.parts) == 1:
        return snapshot.status.value
    done = [part for part in snapshot.parts if part.status is Status.DONE]
    told = f"{snapshot.status.value} · {len(done):,} of {len(snapshot.parts):,} done"
    total = circuits(snapshot.parts)
    told += f" · {circuits(done):,} of {total:,} circuits" if total else ""
    counted = [
        f"{number:,} {status.value}"
        for status, number in snapshot.counts.items()
        if number and status is not Status.DONE
    ]
    return told + (f" ({', '.join(counted)})" if counted else "")


def _row(index: int, part: JobSnapshot, now: datetime) -> tuple[object, ...]:
    place = part.place
    return (
        index,
        "" if place is None else f"{place.start}–{place.end}",  # noqa: RUF001
        part.job_id or "not sent",
        words.unknown_word(part) or part.status.value,
        "" if part.position is None else part.position,
        _elapsed(part, now),
        part.attempt or "",
        words.short(part.why),
    )


def _elapsed(part: JobSnapshot, now: datetime) -> str:
    if part.created is None or (part.final and part.finished is None):
        return ""
    seconds = ((part.finished or now) - part.created).total_seconds()
    return f"{seconds:.1f} s" if seconds < 90 else words.duration(seconds)
