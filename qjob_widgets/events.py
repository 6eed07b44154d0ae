"""What happened to jobs: frozen values, and the function that finds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qjob_widgets.errors import ApiError
from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.stretches import replaced


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


def diff(watched: str, old: Sequence[JobSnapshot | None], new: Sequence[JobSnapshot]) -> Iterator[JobEvent]:
    """One event for each part of `new` that differs from the part of `old` in the same place."""
    if len(old) != len(new):
        old = [*old[: len(new)], *[None] * (len(new) - len(old))]
    for _, one, other in replaced(new, old):
        if one is not None and (other is None or one.status is not other.status or one != other):
            yield JobEvent(watched, one.job_id, other, one)
