"""Scripted faults, holds and the request log of the local service, over HTTP."""

from __future__ import annotations

import asyncio

import pytest
import requests

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local.owner.process import ServiceProcess
from qjob_widgets.local.web.faults import Faults
from qjob_widgets.local.web.gate import Gate
from qjob_widgets.local.web.tokens import Tokens
from tests.local_support import Client


@pytest.fixture(scope="module")
def service():
    with ServiceProcess(backends=["simulator"], workers=2) as running:
        yield running


@pytest.fixture
def client(service):
    yield Client(service)
    service.faults.release()


def test_an_http_error_is_answered_instead_of_acting(client, service):
    fault = service.faults.http("POST /jobs", status=503, times=2, retry_after=1.5)
    for _ in range(2):
        answer = client.ask("POST", "/jobs", json={})
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1.5"
        assert "code" in answer.json()["errors"][0]
    assert client.ask("POST", "/jobs", json={}).status_code == 400
    assert fault.count == 2


def test_a_cleared_fault_strikes_no_more(client, service):
    fault = service.faults.http("GET /jobs/{id}", times=None)
    assert client.ask("GET", "/jobs/any").status_code == 503
    assert client.ask("GET", "/jobs/any/results").status_code == 404, "{id} is one segment"
    fault.clear()
    assert client.ask("GET", "/jobs/any").status_code == 404
    assert fault.count == 1


def test_a_lost_answer_was_acted_on(client, service):
    before = client.json("/jobs")["count"]
    fault = service.faults.lose_answer("POST /jobs")
    with pytest.raises(requests.ConnectionError):
        client.submit()
    assert fault.count == 1
    assert client.json("/jobs")["count"] == before + 1


def test_a_closed_connection_was_not_acted_on(client, service):
    before = client.json("/jobs")["count"]
    fault = service.faults.close("POST *")
    with pytest.raises(requests.ConnectionError):
        client.submit()
    assert fault.count == 1
    assert client.json("/jobs")["count"] == before


def test_a_truncated_answer_ends_early(client, service):
    fault = service.faults.truncate("GET /backends")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        client.ask("GET", "/backends")
    assert fault.count == 1
    assert client.ask("GET", "/backends").status_code == 200


def test_a_delayed_answer_comes_late_but_whole(client, service):
    service.clear_requests()
    service.faults.delay("GET /backends", 0.3)
    assert client.ask("GET", "/backends").status_code == 200
    (record,) = service.requests
    assert 300 <= record.ms < 5000


@pytest.mark.parametrize(
    ("match", "tags", "struck"),
    [
        (1, ["ibm_composite_job_indexes:1:3:10:19"], True),
        (1, ["ibm_composite_job_indexes:2:3:20:29"], False),
        (0, ["ibm_composite_job_info:run:"], True),
        ("vqe", ["other", "vqe"], True),
        ("vqe", ["vqe2"], False),
        ("*", [], True),
    ],
)
def test_a_job_takes_its_scripted_outcome(client, service, match, tags, struck):
    fault = service.faults.job(match, "Failed", reason="Cold front", reason_code=5203)
    job = client.submit(tags=tags)
    expected = {"status": "Failed", "reason": "Cold front", "reason_code": 5203}
    assert client.wait(job) == (expected if struck else {"status": "Completed"})
    assert fault.count == struck
    fault.clear()
    assert client.ask("GET", f"/jobs/{job}/results").status_code == (204 if struck else 200)
    times = client.json(f"/jobs/{job}")["timestamps"]
    assert times["created"] < times["running"] < times["finished"], "it was Queued and Running before"


def test_a_job_may_be_scripted_to_run_too_long(client, service):
    service.faults.job("slow", "Cancelled", reason="Ran too long", reason_code=1305)
    assert client.wait(client.submit(tags=["slow"]))["reason_code"] == 1305


def test_jobs_are_held_as_queued_and_let_go(client, service):
    service.faults.hold("Queued")
    jobs = [client.submit() for _ in range(3)]
    assert [client.state(job)["status"] for job in jobs] == ["Queued"] * 3
    service.faults.release()
    assert [client.wait(job)["status"] for job in jobs] == ["Completed"] * 3


def test_jobs_are_held_as_running_and_keep_their_workers(client, service):
    service.faults.hold("Running")
    jobs = [client.submit() for _ in range(3)]
    for job in jobs[:2]:
        client.wait(job, "Running")
    assert client.state(jobs[2])["status"] == "Queued"
    assert client.json(f"/jobs/{jobs[2]}")["position_in_queue"] == 1
    assert client.ask("POST", f"/jobs/{jobs[0]}/cancel").status_code == 204
    client.wait(jobs[2], "Running")
    service.faults.release()
    assert [client.wait(job)["status"] for job in jobs] == ["Cancelled", "Completed", "Completed"]


def test_requests_are_recorded_without_those_of_the_control(client, service):
    service.clear_requests()
    client.json("/jobs", tags=["a", "b"])
    client.ask("GET", "/jobs/any")
    first, second = service.requests
    assert (first.method, first.path, first.query, first.status) == ("GET", "/jobs", "tags=a&tags=b", 200)
    assert (second.path, second.query, second.status) == ("/jobs/any", "", 404)
    assert 0 < first.ms < 1000
    service.faults.close("GET /jobs")
    with pytest.raises(requests.ConnectionError):
        client.ask("GET", "/jobs")
    assert [record.status for record in service.requests] == [200, 404, 0]
    service.clear_requests()
    assert service.requests == []


@pytest.mark.parametrize(
    "script",
    [
        lambda faults: faults.http("/jobs"),
        lambda faults: faults.http("FETCH /jobs"),
        lambda faults: faults.http("GET /jobs", status=200),
        lambda faults: faults.http("GET /jobs", status="503"),
        lambda faults: faults.http("GET /jobs", status=503.0),
        lambda faults: faults.http("GET /jobs", status=600),
        lambda faults: faults.http("GET /jobs", times=0),
        lambda faults: faults.http("GET /jobs", retry_after=-1),
        lambda faults: faults.delay("GET /jobs", "long"),
        lambda faults: faults.close(None),
        lambda faults: faults.job(-1),
        lambda faults: faults.job(""),
        lambda faults: faults.job("*", status="Exploded"),
        lambda faults: faults.job("*", reason=3),
        lambda faults: faults.job("*", reason="\ud800"),
        lambda faults: faults.job("*", reason_code="1305"),
        lambda faults: faults.hold("Completed"),
    ],
)
def test_what_cannot_be_scripted_is_refused_at_once(service, script):
    with pytest.raises(InvalidInput):
        script(service.faults)


def test_a_service_may_have_a_name_of_its_own():
    told = []

    async def app(scope, receive, send):
        told.append(scope["path"])

    async def send(message):
        told.append(message.get("status"))

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    gate = Gate(app, Tokens("secret"), Faults(), hosts=["lab-7.example:8080", "[fe80::1]:8080"])
    for host in (b"lab-7.example", b"LAB-7.example:9", b"[FE80::1]", b"lab-8.example"):
        headers = [(b"host", host), (b"authorization", b"apikey secret")]
        scope = {"type": "http", "method": "GET", "path": "/control/x", "headers": headers}
        asyncio.run(gate(scope, receive, send))
    assert told[:4] == ["/control/x"] * 3 + [403]


def test_all_faults_are_cleared_at_once(client, service):
    faults = [service.faults.http("GET /jobs", times=None), service.faults.close("GET /backends")]
    service.faults.clear()
    assert client.ask("GET", "/jobs").status_code == client.ask("GET", "/backends").status_code == 200
    assert [fault.count for fault in faults] == [0, 0]
