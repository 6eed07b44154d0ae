"""The twin of a view: a second, plain output below it, which a saved notebook keeps."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.widgets import display

FIRST, INTERVAL = 1.0, 15.0
"""Seconds until what is shown first is put right, and between two copies from then on while the job is open:
each of them changes the notebook. In between it takes twice as long each time."""
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
        self._at, self._pause = float("-inf"), FIRST
        self._shown: object = None

    def show(self, bundle: Bundle, shown: object) -> None:
        """Display one more copy; `shown` is what of the job it tells."""
        handle = display.show_replaceable(dict(bundle))
        if handle is not None:
            self._handles.append(handle)
            self._at, self._shown, self._pause = self._clock(), shown, FIRST

    def update(self, make: Callable[[], Bundle], shown: Callable[[], object], *, at_once: bool) -> None:
        """Replace the copies if they tell something else now, and it is time or `at_once`."""
        due = at_once or self._clock() - self._at >= self._pause
        if self._handles and due and (now_shown := shown()) != self._shown:
            began = self._clock()
            bundle = make()
            for handle in self._handles:
                display.replace(handle, bundle)
            self._at, self._shown = self._clock(), now_shown
            cost = min(LONGEST, RARELY * (self._at - began))
            self._pause = max(min(INTERVAL, 2 * self._pause), cost)

    def tells(self, shown: Callable[[], object]) -> bool:
        """Whether the copies are up to date, or there are none."""
        return not self._handles or shown() == self._shown
