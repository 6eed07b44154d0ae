"""A table of jobs in a real JupyterLab when its service or its kernel is gone, or silent, and comes back."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest
from playwright.sync_api import expect

import qjob_widgets as qj
from tests.browser.panels import GREY, bar, cancel, count, in_state, row, table_of
from tests.browser.shared import (
    PATIENCE,
    age,
    asked,
    button,
    can_suspend,
    press,
    settled,
    start,
    suspended,
    told,
)

SHOW = """
alpha, beta = sent(2, 'alpha', ['tagged']), sent(3, 'beta')
%qjob_monitor alpha beta
"""
HURRY = """
from qjob_widgets.widgets import commands
commands.SECONDS = 3.0
"""
"""A click does not try for half a minute in vain."""
FRESH = re.compile(r"updated (just now|[1-5] s ago)")
NO_CONTACT = "There is no contact with the kernel."


@pytest.fixture
def service(tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as running:
        running.faults.hold("Queued")
        yield running


@pytest.fixture
def shown(opened, service, tmp_path):
    """A notebook with a table of two open jobs, and the table."""
    notebook = opened([start(tmp_path / "jobs"), SHOW])
    notebook.run_all()
    table = table_of(notebook.page)
    in_state(table, 2, "QUEUED")
    return notebook, table


def opener(table, name):
    """What opens a job's row."""
    return row(table, name).get_by_role("button", name="Sub-jobs of")


def sub_jobs(table):
    return table.locator("[role=row][aria-level='2'][data-job-id]")


def message(table):
    """What the last click came to."""
    return table.locator(".qjob-message")


def as_it_was(table):
    """All that was known is still there to read."""
    expect(count(table, "QUEUED")).to_have_text("2")
    in_state(table, 2, "QUEUED")
    expect(row(table, "alpha")).to_contain_text("0 of 2")
    expect(row(table, "beta")).to_contain_text("0 of 3")


def is_true(table, since):
    """The age that a table tells is the time `since` which nobody has answered; polls are a second apart."""
    assert age(table) == pytest.approx(time.monotonic() - since, abs=3)


def test_a_service_that_was_killed_and_comes_back(shown, service):
    notebook, table = shown
    os.kill(service.pid, signal.SIGKILL)
    killed = time.monotonic()
    expect(table).to_contain_text("connection refused", timeout=PATIENCE)
    expect(table).to_contain_text(
        re.compile(r"retrying, [2-9]\w\w time, updated [5-9] s ago"), timeout=PATIENCE
    )
    is_true(table, killed)
    as_it_was(table)
    expect(table).not_to_have_attribute("data-lost", "")
    expect(table).not_to_contain_text("kernel")

    cancel(table)
    clicked = time.monotonic()
    expect(button(table, "Cancel")).to_have_attribute("aria-busy", "true")
    expect(message(table)).to_contain_text(
        "Not sent: 2 of 2 jobs: alpha, beta: No answer from 127.0.0.1", timeout=2 * PATIENCE
    )
    assert time.monotonic() - clicked > 25
    expect(button(table, "Cancel")).to_be_enabled()
    settled(table)
    as_it_was(table)

    # Started again it has the jobs and the port it had; what is asked meanwhile is sent then.
    row(table, "beta").click()
    cancel(table)
    expect(message(table)).to_have_text("")
    service.start()
    service.faults.hold("Queued")
    in_state(table, 1, "CANCELLED")
    expect(row(table, "beta")).to_have_attribute("data-status", "CANCELLED")
    expect(message(table)).to_contain_text("Cancel sent for 1 job", timeout=PATIENCE)
    expect(table).to_contain_text(FRESH, timeout=PATIENCE)
    expect(table).not_to_contain_text("retrying")
    cancel(table)
    in_state(table, 2, "CANCELLED")
    settled(table)
    assert len(asked(service, "POST", "/cancel")) == 5
    assert notebook.errors == []


@can_suspend
def test_a_service_that_is_silent_and_goes_on(shown, service):
    notebook, table = shown
    notebook.add_cell(HURRY)
    with suspended(service.pid):
        silent = time.monotonic()
        # What was told before the silence is five seconds old at most.
        expect(table).to_contain_text(re.compile(r"updated (8|9|[1-4]\d) s ago"), timeout=PATIENCE)
        is_true(table, silent)
        as_it_was(table)
        expect(table).not_to_have_attribute("data-lost", "")
        expect(table).not_to_contain_text("kernel")
        opener(table, "alpha").click()
        expect(sub_jobs(table)).to_have_count(2, timeout=PATIENCE)

        cancel(table)
        expect(button(table, "Cancel")).to_have_attribute("aria-busy", "true")
        expect(message(table)).to_contain_text(
            "Not answered: 2 of 2 jobs: alpha, beta: No answer from 127.0.0.1", timeout=PATIENCE
        )
        expect(button(table, "Cancel")).to_be_enabled()
        is_true(table, silent)
        as_it_was(table)
    expect(table).to_contain_text(FRESH, timeout=PATIENCE)

    cancel(table)
    in_state(table, 2, "CANCELLED")
    settled(table)
    expect(message(table)).not_to_contain_text("Not answered")
    assert notebook.errors == []


