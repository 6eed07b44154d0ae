"""Arrivals: the sub-jobs of a job as they end, through the watch that feeds the panels."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

from qjob_widgets.events import Event
from qjob_widgets.jobs.errors import IBMJobTimeoutError
from qjob_widgets.jobs.waiting import SLICE
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.snapshot import JobSnapshot

_LAST = datetime.max.replace(tzinfo=timezone.utc)


def as_completed(
    job: Watchable,
    monitor: Monitor,
    *,
    timeout: float | None,
    clock: Callable[[], float] = time.time,
) -> Iterator[JobSnapshot]:
    """Each submission of a part of `job` as it ends, in order of ending.

    The time runs from the call. Parts that were never sent are not waited for; one that is sent again
    while the caller is at work comes again, as the new sub-job that it is.

    Raises:
        IBMJobTimeoutError: If `timeout` seconds pass first.
    """
    return _arrivals(job, monitor, None if timeout is None else clock() + timeout, timeout, clock)


def _arrivals(
    job: Watchable,
    monitor: Monitor,
    deadline: float | None,
    timeout: float | None,
    clock: Callable[[], float],
) -> Iterator[JobSnapshot]:
    told: set[str] = set()
    news: queue.SimpleQueue[Event] = queue.SimpleQueue()
    with monitor.watch(job, news.put):
        while True:
            snapshot = job.snapshot
            ended = [
                part for part in snapshot.parts if part.final and part.job_id and part.job_id not in told
            ]
            told.update(part.job_id for part in ended)
            yield from sorted(ended, key=lambda part: part.finished or _LAST)
            if ended:
                continue  # the caller took its time, and may have sent parts again
            if snapshot.final:
                return
            left = SLICE if deadline is None else deadline - clock()
            if left <= 0:
                number = sum(not part.final for part in snapshot.parts)
                raise IBMJobTimeoutError(
                    f"{number} of {len(snapshot.parts)} sub-jobs of {job.job_id()} did not end"
                    f" within {timeout} seconds."
                )
            _rest(news, min(SLICE, left))


def _rest(news: queue.SimpleQueue[Event], seconds: float) -> None:
    """Wait for news, and take all that there is: one look at the parts serves them together."""
    with contextlib.suppress(queue.Empty):
        news.get(timeout=seconds)
        while True:
            news.get_nowait()
