"""The book of a composite: every submission of every part, what is on its way, the one snapshot of it all.

All changes go through its methods under one condition, on whichever thread they come: the monitor's
(`absorb`), the submission's (`PartParcel`) or the user's. Readers take `snapshot`, which is frozen and
replaced whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from qjob_widgets import tags as composite_tags
from qjob_widgets.jobs.parts import current, gone, utc_now, with_seen_times
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import RERUNNABLE, Status


class Ledger:
    """Facts of one composite.

    Args:
        job_id: The composite's id.
        places: Where each part stands, in order.
        kind: `run` or `primitive`.
        name: The user's name for it.
        tags: The user's tags.
        backend: Name of the backend.
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
        self._changed = threading.Condition(threading.RLock())
        self.snapshot = CompositeSnapshot(job_id, ())
        with self._changed:
            self._rebuild()

    # ---- what the service said

    def absorb(self, found: Iterable[JobSnapshot], gone_ids: Collection[str] = ()) -> None:
        """Take news of submissions; `gone_ids` are those that the service does not know any more."""
        with self._changed:
            for news in found:
                if news.place is not None and news.place.job in self._attempts:
                    attempts = self._attempts[news.place.job]
                    before = attempts.get(news.job_id)
                    attempts[news.job_id] = with_seen_times(news, before, self._now())
            for attempts in self._attempts.values():
                for job_id in attempts.keys() & set(gone_ids):
                    attempts[job_id] = gone(attempts[job_id])
            self._rebuild()

    def last_attempt(self, index: int) -> JobSnapshot | None:
        """The submission of a part that counts; None before the first."""
        return current(self._attempts[index].values())

    def tags_of(self, index: int) -> tuple[str, ...]:
        """All tags that a submission of the part carries: the composite's own three first."""
        identity = composite_tags.Identity(self.job_id, self.places[index], self.kind, self._name)
        return (*composite_tags.write(identity), *self._tags)

    # ---- what is on its way

    def open(self, choose: Callable[[CompositeSnapshot], Iterable[int]]) -> dict[int, frozenset[str]]:
        """Put the chosen parts on their way; gives the ids of the submissions that each had before.

        Two calls at once choose a part once.
        """
        with self._changed:
            chosen = list(choose(self.snapshot))
            for index in chosen:
                self._outbox[index] = JobSnapshot(
                    "",
                    Status.INITIALIZING,
                    "waiting to be sent",
                    attempt=len(self._attempts[index]) + 1,
                    backend=self._backend,
                )
            self._rebuild()
            return {index: frozenset(self._attempts[index]) for index in chosen}

    def is_unsent(self, index: int) -> bool:
        """Whether the part waits to be sent, and nobody has cancelled it."""
        with self._changed:
            part = self._outbox.get(index)
            return part is not None and part.status is Status.INITIALIZING

    def on_its_way(self, index: int, **facts: Any) -> None:
        """Replace facts of a part that waits to be sent."""
        with self._changed:
            if self.is_unsent(index):
                self._outbox[index] = replace(self._outbox[index], **facts)
                self._rebuild()

    def accepted(self, index: int, job_id: str) -> bool:
        """A part was accepted. False if it had been cancelled meanwhile."""
        with self._changed:
            still_wanted = self.is_unsent(index)
            self._outbox.pop(index, None)
            accepted = JobSnapshot(
                job_id,
                Status.QUEUED,
                "Queued",
                tags=self.tags_of(index),
                backend=self._backend,
                place=self.places[index],
            )
            self._attempts[index].setdefault(job_id, accepted)
            self._rebuild()
            return still_wanted

    def stop_sending(self) -> int:
        """Cancel all that waits to be sent; gives how many that were."""
        with self._changed:
            waiting = [index for index in self._outbox if self.is_unsent(index)]
            for index in waiting:
                self._outbox[index] = replace(
                    self._outbox[index],
                    status=Status.CANCELLED,
                    word="",
                    reason="Cancelled before it was sent.",
                )
            self._rebuild()
            return len(waiting)

    def wait_until_sent(self) -> None:
        """Wait until nothing is on its way."""
        with self._changed:
            # In slices, since Windows delivers Ctrl-C only between two of them.
            while self.snapshot.sending:
                self._changed.wait(0.5)

    # ----

    def _rebuild(self) -> None:
        parts = tuple(self._part(index) for index in range(len(self.places)))
        sending = sum(not part.job_id and part.status is Status.INITIALIZING for part in parts)
        self._backend = next((part.backend for part in parts if part.backend), self._backend)
        self.snapshot = CompositeSnapshot(
            self.job_id, parts, self._name, self._tags, self._backend, sending=sending
        )
        self._changed.notify_all()

    def _part(self, index: int) -> JobSnapshot:
        part = self._outbox.get(index) or self.last_attempt(index)
        if part is None:
            part = JobSnapshot(
                "", Status.ERROR, reason="Never sent, and its circuits are not known here.", attempt=0
            )
        return replace(part, place=self.places[index])


def failed_parts(snapshot: CompositeSnapshot) -> list[int]:
    """Indexes of the parts that a rerun sends again."""
    return [index for index, part in enumerate(snapshot.parts) if part.status in RERUNNABLE]
