"""The workers of a service: hired when there is work for them, replaced when they are lost.

One thread, the scheduler's, uses all of this.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from qjob_widgets.local.jobs.records import Job, Outcome
from qjob_widgets.local.queue.engines import Engine, Worker

_log = logging.getLogger(__name__)
START_SECONDS = 300.0
"""A worker that is not ready by then is taken for one that hangs."""
PATIENCE, LONG_PATIENCE = 0.5, 10.0
"""Seconds that the workers who are there have to do all that waits, and those of whom none has started yet,
before more are hired: a start takes a processor for seconds, and would slow down what is to be done soon."""
TRIES = 3
"""So many starts in a row must fail before a job does: one worker may have been ended by accident."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


@dataclass(eq=False)
class Slot:
    """One worker's place.

    `ready`: the worker has started. `kept`: one has started here, and if it is lost, another shall.
    `leaving`: what it does was given up, its end is awaited. `job` is Running here; `sent` once the worker
    has it; `outcome` is the job's that is not written yet. `due`: when the job, or the worker's start, must
    have ended. `rest`: until when no other worker is hired.
    """

    worker: Worker | None = None
    ready: bool = False
    kept: bool = False
    leaving: bool = False
    job: Job | None = None
    sent: bool = False
    outcome: Outcome | None = None
    due: float | None = None
    rest: float | None = None

    @property
    def willing(self) -> bool:
        """Whether a worker is there that can be given a job."""
        return self.worker is not None and self.ready and not self.leaving

    def clear(self) -> None:
        """The job has left."""
        self.job, self.sent, self.outcome, self.due = None, False, None, None


Hear = Callable[[Slot, Worker, dict[str, Any] | None, bytes], None]


class Crew:
    """All slots.

    Args:
        engine: Where workers come from.
        hear: Called as hear(slot, worker, head, body), from any thread, with what a worker says.
        give_up: Told how the last worker ended when starts fail again and again.
        clock: Seconds.
    """

    def __init__(
        self, engine: Engine, hear: Hear, give_up: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self._engine, self._hear, self._give_up, self._clock = engine, hear, give_up, clock
        self._slots: list[Slot] = []
        self._failures = 0
        self._short_until: float | None = None
        """When more workers are hired, if there is still too much for those who are there."""

    def begin(self, changed: Callable[[], None]) -> None:
        """Have `changed` called, from any thread, when the size has changed."""
        self._engine.begin(changed)

    @property
    def size(self) -> int:
        """How many jobs can run at the same time."""
        return self._engine.capacity

    def slots(self) -> Iterator[Slot]:
        """Those that can take jobs, and those that still have one though the engine has become smaller."""
        size = self.size
        self._slots += [Slot() for _ in range(size - len(self._slots))]
        yield from (slot for index, slot in enumerate(self._slots) if index < size or slot.job)

    def staff(self, waiting: int) -> None:
        """Hire workers for so many jobs that wait: the first one at once, also when none does, to be warm;
        others when there has been too much for those who are there for a while."""
        slots = list(self.slots())
        empty = [slot for slot in slots if slot.worker is None]
        alone = len(empty) == len(slots)
        if alone and self._failures < TRIES:
            waiting = max(1, waiting)
        coming = [slot for slot in slots if slot.worker and slot.job is None and not slot.leaving]
        at_once = [slot for slot in empty if slot.kept or slot.job]
        others = [slot for slot in empty if slot not in at_once]
        more = min(len(others), max(0, waiting - len(coming) - len(at_once)))
        for slot in at_once + others[: min(more, 1) if alone else self._ripe(more, slots)]:
            if slot.rest is None:
                self._hire(slot)

    def _ripe(self, more: int, slots: Sequence[Slot]) -> int:
        """How many of so many more workers are to be hired now: all of them, or none yet."""
        if not more:
            self._short_until = None
            return 0
        if self._short_until is None:
            started = any(slot.ready for slot in slots)
            self._short_until = self._clock() + (PATIENCE if started else LONG_PATIENCE)
        if self._clock() < self._short_until:
            return 0
        self._short_until = None
        return more

    def is_ready(self, slot: Slot) -> None:
        """The slot's worker has started."""
        self._failures = 0
        slot.ready = slot.kept = True
        self._short_until = None  # from now on there is one who does something about it
        if not slot.sent:
            slot.due = None

    def let_go(self, slot: Slot) -> None:
        """Give up the slot's job, and with it what its worker does."""
        if slot.sent:
            self.dismiss(slot)
        slot.clear()

    def dismiss(self, slot: Slot) -> None:
        """Let the slot's worker end; another comes once it has."""
        if slot.worker:
            slot.leaving = True
            slot.worker.kill()

    def has_lost(self, slot: Slot) -> str:
        """The slot's worker has ended; how, as a sentence without its full stop."""
        assert slot.worker is not None
        ending, started = slot.worker.ending, slot.ready
        slot.worker, slot.ready, slot.leaving, slot.due = None, False, False, None
        if not started:
            self._failed(slot, ending)
        return ending

    def look_at_the_clock(self) -> None:
        """End starts that take too long, and pauses that are over."""
        for slot in self._slots:
            if slot.rest is not None and slot.rest <= self._clock():
                slot.rest = None
            if slot.worker and not slot.ready and slot.due is not None and slot.due <= self._clock():
                slot.due = None
                slot.worker.kill()

    def next_due(self) -> float | None:
        """When the clock must be looked at."""
        times = [self._short_until, *(time for slot in self._slots for time in (slot.due, slot.rest))]
        return min((time for time in times if time is not None), default=None)

    def close(self) -> None:
        """End all workers."""
        self._engine.close()

    def _hire(self, slot: Slot) -> None:
        def report(worker: Worker, head: dict[str, Any] | None, body: bytes) -> None:
            self._hear(slot, worker, head, body)

        try:
            slot.worker = self._engine.hire(report)
        except Exception as error:  # an engine may be anyone's
            _log.exception("A worker could not be started")
            self._failed(slot, f"{type(error).__name__}: {error}")
        else:
            slot.due = self._clock() + START_SECONDS

    def _failed(self, slot: Slot, ending: str) -> None:
        self._failures += 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (self._failures - 1))
        slot.kept, slot.rest = False, self._clock() + pause
        _log.error("A worker could not be started (%s); the next try is in %.1f s", ending, pause)
        if self._failures >= TRIES:
            self._give_up(ending)
