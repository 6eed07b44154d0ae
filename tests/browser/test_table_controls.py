"""Controls of a table of jobs in a real JupyterLab, from the page and from Python."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import qjob_widgets as qj
from tests.browser.panels import in_state, row, table_of
from tests.browser.shared import PATIENCE, PERMISSIONS, asked, button, clipboard, press, settled, start, told

SHOW = """
jobs = [sent(2, 'alpha', ['red']), sent(3, 'beta', ['red', 'blue']), backend.run(circuit, job_name='gamma')]
table = qj.JobTable(jobs)
table
"""
NAMES = "[job.snapshot.name for job in table.selected]"


@pytest.fixture
def service(tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as running:
        running.faults.hold("Queued")
        yield running


def selected(notebook, names):
    """Wait until Python knows the selection."""
    notebook.add_cell(
        f"end = time.time() + 30\nwhile {NAMES} != {names!r} and time.time() < end: time.sleep(0.02)"
    )
    assert told(notebook, NAMES) == repr(names)


def test_a_selection_is_the_same_in_the_page_and_in_python(opened, service, tmp_path):
    notebook = opened([start(tmp_path / "jobs"), SHOW], own=True)
    notebook.run_all()
    table, keys = table_of(notebook.page), notebook.page.keyboard
    in_state(table, 3, "QUEUED")
    chosen = table.locator("[role=row][aria-level='1'][aria-selected=true]")

    row(table, "beta").click()
    row(table, "alpha").click(modifiers=["ControlOrMeta"])
    expect(chosen).to_have_count(2)
    selected(notebook, ["alpha", "beta"])
    table.get_by_role("treegrid").focus()
    keys.press("ControlOrMeta+a")
    expect(chosen).to_have_count(3)
    keys.press("Escape")
    expect(chosen).to_have_count(0)
    selected(notebook, [])
    row(table, "gamma").click()
    selected(notebook, ["gamma"])

    notebook.save()
    notebook.reload()
    table = table_of(notebook.page)
    in_state(table, 3, "QUEUED")
    chosen = table.locator("[role=row][aria-level='1'][aria-selected=true]")
    expect(chosen).to_have_count(1)
    expect(chosen).to_contain_text("gamma")
    assert told(notebook, NAMES) == "['gamma']"

    # What Python does is seen in the page.
    frame = told(notebook, "(lambda frame: (list(frame['name']), len(frame)))(table.to_dataframe())")
    assert frame == "(['alpha', 'beta', 'gamma'], 3)"
    notebook.add_cell("table.cancel(table.selected)")
    in_state(table, 1, "CANCELLED")
    expect(row(table, "gamma")).to_have_attribute("data-status", "CANCELLED")
    notebook.add_cell("table.cancel()")
    in_state(table, 3, "CANCELLED")
    service.clear_requests()
    notebook.add_cell("table.rerun_failed([jobs[0], jobs[1]])")
    expect(row(table, "alpha")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    expect(row(table, "beta")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    notebook.add_cell("table.add(sent(2, 'delta', ['blue']))")
    in_state(table, 3, "QUEUED")
    assert len(asked(service, "POST", "/jobs")) == 5 + 2

    # Limited to a tag, by a click on it; and its tags are edited.
    chip = row(table, "delta").get_by_role("button", name="blue")
    chip.click()
    expect(table.locator("[role=row][aria-level='1']")).to_have_count(2)
    expect(row(table, "beta")).to_be_visible()
    row(table, "delta").get_by_role("button", name="blue").click()
    expect(table.locator("[role=row][aria-level='1']")).to_have_count(4)
    row(table, "delta").click()
    expect(button(table, "Edit tags")).to_be_enabled()
    button(table, "Edit tags").click()
    field = table.get_by_role("textbox", name="New tag")
    for tag in ("new", "newer"):
        field.fill(tag)
        field.press("Enter")
    button(table, "Close").click()
    settled(table)
    assert told(notebook, "table.jobs[-1].tags()") == "['blue', 'new', 'newer']"

    # What stands in a row is about that row, and asks as Cancel does.
    service.clear_requests()
    row(table, "alpha").hover()
    button(row(table, "alpha"), "Cancel alpha").click()
    expect(table.get_by_role("alertdialog")).to_contain_text("alpha")
    table.locator("[data-confirm]").click()
    expect(row(table, "alpha")).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    row(table, "alpha").hover()
    button(row(table, "alpha"), "Rerun failed of alpha").click()
    expect(row(table, "alpha")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    assert (len(asked(service, "POST", "/cancel")), len(asked(service, "POST", "/jobs"))) == (2, 2)
    service.faults.release()
    expect(row(table, "delta")).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    assert notebook.errors == []


@pytest.mark.parametrize("kernel", ["ipykernel-7.4", "ipykernel-6.31"])
def test_a_table_is_commanded_while_a_cell_computes(opened, service, tmp_path, kernel):
    at_once = kernel == "ipykernel-7.4"
    let_go = tmp_path / "let-go"
    notebook = opened([start(tmp_path / "jobs"), SHOW], kernel=kernel)
    notebook.page.context.grant_permissions(PERMISSIONS)
    notebook.run_all()
    table, keys = table_of(notebook.page), notebook.page.keyboard
    in_state(table, 3, "QUEUED")
    notebook.page.wait_for_function("() => !window.qjobRuns")
    notebook.add_cell(f"computing({str(let_go)!r})", wait=False)
    service.clear_requests()

    row(table, "alpha").get_by_role("button").first.click()
    if at_once:
        expect(table.locator("[role=row][aria-level='2'][data-job-id]")).to_have_count(2, timeout=PATIENCE)
    row(table, "beta").click()
    row(table, "gamma").click(modifiers=["ControlOrMeta"])
    button(table, "Cancel 2 selected").dblclick()
    dialog = table.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Cancel 2 selected?")
    expect(dialog).to_contain_text("beta, gamma")
    keys.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button(table, "Cancel 2 selected")).to_be_focused()
    button(table, "Cancel 2 selected").click()
    dialog.locator("[data-confirm]").dblclick()
    if at_once:
        in_state(table, 2, "CANCELLED")
    else:
        expect(table).to_contain_text("The kernel is busy: Cancel will run when", timeout=10_000)
        assert [each.path for each in service.requests if each.method != "GET"] == []
        let_go.touch()
        in_state(table, 2, "CANCELLED")
        expect(table.locator("[role=row][aria-level='2'][data-job-id]")).to_have_count(2, timeout=PATIENCE)
    settled(table)
    assert len(asked(service, "POST", "/cancel")) == 4

    # A single job cannot be sent again, so one is counted. One refusal does not keep the others from it.
    service.faults.http("POST /jobs", status=400, times=1)
    button(table, "Rerun failed (1)").click()
    expect(row(table, "beta")).not_to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    settled(table)
    service.faults.http("POST /jobs/{id}/cancel", status=403, times=2)
    button(table, "Cancel").click()
    table.locator("[data-confirm]").click()
    expect(table).to_contain_text("alpha: 2 of 2 sub-jobs could not be cancelled", timeout=PATIENCE)
    expect(table).to_contain_text("The service answered 403: A fault that was scripted.")
    expect(row(table, "alpha")).to_have_attribute("data-status", "QUEUED")
    button(table, "Pause").click()
    expect(table).to_contain_text(re.compile(r"paused, updated [1-9] s ago"), timeout=PATIENCE)
    press(table, "Copy report")
    expect(table).to_contain_text("Report copied.", timeout=PATIENCE)
    assert "alpha" in clipboard(table)
    press(table, "Freeze")
    expect(table).to_have_count(0, timeout=PATIENCE)
    expect(notebook.page.locator(".qjob-static")).to_contain_text("alpha")
    let_go.touch()
    notebook.wait_executed()
    assert notebook.errors == []
