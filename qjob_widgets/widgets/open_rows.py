"""What a table tells of the jobs' sub-jobs: how many are in which state, and all of those in open rows."""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from qjob_widgets.errors import QJobError
from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.status import PRECEDENCE
from qjob_widgets.widgets import view_state
from qjob_widgets.widgets.abilities import abilities
from qjob_widgets.widgets.columns import Columns, little_endian


class SubJobCounts:
    """The sub-jobs of each job by state; only jobs that have changed are counted again."""

    def __init__(self) -> None:
        self._counted: list[tuple[CompositeSnapshot, tuple[int, ...]]] = []

    def packed(self, told: Sequence[CompositeSnapshot]) -> bytes:
        """Seven numbers a job in the order of the states, four bytes each, little-endian."""
        kept = self._counted
        self._counted = [
            kept[row] if row < len(kept) and kept[row][0] is job else (job, _numbers(job))
            for row, job in enumerate(told)
        ]
        return little_endian(array("I", chain.from_iterable(numbers for _, numbers in self._counted)))


class OpenRows:
    """The rows that are open, each with its sub-jobs as a panel would have them."""

    def __init__(self) -> None:
        self._rows: dict[int, Columns] = {}

    def turn(self, row: int, job: CompositeSnapshot, *, opened: bool) -> None:
        """Open a row, or close it."""
        if opened:
            self._rows.setdefault(row, Columns(job))
        else:
            self._rows.pop(row, None)

    def news(self, before: Mapping[str, Any], jobs: Sequence[Any]) -> dict[str, Any] | None:
        """The sub-jobs of the open rows by row; None if `before` still says it."""
        changed = set(before) != {str(row) for row in self._rows}
        found = {} if changed else dict(before)
        for row, columns in self._rows.items():
            columns.take(jobs[row].snapshot)
            if changed or columns.stale:
                columns.stale.clear()
                changed = True
                found[str(row)] = _details(jobs[row], columns)
        return found if changed else None


def _details(job: Any, columns: Columns) -> dict[str, Any]:
    can = {name: name in abilities(job) for name in ("cancel", "rerun")}
    return {
        "meta": view_state.meta(columns, twin="", can=can, revision=0, labels=_labels(job)),
        "live": columns.live,
        "times": columns.times,
        "reasons": columns.reasons,
    }


def _numbers(job: CompositeSnapshot) -> tuple[int, ...]:
    counts = job.counts
    return tuple(counts[status] for status in PRECEDENCE)


def _labels(job: Any) -> list[str]:
    label = getattr(job, "label", None)
    parts = range(len(job.snapshot.parts))
    with contextlib.suppress(QJobError):
        return [label(index) for index in parts] if callable(label) else []
    return []
