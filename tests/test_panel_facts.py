"""What panels ask of jobs: which circuits a part has, calibration and allowance, and selections of parts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import SamplerV2

import qjob_widgets as qj
from qjob_widgets.errors import InvalidInput, NotFound, Unreachable
from qjob_widgets.jobs.sending.journal import Journal
from qjob_widgets.jobs.sending.journal_file import CIRCUITS_DAYS, JournalFile, opened
from qjob_widgets.jobs.sending.kept_circuits import LOOK_AGAIN, KeptCircuits, keep
from qjob_widgets.jobs.sending.ledger import Ledger
from qjob_widgets.jobs.service import JobService
from qjob_widgets.jobs.standing import KEPT, BackendStanding, ServiceStanding, Standing
from qjob_widgets.monitor.described import described, known_circuits, label
from qjob_widgets.status import Status
from qjob_widgets.tags import Place
from tests.local_support import until
from tests.support import Clock, part

WAIT = 60


def ansatz(name="ansatz", **metadata):
    circuit = QuantumCircuit(1, name=name, metadata=metadata)
    circuit.rx(Parameter("theta"), 0)
    circuit.rz(Parameter("phi"), 0)
    circuit.measure_all()
    return circuit


def bound(name, **metadata):
    circuit = QuantumCircuit(1, name=name, metadata=metadata)
    circuit.measure_all()
    return circuit


# ---- which circuits


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], ""),
        ([bound("bell")], "bell"),
        ([bound("circuit-12")], ""),
        ([bound("circuit-12-345", theta=1)] * 2, "theta=1 and 1 more"),
        ([bound("bell", theta=n / 4) for n in range(5)], "bell theta=0 … theta=1 (5)"),
        (
            [bound(f"point-{n}", theta=n) for n in range(1200)],
            "point-0 theta=0 … point-1199 theta=1199 (1,200)",
        ),
        ([bound("bell", matrix=np.eye(2))], "bell matrix=[[1. 0.] [0. 1.]]"),
        ([bound("bell", theta=0.1234567, point=3)], "bell theta=0.123457, point=3"),
        ([bound("bell", qjob={"header": {}}, tag="x")] * 10, "bell tag=x and 9 more"),
        ([SamplerPub.coerce((ansatz(), [1.5, 0.25]))], "ansatz phi=1.5, theta=0.25"),
        (
            [SamplerPub.coerce((ansatz(), np.linspace(0, 1, 12).reshape(2, 3, 2)))],
            "ansatz phi=0 to 0.909091 (6 values), theta=0.0909091 to 1 (6 values)",
        ),
        ([(ansatz(), [1.5, 0.25])], "ansatz phi=1.5, theta=0.25"),
        ([(ansatz(), "no values")], "ansatz"),
        ([(bound("bell"), None)], "bell"),
        ([bound("n" * 500)] * 1000, "n" * 66 + "… and 999 more"),
    ],
)
def test_a_label_is_the_first_circuit_with_its_values(items, text):
    assert label(items) == text
    assert len(text) <= 80


def test_circuits_of_estimators_have_their_values_too():
    pub = EstimatorPub.coerce((ansatz().remove_final_measurements(inplace=False), SparsePauliOp("Z"), [1, 2]))

    assert dict(described([pub])[0].parameters) == {"phi": "1", "theta": "2"}


def test_at_most_a_hundred_circuits_are_described():
    found = described([bound(f"c{n}", complicated=[1, 2], number=1 + 2j) for n in range(300)])

    assert len(found) == 100
    assert str(found[7]) == "c7 complicated=[1, 2], number=1+2j"


def test_what_this_process_has_submitted_is_known_without_a_request(service, backend):
    job = backend.run([bound(f"point-{n}", theta=n) for n in range(4)], max_circuits_per_job=2)
    single = backend.run(bound("alone", theta=7))
    job.block_for_submit()
    service.clear_requests()

    assert [job.label(index) for index in range(2)] == [
        "point-0 theta=0 … point-1 theta=1 (2)",
        "point-2 theta=2 … point-3 theta=3 (2)",
    ]
    assert [str(one) for one in job.described(1)] == ["point-2 theta=2", "point-3 theta=3"]
    assert (single.label(0), str(single.described(0)[0])) == ("alone theta=7", "alone theta=7")
    assert not [record for record in service.requests if record.path.startswith("/jobs/")]


def test_what_another_machine_submitted_is_asked_part_by_part_and_kept(service, api, backend, tmp_path):
    sent = backend.run([bound(f"point-{n}", theta=n) for n in range(2)], max_circuits_per_job=1)
    sent.block_for_submit()
    elsewhere = JobService(api.client, journal=Journal("elsewhere", tmp_path / "journal.sqlite3"))
    job = elsewhere.job(sent.job_id())
    single = elsewhere.job(sent.snapshot.parts[0].job_id)
    before = [job.label(0), job.label(1), single.label(0)]
    service.clear_requests()
    told = [str(one) for one in (*job.described(1), *job.described(1), *single.described(0))]

    assert before == ["", "", ""]
    assert told == ["point-1 theta=1", "point-1 theta=1", "point-0 theta=0"]
    assert [job.label(0), job.label(1), single.label(0)] == ["", "point-1 theta=1", "point-0 theta=0"]
    assert [record.path for record in service.requests if record.path.startswith("/jobs/")] == [
        f"/jobs/{sent.snapshot.parts[1].job_id}",
        f"/jobs/{sent.snapshot.parts[0].job_id}",
    ]


def test_what_this_machine_submitted_is_known_tomorrow_without_a_request(service, api, backend):
    sent = backend.run([bound(f"point-{n}", theta=n) for n in range(4)], max_circuits_per_job=2)
    alone = backend.run(bound("alone", theta=7))
    sent.block_for_submit()
    sent.result()
    job, part = api.job(sent.job_id()), api.job(sent.snapshot.parts[1].job_id)
    single = api.job(alone.job_id())
    service.clear_requests()

    labels = ["point-0 theta=0 … point-1 theta=1 (2)", "point-2 theta=2 … point-3 theta=3 (2)"]
    assert [job.label(0), job.label(1)] == labels
    assert (part.label(0), single.label(0)) == (labels[1], "alone theta=7")
    assert [str(one) for one in job.described(1)] == ["point-2 theta=2", "point-3 theta=3"]
    assert [str(one) for one in single.described(0)] == ["alone theta=7"]
    assert not [record for record in service.requests if record.path.startswith("/jobs/")]


def test_of_private_jobs_nothing_is_kept(api, backend):
    sent = backend.run([bound("secret", theta=n) for n in range(2)], max_circuits_per_job=1, private=True)
    alone = backend.run(bound("secret"), private=True)
    sent.block_for_submit()

    assert sent.label(0) == "secret theta=0"
    assert (api.job(sent.job_id()).label(0), api.job(alone.job_id()).label(0)) == ("", "")


def test_names_that_are_no_text_do_not_keep_a_job_from_being_sent(api, backend, tmp_path):
    half = backend.run([bound("half \ud800", tag="\ud800")] * 2, max_circuits_per_job=1)
    half.wait_for_final_state(timeout=WAIT)
    kept = Journal("here", tmp_path / "journal.sqlite3").circuits
    kept.keep("id", 0, known_circuits([bound("half \ud800", tag="\ud800")]))

    assert "surrogates not allowed" in half.error_message()  # Qiskit cannot send it; that is what is told
    assert kept.label("id", 0, single=True) == "half ? tag=?"
    assert kept.parts("id")[0].described[0].name == "half \ud800"


def test_labels_that_another_process_writes_are_found(tmp_path):
    clock = Clock()
    file = opened(tmp_path / "journal.sqlite3")
    ours, theirs = KeptCircuits("here", file, clock=clock), KeptCircuits("here", file)
    before = ours.label("id", 3, single=False)
    theirs.keep("id", 3, known_circuits([bound("late")]))
    theirs.keep("alone", 0, known_circuits([bound("single")]))
    theirs.keep("id", 3, known_circuits([bound("never twice")]))
    clock.now += LOOK_AGAIN

    assert before == ""
    assert (ours.label("id", 3, single=False), ours.label("alone", 0, single=True)) == ("late", "single")
    assert KeptCircuits("elsewhere", file).label("id", 3, single=False) == ""


def test_labels_go_after_ninety_days_and_not_before(tmp_path, monkeypatch):
    path = tmp_path / "journal.sqlite3"
    JournalFile(path).do(lambda sql: keep(sql, ("here", "id"), 0, known_circuits([bound("old")])), make=True)
    now = time.time()
    for days, text in ((CIRCUITS_DAYS - 1, "old"), (CIRCUITS_DAYS + 1, "")):
        monkeypatch.setattr(time, "time", lambda days=days: now + days * 86_400)
        assert KeptCircuits("here", JournalFile(path)).label("id", 0, single=False) == text


def test_labels_are_saved_with_a_job(service, api, backend, tmp_path):
    job = backend.run([bound(f"point-{n}", theta=n) for n in range(4)], max_circuits_per_job=2)
    single = backend.run(bound("alone", theta=7))
    job.wait_for_final_state(timeout=WAIT)
    elsewhere = JobService(api.client, journal=Journal("elsewhere", tmp_path / "journal.sqlite3"))
    for each in (job, api.job(job.job_id()), single, elsewhere.job(single.job_id())):
        each.save(tmp_path / "saved.qjob")
        saved = qj.load(tmp_path / "saved.qjob")
        last = len(saved.snapshot.parts) - 1

        assert saved.label(last) == ("point-2 theta=2 … point-3 theta=3 (2)" if last else "alone theta=7")
        assert str(saved.described(last)[-1]) == ("point-3 theta=3" if last else "alone theta=7")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_parameter_values_of_a_primitives_job_are_read_from_the_service(service, api):
    client = service.runtime_service()
    sampler = SamplerV2(mode=client.backend("local_simulator"))
    sent = sampler.run([(ansatz(), [0.5, 0.25]), (ansatz("sweep"), np.linspace(0, 1, 8).reshape(4, 2))])
    job = api.job(sent.job_id())

    assert [str(one) for one in job.described(0)] == [
        "ansatz phi=0.5, theta=0.25",
        "sweep phi=0 to 0.857143 (4 values), theta=0.142857 to 1 (4 values)",
    ]


def test_jobs_of_primitives_of_this_process_are_described_by_their_pubs():
    pubs = [(ansatz(), [n, 2 * n]) for n in range(3)]
    job = qj.submit(StatevectorSampler(), pubs, per_job=2)
    circuit = ansatz().remove_final_measurements(inplace=False)
    other = qj.submit(StatevectorEstimator(), [(circuit, SparsePauliOp("Z"), [0.5, 1])])

    assert job.label(0) == "ansatz phi=0, theta=0 … phi=1, theta=2 (2)"
    assert other.label(0) == "ansatz phi=0.5, theta=1"
    for each in (job, other):
        each.wait_for_final_state(timeout=WAIT)


# ---- calibration and allowance


@dataclass
class Client:
    """Answers what a service tells, and counts how often it is asked."""

    usage: object = field(default_factory=dict)
    properties: object = None
    asked: list[str] = field(default_factory=list)

    def fetch_usage(self):
        self.asked.append("usage")
        if isinstance(self.usage, Exception):
            raise self.usage
        return self.usage

    def fetch_properties(self, name):
        self.asked.append(name)
        if isinstance(self.properties, Exception):
            raise self.properties
        return self.properties


def test_standing_is_asked_once_in_five_minutes():
    clock = Clock()
    usage = {"usage_limit_seconds": 600, "usage_allocation_seconds": 100, "usage_consumed_seconds": 40}
    client = Client(usage, {"last_update_date": "2026-11-20T12:00:00.000Z"})
    standing = ServiceStanding(client, clock=clock)
    before = standing.known("manila")
    for _ in range(5):
        found = standing.ask("manila")

    assert before == Standing()
    assert found == Standing(datetime(2026, 11, 20, 12, tzinfo=timezone.utc), 60.0, 100.0)
    assert client.asked == ["manila", "usage"]
    clock.now += KEPT
    standing.ask("manila")
    assert client.asked == ["manila", "usage"] * 2


@pytest.mark.parametrize("trouble", [NotFound("no calibration"), Unreachable("No answer.")])
def test_what_a_service_does_not_tell_stays_unknown_and_is_not_asked_again_at_once(trouble):
    client = Client(trouble, trouble)
    standing = ServiceStanding(client, clock=Clock())

    assert standing.ask("manila") == standing.ask("manila") == Standing()
    assert client.asked == ["manila", "usage"]
    assert ServiceStanding(Client(), clock=Clock()).ask("") == Standing()


def test_an_instance_that_has_used_up_its_limit_has_nothing_left():
    client = Client({"usage_limit_reached": True, "usage_limit_seconds": 600})

    assert ServiceStanding(client, clock=Clock()).ask("") == Standing(None, 0.0, 600.0)


def test_a_backend_of_another_library_tells_its_own_calibration():
    moment = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
    told = SimpleNamespace(properties=lambda: SimpleNamespace(last_update_date=moment))

    assert BackendStanding(told).ask("theirs").calibrated == moment
    for silent in (None, SimpleNamespace(), SimpleNamespace(properties=lambda: 1 / 0)):
        assert BackendStanding(silent).ask("theirs") == Standing()


def test_a_backend_that_was_fetched_has_told_its_calibration(service, api):
    backend = api.backend("local_manila")
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    job = backend.run(circuit)
    service.clear_requests()

    assert job.standing.calibrated is not None
    assert [record.path for record in service.requests if not record.path.startswith("/jobs")] == []
    assert api.job(job.job_id()).fetch_standing().calibrated == job.standing.calibrated


# ---- selections


def test_only_chosen_parts_are_cancelled_and_sent_again(service, backend):
    service.faults.hold("Queued")
    job = backend.run([bound(f"c{n}") for n in range(5)], max_circuits_per_job=1)
    job.block_for_submit()
    cancelled = job.cancel(parts=[1, 3])
    job.refresh()
    after = states(job)
    again = job.cancel(parts=[1])
    job.cancel(parts=[4])
    job.refresh()
    job.rerun_failed(parts=[0, 1, 4])
    job.block_for_submit()
    job.refresh()

    assert (cancelled, again) == (True, False)
    assert after == "QCQCQ"
    assert states(job) == "QQQCQ"
    assert [part.attempt for part in job.snapshot.parts] == [1, 2, 1, 1, 2]
    service.faults.release()
    job.wait_for_final_state(timeout=WAIT)
    assert states(job) == "DDDCD"


def states(job):
    return "".join(part.status.name[0] for part in job.snapshot.parts)


@pytest.mark.parametrize("parts", [[5], [-1], [True], ["0"], "01", 3, [None]])
def test_parts_that_are_not_there_are_refused_and_nothing_is_done(service, backend, parts):
    service.faults.hold("Queued")
    job = backend.run([bound(f"c{n}") for n in range(2)], max_circuits_per_job=1)
    job.block_for_submit()

    for act in (job.cancel, job.rerun_failed):
        with pytest.raises(InvalidInput, match="parts"):
            act(parts=parts)
    job.refresh()
    assert states(job) == "QQ"
    job.cancel()


def test_the_paced_queue_can_be_stopped_and_what_was_not_sent_is_sent_later(service, backend):
    circuits = [bound(f"c{n}") for n in range(4)]
    service.clear_requests()
    held = service.faults.http("POST /jobs", status=429, times=100, retry_after=30)
    job = backend.run(circuits, max_circuits_per_job=1)
    until(lambda: held.count)
    stopped = job.stop_sending()
    held.clear()

    assert stopped == 4
    assert states(job) == "CCCC"
    assert job.stop_sending() == 0
    job.rerun_failed()
    job.wait_for_final_state(timeout=WAIT)
    assert [part.status for part in job.snapshot.parts] == [Status.DONE] * 4
    assert [record.path for record in service.requests if record.path.endswith("/cancel")] == []


def test_facts_that_say_the_same_stay_the_same_objects():
    """Columns compare by identity: a list of thousands that wait must not be read as thousands of changes."""
    ledger = Ledger("whole", [Place(index, 3, index, index) for index in range(3)])
    ledger.absorb([part("Q", index, 3, size=1) for index in range(3)])
    before = ledger.snapshot
    ledger.absorb([part("R" if index == 1 else "Q", index, 3, size=1) for index in range(3)])

    same = [old is new for old, new in zip(before.parts, ledger.snapshot.parts, strict=True)]
    assert same == [True, False, True]


class Unspeakable:
    def __str__(self):
        raise RuntimeError("no text")


def test_what_users_write_into_circuits_never_keeps_a_panel_from_being_shown(backend):
    job = backend.run(bound("odd", point=1))
    job._submitted.circuits[0].metadata["odd"] = Unspeakable()
    panel = qj.JobPanel(job)

    assert panel.meta["labels"] is None
    assert panel.meta["id"] == job.job_id()
    panel.close()
