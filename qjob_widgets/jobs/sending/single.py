"""Submitting a job that is not split: one request, whose id the caller waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError, Unreachable
from qjob_widgets.jobs.errors import IBMApiError
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.sending.payload import CircuitsPayload
from qjob_widgets.jobs.sending.submission import after_failure
from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.status import Status

if TYPE_CHECKING:
    from qjob_widgets.jobs.backend import RuntimeBackend
    from qjob_widgets.jobs.service import JobService

PATIENCE = 60.0


def submit_single(
    service: JobService,
    backend: RuntimeBackend,
    payload: CircuitsPayload,
    *,
    name: str | None,
    tags: Sequence[str],
    pause: Callable[[float], object] = time.sleep,
) -> RuntimeJob:
    """Submit `payload` as one job and wait until it is accepted, a minute at most.

    The job carries a fresh composite id as a mark of its own, without an index: it is no part of anything,
    but after a lost answer it can be found by it before anything is sent a second time.

    Raises:
        IBMApiError: If it is not accepted.
    """
    mark = composite_tags.new_composite_id()
    identity = composite_tags.Identity(composite_id=mark, kind="run", name=name)
    all_tags = (*composite_tags.write(identity), *tags)
    body = payload.body(backend.name, all_tags)
    failures, waited, lost = 0, 0.0, False
    while True:
        try:
            found = service.client.list_jobs(tags=[mark]).jobs if lost else ()
            lost = False
            job_id = found[0].job_id if found else service.client.submit(body)
            break
        except ApiError as error:
            failures += 1
            retry = after_failure(error, failures)
            lost = lost or isinstance(error, Unreachable)
            if retry is None or waited + retry.seconds > PATIENCE:
                raise IBMApiError(_refusal(error, mark if lost else None)) from error
            waited += retry.seconds
            pause(retry.seconds)
    snapshot = JobSnapshot(
        job_id,
        Status.QUEUED,
        "Queued",
        created=datetime.now(timezone.utc),
        tags=all_tags,
        program="sampler",
        session_id=payload.options.session_id,
        private=payload.options.private,
        backend=backend.name,
    )
    return RuntimeJob.from_snapshot(snapshot, service, backend=backend, payload=payload)


def _refusal(error: ApiError, lost: str | None) -> str:
    if lost is None:
        return f"The job was not accepted: {error}"
    return (
        f"It is not known whether the job was accepted: {error} Before it is submitted again, see whether"
        f" api.jobs(tags=[{lost!r}]) shows it."
    )
