"""Facts about jobs: frozen, replaced whole, the only thing that travels from HTTP to the screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import Any

from qjob_widgets import tags as composite_tags
from qjob_widgets.status import FINAL, RERUNNABLE, SENTENCES, Status, overall
from qjob_widgets.stretches import Stretches

_STATUS = attrgetter("status")


def _duration_from_now(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "unknown"
    seconds = max(0, round((moment - now).total_seconds()))
    days, seconds = divmod(seconds, 86400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    named = ((days, "day"), (hours, "hr"), (minutes, "min"), (seconds, "sec"))
    return " ".join(f"{number} {unit}" for number, unit in named if number) or "0 sec"


@dataclass(frozen=True, init=False, repr=False, slots=True)
class QueueInfo:
    """Where a job stands in its backend's queue.

    Source: qiskit_ibm_provider.job.QueueInfo (0.10).

    Args:
        position_in_queue: From 1, which runs next; None where the service does not say.
        status: Name of the job's status.
        estimated_start_time: When it may start; an aware datetime.
        estimated_completion_time: When it may end; an aware datetime.
        hub_priority: Dynamic priority of the hub.
        group_priority: Dynamic priority of the group.
        project_priority: Dynamic priority of the project.
        job_id: The job.
        more: Whatever else the service says; readable as attributes.
    """

    position: int | None
    hub_priority: float | None
    group_priority: float | None
    project_priority: float | None
    job_id: str | None
    _status: str | None
    _start: datetime | None
    _complete: datetime | None
    _more: tuple[tuple[str, Any], ...]

    def __init__(
        self,
        position_in_queue: int | None = None,
        status: str | None = None,
        estimated_start_time: datetime | None = None,
        estimated_completion_time: datetime | None = None,
        hub_priority: float | None = None,
        group_priority: float | None = None,
        project_priority: float | None = None,
        job_id: str | None = None,
        **more: Any,
    ) -> None:
        facts = {
            "position": position_in_queue,
            "hub_priority": hub_priority,
            "group_priority": group_priority,
            "project_priority": project_priority,
            "job_id": job_id,
            "_status": status,
            "_start": estimated_start_time,
            "_complete": estimated_completion_time,
            "_more": tuple(sorted(more.items())),
        }
        for name, value in facts.items():
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        # Only asked for what is no field. Names with an underscore would ask for `_more` before it is there.
        if not name.startswith("_"):
            for known, value in self._more:
                if known == name:
                    return value
        raise AttributeError(f"The service said nothing named {name!r} about the queue.")

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items() if value is not None)
        return f"QueueInfo({facts})"

    @property
    def estimated_start_time(self) -> datetime | None:
        """When the job may start, in local time."""
        return None if self._start is None else self._start.astimezone()

    @property
    def estimated_complete_time(self) -> datetime | None:
        """When the job may end, in local time."""
        return None if self._complete is None else self._complete.astimezone()

    @property
    def ends(self) -> datetime | None:
        """The same moment as the service told it: for arithmetic, since making local times takes a while."""
        return self._complete

    @property
    def known(self) -> bool:
        """Whether it says anything at all."""
        said = (self.position, self._start, self._complete, self.hub_priority, self.group_priority)
        return any(value is not None for value in (*said, self.project_priority))

    def to_dict(self) -> dict[str, Any]:
        """The fields by name; times in local time."""
        return {
            "position": self.position,
            "status": self._status,
            "estimated_start_time": self.estimated_start_time,
            "estimated_complete_time": self.estimated_complete_time,
            "hub_priority": self.hub_priority,
            "group_priority": self.group_priority,
            "project_priority": self.project_priority,
            "job_id": self.job_id,
            **dict(self._more),
        }

    def format(self, now: datetime | None = None) -> str:
        """Eight lines for a person; estimated times are durations from `now`."""
        now = now or datetime.now(timezone.utc)

        def shown(value: object) -> object:
            return "unknown" if value is None else value

        return "\n".join(
            (
                f"Queue information for job {shown(self.job_id)}:",
                f"    queue position: {shown(self.position)}",
                f"    status: {shown(SENTENCES.get(self._status or '', self._status))}",
                f"    estimated start time: {_duration_from_now(self._start, now)}",
                f"    estimated completion time: {_duration_from_now(self._complete, now)}",
                f"    hub priority: {shown(self.hub_priority)}",
                f"    group priority: {shown(self.group_priority)}",
                f"    project priority: {shown(self.project_priority)}",
            )
        )


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """Everything that is known about one job at one moment.

    Times are UTC. `job_id` is empty for a part that the service has not accepted. `word` is the service's
    own status word. `attempt` counts the submissions of this part, from 1; 0 before the first.
    `times_seen` marks times that the service did not tell: then they are when a change was first seen.
    `run_mode` is how the service says that it schedules the job, such as `fairshare`. `estimated_seconds`
    is the execution time that the service expects.
    """

    # What a panel reads at every tick comes first.
    job_id: str
    status: Status
    word: str = ""
    reason: str | None = None
    reason_code: int | None = None
    queue: QueueInfo | None = None
    created: datetime | None = None
    running: datetime | None = None
    finished: datetime | None = None
    usage_seconds: float | None = None
    estimated_seconds: float | None = None
    attempt: int = 1
    place: composite_tags.Place | None = None
    times_seen: bool = False
    tags: tuple[str, ...] = ()
    backend: str = ""
    program: str = ""
    session_id: str | None = None
    private: bool = False
    run_mode: str | None = None
    image: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing about the job will change any more."""
        return self.status in FINAL

    @property
    def missing(self) -> bool:
        """Whether nothing is known of it: it was never sent, and its circuits are not known here."""
        return self.attempt == 0 and self.status is Status.ERROR

    @property
    def position(self) -> int | None:
        """Queue position, 1 is next; None unless queued and told, and where it is below 0."""
        position = self.queue.position if self.queue and self.status is Status.QUEUED else None
        return position if position is not None and position >= 0 else None

    @property
    def why(self) -> str:
        """The reason with its code in front, as a person would quote it; empty without one."""
        code = "" if self.reason_code is None else f"{self.reason_code} "
        return f"{code}{self.reason}" if self.reason else code.strip()


