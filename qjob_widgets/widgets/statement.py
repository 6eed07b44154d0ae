"""What is known of a job, or of many, at one moment, in words; pages, text and terminals only set it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.widgets import words
from qjob_widgets.widgets.listing import MOST_ROWS, Listing, jobs, sub_jobs
from qjob_widgets.widgets.reasons import MOST, reasons
from qjob_widgets.widgets.shown import LONGEST_NAME, shown


@dataclass(frozen=True)
class Statement:
    """A job, or many, in words; all foreign text in it is `shown`."""

    title: str
    status: Status
    word: str
    """The state as it is named."""
    at: datetime
    """When it was so."""
    final: bool
    progress: str
    """How far it is; "" for a job of one part."""
    counts: tuple[tuple[Status, int], ...]
    """The states that are there, done first; nothing for a job of one part."""
    why: str
    """What it waits for and what can be done."""
    reasons: tuple[str, ...]
    """Why its parts have failed; nothing for a job of one part."""
    facts: tuple[str, ...]
    """Where it runs, its id, its tags."""
    table: Listing

    @property
    def moment(self) -> str:
        """When it was so, in this machine's zone."""
        return self.at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")

    @property
    def headline(self) -> str:
        """State, progress and counts in one line; an open job is not said to be so now."""
        word = self.word if self.final else f"{self.word} as of {self.moment}"
        others = ", ".join(
            f"{number:,} {status.value}" for status, number in self.counts if status is not Status.DONE
        )
        line = " · ".join(filter(None, (word, self.progress)))
        return f"{line} ({others})" if others else line

    @property
    def origin(self) -> tuple[str, ...]:
        """The facts, with the moment where the headline does not tell it."""
        return (f"As of {self.moment}", *self.facts) if self.final else self.facts


def of_job(
    snapshot: CompositeSnapshot,
    *,
    at: datetime,
    rerun: bool = True,
    labels: Sequence[str] = (),
    most: int | None = MOST_ROWS,
    urgent_first: bool = True,
) -> Statement:
    """A job as it was at `at`, with `most` of its parts; None is all.

    Args:
        snapshot: The job.
        at: When this was known.
        rerun: Whether this kind of job can be rerun.
        labels: Which circuits each part has.
        most: How many parts are listed, those first that want to be seen.
        urgent_first: Whether these stand first, or all are in index order.
    """
    parts = snapshot.parts
    return Statement(
        title=shown(snapshot.name or snapshot.job_id, LONGEST_NAME),
        status=snapshot.status,
        word="sending" if snapshot.sending else snapshot.status.value,
        at=at,
        final=snapshot.final,
        progress=_progress(snapshot),
        counts=_counted([part.status for part in parts]) if len(parts) > 1 else (),
        why=words.why(snapshot, at, rerun=rerun),
        reasons=_listed(each.placed for each in reasons(parts, labels)) if len(parts) > 1 else (),
        facts=_facts(snapshot.backend, snapshot.job_id if snapshot.name else "", snapshot.tags),
        table=sub_jobs(snapshot, at, labels, most, urgent_first=urgent_first),
    )


def of_jobs(
    whole: CompositeSnapshot,
    told: Sequence[CompositeSnapshot],
    *,
    at: datetime,
    most: int | None = MOST_ROWS,
) -> Statement:
    """Many jobs as they were at `at`; `whole` is the group of them, as one job."""
    done = sum(job.status is Status.DONE for job in told)
    parts = [part for job in told for part in job.parts]
    return Statement(
        title=shown(whole.name or "", LONGEST_NAME),
        status=whole.status,
        word=whole.status.value if told else "no jobs yet",
        at=at,
        final=whole.final and bool(told),
        progress=f"{done:,} of {len(told):,} done" if told else "",
        counts=_counted([job.status for job in told]) if len(told) > 1 else (),
        why=words.why(whole, at) if told else "",
        reasons=_listed(reason.counted for reason in reasons(parts)) if len(told) > 1 else (),
        facts=_facts(whole.backend, "", ()),
        table=jobs(told, at, most),
    )


def _progress(snapshot: CompositeSnapshot) -> str:
    if len(snapshot.parts) == 1:
        return ""
    done = [part for part in snapshot.parts if part.status is Status.DONE]
    text = f"{len(done):,} of {len(snapshot.parts):,} done"
    total = _circuits(snapshot.parts)
    return f"{text} · {_circuits(done):,} of {total:,} circuits" if total else text


def _circuits(parts: Sequence[JobSnapshot]) -> int:
    return sum(part.place.end - part.place.start + 1 for part in parts if part.place is not None)


def _counted(states: Sequence[Status]) -> tuple[tuple[Status, int], ...]:
    return tuple((status, states.count(status)) for status in reversed(Status) if status in states)


def _listed(texts: Iterable[str]) -> tuple[str, ...]:
    found = tuple(texts)
    left = len(found) - MOST
    return (*found[:MOST], f"and {left:,} more reasons") if left > 0 else found


def _facts(backend: str, job_id: str, tags: Sequence[str]) -> tuple[str, ...]:
    named = f"tags: {shown(', '.join(tags[:100]), 1000)}" if tags else ""
    return tuple(filter(None, (shown(backend, LONGEST_NAME), shown(job_id, LONGEST_NAME), named)))
