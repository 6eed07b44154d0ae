"""Our states as Qiskit's: the same seven names."""

from __future__ import annotations

from qiskit.providers import JobStatus

from qjob_widgets.status import Status


def to_qiskit(status: Status) -> JobStatus:
    """The member of Qiskit's `JobStatus` with the same name."""
    return JobStatus[status.name]
