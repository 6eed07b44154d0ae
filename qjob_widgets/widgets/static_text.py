"""A job as plain text: what is left of a panel in a PDF or a terminal, and what is copied as its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.widgets import words
from qjob_widgets.widgets.listing import MOST_ROWS, NUMBERS, facts, headline, listing
from qjob_widgets.widgets.shown import LONGEST_NAME, shown

WIDEST = 40
"""Characters of a column; the last one has no limit."""


def render(
    snapshot: CompositeSnapshot,
    *,
    now: datetime,
    rerun: bool = True,
    labels: Sequence[str] = (),
    most: int | None = MOST_ROWS,
) -> str:
    """Headline, why it waits, when this was, and `most` rows, failures first; None is all rows."""
    return "\n".join(line.rstrip() for line in _lines(snapshot, now, rerun, labels, most))


def _lines(
    snapshot: CompositeSnapshot, now: datetime, rerun: bool, labels: Sequence[str], most: int | None
) -> Iterator[str]:
    yield f"{shown(snapshot.name or snapshot.job_id, LONGEST_NAME)}: {headline(snapshot)}"
    if sentence := words.why(snapshot, now, rerun=rerun):
        yield sentence
    yield " · ".join(facts(snapshot, now))
    yield ""
    table = listing(snapshot, now, labels, most)
    rows = [table.columns, *table.rows] if table.rows else []
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    for row in rows:
        yield (
            "  ".join(
                cell.rjust(width) if column in NUMBERS else shown(cell, WIDEST).ljust(width)
                for column, cell, width in zip(table.columns[:-1], row[:-1], widths[:-1], strict=True)
            )
            + f"  {row[-1]}"
        )
    if table.more:
        yield f"and {table.more:,} more sub-jobs"
