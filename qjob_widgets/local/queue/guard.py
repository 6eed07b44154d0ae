"""Ends workers whose service was killed. Run with `python -m`; standard library only.

A worker watches its own stdin, but Aer computes without letting other threads run (measured: 13 s in one
piece), so a worker would outlive a killed service by the rest of its simulation. The guard sleeps on its
stdin, learns there which processes are workers ("+pid", "-pid"), and ends them when the service is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable
from subprocess import DEVNULL, PIPE, Popen

_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class Guard:
    """The service's side: starts the guard process and tells it about workers."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "qjob_widgets.local.queue.guard"]
        self._process = Popen(command, stdin=PIPE, stdout=DEVNULL, text=True)

    def add(self, pid: int) -> None:
        """Have process `pid` ended should this service be killed."""
        self._tell(f"+{pid}\n")

    def remove(self, pid: int) -> None:
        """Process `pid` has ended; its number may be another's from now on."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """End the guard and what it still holds."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # the latter once it is closed
            self._process.stdin.write(line)
            self._process.stdin.flush()


def left_over(lines: Iterable[str]) -> set[int]:
    """Which processes were added and not removed by the time `lines` end."""
    workers: set[int] = set()
    for line in lines:
        change = workers.add if line.startswith("+") else workers.discard
        change(int(line[1:]))
    return workers


def main() -> None:
    """Wait for the service's end, then end its workers."""
    for pid in left_over(sys.stdin):
        with contextlib.suppress(OSError):
            os.kill(pid, _KILL)


if __name__ == "__main__":
    main()
