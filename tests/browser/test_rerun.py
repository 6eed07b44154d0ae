"""What is sent again, in a real JupyterLab: the choice, the selection, the queue that is seen and stopped."""

from __future__ import annotations

import re

from playwright.sync_api import expect

import qjob_widgets as qj
from tests.browser.panels import count, panel_of
from tests.browser.shared import PATIENCE, asked, button, settled, start


def test_the_choice_and_the_selection_of_what_is_sent_again(opened, tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as service:
        service.faults.http("POST /jobs", status=400, times=2)
        service.faults.job(4, reason="Cold front")
        service.faults.hold("Queued")
        show = "job = sent(7, 'mixed'); job.cancel(parts=[2, 3]); service.faults.release()\n%qjob_monitor job"
        notebook = opened([start(tmp_path / "jobs"), show])
        notebook.run_all()
        panel = panel_of(notebook.page)
        expect(button(panel, "Rerun failed (5)")).to_be_enabled(timeout=PATIENCE)
        expect(count(panel, "DONE")).to_have_text("2", timeout=PATIENCE)
        expect(count(panel, "ERROR")).to_have_text("3")
        service.faults.hold("Queued")
        service.clear_requests()

        button(panel, "Choose what to rerun").focus()
        notebook.page.keyboard.press("ArrowDown")
        choices = panel.get_by_role("group", name="Choose what to rerun").get_by_role("button")
        expect(choices.first).to_be_focused()
        assert choices.all_inner_texts() == [
            "Failed only (1)",
            "Cancelled only (2)",
            "Never sent only (2)",
        ]
        notebook.page.keyboard.press("Escape")
        expect(button(panel, "Choose what to rerun")).to_be_focused()
        button(panel, "Choose what to rerun").click()
        choices.nth(2).click()
        expect(count(panel, "QUEUED")).to_have_text("2", timeout=PATIENCE)
        expect(button(panel, "Rerun failed (3)")).to_be_enabled(timeout=PATIENCE)

        panel.locator("[role=row][data-status=CANCELLED]").first.click()
        panel.locator("[role=row][data-status=ERROR]").click(modifiers=["ControlOrMeta"])
        button(panel, "Rerun 2 selected").click()
        expect(count(panel, "QUEUED")).to_have_text("4", timeout=PATIENCE)
        expect(button(panel, "Rerun failed (1)")).to_be_enabled(timeout=PATIENCE)
        settled(panel)
        assert len(asked(service, "POST", "/jobs")) == 4
        assert asked(service, "POST", "/cancel") == []

        panel.locator("[role=row][data-status=QUEUED]").first.click()
        panel.locator("[role=row][data-status=QUEUED]").nth(1).click(modifiers=["Shift"])
        button(panel, "Cancel 2 selected").click()
        dialog = panel.get_by_role("alertdialog")
        expect(dialog).to_contain_text("Cancel 2 selected?")
        expect(dialog.locator("[data-confirm]")).to_have_count(1)
        dialog.locator("[data-confirm]").click()
        expect(count(panel, "CANCELLED")).to_have_text("3", timeout=PATIENCE)
        assert len(asked(service, "POST", "/cancel")) == 2
        service.faults.release()
        button(panel, "Rerun failed (3)").click()
        expect(panel).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
        assert notebook.errors == []


def test_the_queue_is_seen_with_its_end_and_is_stopped(opened, tmp_path):
    limits = {"submissions_per_minute": 45, "usage_seconds": 600}
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"], limits=limits) as service:
        service.faults.hold("Queued")
        service.faults.delay("POST /jobs", seconds=0.3, times=None)
        show = """
job = backend.run([circuit] * 60, max_circuits_per_job=1, job_name="paced")
job.cancel()
service.clear_requests()
%qjob_monitor job
"""
        notebook = opened([start(tmp_path / "jobs", f"limits={limits}"), show])
        notebook.run_all()
        panel = panel_of(notebook.page)
        button(panel, "Rerun failed (60)").click()
        expect(panel).to_contain_text(re.compile(r"[45]\d of 60 still to send"), timeout=PATIENCE)
        expect(panel.locator(".qjob-status").first).to_have_text("sending")
        expect(button(panel, "Rerun failed (0)")).to_be_disabled()
        expect(count(panel, "ERROR")).to_have_text("0")
        expect(panel).to_contain_text(
            re.compile(r"\d+ of 60 still to send, about \d+ s to go"), timeout=PATIENCE
        )
        progress = panel.get_by_role("progressbar", name="Sub-jobs sent")
        expect(progress).to_have_attribute("max", "60")
        expect(panel).to_contain_text("the service asks to wait", timeout=PATIENCE)

        button(panel, "Stop sending").click()
        stopped = re.compile(r"Stopped: (\d+) sub-jobs not sent\.")
        expect(panel).to_contain_text(stopped, timeout=PATIENCE)
        left = int(stopped.search(panel.inner_text())[1])
        assert 0 < left < 60
        expect(panel).to_contain_text("10 min of 10 min QPU time left")
        expect(button(panel, "Stop sending")).to_have_count(0)
        expect(count(panel, "CANCELLED")).to_have_text(str(left))
        expect(count(panel, "QUEUED")).to_have_text(str(60 - left), timeout=PATIENCE)
        expect(button(panel, f"Rerun failed ({left})")).to_be_enabled()
        button(panel, "Cancel").click()
        panel.locator("[data-confirm]").click()
        expect(count(panel, "CANCELLED")).to_have_text("60", timeout=PATIENCE)
        assert notebook.errors == []