@dataclass(frozen=True)
class CompositeSnapshot:
    """Everything that is known about a composite at one moment: its parts, in index order.

    A single job is a composite of one part here, so that views have one form to draw. `sending` parts are
    on their way from this process, `elsewhere` parts from another.
    """

    job_id: str
    parts: Sequence[JobSnapshot]
    name: str | None = None
    tags: tuple[str, ...] = ()
    backend: str = ""
    sending: int = 0
    composite: bool = True
    elsewhere: int = 0

    @cached_property
    def status(self) -> Status:
        """State of the whole (rule 4 of `status.py`)."""
        return overall(part.status for part in self.parts)

    @cached_property
    def final(self) -> bool:
        """Whether every part has ended."""
        return self._an_open_one is None

    @cached_property
    def asked_about(self) -> bool:
        """Whether the service has a part that has not ended."""
        one = self._an_open_one
        return one is not None and (bool(one.job_id) or any(part.job_id for part in self._open()))

    @cached_property
    def _an_open_one(self) -> JobSnapshot | None:
        """A part that has not ended, if there is any.

        Most often the end of some stretch is one, the last first, as the last ones end last: this is asked at
        every tick, and looking at all that have ended would take a while.
        """
        ends = (stretch[-1] for stretch in reversed(Stretches.of(self.parts).stretches))
        return next((part for part in chain(ends, self._open()) if part.status not in FINAL), None)

    def _open(self) -> Iterator[JobSnapshot]:
        """The parts that have not ended."""
        for stretch in Stretches.of(self.parts).stretches:
            if not FINAL.issuperset(map(_STATUS, stretch)):
                yield from (part for part in stretch if part.status not in FINAL)

    @cached_property
    def counts(self) -> Mapping[Status, int]:
        """Number of parts in each of the seven states, zeros included."""
        found = Counter(map(_STATUS, self.parts))
        return {status: found[status] for status in Status}

    @property
    def rerunnable(self) -> tuple[JobSnapshot, ...]:
        """The parts that a rerun would send again."""
        return tuple(part for part in self.parts if part.status in RERUNNABLE)

    @cached_property
    def missing(self) -> int:
        """How many parts are missing, so that the whole can neither be rerun nor have a result."""
        return sum(part.missing for part in self.parts)

    @property
    def last_in_queue(self) -> JobSnapshot | None:
        """The queued part that runs last; a part of unknown position counts as last."""
        queued = [part for part in self.parts if part.status is Status.QUEUED]
        if not queued:
            return None
        return max(queued, key=lambda part: (part.position is None, part.position or 0))
