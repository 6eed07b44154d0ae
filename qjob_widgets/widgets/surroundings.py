"""What a panel tells beside its job's snapshot, where the job can: which circuits its parts have, when the
backend was calibrated, what the instance has left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from qjob_widgets.monitor.worker import Worker

logger = logging.getLogger(__name__)

INTERVAL = 300.0
"""Seconds between two questions about calibration and allowance."""

_worker = Worker("qjob-standing")


class Surroundings:
    """Reading is free; what must be asked for is asked on a thread of its own.

    Args:
        job: The job; its abilities are looked for.
        clock: Seconds.
        news: Called when an answer has come.
    """

    def __init__(self, job: Any, clock: Callable[[], float], news: Callable[[], object]) -> None:
        self._job = job
        self._clock = clock
        self._news = news
        self._labels: list[str] = []
        self._asked_at: float | None = None

    @property
    def calibrated(self) -> datetime | None:
        """When the backend was calibrated last."""
        return getattr(self._standing, "calibrated", None)

    @property
    def left(self) -> float | None:
        """QPU seconds that the instance has left."""
        return getattr(self._standing, "left", None)

    @property
    def limit(self) -> float | None:
        """Of so many."""
        return getattr(self._standing, "limit", None)

    @property
    def _standing(self) -> Any:
        return getattr(self._job, "standing", None)

    def labels(self) -> Sequence[str]:
        """Which circuits each part has, as far as that is known; empty where the job never tells."""
        label = getattr(self._job, "label", None)
        if callable(label):
            number = len(self._job.snapshot.parts)
            # What is known stays: a part keeps its circuits when it is sent again.
            known = [*self._labels[:number], *[""] * (number - len(self._labels))]
            self._labels = [text or _probed(label, index) for index, text in enumerate(known)]
        return self._labels

    def look(self, *, final: bool) -> None:
        """Have calibration and allowance asked for, if the job can and it is time; of a `final` one, once."""
        fetch = getattr(self._job, "fetch_standing", None)
        if not callable(fetch):
            return
        now = self._clock()
        if self._asked_at is None or (not final and now - self._asked_at >= INTERVAL):
            self._asked_at = now
            _worker.put(lambda: self._ask(fetch))

    def _ask(self, fetch: Callable[[], object]) -> None:
        try:
            fetch()
        except Exception:
            logger.debug("Calibration and allowance could not be asked for.", exc_info=True)
        self._news()


def _probed(label: Callable[[int], object], index: int) -> str:
    try:
        return str(label(index))
    except Exception:
        # What users write into their circuits may be anything; a panel is shown all the same.
        logger.debug("Sub-job %d could not be labelled.", index, exc_info=True)
        return ""
