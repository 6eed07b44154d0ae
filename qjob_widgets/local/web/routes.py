"""The REST API: one method an end point. Each runs in a thread, so that a large job delays nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from qjob_widgets.local.jobs.records import Job, Outcome
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.queue.scheduler import Scheduler
from qjob_widgets.local.simulation.programs import PROGRAMS
from qjob_widgets.local.web import bodies, wire
from qjob_widgets.local.web.allowance import Allowance
from qjob_widgets.local.web.answers import BAD_REQUEST, RefusalError, as_json, nothing
from qjob_widgets.local.web.cloud import PLAN
from qjob_widgets.local.web.devices import Devices
from qjob_widgets.local.web.faults import Faults
from qjob_widgets.local.web.openapi import page
from qjob_widgets.local.web.sessions import Sessions
from qjob_widgets.rest import paths
from qjob_widgets.status import from_server


class Api:
    """The end points. Each takes the request and its whole body.

    Args:
        store: The jobs.
        scheduler: Told about new and cancelled jobs, asked about the pace of the queue.
        devices: What jobs can run on.
        faults: Scripted outcomes of jobs.
        sessions: What jobs can be part of.
        crn: The name of the one instance.
        allowance: Which new jobs are taken.
    """

    def __init__(
        self,
        store: Store,
        scheduler: Scheduler,
        devices: Devices,
        faults: Faults,
        sessions: Sessions,
        crn: str,
        allowance: Allowance,
    ) -> None:
        self._sessions = sessions
        self._store, self._scheduler, self._devices = store, scheduler, devices
        self._faults, self._crn, self._allowance = faults, crn, allowance

    def submit(self, request: Request, body: bytes) -> Response:
        """POST /jobs; what is handed in again under the same key is one job."""
        headers = request.headers
        new = bodies.read_submission(
            body,
            headers.get("x-qx-client-application"),
            headers.get(paths.KEY),
            self._allowance.limits.job_seconds,
        )
        job = self._store.with_key(new.key)
        if job is None:
            backend = self._devices.find(new.backend)
            if new.program not in PROGRAMS:
                there = ", ".join(PROGRAMS)
                raise RefusalError(
                    400, BAD_REQUEST, f"There is no program {new.program!r}.", f"Choose from {there}."
                )
            self._sessions.admit(new.session_id, backend)
            new = replace(new, estimate=self._scheduler.outlook.expected(new.backend, new.program))
            with self._allowance.taking():
                job = self._store.add(new, self._faults.strike_job(new.tags))
            self._sessions.joined(job.session_id)
            self._scheduler.wake()
        more = {"session_id": job.session_id, "private": job.private or None}
        told = {name: value for name, value in more.items() if value is not None}
        return as_json({"id": job.id, "backend": job.backend, **told})

    def list_jobs(self, request: Request, body: bytes) -> Response:
        """GET /jobs; on an empty page `count` is the offset, since some clients would ask for ever."""
        query = wire.read_query(request.query_params)
        with_params = wire.wants_params(request.query_params, otherwise=False)
        jobs, total = self._store.page(query)
        records = self._records(jobs)
        if with_params:
            for job, record in zip(jobs, records, strict=True):
                record["params"] = json.loads(self._params(job))
        answer = as_json(
            {
                "jobs": records,
                "count": total if jobs else query.offset,
                "limit": query.limit,
                "offset": query.offset,
            }
        )
        answer.headers[paths.TAKES_KEYS] = "true"
        return answer

    def show(self, request: Request, body: bytes) -> Response:
        """GET /jobs/{id}; its parameters are passed on as the text that they came as."""
        with_params = wire.wants_params(request.query_params, otherwise=True)
        job = self._job(request)
        text = json.dumps(self._records([job])[0]).encode()
        if with_params:
            text = text[:-1] + b', "params": ' + self._params(job) + b"}"
        return Response(text, media_type="application/json")

    def delete(self, request: Request, body: bytes) -> Response:
        """DELETE /jobs/{id}, once it is final."""
        job = self._job(request)
        if not from_server(job.status).final:
            raise RefusalError(409, 3209, f"Job {job.id} is {job.status}; cancel it before you delete it.")
        self._store.delete(job)
        return nothing()

    def results(self, request: Request, body: bytes) -> Response:
        """GET /jobs/{id}/results; 204 while there is none. That of a private job can be read once."""
        job = self._job(request)
        text = self._store.take_result(job) if job.private else self._store.payload(job, "result")
        return nothing() if text is None else Response(text, media_type="application/json")

    def interim_results(self, request: Request, body: bytes) -> Response:
        """GET /jobs/{id}/interim_results: what finished PUBs gave, each as the text that decoders take."""
        texts = self._store.interim(self._job(request), wire.read_after(request.query_params))
        return as_json({"interim_results": texts})

    def cancel(self, request: Request, body: bytes) -> Response:
        """POST /jobs/{id}/cancel; 409 for a job that is final."""
        job = self._job(request)
        if not self._store.end(job.id, Outcome("Cancelled")):
            status = self._job(request).status
            raise RefusalError(409, 3209, f"Job {job.id} is {status} and cannot be cancelled any more.")
        self._scheduler.wake()
        return nothing()

    def logs(self, request: Request, body: bytes) -> Response:
        """GET /jobs/{id}/logs"""
        text = self._store.payload(self._job(request), "logs") or ""
        return Response(text.encode("utf-8", "replace"), media_type="text/plain")

    def metrics(self, request: Request, body: bytes) -> Response:
        """GET /jobs/{id}/metrics, with the four queue fields."""
        job = self._job(request)
        return as_json(
            {
                "timestamps": wire.timestamps(job),
                "usage": wire.usage(job),
                "caller": job.caller,
                **self._queues([job])[0],
            }
        )

    def replace_tags(self, request: Request, body: bytes) -> Response:
        """PUT /jobs/{id}/tags"""
        job = self._job(request)
        self._store.set_tags(job.id, bodies.read_new_tags(body))
        return nothing()

    def usage(self, request: Request, body: bytes) -> Response:
        """GET /instances/usage"""
        return as_json({"instance_id": self._crn, **self._allowance.usage()})

    def instance(self, request: Request, body: bytes) -> Response:
        """GET /instances/configuration"""
        limit = self._allowance.limits.usage_seconds
        return as_json({"plan_id": PLAN, "backends": self._devices.names, "instance_limit_seconds": limit})

    def versions(self, request: Request, body: bytes) -> Response:
        """GET /versions: the one of the API that is spoken here."""
        version = {"version": paths.API_VERSION, "status": "live", "sunset_date": None}
        return as_json({"versions": [version]})

    def openapi(self, request: Request, body: bytes) -> Response:
        """GET /openapi.json, without a token"""
        return as_json(page(self._devices.names))

    def _job(self, request: Request) -> Job:
        job_id = request.path_params["id"]
        job = self._store.find(job_id)
        if job is None:
            raise RefusalError(404, 1291, f"There is no job {job_id!r}.", "Check the job id.")
        return job

    def _params(self, job: Job) -> bytes:
        text: bytes = b"{}" if job.private else self._store.payload(job, "params") or b"{}"
        return text

    def _records(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        queues = self._queues(jobs)
        return [wire.job_record(job, queue) for job, queue in zip(jobs, queues, strict=True)]

    def _queues(self, jobs: Sequence[Job]) -> list[Mapping[str, object]]:
        """The queue fields of each job."""
        places = self._scheduler.outlook.places(jobs)
        return [wire.queue_fields(places.get(job.id)) for job in jobs]
