"""What one user may ask of a service: the limits of the hosted one, each of which can be set.

Source: the limits that the documentation of IBM Quantum Platform names for the Open plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from qjob_widgets.errors import InvalidInput

LARGEST_BODY = 50_000_000
LONGEST_RUN = 10_800
USAGE_PERIOD = 28 * 86_400
"""Seconds, ending now, over which the execution time of jobs is added up."""


@dataclass(frozen=True)
class Limits:
    """The limits of a local service. None is no limit; those that always hold are the hosted service's.

    Args:
        submissions_per_minute: Jobs that are taken within any 60 seconds; what comes too early is answered
            with 429, code 1202, and the seconds to wait in `Retry-After`. Hosted: 5.
        pending_jobs: Jobs that may wait or run at a time; one more is answered with 429, code 3458. Hosted
            (Open plan): 3.
        usage_seconds: Execution time, in seconds, of the jobs of the last 28 days. Once it is used up, new
            jobs are answered with 409, code 4317; jobs that were taken still run. Hosted (Open plan): 600.
        payload_bytes: Largest request body; a larger one is answered with 413. At most 50,000,000 bytes.
        job_seconds: Longest execution time of a job, and that of one which asks for none; at most 10,800.

    Raises:
        InvalidInput: If one of them is no such number.
    """

    submissions_per_minute: int | None = None
    pending_jobs: int | None = None
    usage_seconds: float | None = None
    payload_bytes: int = LARGEST_BODY
    job_seconds: int = LONGEST_RUN

    def __post_init__(self) -> None:
        for name, most, none in (
            ("submissions_per_minute", None, True),
            ("pending_jobs", None, True),
            ("payload_bytes", LARGEST_BODY, False),
            ("job_seconds", LONGEST_RUN, False),
        ):
            value = getattr(self, name)
            if not (none and value is None) and not _is_whole(value, most):
                span = "from 1, or None" if most is None else f"from 1 to {most}"
                raise InvalidInput(f"limits: {name}={value!r} must be a whole number {span}.")
        seconds = self.usage_seconds
        if seconds is not None and not (_is_number(seconds) and 0 <= seconds < float("inf")):
            raise InvalidInput(f"limits: usage_seconds={seconds!r} must be a number from 0, or None.")

    @classmethod
    def of(cls, given: object) -> Limits:
        """Limits from what a user gives: None for none, "hosted", JSON text, a mapping, or limits.

        Raises:
            InvalidInput: If they cannot be read.
        """
        if given is None:
            return cls()
        if isinstance(given, cls):
            return given
        if given == "hosted":
            return HOSTED
        wanted = _from_text(given) if isinstance(given, str) else given
        if not isinstance(wanted, Mapping):
            raise InvalidInput(f"limits={given!r} must be None, 'hosted', or such as {{'pending_jobs': 3}}.")
        names = [field.name for field in fields(cls)]
        for name in wanted:
            if name not in names:
                raise InvalidInput(f"There is no limit {name!r}; choose from {', '.join(names)}.")
        return cls(**wanted)

    def __str__(self) -> str:
        """JSON text that `of` reads, for a command line."""
        return json.dumps({name: value for name, value in asdict(self).items() if value != _DEFAULTS[name]})


def _from_text(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: object, most: int | None) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1 and value <= (most or value)


_DEFAULTS = {field.name: field.default for field in fields(Limits)}
HOSTED = Limits(submissions_per_minute=5, pending_jobs=3, usage_seconds=600)
