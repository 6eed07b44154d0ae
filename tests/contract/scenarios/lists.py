"""Lists of jobs: every filter, pages, and their ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.contract.clients import DEVICE, SIMULATOR, flip
from tests.contract.scenarios import ALL, THEIRS, scenario
from tests.local_support import bell

MANY = 25
"""More jobs than a page of the real client has when it is asked for all."""


@scenario(*ALL, first=[0, 1, 2], newest=[4, 3], none=[])
def jobs_come_in_the_order_in_which_they_were_made(client: Any) -> dict[str, Any]:
    jobs = _waiting(client, "ordered", 5)
    tagged = {"job_tags": ["ordered"]}
    return {
        "first": _places(jobs, client.jobs(limit=3, descending=False, **tagged)),
        "newest": _places(jobs, client.jobs(limit=2, **tagged)),
        "none": client.jobs(job_tags=["ordered", "no such tag"]),
    }


@scenario(*ALL, simulator=[0], device=[1], unknown=[])
def jobs_of_a_backend(client: Any) -> dict[str, Any]:
    client.faults.hold("Queued")
    jobs = [
        client.run(bell(), tags=("of a backend",)),
        client.run(flip(), backend=DEVICE, tags=("of a backend",)),
    ]
    names = [job.job_id() for job in jobs]

    def found(backend: str) -> list[int]:
        return _places(names, client.jobs(job_tags=["of a backend"], backend_name=backend))

    return {"simulator": found(SIMULATOR), "device": found(DEVICE), "unknown": found("nowhere")}


@scenario(*ALL, queued=[1], final=[0], every=[1, 0])
def jobs_that_are_pending(client: Any) -> dict[str, Any]:
    done = client.run(bell(), tags=("pends",))
    done.wait_for_final_state()
    jobs = [done.job_id(), *_waiting(client, "pends", 1)]

    def found(pending: bool | None) -> list[int]:
        return _places(jobs, client.jobs(job_tags=["pends"], pending=pending))

    return {"queued": found(True), "final": found(False), "every": found(None)}


@scenario(*ALL, after=[2, 1], before=[1, 0], between=[1], tomorrow=[], yesterday=[])
def jobs_of_a_time(client: Any) -> dict[str, Any]:
    jobs = _waiting(client, "timed", 3)
    middle = client.service.job(jobs[1]).creation_date
    day = timedelta(days=1)

    def found(after: datetime | None = None, before: datetime | None = None) -> list[int]:
        return _places(jobs, client.jobs(job_tags=["timed"], created_after=after, created_before=before))

    return {
        "after": found(after=middle),
        "before": found(before=middle),
        "between": found(middle, middle),
        "tomorrow": found(after=middle + day),
        "yesterday": found(before=middle - day),
    }


@scenario(*ALL, session=[0], other=[])
def jobs_of_a_session(client: Any) -> dict[str, Any]:
    with client.session("batch") as batch:
        job = client.run(flip(), backend=DEVICE, mode=batch, tags=("in session",))
    client.run(flip(), backend=DEVICE, tags=("in session",))
    with client.session("batch") as empty:
        pass
    names = [job.job_id()]
    return {
        "session": _places(names, client.jobs(session_id=batch.session_id)),
        "other": client.jobs(session_id=empty.session_id),
    }


@scenario(*ALL, every=True, sixth=True)
def all_of_many_jobs(client: Any) -> dict[str, Any]:
    jobs = _waiting(client, "many", MANY)
    every = client.jobs(limit=None, job_tags=["many"])
    limited = client.jobs(limit=21, job_tags=["many"])
    return {"every": every == jobs[::-1], "sixth": limited == jobs[:-22:-1]}


@scenario(*THEIRS, skipped=[1, 0], end=[], past=[], all_past=[], over=[2, 1, 0])
def jobs_after_those_that_are_skipped(client: Any) -> dict[str, Any]:
    jobs = _waiting(client, "skipped", 3)

    def found(**window: Any) -> list[int]:
        return _places(jobs, client.jobs(job_tags=["skipped"], **window))

    return {
        "skipped": found(skip=1),
        "end": found(skip=3),
        "past": found(limit=2, skip=50),
        "all_past": found(limit=None, skip=50),
        "over": found(limit=1000),
    }


@scenario(*THEIRS, sampler=[1], estimator=[0], other=[])
def jobs_of_a_program(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import EstimatorV2

    client.faults.hold("Queued")
    estimator = EstimatorV2(client.backend(SIMULATOR), options={"environment": {"job_tags": ["program"]}})
    jobs = [estimator.run([(bell().remove_final_measurements(inplace=False), "ZZ")]).job_id()]
    jobs += _waiting(client, "program", 1)

    def found(program: str) -> list[int]:
        return _places(jobs, client.jobs(job_tags=["program"], program_id=program))

    return {"sampler": found("sampler"), "estimator": found("estimator"), "other": found("other")}


def _waiting(client: Any, tag: str, number: int) -> list[str]:
    """Ids of new jobs that wait, oldest first."""
    client.faults.hold("Queued")
    return [client.run(bell(), tags=(tag,)).job_id() for _ in range(number)]


def _places(jobs: list[str], found: list[str]) -> list[int]:
    """Which of `jobs` were found, in the order in which they were."""
    return [jobs.index(each) for each in found]
