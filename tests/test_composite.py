"""The documented methods of `IBMCompositeJob`, over real HTTP against the local service."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.providers import JobStatus, JobV1

import qjob_widgets as qj
from qjob_widgets.jobs import calibrations, steps, waiting
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.sending.retry import AutomaticRerun, Selection
from tests.support import NOON, composite, memory_job, part

WAIT = 60


def circuits(number: int) -> list[QuantumCircuit]:
    made = []
    for index in range(number):
        circuit = QuantumCircuit(1, name=f"circuit {index}")
        circuit.ry(index, 0)
        circuit.measure_all()
        made.append(circuit)
    return made


def finished(backend, number: int = 4, **options):
    job = backend.run(circuits(number), shots=10, max_circuits_per_job=2, **options)
    job.wait_for_final_state(timeout=WAIT)
    return job


# ---- making


def test_the_constructor_submits_circuits(api, backend):
    job = qj.IBMCompositeJob(
        backend,
        api,
        circuits_list=[circuits(2), circuits(1)],
        run_config={"shots": 10},
        name="made",
        tags=["a"],
    )

    assert isinstance(job, JobV1)
    assert job.result(timeout=WAIT).success
    assert [part.place.end for part in job.snapshot.parts] == [1, 2]
    assert (job.name(), job.tags()) == ("made", ["a"])


def test_from_jobs(api, backend):
    job = finished(backend, job_name="sweep", job_tags=["vqe"])
    found = qj.CompositeJob.from_jobs(job.job_id(), job.sub_jobs(), api)

    assert found.job_id() == job.job_id()
    assert (found.name(), found.tags(), found.status()) == ("sweep", ["vqe"], JobStatus.DONE)
    assert found.result().get_counts() == job.result().get_counts()


def test_missing_sub_jobs_are_an_error(api, backend):
    job = finished(backend)

    with pytest.raises(qj.IBMJobInvalidStateError, match=r"1 of 2 sub-jobs .* missing: 0\b"):
        qj.CompositeJob.from_jobs(job.job_id(), job.sub_jobs()[1:], api)
    with pytest.raises(qj.IBMJobInvalidStateError, match="missing"):
        qj.CompositeJob(None, api, job_id=job.job_id(), jobs=job.sub_jobs()[:1])
    with pytest.raises(qj.IBMJobInvalidStateError, match="No sub-jobs"):
        qj.CompositeJob(None, api, job_id=job.job_id(), jobs=[])
    with pytest.raises(qj.IBMJobInvalidStateError, match="no sub-jobs of"):
        qj.CompositeJob.from_jobs("ibm_composite_job_id_00ff_", job.sub_jobs(), api)


def test_version_and_client_version(api, backend):
    job = finished(backend)

    assert job.version == 1
    assert set(job.client_version) == {"qiskit", "qjob_widgets"}
    assert api.job(job.job_id()).client_version == {}


# ---- reading


def test_circuits_in_order_from_memory_and_from_the_service(api, backend):
    job = finished(backend, 5)

    assert [one.name for one in job.circuits()] == [f"circuit {index}" for index in range(5)]
    assert api.job(job.job_id()).circuits() == job.circuits()


def test_states_by_name(service, backend):
    service.faults.hold("Queued")
    job = backend.run(circuits(2), max_circuits_per_job=1)
    job.block_for_submit()
    assert not job.in_final_state()
    job.cancel()

    assert job.cancelled()
    assert job.in_final_state()
    assert not job.done()
    assert not job.running()


def test_the_status_is_the_first_in_precedence(service, backend):
    service.faults.job(0, status="Failed", reason="bad luck")
    service.faults.hold("Queued")
    job = backend.run(circuits(3), shots=10, max_circuits_per_job=1)
    job.block_for_submit()
    job.sub_job(1).cancel()
    assert job.status() is JobStatus.QUEUED
    service.faults.release()
    job.wait_for_final_state(timeout=WAIT)

    assert [part.status.name for part in job.snapshot.parts] == ["ERROR", "CANCELLED", "DONE"]
    assert job.status() is JobStatus.ERROR
    job.rerun_failed(reason="bad luck")
    job.wait_for_final_state(timeout=WAIT)
    assert job.status() is JobStatus.CANCELLED
    job.rerun_failed()
    job.wait_for_final_state(timeout=WAIT)
    assert job.status() is JobStatus.DONE


def test_refresh_fetches_what_is_new(service, api, backend):
    service.faults.hold("Queued")
    job = backend.run(circuits(2), max_circuits_per_job=1)
    job.block_for_submit()
    found = api.job(job.job_id())
    job.cancel()
    assert found.snapshot.status.name == "QUEUED"
    found.refresh()

    assert found.snapshot.status.name == "CANCELLED"
    service.clear_requests()
    found.refresh()
    assert service.requests == []


def test_creation_date_is_local(backend):
    job = finished(backend)
    created = job.creation_date()

    assert created is not None
    assert created.utcoffset() == datetime.now().astimezone().utcoffset()


def test_time_per_step_of_a_finished_job(backend):
    job = finished(backend)
    times = job.time_per_step()

    assert times is not None
    assert list(times) == ["CREATING", "QUEUED", "RUNNING", "COMPLETED"]
    assert sorted(times.values()) == list(times.values())
    assert times["CREATING"] == job.creation_date()


@pytest.mark.parametrize(
    ("letters", "names"),
    [
        ("IQ", ["CREATING"]),
        ("QD", ["CREATING", "QUEUED"]),
        ("RD", ["CREATING", "QUEUED", "RUNNING"]),
        ("ED", ["CREATING", "QUEUED", "RUNNING", "ERROR"]),
        ("CD", ["CREATING", "QUEUED", "RUNNING", "CANCELLED"]),
        ("DD", ["CREATING", "QUEUED", "RUNNING", "COMPLETED"]),
    ],
)
def test_time_per_step_tells_nothing_later_than_the_present_state(letters, names):
    parts = tuple(
        replace(one, running=NOON + timedelta(minutes=1 + i), finished=NOON + timedelta(minutes=5 + i))
        for i, one in enumerate(composite(letters).parts)
    )
    times = steps.time_per_step(replace(composite(letters), parts=parts))

    assert list(times) == names
    if "RUNNING" in times:
        assert times["RUNNING"] == NOON + timedelta(minutes=1)
    if len(times) == 4:
        assert times[names[-1]] == NOON + timedelta(minutes=6)


def test_time_per_step_before_anything_is_known():
    nothing = replace(composite("I"), parts=(replace(part("I"), created=None),))

    assert steps.time_per_step(nothing) == {}


@pytest.mark.parametrize(
    ("modes", "letters", "mode"),
    [
        (["dedicated", "fairshare"], "DD", "fairshare"),
        (["dedicated", None], "DD", "dedicated"),
        ([None, None], "DD", None),
        (["fairshare", "fairshare"], "DE", None),
    ],
)
def test_scheduling_mode(api, modes, letters, mode):
    id_tag = "ibm_composite_job_id_00ff_"
    jobs = []
    for index, (letter, run_mode) in enumerate(zip(letters, modes, strict=True)):
        tags = (id_tag, f"ibm_composite_job_indexes:{index}:2:{index * 10}:{index * 10 + 9}")
        snapshot = replace(part(letter, index, 2), tags=tags, run_mode=run_mode)
        jobs.append(RuntimeJob.from_snapshot(snapshot, api))

    assert qj.CompositeJob.from_jobs(id_tag, jobs, api).scheduling_mode() == mode


def test_properties_of_a_simulator_and_of_a_device(api, backend):
    assert finished(backend).properties() is None
    device = api.backend("local_manila")
    job = device.run(transpile(circuits(4), device), shots=10, max_circuits_per_job=2)
    job.wait_for_final_state(timeout=WAIT)
    found = job.properties()

    assert found.backend_name == "local_manila"
    assert job.properties() is found
    assert job.properties(refresh=True) is not found


def test_calibrations_are_found_with_few_questions():
    asked = []

    def fetch(moment):
        asked.append(moment)
        return {"last_update_date": "first" if moment < NOON + timedelta(minutes=600) else "second"}

    moments = [NOON + timedelta(minutes=minute) for minute in range(1000)]
    assert [one["last_update_date"] for one in calibrations.between(fetch, moments)] == ["first", "second"]
    assert len(asked) <= 12
    asked.clear()
    assert len(calibrations.between(fetch, moments[:500])) == 1
    assert len(asked) == 2
    assert calibrations.between(fetch, []) == []
    assert calibrations.between(lambda moment: None, moments[:3]) == []


def test_header_and_backend_options_survive_retrieval(api, backend):
    job = finished(backend, header={"chip": "A", "run": 7}, seed_simulator=3)
    found = api.job(job.job_id())

    assert job.header() == found.header() == {"chip": "A", "run": 7}
    assert found.backend_options() == job.backend_options()
    assert job.backend_options()["shots"] == 10
    assert job.backend_options()["seed_simulator"] == 3
    assert found.result().get_counts() == job.result().get_counts()
    assert all("qjob" not in (one.metadata or {}) for one in found.circuits())
    assert finished(backend).header() == {}


def test_submit_is_not_supported(backend):
    with pytest.raises(NotImplementedError, match="run"):
        finished(backend).submit()


# ---- changing


def test_update_tags_keeps_what_holds_the_job_together(api, backend):
    job = finished(backend, job_name="sweep", job_tags=["old"])

    assert job.update_tags(["new", "night run"]) == ["new", "night run"]
    assert job.tags() == ["new", "night run"]
    found = api.job(job.job_id())
    assert (found.tags(), found.name()) == (["new", "night run"], "sweep")
    assert found.update_tags([]) == []
    assert api.job(job.job_id()).tags() == []


@pytest.mark.parametrize("tags", [None, "vqe", [1], ["a"] * 2 + list("bcdef"), ["x" * 87]])
def test_tags_that_cannot_be_used_are_refused_before_anything_is_sent(service, backend, tags):
    job = finished(backend)
    service.clear_requests()

    with pytest.raises(qj.IBMJobInvalidStateError):
        job.update_tags(tags)
    assert service.requests == []


def test_update_name_survives_retrieval(api, backend):
    job = finished(backend, job_name="first", job_tags=["vqe"])

    assert job.update_name("second") == "second"
    assert job.name() == "second"
    found = api.job(job.job_id())
    assert (found.name(), found.tags()) == ("second", ["vqe"])


@pytest.mark.parametrize("name", [7, None, "", "x" * 51])
def test_names_that_cannot_be_used_are_refused(backend, name):
    job = finished(backend)

    with pytest.raises(qj.IBMJobInvalidStateError):
        job.update_name(name)


def test_tags_of_old_attempts_follow(service, api, backend):
    service.faults.job(0, status="Failed", reason="bad luck")
    job = finished(backend, job_tags=["old"])
    job.rerun_failed()
    job.wait_for_final_state(timeout=WAIT)
    job.update_tags(["new"])

    listed = list(job.source.pages(tags=[job.job_id()]))
    assert len(listed) == 3
    assert all("new" in one.tags and "old" not in one.tags for one in listed)
    assert api.job(job.job_id()).tags() == ["new"]


def test_a_service_that_does_not_take_them_is_an_error(service, backend):
    job = finished(backend, job_tags=["old"])
    service.faults.http("PUT /jobs/{id}/tags", status=400)

    with pytest.raises(qj.IBMJobApiError, match="400"):
        job.update_tags(["new"])
    assert job.tags() == ["old"]


# ---- waiting


def test_a_callback_that_fails_is_logged_and_does_not_end_the_wait(service, backend, caplog):
    service.faults.hold("Queued")
    job = backend.run(circuits(2), max_circuits_per_job=1)
    job.block_for_submit()

    def fails(*_, queue_info):
        service.faults.release()
        raise RuntimeError("mine")

    job.wait_for_final_state(timeout=WAIT, callback=fails)
    assert job.status() is JobStatus.DONE
    assert any("callback" in record.message for record in caplog.records)


def test_a_rhythm_of_callbacks_is_kept(service, backend):
    service.faults.hold("Queued")
    job = backend.run(circuits(2), max_circuits_per_job=1)
    heard = []

    def told(*arguments, queue_info):
        heard.append(arguments[1])
        if len(heard) == 5:
            service.faults.release()

    job.wait_for_final_state(timeout=WAIT, wait=0.01, callback=told)
    assert len(heard) >= 5


@pytest.mark.parametrize(
    "limits", [{"timeout": "5"}, {"wait": "5"}, {"wait": -1}, {"timeout": float("nan")}, {"wait": True}]
)
def test_limits_that_are_no_seconds_are_one_sentence(limits):
    job = memory_job("Q")

    with pytest.raises(qj.InvalidInput, match=f"{next(iter(limits))}=.* seconds"):
        waiting.wait_until_final(
            job, qj.Monitor(threaded=False), **{"timeout": 0, "wait": None, "callback": None, **limits}
        )


def test_no_pause_between_callbacks_does_not_take_a_whole_processor():
    told = []

    def callback(*_, queue_info):
        told.append(queue_info)

    waiting.wait_until_final(
        memory_job("Q"), qj.Monitor(threaded=False), timeout=0.1, wait=0, callback=callback
    )
    assert 1 <= len(told) <= 12


def test_an_interrupt_ends_the_wait_at_once(service, backend):
    service.faults.hold("Queued")
    job = backend.run(circuits(2), max_circuits_per_job=1)

    def interrupt(*_, queue_info):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job.wait_for_final_state(timeout=WAIT, callback=interrupt)
    job.cancel()


def test_a_result_is_waited_for_no_longer_than_told(service, backend):
    service.faults.hold("Queued")
    job = backend.run(circuits(2), shots=10, max_circuits_per_job=1)

    with pytest.raises(qj.IBMJobTimeoutError, match=r"0\.05 seconds"):
        job.result(timeout=0.05)
    service.faults.release()
    assert job.result(timeout=WAIT).success


def test_an_error_message_for_each_failed_part(service, backend):
    service.faults.job("*", status="Failed", reason="bad luck", reason_code=1500, times=2)
    job = finished(backend)
    lines = (job.error_message() or "").splitlines()

    assert len(lines) == 2
    assert lines[1].startswith("Circuits 2-3: Job ")
    assert lines[1].endswith("failed: 1500 bad luck")


# ---- reruns


@pytest.mark.parametrize(
    ("options", "indexes"),
    [
        ({}, [1, 2, 3, 5]),
        ({"reason": "NOISE"}, [1]),
        ({"max_attempts": 2}, [1, 3, 5]),
        ({"by_itself": True}, [1, 2]),
        ({"reason": "nothing of the kind"}, []),
    ],
)
def test_a_selection_of_failed_parts(options, indexes):
    parts = (
        part("D", 0, 5),
        part("E", 1, 5, reason="too much noise"),
        part("E", 2, 5, reason="calibration", attempt=2),
        part("C", 3, 5),
        part("R", 4, 5),
        part("E", 5, 5, job_id="", reason="Not submitted: too large"),
    )

    assert Selection(**options)(replace(composite("D"), parts=parts)) == indexes


@pytest.mark.parametrize("options", [{"reason": 7}, {"max_attempts": 0}, {"max_attempts": 1.5}])
def test_selections_that_cannot_be_used(backend, options):
    job = finished(backend)

    with pytest.raises(qj.InvalidInput, match=next(iter(options))):
        job.rerun_failed(**options)


def test_reruns_by_reason(service, backend):
    service.faults.job(0, status="Failed", reason="noise")
    service.faults.job(1, status="Failed", reason="calibration")
    job = finished(backend)
    job.rerun_failed(reason="calibration")
    job.wait_for_final_state(timeout=WAIT)

    assert [part.attempt for part in job.snapshot.parts] == [1, 2]
    assert [part.status.name for part in job.snapshot.parts] == ["ERROR", "DONE"]


def test_automatic_reruns_end_at_the_limit(service, backend):
    once = service.faults.job(0, status="Failed", reason="noise", times=1)
    always = service.faults.job(1, status="Failed", reason="noise", times=100)
    job = backend.run(circuits(4), shots=10, max_circuits_per_job=2)
    job.block_for_submit()
    job.rerun_failed(automatic=True)
    deadline = time.monotonic() + WAIT
    while [part.attempt for part in job.snapshot.parts] != [2, 3] or not job.snapshot.final:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    assert [part.status.name for part in job.snapshot.parts] == ["DONE", "ERROR"]
    assert once.count == 1
    assert always.count == 3
    always.clear()


def test_a_cancel_ends_automatic_reruns(service, backend):
    service.faults.hold("Queued")
    always = service.faults.job("*", status="Failed", reason="noise", times=100)
    job = backend.run(circuits(4), shots=10, max_circuits_per_job=2)
    job.block_for_submit()
    job.rerun_failed(automatic=True, max_attempts=50)
    job.cancel()
    service.faults.release()
    job.wait_for_final_state(timeout=WAIT)

    assert [part.attempt for part in job.snapshot.parts] == [1, 1]
    always.clear()


def test_a_cancel_that_is_refused_is_told_and_one_that_came_too_late_is_not(service, api, backend):
    service.faults.hold("Queued")
    job = backend.run(circuits(4), shots=10, max_circuits_per_job=2)
    job.block_for_submit()
    refused = service.faults.http("POST /jobs/{id}/cancel", status=409, times=2)
    assert job.cancel(parts=[0]) is False
    with pytest.raises(qj.IBMJobApiError, match=r"1 of 2 sub-jobs could not be cancelled: .*409"):
        job.cancel(strict=True)
    assert refused.count == 2
    service.faults.release()
    api.job(job.job_id()).wait_for_final_state(timeout=WAIT)

    assert job.cancel() is False
    assert [part.status.name for part in job.snapshot.parts].count("CANCELLED") == 1


def test_an_automatic_rerun_that_is_over_as_it_begins_is_watched_no_longer():
    class Prompt(qj.Monitor):
        """Tells the news on its thread before the caller goes on."""

        def watch(self, job, subscriber=None):
            watched = super().watch(job, subscriber)
            subscriber(None)
            return watched

    for letters in ("DD", "DC"):
        monitor = Prompt(threaded=False)
        AutomaticRerun(memory_job(letters), Selection(by_itself=True), pytest.fail, monitor)
        assert monitor.step() is None


# ---- faults of the documented implementation that must not come back


def test_one_part_that_is_done_does_not_make_the_whole_done(service, backend):
    service.faults.hold("Queued")
    job = backend.run(circuits(3), shots=10, max_circuits_per_job=1)
    job.block_for_submit()
    heard = []

    def told(job_id, status, its_job, *, queue_info):
        heard.append((status, sum(one.status.name == "DONE" for one in its_job.snapshot.parts)))
        service.faults.release()

    job.wait_for_final_state(timeout=WAIT, callback=told)

    assert heard
    assert all(status not in (JobStatus.DONE, JobStatus.ERROR) for status, _ in heard)


def test_a_rerun_forgets_cached_results_and_messages(service, backend):
    service.faults.job(0, status="Failed", reason="bad luck")
    job = finished(backend)
    partial = job.result(partial=True)
    assert not partial.success
    assert job.error_message() is not None
    job.rerun_failed()

    assert job.result(timeout=WAIT).success
    assert job.result(partial=True).success
    assert job.error_message() is None


def test_a_status_of_many_parts_is_one_question_without_circuits(service, backend):
    service.faults.hold("Queued")
    job = backend.run(circuits(30), max_circuits_per_job=1)
    job.block_for_submit()
    service.clear_requests()
    job.status()
    job.report()
    asked = [record for record in service.requests if "exclude_params=true" in record.query]

    assert len(service.requests) <= 3  # the monitor may have asked once beside the two calls
    assert len(asked) == len(service.requests)
    job.cancel()


def test_waiting_for_a_thousand_parts_takes_one_thread_and_a_few_lists():
    def ours() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name.startswith("qjob-")}

    looks, during = [], set()

    def told(*_, queue_info):
        during.update(ours())
        if queue_info is not None:
            looks.append(queue_info.position)
        if len(looks) == 3:
            service.faults.release()

    with qj.LocalService() as service:
        service.faults.hold("Queued")
        service.faults.job("*", status="Failed", reason="not needed", times=1000)
        job = service.connect().backend("local_simulator").run(circuits(1000), max_circuits_per_job=1)
        job.block_for_submit()
        service.clear_requests()
        before = ours()
        job.wait_for_final_state(timeout=WAIT, wait=0.05, callback=told)
        asked = [(record.method, record.path) for record in service.requests]

    assert looks[0] == 1000
    assert len(job.snapshot.parts) == sum(part.status.name == "ERROR" for part in job.snapshot.parts) == 1000
    assert len(during - before) <= 1
    assert {thread.name for thread in during - before} <= {"qjob-monitor"}
    assert set(asked) == {("GET", "/jobs")}
    assert len(asked) < 500


def test_automatic_reruns_do_not_send_what_is_refused_for_ever(service, backend):
    refused = service.faults.http("POST /jobs", status=400, times=100)
    job = backend.run(circuits(2), shots=10, max_circuits_per_job=1)
    job.rerun_failed(automatic=True)
    job.wait_for_final_state(timeout=WAIT)
    job.block_for_submit()
    first = refused.count
    job.status()
    refused.clear()

    assert first <= 4
    assert job.snapshot.status.name == "ERROR"
