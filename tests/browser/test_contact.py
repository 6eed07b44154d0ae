"""A panel in a real JupyterLab when its service is gone, or silent, and comes back."""

from __future__ import annotations

import os
import re
import signal

from playwright.sync_api import expect

import qjob_widgets as qj
from tests.browser.panels import cancel, count, panel_of
from tests.browser.shared import PATIENCE, asked, button, can_suspend, settled, start, suspended

SHOW = """
job = sent(3, 'open')
%qjob_monitor job
"""


@can_suspend
def test_a_service_that_is_gone_or_silent_and_comes_back(opened, tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as service:
        service.faults.hold("Queued")
        notebook = opened([start(tmp_path / "jobs"), SHOW])
        notebook.run_all()
        panel = panel_of(notebook.page)
        expect(count(panel, "QUEUED")).to_have_text("3", timeout=PATIENCE)

        os.kill(service.pid, signal.SIGKILL)
        expect(panel).to_contain_text("connection refused", timeout=PATIENCE)
        expect(panel).to_contain_text(
            re.compile(r"retrying, [2-9]\w\w time, updated \d+ s ago"), timeout=PATIENCE
        )
        expect(count(panel, "QUEUED")).to_have_text("3")
        expect(panel).not_to_have_attribute("data-lost", "")
        cancel(panel)
        expect(button(panel, "Cancel")).to_have_attribute("aria-busy", "true")
        expect(panel).to_contain_text(
            "Not sent: 3 of 3 sub-jobs could not be cancelled", timeout=2 * PATIENCE
        )
        expect(button(panel, "Cancel")).to_be_enabled()

        # Started again it has the jobs and the port it had; what is asked meanwhile is sent then.
        cancel(panel)
        expect(button(panel, "Cancel")).to_have_attribute("aria-busy", "true")
        service.start()
        service.faults.hold("Queued")
        expect(count(panel, "CANCELLED")).to_have_text("3", timeout=PATIENCE)
        settled(panel)
        expect(panel).not_to_contain_text("Not sent")
        expect(panel).not_to_contain_text("retrying")

        button(panel, "Rerun failed (3)").click()
        expect(count(panel, "QUEUED")).to_have_text("3", timeout=PATIENCE)
        settled(panel)
        service.clear_requests()
        with suspended(service.pid):
            expect(panel).to_contain_text(re.compile(r"updated [3-9] s ago"), timeout=PATIENCE)
            cancel(panel)
            expect(button(panel, "Cancel")).to_have_attribute("aria-busy", "true")
        expect(count(panel, "CANCELLED")).to_have_text("3", timeout=PATIENCE)
        settled(panel)
        assert len(asked(service, "POST", "/cancel")) == 3
        assert notebook.errors == []
