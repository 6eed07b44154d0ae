"""What several tests share: snapshots by letters, a job in memory, a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from qjob_widgets.errors import ApiError
from qjob_widgets.monitor.foreign import Foreign
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.monitor.watch import Pace, Watchable
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot, QueueInfo
from qjob_widgets.status import Status
from qjob_widgets.tags import Place

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=timezone.utc)
LETTERS = {
    "I": Status.INITIALIZING,
    "V": Status.VALIDATING,
    "Q": Status.QUEUED,
    "R": Status.RUNNING,
    "E": Status.ERROR,
    "C": Status.CANCELLED,
    "D": Status.DONE,
}


def part(letter: str, index: int = 0, total: int = 1, size: int = 10, **facts: object) -> JobSnapshot:
    """A sub-job in the state of `letter`, created `index` seconds after noon."""
    position = facts.pop("position", None)
    snapshot = JobSnapshot(
        job_id=f"job-{index}",
        status=LETTERS[letter],
        word=LETTERS[letter].value,
        created=NOON + timedelta(seconds=index),
        backend="local_manila",
        place=Place(index, total, index * size, index * size + size - 1),
        queue=None if position is None else QueueInfo(position, job_id=f"job-{index}"),  # type: ignore[arg-type]
    )
    return replace(snapshot, **facts)  # type: ignore[arg-type]


def composite(letters: str, *, job_id: str = "whole", name: str | None = "sweep") -> CompositeSnapshot:
    """A composite with one sub-job a letter."""
    parts = tuple(part(letter, index, len(letters)) for index, letter in enumerate(letters))
    return CompositeSnapshot(job_id, parts, name, ("vqe",), "local_manila")


@dataclass
class Clock:
    """Time that passes when it is told to; `pause` lets it pass."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@dataclass(eq=False)
class ScriptedSource:
    """Answers each question with the next line of letters for each job; an error is raised instead."""

    answers: list[str | ApiError | Exception]
    pace: Pace = field(default_factory=lambda: Pace(shortest=2, longest=45, growth=1.5, jitter=0))
    questions: list[list[str]] = field(default_factory=list)

    def ask(self, jobs: Sequence[Watchable]) -> None:
        self.questions.append([job.job_id() for job in jobs])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        for job in jobs:
            job.absorb([part(letter, index, len(answer)) for index, letter in enumerate(answer)])


@dataclass(eq=False)
class MemoryJob:
    """A job whose facts stand in memory, with the commands of a composite counted."""

    snapshot: CompositeSnapshot
    source: ScriptedSource
    cancelled: int = 0
    rerun: int = 0
    chosen: Collection[int] | None = None
    trouble: Exception | None = None

    def job_id(self) -> str:
        return self.snapshot.job_id

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        parts = list(self.snapshot.parts)
        for news in found:
            assert news.place is not None
            parts[news.place.job] = news
        self.snapshot = replace(self.snapshot, parts=tuple(parts))

    def cancel(self, *, parts: Collection[int] | None = None) -> bool:
        self.cancelled += 1
        self.chosen = parts
        if self.trouble is not None:
            raise self.trouble
        return True

    def rerun_failed(self, *, parts: Collection[int] | None = None) -> None:
        self.rerun += 1
        self.chosen = parts


class Prompt(Monitor):
    """A monitor without a thread that asks in the thread of who wants an answer."""

    def ask(self, jobs: Iterable[Watchable | Foreign], within: float) -> None:
        super().ask(jobs, within)
        self.step()


def memory_job(letters: str, *answers: str | Exception, job_id: str = "whole") -> MemoryJob:
    """A job in the states of `letters`, whose source will answer with `answers` one after another."""
    return MemoryJob(composite(letters, job_id=job_id), ScriptedSource(list(answers)))
