"""What waiting jobs are told: how many are before them, and when they will probably begin and end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from qjob_widgets.local.jobs.records import Job, now
from qjob_widgets.local.queue.line import Line, Rank

RECENT = 20
"""A running mean forgets as if it were that of so many jobs."""


class Pace:
    """Running means of the seconds from start to end: of a program on a backend, of a backend, of all jobs.

    Args:
        recent: Backend, program and seconds of jobs that have ended, the oldest first.
    """

    def __init__(self, recent: Iterable[tuple[str, str, float]] = ()) -> None:
        self._means: dict[tuple[str, ...], tuple[int, float]] = {}
        for backend, program, seconds in recent:
            self.learn(backend, program, seconds)

    def learn(self, backend: str, program: str, seconds: float) -> None:
        """A job has run so long."""
        for kind in ((), (backend,), (backend, program)):
            count, mean = self._means.get(kind, (0, 0.0))
            count = min(count + 1, RECENT)
            self._means[kind] = (count, mean + (seconds - mean) / count)

    def seconds(self, *kind: str) -> float | None:
        """How long a job of this backend, of this program, will run, as the most similar ones did that ended.

        None before the first.
        """
        kinds = (kind[:length] for length in range(len(kind), -1, -1))
        return next((self._means[known][1] for known in kinds if known in self._means), None)


class Workers(Protocol):
    """What is asked of the scheduler."""

    @property
    def size(self) -> int:
        """How many jobs can run at the same time."""

    @property
    def running(self) -> Sequence[Job]:
        """Those that run."""

    @property
    def turns(self) -> Sequence[str]:
        """The backends, the one whose turn is next first."""

    @property
    def holds(self) -> frozenset[str]:
        """What is held."""


@dataclass(frozen=True)
class Place:
    """A waiting job's position in the line of its backend and among all, from 1; times as in `records`."""

    position: int
    among_all: int
    start: int | None
    completion: int | None


class Outlook:
    """Tells places. Estimates are that all jobs run as long as their like did, on all workers.

    Args:
        line: The order of the jobs.
        pace: How long they run.
        workers: The scheduler.
        clock: Microseconds since 1970.
    """

    def __init__(self, line: Line, pace: Pace, workers: Workers, clock: Callable[[], int] = now) -> None:
        self._line, self._pace, self._workers, self._clock = line, pace, workers, clock

    def expected(self, backend: str, program: str) -> float | None:
        """Seconds that a job will run; None before the first has ended."""
        return self._pace.seconds(backend, program)

    def places(self, jobs: Sequence[Job]) -> dict[str, Place]:
        """The places of those of `jobs` that wait, by id."""
        ranks = self._line.ranks(jobs, lambda backend, program: self._pace.seconds(backend, program) or 0.0)
        if not ranks:
            return {}
        lengths, turns, moment = self._line.lengths(), self._workers.turns, self._clock()
        return {
            job.id: self._place(job, ranks[job.id], others_before(ranks[job.id], job, lengths, turns), moment)
            for job in jobs
            if job.id in ranks
        }

    def _place(self, job: Job, rank: Rank, others: Mapping[str, int], moment: int) -> Place:
        among_all = rank.position + sum(others.values())
        own = self._pace.seconds(job.backend, job.program)
        if own is None or self._workers.holds or not self._workers.size:
            return Place(rank.position, among_all, None, None)
        running = [self._remaining(job, moment) for job in self._workers.running]
        before = len(running) + among_all - 1
        start = moment
        if before >= self._workers.size:
            work = sum(running) + rank.seconds_before
            work += sum(count * (self._pace.seconds(backend) or 0.0) for backend, count in others.items())
            rounds = before // self._workers.size
            start += round(1e6 * rounds * work / before)
        return Place(rank.position, among_all, start, start + round(1e6 * own))

    def _remaining(self, job: Job, moment: int) -> float:
        expected = self._pace.seconds(job.backend, job.program) or 0.0
        return max(0.0, expected - (moment - (job.running or moment)) / 1e6)


def others_before(
    rank: Rank, job: Job, lengths: Mapping[str, int], turns: Sequence[str]
) -> Mapping[str, int]:
    """How many jobs of each other backend will be taken before this one, as the lines take turns."""
    own = turns.index(job.backend) if job.backend in turns else len(turns)
    return {
        backend: min(lengths.get(backend, 0), rank.position - (index > own))
        for index, backend in enumerate(turns)
        if backend != job.backend
    }
