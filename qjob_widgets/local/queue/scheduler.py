"""The queue: one thread that hands waiting jobs to workers, in the order of `line`.

Other threads only put events into its inbox. A job is Running from the moment a worker that is ready takes
it. A job with a scripted outcome needs no worker, unless the script lets it complete.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from qjob_widgets.errors import QJobError
from qjob_widgets.local.jobs.records import Job, Outcome
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.queue import endings
from qjob_widgets.local.queue.crew import Crew, Slot
from qjob_widgets.local.queue.engines import Engine, Worker
from qjob_widgets.local.queue.line import Line
from qjob_widgets.local.queue.outlook import Outlook, Pace

_log = logging.getLogger(__name__)
HOLDS = ("Queued", "Running")
_TRY_AGAIN = 1.0
"""Seconds until what could not be written is tried again."""


class Scheduler:
    """Hands queued jobs to workers.

    Args:
        store: The jobs.
        line: Their order.
        engine: Where workers come from.
        device_of: What workers need to know of a backend, by its name, None for a simulator.
        backends: Their names.
        memory: Bytes that a job may take, None for what `memory.share` says where it runs.
        clock: Seconds, for time limits.
    """

    def __init__(
        self,
        store: Store,
        line: Line,
        engine: Engine,
        device_of: Callable[[str], Mapping[str, Any] | None],
        backends: Iterable[str],
        memory: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.holds: frozenset[str] = frozenset()
        self.turns = tuple(dict.fromkeys([*backends, *line.lengths()]))
        self.running: tuple[Job, ...] = ()
        self._store, self._line, self._pace = store, line, Pace(store.recent_durations())
        self.outlook = Outlook(line, self._pace, self)
        self._device_of, self._memory, self._clock = device_of, memory, clock
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._crew = Crew(engine, self._receive, self._give_up, clock)
        self._trouble = False
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    @property
    def size(self) -> int:
        """How many jobs can run at the same time."""
        return self._crew.size

    @property
    def mean_seconds(self) -> float | None:
        """Mean time from start to end of recent jobs of all kinds; None before the first."""
        return self._pace.seconds()

    def start(self) -> None:
        """Begin; the first worker warms up at once, the others when there is work for them."""
        self._crew.begin(self.wake)
        self._thread.start()
        self.wake()

    def wake(self) -> None:
        """Jobs were added, cancelled or deleted, or there are more workers: look again."""
        self._inbox.put(lambda: None)

    def hold(self, status: str) -> None:
        """Let nothing start ("Queued"), or let what starts stay Running ("Running"), until `release`."""
        self.holds |= {status}
        self.wake()

    def release(self) -> None:
        """End all holds."""
        self.holds = frozenset()
        self.wake()

    def stop(self) -> None:
        """End all workers. What was running stays Running in the store until the next start."""
        if self._thread.ident is None:
            self._crew.close()
            return
        self._inbox.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        while (events := self._events())[-1:] != [None]:
            self._trouble = False
            for step in (*events, self._look_at_the_clock, self._drop_cancelled, self._assign):
                try:
                    step()
                except Exception:  # such as a full disk: what comes later may go well
                    self._trouble = True
                    _log.exception("The scheduler failed at one step")
            self.running = tuple(slot.job for slot in self._crew.slots() if slot.job)
        self._crew.close()

    def _events(self) -> list[Any]:
        """What has come in, at least one event unless it is time to look at the clock; None comes last."""
        due = self._crew.next_due()
        patience = None if due is None else max(0.0, due - self._clock())
        if self._trouble:
            patience = min(_TRY_AGAIN, patience or _TRY_AGAIN)
        events: list[Any] = []
        with contextlib.suppress(queue.Empty):
            events.append(self._inbox.get(timeout=patience))
            while events[-1] is not None:
                events.append(self._inbox.get_nowait())
        return events

    def _receive(self, slot: Slot, worker: Worker, head: dict[str, Any] | None, body: bytes) -> None:
        self._inbox.put(lambda: self._hear(slot, worker, head, body))

    def _hear(self, slot: Slot, worker: Worker, head: dict[str, Any] | None, body: bytes) -> None:
        if slot.worker is not worker:
            return
        job = slot.job
        if head is None:
            ending, sent = self._crew.has_lost(slot), slot.sent
            if job is not None and sent and slot.outcome is None:
                _log.error("%s while it ran job %s", ending, job.id)
                self._end(slot, job, endings.lost(ending))
        elif "ready" in head:
            self._crew.is_ready(slot)
        elif job is None or not slot.sent or slot.leaving:
            pass  # a late word of what was given up
        else:
            try:
                self._understand(slot, job, head, body)
            except ValueError:
                _log.exception("A worker gave an answer to job %s that cannot be understood", job.id)
                self._crew.dismiss(slot)
                self._end(slot, job, endings.lost(endings.GARBLED))

    def _understand(self, slot: Slot, job: Job, head: dict[str, Any], body: bytes) -> None:
        if "interim" not in head:
            self._end(slot, job, endings.answered(head, body))
        elif not job.private:  # of those nothing is kept but the result, until it is read
            self._store.publish(job, *endings.published(head, body))

    def _give_up(self, ending: str) -> None:
        """Workers do not start: the job that waits longest for one is told so."""
        without = (slot for slot in self._crew.slots() if slot.job and not slot.sent and not slot.worker)
        slot = next(without, Slot())
        job = slot.job or self._next()
        if job is not None and (slot.job or self._store.start(job)):
            self._end(slot, job, endings.no_worker(ending))

    def _look_at_the_clock(self) -> None:
        self._crew.look_at_the_clock()
        for slot in self._crew.slots():
            if slot.outcome is not None and slot.job is not None:
                self._write(slot, slot.job, slot.outcome)
            elif slot.job and slot.due is not None and slot.due <= self._clock():
                self._store.end(slot.job.id, endings.ran_too_long(slot.job.cost))
                self._crew.let_go(slot)

    def _drop_cancelled(self) -> None:
        for slot in self._crew.slots():
            current = slot.job and self._store.find(slot.job.id)
            if slot.job and (current is None or current.status != "Running"):
                self._crew.let_go(slot)

    def _assign(self) -> None:
        for slot in self._crew.slots():
            if slot.job is None and "Queued" not in self.holds:
                self._take(slot)
            if slot.job is not None and not slot.sent and "Running" not in self.holds:
                self._begin(slot, slot.job)
        self._crew.staff(0 if "Queued" in self.holds else self._line.waiting(self.size))

    def _take(self, slot: Slot) -> None:
        job = self._next()
        if job is None or not (endings.needs_no_worker(job) or slot.willing):
            return
        if self._store.start(job):
            self._line.begun(job)
            self.turns = (*(name for name in self.turns if name != job.backend), job.backend)
            slot.job = self._store.find(job.id)

    def _next(self) -> Job | None:
        """The first job of the first line, of those that take turns, that is not empty."""
        return next(filter(None, map(self._line.first, self.turns)), None)

    def _begin(self, slot: Slot, job: Job) -> None:
        if endings.needs_no_worker(job):
            self._end_here(slot, job, Outcome("Failed"))
        elif slot.willing and slot.worker:
            try:
                head = self._head(job)
            except QJobError as error:
                self._end_here(slot, job, Outcome("Failed", str(error), endings.INTERNAL_ERROR, 0.0))
            else:
                slot.sent, slot.due = True, self._clock() + job.cost + slot.worker.grace
                slot.worker.send(head, self._store.payload(job, "params"))

    def _end_here(self, slot: Slot, job: Job, outcome: Outcome) -> None:
        """End a job that no worker has: none will say that the slot is free again."""
        self._end(slot, job, outcome)
        self.wake()

    def _head(self, job: Job) -> dict[str, Any]:
        """What a worker has to know beside the job's parameters; see `runner`."""
        return {
            "program": job.program,
            "device": self._device_of(job.backend),
            "seconds": job.cost,
            "memory": self._memory,
        }

    def _end(self, slot: Slot, job: Job, outcome: Outcome) -> None:
        """The job has ended; its outcome stays in the slot until it is written, so that none is lost."""
        slot.outcome, slot.due = endings.scripted(job, outcome), None
        self._write(slot, job, slot.outcome)

    def _write(self, slot: Slot, job: Job, outcome: Outcome) -> None:
        if self._store.end(job.id, outcome) and outcome.status.startswith("Completed"):
            ended = self._store.find(job.id)
            if ended and ended.running and ended.finished:
                self._pace.learn(job.backend, job.program, (ended.finished - ended.running) / 1e6)
        slot.clear()
