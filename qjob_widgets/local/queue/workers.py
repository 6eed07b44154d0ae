"""Worker processes of the service's own, and the engine that hires them."""

from __future__ import annotations

import contextlib
import logging
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from qjob_widgets.local.queue.endings import GARBLED
from qjob_widgets.local.queue.engines import Report
from qjob_widgets.local.queue.frames import read_frame, write_frame
from qjob_widgets.local.queue.guard import Guard

_log = logging.getLogger(__name__)
_COMMAND = [sys.executable, "-m", "qjob_widgets.local.simulation.runner"]
_FAREWELL = 1.0
"""Seconds that a process has for its end once it has closed its stdout."""


class WorkerProcess:
    """One worker process; what it says is reported from a thread of its own.

    Args:
        report: As `engines.Report`.
        guard: Told about the process, so that it cannot outlive a killed service.
    """

    grace = 0.0

    def __init__(self, report: Report, guard: Guard) -> None:
        self._report, self._guard = report, guard
        self._last_words = ""
        self._process = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        guard.add(self._process.pid)
        self._jobs: queue.SimpleQueue[tuple[dict[str, Any], bytes] | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._speak, daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    @property
    def ending(self) -> str:
        """How the process ended, a sentence without its full stop."""
        return self._last_words or described(self._process.poll())

    def send(self, head: dict[str, Any], body: bytes) -> None:
        """Hand it a job."""
        self._jobs.put((head, body))

    def kill(self) -> None:
        """End it at once, whatever it computes."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def _speak(self) -> None:
        """A worker that hangs does not read, and the pipe takes little: so this has a thread of its own."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError), self._process.stdin as stdin:
            while (job := self._jobs.get()) is not None:
                write_frame(stdin, *job)

    def _listen(self) -> None:
        try:
            self._hear()
        except Exception:  # whatever came instead of a message: such a worker is not asked again
            _log.exception("The worker process %s said what cannot be understood", self.pid)
            self._last_words = GARBLED
            self.kill()
        finally:
            self._bury()
            self._report(self, None, b"")

    def _hear(self) -> None:
        assert self._process.stdout is not None
        while frame := read_frame(self._process.stdout):
            head, body = frame
            if "ending" in head:
                self._last_words = f"The worker process could not begin: {head['ending']}"
            else:
                self._report(self, head, body)

    def _bury(self) -> None:
        self._jobs.put(None)
        try:
            self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._guard.remove(self._process.pid)
        if self._process.stdout:
            self._process.stdout.close()


class Processes:
    """The engine of the service's own machine.

    Args:
        capacity: How many jobs may run at the same time.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._guard = Guard()
        self._hired: list[WorkerProcess] = []

    def begin(self, changed: Callable[[], None]) -> None:
        """Nothing: the capacity stays the same."""

    def hire(self, report: Report) -> WorkerProcess:
        """Start a process."""
        self._hired = [worker for worker in self._hired if not worker.ended]
        worker = WorkerProcess(report, self._guard)
        self._hired.append(worker)
        return worker

    def close(self) -> None:
        """End all processes."""
        for worker in self._hired:
            worker.kill()
        self._guard.close()


def described(exit_code: int | None) -> str:
    """What the exit code of a worker process means."""
    if exit_code is None:
        return "The worker process closed its output"
    if exit_code >= 0:
        return f"The worker process ended with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    if name == "SIGKILL":
        return "The worker process was killed (SIGKILL: by someone, or by the system for want of memory)"
    return f"The worker process crashed ({name})"
