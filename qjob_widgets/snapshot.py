"""Facts about jobs: frozen, replaced whole, the only thing that travels from HTTP to the screen."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from qjob_widgets import tags as composite_tags
from qjob_widgets.status import FINAL, RERUNNABLE, Status, overall


def _duration_from_now(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "unknown"
    seconds = max(0, round((moment - now).total_seconds()))
    days, seconds = divmod(seconds, 86400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    named = ((days, "day"), (hours, "hr"), (minutes, "min"), (seconds, "sec"))
    return " ".join(f"{number} {unit}" for number, unit in named if number) or "0 sec"


@dataclass(frozen=True)
class QueueInfo:
    """Where a job stands in its backend's queue.

    Documented: `qiskit_ibm_provider.job.QueueInfo` (0.10). Position is 1-based, 1 runs next; None where
    the service does not say. Times are aware datetimes.
    """

    position: int | None = None
    status: str | None = None
    estimated_start_time: datetime | None = None
    estimated_complete_time: datetime | None = None
    hub_priority: float | None = None
    group_priority: float | None = None
    project_priority: float | None = None
    job_id: str | None = None

    @property
    def known(self) -> bool:
        """Whether it says anything at all."""
        return any(
            value is not None
            for value in (self.position, self.estimated_start_time, self.estimated_complete_time)
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return dataclasses.asdict(self)

    def format(self, now: datetime | None = None) -> str:
        """Eight lines for a person; estimated times are durations from `now`."""
        now = now or datetime.now(timezone.utc)

        def shown(value: object) -> object:
            return "unknown" if value is None else value

        return "\n".join(
            (
                f"Queue information for job {shown(self.job_id)}:",
                f"    queue position: {shown(self.position)}",
                f"    status: {shown(self.status)}",
                f"    estimated start time: {_duration_from_now(self.estimated_start_time, now)}",
                f"    estimated completion time: {_duration_from_now(self.estimated_complete_time, now)}",
                f"    hub priority: {shown(self.hub_priority)}",
                f"    group priority: {shown(self.group_priority)}",
                f"    project priority: {shown(self.project_priority)}",
            )
        )


@dataclass(frozen=True)
class JobSnapshot:
    """Everything that is known about one job at one moment.

    Times are UTC. `job_id` is empty for a part that the service has not accepted. `word` is the service's
    own status word. `attempt` counts the submissions of this part, from 1; 0 before the first.
    `times_seen` marks times that the service did not tell: then they are when a change was first seen.
    """

    job_id: str
    status: Status
    word: str = ""
    reason: str | None = None
    reason_code: int | None = None
    queue: QueueInfo | None = None
    created: datetime | None = None
    running: datetime | None = None
    finished: datetime | None = None
    tags: tuple[str, ...] = ()
    usage_seconds: float | None = None
    backend: str = ""
    program: str = ""
    session_id: str | None = None
    private: bool = False
    attempt: int = 1
    place: composite_tags.Place | None = None
    times_seen: bool = False

    @property
    def final(self) -> bool:
        """Whether nothing about the job will change any more."""
        return self.status in FINAL

    @property
    def position(self) -> int | None:
        """Queue position, 1 is next; None unless queued and told."""
        return self.queue.position if self.queue and self.status is Status.QUEUED else None

    @property
    def why(self) -> str:
        """The reason with its code in front, as a person would quote it; empty without one."""
        code = "" if self.reason_code is None else f"{self.reason_code} "
        return f"{code}{self.reason}" if self.reason else code.strip()


@dataclass(frozen=True)
class CompositeSnapshot:
    """Everything that is known about a composite at one moment: its parts, in index order.

    A single job is a composite of one part here, so that views have one form to draw.
    """

    job_id: str
    parts: tuple[JobSnapshot, ...]
    name: str | None = None
    tags: tuple[str, ...] = ()
    backend: str = ""
    sending: int = 0
    composite: bool = True

    @property
    def status(self) -> Status:
        """State of the whole (rule 4 of `status.py`)."""
        return overall(part.status for part in self.parts)

    @property
    def final(self) -> bool:
        """Whether every part has ended."""
        return all(part.final for part in self.parts)

    @property
    def counts(self) -> Mapping[Status, int]:
        """Number of parts in each of the seven states, zeros included."""
        found = Counter(part.status for part in self.parts)
        return {status: found[status] for status in Status}

    @property
    def rerunnable(self) -> tuple[JobSnapshot, ...]:
        """The parts that a rerun would send again."""
        return tuple(part for part in self.parts if part.status in RERUNNABLE)

    @property
    def last_in_queue(self) -> JobSnapshot | None:
        """The queued part that runs last; a part of unknown position counts as last."""
        queued = [part for part in self.parts if part.status is Status.QUEUED]
        if not queued:
            return None
        return max(queued, key=lambda part: (part.position is None, part.position or 0))
