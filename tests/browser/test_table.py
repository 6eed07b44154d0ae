"""The table of jobs in a real JupyterLab: rows that open, a selection that Python sees, jobs that come."""

from __future__ import annotations

from playwright.sync_api import expect

PATIENCE = 60_000

START = """
%load_ext qjob_widgets
import qjob_widgets as qj
from qiskit import QuantumCircuit

service = qj.LocalService()
api = service.connect()
backend = api.backend("local_simulator")
circuit = QuantumCircuit(1)
circuit.h(0)
circuit.measure_all()
service.faults.job(1, status="Failed", reason="Cold front")


def sent(number, name):
    job = backend.run([circuit] * number, max_circuits_per_job=2, job_name=name, job_tags=["table"])
    job.block_for_submit()
    return job
"""
TABLE = """
jobs = [sent(8, "half failed"), sent(6, "all done")]
table = qj.JobTable(jobs)
table
"""
QUERY = """
%qjob_monitor --service api --tag table
"""


def row(table, name):
    return table.locator("[role=row][data-job-id]").filter(has_text=name).first


def test_rows_open_are_selected_and_rerun(opened):
    notebook = opened([START, TABLE])
    notebook.run_all()
    table = notebook.page.locator(".qjob-table")
    expect(row(table, "half failed")).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    expect(row(table, "all done")).to_have_attribute("data-status", "DONE", timeout=PATIENCE)

    row(table, "half failed").get_by_role("button").first.click()
    expect(table.locator("[role=row][aria-level='2']")).to_have_count(4)
    expect(table).to_contain_text("Cold front")
    row(table, "half failed").get_by_role("button").first.click()
    expect(table.locator("[role=row][aria-level='2']")).to_have_count(0)

    row(table, "half failed").click()
    notebook.add_cell("import time; time.sleep(0.5)\n[job.name() for job in table.selected]")
    assert "half failed" in notebook.outputs(2)[-1]["data"]["text/plain"]
    table.get_by_role("button", name="Rerun").first.click()
    expect(row(table, "half failed")).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    assert not notebook.errors


ROWS = """
once = sent(4, "failed once")
done = sent(4, "done")
table = qj.JobTable([once, done])
table
"""


SELECTED = """
import time
for _ in range(400):  # the page says it once the selection has settled
    if table.selected:
        break
    time.sleep(0.05)
[job.name() for job in table.selected]
"""


def test_a_row_offers_what_can_be_done_and_a_selection_survives_a_reload(opened):
    notebook = opened([START, ROWS], own=True)
    notebook.run_all()
    table = notebook.page.locator(".qjob-table")
    failed = row(table, "failed once")
    expect(failed).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    expect(row(table, "done")).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    expect(row(table, "done").get_by_role("button", name="Rerun failed of")).to_have_count(0)

    row(table, "done").click()
    expect(row(table, "done")).to_have_attribute("aria-selected", "true")
    notebook.add_cell(SELECTED)
    assert "'done'" in notebook.outputs(2)[-1]["data"]["text/plain"]
    notebook.save()
    notebook.reload()
    expect(row(table, "done")).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    expect(failed).to_have_attribute("aria-selected", "false")

    failed.hover()
    failed.get_by_role("button", name="Rerun failed of").click()
    expect(failed).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    expect(failed.get_by_role("button", name="Rerun failed of")).to_have_count(0)
    assert not notebook.errors


def test_jobs_that_match_a_query_come_by_themselves(opened):
    notebook = opened([START, QUERY, "late = sent(4, 'late')"], own=True)
    notebook.run_cell(0)
    notebook.run_cell(1)
    table = notebook.page.locator(".qjob-table")
    expect(table).to_contain_text("No job", timeout=PATIENCE)
    notebook.run_cell(2)
    expect(row(table, "late")).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)

    notebook.save()
    notebook.reload()
    expect(row(table, "late")).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    assert not notebook.errors
