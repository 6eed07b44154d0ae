"""Panel and table in a real marimo: as an app, and in its editor; bare, and as `mo.ui.anywidget`."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.colours import lightness, unreadable
from tests.browser.jupyter import heard
from tests.browser.panels import FAILED, HELD, PATIENCE, START, cancel, count, panel_of, row
from tests.browser.program import Program, environment, free_port

CELLS = [
    START,
    FAILED,
    HELD,
    "import marimo as mo\nlater = sent(6, 'later')",
    "failed_panel = qj.JobPanel(failed)\nfailed_panel",
    "held_panel = mo.ui.anywidget(qj.JobPanel(held))\nheld_panel",
    "table = qj.JobTable([failed, held, later])\ntable",
    # A second view of the first panel.
    "again = mo.vstack(['Again', failed_panel])\nagain",
]
# Computes until the test lets it go, after all the others.
BLOCKING = """
import pathlib, time
shown = [held_panel, table, again]
while not pathlib.Path({let_go!r}).exists():
    time.sleep(0.02)
"""
CONFIGURATION = """
[display]
theme = "{theme}"
[runtime]
auto_instantiate = true
"""
APP = """import marimo

app = marimo.App()

{cells}
"""
CELL = "@app.cell\ndef _():\n{body}\n    return\n"


def app(let_go: Path) -> str:
    """The cells as marimo keeps them."""
    sources = [*CELLS, BLOCKING.format(let_go=str(let_go))]
    cells = [CELL.format(body=textwrap.indent(source.strip(), "    ")) for source in sources]
    return APP.format(cells="\n\n".join(cells))


@pytest.fixture
def marimo(tmp_path: Path) -> Iterator[Callable[[str, str], Program]]:
    """Start marimo's "run" or "edit" on the cells, in a theme."""
    with ExitStack() as running:

        def start(mode: str, theme: str) -> Program:
            file, own = tmp_path / "jobs.py", tmp_path / ".config" / "marimo" / "marimo.toml"
            file.write_text(app(tmp_path / "let-go"), encoding="utf-8")
            own.parent.mkdir(parents=True)
            own.write_text(CONFIGURATION.format(theme=theme), encoding="utf-8")
            port = free_port()
            command = [
                *(sys.executable, "-m", "marimo", "--yes", mode, str(file), "--headless", "--no-token"),
                *("--host=127.0.0.1", f"--port={port}"),
            ]
            around = environment(tmp_path)
            return running.enter_context(Program("marimo", tmp_path, port, command, around, "/health"))

        yield start


@pytest.mark.parametrize(("mode", "theme"), [("run", "light"), ("edit", "dark")])
def test_views_live_and_are_clicked(marimo, browser, tmp_path, mode, theme):
    page, logged = browser.visit(marimo(mode, theme).url)
    failed, held, table = panel_of(page, "half failed"), panel_of(page, "held"), page.locator(".qjob-table")
    expect(failed).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    expect(count(held, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    expect(row(table, "later")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    assert failed.evaluate("element => element.getRootNode() instanceof ShadowRoot")
    assert (lightness(failed) < 0.1) == (theme == "dark")
    for view in (failed, held, table):
        view.scroll_into_view_if_needed()
        assert unreadable(view) == []

    # A click waits for the cell here, and the panel says so.
    cancel(held)
    expect(held).to_contain_text("The kernel is busy", timeout=PATIENCE)
    expect(held).to_have_attribute("data-status", "QUEUED")
    (tmp_path / "let-go").touch()
    expect(held).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    expect(row(table, "held")).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    # The card of a cell of the strip, with the circuits that Python is asked for.
    held.scroll_into_view_if_needed()
    held.locator("canvas").first.hover(position={"x": 5, "y": 5})
    expect(held).to_contain_text("#0 · circuits", timeout=PATIENCE)
    expect(held).to_contain_text("circuit-", timeout=PATIENCE)
    page.mouse.move(0, 0)

    row(table, "half failed").get_by_role("button").first.click()
    expect(table.locator("[role=row][aria-level='2']")).to_have_count(4, timeout=PATIENCE)

    views = page.locator(".qjob-panel").filter(has_text="half failed")
    expect(views).to_have_count(2)
    failed.get_by_role("button", name="Rerun failed (1)").click()
    for view in views.all():
        expect(view).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    expect(row(table, "half failed")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    assert heard(logged) == []
    page.context.close()
