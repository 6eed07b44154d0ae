"""Jobs of other libraries, watched: the real classes, and a provider's job that is written here."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import BackendSamplerV2, StatevectorEstimator, StatevectorSampler
from qiskit.primitives.primitive_job import PrimitiveJob
from qiskit.providers import JobStatus, JobV1
from qiskit.quantum_info import SparsePauliOp
from qiskit.result import Result
from qiskit_aer import AerSimulator
from qiskit_aer.jobs.aerjob import AerJob

import qjob_widgets as qj
from qjob_widgets.errors import Conflict, InvalidInput, Unreachable
from qjob_widgets.events import JobEvent, PollFailed, WatchEnded
from qjob_widgets.monitor.foreign import adapted, cancel, moment
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.monitor.pool import Pool
from qjob_widgets.monitor.questions import AT_ONCE, LATE_AFTER, Questions
from qjob_widgets.monitor.watch import watch
from qjob_widgets.snapshot import JobSnapshot
from qjob_widgets.status import Status
from tests.support import Clock, part

WAIT = 60


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


class ProviderJob(JobV1):
    """A job of a provider that is not there: says what it is told to say, an exception being raised."""

    def __init__(self, *answers: object, job_id: str = "their-1", **abilities: object) -> None:
        super().__init__(None, job_id)
        self.answers = list(answers)
        self.asked = 0
        for name, ability in abilities.items():
            setattr(self, name, ability)

    def submit(self):
        raise NotImplementedError

    def result(self):
        raise NotImplementedError

    def status(self):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


class Bare:
    """The least that can be watched."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)

    def job_id(self) -> str:
        return "bare-1"

    def status(self) -> str:
        return self.words.pop(0) if len(self.words) > 1 else self.words[0]


def drained(job: object) -> tuple[list[str], list[object]]:
    """The states that a watch without a clock reports, and all events."""
    watched = adapted(job)
    events = list(watch(watched.source, lambda: [watched]))
    return [event.new.status.name for event in events if isinstance(event, JobEvent)], events


def looked(job: object) -> JobSnapshot:
    """What is known after one answer."""
    watched = adapted(job)
    wait_for(lambda: watched.source.ask([watched]))
    return watched.snapshot.parts[0]


def ended(job: object, timeout: float = WAIT) -> JobSnapshot:
    """What a monitor on its own thread knows when the job has ended."""
    monitor, done = Monitor(), threading.Event()
    with monitor.watch(job, lambda event: done.set() if isinstance(event, WatchEnded) else None):
        assert done.wait(timeout), adapted(job).snapshot
        snapshot = adapted(job).snapshot.parts[0]
    monitor.close()
    return snapshot


# ---- the real classes


@pytest.mark.parametrize(
    ("make", "backend"),
    [
        (lambda: AerSimulator().run(bell()), "aer_simulator"),
        (lambda: StatevectorSampler().run([bell()]), ""),
        (lambda: StatevectorEstimator().run([(QuantumCircuit(1), SparsePauliOp("Z"))]), ""),
        (lambda: BackendSamplerV2(backend=AerSimulator()).run([bell()]), ""),
    ],
)
def test_jobs_of_this_process_are_watched_to_their_end(make: Callable[[], object], backend: str):
    job = make()
    snapshot = ended(job)

    assert (snapshot.job_id, snapshot.status, snapshot.backend) == (job.job_id(), Status.DONE, backend)


def test_times_that_a_job_does_not_tell_are_when_they_were_seen():
    gate = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait, WAIT)
        job = waiting_primitive_job(executor, lambda: "result")
        before = datetime.now(timezone.utc)
        looked(job)
        gate.set()
        snapshot = ended(job)
    late = looked(ProviderJob(JobStatus.DONE))

    assert snapshot.times_seen
    assert before <= snapshot.finished <= datetime.now(timezone.utc)
    assert (late.finished, late.times_seen) == (None, False)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Options:UserWarning")
