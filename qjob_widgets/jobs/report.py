"""Reports of a composite as text, in the documented form."""

from __future__ import annotations

from collections.abc import Iterator

from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status

_PENDING = (Status.INITIALIZING, Status.VALIDATING, Status.QUEUED)


def status_report(snapshot: CompositeSnapshot, *, detailed: bool) -> str:
    """Six lines of counts; with `detailed`, four lines a part after them."""
    counts = snapshot.counts
    lines = [
        f"Total jobs: {len(snapshot.parts)}",
        f"Successful jobs: {counts[Status.DONE]}",
        f"Failed jobs: {counts[Status.ERROR]}",
        f"Cancelled jobs: {counts[Status.CANCELLED]}",
        f"Running jobs: {counts[Status.RUNNING]}",
        f"Pending jobs: {sum(counts[status] for status in _PENDING)}",
    ]
    if detailed:
        for index, part in enumerate(snapshot.parts):
            lines += ["", f"{_circuits(part)}:", *_details(index, part)]
    return "\n".join(lines)


def _details(index: int, part: JobSnapshot) -> Iterator[str]:
    yield f"    Job index: {index}"
    yield f"    Job ID: {part.job_id or 'none'}"
    yield f"    Status: {part.status.name}" + (f" ({part.why})" if part.why else "")


def failure_report(snapshot: CompositeSnapshot) -> str | None:
    """A line for each part that failed; None if none did."""
    lines = [
        f"{_circuits(part)}: Job {part.job_id} failed: {part.why or 'no reason given'}"
        if part.job_id
        else f"{_circuits(part)}: Job submit failed: {part.why}"
        for part in snapshot.parts
        if part.status is Status.ERROR
    ]
    return "\n".join(lines) or None


def _circuits(part: JobSnapshot) -> str:
    place = part.place
    return f"Circuits {place.start}-{place.end}" if place is not None else "Circuits"
