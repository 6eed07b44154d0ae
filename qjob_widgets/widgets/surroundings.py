"""What a panel tells beside its job's snapshot, where the job can: which circuits its parts have, when the
backend was calibrated, what the instance has left.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from qjob_widgets.monitor.described import within
from qjob_widgets.monitor.worker import Worker
from qjob_widgets.status import Status

logger = logging.getLogger(__name__)

INTERVAL = 300.0
"""Seconds between two questions about calibration and allowance."""
MOST_ASKED = 20
"""Parts of one job of which a panel asks by itself which circuits they have."""
ASKED_FOR = 10.0
"""Seconds for which it does: what takes longer is asked when somebody points at it."""
MOST_WITHIN, LONGEST_WITHIN = 10_000, 500_000
"""Circuits of one job of which a page is told what they are, and characters for that."""

_worker = Worker("qjob-standing")


class Surroundings:
    """Reading is free; what must be asked for is asked on a thread of its own.

    Args:
        job: The job; its abilities are looked for.
        clock: Seconds.
        news: Called when an answer has come.
        learned: Called with a row of which the circuits are known now.
    """

    def __init__(
        self,
        job: Any,
        clock: Callable[[], float],
        news: Callable[[], object],
        learned: Callable[[int], object] = lambda row: None,
    ) -> None:
        self._job = job
        self._clock = clock
        self._news, self._learned = news, learned
        self._labels: list[str] = []
        self.within: Sequence[str] = ()
        """What else each part is found by than its label: what the circuits between its first and last say.
        Empty until that has been read, and in jobs of more than ten thousand circuits."""
        self._searched = False
        self._asked_at: float | None = None
        self._wondered: set[int] = set()
        self._curious = False
        """Whether labels were read again since it was wondered about those that are missing."""

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
            self._curious = True
            if not self._searched and any(self._labels):
                self._searched = True
                _worker.put(self._search)
        return self._labels

    def _search(self) -> None:
        """Read what the parts are found by."""
        places = [part.place for part in self._job.snapshot.parts]
        number = sum(place.end - place.start + 1 for place in places if place is not None)
        read = getattr(self._job, "circuits_by_part", None)
        if not callable(read) or not len(places) < number <= MOST_WITHIN:
            return
        known, left = read(), LONGEST_WITHIN
        found = [""] * len(places)
        for index in sorted(known):
            text = within(known[index])
            left -= len(text)
            if left < 0:
                break
            found[index] = text
        self.within = found
        self._news()

    def look(self, *, final: bool) -> None:
        """Have calibration and allowance asked for, if the job can and it is time; of a `final` one, once."""
        fetch = getattr(self._job, "fetch_standing", None)
        if not callable(fetch):
            return
        now = self._clock()
        if self._asked_at is None or (not final and now - self._asked_at >= INTERVAL):
            self._asked_at = now
            _worker.put(lambda: self._ask(fetch))

    def wonder(self) -> None:
        """Have asked which circuits those parts have that failed, some of each reason, and a job's only part,
        where they are not known on this machine."""
        describe, room = getattr(self._job, "described", None), MOST_ASKED - len(self._wondered)
        if not self._curious or not callable(describe) or room <= 0:
            return
        self._curious = False
        parts = self._job.snapshot.parts
        unknown = [index for index, text in enumerate(self._labels) if not text and parts[index].job_id]
        alone = len(parts) == 1
        rows = [index for index in unknown if alone or parts[index].status is Status.ERROR]
        chosen = _some_of_each(
            [row for row in rows if row not in self._wondered], lambda row: parts[row].reason, room
        )
        if chosen:
            self._wondered.update(chosen)
            _worker.put(lambda: self._learn(describe, chosen))

    def _learn(self, describe: Callable[[int], object], rows: Iterable[int]) -> None:
        until = self._clock() + ASKED_FOR
        for row in rows:
            if self._clock() > until:
                return
            try:
                describe(row)
            except Exception:
                logger.debug("The circuits of sub-job %d could not be asked for.", row, exc_info=True)
            else:
                self._learned(row)
                self._news()

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


def _some_of_each(rows: Iterable[int], group: Callable[[int], object], most: int) -> list[int]:
    """At most so many rows, the first of each group before the second of any."""
    seen = Counter[object]()
    turns: list[tuple[int, int]] = []
    for row in rows:
        seen[group(row)] += 1
        turns.append((seen[group(row)], row))
    return [row for _, row in sorted(turns)[:most]]
