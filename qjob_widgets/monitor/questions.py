"""Asking many jobs of other libraries without waiting for any of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Protocol

from qjob_widgets.errors import ApiError, Unreachable
from qjob_widgets.monitor.pool import Pool
from qjob_widgets.snapshot import JobSnapshot

AT_ONCE = 20
"""Most jobs that are asked in one round; those that waited longest come first."""
GRACE = 0.05
"""Seconds that an asker waits for quick answers."""
LATE_AFTER = 5.0
"""Seconds after which an answer is late: that is told, and the others no longer wait for it."""


class Reader(Protocol):
    """Reads one job."""

    @property
    def instant(self) -> bool:
        """Whether `read` never waits."""

    def read(self) -> JobSnapshot:
        """What the job says now."""


@dataclass(frozen=True)
class _Outstanding:
    call: Future[JobSnapshot]
    since: float


class Questions:
    """One outstanding question a job, on the threads of a pool.

    Args:
        pool: Where the questions are asked.
        news: Called, on a thread of the pool, when an answer came that nobody waited for.
        clock: Seconds.
    """

    def __init__(
        self, pool: Pool, news: Callable[[], object], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = pool
        self._news = news
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, _Outstanding] = {}
        self._asked: dict[str, float] = {}

    def ask(
        self, readers: Mapping[str, Reader], *, patience: float = GRACE
    ) -> tuple[list[JobSnapshot], ApiError | None]:
        """What the jobs say, as far as they answer within `patience` seconds, and what went wrong.

        Answers that come later are given by the next call; a new round begins after those have been taken.
        """
        found: list[JobSnapshot] = []
        troubles: list[ApiError] = []
        slow = {}
        for job_id, reader in readers.items():
            if reader.instant:
                _take(job_id, reader.read, found, troubles)
            else:
                slow[job_id] = reader
        with self._lock:
            taken = self._collect(found, troubles)
            begun = [] if taken or self._waits() else self._begin(slow)
            calls = [asked.call for asked in self._open.values()] if patience > GRACE else begun
        if patience > GRACE:
            wait(calls, timeout=patience)
        elif calls:
            self._pool.grant(calls, GRACE)
        with self._lock:
            self._collect(found, troubles)
            for asked in self._open.values():
                if asked.call in begun:
                    asked.call.add_done_callback(lambda _: self._news())
            late = [job_id for job_id, asked in self._open.items() if self._is_late(asked)]
            for job_id in self._asked.keys() - readers.keys():
                del self._asked[job_id]
        self._pool.tend()
        if late:
            waited = self._clock() - min(self._open[job_id].since for job_id in late)
            troubles.append(Unreachable(f"status() of job {late[0]} has not answered for {waited:.0f} s."))
        return found, next(iter(troubles), None)

    def _is_late(self, asked: _Outstanding) -> bool:
        return self._clock() - asked.since >= LATE_AFTER

    def _waits(self) -> bool:
        return any(not self._is_late(asked) for asked in self._open.values())

    def _begin(self, readers: Mapping[str, Reader]) -> list[Future[JobSnapshot]]:
        free = [job_id for job_id in readers if job_id not in self._open]
        chosen = sorted(free, key=lambda job_id: self._asked.get(job_id, 0.0))[:AT_ONCE]
        for job_id in chosen:
            self._asked[job_id] = self._clock()
            self._open[job_id] = _Outstanding(self._pool.put(readers[job_id].read), self._clock())
        return [self._open[job_id].call for job_id in chosen]

    def _collect(self, found: list[JobSnapshot], troubles: list[ApiError]) -> int:
        done = [job_id for job_id, asked in self._open.items() if asked.call.done()]
        for job_id in done:
            _take(job_id, self._open.pop(job_id).call.result, found, troubles)
        return len(done)


def _take(
    job_id: str, answer: Callable[[], JobSnapshot], found: list[JobSnapshot], troubles: list[ApiError]
) -> None:
    try:
        found.append(answer())
    except ApiError as error:
        troubles.append(error)
    except Exception as error:
        troubles.append(ApiError(f"status() of job {job_id} failed: {type(error).__name__}: {error}"))
