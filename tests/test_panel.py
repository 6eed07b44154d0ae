"""The panel without a kernel: what it sends, and what it does with messages."""

from __future__ import annotations

import json
import queue
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from qiskit import QuantumCircuit, transpile

from qjob_widgets import JobPanel, JobService
from qjob_widgets.errors import ApiError, QJobError, Unreachable
from qjob_widgets.jobs.errors import IBMJobApiError
from qjob_widgets.jobs.runtime import RuntimeJob
from qjob_widgets.jobs.sending.journal import Journal
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.patience import present
from qjob_widgets.rest.client import ApiKey, RestClient, Transport
from qjob_widgets.status import CODES, Status
from qjob_widgets.widgets import display
from qjob_widgets.widgets.actions import JobActions
from qjob_widgets.widgets.panel import FEW, TIMES_INTERVAL, TOGETHER
from qjob_widgets.widgets.publisher import INTERVAL, Publisher
from qjob_widgets.widgets.shown import shown
from tests.hostile import HOSTILE, clean
from tests.local_support import until
from tests.support import NOON, Clock, Prompt, memory_job
from tests.test_words import texts_in


@dataclass
class Comm:
    """Takes the place of the comm: keeps what was sent."""

    sent: queue.Queue = field(default_factory=queue.Queue)

    def __call__(self, message_type, data=None, metadata=None, buffers=None, **_):
        self.sent.put((data, buffers or []))

    def replies(self):
        """Answers since the last look."""
        sent = [self.sent.get() for _ in range(self.sent.qsize())]
        return [data["content"] for data, _ in sent if data["method"] == "custom"]


class Bench:
    """A panel of a job in memory, stepped by hand."""

    def __init__(self, letters="DEQ", *answers, monitor=Monitor):
        self.clock = Clock()
        self.monitor = monitor(clock=self.clock, threaded=False)
        self.publisher = Publisher(clock=self.clock, threaded=False)
        self.job = memory_job(letters, *answers)
        self.panel = JobPanel(
            self.job,
            monitor=self.monitor,
            publisher=self.publisher,
            clock=self.clock,
            now=self.now,
        )
        self.comm = Comm()
        self.panel.comm.publish_msg = self.comm

    def now(self):
        return NOON + timedelta(seconds=self.clock.now)

    def message(self, content):
        self.panel._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

    def settled(self, content):
        """Ask, and give what it came to."""
        self.message({"request": "r1", **content})
        acknowledged, settled = self.replies(2)
        assert acknowledged == {"request": "r1", "phase": "ack"}
        return settled

    def replies(self, number):
        found = []
        while len(found) < number:
            data, _ = self.comm.sent.get(timeout=10)
            if data["method"] == "custom":
                found.append(data["content"])
        return found

    def traits(self):
        names = []
        while not self.comm.sent.empty():
            data, _ = self.comm.sent.get()
            if data["method"] == "update":
                names.append({*data["state"], *(path[0] for path in data["buffer_paths"])})
        return names


def test_the_first_state_is_there_before_anything_is_published():
    bench = Bench("DEQ")

    assert bench.panel.meta["total"] == 3
    assert len(bench.panel.live) == 12
    assert len(bench.panel.times) == 60
    assert bench.panel.summary["status"] == "QUEUED"


def test_what_has_not_changed_is_not_sent_again():
    bench = Bench("QQ", "QQ", "RQ", "RQ", "DD")
    bench.publisher.step()
    bench.traits()
    bench.clock.now += 5
    bench.publisher.tell(bench.panel)
    bench.publisher.step()

    assert bench.traits() == [{"summary"}]


def test_one_message_holds_all_that_changed():
    bench = Bench("QQ", "QQ", "DR")
    bench.monitor.step()
    bench.publisher.step()
    bench.traits()
    bench.clock.now += 5
    bench.monitor.step()
    bench.publisher.step()
    [sent] = bench.traits()

    assert sent >= {"live", "summary"}
    assert "meta" not in sent
    assert bench.panel.live[0] == 6


def test_ids_that_arrive_change_meta_and_its_revision():
    bench = Bench("Q")
    before = bench.panel.meta["rev"]
    bench.job.absorb([replace(bench.job.snapshot.parts[0], job_id="other")])
    bench.panel.publish()

    assert bench.panel.meta["ids"] == ["other"]
    assert bench.panel.meta["rev"] == before + 1


