"""What requests of the REST API say, read and checked without a service."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from starlette.datastructures import QueryParams

from qjob_widgets.local import wire
from qjob_widgets.local.answers import RefusalError
from qjob_widgets.local.records import Job, Query

JOB = Job(
    number=1, id="a", status="Queued", reason=None, reason_code=None, created=1_000_000, running=None,
    finished=None, seconds=None, backend="local_manila", program="sampler", session_id=None, private=False,
    cost=600, caller=None, tags=("vqe",), script=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Query()),
        ("limit=20&offset=40", Query(limit=20, offset=40)),
        ("limit=0", Query()),
        ("limit=201", Query()),
        ("limit=", Query()),
        ("offset=", Query()),
        ("tags=a&tags=b", Query(tags=("a", "b"))),
        ("pending=true", Query(pending=True)),
        ("pending=False", Query(pending=False)),
        ("sort=asc", Query(ascending=True)),
        ("backend=b&program=p&session_id=s", Query(backend="b", program="p", session_id="s")),
        ("created_after=1970-01-01T00:00:01Z", Query(created_after=1_000_000)),
        ("created_after=1970-01-01T00:00:01", Query(created_after=1_000_000)),
        ("created_after=1970-01-01T01:00:01%2B01:00", Query(created_after=1_000_000)),
        ("created_after=1970-01-01T01:00:01+01:00", Query(created_after=1_000_000)),
        ("created_before=1970-01-01T00:00:01.000001Z", Query(created_before=1_000_001)),
        ("created_before=1970-01-01 00:00:01", Query(created_before=1_000_000)),
        ("include_mocks=True", Query()),
    ],
)
def test_a_list_request_is_read(text, expected):
    assert wire.read_query(QueryParams(text)) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("offset=-1", "'-1'"),
        ("offset=1e3", "'1e3'"),
        ("offset=²", "'²'"),
        ("pending=1", "'1'"),
        ("sort=up", "'up'"),
        ("created_after=now", "'now'"),
        ("created_before=9999-12-31T23:59:59-23:59Z", "created_before"),
    ],
)
def test_a_list_request_that_cannot_be_used_is_refused_by_name(text, named):
    with pytest.raises(RefusalError) as caught:
        wire.read_query(QueryParams(text))
    assert caught.value.status == 400
    assert named in caught.value.message


def test_a_submission_is_read_with_what_it_leaves_out():
    body = {"program_id": "sampler", "backend": "b", "params": {"pubs": [1]}, "tags": ["x"], "cost": 7}
    new = wire.read_submission(json.dumps(body).encode(), "me")
    assert json.loads(new.params) == {"pubs": [1]}
    assert (new.tags, new.cost, new.caller, new.private) == (("x",), 7, "me", False)
    del body["cost"], body["params"], body["tags"]
    new = wire.read_submission(json.dumps(body).encode(), None)
    assert (new.params, new.tags, new.cost) == (b"{}", (), wire.LONGEST_RUN)


def test_a_record_leaves_out_what_is_not_there():
    record = wire.job_record(JOB, wire.queue_fields(3, None, None))
    assert record["state"] == {"status": "Queued"}
    assert record["position_in_queue"] == record["position_in_provider"] == 3
    assert record["estimated_start_time"] is None
    assert record["timestamps"] == {
        "created": "1970-01-01T00:00:01.000000Z",
        "running": None,
        "finished": None,
    }
    assert record["usage"] == {"qpu_charge_time_seconds": 0.0, "status": "pending"}
    assert "session_id" not in record
    assert "private" not in record


def test_a_record_tells_why_and_how_long():
    job = replace(
        JOB, status="Failed", reason="cold", reason_code=7, seconds=1.5, session_id="s", private=True
    )
    record = wire.job_record(job, wire.NOT_QUEUED)
    assert record["state"] == {"status": "Failed", "reason": "cold", "reason_code": 7}
    assert record["usage"] == {"qpu_charge_time_seconds": 1.5, "status": "complete"}
    assert record["position_in_queue"] is None
    assert (record["session_id"], record["private"]) == ("s", True)
