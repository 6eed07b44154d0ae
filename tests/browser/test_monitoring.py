"""`%%qjob_monitor`, `--auto`, `--list`, `--stop` and queries, as they are seen in a real JupyterLab."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import qjob_widgets as qj
from tests.browser.panels import in_state, row
from tests.browser.shared import PATIENCE, asked, start

THEIRS = """
from qiskit.primitives import StatevectorSampler
from qiskit_ibm_runtime import SamplerV2

local = StatevectorSampler()
remote = SamplerV2(mode=service.runtime_service().backend("local_simulator"))
"""


@pytest.fixture
def service(tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as running:
        yield running


def table_below(notebook, index):
    table = notebook.output_area(index).locator(".qjob-table")
    table.wait_for()
    table.scroll_into_view_if_needed()
    return table


def jobs_in(table):
    return table.locator("[role=row][aria-level='1'][data-job-id]")


def test_jobs_that_nobody_named_are_watched_and_listed_and_stopped(opened, service, tmp_path):
    notebook = opened([start(tmp_path / "jobs")])
    notebook.run_all()
    below = notebook.add_cell(
        "%%qjob_monitor\nsent(3, 'first')\nother = backend.run(circuit, job_name='second')\n6 * 7"
    )
    table = table_below(notebook, below)
    expect(row(table, "first")).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    expect(row(table, "second")).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    expect(jobs_in(table)).to_have_count(2)
    values = [
        each["data"]["text/plain"]
        for each in notebook.outputs(below)
        if each["output_type"] == "execute_result"
    ]
    assert values == ["42"]

    notebook.add_cell("%qjob_monitor --auto")
    quiet = notebook.add_cell("1 + 1")
    service.faults.hold("Queued")
    later = notebook.add_cell("for name in ('third', 'fourth'): sent(2, name)")
    table = table_below(notebook, later)
    expect(row(table, "third")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    expect(row(table, "fourth")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    expect(notebook.output_area(quiet).locator(".qjob-table")).to_have_count(0)
    listed = notebook.outputs(notebook.add_cell("%qjob_monitor --list"))[0]["text"]
    assert "2 jobs, 2 done" in listed
    assert "2 jobs, 2 queued" in listed

    notebook.add_cell("%qjob_monitor --stop")
    expect(table).to_have_count(0, timeout=PATIENCE)
    left = notebook.output_area(later)
    expect(left.locator(".qjob-static")).to_be_visible()
    expect(left.locator(".qjob-static")).to_contain_text("fourth")
    expect(left).not_to_contain_text("Error")
    after = notebook.add_cell("sent(1, 'unseen')")
    assert "Nothing is watched." in notebook.outputs(notebook.add_cell("%qjob_monitor --list"))[0]["text"]
    expect(notebook.output_area(after).locator(".qjob-table")).to_have_count(0)
    assert asked(service, "POST", "/cancel") == [], "the jobs go on"
    assert notebook.errors == []


def test_jobs_of_other_libraries_and_clients_are_watched(opened, service, tmp_path):
    notebook = opened([start(tmp_path / "jobs"), THEIRS])
    notebook.run_all()
    cell = "%%qjob_monitor\nforeign = local.run([circuit])\nonly_id = remote.run([circuit]).job_id()"
    in_state(table_below(notebook, notebook.add_cell(cell)), 2, "DONE")

    notebook.add_cell("%qjob_monitor --auto")
    later = notebook.add_cell("foreign = local.run([circuit])")
    in_state(table_below(notebook, later), 1, "DONE")
    assert notebook.errors == []


def test_queries_show_what_they_ask_for_and_what_comes(opened, service, tmp_path):
    notebook = opened([start(tmp_path / "jobs")])
    notebook.run_all()
    notebook.add_cell(
        "sent(2, 'old', ['vqe']).wait_for_final_state(); sent(1, 'untagged').wait_for_final_state()"
    )
    service.faults.hold("Queued")
    notebook.add_cell("waiting = sent(2, 'waiting', ['vqe'])")
    pending = table_below(notebook, notebook.add_cell("%qjob_monitor --pending --since 2d --tag vqe"))
    named = table_below(notebook, notebook.add_cell("%qjob_monitor --backend local_simulator --limit 2"))
    none = table_below(notebook, notebook.add_cell("%qjob_monitor --tag qaoa --since 1h"))

    expect(jobs_in(pending)).to_have_count(1, timeout=PATIENCE)
    expect(row(pending, "waiting")).to_have_attribute("data-status", "QUEUED")
    expect(pending).to_contain_text("Pending jobs tagged vqe since 2d")
    expect(jobs_in(named)).to_have_count(2)
    expect(row(named, "waiting")).to_be_visible()
    expect(row(named, "untagged")).to_have_attribute("data-status", "DONE")
    expect(none).to_contain_text("No job matches yet. New ones appear here.")

    notebook.add_cell("sent(1, 'late', ['vqe', 'qaoa'])")
    for table in (none, pending):
        table.scroll_into_view_if_needed()
        expect(row(table, "late")).to_have_attribute("data-status", "QUEUED", timeout=PATIENCE)
    row(none, "late").click()
    none.get_by_role("button", name="Cancel").first.click()
    none.locator("[data-confirm]").click()
    expect(row(none, "late")).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    # What ends stays in the table; the rest is as it was.
    pending.scroll_into_view_if_needed()
    expect(row(pending, "late")).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    expect(row(pending, "waiting")).to_have_attribute("data-status", "QUEUED")
    assert len(asked(service, "POST", "/cancel")) == 1

    # A paused table asks nothing, not even its query.
    notebook.add_cell("%qjob_monitor --stop")
    service.faults.release()
    notebook.add_cell("waiting.wait_for_final_state()")
    paused = table_below(notebook, notebook.add_cell("%qjob_monitor --tag qaoa"))
    expect(jobs_in(paused)).to_have_count(1, timeout=PATIENCE)
    paused.get_by_role("button", name="Pause").click()
    expect(paused.get_by_role("button", name="Resume")).to_be_enabled(timeout=PATIENCE)
    service.clear_requests()
    expect(paused).to_contain_text(re.compile(r"paused, updated [5-9] s ago"), timeout=PATIENCE)
    assert [each.path for each in service.requests] == []
    assert notebook.errors == []
