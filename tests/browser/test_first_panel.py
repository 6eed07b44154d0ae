"""The first panel in a real JupyterLab: the path of the first notebook, clicks included."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.overlays import VERSIONS

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_first_panel.ipynb"
PATIENCE = 60_000

HELD = """
%load_ext qjob_widgets
import pathlib, time
import qjob_widgets as qj
from qiskit import QuantumCircuit

service = qj.LocalService()
api = service.connect()
backend = api.backend("local_simulator")
circuit = QuantumCircuit(1)
circuit.h(0)
circuit.measure_all()
service.faults.hold("Queued")
job = backend.run([circuit] * 6, max_circuits_per_job=1, job_name="held", job_tags=["browser"])
job.block_for_submit()
%qjob_monitor job
"""


@pytest.fixture
def cells():
    """Index in the notebook of the code cell that contains a text."""
    sources = ["".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]]

    def index(text: str) -> int:
        [found] = [number for number, source in enumerate(sources) if text in source]
        return found

    return index


def panel_of(notebook, number: int = 0) -> Locator:
    panel = notebook.page.locator(".qjob-panel").nth(number)
    panel.wait_for()
    panel.scroll_into_view_if_needed()
    return panel


def count(panel: Locator, status: str) -> Locator:
    return panel.locator(f'[data-count="{status}"]')


def test_watch_rerun_and_cancel(server, opened, cells):
    server.root.mkdir(parents=True, exist_ok=True)
    (server.root / NOTEBOOK.name).write_bytes(NOTEBOOK.read_bytes())
    notebook = opened(name=NOTEBOOK.name)
    for text in ("%load_ext", "def bell", "%qjob_monitor job"):
        notebook.run_cell(cells(text))
    panel = panel_of(notebook)
    expect(panel).to_have_attribute("data-status", "ERROR", timeout=PATIENCE)
    expect(count(panel, "DONE")).to_have_text("9")
    expect(count(panel, "ERROR")).to_have_text("3")
    expect(panel).to_contain_text("calibration interrupted")
    expect(panel).to_contain_text("does not match the instruction set of local_manila")
    expect(panel).to_contain_text(re.compile(r"calibrated \d+ d \d+ h ago"))
    rows = panel.locator("[role=row][data-status=ERROR]")
    first_ids = {row.get_attribute("data-job-id") for row in rows.all()}

    panel.get_by_role("button", name="Rerun failed (3)").click()
    expect(panel.get_by_role("button", name="Rerun failed (1)")).to_be_enabled(timeout=PATIENCE)
    expect(count(panel, "DONE")).to_have_text("11")
    expect(panel).to_have_attribute("data-status", "ERROR")
    drawn = {row.get_attribute("data-job-id") for row in panel.locator("[role=row][data-job-id]").all()}
    assert not first_ids & drawn
    assert len(drawn) == 12

    for text in ("callback=told", "job.rerun_failed()", "import AerSimulator", "%qjob_monitor long_job"):
        notebook.run_cell(cells(text))
    second = panel_of(notebook, 1)
    expect(second).to_have_attribute("data-status", re.compile("QUEUED|RUNNING|INITIALIZING"))
    second.get_by_role("button", name="Cancel").click()
    dialog = second.get_by_role("alertdialog")
    expect(dialog).to_be_visible()
    dialog.locator("[data-confirm]").click()
    expect(second).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    for number in ("QUEUED", "RUNNING", "INITIALIZING"):
        expect(count(second, number)).to_have_text("0")
    for text in ("long_job.cancel()", "attempts ="):
        notebook.run_cell(cells(text))
    outputs = [output for index in range(len(notebook_cells())) for output in code_outputs(notebook, index)]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert notebook.errors == []


def notebook_cells() -> list[dict]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def code_outputs(notebook, index: int) -> list[dict]:
    return notebook.outputs(index) if notebook_cells()[index]["cell_type"] == "code" else []


BLOCKING = """
import threading
let_go = pathlib.Path({let_go!r})
def release():
    while not let_go.exists():
        time.sleep(0.02)
    service.faults.release()
threading.Thread(target=release, daemon=True).start()
try:
    job.result()
except qj.IBMJobInvalidStateError as error:
    print(error)
