"""Limits that are reached, answers that do not come, and what is not offered."""

from __future__ import annotations

import warnings
from typing import Any

from tests.contract.clients import SIMULATOR, raised, refusal
from tests.contract.scenarios import ALL, THEIRS, scenario
from tests.local_support import bell


@scenario(
    *THEIRS,
    many="You have reached the limit of 1 pending jobs",
    after="DONE",
    used=["limit of 1e-06 seconds", 0, True],
    warned=True,
    errors=["IBMRuntimeError", "IBMRuntimeError"],
)
def limits_of_the_instance(client: Any) -> dict[str, Any]:
    from qiskit_ibm_runtime import SamplerV2

    import qjob_widgets as qj

    with qj.LocalService(workers=1, limits={"pending_jobs": 1, "usage_seconds": 1e-6}) as local:
        service = local.runtime_service()
        sampler = SamplerV2(service.backend(SIMULATOR))

        def send() -> Any:
            return sampler.run([bell()], shots=100)

        local.faults.hold("Queued")
        first = send()
        errors = [raised(send)]
        many = refusal(send)
        local.faults.release()
        after = client.wait(first, "DONE")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            used = refusal(send)
        usage = service.usage()
        errors.append(raised(send))
    return {
        "many": _found(many, "You have reached the limit of 1 pending jobs"),
        "after": after,
        "used": [
            _found(used, "limit of 1e-06 seconds"),
            usage["usage_remaining_seconds"],
            usage["usage_limit_reached"],
        ],
        "warned": any("has met its usage limit" in str(each.message) for each in caught),
        "errors": errors,
    }


@scenario(*ALL, counts=100, tags=["kept"], found=1)
def a_service_that_is_unwell_for_a_moment(client: Any) -> dict[str, Any]:
    job = client.run(bell(), tags=("unwell",))
    client.wait(job, "DONE")
    client.faults.http("GET /jobs/{id}/results", 503)
    client.faults.close("GET /jobs/{id}")
    counts = client.counts(job)
    client.faults.http("PUT /jobs/{id}/tags", 502)
    tags = job.update_tags(["kept"])
    client.faults.http("GET /jobs", 500)
    return {"counts": sum(counts.values()), "tags": tags, "found": len(client.jobs(job_tags=["kept"]))}


@scenario(
    *THEIRS,
    program="teleporter",
    session="There is no session",
    backend="QiskitBackendNotFoundError",
    version=True,
)
def what_is_not_offered(client: Any) -> dict[str, Any]:
    service, backend = client.service, client.backend(SIMULATOR)
    pubs = {"pubs": [(bell(), None, 100)], "version": 2, "support_qiskit": True, "options": {}}

    def send(program: str, inputs: dict[str, Any], session: str | None = None) -> Any:
        return service._run(program, inputs, {"backend": backend}, session_id=session)

    old = send("sampler", {**pubs, "version": 1})
    return {
        "program": _found(refusal(lambda: send("teleporter", {})), "teleporter"),
        "session": _found(refusal(lambda: send("sampler", pubs, "nowhere")), "There is no session"),
        "backend": raised(lambda: service.backend("local_nowhere")),
        "version": "version 1" in refusal(old.result),
    }


@scenario(*THEIRS, error="RuntimeJobTimeoutError", after="QUEUED")
def waiting_takes_too_long(client: Any) -> dict[str, Any]:
    client.faults.hold("Queued")
    job = client.run(bell())
    return {
        "error": raised(lambda: job.wait_for_final_state(timeout=0.2, poll_interval=0.1)),
        "after": client.status(job),
    }


def _found(text: str, part: str) -> str:
    """The part, if the text has it; else the text."""
    return part if part in text else text
