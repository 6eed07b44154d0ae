"""The book of a composite: every submission of every part, what is on its way, the one snapshot of it all.

All changes go through its methods under one condition, on whichever thread they come: the monitor's
(`absorb`), the submission's (`PartParcel`) or the user's. Readers take `snapshot`, which is frozen and
replaced whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Any

from qjob_widgets import tags as composite_tags
from qjob_widgets.jobs.sending.journal import CANCELLED, UNSENT, Header, Intent, Kept
from qjob_widgets.jobs.sending.parts import current, gone, utc_now, with_seen_times
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import RERUNNABLE, Status
from qjob_widgets.stretches import Stretches


class Unsent(Enum):
    """Why a part that the service does not have is not there."""

    HERE = "this process is sending it"
    ELSEWHERE = "another process is sending it"
    LEFT = "nobody is sending it any more"
    ENDED = "it was refused or cancelled"


class Ledger:
    """Facts of one composite.

    Args:
        job_id: The composite's id.
        places: Where each part stands, in order.
        kind: `run` or `primitive`.
        name: The user's name for it.
        tags: The user's tags.
        backend: Name of the backend.
        intent: What the journal says of it, kept up to date here; None is no journal.
        now: The time of day in UTC, for what the service does not tell.
    """

    def __init__(
        self,
        job_id: str,
        places: Sequence[composite_tags.Place],
        *,
        kind: str = "run",
        name: str | None = None,
        tags: Sequence[str] = (),
        backend: str = "",
        intent: Intent | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._now = now
        self.job_id = job_id
        self.places = tuple(places)
        self.kind = kind
        self._name = name
        self._tags = tuple(tags)
        self._backend = backend
        self._attempts: dict[int, dict[str, JobSnapshot]] = {index: {} for index in range(len(places))}
        self._outbox: dict[int, JobSnapshot] = {}
        self._unsent: dict[Unsent, set[int]] = {kind: set() for kind in Unsent}
        self._intent = intent or Intent(job_id)
        self._changed = threading.Condition(threading.RLock())
        self._parts = Stretches(self._part(index) for index in self._attempts)
        self.snapshot = CompositeSnapshot(job_id, ())
        with self._changed:
            self._rebuild(())

    # ---- what the service said

    def absorb(self, found: Iterable[JobSnapshot], gone_ids: Collection[str] = ()) -> None:
        """Take news of submissions; `gone_ids` are those that the service does not know any more."""
        with self._changed:
            changed: set[int] = set()
            for news in found:
                index = -1 if news.place is None else news.place.job
                if index in self._attempts:
                    before = self._attempts[index].get(news.job_id)
                    if before is None and not self.is_unsent(index):
                        # It arrived after all, or somebody else has sent it.
                        self._take(index)
                    told = with_seen_times(news, before, self._now())
                    if told != before:  # what says the same stays the same object: views compare by identity
                        self._attempts[index][news.job_id] = told
                        changed.add(index)
            for index, one in self.submissions() if gone_ids else ():
                if one.job_id in gone_ids:
                    self._attempts[index][one.job_id] = gone(one)
                    changed.add(index)
            self._rebuild(changed)

    def submissions(self) -> list[tuple[int, JobSnapshot]]:
        """All submissions of all parts, the old ones too, each with its part's index."""
        with self._changed:
            return [(index, one) for index, found in self._attempts.items() for one in found.values()]

    def relabel(self, *, name: str | None, tags: Sequence[str]) -> None:
        """The service has taken this name and these user tags for every submission."""
        with self._changed:
            self._name, self._tags = name, tuple(tags)
            for index, one in self.submissions():
                self._attempts[index][one.job_id] = replace(one, tags=self.tags_of(index))
            self._rebuild(self._attempts)
        self._intent.relabel(self.header)

    def last_attempt(self, index: int) -> JobSnapshot | None:
        """The submission of a part that counts; None before the first."""
        return current(self._attempts[index].values())

    def tags_of(
        self, index: int, *, name: str | None = None, tags: Sequence[str] | None = None
    ) -> tuple[str, ...]:
        """All tags that a submission of the part carries: the composite's own three first.

        Args:
            index: The part.
            name: Instead of the composite's name.
            tags: Instead of the user's tags.
        """
        identity = composite_tags.Identity(self.job_id, self.places[index], self.kind, name or self._name)
        return (*composite_tags.write(identity), *(self._tags if tags is None else tags))

    # ---- what is on its way

    @property
    def header(self) -> Header:
        """What the parts have in common, for the journal."""
        return Header(self.kind, self._name, self._tags, self._backend)

    @property
    def missing(self) -> list[int]:
        """Indexes of the parts of which nothing is known: not sent, and not in the journal."""
        with self._changed:
            return [
                index for index, found in self._attempts.items() if not found and index not in self._outbox
            ]

    @property
    def elsewhere(self) -> frozenset[int]:
        """Indexes of the parts that somebody else is sending."""
        with self._changed:
            return frozenset(self._unsent[Unsent.ELSEWHERE])

    @property
    def left(self) -> list[int]:
        """Indexes of the parts that the journal has and nobody sends."""
        with self._changed:
            return sorted(self._unsent[Unsent.LEFT])

    def drop(self, indexes: Iterable[int]) -> None:
        """Nobody is sending these parts any more, and nothing is known of them."""
        with self._changed:
            dropped = self.elsewhere.intersection(indexes)
            for index in dropped:
                self._take(index)
            self._rebuild(dropped)

    def leave(self, kept: Mapping[int, Kept], sender: str | None = None) -> None:
        """Show parts that the journal has as what they are: refused, cancelled, being sent by `sender`, or
        never sent."""
        with self._changed:
            for index, part in kept.items():
                if not self.is_unsent(index):
                    kind, facts = _told(part, sender)
                    self._put(index, kind, **facts)
            self._rebuild(kept)

    def open(self, choose: Callable[[CompositeSnapshot], Iterable[int]]) -> dict[int, frozenset[str]]:
        """Put the chosen parts on their way; gives the ids of the submissions that each had before.

        Two calls at once choose a part once.
        """
        with self._changed:
            chosen = list(choose(self.snapshot))
            for index in chosen:
                self._put(index, Unsent.HERE, status=Status.INITIALIZING, word="waiting to be sent")
            self._rebuild(chosen)
            return {index: frozenset(self._attempts[index]) for index in chosen}

    def is_unsent(self, index: int) -> bool:
        """Whether the part waits to be sent from here, and nobody has cancelled it."""
        with self._changed:
            return index in self._unsent[Unsent.HERE]

    def on_its_way(self, index: int, word: str) -> None:
        """What a part that is to be sent from here is waiting for."""
        with self._changed:
            if self.is_unsent(index):
                self._outbox[index] = replace(self._outbox[index], word=word)
                self._rebuild([index])

    def accepted(self, index: int, job_id: str) -> bool:
        """A part was accepted. False if it had been cancelled meanwhile."""
        with self._changed:
            still_wanted = self.is_unsent(index)
            self._take(index)
            accepted = JobSnapshot(
                job_id,
                Status.QUEUED,
                "Queued",
                tags=self.tags_of(index),
                backend=self._backend,
                place=self.places[index],
            )
            self._attempts[index].setdefault(job_id, accepted)
            self._intent.accepted([index])
            self.rest()
            self._rebuild([index])
            return still_wanted

    def refused(self, index: int, why: str) -> None:
        """A part will not be taken; it can be rerun."""
        with self._changed:
            if self.is_unsent(index):
                self._intent.refused(index, why)
                self._end([index], Unsent.ENDED, Status.ERROR, f"Not submitted: {why}")

    def given_up(self, index: int, why: str) -> None:
        """A part will not be sent from here; the journal keeps it as it is."""
        with self._changed:
            if self.is_unsent(index):
                self._end([index], Unsent.LEFT, Status.ERROR, f"never sent: {why}")

    def stop_sending(self, among: Collection[int] | None = None) -> int:
        """Cancel what waits to be sent or was left unsent, all or `among` these; gives how many that were."""
        with self._changed:
            waiting = sorted(self._unsent[Unsent.HERE] | self._unsent[Unsent.LEFT])
            waiting = [index for index in waiting if among is None or index in among]
            self._intent.cancelled(waiting)
            self._end(waiting, Unsent.ENDED, Status.CANCELLED, "Cancelled before it was sent.")
            return len(waiting)

    def wait_until_sent(self) -> None:
        """Wait until nothing is on its way."""
        with self._changed:
            # In slices, since Windows delivers Ctrl-C only between two of them.
            while self.snapshot.sending:
                self._changed.wait(0.5)

    # ----

    def _put(self, index: int, kind: Unsent, **facts: Any) -> None:
        self._take(index)
        attempt = len(self._attempts[index]) + 1
        self._outbox[index] = JobSnapshot("", attempt=attempt, backend=self._backend, **facts)
        self._unsent[kind].add(index)

    def _take(self, index: int) -> None:
        self._outbox.pop(index, None)
        for indexes in self._unsent.values():
            indexes.discard(index)

    def _end(self, indexes: Sequence[int], kind: Unsent, status: Status, reason: str) -> None:
        for index in indexes:
            self._put(index, kind, status=status, reason=reason)
        self.rest()
        self._rebuild(indexes)

    def rest(self) -> None:
        """Give the lease back if nothing is on its way from here, before anybody is told so."""
        with self._changed:
            if not self._unsent[Unsent.HERE]:
                self._intent.rest()

    def _rebuild(self, changed: Iterable[int]) -> None:
        anew = {index: self._part(index) for index in changed}
        self._parts = self._parts.replacing(anew)
        self._backend = self._backend or next((part.backend for part in anew.values() if part.backend), "")
        self.snapshot = CompositeSnapshot(
            self.job_id,
            self._parts,
            self._name,
            self._tags,
            self._backend,
            sending=len(self._unsent[Unsent.HERE]),
            elsewhere=len(self._unsent[Unsent.ELSEWHERE]),
        )
        self._changed.notify_all()

    def _part(self, index: int) -> JobSnapshot:
        part = self._outbox.get(index) or self.last_attempt(index)
        if part is None:
            part = JobSnapshot(
                "", Status.ERROR, reason="never sent, and its circuits are not known here", attempt=0
            )
        return replace(part, place=self.places[index])


def _told(kept: Kept, sender: str | None) -> tuple[Unsent, dict[str, Any]]:
    if kept.state == UNSENT and sender:
        return Unsent.ELSEWHERE, {"status": Status.INITIALIZING, "word": f"being sent by {sender}"}
    if kept.state == UNSENT:
        return Unsent.LEFT, {"status": Status.ERROR, "reason": "never sent: resume() sends it"}
    if kept.state == CANCELLED:
        return Unsent.ENDED, {"status": Status.CANCELLED, "reason": "Cancelled before it was sent."}
    return Unsent.ENDED, {"status": Status.ERROR, "reason": f"Not submitted: {kept.reason}"}


def failed_parts(snapshot: CompositeSnapshot) -> list[int]:
    """Indexes of the parts that a rerun sends again."""
    return [index for index, part in enumerate(snapshot.parts) if part.status in RERUNNABLE]
