"""How jobs end: what workers answer, and what is said where they do not. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from qjob_widgets.local.jobs.records import Job, Outcome
from qjob_widgets.status import RAN_TOO_LONG

INTERNAL_ERROR = 9999
GARBLED = "The worker gave an answer that cannot be understood"
TOO_LARGE = 5302
"""The service's number of "result payload too large"."""
LARGEST_RESULT = 900_000_000
"""Bytes; SQLite keeps no row larger than 10⁹."""
_FIELDS = {field.name for field in fields(Outcome)} - {"result"}
_ANSWERS = ("Completed", "Failed", "Cancelled")


def answered(head: Mapping[str, Any], body: bytes) -> Outcome:
    """What a worker says of the job that it ran.

    Raises:
        ValueError: If that cannot be understood.
    """
    texts = (head.get("status"), head.get("reason", ""), head.get("logs", ""))
    numbers = (head.get("reason_code", 0), head.get("seconds", 0))
    if (
        not head.keys() <= _FIELDS
        or texts[0] not in _ANSWERS
        or not all(isinstance(text, str) for text in texts)
        or not all(isinstance(number, (int, float)) for number in numbers)
    ):
        raise ValueError(f"A worker gave an answer that cannot be understood: {str(head)[:200]}")
    head = {name: _storable(value) for name, value in head.items()}
    if len(body) > LARGEST_RESULT:
        reason = (
            f"The result has {len(body) / 1e6:,.0f} MB, and at most {LARGEST_RESULT / 1e6:,.0f} MB are kept;"
            " send fewer circuits or shots in a job."
        )
        return Outcome("Failed", reason, TOO_LARGE, head.get("seconds"), logs=head.get("logs", ""))
    return Outcome(**head, result=body or None)


def _storable(value: Any) -> Any:
    """A text may repeat half a surrogate pair of a job's parameters, which no encoding can write."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def told(outcome: Outcome) -> dict[str, Any]:
    """The head with which a worker says that a job ended so, without a result."""
    facts = {name: getattr(outcome, name) for name in _FIELDS}
    return {name: value for name, value in facts.items() if value is not None}


def published(head: Mapping[str, Any], body: bytes) -> tuple[int, list[str]]:
    """The number of a PUB, and what it and those after it gave, as a worker tells while it runs a job.

    Raises:
        ValueError: If that cannot be understood.
    """
    first, texts = head["interim"], json.loads(body)
    if type(first) is not int or not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
        raise ValueError(f"A worker published what cannot be understood: {str(head)[:200]}")
    return first, texts


def lost(ending: str) -> Outcome:
    """Of a job whose worker ended."""
    return Outcome("Failed", f"{ending} while it ran this job; see the service's log.", INTERNAL_ERROR, 0.0)


def no_worker(ending: str) -> Outcome:
    """Of a job for which no worker could be started."""
    return Outcome(
        "Failed", f"No worker could be started: {ending}; see the service's log.", INTERNAL_ERROR, 0.0
    )


def ran_too_long(seconds: int) -> Outcome:
    """Of a job that was ended at its maximum execution time."""
    limit = f"{seconds} second{'s' * (seconds != 1)}"
    reason = f"The job ran longer than the maximum execution time of {limit}."
    return Outcome("Cancelled", reason, RAN_TOO_LONG, float(seconds))


def scripted(job: Job, outcome: Outcome) -> Outcome:
    """What the job's script makes of its outcome; a failure is not scripted away."""
    if job.script is None or (outcome.result is None and not needs_no_worker(job)):
        return outcome
    return replace(outcome, **job.script)  # type: ignore[arg-type]


def needs_no_worker(job: Job) -> bool:
    """Whether the job's script lets it end without a result."""
    return job.script is not None and not str(job.script["status"]).startswith("Completed")
