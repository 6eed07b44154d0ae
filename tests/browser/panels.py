"""Cells that show panels and tables, and what the tests of every front end look at in them."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

PATIENCE = 60_000
"""Milliseconds that a wait may take on a machine with other things to do."""

GREY = re.compile(r"^0\.")
"""The opacity of what is drawn grey."""

START = """
import qjob_widgets as qj
from qiskit import QuantumCircuit

service = qj.LocalService()
api = service.connect()
backend = api.backend("local_simulator")
circuit = QuantumCircuit(1)
circuit.h(0)
circuit.measure_all()


def sent(number, name):
    job = backend.run([circuit] * number, max_circuits_per_job=2, job_name=name, job_tags=["everywhere"])
    job.block_for_submit()
    return job
"""

FAILED = """
service.faults.job(1, status="Failed", reason="Cold front")
failed = sent(8, "half failed")
failed.wait_for_final_state()
"""

HELD = """
service.faults.hold("Queued")
held = sent(12, "held")
"""

VIEWS = {
    "ended": "%qjob_monitor ended",
    "held": "%qjob_monitor held",
    "table": "%qjob_monitor ended held",
    "frozen": "frozen = qj.JobPanel(ended)\nfrozen",
    "done": "%qjob_monitor --freeze-when-done ended",
}
"""Cells of what a notebook keeps, of a job that has ended and one that is held."""


def panel_of(page: Page, name: str = "") -> Locator:
    """The first panel whose text contains `name`, in view."""
    panel = page.locator(".qjob-panel").filter(has_text=name).first
    panel.wait_for()
    panel.scroll_into_view_if_needed()
    return panel


def table_of(page: Page, number: int = 0) -> Locator:
    """A table by its number, in view."""
    table = page.locator(".qjob-table").nth(number)
    table.wait_for()
    table.scroll_into_view_if_needed()
    return table


def count(panel: Locator, status: str) -> Locator:
    """How many sub-jobs are in a state, as the panel says."""
    return panel.locator(f'[data-count="{status}"]')


def bar(view: Locator) -> Locator:
    """How far all of it is, which is grey when it is old."""
    return view.locator(".qjob-bar").first


def row(table: Locator, name: str) -> Locator:
    """A job's row in a table."""
    return table.locator("[role=row][data-job-id]").filter(has_text=name).first


def in_state(table: Locator, number: int, status: str) -> None:
    """Wait until so many jobs of a table are in a state."""
    jobs = table.locator(f"[role=row][aria-level='1'][data-status={status}]")
    expect(jobs).to_have_count(number, timeout=PATIENCE)


def cancel(view: Locator) -> None:
    """Click Cancel, and yes."""
    view.get_by_role("button", name="Cancel").first.click()
    view.locator("[data-confirm]").click()
