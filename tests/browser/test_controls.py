"""Controls of a panel in a real JupyterLab: while a cell computes, twice, from two views, and refused."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import qjob_widgets as qj
from tests.browser.panels import count, panel_of
from tests.browser.shared import (
    PATIENCE,
    PERMISSIONS,
    asked,
    button,
    clipboard,
    press,
    retag,
    settled,
    start,
)

ENDS = {"subshell": "ipykernel-7.4", "main thread": "ipykernel-6.31"}


@pytest.fixture
def service(tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as running:
        yield running


@pytest.mark.parametrize("clicks", ["subshell", "main thread"])
def test_each_control_while_a_cell_computes(opened, service, tmp_path, clicks):
    """With subshells it acts at once; without, it says so, and acts once when the cell has ended."""
    at_once = clicks == "subshell"
    let_go = tmp_path / "let-go"
    service.faults.hold("Queued")
    show = "job = sent(5, 'busy'); job.cancel(parts=[0]); job.refresh()\npanel = qj.JobPanel(job); panel"
    notebook = opened([start(tmp_path / "jobs"), show], kernel=ENDS[clicks])
    notebook.page.context.grant_permissions(PERMISSIONS)
    notebook.run_all()
    panel = panel_of(notebook.page)
    expect(count(panel, "QUEUED")).to_have_text("4", timeout=PATIENCE)
    expect(count(panel, "CANCELLED")).to_have_text("1", timeout=PATIENCE)
    notebook.page.wait_for_function("() => !window.qjobRuns")
    notebook.add_cell(f"computing({str(let_go)!r})", wait=False)
    service.clear_requests()

    button(panel, "Pause").click()
    if at_once:
        expect(panel).to_contain_text(re.compile(r"paused, updated [2-9] s ago"), timeout=PATIENCE)
        before = len(asked(service, "GET", ""))
        expect(panel).to_contain_text(re.compile(r"paused, updated [4-9] s ago"), timeout=PATIENCE)
        assert len(asked(service, "GET", "")) == before, "a paused panel asks nothing"
        button(panel, "Refresh").click()
        expect(panel).to_contain_text(re.compile("paused, updated (just now|1 s ago)"), timeout=PATIENCE)
        assert len(asked(service, "GET", "")) == before + 1
        button(panel, "Resume").click()
        expect(button(panel, "Pause")).to_be_enabled()
    else:
        expect(panel).to_contain_text("The kernel is busy: Pause will run when", timeout=10_000)
        button(panel, "Refresh").click()
    retag(panel, "busy")
    press(panel, "Copy report")
    button(panel, "Rerun failed (1)").click()
    if at_once:
        expect(count(panel, "CANCELLED")).to_have_text("0", timeout=PATIENCE)
        settled(panel)
    button(panel, "Cancel").click()
    panel.locator("[data-confirm]").click()
    if not at_once:
        assert [each.path for each in service.requests if each.method != "GET"] == []
        let_go.touch()
        settled(panel)
        # It is paused, and what was on its way is cancelled once it has arrived.
        button(panel, "Refresh").click()
    expect(count(panel, "CANCELLED")).to_have_text("5", timeout=PATIENCE)
    settled(panel)
    # Where both were done at once what was to be sent again may have been cancelled before it was.
    sent_again = len(asked(service, "POST", "/jobs"))
    assert sent_again == 1 or (sent_again == 0 and not at_once)
    assert len(asked(service, "POST", "/cancel")) == 4 + sent_again
    assert len(asked(service, "PUT", "/tags")) == 5
    assert "Total jobs: 5" in clipboard(panel)
    press(panel, "Freeze")
    expect(panel).to_have_count(0, timeout=PATIENCE)
    twin = notebook.page.locator(".qjob-static")
    expect(twin).to_contain_text("5 cancelled")
    expect(twin).to_contain_text("busy")
    assert notebook.javascript("return window.qjobRuns ?? 0;") == (1 if at_once else 0)
    let_go.touch()
    notebook.wait_executed()
    assert notebook.errors == []


def test_twice_and_from_two_views_and_two_pages_is_one_action(opened, server, browser, service, tmp_path):
    service.faults.job("*", reason="Cold front", times=3)
    notebook = opened(
        [
            start(tmp_path / "jobs"),
            "job = sent(4, 'twice'); job.wait_for_final_state()",
            "panel = qj.JobPanel(job); display(panel, panel)",
        ]
    )
    notebook.run_all()
    one, two = (notebook.page.locator(".qjob-panel").nth(number) for number in (0, 1))
    expect(one).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    notebook.save()
    other = browser.open(server, notebook.name)
    three = panel_of(other.page)
    expect(three).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)

    # Slow enough that all clicks come while the first is under way.
    service.faults.hold("Queued")
    slow = service.faults.delay("GET /jobs", seconds=1, times=None)
    service.clear_requests()
    button(one, "Rerun failed (3)").dblclick()
    expect(button(two, "Rerun failed (3)")).to_be_disabled()
    three.scroll_into_view_if_needed()
    button(three, "Rerun failed (3)").dblclick()
    expect(count(one, "QUEUED")).to_have_text("3", timeout=PATIENCE)
    for view in (one, two, three):
        settled(view)
        expect(button(view, "Rerun failed (0)")).to_be_disabled(timeout=PATIENCE)
    slow.clear()
    assert len(asked(service, "POST", "/jobs")) == 3

    one.scroll_into_view_if_needed()
    button(one, "Cancel").dblclick()
    expect(one.get_by_role("alertdialog")).to_be_visible()
    expect(two.get_by_role("alertdialog")).to_have_count(0)
    notebook.page.keyboard.press("Escape")
    expect(one.get_by_role("alertdialog")).to_have_count(0)
    expect(button(one, "Cancel")).to_be_focused()
    for view in (one, two, three):
        button(view, "Cancel").click()
    # No question is left where there is nothing to cancel any more.
    one.locator("[data-confirm]").dblclick()
    for view in (one, two, three):
        expect(count(view, "CANCELLED")).to_have_text("3", timeout=PATIENCE)
        expect(view.get_by_role("alertdialog")).to_have_count(0)
        settled(view)
    assert len(asked(service, "POST", "/cancel")) == 3
    expect(button(one, "Pause")).to_be_disabled()

    button(two, "Rerun failed (3)").click()
    expect(count(one, "QUEUED")).to_have_text("3", timeout=PATIENCE)
    button(one, "Pause").dblclick()
    for view in (one, two, three):
        expect(button(view, "Resume")).to_be_enabled(timeout=PATIENCE)
    assert [*notebook.errors, *other.errors] == []
    other.close()


WORDS = "A fault that was scripted."
"""The service's own, of a refusal."""


