"""Facts about a job as plain values, for programs: `--json`, data frames, exported files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot


def facts(snapshot: CompositeSnapshot, labels: Sequence[str] = ()) -> dict[str, Any]:
    """A job with its sub-jobs. Times are ISO texts in UTC, durations seconds, what is unknown is None.

    docs/terminal.md describes the fields; programs rely on them.
    """
    parts = enumerate(snapshot.parts)
    told = [part_facts(index, part, labels[index] if labels else "") for index, part in parts]
    return {**headline(snapshot), "parts": told}


def headline(snapshot: CompositeSnapshot) -> dict[str, Any]:
    """A job without its sub-jobs."""
    used = [part.usage_seconds for part in snapshot.parts if part.usage_seconds is not None]
    created = [part.created for part in snapshot.parts if part.created is not None]
    finished = [part.finished for part in snapshot.parts if part.finished is not None]
    return {
        "job_id": snapshot.job_id,
        "name": snapshot.name,
        "composite": snapshot.composite,
        "status": snapshot.status.name,
        "final": snapshot.final,
        "backend": snapshot.backend,
        "tags": list(snapshot.tags),
        "counts": {status.name: number for status, number in snapshot.counts.items() if number},
        "created": _iso(min(created, default=None)),
        "finished": _iso(max(finished, default=None)) if snapshot.final else None,
        "usage_seconds": round(sum(used), 6) if used else None,
    }


def part_facts(index: int, part: JobSnapshot, label: str = "") -> dict[str, Any]:
    """One sub-job; `circuits` are its first and last circuit, inclusive, `label` says which they are."""
    queue = part.queue if not part.final else None
    return {
        "index": index,
        "circuits": None if part.place is None else [part.place.start, part.place.end],
        "label": label or None,
        "job_id": part.job_id or None,
        "status": part.status.name,
        "word": part.word or None,
        "queue_position": part.position,
        "estimated_completion": None if queue is None else _iso(queue.estimated_complete_time),
        "reason": part.reason,
        "reason_code": part.reason_code,
        "attempt": part.attempt,
        "created": _iso(part.created),
        "running": _iso(part.running),
        "finished": _iso(part.finished),
        "times_seen": part.times_seen,
        "usage_seconds": part.usage_seconds,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(timezone.utc).isoformat()
