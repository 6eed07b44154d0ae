"""Which parts of a composite are sent again, and doing so by itself as they fail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from qjob_widgets.errors import InvalidInput
from qjob_widgets.events import Event
from qjob_widgets.monitor.monitor import Monitor, Subscription
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.status import RERUNNABLE, Status

AUTOMATIC_ATTEMPTS = 3
"""Most submissions of a part, the first included, where an automatic rerun is asked for without a limit."""


@dataclass(frozen=True)
class Selection:
    """Failed parts to send again.

    Args:
        reason: Only those whose reason contains this text, whatever the case; None is all.
        max_attempts: Only those that were submitted fewer times; None is no limit.
        parts: Only those of these indexes; None is all.
        by_itself: Whether nobody looks: then only parts that ran and failed, neither those that somebody
            cancelled nor those that the service refused, which it would refuse again without an end.

    Raises:
        InvalidInput: If one of them cannot be used.
    """

    reason: str | None = None
    max_attempts: int | None = None
    parts: Collection[int] | None = None
    by_itself: bool = False

    def __post_init__(self) -> None:
        if self.reason is not None and not isinstance(self.reason, str):
            raise InvalidInput(f"reason={self.reason!r} must be a text that the service's reason contains.")
        limit = self.max_attempts
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise InvalidInput(f"max_attempts={limit!r} must be a whole number from 1, or None.")

    def __call__(self, snapshot: CompositeSnapshot) -> list[int]:
        """Indexes of the parts that are sent again."""
        return [
            index
            for index, part in enumerate(snapshot.parts)
            if (part.status is Status.ERROR and part.job_id if self.by_itself else part.status in RERUNNABLE)
            and (self.parts is None or index in self.parts)
            and (self.reason is None or self.reason.lower() in part.why.lower())
            and (self.max_attempts is None or part.attempt < self.max_attempts)
        ]


def checked_parts(parts: object, total: int) -> frozenset[int]:
    """Indexes of sub-jobs, validated.

    Raises:
        InvalidInput: If it is no collection of indexes below `total`.
    """
    if not isinstance(parts, Collection) or isinstance(parts, (str, bytes)):
        raise InvalidInput(f"parts={parts!r} must be a list of indexes of sub-jobs, such as [0, 3].")
    for index in parts:
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < total:
            raise InvalidInput(f"parts: there is no sub-job {index!r}; the job has 0 to {total - 1}.")
    return frozenset(parts)


class AutomaticRerun:
    """Sends parts again as they fail, until the job has ended with nothing more to send.

    It is a subscriber of the one monitor and sends nothing itself: `send` only puts parts into the queue.
    """

    def __init__(
        self,
        job: Watchable,
        selection: Selection,
        send: Callable[[Callable[[CompositeSnapshot], Iterable[int]]], object],
        monitor: Monitor,
    ) -> None:
        self._job = job
        self._selection = selection
        self._send = send
        self._closed = False
        self._watch: Subscription | None = None
        self._watch = monitor.watch(job, self._on_event)
        if self._closed or (job.snapshot.final and not selection(job.snapshot)):
            self.close()  # of what does not change any more there are no events

    def _on_event(self, event: Event) -> None:
        if self._selection(self._job.snapshot):
            self._send(self._selection)
        elif self._job.snapshot.final:
            self.close()

    def close(self) -> None:
        """Send nothing again by itself any more."""
        self._closed = True
        if self._watch is not None:
            self._watch.close()
