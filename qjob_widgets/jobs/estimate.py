"""What a run would take: parts, shots, QPU time, quota, and how long sending lasts. Nothing is invented.

A service tells no execution time before it has a job. It is known only by a job of similar circuits that it
has run, or whose running time it has estimated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qjob_widgets.errors import InvalidInput
from qjob_widgets.status import Status

if TYPE_CHECKING:
    from qjob_widgets.jobs.composite import CompositeJob
    from qjob_widgets.jobs.runtime import RuntimeJob
    from qjob_widgets.rest.client import RestClient

SUBMISSIONS_A_MINUTE = 5
"""What the hosted service takes of one user. Source: its public documentation of limits."""
DEFAULT_SHOTS = 4096
"""Shots of a PUB of the sampler for which none are given."""
LOOKS = 3
"""So many parts of a job are asked for their time, those that are done first."""


@dataclass(frozen=True)
class Estimate:
    """What `backend.run` would take.

    Args:
        circuits: Number of circuits.
        shots: Shots of all circuits together.
        parts: Number of sub-jobs.
        qpu_seconds: Execution time; None where it is not known.
        quota_seconds: What the instance has left; None where it has no limit or tells none.
        submission_seconds: How long sending the parts takes at the service's pace, at least.
        suggestion: How to send fewer parts where that saves time; "" where it does not.
    """

    circuits: int
    shots: int
    parts: int
    qpu_seconds: float | None
    quota_seconds: float | None
    submission_seconds: float
    suggestion: str = ""

    @property
    def fits(self) -> bool | None:
        """Whether the quota suffices; None where one of the two is not known."""
        if self.quota_seconds is None or self.qpu_seconds is None:
            return False if self.quota_seconds == 0 else None
        return self.qpu_seconds <= self.quota_seconds

    def __str__(self) -> str:
        seconds, quota = self.qpu_seconds, self.quota_seconds
        unknown = "unknown; run some of them and give that job as like="
        lines = [
            f"Circuits: {self.circuits:,} with {self.shots:,} shots in all",
            f"Parts: {self.parts:,}",
            f"QPU time: {unknown if seconds is None else _time(seconds)}",
            f"Quota left: {'no limit told' if quota is None else _time(quota)}",
            f"Sending: {_time(self.submission_seconds) if self.submission_seconds else 'at once'}",
        ]
        if self.fits is False:
            lines.append("The quota does not suffice.")
        return "\n".join([*lines, *filter(None, [self.suggestion])])


@dataclass(frozen=True)
class Pilot:
    """A job that tells how long others like it take: `seconds` for `shots` shots of all its circuits."""

    seconds: float
    shots: int

    @classmethod
    def of(cls, job: RuntimeJob | CompositeJob, client: RestClient) -> Pilot:
        """Read a job: its execution time where it is done, else the service's own estimate of it. Fetches.

        Raises:
            InvalidInput: If the service tells neither.
            ApiError: If the service does not answer.
        """
        sent = [part for part in job.snapshot.parts if part.job_id]
        for part in sorted(sent, key=lambda part: part.status is not Status.DONE)[:LOOKS]:
            record = json.loads(client.fetch_params(part.job_id))
            seconds, shots = _seconds(record), _shots(record.get("params"))
            if seconds and shots:
                return cls(seconds, shots)
        raise InvalidInput(
            f"like={job.job_id()!r} tells no execution time: the service has neither measured nor estimated"
            " it. Wait until a part is done, or leave like= out."
        )


def estimated(
    sizes: Sequence[int],
    shots: int,
    *,
    pilot: Pilot | None,
    usage: Mapping[str, Any],
    paced: bool,
    largest: Sequence[int],
) -> Estimate:
    """The estimate for parts of these sizes.

    Args:
        sizes: Circuits of each part.
        shots: Shots a circuit.
        pilot: What is known of the time.
        usage: Consumption and limits of the instance, as the service tells them.
        paced: Whether the service takes a few submissions a minute only.
        largest: Sizes of the parts if they were as large as the backend takes them.
    """
    total = sum(sizes) * shots
    sending, least = _sending(len(sizes), paced), _sending(len(largest), paced)
    suggestion = ""
    if least < sending:
        suggestion = (
            f"max_circuits_per_job={max(largest)} would make {_parts(len(largest))} of it, sent"
            f" {f'in {_time(least)}' if least else 'at once'}."
        )
    return Estimate(
        circuits=sum(sizes),
        shots=total,
        parts=len(sizes),
        qpu_seconds=None if pilot is None else pilot.seconds * total / pilot.shots,
        quota_seconds=quota(usage)[1],
        submission_seconds=sending,
        suggestion=suggestion,
    )


def _sending(parts: int, paced: bool) -> float:
    """The first few go at once, the others as the service takes them."""
    return 60.0 * max(0, math.ceil(parts / SUBMISSIONS_A_MINUTE) - 1) if paced else 0.0


def quota(usage: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The tightest limit that an instance's usage tells, and what is left of it, in QPU seconds."""
    limits = [usage.get(name) for name in ("usage_limit_seconds", "usage_allocation_seconds")]
    known = [float(limit) for limit in limits if isinstance(limit, (int, float))]
    limit = min(known, default=None)
    if usage.get("usage_limit_reached") is True:
        return limit, 0.0
    consumed = usage.get("usage_consumed_seconds")
    if limit is None or not isinstance(consumed, (int, float)):
        return limit, None
    return limit, max(0.0, limit - float(consumed))


def _seconds(record: Mapping[str, Any]) -> float | None:
    usage = record.get("usage")
    found = record.get("estimated_running_time_seconds")
    if (
        isinstance(usage, Mapping)
        and usage.get("status") != "pending"
        and usage.get("qpu_charge_time_seconds")
    ):
        found = usage["qpu_charge_time_seconds"]
    return float(found) if isinstance(found, (int, float)) else None


def _shots(params: object) -> int:
    """Shots of all PUBs of a sampler job together; 0 if it is none."""
    pubs = params.get("pubs") if isinstance(params, Mapping) else None
    counted = 0
    for pub in pubs or ():
        asked = pub[2] if isinstance(pub, list) and len(pub) > 2 else None
        counted += asked if isinstance(asked, int) else DEFAULT_SHOTS
    return counted


def _parts(number: int) -> str:
    return "1 part" if number == 1 else f"{number:,} parts"


def _time(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"
