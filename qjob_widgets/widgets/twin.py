"""The twin of a view: a second, plain output below it, which a saved notebook keeps."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.widgets import display

FIRST, INTERVAL = 1.0, 15.0
"""Seconds until what is shown first is put right, and between two copies from then on while the job is open:
each of them changes the notebook, which front ends then read whole. So those of many views come together, at
multiples of it, and at first it takes twice as long each time."""
RARELY, LONGEST = 2000, 60.0
"""How often what making it took goes by before the next, and how many seconds at most."""

Bundle = dict[str, str]


class Rows:
    """Parts of a job, equal where a twin says the same of them; the first that differs is enough to know."""

    def __init__(self, parts: Sequence[JobSnapshot]) -> None:
        self._parts = parts

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rows):
            return NotImplemented
        pairs = zip(self._parts, other._parts, strict=False)
        return len(self._parts) == len(other._parts) and all(
            one is another or _row(one) == _row(another) for one, another in pairs
        )

    __hash__ = None  # type: ignore[assignment]  # like a list


def _row(part: JobSnapshot) -> object:
    return (part.job_id, part.status, part.attempt, part.reason, part.position)


class Twin:
    """Keeps the copies in the notebook true, wherever the view has been displayed.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.id = uuid.uuid4().hex
        """By which the page finds and hides it."""
        self._clock = clock
        self._handles: list[Any] = []
        self._due, self._pause = 0.0, FIRST
        self._shown: object = None

    def show(self, bundle: Bundle, shown: object) -> None:
        """Display one more copy; `shown` is what of the job it tells."""
        handle = display.show_replaceable(dict(bundle))
        if handle is not None:
            self._handles.append(handle)
            self._shown, self._pause = shown, FIRST
            self._due = self._clock() + FIRST

    def update(self, make: Callable[[], Bundle], shown: Callable[[], object], *, at_once: bool) -> None:
        """Replace the copies if they tell something else now, and it is time or `at_once`."""
        began = self._clock()
        due = at_once or began >= self._due
        if self._handles and due and (now_shown := shown()) != self._shown:
            bundle = make()
            for handle in self._handles:
                display.replace(handle, bundle)
            ended, self._shown = self._clock(), now_shown
            cost = min(LONGEST, RARELY * (ended - began))
            self._pause = max(min(INTERVAL, 2 * self._pause), cost)
            self._due = ended + self._pause
            if self._pause >= INTERVAL:
                self._due = INTERVAL * math.ceil(self._due / INTERVAL)

    def tells(self, shown: Callable[[], object]) -> bool:
        """Whether the copies are up to date, or there are none."""
        return not self._handles or shown() == self._shown
