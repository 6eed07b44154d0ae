"""Whether a panel is written where no page shows it, and the static copy that a notebook keeps."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from qjob_widgets import JobPanel
from qjob_widgets.errors import QJobError
from qjob_widgets.status import Status
from tests.local_support import until
from tests.panel_bench import Bench, Outputs


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
