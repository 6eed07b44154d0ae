"""The parts of a job as columns and totals, kept up to date: only parts that were replaced are read again.

Facts are frozen and replaced whole, so a part that is the same object says the same. So a panel of 10,000
parts, of which 300 change four times a second, takes a small part of a processor (benchmarks/browser.py).
"""

from __future__ import annotations

import operator
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import compress
from typing import NamedTuple

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import CODES, Status
from qjob_widgets.widgets import words
from qjob_widgets.widgets.shown import LONGEST_NAME, shown

TIMES = 5
"""Numbers a part in `times`: created, running, finished, estimated completion, usage."""
_MOST_ATTEMPTS = 0xFF
_LAST_POSITION = 0xFFFF
_LATEST = 0xFFFFFFFF
_EMPTY = CompositeSnapshot("", ())


class Totals(NamedTuple):
    """Sums over parts; times of the QPU in milliseconds."""

    circuits: int = 0
    done_circuits: int = 0
    placed: int = 0
    """Queued parts whose position is known."""
    unsent: int = 0
    """Failed parts that the service never had."""
    usage: int = 0
    used: int = 0
    """Parts whose usage is known."""
    expected: int = 0
    """Usage where it is known, else the service's estimate."""
    estimates: int = 0
    """Parts for which there is an estimate."""
    times_seen: int = 0


class Columns:
    """What a page is told of all parts. Not for two threads at once.

    `stale` names what has changed since its reader took it out: `meta`, `live`, `times`.
    """

    def __init__(self, snapshot: CompositeSnapshot) -> None:
        self.snapshot = _EMPTY
        self.since: datetime | None = None
        """The earliest time of any part, from which `times` counts."""
        self.stale: set[str] = set()
        self.ids: list[str] = []
        """Ids of the parts, as they are shown."""
        self.totals = Totals()
        self._last: int | None = None
        """Where the part at the last position stands, once it was looked for."""
        self._resize(0)
        self.take(snapshot)

    def take(self, snapshot: CompositeSnapshot) -> None:
        """Bring everything up to `snapshot`."""
        before, self.snapshot = self.snapshot, snapshot
        if before is snapshot:
            return
        if _header(before) != _header(snapshot):
            self.stale.add("meta")
        old: Sequence[JobSnapshot | None] = before.parts
        if len(snapshot.parts) != len(old):
            self._resize(len(snapshot.parts))
            old = [None] * len(snapshot.parts)
        changed = _replaced(snapshot.parts, old)
        if not changed:
            return
        self.stale.update(("live", "times"))
        parts = [snapshot.parts[index] for index in changed]
        olds = [old[index] for index in changed]
        self._count(changed, parts)
        self._place(changed, parts)
        if self._begins_earlier(parts):
            self._time(range(len(old)), snapshot.parts, [None] * len(old))
        else:
            self._time(changed, parts, olds)
        for index, part, was in zip(changed, parts, olds, strict=True):
            if was is None or was.job_id != part.job_id:
                self.ids[index] = shown(part.job_id, LONGEST_NAME)
        if "meta" not in self.stale and any(map(_renamed, olds, parts)):
            self.stale.add("meta")

    # ---- what is read

    @property
    def live(self) -> bytes:
        """Four bytes a part: state, attempt, queue position (little-endian; 0 unknown)."""
        positions = little_endian(self._positions)
        packed = bytearray(4 * len(self._states))
        packed[0::4], packed[1::4] = self._states, self._attempts
        packed[2::4], packed[3::4] = positions[0::2], positions[1::2]
        return bytes(packed)

    @property
    def times(self) -> bytes:
        """Twenty bytes a part, little-endian: created, running, finished and estimated completion in tenths
        of a second from `since`, and milliseconds of QPU time; each plus 1, and 0 where it is not known."""
        return little_endian(self._times)

    @property
    def parts(self) -> Sequence[JobSnapshot]:
        """The parts."""
        return self.snapshot.parts

    @property
    def sending(self) -> int:
        """How many parts are on their way from this process."""
        return self.snapshot.sending

    @property
    def elsewhere(self) -> int:
        """How many parts are on their way from another process."""
        return self.snapshot.elsewhere

    @property
    def counts(self) -> Mapping[Status, int]:
        """Number of parts in each of the seven states, zeros included."""
        return {status: self._states.count(code) for status, code in CODES.items()}

    @property
    def status(self) -> Status:
        """State of the whole."""
        present = (status for status, number in self.counts.items() if number)
        return next(present, Status.INITIALIZING)

    @property
    def last_in_queue(self) -> JobSnapshot | None:
        """The queued part that runs last; a part of unknown position counts as last."""
        queued = self._states.count(CODES[Status.QUEUED])
        if not queued:
            return None
        if self.totals.placed < queued:
            return next(part for part in self.parts if part.status is Status.QUEUED and not part.position)
        if self._last is None:
            self._last = self._positions.index(max(self._positions))
        return self.parts[self._last]

    # ----

    def _resize(self, number: int) -> None:
        self._states, self._attempts = bytearray(number), bytearray(number)
        self.ids = [""] * number
        self._positions = array("H", bytes(2 * number))
        self._last = None
        self._times = array("I", bytes(4 * TIMES * number))
        self.totals = Totals()
        self._added = [tuple(Totals())] * number
        self.stale.update(("meta", "live", "times"))

    def _begins_earlier(self, parts: Iterable[JobSnapshot]) -> bool:
        """Whether one of these is earlier than all before it: then `since` moves and all times count anew.

        It never moves later, as it would when the first part is sent again.
        """
        since = self.since
        for part in parts:
            seen = part.created or part.running or part.finished
            if seen is not None and (since is None or seen < since):
                since = seen
        if since == self.since:
            return False
        self.since = since
        self.stale.add("meta")
        return True

    def _count(self, changed: Sequence[int], parts: Iterable[JobSnapshot]) -> None:
        """Bring the totals up to date."""
        before = [self._added[index] for index in changed]
        now = list(map(_counted, parts))
        for index, added in zip(changed, now, strict=True):
            self._added[index] = added
        more, less = (map(sum, zip(*rows, strict=True)) for rows in (now, before))
        self.totals = Totals(
            *(old + new - gone for old, new, gone in zip(self.totals, more, less, strict=True))
        )

    def _place(self, changed: Sequence[int], parts: Iterable[JobSnapshot]) -> None:
        """Bring what is told of each part in `live` up to date."""
        states, attempts, positions = self._states, self._attempts, self._positions
        last = 0 if self._last is None else positions[self._last]
        for index, part in zip(changed, parts, strict=True):
            states[index] = CODES[part.status]
            attempt, position = part.attempt, part.position or 0
            attempts[index] = attempt if attempt < _MOST_ATTEMPTS else _MOST_ATTEMPTS
            positions[index] = position if position < _LAST_POSITION else _LAST_POSITION
            if position > last or index == self._last:
                self._last = None

    def _time(
        self,
        changed: Iterable[int],
        parts: Iterable[JobSnapshot],
        olds: Iterable[JobSnapshot | None],
    ) -> None:
        """Bring `times` up to date; most moments of a part are the same as before."""
        times, tenths = self._times, self._tenths
        for index, part, old in zip(changed, parts, olds, strict=True):
            at = TIMES * index
            if old is None or part.created != old.created:
                times[at] = tenths(part.created)
            if old is None or part.running != old.running:
                times[at + 1] = tenths(part.running)
            if old is None or part.finished != old.finished:
                times[at + 2] = tenths(part.finished)
            if old is None or part.queue is not old.queue or part.status is not old.status:
                times[at + 3] = tenths(_ends(part))
            if old is None or part.usage_seconds != old.usage_seconds:
                usage = part.usage_seconds
                times[at + 4] = 0 if usage is None else min(_LATEST, max(0, round(usage * 1000)) + 1)

    def _tenths(self, moment: datetime | None) -> int:
        if moment is None or self.since is None:
            return 0
        tenths = int((moment - self.since).total_seconds() * 10 + 1.5)
        return tenths if 0 < tenths <= _LATEST else (1 if tenths < 1 else _LATEST)


