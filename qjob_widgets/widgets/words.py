"""Sentences about jobs for people: one wording for the panel, the static table and the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timezone

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import RERUNNABLE, SERVER_WORDS, Status

LONGEST_REASON = 300


def duration(seconds: float) -> str:
    """A rough duration: `40 s`, `11 min`, `3 h`, `2 d`."""
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, round(seconds / size))} {unit}"
    return f"{round(seconds / 86_400)} d"


def why(snapshot: CompositeSnapshot, now: datetime | None = None, *, rerun: bool = True) -> str:
    """One line on what a job waits for and what can be done; empty when there is nothing to say.

    `rerun` says whether this kind of job can be rerun.
    """
    now = now or datetime.now(timezone.utc)
    counts = snapshot.counts
    many = len(snapshot.parts) > 1
    said = []
    if snapshot.sending:
        total = f" of {len(snapshot.parts):,}" if many else ""
        said.append(f"sending {snapshot.sending:,}{total}" + _trouble_in_sending(snapshot.parts))
    if snapshot.elsewhere:
        said.append(f"another process is sending {snapshot.elsewhere:,} of {len(snapshot.parts):,}")
    if counts[Status.QUEUED]:
        said.append(_queued(snapshot, counts[Status.QUEUED], many, now))
    if counts[Status.RUNNING]:
        said.append(f"{counts[Status.RUNNING]:,} running" if many else "running")
    if failed := counts[Status.ERROR]:
        said.append(f"{failed:,} failed" if many else _reason(snapshot.parts[0]))
    if counts[Status.CANCELLED] and many:
        said.append(f"{counts[Status.CANCELLED]:,} cancelled")
    if many and rerun and snapshot.rerunnable:
        said.append("can be rerun")
    return _sentence(said)


def _sentence(said: list[str]) -> str:
    text = " · ".join(piece for piece in said if piece)
    return text[:1].upper() + text[1:]


def _reason(part: JobSnapshot) -> str:
    return f"failed: {short(part.why)}" if part.why else "failed without a reason"


def _trouble_in_sending(parts: Iterable[JobSnapshot]) -> str:
    troubles = Counter(
        part.word.partition(": ")[2] for part in parts if not part.job_id and ": " in part.word
    )
    return f" ({troubles.most_common(1)[0][0]})" if troubles else ""


def _queued(snapshot: CompositeSnapshot, number: int, many: bool, now: datetime) -> str:
    last = snapshot.last_in_queue
    position = last.position if last is not None else None
    if position is None:
        return f"{number:,} queued, position unknown" if many else "queued, position unknown"
    words = (
        f"{number:,} queued, the last at position {position:,}"
        if many and number > 1
        else (f"{number:,} queued at position {position:,}" if many else f"queued at position {position:,}")
    )
    ends = last.queue.estimated_complete_time if last is not None and last.queue is not None else None
    if ends is not None:
        words += f", about {duration((ends - now).total_seconds())} to go"
    return words


def short(text: str) -> str:
    """`text` cut to what a row shows."""
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


def unknown_word(part: JobSnapshot) -> str | None:
    """The service's own word where no state fits it, or what is known of an unsent part."""
    if not part.word or part.final:
        return None
    known = any(part.word.lower().startswith(start) for start in SERVER_WORDS)
    return None if known else part.word


def plain(snapshot: CompositeSnapshot) -> str:
    """The job in one line, for `repr` and text outputs: no times and no ids, so that it can be compared."""
    counts = snapshot.counts
    title = repr(snapshot.name) if snapshot.name else "job"
    if len(snapshot.parts) == 1:
        return f"{title}: {snapshot.status.value}"
    told = [
        f"{counts[status]} {status.value}"
        for status in (Status.DONE, Status.RUNNING, Status.QUEUED, Status.INITIALIZING, *sorted_final())
        if counts[status]
    ]
    return f"{title}: {len(snapshot.parts)} sub-jobs, " + ", ".join(told)


def sorted_final() -> tuple[Status, ...]:
    """States of parts that a rerun would send, in the order of the table."""
    return tuple(status for status in Status if status in RERUNNABLE)
