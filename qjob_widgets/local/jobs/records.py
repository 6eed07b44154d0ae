"""What the store keeps and what it can be asked, as frozen values."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from qjob_widgets.rest.paths import PAGE

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Submission:
    """A job as it is handed in, validated.

    `params` is JSON text, `cost` the maximum run time in seconds, `estimate` the expected one. With a
    `key` it is one job, however often it is handed in.
    """

    backend: str
    program: str
    params: bytes
    tags: tuple[str, ...] = ()
    session_id: str | None = None
    private: bool = False
    cost: int = 10800
    caller: str | None = None
    image: str = ""
    estimate: float | None = None
    key: str | None = None


@dataclass(frozen=True)
class Job:
    """A job's facts. Times are microseconds since 1970, UTC; `seconds` is the execution time.

    `place` is that in the line of its backend: see `line`.
    """

    number: int
    id: str
    status: str
    reason: str | None
    reason_code: int | None
    created: int
    running: int | None
    finished: int | None
    seconds: float | None
    backend: str
    program: str
    session_id: str | None
    private: bool
    cost: int
    caller: str | None
    tags: tuple[str, ...]
    script: Mapping[str, object] | None
    image: str = ""
    estimate: float | None = None
    key: str | None = None
    place: int = 0

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Job:
        """Read a row of the table `jobs`."""
        values = dict(row)
        values["private"] = bool(values["private"])
        values["tags"] = tuple(json.loads(values["tags"]))
        values["script"] = json.loads(values["script"]) if values["script"] else None
        return cls(**values)


@dataclass(frozen=True)
class Query:
    """Which jobs a list request asks for; None and () do not filter. Times are inclusive.

    Jobs of mock backends are left out unless `mocks`, or their backend is named.
    """

    limit: int = PAGE
    offset: int = 0
    tags: tuple[str, ...] = ()
    pending: bool | None = None
    backend: str | None = None
    program: str | None = None
    session_id: str | None = None
    created_after: int | None = None
    created_before: int | None = None
    ascending: bool = False
    mocks: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    status: str
    reason: str | None = None
    reason_code: int | None = None
    seconds: float | None = None
    result: bytes | None = None
    logs: str = ""


def new_job_id() -> str:
    """Twenty characters of the alphabet that the hosted service uses."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuv0123456789") for _ in range(20))


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def now() -> int:
    """Microseconds since 1970 at this moment."""
    return microseconds(datetime.now(timezone.utc))


def iso(moment: int | None) -> str | None:
    """Microseconds since 1970 as ISO text in UTC; None stays None."""
    if moment is None:
        return None
    return (_EPOCH + timedelta(microseconds=moment)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
