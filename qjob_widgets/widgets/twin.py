"""The twin of a view: a second, plain output below it, which a saved notebook keeps."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from qjob_widgets.widgets import display

INTERVAL = 15.0
"""Seconds between two copies while the job is open: each of them changes the notebook."""

Bundle = dict[str, str]


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
        self._at = float("-inf")
        self._shown: object = None

    def show(self, bundle: Bundle, shown: object) -> None:
        """Display one more copy; `shown` is what of the job it tells."""
        handle = display.show_replaceable(dict(bundle))
        if handle is not None:
            self._handles.append(handle)
            self._at, self._shown = self._clock(), shown

    def update(self, make: Callable[[], Bundle], shown: Callable[[], object], *, at_once: bool) -> None:
        """Replace the copies if they tell something else now, and it is time or `at_once`."""
        due = at_once or self._clock() - self._at >= INTERVAL
        if self._handles and due and (now_shown := shown()) != self._shown:
            bundle = make()
            for handle in self._handles:
                display.replace(handle, bundle)
            self._at, self._shown = self._clock(), now_shown

    def tells(self, shown: Callable[[], object]) -> bool:
        """Whether the copies are up to date, or there are none."""
        return not self._handles or shown() == self._shown
