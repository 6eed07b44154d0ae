"""What a panel's front end reads: columns, totals, and the few numbers of the whole."""

from __future__ import annotations

import random
import struct
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from qjob_widgets.monitor.monitor import Freshness
from qjob_widgets.snapshot import CompositeSnapshot, QueueInfo
from qjob_widgets.status import Status
from qjob_widgets.stretches import LENGTH, Stretches
from qjob_widgets.widgets import view_state, words
from qjob_widgets.widgets.columns import Columns
from qjob_widgets.widgets.sending import Sending
from tests.support import LETTERS, NOON, Clock, composite, part

CAN = {"cancel": True, "rerun": True, "refresh": True}


def meta(snapshot, **facts):
    return view_state.meta(Columns(snapshot), twin="t", can=CAN, revision=3, **facts)


def summary(snapshot, fresh=None, now=NOON, **facts):
    return view_state.summary(Columns(snapshot), fresh or Freshness(), now=now, **facts)


def of(*parts, **facts):
    return CompositeSnapshot("whole", parts, "sweep", ("vqe",), "local_manila", **facts)


def test_meta_is_columns():
    found = meta(composite("DEQ"))

    assert found["total"] == 3
    assert found["start"] == [0, 10, 20]
    assert found["end"] == [9, 19, 29]
    assert found["ids"] == ["job-0", "job-1", "job-2"]
    assert found["tags"] == ["vqe"]
    assert found["created"] == NOON.timestamp() * 1000
    assert found["rev"] == 3
    assert (found["labels"], found["calibrated"]) == (None, None)


def test_labels_and_calibration_are_told_where_they_are_known():
    found = meta(composite("DE"), labels=["bell theta=1", ""], calibrated=NOON)

    assert found["labels"] == ["bell theta=1", ""]
    assert found["calibrated"] == NOON.timestamp() * 1000
    assert meta(composite("DE"), labels=["", ""])["labels"] is None
    assert len(meta(composite("D"), labels=["x" * 500])["labels"][0]) == 80


def test_equal_reasons_are_written_once():
    snapshot = composite("EEED")
    reasons = ["calibration", "calibration", "internal error", None]
    parts = tuple(replace(one, reason=why) for one, why in zip(snapshot.parts, reasons, strict=True))
    found = Columns(replace(snapshot, parts=parts)).reasons

    assert found["of"] == {"0": 0, "1": 0, "2": 1}
    assert [one["text"] for one in found["texts"]] == ["calibration", "internal error"]


def test_long_reasons_are_cut():
    snapshot = composite("E")
    parts = (replace(snapshot.parts[0], reason="x" * 10_000),)

    assert len(Columns(replace(snapshot, parts=parts)).reasons["texts"][0]["text"]) == 300


def test_live_is_four_bytes_a_part():
    parts = [part("Q", position=258), part("E", attempt=300), part("Q", position=99_999), part("D")]

    assert Columns(of(*parts)).live == bytes([2, 1, 2, 1, 4, 255, 0, 0, 2, 1, 255, 255, 6, 1, 0, 0])


def test_a_position_that_no_queue_has_is_unknown():
    columns = Columns(of(part("Q", position=-3), part("Q", position=7)))

    assert columns.live == bytes([2, 1, 0, 0, 2, 1, 7, 0])
    assert columns.last_in_queue is columns.parts[0], "what is unknown counts as last"


def test_times_are_tenths_from_the_earliest_and_thousandths_of_usage():
    done = part("D", running=NOON + timedelta(seconds=1.5), finished=NOON + timedelta(hours=1))
    used = replace(done, usage_seconds=1.25)
    info = QueueInfo(2, estimated_completion_time=NOON + timedelta(seconds=90))
    queued, free = replace(part("Q"), queue=info), replace(done, usage_seconds=0.0)
    unknown = part("Q", created=None)
    columns = Columns(of(used, queued, free, unknown))

    assert columns.since == NOON
    assert struct.unpack("<20I", columns.times) == (
        *(1, 16, 36001, 0, 1251),
        *(1, 0, 0, 901, 0),
        *(1, 16, 36001, 0, 1),
        *(0, 0, 0, 0, 0),
    )


def test_times_that_cannot_be_written_are_the_nearest_that_can():
    early = part("D", running=NOON - timedelta(days=1), finished=NOON + timedelta(days=9999))

    assert struct.unpack("<5I", Columns(of(early)).times)[:3] == (1, 1, 0xFFFFFFFF)


def test_an_earlier_part_moves_the_origin_and_a_later_one_does_not():
    columns = Columns(of(part("Q", 0, 2), part("I", 1, 2, created=None)))
    columns.stale.clear()
    early = part("Q", 1, 2, created=NOON - timedelta(seconds=5))
    columns.take(of(columns.parts[0], early))

    assert columns.stale == {"meta", "live", "times"}
    assert struct.unpack("<10I", columns.times)[::5] == (51, 1)
    columns.take(of(columns.parts[0], part("Q", 1, 2)))
    assert columns.since == NOON - timedelta(seconds=5)


