"""The paced queue that sends the parts of jobs, one after another, on a thread of its own.

Nothing twice, nothing lost: a part whose answer was lost is looked for by its tags before it is sent again.
The thread is no daemon, so a script that ends right after `run()` finishes sending first; once the main
thread has ended and the service is gone, it gives up after `PATIENCE_AT_EXIT` seconds and says so. Ctrl-C
ends it at once. What is not sent then stands in the journal. A forked child sends nothing of its parent's.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from qjob_widgets.errors import ApiError, QJobError, RateLimited, ServerFailure, Unreachable
from qjob_widgets.jobs.sending.journal import Attempt
from qjob_widgets.rest.wire import Page

logger = logging.getLogger(__name__)

FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
RATE_DELAY = 12.0
"""Wait after a 429 without `Retry-After`: the hosted service takes five submissions a minute."""
LIMIT_CODE = 3458
_LIMIT = re.compile(r"reached the (?:maximum|limit)\b.*\bpending jobs", re.IGNORECASE | re.DOTALL)
SETTLED = 60.0
"""Seconds after which a request that has not arrived never will."""
LASTING_FAILURES = 8
"""So many 5xx answers in a row refuse a part: by then some two minutes have passed."""
NOTICE_AT_EXIT = 2.0
PATIENCE_AT_EXIT = 10.0
LONGEST_DELAY_AT_EXIT = 2.0
LEAST_BETWEEN_REPORTS = 1.0


class Taker(Protocol):
    """What takes submissions: a `RestClient`, or what stands for one."""

    takes_keys: bool
    """Whether what is sent again under its key is one job."""

    def submit(self, body: bytes, key: str) -> str:
        """Send it; the job's id."""

    def list_jobs(self, *, tags: Sequence[str], newest_first: bool) -> Page:
        """The jobs that carry all of these tags."""

    def cancel(self, job_id: str) -> None:
        """Cancel a job."""


class Parcel(Protocol):
    """One part on its way."""

    @property
    def composite_id(self) -> str:
        """What it is a part of."""

    @property
    def kept(self) -> bool:
        """Whether the journal has it, so that `resume()` sends it if nobody does now."""

    @property
    def wanted(self) -> bool:
        """False once it was cancelled before it was sent."""

    @property
    def marks(self) -> tuple[str, ...]:
        """Tags that together only this part's submissions carry."""

    @property
    def known_ids(self) -> frozenset[str]:
        """Ids of its earlier submissions."""

    def attempt(self) -> Attempt:
        """What its submission is called, and since when nobody has heard of it."""

    def body(self) -> bytes:
        """The request body; made late, so that only one is in memory."""

    def sending(self) -> None:
        """It is being sent now."""

    def answered(self) -> None:
        """The service has answered that it does not have it."""

    def waiting(self, why: str) -> None:
        """It will be sent again later."""

    def accepted(self, job_id: str) -> bool:
        """The service has it, under this id. False if it was cancelled while it was on its way."""

    def refused(self, why: str) -> None:
        """It will not be sent."""

    def given_up(self, why: str) -> None:
        """It will not be sent by this process."""

    def report(self) -> None:
        """Tell whoever watches that something has happened."""


@dataclass(frozen=True)
class Retry:
    """Send again after `seconds`; `ask_first` when the last answer was lost.

    `gone` tells a service in trouble from one that only wants to be asked later.
    """

    seconds: float
    ask_first: bool
    why: str
    gone: bool = False


def after_failure(error: ApiError, failures: int) -> Retry | None:
    """What to do after the failure number `failures` (from 1) of a part; None refuses it."""
    delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 10))
    asked = error.retry_after if isinstance(error, RateLimited) else None
    if error.code == LIMIT_CODE or _LIMIT.search(str(error)):
        seconds = max(delay, RATE_DELAY) if asked is None else asked
        return Retry(seconds, False, "the service takes no more pending jobs for now")
    if isinstance(error, RateLimited):
        return Retry(RATE_DELAY if asked is None else asked, False, "the service asks to wait")
    if isinstance(error, ServerFailure):
        # The API guarantees that a 5xx was not accepted.
        return (
            None
            if failures >= LASTING_FAILURES
            else Retry(delay, False, "the service is in trouble", gone=True)
        )
    if isinstance(error, Unreachable):
        return Retry(delay, error.sent, "no answer from the service", gone=True)
    return None


