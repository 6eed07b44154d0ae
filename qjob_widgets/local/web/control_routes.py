"""The service's side of `control.py`: the request log, scripted faults, holds. Not part of the REST API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from qjob_widgets.local.jobs.database import Database
from qjob_widgets.local.jobs.pruning import Old, prune
from qjob_widgets.local.queue.scheduler import HOLDS, Scheduler
from qjob_widgets.local.web.answers import RefusalError, as_json, nothing
from qjob_widgets.local.web.bodies import read_object
from qjob_widgets.local.web.faults import Faults, checked
from qjob_widgets.local.web.gate import Gate


class Control:
    """End points below /control; each takes the request and its whole body."""

    def __init__(self, faults: Faults, scheduler: Scheduler, database: Database) -> None:
        self.gate: Gate | None = None
        self._faults, self._scheduler, self._database = faults, scheduler, database

    def requests(self, request: Request, body: bytes) -> Response:
        """GET /control/requests: [method, path, query, status, ms] of each, oldest first."""
        return as_json(list(self.gate.records.copy()) if self.gate else [])

    def clear_requests(self, request: Request, body: bytes) -> Response:
        """DELETE /control/requests"""
        if self.gate:
            self.gate.records.clear()
        return nothing()

    def add_fault(self, request: Request, body: bytes) -> Response:
        """POST /control/faults; InvalidInput is a ValueError and answered as 400."""
        return as_json({"number": self._faults.add(checked(read_object(body)))})

    def clear_faults(self, request: Request, body: bytes) -> Response:
        """DELETE /control/faults"""
        self._faults.clear_all()
        return nothing()

    def count_fault(self, request: Request, body: bytes) -> Response:
        """GET /control/faults/{number}"""
        count = self._faults.count(request.path_params["number"])
        if count is None:
            raise RefusalError(404, 1291, f"There is no fault {request.path_params['number']}.")
        return as_json({"count": count})

    def clear_fault(self, request: Request, body: bytes) -> Response:
        """DELETE /control/faults/{number}"""
        self._faults.clear(request.path_params["number"])
        return nothing()

    def hold(self, request: Request, body: bytes) -> Response:
        """POST /control/hold"""
        status = read_object(body).get("status")
        if status not in HOLDS:
            raise RefusalError(400, 1208, f"Jobs are held as {' or '.join(HOLDS)}, not as {status!r}.")
        self._scheduler.hold(status)
        return nothing()

    def release(self, request: Request, body: bytes) -> Response:
        """POST /control/release"""
        self._scheduler.release()
        return nothing()

    def prune(self, request: Request, body: bytes) -> Response:
        """POST /control/prune: forget old jobs; says how many."""
        given = read_object(body)
        old = Old(given.get("seconds"), given.get("keep"))
        return as_json({"removed": prune(self._database, old)})