@pytest.mark.parametrize(("operation", "counted"), [("cancel", "cancelled"), ("rerun", "rerun")])
def test_commands_are_acknowledged_at_once_and_then_settled(operation, counted):
    bench = Bench("DEQ")
    bench.message({"op": operation, "request": "r1"})
    acknowledged, settled = bench.replies(2)

    assert acknowledged == {"request": "r1", "phase": "ack"}
    assert (settled["request"], settled["phase"], settled["ok"]) == ("r1", "settled", True)
    assert "1 sub-job" in settled["text"]
    assert getattr(bench.job, counted) == 1


def test_refresh_asks():
    bench = Bench("Q", "Q", "Q", "Q")
    bench.monitor.step()
    bench.message({"op": "refresh", "request": "r1"})
    bench.replies(2)
    bench.monitor.step()

    assert len(bench.job.source.questions) == 2


def test_what_was_cancelled_is_known_before_the_click_is_answered_so_that_the_next_finds_it_done():
    bench = Bench("QQ", "CC", monitor=Prompt)
    first, second = bench.settled({"op": "cancel"}), bench.settled({"op": "cancel"})

    assert (first["text"], bench.job.cancelled) == ("Cancel sent for 2 sub-jobs.", 1)
    assert second["text"] == "Nothing to cancel: everything has ended."


def test_what_the_service_says_against_it_is_shown():
    bench = Bench("Q")
    bench.job.trouble = ApiError("The service answered 403: not yours")
    bench.message({"op": "cancel", "request": "r1"})
    settled = bench.replies(2)[1]

    assert settled["ok"] is False
    assert settled["text"] == "The service answered 403: not yours"


def test_a_command_that_has_nothing_to_do_says_so():
    bench = Bench("DD")
    bench.message({"op": "cancel", "request": "r1"})
    bench.message({"op": "rerun", "request": "r2"})
    texts = [reply["text"] for reply in bench.replies(4) if reply["phase"] == "settled"]

    assert all(text.startswith("Nothing to") for text in texts)
    assert (bench.job.cancelled, bench.job.rerun) == (0, 0)


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"op": "cancel"},
        {"op": "cancel", "request": 7},
        {"op": "drop", "request": "r"},
        {"op": {}, "request": "r"},
        {"op": "cancel", "request": "x" * 200},
        {"op": "cancel", "request": "r", "rows": [1]},
        {"op": "cancel", "request": "r", "rows": [-1]},
        {"op": "cancel", "request": "r", "rows": [True]},
        {"op": "cancel", "request": "r", "rows": "0"},
        {"op": "rerun", "request": "r", "states": ["DONE"]},
        {"op": "rerun", "request": "r", "states": [[]]},
        {"op": "tags", "request": "r", "tags": [1]},
        {"op": "tags", "request": "r", "tags": ["x"] * 1000},
        {"op": "reason", "request": "r", "row": 1},
        {"op": "pause", "request": "r", "on": "yes"},
        {"op": "described", "request": "r"},
    ],
)
def test_messages_that_are_none_are_ignored(content):
    bench = Bench("Q")
    bench.message(content)

    assert bench.comm.sent.empty()
    assert (bench.job.cancelled, bench.job.rerun) == (0, 0)


def test_heartbeats_end_with_the_job_and_with_the_panel():
    open_one, ended = Bench("Q"), Bench("D")

    assert open_one.panel.wants_heartbeat
    assert not ended.panel.wants_heartbeat
    open_one.panel.close()
    assert not open_one.panel.wants_heartbeat
    assert open_one.monitor.step() is None


def test_the_representation_has_neither_times_nor_ids():
    assert repr(Bench("DE").panel) == "JobPanel of 'sweep': 2 sub-jobs, 1 done, 1 failed"


def test_large_jobs_write_meta_seldom_and_leave_nothing_out():
    bench = Bench("Q" * 1500)
    bench.publisher.step()
    bench.traits()
    parts = bench.job.snapshot.parts
    bench.clock.now += 0.3
    bench.job.absorb([replace(parts[0], job_id="other")])
    bench.publisher.tell(bench.panel)
    bench.publisher.step()
    early = bench.traits()
    bench.clock.now += 3
    bench.publisher.step()
    late = bench.traits()

    assert all("meta" not in names for names in early)
    assert any("meta" in names for names in late)
    assert bench.panel.meta["ids"][0] == "other"


