"""Interim results as they come: one daemon thread a stream, which hands them to the user's callback."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from qjob_widgets.errors import ApiError
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.status import Status

logger = logging.getLogger(__name__)

TRIES = 5
"""How often a job that has ended is asked again for interim results after a failure that may pass."""


class ResultStream:
    """Calls `callback(job_id, result)` for each interim result and, if the job is DONE, for its result.

    Begins at once, with the first interim result there is. A callback that raises is logged and called for
    the next result all the same. Where the service has no interim results, that is logged once.

    Args:
        job: The job.
        monitor: Tells when the job starts and ends.
        fetch: Gives the texts of interim results without the first n.
        read: Makes the value of such a text and its number.
        conclude: Gives the result of the job once it is DONE.
        callback: The user's.
    """

    def __init__(
        self,
        job: Watchable,
        monitor: Monitor,
        *,
        fetch: Callable[[int], Sequence[str]],
        read: Callable[[str, int], Any],
        conclude: Callable[[], Any],
        callback: Callable[[str, Any], object],
    ) -> None:
        self._job, self._monitor, self._callback = job, monitor, callback
        self._fetch, self._read, self._conclude = fetch, read, conclude
        self._closed, self._news = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="qjob-stream", daemon=True)
        self._thread.start()

    @property
    def open(self) -> bool:
        """Whether there is more to come."""
        return self._thread.is_alive() and not self._closed.is_set()

    def close(self) -> None:
        """Call no more; a call that has begun goes on to its end."""
        self._closed.set()
        self._news.set()

    def _run(self) -> None:
        for number, text in enumerate(self._texts()):
            self._tell(lambda text=text, number=number: self._read(text, number))  # type: ignore[misc]
        if self._job.snapshot.status is Status.DONE:
            self._tell(self._conclude)

    def _tell(self, value: Callable[[], Any]) -> None:
        if self._closed.is_set():
            return
        try:
            self._callback(self._job.job_id(), value())
        except Exception:
            logger.warning("Streaming a result of job %s failed.", self._job.job_id(), exc_info=True)

    def _texts(self) -> Iterator[str]:
        """Texts of interim results, each once, until the job has ended and no more are there."""
        pace = self._job.source.pace
        told, failures, rest, offered = 0, 0, pace.shortest, True
        with self._monitor.watch(self._job, lambda event: self._news.set()):
            while True:
                self._news.clear()
                if self._closed.is_set():  # asked after clearing, so that no call of close() is slept over
                    return
                # Read before asking: what was published before the end is then among the answers.
                snapshot = self._job.snapshot
                texts: Sequence[str] = ()
                if offered and snapshot.status is not Status.QUEUED:
                    try:
                        texts, failures, rest = self._fetch(told), 0, pace.shortest
                    except ApiError as error:
                        failures, rest = failures + 1, pace.next(rest, lively=False)
                        offered = error.passing and not (snapshot.final and failures > TRIES)
                        if not offered:
                            self._say_that_there_are_none(error)
                yield from texts
                told += len(texts)
                if snapshot.final and not texts and not (offered and failures):
                    return
                if not texts:
                    self._news.wait(rest)

    def _say_that_there_are_none(self, error: ApiError) -> None:
        snapshot = self._job.snapshot
        if not snapshot.final or snapshot.status is Status.DONE:
            logger.warning(
                "The service has no interim results of job %s (%s); the callback gets its result only.",
                self._job.job_id(),
                error,
            )
