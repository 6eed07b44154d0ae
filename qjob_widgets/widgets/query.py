"""The query of a table: asked again and again, it brings the jobs that are new."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from qjob_widgets.widgets import view_state
from qjob_widgets.widgets.shown import shown

logger = logging.getLogger(__name__)

Query = Callable[[], Iterable[Any]]


class TableQuery:
    """Asks for jobs, and says how that went.

    Args:
        query: Gives the jobs.
        every: Seconds between two questions.
        now: The time of day in UTC.
    """

    def __init__(self, query: Query, every: float, now: Callable[[], datetime]) -> None:
        self.every = every
        self._query = query
        self._now = now
        self._trouble = ""
        self._asked: datetime | None = None

    def ask(self, add: Callable[[Any], object]) -> None:
        """Ask once, and hand over each job. What goes wrong is told, not raised: it may go well next time."""
        try:
            for job in self._query():
                add(job)
            self._trouble, self._asked = "", self._now()
        except Exception as error:
            self._trouble = str(error)
            logger.debug("The query of a table failed.", exc_info=True)

    def told(self, summary: Mapping[str, Any], *, closed: bool) -> dict[str, Any]:
        """What differs in the summary of a table: it is asked also when nothing that it found is open."""
        asked = [each for each in (summary["asked"], view_state.milliseconds(self._asked)) if each]
        told = {
            "final": closed,
            "asked": max(asked, default=None),
            "interval": min(self.every, summary["interval"] or self.every),
        }
        if self._trouble:
            told |= {"error": shown(self._trouble), "failures": max(1, summary["failures"])}
        return told
