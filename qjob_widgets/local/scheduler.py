"""The queue: one thread that owns all workers and hands them the jobs, first come, first served.

Other threads only put events into its inbox. A job is Running from the moment a worker that is ready takes
it. A job with a scripted outcome needs no worker, unless the script lets it complete.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from qjob_widgets.local.records import Job, Outcome
from qjob_widgets.local.runner import INTERNAL_ERROR
from qjob_widgets.local.store import Store
from qjob_widgets.local.workers import Report, Worker
from qjob_widgets.status import RAN_TOO_LONG

_log = logging.getLogger(__name__)
HOLDS = ("Queued", "Running")


@dataclass
class _Slot:
    """One worker's place: its process, the job it has, and when that job must have ended."""

    worker: Worker | None = None
    job: Job | None = None
    sent: bool = False
    deadline: float | None = None


class Scheduler:
    """Hands queued jobs to workers.

    Args:
        store: The jobs.
        hire: Starts a worker that reports to the callable it is given.
        device_of: What `isa.check` needs for a backend's name, None for a simulator.
        size: Number of workers.
        clock: Seconds, for time limits.
    """

    def __init__(
        self,
        store: Store,
        hire: Callable[[Report], Worker],
        device_of: Callable[[str], Mapping[str, Any] | None],
        size: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size = size
        self.holds: frozenset[str] = frozenset()
        self._store, self._hire, self._device_of, self._clock = store, hire, device_of, clock
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._slots = [_Slot() for _ in range(size)]
        self._durations = deque(store.recent_durations(), maxlen=50)
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        """Begin; the first worker warms up at once, the others when there is work for them."""
        self._thread.start()
        self.wake()

    def wake(self) -> None:
        """Jobs were added, cancelled or deleted: look again."""
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
        """Kill all workers and end. What was running stays Running in the store until the next start."""
        self._inbox.put(None)
        self._thread.join(5)

    @property
    def mean_seconds(self) -> float | None:
        """Mean time from start to end of recent jobs; None before the first."""
        return sum(self._durations) / len(self._durations) if self._durations else None

    def _run(self) -> None:
        self._staff(self._slots[0])
        while True:
            try:
                event = self._inbox.get(timeout=self._patience())
            except queue.Empty:
                event = self._end_overdue
            if event is None:
                break
            try:
                event()
                self._assign()
            except Exception:  # such as a full disk: what comes later may go well
                _log.exception("The scheduler failed at one step")
        for slot in self._slots:
            if slot.worker:
                slot.worker.kill()

    def _patience(self) -> float | None:
        deadlines = [slot.deadline for slot in self._slots if slot.deadline is not None]
        return max(0.0, min(deadlines) - self._clock()) if deadlines else None

    def _assign(self) -> None:
        self._drop_cancelled()
        for slot in self._slots:
            if slot.job is None and "Queued" not in self.holds:
                self._take(slot)
            if slot.job is not None and not slot.sent and "Running" not in self.holds:
                self._begin(slot, slot.job)
        if "Queued" not in self.holds:
            self._hire_for_waiting()

    def _take(self, slot: _Slot) -> None:
        job = self._store.next()
        if job is None or not (_needs_no_worker(job) or (slot.worker and slot.worker.ready)):
            return
        if self._store.start(job):
            slot.job, slot.sent, slot.deadline = self._store.find(job.id), False, None

    def _begin(self, slot: _Slot, job: Job) -> None:
        if _needs_no_worker(job):
            self._end(slot, job, Outcome(status="Failed"))
            return
        assert slot.worker is not None
        slot.sent, slot.deadline = True, self._clock() + job.cost
        head = {"program": job.program, "device": self._device_of(job.backend)}
        slot.worker.send(head, self._store.payload(job, "params"))

    def _hire_for_waiting(self) -> None:
        coming = sum(bool(slot.worker) and slot.job is None for slot in self._slots)
        wanted = self._store.count("Queued") - coming
        for slot in [slot for slot in self._slots if slot.worker is None][: max(0, wanted)]:
            self._staff(slot)

    def _staff(self, slot: _Slot) -> None:
        def report(worker: Worker, head: dict[str, Any] | None, body: bytes) -> None:
            self._inbox.put(lambda: self._hear(slot, worker, head, body))

        slot.worker = self._hire(report)

    def _hear(self, slot: _Slot, worker: Worker, head: dict[str, Any] | None, body: bytes) -> None:
        if head is None:
            self._lost(slot, worker)
        elif slot.worker is worker and "ready" in head:
            worker.ready = True
        elif slot.worker is worker and slot.job is not None and "interim" in head:
            if not slot.job.private:  # of those nothing is kept but the result, until it is read
                self._store.publish(slot.job, head["interim"], json.loads(body))
        elif slot.worker is worker and slot.job is not None:
            self._end(slot, slot.job, Outcome(**head, result=body or None))

    def _lost(self, slot: _Slot, worker: Worker) -> None:
        if slot.worker is not worker:
            return
        slot.worker = None
        job, what = slot.job, "The worker process ended while it ran this job"
        if not worker.ready:
            job, what = job or self._store.next(), "No worker process could be started"
            if job is not None and slot.job is None:
                self._store.start(job)
        _log.error("%s (exit code %s)", what, worker.exit_code)
        if job is not None:
            reason = f"{what} (exit code {worker.exit_code}); see the service's log."
            self._end(slot, job, Outcome("Failed", reason, INTERNAL_ERROR, 0.0))

    def _end(self, slot: _Slot, job: Job, outcome: Outcome) -> None:
        if job.script:
            outcome = _scripted(outcome, job.script)
        if self._store.end(job.id, outcome) and outcome.status.startswith("Completed"):
            self._durations.append(self._store.recent_durations(1)[-1])
        slot.job, slot.sent, slot.deadline = None, False, None

    def _drop_cancelled(self) -> None:
        for slot in self._slots:
            current = slot.job and self._store.find(slot.job.id)
            if slot.job and (current is None or current.status != "Running"):
                self._free(slot)

    def _end_overdue(self) -> None:
        for slot in self._slots:
            if slot.job and slot.deadline is not None and slot.deadline <= self._clock():
                limit = slot.job.cost
                reason = f"The job ran longer than the maximum execution time of {limit} seconds."
                self._store.end(slot.job.id, Outcome("Cancelled", reason, RAN_TOO_LONG, float(limit)))
                self._free(slot)

    def _free(self, slot: _Slot) -> None:
        if slot.sent and slot.worker:
            slot.worker.kill()
            self._staff(slot)
        slot.job, slot.sent, slot.deadline = None, False, None


def _needs_no_worker(job: Job) -> bool:
    return job.script is not None and not str(job.script["status"]).startswith("Completed")


def _scripted(outcome: Outcome, script: Mapping[str, Any]) -> Outcome:
    if _is_failure(outcome) and str(script["status"]).startswith("Completed"):
        return outcome
    return replace(outcome, **script)


def _is_failure(outcome: Outcome) -> bool:
    return outcome.result is None
