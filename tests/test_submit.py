"""`submit()`: composites over the real primitives and backends of Qiskit, Aer and the runtime client."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.primitives import (
    BackendEstimatorV2,
    BackendSamplerV2,
    BaseSamplerV2,
    PrimitiveResult,
    StatevectorEstimator,
    StatevectorSampler,
)
from qiskit.primitives.primitive_job import PrimitiveJob
from qiskit.providers import BackendV2, JobStatus, JobV1, Options
from qiskit.quantum_info import SparsePauliOp
from qiskit.result import Result
from qiskit_aer import AerSimulator
from qiskit_aer.jobs import utils as aer_jobs
from qiskit_aer.jobs.aerjob import AerJob
from qiskit_aer.primitives import EstimatorV2 as AerEstimator
from qiskit_aer.primitives import SamplerV2 as AerSampler

import qjob_widgets as qj
from qjob_widgets import tags
from qjob_widgets.errors import InvalidInput
from qjob_widgets.jobs.foreign import PrimitiveClient

WAIT = 60
ZZ = SparsePauliOp("ZZ")


def rotated(angle: float) -> QuantumCircuit:
    circuit = QuantumCircuit(2, name=f"rotated {angle}")
    circuit.ry(angle, 0)
    circuit.cx(0, 1)
    return circuit


def measured(angle: float) -> QuantumCircuit:
    circuit = rotated(angle)
    circuit.measure_all()
    return circuit


ANGLES = [0.3 * index for index in range(7)]


def runtime(name: str) -> Callable[[], object]:
    def make() -> object:
        import qiskit_ibm_runtime

        return getattr(qiskit_ibm_runtime, name)(mode=AerSimulator(seed_simulator=5))

    return make


# ---- results


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Options:UserWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda: StatevectorSampler(seed=1),
        lambda: BackendSamplerV2(backend=AerSimulator(seed_simulator=5)),
        lambda: AerSampler(seed=3),
        runtime("SamplerV2"),
    ],
    ids=["Statevector", "Backend", "Aer", "runtime"],
)
def test_samplers_give_one_primitive_result_in_pub_order(make: Callable[[], object]):
    flipped = [QuantumCircuit(2), QuantumCircuit(2)]
    flipped[1].x(0)
    for circuit in flipped:
        circuit.measure_all()
    work = [flipped[index % 2] for index in range(7)]
    job = qj.submit(make(), work, per_job=3, name="sweep", tags=["vqe"])
    result = job.result(timeout=WAIT)

    assert isinstance(job, qj.CompositeJob)
    assert isinstance(result, PrimitiveResult)
    counts = [list(pub.data.meas.get_counts()) for pub in result]
    assert counts == [["00"], ["01"], ["00"], ["01"], ["00"], ["01"], ["00"]]
    assert (job.name(), job.tags(), job.status()) == ("sweep", ["vqe"], JobStatus.DONE)
    assert [len(own.result()) for own in job.sub_jobs()] == [3, 3, 1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Options:UserWarning")
@pytest.mark.parametrize(
    "make",
    [
        StatevectorEstimator,
        lambda: BackendEstimatorV2(backend=AerSimulator()),
        AerEstimator,
        runtime("EstimatorV2"),
    ],
    ids=["Statevector", "Backend", "Aer", "runtime"],
)
def test_estimators_give_one_primitive_result_in_pub_order(make: Callable[[], object]):
    signs = [1, -1, 1, -1, 1]
    job = qj.submit(make(), [(rotated(0.3), sign * ZZ) for sign in signs], per_job=2)
    result = job.result(timeout=WAIT)

    assert [round(float(pub.data.evs)) for pub in result] == signs


def test_parameters_and_shots_of_pubs_and_options_of_run_are_kept():
    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    circuit.measure_all()
    pubs = [(circuit, [0.0], 5), (circuit, [[np.pi], [0.0]]), (circuit, {"angle": np.pi})]
    job = qj.submit(StatevectorSampler(), (pub for pub in pubs), per_job=1, shots=9)
    data = [pub.data.meas for pub in job.result(timeout=WAIT)]

    assert [each.num_shots for each in data] == [5, 9, 9]
    assert [each.get_counts() for each in data] == [{"0": 5}, {"1": 9, "0": 9}, {"1": 9}]


def test_a_backend_gives_one_result_that_does_not_depend_on_the_split():
    circuits = [measured(angle) for angle in ANGLES]
    backend = AerSimulator()
    direct = backend.run(circuits, shots=200, seed_simulator=11, memory=True).result()
    job = qj.submit(backend, circuits, per_job=3, shots=200, seed_simulator=11, memory=True)
    result = job.result(timeout=WAIT)

    assert isinstance(result, Result)
    assert result.get_counts() == direct.get_counts()
    assert [result.get_memory(index) for index in range(7)] == [direct.get_memory(i) for i in range(7)]
    assert result.get_counts("rotated 0.3") == direct.get_counts("rotated 0.3")
    assert all(isinstance(own, AerJob) for own in job.sub_jobs())
    assert job.backend() is backend
    assert job.sub_job(3) is job.sub_jobs()[1]


def test_a_backend_of_a_service_sends_a_composite_as_run_does():
    with qj.LocalService() as service:
        backend = service.connect().backend("local_simulator")
        job = qj.submit(backend, [measured(0.0)] * 3, per_job=2, name="mine", tags=["vqe"], shots=8)
        whole = qj.submit(backend, [measured(0.0)], name="one", shots=8)

        assert job.result(timeout=WAIT).get_counts() == [{"00": 8}] * 3
        assert (job.name(), job.tags(), len(job.sub_jobs())) == ("mine", ["vqe"], 2)
        assert whole.result(timeout=WAIT).get_counts() == {"00": 8}
        assert isinstance(whole, qj.CompositeJob)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_primitive_of_the_runtime_client_over_http(monkeypatch):
    with qj.LocalService() as service:
        for name, value in service.environ().items():
            monkeypatch.setenv(name, value)
        from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2

        service.faults.job("*", status="Failed", reason="a cosmic ray")
        sampler = SamplerV2(mode=QiskitRuntimeService().backend("local_simulator"))
        job = qj.submit(sampler, [measured(0.0)] * 3, per_job=1, name="sweep", tags=["vqe"], shots=8)
        job.wait_for_final_state(timeout=WAIT)

        assert "a cosmic ray" in job.error_message()
        assert [part.status.name for part in job.snapshot.parts].count("ERROR") == 1
        job.rerun_failed()
        assert [pub.data.meas.get_counts() for pub in job.result(timeout=WAIT)] == [{"00": 8}] * 3
        assert sorted(part.attempt for part in job.snapshot.parts) == [1, 1, 2]

        # Its jobs carry the composite's tags, so that another kernel finds it at the service.
        found = service.connect().job(job.job_id())
        assert (found.name(), found.tags()) == ("sweep", ["vqe"])
        assert [pub.data.meas.get_counts() for pub in found.result(timeout=WAIT)] == [{"00": 8}] * 3


# ---- failures, reruns, cancel


class Scripted(BaseSamplerV2):
    """A sampler that keeps what it is asked, and does for each run what its script says."""

    def __init__(self, *script: Callable[[], object]) -> None:
        self.script = deque(script)
        self.runs: list[int] = []
        self.sampler = StatevectorSampler(seed=1)

    def run(self, pubs, *, shots=None):
        self.runs.append(len(pubs))
        action = self.script.popleft() if self.script else None
        if isinstance(action, Exception):
            raise action
        if action is None:
            return self.sampler.run(pubs, shots=shots)
        job = PrimitiveJob(lambda: action() or self.sampler.run(pubs, shots=shots).result())
        job._submit()
        return job


def fails():
    raise ValueError("the laser is off")


def test_only_what_failed_is_run_again_and_results_keep_their_place():
    sampler = Scripted(None, fails, RuntimeError("the queue is full"), None)
    job = qj.submit(sampler, [measured(0.0)] * 4, per_job=1, shots=5)
    job.wait_for_final_state(timeout=WAIT)

    assert job.error_message().splitlines() == [
        f"Circuits 1-1: Job {job.snapshot.parts[1].job_id} failed: ValueError: the laser is off",
        "Circuits 2-2: Job submit failed: Not submitted: RuntimeError: the queue is full",
    ]
    with pytest.raises(qj.IBMJobFailureError, match="the laser is off"):
        job.result()
    partial = job.result(partial=True)
    assert [pub.metadata.get("success", True) for pub in partial] == [True, False, False, True]

    job.rerun_failed()
    assert [pub.data.meas.get_counts() for pub in job.result(timeout=WAIT)] == [{"00": 5}] * 4
    assert sampler.runs == [1] * 6
    assert [part.attempt for part in job.snapshot.parts] == [1, 2, 1, 1]
    assert job.error_message() is None


def test_a_failed_simulation_can_be_run_again():
    circuit = QuantumCircuit(60)
    circuit.t(range(60))
    circuit.h(range(60))
    circuit.measure_all()
    job = qj.submit(AerSimulator(method="statevector"), [measured(0.0), circuit], per_job=1, shots=4)
    job.wait_for_final_state(timeout=WAIT)

    assert [part.status.name for part in job.snapshot.parts] == ["DONE", "ERROR"]
    assert "memory" in job.error_message()
    partial = job.result(partial=True)
    assert partial.get_counts(0) == {"00": 4}
    assert not partial.results[1].success
    first = job.snapshot.parts[1].job_id
    job.rerun_failed()
    job.wait_for_final_state(timeout=WAIT)
    assert job.snapshot.parts[1].job_id != first


def test_cancel_stops_what_has_not_begun_and_a_rerun_runs_it():
    gate = threading.Event()
    sampler = Scripted(lambda: gate.wait(WAIT) and None)
    job = qj.submit(sampler, [measured(0.0)] * 3, per_job=1, shots=5)
    eventually(lambda: job.snapshot.parts[0].job_id)

    assert job.status() is JobStatus.INITIALIZING
    assert job.snapshot.sending == 2
    assert job.cancel() is False  # the first runs, and its future cannot be stopped
    gate.set()
    job.wait_for_final_state(timeout=WAIT)
    assert [part.status.name for part in job.snapshot.parts] == ["DONE", "CANCELLED", "CANCELLED"]
    assert sampler.runs == [1]
    job.rerun_failed()
    assert len(job.result(timeout=WAIT)) == 3


def test_parts_that_have_run_are_looked_at_no_more():
    looks = [0]

    class Counted(PrimitiveJob):
        """Counts who asks for its future."""

        @property
        def _future(self):
            looks[0] += 1
            return self.future

        @_future.setter
        def _future(self, future):
            self.future = future

    def run(place):
        job = Counted(lambda: place)
        job._submit()
        return job

    client, whole = PrimitiveClient(run, name="counted", at_once=1), tags.new_composite_id()
    for index in range(200):
        place = tags.Place(index, 200, index, index)
        ticket = {"tags": tags.write(tags.Identity(whole, place, "primitive"))}
        client.submit(json.dumps(ticket).encode(), str(index))

    assert looks[0] <= 200 * 5


@pytest.mark.parametrize("at_once", [1, 3])
def test_so_many_parts_run_at_once(at_once: int):
    lock, now, most = threading.Lock(), [0], [0]
    full, gate = threading.Event(), threading.Event()

    def counted():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] == at_once:
                full.set()
        assert gate.wait(WAIT)
        with lock:
            now[0] -= 1

    sampler = Scripted(*[counted] * 6)
    job = qj.submit(sampler, [measured(0.0)] * 6, per_job=1, at_once=at_once)
    assert full.wait(WAIT)
    gate.set()
    job.result(timeout=WAIT)

    assert most[0] == at_once


def test_jobs_of_aer_queue_themselves():
    gate = threading.Event()
    running = aer_jobs.DEFAULT_EXECUTOR.submit(gate.wait, WAIT)  # the one thread of all of Aer's jobs
    try:
        job = qj.submit(AerSimulator(), [measured(0.0)] * 3, per_job=1)
        job.block_for_submit()

        assert job.status() is JobStatus.QUEUED
        assert job.cancel() is True
        job.wait_for_final_state(timeout=WAIT)
        assert job.status() is JobStatus.CANCELLED
    finally:
        gate.set()
    assert running.result(WAIT)


class Remote(JobV1):
    """A job of a service that tags jobs and counts what it is asked."""

    def __init__(self, job_id: str, result: object) -> None:
        super().__init__(None, job_id)
        self.kept: list[str] = ["theirs"]
        self.found = result
        self.cancelled = False

    def submit(self):
        raise NotImplementedError

    def tags(self):
        return self.kept

    def update_tags(self, tags):
        self.kept = tags

    def status(self):
        return JobStatus.CANCELLED if self.cancelled else JobStatus.RUNNING

    def cancel(self):
        if self.cancelled:
            raise RuntimeError("it has ended")
        self.cancelled = True

    def result(self):
        return self.found


class Provider(BackendV2):
    """A backend of a service; its jobs run until they are cancelled."""

    def __init__(self, most: int | None = None, trouble: list[Exception] | None = None) -> None:
        super().__init__(name="theirs")
        self.most = most
        self.trouble = trouble or []
        self.make = Remote
        self.jobs: list[Remote] = []
        self.seeds: list[object] = []

    @property
    def target(self):
        raise NotImplementedError

    @property
    def max_circuits(self):
        return self.most

    @classmethod
    def _default_options(cls):
        return Options()

    def run(self, circuits, shots=10, seed_simulator=None):
        if self.trouble:
            raise self.trouble.pop(0)
        self.seeds.append(seed_simulator)
        self.jobs.append(self.make(f"remote-{len(self.jobs)}", None))
        return self.jobs[-1]


def test_jobs_of_a_service_are_all_sent_tagged_and_cancelled():
    backend = Provider(most=2)
    job = qj.submit(backend, [measured(0.0)] * 5, name="sweep", tags=["vqe"], seed_simulator=100)
    job.block_for_submit()

    assert job.status() is JobStatus.RUNNING
    assert backend.seeds == [100, 100 + 2 * 2113, 100 + 4 * 2113]
    assert all({job.job_id(), "vqe", "theirs"} <= set(each.kept) for each in backend.jobs)
    assert job.snapshot.backend == "theirs"
    backend.jobs[1].cancel()
    assert job.cancel() is False  # one had ended meanwhile, which does not stop the others
    assert all(each.cancelled for each in backend.jobs)
    job.wait_for_final_state(timeout=WAIT)
    assert job.status() is JobStatus.CANCELLED


def test_new_tags_reach_the_primitives_jobs():
    backend = Provider()
    job = qj.submit(backend, [measured(0.0)], tags=["old"])
    job.block_for_submit()
    job.update_tags(["new"])

    assert job.tags() == ["new"]
    assert {"new", "theirs", job.job_id()} <= set(backend.jobs[0].kept)
    assert "old" not in backend.jobs[0].kept
    job.cancel()


def test_a_part_that_cannot_be_asked_does_not_hide_the_others():
    backend = Provider()
    job = qj.submit(backend, [measured(0.0)] * 3, per_job=1)
    job.block_for_submit()

    def fails():
        raise OSError("no network")

    backend.jobs[1].status = fails
    with pytest.raises(qj.IBMJobApiError, match="status\\(\\) of job remote-1 failed: OSError: no network"):
        job.status()
    assert [part.status.name for part in job.snapshot.parts] == ["RUNNING", "QUEUED", "RUNNING"]
    del backend.jobs[1].status
    assert job.status() is JobStatus.RUNNING
    job.cancel()


def test_tags_that_a_library_refuses_are_a_warning(caplog):
    class Refuses(Remote):
        def update_tags(self, tags):
            raise ValueError("too many tags")

    backend = Provider()
    backend.make = Refuses
    job = qj.submit(backend, [measured(0.0)], tags=["vqe"])
    job.block_for_submit()

    assert "remote-0 keeps its own tags: ValueError: too many tags" in caplog.text
    assert job.tags() == ["vqe"]
    job.cancel()


class TooMany(Exception):
    status_code = 429


def test_a_service_that_asks_to_wait_is_waited_for(monkeypatch):
    monkeypatch.setattr("qjob_widgets.jobs.sending.submission.RATE_DELAY", 0.01)
    wrapped = RuntimeError("could not run")
    wrapped.__cause__ = TooMany("slow down")
    backend = Provider(trouble=[wrapped])
    job = qj.submit(backend, [measured(0.0)])
    job.block_for_submit()

    assert [part.job_id for part in job.snapshot.parts] == ["remote-0"]
    job.cancel()


def test_a_job_id_that_comes_twice_is_refused():
    sampler, kept = Scripted(), []
    sampler.run = lambda pubs, shots=None: kept.append(1) or kept_job
    kept_job = StatevectorSampler().run([measured(0.0)])
    job = qj.submit(sampler, [measured(0.0)] * 2, per_job=1)
    job.wait_for_final_state(timeout=WAIT)

    assert [part.status.name for part in job.snapshot.parts] == ["DONE", "ERROR"]
    assert f"gave the job id {kept_job.job_id()} twice" in job.error_message()


def test_the_documented_methods_work():
    job = qj.submit(StatevectorSampler(), [measured(0.0)] * 3, per_job=2, name="sweep")
    seen = []
    job.wait_for_final_state(
        timeout=WAIT, callback=lambda job_id, status, job, queue_info: seen.append(status)
    )

    assert all(isinstance(status, JobStatus) for status in seen)
    assert (job.done(), job.cancelled(), job.in_final_state()) == (True, False, True)
    assert (job.queue_info(), job.queue_position()) == (None, None)
    assert job.creation_date() is not None
    assert list(job.time_per_step())[-1] == "COMPLETED"
    assert "Circuits 2-2" in job.report()
    assert job.update_name("other") == "other"
    assert job.snapshot.backend == "StatevectorSampler"
    assert job.properties() is None
    with pytest.raises(InvalidInput, match="StatevectorSampler runs without a backend"):
        job.backend()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Options:UserWarning")
def test_calibrations_are_those_of_the_primitives_jobs():
    from qiskit_ibm_runtime import SamplerV2
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    backend = FakeManilaV2()
    circuit = transpile(measured(0.0), backend, optimization_level=0)
    job = qj.submit(SamplerV2(mode=backend), [circuit] * 2, per_job=1, shots=5)
    job.wait_for_final_state(timeout=WAIT)

    assert job.properties().last_update_date == backend.properties().last_update_date
    assert job.backend() is backend
    assert job.snapshot.backend == backend.name


def test_there_is_nothing_to_resume_in_this_process():
    job = qj.submit(StatevectorSampler(), [measured(0.0)] * 2, per_job=1)
    job.result(timeout=WAIT)

    assert (job.resume(), job.missing) == (0, [])


def test_a_script_that_ends_too_early_says_so():
    code = (
        "import qjob_widgets as qj\n"
        "from qiskit import QuantumCircuit\n"
        "from qiskit.primitives import StatevectorSampler\n"
        "circuit = QuantumCircuit(12); circuit.h(range(12)); circuit.measure_all()\n"
        "qj.submit(StatevectorSampler(), [circuit] * 50, per_job=1, shots=10_000)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=WAIT)

    assert ended.returncode == 0
    assert ended.stderr == (
        "qjob_widgets: the script ended before StatevectorSampler had run all parts; wait for result().\n"
    )


def test_parts_arrive_as_they_end():
    job = qj.submit(StatevectorSampler(), [measured(0.0)] * 3, per_job=1)

    assert {own.job_id() for own in job.as_completed(timeout=WAIT)} == {
        own.job_id() for own in job.sub_jobs()
    }


def test_a_panel_shows_it_with_all_buttons():
    job = qj.submit(StatevectorSampler(), [measured(0.0)] * 3, per_job=1, name="sweep")
    panel = qj.JobPanel(job)
    job.wait_for_final_state(timeout=WAIT)
    panel.publish()

    cannot = [name for name, able in panel.meta["can"].items() if not able]
    assert cannot == ["freeze"]  # there is no notebook here that could keep the static table
    assert panel.meta["labels"] == ["rotated 0.0"] * 3
    assert panel.summary["counts"]["DONE"] == 3
    panel.close()


# ---- refused before anything is run


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((7, [measured(0.0)]), {}, "int is neither a V2 primitive nor a BackendV2"),
        ((StatevectorSampler, [measured(0.0)]), {}, "the class StatevectorSampler is neither"),
        ((StatevectorSampler(), []), {}, "nothing to run"),
        ((StatevectorSampler(), "circuit"), {}, "Give a list of PUBs or circuits, not str"),
        ((StatevectorSampler(), 7), {}, "Give a list of PUBs or circuits, not int"),
        ((StatevectorSampler(), [measured(0.0), 7]), {}, "Item 1 is no PUB for the sampler"),
        ((StatevectorEstimator(), [measured(0.0)]), {}, "Item 0 is no PUB for the estimator"),
        ((AerSimulator(), [(measured(0.0),)]), {}, "Item 0 is no QuantumCircuit but tuple"),
        ((StatevectorSampler(), [measured(0.0)], 0), {}, "per_job=0 must be a whole number from 1 up"),
        ((StatevectorSampler(), [measured(0.0)], True), {}, "per_job=True"),
        ((StatevectorSampler(), [measured(0.0)]), {"at_once": 0}, "at_once=0"),
        ((StatevectorSampler(), [measured(0.0)]), {"shot": 10}, "unexpected keyword argument 'shot'"),
        ((AerSimulator(), [measured(0.0)]), {"seed_simulator": -1}, "seed_simulator=-1"),
        ((AerSimulator(), [measured(0.0)]), {"parameter_binds": []}, "parameter_binds cannot be split"),
        ((StatevectorSampler(), [measured(0.0)]), {"name": "x" * 51}, "at most 50"),
        ((StatevectorSampler(), [measured(0.0)]), {"tags": "vqe"}, "tags must be a list"),
        ((StatevectorSampler(), [measured(0.0)]), {"tags": list("abcdef")}, "6 tags are too many"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(arguments, options, sentence):
    with pytest.raises(InvalidInput, match=sentence) as caught:
        qj.submit(*arguments, **options)
    assert len(str(caught.value).splitlines()) == 1


def test_one_circuit_needs_no_list():
    assert len(qj.submit(StatevectorSampler(), measured(0.0)).result(timeout=WAIT)) == 1


def eventually(probe: Callable[[], object]) -> object:
    never = threading.Event()
    for _ in range(WAIT * 100):
        if found := probe():
            return found
        never.wait(0.01)
    raise AssertionError("it did not come true in time")
