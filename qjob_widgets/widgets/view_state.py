"""What a panel's front end reads of columns that are sent rarely, and the whole in a few numbers.

The other end is `js/src/protocol.ts`; the two change together. ARCHITECTURE.md describes each field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from qjob_widgets.monitor.monitor import Freshness
from qjob_widgets.status import CODES, FINAL, Status
from qjob_widgets.widgets import words
from qjob_widgets.widgets.columns import Columns, Totals
from qjob_widgets.widgets.shown import LONGEST_LINE, LONGEST_NAME, shown

MOST_TAGS = 100
LONGEST_LABEL = 80
_NAMES = tuple(status.name for status in CODES)


def milliseconds(moment: datetime | None) -> int | None:
    """A moment as milliseconds of the epoch, as JavaScript counts."""
    return None if moment is None else round(moment.timestamp() * 1000)


def tags(texts: Sequence[str]) -> list[str]:
    """Tags as they are shown."""
    return [shown(tag, LONGEST_NAME) for tag in texts[:MOST_TAGS]]


def meta(
    columns: Columns,
    *,
    twin: str,
    can: Mapping[str, bool],
    revision: int,
    labels: Sequence[str] = (),
    within: Sequence[str] = (),
    calibrated: datetime | None = None,
) -> dict[str, Any]:
    """What changes rarely: identity, circuits, ids, tags.

    Args:
        columns: The parts.
        twin: Id of the static copy.
        can: Which operations there are.
        revision: Number of this `meta`.
        labels: Which circuits each part has, "" where that is not known.
        within: What else each part is found by.
        calibrated: When the backend was calibrated last.
    """
    snapshot = columns.snapshot
    placed = [part.place for part in snapshot.parts if part.place is not None]
    whole = len(placed) == len(snapshot.parts)
    return {
        "id": shown(snapshot.job_id, LONGEST_NAME),
        "twin": twin,
        "name": None if snapshot.name is None else shown(snapshot.name, LONGEST_NAME),
        "kind": "composite" if snapshot.composite else "job",
        "backend": shown(snapshot.backend, LONGEST_NAME),
        "total": len(snapshot.parts),
        "start": [place.start for place in placed] if whole else [],
        "end": [place.end for place in placed] if whole else [],
        "ids": list(columns.ids),
        "labels": [shown(label, LONGEST_LABEL) for label in labels] if any(labels) else None,
        "within": [shown(text, LONGEST_LINE) for text in within] if any(within) else None,
        "words": {
            str(index): shown(word)
            for index, part in enumerate(snapshot.parts)
            if (word := words.unknown_word(part)) is not None
        },
        "tags": tags(snapshot.tags),
        "created": milliseconds(columns.since) or 0,
        "calibrated": milliseconds(calibrated),
        "can": dict(can),
        "rev": revision,
    }


def summary(
    columns: Columns,
    fresh: Freshness,
    *,
    now: datetime,
    closed: bool = False,
    paused: bool = False,
    rerun: bool = True,
    sending: Mapping[str, Any] | None = None,
    left: float | None = None,
    limit: float | None = None,
) -> dict[str, Any]:
    """Counts, what it waits for, how old the facts are, and a heartbeat.

    Args:
        columns: The parts.
        fresh: How old they are.
        now: The time of day.
        closed: Whether the panel was closed.
        paused: Whether it asks nothing for now.
        rerun: Whether this kind of job can be rerun.
        sending: How far the paced queue is with this job; None if nothing is on its way.
        left: QPU seconds that the instance has left.
        limit: Of so many.
    """
    counts, status = columns.counts, columns.status
    totals = columns.totals
    kinds = {
        "ERROR": counts[Status.ERROR] - totals.unsent,
        "CANCELLED": counts[Status.CANCELLED],
        "UNSENT": totals.unsent,
    }
    ended = sum(map(counts.__getitem__, FINAL))
    return {
        "status": status.name,
        "word": "sending" if columns.sending else status.value,
        "counts": dict(zip(_NAMES, counts.values(), strict=True)),
        "why": words.why(columns, now, rerun=rerun),
        "done_circuits": totals.done_circuits,
        "circuits": totals.circuits,
        "rerunnable": sum(kinds.values()),
        "rerunnable_by": kinds,
        "open": len(columns.parts) - ended,
        "usage": _seconds(totals.usage, totals.used),
        "cost": _cost(totals, left, limit),
        "approximate": totals.times_seen > 0,
        "asked": milliseconds(fresh.asked),
        "interval": fresh.interval,
        "failures": fresh.failures,
        "error": None if fresh.error is None else shown(fresh.error),
        "beat": milliseconds(now),
        "sending": None if sending is None else dict(sending),
        "paused": paused,
        "final": ended == len(columns.parts),
        "closed": closed,
    }


def _cost(totals: Totals, left: float | None, limit: float | None) -> dict[str, float | None] | None:
    """QPU seconds used, expected for the whole job, and left; None where the service tells none of them."""
    used = _seconds(totals.usage, totals.used)
    estimated = _seconds(totals.usage + totals.foreseen, totals.estimates)
    if used is None and estimated is None and left is None:
        return None
    return {"used": used or 0.0, "estimated": estimated, "left": left, "limit": limit}


def _seconds(thousandths: int, known: int) -> float | None:
    return thousandths / 1000 if known else None
