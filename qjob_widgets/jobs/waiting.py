"""Waiting for a job: a subscription to the watch that feeds the panels, drained by the caller's thread."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from typing import Protocol

from qiskit.providers import JobStatus

from qjob_widgets.errors import InvalidInput
from qjob_widgets.events import Event
from qjob_widgets.jobs.states import to_qiskit
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.snapshot import CompositeSnapshot, QueueInfo

logger = logging.getLogger(__name__)

SLICE = 0.5
"""Longest wait in one piece, in seconds: Windows delivers Ctrl-C only between two of them."""


SHORTEST = 0.01
"""Least time between two calls of a callback with a rhythm, in seconds."""


class Callback(Protocol):
    """The documented hook: called with the job's id, status and the job itself."""

    def __call__(
        self, job_id: str, status: JobStatus, job: object, /, *, queue_info: QueueInfo | None
    ) -> object:
        """Take the news."""


def wait_until_final(
    job: Watchable,
    monitor: Monitor,
    *,
    timeout: float | None,
    wait: float | None,
    callback: Callback | None,
    clock: Callable[[], float] = time.time,
) -> bool:
    """Wait until `job` has ended; False if `timeout` seconds passed first.

    The callback runs on the caller's thread, never for a final state: with `wait` None on each change of
    status or queue position, otherwise each `wait` seconds. One that raises is logged and called again
    the next time.

    Raises:
        InvalidInput: If `timeout` or `wait` is no number of seconds.
    """
    for name, seconds in (("timeout", timeout), ("wait", wait)):
        _check(name, seconds)
    news: queue.SimpleQueue[Event] = queue.SimpleQueue()
    deadline = None if timeout is None else clock() + timeout
    told: tuple[object, object] | None = None
    told_at = float("-inf")
    with monitor.watch(job, news.put):
        while not (snapshot := job.snapshot).final:
            now = clock()
            if callback is not None:
                state = (snapshot.status, queue_position(snapshot))
                due = state != told if wait is None else now - told_at >= max(wait, SHORTEST)
                if due:
                    told, told_at = state, now
                    _call(callback, job, snapshot)
            if deadline is not None and now >= deadline:
                return False
            limits = [SLICE, *([] if deadline is None else [deadline - now])]
            if callback is not None and wait is not None:
                limits.append(told_at + max(wait, SHORTEST) - now)
            try:
                news.get(timeout=max(0.0, min(limits)))
            except queue.Empty:
                continue
    return True


def _check(name: str, seconds: object) -> None:
    if seconds is not None and (
        isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0
    ):
        raise InvalidInput(f"{name}={seconds!r} must be a number of seconds from 0 up, or None.")


def _call(callback: Callback, job: Watchable, snapshot: CompositeSnapshot) -> None:
    try:
        callback(job.job_id(), to_qiskit(snapshot.status), job, queue_info=queue_info(snapshot))
    except Exception:
        logger.exception("The callback of wait_for_final_state failed; the wait goes on.")


def queue_info(snapshot: CompositeSnapshot) -> QueueInfo | None:
    """Queue information of the part that is last in the queue; None unless the whole is queued."""
    last = snapshot.last_in_queue
    return last.queue if last is not None and snapshot.status.name == "QUEUED" else None


def queue_position(snapshot: CompositeSnapshot) -> int | None:
    """Queue position of the part that is last in the queue; None where any queued part's is unknown."""
    info = queue_info(snapshot)
    return None if info is None else info.position