def test_local_testing_mode_of_the_runtime_client():
    from qiskit_ibm_runtime import SamplerV2

    job = SamplerV2(mode=AerSimulator()).run([bell()])
    snapshot = ended(job)

    assert (snapshot.status, snapshot.backend, snapshot.program) == (Status.DONE, "aer_simulator", "sampler")
    assert snapshot.created is not None
    assert abs(datetime.now(timezone.utc) - snapshot.created) < timedelta(minutes=5)


def waiting_primitive_job(executor: ThreadPoolExecutor, function: Callable[[], object]) -> PrimitiveJob:
    job = PrimitiveJob(function)
    job._future = executor.submit(function)
    return job


def test_a_primitive_job_that_has_not_begun_is_not_asked_for_its_status():
    """Its status() would say ERROR, and go on saying so."""
    gate = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait, WAIT)
        job = waiting_primitive_job(executor, lambda: "result")

        assert looked(job).status is Status.QUEUED
        gate.set()
        assert ended(job).status is Status.DONE
    assert job.status() is JobStatus.DONE


def test_a_primitive_job_that_keeps_a_wrong_error_is_seen_through():
    gate = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait, WAIT)
        job = waiting_primitive_job(executor, lambda: "result")
        assert job.status() is JobStatus.ERROR  # the trap itself

        assert looked(job).status is Status.QUEUED
        gate.set()
        assert ended(job).status is Status.DONE


def test_a_primitive_job_that_failed_says_why():
    def fails():
        raise ValueError("no such observable")

    with ThreadPoolExecutor(1) as executor:
        job = waiting_primitive_job(executor, fails)
        snapshot = ended(job)

    assert snapshot.status is Status.ERROR
    assert snapshot.reason == "ValueError: no such observable"


def test_an_aer_job_waits_as_it_says_itself_and_can_be_cancelled_until_it_runs():
    gate = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait, WAIT)
        job = AerJob(None, "aer-1", lambda *_: None, executor=executor)
        job.submit()

        assert looked(job).status.name == job.status().name == "INITIALIZING"
        adapted(job).cancel()
        assert looked(job).status is Status.CANCELLED
        gate.set()


def test_an_aer_job_whose_simulation_failed_is_no_success():
    job = AerSimulator(method="statevector").run(big_circuit())
    snapshot = ended(job)

    assert not job.result().success
    assert snapshot.status is Status.ERROR
    assert "memory" in snapshot.reason


def big_circuit() -> QuantumCircuit:
    """Needs more memory than there is."""
    circuit = QuantumCircuit(60)
    circuit.t(range(60))
    circuit.h(range(60))
    circuit.measure_all()
    return circuit


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_job_of_the_runtime_client_over_http(monkeypatch):
    with qj.LocalService() as service:
        for name, value in service.environ().items():
            monkeypatch.setenv(name, value)
        from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2
        from qiskit_ibm_runtime.exceptions import RuntimeInvalidStateError

        backend = QiskitRuntimeService().backend("local_simulator")
        sampler = SamplerV2(mode=backend)
        sampler.options.environment.job_tags = ["vqe"]
        job = sampler.run([bell()])
        snapshot = ended(job)

        assert (snapshot.status, snapshot.backend) == (Status.DONE, "local_simulator")
        assert adapted(job).snapshot.tags == ("vqe",)
        assert snapshot.running is not None
        assert not snapshot.times_seen
        with pytest.raises(RuntimeInvalidStateError, match="cannot be cancelled"):
            adapted(job).cancel()


# ---- what else there may be


def test_every_ability_that_there_is_is_used():
    created = datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=2)))
    job = ProviderJob(
        JobStatus.QUEUED,
        JobStatus.ERROR,
        name=lambda: "sweep",
        tags=lambda: ["vqe", "ibm_composite_job_x"],
        queue_position=lambda: 4,
        error_message=lambda: "calibration was lost",
        creation_date=created,
        backend=lambda: type("Backend", (), {"name": lambda self: "theirs"})(),
        cancel=lambda: True,
    )
    assert adapted(job).snapshot.name is None
    first = looked(job)

    assert adapted(job).snapshot.name == "sweep"
    assert (first.status, first.position, first.backend) == (Status.QUEUED, 4, "theirs")
    assert first.created == created
    assert first.created.utcoffset() == timedelta(0)
    assert adapted(job).snapshot.tags == ("vqe",)
    assert looked(job).why == "calibration was lost"