def test_what_the_service_refuses_is_told_in_its_words_and_can_be_asked_again(opened, service, tmp_path):
    service.faults.hold("Queued")
    jobs = "job = sent(2, 'refused'); one = backend.run(circuit, job_name='single')"
    notebook = opened([start(tmp_path / "jobs"), f"{jobs}\n%qjob_monitor job\n%qjob_monitor one"])
    notebook.run_all()
    panel, single = (notebook.page.locator(".qjob-panel").nth(number) for number in (0, 1))
    expect(count(panel, "QUEUED")).to_have_text("2", timeout=PATIENCE)

    for status in (400, 403, 409):
        slow = service.faults.delay("POST /jobs/{id}/cancel", seconds=0.5, times=None)
        fault = service.faults.http("POST /jobs/{id}/cancel", status=status, times=None)
        button(panel, "Cancel").click()
        panel.locator("[data-confirm]").click()
        expect(button(panel, "Cancel")).to_have_attribute("aria-busy", "true")
        expect(panel).to_contain_text("2 of 2 sub-jobs could not be cancelled", timeout=PATIENCE)
        expect(panel).to_contain_text(f"The service answered {status}: {WORDS}")
        expect(button(panel, "Cancel")).to_be_enabled()
        expect(count(panel, "QUEUED")).to_have_text("2")
        fault.clear()
        slow.clear()

    # Asked to wait longer than anybody would, it is told at once; asked to wait a little, it waits.
    fault = service.faults.http("POST /jobs/{id}/cancel", status=429, times=None, retry_after=3600)
    button(panel, "Cancel").click()
    panel.locator("[data-confirm]").click()
    expect(panel).to_contain_text("Not sent: 2 of 2 sub-jobs could not be cancelled", timeout=PATIENCE)
    expect(panel).to_contain_text(f"The service answered 429: {WORDS}")
    fault.clear()
    service.faults.http("POST /jobs/{id}/cancel", status=429, times=1, retry_after=1)
    service.clear_requests()
    button(panel, "Cancel").click()
    panel.locator("[data-confirm]").click()
    expect(count(panel, "CANCELLED")).to_have_text("2", timeout=PATIENCE)
    settled(panel)
    assert [each.status for each in service.requests if each.path.endswith("/cancel")] == [429, 204, 204]

    # A rerun and tags that are refused: nothing is lost, and the tag is as it was.
    service.faults.http("POST /jobs", status=400, times=2)
    button(panel, "Rerun failed (2)").click()
    expect(count(panel, "ERROR")).to_have_text("2", timeout=PATIENCE)
    expect(panel).to_contain_text(f"The service answered 400: {WORDS}")
    expect(button(panel, "Rerun failed (2)")).to_be_enabled()
    service.faults.http("PUT /jobs/{id}/tags", status=403, times=1)
    retag(single, "new")
    expect(single).to_contain_text(f"The service answered 403: {WORDS}", timeout=PATIENCE)
    expect(single.get_by_role("list", name="Tags")).to_have_count(0)

    # What ended meanwhile, while the panel was paused and did not see it.
    button(single, "Pause").click()
    expect(button(single, "Resume")).to_be_enabled()
    service.faults.release()
    notebook.add_cell("api.job(one.job_id()).wait_for_final_state()")
    button(single, "Cancel").click()
    single.locator("[data-confirm]").click()
    expect(single).to_contain_text("cannot be cancelled: The service answered 409: Job ", timeout=PATIENCE)
    expect(single).to_contain_text("is Completed and cannot be cancelled any more.")
    expect(count(single, "DONE")).to_have_text("1", timeout=PATIENCE)
    button(panel, "Rerun failed (2)").click()
    expect(panel).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
    assert notebook.errors == []
