"""Sessions and batches, ours and those of the unmodified client, against the local service."""

from __future__ import annotations

import json

import pytest
from qiskit import QuantumCircuit
from qiskit.providers import JobStatus
from qiskit_ibm_runtime import Batch, Session

import qjob_widgets as qj
from qjob_widgets.local.web.sessions import Session as Record
from tests.local_support import until

WAIT = 60


@pytest.fixture(scope="module")
def service():
    with qj.LocalService(workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def api(service):
    return service.connect()


@pytest.fixture
def backend(api):
    return api.backend("local_manila")


@pytest.fixture(autouse=True)
def no_faults(service):
    yield
    service.faults.release()


def circuits(number):
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.measure_all()
    return [circuit] * number


def session_of(api, job):
    return {api.client.fetch_job(part.job_id).session_id for part in job.snapshot.parts}


def test_what_ends_a_block_is_told_even_if_the_session_cannot_be_closed(service, api, backend, caplog):
    service.faults.http("PATCH /sessions/{id}", status=400)
    with pytest.raises(KeyboardInterrupt), api.session(backend):
        raise KeyboardInterrupt

    assert any("could not be closed" in record.message for record in caplog.records)


@pytest.mark.parametrize("kind", ["session", "batch"])
def test_jobs_run_in_a_session_until_it_is_closed(api, backend, kind):
    with getattr(api, kind)(backend, max_time=600) as opened:
        assert opened.status() == "Pending"
        job = backend.run(circuits(4), max_circuits_per_job=2, mode=opened)
        assert job.result(timeout=WAIT).success
        details = opened.details()
    assert session_of(api, job) == {opened.session_id}
    assert (details["state"], details["accepting_jobs"]) == ("inactive", True)
    assert (details["max_ttl"], details["backend_name"]) == (600, "local_manila")
    assert details["mode"] == ("dedicated" if kind == "session" else "batch")
    assert details["elapsed_time"] > 0
    assert opened.status() == "Closed"
    with pytest.raises(qj.IBMApiError, match="Session has been closed"):
        backend.run(circuits(1), mode=opened)


def test_a_closed_session_runs_what_it_has(service, api, backend):
    service.faults.hold("Queued")
    with api.session(backend) as session:
        job = backend.run(circuits(1), mode=session)
    assert (session.details()["state"], session.details()["accepting_jobs"]) == ("open", False)
    service.faults.release()
    assert job.result(timeout=WAIT).success
    assert session.status() == "Closed"
    assert session.details()["closed_at"] is not None


def test_an_active_session_says_whether_it_takes_jobs(service, api, backend):
    service.faults.hold("Running")
    session = api.session(backend)
    job = backend.run(circuits(1), mode=session)
    until(lambda: job.status() is JobStatus.RUNNING)
    assert session.status() == "In progress, accepting new jobs"
    session.close()
    assert session.status() == "In progress, not accepting new jobs"


def test_a_cancelled_session_runs_nothing_that_waits(service, api, backend):
    service.faults.hold("Queued")
    session = api.session(backend)
    job = backend.run(circuits(1), mode=session)
    session.cancel()

    with pytest.raises(qj.RuntimeJobFailureError, match="Session has been closed"):
        job.result(timeout=WAIT)
    assert job.snapshot.parts[0].reason_code == 1217
    assert session.status() == "Closed"
    session.cancel()
    session.close()


def test_sessions_of_the_unmodified_client(service, api, backend):
    theirs = service.runtime_service().backend("local_manila")
    for kind in (Session, Batch):
        with kind(backend=theirs) as opened:
            job = backend.run(circuits(1), mode=opened)
            assert job.result(timeout=WAIT).success
        assert session_of(api, job) == {opened.session_id}
        assert opened.status() == "Closed"
        assert kind.from_id(opened.session_id, service.runtime_service()).details()["state"] == "closed"


def test_a_session_is_closed_when_all_parts_are_sent(service, api, backend):
    service.faults.delay("POST /jobs", 0.05, times=6)
    with api.batch(backend) as batch:
        job = backend.run(circuits(6), max_circuits_per_job=1, mode=batch)
        assert job.snapshot.sending > 0
    assert job.snapshot.sending == 0
    assert job.result(timeout=WAIT).success


def test_parts_that_are_not_sent_when_a_session_is_cancelled_are_refused_and_can_be_rerun(
    service, api, backend
):
    slow = service.faults.delay("POST /jobs", 0.2, times=None)
    session = api.session(backend)
    job = backend.run(circuits(4), max_circuits_per_job=1, mode=session)
    session.cancel()
    job.wait_for_final_state(timeout=WAIT)
    assert "Session has been closed" in job.error_message()
    slow.clear()
    failed = [part.job_id for part in job.snapshot.parts if part.status.name == "ERROR"]
    job.rerun_failed()
    assert job.result(timeout=WAIT).success
    assert failed
    assert None in session_of(api, job)


def test_a_rerun_stays_in_a_session_that_is_open_and_leaves_one_that_is_closed(service, api, backend):
    service.faults.job(1, reason="cold", times=2)
    with api.session(backend) as session:
        job = backend.run(circuits(2), max_circuits_per_job=1, mode=session)
        job.wait_for_final_state(timeout=WAIT)
        job.rerun_failed()
        job.wait_for_final_state(timeout=WAIT)
        assert session_of(api, job) == {session.session_id}
    job.rerun_failed()
    assert job.result(timeout=WAIT).success
    assert [api.client.fetch_job(part.job_id).session_id for part in job.snapshot.parts] == [
        session.session_id,
        None,
    ]


def test_what_the_journal_keeps_is_in_no_session(service, api, backend):
    service.faults.delay("POST /jobs", 0.3, times=2)
    with api.batch(backend) as batch:
        job = backend.run(circuits(3), max_circuits_per_job=1, mode=batch)
        kept = json.loads(job._intent.body(2))
    assert "session_id" not in kept
    assert session_of(api, job) == {batch.session_id}


def test_a_block_that_ends_early_closes_its_session(api, backend):
    with pytest.raises(KeyboardInterrupt), api.batch(backend) as batch:
        raise KeyboardInterrupt
    assert batch.status() == "Closed"


@pytest.mark.parametrize("mode", ["a-session", 7, object()])
def test_modes_that_are_none(backend, mode):
    with pytest.raises(qj.InvalidInput, match=r"is no session; give what service\.session"):
        backend.run(circuits(1), mode=mode)


def test_a_session_of_another_backend(api, backend):
    session = api.session("local_simulator")
    with pytest.raises(qj.InvalidInput, match="of local_simulator, not of local_manila"):
        backend.run(circuits(1), mode=session)


def test_sessions_that_cannot_be(api):
    with pytest.raises(qj.InvalidInput, match="max_time=0"):
        api.session("local_manila", max_time=0)
    with pytest.raises(qj.IBMRuntimeError, match="'max_ttl' must be 1 to 28800"):
        api.session("local_manila", max_time=30000)
    with pytest.raises(qj.IBMRuntimeError, match="no backend 'nowhere'"):
        api.batch("nowhere")


def test_the_api_refuses_what_makes_no_sense(api):
    from qjob_widgets.errors import ApiError, NotFound

    with pytest.raises(NotFound, match="no session 'unknown'"):
        api.client.fetch_session("unknown")
    with pytest.raises(NotFound):
        api.client.cancel_session("unknown")
    with pytest.raises(ApiError, match="'mode' must be one of dedicated, batch"):
        api.client.open_session("local_manila", "slow", None)


def record(moment, *, mode="dedicated", open_jobs=0, seconds=0.0, **times):
    """A session of 100 s that was opened at second 1, at second `moment`; `times` are in seconds too."""
    facts = dict.fromkeys(("stopped", "started", "last_started", "last_finished"))
    facts.update({name: second * 10**6 for name, second in times.items()})
    session = Record("id", mode, "b", 100, 10**6, open_jobs=open_jobs, seconds=seconds, **facts)
    return session.record(moment * 10**6)


@pytest.mark.parametrize(
    ("facts", "state", "accepting"),
    [
        ({}, "open", True),
        ({"open_jobs": 2}, "open", True),
        ({"open_jobs": 1, "started": 10}, "active", True),
        ({"started": 10, "last_finished": 20}, "inactive", True),
        ({"stopped": 5}, "closed", False),
        ({"stopped": 5, "open_jobs": 1, "started": 10}, "active", False),
        ({"started": -80, "open_jobs": 1}, "active", False),  # its 100 s have passed
        ({"started": -80, "last_finished": -70}, "closed", False),
    ],
)
def test_states(facts, state, accepting):
    found = record(50, **facts)

    assert (found["state"], found["accepting_jobs"]) == (state, accepting)
    assert (found["closed_at"] is None) == (state != "closed")


def test_moments_at_which_the_state_changed():
    found = record(50, started=10, stopped=20, last_finished=30)["timestamps"]
    assert [each["status"] for each in found] == ["open", "active", "closed"]
    assert [each["timestamp"][17:19] for each in found] == ["01", "10", "30"]
    assert [each["status"] for each in record(50)["timestamps"]] == ["open"]


def test_time_that_is_used():
    assert record(50, started=10, open_jobs=1)["elapsed_time"] == 40
    assert record(50, started=10, last_finished=30)["elapsed_time"] == 20
    assert record(50, started=10, last_finished=30, mode="batch", seconds=2.5)["elapsed_time"] == 2.5
    assert record(50)["elapsed_time"] == 0
