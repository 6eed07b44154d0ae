"""Which submission of a part counts, as pure functions: attempts of one index in, one snapshot out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.tags import Place

_LAST = datetime.max.replace(tzinfo=timezone.utc)


def utc_now() -> datetime:
    """The time of day in UTC."""
    return datetime.now(timezone.utc)


def in_order(attempts: Iterable[JobSnapshot]) -> list[JobSnapshot]:
    """Attempts by their creation; one of which no time is known yet was accepted last."""
    return sorted(attempts, key=lambda attempt: attempt.created or _LAST)


def current(attempts: Iterable[JobSnapshot]) -> JobSnapshot | None:
    """The attempt that counts, numbered: the newest, but one that is DONE beats a newer one that is not."""
    ordered = in_order(attempts)
    if not ordered:
        return None
    done = [number for number, attempt in enumerate(ordered) if attempt.status is Status.DONE]
    number = done[-1] if done else len(ordered) - 1
    return replace(ordered[number], attempt=number + 1)


def with_seen_times(news: JobSnapshot, before: JobSnapshot | None, now: datetime) -> JobSnapshot:
    """`news` with the times that the service does not tell, as far as its changes were seen from here."""
    if before is None:
        return news
    running, finished = news.running, news.finished
    if running is None and news.status is Status.RUNNING:
        running = before.running or (now if before.status is not Status.RUNNING else None)
    elif running is None and before.times_seen:
        running = before.running
    if finished is None and news.final:
        finished = before.finished or (now if not before.final else None)
    if (running, finished) == (news.running, news.finished):
        return news
    return replace(news, running=running, finished=finished, times_seen=True)


def gone(snapshot: JobSnapshot) -> JobSnapshot:
    """A job that the service does not know any more: it has ended, and nobody will tell how."""
    return replace(
        snapshot,
        status=Status.ERROR,
        word="gone",
        reason="The service does not know this job any more.",
        queue=None,
    )


def circuits_named(parts: Sequence[JobSnapshot]) -> str:
    """Circuit ranges of `parts`, as people write them: `0-9, 20-29`."""
    return ", ".join(f"{part.place.start}-{part.place.end}" for part in parts if part.place is not None)


def with_gaps_filled(places: Mapping[int, Place]) -> list[Place]:
    """The places of all parts, where those of some are known, at least one.

    Circuits between two known parts are taken to be cut evenly; behind the last known part, as it is.
    """
    total = max(place.total for place in places.values())
    last = places[max(places)]
    found: list[Place] = []
    for index in range(total):
        if index in places:
            found.append(places[index])
            continue
        start = found[-1].end + 1 if found else 0
        after = next((places[later] for later in range(index, total) if later in places), None)
        if after is None:
            size = last.end - last.start + 1
        else:
            size = max(1, (after.start - start) // (after.job - index))
        found.append(Place(index, total, start, start + size - 1))
    return found
