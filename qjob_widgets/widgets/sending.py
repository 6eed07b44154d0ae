"""How far the paced queue is with a job, and how long it may take, by its pace of the last two minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from qjob_widgets.widgets import words
from qjob_widgets.widgets.columns import Columns

WINDOW = 120.0
"""Seconds over which the pace is measured, at most."""
LEAST = 10.0
LEAST_WHEN_HELD_UP = 60.0
"""Seconds over which it is measured before it is believed: services take a few at once, and then one now and
then."""


class Sending:
    """Measures the queue of one job.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._total = 0
        self._before: deque[tuple[float, int]] = deque()

    def told(self, columns: Columns) -> dict[str, Any] | None:
        """What `summary.sending` says now; None if nothing is on its way."""
        left = columns.sending
        if not left:
            self._before.clear()
            self._total = 0
            return None
        now = self._clock()
        self._count(columns, left)
        self._before.append((now, left))
        while now - self._before[0][0] > WINDOW:
            self._before.popleft()
        trouble = words.trouble_in_sending(columns.parts)
        return {
            "left": left,
            "total": self._total,
            "seconds": self._seconds(now, left, LEAST_WHEN_HELD_UP if trouble else LEAST),
            "trouble": trouble,
        }

    def _count(self, columns: Columns, left: int) -> None:
        if not self._before:
            again = any(part.attempt > 1 for part in columns.parts)
            self._total = left if again else len(columns.parts)
            return
        more = left - self._before[-1][1]
        if more > 0:  # others were put behind them; what was left before grows with them
            self._total += more
            self._before = deque((at, number + more) for at, number in self._before)

    def _seconds(self, now: float, left: int, least: float) -> float | None:
        at, before = self._before[0]
        sent = before - left
        if now - at < least or not sent:
            return None
        return round(left * (now - at) / sent, 1)
