"""Foreign text in a real JupyterLab: it is shown, and nothing of it is obeyed, wherever it comes from.

Jobs in memory say each text of the corpus in every field that a panel, a table or their twins show. What the
page holds then is searched: elements and attributes made from data, characters that hide or turn round, and
whether any script ran.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.panels import PATIENCE
from tests.hostile import HOSTILE, clean

ROOT = Path(__file__).parents[2]
JOBS = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from dataclasses import replace
import qjob_widgets as qj
from qjob_widgets.errors import QJobError
from qjob_widgets.monitor.described import Described
from qjob_widgets.widgets.panel import JobPanel
from tests.hostile import HOSTILE
from tests.support import ScriptedSource, MemoryJob, part
from tests.test_words import everywhere


class Hostile(MemoryJob):
    '''A job that says its text wherever it can, and when it is asked something.'''

    @property
    def text(self):
        return self.snapshot.tags[0]

    def label(self, index):
        return self.text

    def described(self, index):
        return [Described(self.text, {{self.text: self.text}})]

    def cancel(self, **_):
        raise QJobError(f'Refused: {{self.text}}')

    def rerun_failed(self, **_):
        raise QJobError(f'Refused: {{self.text}}')

    def update_tags(self, tags):
        raise QJobError(f'Refused: {{self.text}}')

    def report(self):
        return self.text


def hostile(text):
    job = Hostile(everywhere(text), ScriptedSource([]))
    job.source.answers = [QJobError(text)] * 1000
    return job


jobs = {{name: hostile(text) for name, text in HOSTILE.items()}}
"""
# All that is told below a root: texts, attributes, and what no data may make.
FOUND = """root => {
  const elements = [root, ...root.querySelectorAll("*")];
  const attributes = elements.flatMap((one) => [...one.attributes].map(({name, value}) => [name, value]));
  return {
    text: root.textContent,
    values: attributes.map(([, value]) => value).join(" "),
    acting: attributes.map(([name]) => name).filter((name) => /^on|^(href|src|srcdoc|action)$/.test(name)),
    made: elements.map((one) => one.localName).filter((name) =>
      /^(script|img|iframe|object|embed|a|form|svg|mjx-container|link|meta|base|video|audio)$/.test(name)),
  };
}"""
VIEWS = ".qjob-panel, .qjob-table, .qjob-static"


def harmless(view) -> str:
    """Check a view, hidden or not; returns what it says."""
    found = view.evaluate(FOUND)
    assert found["acting"] == []
    assert found["made"] == []
    assert clean(found["text"], lines=True)
    assert clean(found["values"], lines=True)
    text: str = found["text"]
    return text


@pytest.fixture
def told(opened):
    """Opens a notebook in which the jobs are; fails if a script of theirs ran or a dialog came."""
    pages, dialogs = [], []

    def open_it(*cells):
        notebook = opened([JOBS, *cells], own=True)
        notebook.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        pages.append(notebook)
        notebook.run_all()
        return notebook

    yield open_it
    for notebook in pages:
        assert notebook.javascript("return window.obeyed ?? 0;") == 0
        assert notebook.errors == []
    assert dialogs == []


def test_all_jobs_in_a_table_and_what_it_is_asked(told):
    notebook = told(
        "table = qj.JobTable(jobs.values(), name=HOSTILE['flag'])\ntable", "len(table.to_dataframe())"
    )
    table = notebook.page.locator(".qjob-table")
    expect(table.locator("[role=row][data-job-id]").first).to_be_visible(timeout=PATIENCE)
    assert "<img src=x" in harmless(table)

    for opener in table.locator("[role=row][data-job-id] [aria-expanded=false]").all()[:3]:
        opener.click()
    expect(table.locator("[role=row][aria-level='2']").first).to_be_visible()
    harmless(table)
    table.get_by_role("button", name="Cancel").first.click()
    table.locator("[data-confirm]").click()
    expect(table).to_contain_text("Refused: ", timeout=PATIENCE)
    harmless(table)

    saved = notebook.save()
    assert len(json.dumps(saved)) < 500_000, "megabytes of text are cut before they are saved"
    notebook.add_cell("table.freeze()")
    twin = notebook.page.locator(".qjob-static")
    expect(twin).to_be_visible()
    # What is set as a formula is set in turn: once one that was meant as such is, so would be those of data.
    notebook.add_cell("from IPython.display import HTML; HTML('meant: $\\\\beta$')")
    expect(notebook.page.locator("mjx-container")).to_have_count(1, timeout=PATIENCE)
    told = harmless(twin)
    assert "<img src=x" in told
    assert r"$\alpha$ \(x\)" in told


@pytest.mark.parametrize("name", ["flag", "attribute", "bidi override", "cursor", "hostile megabytes"])
def test_a_panel_and_all_that_can_be_asked_of_it(told, name):
    notebook = told(f"panel = JobPanel(jobs[{name!r}])\npanel")
    panel = notebook.page.locator(".qjob-panel")
    expect(panel.locator("[role=row][data-job-id]")).to_have_count(3, timeout=PATIENCE)
    start = HOSTILE[name][:5] if name in ("flag", "attribute") else "\\"
    assert start in harmless(panel)

    panel.locator("[role=row][data-job-id]").first.hover()
    for key in ("Tab", "ArrowDown", "ArrowRight"):
        notebook.page.keyboard.press(key)
    panel.locator("canvas").first.hover(position={"x": 6, "y": 6})
    harmless(panel)
    panel.get_by_role("button", name="Cancel").first.click()
    harmless(panel)
    panel.locator("[data-confirm]").click()
    expect(panel).to_contain_text("Refused: " + start, timeout=PATIENCE)
    panel.get_by_role("button", name="Rerun failed").first.click()
    panel.get_by_label("Filter").first.fill(HOSTILE["flag"])
    harmless(panel)
    assert "obeyed" not in notebook.javascript("return document.title;")
    harmless(notebook.page.locator(".qjob-static"))
