"""Jobs over real HTTP against the local service: the contract of client and service."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
import time

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.exceptions import QiskitError
from qiskit.providers import JobStatus
from qiskit_aer import AerSimulator

import qjob_widgets as qj
from qjob_widgets.status import Status

WAIT = 60


def bell(angle: float = 1.0, name: str | None = None) -> QuantumCircuit:
    circuit = QuantumCircuit(2, name=name)
    circuit.ry(angle, 0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def bells(number: int) -> list[QuantumCircuit]:
    angles = random.Random(number)
    return [bell(angles.uniform(0, 3), name=f"bell {index}") for index in range(number)]


def eventually(probe, timeout: float = WAIT):
    deadline = time.monotonic() + timeout
    while not (found := probe()):
        assert time.monotonic() < deadline, "it did not come true in time"
        threading.Event().wait(0.02)
    return found


# ---- results


def test_counts_are_those_of_aer_however_the_circuits_are_split(backend):
    circuits = bells(12)
    direct = AerSimulator().run(circuits, shots=200, seed_simulator=7).result()
    split = backend.run(circuits, shots=200, max_circuits_per_job=5, seed_simulator=7)
    whole = backend.run(circuits, shots=200, seed_simulator=7)

    assert isinstance(split, qj.CompositeJob)
    assert isinstance(whole, qj.RuntimeJob)
    for job in (split, whole):
        result = job.result(timeout=WAIT)
        assert result.success
        assert [result.get_counts(index) for index in range(12)] == direct.get_counts()
        assert result.get_counts(circuits[3]) == direct.get_counts(3)


def test_registers_and_memory_are_those_of_aer(backend):
    quantum = QuantumRegister(3, "q")
    circuit = QuantumCircuit(quantum, ClassicalRegister(2, "first"), ClassicalRegister(1, "second"))
    circuit.h(quantum)
    circuit.measure(0, 0)
    circuit.measure(1, 2)
    circuit.measure(2, 1)
    direct = AerSimulator().run([circuit], shots=50, seed_simulator=3, memory=True).result()
    result = backend.run([circuit], shots=50, seed_simulator=3, memory=True).result(timeout=WAIT)

    assert result.get_counts() == direct.get_counts()
    assert result.get_memory() == direct.get_memory()


def test_a_retrieved_composite_is_the_same_job(api, backend):
    job = backend.run(bells(6), max_circuits_per_job=2, job_name="sweep", job_tags=["vqe"], seed_simulator=1)
    expected = job.result(timeout=WAIT)
    found = api.job(job.job_id())

    assert isinstance(found, qj.IBMCompositeJob)
    assert (found.name(), found.tags(), found.job_id()) == ("sweep", ["vqe"], job.job_id())
    assert found.result().get_counts() == expected.get_counts()
    assert found.backend().name == "local_simulator"
    assert found.creation_date() is not None


def test_a_retrieved_single_job_is_the_same_job(api, backend):
    job = backend.run(bells(2), job_name="one", job_tags=["vqe"])
    expected = job.result(timeout=WAIT)
    found = api.job(job.job_id())

    assert found.tags == ["vqe"]
    assert found.result().get_counts() == expected.get_counts()
    assert found.result().get_counts("bell 1") == expected.get_counts(1)


# ---- refused before anything is sent


@pytest.mark.parametrize(
    ("circuit", "words"),
    [
        (QuantumCircuit(1, 1, name="idle"), "'idle'.*measures nothing"),
        ("bell", "Give a QuantumCircuit"),
        ([], "Give a QuantumCircuit"),
        ([bell(), 7], "Item 1"),
    ],
)
def test_circuits_that_cannot_run_are_named(service, backend, circuit, words):
    before = len(service.requests)

    with pytest.raises(qj.InvalidInput, match=words):
        backend.run(circuit)
    assert len(service.requests) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shots": 0}, "shots=0"),
        ({"shots": 1.5}, "shots=1.5"),
        ({"seed_simulator": -1}, "seed_simulator=-1"),
        ({"max_circuits_per_job": 0}, "max_circuits_per_job=0"),
        ({"job_name": "x" * 51}, "51 characters"),
        ({"job_tags": ["a"] * 3 + list("bcdefg")}, "too many"),
    ],
)
def test_options_that_cannot_be_used_are_named(backend, options, words):
    with pytest.raises(qj.InvalidInput, match=words):
        backend.run(bells(2), **options)


def test_loose_bits_are_refused(backend):
    from qiskit.circuit import Clbit, Qubit

    loose = QuantumCircuit([Qubit(), Clbit()])
    loose.measure(0, 0)
    with pytest.raises(qj.InvalidInput, match="outside of registers"):
        backend.run(loose)


def test_a_device_refuses_foreign_circuits_here_or_there(api):
    device = api.backend("local_manila")
    foreign = QuantumCircuit(3, name="foreign")
    foreign.ccx(0, 1, 2)
    foreign.measure_all()

    with pytest.raises(qj.InvalidInput, match=r"'foreign'.*transpile\(circuits, backend\)"):
        device.run(foreign)
    job = device.run(foreign, check=False)
    with pytest.raises(qj.RuntimeJobFailureError, match="1517"):
        job.result(timeout=WAIT)
    assert device.run(transpile(foreign, device)).result(timeout=WAIT).success


def test_an_unknown_backend_names_those_that_are(api):
    with pytest.raises(qj.InvalidInput, match="local_manila"):
        api.backend("ibm_nowhere")


def test_unknown_jobs(api):
    with pytest.raises(qj.RuntimeJobNotFound):
        api.job("d57e7860d82774bca945")
    with pytest.raises(qj.IBMJobNotFoundError):
        api.job("ibm_composite_job_id_00ff_")


def test_a_wrong_token_is_one_sentence(service):
    from qjob_widgets.rest.client import ApiKey, RestClient, Transport

    stranger = qj.JobService(RestClient(Transport(service.api_url), ApiKey("wrong")))
    with pytest.raises(qj.IBMApiError, match="401") as caught:
        stranger.backends()
    assert "\n" not in str(caught.value)


# ---- watching


def test_twelve_parts_take_one_list_request_a_tick(service, backend):
    service.faults.hold("Queued")
    job = backend.run(bells(12), max_circuits_per_job=1)
    job.block_for_submit()
    service.clear_requests()
    ticks = 0
    asked = job.source.ask

    class Counting:
        pace = job.source.pace

        def ask(self, jobs):
            nonlocal ticks
            ticks += 1
            asked(jobs)

    counting = Counting()
    monitor = qj.Monitor()

    class Watched:
        source = counting
        job_id = staticmethod(job.job_id)
        absorb = staticmethod(job.absorb)

        @property
        def snapshot(self):
            return job.snapshot

    with monitor.watch(Watched()):
        eventually(lambda: ticks >= 3)
    monitor.close()
    requests = [record for record in service.requests if record.method == "GET"]

    assert ticks >= 3
    assert len(requests) == ticks
    assert {record.path for record in requests} == {"/jobs"}
    job.cancel()


def test_callback_on_changes_only_and_never_for_the_final_state(service, backend):
    service.faults.hold("Queued")
    job = backend.run(bells(4), max_circuits_per_job=1)
    job.block_for_submit()
    job.status()
    heard = []

    def told(job_id, status, its_job, *, queue_info):
        heard.append((status, queue_info.position if queue_info else None))
        assert its_job is job
        if len(heard) == 1:
            service.faults.release()

    job.wait_for_final_state(timeout=WAIT, callback=told)

    assert heard[0] == (JobStatus.QUEUED, 4)
    assert all(first != second for first, second in itertools.pairwise(heard))
    assert JobStatus.DONE not in [status for status, _ in heard]


def test_waiting_has_a_limit(service, backend):
    service.faults.hold("Queued")
    job = backend.run(bells(2), max_circuits_per_job=1)
    single = backend.run(bell())

    with pytest.raises(qj.IBMJobTimeoutError):
        job.wait_for_final_state(timeout=0.05)
    with pytest.raises(qj.RuntimeJobTimeoutError):
        single.wait_for_final_state(timeout=0.05)
    job.cancel()
    single.cancel()


def test_queue_positions_are_true(service, backend):
    service.faults.hold("Queued")
    job = backend.run(bells(3), max_circuits_per_job=1)
    job.block_for_submit()

    assert job.queue_info().position == 3
    assert job.queue_position() == 3
    assert [one.queue_info().position for one in job.sub_jobs()] == [1, 2, 3]
    service.faults.release()
    job.wait_for_final_state(timeout=WAIT)
    assert job.queue_info() is None
    assert job.queue_position(refresh=True) is None


# ---- failures, cancel, rerun


def test_failed_parts_are_reported_and_rerun_in_their_place(service, backend):
    circuits = bells(6)
    service.faults.job(1, status="Failed", reason="calibration interrupted", reason_code=1500)
    job = backend.run(circuits, shots=100, max_circuits_per_job=2, seed_simulator=5)

    with pytest.raises(
        qj.IBMJobFailureError, match=r"Circuits 2-3: Job .* failed: 1500 calibration interrupted"
    ):
        job.result(timeout=WAIT)
    report = job.report()
    assert "Total jobs: 3" in report
    assert "Failed jobs: 1" in report
    assert "Circuits 2-3:" in report
    partial = job.result(partial=True)
    assert [one.success for one in partial.results] == [True, True, False, False, True, True]
    with pytest.raises(QiskitError):
        partial.get_counts(2)

    first_ids = [part.job_id for part in job.snapshot.parts]
    job.rerun_failed()
    result = job.result(timeout=WAIT)
    direct = AerSimulator().run(circuits, shots=100, seed_simulator=5).result()
    assert result.get_counts() == direct.get_counts()
    assert [part.attempt for part in job.snapshot.parts] == [1, 2, 1]
    assert [part.job_id == first for part, first in zip(job.snapshot.parts, first_ids, strict=True)] == [
        True,
        False,
        True,
    ]
    assert job.error_message() is None


def test_a_retrieved_job_can_be_rerun(service, api, backend):
    service.faults.job(0, status="Failed", reason="bad luck")
    job = backend.run(bells(2), shots=100, max_circuits_per_job=1, seed_simulator=9)
    job.wait_for_final_state(timeout=WAIT)
    found = api.job(job.job_id())
    found.rerun_failed()

    direct = AerSimulator().run(bells(2), shots=100, seed_simulator=9).result()
    assert found.result(timeout=WAIT).get_counts() == direct.get_counts()
    assert found.snapshot.parts[0].attempt == 2


def test_cancel_goes_on_past_parts_that_have_ended_and_rerun_works_after_it(service, backend):
    job = backend.run(bells(3), max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)
    service.faults.hold("Queued")
    second = backend.run(bells(3), max_circuits_per_job=1)
    second.block_for_submit()

    assert job.cancel() is False
    assert second.cancel() is True
    assert second.status() is JobStatus.CANCELLED
    with pytest.raises(qj.IBMJobInvalidStateError, match="cancelled"):
        second.result()
    service.faults.release()
    second.rerun_failed()
    assert second.result(timeout=WAIT).success
    assert [part.attempt for part in second.snapshot.parts] == [2, 2, 2]


def test_two_reruns_at_once_send_once(service, backend):
    service.faults.job(0, status="Failed", reason="bad luck")
    job = backend.run(bells(2), max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)
    service.clear_requests()
    threads = [threading.Thread(target=job.rerun_failed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    job.wait_for_final_state(timeout=WAIT)

    assert sum(record.method == "POST" and record.path == "/jobs" for record in service.requests) == 1


def test_a_single_job_is_cancelled_once(service, backend):
    service.faults.hold("Queued")
    job = backend.run(bell())

    job.cancel()
    assert job.status() is JobStatus.CANCELLED
    with pytest.raises(qj.RuntimeInvalidStateError):
        job.cancel()
    with pytest.raises(qj.RuntimeInvalidStateError):
        job.result()


def test_what_is_not_supported_says_so(backend):
    with pytest.raises(NotImplementedError, match="run"):
        backend.run(bell()).submit()


def test_sub_jobs_are_found_by_circuit(backend):
    job = backend.run(bells(5), max_circuits_per_job=2)

    assert len(job.sub_jobs()) == 3
    found = job.sub_job(4)
    assert found is not None
    assert found.job_id() == job.sub_jobs()[2].job_id()
    for index in (-1, 5):
        with pytest.raises(qj.IBMJobInvalidStateError, match="0 to 4"):
            job.sub_job(index)


# ---- a service in trouble


def test_a_lost_answer_does_not_send_twice(service, backend):
    lost = service.faults.lose_answer("POST /jobs", times=2)
    job = backend.run(bells(4), max_circuits_per_job=1)
    assert job.result(timeout=WAIT).success
    single = backend.run(bell())
    listed = job.source.pages(tags=[job.job_id()])

    assert lost.count == 2
    assert len(list(listed)) == 4
    assert single.result(timeout=WAIT).success


def test_a_lost_answer_of_a_single_job_does_not_send_twice(service, backend):
    service.clear_requests()
    lost = service.faults.lose_answer("POST /jobs")
    assert backend.run(bell()).result(timeout=WAIT).success

    assert lost.count == 1
    assert sum(record.method == "POST" and record.path == "/jobs" for record in service.requests) == 1


@pytest.mark.parametrize("kind", ["http", "truncate", "close"])
def test_failed_polls_are_survived(service, backend, kind):
    service.faults.hold("Queued")
    job = backend.run(bells(2), max_circuits_per_job=1)
    job.block_for_submit()
    fault = getattr(service.faults, kind)("GET /jobs", times=2)
    service.faults.release()

    job.wait_for_final_state(timeout=WAIT)
    assert fault.count >= 1
    assert job.snapshot.status is Status.DONE
    fault.clear()


def test_a_refused_submission_is_a_failed_part(service, backend):
    service.faults.http("POST /jobs", status=400, times=1)
    job = backend.run(bells(2), max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)

    assert job.snapshot.parts[0].status is Status.ERROR
    assert "Circuits 0-0: Job submit failed: Not submitted" in (job.error_message() or "")
    assert job.sub_job(0) is None
    job.rerun_failed()
    assert job.result(timeout=WAIT).success


def test_a_service_that_is_gone_is_one_sentence(tmp_path):
    gone = qj.LocalService()
    api = gone.connect()
    backend = api.backend("local_simulator")
    gone.close()

    api.client._pause = lambda seconds: True
    with pytest.raises(qj.IBMApiError, match=r"No answer from 127\.0\.0\.1"):
        api.backends()
    assert backend.name == "local_simulator"


def test_a_cancel_that_cannot_be_sent_says_for_how_many(service, backend):
    service.faults.hold("Queued")
    job = backend.run(bells(3), max_circuits_per_job=1)
    job.block_for_submit()
    cut = service.faults.close("POST /jobs/{id}/cancel", times=100)
    patience, job._service.client._pause = job._service.client._pause, lambda seconds: True

    with pytest.raises(qj.IBMJobApiError, match="3 of 3 sub-jobs could not be cancelled: No answer"):
        job.cancel()
    assert cut.count == 1
    cut.clear()
    job._service.client._pause = patience
    assert job.cancel() is True


def test_a_script_that_ends_after_run_has_sent_everything(service, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from qiskit import QuantumCircuit\n"
        "from qjob_widgets.jobs.service import JobService\n"
        "from qjob_widgets.rest.client import ApiKey, RestClient, Transport\n"
        "import sys\n"
        "api = JobService(RestClient(Transport(sys.argv[1]), ApiKey(sys.argv[2])))\n"
        "circuit = QuantumCircuit(1)\n"
        "circuit.measure_all()\n"
        "job = api.backend('local_simulator').run([circuit] * 30, max_circuits_per_job=1)\n"
        "print(job.job_id())\n"
    )
    ended = subprocess.run(
        [sys.executable, str(script), service.api_url, service.token],
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=True,
    )

    job = service.connect().job(ended.stdout.strip())
    assert len(job.snapshot.parts) == 30
    job.cancel()


def test_connect_with_an_account_of_the_environment(service, monkeypatch):
    for name, value in service.environ().items():
        monkeypatch.setenv(name, value)
    api = qj.connect()

    assert "local_simulator" in api.backends()
    assert api.backend("local_simulator").run(bell()).result(timeout=WAIT).success
