"""Sessions and batches: jobs that belong together and stop being taken together.

Their state is what their jobs say; only when they were opened and stopped is stored. Once `max_ttl` has
passed since the first job of a session began, it takes no more jobs, and those that still wait in it do not
run.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from qjob_widgets.local.backends import Backend
from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.overtime import Overtime
from qjob_widgets.local.jobs.records import Outcome, iso, now
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.queue.scheduler import Scheduler
from qjob_widgets.local.web import bodies
from qjob_widgets.local.web.answers import BAD_REQUEST, CODES, RefusalError, as_json, nothing
from qjob_widgets.local.web.devices import Devices

CLOSED = 1217
"""The service's number of "Session has been closed", for refused requests and for jobs that did not run."""
LONGEST = 28800
"""Seconds that a session may last, and lasts unless it asks for less."""
MODES = ("dedicated", "batch")


@dataclass(frozen=True)
class Session:
    """A session with what its jobs say of it. Times are microseconds since 1970, UTC, None for not yet."""

    id: str
    mode: str
    backend: str
    max_ttl: int
    created: int
    stopped: int | None
    open_jobs: int
    started: int | None
    last_started: int | None
    last_finished: int | None
    seconds: float

    def stops(self) -> int | None:
        """When it stopped or will stop taking jobs; None if neither is settled."""
        limit = None if self.started is None else self.started + self.max_ttl * 1_000_000
        return min((moment for moment in (self.stopped, limit) if moment is not None), default=None)

    def record(self, moment: int) -> dict[str, Any]:
        """The session as the API answers it at `moment`."""
        stops = self.stops()
        accepting = stops is None or moment < stops
        closed = not accepting and not self.open_jobs
        closed_at = max(stops or 0, self.last_finished or 0) if closed else None
        moments = {"open": self.created, "active": self.started, "closed": closed_at}
        return {
            "id": self.id,
            "backend_name": self.backend,
            "mode": self.mode,
            "state": self._state(closed),
            "accepting_jobs": accepting,
            "max_ttl": self.max_ttl,
            "started_at": iso(self.created),
            "activated_at": iso(self.started),
            "closed_at": iso(closed_at),
            "last_job_started": iso(self.last_started),
            "last_job_completed": iso(self.last_finished),
            "elapsed_time": self._elapsed(moment),
            "timestamps": [
                {"status": status, "timestamp": iso(when)} for status, when in moments.items() if when
            ],
        }

    def _state(self, closed: bool) -> str:
        if closed:
            return "closed"
        if self.started is None:
            return "open"
        return "active" if self.open_jobs else "inactive"

    def _elapsed(self, moment: int) -> float:
        """Seconds used: a session's from its first job on, a batch's those of its jobs."""
        if self.mode == "batch" or self.started is None:
            return self.seconds
        end = moment if self.open_jobs else self.last_finished or self.started
        return (end - self.started) / 1e6


