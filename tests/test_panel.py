"""The panel without a kernel: what it sends, and what it does with messages."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from qjob_widgets import JobPanel
from qjob_widgets.errors import ApiError
from qjob_widgets.monitor.monitor import Monitor
from qjob_widgets.widgets.publisher import Publisher
from tests.support import NOON, Clock, memory_job


@dataclass
class Comm:
    """Takes the place of the comm: keeps what was sent."""

    sent: queue.Queue = field(default_factory=queue.Queue)

    def __call__(self, message_type, data=None, metadata=None, buffers=None, **_):
        self.sent.put((data, buffers or []))


class Bench:
    """A panel of a job in memory, stepped by hand."""

    def __init__(self, letters="DEQ", *answers):
        self.clock = Clock()
        self.monitor = Monitor(clock=self.clock, threaded=False)
        self.publisher = Publisher(clock=self.clock, threaded=False)
        self.job = memory_job(letters, *answers)
        self.panel = JobPanel(
            self.job, monitor=self.monitor, publisher=self.publisher, clock=self.clock, now=self.now
        )
        self.comm = Comm()
        self.panel.comm.publish_msg = self.comm

    def now(self):
        return NOON + timedelta(seconds=self.clock.now)

    def message(self, content):
        self.panel._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

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
    assert len(bench.panel.times) == 36
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
    ],
)
def test_messages_that_are_none_are_ignored(content):
    bench = Bench("Q")
    bench.message(content)

    assert bench.comm.sent.empty()
    assert bench.job.cancelled == 0


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
