"""The REST API's forms: what requests say, read and checked; what jobs look like. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from starlette.datastructures import QueryParams

from qjob_widgets.local.answers import BAD_REQUEST, RefusalError
from qjob_widgets.local.records import Job, Query, Submission, iso, microseconds
from qjob_widgets.rest.paths import KEY, PAGE
from qjob_widgets.status import from_server
from qjob_widgets.tags import MAXIMUM_LENGTH, MAXIMUM_TAGS

LONGEST_RUN = 10800
"""Seconds: the maximum execution time of a job that asks for none, and the longest it may ask for."""

_QUEUE_FIELDS = (
    "position_in_queue",
    "position_in_provider",
    "estimated_start_time",
    "estimated_completion_time",
)
NOT_QUEUED: Mapping[str, object] = dict.fromkeys(_QUEUE_FIELDS)


def queue_fields(position: int, start: int | None, completion: int | None) -> Mapping[str, object]:
    """The four queue fields of a job that waits; times in microseconds since 1970, None where unknown."""
    return dict(zip(_QUEUE_FIELDS, (position, position, iso(start), iso(completion)), strict=True))


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


def read_object(body: bytes) -> dict[str, Any]:
    """A request body that must be a JSON object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusalError(400, BAD_REQUEST, "The request body is not JSON.") from None
    if not isinstance(value, dict):
        raise RefusalError(400, BAD_REQUEST, "The request body must be a JSON object.")
    return value


def read_submission(body: bytes, caller: str | None, key: str | None = None) -> Submission:
    """A new job, from the body of POST /jobs; `key` is what the sender calls this submission."""
    fields = read_object(body)
    params = fields.get("params", {})
    if not isinstance(params, dict):
        raise RefusalError(400, BAD_REQUEST, "'params' must be an object.")
    session_id = fields.get("session_id")
    cost = fields.get("cost")
    if cost is not None and not (type(cost) is int and 1 <= cost <= LONGEST_RUN):
        raise RefusalError(400, BAD_REQUEST, f"'cost' must be 1 to {LONGEST_RUN} seconds, not {cost!r}.")
    return Submission(
        backend=_text(fields.get("backend"), "backend"),
        program=_text(fields.get("program_id"), "program_id"),
        params=json.dumps(params).encode(),
        tags=read_tags(fields.get("tags")),
        session_id=None if session_id is None else _text(session_id, "session_id", 36),
        private=fields.get("private") is True,
        cost=cost or LONGEST_RUN,
        caller=caller,
        image=_text(fields["runtime"], "runtime") if fields.get("runtime") else "",
        key=_text(key, KEY, 255) if key else None,
    )


def read_tags(value: object) -> tuple[str, ...]:
    """A job's tags: at most 8, of at most 86 characters."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise RefusalError(400, BAD_REQUEST, "'tags' must be a list of texts.")
    if len(value) > MAXIMUM_TAGS:
        raise RefusalError(400, 1204, f"{len(value)} tags are too many; a job takes {MAXIMUM_TAGS}.")
    for tag in value:
        if isinstance(tag, str) and len(tag) > MAXIMUM_LENGTH:
            message = f"Tag {tag[:20]!r}... has {len(tag)} characters; at most {MAXIMUM_LENGTH} are taken."
            raise RefusalError(400, 1205, message)
    return tuple(_text(tag, "tags") for tag in value)


def read_query(given: QueryParams) -> Query:
    """What GET /jobs asks for. A limit outside 1 to 200 is the default, as on the hosted service."""
    limit = given.get("limit", "")
    offset = given.get("offset") or "0"
    if not (_is_number(offset) and int(offset) < 10**12):
        raise RefusalError(400, BAD_REQUEST, f"offset={offset!r} must be a whole number from 0.")
    direction = given.get("sort", "DESC").upper()
    if direction not in ("ASC", "DESC"):
        raise RefusalError(400, BAD_REQUEST, f"sort={given['sort']!r} must be ASC or DESC.")
    return Query(
        limit=int(limit) if _is_number(limit) and 1 <= int(limit) <= PAGE else PAGE,
        offset=int(offset),
        tags=tuple(given.getlist("tags")),
        pending=_truth(given, "pending"),
        backend=given.get("backend"),
        program=given.get("program"),
        session_id=given.get("session_id"),
        created_after=_moment(given, "created_after"),
        created_before=_moment(given, "created_before"),
        ascending=direction == "ASC",
    )


def read_after(given: QueryParams) -> int:
    """How many interim results the client has already."""
    text = given.get("after") or "0"
    if not _is_number(text):
        raise RefusalError(400, BAD_REQUEST, f"after={text!r} must be a whole number from 0.")
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
        raise RefusalError(400, BAD_REQUEST, f"{name}={text!r} must be true or false.")
    return text.lower() == "true"


def _moment(given: QueryParams, name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    # A plus sign that was not encoded arrives as a space; Python 3.10 reads no Z.
    plain = text.replace(" ", "+") if "T" in text else text
    try:
        moment = datetime.fromisoformat(plain.removesuffix("Z") + "+00:00" * plain.endswith("Z"))
        return microseconds(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
    except (ValueError, OverflowError):
        raise RefusalError(
            400, BAD_REQUEST, f"{name}={text!r} is no time; write it as 2026-01-31T12:00:00Z."
        ) from None


def _text(value: object, name: str, longest: int = 200) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest or not _is_encodable(value):
        raise RefusalError(400, BAD_REQUEST, f"'{name}' must be a text of 1 to {longest} characters.")
    return value


def _is_encodable(text: str) -> bool:
    """JSON can spell half a surrogate pair, which no encoding can write."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