"""


@pytest.mark.parametrize("kernel", VERSIONS)
def test_a_click_while_a_cell_blocks_on_result(opened, tmp_path, kernel):
    let_go = tmp_path / "let-go"
    notebook = opened([HELD], kernel=kernel)
    notebook.run_all()
    panel = panel_of(notebook)
    expect(count(panel, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    blocking = notebook.add_cell(BLOCKING.format(let_go=str(let_go)), wait=False)
    notebook.page.wait_for_function("() => window.qjobRuns > 0")
    panel.get_by_role("button", name="Cancel").click()
    panel.locator("[data-confirm]").click()
    if kernel == "ipykernel-6.31":
        expect(panel).to_contain_text("The kernel is busy", timeout=2_500)
        expect(panel).to_have_attribute("data-status", "QUEUED")
        let_go.touch()
        expect(panel).to_have_attribute("data-status", "DONE", timeout=PATIENCE)
        expect(panel).to_contain_text("Nothing to cancel", timeout=PATIENCE)
        expect(panel).not_to_contain_text("The kernel is busy")
        notebook.wait_executed()
    else:
        # Nobody lets go: it is the click that ends the cell.
        expect(panel).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
        notebook.wait_executed()
        assert "The job was cancelled" in notebook.outputs(blocking)[0]["text"]
    assert notebook.errors == []


def test_updates_are_drawn_while_result_blocks(opened):
    notebook = opened([HELD, "service.faults.release(); job.result(); time.sleep(1)"])
    notebook.run_cell(0)
    panel = panel_of(notebook)
    expect(count(panel, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    notebook.run_cell(1, wait=False)
    expect(count(panel, "DONE")).to_have_text("6", timeout=PATIENCE)
    assert notebook.javascript("return window.qjobRuns;") == 1, "nothing was drawn before the cell had ended"
    notebook.wait_executed()
    assert notebook.errors == []


def test_a_reloaded_page_shows_the_state_at_once(opened):
    notebook = opened([HELD], own=True)
    notebook.run_all()
    expect(count(panel_of(notebook), "QUEUED")).to_have_text("6", timeout=PATIENCE)
    notebook.save()
    notebook.reload()
    panel = panel_of(notebook)
    expect(count(panel, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    expect(notebook.page.locator(".qjob-static")).to_be_hidden()
    panel.get_by_role("button", name="Freeze").click()
    expect(panel).to_contain_text("Not frozen: since the page was loaded again", timeout=PATIENCE)
    panel.get_by_role("button", name="Cancel").click()
    panel.locator("[data-confirm]").click()
    expect(panel).to_have_attribute("data-status", "CANCELLED", timeout=PATIENCE)
    assert notebook.errors == []


def test_a_saved_notebook_shows_the_last_table_when_its_kernel_is_gone(server, browser, opened):
    notebook = opened([HELD, "service.faults.release(); job.wait_for_final_state()"])
    notebook.run_cell(0)
    panel = panel_of(notebook)
    expect(count(panel, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    expect(notebook.page.locator(".qjob-static")).to_be_hidden()
    notebook.run_cell(1)
    expect(count(panel, "DONE")).to_have_text("6", timeout=PATIENCE)
    saved = notebook.save()
    outputs = saved["cells"][0]["outputs"]
    twins = ["".join(one["data"]["text/html"]) for one in outputs if "text/html" in one["data"]]
    assert len(twins) == 1
    assert "6 of 6 done" in twins[0]
    assert "Bearer" not in json.dumps(saved)
    assert "apikey" not in json.dumps(saved)

    notebook.shut_down_kernel()
    reopened = browser.open(server, notebook.name)
    twin = reopened.page.locator(".qjob-static")
    twin.wait_for()
    expect(twin).to_contain_text("6 of 6 done")
    reopened.close()


def test_keys_stay_in_the_panel(opened):
    notebook = opened([HELD, "1 + 1"])
    notebook.run_cell(0)
    panel = panel_of(notebook)
    expect(count(panel, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    panel.get_by_role("button", name="Refresh").focus()
    for key in ("x", "d", "d", "ArrowDown", "b"):
        notebook.page.keyboard.press(key)
    assert notebook.javascript("return panel.content.model.cells.length;") == 2
    panel.get_by_role("grid").focus()
    notebook.page.keyboard.press("x")
    assert notebook.javascript("return panel.content.model.cells.length;") == 2


def test_the_theme_is_followed(opened):
    notebook = opened([HELD])
    notebook.run_all()
    panel = panel_of(notebook)

    def lightness() -> float:
        colour = panel.evaluate("element => getComputedStyle(element).backgroundColor")
        return sum(float(number) for number in re.findall(r"[\d.]+", colour)[:3]) / 3

    notebook.theme("JupyterLab Light")
    light = lightness()
    notebook.theme("JupyterLab Dark")
    assert lightness() < light / 2
    notebook.theme("JupyterLab Light")


def test_a_kernel_that_is_gone_is_told(opened):
    notebook = opened([HELD])
    notebook.run_all()
    panel = panel_of(notebook)
    expect(count(panel, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    notebook.restart()
    expect(panel).to_contain_text("no contact", timeout=25_000)
    expect(panel.get_by_role("button", name="Cancel")).to_be_disabled()


SLOW = """
const Prompt = window.DecompressionStream;
window.DecompressionStream = class {
  constructor(format) {
    const prompt = new Prompt(format);
    const late = new TransformStream({ flush: () => new Promise((go) => setTimeout(go, 2200)) });
    this.writable = prompt.writable;
    this.readable = prompt.readable.pipeThrough(late);
  }
};
"""


def test_a_page_that_takes_long_to_unpack_the_module_hears_all_the_same(opened):
    """anywidget gives a model two seconds to be made, and tells one that took longer nothing any more."""
    notebook = opened([HELD, "service.faults.release()"], own=True)
    notebook.javascript(SLOW)
    notebook.run_cell(0)
    panel = panel_of(notebook)
    expect(count(panel, "QUEUED")).to_have_text("6", timeout=PATIENCE)
    notebook.run_cell(1)
    expect(count(panel, "DONE")).to_have_text("6", timeout=PATIENCE)
    assert notebook.errors == []