def test_times_of_thousands_follow_what_is_looked_at_first():
    bench = Bench("Q" * 3000)
    bench.publisher.step()
    bench.traits()
    parts = bench.job.snapshot.parts
    bench.clock.now += 3
    bench.job.absorb([replace(parts[0], status=Status.RUNNING, running=NOON)])
    bench.publisher.tell(bench.panel)
    bench.publisher.step()

    assert bench.traits() == [{"live", "summary"}, {"times"}]


def test_times_of_ten_thousand_are_told_more_rarely():
    bench = Bench("Q" * 10_000)
    bench.publisher.step()
    told = []
    for second in range(5):
        bench.clock.now += 1
        bench.job.absorb([replace(bench.job.snapshot.parts[second], running=NOON)])
        bench.publisher.tell(bench.panel)
        bench.publisher.step()
        told.append({"times"} in bench.traits())

    assert told == [False, True, False, True, False]


def failures_told(number, rest, *failed):
    """How many failed states and how many reasons are told, each time that so many parts have failed."""
    bench = Bench("R" * number)
    parts = [replace(one, status=Status.ERROR, reason="too deep") for one in bench.job.snapshot.parts]
    bench.publisher.step()
    for ended in failed:
        bench.clock.now += rest
        bench.job.absorb(parts[:ended])
        bench.publisher.tell(bench.panel)
        bench.publisher.step()
        states = list(bench.panel.live[::4])
        yield states.count(CODES[Status.ERROR]), len(bench.panel.reasons["of"])


def test_thousands_of_reasons_are_told_more_rarely_and_in_the_end():
    told = [reasons for _, reasons in failures_told(5000, 1, 4000, 4001, 4002, 5000)]

    assert told == [0, 4001, 4001, 5000]


def test_what_fails_says_at_once_why_in_a_large_job_too():
    assert list(failures_told(1500, 0.3, 1, 2, 3, 4)) == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_a_panel_that_goes_on_says_so_at_once():
    bench = Bench("QQ")
    bench.publisher.step()
    bench.panel.pause()
    bench.publisher.step()
    assert bench.panel.summary["paused"]

    bench.clock.now += 3
    bench.panel.resume()
    bench.publisher.step()
    assert not bench.panel.summary["paused"]


def test_a_new_panel_has_told_all_and_is_left_to_be_drawn():
    bench = Bench("QQ")

    assert bench.publisher.step() == pytest.approx(INTERVAL)
    assert bench.traits() == []
    bench.job.absorb([replace(bench.job.snapshot.parts[0], status=Status.RUNNING)])
    bench.publisher.tell(bench.panel)
    bench.publisher.step()
    assert bench.traits() == [{"live", "summary"}]


def test_times_of_a_few_are_told_with_all_else():
    bench = Bench("QQ")
    bench.publisher.step()
    bench.traits()
    for second, status in enumerate((Status.RUNNING, Status.DONE)):
        bench.clock.now += 0.3
        moment = {"running": NOON} if second == 0 else {"finished": NOON + timedelta(seconds=1)}
        bench.job.absorb([replace(bench.job.snapshot.parts[0], status=status, **moment)])
        bench.publisher.tell(bench.panel)
        bench.publisher.step()
        assert bench.traits() == [{"live", "times", "summary"}]


@pytest.mark.parametrize(("parts", "seconds"), [(FEW + 1, TIMES_INTERVAL), (2400, TIMES_INTERVAL)])
def test_what_was_too_early_comes_when_it_is_time_and_nothing_in_between(parts, seconds):
    bench = Bench("Q" * parts)
    bench.publisher.step()
    bench.traits()
    bench.clock.now += 0.3
    bench.job.absorb([replace(bench.job.snapshot.parts[0], status=Status.RUNNING, running=NOON)])
    bench.publisher.tell(bench.panel)
    rest = bench.publisher.step()
    assert bench.traits() == [{"live", "summary"}]

    assert rest == pytest.approx(seconds - 0.3 + TOGETHER)
    bench.clock.now += rest
    bench.publisher.step()
    assert bench.traits() == [{"times", "summary"}]


