"""`watch`: the loop that asks about jobs, as a generator. No thread, no clock, no HTTP of its own.

It is handed a `Source` that asks and a function that gives the jobs, and yields what happened and, between
two questions, how long to rest. Whoever drains it decides when to go on.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Protocol

from qjob_widgets.errors import ApiError, RateLimited
from qjob_widgets.events import Event, PollFailed, WatchEnded, diff
from qjob_widgets.patience import Patience
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status

logger = logging.getLogger(__name__)

_STATUS = attrgetter("status")
_RUNNING = Status.RUNNING

SILENCE = 20.0
"""Seconds without any answer after which a question has failed: until then nothing else is asked, and a
reader is not told that it hangs."""


class Watchable(Protocol):
    """What the monitor needs of a job; `snapshot` is free, `absorb` takes news from the source."""

    @property
    def snapshot(self) -> CompositeSnapshot:
        """What is known now."""

    @property
    def source(self) -> Source:
        """Who can be asked about it."""

    def job_id(self) -> str:
        """Its id."""

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        """Replace what is known by what was found; `gone` are ids that the service does not know."""


class Source(Protocol):
    """Someone who can be asked about several jobs at once."""

    @property
    def pace(self) -> Pace:
        """How often it may be asked."""

    def ask(self, jobs: Sequence[Watchable]) -> bool | None:
        """Fetch the news of all open parts of `jobs` and let each job absorb its own.

        Returns:
            False if there is no answer yet: it is absorbed by a later call.

        Raises:
            ApiError: If asking failed; jobs then keep what they knew.
        """


@dataclass(frozen=True)
class Pace:
    """How long to rest between two questions, in seconds.

    `shortest` after a change and while something runs, then `growth` times longer each time, up to
    `longest`. Each rest is shortened at random by up to `jitter` of itself, so that kernels do not march
    in step.
    """

    shortest: float = 2.0
    longest: float = 45.0
    growth: float = 1.5
    jitter: float = 0.1

    def next(self, last: float, *, lively: bool) -> float:
        """The rest that follows a rest of `last` seconds."""
        return self.shortest if lively or last <= 0 else min(self.longest, last * self.growth)


HOSTED = Pace()
LOOPBACK = Pace(shortest=0.25, longest=1.0)
"""As often as a panel is told: what is answered in between would only wait for its next turn."""


@dataclass(frozen=True)
class Rest:
    """Nothing more to do for `seconds`; `asked` says whether a question was put since the last rest."""

    seconds: float
    asked: bool = True
    failures: int = 0
    error: str | None = None


Seen = dict[int, Sequence[JobSnapshot]]
"""What was reported last, by watched job (its `id()`)."""


def open_ids(snapshot: CompositeSnapshot) -> list[str]:
    """Ids of the parts that the service has and that have not ended."""
    return [part.job_id for part in snapshot.parts if part.job_id and not part.final]


def watch(
    source: Source,
    jobs: Callable[[], Sequence[Watchable]],
    *,
    seen: Seen | None = None,
    each: Callable[[str], bool] = lambda watched: True,
    random_share: Callable[[], float] = random.random,
) -> Iterator[Event | Rest]:
    """Ask until every job has ended, reporting every change, final states included.

    Args:
        source: Who is asked.
        jobs: Gives the jobs to watch now; it may change between two rests.
        seen: What has been reported before, kept up to date here; None is nothing.
        each: Whether every change of the job of this id is reported, or only the first, as a notice.
        random_share: A number from 0 to 1, for the jitter.

    Yields:
        `JobEvent` for each part that changed, as far as `each` wants it; `PollFailed` for each open job
        when asking failed; `WatchEnded` for a job that has ended; a `Rest` between two questions. It
        returns when no job is open.
    """
    seen = {} if seen is None else seen
    ended: set[int] = set()
    failures, rest = 0, 0.0
    while True:
        watched = jobs()
        to_ask = [job for job in watched if job.snapshot.asked_about or job.snapshot.elsewhere]
        answered, error = _asked(source, to_ask)
        failures = 0 if error is None else failures + 1
        changed = False
        for job in watched:
            now = job.snapshot.parts
            events = diff(job.job_id(), seen.get(id(job), ()), now)
            for event in events if each(job.job_id()) else islice(events, 1):
                changed = True
                yield event
            seen[id(job)] = now
            if error is not None and job in to_ask:
                yield PollFailed(job.job_id(), error, failures)
            if not job.snapshot.final:
                ended.discard(id(job))  # a rerun opens a job again
            elif id(job) not in ended:
                ended.add(id(job))
                yield WatchEnded(job.job_id())
        still_open = [job for job in jobs() if not job.snapshot.final]
        if not still_open:
            return
        rest = _rest(source.pace, rest, error, failures, changed or _running(still_open))
        shortened = rest * (1 - source.pace.jitter * random_share())
        yield Rest(shortened, bool(to_ask) and answered, failures, None if error is None else str(error))


def _asked(source: Source, jobs: Sequence[Watchable]) -> tuple[bool, ApiError | None]:
    """Ask, if there is something to ask; whether there is an answer, and what went wrong, if anything did."""
    if not jobs:
        return True, None
    try:
        with Patience(SILENCE):
            return source.ask(jobs) is not False, None
    except ApiError as error:
        return True, error
    except Exception as error:
        # Whatever an answer contains, it must not end the watch of all the other jobs.
        # Nor may it reach a terminal: what a service wrote can be megabytes, or commands to that terminal.
        text = ascii(str(error)[:300])
        logger.warning("Asking about jobs failed unexpectedly: %s: %s", type(error).__name__, text)
        logger.debug("Asking about jobs failed unexpectedly.", exc_info=True)
        return True, ApiError(f"The answer could not be used ({type(error).__name__}: {error}).")


def _running(jobs: Sequence[Watchable]) -> bool:
    return any(_RUNNING in map(_STATUS, job.snapshot.parts) for job in jobs)


def _rest(pace: Pace, last: float, error: ApiError | None, failures: int, lively: bool) -> float:
    if error is None:
        return pace.next(last, lively=lively)
    rest = min(max(pace.longest, 1.0), pace.shortest * 2.0 ** min(failures, 12))
    if isinstance(error, RateLimited) and error.retry_after is not None:
        rest = max(rest, error.retry_after)
    return rest
