"""The REST API of the local service, over HTTP."""

from __future__ import annotations

import base64
import re
import zlib
from inspect import signature
from unittest.mock import MagicMock

import pytest
import requests

from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.local.web.app import application
from qjob_widgets.local.web.openapi import page
from qjob_widgets.rest.paths import ROOT
from tests.local_support import Client, bell, sampler_job

GOOD = {"backend": "local_manila", "program_id": "sampler"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture(scope="module")
def service():
    with ServiceProcess(workers=2) as running:
        yield running


@pytest.fixture
def client(service):
    yield Client(service)
    service.faults.release()


@pytest.fixture
def queue(client):
    """Five jobs that wait, oldest first."""
    client.service.faults.hold("Queued")
    before = client.json("/jobs", pending="true")["jobs"]
    for record in before:
        client.ask("POST", f"/jobs/{record['id']}/cancel")
    opened = [
        client.ask("POST", "/sessions", json={"mode": "batch", "backend": "local_simulator"}).json()["id"]
        for _ in range(2)
    ]
    jobs = [client.submit(tags=["all", f"number {n}"], session_id=opened[n % 2]) for n in range(5)]
    yield jobs
    for job in jobs:
        client.ask("POST", f"/jobs/{job}/cancel")


def ids(answer):
    return [record["id"] for record in answer["jobs"]]


def test_the_backends_are_listed(client):
    devices = {device["name"]: device for device in client.json("/backends")["devices"]}
    assert list(devices) == ["local_simulator", "local_manila"]
    assert devices["local_simulator"]["is_simulator"]
    assert devices["local_manila"]["qubits"] == 5
    assert all(device["status"]["name"] == "online" for device in devices.values())


def test_a_backend_tells_configuration_properties_and_status(client, queue):
    assert client.json("/backends/local_manila/configuration")["backend_name"] == "local_manila"
    assert client.json("/backends/local_manila/properties")["backend_name"] == "local_manila"
    assert client.json("/backends/local_simulator/configuration")["simulator"] is True
    assert client.json("/backends/local_simulator/properties") is None
    status = client.json("/backends/local_simulator/status")
    assert (status["state"], status["status"], status["length_queue"]) == (True, "active", 5)
    assert client.json("/backends/local_manila/status")["length_queue"] == 0


def test_a_job_runs_to_its_result(client):
    job = client.submit(sampler_job(bell(), shots=64))
    (pub,) = client.result(job)
    assert sum(pub.data.meas.get_counts().values()) == 64
    record = client.json(f"/jobs/{job}", exclude_params="true")
    assert record["program"] == {"id": "sampler"}
    assert record["usage"]["status"] == "complete"
    assert 0 < record["usage"]["qpu_charge_time_seconds"] < 30
    times = record["timestamps"]
    assert all(TIME.fullmatch(moment) for moment in times.values())
    assert times["created"] == record["created"]
    assert times["created"] < times["running"] < times["finished"]
    assert client.json(f"/jobs/{job}/metrics")["timestamps"] == times


def test_what_waits_has_its_true_position_and_moves_up(client, queue):
    def positions():
        return [
            record["position_in_queue"]
            for record in client.json("/jobs", sort="ASC", tags="all", pending="true")["jobs"]
        ]

    assert positions() == [1, 4, 2, 5, 3], "those of a batch stand together"
    assert client.ask("POST", f"/jobs/{queue[1]}/cancel").status_code == 204
    assert positions() == [1, 2, 4, 3]
    assert client.json(f"/jobs/{queue[4]}")["position_in_queue"] == 3
    assert client.json(f"/jobs/{queue[4]}/metrics")["position_in_provider"] == 3
    assert client.json(f"/jobs/{queue[1]}")["position_in_queue"] is None
    assert client.state(queue[1]) == {"status": "Cancelled"}


def test_what_waits_has_estimates_once_the_pace_is_known(client):
    client.result(client.submit())
    client.service.faults.hold("Running")
    jobs = [client.submit() for _ in range(6)]
    client.wait(jobs[0], "Running")
    records = client.json("/jobs", sort="ASC", pending="true")["jobs"]
    assert all(record["estimated_start_time"] is None for record in records), "held jobs have no known start"
    for job in jobs:
        client.ask("POST", f"/jobs/{job}/cancel")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"sort": "ASC"}, [0, 1, 2, 3, 4]),
        ({}, [4, 3, 2, 1, 0]),
        ({"sort": "ASC", "limit": 2, "offset": 1}, [1, 2]),
        ({"tags": ["all", "number 3"]}, [3]),
        ({"tags": ["number 2", "number 3"]}, []),
        ({"backend": "local_manila"}, []),
        ({"program": "sampler", "limit": "0"}, [4, 3, 2, 1, 0]),
        ({"limit": "many", "limit_": "1"}, [4, 3, 2, 1, 0]),
    ],
)
def test_the_list_filters(client, queue, filters, found):
    answer = client.json("/jobs", pending="true", **filters)
    assert ids(answer) == [queue[n] for n in found]


