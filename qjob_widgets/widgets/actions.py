"""What can be asked of a job, each with a sentence on what came of it. Abilities are looked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError, InvalidInput, QJobError, Unreachable, passing
from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.widgets import statement, static_text
from qjob_widgets.widgets.abilities import cancelled
from qjob_widgets.widgets.commands import Asked, Operation, Outcome
from qjob_widgets.widgets.shown import LONGEST_NAME, shown, whole


class JobActions:
    """What a panel's buttons do with its job. Methods return an outcome or raise.

    Args:
        job: The job.
        look: Asks about the job now.
        noun: What one of its parts is called.
        now: The time of day in UTC.
        learned: Called with a row of which the circuits have been asked for.
    """

    def __init__(
        self,
        job: Any,
        look: Callable[[], object],
        *,
        noun: str = "sub-job",
        now: Callable[[], datetime],
        learned: Callable[[int], object] = lambda row: None,
    ) -> None:
        self._job = job
        self._look = look
        self._noun = noun
        self._now = now
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
            "refresh": Operation(self._refresh, asks=True),  # while it is paused, by itself
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
        try:
            with _saying_whether_sent():
                all_of_it = cancelled(self._job, **({} if whole_job else {"parts": list(asked.rows or ())}))
        except Exception as error:
            if passing(error) is None:
                with contextlib.suppress(QJobError):
                    self._look()  # it may have ended meanwhile
            raise
        self._look()
        if all_of_it is False:
            return Outcome("Cancel sent, but not everything could be cancelled.")
        return Outcome(f"Cancel sent for {self._named(number)}.")

    def _rerun(self, asked: Asked) -> Outcome:
        chosen = [
            index
            for index, part in self._parts(asked.rows)
            if (kind := rerun_kind(part)) is not None and (asked.states is None or kind in asked.states)
        ]
        if not chosen:
            return Outcome("Nothing to rerun: nothing of it has failed.")
        everything = asked.rows is None and asked.states is None
        with _saying_whether_sent():
            self._job.rerun_failed(**({} if everything else {"parts": chosen}))
        self._look()
        return Outcome(f"{self._named(len(chosen))} will be sent again.")

    def _stop(self, asked: Asked) -> Outcome:
        number = self._job.stop_sending()
        if not number:
            return Outcome("Nothing to stop: everything has been sent.")
        return Outcome(f"Stopped: {self._named(number)} not sent.")

    def _refresh(self, asked: Asked) -> Outcome:
        self._look()
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
        with _saying_whether_sent():
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
        told = statement.of_job(snapshot, at=self._now(), rerun=rerun, most=None)
        return Outcome(data=static_text.render(told))

    def _reason(self, asked: Asked) -> Outcome:
        [(_, part)] = self._parts([asked.row])
        return Outcome(data=whole(part.why))

    def _circuits(self, asked: Asked) -> Outcome:
        found = self._job.described(asked.row)
        self._learned(asked.row)
        return Outcome(data=[_shown_circuit(each) for each in found])


@contextlib.contextmanager
def _saying_whether_sent() -> Iterator[None]:
    """Have an error of a service that does not answer say whether it may still do what it was asked."""
    try:
        yield
    except Exception as error:
        trouble = passing(error)
        if trouble is None:
            raise
        lost = isinstance(trouble, Unreachable) and trouble.sent
        raise ApiError(f"{'Not answered' if lost else 'Not sent'}: {error}") from error


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
