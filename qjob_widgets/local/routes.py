"""The REST API: one method an end point. Each runs in a thread, so that a large job delays nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from qjob_widgets.local import wire
from qjob_widgets.local.answers import RefusalError, as_json, nothing
from qjob_widgets.local.backends import Backend
from qjob_widgets.local.faults import Faults
from qjob_widgets.local.records import Job, Outcome, now
from qjob_widgets.local.scheduler import Scheduler
from qjob_widgets.local.sessions import Sessions
from qjob_widgets.local.store import Store
from qjob_widgets.rest import paths
from qjob_widgets.status import from_server


class Api:
    """The end points. Each takes the request and its whole body.

    Args:
        store: The jobs.
        scheduler: Told about new and cancelled jobs, asked about the pace of the queue.
        backends: What jobs can run on, by name.
        faults: Scripted outcomes of jobs.
        sessions: What jobs can be part of.
        crn: The name of the one instance.
    """

    def __init__(
        self,
        store: Store,
        scheduler: Scheduler,
        backends: Mapping[str, Backend],
        faults: Faults,
        sessions: Sessions,
        crn: str,
    ) -> None:
        self._sessions = sessions
        self._store, self._scheduler, self._backends = store, scheduler, backends
        self._faults, self._crn = faults, crn

    def list_backends(self, request: Request, body: bytes) -> Response:
        """GET /backends"""
        found = self._backends.values()
        devices = [backend.listed(self._store.count("Queued", backend.name)) for backend in found]
        return as_json({"devices": devices})

    def configuration(self, request: Request, body: bytes) -> Response:
        """GET /backends/{name}/configuration"""
        return as_json(self._backend(request.path_params["name"]).configuration)

    def properties(self, request: Request, body: bytes) -> Response:
        """GET /backends/{name}/properties"""
        found = self._backend(request.path_params["name"]).properties
        return as_json(wire.wanted_properties(found, request.query_params))

    def backend_status(self, request: Request, body: bytes) -> Response:
        """GET /backends/{name}/status"""
        backend = self._backend(request.path_params["name"])
        return as_json(backend.status(self._store.count("Queued", backend.name)))

    def submit(self, request: Request, body: bytes) -> Response:
        """POST /jobs; what is handed in again under the same key is one job."""
        headers = request.headers
        new = wire.read_submission(body, headers.get("x-qx-client-application"), headers.get(paths.KEY))
        job = self._store.with_key(new.key)
        if job is None:
            self._backend(new.backend)
            self._sessions.admit(new.session_id, new.backend)
            new = replace(new, estimate=self._scheduler.mean_seconds)
            job = self._store.add(new, self._faults.strike_job(new.tags))
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
        self._store.set_tags(job.id, wire.read_tags(wire.read_object(body).get("tags")))
        return nothing()

    def usage(self, request: Request, body: bytes) -> Response:
        """GET /instances/usage"""
        consumed = self._store.used_seconds()
        return as_json(
            {"instance_id": self._crn, "usage_consumed_seconds": consumed, "usage_limit_reached": False}
        )

    def _backend(self, name: str) -> Backend:
        backend = self._backends.get(name)
        if backend is None:
            there = ", ".join(self._backends)
            raise RefusalError(404, 1216, f"There is no backend {name!r}.", f"Choose from {there}.")
        return backend

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
        """The queue fields of each job; positions of all of them with one question to the store."""
        positions = self._store.positions(jobs)
        if not positions:
            return [wire.NOT_QUEUED] * len(jobs)
        pace = self._scheduler.mean_seconds
        running = self._store.count("Running")
        moment = now()

        def queue(job: Job) -> Mapping[str, object]:
            position = positions.get(job.id)
            if position is None:
                return wire.NOT_QUEUED
            if pace is None or self._scheduler.holds:
                return wire.queue_fields(position, None, None)
            rounds = (running + position - 1) // self._scheduler.size
            start = moment + int(rounds * pace * 1e6)
            return wire.queue_fields(position, start, start + int(pace * 1e6))

        return [queue(job) for job in jobs]