def test_the_list_has_the_jobs_of_a_session(client, queue):
    session_id = client.json(f"/jobs/{queue[1]}")["session_id"]
    answer = client.json("/jobs", session_id=session_id, sort="ASC")
    assert ids(answer) == [queue[1], queue[3]]


def test_times_filter_inclusively_and_increase_with_every_job(client, queue):
    records = client.json("/jobs", pending="true", sort="ASC")["jobs"]
    created = [record["created"] for record in records]
    assert created == sorted(set(created))
    assert ids(client.json("/jobs", pending="true", created_after=created[3])) == [queue[4], queue[3]]
    assert ids(client.json("/jobs", pending="true", created_before=created[0])) == [queue[0]]
    unencoded = f"/jobs?pending=true&created_after={created[4][:-1]}+00:00"
    assert ids(client.ask("GET", unencoded).json()) == [queue[4]]


def test_an_empty_page_counts_its_offset(client, queue):
    assert client.json("/jobs", pending="true")["count"] == 5
    assert client.json("/jobs", pending="true", offset=50) == {
        "jobs": [],
        "count": 50,
        "limit": 200,
        "offset": 50,
    }


def test_parameters_come_when_they_are_wanted(client, queue):
    params = client.json(f"/jobs/{queue[0]}")["params"]
    assert params["pubs"][0][2] == 100
    assert "params" not in client.json(f"/jobs/{queue[0]}", exclude_params="true")
    assert "params" not in client.json("/jobs", limit=1)["jobs"][0]
    assert client.json("/jobs", pending="true", exclude_params="false")["jobs"][0]["params"] == params


def test_tags_are_replaced(client, queue):
    assert client.ask("PUT", f"/jobs/{queue[0]}/tags", json={"tags": ["new", "ü"]}).status_code == 204
    assert client.json(f"/jobs/{queue[0]}")["tags"] == ["new", "ü"]
    assert ids(client.json("/jobs", tags="ü", pending="true")) == [queue[0]]
    assert queue[0] not in ids(client.json("/jobs", tags="all"))


def test_a_running_job_is_cancelled_and_its_worker_replaced(client):
    client.service.faults.hold("Running")
    job = client.submit()
    client.wait(job, "Running")
    assert client.ask("POST", f"/jobs/{job}/cancel").status_code == 204
    assert client.state(job) == {"status": "Cancelled"}
    assert client.ask("GET", f"/jobs/{job}/results").status_code == 204
    assert client.ask("POST", f"/jobs/{job}/cancel").status_code == 409
    client.service.faults.release()
    client.result(client.submit())


