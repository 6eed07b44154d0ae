"""`JobTable`: many jobs, live, in one widget; composites can be opened to their sub-jobs.

It is the panel of a group whose parts are the jobs (`group.py`), with what only a table has: rows that open,
a selection, tags of single jobs, and a query that brings new jobs.
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import traitlets

from qjob_widgets.errors import InvalidInput, QJobError
from qjob_widgets.monitor.foreign import Foreign
from qjob_widgets.monitor.monitor import Monitor, Subscription, shared_monitor
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.status import PRECEDENCE
from qjob_widgets.widgets import view_state
from qjob_widgets.widgets.columns import Columns, little_endian
from qjob_widgets.widgets.commands import Asked, Operation, Outcome
from qjob_widgets.widgets.facts import headline
from qjob_widgets.widgets.group import GroupMonitor, JobGroup, plain
from qjob_widgets.widgets.panel import JobPanel, built
from qjob_widgets.widgets.shown import LONGEST_NAME, shown

logger = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds between two questions of a query."""

Query = Callable[[], Iterable[Any]]


class JobTable(JobPanel):
    """A live table of jobs.

    Args:
        jobs: The jobs; those of other libraries too.
        query: Gives the jobs that shall be in the table, such as `lambda: api.jobs(pending=True)`; it is
            asked again and again, on the monitor's thread, and new jobs are added. Those that it gives no
            more stay.
        name: Title; by default the number of jobs.
        every: Seconds between two questions of the query.
        freeze_when_done: Whether it becomes static, as by `freeze()`, once all jobs have ended.
        monitor: Who watches the jobs; the one of this process by default.
        options: As for `JobPanel`.

    Raises:
        InvalidInput: If something is no job.
    """

    _esm = built("table.js")
    _noun = "job"
    details = traitlets.Dict().tag(sync=True)
    counts = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self,
        jobs: Iterable[Watchable | Foreign] = (),
        *,
        query: Query | None = None,
        name: str | None = None,
        every: float = EVERY,
        freeze_when_done: bool = False,
        monitor: Monitor | None = None,
        **options: Any,
    ) -> None:
        self._group = JobGroup(f"table-{uuid.uuid4().hex[:12]}", name)
        for job in _checked(jobs):
            self._group.add(job)
        self._query, self._every = query, every
        self._troubled = ""
        self._open_rows: dict[int, Columns] = {}
        self._selected: tuple[int, ...] = ()
        real = monitor or shared_monitor()
        self._face = GroupMonitor(real, self._group)
        # All that a panel asks of a monitor, the face has.
        face = cast(Monitor, self._face)
        super().__init__(self._group, freeze_when_done=freeze_when_done, monitor=face, **options)
        self._refreshed = self._operations["refresh"].act
        self._operations = {
            **{name: each for name, each in self._operations.items() if name not in ("circuits", "tags")},
            "refresh": Operation(self._on_refresh, asks=True),
            "expand": Operation(self._on_expand),
            "select": Operation(self._on_select),
            "tags": Operation(self._on_tags, asks=True),
        }
        self._columns.stale.add("meta")  # it says what can be asked
        self._asking: Subscription | None = None if query is None else real.repeat(self._ask_query)

    def __repr__(self) -> str:
        return f"JobTable of {plain(self._group.told)}"

    # ---- in Python

    @property
    def jobs(self) -> list[Any]:
        """The jobs, in the order in which they were added."""
        return self._group.given

    @property
    def selected(self) -> list[Any]:
        """The jobs whose rows are selected in the page."""
        jobs = self.jobs
        return [jobs[index] for index in self._selected]

    def add(self, job: Watchable | Foreign) -> None:
        """Add a job; nothing if it is there.

        Raises:
            InvalidInput: If it is no job.
        """
        if self._group.add(job):
            self._face.begin(self._group.jobs[-1])
            self._publisher.tell(self)

    def cancel(self, jobs: Iterable[Any] | None = None) -> None:
        """Cancel what is open of these jobs; of all by default.

        Raises:
            InvalidInput: If one of them is not in the table.
            QJobError: If some could not be cancelled; all have been tried then.
        """
        self._group.cancel(parts=self._numbers(jobs))
        self._face.refresh(None)

    def rerun_failed(self, jobs: Iterable[Any] | None = None) -> None:
        """Rerun what has failed of these jobs; of all by default.

        Raises:
            InvalidInput: If one of them is not in the table.
            QJobError: If some could not be rerun; all have been tried then.
        """
        self._group.rerun_failed(parts=self._numbers(jobs))
        self._face.refresh(None)

    def to_dataframe(self) -> Any:
        """A pandas `DataFrame` with one row a job: status, counts, times (UTC), QPU seconds, tags.

        Raises:
            QJobError: If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise QJobError("to_dataframe() needs pandas: python -m pip install pandas") from None
        told = self._group.told
        frame = pd.DataFrame([headline(job) for job in told])
        for name in ("created", "finished") if len(told) else ():
            frame[name] = pd.to_datetime(frame[name], utc=True)
        return frame

    def close(self) -> None:
        """Stop watching and close the table; its twin stays."""
        asking, self._asking = getattr(self, "_asking", None), None
        if asking is not None:
            asking.close()
        super().close()

    def _numbers(self, jobs: Iterable[Any] | None) -> list[int] | None:
        if jobs is None:
            return None
        known = {str(job.job_id()): number for number, job in enumerate(self.jobs)}
        wanted = [str(job.job_id()) for job in jobs]
        for job_id in wanted:
            if job_id not in known:
                raise InvalidInput(f"Job {job_id} is not in this table; add() it first.")
        return [known[job_id] for job_id in wanted]

    # ---- the query

    def _ask_query(self) -> float | None:
        if self._closed:
            return None
        if not self._paused:
            self._look()
        return self._every

    def _look(self) -> None:
        """Ask the query once."""
        if self._query is None:
            return
        try:
            for job in self._query():
                self.add(job)
            self._troubled = ""
        except Exception as error:  # a service that is away now may be back at the next question
            self._troubled = str(error)
            logger.debug("The query of a table failed.", exc_info=True)
        self._publisher.tell(self)

    # ---- writing

    @property
    def wants_heartbeat(self) -> bool:
        """Whether the browser must be told that the kernel is alive."""
        return super().wants_heartbeat or (self._query is not None and not self._closed and self._seen)

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        told = self._group.told
        if "live" in state or "meta" in state:
            state["counts"] = _counted(told)
        if self._query is not None:
            state["summary"]["final"] = self._closed
            if self._troubled:
                state["summary"]["error"] = shown(self._troubled)
                state["summary"]["failures"] = max(1, state["summary"]["failures"])
        details = self._details(told)
        if details is not None:
            state["details"] = details
        return state

    def _meta(self, now: float) -> dict[str, Any]:
        told = self._group.told
        names = [shown(job.backend, LONGEST_NAME) for job in told]
        return {
            **super()._meta(now),
            "kind": "table",
            "query": self._query is not None,
            "composites": [job.composite for job in told],
            "totals": [len(job.parts) for job in told],
            "backends": names,
            "tagged": [view_state.tags(job.tags) for job in told],
            "cans": [_abilities(job) for job in self._group.jobs],
        }

    def _details(self, told: Sequence[CompositeSnapshot]) -> dict[str, Any] | None:
        """The sub-jobs of the rows that are open; None if nothing of them has changed."""
        changed = set(self.details) != {str(index) for index in self._open_rows}
        found = dict(self.details) if not changed else {}
        for index, columns in self._open_rows.items():
            columns.take(told[index])
            if changed or columns.stale:
                columns.stale.clear()
                changed = True
                job = self._group.jobs[index]
                can = {name: name in _abilities(job) for name in ("cancel", "rerun")}
                found[str(index)] = {
                    "meta": view_state.meta(columns, twin="", can=can, revision=0, labels=_labels(job)),
                    "live": columns.live,
                    "times": columns.times,
                }
        return found if changed else None

    # ---- what is asked of it

    def _on_refresh(self, asked: Asked) -> Outcome:
        self._look()
        return self._refreshed(asked)

    def _on_expand(self, asked: Asked) -> Outcome:
        with self._writing:
            if asked.on:
                self._open_rows.setdefault(asked.row, Columns(self._group.jobs[asked.row].snapshot))
            else:
                self._open_rows.pop(asked.row, None)
        return Outcome()

    def _on_select(self, asked: Asked) -> Outcome:
        self._selected = asked.rows or ()
        return Outcome()

    def _on_tags(self, asked: Asked) -> Outcome:
        jobs = self._group.jobs
        for index in asked.rows or ():
            update = getattr(jobs[index], "update_tags", None)
            if update is None:
                raise InvalidInput(f"The tags of job {jobs[index].job_id()} cannot be changed.")
            known = {shown(tag, LONGEST_NAME): tag for tag in jobs[index].snapshot.tags}
            update([known.get(tag, tag.strip()) for tag in asked.tags])
        return Outcome("Tags saved.")


def _checked(jobs: Iterable[Any]) -> list[Any]:
    if hasattr(jobs, "job_id"):
        return [jobs]
    try:
        return list(jobs)
    except TypeError:
        raise InvalidInput(f"{type(jobs).__name__} is no list of jobs; give a list, such as [job].") from None


def _counted(told: Sequence[CompositeSnapshot]) -> bytes:
    """Seven numbers a job, four bytes each, little-endian: its sub-jobs by state."""
    numbers = array("I", (job.counts[status] for job in told for status in PRECEDENCE))
    return little_endian(numbers)


def _abilities(job: Any) -> list[str]:
    named = {"cancel": "cancel", "rerun": "rerun_failed", "tags": "update_tags"}
    return [name for name, ability in named.items() if callable(getattr(job, ability, None))]


def _labels(job: Any) -> list[str]:
    label = getattr(job, "label", None)
    parts = range(len(job.snapshot.parts))
    with contextlib.suppress(QJobError):
        return [label(index) for index in parts] if callable(label) else []
    return []