def test_an_ability_that_fails_is_not_there():
    def fails(*_):
        raise RuntimeError("not today")

    job = ProviderJob(
        JobStatus.QUEUED, queue_position=fails, tags=fails, backend=fails, creation_date="soon", metrics=3
    )
    snapshot = looked(job)

    assert snapshot == JobSnapshot("their-1", Status.QUEUED, "QUEUED")


@pytest.mark.parametrize("position", [None, "3", True, -1])
def test_a_queue_position_that_is_none_is_unknown(position):
    assert looked(ProviderJob(JobStatus.QUEUED, queue_position=lambda: position)).position is None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (JobStatus.RUNNING, Status.RUNNING),
        ("DONE", Status.DONE),
        ("Queued", Status.QUEUED),
        ("COMPLETED", Status.DONE),
        ("Completed - late", Status.DONE),
        ("Succeeded", Status.DONE),
        ("canceled", Status.CANCELLED),
        ("Executing", Status.RUNNING),
        ("validating", Status.VALIDATING),
        ("gone fishing", Status.INITIALIZING),
    ],
)
def test_words(said: object, status: Status):
    assert looked(ProviderJob(said)).status is status


def test_an_unknown_word_is_kept():
    assert looked(Bare("gone fishing")).word == "gone fishing"


@pytest.mark.parametrize(
    ("ability", "status"),
    [("done", Status.DONE), ("cancelled", Status.CANCELLED), ("running", Status.RUNNING)],
)
def test_a_status_of_a_form_of_its_own_is_read_by_the_methods(ability: str, status: Status):
    job = Bare("{phase: 7}")
    setattr(job, ability, lambda: True)

    assert looked(job).status is status


def test_the_first_error_is_asked_again():
    starting = ProviderJob(JobStatus.ERROR, JobStatus.RUNNING, JobStatus.DONE)
    failed = ProviderJob(JobStatus.ERROR)

    assert drained(starting)[0] == ["INITIALIZING", "RUNNING", "DONE"]
    assert drained(failed)[0] == ["INITIALIZING", "ERROR"]


def test_the_least_that_can_be_watched():
    states, events = drained(Bare("Queued", "Running", "Completed"))

    assert states == ["QUEUED", "RUNNING", "DONE"]
    assert events[-1] == WatchEnded("bare-1")


def test_a_question_that_fails_is_an_event_and_not_the_end():
    job = ProviderJob(JobStatus.QUEUED, OSError("no network"), JobStatus.DONE)
    states, events = drained(job)

    failed = [str(event.error) for event in events if isinstance(event, PollFailed)]
    assert failed == ["status() of job their-1 failed: OSError: no network"]
    assert states == ["QUEUED", "DONE"]


def test_what_is_no_job_is_refused_in_a_sentence():
    for value in (7, "text", None, ProviderJob, object()):
        with pytest.raises(InvalidInput, match="is no job"):
            adapted(value)
    with pytest.raises(InvalidInput, match="is no job"):
        qj.JobPanel([])
    with pytest.raises(InvalidInput, match="This ProviderJob has no id yet"):
        adapted(ProviderJob("QUEUED", job_id=None))
    broken = Bare("Queued")
    broken.job_id = lambda: 1 / 0
    with pytest.raises(InvalidInput, match=r"job_id\(\) of this Bare failed: ZeroDivisionError"):
        adapted(broken)


@pytest.mark.parametrize(
    "value",
    ["2026-11-20T12:00:00Z", "2026-11-20T12:00:00+00:00", datetime(2026, 11, 20, 12, tzinfo=timezone.utc)],
)
def test_times_of_others(value: object):
    assert moment(value) == datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
    assert moment("yesterday") is moment(12) is moment(None) is None


