"""More than one view of a panel, late ones, and the same panel again in a new kernel."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

import qjob_widgets as qj
from tests.browser.panels import FAILED, HELD, PATIENCE, START, cancel, count, panel_of, row

SWEEP = """
%load_ext qjob_widgets
import qjob_widgets as qj
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

service = {service}
api = {api}
backend = api.backend("local_simulator")
theta = Parameter("theta")
circuit = QuantumCircuit(1, name="rabi")
circuit.rx(theta, 0)
circuit.measure_all()
"""
SEND = """
circuits = [circuit.assign_parameters({theta: 0.25 * step}) for step in range(8)]
job = backend.run(circuits, max_circuits_per_job=2, job_name="Rabi", job_tags=["paper", "tuesday"])
job.block_for_submit()
job.update_tags(["paper", "wednesday"])
%qjob_monitor job
"""
# A view of an output that is clicked is JupyterLab's current one.
TO_NOTEBOOK = """() => {
  const {shell} = window.jupyterapp;
  shell.activateById([...shell.widgets("main")].find((widget) => widget.context).id);
}"""
AGAIN = "%qjob_monitor {}"


def told(panel: Locator) -> dict[str, object]:
    """What a panel tells, without times and ids of rows."""
    rows = panel.locator("[role=row][data-job-id]")
    return {
        "job": panel.get_attribute("data-job-id"),
        "status": panel.get_attribute("data-status"),
        "name": panel.locator(".qjob-name").first.inner_text(),
        "counts": {one.get_attribute("data-count"): one.text_content() for one in counts(panel)},
        "tags": [tag.inner_text() for tag in panel.locator(".qjob-tag").all()],
        "rows": [(row.get_attribute("data-job-id"), row.get_attribute("data-status")) for row in rows.all()],
        "circuits": [re.findall(r"rabi[^\n]*", row.inner_text()) for row in rows.all()],
        "failures": [group.inner_text() for group in panel.locator(".qjob-failed").all()],
    }


def counts(panel: Locator) -> list[Locator]:
    return panel.locator("[data-count]").all()


def test_every_view_shows_the_same_and_acts_once(opened, server, browser):
    # So that the second click comes while the first is being done, however slow this machine is.
    slowly = 'service.faults.delay("POST /jobs/{id}/cancel", seconds=3, times=None)'
    notebook = opened([START, HELD + slowly, "panel = qj.JobPanel(held)\npanel", "panel"])
    notebook.run_all()
    panels = notebook.page.locator(".qjob-panel")
    expect(panels).to_have_count(2)
    notebook.javascript(
        """panel.content.activeCellIndex = 2;
        await window.jupyterapp.commands.execute('notebook:create-output-view');"""
    )
    notebook.page.evaluate(TO_NOTEBOOK)
    expect(panels).to_have_count(3)
    notebook.save()
    other = browser.open(server, notebook.name)
    elsewhere = other.page.locator(".qjob-panel")
    expect(elsewhere).to_have_count(2)
    for views in (panels, elsewhere):
        for view in views.all():
            expect(count(view, "QUEUED")).to_have_text("6", timeout=PATIENCE)
        expect(views.page.locator(".qjob-static:visible")).to_have_count(0)

    for view in (panels.nth(2), elsewhere.nth(1)):
        view.get_by_role("button", name="Cancel").click()
    for view in (panels.nth(2), elsewhere.nth(1)):
        view.locator("[data-confirm]").click()
    for views in (panels, elsewhere):
        for view in views.all():
            expect(view).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    notebook.page.evaluate(TO_NOTEBOOK)
    asked = notebook.add_cell(
        "sum(one.method == 'POST' and one.path.endswith('/cancel') for one in service.requests)"
    )
    assert notebook.outputs(asked)[0]["data"]["text/plain"] == "6"
    assert other.errors == []
    other.close()
    assert notebook.errors == []


def test_a_table_has_two_views_and_is_whole_after_a_reload(opened):
    table = "table = qj.JobTable([failed, held])\ntable"
    notebook = opened([START, FAILED, HELD, table, "table"], own=True)
    notebook.run_all()
    tables = notebook.page.locator(".qjob-table")
    expect(tables).to_have_count(2)
    row(tables.nth(0), "half failed").get_by_role("button").first.click()
    for view in tables.all():
        expect(row(view, "half failed")).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
        expect(row(view, "held")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
        expect(view).to_contain_text("Cold front")
        # Until the row has opened in this view too, what is clicked at below it still moves.
        expect(view.locator("[role=row][aria-level='2']")).to_have_count(4, timeout=PATIENCE)
    cancel(tables.nth(1))
    for view in tables.all():
        expect(row(view, "held")).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    notebook.save()
    notebook.reload()
    expect(tables).to_have_count(2)
    for view in tables.all():
        expect(row(view, "half failed")).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
        expect(row(view, "held")).to_have_attribute("data-status", "CANCELLED")
    expect(notebook.page.locator(".qjob-static:visible")).to_have_count(0)
    assert notebook.errors == []


def test_a_view_that_comes_late_shows_everything_at_once(opened):
    show = "panel = qj.JobPanel(held)\npanel"
    let_go = "service.faults.release(); held.wait_for_final_state()"
    notebook = opened([START, HELD, show, let_go], own=True)
    for index in range(3):
        notebook.run_cell(index)
    expect(count(panel_of(notebook.page), "QUEUED")).to_have_text("6", timeout=PATIENCE)
    notebook.javascript(
        """panel.content.activeCellIndex = 2;
        await window.jupyterapp.commands.execute('notebook:clear-cell-output');"""
    )
    expect(notebook.page.locator(".qjob-panel")).to_have_count(0)
    notebook.run_cell(3)
    # Longer than two heartbeats after the end: what is not sent by then is never sent by itself.
    notebook.add_cell("import time; time.sleep(11)")
    notebook.add_cell("panel")
    panel = panel_of(notebook.page)
    expect(panel).to_have_attribute("data-status", "DONE", timeout=5_000)
    expect(count(panel, "DONE")).to_have_text("6", timeout=5_000)
    expect(panel).to_contain_text("finished")
    expect(panel).not_to_contain_text("no contact")
    notebook.save()
    notebook.reload()
    again = panel_of(notebook.page)
    expect(again).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    expect(again.locator("[role=row][data-status=DONE]")).to_have_count(6)
    assert notebook.errors == []


def test_a_new_kernel_shows_the_same_panel_of_a_durable_service(opened, tmp_path):
    start = SWEEP.format(service=f"qj.LocalService(path={str(tmp_path / 'jobs')!r})", api="service.connect()")
    notebook = opened([start, 'service.faults.job(1, status="Failed", reason="Cold front")', SEND])
    notebook.run_all()
    panel = panel_of(notebook.page)
    expect(panel).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    expect(panel).to_contain_text("wednesday")
    before = told(panel)
    assert before["circuits"][2], "its circuits are not named"
    assert "rabi" in before["failures"][0], "the circuits that failed are not named"
    notebook.restart()
    notebook.javascript("await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');")
    notebook.run_cell(0)
    notebook.add_cell(AGAIN.format(before["job"]))
    again = panel_of(notebook.page)
    expect(again).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    expect(again.locator("[role=row][data-job-id]").nth(3)).to_contain_text("rabi", timeout=PATIENCE)
    assert told(again) == before

    again.get_by_role("button", name="Rerun failed (1)").click()
    expect(again).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    expect(count(again, "DONE")).to_have_text("4")
    assert notebook.errors == []


@pytest.fixture
def elsewhere(tmp_path):
    """A service that this process owns; kernels know its address only."""
    with qj.LocalService(path=tmp_path / "jobs") as running:
        yield running


def test_a_new_kernel_goes_on_with_a_job_of_a_service_elsewhere(opened, elsewhere):
    environ = f"import os; os.environ.update({elsewhere.environ()!r})\n"
    start = environ + SWEEP.format(service=None, api="qj.connect()")
    notebook = opened([start, SEND])
    elsewhere.faults.hold("Queued")
    notebook.run_all()
    panel = panel_of(notebook.page)
    expect(count(panel, "QUEUED")).to_have_text("4", timeout=PATIENCE)
    before = told(panel)
    notebook.restart()
    notebook.javascript("await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');")
    notebook.run_cell(0)
    notebook.add_cell(AGAIN.format(before["job"]))
    again = panel_of(notebook.page)
    expect(count(again, "QUEUED")).to_have_text("4", timeout=PATIENCE)
    expect(again.locator("[role=row][data-job-id]").nth(3)).to_contain_text("rabi", timeout=PATIENCE)
    assert told(again) == before

    elsewhere.faults.release()
    expect(again).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    elsewhere.faults.hold("Queued")
    notebook.add_cell(SEND)
    cancel(notebook.page.locator(".qjob-panel").nth(1))
    expect(notebook.page.locator(".qjob-panel[data-status=CANCELLED]")).to_be_visible(timeout=PATIENCE)
    elsewhere.faults.release()
    assert notebook.errors == []
