"""Results: equal to Aer's whatever the circuit, put together in order, read once, told apart when missing."""

from __future__ import annotations

import json
import random
import threading
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.exceptions import QiskitError
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.result import Result
from qiskit_aer import AerSimulator

import qjob_widgets as qj
from qjob_widgets import tags
from qjob_widgets.errors import ApiError, NotFound
from qjob_widgets.jobs.results import merging, reading
from qjob_widgets.jobs.results.merging import PartHeaders, PartReader
from qjob_widgets.jobs.results.reading import CircuitHeader
from qjob_widgets.snapshot import CompositeSnapshot
from tests.support import part

WAIT = 60


def coin(name: str) -> QuantumCircuit:
    circuit = QuantumCircuit(1, name=name)
    circuit.h(0)
    circuit.measure_all()
    return circuit


def coins(number: int) -> list[QuantumCircuit]:
    return [coin(f"coin {index}") for index in range(number)]


def reads(service) -> int:
    return sum(record.path.endswith("/results") for record in service.requests)


# ---- equal to Aer


def any_circuit(seed: int) -> QuantumCircuit:
    """A circuit by chance: one to four registers, measurements in the middle, resets and conditions."""
    chance = random.Random(seed)
    quantum = QuantumRegister(chance.randint(1, 4), "q")
    registers = [
        ClassicalRegister(chance.randint(1, 9), f"c{index}") for index in range(chance.randint(1, 4))
    ]
    circuit = QuantumCircuit(quantum, *registers, name=f"any {seed}", metadata={"seed": seed})
    for _ in range(chance.randint(4, 14)):
        qubit = chance.choice(quantum)
        bit = chance.choice(circuit.clbits)
        step = chance.choice(["ry", "h", "cx", "measure", "reset", "if"])
        if step == "ry":
            circuit.ry(chance.uniform(0, 3), qubit)
        elif step == "cx" and len(quantum) > 1:
            circuit.cx(qubit, chance.choice([other for other in quantum if other != qubit]))
        elif step == "measure":
            circuit.measure(qubit, bit)
        elif step == "reset":
            circuit.reset(qubit)
        elif step == "if":
            with circuit.if_test((bit, 1)):
                circuit.x(qubit)
        else:
            circuit.h(qubit)
    circuit.measure(chance.choice(quantum), chance.choice(circuit.clbits))
    return circuit


@pytest.mark.parametrize("size", [5, 16])
def test_any_circuit_gives_what_aer_gives(backend, size):
    circuits = [any_circuit(seed) for seed in range(16)]
    direct = AerSimulator().run(circuits, shots=60, seed_simulator=11, memory=True).result()
    job = backend.run(circuits, shots=60, seed_simulator=11, memory=True, max_circuits_per_job=size)
    result = job.result(timeout=WAIT)

    for index, circuit in enumerate(circuits):
        assert result.get_counts(index) == direct.get_counts(index)
        assert result.get_memory(index) == direct.get_memory(index)
        assert result.get_counts(circuit) == direct.get_counts(circuit)
        assert result.data(index)["counts"] == direct.data(index)["counts"]
        assert result.results[index].shots == 60
        assert result.results[index].header["metadata"] == {"seed": index}


def test_registers_wider_than_a_machine_number_give_what_aer_gives(backend):
    wide = QuantumCircuit(QuantumRegister(2), ClassicalRegister(40, "low"), ClassicalRegister(50, "high"))
    wide.h([0, 1])
    for bit in (0, 39, 40, 62, 63, 64, 89):
        wide.measure(bit % 2, bit)
    direct = AerSimulator().run([wide], shots=50, seed_simulator=3, memory=True).result()
    result = backend.run(wide, shots=50, seed_simulator=3, memory=True).result(timeout=WAIT)

    assert result.get_counts() == direct.get_counts()
    assert result.get_memory() == direct.get_memory()


# ---- parts put together


