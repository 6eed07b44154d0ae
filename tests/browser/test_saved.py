"""A saved notebook, opened where its kernel is not: the last known table, with its time, once.

One notebook is run and saved with its widgets' state. Its copies are opened in JupyterLab and in Notebook 7,
trusted and not, with the state and without, in no kernel and in a new one.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from playwright.sync_api import Locator, expect

from tests.browser.colours import unreadable
from tests.browser.jupyter import OPEN, READY, JupyterServer, NotebookPage
from tests.browser.panels import PATIENCE, START, panel_of
from tests.browser.panels import VIEWS as EVERY
from tests.browser.shared import told
from tests.overlays import write_kernels

RUN = """
%load_ext qjob_widgets
import time
service.faults.job(1, status="Failed", reason="Cold front")
ended = sent(12, "ended")
ended.wait_for_final_state()
service.faults.hold("Queued")
held = sent(6, "held")
"""
VIEWS = {**EVERY, "clicked": "clicked = qj.JobTable([held, ended])\nclicked"}
FROZEN = ("frozen", "clicked", "done")
MOMENT = re.compile(r"as of (\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d", re.IGNORECASE)
COMPLAINT = re.compile("model not found|Loading widget")
SETTING = "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings"


@pytest.fixture(scope="module")
def executed(browser, tmp_path_factory):
    """The notebook after its cells have run, still open and in its kernel."""
    home = tmp_path_factory.mktemp("saving")
    setting = home / "settings" / SETTING
    setting.parent.mkdir(parents=True)
    setting.write_text(json.dumps({"saveState": True}), encoding="utf-8")
    with JupyterServer(home, kernels=[write_kernels(home / "kernels", ["python3"])]) as server:
        server.write_notebook("saved.ipynb", [START, RUN, *VIEWS.values(), "frozen.freeze()"])
        notebook = browser.open(server, "saved.ipynb")
        notebook.run_all()
        live = notebook.page.locator(".qjob-panel, .qjob-table")
        expect(live).to_have_count(4, timeout=PATIENCE)  # one was frozen by a cell, one as it had ended
        panel_of(notebook.page, "held")
        clicked = area(notebook, "clicked").locator(".qjob-table")
        clicked.get_by_role("button", name="Freeze").click()
        expect(live).to_have_count(3, timeout=PATIENCE)
        twin = area(notebook, "held").locator(".qjob-static")
        expect(twin).to_contain_text("the last at position 3", timeout=PATIENCE)
        yield notebook
        assert notebook.errors == []
        notebook.shut_down_kernel()
        notebook.page.context.close()


@pytest.fixture(scope="module")
def saved(executed):
    """The notebook as it was saved, with the state of its widgets."""
    return executed.save()


@pytest.fixture(scope="module")
def token(executed, saved):
    """What lets into its service; told only after it was saved, since what is told stands in the notebook."""
    return told(executed, "service.token").strip("'")


@pytest.fixture(scope="module", params=["lab", "notebook"])
def application(request, tmp_path_factory) -> Iterator[JupyterServer]:
    """JupyterLab, and then Notebook 7."""
    home = tmp_path_factory.mktemp(request.param)
    kernels = [write_kernels(home / "kernels", ["python3"])]
    with JupyterServer(home, request.param, kernels) as running:
        yield running


@pytest.fixture
def reopened(browser, application, saved):
    """Opens a copy of the saved notebook."""
    pages = []

    def reopen(*, trusted: bool, state: bool, kernel: bool = False) -> NotebookPage:
        name = f"trusted-{trusted}-state-{state}-kernel-{kernel}.ipynb"
        document = copy.deepcopy(saved)
        document["metadata"]["copy"] = name  # signatures are of the whole: another one has none
        if state:
            grow_older(document["metadata"]["widgets"])
        else:
            del document["metadata"]["widgets"]
        if not kernel:
            document["metadata"]["kernelspec"] = {"name": "gone", "display_name": "Gone", "language": "none"}
            document["metadata"]["language_info"] = {"name": "none"}
        application.root.joinpath(name).write_text(json.dumps(document), encoding="utf-8")
        if trusted:
            notary = NotebookNotary(data_dir=str(application.home / "data"))
            notary.sign(nbformat.from_dict(document))
            notary.store.close()
        notebook = NotebookPage(browser._context(), application, name, 60)
        pages.append(notebook)
        notebook.page.goto(application.notebook_url(name))
        if kernel:
            notebook.page.wait_for_function(READY)
        else:
            notebook.page.wait_for_function(OPEN)
            notebook.page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
        return notebook

    yield reopen
    for page in pages:
        page.close()  # kernels end with the server


def grow_older(widgets, hour: int = 3_600_000) -> None:
    """Make the saved states an hour older, as they are when a notebook is opened another time."""
    for model in widgets["application/vnd.jupyter.widget-state+json"]["state"].values():
        if summary := model["state"].get("summary"):
            summary.update(beat=summary["beat"] - hour, asked=summary["asked"] and summary["asked"] - hour)


def area(notebook: NotebookPage, name: str) -> Locator:
    """Where the outputs of the cell of that view are drawn."""
    return notebook.output_area(2 + list(VIEWS).index(name))


def test_the_file_holds_each_table_once_and_no_secret(saved, token):
    outputs = {
        name: [output["data"] for output in cell["outputs"]]
        for name, cell in zip(VIEWS, saved["cells"][2:], strict=False)
    }
    for name, bundles in outputs.items():
        pages = ["".join(bundle.get("text/html", "")) for bundle in bundles]
        [twin] = [page for page in pages if page]
        assert '<div class="qjob-static ' in twin
        assert MOMENT.search(twin), name
        views = [bundle for bundle in bundles if "application/vnd.jupyter.widget-view+json" in bundle]
        assert len(views) == (0 if name in FROZEN else 1)
    states = saved["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert len([each for each in states.values() if "meta" in each["state"]]) == 3
    text = json.dumps(saved)
    assert len(token) == 43, "as secrets.token_urlsafe gives it"
    assert token not in text
    for each in states.values():  # modules are packed, so any three letters may be in them
        text = text.replace(json.dumps(each["state"].get("_esm", "")), "")
    assert not re.search(r"Bearer|apikey|authorization|QISKIT_IBM_TOKEN", text, re.IGNORECASE)
    assert not re.search(r"[a-z]+://[^/\s\"]*@", text), "no password in an address"
    assert not re.search(r"127\.0\.0\.1:\d+|OPENQASM|qpy", text), "neither where it runs nor what"


@pytest.mark.parametrize("state", [True, False], ids=["state", "bare"])
@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "foreign"])
def test_without_a_kernel_each_view_is_there_once_with_its_time(reopened, trusted, state):
    notebook = reopened(trusted=trusted, state=state)
    for name in VIEWS:
        twin = area(notebook, name).locator(".qjob-static")
        expect(twin).to_be_visible()
        expect(twin).to_contain_text(MOMENT)
        if name in ("table", "clicked"):
            expect(twin).to_contain_text("5 of 6")
            expect(twin).to_contain_text("0 of 3")
        else:
            expect(twin.locator("tbody tr")).to_have_count(3 if name == "held" else 6)
        if name != "held":
            expect(twin).to_contain_text("Cold front")
    expect(notebook.page.locator(".qjob-panel, .qjob-table")).to_have_count(0)
    expect(notebook.page.locator(".jp-Notebook")).not_to_contain_text(COMPLAINT, use_inner_text=True)
    assert notebook.errors == []


def test_in_a_new_kernel_the_last_table_is_there_and_readable(reopened):
    notebook = reopened(trusted=True, state=False, kernel=True)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        for name in VIEWS:
            twin = area(notebook, name).locator(".qjob-static")
            expect(twin).to_be_visible()
            assert unreadable(twin) == [], (theme, name)
        expect(notebook.page.locator(".jp-Notebook")).not_to_contain_text(COMPLAINT, use_inner_text=True)
    notebook.theme("JupyterLab Light")


def test_a_panel_drawn_from_saved_state_does_not_pretend_to_live(reopened):
    notebook = reopened(trusted=True, state=True, kernel=True)
    for name in VIEWS:
        view = ".qjob-static" if name in FROZEN else ".qjob-panel, .qjob-table"
        where = area(notebook, name)
        expect(where.locator(view)).to_be_visible(timeout=PATIENCE)
        expect(where.locator(":is(.qjob-panel, .qjob-table, .qjob-static):visible")).to_have_count(1)
        expect(where.locator(view)).to_contain_text(MOMENT)
    held, ended = area(notebook, "held"), area(notebook, "ended")
    expect(held).to_contain_text("no contact with the kernel", timeout=PATIENCE)
    expect(held).to_contain_text(MOMENT)
    expect(held.get_by_role("button", name="Cancel")).to_be_disabled()
    expect(ended.get_by_role("button", name="Rerun failed")).to_be_disabled(timeout=PATIENCE)
    expect(ended).to_contain_text(MOMENT)
    assert notebook.errors == []
