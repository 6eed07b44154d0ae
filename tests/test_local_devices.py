"""Backends, mocks and the instance of the local service, over HTTP."""

from __future__ import annotations

import pytest
import requests
from qiskit import QuantumCircuit

from qjob_widgets.errors import NotFound
from qjob_widgets.rest.client import ApiKey, RestClient, Transport
from tests.local_support import Client, bell, sampler_job


@pytest.fixture(scope="module")
def client(service):
    return Client(service)


def names(answer):
    return [device["name"] for device in answer["devices"]]


def test_mocks_are_listed_when_asked_for(client):
    real = ["local_simulator", "local_manila"]
    assert names(client.json("/backends")) == real
    assert names(client.json("/backends", include_mocks="false")) == real
    every = client.json("/backends", include_mocks="True")
    assert names(every) == [*real, "mock_simulator", "mock_manila"]
    assert [device.get("class") for device in every["devices"]] == [None, None, "mock", "mock"]


def test_a_mock_is_described_like_the_real_one(client):
    real, mock = (client.json(f"/backends/{name}/configuration") for name in ("local_manila", "mock_manila"))
    assert mock == {**real, "backend_name": "mock_manila"}


def test_dry_runs_are_listed_when_asked_for(client):
    dry = client.submit(backend="mock_simulator", tags=["dry"])
    wet = client.submit(tags=["dry"])
    for filters, found in (
        ({}, [wet]),
        ({"include_mocks": "true"}, [dry, wet]),
        ({"backend": "mock_simulator"}, [dry]),
    ):
        answer = client.json("/jobs", tags="dry", sort="ASC", **filters)
        assert ([job["id"] for job in answer["jobs"]], answer["count"]) == (found, len(found))
    for job in (dry, wet):
        client.wait(job)
    final = client.json("/jobs", pending="false", limit="1")
    assert [job["id"] for job in final["jobs"]] == [wet]


def test_a_dry_run_is_random_and_simulates_nothing(client):
    large = QuantumCircuit(150, 60)
    large.h(range(150))
    large.measure(range(60), range(60))
    (found,) = client.result(client.submit(sampler_job(large, shots=50), backend="mock_simulator"))
    counts = found.data.c.get_counts()
    assert (sum(counts.values()), len(counts)) == (50, 50)


def test_a_dry_run_is_checked(client):
    state = client.wait(client.submit(backend="mock_manila"))
    assert (state["status"], state["reason_code"]) == ("Failed", 1517)


def test_a_dry_run_in_a_session_of_the_real_backend(client):
    wanted = {"mode": "batch", "backend": "local_simulator"}
    session = client.ask("POST", "/sessions", json=wanted).json()["id"]
    client.wait(client.submit(backend="mock_simulator", session_id=session))
    answer = client.ask("POST", "/jobs", json={**_job("mock_manila"), "session_id": session})
    assert (answer.status_code, "one of local_simulator" in answer.text) == (400, True)


def test_a_composite_on_a_mock_is_found_again(api):
    backend = api.backend("mock_simulator")
    job = backend.run([bell()] * 4, max_circuits_per_job=2, shots=10)
    assert sum(job.result(timeout=60).get_counts(3).values()) == 10
    assert len(api.job(job.job_id()).sub_jobs()) == 2


def test_a_session_that_is_not_there(client):
    answer = client.ask("POST", "/jobs", json={**_job("local_simulator"), "session_id": "nowhere"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "There is no session 'nowhere'."


def test_a_session_that_is_closed(client):
    wanted = {"mode": "dedicated", "backend": "local_simulator"}
    session = client.ask("POST", "/sessions", json=wanted).json()["id"]
    assert client.ask("PATCH", f"/sessions/{session}", json={"accepting_jobs": False}).status_code == 204
    answer = client.ask("POST", "/jobs", json={**_job("local_simulator"), "session_id": session})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 1217)


def test_there_are_no_defaults(client):
    assert client.ask("GET", "/backends/local_manila/defaults").json() is None
    assert client.ask("GET", "/backends/nowhere/defaults").status_code == 404


def test_the_instance_tells_its_backends(client):
    found = client.json("/instances/configuration")
    assert found["backends"] == ["local_simulator", "local_manila"]
    assert found["instance_limit_seconds"] is None


def test_versions_need_no_token(client):
    answer = requests.get(f"{client.service.api_url}/versions", timeout=30)
    assert answer.json()["versions"] == [{"version": "2026-04-15", "status": "live", "sunset_date": None}]


def test_another_instance_is_refused(service, client):
    wrong = "crn:v1:bluemix:public:quantum-computing:us-east:a/1:2::"
    answer = client.ask("GET", "/jobs", headers={"Service-CRN": wrong})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 1279)
    assert client.ask("GET", "/jobs", headers={"Service-CRN": service.crn}).status_code == 200
    with pytest.raises(NotFound, match="There is no instance"):
        RestClient(Transport(service.api_url), ApiKey(service.token), instance=wrong).fetch_usage()


def _job(backend):
    return {"program_id": "sampler", "backend": backend, "params": {}}