def test_what_is_kept_up_to_date_is_what_is_made_anew():
    chance = random.Random(7)
    snapshot = composite("Q" * (2 * LENGTH + 60))
    parts = Stretches(snapshot.parts)
    columns = Columns(snapshot)

    def ends():
        later = NOON + timedelta(seconds=chance.randrange(100))
        return {"estimated_completion_time": chance.choice([None, later])}

    def changed(old):
        letter = chance.choice(list(LETTERS))
        return replace(
            old,
            status=LETTERS[letter],
            job_id=chance.choice(["", old.job_id]),
            queue=chance.choice([None, QueueInfo(chance.choice([None, chance.randrange(1, 99)]), **ends())]),
            attempt=chance.randrange(4),
            created=chance.choice([NOON, NOON + timedelta(seconds=chance.randrange(100))]),
            finished=chance.choice([None, NOON + timedelta(seconds=chance.randrange(100))]),
            running=chance.choice([None, NOON + timedelta(seconds=chance.randrange(100))]),
            usage_seconds=chance.choice([None, 0.5, 2.25]),
            estimated_seconds=chance.choice([None, 3.0]),
            times_seen=chance.random() < 0.3,
            reason=chance.choice([None, "a", "b"]),
            place=chance.choice([old.place, replace(old.place, end=old.place.start + chance.randrange(9))]),
        )

    for _ in range(40):
        touched = chance.sample(range(len(parts)), chance.choice([1, 12, 100]))
        parts = parts.replacing({index: changed(parts[index]) for index in touched})
        snapshot = replace(snapshot, parts=chance.choice([parts, tuple(parts)]))
        columns.take(snapshot)
        fresh = Columns(snapshot)
        assert (columns.live, columns.times, columns.totals) == (fresh.live, fresh.times, fresh.totals)
        assert (columns.ids, columns.reasons) == (fresh.ids, fresh.reasons)
        assert (columns.status, columns.counts) == (snapshot.status, snapshot.counts)
        last, known = columns.last_in_queue, snapshot.last_in_queue
        assert (last is None) is (known is None)
        assert last is None or last.position == known.position


def test_only_what_changed_is_stale():
    snapshot = composite("QQQ")
    columns = Columns(snapshot)

    def taken(snapshot):
        columns.stale.clear()
        columns.take(snapshot)
        return columns.stale

    running = replace(snapshot.parts[1], status=Status.RUNNING, word="Running")
    snapshot = replace(snapshot, parts=(snapshot.parts[0], running, snapshot.parts[2]))
    assert taken(snapshot) == {"live", "times"}
    assert taken(snapshot) == set()
    assert taken(replace(snapshot)) == set()
    assert taken(replace(snapshot, tags=("new",))) == {"meta"}
    taken(snapshot)
    failed = replace(snapshot.parts[2], status=Status.ERROR, reason="why")
    failed = replace(snapshot, parts=(*snapshot.parts[:2], failed))
    assert taken(failed) == {"live", "times", "reasons"}
    again = replace(failed.parts[2], reason="".join(["w", "hy"]), usage_seconds=1.0)
    assert taken(replace(failed, parts=(*failed.parts[:2], again))) == {"live", "times"}, "the same reason"
    assert taken(replace(snapshot, parts=snapshot.parts[:2])) == {"meta", "live", "times", "reasons"}


def test_a_tick_of_a_large_job_costs_a_small_part_of_making_it_anew():
    """Of design.md's budget what is held here is a ratio: milliseconds differ between machines."""
    snapshot = composite("Q" * 5000 + "R" * 300 + "D" * 4700)
    columns, parts = Columns(snapshot), list(snapshot.parts)
    anew = spent(lambda: Columns(replace(snapshot, parts=tuple(parts))))
    ticks = []
    for tick in range(7):
        for index in range(300 * tick, 300 * (tick + 1)):
            parts[index] = replace(parts[index], status=Status.RUNNING, word="Running", running=NOON)
        now = replace(snapshot, parts=tuple(parts))
        ticks.append(spent(lambda now=now: all_of(columns, now)))

    assert sorted(ticks)[3] < anew / 3


