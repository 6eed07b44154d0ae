"""What looks at jobs and sessions together: the list of workloads, and the tags that there are.

A workload is a job outside of sessions, or a session or batch with all its jobs. SQL finds the page, by
moment and id, so that what arrives meanwhile moves nothing; each entry is then made of its job or session.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.records import iso, now
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.web import wire
from qjob_widgets.local.web.answers import BAD_REQUEST, RefusalError, as_json
from qjob_widgets.local.web.sessions import Sessions
from qjob_widgets.rest import paths

MODES = ("job", "session", "batch")
STATUSES = {
    "Queued": "pending",
    "Running": "in_progress",
    "Completed": "completed",
    "Cancelled": "canceled",
    "Failed": "failed",
}
"""A job's status → its workload's."""
PAGE, LARGEST_PAGE = 10, 50
_STATUS = " ".join(f"WHEN status LIKE '{word}%' THEN '{told}'" for word, told in STATUSES.items())
_ALL = f"""
WITH pieces AS (
    SELECT sessions.*, min(running) AS began, coalesce(sum(status IN ('Queued', 'Running')), 0) AS open_jobs
    FROM sessions LEFT JOIN jobs ON jobs.session_id = sessions.id GROUP BY sessions.id
), workloads AS (
    SELECT id, created, backend, 'job' AS mode, CASE {_STATUS} END AS status, tags
    FROM jobs WHERE session_id IS NULL
    UNION ALL
    SELECT id, created, backend, CASE mode WHEN 'dedicated' THEN 'session' ELSE 'batch' END,
        CASE WHEN NOT open_jobs AND (stopped IS NOT NULL OR began + 1000000 * max_ttl <= :moment)
             THEN 'completed' WHEN began IS NULL THEN 'pending' ELSE 'in_progress' END, '[]'
    FROM pieces
)
"""


class Workloads:
    """The end points.

    Args:
        database: Where jobs and sessions are.
        store: The jobs.
        sessions: The sessions.
        crn: The instance.
        clock: Microseconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        store: Store,
        sessions: Sessions,
        crn: str,
        clock: Callable[[], int] = now,
    ) -> None:
        self._database, self._store, self._sessions = database, store, sessions
        self._crn, self._clock = crn, clock

    def list_workloads(self, request: Request, body: bytes) -> Response:
        """GET /workloads: newest first unless `sort=createdAt`; `next` and `previous` lead to more."""
        given = request.query_params
        limit = wire.read_limit(given, PAGE, LARGEST_PAGE)
        ascending = _choice(given, "sort", ("-createdAt", "createdAt")) == "createdAt"
        backwards = bool(given.get("previous"))
        where, values = _filters(given)
        values["moment"] = moment = self._clock()
        (total,) = self._ask(f"SELECT count(*) FROM workloads {where}", values)[0]
        if cursor := given.get("previous") or given.get("next"):
            values["created"], values["id"] = _read_cursor(cursor)
            sign = ">" if ascending != backwards else "<"
            where += f"{' AND' if where else 'WHERE'} (created, id) {sign} (:created, :id)"
        direction = "ASC" if ascending != backwards else "DESC"
        rows = self._ask(
            f"SELECT id, created, mode, status, backend FROM workloads {where}"
            f" ORDER BY created {direction}, id {direction} LIMIT {limit + 1}",
            values,
        )
        page, more = rows[:limit], len(rows) > limit
        if backwards:
            page.reverse()
        told = [self._workload(row, moment) for row in page]
        answer: dict[str, Any] = {"workloads": told, "total_count": total, "limit": limit}
        if page and (more or backwards):
            answer["next"] = {"href": _link(given, "next", page[-1])}
        if page and (more if backwards else cursor):
            answer["previous"] = {"href": _link(given, "previous", page[0])}
        return as_json(answer)

    def list_tags(self, request: Request, body: bytes) -> Response:
        """GET /tags?type=job&search=...: the tags of jobs that hold this text of 3 to 100 characters."""
        given = request.query_params
        _choice(given, "type", ("job",))
        search = given.get("search", "")
        if not 3 <= len(search) <= 100:
            raise RefusalError(400, BAD_REQUEST, f"search={search[:100]!r} must have 3 to 100 characters.")
        found = self._database.reader.execute(
            "SELECT DISTINCT tag FROM job_tags WHERE instr(lower(tag), lower(?)) ORDER BY tag", (search,)
        )
        return as_json({"tags": [row["tag"] for row in found]})

    def _ask(self, question: str, values: Mapping[str, object]) -> list[Any]:
        return self._database.reader.execute(_ALL + question, values).fetchall()

    def _workload(self, row: Any, moment: int) -> dict[str, Any]:
        facts = {name: row[name] for name in ("id", "mode", "status", "backend")}
        facts |= {"created": iso(row["created"]), "instance": self._crn}
        if row["mode"] != "job":
            return facts | _of_session(self._sessions.session(row["id"]).record(moment))
        job = self._store.find(row["id"])
        return facts if job is None else facts | _of_job(wire.job_record(job, wire.NOT_QUEUED))


