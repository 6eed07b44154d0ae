"""Scripted faults: what matches, and how often."""

from __future__ import annotations

import pytest

from qjob_widgets.errors import InvalidInput
from qjob_widgets.local.web.faults import Faults, checked, pattern


@pytest.mark.parametrize(
    ("match", "request_line", "struck"),
    [
        ("GET /jobs", "GET /jobs", True),
        ("GET /jobs", "POST /jobs", False),
        ("GET /jobs", "GET /jobs/a", False),
        ("GET /jobs/{id}", "GET /jobs/a", True),
        ("GET /jobs/{id}", "GET /jobs/a/results", False),
        ("GET /jobs/{id}", "GET /jobs/", False),
        ("GET /jobs/{id}/results", "GET /jobs/a/results", True),
        ("GET *", "GET /anything/at/all", True),
        ("* /jobs", "PUT /jobs", True),
        ("GET /jobs/*", "GET /jobs/a/results", True),
        ("*", "PATCH /x", True),
        ("GET /a.b", "GET /axb", False),
    ],
)
def test_a_request_match(match, request_line, struck):
    assert bool(pattern(match).fullmatch(request_line)) is struck


@pytest.mark.parametrize("match", ["", "GET", "GET jobs", "get /jobs", " /jobs", None, 3, b"GET /jobs"])
def test_what_matches_no_request_is_refused_by_name(match):
    with pytest.raises(InvalidInput) as caught:
        pattern(match)
    assert repr(match) in str(caught.value)
    assert "'GET /jobs/{id}'" in str(caught.value)


def test_it_strikes_as_often_as_it_was_told():
    faults = Faults()
    number = faults.add(checked({"kind": "close", "match": "GET /jobs", "times": 2}))
    struck = [len(faults.strike_request("GET", "/jobs")) for _ in range(4)]
    assert struck == [1, 1, 0, 0]
    assert faults.count(number) == 2


def test_none_is_always_until_it_is_cleared():
    faults = Faults()
    number = faults.add(checked({"kind": "close", "match": "*", "times": None}))
    for _ in range(50):
        assert faults.strike_request("GET", "/jobs")
    faults.clear(number)
    assert not faults.strike_request("GET", "/jobs")
    assert faults.count(number) == 50
    assert faults.count(99) is None


def test_delays_add_to_the_oldest_other_fault():
    faults = Faults()
    specs = [
        {"kind": "http", "match": "*", "status": 503},
        {"kind": "delay", "match": "*", "seconds": 1},
        {"kind": "close", "match": "*"},
    ]
    for spec in specs:
        faults.add(checked(spec))
    assert [fault.kind for fault in faults.strike_request("GET", "/jobs")] == ["delay", "http"]
    assert [fault.kind for fault in faults.strike_request("GET", "/jobs")] == ["close"]


def test_job_faults_strike_no_requests_and_the_other_way_round():
    faults = Faults()
    faults.add(checked({"kind": "job", "match": "*", "status": "Failed"}))
    assert faults.strike_request("POST", "/jobs") == []
    assert faults.strike_job([]) == {"status": "Failed", "reason": None, "reason_code": None}
    faults.add(checked({"kind": "close", "match": "*"}))
    assert faults.strike_job([]) is None
