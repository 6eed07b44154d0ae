"""The table of states."""

from __future__ import annotations

import pytest
from qiskit.providers import JobStatus

from qjob_widgets.jobs.states import to_qiskit
from qjob_widgets.status import (
    FINAL,
    PRECEDENCE,
    SENTENCES,
    SERVER_WORDS,
    TRANSITIONS,
    Status,
    from_server,
    overall,
)


@pytest.mark.parametrize(
    ("word", "code", "status"),
    [
        ("Queued", None, Status.QUEUED),
        ("Running", None, Status.RUNNING),
        ("Completed", None, Status.DONE),
        ("Failed", 1517, Status.ERROR),
        ("Cancelled", None, Status.CANCELLED),
        ("Cancelled", 1305, Status.ERROR),
        ("Cancelled - Ran too long", None, Status.ERROR),
        ("COMPLETED", None, Status.DONE),
        ("Failed - by the moon", None, Status.ERROR),
        ("Contemplating", None, Status.INITIALIZING),
        ("", None, Status.INITIALIZING),
    ],
)
def test_server_words(word, code, status):
    assert from_server(word, code) is status


def test_composite_takes_the_first_in_precedence():
    order = ["INITIALIZING", "VALIDATING", "QUEUED", "RUNNING", "ERROR", "CANCELLED", "DONE"]

    assert [status.name for status in PRECEDENCE] == order
    for position, status in enumerate(PRECEDENCE):
        assert overall(PRECEDENCE[position:]) is status
    assert overall([]) is Status.INITIALIZING


def test_names_are_those_of_qiskit():
    assert {status.name for status in Status} == set(JobStatus.__members__)
    assert all(to_qiskit(status).name == status.name for status in Status)
    assert {name: member.value for name, member in JobStatus.__members__.items()} == SENTENCES


def test_final_states_have_no_way_out():
    for word, ways in TRANSITIONS.items():
        assert (from_server(word) in FINAL) == (not ways)
    assert set(SERVER_WORDS) == {word.lower() for word in TRANSITIONS}