def _of_job(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ended": record["timestamps"]["finished"],
        "accepting_jobs": None,
        "status_reason": record["state"].get("reason"),
        "tags": record["tags"],
        "usage": record["usage"],
        "estimated_running_time_seconds": record["estimated_running_time_seconds"],
    }


def _of_session(record: Mapping[str, Any]) -> dict[str, Any]:
    ended = record["closed_at"]
    return {
        "ended": ended,
        "accepting_jobs": record["accepting_jobs"],
        "status_reason": None,
        "tags": [],
        "usage": {
            "qpu_charge_time_seconds": record["elapsed_time"],
            "status": "complete" if ended else "pending",
        },
        "estimated_running_time_seconds": None,
    }


def _filters(given: QueryParams) -> tuple[str, dict[str, object]]:
    """The WHERE clause of a request, and its values."""
    query = wire.read_query(QueryParams([pair for pair in given.multi_items() if pair[0] not in _OWN]))
    values: dict[str, object] = {
        "backend": query.backend,
        "after": query.created_after,
        "before": query.created_before,
        "mode": _choice(given, "mode", (None, *MODES)),
        "search": given.get("search"),
    }
    tests = {
        "backend": "backend = :backend",
        "after": "created >= :after",
        "before": "created <= :before",
        "mode": "mode = :mode",
        "search": "(instr(id, :search) OR instr(tags, :search))",
    }
    clauses = [text for name, text in tests.items() if values[name] is not None]
    for number, tag in enumerate(query.tags):
        values[f"tag{number}"] = tag
        clauses.append(f"EXISTS (SELECT 1 FROM json_each(workloads.tags) WHERE value = :tag{number})")
    if wanted := dict.fromkeys(given.getlist("status")):
        for status in wanted:
            _known("status", status, tuple(STATUSES.values()))
        clauses.append(f"status IN ({', '.join(repr(status) for status in wanted)})")
    if not query.mocks:
        clauses.append("backend NOT GLOB 'mock_*'")
    return (f"WHERE {' AND '.join(clauses)}" if clauses else ""), values


_OWN = ("sort", "limit", "offset")


def _choice(given: QueryParams, name: str, choices: tuple[str | None, ...]) -> str | None:
    """What is given under this name, the first choice if nothing is."""
    return _known(name, given.get(name, choices[0]), choices)


def _known(name: str, value: str | None, choices: tuple[str | None, ...]) -> str | None:
    if value not in choices:
        there = ", ".join(choice for choice in choices if choice)
        raise RefusalError(400, BAD_REQUEST, f"{name}={value!r} must be one of {there}.")
    return value


def _link(given: QueryParams, direction: str, row: Any) -> str:
    """The path of the page that goes on from this row."""
    kept = [pair for pair in given.multi_items() if pair[0] not in ("next", "previous")]
    cursor = base64.urlsafe_b64encode(json.dumps([row["created"], row["id"]]).encode()).decode()
    return f"{paths.ROOT}{paths.WORKLOADS}?{urlencode([*kept, (direction, cursor)])}"


def _read_cursor(text: str) -> tuple[int, str]:
    try:
        created, name = json.loads(base64.urlsafe_b64decode(text.encode()))
        if isinstance(created, int) and 0 <= created < 2**63 and isinstance(name, str) and name.isascii():
            return created, name
    except (ValueError, TypeError, RecursionError, binascii.Error):
        pass
    raise RefusalError(400, BAD_REQUEST, f"{text[:100]!r} leads to no page of workloads.")