def test_times_go_along_with_what_comes_anyway_though_it_does_not_come_on_the_dot():
    bench = Bench("Q" * 2400)
    told = []
    for tick in range(40):
        late = 0.02 if tick % 3 else 0.0
        moment = 0.251 * (tick + 1) + late
        while (rest := bench.publisher.step()) is not None and bench.clock.now + rest < moment:
            bench.clock.now += rest
        bench.clock.now = moment
        part = bench.job.snapshot.parts[tick]
        bench.job.absorb([replace(part, status=Status.RUNNING, running=NOON)])
        bench.publisher.tell(bench.panel)
        bench.publisher.step()
        told += bench.traits()

    assert all("live" in names for names in told[1:])
    assert 8 <= sum("times" in names for names in told) <= 10


def test_a_reason_is_told_without_all_else_that_rarely_changes():
    bench = Bench("RR")
    bench.publisher.step()
    bench.traits()
    parts = bench.job.snapshot.parts
    bench.clock.now += 3
    bench.job.absorb([replace(parts[1], status=Status.ERROR, reason="too deep", reason_code=7)])
    bench.publisher.tell(bench.panel)
    bench.publisher.step()
    [sent] = bench.traits()

    assert "reasons" in sent
    assert "meta" not in sent
    assert bench.panel.reasons == {"texts": [{"code": 7, "text": "too deep"}], "of": {"1": 0}}


# ---- what can be asked


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


# ---- views, the static copy


