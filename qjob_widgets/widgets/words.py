"""Sentences about jobs for people: one wording for the panel, the static table and the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import Protocol

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import RERUNNABLE, SERVER_WORDS, Status
from qjob_widgets.widgets.shown import LONGEST_LINE, LONGEST_NAME, shown

MARKS = {
    Status.INITIALIZING: "·",
    Status.VALIDATING: "·",
    Status.QUEUED: "○",
    Status.RUNNING: "►",
    Status.ERROR: "✗",
    Status.CANCELLED: "–",  # noqa: RUF001
    Status.DONE: "✓",
}
"""States are told by words and shapes before colours."""


class Whole(Protocol):
    """A job as a whole: a `CompositeSnapshot`, or the `Columns` of one, which have counted already."""

    @property
    def parts(self) -> Sequence[JobSnapshot]:
        """Its parts, in index order."""

    @property
    def counts(self) -> Mapping[Status, int]:
        """Number of parts in each state."""

    @property
    def sending(self) -> int:
        """How many parts are on their way from this process."""

    @property
    def elsewhere(self) -> int:
        """How many are on their way from another."""

    @property
    def missing(self) -> int:
        """How many parts are missing: never sent, and not known here."""

    @property
    def last_in_queue(self) -> JobSnapshot | None:
        """The queued part that runs last."""


def duration(seconds: float) -> str:
    """A rough duration: `40 s`, `11 min`, `3 h`, `2 d`."""
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, round(seconds / size))} {unit}"
    return f"{round(seconds / 86_400)} d"


def span(first: int, last: int) -> str:
    """A range of circuits: `3`, or `20–29`."""  # noqa: RUF002
    return str(first) if first == last else f"{first}–{last}"  # noqa: RUF001


def why(snapshot: Whole, now: datetime | None = None, *, rerun: bool = True) -> str:
    """One line on what a job waits for and what can be done; empty when there is nothing to say.

    `rerun` says whether this kind of job can be rerun.
    """
    now = now or datetime.now(timezone.utc)
    counts = snapshot.counts
    many = len(snapshot.parts) > 1
    said = []
    if snapshot.sending:
        total = f" of {len(snapshot.parts):,}" if many else ""
        trouble = trouble_in_sending(snapshot.parts)
        said.append(f"sending {snapshot.sending:,}{total}" + (f" ({trouble})" if trouble else ""))
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
    if many and rerun and any(counts[status] for status in RERUNNABLE):
        missing = snapshot.missing
        said.append(f"{missing:,} missing, so it cannot be rerun" if missing else "can be rerun")
    return _sentence(said)


def _sentence(said: list[str]) -> str:
    text = " · ".join(piece for piece in said if piece)
    return text[:1].upper() + text[1:]


def _reason(part: JobSnapshot) -> str:
    return f"failed: {shown(part.why)}" if part.why else "failed without a reason"


def trouble_in_sending(parts: Iterable[JobSnapshot]) -> str:
    """What keeps most of the parts that wait to be sent; "" if nothing does."""
    troubles = Counter(
        part.word.partition(": ")[2] for part in parts if not part.job_id and ": " in part.word
    )
    return shown(troubles.most_common(1)[0][0]) if troubles else ""


def _queued(snapshot: Whole, number: int, many: bool, now: datetime) -> str:
    last = snapshot.last_in_queue
    position = last.position if last is not None else None
    if position is None:
        return f"{number:,} queued, position unknown" if many else "queued, position unknown"
    words = (
        f"{number:,} queued, the last at position {position:,}"
        if many and number > 1
        else (f"{number:,} queued at position {position:,}" if many else f"queued at position {position:,}")
    )
    ends = last.queue.ends if last is not None and last.queue is not None else None
    if ends is not None:
        words += f", about {duration((ends - now).total_seconds())} to go"
    return words


def short(text: str) -> str:
    """Foreign text as one line of what a row shows."""
    return shown(text)


def visible(text: str) -> str:
    """Foreign text as one line; see `shown.py`, the one place where such text is treated."""
    return shown(text, LONGEST_LINE)


def unknown_word(part: JobSnapshot) -> str | None:
    """The service's own word where no state fits it, or what is known of an unsent part."""
    if not part.word or part.final:
        return None
    return None if is_known(part.word) else part.word


@lru_cache
def is_known(word: str) -> bool:
    """Whether a word of the service is one of those that states are made of."""
    return word.lower().startswith(tuple(SERVER_WORDS))


def plain(snapshot: CompositeSnapshot) -> str:
    """The job in one line, for `repr` and text outputs: no times and no ids, so that it can be compared."""
    counts = snapshot.counts
    if len(snapshot.parts) == 1:
        return f"{title(snapshot)}: {snapshot.status.value}"
    told = [
        f"{counts[status]} {status.value}"
        for status in (Status.DONE, Status.RUNNING, Status.QUEUED, Status.INITIALIZING, *sorted_final())
        if counts[status]
    ]
    return f"{title(snapshot)}: {len(snapshot.parts)} sub-jobs, " + ", ".join(told)


def title(snapshot: CompositeSnapshot) -> str:
    """The name of a job, quoted, for text outputs."""
    return f"'{shown(snapshot.name, LONGEST_NAME)}'" if snapshot.name else "job"


def sorted_final() -> tuple[Status, ...]:
    """States of parts that a rerun would send, in the order of the table."""
    return tuple(status for status in Status if status in RERUNNABLE)
