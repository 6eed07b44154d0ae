"""Panel and table in a real Voilà: a notebook as a page, its kernel alive behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.colours import lightness, unreadable
from tests.browser.jupyter import heard
from tests.browser.panels import FAILED, HELD, PATIENCE, START, cancel, count, panel_of, row
from tests.browser.program import Program, environment, free_port
from tests.browser.server import write_notebook
from tests.overlays import write_kernels

# There is no cell to run once the page is there, so a file lets the jobs go.
LATER = """
import pathlib, threading, time

later = sent(6, "later")


def release():
    while not pathlib.Path({let_go!r}).exists():
        time.sleep(0.05)
    service.faults.release()


threading.Thread(target=release, daemon=True).start()
"""
SHOWN = """
%load_ext qjob_widgets
%qjob_monitor failed
%qjob_monitor held
qj.JobTable([failed, held, later])
"""


@pytest.fixture(scope="module")
def let_go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that lets jobs go once it is there."""
    return tmp_path_factory.mktemp("let-go") / "now"


@pytest.fixture(scope="module")
def voila(tmp_path_factory: pytest.TempPathFactory, let_go: Path) -> Iterator[Program]:
    home = tmp_path_factory.mktemp("voila")
    write_notebook(home / "jobs.ipynb", [START, FAILED, HELD, LATER.format(let_go=str(let_go)), SHOWN])
    port = free_port()
    command = [
        *(sys.executable, "-m", "voila", "jobs.ipynb", "--no-browser", f"--port={port}"),
        "--Voila.ip=127.0.0.1",
        "--VoilaConfiguration.allow_theme_override=YES",
    ]
    kernels = write_kernels(home / "kernels", ["python3"])
    around = environment(home, [str(kernels)])
    with Program("voila", home, port, command, around, "/voila/static/none") as running:
        yield running


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_lives_ticks_and_is_clicked(voila, browser, let_go, theme):
    let_go.unlink(missing_ok=True)
    page, logged = browser.visit(f"{voila.url}/?theme={theme}")
    failed, held, table = panel_of(page, "half failed"), panel_of(page, "held"), page.locator(".qjob-table")
    expect(failed).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    expect(count(held, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    expect(row(table, "later")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    twins = page.locator(".qjob-static")
    expect(twins).to_have_count(3)
    for twin in twins.all():
        expect(twin).to_be_hidden()
    assert (lightness(failed) < 0.1) == (theme == "dark")
    for view in (failed, held, table):
        assert unreadable(view) == []

    cancel(held)
    expect(held).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    expect(row(table, "held")).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    failed.get_by_role("button", name="Rerun failed (1)").click()
    expect(failed).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    let_go.touch()
    expect(failed).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    expect(row(table, "later")).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    for twin in twins.all():
        expect(twin).to_be_hidden()
    assert heard(logged) == []
    page.context.close()
