"""What `backend.run` takes beside circuits and shots, and `backend.estimate`."""

from __future__ import annotations

import json

import pytest
from qiskit import QuantumCircuit

import qjob_widgets as qj
from qjob_widgets.jobs import estimate
from qjob_widgets.jobs.sending.payload import METADATA

WAIT = 60
OPTIONS = {
    "dynamical_decoupling": {"enable": True, "sequence_type": "XY4"},
    "twirling": {"enable_gates": True},
}


@pytest.fixture(scope="module")
def service():
    with qj.LocalService(workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def api(service):
    return service.connect()


@pytest.fixture(scope="module")
def backend(api):
    return api.backend("local_simulator")


@pytest.fixture(autouse=True)
def no_faults(service):
    yield
    service.faults.release()


def circuits(number):
    found = []
    for index in range(number):
        circuit = QuantumCircuit(2, name=f"circuit {index}", metadata={"index": index})
        circuit.ry(0.3 * index, 0)
        circuit.cx(0, 1)
        circuit.measure_all()
        found.append(circuit)
    return found


def stored(api, job_id):
    return json.loads(api.client.fetch_params(job_id))


def sent_ids(job):
    return [part.job_id for part in job.snapshot.parts]


# ---- options


def test_options_travel_and_are_kept_for_reruns(service, api, backend):
    service.faults.job(1, reason="cold")
    job = backend.run(
        circuits(4), max_circuits_per_job=2, options=OPTIONS, max_execution_time=60, seed_simulator=5
    )
    job.wait_for_final_state(timeout=WAIT)
    before = sent_ids(job)
    job.rerun_failed()
    job.wait_for_final_state(timeout=WAIT)
    again = sent_ids(job)[1]
    expected = {**OPTIONS, "simulator": {"seed_simulator": 5 + 2 * 2113}}

    assert again not in before
    for job_id in (before[1], again):
        record = stored(api, job_id)
        assert record["params"]["options"] == expected
        assert record["cost"] == 60
    assert stored(api, before[0])["params"]["options"] == {**OPTIONS, "simulator": {"seed_simulator": 5}}


def test_a_rerun_of_a_retrieved_job_has_the_same_options(service, api, backend):
    service.faults.job(0, reason="cold")
    job = backend.run(circuits(4), max_circuits_per_job=2, options=OPTIONS, max_execution_time=70)
    job.wait_for_final_state(timeout=WAIT)
    found = api.job(job.job_id())
    found.rerun_failed()
    found.wait_for_final_state(timeout=WAIT)
    record = stored(api, sent_ids(found)[0])

    assert sent_ids(found)[0] != sent_ids(job)[0]
    assert (record["params"]["options"], record["cost"]) == (OPTIONS, 70)
    assert found.result().success


def test_what_the_caller_changes_afterwards_changes_nothing(service, api, backend):
    options = {"twirling": {"enable_gates": True}}
    service.faults.hold("Queued")
    job = backend.run(circuits(4), max_circuits_per_job=2, options=options)
    options["twirling"]["enable_gates"] = False
    job.block_for_submit()

    assert [stored(api, job_id)["params"]["options"] for job_id in sent_ids(job)] == [
        {"twirling": {"enable_gates": True}}
    ] * 2


def test_a_private_job_is_sent_as_one(api, backend):
    job = backend.run(circuits(1), private=True)

    assert stored(api, job.job_id())["private"] is True
    assert job.result(timeout=WAIT).success


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"options": ["twirling"]}, "must be a dictionary"),
        ({"options": {"twirling": object()}}, "options holds what JSON cannot write"),
        ({"options": {"x": float("nan")}}, "options holds what JSON cannot write"),
        ({"options": {"simulator": 3}}, r"options\['simulator'\]=3"),
        ({"options": {"simulator": {"seed_simulator": 3}}}, "give seed_simulator="),
        ({"options": {"default_shots": 3}}, "give shots= instead"),
        ({"options": {"environment": {"job_tags": ["a"]}}}, "give job_tags= and private= instead"),
        ({"options": {"max_execution_time": 3}}, "give max_execution_time= instead"),
        ({"max_execution_time": 0}, "max_execution_time=0"),
        ({"max_execution_time": 10801}, "max_execution_time=10801 must be 1 to 10800 seconds"),
        ({"max_execution_time": 2.5}, "max_execution_time=2.5"),
        ({"private": "yes"}, "private='yes'"),
        ({"memory": 1}, "memory=1"),
        ({"header": "mine"}, "header='mine' must be a dictionary"),
        ({"header": {"x": {1, 2}}}, "header holds what JSON cannot write"),
        ({"header": {"x": "y" * 1_200_000}}, "header is 1.2 MB as JSON"),
        ({"mode": "batch"}, "mode='batch' is no session"),
    ],
)
def test_options_that_cannot_be_used_are_named_and_nothing_is_sent(service, backend, given, words):
    service.clear_requests()
    with pytest.raises(qj.InvalidInput, match=words):
        backend.run(circuits(2), **given)
    assert service.requests == []


def test_a_run_config_that_is_not_known_is_named(api, backend):
    with pytest.raises(qj.InvalidInput, match=r"run_config\['shoots'\] is not known; there are shots, seed"):
        qj.CompositeJob(backend, api, circuits_list=[circuits(1)], run_config={"shoots": 3})


# ---- header and options travel in the circuits


