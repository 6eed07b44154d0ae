"""The monitor: one thread that drains the watches of this kernel and tells subscribers what happened."""

from __future__ import annotations

import contextlib
import itertools
import logging
import operator
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone

from qjob_widgets.events import Event, PollFailed
from qjob_widgets.monitor.bell import Bell
from qjob_widgets.monitor.foreign import Foreign, ForeignJob, adapted
from qjob_widgets.monitor.watch import SILENCE, Rest, Seen, Source, Watchable, watch
from qjob_widgets.patience import Patience

logger = logging.getLogger(__name__)

Subscriber = Callable[[Event], None]


@dataclass(frozen=True)
class Freshness:
    """How old the facts are.

    `asked` is when the service last answered (UTC), `interval` the seconds to the next question,
    `failures` how many questions in a row went wrong and `error` what the last of them said.
    """

    asked: datetime | None = None
    interval: float | None = None
    failures: int = 0
    error: str | None = None


@dataclass
class _Flock:
    """The jobs that one source is asked about, and the loop that does."""

    source: Source
    jobs: dict[int, Watchable] = field(default_factory=dict)
    holders: Counter[int] = field(default_factory=Counter)
    seen: Seen = field(default_factory=dict)
    loop: Iterator[Event | Rest] | None = None
    due: float = 0.0
    fresh: Freshness = field(default_factory=Freshness)
    begun: int = 0
    done: int = 0
    """Turns that have begun, and the last that is over."""


@dataclass(frozen=True)
class _Hearing:
    """Who is told, and whether each change, or only that there was one."""

    subscriber: Subscriber
    each: bool


@dataclass
class _Errand:
    """Something that is asked beside the jobs themselves, and when it is due."""

    work: Callable[[], float | None]
    due: float


