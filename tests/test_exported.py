"""An executed notebook as a page, as a PDF, as LaTeX, and as GitHub shows it: each table once, readable.

The notebook is run without a browser, as `jupyter nbconvert --execute` does.
"""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from pathlib import Path

import nbformat
import pypdf
import pytest
from nbconvert import HTMLExporter, LatexExporter
from nbconvert.preprocessors import ExecutePreprocessor
from qiskit import QuantumCircuit

from qjob_widgets.demo import KERNEL, own_kernel
from qjob_widgets.widgets.panel import JobPanel
from tests.browser.colours import unreadable
from tests.browser.jupyter import Browser
from tests.browser.panels import START, VIEWS
from tests.github import sanitised
from tests.hostile import HOSTILE, clean
from tests.test_static_html import page as twin_of
from tests.test_words import everywhere

RUN = """
%load_ext qjob_widgets
service.faults.job(1, status="Failed", reason="Cold front over the refrigerator")
ended = sent(12, "ended")
ended.wait_for_final_state()
service.faults.hold("Queued")
held = sent(6, "held")
"""
MOMENT = re.compile(r"as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.IGNORECASE)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook after its cells have run, with the state of its widgets."""
    cells = [START, RUN, *VIEWS.values(), "frozen.freeze()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    runner = ExecutePreprocessor(timeout=300, kernel_name=KERNEL, store_widget_state=True)
    with own_kernel():
        runner.preprocess(notebook, {"metadata": {"path": str(tmp_path_factory.mktemp("executed"))}})
    return notebook


@pytest.fixture(scope="module")
def ids(executed):
    """Ids of the sub-jobs of the job that has ended."""
    return re.findall(r"<td[^>]*>([a-z0-9]{20})</td>", twins(executed)["ended"])


@pytest.fixture(scope="module")
def browser(chromium_path):
    with Browser(chromium_path, height=1200) as running:
        yield running


def twins(notebook) -> dict[str, str]:
    """The HTML of each view's twin, by the view's name."""
    found = {}
    for name, cell in zip(VIEWS, notebook.cells[2:], strict=False):
        pages = [output.data["text/html"] for output in cell.outputs if output.data.get("text/html")]
        [found[name]] = pages
    return found


def opened(browser, folder: Path, page: str):
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    return browser.page(file.as_uri())


@pytest.mark.parametrize("state", [True, False], ids=["state", "bare"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_has_each_table_once_and_readable(browser, executed, ids, tmp_path, theme, state):
    notebook = nbformat.from_dict(json.loads(json.dumps(executed)))
    if not state:
        del notebook.metadata["widgets"]
    page = opened(browser, tmp_path, HTMLExporter(theme=theme).from_notebook_node(notebook)[0])
    found = page.locator(".qjob-static:visible")
    assert found.count() == len(VIEWS)
    for view in found.all():
        assert MOMENT.search(view.inner_text())
        assert unreadable(view) == []
        assert view.bounding_box()["width"] <= 1400
    assert len(ids) == 6
    for job_id in ids:
        assert found.first.get_by_text(job_id).count() == 1
    assert "model not found" not in page.inner_text("body")
    page.context.close()


def test_a_pdf_has_the_rows(browser, executed, ids, tmp_path):
    page = opened(browser, tmp_path, HTMLExporter().from_notebook_node(executed)[0])
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    page.context.close()
    text = "\n".join(sheet.extract_text() for sheet in pypdf.PdfReader(tmp_path / "page.pdf").pages)

    unbroken = unicodedata.normalize("NFKC", text)  # fi and fl are one sign each in a PDF
    for job_id in ids:
        assert unbroken.count(job_id) == 3, "in the panel, in the frozen one, in the one that froze itself"
    assert "Cold front over the refrigerator" in text
    assert len(MOMENT.findall(text)) == len(VIEWS)


def test_latex_has_the_table_as_text(executed, ids):
    source = LatexExporter().from_notebook_node(executed)[0].replace("\\", "")

    for job_id in ids:
        assert source.count(job_id) == 3
    assert "<IPython" not in source
    assert len(MOMENT.findall(source)) == len(VIEWS)
    bundles = [output.data for cell in executed.cells for output in cell.outputs if "data" in output]
    lines = [line for bundle in bundles for line in bundle.get("text/plain", "").splitlines()]
    assert max(map(len, lines)) <= 80, "what fits a page"


def test_github_shows_rows_counts_and_failures(browser, executed, ids, tmp_path):
    pages = {name: sanitised(twin) for name, twin in twins(executed).items()}
    page = opened(browser, tmp_path, "".join(pages.values()))

    assert not re.search(r"class=|style=|data-|<style|<script", "".join(pages.values()))
    assert page.locator("table").count() == len(VIEWS)
    assert page.locator("table").first.locator("tbody tr").count() == 6
    text = page.inner_text("body")
    assert MOMENT.search(text)
    assert "5 of 6 done · 10 of 12 circuits (1 failed)" in text
    assert "1 failed: Cold front over the refrigerator · circuits 2–3" in text  # noqa: RUF001
    assert "held ○ queued as of" in text
    assert text.count(ids[0]) == 3
    assert ".qjob" not in text
    page.context.close()


@pytest.mark.parametrize("name", ["flag", "attribute", "bidi override", "hostile megabytes"])
def test_hostile_text_is_text_on_every_page(browser, tmp_path, name):
    twin = twin_of(everywhere(HOSTILE[name]), labels=[HOSTILE[name]] * 3)
    for markup in (twin, sanitised(twin)):
        page = opened(browser, tmp_path, f"<!doctype html><meta charset=utf-8><body>{markup}")
        assert page.evaluate("window.obeyed ?? 0") == 0
        assert page.locator("body").locator("img, svg, script, b[onmouseover]").count() == 0
        assert clean(page.inner_text("body"), lines=True)
        page.context.close()


def test_neither_token_nor_circuits_are_kept_or_logged(service, caplog):
    caplog.set_level(logging.DEBUG)
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    job = service.connect().backend("local_simulator").run([circuit] * 4, max_circuits_per_job=2)
    job.wait_for_final_state()
    panel = JobPanel(job)
    kept = json.dumps([panel.meta, panel.summary, panel._bundle(job.snapshot)]) + repr(panel)
    panel.close()

    assert job.job_id() in kept
    assert caplog.messages, "nothing was logged that could be looked at"
    for told in (kept, caplog.text):
        assert service.token not in told
        assert "Bearer" not in told
        assert "OPENQASM" not in told
