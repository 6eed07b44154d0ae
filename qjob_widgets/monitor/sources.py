"""How to ask about many jobs with few requests.

For one tick, with `open` open parts in all: at most ceil(open / 200) + composites + 5 requests.
- A composite whose attempts fit in one page is one page by its tag.
- A larger one is asked for what is still pending by its tag; ids that left `pending` are asked singly if
  they are five or fewer, else by tag. Where more than five ended, the next tick asks by tag at once.
- Jobs without a composite are asked singly if they are five or fewer, else by `pending` since the oldest.
Lists are asked oldest first, so that jobs that arrive meanwhile cannot shift the pages.
A single job that the service does not know (404) is gone: that is an answer, not a failure.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from qjob_widgets.errors import NotFound
from qjob_widgets.monitor.watch import Pace, Watchable, open_ids
from qjob_widgets.snapshot import JobSnapshot

FEW = 5


class Page(Protocol):
    """One page of a job list."""

    @property
    def jobs(self) -> tuple[JobSnapshot, ...]:
        """Its jobs."""


class ListJobs(Protocol):
    """Gives one page of at most `limit` jobs, oldest first."""

    def __call__(
        self,
        *,
        tags: Sequence[str] = (),
        pending: bool | None = None,
        created_after: datetime | None = None,
        limit: int,
        offset: int = 0,
    ) -> Page:
        """The page."""


@dataclass(frozen=True)
class ServiceSource:
    """Asks one service through two functions.

    Args:
        list_jobs: One page of jobs.
        fetch_job: One job by id; NotFound if there is none.
        page: How many jobs a page holds.
        pace: How often to ask.
    """

    list_jobs: ListJobs
    fetch_job: Callable[[str], JobSnapshot]
    page: int
    pace: Pace
    busy: weakref.WeakSet[Watchable] = field(default_factory=weakref.WeakSet, compare=False, repr=False)
    """Composites of which more than a few parts ended at the last tick: more will have ended by the next."""

    def ask(self, jobs: Sequence[Watchable]) -> None:
        """See `Source.ask`."""
        singles = [job for job in jobs if not job.snapshot.composite]
        for job in jobs:
            if job.snapshot.composite:
                found, gone = self._composite(job)
                job.absorb(found, gone)
        if singles:
            by_id = {job.snapshot.parts[0].job_id: job for job in singles}
            found, gone = self._singles(by_id)
            news = {snapshot.job_id: snapshot for snapshot in found}
            for job_id, job in by_id.items():
                if job_id in news:
                    job.absorb([news[job_id]])
                elif job_id in gone:
                    job.absorb([], [job_id])

    def pages(
        self,
        *,
        tags: Sequence[str] = (),
        pending: bool | None = None,
        created_after: datetime | None = None,
    ) -> Iterator[JobSnapshot]:
        """All jobs that match, page by page. A page that is not full is the last: `count` is not trusted."""
        offset = 0
        while True:
            page = self.list_jobs(
                tags=tags, pending=pending, created_after=created_after, limit=self.page, offset=offset
            )
            yield from page.jobs
            offset += len(page.jobs)
            if len(page.jobs) < self.page:
                return

    def _composite(self, job: Watchable) -> tuple[list[JobSnapshot], set[str]]:
        tag = job.job_id()
        waiting = set(open_ids(job.snapshot))
        attempts = sum(max(1, part.attempt) for part in job.snapshot.parts)
        if attempts <= self.page or job in self.busy:
            found = list(self.pages(tags=[tag]))
            if sum(snapshot.final and snapshot.job_id in waiting for snapshot in found) <= FEW:
                self.busy.discard(job)
            # A part that was accepted a moment ago may not be listed yet: only a 404 means gone.
            missing = waiting - {snapshot.job_id for snapshot in found}
            more, gone = self._one_by_one(sorted(missing)[:FEW])
            return found + more, gone
        found = list(self.pages(tags=[tag], pending=True))
        left = waiting - {snapshot.job_id for snapshot in found}
        if len(left) > FEW:
            self.busy.add(job)
            return list(self.pages(tags=[tag])), set()
        more, gone = self._one_by_one(sorted(left))
        return found + more, gone

    def _singles(self, by_id: dict[str, Watchable]) -> tuple[list[JobSnapshot], set[str]]:
        if len(by_id) <= FEW:
            return self._one_by_one(list(by_id))
        created = [job.snapshot.parts[0].created for job in by_id.values()]
        oldest = None if None in created else min(moment for moment in created if moment)
        found = list(self.pages(pending=True, created_after=oldest))
        left = set(by_id) - {snapshot.job_id for snapshot in found}
        if len(left) > FEW:
            every = self.pages(created_after=oldest)
            return [snapshot for snapshot in every if snapshot.job_id in by_id], set()
        more, gone = self._one_by_one(sorted(left))
        return found + more, gone

    def _one_by_one(self, ids: Collection[str]) -> tuple[list[JobSnapshot], set[str]]:
        found, gone = [], set()
        for job_id in ids:
            try:
                found.append(self.fetch_job(job_id))
            except NotFound:
                gone.add(job_id)
        return found, gone