@pytest.mark.parametrize("per_job", [2, None])
def test_header_options_and_memory_survive_retrieval(api, backend, per_job):
    header = {"sweep": "ü", "angles": [0.5, 1.0]}
    run = circuits(4)
    job = backend.run(
        run,
        shots=50,
        max_circuits_per_job=per_job,
        memory=True,
        seed_simulator=3,
        header=header,
        options=OPTIONS,
    )
    expected = job.result(timeout=WAIT)
    payloads = [payload_of(api, job_id) for job_id in (sent_ids(job) if per_job else [job.job_id()])]

    for payload in payloads:
        assert payload.header == header
        assert payload.backend_options == {"shots": 50, "memory": True, "seed_simulator": 3, **OPTIONS}
        assert payload.memory is True
    found = api.job(job.job_id()).result()
    assert found.get_memory(3) == expected.get_memory(3)
    assert found.get_counts() == expected.get_counts()
    for result in (expected, found):
        metadata = [dict(experiment.header["metadata"]) for experiment in result.results]
        assert metadata == [{"index": index} for index in range(4)]
    assert all(METADATA not in circuit.metadata for circuit in run)


def payload_of(api, job_id):
    from qjob_widgets.jobs.sending.payload import stored_payload

    return stored_payload(api.client.fetch_params(job_id), job_id)


def test_a_job_of_another_program_has_no_header(api):
    from qjob_widgets.jobs.sending.payload import StoredPayload

    assert StoredPayload("sampler", {"pubs": []}).header == {}
    assert StoredPayload("sampler", {"pubs": []}).backend_options == {}
    assert StoredPayload("sampler", {"pubs": []}).memory is False


# ---- estimates


def test_an_estimate_sends_nothing_and_invents_nothing(service, backend):
    service.clear_requests()
    found = backend.estimate(circuits(5), shots=200, max_circuits_per_job=2)

    assert (found.circuits, found.shots, found.parts) == (5, 1000, 3)
    assert (found.qpu_seconds, found.quota_seconds, found.submission_seconds) == (None, None, 0.0)
    assert (found.fits, found.suggestion) == (None, "")
    assert [(record.method, record.path) for record in service.requests] == [("GET", "/instances/usage")]
    assert str(found).splitlines() == [
        "Circuits: 5 with 1,000 shots in all",
        "Parts: 3",
        "QPU time: unknown; run some of them and give that job as like=",
        "Quota left: no limit told",
        "Sending: at once",
    ]


@pytest.mark.parametrize("per_job", [2, None])
def test_the_time_is_that_of_a_job_like_it(api, backend, per_job):
    pilot = backend.run(circuits(4), shots=100, max_circuits_per_job=per_job)
    pilot.wait_for_final_state(timeout=WAIT)
    found = backend.estimate(circuits(10), shots=1000, like=pilot)
    first = pilot.snapshot.parts[0]
    circuits_of_first = 4 if per_job is None else per_job

    assert found.qpu_seconds == pytest.approx(first.usage_seconds * 10_000 / (100 * circuits_of_first))


def test_a_job_that_tells_no_time(service, backend):
    service.faults.http("POST /jobs", status=400, times=2)
    refused = backend.run(circuits(2), max_circuits_per_job=1)
    refused.block_for_submit()

    with pytest.raises(qj.InvalidInput, match="tells no execution time"):
        backend.estimate(circuits(1), like=refused)


def test_what_cannot_run_cannot_be_estimated(backend):
    with pytest.raises(qj.InvalidInput, match="shots=0"):
        backend.estimate(circuits(1), shots=0)
    with pytest.raises(qj.InvalidInput, match="measures nothing"):
        backend.estimate(QuantumCircuit(1, 1))


def estimated(parts, size, *, largest, pilot=None, usage=None, paced=True):
    sizes = [size] * parts
    return estimate.estimated(
        sizes,
        1000,
        pilot=pilot,
        usage=usage or {},
        paced=paced,
        largest=[largest] * (parts * size // largest),
    )


def test_fewer_parts_are_suggested_where_the_service_takes_few_a_minute():
    found = estimated(100, 3, largest=300)

    assert found.submission_seconds == 19 * 60
    assert found.suggestion == "max_circuits_per_job=300 would make 1 part of it, sent at once."
    assert "Sending: 19 min" in str(found)
    assert estimated(5, 3, largest=15).suggestion == ""
    assert estimated(100, 3, largest=300, paced=False).suggestion == ""
    assert "sent in 3 min" in estimated(200, 3, largest=30).suggestion


@pytest.mark.parametrize(
    ("usage", "quota", "fits"),
    [
        ({"usage_consumed_seconds": 100, "usage_limit_seconds": 600}, 500.0, True),
        ({"usage_consumed_seconds": 590, "usage_limit_seconds": 600}, 10.0, False),
        (
            {"usage_consumed_seconds": 90, "usage_limit_seconds": 600, "usage_allocation_seconds": 100},
            10.0,
            False,
        ),
        ({"usage_consumed_seconds": 700, "usage_limit_seconds": 600}, 0.0, False),
        ({"usage_limit_reached": True}, 0.0, False),
        ({"usage_consumed_seconds": 1, "usage_limit_seconds": None}, None, None),
        ({}, None, None),
    ],
)
def test_the_quota(usage, quota, fits):
    found = estimated(1, 10, largest=10, pilot=estimate.Pilot(2.0, 1000), usage=usage)

    assert found.qpu_seconds == 20.0
    assert (found.quota_seconds, found.fits) == (quota, fits)
    assert ("does not suffice" in str(found)) == (fits is False)


def test_the_service_s_own_estimate_is_taken_before_a_job_is_done():
    record = {
        "usage": {"status": "pending", "qpu_charge_time_seconds": 0},
        "estimated_running_time_seconds": 4,
    }

    assert estimate._seconds(record) == 4.0
    assert estimate._seconds({**record, "usage": {"status": "complete", "qpu_charge_time_seconds": 3}}) == 3.0
    assert estimate._seconds({}) is None
