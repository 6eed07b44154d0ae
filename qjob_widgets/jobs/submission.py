"""The paced queue that sends the parts of jobs, one after another, on a thread of its own.

Nothing twice, nothing lost: a part whose answer was lost is looked for by its tags before it is sent again.
The thread is no daemon, so a script that ends right after `run()` finishes sending first; once the main
thread has ended and the service is gone, it gives up after `PATIENCE_AT_EXIT` seconds and says so.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from qjob_widgets.errors import ApiError, QJobError, RateLimited, ServerFailure, Unreachable
from qjob_widgets.rest.client import RestClient

logger = logging.getLogger(__name__)

FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
RATE_DELAY = 12.0
"""Wait after a 429 without `Retry-After`: the hosted service takes five submissions a minute."""
LASTING_FAILURES = 8
"""So many 5xx answers in a row refuse a part: by then some two minutes have passed."""
NOTICE_AT_EXIT = 2.0
PATIENCE_AT_EXIT = 10.0
LEAST_BETWEEN_REPORTS = 1.0


class Parcel(Protocol):
    """One part on its way."""

    @property
    def wanted(self) -> bool:
        """False once it was cancelled before it was sent."""

    @property
    def marks(self) -> tuple[str, ...]:
        """Tags that together only this part's submissions carry."""

    @property
    def known_ids(self) -> frozenset[str]:
        """Ids of its earlier submissions."""

    def body(self) -> bytes:
        """The request body; made late, so that only one is in memory."""

    def sending(self) -> None:
        """It is being sent now."""

    def waiting(self, why: str) -> None:
        """It will be sent again later."""

    def accepted(self, job_id: str) -> bool:
        """The service has it, under this id. False if it was cancelled while it was on its way."""

    def refused(self, why: str) -> None:
        """It will not be sent."""

    def report(self) -> None:
        """Tell whoever watches that something has happened."""


@dataclass(frozen=True)
class Retry:
    """Send again after `seconds`; `ask_first` when the last answer was lost."""

    seconds: float
    ask_first: bool
    why: str


def after_failure(error: ApiError, failures: int) -> Retry | None:
    """What to do after the failure number `failures` (from 1) of a part; None refuses it."""
    delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 10))
    if isinstance(error, RateLimited):
        asked = RATE_DELAY if error.retry_after is None else error.retry_after
        return Retry(asked, False, "the service asks to wait")
    if isinstance(error, ServerFailure):
        # The API guarantees that a 5xx was not accepted.
        return None if failures >= LASTING_FAILURES else Retry(delay, False, "the service is in trouble")
    if isinstance(error, Unreachable):
        return Retry(delay, True, "no answer from the service")
    return None


class Submission:
    """Sends parcels in the order they were put.

    Args:
        client: The service's client.
        pause: Called with seconds, an Event-like wait that is cut short by `stop`; None is the real one.
        clock: Seconds, for the limits at exit.
    """

    def __init__(
        self,
        client: RestClient,
        *,
        pause: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._nudge = threading.Event()
        self._pause = pause or self._wait
        self._clock = clock
        self._queue: deque[Parcel] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._owner = os.getpid()
        self._ending_since: float | None = None
        self._noticed = False

    def put(self, parcels: list[Parcel]) -> None:
        """Send `parcels`; returns at once."""
        with self._lock:
            self._queue.extend(parcels)
            if self._thread is None and self._queue and os.getpid() == self._owner:
                self._thread = threading.Thread(target=self._run, name="qjob-submission", daemon=False)
                self._thread.start()

    def nudge(self) -> None:
        """Look again at what is still wanted, rather than wait out a pause."""
        self._nudge.set()

    def _wait(self, seconds: float) -> None:
        # In short pieces once the main thread is gone, so that the limits at exit hold.
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0 and not self._nudge.is_set():
            self._nudge.wait(min(left, 0.5))
            if _ending() and left > PATIENCE_AT_EXIT:
                return
        self._nudge.clear()

    def _run(self) -> None:
        reported = float("-inf")
        while True:
            self._notice()
            with self._lock:
                if not self._queue:
                    self._thread = None
                    return
                parcel = self._queue.popleft()
            try:
                self._send(parcel)
            except Exception as error:
                logger.exception("A part could not be sent.")
                parcel.refused(f"could not be sent ({type(error).__name__}: {error})")
            if self._clock() - reported >= LEAST_BETWEEN_REPORTS or not self._queue:
                reported = self._clock()
                parcel.report()

    def _notice(self) -> None:
        """Say once why the process does not end, when it ought to have ended for a while."""
        if not _ending() or self._noticed:
            return
        self._ending_since = self._ending_since or self._clock()
        if self._queue and self._clock() - self._ending_since >= NOTICE_AT_EXIT:
            self._noticed = True
            print(f"qjob_widgets: still sending {len(self._queue)} parts before exit", file=sys.stderr)

    def _send(self, parcel: Parcel) -> None:
        if not parcel.wanted:
            return
        parcel.sending()
        try:
            body = parcel.body()
        except (QJobError, ValueError, TypeError) as error:
            parcel.refused(str(error))
            return
        failures, lost = 0, False
        gives_up_at: float | None = None
        # A part whose answer was lost is looked for even if nobody wants it any more: it may be running.
        while parcel.wanted or lost:
            try:
                job_id = self._arrived(parcel) if lost else None
                lost = False
                if job_id is None and parcel.wanted:
                    job_id = self._client.submit(body)
                if job_id is not None and not parcel.accepted(job_id):
                    self._client.cancel(job_id)
                return
            except ApiError as error:
                failures += 1
                retry = after_failure(error, failures)
                if retry is None:
                    parcel.refused(str(error))
                    return
                lost = lost or retry.ask_first
                parcel.waiting(retry.why)
                if failures == 1:
                    parcel.report()
                if _ending():
                    gives_up_at = gives_up_at or self._clock() + PATIENCE_AT_EXIT
                    if self._clock() + retry.seconds > gives_up_at:
                        self._give_up(parcel, error)
                        return
                self._pause(retry.seconds)

    def _give_up(self, parcel: Parcel, error: ApiError) -> None:
        with self._lock:
            left = [parcel, *self._queue]
            self._queue.clear()
        for unsent in left:
            unsent.refused(f"never sent: {error}")
        print(f"qjob_widgets: gave up at exit, {len(left)} parts were not sent ({error})", file=sys.stderr)

    def _arrived(self, parcel: Parcel) -> str | None:
        """The id under which a part arrived whose answer was lost; None if it did not."""
        page = self._client.list_jobs(tags=parcel.marks, newest_first=True)
        return next((job.job_id for job in page.jobs if job.job_id not in parcel.known_ids), None)


def _ending() -> bool:
    return not threading.main_thread().is_alive()