class Sessions:
    """The end points of sessions.

    Args:
        database: Where they are kept, beside the jobs.
        store: The jobs.
        scheduler: Told when jobs are ended.
        devices: What jobs can run on.
        clock: Microseconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        store: Store,
        scheduler: Scheduler,
        devices: Devices,
        clock: Callable[[], int] = now,
    ) -> None:
        self._database, self._store, self._scheduler = database, store, scheduler
        self._devices, self._clock = devices, clock
        waiting = database.reader.execute(
            "SELECT DISTINCT session_id FROM jobs WHERE status = 'Queued' AND session_id IS NOT NULL"
        )
        self._overtime = Overtime(database, self._end_waiting, clock, [row["session_id"] for row in waiting])

    def open(self, request: Request, body: bytes) -> Response:
        """POST /sessions"""
        wanted = bodies.read_object(body, {"mode", "backend", "instance", "max_ttl"})
        bodies.optional_text(wanted, "instance")
        mode, backend, seconds = wanted.get("mode"), wanted.get("backend"), wanted.get("max_ttl", LONGEST)
        if mode not in MODES:
            raise RefusalError(400, BAD_REQUEST, f"'mode' must be one of {', '.join(MODES)}, not {mode!r}.")
        if not bodies.is_whole(seconds, LONGEST):
            raise RefusalError(
                400, BAD_REQUEST, f"'max_ttl' must be 1 to {LONGEST} seconds, not {seconds!r}."
            )
        backend = self._devices.find(backend).name
        session_id = str(uuid.uuid4())
        with self._database.writing() as sql:
            sql.execute(
                "INSERT INTO sessions (id, mode, backend, max_ttl, created) VALUES (?, ?, ?, ?, ?)",
                (session_id, mode, backend, int(seconds), self._clock()),
            )
        return as_json(self.session(session_id).record(self._clock()))

    def show(self, request: Request, body: bytes) -> Response:
        """GET /sessions/{id}"""
        return as_json(self.session(request.path_params["id"]).record(self._clock()))

    def change(self, request: Request, body: bytes) -> Response:
        """PATCH /sessions/{id}: let it take no more jobs."""
        wanted = bodies.read_object(body, {"accepting_jobs"}).get("accepting_jobs")
        if wanted is not False:
            raise RefusalError(400, BAD_REQUEST, f"'accepting_jobs' can only become false, not {wanted!r}.")
        self._stop(self.session(request.path_params["id"]))
        return nothing()

    def cancel(self, request: Request, body: bytes) -> Response:
        """DELETE /sessions/{id}/close: let it take no more jobs, and run none of those that wait."""
        session = self.session(request.path_params["id"])
        self._stop(session)
        self._end_waiting(session.id)
        return nothing()

    def admit(self, session_id: str | None, backend: Backend) -> None:
        """Refuse a job whose session is not there, has stopped taking jobs, or is one of another backend.

        A dry run may be in a session of the real backend.
        """
        if session_id is None:
            return
        session = self._find(session_id)
        if session is None:
            # Not 404, which the hosted service's client takes for an unknown program.
            raise RefusalError(
                400, BAD_REQUEST, f"There is no session {session_id!r}.", "Open a session and send its id."
            )
        if not session.record(self._clock())["accepting_jobs"]:
            raise RefusalError(400, CLOSED, "Session has been closed.", "Open a new session.")
        if session.backend not in (backend.name, backend.real_name):
            raise RefusalError(
                400, BAD_REQUEST, f"The session is one of {session.backend}, the job one of {backend.name}."
            )

    def joined(self, session_id: str | None) -> None:
        """A job that was admitted is in the store now."""
        if session_id is not None:
            self._overtime.watch(session_id)

    def _end_waiting(self, session_id: str) -> None:
        """Let none of the jobs run that wait in this session."""
        outcome = Outcome("Failed", "Session has been closed", CLOSED, 0.0)
        waiting = self._database.reader.execute(
            "SELECT id FROM jobs WHERE session_id = ? AND status = 'Queued'", (session_id,)
        ).fetchall()
        for row in waiting:
            self._store.end(row["id"], outcome)
        self._scheduler.wake()

    def _stop(self, session: Session) -> None:
        with self._database.writing() as sql:
            change = "UPDATE sessions SET stopped = ? WHERE id = ? AND stopped IS NULL"
            sql.execute(change, (self._clock(), session.id))

    def session(self, session_id: str) -> Session:
        """The session of this id.

        Raises:
            RefusalError: If there is none.
        """
        session = self._find(session_id)
        if session is None:
            raise RefusalError(
                404, CODES[404], f"There is no session {session_id!r}.", "Check the session id."
            )
        return session

    def _find(self, session_id: str) -> Session | None:
        row = self._database.reader.execute(
            "SELECT sessions.*, coalesce(sum(status IN ('Queued', 'Running')), 0) AS open_jobs,"
            " min(running) AS started, max(running) AS last_started, max(finished) AS last_finished,"
            " coalesce(sum(seconds), 0.0) AS seconds"
            " FROM sessions LEFT JOIN jobs ON jobs.session_id = sessions.id WHERE sessions.id = ?"
            " GROUP BY sessions.id",
            (session_id,),
        ).fetchone()
        return Session(**dict(row)) if row else None
