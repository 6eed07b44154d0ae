"""Snapshots as what a panel's front end reads: columns and bytes, whole each time. Pure functions.

The other end is `js/src/protocol.ts`; the two change together. ARCHITECTURE.md describes each field.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from qjob_widgets.monitor.monitor import Freshness
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import CODES
from qjob_widgets.widgets import words

_LIVE = struct.Struct("<BBH")
_TIMES = struct.Struct("<III")
_MOST = 0xFFFF
_LATEST = 0xFFFFFFFF


def milliseconds(moment: datetime | None) -> int | None:
    """A moment as milliseconds of the epoch, as JavaScript counts."""
    return None if moment is None else round(moment.timestamp() * 1000)


def origin(snapshot: CompositeSnapshot) -> datetime:
    """The earliest time of any part: where `times` count from."""
    known = [part.created for part in snapshot.parts if part.created is not None]
    return min(known) if known else datetime.fromtimestamp(0, timezone.utc)


def meta(snapshot: CompositeSnapshot, *, twin: str, can: Mapping[str, bool], revision: int) -> dict[str, Any]:
    """What changes rarely: identity, circuits, ids, reasons, tags."""
    reasons: dict[tuple[int | None, str], int] = {}
    indexes = []
    for part in snapshot.parts:
        if part.reason:
            key = (part.reason_code, words.short(part.reason))
            indexes.append(reasons.setdefault(key, len(reasons)))
        else:
            indexes.append(-1)
    placed = [part.place for part in snapshot.parts if part.place is not None]
    whole = len(placed) == len(snapshot.parts)
    return {
        "id": snapshot.job_id,
        "twin": twin,
        "name": snapshot.name,
        "kind": "composite" if snapshot.composite else "job",
        "backend": snapshot.backend,
        "total": len(snapshot.parts),
        "start": [place.start for place in placed] if whole else [],
        "end": [place.end for place in placed] if whole else [],
        "ids": [part.job_id for part in snapshot.parts],
        "reason": indexes,
        "reasons": [{"code": code, "text": text} for code, text in reasons],
        "words": {
            str(index): word
            for index, part in enumerate(snapshot.parts)
            if (word := words.unknown_word(part)) is not None
        },
        "tags": list(snapshot.tags),
        "created": milliseconds(origin(snapshot)),
        "can": dict(can),
        "rev": revision,
    }


def live(parts: Sequence[JobSnapshot]) -> bytes:
    """Four bytes a part: state, attempt, queue position (little-endian; 0 unknown)."""
    return b"".join(
        _LIVE.pack(CODES[part.status], min(part.attempt, 255), min(part.position or 0, _MOST))
        for part in parts
    )


def times(parts: Sequence[JobSnapshot], since: datetime) -> bytes:
    """Twelve bytes a part: created, running, finished; tenths of a second from `since`, plus 1; 0 unknown."""

    def tenths(moment: datetime | None) -> int:
        if moment is None:
            return 0
        return min(_LATEST, max(0, round((moment - since).total_seconds() * 10)) + 1)

    return b"".join(
        _TIMES.pack(tenths(part.created), tenths(part.running), tenths(part.finished)) for part in parts
    )


def summary(
    snapshot: CompositeSnapshot,
    fresh: Freshness,
    *,
    now: datetime,
    closed: bool = False,
    rerun: bool = True,
) -> dict[str, Any]:
    """Counts, what it waits for, how old the facts are, and a heartbeat."""
    used = [part.usage_seconds for part in snapshot.parts if part.usage_seconds is not None]
    done = [part for part in snapshot.parts if part.status.name == "DONE"]
    status = snapshot.status
    return {
        "status": status.name,
        "word": "sending" if snapshot.sending else status.value,
        "counts": {state.name: number for state, number in snapshot.counts.items()},
        "why": words.why(snapshot, now, rerun=rerun),
        "done_circuits": circuits(done),
        "circuits": circuits(snapshot.parts),
        "rerunnable": len(snapshot.rerunnable),
        "open": sum(not part.final for part in snapshot.parts),
        "usage": round(sum(used), 3) if used else None,
        "approximate": any(part.times_seen for part in snapshot.parts),
        "asked": milliseconds(fresh.asked),
        "interval": fresh.interval,
        "failures": fresh.failures,
        "error": fresh.error,
        "beat": milliseconds(now),
        "final": snapshot.final,
        "closed": closed,
    }


def circuits(parts: Sequence[JobSnapshot]) -> int:
    """Number of circuits in `parts`; 0 where that is not known."""
    return sum(part.place.end - part.place.start + 1 for part in parts if part.place is not None)
