"""The submission queue: what is done after each kind of failure, and that nothing is sent twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from qiskit import QuantumCircuit

import qjob_widgets as qj
from qjob_widgets.errors import ApiError, Conflict, RateLimited, ServerFailure, Unreachable
from qjob_widgets.jobs.sending import submission
from qjob_widgets.jobs.sending.journal import Attempt
from qjob_widgets.jobs.sending.options import RunOptions
from qjob_widgets.jobs.sending.payload import CircuitsPayload
from qjob_widgets.jobs.sending.single import submit_single
from qjob_widgets.jobs.sending.submission import LASTING_FAILURES, SETTLED, Submission, after_failure
from qjob_widgets.rest.wire import Page
from tests.support import Clock, part


@pytest.mark.parametrize(
    ("error", "failures", "seconds", "ask_first"),
    [
        (Unreachable("x"), 1, 0.5, True),
        (Unreachable("x"), 4, 4.0, True),
        (Unreachable("x"), 40, 60.0, True),
        (Unreachable("refused", sent=False), 1, 0.5, False),
        (ServerFailure("x"), 2, 1.0, False),
        (RateLimited("x", retry_after=7), 1, 7, False),
        (RateLimited("x"), 1, 12.0, False),
        (RateLimited("x", retry_after=3, code=3458), 1, 3, False),
        (ApiError("The service answered 403: limit", status=403, code=3458), 1, 12.0, False),
        (ApiError("You have reached the limit of 3 pending jobs", status=400), 2, 12.0, False),
        (Conflict("You have reached the maximum number of pending jobs", status=409), 9, 60.0, False),
    ],
)
def test_what_passes_is_sent_again(error, failures, seconds, ask_first):
    retry = after_failure(error, failures)
    assert retry is not None
    assert (retry.seconds, retry.ask_first) == (seconds, ask_first)
    assert retry.gone == isinstance(error, (ServerFailure, Unreachable))


@pytest.mark.parametrize("error", [ApiError("bad request", status=400), Conflict("limit", status=409)])
def test_what_lasts_is_refused(error):
    assert after_failure(error, 1) is None
    assert after_failure(ServerFailure("x"), LASTING_FAILURES) is None


@dataclass
class Service:
    """Accepts submissions; `answers` are what it says, an exception being raised after `keeps` it.

    What is not kept arrives after it has been asked `late` times for it, None is never.
    """

    answers: list[object]
    keeps: list[bool] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    takes_keys: bool = False
    late: int | None = None
    asked: int = 0

    def submit(self, body: bytes, key: str) -> str:
        self.keys.append(key)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            if self.keeps and self.keeps.pop(0):
                self.accepted.append(f"job-{len(self.accepted)}")
            raise answer
        self.accepted.append(f"job-{len(self.accepted)}")
        return self.accepted[-1]

    def list_jobs(self, *, tags, newest_first=False):
        self.asked += 1
        if self.asked == self.late:
            self.accepted.append(f"job-{len(self.accepted)}")
        return Page(tuple(part("Q", int(one[4:])) for one in self.accepted), len(self.accepted))

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)


@dataclass
class Parcel:
    wanted: bool = True
    marks: tuple[str, ...] = ("whole", "index")
    known_ids: frozenset[str] = frozenset()
    told: list[str] = field(default_factory=list)
    drop_when_waiting: bool = False
    composite_id: str = "whole"
    kept: bool = True
    age: float | None = None

    def attempt(self) -> Attempt:
        return Attempt("key", self.age)

    def answered(self) -> None:
        self.told.append("answered")

    def body(self) -> bytes:
        return b"{}"

    def sending(self) -> None:
        self.told.append("sending")

    def waiting(self, why: str) -> None:
        self.told.append("waiting")
        if self.drop_when_waiting:
            self.wanted = False

    def accepted(self, job_id: str) -> bool:
        self.told.append(job_id)
        wanted, self.wanted = self.wanted, False
        return wanted

    def refused(self, why: str) -> None:
        self.told.append(f"refused {why}")

    def given_up(self, why: str) -> None:
        self.wanted = False
        self.told.append(f"given up {why}")

    def report(self) -> None:
        self.told.append("report")


def send(service: Service, *parcels: Parcel) -> Clock:
    clock = Clock()
    queue = Submission(service, pause=clock.pause, clock=clock)
    queue.put(parcels)
    thread = queue._thread
    if thread is not None:
        thread.join(10)
    return clock


def test_sent_and_accepted():
    service, parcel = Service(["ok"]), Parcel()
    send(service, parcel)

    assert parcel.told == ["sending", "job-0", "report"]


def test_a_lost_answer_is_looked_for_before_anything_is_sent_again():
    service, parcel = Service([Unreachable("lost"), "ok"], keeps=[True]), Parcel()
    send(service, parcel)

    assert service.accepted == ["job-0"]
    assert "job-0" in parcel.told


def test_a_request_that_found_no_connection_is_sent_again():
    service, parcel = Service([Unreachable("refused", sent=False), "ok"], keeps=[False]), Parcel()
    clock = send(service, parcel)

    assert service.accepted == ["job-0"]
    assert clock.pauses == [0.5]
    assert service.asked == 0


def test_a_request_whose_answer_was_lost_is_sent_again_when_it_can_arrive_no_more():
    service, parcel = Service([Unreachable("reset"), "ok"], keeps=[False]), Parcel()
    clock = send(service, parcel)

    assert service.accepted == ["job-0"]
    assert clock.now == pytest.approx(SETTLED)
    assert service.asked > 20


def test_a_request_that_arrives_late_is_not_sent_again():
    service, parcel = Service([Unreachable("reset")], late=7), Parcel()
    clock = send(service, parcel)

    assert service.accepted == ["job-0"]
    assert "job-0" in parcel.told
    assert clock.now < SETTLED


def test_a_service_that_takes_keys_is_sent_it_again_at_once_under_the_same_key():
    service, parcel = Service([Unreachable("reset"), "ok"], keeps=[False], takes_keys=True), Parcel()
    clock = send(service, parcel)

    assert service.keys == ["key", "key"]
    assert clock.pauses == [0.5]


def test_what_another_process_had_begun_to_send_is_looked_for_first():
    service, parcel = Service(["ok"]), Parcel(age=SETTLED - 3)
    clock = send(service, parcel)
    assert (service.accepted, clock.now) == (["job-0"], pytest.approx(3))

    service, parcel = Service([], late=2), Parcel(age=1.0)
    send(service, parcel)
    assert (service.accepted, service.keys) == (["job-0"], [])

    service, parcel = Service(["ok"]), Parcel(age=SETTLED)
    clock = send(service, parcel)
    assert (service.asked, clock.pauses) == (1, [])


def test_cancelled_while_its_answer_was_lost_it_is_looked_for_until_it_can_arrive_no_more():
    service = Service([Unreachable("lost")], takes_keys=True, late=5)
    send(service, Parcel(drop_when_waiting=True))
    assert service.cancelled == ["job-0"]

    service = Service([Unreachable("lost")], takes_keys=True)
    clock = send(service, Parcel(drop_when_waiting=True))
    assert (service.accepted, clock.now) == ([], pytest.approx(SETTLED, abs=1))


def test_what_the_service_has_answered_is_in_no_doubt():
    service, parcel = Service([RateLimited("later", retry_after=3), "ok"]), Parcel()
    send(service, parcel)

    assert parcel.told == ["sending", "answered", "waiting", "report", "sending", "job-0", "report"]


def test_earlier_submissions_are_not_taken_for_the_lost_one():
    service = Service([Unreachable("reset"), "ok"], keeps=[False], accepted=["job-0"])
    parcel = Parcel(known_ids=frozenset({"job-0"}))
    send(service, parcel)

    assert service.accepted == ["job-0", "job-1"]
    assert "job-1" in parcel.told


def test_refused_for_good():
    service, parcel = Service([ApiError("too many tags", status=400)]), Parcel()
    send(service, parcel)

    assert parcel.told[-3:] == ["answered", "refused too many tags", "report"]


def test_a_question_that_is_refused_says_nothing_of_the_part():
    class Closed(Service):
        def list_jobs(self, *, tags, newest_first=False):
            raise ApiError("no lists today", status=400)

    parcel = Parcel()
    send(Closed([Unreachable("reset")]), parcel)

    assert "refused no lists today" in parcel.told
    assert "answered" not in parcel.told


def test_cancelled_while_its_answer_was_lost_it_is_cancelled_where_it_arrived():
    service = Service([Unreachable("lost")], keeps=[True])
    parcel = Parcel(drop_when_waiting=True)
    send(service, parcel)

    assert service.cancelled == ["job-0"]


def test_not_wanted_is_not_sent():
    service, parcel = Service(["ok"]), Parcel(wanted=False)
    send(service, parcel)

    assert service.accepted == []


def test_an_unexpected_error_refuses_one_part_and_ends_nothing():
    class Broken(Parcel):
        def body(self) -> bytes:
            raise ZeroDivisionError("mine")

    service, broken, good = Service(["ok"]), Broken(), Parcel()
    send(service, broken, good)

    assert "refused could not be sent (ZeroDivisionError: mine)" in broken.told
    assert "job-0" in good.told


# ---- a job that is not split


def submit_alone(service: Service) -> str:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    payload, backend = CircuitsPayload((circuit,), 0, RunOptions()), SimpleNamespace(name="manila")
    job = submit_single(
        SimpleNamespace(client=service),  # type: ignore[arg-type]
        backend,  # type: ignore[arg-type]
        payload,
        name=None,
        tags=(),
        pause=Clock().pause,
    )
    return job.job_id()


def test_a_single_job_waits_for_the_limit_and_looks_for_a_lost_answer():
    full = ApiError("You have reached the limit of 3 pending jobs", status=400)
    service = Service([full, full, Unreachable("lost")], keeps=[False, False, True])

    assert submit_alone(service) == "job-0"
    assert service.accepted == ["job-0"]


def test_a_single_job_of_which_nothing_is_heard_may_have_arrived():
    with pytest.raises(
        qj.IBMApiError, match=r"not known whether .*: No answer\. .*tags=\['ibm_composite_job_id"
    ):
        submit_alone(Service([Unreachable("No answer.")] * 2))
    with pytest.raises(qj.IBMApiError, match=r"^The job was not accepted: bad$"):
        submit_alone(Service([ApiError("bad", status=400)]))


# ---- the end of a process


@pytest.fixture
def ending(monkeypatch):
    monkeypatch.setattr(submission, "_ending", lambda: True)


def test_at_exit_a_service_that_is_gone_is_given_up_after_ten_seconds(ending, capsys):
    parcels = [Parcel(), Parcel(composite_id="other"), Parcel(kept=False)]
    clock = send(Service([Unreachable("No answer from here.", sent=False)] * 50), *parcels)

    assert 8 <= sum(clock.pauses) <= 10
    assert all(parcel.told[-1] == "given up No answer from here." for parcel in parcels[1:])
    assert "given up No answer from here." in parcels[0].told
    assert capsys.readouterr().err == (
        "qjob_widgets: gave up at exit, 3 parts not sent (No answer from here). To send what is left later:"
        ' api.job("whole").resume(); api.job("other").resume()\n'
    )


def test_what_no_journal_keeps_is_called_lost(ending, capsys):
    send(Service([Unreachable("gone", sent=False)] * 50), Parcel(kept=False))

    assert capsys.readouterr().err.endswith("1 part not sent (gone); what is left then is lost\n")


def test_at_exit_a_service_that_asks_to_wait_is_waited_for_and_that_is_said(ending, capsys):
    service = Service([*[RateLimited("later", retry_after=30)] * 3, "ok", "ok"])
    clock = send(service, Parcel(), Parcel())

    assert clock.pauses == [30, 30, 30]
    assert service.accepted == ["job-0", "job-1"]
    assert capsys.readouterr().err == (
        "qjob_widgets: still sending 1 part before exit; Ctrl-C ends that. To send what is left later:"
        ' api.job("whole").resume()\n'
    )


EXITING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin without it
from qiskit import QuantumCircuit
from qjob_widgets.jobs.service import JobService
from qjob_widgets.rest.client import ApiKey, RestClient, Transport
api = JobService(RestClient(Transport(sys.argv[1]), ApiKey(sys.argv[2]), instance=sys.argv[3]))
circuit = QuantumCircuit(1)
circuit.measure_all()
job = api.backend("local_simulator").run([circuit] * 4, max_circuits_per_job=1)
print(job.job_id(), flush=True)
"""

if sys.platform != "win32":  # where Ctrl-C goes to a whole console

    def test_ctrl_c_at_exit_ends_it_and_says_how_to_go_on(tmp_path):
        with qj.LocalService() as service:
            service.faults.http("POST /jobs", status=429, retry_after=3600, times=None)
            process = subprocess.Popen(
                [sys.executable, "-c", EXITING, service.api_url, service.token, service.crn],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            job_id = process.stdout.readline().strip()
            first = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            _, rest = process.communicate(timeout=20)

        how = f'To send what is left later: api.job("{job_id}").resume()\n'
        assert first == f"qjob_widgets: still sending 4 parts before exit; Ctrl-C ends that. {how}"
        assert rest.endswith(f"qjob_widgets: 4 parts not sent. {how}")


def test_a_forked_child_sends_nothing_of_its_parent(monkeypatch):
    service, parcel = Service(["ok"]), Parcel()
    queue = Submission(service)
    monkeypatch.setattr(submission.os, "getpid", lambda: -1)
    queue.put([parcel])

    assert queue._thread is None
    assert parcel.told == ["refused this process is a fork of the one that connected; connect in it anew"]
