"""The parts of a job as columns and totals, kept up to date: only parts that were replaced are read again.

Facts are frozen and replaced whole, so a part that is the same object says the same. So a panel of 10,000
parts, of which 300 change four times a second, takes a small part of a processor (benchmarks/browser.py).
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import compress
from typing import Any, NamedTuple

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import CODES, FINAL, TRANSITIONS, Status
from qjob_widgets.stretches import LENGTH, replaced
from qjob_widgets.widgets import words
from qjob_widgets.widgets.shown import LONGEST_NAME, shown

TIMES = 5
"""Numbers a part in `times`: created, running, finished, estimated completion, usage."""
_MOST_ATTEMPTS = 0xFF
_LAST_POSITION = 0xFFFF
_PLACED = 0x10000
"""From this number on, one of `live` has a position."""
_LATEST = 0xFFFFFFFF
_EMPTY = CompositeSnapshot("", ())
_NOTHING = JobSnapshot("", Status.INITIALIZING, attempt=0)
"""What is said of a part before anything is known of it."""
_DONE, _ERROR, _QUEUED = Status.DONE, Status.ERROR, Status.QUEUED
"""In Python 3.11 `Status.DONE` is a property that is asked, ten times slower than a name."""
_WORDS = frozenset(TRANSITIONS)
"""The service's words, of which there is nothing to say beside the state."""
_Replaced = Iterable[tuple[int, JobSnapshot, JobSnapshot]]
"""Parts that were replaced: where each stands, what it is now and what it was."""


class Totals(NamedTuple):
    """Sums over parts; times of the QPU in milliseconds."""

    circuits: int = 0
    done_circuits: int = 0
    unsent: int = 0
    """Failed parts that the service never had."""
    times_seen: int = 0
    usage: int = 0
    used: int = 0
    """Parts whose usage is known."""
    foreseen: int = 0
    """The service's estimates for those whose usage is not known."""
    estimates: int = 0
    """Parts for which there is an estimate."""