def spent(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def all_of(columns, snapshot):
    columns.take(snapshot)
    return columns.live, columns.times, view_state.summary(columns, Freshness(), now=NOON)


def test_a_single_job_has_no_circuits_to_tell():
    snapshot = composite("D")
    alone = replace(snapshot, parts=(replace(snapshot.parts[0], place=None),), composite=False)
    found = meta(alone)

    assert (found["kind"], found["start"], found["end"]) == ("job", [], [])


def test_summary_counts_and_freshness():
    snapshot = composite("DDEQ")
    used = tuple(replace(one, usage_seconds=0.5) for one in snapshot.parts[:2]) + snapshot.parts[2:]
    fresh = Freshness(NOON, 2.0, 1, "No answer.")
    found = summary(replace(snapshot, parts=used), fresh, now=NOON + timedelta(seconds=4))

    assert found["status"] == "QUEUED"
    assert sum(found["counts"].values()) == 4
    assert len(found["counts"]) == 7
    assert (found["done_circuits"], found["circuits"]) == (20, 40)
    assert (found["rerunnable"], found["open"], found["final"]) == (1, 1, False)
    assert found["usage"] == 1.0
    assert found["beat"] - found["asked"] == 4000
    assert (found["failures"], found["error"]) == (1, "No answer.")
    assert (found["paused"], found["sending"]) == (False, None)


def test_what_can_be_rerun_is_told_by_kind_each_part_once():
    refused = replace(part("E"), job_id="", reason="Not submitted: too large")
    stopped = replace(part("C"), job_id="")
    found = summary(of(refused, part("E"), part("E"), part("C"), stopped, part("D")))

    assert found["rerunnable_by"] == {"ERROR": 2, "CANCELLED": 2, "UNSENT": 1}
    assert found["rerunnable"] == 5


def test_cost_is_what_was_used_and_what_is_expected_in_all():
    done = replace(part("D"), usage_seconds=2.5, estimated_seconds=4.0)
    queued = replace(part("Q"), estimated_seconds=4.0)

    assert summary(of(part("Q")))["cost"] is None
    known = {"used": 0.0, "estimated": None, "left": 60.0, "limit": 600.0}
    assert summary(of(part("Q")), left=60.0, limit=600.0)["cost"] == known
    assert summary(of(done, queued))["cost"] == {"used": 2.5, "estimated": 6.5, "left": None, "limit": None}


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
    assert words.why(Columns(composite(letters)), NOON) == sentence


def test_what_misses_parts_cannot_be_rerun():
    lost = replace(part("E", 1, 3), job_id="", attempt=0)
    snapshot = replace(composite("DEE"), parts=(part("D", 0, 3), lost, part("E", 2, 3)))

    for whole in (snapshot, Columns(snapshot)):
        assert words.why(whole, NOON) == "2 failed · 1 missing, so it cannot be rerun"


def test_why_tells_the_place_in_the_queue_and_how_long():
    info = QueueInfo(3, estimated_completion_time=NOON + timedelta(seconds=40))
    parts = (part("Q", 0, 2, position=1), replace(part("Q", 1, 2), queue=info))
    snapshot = replace(composite("QQ"), parts=parts)

    for whole in (snapshot, Columns(snapshot)):
        assert words.why(whole, NOON) == "2 queued, the last at position 3, about 40 s to go"


def test_why_of_parts_that_are_being_sent():
    unsent = replace(part("I", 1, 2), job_id="", word="waiting to be sent: no answer from the service")
    snapshot = replace(composite("QI"), parts=(part("Q", 0, 2), unsent), sending=1)

    assert words.why(snapshot, NOON).startswith("Sending 1 of 2 (no answer from the service)")


def test_why_of_parts_that_another_process_sends():
    snapshot = replace(composite("QI"), elsewhere=1)

    assert words.why(snapshot, NOON).startswith("Another process is sending 1 of 2")


def unsent(number, of_all, word="waiting to be sent", attempt=1):
    waiting = tuple(
        replace(part("I", index, of_all), job_id="", word=word, attempt=attempt) for index in range(number)
    )
    sent = tuple(part("Q", index, of_all) for index in range(number, of_all))
    return Columns(replace(composite("Q"), parts=waiting + sent, sending=number))


def test_the_paced_queue_tells_how_long_it_takes_by_its_own_pace():
    clock = Clock()
    sending = Sending(clock)
    first = sending.told(unsent(100, 100))
    clock.now = 20
    later = sending.told(unsent(60, 100))

    assert first == {"left": 100, "total": 100, "seconds": None, "trouble": ""}
    assert later == {"left": 60, "total": 100, "seconds": 30.0, "trouble": ""}
    clock.now = 300  # nothing was sent for longer than the pace is measured
    assert sending.told(unsent(60, 100))["seconds"] is None
    assert sending.told(unsent(0, 100)) is None


def test_a_first_burst_is_not_taken_for_the_pace_while_the_service_asks_to_wait():
    clock, held_up = Clock(), "waiting to be sent: the service asks to wait"
    sending = Sending(clock)
    sending.told(unsent(100, 100))
    clock.now = 30
    early = sending.told(unsent(93, 100, held_up))
    clock.now = 60
    later = sending.told(unsent(90, 100, held_up))

    assert (early["seconds"], early["trouble"]) == (None, "the service asks to wait")
    assert later["seconds"] == 540.0


def test_a_rerun_counts_what_it_sends_and_what_is_put_behind_it():
    clock = Clock()
    sending = Sending(clock)

    assert sending.told(unsent(10, 100, attempt=2))["total"] == 10
    clock.now = 20
    assert sending.told(unsent(5, 100, attempt=2)) == {"left": 5, "total": 10, "seconds": 20.0, "trouble": ""}
    assert sending.told(unsent(25, 100, attempt=2))["total"] == 30


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
