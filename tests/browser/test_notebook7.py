"""Panel and table in a real Notebook 7."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.colours import lightness, unreadable
from tests.browser.panels import FAILED, HELD, PATIENCE, START, cancel, count, panel_of, row
from tests.browser.server import JupyterServer
from tests.overlays import write_kernels

MAGIC = "%load_ext qjob_widgets\n%qjob_monitor {}"
# A cell that computes until the test lets it go.
BLOCKING = """
import pathlib, time
while not pathlib.Path({let_go!r}).exists():
    time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Notebook 7 in place of JupyterLab."""
    home = tmp_path_factory.mktemp("notebook")
    with JupyterServer(home, "notebook", [write_kernels(home / "kernels", ["python3"])]) as running:
        yield running


def test_a_panel_lives_reruns_and_follows_the_theme(opened):
    notebook = opened([START, FAILED, MAGIC.format("failed")])
    notebook.run_all()
    panel = panel_of(notebook.page)
    expect(panel).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    expect(count(panel, "DONE")).to_have_text("3")
    expect(panel).to_contain_text("Cold front")
    expect(notebook.page.locator(".qjob-static")).to_be_hidden()

    notebook.theme("JupyterLab Light")
    light = lightness(panel)
    assert unreadable(panel) == []
    notebook.theme("JupyterLab Dark")
    assert lightness(panel) < light / 4
    assert unreadable(panel) == []

    panel.get_by_role("button", name="Rerun failed (1)").click()
    expect(panel).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    expect(count(panel, "DONE")).to_have_text("4")
    assert notebook.errors == []


def test_a_click_acts_while_a_cell_computes_and_after_a_reload(opened, tmp_path):
    let_go = tmp_path / "let-go"
    notebook = opened([START, HELD, MAGIC.format("held")])
    notebook.run_all()
    expect(count(panel_of(notebook.page), "QUEUED")).to_have_text("6", timeout=PATIENCE)
    notebook.save()
    notebook.reload()
    panel = panel_of(notebook.page)
    expect(count(panel, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    expect(notebook.page.locator(".qjob-static")).to_be_hidden()

    notebook.add_cell(BLOCKING.format(let_go=str(let_go)), wait=False)
    notebook.page.wait_for_function("() => window.qjobRuns > 0")
    cancel(panel)
    expect(panel).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    assert notebook.javascript("return window.qjobRuns;") == 1, "the click waited for the cell"
    let_go.touch()
    notebook.wait_executed()
    assert notebook.errors == []


def test_a_table_lives_opens_and_reruns(opened):
    notebook = opened([START, FAILED, "table = qj.JobTable([failed, sent(4, 'all done')])\ntable"])
    notebook.run_all()
    table = notebook.page.locator(".qjob-table")
    expect(row(table, "half failed")).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    expect(row(table, "all done")).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    expect(notebook.page.locator(".qjob-static")).to_be_hidden()
    row(table, "half failed").get_by_role("button").first.click()
    expect(table.locator("[role=row][aria-level='2']")).to_have_count(4, timeout=PATIENCE)
    expect(table).to_contain_text("Cold front")
    for theme in ("JupyterLab Dark", "JupyterLab Dark High Contrast", "JupyterLab Light"):
        notebook.theme(theme)
        assert unreadable(table) == [], theme

    row(table, "half failed").click()
    notebook.page.wait_for_function(
        "() => document.querySelector('.qjob-table [role=row][aria-selected=true]')"
    )
    table.get_by_role("button", name="Rerun").first.click()
    expect(row(table, "half failed")).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    assert notebook.errors == []
