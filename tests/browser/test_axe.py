"""Accessible: axe in a real JupyterLab, every state on a bare page, keys alone, and less usual settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.panels import FAILED, HELD, PATIENCE, START, panel_of
from tests.browser.scenes import Scene, scenes
from tests.browser.stage import THEMES, Stage

SCENES = {scene.name: scene for scene in scenes()}
# Rules about whole pages say nothing about a panel.
PAGES = ("region", "document-title", "html-has-lang", "landmark-one-main", "page-has-heading-one", "bypass")
OPTIONS = {"rules": {rule: {"enabled": False} for rule in PAGES}}


def violations(page: Page, selector: str) -> list[str]:
    """What axe finds fault with in what matches."""
    found = Axe().run(page, selector, OPTIONS).response["violations"]
    return [
        f"{one['id']}: {node['html']}\n{node['failureSummary']}" for one in found for node in one["nodes"]
    ]


GROUND = "element => getComputedStyle(element).backgroundColor"


@pytest.fixture(scope="module")
def stage(browser) -> Iterator[Stage]:
    opened = Stage(browser)
    yield opened
    opened.close()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_of_a_panel_is_shut_to_anybody(opened, theme):
    notebook = opened([START + FAILED + "panel = qj.JobPanel(failed)\npanel"], own=True)
    notebook.page.emulate_media(reduced_motion="reduce")
    notebook.run_all()
    notebook.theme(theme)
    page, panel = notebook.page, panel_of(notebook.page)
    expect(panel).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    assert violations(page, ".qjob-panel") == []

    panel.locator(".qjob-strip").focus()
    page.keyboard.press("ArrowRight")
    expect(panel.locator(".qjob-card")).to_be_visible()
    assert violations(page, ".qjob-panel") == []
    panel.get_by_role("button", name="Edit tags").click()
    panel.get_by_role("button", name="More").click()
    expect(panel.get_by_role("button", name="Copy report")).to_be_visible()
    assert violations(page, ".qjob-panel") == []
    notebook.add_cell("panel.freeze()")
    page.locator(".qjob-static").first.wait_for()
    assert violations(page, ".qjob-static") == []
    assert notebook.errors == []


def test_nothing_of_a_question_or_a_table_is_shut_to_anybody(opened):
    notebook = opened(
        [START + HELD + "qj.JobPanel(held)", "table = qj.JobTable([held, sent(4, 'other')])\ntable"],
        own=True,
    )
    notebook.page.emulate_media(reduced_motion="reduce")
    notebook.run_all()
    page, panel = notebook.page, panel_of(notebook.page)
    table = page.locator(".qjob-table")
    row = table.locator("[role=row][data-job-id]").filter(has_text="held").first
    row.get_by_role("button").first.click()
    expect(table.locator("[role=row][aria-level='2']")).to_have_count(6, timeout=PATIENCE)
    panel.get_by_role("button", name="Cancel").click()
    table.get_by_role("button", name="More").click()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        expect(panel.get_by_role("alertdialog")).to_be_visible()
        assert violations(page, ".qjob-panel") == []
        assert violations(page, ".qjob-table") == []
    page.emulate_media(reduced_motion="reduce", forced_colors="active")
    assert violations(page, ".qjob-table") == []
    shares = table.locator(".qjob-progress .qjob-bar > i").first
    assert shares.evaluate(GROUND) != table.evaluate(GROUND)
    assert notebook.errors == []


@pytest.mark.parametrize("theme", THEMES)
def test_no_state_is_shut_to_anybody(stage: Stage, theme: str):
    stage.look(1400, theme)
    for scene in SCENES.values():
        # Of 10,000 as many rows are drawn as of 120: looked at once, for numbers that are written otherwise.
        if scene.name == "rerun 10000" or not scene.name.endswith(" 10000"):
            stage.show(scene)
            assert violations(stage.page, ".qjob") == [], scene.name
    assert stage.errors == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_choice_of_what_to_rerun_is_not_shut_to_anybody(stage: Stage, theme: str):
    stage.look(1400, theme)
    panel = stage.show(SCENES["rerun 120"])
    kinds = {"ERROR": 5, "CANCELLED": 2, "UNSENT": 1}
    tell(stage, {**SCENES["rerun 120"].traits["summary"], "rerunnable": 8, "rerunnable_by": kinds})
    panel.get_by_role("button", name="Choose what to rerun").click()
    expect(panel.get_by_role("button", name="Never sent only (1)")).to_be_visible()
    assert violations(stage.page, ".qjob") == []


# ---- keys alone


def focused(page: Page) -> str:
    """What has the focus, as it is called."""
    return str(
        page.evaluate(
            """() => {
              const one = document.activeElement;
              return one.ariaLabel ?? (one.textContent.trim() || one.tagName);
            }"""
        )
    )


NEW = """() => {
  const [one, known] = [document.activeElement, window.visited ??= new Set([document.body])];
  return !known.has(one) && Boolean(known.add(one));
}"""


def test_tab_leads_through_everything_once_and_out_again(stage: Stage):
    stage.look(1400, "light")
    stage.show(SCENES["rerun 120"])
    stage.page.evaluate("document.activeElement.blur()")
    stops = []
    while len(stops) < 30:
        stage.page.keyboard.press("Tab")
        if not stage.page.evaluate(NEW):
            break
        stops.append(focused(stage.page))
    groups = [name.split(":")[0].split(" from ")[0] for name in stops]
    assert [name for name in groups if not name.startswith(("Show only", "Copy their"))] == [
        "Stop sending",
        "Sub-jobs in order",
        "Rerun failed (5)",
        "89 done",
        "Filter",
        "Sub-jobs",
        "Timeline",
        "Edit tags",
        f"Copy job id {SCENES['rerun 120'].traits['meta']['id']}",
    ]
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    for name in ("Refresh", "Edit tags"):
        stage.page.get_by_role("button", name=name).focus()
        stage.page.keyboard.press("Shift")
        assert stage.page.evaluate(outline) == "solid"


def test_the_buttons_are_one_stop_and_the_arrows_lead_along_them(stage: Stage):
    stage.look(1400, "light")
    panel = stage.show(SCENES["rerun 120"])
    press = stage.page.keyboard.press
    panel.get_by_role("button", name="Rerun failed (5)").focus()
    names = []
    for _ in range(6):
        names.append(focused(stage.page))
        press("ArrowRight")
    assert names == ["Rerun failed (5)", "Cancel", "Pause", "Refresh", "Freeze", "More"]
    assert focused(stage.page) == "Rerun failed (5)"
    press("End")
    press("ArrowDown")
    stage.page.evaluate("window.frames_(4)")
    assert focused(stage.page) == "Timeline"
    press("ArrowDown")
    assert focused(stage.page) == "Notify me"
    press("Escape")
    expect(panel.get_by_role("button", name="Notify me")).to_be_hidden()
    assert focused(stage.page) == "More"
    press("Home")
    press("ArrowRight")
    press("Enter")
    expect(panel.get_by_role("alertdialog")).to_be_visible()
    assert focused(stage.page) == "Keep running"
    press("Tab")
    assert focused(stage.page).startswith("Cancel all")
    press("Escape")
    expect(panel.get_by_role("alertdialog")).to_have_count(0)
    assert focused(stage.page) == "Cancel"


def test_keys_lead_over_the_cells_of_the_strip(stage: Stage):
    stage.look(1400, "light")
    panel = stage.show(SCENES["half failed 10000"])
    strip, option = panel.get_by_role("listbox"), panel.get_by_role("option")
    strip.focus()
    places = []
    for key in ("ArrowRight", "ArrowDown", "End", "PageUp", "Home"):
        stage.page.keyboard.press(key)
        stage.page.evaluate("window.frames_(3)")
        places.append(int(option.get_attribute("aria-posinset") or 0))
    assert places[0] == 2
    assert places[2] == 10_000
    assert 2 < places[1] < places[3] < 10_000
    assert places[4] == 1
    expect(option).to_contain_text("calibration interrupted")
    expect(panel.locator(".qjob-card")).to_be_visible()
    stage.page.keyboard.press("Escape")
    expect(panel.locator(".qjob-card")).to_have_count(0)
    stage.page.keyboard.press("End")
    stage.page.keyboard.press("Enter")
    last = panel.locator("[role=row][aria-rowindex='10001']")
    expect(last).to_have_attribute("data-active", "")
    grid = panel.get_by_role("grid")
    grid.focus()
    stage.page.keyboard.press("Home")
    expect(panel.locator("[role=row][aria-rowindex='2']")).to_have_attribute("data-active", "")
    stage.page.keyboard.press("ArrowUp")
    stage.page.keyboard.press("ArrowRight")
    stage.page.keyboard.press("Enter")
    expect(panel.get_by_role("columnheader", name="Circuits")).to_have_attribute("aria-sort", "ascending")


# ---- one voice


def test_changes_of_state_are_said_and_percentages_are_not(stage: Stage):
    panel = stage.show(SCENES["running 120"])
    voice = panel.locator("[aria-live]")
    expect(voice).to_have_count(1)
    assert voice.text_content() == ""
    summary = SCENES["running 120"].traits["summary"]
    for done in range(55, 60):
        counts = {**summary["counts"], "DONE": done, "QUEUED": summary["counts"]["QUEUED"] - done + 54}
        tell(stage, {**summary, "counts": counts, "beat": summary["beat"] + done})
        assert voice.text_content() == ""
    counts = {**summary["counts"], "ERROR": 1, "RUNNING": summary["counts"]["RUNNING"] - 1}
    tell(stage, {**summary, "counts": counts})
    expect(voice).to_have_text("Ising sweep: queued. 54 done, 1 failed, 12 running, 53 queued.")
    counts = {**dict.fromkeys(counts, 0), "DONE": 119, "ERROR": 1}
    tell(stage, {**summary, "status": "ERROR", "word": "failed", "final": True, "counts": counts})
    expect(voice).to_have_text("Ising sweep finished: 119 done, 1 failed.")


def tell(stage: Stage, summary: dict) -> None:
    """Write a summary as Python would, and let it be drawn."""
    stage.page.evaluate("async summary => { window.tell({summary}); await window.frames_(4); }", summary)


# ---- less usual settings

MOVING = """() => document.getAnimations().filter((one) => one.playState === "running").length"""


def test_nothing_moves_where_motion_is_not_wanted(stage: Stage):
    moving = {}
    for wanted in ("no-preference", "reduce"):
        stage.look(1400, "light", reduced_motion=wanted)
        panel = stage.show(SCENES["running 120"])
        panel.get_by_role("button", name="Refresh").click()
        expect(panel.get_by_role("button", name="Refresh")).to_have_attribute("aria-busy", "true")
        summary = SCENES["running 120"].traits["summary"]
        tell(stage, {**summary, "counts": {**summary["counts"], "DONE": 100, "QUEUED": 7}})
        moving[wanted] = stage.page.evaluate(MOVING)
    assert moving["no-preference"] > 0
    assert moving["reduce"] == 0


# Every border, text and mark as it is drawn in the few colours that the reader has chosen.
FORCED = """root => {
  const shades = (selector) => [...root.querySelectorAll(selector)].map((one) => {
    const {backgroundColor, backgroundImage} = getComputedStyle(one);
    return backgroundColor + backgroundImage;
  });
  const edge = (one) => getComputedStyle(one).borderTopColor;
  const buttons = [...root.querySelectorAll(".qjob-actions .qjob-button:enabled")];
  return {
    bar: shades(".qjob-bar > i"),
    ground: getComputedStyle(root).backgroundColor,
    edges: buttons.map(edge),
    selected: getComputedStyle(root.querySelector("[role=row][aria-selected=true]")).outlineStyle,
    marks: [...new Set([...root.querySelectorAll(".qjob-state [data-status]")].map(
      (one) => getComputedStyle(one, "::before").content + one.textContent))],
  };
}"""


@pytest.mark.parametrize("theme", THEMES)
def test_forced_colours_leave_everything_to_be_told_apart(stage: Stage, theme: str):
    stage.look(1400, theme, forced_colors="active", reduced_motion="reduce")
    panel = stage.show(SCENES["rerun 120"])
    panel.get_by_role("columnheader", name="Status").click()
    panel.locator("[role=row][data-job-id]").first.click()
    stage.page.evaluate("window.frames_(4)")
    found = panel.evaluate(FORCED)
    assert found["ground"] not in found["bar"]
    assert len(set(found["bar"])) >= 3, "done, failed and the rest"
    assert found["ground"] not in found["edges"]
    assert found["selected"] == "solid"
    assert len(found["marks"]) >= 2
    assert violations(stage.page, ".qjob") == []
    stage.look(1400, theme, forced_colors="none")


@pytest.mark.parametrize("scene", [SCENES["rerun 120"]], ids=["rerun 120"])
def test_each_state_has_a_word_and_a_mark_of_its_own(stage: Stage, scene: Scene):
    stage.look(1400, "light")
    panel = stage.show(scene)
    told = panel.evaluate(
        """root => [...root.querySelectorAll(".qjob-count")].map((one) =>
             [getComputedStyle(one, "::before").content, one.textContent.replace(/[0-9, ]/g, "")])"""
    )
    marks, words = zip(*told, strict=True)
    assert len(set(words)) == 7
    # What has not begun yet shares a point.
    assert len(set(marks)) >= 6
