"""What can be asked of a job, each with a sentence on what came of it. Abilities are looked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError, InvalidInput, QJobError
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.widgets import static_text
from qjob_widgets.widgets.commands import Asked, Operation, Outcome
from qjob_widgets.widgets.shown import LONGEST_NAME, shown, whole

CANCEL_SECONDS = 30.0
"""So long a cancel that cannot be sent is tried; later it would come as a surprise."""
CANCEL_PAUSE = 2.0


class JobActions:
    """What a panel's buttons do with its job. Methods return an outcome or raise.

    Args:
        job: The job.
        monitor: Who watches it.
        noun: What one of its parts is called.
        clock: Seconds.
        rest: Waits so many seconds.
        now: The time of day in UTC.
        watched: Whether the monitor asks about the job, or it is paused.
        learned: Called with a row of which the circuits have been asked for.
    """

    def __init__(
        self,
        job: Any,
        monitor: Monitor,
        *,
        noun: str = "sub-job",
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], object] = time.sleep,
        now: Callable[[], datetime],
        watched: Callable[[], bool] = lambda: True,
        learned: Callable[[int], object] = lambda row: None,
    ) -> None:
        self._job = job
        self._monitor = monitor
        self._noun = noun
        self._clock = clock
        self._rest = rest
        self._now = now
        self._watched = watched
        self._learned = learned

    @property
    def operations(self) -> dict[str, Operation]:
        """Those that this kind of job has."""
        needs = {
            "cancel": ("cancel", Operation(self._cancel, asks=True)),
            "rerun": ("rerun_failed", Operation(self._rerun, asks=True)),
            "stop": ("stop_sending", Operation(self._stop)),
            "tags": ("update_tags", Operation(self._tags, asks=True)),
            "circuits": ("described", Operation(self._circuits, asks=True)),
        }
        found = {
            name: operation
            for name, (ability, operation) in needs.items()
            if callable(getattr(self._job, ability, None))
        }
        return {
            **found,
            "refresh": Operation(self._refresh),
            "report": Operation(self._report, asks=True),
            "reason": Operation(self._reason),
        }

    def _named(self, number: int) -> str:
        """So many parts, in words."""
        return f"1 {self._noun}" if number == 1 else f"{number:,} {self._noun}s"

    def _parts(self, rows: Sequence[int] | None) -> list[tuple[int, JobSnapshot]]:
        """The parts of these rows with their indexes; None is all."""
        parts = self._job.snapshot.parts
        return [(index, parts[index]) for index in (range(len(parts)) if rows is None else rows)]

    def _cancel(self, asked: Asked) -> Outcome:
        number = sum(not part.final for _, part in self._parts(asked.rows))
        if not number:
            return Outcome("Nothing to cancel: everything has ended.")
        whole_job = asked.rows is None or len(self._job.snapshot.parts) == 1
        self._until_sent(lambda: self._job.cancel(**({} if whole_job else {"parts": list(asked.rows or ())})))
        self._monitor.refresh(self._job)
        return Outcome(f"Cancel sent for {self._named(number)}.")

    def _until_sent(self, send: Callable[[], object]) -> None:
        """Try for half a minute what only has not arrived."""
        began = self._clock()
        while True:
            try:
                send()
                return
            except Exception as error:
                if not _passing(error):
                    raise
                if self._clock() - began + CANCEL_PAUSE > CANCEL_SECONDS:
                    raise ApiError(f"Not sent: {error}") from error
            self._rest(CANCEL_PAUSE)

    def _rerun(self, asked: Asked) -> Outcome:
        chosen = [
            index
            for index, part in self._parts(asked.rows)
            if (kind := rerun_kind(part)) is not None and (asked.states is None or kind in asked.states)
        ]
        if not chosen:
            return Outcome("Nothing to rerun: nothing of it has failed.")
        everything = asked.rows is None and asked.states is None
        self._job.rerun_failed(**({} if everything else {"parts": chosen}))
        self._monitor.refresh(self._job)
        return Outcome(f"{self._named(len(chosen))} will be sent again.")

    def _stop(self, asked: Asked) -> Outcome:
        number = self._job.stop_sending()
        if not number:
            return Outcome("Nothing to stop: everything has been sent.")
        return Outcome(f"Stopped: {self._named(number)} not sent.")

    def _refresh(self, asked: Asked) -> Outcome:
        if self._watched():
            self._monitor.refresh(self._job)
        else:
            self._job.source.ask([self._job])
        return Outcome()

    def _tags(self, asked: Asked) -> Outcome:
        # The page has tags as they are shown; what the user did not touch stays as it was.
        known = {shown(tag, LONGEST_NAME): tag for tag in self._job.snapshot.tags}
        tags = [known.get(tag, tag.strip()) for tag in asked.tags]
        reserved = [tag for tag in tags if tag.startswith(composite_tags.INTERNAL)]
        if reserved:
            raise InvalidInput(
                f"Tag {reserved[0]!r} begins with {composite_tags.INTERNAL}, which holds jobs together;"
                " take another."
            )
        self._job.update_tags(tags)
        return Outcome("Tags saved.")

    def _report(self, asked: Asked) -> Outcome:
        """The job's own report; what is known here where it has none, or the service does not answer."""
        report = getattr(self._job, "report", None)
        if callable(report):
            try:
                return Outcome(data=whole(report()))
            except QJobError:
                pass
        rerun = callable(getattr(self._job, "rerun_failed", None))
        snapshot = self._job.snapshot
        return Outcome(data=static_text.render(snapshot, now=self._now(), rerun=rerun, most=None))

    def _reason(self, asked: Asked) -> Outcome:
        [(_, part)] = self._parts([asked.row])
        return Outcome(data=whole(part.why))

    def _circuits(self, asked: Asked) -> Outcome:
        found = self._job.described(asked.row)
        self._learned(asked.row)
        return Outcome(data=[_shown_circuit(each) for each in found])


def rerun_kind(part: JobSnapshot) -> str | None:
    """What a rerun of this part would repair: ERROR, CANCELLED, or UNSENT, which is ERROR before the service
    had it; None if it would not be sent again."""
    if part.status is Status.ERROR:
        return "ERROR" if part.job_id else "UNSENT"
    return "CANCELLED" if part.status is Status.CANCELLED else None


def _shown_circuit(described: Any) -> dict[str, Any]:
    return {
        "name": shown(described.name, LONGEST_NAME),
        "parameters": dict(_shown_values(described.parameters.items())),
    }


def _shown_values(values: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((shown(name, LONGEST_NAME), shown(value, LONGEST_NAME)) for name, value in list(values)[:100])


def _passing(error: BaseException | None) -> bool:
    """Whether the service could not be reached, or was in trouble: the same may go well later."""
    while error is not None:
        if isinstance(error, ApiError) and error.passing:
            return True
        error = error.__cause__
    return False
