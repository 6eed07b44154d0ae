"""What a panel's front end reads, and the sentences."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import timedelta

import pytest

from qjob_widgets.monitor.monitor import Freshness
from qjob_widgets.snapshot import QueueInfo
from qjob_widgets.status import Status
from qjob_widgets.widgets import view_state, words
from tests.support import NOON, composite, part

CAN = {"cancel": True, "rerun": True, "refresh": True}


def meta(snapshot):
    return view_state.meta(snapshot, twin="t", can=CAN, revision=3)


def test_meta_is_columns():
    found = meta(composite("DEQ"))

    assert found["total"] == 3
    assert found["start"] == [0, 10, 20]
    assert found["end"] == [9, 19, 29]
    assert found["ids"] == ["job-0", "job-1", "job-2"]
    assert found["tags"] == ["vqe"]
    assert found["created"] == NOON.timestamp() * 1000
    assert found["rev"] == 3


def test_equal_reasons_are_written_once():
    snapshot = composite("EEED")
    reasons = ["calibration", "calibration", "internal error", None]
    parts = tuple(replace(one, reason=why) for one, why in zip(snapshot.parts, reasons, strict=True))
    found = meta(replace(snapshot, parts=parts))

    assert found["reason"] == [0, 0, 1, -1]
    assert [one["text"] for one in found["reasons"]] == ["calibration", "internal error"]


def test_long_reasons_are_cut():
    snapshot = composite("E")
    parts = (replace(snapshot.parts[0], reason="x" * 10_000),)

    assert len(meta(replace(snapshot, parts=parts))["reasons"][0]["text"]) == 300


def test_live_is_four_bytes_a_part():
    parts = [part("Q", position=258), part("E", attempt=300), part("Q", position=99_999), part("D")]

    assert view_state.live(parts) == bytes([2, 1, 2, 1, 4, 255, 0, 0, 2, 1, 255, 255, 6, 1, 0, 0])


def test_times_are_tenths_from_the_origin():
    one = part("D", running=NOON + timedelta(seconds=1.5), finished=NOON + timedelta(hours=1))
    unknown = part("Q", created=None)

    assert struct.unpack("<6I", view_state.times([one, unknown], NOON)) == (1, 16, 36001, 0, 0, 0)


def test_a_single_job_has_no_circuits_to_tell():
    snapshot = composite("D")
    alone = replace(snapshot, parts=(replace(snapshot.parts[0], place=None),), composite=False)
    found = meta(alone)

    assert (found["kind"], found["start"], found["end"]) == ("job", [], [])


def test_summary_counts_and_freshness():
    snapshot = composite("DDEQ")
    used = tuple(replace(one, usage_seconds=0.5) for one in snapshot.parts[:2]) + snapshot.parts[2:]
    fresh = Freshness(NOON, 2.0, 1, "No answer.")
    found = view_state.summary(replace(snapshot, parts=used), fresh, now=NOON + timedelta(seconds=4))

    assert found["status"] == "QUEUED"
    assert sum(found["counts"].values()) == 4
    assert len(found["counts"]) == 7
    assert (found["done_circuits"], found["circuits"]) == (20, 40)
    assert (found["rerunnable"], found["open"], found["final"]) == (1, 1, False)
    assert found["usage"] == 1.0
    assert found["beat"] - found["asked"] == 4000
    assert (found["failures"], found["error"]) == (1, "No answer.")


@pytest.mark.parametrize(
    ("letters", "sentence"),
    [
        ("DDDD", ""),
        ("DDRQ", "1 queued, position unknown · 1 running"),
        ("DEEC", "2 failed · 1 cancelled · can be rerun"),
    ],
)
def test_why(letters, sentence):
    assert words.why(composite(letters), NOON) == sentence


def test_why_tells_the_place_in_the_queue_and_how_long():
    info = QueueInfo(3, estimated_completion_time=NOON + timedelta(seconds=40))
    parts = (part("Q", 0, 2, position=1), replace(part("Q", 1, 2), queue=info))

    assert words.why(replace(composite("QQ"), parts=parts), NOON) == (
        "2 queued, the last at position 3, about 40 s to go"
    )


def test_why_of_parts_that_are_being_sent():
    unsent = replace(part("I", 1, 2), job_id="", word="waiting to be sent: no answer from the service")
    snapshot = replace(composite("QI"), parts=(part("Q", 0, 2), unsent), sending=1)

    assert words.why(snapshot, NOON).startswith("Sending 1 of 2 (no answer from the service)")


def test_why_of_parts_that_another_process_sends():
    snapshot = replace(composite("QI"), elsewhere=1)

    assert words.why(snapshot, NOON).startswith("Another process is sending 1 of 2")


def test_words_of_the_service_that_no_state_fits_are_shown():
    odd = replace(composite("I"), parts=(replace(part("I"), word="Contemplating"),))

    assert meta(odd)["words"] == {"0": "Contemplating"}
    assert meta(composite("Q"))["words"] == {}


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0 s"), (40, "40 s"), (660, "11 min"), (7200, "2 h"), (260_000, "3 d")]
)
def test_durations(seconds, text):
    assert words.duration(seconds) == text


def test_plain_text_has_neither_times_nor_ids():
    assert words.plain(composite("DDEQ")) == "'sweep': 4 sub-jobs, 2 done, 1 queued, 1 failed"
    assert words.plain(replace(composite("D"), name=None)) == "job: done"


def test_every_state_has_a_word_of_its_own():
    assert len({status.value for status in Status}) == 7
