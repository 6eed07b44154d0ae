"""What pages ask of a panel: cancel, rerun, tags, pause, report; once, in time, and answered in words."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from qjob_widgets.errors import Unreachable
from qjob_widgets.jobs.errors import IBMJobApiError
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.patience import present
from qjob_widgets.widgets.actions import JobActions
from tests.panel_bench import Bench


@pytest.mark.parametrize(
    ("content", "chosen", "sentence"),
    [
        ({"op": "cancel"}, None, "Cancel sent for 3 sub-jobs."),
        ({"op": "cancel", "rows": [2, 0, 2, 3]}, [0, 2, 3], "Cancel sent for 2 sub-jobs."),
        ({"op": "rerun"}, None, "3 sub-jobs will be sent again."),
        ({"op": "rerun", "rows": [0, 3, 4]}, [3, 4], "2 sub-jobs will be sent again."),
        ({"op": "rerun", "states": ["CANCELLED"]}, [4], "1 sub-job will be sent again."),
        ({"op": "rerun", "states": ["ERROR"]}, [3], "1 sub-job will be sent again."),
        ({"op": "rerun", "states": ["UNSENT", "CANCELLED"]}, [4, 5], "2 sub-jobs will be sent again."),
        ({"op": "rerun", "rows": [3, 4], "states": ["ERROR"]}, [3], "1 sub-job will be sent again."),
    ],
)
def test_a_selection_is_what_is_cancelled_or_sent_again(content, chosen, sentence):
    bench = Bench("QQRECE")
    parts = bench.job.snapshot.parts
    bench.job.absorb([replace(parts[5], job_id="", reason="Not submitted: too large")])
    settled = bench.settled(content)

    assert (settled["ok"], settled["text"]) == (True, sentence)
    assert bench.job.chosen == chosen
    assert (bench.job.cancelled, bench.job.rerun) in [(1, 0), (0, 1)]


@pytest.mark.parametrize(
    "content",
    [
        {"op": "cancel", "rows": []},
        {"op": "cancel", "rows": [1]},
        {"op": "rerun", "rows": [0]},
        {"op": "rerun", "states": ["CANCELLED"]},
        {"op": "rerun", "states": []},
    ],
)
def test_a_selection_with_nothing_to_do_does_nothing_and_says_so(content):
    bench = Bench("QE")

    assert bench.settled(content)["text"].startswith("Nothing to")
    assert (bench.job.cancelled, bench.job.rerun) == (0, 0)


@pytest.mark.parametrize(("sent", "said"), [(False, "Not sent"), (True, "Not answered")])
def test_a_cancel_that_could_not_be_sent_says_so_in_the_services_words(sent, said):
    bench = Bench("QQ")
    trouble = Unreachable("No answer from 127.0.0.1 (connection refused).", sent=sent)
    bench.job.trouble = IBMJobApiError("2 of 2 sub-jobs could not be cancelled: No answer.")
    bench.job.trouble.__cause__ = trouble
    settled = bench.settled({"op": "cancel"})

    assert (settled["ok"], bench.job.cancelled) == (False, 1)
    assert settled["text"] == f"{said}: 2 of 2 sub-jobs could not be cancelled: No answer."


def test_tags_that_could_not_be_sent_say_so_too():
    bench = Bench("Q")

    def refuse(tags):
        raise Unreachable("No answer from 127.0.0.1 (connection refused).", sent=False)

    bench.job.update_tags = refuse
    bench.panel._operations = JobActions(bench.job, lambda: None, now=bench.now).operations
    settled = bench.settled({"op": "tags", "tags": ["vqe"]})

    assert settled["ok"] is False
    assert settled["text"] == "Not sent: No answer from 127.0.0.1 (connection refused)."


def test_whatever_is_asked_of_the_service_has_half_a_minute():
    bench, left = Bench("Q"), []
    bench.job.update_tags = lambda tags: left.append(present().left)
    bench.panel._operations = JobActions(bench.job, lambda: None, now=bench.now).operations
    bench.settled({"op": "tags", "tags": ["vqe"]})

    assert left == [30.0]
    assert not present().limited


@pytest.mark.parametrize(("gone", "seconds"), [(True, [30.0, 5.0]), (False, [30.0, 30.0])])
def test_what_waited_for_a_click_that_nobody_answered_is_not_tried_for_as_long_again(gone, seconds):
    bench, left, asked_twice = Bench("Q"), [], threading.Event()

    def update(tags):
        left.append(present().left)
        if len(left) == 1:
            assert asked_twice.wait(10)
            bench.clock.now += 29
            if gone:
                raise Unreachable("No answer from 127.0.0.1 (connection refused).", sent=False)

    bench.job.update_tags = update
    bench.panel._operations = JobActions(bench.job, lambda: None, now=bench.now).operations
    for tag in ("first", "second"):
        bench.message({"op": "tags", "request": tag, "tags": [tag]})
    asked_twice.set()
    bench.replies(4)

    assert left == seconds


def test_the_same_action_from_two_pages_is_one_and_both_are_told():
    bench, began, may_end = Bench("EE"), threading.Event(), threading.Event()

    def slow(*, parts=None):
        began.set()
        assert may_end.wait(10)
        bench.job.rerun += 1

    bench.job.rerun_failed = slow
    bench.message({"op": "rerun", "request": "page-1"})
    assert began.wait(10)
    bench.message({"op": "rerun", "request": "page-2", "rows": None})
    bench.message({"op": "reason", "request": "quick", "row": 0})
    replies = bench.replies(4)
    may_end.set()
    replies += bench.replies(2)
    settled = {reply["request"]: reply.get("text") for reply in replies if reply["phase"] == "settled"}

    assert [reply["request"] for reply in replies[-2:]] == ["page-1", "page-2"]  # nothing quick waits for it
    assert settled["page-1"] == settled["page-2"] == "2 sub-jobs will be sent again."
    assert bench.job.rerun == 1


def test_a_refresh_while_it_is_paused_keeps_nobody_waiting():
    bench, answered = Bench("Q"), threading.Event()
    bench.settled({"op": "pause", "on": True})
    bench.job.source.ask = lambda jobs: answered.wait(10)
    bench.message({"op": "refresh", "request": "refresh"})
    bench.message({"op": "pause", "on": False, "request": "resume"})
    replies = bench.replies(3)
    answered.set()

    assert [reply["request"] for reply in replies if reply["phase"] == "settled"] == ["resume"]
    assert bench.replies(1)[0]["request"] == "refresh"


def test_pause_asks_nothing_until_resume_and_a_refresh_once():
    bench = Bench("Q", *["Q"] * 9)
    bench.monitor.step()
    bench.settled({"op": "pause", "on": True})
    bench.clock.now += 60
    bench.monitor.step()
    bench.panel.publish()
    paused, asked = bench.panel.summary, len(bench.job.source.questions)
    bench.settled({"op": "refresh"})
    once = len(bench.job.source.questions)
    bench.panel.publish()
    assert bench.panel.summary["asked"] == round(bench.now().timestamp() * 1000)
    bench.settled({"op": "pause", "on": False})
    bench.monitor.step()
    bench.panel.publish()

    assert paused["paused"] is True
    assert paused["asked"] is not None
    assert (asked, once, len(bench.job.source.questions)) == (1, 2, 3)
    assert bench.panel.summary["paused"] is False
    assert bench.panel.wants_heartbeat


def test_after_a_pause_facts_are_as_old_as_they_were_until_the_service_has_answered():
    gone = Unreachable("No answer from 127.0.0.1 (connection refused).")
    bench = Bench("Q", "Q", gone, "Q", monitor=lambda **options: Monitor(now=lambda: bench_now(), **options))
    bench_now = bench.now
    bench.monitor.step()
    known = round(bench.now().timestamp() * 1000)
    bench.panel.pause()
    bench.clock.now += 30
    bench.panel.resume()
    bench.panel.publish()
    assert bench.panel.summary["asked"] == known, "nobody has been asked since"
    bench.monitor.step()
    bench.panel.publish()
    assert (bench.panel.summary["asked"], bench.panel.summary["failures"]) == (known, 1)
    assert bench.panel._known_at(bench.job.snapshot) == bench.now() - timedelta(seconds=30)

    bench.clock.now += 30
    bench.monitor.step()
    bench.panel.publish()
    assert bench.panel.summary["asked"] == known + 60_000


def test_pausing_twice_or_a_closed_panel_is_harmless():
    bench = Bench("Q", "Q", "Q")
    bench.panel.resume()
    bench.panel.pause()
    bench.panel.pause()
    bench.panel.resume()
    bench.panel.close()
    bench.panel.pause()
    bench.panel.resume()

    assert bench.monitor.step() is None


def test_tags_are_saved_as_they_were_where_the_page_shows_them_otherwise():
    bench = Bench("Q")
    bench.job.snapshot = replace(bench.job.snapshot, tags=("zero\u200bwidth", "vqe"))
    saved = []
    bench.job.update_tags = saved.append
    bench.panel._operations = JobActions(bench.job, lambda: None, now=bench.now).operations
    bench.panel.publish()
    settled = bench.settled({"op": "tags", "tags": [*bench.panel.meta["tags"], " new "]})

    assert bench.panel.meta["tags"][0] == "zero\\u200bwidth"
    assert settled["ok"] is True
    assert saved == [["zero\u200bwidth", "vqe", "new"]]
    refused = bench.settled({"op": "tags", "tags": ["ibm_composite_job_id_00ff_"]})
    assert refused["ok"] is False
    assert "holds jobs together" in refused["text"]
    assert len(saved) == 1


def test_reasons_and_reports_are_told_whole():
    bench = Bench("DE")
    why = "line\n" * 1000
    bench.job.absorb([replace(bench.job.snapshot.parts[1], reason=why, reason_code=1305)])
    reason = bench.settled({"op": "reason", "row": 1})
    report = bench.settled({"op": "report"})

    assert reason["data"] == f"1305 {why}"
    assert bench.settled({"op": "reason", "row": 0})["data"] == ""
    assert report["data"].startswith("sweep: failed · 1 of 2 done")
    assert "job-1" in report["data"]


def test_a_report_is_there_while_the_service_is_not():
    bench = Bench("DE")

    def report():
        raise Unreachable("No answer.")

    bench.job.report = report
    assert "job-1" in bench.settled({"op": "report"})["data"]
    bench.job.report = lambda: "Total jobs: 2\x1b"
    assert bench.settled({"op": "report"})["data"] == "Total jobs: 2\\x1b"
