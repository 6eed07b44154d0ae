"""What an engine of others runs for each job: `perform`, bytes in and bytes out, wherever it pleases.

It hands the job to a worker process of its own, as the service does, and keeps that for the next one. So a
crash, want of memory or a job that runs too long costs that process and not the engine's; threads of one
process do not wait for each other, though Aer lets no other thread run beside it; and the process that asks,
which may be the service itself, imports no qiskit.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from qjob_widgets.local.jobs.records import Outcome
from qjob_widgets.local.queue import endings
from qjob_widgets.local.queue.crew import START_SECONDS, TRIES
from qjob_widgets.local.queue.frames import packed, unpacked
from qjob_widgets.local.queue.guard import Guard
from qjob_widgets.local.queue.workers import WorkerProcess


def perform(job: bytes) -> bytes:
    """Run one job.

    Args:
        job: The message that a worker process gets; its head has the maximum execution time as
            `seconds`, and by `key` what `end` calls it.

    Returns:
        The message with which a worker process says how the job ended.
    """
    _end_with_the_parent()
    head, body = unpacked(job)
    try:
        answer = _ready(head["key"]).perform(head, body)
    except _LostError as error:
        answer = endings.told(error.outcome), b""
    return packed(*answer)


def end(*keys: str) -> None:
    """End what this process does, or is still to do, under these keys."""
    _unwanted.update(keys)
    for hand in list(_hands):
        if hand.key in keys:
            hand.worker.kill()


def close() -> None:
    """End the worker processes of this process; what they run is lost."""
    for hand in list(_hands):
        hand.worker.kill()


class _LostError(Exception):
    """There is no answer."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class _Hand:
    """A worker process, what it has said, and whose it is; of no use after a `_LostError`."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._said: queue.SimpleQueue[tuple[dict[str, Any] | None, bytes]] = queue.SimpleQueue()
        self.worker = WorkerProcess(lambda worker, head, body: self._said.put((head, body)), _guard())
        _hands.append(self)

    def become_ready(self) -> None:
        """Wait until it has started."""
        late = endings.no_worker("The worker process was not ready in time")
        self._listen(time.monotonic() + START_SECONDS, late, endings.no_worker)

    def perform(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Run one job, after which it is free."""
        self.worker.send(head, body)
        late, until = endings.ran_too_long(head["seconds"]), time.monotonic() + head["seconds"]
        while "interim" in (heard := self._listen(until, late, endings.lost))[0]:
            pass  # an engine of others takes none
        self.key = ""
        return heard

    def _listen(
        self, until: float, late: Outcome, lost: Callable[[str], Outcome]
    ) -> tuple[dict[str, Any], bytes]:
        """What it says next."""
        try:
            head, body = self._said.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            self._leave()
            raise _LostError(late) from None
        if head is None:
            self._leave()
            raise _LostError(lost(self.worker.ending))
        return head, body

    def _leave(self) -> None:
        self.worker.kill()
        _hands.remove(self)


_hands: list[_Hand] = []
"""The worker processes of this process."""
_unwanted: set[str] = set()
_choosing = threading.Lock()


def _ready(key: str) -> _Hand:
    """A worker process that is ready for the job of this key; one may be ended by accident before it is."""
    for left in range(TRIES - 1, -1, -1):
        if key in _unwanted:
            raise _LostError(endings.lost("The job was given up"))
        if hand := _free(key):
            return hand
        hand = _Hand(key)
        try:
            hand.become_ready()
        except _LostError:
            if not left:
                raise
        else:
            return hand
    raise AssertionError


def _free(key: str) -> _Hand | None:
    """One that has done another job."""
    with _choosing:
        hand = next((hand for hand in _hands if not hand.key and not hand.worker.ended), None)
        if hand is not None:
            hand.key = key
        return hand


@functools.cache
def _guard() -> Guard:
    return Guard()


@functools.cache
def _end_with_the_parent() -> None:
    """A process of a pool does not see that the one which made it was killed, and would stay for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
