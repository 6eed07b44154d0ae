"""What the service's answers mean, without any I/O."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from qjob_widgets import errors
from qjob_widgets.rest import paths, wire
from qjob_widgets.status import Status

RECORD = {
    "id": "d57e7860d82774bca945",
    "created": "2026-11-20T15:08:49.427322Z",
    "backend": "local_manila",
    "program": {"id": "sampler"},
    "state": {"status": "Queued"},
    "tags": ["vqe", "ibm_composite_job_indexes:2:12:20:29"],
    "position_in_queue": 3,
    "estimated_start_time": "2026-11-20T15:09:00Z",
    "usage": {"qpu_charge_time_seconds": 0, "status": "pending"},
}


def test_record_of_the_local_service():
    found = wire.snapshot(RECORD)

    assert found.job_id == "d57e7860d82774bca945"
    assert found.status is Status.QUEUED
    assert found.created == datetime(2026, 11, 20, 15, 8, 49, 427322, tzinfo=timezone.utc)
    assert found.position == 3
    assert found.place is not None
    assert (found.place.job, found.place.start, found.place.end) == (2, 20, 29)
    assert found.usage_seconds is None


def test_record_of_the_hosted_service_has_no_queue():
    found = wire.snapshot({"id": "x", "state": {"status": "Queued"}})

    assert found.queue is None
    assert found.created is None


def test_position_zero_is_zero():
    assert wire.snapshot({**RECORD, "position_in_queue": 0}).position == 0


def test_reason_and_code():
    state = {"status": "Failed", "reason": "not an ISA circuit", "reason_code": 1517}
    found = wire.snapshot({**RECORD, "state": state})

    assert found.status is Status.ERROR
    assert found.why == "1517 not an ISA circuit"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-20T12:00:00Z", 0.0),
        ("2026-11-20T12:00:00.5Z", 0.5),
        ("2026-11-20T12:00:00.1234567Z", 0.123456),
        ("2026-11-20T13:00:00+01:00", 0.0),
    ],
)
def test_times(text, seconds):
    noon = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
    assert wire.moment(text) == noon + timedelta(seconds=seconds)


@pytest.mark.parametrize("text", [None, "", "yesterday", 7, "2026-13-45T99:99:99Z"])
def test_what_is_no_time(text):
    assert wire.moment(text) is None


def body(code: int = 1291, message: str = "Job not found.") -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}], "trace": "t"}).encode()


@pytest.mark.parametrize(
    ("status", "kind", "passing"),
    [
        (400, errors.ApiError, False),
        (401, errors.NotAuthorized, False),
        (403, errors.NotAuthorized, False),
        (404, errors.NotFound, False),
        (409, errors.Conflict, False),
        (429, errors.RateLimited, True),
        (503, errors.ServerFailure, True),
    ],
)
def test_errors_by_status(status, kind, passing):
    with pytest.raises(kind) as caught:
        wire.decipher(wire.Answer(status, {}, body()))
    assert caught.value.status == status
    assert caught.value.code == 1291
    assert caught.value.passing is passing
    assert "Job not found." in str(caught.value)


def test_retry_after():
    with pytest.raises(errors.RateLimited) as caught:
        wire.decipher(wire.Answer(429, {"Retry-After": "7"}, b""))
    assert caught.value.retry_after == 7
    assert wire.retry_after({"retry-after": "Wed, 21 Oct"}) is None


@pytest.mark.parametrize("text", [b"<html>Bad Gateway</html>", b"", b'"text"', b"[1]", b'{"error": "plain"}'])
def test_error_bodies_of_any_kind(text):
    with pytest.raises(errors.ServerFailure):
        wire.decipher(wire.Answer(502, {}, text))


def test_truncated_answer_is_no_answer():
    with pytest.raises(errors.Unreachable, match="broke off"):
        wire.value(wire.Answer(200, {}, b'{"jobs": ['))


@pytest.mark.parametrize("text", [b"{}", b"[]", b'{"jobs": 3}'])
def test_lists_without_jobs(text):
    with pytest.raises(errors.Unreachable):
        wire.page(wire.Answer(200, {}, text))


def test_list_query():
    query = wire.list_query(
        tags=["a", "b"],
        pending=True,
        created_after=datetime(2026, 1, 2, tzinfo=timezone.utc),
        limit=200,
        offset=200,
    )

    assert ("tags", "a") in query
    assert ("tags", "b") in query
    assert ("pending", "true") in query
    assert ("created_after", "2026-01-02T00:00:00.000000Z") in query
    assert ("sort", "ASC") in query
    assert ("offset", "200") in query


def test_paths_are_filled_and_encoded():
    assert paths.fill(paths.RESULTS, "a/b") == "/jobs/a%2Fb/results"


@pytest.mark.parametrize("segment", ["", " ", "..", "."])
def test_empty_segments_are_refused(segment):
    with pytest.raises(errors.InvalidInput):
        paths.fill(paths.JOB, segment)
