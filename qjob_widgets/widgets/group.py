"""Many jobs as one, so that a table of jobs is drawn and commanded as the panel of a job is: each is a part.

Rows are only ever added, so a row's number means the same job for as long as the table lives.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from qjob_widgets.errors import QJobError, Unreachable, passing
from qjob_widgets.events import Event
from qjob_widgets.monitor.foreign import Foreign, adapted
from qjob_widgets.monitor.monitor import Freshness, Monitor, Subscription
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.stretches import Stretches, replaced
from qjob_widgets.widgets.abilities import cancelled

NAMED = 5
"""Jobs, and reasons, that are named where many have the same trouble."""


class JobGroup:
    """Jobs in the order in which they were added.

    Args:
        group_id: Its id.
        name: Its title; None says how many jobs there are.
    """

    def __init__(self, group_id: str, name: str | None = None) -> None:
        self._group_id, self.name = group_id, name
        self._lock = threading.Lock()
        self._given: list[Any] = []
        self._jobs: list[Any] = []
        self._ids: set[str] = set()
        self._told: Stretches[CompositeSnapshot] = Stretches()
        self._rows: Stretches[JobSnapshot] = Stretches()
        self._snapshot = self._whole(())

    def add(self, job: Watchable | Foreign) -> bool:
        """Add a job; False if one of that id is there.

        Raises:
            InvalidInput: If it is no job.
        """
        watched = adapted(job)
        with self._lock:
            if watched.job_id() in self._ids:
                return False
            self._ids.add(watched.job_id())
            self._given.append(job)
            self._jobs.append(watched)
            return True

    @property
    def given(self) -> list[Any]:
        """The jobs as they were given."""
        with self._lock:
            return list(self._given)

    @property
    def jobs(self) -> list[Any]:
        """The jobs as they are watched: those of other libraries through their adapters."""
        with self._lock:
            return list(self._jobs)

    # ---- as a job

    def job_id(self) -> str:
        """The group's own id."""
        return self._group_id

    @property
    def told(self) -> tuple[CompositeSnapshot, ...]:
        """What is known of each job."""
        return tuple(job.snapshot for job in self.jobs)

    @property
    def snapshot(self) -> CompositeSnapshot:
        """The group as one job; the same object while nothing has changed."""
        told = self.told
        with self._lock:
            number = len(self._told)
            changed = {at: row(now) for at, now, _ in replaced(told[:number], self._told)}
            if changed or len(told) > number:
                self._rows = self._rows.replacing(changed).followed_by(map(row, told[number:]))
                self._told = Stretches(told)
                self._snapshot = self._whole(told)
            return self._snapshot

    def _whole(self, told: Sequence[CompositeSnapshot]) -> CompositeSnapshot:
        backends = {job.backend for job in told}
        return CompositeSnapshot(
            self._group_id,
            self._rows,
            self.name or title(told),
            backend=backends.pop() if len(backends) == 1 else "",
        )

    @property
    def source(self) -> Any:
        """Itself, which asks each of its jobs' own."""
        return self

    def absorb(self, found: Sequence[JobSnapshot], gone: Iterable[str] = ()) -> None:
        """Nothing: each of the jobs learns by itself."""

    def ask(self, jobs: Sequence[Watchable]) -> None:
        """Have each of the jobs ask now."""
        for job in self.jobs:
            job.source.ask([job])

    def label(self, index: int) -> str:
        """The name of a job; of one without, which circuits it has, where it is no composite."""
        with self._lock:
            job = self._jobs[index]
        snapshot = job.snapshot
        label = None if snapshot.name or snapshot.composite else getattr(job, "label", None)
        return snapshot.name or (label(0) if callable(label) else "")

    @property
    def standing(self) -> Any:
        """What the one service that all jobs belong to tells beside them; None where there are several."""
        told: list[Any] = [getattr(job, "standing", None) for job in self._one_a_backend()]
        left = {(each.left, each.limit) for each in told if each is not None}
        if len(left) != 1 or None in told:
            return None
        return told[0] if len(told) == 1 else replace(told[0], calibrated=None)

    @property
    def fetch_standing(self) -> Callable[[], None] | None:
        """What asks for it anew; None while there is nobody to ask."""
        return self._fetch_standing if self.jobs else None

    def _fetch_standing(self) -> None:
        for job in self._one_a_backend():
            fetch = getattr(job, "fetch_standing", None)
            if callable(fetch):
                fetch()

    def _one_a_backend(self) -> list[Any]:
        """One job for each service and backend."""
        return list({(id(job.source), job.snapshot.backend): job for job in self.jobs}.values())

    # ---- commands

    def cancel(self, *, parts: Iterable[int] | None = None) -> None:
        """Cancel those of the jobs, by number, that are open and can be cancelled.

        Raises:
            QJobError: If some could not be cancelled; all have been tried then.
        """
        self._each(parts, "cancel", lambda job: not job.snapshot.final, cancelled)

    def rerun_failed(self, *, parts: Iterable[int] | None = None) -> None:
        """Rerun what has failed of those of the jobs, by number, that can be rerun.

        Raises:
            QJobError: If some could not be rerun; all have been tried then.
        """
        self._each(parts, "rerun_failed", lambda job: bool(job.snapshot.rerunnable), _rerun)

    def stop_sending(self) -> int:
        """Stop sending what waits to be sent; how many sub-jobs that were."""
        able = [job for job in self.jobs if callable(getattr(job, "stop_sending", None))]
        return sum(job.stop_sending() for job in able)

    def report(self) -> str:
        """The reports of all of them, one below the other."""
        able = [job for job in self.jobs if callable(getattr(job, "report", None))]
        heads = [f"{job.snapshot.name or ''} {job.job_id()}".strip() for job in able]
        return "\n\n".join(f"{head}\n{job.report()}" for head, job in zip(heads, able, strict=True))

    def _each(
        self,
        parts: Iterable[int] | None,
        ability: str,
        wanted: Callable[[Any], bool],
        do: Callable[[Any], object],
    ) -> None:
        jobs = self.jobs
        chosen = jobs if parts is None else [jobs[index] for index in parts]
        troubles: list[tuple[str, Exception]] = []
        for job in chosen:
            able = hasattr(job, ability)
            if not wanted(job) or (parts is None and not able):
                continue
            try:
                if not able:
                    raise QJobError(f"This kind of job has no {ability}().")
                do(job)
            except Exception as error:
                troubles.append((job.snapshot.name or job.job_id(), error))
        if troubles:
            gravest = max((error for _, error in troubles), key=_gravity)
            raise QJobError(f"{len(troubles)} of {len(chosen)} jobs: {_said(troubles)}") from gravest


