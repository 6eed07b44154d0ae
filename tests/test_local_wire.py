"""What requests of the REST API say, read and checked without a service."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from starlette.datastructures import QueryParams

from qjob_widgets.local.jobs.records import Job, Query
from qjob_widgets.local.limits import LONGEST_RUN
from qjob_widgets.local.queue.outlook import Place
from qjob_widgets.local.web import bodies, wire
from qjob_widgets.local.web.answers import RefusalError

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
        ("created_before=1970-01-01t00:00:00.5z", Query(created_before=500_000)),
        ("created_before=1970-01-01T00:00:00.0000019%2B00:00", Query(created_before=1)),
        ("include_mocks=True", Query(mocks=True)),
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
    new = bodies.read_submission(json.dumps(body).encode(), "me")
    assert json.loads(new.params) == {"pubs": [1]}
    assert (new.tags, new.cost, new.caller, new.private) == (("x",), 7, "me", False)
    del body["cost"], body["params"], body["tags"]
    new = bodies.read_submission(json.dumps(body).encode(), None)
    assert (new.params, new.tags, new.cost) == (b"{}", (), LONGEST_RUN)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "not JSON: Expecting"),
        (b"\xff\xfe", "not JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": ' + b"1" * 5000 + b"}", "too long"),
        (b'{"a": ' * 99_999, "100 levels"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "100 levels"),
        (b"[]", "must be a JSON object"),
    ],
)
def test_a_body_that_is_no_object_is_refused_with_the_reason(body, named):
    with pytest.raises(RefusalError, match=named) as caught:
        bodies.read_object(body)
    assert caught.value.status == 400


def test_an_object_is_read_as_json_says():
    body = b'\xef\xbb\xbf{"a": 1, "a": 2, "b": ' + b"[" * 98 + b"]" * 98 + b"}"
    assert bodies.read_object(body)["a"] == 2, "of a name that stands twice, the last value counts"
    with pytest.raises(RefusalError, match="'b'") as caught:
        bodies.read_object(body, {"a"})
    assert caught.value.solution == "Choose from a."


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"params": [1]}, "'params'"),
        ({"params": {"shots": float("1e999")}}, "Infinity"),
        ({"cost": True}, "'cost'"),
        ({"cost": 1.5}, "'cost'"),
        ({"cost": 10_801}, "'cost'"),
        ({"cost": 10**400}, "'cost'"),
        ({"private": 1}, "'private'"),
        ({"session_id": "x" * 37}, "'session_id'"),
        ({"session_id": ""}, "'session_id'"),
        ({"runtime": {}}, "'runtime'"),
        ({"log_level": 10}, "'log_level'"),
        ({"calibration_id": []}, "'calibration_id'"),
        ({"tags": [1]}, "'tags'"),
        ({"tags": ["\ud800"]}, "'tags'"),
        ({"backend": None}, "'backend'"),
        ({"shots": 10}, "'shots'"),
    ],
)
def test_a_submission_of_the_wrong_types_is_refused_by_name(fields, named):
    body = {"program_id": "sampler", "backend": "b", **fields}
    with pytest.raises(RefusalError, match=named):
        bodies.read_submission(json.dumps(body).encode(), None)


def test_a_number_that_json_cannot_say_is_refused():
    with pytest.raises(RefusalError, match="too large"):
        bodies.read_submission(b'{"program_id": "s", "backend": "b", "params": {"shots": 1e999}}', None)


def test_a_whole_number_may_be_written_with_a_point():
    assert bodies.read_submission(b'{"program_id": "s", "backend": "b", "cost": 5.0}', None).cost == 5
    assert bodies.read_submission(b'{"program_id": "s", "backend": "b"}', None, longest=60).cost == 60
    with pytest.raises(RefusalError, match="1 to 60 seconds"):
        bodies.read_submission(b'{"program_id": "s", "backend": "b", "cost": 61}', None, longest=60)


def test_what_is_repeated_of_a_request_is_short():
    with pytest.raises(RefusalError) as caught:
        bodies.read_submission(json.dumps({"cost": "9" * 10_000}).encode(), None)
    assert len(caught.value.response().body) < 1000


def test_a_record_leaves_out_what_is_not_there():
    record = wire.job_record(JOB, wire.queue_fields(Place(3, 3, None, None)))
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