class Submission:
    """Sends parcels in the order they were put.

    Args:
        client: What takes them.
        pause: Called with seconds, an Event-like wait that is cut short by `stop`; None is the real one.
        clock: Seconds, for the limits at exit.
    """

    def __init__(
        self,
        client: Taker,
        *,
        pause: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._nudge = threading.Event()
        self._pause = pause or self._wait
        self._clock = clock
        self._queue: deque[Parcel] = deque()
        self._current: Parcel | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._owner = os.getpid()
        self._ending_since: float | None = None
        self._noticed = False
        _submissions.add(self)

    def put(self, parcels: Sequence[Parcel]) -> None:
        """Send `parcels`; returns at once."""
        if os.getpid() != self._owner:
            for parcel in parcels:
                parcel.refused("this process is a fork of the one that connected; connect in it anew")
            return
        with self._lock:
            self._queue.extend(parcels)
            if self._thread is None and self._queue:
                self._thread = threading.Thread(target=self._run, name="qjob-submission", daemon=False)
                self._thread.start()

    def nudge(self) -> None:
        """Look again at what is still wanted, rather than wait out a pause."""
        self._nudge.set()

    def _wait(self, seconds: float) -> None:
        # In short pieces, and cut short when the main thread ends, so that the limits at exit hold.
        until, ending = self._clock() + seconds, _ending()
        while (left := until - self._clock()) > 0 and not self._nudge.is_set() and not self._stopped:
            self._nudge.wait(min(left, 0.5))
            self._notice()
            if _ending() and not ending:
                return
        self._nudge.clear()

    def _run(self) -> None:
        reported = float("-inf")
        while True:
            self._notice()
            with self._lock:
                self._current = None
                if not self._queue or self._stopped:
                    self._thread = None
                    return
                self._current = parcel = self._queue.popleft()
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
        if self._ending_since is None:
            self._ending_since = self._clock()
        left = self._left()
        if left and self._clock() - self._ending_since >= NOTICE_AT_EXIT:
            self._noticed = True
            _say(f"still sending {_counted(left)} before exit; Ctrl-C ends that", left)

    def _left(self) -> list[Parcel]:
        """What is not sent yet and still wanted."""
        with self._lock:
            current = [] if self._current is None else [self._current]
            return [parcel for parcel in (*current, *self._queue) if parcel.wanted]

    def stop(self) -> None:
        """Begin nothing more, and say what is left."""
        self._stopped = True
        self._nudge.set()
        if left := self._left():
            _say(f"{_counted(left)} not sent", left)

    def _send(self, parcel: Parcel) -> None:
        if not parcel.wanted:
            return
        try:
            body = parcel.body()
        except (QJobError, ValueError, TypeError) as error:
            parcel.refused(str(error))
            return
        attempt = parcel.attempt()
        # When the last request began of which nobody knows whether it arrived; None if there is none.
        lost = None if attempt.age is None else self._clock() - attempt.age
        failures = 0
        gives_up_at: float | None = None
        # A part whose answer was lost is looked for even if nobody wants it any more: it may be running.
        while (parcel.wanted or lost is not None) and not self._stopped:
            try:
                job_id = None if lost is None else self._found(parcel, lost)
                lost = None
                if job_id is None and parcel.wanted and not self._stopped:
                    parcel.sending()
                    job_id = self._client.submit(body, attempt.key)
                if job_id is not None and not parcel.accepted(job_id):
                    self._client.cancel(job_id)
                return
            except ApiError as error:
                failures += 1
                retry = after_failure(error, failures)
                if retry is None:
                    if lost is None:  # otherwise it was the question that was refused, not the part
                        parcel.answered()
                    parcel.refused(str(error))
                    return
                if retry.ask_first:
                    lost = self._clock() if lost is None else lost
                elif lost is None:
                    parcel.answered()
                parcel.waiting(retry.why)
                if failures == 1:
                    parcel.report()
                seconds = retry.seconds
                if _ending() and retry.gone:
                    gives_up_at = gives_up_at or self._clock() + PATIENCE_AT_EXIT
                    seconds = min(seconds, LONGEST_DELAY_AT_EXIT)
                    if self._clock() + seconds > gives_up_at:
                        self._give_up(parcel, error)
                        return
                self._pause(seconds)

    def _give_up(self, parcel: Parcel, error: ApiError) -> None:
        with self._lock:
            left = [parcel, *self._queue]
            self._queue.clear()
        for unsent in left:
            unsent.given_up(str(error))
        _say(f"gave up at exit, {_counted(left)} not sent ({str(error).rstrip('.')})", left)

    def _found(self, parcel: Parcel, lost: float) -> str | None:
        """The id under which a part arrived whose answer was lost; None if it never will, or once there is
        no harm in sending it again."""
        pauses = 0
        while (job_id := self._arrived(parcel)) is None:
            harmless = self._client.takes_keys and parcel.wanted
            left = lost + SETTLED - self._clock()
            if harmless or left <= 0 or self._stopped or (_ending() and not parcel.wanted):
                break
            parcel.waiting("asking whether it has arrived")
            self._pause(min(left, LONGEST_DELAY_AT_EXIT, FIRST_DELAY * 2.0**pauses))
            pauses += 1
        return job_id

    def _arrived(self, parcel: Parcel) -> str | None:
        page = self._client.list_jobs(tags=parcel.marks, newest_first=True)
        return next((job.job_id for job in page.jobs if job.job_id not in parcel.known_ids), None)


def _ending() -> bool:
    return not threading.main_thread().is_alive()


def _counted(parcels: Sequence[Parcel]) -> str:
    return "1 part" if len(parcels) == 1 else f"{len(parcels):,} parts"


def _say(what: str, left: Iterable[Parcel]) -> None:
    """Tell the terminal `what`, and how to send later what is left."""
    ids = dict.fromkeys(parcel.composite_id for parcel in left if parcel.kept)
    remedy = "; ".join(f'api.job("{composite_id}").resume()' for composite_id in ids)
    later = f". To send what is left later: {remedy}" if remedy else "; what is left then is lost"
    print(f"qjob_widgets: {what}{later}", file=sys.stderr)


_submissions: weakref.WeakSet[Submission] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    # Threads have ended by now, unless Ctrl-C cut the wait for them short.
    for submission in list(_submissions):
        submission.stop()


def _forget() -> None:
    # What a forked child inherits is its parent's to send and to tell of.
    _submissions.clear()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget)