def _rerun(job: Any) -> object:
    return job.rerun_failed()


def _gravity(error: Exception) -> int:
    """What does not pass is graver than what may have been sent, and that than what was not."""
    trouble = passing(error)
    if trouble is None:
        return 2
    return int(isinstance(trouble, Unreachable) and trouble.sent)


def _said(troubles: Sequence[tuple[str, Exception]]) -> str:
    """What went wrong, once where the same keeps several jobs from it."""
    several = len(troubles) > 1
    named: dict[str, list[str]] = {}
    for name, error in troubles:
        trouble = passing(error) if several else None
        named.setdefault(str(trouble or error), []).append(name)
    said = [f"{_names(names)}: {text}" for text, names in list(named.items())[:NAMED]]
    return "; ".join([*(text.removesuffix(".") for text in said[:-1]), *said[-1:]])


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


class GroupMonitor:
    """A monitor's face for one group: who watches the group watches each of its jobs, later ones too."""

    def __init__(self, monitor: Monitor, group: JobGroup) -> None:
        self._monitor, self._group = monitor, group
        self._begin: Callable[[Watchable], Subscription] | None = None
        self._watches: list[Subscription] = []
        self._lock = threading.Lock()

    def watch(self, job: object, subscriber: Callable[[Event], None], *, each: bool = True) -> Subscription:
        """Watch all jobs of the group; `each` is that of the monitor."""
        self._begin = lambda job: self._monitor.watch(job, subscriber, each=each)
        for one in self._group.jobs:
            self.begin(one)
        return Subscription(self._end)

    def begin(self, job: Watchable) -> None:
        """Watch a job that has just been added; nothing while nobody watches the group."""
        if self._begin is not None:
            watch = self._begin(job)
            with self._lock:
                self._watches.append(watch)

    def refresh(self, job: object) -> None:
        """Ask about all jobs that are open now."""
        for each in self._group.jobs:
            self._monitor.refresh(each)

    def ask(self, jobs: object, within: float) -> None:
        """The same, and return when that has been done, or after `within` seconds."""
        self._monitor.ask(self._group.jobs, within)

    def freshness(self, job: object) -> Freshness:
        """That of the job of which least is known; that of a service that does not answer before all."""
        every = [self._monitor.freshness(each) for each in self._group.jobs if not each.snapshot.final]
        asked = [fresh for fresh in every if fresh.asked is not None or fresh.failures]
        return max(asked, key=lambda fresh: (fresh.failures, -_seconds(fresh)), default=Freshness())

    def _end(self) -> None:
        self._begin = None
        with self._lock:
            watches, self._watches = self._watches, []
        for watch in watches:
            watch.close()


def row(job: CompositeSnapshot) -> JobSnapshot:
    """A job in one line: the state of the whole, its first and last moment, what most of its failures say."""
    parts = job.parts
    if len(parts) == 1 and not job.composite:
        return parts[0]
    reason, code = _reason(parts)
    last = job.last_in_queue
    used = [part.usage_seconds for part in parts if part.usage_seconds is not None]
    return JobSnapshot(
        job.job_id,
        job.status,
        reason=reason,
        reason_code=code,
        queue=None if last is None else last.queue,
        created=min((part.created for part in parts if part.created), default=None),
        running=min((part.running for part in parts if part.running), default=None),
        finished=max((part.finished for part in parts if part.finished), default=None) if job.final else None,
        tags=job.tags,
        usage_seconds=sum(used) if used else None,
        backend=job.backend,
        attempt=max((part.attempt for part in parts), default=1),
        times_seen=any(part.times_seen for part in parts),
    )


def _reason(parts: Iterable[JobSnapshot]) -> tuple[str | None, int | None]:
    """The reason that most failed parts give, with their number where not all give it."""
    failed = [part for part in parts if part.status is Status.ERROR]
    said = Counter((part.reason, part.reason_code) for part in failed if part.reason)
    if not said:
        return None, None
    (reason, code), number = said.most_common(1)[0]
    if len(failed) == 1:
        return reason, code
    return f"{number:,} of {len(failed):,} failed: {reason}", code


def title(jobs: Sequence[CompositeSnapshot]) -> str:
    """What a table without a name is called."""
    return "1 job" if len(jobs) == 1 else f"{len(jobs):,} jobs"


def plain(jobs: Sequence[CompositeSnapshot]) -> str:
    """All of them in one line, without times and ids."""
    counts = Counter(job.status for job in jobs)
    told = [f"{counts[status]:,} {status.value}" for status in Status if counts[status]]
    return f"{title(jobs)}, {', '.join(told)}" if told else "no jobs yet"


def _seconds(fresh: Freshness) -> float:
    return 0.0 if fresh.asked is None else fresh.asked.timestamp()