def test_results_are_read_once_and_again_on_demand(service, backend):
    job = backend.run(coins(6), max_circuits_per_job=2)
    service.clear_requests()
    first = job.result(timeout=WAIT)

    assert reads(service) == 3
    assert job.result() is first
    assert job.result(partial=True) is first
    assert reads(service) == 3
    again = job.result(refresh=True)
    assert again is not first
    assert reads(service) == 6
    assert again.get_counts() == first.get_counts()
    assert (first.job_id, first.backend_name, first.success) == (job.job_id(), "local_simulator", True)


def test_what_was_read_is_not_asked_for_again_when_another_part_could_not_be_read(service, backend):
    job = backend.run(coins(8), max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)
    service.clear_requests()
    fault = service.faults.http("GET /jobs/{id}/results", status=400)

    with pytest.raises(qj.IBMJobApiError, match="400"):
        job.result()
    before = reads(service)
    assert fault.count == 1
    assert job.result().success
    assert reads(service) == 8 + 1
    assert 1 <= before <= 8


def test_a_few_threads_read_and_are_gone_afterwards(backend, monkeypatch):
    job = backend.run(coins(12), max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)
    fetch, seen = job._service.client.fetch_results, set()

    def watched(job_id):
        seen.add(threading.current_thread().name)
        return fetch(job_id)

    monkeypatch.setattr(job._reader, "_fetch", watched)
    job.result()

    assert 1 <= len(seen) <= merging.READERS
    assert not [one for one in threading.enumerate() if one.name.startswith("qjob-results")]


def test_one_thread_decodes_at_a_time(monkeypatch):
    inside = []

    def watched(*arguments, **options):
        inside.append(1)
        assert len(inside) == 1
        threading.Event().wait(0.001)
        inside.pop()
        return json.loads(*arguments, **options)

    monkeypatch.setattr("qjob_widgets.jobs.results.reading.json", SimpleNamespace(loads=watched))
    assert merged(PartReader(lambda job_id: text(pub(1)), named), "D" * 20).success


def test_failed_circuits_say_why_and_a_rerun_forgets_it(service, backend):
    service.faults.job(1, status="Failed", reason="calibration interrupted")
    job = backend.run(coins(6), max_circuits_per_job=2)
    job.wait_for_final_state(timeout=WAIT)
    service.clear_requests()
    partial = job.result(partial=True)

    assert partial.success is False
    assert partial.status == "2 of 6 circuits have no result"
    assert [one.success for one in partial.results] == [True, True, False, False, True, True]
    assert [one.header["name"] for one in partial.results] == [f"coin {index}" for index in range(6)]
    with pytest.raises(QiskitError, match="calibration interrupted"):
        partial.get_counts("coin 2")
    assert reads(service) == 2

    job.rerun_failed()
    whole = job.result(timeout=WAIT)
    assert whole.success
    assert whole.get_counts("coin 2")
    assert reads(service) == 3


def test_what_is_done_now_is_given_without_waiting(service, backend):
    service.faults.hold("Queued")
    job = backend.run(coins(4), max_circuits_per_job=2)
    job.block_for_submit()
    now = job.partial_result()

    assert [one.success for one in now.results] == [False] * 4
    assert now.status == "4 of 4 circuits have no result"
    with pytest.raises(QiskitError, match="not finished: queued"):
        now.get_counts("coin 3")
    service.faults.release()
    whole = job.result(timeout=WAIT)
    service.clear_requests()
    assert job.partial_result().get_counts() == whole.get_counts()
    assert service.requests == []


def test_a_retrieved_job_is_not_asked_for_circuits_that_have_no_result_yet(service, api, backend):
    service.faults.hold("Queued")
    job = backend.run(coins(3), max_circuits_per_job=1)
    job.block_for_submit()
    found = api.job(job.job_id())
    service.clear_requests()
    now = found.partial_result()

    assert len(now.results) == 3
    assert [record.path for record in service.requests] == ["/jobs"]
    job.cancel()


def test_header_names_and_memory_survive_retrieval(service, api, backend):
    service.faults.job(1, status="Failed", reason="bad luck")
    job = backend.run(
        coins(4), shots=8, max_circuits_per_job=2, memory=True, seed_simulator=2, header={"who": "me"}
    )
    expected = job.result(timeout=WAIT, partial=True)
    found = api.job(job.job_id()).result(partial=True)

    assert found.header == expected.header == {"who": "me"}
    assert [one.header for one in found.results] == [one.header for one in expected.results]
    assert found.get_memory("coin 1") == expected.get_memory("coin 1")
    assert found.results[0].header["metadata"] == {}