class Subscription:
    """Ends a subscription or a watch; `close` may be called from any thread and more than once."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close: Callable[[], None] | None = close

    def close(self) -> None:
        """End it."""
        close, self._close = self._close, None
        if close is not None:
            close()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Monitor:
    """Watches jobs and tells subscribers.

    Events come on the monitor's own thread, which lives while something is watched. A subscriber that
    raises is dropped with a warning; it does not stop the others.

    Args:
        clock: Seconds, for the order of questions.
        now: The time of day in UTC, for `Freshness`.
        threaded: Whether the monitor drives itself; otherwise call `step`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        threaded: bool = True,
    ) -> None:
        self._clock = clock
        self._now = now
        self._threaded = threaded
        self._lock = threading.RLock()
        self._turned = threading.Condition(self._lock)
        self._flocks: dict[int, _Flock] = {}
        # By the job that they hear of, None of every one: a table subscribes to thousands, one by one.
        self._subscribers: dict[str | None, dict[int, _Hearing]] = {}
        self._errands: dict[int, _Errand] = {}
        self._numbers = itertools.count()
        self._bell = Bell()
        self._thread: threading.Thread | None = None
        self._owner = os.getpid()
        self._closed = False

    # ---- what others call

    def subscribe(
        self, subscriber: Subscriber, job_id: str | None = None, *, each: bool = True
    ) -> Subscription:
        """Tell `subscriber` every event, or those of one watched job.

        Without `each`, one change is told of a job of which many parts have changed: a notice to look at it.
        """
        with self._lock:
            number = next(self._numbers)
            self._subscribers.setdefault(job_id, {})[number] = _Hearing(subscriber, each)
        return Subscription(lambda: self._drop(job_id, number))

    def watch(
        self, job: Watchable | Foreign, subscriber: Subscriber | None = None, *, each: bool = True
    ) -> Subscription:
        """Watch `job` until it has ended or the subscription is closed; ask about it at once.

        A job of another library needs `job_id()` and `status()`, no more. `each` is that of `subscribe`.

        Raises:
            InvalidInput: If it is no job.
        """
        job = adapted(job)
        if isinstance(job, ForeignJob):
            job.tell(self)
        told = self.subscribe(subscriber, job.job_id(), each=each) if subscriber is not None else None
        with self._lock:
            flock = self._flocks.setdefault(id(job.source), _Flock(job.source))
            # By object, not by id: two objects of one job each hold facts that someone reads.
            flock.jobs[id(job)] = job
            flock.holders[id(job)] += 1
        self.refresh(job)

        def close() -> None:
            if told is not None:
                told.close()
            with self._lock:
                flock.holders[id(job)] -= 1
                if flock.holders[id(job)] <= 0:
                    for facts in (flock.holders, flock.jobs, flock.seen):
                        facts.pop(id(job), None)
                if not flock.jobs and self._flocks.get(id(flock.source)) is flock:
                    del self._flocks[id(flock.source)]
                    self._turned.notify_all()
                    self._bell.ring()  # a thread that rests has nothing left to rest for

        return Subscription(close)

    def repeat(self, work: Callable[[], float | None]) -> Subscription:
        """Do `work` on the monitor's thread, now and again after as many seconds as it returns; None ends it.

        For what is asked beside the jobs themselves, such as which jobs there are. One that raises is dropped
        with a warning.
        """
        with self._lock:
            number = next(self._numbers)
            self._errands[number] = _Errand(work, self._clock())
            self._bell.ring()
            self._ensure_thread()

        def close() -> None:
            with self._lock:
                self._errands.pop(number, None)
                self._bell.ring()

        return Subscription(close)

    def refresh(self, job: Watchable | Foreign) -> None:
        """Ask about `job` now rather than at its next turn. Returns at once."""
        job = adapted(job)
        with self._lock:
            flock = self._flocks.get(id(job.source))
            if flock is None:
                return
            flock.due = self._clock()
            self._bell.ring()
            self._ensure_thread()

    def ask(self, jobs: Iterable[Watchable | Foreign], within: float) -> None:
        """Ask about `jobs` now, and return when that has been done, or after `within` seconds.

        One that is not watched is left out. On the monitor's own thread, and where there is none, it is as
        `refresh`.
        """
        with self._lock:
            by_source = {id(job.source): job for job in map(adapted, jobs)}
            turns = [(flock, flock.begun + 1) for each in by_source if (flock := self._flocks.get(each))]
            for job in by_source.values():
                self.refresh(job)
            if not self._threaded or threading.current_thread() is self._thread:
                return
            self._turned.wait_for(
                lambda: self._closed or all(flock.done >= turn or not flock.jobs for flock, turn in turns),
                within,
            )

    def freshness(self, job: Watchable | Foreign) -> Freshness:
        """How old the facts about `job` are. Free."""
        flock = self._flocks.get(id(adapted(job).source))
        return flock.fresh if flock is not None else Freshness()

    def close(self) -> None:
        """Stop watching everything and end the thread."""
        with self._lock:
            self._closed = True
            self._flocks.clear()
            self._errands.clear()
            self._subscribers.clear()
            self._turned.notify_all()
            thread = self._thread
        self._bell.ring()
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)

    # ---- what the thread does

    def step(self) -> float | None:
        """Do what is due; the seconds until more is, or None when nothing is watched."""
        now = self._clock()
        with self._lock:
            due = [each for each in self._errands.items() if each[1].due <= now]
        for number, errand in due:
            self._do(number, errand)
        with self._lock:
            flocks = [flock for flock in self._flocks.values() if flock.jobs]
        for flock in flocks:
            if flock.due <= now:
                self._turn(flock)
        with self._lock:
            waiting = [flock.due for flock in self._flocks.values() if flock.jobs and flock.loop is not None]
            waiting += [errand.due for errand in self._errands.values()]
        return max(0.0, min(waiting) - self._clock()) if waiting else None

    def _do(self, number: int, errand: _Errand) -> None:
        due = None
        try:
            with Patience(SILENCE):
                seconds = errand.work()
            if seconds is not None:
                due = self._clock() + seconds
        except Exception:
            logger.warning("An errand of the job monitor failed and is dropped.", exc_info=True)
        with self._lock:
            if due is None:
                self._errands.pop(number, None)
            else:
                errand.due = due

    def _turn(self, flock: _Flock) -> None:
        if flock.loop is None:
            flock.loop = watch(
                flock.source, lambda: self._jobs_of(flock), seen=flock.seen, each=self._tells_each
            )
        with self._lock:
            flock.due = float("inf")
            flock.begun += 1
        try:
            self._drain(flock, flock.loop)
        finally:
            with self._lock:
                flock.done = flock.begun
                self._turned.notify_all()

    def _drain(self, flock: _Flock, loop: Iterator[Event | Rest]) -> None:
        for found in loop:
            if isinstance(found, Rest):
                with self._lock:
                    # A refresh that came meanwhile asks for an earlier turn than this rest.
                    flock.due = min(flock.due, self._clock() + found.seconds)
                self._freshen(flock, found)
                return
            if isinstance(found, PollFailed):
                fresh = flock.fresh
                flock.fresh = Freshness(fresh.asked, fresh.interval, found.failures, str(found.error))
            self._tell(found)
        flock.loop = None
        self._freshen(flock, Rest(0))

    def _jobs_of(self, flock: _Flock) -> tuple[Watchable, ...]:
        with self._lock:
            return tuple(flock.jobs.values())

    def _freshen(self, flock: _Flock, rest: Rest) -> None:
        answered = rest.asked and not rest.failures
        asked = self._now() if answered else flock.fresh.asked
        flock.fresh = Freshness(asked, rest.seconds or None, rest.failures, rest.error)

    def _tell(self, event: Event) -> None:
        with self._lock:
            hearing = [
                (number, job_id, told.subscriber)
                for job_id in (event.watched, None)
                for number, told in self._subscribers.get(job_id, {}).items()
            ]
        for number, job_id, subscriber in sorted(hearing, key=operator.itemgetter(0)):
            try:
                subscriber(event)
            except Exception:
                logger.warning("A subscriber of the job monitor failed and is dropped.", exc_info=True)
                self._drop(job_id, number)

    def _tells_each(self, watched: str) -> bool:
        """Whether somebody wants to hear of each part of a job that has changed."""
        with self._lock:
            every = (self._subscribers.get(job_id, {}) for job_id in (watched, None))
            return any(told.each for hearing in every for told in hearing.values())

    def _drop(self, job_id: str | None, number: int) -> None:
        with self._lock:
            hearing = self._subscribers.get(job_id, {})
            hearing.pop(number, None)
            if not hearing:
                self._subscribers.pop(job_id, None)

    def _ensure_thread(self) -> None:
        # A forked child has the object but not the thread, and owns neither jobs nor questions.
        if not self._threaded or self._closed or os.getpid() != self._owner:
            return
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="qjob-monitor", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            self._bell.hush()
            rest = self.step()
            if rest is None:
                with self._lock:
                    if not self._bell.rung:
                        self._thread = None
                        return
                continue
            self._bell.wait(rest)


_shared: list[Monitor] = []
_shared_lock = threading.Lock()


def shared_monitor() -> Monitor:
    """The one monitor of this process."""
    with _shared_lock:
        if not _shared:
            _shared.append(Monitor())
        return _shared[0]


def _forget() -> None:
    # After a fork the child starts with a monitor of its own.
    _shared.clear()


with contextlib.suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(after_in_child=_forget)
