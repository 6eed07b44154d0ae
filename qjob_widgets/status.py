"""The one table of job states.

Rules, all of them here:
1. A job is in one of seven states, named as Qiskit's `JobStatus` members.
2. The service's words become states through `from_server` alone. Words it does not list are mapped by
   their beginning ("Completed - ..." is DONE); a word that fits nothing is INITIALIZING, because all that
   is known is that the service has the job. The word itself is kept in the snapshot and shown.
3. `Cancelled` with reason code 1305, or words with "ran too long", is ERROR: the service ended the job.
4. A composite's state is the first of PRECEDENCE that any of its parts is in.
5. In a service, a state changes only along TRANSITIONS. A client that polls may miss states.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Status(Enum):
    """State of a job; the value is the word that people are shown. Order is rule 4's precedence."""

    INITIALIZING = "initializing"
    VALIDATING = "validating"
    QUEUED = "queued"
    RUNNING = "running"
    ERROR = "failed"
    CANCELLED = "cancelled"
    DONE = "done"

    # A member is one object. The hash of Enum is a call of Python's, too slow for every part at every tick.
    __hash__ = object.__hash__

    @property
    def final(self) -> bool:
        """Whether a job in this state stays in it."""
        return self in FINAL


SENTENCES: dict[str, str] = {
    "INITIALIZING": "job is being initialized",
    "VALIDATING": "job is being validated",
    "QUEUED": "job is queued",
    "RUNNING": "job is actively running",
    "ERROR": "job incurred error",
    "CANCELLED": "job has been cancelled",
    "DONE": "job has successfully run",
}
"""What Qiskit's `JobStatus` says of each state."""

PRECEDENCE: tuple[Status, ...] = tuple(Status)
CODES: dict[Status, int] = {status: code for code, status in enumerate(PRECEDENCE)}
FINAL = frozenset({Status.ERROR, Status.CANCELLED, Status.DONE})
RERUNNABLE = frozenset({Status.ERROR, Status.CANCELLED})

RAN_TOO_LONG = 1305
"""The service's reason code of a job that it ended at the maximum execution time."""

SERVER_WORDS: dict[str, Status] = {
    "queued": Status.QUEUED,
    "running": Status.RUNNING,
    "completed": Status.DONE,
    "cancelled": Status.CANCELLED,
    "failed": Status.ERROR,
}

TRANSITIONS: dict[str, frozenset[str]] = {
    "Queued": frozenset({"Running", "Cancelled", "Failed"}),
    # Back to Queued only when a service starts again and finds a job that its last life left running.
    "Running": frozenset({"Completed", "Cancelled", "Failed", "Queued"}),
    "Completed": frozenset(),
    "Cancelled": frozenset(),
    "Failed": frozenset(),
}


def from_server(word: str, reason_code: int | None = None) -> Status:
    """State for the service's own word and reason code (rules 2 and 3)."""
    text = word.strip().lower()
    status = next(
        (state for start, state in SERVER_WORDS.items() if text.startswith(start)),
        Status.INITIALIZING,
    )
    if status is Status.CANCELLED and (reason_code == RAN_TOO_LONG or "ran too long" in text):
        return Status.ERROR
    return status


def overall(statuses: Iterable[Status]) -> Status:
    """State of a composite whose parts are in `statuses` (rule 4); INITIALIZING when it has none."""
    present = set(statuses)
    return next((status for status in PRECEDENCE if status in present), Status.INITIALIZING)
