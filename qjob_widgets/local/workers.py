"""The service's handle of one worker process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from qjob_widgets.local.frames import read_frame, write_frame
from qjob_widgets.local.guard import Guard

Report = Callable[["Worker", dict[str, Any] | None, bytes], None]


class Worker:
    """One worker process; what it says is handed to `report` from a thread of its own.

    Args:
        report: Called as report(worker, head, body) for each message, and with head None at its end.
        guard: Told about the process, so that it cannot outlive a killed service.
    """

    def __init__(self, report: Report, guard: Guard) -> None:
        self.ready = False
        self._guard = guard
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qjob_widgets.local.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        guard.add(self._process.pid)
        threading.Thread(target=self._listen, args=(report,), daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None while it runs."""
        return self._process.poll()

    def send(self, head: dict[str, Any], body: bytes) -> None:
        """Hand it a job; if it has just died, its end is reported as always."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            write_frame(self._process.stdin, head, body)

    def kill(self) -> None:
        """End it at once, whatever it computes."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def _listen(self, report: Report) -> None:
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        while frame := read_frame(self._process.stdout):
            report(self, *frame)
        self._process.wait()
        self._guard.remove(self._process.pid)
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        report(self, None, b"")