# ---- asking


def test_facts_are_as_old_as_the_last_answer():
    gate = threading.Event()
    noon = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
    job = ProviderJob(lambda: gate.wait(WAIT) and "QUEUED")
    monitor = Monitor(threaded=False, now=lambda: noon)
    watching = monitor.watch(job)
    monitor.step()

    assert monitor.freshness(job).asked is None
    gate.set()
    wait_for(lambda: monitor.refresh(job) or (monitor.step() and monitor.freshness(job).asked == noon))
    assert adapted(job).snapshot.parts[0].status is Status.QUEUED
    watching.close()


def test_two_panels_ask_once():
    job = ProviderJob(JobStatus.DONE)
    monitor = Monitor(threaded=False)
    panels = [qj.JobPanel(job, monitor=monitor), qj.JobPanel(job, monitor=monitor)]
    assert [panel.summary["status"] for panel in panels] == ["INITIALIZING", "INITIALIZING"]
    wait_for(lambda: monitor.step() is None)

    assert job.asked == 1
    for panel in panels:
        panel.publish()
    assert [panel.summary["status"] for panel in panels] == ["DONE", "DONE"]


def test_an_adapter_lives_as_long_as_someone_watches():
    job = ProviderJob(JobStatus.QUEUED)
    monitor = Monitor(threaded=False)
    with monitor.watch(job):
        monitor.step()
        adapter = weakref.ref(adapted(job))
        gc.collect()
        assert adapted(job) is adapter()
    monitor.step()
    gc.collect()
    assert adapter() is None


def test_a_panel_has_the_buttons_for_what_the_job_can_do():
    class Refuses(ProviderJob):
        def cancel(self):
            return False

    monitor = Monitor(threaded=False)
    without, refusing = qj.JobPanel(Bare("Running"), monitor=monitor), Refuses(JobStatus.RUNNING)
    panel = qj.JobPanel(refusing, monitor=monitor)

    asks = dict.fromkeys(("pause", "reason", "refresh", "report"), True)
    assert {name: able for name, able in without.meta["can"].items() if able} == asks
    assert {name: able for name, able in panel.meta["can"].items() if able} == {**asks, "cancel": True}
    with pytest.raises(Conflict, match="their-1 says that it cannot be cancelled"):
        panel._job.cancel()


def test_cancel_of_what_cannot_be_cancelled():
    with pytest.raises(Conflict, match="A Bare cannot be cancelled"):
        cancel(Bare("Running"))


def test_a_job_that_hangs_does_not_hold_up_the_others():
    gate = threading.Event()
    hanging = [
        ProviderJob(lambda: gate.wait(WAIT) and "DONE", job_id=f"hanging-{number}") for number in range(3)
    ]
    quick = [ProviderJob("DONE", job_id=f"quick-{number}") for number in range(3)]
    monitor = Monitor()
    ends = {job.job_id(): threading.Event() for job in (*hanging, *quick)}
    monitor.subscribe(lambda event: ends[event.watched].set() if isinstance(event, WatchEnded) else None)
    for job in (*hanging, *quick):
        monitor.watch(job)
    try:
        assert all(ends[job.job_id()].wait(WAIT) for job in quick)
        assert not any(ends[job.job_id()].is_set() for job in hanging)
        assert [job.asked for job in hanging] == [1, 1, 1]
        gate.set()
        # The late answer wakes the monitor.
        assert all(ends[job.job_id()].wait(WAIT) for job in hanging)
        assert [job.asked for job in hanging] == [1, 1, 1]
    finally:
        gate.set()
        monitor.close()


class Answer:
    """A reader whose answer comes when its gate is opened."""

    instant = False

    def __init__(self, index: int = 0) -> None:
        self.gate = threading.Event()
        self.index = index
        self.asked = 0

    def read(self) -> JobSnapshot:
        self.asked += 1
        assert self.gate.wait(WAIT)
        return part("D", self.index)


