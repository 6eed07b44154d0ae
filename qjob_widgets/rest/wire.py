"""What the REST API's answers mean. No I/O: (status, headers, body) in, a value or an error out.

Source: the public API reference of the Qiskit Runtime REST API, version 2026-04-15. Records of the local
service carry more than the hosted ones (queue fields, `timestamps`, `usage`); all of it is optional.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import (
    ApiError,
    Conflict,
    NotAuthorized,
    NotFound,
    RateLimited,
    ServerFailure,
    Unreachable,
)
from qjob_widgets.snapshot import JobSnapshot, QueueInfo
from qjob_widgets.status import from_server


@dataclass(frozen=True)
class Request:
    """One HTTP request, before anything is sent. `path` stands below the API's root."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, whole."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Page:
    """One page of a job list; `count` is the service's total, not to be trusted on an empty page."""

    jobs: tuple[JobSnapshot, ...]
    count: int


def decipher(answer: Answer) -> str:
    """The text of a good answer; empty where there is none (204).

    Raises:
        ApiError: One of its kinds, by the meaning of the HTTP status.
    """
    text = answer.body.decode("utf-8", errors="replace")
    if 200 <= answer.status < 300:
        return text
    message, code = _complaint(text)
    sentence = f"The service answered {answer.status}: {message or 'no reason given'}"
    if answer.status == 429:
        wait = retry_after(answer.headers)
        raise RateLimited(sentence, retry_after=wait, status=429, code=code, body=text)
    kinds: dict[int, type[ApiError]] = {
        401: NotAuthorized,
        403: NotAuthorized,
        404: NotFound,
        409: Conflict,
    }
    kind = ServerFailure if answer.status >= 500 else kinds.get(answer.status, ApiError)
    raise kind(sentence, status=answer.status, code=code, body=text)


def value(answer: Answer) -> Any:
    """The JSON value of a good answer.

    Raises:
        ApiError: As `decipher`; Unreachable when the body is no whole JSON text.
    """
    text = decipher(answer)
    try:
        return json.loads(text)
    except ValueError:
        raise Unreachable(
            f"The service's answer broke off after {len(text)} characters or is no JSON.",
            status=answer.status,
            body=text,
        ) from None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a `Retry-After` header asks for; None without one in seconds."""
    said = {name.lower(): text for name, text in headers.items()}.get("retry-after", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        return None


def _complaint(text: str) -> tuple[str, int | None]:
    """Message and number of an error body, in today's form, the older one, or plain text."""
    try:
        body = json.loads(text)
    except ValueError:
        return " ".join(text.split())[:300], None
    if not isinstance(body, dict):
        return str(body)[:300], None
    errors = body.get("errors") or [body.get("error")]
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return str(body.get("errorMessage") or first or body)[:300], None
    message = " ".join(str(first[key]) for key in ("message", "solution") if first.get(key))
    code = first.get("code")
    return message[:600], code if isinstance(code, int) else None


def moment(text: object) -> datetime | None:
    """An ISO time as an aware datetime in UTC; None for anything else."""
    if not isinstance(text, str) or len(text) < 19:
        return None
    # Python 3.10 reads neither `Z` nor fractions of other than 3 or 6 digits.
    body, fraction, zone = text, "", "+00:00"
    if body.endswith(("Z", "z")):
        body = body[:-1]
    elif body[-6] in "+-":
        body, zone = body[:-6], body[-6:]
    if "." in body:
        body, _, fraction = body.partition(".")
    try:
        parsed = datetime.fromisoformat(f"{body}.{fraction[:6]:0<6}{zone}")
    except ValueError:
        return None
    return parsed.astimezone(timezone.utc)


def utc_text(moment: datetime) -> str:
    """A datetime as ISO text in UTC; one without a zone is local."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _number(found: object) -> float | None:
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def _whole(found: object) -> int | None:
    number = _number(found)
    return None if number is None else int(number)


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def snapshot(record: Mapping[str, Any]) -> JobSnapshot:
    """A job record, of a list or alone, as a snapshot. Fields that are missing are unknown."""
    state = _mapping(record.get("state"))
    word, whole = str(state.get("status") or ""), str(record.get("status") or "")
    if whole.lower().startswith(word.lower()):
        word = whole  # it may say more, such as "Cancelled - Ran too long"
    code = _whole(state.get("reason_code"))
    status = from_server(word, code)
    job_id = str(record.get("id") or "")
    times = _mapping(record.get("timestamps"))
    usage = _mapping(record.get("usage"))
    charged = _number(usage.get("qpu_charge_time_seconds"))
    queue = QueueInfo(
        position_in_queue=_whole(record.get("position_in_queue")),
        status=status.name,
        estimated_start_time=moment(record.get("estimated_start_time")),
        estimated_completion_time=moment(record.get("estimated_completion_time")),
        job_id=job_id,
    )
    tags = tuple(str(tag) for tag in record.get("tags") or ())
    reason = state.get("reason")
    return JobSnapshot(
        job_id=job_id,
        status=status,
        word=word,
        reason=str(reason) if reason else None,
        reason_code=code,
        queue=queue if queue.known else None,
        created=moment(record.get("created")) or moment(times.get("created")),
        running=moment(times.get("running")),
        finished=moment(times.get("finished")),
        tags=tags,
        usage_seconds=charged if usage.get("status") != "pending" else None,
        backend=str(record.get("backend") or ""),
        program=str(_mapping(record.get("program")).get("id") or ""),
        session_id=record.get("session_id") or None,
        private=bool(record.get("private")),
        place=composite_tags.read(tags).place,
        run_mode=record.get("run_mode") or None,
        image=str(record.get("runtime") or ""),
        estimated_seconds=_number(record.get("estimated_running_time_seconds")),
    )


def page(answer: Answer) -> Page:
    """A list answer."""
    body = value(answer)
    records = body.get("jobs") if isinstance(body, Mapping) else None
    if not isinstance(records, list):
        raise Unreachable("The service's job list has no 'jobs'.", status=answer.status)
    jobs = tuple(snapshot(record) for record in records if isinstance(record, Mapping))
    count = _whole(body.get("count"))
    return Page(jobs, len(jobs) if count is None else count)


def list_query(
    *,
    tags: Sequence[str] = (),
    pending: bool | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    backend: str | None = None,
    session_id: str | None = None,
    limit: int,
    offset: int = 0,
    newest_first: bool = False,
) -> tuple[tuple[str, str], ...]:
    """Query of `GET /jobs`. Tags are an AND filter, a repeated key; times without a zone are local.

    Dry runs, jobs of mock backends, are asked for too: whoever sent one looks for it.
    """
    query = [("limit", str(limit)), ("exclude_params", "true"), ("include_mocks", "true")]
    query.append(("sort", "DESC" if newest_first else "ASC"))
    if offset:
        query.append(("offset", str(offset)))
    if pending is not None:
        query.append(("pending", "true" if pending else "false"))
    for name, moment_of in (("created_after", created_after), ("created_before", created_before)):
        if moment_of is not None:
            query.append((name, utc_text(moment_of)))
    query += [(name, text) for name, text in (("backend", backend), ("session_id", session_id)) if text]
    query.extend(("tags", tag) for tag in tags)
    return tuple(query)
