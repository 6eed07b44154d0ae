"""What happened to jobs: frozen values, and the function that finds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from qjob_widgets.errors import ApiError
from qjob_widgets.snapshot import JobSnapshot


@dataclass(frozen=True)
class JobEvent:
    """One job's facts changed; `old` is None when the job is seen for the first time.

    `watched` is the id of what was handed to the monitor: the composite's for a part.
    """

    watched: str
    job_id: str
    old: JobSnapshot | None
    new: JobSnapshot


@dataclass(frozen=True)
class PollFailed:
    """Asking failed; the watch goes on. `failures` counts failures in a row."""

    watched: str
    error: ApiError
    failures: int


@dataclass(frozen=True)
class WatchEnded:
    """Nothing is open any more: every job is final, gone, or no longer watched."""

    watched: str


Event = JobEvent | PollFailed | WatchEnded


def diff(watched: str, old: Mapping[int, JobSnapshot], new: Mapping[int, JobSnapshot]) -> Iterator[JobEvent]:
    """One event for each part of `new` that differs from the same part of `old`."""
    for key, snapshot in new.items():
        if old.get(key) != snapshot:
            yield JobEvent(watched, snapshot.job_id, old.get(key), snapshot)
