"""When a composite took which step, from the times of its parts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.status import Status

_ENDS = {Status.DONE: "COMPLETED", Status.ERROR: "ERROR", Status.CANCELLED: "CANCELLED"}


def time_per_step(snapshot: CompositeSnapshot) -> dict[str, datetime]:
    """Times by step, in local time: CREATING, QUEUED, RUNNING, and COMPLETED, ERROR or CANCELLED.

    A step begins when the first part takes it and the whole ends when the last part has. Nothing later
    than the present state is told, and nothing that is not known.
    """
    status = snapshot.status
    times: dict[str, datetime | None] = {"CREATING": _first(part.created for part in snapshot.parts)}
    if status not in (Status.INITIALIZING, Status.VALIDATING):
        # The service puts a job into the queue as it creates it.
        times["QUEUED"] = times["CREATING"]
    if status is Status.RUNNING or status.final:
        times["RUNNING"] = _first(part.running for part in snapshot.parts)
    if status.final:
        ended = [part.finished for part in snapshot.parts if part.finished is not None]
        times[_ENDS[status]] = max(ended, default=None)
    return {step: moment.astimezone() for step, moment in times.items() if moment is not None}


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