def test_only_what_is_final_is_deleted(client, queue):
    assert client.ask("DELETE", f"/jobs/{queue[0]}").status_code == 409
    client.ask("POST", f"/jobs/{queue[0]}/cancel")
    assert client.ask("DELETE", f"/jobs/{queue[0]}").status_code == 204
    assert client.ask("GET", f"/jobs/{queue[0]}").status_code == 404


def test_a_job_that_cannot_run_fails_with_its_reason(client):
    odd = client.wait(client.submit(sampler_job(bell(), backend="local_manila")))
    assert (odd["status"], odd["reason_code"]) == ("Failed", 1517)
    assert "Circuit 0 ('bell')" in odd["reason"]
    assert "'h'" in odd["reason"]
    empty = client.submit(sampler_job())
    assert client.wait(empty)["status"] == "Failed"
    assert "no PUBs" in client.state(empty)["reason"]
    assert "Traceback" in client.ask("GET", f"/jobs/{empty}/logs").text
    surrogate = client.submit(params={"pubs": [["OPENQASM \ud800"]]})
    assert client.wait(surrogate)["status"] == "Failed"
    assert "\\ud800" in client.ask("GET", f"/jobs/{surrogate}/logs").text
    half = base64.b64encode(zlib.compress(b"QISKIT\xff and then something else")).decode()
    garbage = client.submit(params={"pubs": [[{"__type__": "QuantumCircuit", "__value__": half}]]})
    assert client.wait(garbage)["status"] == "Failed"
    client.result(client.submit())


def test_usage_adds_up(client):
    before = client.json("/instances/usage")["usage_consumed_seconds"]
    client.result(client.submit())
    assert client.json("/instances/usage")["usage_consumed_seconds"] > before


