"""Submitting a job that is not split: one request, whose id the caller waits for."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError
from qjob_widgets.jobs.errors import IBMApiError
from qjob_widgets.jobs.panel_facts import known_circuits
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.sending.payload import CircuitsPayload
from qjob_widgets.jobs.sending.submission import SETTLED, after_failure
from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.status import Status

if TYPE_CHECKING:
    from qjob_widgets.jobs.backend import RuntimeBackend
    from qjob_widgets.jobs.service import JobService

PATIENCE = 1.5 * SETTLED
ASK_AGAIN = 2.0


def submit_single(
    service: JobService,
    backend: RuntimeBackend,
    payload: CircuitsPayload,
    *,
    name: str | None,
    tags: Sequence[str],
    pause: Callable[[float], object] = time.sleep,
) -> RuntimeJob:
    """Submit `payload` as one job and wait until it is accepted, a minute and a half at most.

    The job carries a fresh composite id as a mark of its own, without an index: it is no part of anything,
    but after a lost answer it can be found by it before anything is sent a second time.

    Raises:
        IBMApiError: If it is not accepted.
    """
    mark = composite_tags.new_composite_id()
    identity = composite_tags.Identity(composite_id=mark, kind="run", name=name)
    all_tags = (*composite_tags.write(identity), *tags)
    body = payload.body(backend.name, all_tags)
    client, key = service.client, uuid.uuid4().hex
    failures, waited, trouble = 0, 0.0, ApiError("")
    # How long it had been waited when an answer was lost; None if none is.
    lost: float | None = None
    while True:
        try:
            found = () if lost is None else client.list_jobs(tags=[mark]).jobs
            if lost is None or found or client.takes_keys or waited >= lost + SETTLED:
                lost = None
                job_id = found[0].job_id if found else client.submit(body, key)
                break
            seconds = ASK_AGAIN
        except ApiError as error:
            trouble = error
            failures += 1
            retry = after_failure(error, failures)
            if retry is not None and retry.ask_first and lost is None:
                lost = waited
            seconds = float("inf") if retry is None else retry.seconds
        if waited + seconds > PATIENCE:
            raise IBMApiError(_refusal(trouble, None if lost is None else mark)) from trouble
        waited += seconds
        pause(seconds)
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
    if not payload.options.private:
        with contextlib.suppress(Exception):  # what users write into their circuits may be anything
            service.journal.circuits.keep(mark, 0, known_circuits(payload))
    return RuntimeJob.from_snapshot(snapshot, service, backend=backend, payload=payload)


def _refusal(error: ApiError, lost: str | None) -> str:
    if lost is None:
        return f"The job was not accepted: {error}"
    return (
        f"It is not known whether the job was accepted: {error} Before it is submitted again, see whether"
        f" api.jobs(tags=[{lost!r}]) shows it."
    )