class Columns:
    """What a page is told of all parts. Not for two threads at once.

    `stale` names what has changed since its reader took it out: `meta`, `live`, `times`, `reasons`.
    """

    def __init__(self, snapshot: CompositeSnapshot) -> None:
        self.snapshot = _EMPTY
        self.since: datetime | None = None
        """The earliest time of any part, from which `times` counts."""
        self.stale = {"meta", "live", "times", "reasons"}
        self.ids: list[str] = []
        """Ids of the parts, as they are shown."""
        self.totals = Totals()
        self._begin_anew(0)
        self.take(snapshot)

    def take(self, snapshot: CompositeSnapshot) -> None:
        """Bring everything up to `snapshot`."""
        before, self.snapshot = self.snapshot, snapshot
        if before is snapshot:
            return
        if _header(before) != _header(snapshot):
            self.stale.add("meta")
        parts: Sequence[JobSnapshot] = snapshot.parts
        olds: Sequence[JobSnapshot] = before.parts
        if len(parts) != len(olds):
            self.stale.update(("meta", "live", "times", "reasons"))
            self.since = min(filter(None, (self.since, *map(_begun, parts))), default=None)
            olds = self._begin_anew(len(parts))
        earliest = self._note(replaced(parts, olds))
        if earliest != self.since:
            # One begins earlier than all before it: all times count anew. They never count from later on, as
            # they would when the first part is sent again.
            self.since = earliest
            self.stale.add("meta")
            self._note(replaced(parts, self._begin_anew(len(parts))))

    # ---- what is read

    @property
    def live(self) -> bytes:
        """Four bytes a part: state, attempt, queue position (little-endian; 0 unknown)."""
        return little_endian(self._live)

    @property
    def times(self) -> bytes:
        """Twenty bytes a part, little-endian: created, running, finished and estimated completion in tenths
        of a second from `since`, and milliseconds of QPU time; each plus 1, and 0 where it is not known."""
        return little_endian(self._times)

    @property
    def reasons(self) -> dict[str, Any]:
        """The different reasons as they are shown, in `texts`, and in `of` which of them a part has."""
        numbers: dict[tuple[int | None, str], int] = {}
        of = {
            str(index): numbers.setdefault(reason, len(numbers))
            for index, reason in sorted(self._reasons.items())
        }
        return {"texts": [{"code": code, "text": shown(text)} for code, text in numbers], "of": of}

    @property
    def reasoned(self) -> int:
        """How many parts have a reason."""
        return len(self._reasons)

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
        return dict(zip(CODES, self._numbers, strict=True))

    @property
    def status(self) -> Status:
        """State of the whole."""
        return next(compress(CODES, self._numbers), Status.INITIALIZING)

    @property
    def missing(self) -> int:
        """How many parts are missing."""
        return self.snapshot.missing if self.totals.unsent else 0

    @property
    def last_in_queue(self) -> JobSnapshot | None:
        """The queued part that runs last; a part of unknown position counts as last."""
        queued = self._numbers[CODES[Status.QUEUED]]
        if not queued:
            return None
        if self._placed < queued:
            return next(part for part in self.parts if part.status is Status.QUEUED and not part.position)
        for number in self._moved:
            self._highest[number] = max(self._live[LENGTH * number : LENGTH * (number + 1)])
        self._moved.clear()
        last = max(self._highest)
        return self.parts[self._live.index(last, LENGTH * self._highest.index(last))]

    # ----

    def _begin_anew(self, number: int) -> Sequence[JobSnapshot]:
        """Know nothing of so many parts; returns what is said of them then."""
        # State, attempt and position of a part in one number: what lies further back in a queue is larger.
        self._live = array("I", bytes(4 * number))
        self._sizes = [0] * number
        self.ids = [""] * number
        self._highest = [0] * -(-number // LENGTH)
        """The largest of each stretch of these numbers,"""
        self._moved: set[int] = set()
        """but for these stretches: there it has to be looked for again."""
        self._placed = 0
        """How many stand at a known position in the queue."""
        self._numbers = [number] + [0] * (len(CODES) - 1)
        self._times = array("I", bytes(4 * TIMES * number))
        self._reasons: dict[int, tuple[int | None, str]] = {}
        self.totals = Totals()
        return (_NOTHING,) * number

    def _note(self, parts: _Replaced) -> datetime | None:
        """Bring all up to date; the earliest time of any part.

        One long loop, as calls and a second look at each part are what it would take most of its time for.
        """
        live, times, sizes, numbers, moved = self._live, self._times, self._sizes, self._numbers, self._moved
        placed, tenths, earliest = self._placed, self._tenths, self.since
        circuits, done, unsent, seen, usage, used, foreseen, estimates = self.totals
        index = None
        for index, part, old in parts:
            now, was, queue = part.status, old.status, part.queue
            row = TIMES * index
            if part.place is not old.place:
                more = _size(part) - sizes[index]
                sizes[index] += more
                circuits += more
                done += more if was is _DONE else 0
                if part.place != old.place:
                    self.stale.add("meta")
            if now is not was or queue is not old.queue or part.attempt is not old.attempt:
                told, code, position = live[index], CODES[now], 0
                if now is not was:
                    numbers[CODES[was]] -= 1
                    numbers[code] += 1
                    if now is _DONE:
                        done += sizes[index]
                    elif was is _DONE:
                        done -= sizes[index]
                if queue is not None or old.queue is not None:
                    if queue is not None and now is _QUEUED:
                        position = queue.position or 0
                        if not 0 <= position <= _LAST_POSITION:
                            position = 0 if position < 0 else _LAST_POSITION
                    placed += (position > 0) - (told >= _PLACED)
                    moved.add(index // LENGTH)
                    ends = None if queue is None or now in FINAL else queue.ends
                    times[row + 3] = 0 if ends is None else tenths(ends)
                attempt = part.attempt if part.attempt < _MOST_ATTEMPTS else _MOST_ATTEMPTS
                live[index] = code | attempt << 8 | position << 16
            if now is _ERROR or was is _ERROR:
                unsent += _unsent(part) - _unsent(old)
            if part.job_id is not old.job_id and part.job_id != old.job_id:
                self.ids[index] = shown(part.job_id, LONGEST_NAME)
                self.stale.add("meta")
            if part.word is not old.word and not (part.word in _WORDS and old.word in _WORDS):
                self._say(part, old)
            if part.reason is not old.reason or part.reason_code is not old.reason_code:
                self._give_reason(index, part)
            created, running, finished = part.created, part.running, part.finished
            if running is not old.running:
                times[row + 1] = 0 if running is None else tenths(running)
            if finished is not old.finished:
                times[row + 2] = 0 if finished is None else tenths(finished)
            if created is not old.created or created is None:
                times[row] = 0 if created is None else tenths(created)
                begun = _begun(part)
                if begun is not None and (earliest is None or begun < earliest):
                    earliest = begun
            spent, estimate = part.usage_seconds, part.estimated_seconds
            if spent is not old.usage_seconds or estimate is not old.estimated_seconds:
                before, after = times[row + 4], 0 if spent is None else _between(round(1000 * spent) + 1)
                times[row + 4] = after
                usage += (after or 1) - (before or 1)
                used += (after > 0) - (before > 0)
                if estimate is not None or old.estimated_seconds is not None:
                    foreseen += _foreseen(part) - _foreseen(old)
                    estimates += (estimate is not None) - (old.estimated_seconds is not None)
            if part.times_seen is not old.times_seen:
                seen += part.times_seen - old.times_seen
        if index is not None:
            self.stale.update(("live", "times"))
            self._placed = placed
            self.totals = Totals(circuits, done, unsent, seen, usage, used, foreseen, estimates)
        return earliest

    def _say(self, part: JobSnapshot, old: JobSnapshot) -> None:
        """The service has said another word of a part."""
        if words.unknown_word(part) != words.unknown_word(old):
            self.stale.add("meta")

    def _give_reason(self, index: int, part: JobSnapshot) -> None:
        """A part may have another reason, or none any more."""
        reason = (part.reason_code, part.reason) if part.reason else None
        if reason == self._reasons.get(index):
            return
        self.stale.add("reasons")
        if reason is None:
            del self._reasons[index]
        else:
            self._reasons[index] = reason

    def _tenths(self, moment: datetime) -> int:
        """A moment as `times` tells it."""
        passed = moment - self.since if self.since is not None else timedelta()
        # By hand, since `total_seconds` and a division take thrice as long.
        tenths = passed.days * 864_000 + passed.seconds * 10 + (passed.microseconds + 50_000) // 100_000 + 1
        return tenths if 0 < tenths <= _LATEST else _between(tenths)


def _between(number: int) -> int:
    """The nearest number that `times` can tell."""
    return number if 0 < number <= _LATEST else min(_LATEST, max(1, number))


def _size(part: JobSnapshot) -> int:
    """Circuits of a part."""
    return 0 if part.place is None else part.place.end - part.place.start + 1


def _begun(part: JobSnapshot) -> datetime | None:
    """The first of its times that is known."""
    return part.created or part.running or part.finished


def _unsent(part: JobSnapshot) -> bool:
    """Whether a part has failed without the service having had it."""
    return part.status is Status.ERROR and not part.job_id


def _foreseen(part: JobSnapshot) -> int:
    """Milliseconds that a part is still expected to use."""
    seconds = part.estimated_seconds
    return 0 if seconds is None or part.usage_seconds is not None else round(1000 * seconds)


def _header(snapshot: CompositeSnapshot) -> object:
    return (snapshot.job_id, snapshot.name, snapshot.tags, snapshot.backend, snapshot.composite)


def little_endian(numbers: array[int]) -> bytes:
    """The bytes of numbers, whatever the order of this machine."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()
