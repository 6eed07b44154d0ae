"""Panel and table in pages like VS Code's and Colab's: their colours, frames and rules for scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

import qjob_widgets as qj
from tests.browser.colours import lightness, unreadable
from tests.browser.hosts import HOSTS
from tests.browser.panels import PATIENCE, cancel, count, row
from tests.local_support import bell


@pytest.fixture(scope="module")
def views(service):
    """A panel and a table, each with all kinds of states and a reason."""
    api = service.connect()
    backend = api.backend("local_simulator")
    service.faults.job(1, status="Failed", reason="Cold front")
    service.faults.job(2, status="Cancelled")
    circuits = [bell()] * 8
    failed = backend.run(circuits, max_circuits_per_job=2, job_name="half failed", job_tags=["themes"])
    failed.wait_for_final_state()
    service.faults.hold("Queued")
    held = backend.run(circuits, max_circuits_per_job=2, job_name="held")
    held.block_for_submit()
    made = [qj.JobPanel(failed), qj.JobPanel(held), qj.JobTable([failed, held])]
    for view in made:
        view.publish()
    yield made
    for view in made:
        view.close()
    service.faults.release()


@pytest.fixture
def shown(browser, views):
    """Show them in a host, on a system whose own colours are the other ones; nothing may be logged."""
    opened = []

    def show(name: str):
        host = HOSTS[name]
        page, logged = browser.visit("about:blank", color_scheme="light" if host.dark else "dark")
        opened.append((page, logged))
        host.show(page, *views)
        inside = page.frame_locator("iframe") if host.framed else page
        failed = inside.locator(".qjob-panel").filter(has_text="half failed")
        held = inside.locator(".qjob-panel").filter(has_text="0 of 4 done")
        table = inside.locator(".qjob-table")
        for view in (failed, held, table):
            expect(view).to_be_visible(timeout=PATIENCE)
        return failed, held, table

    yield show
    for page, logged in opened:
        page.context.close()
        assert logged == []


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", HOSTS)
def test_text_can_be_read_and_clicks_are_sent(shown, name):
    failed, held, table = shown(name)
    for view in (failed, held, table):
        assert lightness(view) == pytest.approx(luminance(HOSTS[name].ground), abs=0.01)
        assert unreadable(view) == []
        assert view.evaluate("element => getComputedStyle(element).colorScheme") == (
            "dark" if HOSTS[name].dark else "normal"
        )
    expect(count(failed, "DONE")).to_have_text("2")
    expect(failed).to_contain_text("Cold front")
    expect(row(table, "held")).to_have_attribute("data-status", "QUEUED")

    failed.get_by_role("button", name="Rerun failed (2)").click()
    cancel(held)
    sent = failed.evaluate("() => window.sent")
    assert [(one["op"], bool(one["request"])) for one in sent if one["op"] != "view"] == [
        ("rerun", True),
        ("cancel", True),
    ]
    expect(failed).to_contain_text("rerun is done")


def test_a_change_of_theme_is_followed(shown):
    failed, _, _ = shown("vscode-dark")
    canvas = failed.locator("canvas").first
    before = canvas.evaluate("element => element.toDataURL()")
    failed.evaluate(
        """() => {
          document.body.className = "vscode-light";
          document.documentElement.style.setProperty("--vscode-editor-background", "#ffffff");
          document.documentElement.style.setProperty("--vscode-editor-foreground", "#3b3b3b");
        }"""
    )
    assert lightness(failed) > 0.95
    assert unreadable(failed) == []
    failed.page.wait_for_function(
        "before => document.querySelector('.qjob-panel canvas').toDataURL() !== before", arg=before
    )


@pytest.mark.parametrize("name", ["vscode-dark", "vscode-high-contrast"])
def test_nothing_white_is_left_behind_a_widget_of_vscode(shown, name):
    failed, _, _ = shown(name)
    page: Page = failed.page
    behind = page.locator(".cell-output-ipywidget-background")
    assert behind.evaluate("element => getComputedStyle(element).backgroundColor") == "rgba(0, 0, 0, 0)"
