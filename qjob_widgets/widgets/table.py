"""`JobTable`: many jobs, live, in one widget; composites can be opened to their sub-jobs.

It is the panel of a group whose parts are the jobs (`group.py`), with what only a table has: rows that open,
a selection, tags of single jobs, and a query that brings new jobs.
"""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import traitlets

from qjob_widgets.errors import InvalidInput, QJobError
from qjob_widgets.monitor.foreign import Foreign, adapted
from qjob_widgets.monitor.monitor import Monitor, Subscription, shared_monitor
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.widgets import statement, view_state
from qjob_widgets.widgets.abilities import abilities
from qjob_widgets.widgets.actions import rerun_kind
from qjob_widgets.widgets.commands import KINDS, Asked, Operation, Outcome
from qjob_widgets.widgets.facts import headline
from qjob_widgets.widgets.group import GroupMonitor, JobGroup, plain
from qjob_widgets.widgets.open_rows import OpenRows, SubJobCounts
from qjob_widgets.widgets.panel import JobPanel, built
from qjob_widgets.widgets.query import Query, TableQuery
from qjob_widgets.widgets.shown import LONGEST_NAME, shown

EVERY = 15.0
"""Seconds between two questions of a query."""


class JobTable(JobPanel):
    """A live table of jobs.

    Args:
        jobs: The jobs; those of other libraries too.
        query: Gives the jobs that shall be in the table, such as `lambda: api.jobs(pending=True)`; it is
            asked again and again, on the monitor's thread, and new jobs are added. Those that it gives no
            more stay.
        name: Title; by default the number of jobs.
        every: Seconds between two questions of the query.
        freeze_when_done: Whether it becomes static, as by `freeze()`, once all jobs have ended; with a query,
            never.
        monitor: Who watches the jobs; the one of this process by default.
        options: As for `JobPanel`.

    Raises:
        InvalidInput: If something is no job, or an argument cannot be used.
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
        _check_arguments(query, name, every)
        self._group = JobGroup(f"table-{uuid.uuid4().hex[:12]}", name)
        for job in _checked(jobs):
            self._group.add(job)
        self._query = None if query is None else TableQuery(query, every, lambda: self._now())
        self._last_words = ""
        self._sub_job_counts = SubJobCounts()
        self._open_rows = OpenRows()
        self._selected: tuple[int, ...] = ()
        real = monitor or shared_monitor()
        self._face = GroupMonitor(real, self._group)
        # All that a panel asks of a monitor, the face has.
        face = cast(Monitor, self._face)
        super().__init__(self._group, freeze_when_done=freeze_when_done, monitor=face, **options)
        self._panel_operations = self._operations
        self._operations = {
            **{name: each for name, each in self._operations.items() if name not in ("circuits", "tags")},
            "refresh": Operation(self._on_refresh, asks=True),
            "cancel": Operation(self._on_cancel, asks=True),
            "rerun": Operation(self._on_rerun, asks=True),
            "expand": Operation(self._on_expand),
            "select": Operation(self._on_select),
            "tags": Operation(self._on_tags, asks=True),
        }
        self._columns.stale.add("meta")  # it says what can be asked
        self._publisher.tell(self)
        self._asking: Subscription | None = None if query is None else real.repeat(self._ask_query)

    def __repr__(self) -> str:
        name, said = self._group.name, plain(self._group.told)
        return f"JobTable {name!r}: {said}" if name else f"JobTable of {said}"

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
        """A pandas `DataFrame` with one row a job, in the order of `jobs`.

        Columns: `job_id`, `name`, `composite` (whether it has sub-jobs), `status` (a word such as DONE),
        `final`, `backend`, `tags` (a list), `counts` (number of sub-jobs by status, without zeros), `created`
        and `finished` (UTC, NaT where unknown), `usage_seconds` (QPU seconds, NaN where unknown).

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

    def freeze_once_done(self) -> None:
        """Become static, as by `freeze()`, once all jobs that are in the table have ended."""
        self._freeze_when_done = True
        self._publisher.tell(self)

    def leave(self, text: str) -> None:
        """Close the table, and leave only a sentence in its place."""
        self._last_words = text
        self._leave_the_twin()

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
        wanted = [str(adapted(job).job_id()) for job in _checked(jobs)]
        for job_id in wanted:
            if job_id not in known:
                raise InvalidInput(f"Job {job_id} is not in this table; add() it first.")
        return [known[job_id] for job_id in wanted]

    # ---- the query

    def _ask_query(self) -> float | None:
        if self._closed or self._query is None:
            return None
        if not self._paused:
            self._look()
        return self._query.every

    def _look(self) -> None:
        if self._query is not None:
            self._query.ask(self.add)
            self._publisher.tell(self)

    # ---- writing

    @property
    def wants_heartbeat(self) -> bool:
        """Whether the browser must be told that the kernel is alive."""
        return super().wants_heartbeat or (self._query is not None and not self._closed and self._seen)

    @property
    def _over(self) -> bool:
        """While it is empty, or a query may bring jobs, it goes on."""
        return super()._over and bool(self._group.jobs) and self._query is None

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        if "live" in state or "meta" in state:
            state["counts"] = self._sub_job_counts.packed(self._group.told)
        state["summary"].update(self._open_to_commands(), selected=list(self._selected))
        if self._query is not None:
            state["summary"].update(self._query.told(state["summary"], closed=self._closed))
        details = self._open_rows.news(self.details, self._group.jobs)
        if details is not None:
            state["details"] = details
        return state

    def _open_to_commands(self) -> dict[str, Any]:
        """How many jobs a click can cancel or rerun: those of other libraries may have no such ability."""
        jobs, parts = self._group.jobs, self._columns.parts
        able = {
            name: [part for job, part in zip(jobs, parts, strict=False) if name in abilities(job)]
            for name in ("cancel", "rerun")
        }
        kinds = Counter(rerun_kind(part) for part in able["rerun"])
        return {
            "open": sum(not part.final for part in able["cancel"]),
            "rerunnable_by": {kind: kinds[kind] for kind in KINDS},
            "rerunnable": sum(kinds[kind] for kind in KINDS),
        }

    def _meta(self) -> dict[str, Any]:
        told = self._group.told
        names = [shown(job.backend, LONGEST_NAME) for job in told]
        return {
            **super()._meta(),
            "kind": "table",
            "query": self._query is not None,
            "composites": [job.composite for job in told],
            "totals": [len(job.parts) for job in told],
            "backends": names,
            "tagged": [view_state.tags(job.tags) for job in told],
            "cans": [abilities(job) for job in self._group.jobs],
        }

    def _statement(self, snapshot: CompositeSnapshot, at: datetime) -> statement.Statement:
        told, labels = self._group.told, self._labels_of(snapshot)
        if labels and len(labels) == len(told):
            told = tuple(
                job if job.name or not text else replace(job, name=text)
                for job, text in zip(told, labels, strict=True)
            )
        return statement.of_jobs(snapshot, told, at=at)

    def _bundle(self, snapshot: CompositeSnapshot) -> dict[str, str]:
        return {"text/plain": self._last_words} if self._last_words else super()._bundle(snapshot)

    def _told(self, snapshot: CompositeSnapshot) -> object:
        counts = [(job.name, job.tags, tuple(job.counts.values())) for job in self._group.told]
        return (super()._told(snapshot), tuple(counts), self._last_words)

    # ---- what is asked of it

    def _on_refresh(self, asked: Asked) -> Outcome:
        self._look()
        return self._panel_operations["refresh"].act(asked)

    def _on_cancel(self, asked: Asked) -> Outcome:
        return self._by_those_who_can("cancel", asked)

    def _on_rerun(self, asked: Asked) -> Outcome:
        return self._by_those_who_can("rerun", asked)

    def _by_those_who_can(self, name: str, asked: Asked) -> Outcome:
        """Do to the jobs that have the ability what a panel does to sub-jobs."""
        jobs = self._group.jobs
        rows = range(len(jobs)) if asked.rows is None else asked.rows
        able = tuple(row for row in rows if name in abilities(jobs[row]))
        if not able:
            return Outcome(f"None of these jobs offers a way to {name} it.")
        return self._panel_operations[name].act(replace(asked, rows=able))

    @property
    def _can(self) -> Mapping[str, bool]:
        found = {ability for job in self._group.jobs for ability in abilities(job)}
        return {**super()._can, "cancel": "cancel" in found, "rerun": "rerun" in found}

    def _on_expand(self, asked: Asked) -> Outcome:
        with self._writing:
            self._open_rows.turn(asked.row, self._group.jobs[asked.row].snapshot, opened=asked.on)
        return Outcome()

    def _on_select(self, asked: Asked) -> Outcome:
        self._selected = asked.rows or ()
        self._tell()
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


def _check_arguments(query: object, name: object, every: object) -> None:
    if query is not None and not callable(query):
        raise InvalidInput(f"query={query!r} must be a function that gives jobs, such as lambda: api.jobs().")
    if name is not None and not isinstance(name, str):
        raise InvalidInput(f"name={name!r} must be a text, or None.")
    number = isinstance(every, (int, float)) and not isinstance(every, bool)
    if not number or not 0 < cast(float, every) < math.inf:
        raise InvalidInput(f"every={every!r} must be a number of seconds above 0.")


def _checked(jobs: Iterable[Any]) -> list[Any]:
    if hasattr(jobs, "job_id"):
        return [jobs]
    if isinstance(jobs, str) or not isinstance(jobs, Iterable):
        raise InvalidInput(f"{type(jobs).__name__} is no list of jobs; give a list, such as [job].")
    return list(jobs)