def _counted(part: JobSnapshot) -> tuple[int, ...]:
    """What one part adds to the totals, field by field."""
    size = 0 if part.place is None else part.place.end - part.place.start + 1
    usage, expected = part.usage_seconds, part.usage_seconds
    if expected is None:
        expected = part.estimated_seconds
    return (
        size,
        size if part.status is Status.DONE else 0,
        1 if part.position else 0,
        1 if part.status is Status.ERROR and not part.job_id else 0,
        0 if usage is None else round(usage * 1000),
        0 if usage is None else 1,
        0 if expected is None else round(expected * 1000),
        0 if part.estimated_seconds is None else 1,
        1 if part.times_seen else 0,
    )


def _header(snapshot: CompositeSnapshot) -> object:
    return (snapshot.job_id, snapshot.name, snapshot.tags, snapshot.backend, snapshot.composite)


def _replaced(parts: Sequence[object], before: Sequence[object]) -> list[int]:
    """Where something else stands now."""
    return list(compress(range(len(parts)), map(operator.is_not, parts, before)))


def _ends(part: JobSnapshot) -> datetime | None:
    """When a part is expected to end."""
    return None if part.queue is None or part.final else part.queue.estimated_complete_time


def _renamed(old: JobSnapshot | None, new: JobSnapshot) -> bool:
    """Whether `meta` says something else of a part now."""
    return (
        old is None
        or old.job_id != new.job_id
        or old.reason != new.reason
        or old.reason_code != new.reason_code
        or (old.place is not new.place and old.place != new.place)
        or (old.word != new.word and words.unknown_word(old) != words.unknown_word(new))
    )


def little_endian(numbers: array[int]) -> bytes:
    """The bytes of numbers, whatever the order of this machine."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()
