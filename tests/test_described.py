"""Which circuits the rows of panels have, also of jobs that another machine or another library submitted."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime import EstimatorV2, SamplerV2

import qjob_widgets as qj
from qjob_widgets import JobPanel, JobService, JobTable
from qjob_widgets.jobs.sending.journal import Journal
from qjob_widgets.monitor.described import Described, known_circuits, label
from qjob_widgets.monitor.foreign import adapted
from qjob_widgets.tags import Place
from qjob_widgets.widgets.surroundings import ASKED_FOR, MOST_ASKED, Surroundings, _worker
from tests.local_support import until
from tests.support import Clock, MemoryJob, memory_job

WAIT = 60


def rotation(name: str = "ansatz", **metadata: object) -> QuantumCircuit:
    circuit = QuantumCircuit(1, name=name, metadata=metadata)
    circuit.rx(Parameter("theta"), 0)
    return circuit


def measured(name: str, **metadata: object) -> QuantumCircuit:
    circuit = QuantumCircuit(1, name=name, metadata=metadata)
    circuit.measure_all()
    return circuit


@pytest.fixture
def elsewhere(api, tmp_path) -> JobService:
    """The same service as another machine has it: with a journal that knows nothing."""
    return JobService(api.client, journal=Journal("elsewhere", tmp_path / "journal.sqlite3"))


@dataclass(eq=False)
class Asked(MemoryJob):
    """A job in memory whose circuits must be asked for, which takes a while."""

    clock: Clock = field(default_factory=Clock)
    takes: float = 0.0
    asked: list[int] = field(default_factory=list)
    known: dict[int, str] = field(default_factory=dict)

    def label(self, index: int) -> str:
        return self.known.get(index, "")

    def described(self, index: int) -> tuple[Described, ...]:
        self.asked.append(index)
        self.clock.now += self.takes
        if index % 7 == 6:
            raise RuntimeError("the service is away")
        self.known[index] = f"theta={index}"
        return (Described("", {"theta": str(index)}),)


def wondering(letters: str, reasons: str = "", **facts: object) -> tuple[Asked, list[int]]:
    """A job, and the rows of it that have been learned by wondering once."""
    made = memory_job(letters)
    parts = [
        replace(part, reason=reasons[index % len(reasons)] if reasons else None)
        for index, part in enumerate(made.snapshot.parts)
    ]
    job = Asked(replace(made.snapshot, parts=tuple(parts)), made.source, **facts)
    learned: list[int] = []
    surroundings = Surroundings(job, job.clock, lambda: None, learned.append)
    surroundings.labels()
    surroundings.wonder()
    surroundings.wonder()
    done: list[int] = []
    _worker.put(lambda: done.append(1))
    until(lambda: done)
    return job, learned


def test_only_failed_parts_are_asked_for_and_few_of_each_reason():
    job, learned = wondering("D" * 10 + "E" * 90, "aaaaaaaaab")

    assert len(job.asked) == MOST_ASKED == len(set(job.asked))
    assert min(job.asked) == 10
    said = Counter(job.snapshot.parts[index].reason for index in job.asked)
    assert said == {"a": 11, "b": 9}  # of the rare reason all that there are
    assert learned == [index for index in job.asked if index % 7 != 6]


def test_a_jobs_only_part_is_asked_for_and_what_is_known_is_not():
    assert wondering("Q")[0].asked == [0]
    assert wondering("Q", known={0: "bell"})[0].asked == []
    assert wondering("QQ")[0].asked == []


def test_a_service_that_is_slow_is_not_asked_on_and_on():
    job, _ = wondering("E" * 20, takes=ASKED_FOR / 2)

    assert len(job.asked) == 3


def test_failed_rows_of_another_machines_sweep_say_which_point_they_are(service, backend, elsewhere):
    for row in (1, 3):
        service.faults.job(row, reason="cold front")
    sent = backend.run([measured("sweep", theta=n / 40) for n in range(4)], max_circuits_per_job=1)
    sent.wait_for_final_state(timeout=WAIT)
    job = elsewhere.job(sent.job_id())
    service.clear_requests()
    with closing(JobPanel(job)) as panel:
        until(lambda: panel.meta["labels"] and all(panel.meta["labels"][row] for row in (1, 3)))

        assert panel.meta["labels"] == ["", "sweep theta=0.025", "", "sweep theta=0.075"]
        assert "sweep theta=0.025" in panel._bundle(job.snapshot)["text/plain"]
    asked = [record.path for record in service.requests if record.path.startswith("/jobs/")]
    assert sorted(asked) == sorted(f"/jobs/{sent.snapshot.parts[row].job_id}" for row in (1, 3))


def test_the_page_is_told_what_the_circuits_within_a_part_are(backend, api):
    sent = backend.run([measured("sweep", theta=n / 100) for n in range(30)], max_circuits_per_job=10)
    sent.wait_for_final_state(timeout=WAIT)
    for job in (sent, api.job(sent.job_id())):  # what this process knows, and what the journal does
        with closing(JobPanel(job)) as panel:
            until(lambda panel=panel: panel.meta["within"])
            assert panel.meta["labels"][1] == "sweep theta=0.1 … theta=0.19 (10)"
            assert panel.meta["within"][1].split() == [f"theta=0.{n}" for n in range(11, 19)]


def test_a_page_is_told_of_ten_thousand_circuits_at_most():
    parts = {0: known_circuits([measured("sweep", theta=n) for n in range(3)])}
    for last, told in ((9_999, True), (10_000, False)):
        made = memory_job("Q")
        place = Place(0, 1, 0, last)
        job = Asked(
            replace(made.snapshot, parts=(replace(made.snapshot.parts[0], place=place),)), made.source
        )
        job.known = {0: "sweep"}
        job.circuits_by_part = lambda: parts
        news: list[int] = []
        surroundings = Surroundings(job, job.clock, lambda news=news: news.append(1))
        surroundings.labels()
        done: list[int] = []
        _worker.put(lambda done=done: done.append(1))
        until(lambda done=done: done)
        assert list(surroundings.within) == (["theta=1"] if told else [])
        assert bool(news) is told


def test_rows_of_a_table_are_called_by_their_circuits_where_they_have_no_name(service, backend, api):
    named = backend.run(measured("bell", theta=0.5), job_name="named")
    single = backend.run(measured("bell", theta=0.5))
    composite = backend.run([measured("sweep", theta=n) for n in range(2)], max_circuits_per_job=1)
    composite.block_for_submit()
    for job in (named, single, composite):
        job.wait_for_final_state(timeout=WAIT)
    table = JobTable([api.job(job.job_id()) for job in (named, single, composite)])
    service.clear_requests()

    assert all(job.snapshot is job.snapshot for job in table.jobs)  # a table of thousands compares them
    assert table.meta["labels"] == ["named", "bell theta=0.5", ""]
    assert "bell theta=0.5" in table._bundle(table._job.snapshot)["text/plain"]
    table._on_message(None, {"op": "expand", "request": "r", "row": 2, "on": True}, [])
    until(lambda: table.details)
    assert table.details["2"]["meta"]["labels"] == ["sweep theta=0", "sweep theta=1"]
    assert not [record for record in service.requests if record.path.startswith("/jobs/")]
    table.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_jobs_of_the_unmodified_client_say_their_parameter_values(service):
    client = service.runtime_service()
    chosen = client.backend("local_simulator")
    circuit = rotation()
    sampled = circuit.copy(name="sampled")
    sampled.measure_all()
    first = SamplerV2(mode=chosen).run([(sampled, [0.025])])
    second = EstimatorV2(mode=chosen).run([(circuit, SparsePauliOp("Z"), [0.5])])
    service.clear_requests()
    for job, text in ((first, "sampled theta=0.025"), (second, "ansatz theta=0.5")):
        with closing(JobPanel(job)) as panel:
            assert panel._job.label(0) == ""
            until(lambda panel=panel: panel.meta["labels"])
            assert panel.meta["labels"] == [text]
            assert panel.meta["can"]["circuits"] is True
            assert [str(one) for one in panel._job.described(0)] == [text]


def test_jobs_of_this_process_are_described_without_being_asked():
    circuit, observable = rotation(), SparsePauliOp("Z")
    sampled = measured("sampled", theta=0.5)
    estimated = StatevectorEstimator().run([(circuit, observable, [0.25])])
    made = StatevectorSampler().run([sampled, sampled])
    simulated = AerSimulator().run([measured("aer", theta=n) for n in range(3)])
    jobs = [adapted(job) for job in (estimated, made, simulated)]

    assert [job.label(0) for job in jobs] == [
        "ansatz theta=0.25",
        "sampled theta=0.5 and 1 more",
        "aer theta=0 … theta=2 (3)",
    ]
    assert [len(job.described(0)) for job in jobs] == [1, 2, 3]
    for job in (estimated, made, simulated):
        job.result()


def test_a_job_that_tells_nothing_has_no_circuits_to_ask_for():
    class Silent:
        def job_id(self):
            return "silent"

        def status(self):
            return "QUEUED"

    class Broken(Silent):
        @property
        def inputs(self):
            raise RuntimeError("no inputs today")

    assert adapted(Silent()).described is None
    job = adapted(Broken())
    assert job.described(0) == ()
    assert job.label(0) == ""


def test_parts_of_a_primitives_composite_are_known():
    job = qj.submit(StatevectorSampler(), [measured("point", theta=n) for n in range(4)], per_job=2)

    assert job.label(1) == "point theta=2 … theta=3 (2)"
    assert label(job.circuits()) == "point theta=0 … theta=3 (4)"