def test_results_of_private_jobs_are_read_once_and_kept(api, backend):
    job = backend.run(coins(4), shots=8, max_circuits_per_job=2, private=True)
    job.wait_for_final_state(timeout=WAIT)
    found = api.job(job.job_id())
    result = found.result()

    assert sum(result.get_counts(3).values()) == 8
    assert found.partial_result().get_counts() == result.get_counts()
    assert found.result(refresh=True).get_counts() == result.get_counts()
    with pytest.raises(qj.IBMJobApiError, match="of a private job is given only once"):
        job.result()
    gone = job.result(partial=True)
    assert [one.success for one in gone.results] == [False] * 4
    with pytest.raises(qj.IBMJobApiError):
        job.result()


# ---- primitives


def primitive_job(api, program: str, parts: list[list], options: dict | None = None):
    """A composite of primitive jobs, sent as any client would send it."""
    from qiskit_ibm_runtime import RuntimeEncoder

    whole, start = tags.new_composite_id(), 0
    for index, pubs in enumerate(parts):
        place = tags.Place(index, len(parts), start, start + len(pubs) - 1)
        start += len(pubs)
        body = {
            "program_id": program,
            "backend": "local_simulator",
            "tags": tags.write(tags.Identity(whole, place, "primitive", None)),
            "params": {"version": 2, "pubs": pubs, "options": options or {}},
        }
        api.client.submit(json.dumps(body, cls=RuntimeEncoder).encode(), f"{whole} {place.job}")
    return api.job(whole)


def test_a_primitives_job_gives_one_primitive_result_in_pub_order(api):
    bare = QuantumCircuit(1)
    bare.x(0)
    flipped = QuantumCircuit(1)
    estimates = primitive_job(api, "estimator", [[[bare, "Z"]], [[flipped, "Z"], [bare, "Z"]]])
    result = estimates.result(timeout=WAIT)

    assert isinstance(result, PrimitiveResult)
    assert [round(float(pub.data.evs)) for pub in result] == [-1, 1, -1]
    assert estimates.result() is result


def test_a_primitives_job_with_failures_has_a_partial_form(service, api):
    service.faults.job(1, status="Failed", reason="no luck")
    job = primitive_job(api, "sampler", [[[coin("a"), [], 10]], [[coin("b"), [], 10], [coin("c"), [], 10]]])
    with pytest.raises(qj.IBMJobFailureError, match="no luck"):
        job.result(timeout=WAIT)
    result = job.result(partial=True)

    assert len(result) == 3
    assert result[0].data.meas.num_shots == 10
    assert (result.metadata["success"], result.metadata["status"]) == (False, "2 of 3 PUBs have no result")
    for index in (1, 2):
        assert result[index].metadata == {"success": False, "status": "no luck"}
        assert len(result[index].data) == 0


# ---- the reader alone


def pub(*shots: int) -> SamplerPubResult:
    bits = BitArray(np.array(shots, dtype=np.uint8).reshape(-1, 1), 2)
    return SamplerPubResult(DataBin(meas=bits), metadata={"circuit_metadata": {"n": 1, "qjob": {}}})


def text(*pubs: SamplerPubResult, **metadata: object) -> str:
    from qiskit_ibm_runtime import RuntimeEncoder

    return json.dumps(PrimitiveResult(pubs, metadata), cls=RuntimeEncoder)


def whole(letters: str) -> CompositeSnapshot:
    return CompositeSnapshot("whole", tuple(part(one, i, len(letters), 1) for i, one in enumerate(letters)))


def named(index: int, fetch: bool) -> PartHeaders:
    return PartHeaders([CircuitHeader(f"circuit {index}", (("meas", 2),))])


def unknown(index: int, fetch: bool) -> PartHeaders:
    raise qj.InvalidInput("The service keeps no circuits.")


