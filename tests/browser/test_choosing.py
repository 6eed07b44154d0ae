"""Finding, choosing, copying and naming in a panel in a real JupyterLab, and being told when all is over."""

from __future__ import annotations

import re

from playwright.sync_api import expect

import qjob_widgets as qj
from tests.browser.panels import count, panel_of
from tests.browser.shared import PATIENCE, PERMISSIONS, asked, button, clipboard, press, settled, start

SHOW = """
job = sent(8, 'choosing', ['old'])
job.wait_for_final_state()
%qjob_monitor job
"""
SWEEP = """
circuits = [circuit.copy(f'rabi_{step}') for step in range(8)]
for step, each in enumerate(circuits):
    each.metadata = {'theta': step / 4}
job = backend.run(circuits, max_circuits_per_job=1, job_name='choosing', job_tags=['old'])
job.wait_for_final_state()
%qjob_monitor job
"""
SPY = """() => {
  window.told = [];
  window.Notification = class extends window.Notification {
    constructor(title, options) { super(title, options); window.told.push([title, options.body]); }
  };
}"""


def rows(panel):
    return panel.locator("[role=row][data-job-id]")


def test_a_row_is_found_chosen_copied_and_sent_again(opened, tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as service:
        for index, reason in ((1, "Cold front 17"), (3, "Cold front 18"), (5, "Warm front")):
            service.faults.job(index, reason=reason)
        notebook = opened([start(tmp_path / "jobs"), SWEEP])
        notebook.page.context.grant_permissions(PERMISSIONS)
        notebook.run_all()
        panel, keys = panel_of(notebook.page), notebook.page.keyboard
        expect(count(panel, "ERROR")).to_have_text("3", timeout=PATIENCE)
        expect(rows(panel)).to_have_count(8)

        # Filter, by status and by words.
        only = panel.get_by_role("group", name="Show only").get_by_role("checkbox")
        only.filter(has_text="failed").click()
        expect(rows(panel)).to_have_count(3)
        field = panel.get_by_role("searchbox", name="Filter")
        field.fill("warm front")
        expect(rows(panel)).to_have_count(1)
        expect(panel).to_contain_text("1 shown")
        field.fill("no such thing")
        expect(panel).to_contain_text("None of the 8 sub-jobs match.")
        field.press("Escape")
        expect(field).to_have_value("")
        expect(rows(panel)).to_have_count(3)
        button(panel, "3 shown").click()
        expect(rows(panel)).to_have_count(8)
        for words, label in (("rabi_6", "rabi_6 theta=1.5"), ("theta=0.75", "rabi_3 theta=0.75")):
            field.fill(words)
            expect(rows(panel)).to_have_count(1)
            expect(rows(panel)).to_contain_text(label)
        field.press("Escape")
        expect(rows(panel)).to_have_count(8)

        # Sort, by the mouse and by keys.
        status = panel.get_by_role("columnheader", name="Status")
        status.click()
        expect(status).to_have_attribute("aria-sort", "ascending")
        upwards = rows(panel).first.get_attribute("data-status")
        status.click()
        expect(status).to_have_attribute("aria-sort", "descending")
        expect(rows(panel).first).not_to_have_attribute("data-status", upwards)
        status.click()
        expect(status).not_to_have_attribute("aria-sort", re.compile("."))
        grid = panel.get_by_role("grid")
        grid.focus()
        for key in ("Home", "ArrowUp", "ArrowRight", "Enter", "Enter"):
            keys.press(key)
        sorted_by = panel.get_by_role("columnheader").and_(panel.locator("[aria-sort=descending]"))
        expect(sorted_by).to_have_count(1)
        keys.press("Enter")
        expect(sorted_by).to_have_count(0)

        # Select by keys, and copy an id.
        for key in ("ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown"):
            keys.press(key)
        expect(panel.locator("[aria-selected=true][data-job-id]")).to_have_count(3)
        keys.press("ControlOrMeta+a")
        expect(button(panel, "8 selected")).to_be_visible()
        expect(button(panel, "Rerun 3 selected")).to_be_enabled()
        keys.press("Escape")
        expect(panel.locator("[aria-selected=true][data-job-id]")).to_have_count(0)
        keys.press("Home")
        keys.press("Enter")
        first, last = (row.get_attribute("data-job-id") for row in (rows(panel).first, rows(panel).last))
        assert clipboard(panel) == first
        button(rows(panel).last, "Copy job id").click()
        expect(button(rows(panel).last, "Copied")).to_be_visible()
        assert clipboard(panel) == last

        # A group of failures: its rows, and its indexes as Python takes them.
        group = panel.get_by_role("listitem").filter(has_text="Cold front")
        expect(group).to_contain_text(re.compile(r"\b2 "))
        button(group, "Show only these 2").click()
        expect(rows(panel)).to_have_count(2)
        button(group, "Copy their indexes").click()
        assert clipboard(panel) == "[1, 3]"
        service.faults.hold("Queued")
        notebook.add_cell(f"job.rerun_failed(parts={clipboard(panel)})")
        expect(count(panel, "QUEUED")).to_have_text("2", timeout=PATIENCE)
        expect(count(panel, "ERROR")).to_have_text("1")
        expect(panel.get_by_role("listitem").filter(has_text="Cold front")).to_have_count(0)
        press(panel, "Copy report")
        expect(panel).to_contain_text("Report copied.", timeout=PATIENCE)
        assert "Failed jobs: 1" in clipboard(panel)

        # Told when all is over: by the title and by the browser.
        notebook.page.evaluate(SPY)
        press(panel, "Notify me")
        button(panel, "Rerun failed (1)").click()
        expect(count(panel, "QUEUED")).to_have_text("3", timeout=PATIENCE)
        assert notebook.page.evaluate("() => window.told") == []
        service.faults.release()
        expect(panel).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
        expect(notebook.page).to_have_title(re.compile(r"^\(✓\) "))
        assert notebook.page.evaluate("() => window.told") == [["choosing finished", "8 done"]]
        keys.press("Shift")
        expect(notebook.page).not_to_have_title(re.compile(r"^\(✓\) "))
        assert notebook.errors == []


def test_the_timeline_is_seen_closer_by_keys_and_by_the_wheel(opened, tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as service:
        service.faults.hold("Queued")
        notebook = opened([start(tmp_path / "jobs"), "job = sent(3, 'timeline')\n%qjob_monitor job"])
        notebook.run_all()
        panel, keys, mouse = panel_of(notebook.page), notebook.page.keyboard, notebook.page.mouse
        # The range is told in seconds: of six, each step takes one away at either end.
        waited = rows(panel).first.locator(".qjob-elapsed")
        expect(waited).to_have_text(re.compile(r"^([6-9]|\d\d) s"), timeout=PATIENCE)
        service.faults.release()
        expect(panel).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
        axis = panel.get_by_role("group", name="Timeline from")
        every = re.compile(re.escape(axis.get_attribute("aria-label")))

        axis.focus()
        keys.press("+")
        expect(axis).not_to_have_attribute("aria-label", every)
        keys.press("0")
        expect(axis).to_have_attribute("aria-label", every)

        # By force, since the pointer goes through the bars to the rows below them.
        panel.locator(".qjob-bars").hover(force=True)
        mouse.wheel(0, -100)
        expect(axis).not_to_have_attribute("aria-label", every)
        mouse.wheel(0, 100)
        expect(axis).to_have_attribute("aria-label", every)
        assert notebook.errors == []


def test_tags_are_added_taken_away_and_refused_in_a_clear_sentence(opened, tmp_path):
    with qj.LocalService(tmp_path / "jobs", backends=["simulator"]) as service:
        notebook = opened([start(tmp_path / "jobs"), SHOW.replace("sent(8", "sent(2")])
        notebook.run_all()
        panel = panel_of(notebook.page)
        tags = panel.get_by_role("list", name="Tags").get_by_role("listitem")
        expect(tags).to_have_text(["old"])
        service.clear_requests()
        button(panel, "Edit tags").click()
        field = panel.get_by_role("textbox", name="New tag")
        expect(field).to_be_focused()

        for tag in ("vqe", "<b>bold</b>", "ü" * 86):
            field.fill(tag)
            field.press("Enter")
            expect(tags.filter(has_text=tag)).to_have_count(1)
        settled(panel)
        assert len(asked(service, "PUT", "/tags")) == 6
        for wrong, sentence in (
            ("x" * 90, "this one is 4 characters too long"),
            ("vqe", "“vqe” is there already"),
        ):
            field.fill(wrong)
            field.press("Enter")
            expect(panel).to_contain_text(sentence)
            expect(field).to_have_attribute("aria-invalid", "true")
        field.fill("fifth")
        field.press("Enter")
        field.fill("sixth")
        field.press("Enter")
        expect(panel).to_contain_text("A job has at most 5 tags of yours: take one away first.")
        button(panel, "Remove tag old").click()
        expect(tags).to_have_count(4)
        field.press("Enter")
        expect(tags).to_have_count(5)
        settled(panel)
        field.press("Escape")
        expect(button(panel, "Edit tags")).to_be_focused()
        shown = ["vqe", "<b>bold</b>", "ü" * 86, "fifth", "sixth"]
        expect(tags).to_have_text(shown)
        told = notebook.add_cell("print(job.tags(), api.job(job.job_id()).tags() == job.tags())")
        assert notebook.outputs(told)[0]["text"] == f"{shown} True\n"

        button(panel, "Edit tags").click()
        field.fill("ibm_composite_job_mine")
        button(panel, "Remove tag vqe").click()
        field.press("Enter")
        expect(panel).to_contain_text("take another", timeout=PATIENCE)
        expect(tags).to_have_text(shown[1:])
        assert notebook.errors == []
