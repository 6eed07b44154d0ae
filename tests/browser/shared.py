"""A service that a test and the notebook's kernel share, so that the test can script and count always."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from qjob_widgets import LocalService
from tests.browser.jupyter import NotebookPage

PATIENCE = 60_000
"""Milliseconds that a wait may take on a machine with other things to do."""
PERMISSIONS = ("clipboard-read", "clipboard-write", "notifications")

START = """
%load_ext qjob_widgets
import pathlib, time
import qjob_widgets as qj
from IPython.display import display
from qiskit import QuantumCircuit

service = qj.LocalService({path!r}, backends=["simulator"]{options})
api = service.connect()
backend = api.backend("local_simulator")
circuit = QuantumCircuit(1)
circuit.h(0)
circuit.measure_all()


def sent(parts, name, tags=()):
    job = backend.run([circuit] * parts, max_circuits_per_job=1, job_name=name, job_tags=list(tags))
    job.block_for_submit()
    return job


def computing(name):
    while not pathlib.Path(name).exists():
        time.sleep(0.02)
"""


def start(path: Path, options: str = "") -> str:
    """The first cell: its service is that of `path`, which the test has opened as well."""
    return START.format(path=str(path), options=options and f", {options}")


def asked(service: LocalService, method: str, path: str) -> list[str]:
    """The paths of requests so far, by method and the end of the path."""
    return [each.path for each in service.requests if each.method == method and each.path.endswith(path)]


def told(notebook: NotebookPage, expression: str) -> str:
    """What an expression is in the kernel, as text."""
    index = notebook.add_cell(expression)
    text: str = notebook.outputs(index)[-1]["data"]["text/plain"]
    return text


def age(view: Locator) -> float:
    """How many seconds old a panel or table says it is, while that is less than a minute."""
    said = view.locator(".qjob-fresh").inner_text()
    found = re.search(r"updated (?:just now|(\d+) s ago)", said)
    assert found, said
    return float(found[1] or 0)


can_suspend = pytest.mark.skipif(sys.platform == "win32", reason="nothing can be suspended here")


@contextlib.contextmanager
def suspended(process: int) -> Iterator[None]:
    """A process neither does nor says anything, though its connections stay: silence."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def button(view: Locator, name: str) -> Locator:
    """A button by the beginning of its name."""
    return view.get_by_role("button", name=name).first


def press(view: Locator, name: str) -> None:
    """Press a button that stands in the bar, or behind "More"."""
    wanted = view.get_by_role("toolbar").get_by_role("button", name=name)
    if not wanted.first.is_visible():
        button(view, "More").click()
    wanted.first.click()


def retag(view: Locator, tag: str) -> None:
    """Add a tag."""
    button(view, "Edit tags").click()
    field = view.get_by_role("textbox", name="New tag")
    field.fill(tag)
    field.press("Enter")
    button(view, "Close").click()


def clipboard(view: Locator) -> str:
    """What was copied last."""
    text: str = view.page.evaluate("() => navigator.clipboard.readText()")
    return text


def settled(view: Locator) -> None:
    """Wait until nothing that was asked is under way."""
    expect(view.locator("[aria-busy=true]")).to_have_count(0, timeout=PATIENCE)
