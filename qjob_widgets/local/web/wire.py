"""The REST API's forms: what queries say, read and checked; what jobs look like. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from starlette.datastructures import QueryParams

from qjob_widgets.local.jobs.records import Job, Query, iso, microseconds
from qjob_widgets.local.queue.outlook import Place
from qjob_widgets.local.web.answers import BAD_REQUEST, RefusalError
from qjob_widgets.rest.paths import PAGE
from qjob_widgets.status import from_server
from qjob_widgets.tags import MAXIMUM_TAGS

_QUEUE_FIELDS = (
    "position_in_queue",
    "position_in_provider",
    "estimated_start_time",
    "estimated_completion_time",
)
NOT_QUEUED: Mapping[str, object] = dict.fromkeys(_QUEUE_FIELDS)


def queue_fields(place: Place | None) -> Mapping[str, object]:
    """The four queue fields of a job that waits, None where unknown; all None for one that does not wait."""
    if place is None:
        return NOT_QUEUED
    values = (place.position, place.among_all, iso(place.start), iso(place.completion))
    return dict(zip(_QUEUE_FIELDS, values, strict=True))


def job_record(job: Job, queued: Mapping[str, object]) -> dict[str, Any]:
    """A job as the list and the single question answer it, without its parameters."""
    state = {"status": job.status, "reason": job.reason, "reason_code": job.reason_code}
    record = {
        "id": job.id,
        "created": iso(job.created),
        "backend": job.backend,
        "program": {"id": job.program},
        "state": {name: value for name, value in state.items() if value is not None},
        "status": job.status,
        "cost": job.cost,
        "tags": list(job.tags),
        "timestamps": timestamps(job),
        "usage": usage(job),
        "estimated_running_time_seconds": job.estimate,
        **queued,
    }
    if job.image:
        record["runtime"] = job.image
    if job.session_id is not None:
        record["session_id"] = job.session_id
    if job.private:
        record["private"] = True
    return record


def timestamps(job: Job) -> dict[str, str | None]:
    """When the job was taken in, when it began, when it ended."""
    return {"created": iso(job.created), "running": iso(job.running), "finished": iso(job.finished)}


def usage(job: Job) -> dict[str, object]:
    """Execution time in seconds, complete once the job is final."""
    final = from_server(job.status).final
    return {"qpu_charge_time_seconds": job.seconds or 0.0, "status": "complete" if final else "pending"}


def read_query(given: QueryParams) -> Query:
    """What GET /jobs asks for. A limit outside 1 to 200 is the default, as on the hosted service."""
    offset = given.get("offset") or "0"
    if not (_is_number(offset) and int(offset) < 10**12):
        raise _bad(f"offset={offset!r} must be a whole number from 0.")
    direction = given.get("sort", "DESC").upper()
    if direction not in ("ASC", "DESC"):
        raise _bad(f"sort={given['sort']!r} must be ASC or DESC.")
    tags = tuple(dict.fromkeys(given.getlist("tags")))
    if len(tags) > MAXIMUM_TAGS:
        raise RefusalError(400, 1204, f"No job has all of {len(tags)} tags; ask for at most {MAXIMUM_TAGS}.")
    return Query(
        limit=read_limit(given, PAGE, PAGE),
        offset=int(offset),
        tags=tags,
        pending=_truth(given, "pending"),
        backend=given.get("backend"),
        program=given.get("program"),
        session_id=given.get("session_id"),
        created_after=_moment(given, "created_after"),
        created_before=_moment(given, "created_before"),
        ascending=direction == "ASC",
        mocks=wants_mocks(given),
    )


def read_limit(given: QueryParams, default: int, most: int) -> int:
    """How many entries a page shall have at most: `default` where none or one that cannot be is given."""
    text = given.get("limit", "")
    return int(text) if _is_number(text) and 1 <= int(text) <= most else default


def wants_mocks(given: QueryParams) -> bool:
    """Whether mock backends, or jobs of them, are to be told too."""
    return _truth(given, "include_mocks") or False


def read_after(given: QueryParams) -> int:
    """How many interim results the client has already."""
    text = given.get("after") or "0"
    if not _is_number(text):
        raise _bad(f"after={text!r} must be a whole number from 0.")
    return int(text)


def wanted_properties(properties: dict[str, Any] | None, given: QueryParams) -> dict[str, Any] | None:
    """A calibration, unless it is later than `updated_before`; no older one is kept."""
    before = _moment(given, "updated_before")
    if properties is None or before is None:
        return properties
    updated = QueryParams({"updated": properties["last_update_date"]})
    return properties if (_moment(updated, "updated") or 0) <= before else None


def wants_params(given: QueryParams, otherwise: bool) -> bool:
    """Whether a job is to be told with its parameters."""
    excluded = _truth(given, "exclude_params")
    return otherwise if excluded is None else not excluded


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _truth(given: QueryParams, name: str) -> bool | None:
    text = given.get(name)
    if text is None:
        return None
    if text.lower() not in ("true", "false"):
        raise _bad(f"{name}={text!r} must be true or false.")
    return text.lower() == "true"


def _moment(given: QueryParams, name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    # A plus sign that was not encoded arrives as a space; Python 3.10 reads neither Z nor other fractions.
    plain = text.upper().replace(" ", "+") if "T" in text.upper() else text
    plain = re.sub(r"\.(\d+)", lambda digits: f".{digits[1][:6]:0<6}", plain)
    try:
        moment = datetime.fromisoformat(plain.removesuffix("Z") + "+00:00" * plain.endswith("Z"))
        return microseconds(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
    except (ValueError, OverflowError):
        raise _bad(f"{name}={text!r} is no time; write it as 2026-01-31T12:00:00Z.") from None


def _bad(message: str, solution: str = "") -> RefusalError:
    return RefusalError(400, BAD_REQUEST, message, solution)
