"""`JobService.jobs()`: the jobs that match, a composite as one.

A list answer holds single jobs. A composite stands where its newest (or oldest) matching part does. Where
filters or the page's edge may hide other submissions of it, it is completed by its tag.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import InvalidInput
from qjob_widgets.jobs.composite import CompositeJob
from qjob_widgets.jobs.errors import JobNotFound
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.rest import paths
from qjob_widgets.snapshot import JobSnapshot

if TYPE_CHECKING:
    from qjob_widgets.jobs.service import JobService


@dataclass(frozen=True)
class Wanted:
    """Which jobs are asked for; None and () do not filter.

    Args:
        limit: Most jobs, a composite counted as one; None is all of them.
        tags: Tags that a job must all have.
        pending: True for jobs that have not ended, False for those that have.
        created_after: Inclusive; without a zone, in local time.
        created_before: Inclusive; without a zone, in local time.
        backend_name: The backend.
        session_id: The session or batch.
        descending: Newest first.

    Raises:
        InvalidInput: If one of them cannot be used.
    """

    limit: int | None = 10
    tags: Sequence[str] | None = None
    pending: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    backend_name: str | None = None
    session_id: str | None = None
    descending: bool = True

    def __post_init__(self) -> None:
        limit = self.limit
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise InvalidInput(f"limit={limit!r} must be a whole number from 1 up, or None for all jobs.")
        tags = () if self.tags is None else self.tags
        if isinstance(tags, str) or not isinstance(tags, Sequence) or not all(_is_text(tag) for tag in tags):
            raise InvalidInput(f"tags={self.tags!r} must be a list of texts, such as ['vqe'].")
        if self.pending not in (None, True, False):
            raise InvalidInput(f"pending={self.pending!r} must be True, False or None.")
        if not isinstance(self.descending, bool):
            raise InvalidInput(f"descending={self.descending!r} must be True or False.")
        for name in ("created_after", "created_before"):
            moment = getattr(self, name)
            if moment is not None and not isinstance(moment, datetime):
                raise InvalidInput(
                    f"{name}={moment!r} must be a datetime, such as datetime(2026, 1, 31, 12, 0)."
                )
        for name in ("backend_name", "session_id"):
            text = getattr(self, name)
            if text is not None and not _is_text(text):
                raise InvalidInput(f"{name}={text!r} must be a text that is not empty.")
        after, before = self.created_after, self.created_before
        if after and before and after.astimezone() > before.astimezone():
            raise InvalidInput(
                f"created_after={after} is later than created_before={before}: nothing is between."
            )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def jobs(service: JobService, wanted: Wanted) -> list[RuntimeJob | CompositeJob]:
    """The jobs of `service` that are wanted.

    Raises:
        ApiError: If the service does not answer.
    """
    most = None if wanted.limit is None else min(wanted.limit, sys.maxsize)
    return list(islice(_matching(service, wanted), most))


def _matching(service: JobService, wanted: Wanted) -> Iterator[RuntimeJob | CompositeJob]:
    seen = set[str]()
    for page, whole in _pages(service, wanted):
        for snapshot in page:
            composite_id = composite_tags.read(snapshot.tags).composite_id if snapshot.place else None
            job_id = composite_id or snapshot.job_id
            if job_id in seen:
                continue
            seen.add(job_id)
            if composite_id is None:
                yield RuntimeJob.from_snapshot(snapshot, service)
                continue
            job = _composite(service, composite_id, page if whole else ())
            # One part that has ended does not mean that the whole has.
            if job is not None and wanted.pending in (None, not job.snapshot.status.final):
                yield job


def _composite(service: JobService, job_id: str, listed: Sequence[JobSnapshot]) -> CompositeJob | None:
    """The composite, from what is listed if that has all parts; None if it was deleted a moment ago."""
    found = [snapshot for snapshot in listed if job_id in snapshot.tags]
    places = {snapshot.place for snapshot in found if snapshot.place}
    if not places or len(places) < max(place.total for place in places):
        own = Wanted(None, [job_id], descending=False)
        found = [snapshot for page, _ in _pages(service, own) for snapshot in page]
    parts = [RuntimeJob.from_snapshot(snapshot, service) for snapshot in found]
    try:
        return CompositeJob(None, service, job_id=job_id, jobs=parts, gaps=True)
    except JobNotFound:
        return None


def _pages(service: JobService, wanted: Wanted) -> Iterator[tuple[Sequence[JobSnapshot], bool]]:
    """Pages of list records that match, each with whether it has all submissions of the composites on it.

    The next page begins at the time where the last one ended: by number it would skip as many jobs as have
    meanwhile left what is asked for. An empty page is the end whatever `count` says of it.
    """
    after, before = wanted.created_after, wanted.created_before
    offset, first, seen = 0, True, set[str]()
    narrowed = any(
        each is not None
        for each in (wanted.pending, wanted.created_after, wanted.created_before, wanted.session_id)
    )
    while True:
        page = service.client.list_jobs(
            tags=() if wanted.tags is None else tuple(wanted.tags),
            pending=wanted.pending,
            created_after=after,
            created_before=before,
            backend=wanted.backend_name,
            session_id=wanted.session_id,
            limit=paths.PAGE,
            offset=offset,
            newest_first=wanted.descending,
            patient=True,
        )
        last = len(page.jobs) < paths.PAGE
        yield [job for job in page.jobs if job.job_id not in seen], last and first and not narrowed
        if last:
            return
        first = False
        seen.update(job.job_id for job in page.jobs)
        edge = page.jobs[-1].created
        if edge is None or edge == (before if wanted.descending else after):
            offset += len(page.jobs)  # a whole page of one moment
        elif wanted.descending:
            before, offset = edge, 0
        else:
            after, offset = edge, 0