def test_an_answer_that_is_late_is_told_and_still_taken():
    clock, heard = Clock(), threading.Event()
    questions = Questions(Pool(), heard.set, clock=clock)
    late, quick = Answer(0), Answer(1)
    quick.gate.set()
    both = {"late": late, "quick": quick}

    def answered() -> tuple[list[str], object]:
        while True:
            found, trouble = questions.ask(both)
            if found:
                return [one.job_id for one in found], trouble

    assert answered() == (["job-1"], None)
    assert questions.ask(both) == ([], None)  # not late yet: no new round
    clock.now = LATE_AFTER
    found, trouble = answered()
    assert found == ["job-1"]  # the others no longer wait for it
    assert isinstance(trouble, Unreachable)
    assert str(trouble) == "status() of job late has not answered for 5 s."

    heard.clear()
    late.gate.set()
    assert heard.wait(WAIT)
    assert answered() == (["job-0"], None)
    assert (late.asked, quick.asked) == (1, 2)


def test_patience_waits_for_what_is_asked():
    questions = Questions(Pool(), lambda: None)
    slow = Answer()
    assert questions.ask({"slow": slow}) == ([], None)
    threading.Timer(0.1, slow.gate.set).start()

    found, _ = questions.ask({"slow": slow}, patience=WAIT)
    assert [one.job_id for one in found] == ["job-0"]


def test_many_jobs_are_asked_in_rounds():
    questions = Questions(Pool(), lambda: None)
    answers = {f"job-{index}": Answer(index) for index in range(AT_ONCE + 5)}
    for answer in answers.values():
        answer.gate.set()
    found: set[str] = set()
    for _ in range(2):
        found |= {one.job_id for one in questions.ask(answers, patience=WAIT)[0]}

    assert found == set(answers)
    assert sum(answer.asked for answer in answers.values()) == 2 * AT_ONCE


def test_threads_that_are_stuck_are_replaced_up_to_a_limit():
    clock = Clock()
    pool = Pool(size=2, most=4, stuck_after=5, clock=clock)
    stuck = [Answer(index) for index in range(4)]
    calls = [pool.put(answer.read) for answer in stuck]
    for answer in stuck[:2]:
        wait_for(lambda answer=answer: answer.asked)
    assert [answer.asked for answer in stuck] == [1, 1, 0, 0]

    clock.now = 5
    pool.tend()
    for answer in stuck:
        wait_for(lambda answer=answer: answer.asked)
    clock.now = 10
    last = pool.put(lambda: "made")
    assert not last.done()
    stuck[0].gate.set()
    assert last.result(WAIT) == "made"
    for answer in stuck:
        answer.gate.set()
    assert [call.result(WAIT).job_id for call in calls] == ["job-0", "job-1", "job-2", "job-3"]


def test_threads_end_when_there_is_nothing_to_do():
    pool = Pool(idle=0.01)
    assert pool.put(lambda: threading.current_thread()).result(WAIT).daemon
    wait_for(lambda: not pool._since)
    assert pool.put(lambda: 7).result(WAIT) == 7


def wait_for(probe: Callable[[], object]) -> None:
    """Until `probe` is true, a minute at most."""
    never = threading.Event()
    for _ in range(WAIT * 100):
        if probe():
            return
        never.wait(0.01)
    raise AssertionError("it did not come true in time")


def test_a_result_without_words_still_has_a_reason():
    from qjob_widgets.monitor.foreign import result_trouble

    result = Result(results=[], success=False)
    assert result_trouble(result) == "the result is no success"


def test_the_monitors_thread_ends_with_the_last_watch_and_not_with_its_rest():
    monitor = Monitor()
    with monitor.watch(ProviderJob(JobStatus.QUEUED)):
        wait_for(lambda: monitor._thread is not None)
        thread = monitor._thread
    assert thread is not None
    thread.join(1)

    assert not thread.is_alive()