@pytest.mark.parametrize("end", ["killed", "shut down"])
def test_a_kernel_that_is_gone(shown, service, tmp_path, end):
    notebook, table = shown
    opener(table, "alpha").click()
    expect(sub_jobs(table)).to_have_count(2, timeout=PATIENCE)
    row(table, "alpha").click()
    expect(button(table, "Edit tags")).to_be_enabled()
    ids = [row(table, name).get_attribute("data-job-id") for name in ("alpha", "beta")]

    if end == "killed":
        notebook.kill_kernel()
    else:
        notebook.shut_down_kernel()
    # The front end knows at once that nobody listens, the table when it misses what it is told regularly.
    opener(table, "beta").click()
    expect(message(table)).to_contain_text(NO_CONTACT)
    expect(row(table, "beta")).to_have_attribute("aria-expanded", "false")
    expect(table).to_contain_text(
        re.compile(r"as of \d\d:\d\d:\d\d, no contact with the kernel"), timeout=PATIENCE
    )
    expect(table).to_have_attribute("data-lost", "")
    expect(table).to_contain_text("If the kernel was restarted, run this cell again.")
    for name in ("Rerun", "Cancel", "Pause", "Refresh", "Freeze", "Edit tags"):
        expect(button(table, name)).to_be_disabled()
    row(table, "alpha").hover()
    expect(row(table, "alpha").get_by_role("button", name="Cancel")).to_have_count(0)

    # What is known is there to read, to find and to open, and nothing else promises to open.
    as_it_was(table)
    for _ in range(2):
        expect(sub_jobs(table)).to_have_count(2)
        opener(table, "alpha").click()
        expect(sub_jobs(table)).to_have_count(0)
        opener(table, "alpha").click()
    expect(opener(table, "beta")).to_be_disabled()
    expect(opener(table, "beta")).to_have_attribute("title", NO_CONTACT)
    row(table, "beta").dblclick()
    notebook.page.keyboard.press("ArrowRight")
    expect(row(table, "beta")).to_have_attribute("aria-expanded", "false")
    expect(table).not_to_contain_text("asked for")
    table.get_by_role("searchbox").fill("beta")
    expect(table.locator("[role=row][aria-level='1']")).to_have_count(1)

    # A new kernel has the same jobs by their ids.
    if end == "killed":
        notebook.restart()
    else:
        notebook.start_kernel()
    notebook.run_cell(0)
    notebook.add_cell(f"%qjob_monitor {' '.join(ids)}")
    again = table_of(notebook.page, 1)
    as_it_was(again)
    assert [row(again, name).get_attribute("data-job-id") for name in ("alpha", "beta")] == ids
    opener(again, "beta").click()
    expect(sub_jobs(again)).to_have_count(3, timeout=PATIENCE)
    cancel(again)
    in_state(again, 2, "CANCELLED")
    expect(table).to_have_attribute("data-lost", "")
    assert len(asked(service, "POST", "/cancel")) == 5


@can_suspend
def test_a_kernel_that_is_silent_and_goes_on(shown):
    notebook, table = shown
    kernel = int(told(notebook, "import os\nos.getpid()"))
    with suspended(kernel):
        opener(table, "beta").click()
        expect(row(table, "beta")).to_have_attribute("aria-expanded", "true")
        below = table.locator("[role=row][aria-level='2']")
        expect(below).to_have_text("Its sub-jobs are asked for…")
        expect(table).to_contain_text("no contact with the kernel", timeout=PATIENCE)
        expect(below).to_have_text(NO_CONTACT)
        expect(button(table, "Cancel")).to_be_disabled()
        expect(bar(table)).to_have_css("opacity", GREY)
        as_it_was(table)
    expect(table).not_to_have_attribute("data-lost", "", timeout=PATIENCE)
    expect(bar(table)).to_have_css("opacity", "1")
    expect(sub_jobs(table)).to_have_count(3, timeout=PATIENCE)
    expect(table).not_to_contain_text("no contact")
    press(table, "Pause")
    expect(table).to_contain_text("paused, updated", timeout=PATIENCE)
    assert notebook.errors == []