def merged(reader: PartReader, letters: str, kind: str = "run", **more):
    return reader.merged(whole(letters), kind=kind, date=None, **more)


def test_circuits_that_nobody_knows_are_read_as_far_as_the_result_tells():
    result = merged(PartReader(lambda job_id: text(pub(0, 3, 3)), unknown), "DE", partial=True)

    assert result.get_counts(0) == {"00": 1, "11": 2}
    assert result.results[0].header["metadata"] == {"n": 1}
    assert (result.results[1].success, result.results[1].status) == (False, "failed")


def test_a_result_that_the_service_has_forgotten_is_missing_and_said_to_be():
    reader = PartReader(lambda job_id: "" if job_id == "job-1" else text(pub(1)), named)

    with pytest.raises(NotFound, match="no result of job job-1"):
        merged(reader, "DD")
    partial = merged(reader, "DD", partial=True)
    assert [one.success for one in partial.results] == [True, False]
    assert "job-1" in partial.results[1].status


def test_a_result_that_can_be_read_only_once_stays_known():
    left = {"job-0": text(pub(1)), "job-1": text(pub(2))}
    reader = PartReader(lambda job_id: left.pop(job_id, ""), named)
    first = merged(reader, "DD")

    assert left == {}
    assert merged(reader, "DD", refresh=True).get_counts() == first.get_counts() == [{"01": 1}, {"10": 1}]


def test_a_result_that_can_be_read_only_once_is_not_lost_when_decoding_it_fails_once(monkeypatch):
    decode, failures = reading.decode, [SystemError("AST constructor recursion depth mismatch")]

    def fails_once(found):
        if failures:
            raise failures.pop()
        return decode(found)

    monkeypatch.setattr(reading, "decode", fails_once)
    left = {"job-0": text(pub(1))}
    reader = PartReader(lambda job_id: left.pop(job_id, ""), named)
    snapshot = CompositeSnapshot("whole", (part("D", private=True),))
    with pytest.raises(ApiError, match="cannot be read"):
        reader.merged(snapshot, kind="run", date=None)

    assert left == {}
    assert reader.merged(snapshot, kind="run", date=None).get_counts() == {"01": 1}


@pytest.mark.parametrize("answer", ["{", "[1]", "{}", text(pub(0), pub(0))])
def test_an_answer_that_is_no_result_is_one_sentence(answer):
    with pytest.raises(ApiError, match="The result of job job-0 cannot be read") as caught:
        merged(PartReader(lambda job_id: answer, named), "D")
    assert "\n" not in str(caught.value)


def test_a_client_may_give_values_instead_of_texts():
    direct = AerSimulator().run([coin("a")], shots=5, seed_simulator=1).result()
    runs = merged(PartReader(lambda job_id: direct, unknown), "DD")
    samples = merged(PartReader(lambda job_id: PrimitiveResult([pub(1)]), unknown), "DD", "primitive")

    assert isinstance(runs, Result)
    assert runs.get_counts() == [direct.get_counts()] * 2
    assert [one.data.meas.get_counts() for one in samples] == [{"01": 1}] * 2


def test_metadata_that_differ_are_kept_for_each_part():
    answers = {"job-0": text(pub(1), version=2, took=1), "job-1": text(pub(1), version=2, took=2)}
    alike = merged(PartReader(lambda job_id: answers["job-0"], named), "DD", "primitive")
    differ = merged(PartReader(answers.__getitem__, named), "DD", "primitive")

    assert alike.metadata == {"version": 2, "took": 1}
    assert differ.metadata == {
        "version": 2,
        "parts": [{"version": 2, "took": 1}, {"version": 2, "took": 2}],
    }


def test_merging_takes_little_more_memory_than_its_result():
    answer = text(*[pub(*range(4))] * 40)
    headers = PartHeaders([CircuitHeader("circuit", (("meas", 2),))] * 40)
    reader = PartReader(lambda job_id: answer, lambda index, fetch: headers)
    merged(reader, "D")  # imports what is imported late
    tracemalloc.start()
    result = merged(reader, "D" * 60, refresh=True)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(result.results) == 60 * 40
    assert peak < 1.5 * kept