@pytest.mark.parametrize(
    ("method", "path", "details", "status", "code"),
    [
        ("GET", "/jobs/unknown", {}, 404, 1291),
        ("GET", "/jobs/unknown/results", {}, 404, 1291),
        ("GET", "/jobs/..%2Funknown", {}, 404, 1000),
        ("GET", "/jobs/", {}, 404, 1000),
        ("PATCH", "/jobs", {}, 405, 1000),
        ("HEAD", "/jobs", {}, 405, None),
        ("GET", "/backends/unknown/status", {}, 404, 1216),
        ("GET", "/jobs?offset=-1", {}, 400, 1208),
        ("GET", "/jobs?offset=99999999999999999999999", {}, 400, 1208),
        ("GET", "/jobs?created_after=yesterday", {}, 400, 1208),
        ("GET", "/jobs?pending=perhaps", {}, 400, 1208),
        ("GET", "/jobs?sort=sideways", {}, 400, 1208),
        ("POST", "/jobs", {"data": b"\xff\xfe{"}, 400, 1208),
        ("POST", "/jobs", {"data": b"[" * 100_000}, 400, 1208),
        ("POST", "/jobs", {"json": []}, 400, 1208),
        ("POST", "/jobs", {"json": {}}, 400, 1208),
        ("POST", "/jobs", {"json": {"backend": "nowhere", "program_id": "sampler"}}, 404, 1216),
        ("POST", "/jobs", {"json": {"backend": "local_manila", "program_id": 3}}, 400, 1208),
        ("POST", "/jobs", {"json": {**GOOD, "params": []}}, 400, 1208),
        ("POST", "/jobs", {"json": {**GOOD, "program_id": "teleporter"}}, 400, 1208),
        ("POST", "/jobs", {"json": {**GOOD, "tag": "a"}}, 400, 1208),
        ("POST", "/jobs", {"json": {**GOOD, "private": "no"}}, 400, 1208),
        ("POST", "/jobs", {"json": {**GOOD, "cost": 0}}, 400, 1208),
        ("POST", "/jobs", {"json": {**GOOD, "tags": "a"}}, 400, 1208),
        ("POST", "/jobs", {"data": b'{"backend": "local_manila", "program_id": "\\ud800"}'}, 400, 1208),
        ("POST", "/jobs", {"data": b'{"backend": ' + b"[" * 200 + b"]" * 200 + b"}"}, 400, 1208),
        ("POST", "/jobs", {"json": {**GOOD, "params": {"__type__": "ndarray"}}}, 400, 1208),
        ("GET", f"/jobs?{'tags=a&' * 3000}limit=1", {}, 200, None),
        ("GET", "/jobs?" + "&".join(f"tags={n}" for n in range(3000)), {}, 400, 1204),
        ("POST", "/sessions", {"json": {"mode": "batch", "backend": ["local_manila"]}}, 404, 1216),
        ("POST", "/sessions", {"json": {"mode": "batch", "backend": "local_manila", "ttl": 3}}, 400, 1208),
        ("POST", "/jobs", {"json": {**GOOD, "tags": ["a"] * 9}}, 400, 1204),
        ("POST", "/jobs", {"json": {**GOOD, "tags": ["a" * 87]}}, 400, 1205),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_the_form_of_the_api(client, method, path, details, status, code):
    answer = client.ask(method, path, **details)
    assert answer.status_code == status
    if code is not None:
        assert answer.json()["errors"][0]["code"] == code
        assert answer.json()["trace"]


def test_a_request_that_is_too_large_is_refused(client):
    answer = client.ask("POST", "/jobs", data=b" " * 50_000_001)
    assert answer.status_code == 413


def test_what_a_job_shall_have_is_not_taken_away_by_mistake(client, queue):
    for body in ({}, {"tags": None}, {"tag": ["a"]}):
        assert client.ask("PUT", f"/jobs/{queue[0]}/tags", json=body).status_code == 400
    assert client.json(f"/jobs/{queue[0]}")["tags"] == ["all", "number 0"]


def test_the_page_of_the_service_tells_every_route_and_no_other():
    parts = (MagicMock() for _ in signature(application).parameters)
    routes = {
        (route.path.removeprefix(ROOT), method.lower())
        for route in application(*parts).routes
        if route.path.startswith(f"{ROOT}/")
        for method in route.methods
    }
    told = {
        (path, method) for path, methods in page(["local_simulator"])["paths"].items() for method in methods
    }
    assert told == routes


def test_the_page_is_read_without_a_token(service):
    answer = requests.get(f"{service.api_url}/openapi.json", timeout=10)
    assert answer.json()["components"]["schemas"]["BackendName"]["enum"][:1] == ["local_simulator"]


@pytest.mark.parametrize(
    "header", ["", "apikey wrong", "Bearer wrong", "Bearer a.b.c", "Basic x", "apikey é"]
)
def test_a_wrong_token_is_refused(service, header):
    answer = requests.get(service.api_url + "/jobs", headers={"Authorization": header.encode()}, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == 1200


def test_the_service_answers_to_its_own_name_only(service):
    headers = {"Authorization": f"apikey {service.token}", "Host": "evil.example"}
    assert requests.get(service.api_url + "/jobs", headers=headers, timeout=10).status_code == 403


def test_the_identity_end_point_gives_a_token_that_lets_in(service):
    def exchange(key):
        return requests.post(f"{service.url}/identity/token", data={"apikey": key}, timeout=10)

    assert exchange("wrong").status_code == 400
    answer = exchange(service.token).json()
    assert answer["expires_in"] == 3600
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    for root in (service.api_url, f"{service.url}/experimental"):
        assert requests.get(f"{root}/backends", headers=headers, timeout=10).status_code == 200


def test_two_services_know_nothing_of_each_other(service):
    with ServiceProcess(backends=["simulator"], workers=1) as other:
        job = Client(other).submit()
        assert Client(service).ask("GET", f"/jobs/{job}").status_code == 404
        headers = {"Authorization": f"apikey {service.token}"}
        assert requests.get(other.api_url + "/jobs", headers=headers, timeout=10).status_code == 401
