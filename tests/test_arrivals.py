"""Arrivals: each sub-job once, as it ends, through the one monitor."""

from __future__ import annotations

import itertools
import threading

import pytest
from qiskit import QuantumCircuit

import qjob_widgets as qj
from qjob_widgets.errors import ServerFailure
from qjob_widgets.jobs.results.arrivals import as_completed
from qjob_widgets.monitor.watch import Pace
from qjob_widgets.status import Status
from tests.support import NOON, MemoryJob, ScriptedSource, composite, part

WAIT = 60


@pytest.fixture
def monitor():
    with_thread = qj.Monitor()
    yield with_thread
    with_thread.close()


def coins(number: int) -> list[QuantumCircuit]:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    return [circuit] * number


def scripted(letters: str, *answers: object) -> MemoryJob:
    """A job in memory whose source answers quickly; the last answer is given for ever."""

    class Source(ScriptedSource):
        def ask(self, jobs):
            if len(self.answers) == 1:
                self.answers.append(self.answers[0])
            super().ask(jobs)

    return MemoryJob(composite(letters), Source(list(answers), Pace(0.001, 0.001)))


# ---- in memory


def test_each_comes_once_as_it_ends(monitor):
    job = scripted("QQQ", "QDQ", "QDQ", "EDR", "EDC")
    found = list(as_completed(job, monitor, timeout=WAIT))

    assert [one.place.job for one in found] == [1, 0, 2]
    assert [one.status for one in found] == [Status.DONE, Status.ERROR, Status.CANCELLED]


def test_those_that_are_found_together_come_in_order_of_ending(monitor):
    parts = [part("D", index, 3, finished=NOON.replace(minute=9 - index)) for index in range(3)]
    job = scripted("DDD")
    job.absorb(parts)

    assert [one.place.job for one in as_completed(job, monitor, timeout=WAIT)] == [2, 1, 0]


def test_a_failed_question_does_not_end_it(monitor):
    job = scripted("QQ", "DQ", ServerFailure("trouble", status=503), "DD")

    assert len(list(as_completed(job, monitor, timeout=WAIT))) == 2


def test_the_time_runs_from_the_call(monitor):
    job = scripted("DQ", "DQ")
    moments = itertools.chain([100.0, 109.9], itertools.repeat(110.0))
    found = as_completed(job, monitor, timeout=10, clock=lambda: next(moments))

    assert next(found).place.job == 0
    with pytest.raises(qj.IBMJobTimeoutError, match="1 of 2 sub-jobs of whole did not end within 10 seconds"):
        next(found)
    assert job.job_id() not in monitor._subscribers


def test_parts_that_were_never_sent_are_not_waited_for(monitor):
    job = scripted("DEC")
    unsent = [part(letter, index, 3, job_id="") for index, letter in ((1, "E"), (2, "C"))]
    job.absorb(unsent)

    assert [one.place.job for one in as_completed(job, monitor, timeout=WAIT)] == [0]


def test_it_stops_watching_when_the_caller_stops(monitor):
    found = as_completed(scripted("DQ", "DQ"), monitor, timeout=WAIT)
    next(found)
    assert monitor._subscribers
    found.close()

    assert not monitor._subscribers
    assert not monitor._flocks


# ---- over HTTP


def test_sub_jobs_come_without_a_request_for_each(service, backend):
    service.faults.hold("Queued")
    job = backend.run(coins(30), max_circuits_per_job=1)
    job.block_for_submit()
    service.clear_requests()
    service.faults.release()
    here = threading.current_thread()
    found = []
    for sub_job in job.as_completed(timeout=WAIT):
        assert threading.current_thread() is here
        found.append(sub_job)

    assert sorted(one.job_id() for one in found) == sorted(one.job_id for one in job.snapshot.parts)
    assert all(isinstance(one, qj.RuntimeJob) and one.snapshot.status is Status.DONE for one in found)
    ends = [one.snapshot.parts[0].finished for one in found]
    assert ends[-1] == max(ends)
    assert {(record.method, record.path) for record in service.requests} == {("GET", "/jobs")}
    assert found[0].result().success
    asked = [record.path for record in service.requests if record.path != "/jobs"]
    assert asked == [f"/jobs/{found[0].job_id()}/results"]


def test_a_job_that_has_ended_costs_no_request(service, backend):
    job = backend.run(coins(3), max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)
    service.clear_requests()

    assert len(list(job.as_completed())) == 3
    assert service.requests == []


def test_waiting_has_a_limit(service, backend):
    service.faults.hold("Queued")
    job = backend.run(coins(2), max_circuits_per_job=1)
    job.block_for_submit()

    with pytest.raises(qj.IBMJobTimeoutError, match="2 of 2"):
        list(job.as_completed(timeout=0.05))
    job.cancel()


def test_refused_parts_are_not_waited_for_and_a_rerun_in_the_loop_comes_again(service, backend):
    service.faults.http("POST /jobs", status=400)
    service.faults.job(1, status="Failed", reason="once")
    job = backend.run(coins(3), max_circuits_per_job=1)
    statuses = []
    for sub_job in job.as_completed(timeout=WAIT):
        statuses.append(sub_job.snapshot.status)
        if statuses.count(Status.ERROR) == 1 and statuses[-1] is Status.ERROR:
            job.rerun_failed()

    assert job.snapshot.status is Status.DONE
    assert sorted(status.name for status in statuses) == ["DONE", "DONE", "DONE", "ERROR"]
