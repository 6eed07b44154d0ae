"""Where jobs run: what the scheduler knows of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Worker(Protocol):
    """Does one job at a time and reports what it says."""

    @property
    def grace(self) -> float:
        """Seconds that a job may be with it beyond its maximum execution time, such as for a start."""

    @property
    def ending(self) -> str:
        """How it ended, a sentence without its full stop."""

    def send(self, head: dict[str, Any], body: bytes) -> None:
        """Hand it a job. It never blocks; if the worker has just ended, that is reported as always."""

    def kill(self) -> None:
        """End what it does, or at least wait for it no more; its end is reported as soon as it is true."""


Report = Callable[[Worker, dict[str, Any] | None, bytes], None]
"""Called from any thread as report(worker, head, body): head {"ready": true} once, then what a job's run says
(see `runner`), and with head None at the worker's end, after which it reports no more."""


class Engine(Protocol):
    """Hires workers."""

    @property
    def capacity(self) -> int:
        """How many jobs it can run at the same time; may change."""

    def begin(self, changed: Callable[[], None]) -> None:
        """Called once, at first; from now on `changed` is called when the capacity has changed."""

    def hire(self, report: Report) -> Worker:
        """A new worker, which reports from now on. Whatever it raises, there is no worker."""

    def close(self) -> None:
        """End all workers."""
