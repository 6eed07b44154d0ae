"""The first notebook: opened in JupyterLab as a copy, or run without a browser and written as a page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from qjob_widgets.errors import InvalidInput, QJobError

NAME = "01_first_panel.ipynb"
KERNEL = "python3"
CELL_SECONDS = 600
"""How long one cell of the notebook may take before the run without a browser gives up."""
PAGE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
"""
"""nbconvert's page less what it would fetch from the internet for formulas and diagrams; ours has none."""


def notebook() -> Path:
    """The notebook as it came: inside the installed package, or in the checkout beside it.

    Raises:
        QJobError: If this installation lacks it.
    """
    package = Path(__file__).parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / NAME).is_file():
            return folder / NAME
    raise QJobError(
        f"This installation has no {NAME}; install qjob_widgets again from a wheel or a checkout."
    )


def copy(source: Path, directory: Path) -> Path:
    """Put the notebook into `directory` and return the copy.

    An untouched earlier copy is used again; an edited one is kept, and the new one gets a number.

    Raises:
        InvalidInput: If `directory` cannot be made or written to.
    """
    wanted = source.read_bytes()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            target = directory / (source.name if number == 1 else f"{source.stem}-{number}{source.suffix}")
            if not target.exists():
                target.write_bytes(wanted)
                break
            if target.is_file() and target.read_bytes() == wanted:
                break
    except OSError as error:
        raise InvalidInput(
            f"The notebook cannot be put into {str(directory)!r} ({error.strerror}); "
            "choose another folder with --directory."
        ) from error
    return target


def open_in_lab(source: Path, directory: Path, options: Sequence[str] = ()) -> int:
    """Start JupyterLab on a copy of the notebook and wait until it ends; returns its exit status.

    The kernel is this interpreter, whatever other kernels this user has installed.

    Raises:
        QJobError: If JupyterLab is not installed here.
    """
    require("jupyterlab")
    target = copy(source, directory)
    # In a container everybody is root, which JupyterLab refuses unless told.
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [sys.executable, "-m", "jupyterlab", str(target.resolve()), *root, *options]
    print(f"Opening {target} in JupyterLab; end it with Ctrl-C.", flush=True)
    with own_kernel():
        process = subprocess.Popen(command)
        # Ctrl-C reaches JupyterLab too, which asks before it ends; this command ends when it has.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)


def execute(source: Path, page: Path) -> int:
    """Run the notebook in a kernel of this interpreter and write what it shows as an HTML page.

    Returns 0 when every cell ran without an error. At the first error the page is written with what there
    is, one sentence goes to stderr, and 1 is returned.

    Raises:
        InvalidInput: If `page` cannot be written.
        QJobError: If nbconvert is not installed here.
    """
    require("nbconvert", "ipykernel")
    if not page.parent.is_dir() or page.is_dir():
        raise InvalidInput(f"The page {str(page)!r} cannot be written; name a file in a folder that exists.")
    import nbformat
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter
    from nbconvert.preprocessors import ExecutePreprocessor

    document = nbformat.read(source, as_version=4)
    # Without the widgets' state the page shows their last table as plain HTML; with it, it would load scripts
    # from the internet to draw them.
    runner = ExecutePreprocessor(timeout=CELL_SECONDS, kernel_name=KERNEL, store_widget_state=False)
    failure = None
    with own_kernel(), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        try:
            runner.preprocess(document, {"metadata": {"path": work}})
        # What can end a run has no common base: a cell's error, a timeout, a dead kernel.
        except Exception as error:
            failure = error
    exporter = HTMLExporter(extra_loaders=[DictLoader({"page.html.j2": PAGE})], template_file="page.html.j2")
    text, _ = exporter.from_notebook_node(document, {"metadata": {"name": source.stem}})
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"The page {str(page)!r} cannot be written: {error.strerror}.") from error
    if failure is None:
        print(f"Every cell ran; the page is {page}.")
        return 0
    print(f"qjob-widgets: {reason(failure)}; {page} shows the notebook up to there.", file=sys.stderr)
    return 1


def reason(failure: Exception) -> str:
    """One line about why the notebook stopped."""
    name, value = getattr(failure, "ename", type(failure).__name__), getattr(failure, "evalue", str(failure))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", value)
    first = next((line.strip() for line in plain.splitlines() if line.strip()), "no message")
    return f"the notebook stopped: {name}: {first.rstrip('.;')}"


def require(*modules: str) -> None:
    """Check that the demo's packages are here.

    Raises:
        QJobError: If one is missing, with the line to type.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise QJobError(
            f"The demo needs {' and '.join(missing)}, which {sys.executable} does not have: "
            f'run {sys.executable} -m pip install "qjob-widgets[demo]".'
        )


@contextmanager
def own_kernel() -> Iterator[None]:
    """While it lasts, the kernel `python3` is this interpreter, for this process and those it starts.

    Without it a `python3` that this user once installed for another environment could come first.
    """
    specification = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    before = os.environ.get("JUPYTER_PATH")
    with tempfile.TemporaryDirectory(prefix="qjob_widgets-", ignore_cleanup_errors=True) as folder:
        target = Path(folder) / "kernels" / KERNEL
        target.mkdir(parents=True)
        (target / "kernel.json").write_text(json.dumps(specification), encoding="utf-8")
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [folder, before]))
        try:
            yield
        finally:
            os.environ.pop("JUPYTER_PATH")
            if before is not None:
                os.environ["JUPYTER_PATH"] = before
