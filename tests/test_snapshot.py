"""Facts about jobs."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest

from qjob_widgets.snapshot import QueueInfo
from qjob_widgets.status import Status
from tests.support import NOON, composite, part


def test_snapshots_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        part("Q").status = Status.DONE  # type: ignore[misc]


def test_counts_name_all_seven_states():
    counts = composite("DDEQC").counts

    assert sum(counts.values()) == 5
    assert set(counts) == set(Status)
    assert counts[Status.RUNNING] == 0


def test_only_failed_and_cancelled_parts_are_rerun():
    assert [one.place.job for one in composite("DEQCR").rerunnable] == [1, 3]


@pytest.mark.parametrize(("positions", "last"), [([2, 5], 5), ([5, 2], 5), ([2, None], None)])
def test_last_in_queue(positions, last):
    parts = tuple(part("Q", index, 2, position=position) for index, position in enumerate(positions))

    found = replace(composite("QQ"), parts=parts).last_in_queue
    assert found is not None
    assert found.position == last


def test_position_is_only_of_queued_jobs():
    assert part("R", position=3).position is None
    assert part("Q", position=3).position == 3


def test_queue_info_as_dictionary_and_text():
    info = QueueInfo(
        3, status="QUEUED", estimated_start_time=NOON + timedelta(minutes=2, seconds=30), job_id="j"
    )

    assert set(info.to_dict()) == {
        "position",
        "status",
        "estimated_start_time",
        "estimated_complete_time",
        "hub_priority",
        "group_priority",
        "project_priority",
        "job_id",
    }
    text = info.format(now=NOON).splitlines()
    assert len(text) == 8
    assert text[2].endswith("job is queued")
    assert "j" in text[0]
    assert "3" in text[1]
    assert "2 min 30 sec" in text[3]
    assert text[4].endswith("unknown")


def test_queue_info_has_what_else_the_service_says():
    info = QueueInfo(0, estimated_start_time=NOON, colour="green")

    assert info.position == 0
    assert info.colour == "green"
    assert info.to_dict()["colour"] == "green"
    assert info.estimated_start_time == NOON
    assert info.estimated_start_time.tzinfo is not None
    assert repr(info).startswith("QueueInfo(position=0, ")
    assert info == QueueInfo(0, estimated_start_time=NOON, colour="green")
    assert copy.deepcopy(info) == info
    with pytest.raises(AttributeError, match="'flavour'"):
        _ = info.flavour
    with pytest.raises(FrozenInstanceError):
        info.position = 1  # type: ignore[misc]
