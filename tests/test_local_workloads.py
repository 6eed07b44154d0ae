"""Workloads and tags of the local service, over HTTP."""

from __future__ import annotations

import base64
import json

import pytest

import qjob_widgets as qj
from tests.local_support import Client


@pytest.fixture(scope="module")
def service():
    with qj.LocalService(workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def client(service):
    return Client(service)


@pytest.fixture(scope="module")
def loads(service, client):
    """Oldest first: a job that is done, one that failed, a batch with a job, one cancelled, one queued,
    and a session without jobs."""
    done = client.submit(tags=["vqe", "first"])
    client.wait(done)
    service.faults.job("fails", reason="Cold front")
    failed = client.submit(tags=["fails", "vqe"])
    client.wait(failed)
    service.faults.hold("Queued")
    batch = opened(client, "batch")
    inside = client.submit(session_id=batch, tags=["inside"])
    cancelled, queued = client.submit(), client.submit()
    client.ask("POST", f"/jobs/{cancelled}/cancel")
    session = opened(client, "dedicated")
    yield [done, failed, batch, cancelled, queued, session]
    for job in (inside, queued):
        client.ask("POST", f"/jobs/{job}/cancel")


def opened(client, mode):
    return client.ask("POST", "/sessions", json={"mode": mode, "backend": "local_simulator"}).json()["id"]


def cursor(*position):
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def ids(answer):
    return [each["id"] for each in answer["workloads"]]


def test_workloads_are_listed_newest_first(client, loads):
    answer = client.json("/workloads")
    assert ids(answer) == loads[::-1]
    assert (answer["total_count"], answer["limit"]) == (6, 10)
    assert "next" not in answer
    assert "previous" not in answer
    assert ids(client.json("/workloads", sort="createdAt")) == loads


def test_what_a_workload_tells(client, loads):
    done, failed, batch, cancelled, queued, session = client.json("/workloads", sort="createdAt")["workloads"]
    assert [each["mode"] for each in (done, batch, session)] == ["job", "batch", "session"]
    statuses = [each["status"] for each in (done, failed, batch, cancelled, queued, session)]
    assert statuses == ["completed", "failed", "pending", "canceled", "pending", "pending"]
    assert done["created"] < done["ended"] < failed["created"]
    assert done["usage"]["qpu_charge_time_seconds"] > 0
    assert failed["status_reason"] == "Cold front"
    assert (done["tags"], done["backend"]) == (["vqe", "first"], "local_simulator")
    assert done["instance"] == client.service.crn
    assert (session["accepting_jobs"], session["ended"]) == (True, None)


@pytest.mark.parametrize(
    ("filters", "places"),
    [
        ({"mode": "job"}, [0, 1, 3, 4]),
        ({"mode": "batch"}, [2]),
        ({"status": "failed"}, [1]),
        ({"status": ["completed", "canceled"]}, [0, 3]),
        ({"tags": "vqe"}, [0, 1]),
        ({"tags": ["vqe", "first"]}, [0]),
        ({"tags": "vq"}, []),
        ({"search": "vq"}, [0, 1]),
        ({"backend": "local_manila"}, []),
        ({"backend": "local_simulator", "user": "me"}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_workloads_are_filtered(client, loads, filters, places):
    answer = client.json("/workloads", sort="createdAt", **filters)
    assert ids(answer) == [loads[place] for place in places]
    assert answer["total_count"] == len(places)


def test_workloads_of_a_time(client, loads):
    created = client.json(f"/jobs/{loads[3]}")["created"]
    assert ids(client.json("/workloads", created_before=created, sort="createdAt")) == loads[:4]
    assert ids(client.json("/workloads", created_after=created, sort="createdAt")) == loads[3:]


@pytest.mark.parametrize("sort", ["createdAt", "-createdAt"])
def test_pages_lead_forwards_and_backwards(client, loads, sort):
    expected = loads if sort == "createdAt" else loads[::-1]
    first = client.json("/workloads", limit="4", sort=sort)
    second = follow(client, first["next"])
    assert (ids(first), ids(second)) == (expected[:4], expected[4:])
    assert "previous" not in first
    assert "next" not in second
    back = follow(client, second["previous"])
    assert (ids(back), back["total_count"]) == (expected[:4], 6)
    assert "previous" not in back
    assert ids(follow(client, back["next"])) == expected[4:]


def follow(client, link):
    return client.json(link["href"].removeprefix("/api/v1"))


def test_a_session_that_is_over_is_completed(client, service):
    session = opened(client, "dedicated")
    client.ask("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    newest = client.json("/workloads", limit="1")["workloads"][0]
    assert (newest["id"], newest["status"], newest["accepting_jobs"]) == (session, "completed", False)
    assert newest["ended"] is not None


@pytest.mark.parametrize(
    "query",
    [
        "sort=size",
        "mode=queue",
        "status=Queued",
        "created_after=7",
        "previous=!",
        *(
            f"next={each}"
            for each in ("nonsense", "W10=", cursor(2**70, "x"), cursor(1, "\ud800"), cursor(1, 2))
        ),
    ],
)
def test_what_cannot_be_asked(client, query):
    answer = client.ask("GET", f"/workloads?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 1208


def test_a_limit_that_cannot_be_is_the_default(client):
    assert [client.json("/workloads", limit=limit)["limit"] for limit in ("0", "51", "x", "50")] == [
        10,
        10,
        10,
        50,
    ]


def test_tags_that_hold_a_text(client, loads):
    assert client.json("/tags", type="job", search="VQE") == {"tags": ["vqe"]}
    assert client.json("/tags", search="fir") == {"tags": ["first"]}
    assert client.json("/tags", search="100%") == {"tags": []}
    for query in ("search=vq", "type=job", f"search={'x' * 101}", "type=session&search=vqe"):
        assert client.ask("GET", f"/tags?{query}").status_code == 400
