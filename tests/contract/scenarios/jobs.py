"""One job: what it tells, how it ends, what can be done with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from qiskit.circuit import Instruction
from qiskit_aer import AerSimulator

from tests.contract.clients import DEVICE, SIMULATOR, flip, raised, refusal
from tests.contract.scenarios import ALL, THEIRS, scenario
from tests.local_support import bell, long_circuit, until


@scenario(*ALL, status="DONE", counts_of_aer=True, error=None, again="DONE")
def a_job_gives_the_counts_of_a_direct_run(client: Any) -> dict[str, Any]:
    job = client.run(bell(), bell(), seed=11)
    direct = AerSimulator().run([bell(), bell()], shots=100, seed_simulator=11).result()
    counts = [client.counts(job, place) for place in (0, 1)]
    return {
        "counts_of_aer": counts == [direct.get_counts(place) for place in (0, 1)],
        "status": client.status(job),
        "error": job.error_message(),
        "again": client.status(client.service.job(job.job_id())),
    }


@scenario(
    *ALL,
    backend=SIMULATOR,
    primitive="sampler",
    tags=["about"],
    session=None,
    image="",
    born=True,
    created_first=True,
    usage=True,
    estimate=["quantum_seconds"],
    shots=[100],
    circuits=["bell"],
    logs="",
)
def what_a_job_tells(client: Any) -> dict[str, Any]:
    job = client.run(bell(), tags=("about",))
    job.wait_for_final_state()
    job = client.service.job(job.job_id())
    metrics, inputs = job.metrics(), job.inputs
    times = metrics["timestamps"]
    return {
        "backend": job.backend().name,
        "primitive": job.primitive_id,
        "tags": job.tags,
        "session": job.session_id,
        "image": job.image or "",
        "born": job.creation_date.utcoffset() is not None,
        "created_first": times["created"] < times["running"] < times["finished"],
        "usage": job.usage() == metrics["usage"]["qpu_charge_time_seconds"] > 0,
        "estimate": list(job.usage_estimation),
        "shots": [pub[2] for pub in inputs["pubs"]],
        "circuits": [pub[0].name for pub in inputs["pubs"]],
        "logs": job.logs(),
    }


@scenario(*ALL, name=DEVICE, qubits=5)
def calibration_of_the_time_when_a_job_ran(client: Any) -> dict[str, Any]:
    job = client.run(flip(), backend=DEVICE)
    job.wait_for_final_state()
    found = job.properties()
    return {"name": found.backend_name, "qubits": len(found.qubits)}


@scenario(*ALL, tags=["new", "tags"], again=["new", "tags"], found=1, many=True)
def tags_are_replaced(client: Any) -> dict[str, Any]:
    job = client.run(bell(), tags=("old",))
    told = job.update_tags(["new", "tags"])
    many = [f"tag {number}" for number in range(9)]
    return {
        "tags": sorted(told),
        "again": sorted(client.service.job(job.job_id()).tags),
        "found": len(client.jobs(job_tags=["new", "tags"])),
        "many": raised(lambda: job.update_tags(many)) != "",
    }


@scenario(*ALL, before="QUEUED", after="CANCELLED", result="RuntimeInvalidStateError", started=None)
def a_queued_job_is_cancelled(client: Any) -> dict[str, Any]:
    client.faults.hold("Queued")
    job = client.run(bell())
    before = client.wait(job, "QUEUED")
    job.cancel()
    client.faults.release()
    return {
        "before": before,
        "after": client.status(job),
        "result": raised(job.result),
        "started": job.metrics()["timestamps"]["running"],
    }


@scenario(*ALL, before="RUNNING", after="CANCELLED", next="DONE")
def a_job_that_computes_is_cancelled(client: Any) -> dict[str, Any]:
    job = client.run(long_circuit())
    before = client.wait(job, "RUNNING")
    job.cancel()
    after = client.status(client.service.job(job.job_id()))
    return {"before": before, "after": after, "next": client.wait(client.run(bell()), "DONE")}


@scenario(*ALL, error="RuntimeInvalidStateError", status="DONE")
def a_final_job_is_not_cancelled(client: Any) -> dict[str, Any]:
    job = client.run(bell())
    job.wait_for_final_state()
    return {"error": raised(job.cancel), "status": client.status(job)}


@scenario(*ALL, status="ERROR", result="RuntimeJobFailureError", reason=True)
def a_job_fails_with_a_reason(client: Any) -> dict[str, Any]:
    client.faults.job("cold", reason="Cold front", reason_code=5203)
    job = client.run(bell(), tags=("cold",))
    return {
        "result": raised(job.result),
        "status": client.status(job),
        "reason": "Cold front" in job.error_message(),
    }


@scenario(*ALL, status="ERROR", named=True, traced=True)
def a_job_that_cannot_run_has_a_log(client: Any) -> dict[str, Any]:
    circuit = bell()
    circuit.append(Instruction("mystery", 2, 0, []), [0, 1])
    job = client.run(circuit)
    return {
        "status": client.wait(job, "ERROR"),
        "named": "mystery" in client.reason(job)[1],
        "traced": "Traceback" in job.logs(),
    }


@scenario(*ALL, status="ERROR", result="RuntimeJobMaxTimeoutError", reason=True, next="DONE")
def a_job_runs_longer_than_it_may(client: Any) -> dict[str, Any]:
    job = client.run(long_circuit(), seconds=1)
    return {
        "result": raised(job.result),
        "status": client.status(job),
        "reason": "maximum execution time of 1 second" in refusal(job.result),
        "next": client.wait(client.run(bell()), "DONE"),
    }


@scenario(*ALL, error="RuntimeJobNotFound")
def a_job_that_is_not_there(client: Any) -> dict[str, Any]:
    return {"error": raised(lambda: client.service.job("d57e7860d82774bca945"))}


@scenario(*THEIRS, private=True, inputs={}, first=100, second=None)
def a_private_job_is_read_once(client: Any) -> dict[str, Any]:
    job = client.run(bell(), private=True)
    job = client.service.job(job.job_id())
    inputs = job.inputs
    return {
        "private": job.private,
        "inputs": inputs,
        "first": sum(client.counts(job).values()),
        "second": job.result(),
    }


@scenario(*THEIRS, open="IBMRuntimeError", final="", after="RuntimeJobNotFound", twice="RuntimeJobNotFound")
def a_job_is_deleted(client: Any) -> dict[str, Any]:
    client.faults.hold("Queued")
    job = client.run(bell())
    early = raised(lambda: client.service.delete_job(job.job_id()))
    client.faults.release()
    job.wait_for_final_state()
    return {
        "open": early,
        "final": raised(lambda: client.service.delete_job(job.job_id())),
        "after": raised(lambda: client.service.job(job.job_id())),
        "twice": raised(lambda: client.service.delete_job(job.job_id())),
    }


@scenario(*ALL, counts=[20] * 16, different=16)
def jobs_of_many_threads(client: Any) -> dict[str, Any]:
    def run(number: int) -> tuple[str, int]:
        job = client.run(bell(), shots=20)
        return job.job_id(), sum(client.counts(job).values())

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, range(16)))
    return {"counts": [count for _, count in found], "different": len({job_id for job_id, _ in found})}


@scenario(*ALL, places=[1, 2, 3], queue=3, told=True)
def places_in_the_queue(client: Any) -> dict[str, Any]:
    client.faults.hold("Queued")
    jobs = [client.run(bell()) for _ in range(3)]
    metrics = [job.metrics() for job in jobs]
    backend = client.backend(SIMULATOR)
    status = backend.status() if hasattr(backend, "status") else None
    for job in jobs:
        job.cancel()
    until(lambda: client.status(jobs[-1]) == "CANCELLED")
    return {
        "places": [each["position_in_queue"] for each in metrics],
        "queue": 3 if status is None else status.pending_jobs,
        "told": all("estimated_start_time" in each for each in metrics),
    }
