"""Panels in a real JupyterLab whose kernel has died: an open one says so, a finished one stays as it is."""

from __future__ import annotations

from playwright.sync_api import expect

import qjob_widgets as qj
from tests.browser.panels import GREY, bar, cancel, count
from tests.browser.shared import PATIENCE, asked, button, start

SHOW = """
job = sent(3, 'open', ['tagged'])
%qjob_monitor job
"""
FINISHED = """
done = sent(2, 'finished', ['finished']); api.job(done.job_id()).wait_for_final_state()
%qjob_monitor done
"""


def views(notebook):
    return (notebook.page.locator(".qjob-panel").filter(has_text=name).first for name in ("finished", "open"))


def test_a_kernel_that_died_is_told_by_what_is_open_only(opened, tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as service:
        notebook = opened([start(tmp_path / "jobs"), FINISHED, SHOW])
        notebook.run_cell(0)
        notebook.run_cell(1)
        service.faults.hold("Queued")
        notebook.run_cell(2)
        finished, panel = views(notebook)
        expect(finished).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
        expect(count(panel, "QUEUED")).to_have_text("3", timeout=PATIENCE)

        notebook.kill_kernel()
        expect(panel).to_contain_text("no contact with the kernel", timeout=PATIENCE)
        expect(panel).to_have_attribute("data-lost", "")
        for name in ("Cancel", "Pause", "Refresh", "Edit tags"):
            expect(button(panel, name)).to_be_disabled()
        expect(bar(panel)).to_have_css("opacity", GREY)
        expect(finished).to_contain_text("finished")
        expect(finished).not_to_contain_text("no contact")
        expect(finished).not_to_have_attribute("data-lost", "")
        expect(bar(finished)).to_have_css("opacity", "1")

        # A new kernel has the same job by its id.
        notebook.restart()
        notebook.run_cell(0)
        job_id = panel.get_attribute("data-job-id")
        notebook.add_cell(f"%qjob_monitor {job_id}")
        again = notebook.page.locator(f".qjob-panel[data-job-id='{job_id}']").last
        expect(count(again, "QUEUED")).to_have_text("3", timeout=PATIENCE)
        again.scroll_into_view_if_needed()
        cancel(again)
        expect(count(again, "CANCELLED")).to_have_text("3", timeout=PATIENCE)
        assert len(asked(service, "POST", "/cancel")) == 3