def from_a_subshell(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_without_a_view_nothing_is_written_and_with_one_all_of_it():
    bench = Bench("Q", *["Q"] * 9)

    def tell(page, opened):
        from_a_subshell(lambda: bench.message({"op": "view", "request": page, "open": opened}))

    for page, opened in [("one", False), ("one", True), ("two", True), ("two", True), ("two", False)]:
        tell(page, opened)
    assert bench.panel.wants_heartbeat
    tell("one", False)
    bench.traits()
    bench.job.absorb([replace(bench.job.snapshot.parts[0], status=Status.RUNNING)])
    bench.panel.publish()

    assert not bench.panel.wants_heartbeat
    assert bench.traits() == []
    tell("one", True)
    bench.clock.now += 60
    bench.publisher.step()
    [written] = bench.traits()
    assert written >= {"live", "summary"}


def test_where_a_view_would_be_heard_late_its_end_changes_nothing():
    bench = Bench("Q")
    bench.message({"op": "view", "request": "one", "open": True})
    bench.message({"op": "view", "request": "one", "open": False})
    from_a_subshell(lambda: bench.message({"op": "view", "open": False}))

    assert bench.panel.wants_heartbeat


class Outputs:
    """Takes the place of a notebook: keeps what lies in it, by output."""

    def __init__(self, monkeypatch):
        self.shown: dict[int, dict] = {}
        monkeypatch.setattr(display, "in_notebook", lambda: True)
        monkeypatch.setattr(display, "show_replaceable", self.add)
        monkeypatch.setattr(display, "show", self.add)
        monkeypatch.setattr(display, "replace", self.shown.__setitem__)
        monkeypatch.setattr(
            display, "clear", lambda handle: self.shown.__setitem__(handle, {"text/html": ""})
        )

    def add(self, bundle):
        self.shown[len(self.shown)] = bundle
        return len(self.shown) - 1

    @property
    def pages(self):
        return [bundle.get("text/html", "widget") for bundle in self.shown.values()]


def test_freeze_leaves_only_the_static_copy_and_it_is_true(monkeypatch):
    bench, outputs = Bench("DR"), Outputs(monkeypatch)
    bench.panel._ipython_display_()
    bench.job.absorb([replace(bench.job.snapshot.parts[1], status=Status.ERROR, reason="drift")])
    settled = bench.settled({"op": "freeze"})
    until(lambda: bench.panel.comm is None)

    assert settled["ok"] is True
    assert outputs.pages[0] == ""
    assert "drift" in outputs.pages[1]
    assert bench.panel.summary["closed"] is True
    assert bench.monitor.step() is None
    bench.panel.freeze()
    bench.panel._ipython_display_()
    assert "drift" in outputs.pages[2]
    assert len(outputs.pages) == 3


def test_it_does_not_freeze_once_a_page_has_been_loaded_that_cannot_replace_its_outputs(monkeypatch):
    bench, outputs = Bench("R"), Outputs(monkeypatch)
    panel = bench.panel
    panel._ipython_display_()
    panel._handle_msg({"content": {"data": {"method": "request_state"}}})  # what a reloaded page asks
    settled = bench.settled({"op": "freeze"})

    assert settled["ok"] is False
    assert "Run the cell that shows this again" in settled["text"]
    with pytest.raises(QJobError, match="Not frozen"):
        panel.freeze()
    panel._freeze_when_done = True
    bench.job.absorb([replace(bench.job.snapshot.parts[0], status=Status.DONE)])
    panel.publish()
    assert (panel.closed, panel.summary["final"]) == (False, True)
    panel._ipython_display_()
    panel.publish()
    assert panel.closed
    assert outputs.pages[2] == ""


def test_a_panel_that_freezes_when_done_stays_live_until_then(monkeypatch):
    bench, outputs = Bench("R", "R", "D"), Outputs(monkeypatch)
    panel = JobPanel(
        bench.job,
        freeze_when_done=True,
        monitor=bench.monitor,
        publisher=bench.publisher,
        clock=bench.clock,
        now=bench.now,
    )
    panel._ipython_display_()
    bench.monitor.step()
    bench.publisher.step()
    live = list(outputs.pages)
    bench.clock.now += 30
    bench.monitor.step()
    bench.publisher.step()

    assert live[0] != ""
    assert "running" in live[1]
    assert outputs.pages[0] == ""
    assert "done" in outputs.pages[1]
    assert panel.comm is None


def test_the_copy_is_made_again_when_tags_change(monkeypatch):
    bench, outputs = Bench("Q"), Outputs(monkeypatch)
    bench.panel._ipython_display_()
    bench.job.snapshot = replace(bench.job.snapshot, tags=("paper",))
    bench.clock.now += 20
    bench.panel.publish()

    assert "paper" in outputs.pages[1]


def test_the_copy_is_made_again_for_what_it_tells_and_more_rarely_where_it_takes_long(monkeypatch):
    bench, outputs = Bench("QQ"), Outputs(monkeypatch)
    bench.panel._ipython_display_()
    first = outputs.pages[1]

    def after(seconds, **facts):
        """The copy, once the last part says that and so much time has gone by."""
        parts = bench.job.snapshot.parts
        bench.job.absorb([replace(parts[0]), replace(parts[1], **facts)])
        bench.clock.now += seconds
        bench.panel.publish()
        return outputs.pages[1]

    assert after(20, usage_seconds=3.0) == first
    assert "took long" in after(0.5, reason="took long", status=Status.ERROR)
    bundle = bench.panel._bundle

    def slow(snapshot):
        bench.clock.now += 0.02
        return bundle(snapshot)

    monkeypatch.setattr(bench.panel, "_bundle", slow)
    assert "now slow" in after(20, reason="now slow")
    assert "too early" not in after(30, reason="too early")
    assert "late enough" in after(20, reason="late enough")


# ---- with a real job


def states_of(panel):
    """All that a page or a notebook gets of a panel, as one text."""
    pages = [text for bundle in [panel._bundle(panel._job.snapshot)] for text in bundle.values()]
    state = {name: value for name, value in panel.get_state().items() if name not in ("_esm", "_css")}
    return json.dumps(state, default=repr) + repr(panel) + "".join(pages)


def test_neither_token_nor_credentials_nor_payload_is_anywhere(service, api, caplog):
    caplog.set_level("DEBUG")
    gone = Transport("http://somebody:secretword@127.0.0.1:9/api/v1")
    other = JobService(RestClient(gone, ApiKey("hiddentoken"), pause=lambda seconds: True))
    circuit = QuantumCircuit(1, name="ansatz", metadata={"theta": 0.25})
    circuit.rx(0.123456, 0)
    circuit.measure_all()
    service.faults.hold("Queued")
    job = api.backend("local_simulator").run([circuit] * 2, max_circuits_per_job=1, header={"mine": "h3ader"})
    job.block_for_submit()
    lost = RuntimeJob.from_snapshot(job.snapshot.parts[0], other)
    panels = [JobPanel(job), JobPanel(lost)]
    until(lambda: panels[1].summary["failures"])
    told = "".join(map(states_of, panels)) + caplog.text
    for panel in panels:
        panel.close()

    assert "ansatz theta=0.25" in told
    assert "No answer from 127.0.0.1:9" in told
    body = json.loads(api.client.fetch_params(job.sub_jobs()[0].job_id()))["params"]["pubs"][0][0][
        "__value__"
    ]
    hidden = (service.token, "secretword", "somebody", "hiddentoken", "apikey", "Bearer", "h3ader", body)
    assert [secret for secret in hidden if secret in told] == []


def test_a_job_of_another_machine_learns_which_circuits_a_row_has_by_one_request(service, api, tmp_path):
    circuits = [QuantumCircuit(1, name=f"point-{n}", metadata={"theta": n / 4}) for n in range(4)]
    for circuit in circuits:
        circuit.measure_all()
    job = api.backend("local_simulator").run(circuits, max_circuits_per_job=2)
    job.wait_for_final_state(timeout=60)
    elsewhere = JobService(api.client, journal=Journal("elsewhere", tmp_path / "journal.sqlite3"))
    panel, comm = JobPanel(elsewhere.job(job.job_id())), Comm()
    panel.comm.publish_msg = comm
    before = panel.meta["labels"]
    service.clear_requests()
    panel._on_message(panel, {"op": "circuits", "request": "r", "row": 1}, [])
    settled = until(lambda: [reply for reply in comm.replies() if reply["phase"] == "settled"])[0]
    asked = [record.path for record in service.requests if record.path.startswith("/jobs/")]
    until(lambda: panel.meta["labels"])
    labels = panel.meta["labels"]
    panel.close()

    assert before is None
    assert settled["data"] == [
        {"name": "point-2", "parameters": {"theta": "0.5"}},
        {"name": "point-3", "parameters": {"theta": "0.75"}},
    ]
    assert asked == [f"/jobs/{job.snapshot.parts[1].job_id}"]
    assert labels == ["", "point-2 theta=0.5 … point-3 theta=0.75 (2)"]


def test_calibration_and_allowance_are_asked_for_once_for_many_panels(service, api):
    backend = api.backend("local_manila")
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    job = backend.run(transpile(circuit, backend))
    job.wait_for_final_state(timeout=60)
    anew = service.connect()
    found = anew.job(job.job_id())
    service.clear_requests()
    panels = [JobPanel(found) for _ in range(3)]
    until(lambda: all(panel.meta["calibrated"] for panel in panels))
    asked = [record.path for record in service.requests if not record.path.startswith("/jobs")]
    for panel in panels:
        panel.close()

    assert sorted(asked) == ["/backends/local_manila/properties", "/instances/usage"]
    assert panels[0].summary["cost"]["used"] >= 0
    assert JobPanel(job).meta["calibrated"] == panels[0].meta["calibrated"]  # known without asking


def test_hostile_texts_come_through_a_service_as_harmless_ones(service, api, monkeypatch):
    outputs = Outputs(monkeypatch)
    short = [text for text in HOSTILE.values() if len(text) < 50 and "\x00" not in text and text.isascii()]
    odd = [text for text in HOSTILE.values() if len(text) < 50 and not text.isascii()]
    odd = [text for text in odd if not any("\ud800" <= letter <= "\udfff" for letter in text)]
    service.faults.job("*", status="Failed", reason=" ".join(short + odd), times=9)
    circuits = [QuantumCircuit(1, name=text, metadata={"mine": text}) for text in short[:4] + odd[:4]]
    for circuit in circuits:
        circuit.measure_all()
    tags, name = odd[:3] + short[:2], (short[1] + odd[0])[:50]
    job = api.backend("local_simulator").run(circuits, max_circuits_per_job=1, job_name=name, job_tags=tags)
    job.wait_for_final_state(timeout=60)
    found = api.job(job.job_id())
    panels = [JobPanel(job), JobPanel(found)]
    for panel in panels:
        panel._ipython_display_()
        panel.publish()
        assert all(map(clean, texts_in([panel.meta, panel.summary])))
        assert panel.meta["name"] == shown(name)
        assert panel.meta["tags"] == [shown(tag) for tag in tags]
        panel.close()
    assert found.tags() == tags  # what is shown is another text; what is stored is not
    assert all(
        clean(page, lines=True) and "<script" not in page and "<img" not in page for page in outputs.pages
    )
