"""`qjob-widgets demo`, run as users run it: another process, real kernels, a small notebook of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qjob_widgets import cli, demo
from qjob_widgets.errors import InvalidInput, QJobError


def write_notebook(folder: Path, *cells: str) -> Path:
    path = folder / demo.NAME
    document = {
        "cells": [
            {"cell_type": "code", "id": f"c{number}", "metadata": {}, "source": source}
            | {"execution_count": None, "outputs": []}
            for number, source in enumerate(cells)
        ],
        # A kernel that nobody has: the demo's own is used whatever the notebook names.
        "metadata": {"kernelspec": {"name": "elsewhere", "display_name": "Elsewhere", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that makes the given cells the demo's notebook."""

    def make(*cells: str) -> Path:
        source = write_notebook(tmp_path, *cells)
        monkeypatch.setattr(demo, "notebook", lambda: source)
        return source

    return make


def test_a_good_notebook_becomes_a_page(use, tmp_path, capsys):
    use("import sys, pathlib; print('interpreter', sys.executable)", "6 * 7")
    page = tmp_path / "out.html"
    assert cli.main(["demo", "--execute", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert f"interpreter {sys.executable}" in text
    assert ">42<" in text.replace("\n", "")
    assert re.findall(r"""(?:src=|import\(|url\()["']?https?://""", text) == []
    assert str(page) in capsys.readouterr().out


def test_a_failing_cell_fails_the_command_and_still_gives_the_page(use, tmp_path, capsys):
    use("print('before ' + 'it')", "assert 1 == 2, 'one job did not end'", "print('never ' + 'seen')")
    page = tmp_path / "out.html"
    assert cli.main(["demo", "--execute", str(page)]) == 1
    text = page.read_text(encoding="utf-8")
    assert "before it" in text
    assert "one job did not end" in text
    assert "never seen" not in text
    [line] = capsys.readouterr().err.splitlines()
    assert "AssertionError: one job did not end" in line
    assert str(page) in line


def test_a_dead_kernel_fails_the_command(use, tmp_path, capsys):
    use("print('alive')", "import os; os._exit(1)")
    assert cli.main(["demo", "--execute", str(tmp_path / "out.html")]) == 1
    assert "kernel" in capsys.readouterr().err.lower()


def test_a_page_that_cannot_be_written_is_refused_before_anything_runs(use, tmp_path, capsys):
    use(f"open({str(tmp_path / 'ran')!r}, 'w')")
    page = tmp_path / "no" / "out.html"
    assert cli.main(["demo", "--execute", str(page)]) == 1
    assert str(page) in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()


def test_the_environment_is_as_before_a_run(monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "mine")
    with demo.own_kernel():
        assert os.environ["JUPYTER_PATH"].endswith(os.pathsep + "mine")
    assert os.environ["JUPYTER_PATH"] == "mine"
    monkeypatch.delenv("JUPYTER_PATH")
    with demo.own_kernel():
        assert Path(os.environ["JUPYTER_PATH"], "kernels", "python3", "kernel.json").is_file()
    assert "JUPYTER_PATH" not in os.environ


def test_an_untouched_copy_is_used_again_and_an_edited_one_kept(tmp_path):
    source = write_notebook(tmp_path, "1")
    folder = tmp_path / "deep" / "demo"
    first = demo.copy(source, folder)
    assert first == folder / demo.NAME
    assert demo.copy(source, folder) == first
    first.write_text("edited", encoding="utf-8")
    second = demo.copy(source, folder)
    assert second.name == "01_first_panel-2.ipynb"
    assert second.read_bytes() == source.read_bytes()
    assert demo.copy(source, folder) == second
    assert first.read_text(encoding="utf-8") == "edited"


def test_a_folder_that_is_a_file_is_named(tmp_path):
    source = write_notebook(tmp_path, "1")
    with pytest.raises(InvalidInput, match=r"--directory"):
        demo.copy(source, source)


def test_jupyterlab_opens_the_copy_with_this_interpreter(use, tmp_path, capfd):
    use("1")
    # A question that JupyterLab answers and ends: which options it was given.
    status = cli.main(
        ["demo", "--directory", str(tmp_path / "demo"), "--", "--no-browser", "--show-config-json"]
    )
    assert status == 0
    said = capfd.readouterr().out
    config = json.loads(said[said.index("{") :])
    assert config["ServerApp"]["open_browser"] is False
    assert (tmp_path / "demo" / demo.NAME).is_file()


def test_without_jupyterlab_the_line_to_type_is_given(use, tmp_path, monkeypatch, capsys):
    use("1")
    real = demo.find_spec
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "jupyterlab" else real(name))
    assert cli.main(["demo", "--directory", str(tmp_path / "demo")]) == 1
    assert 'pip install "qjob-widgets[demo]"' in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


def test_a_package_without_its_notebook_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "qjob_widgets" / "demo.py"))
    with pytest.raises(QJobError, match=demo.NAME):
        demo.notebook()


def test_the_notebook_of_this_checkout_is_found():
    assert demo.notebook().name == demo.NAME


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["demo", "--execute"],
        ["demo", "--directory", "a", "--execute", "b"],
        ["demo", "--execute", "b", "--", "--no-browser"],
    ],
)
def test_wrong_usage_ends_with_2(arguments):
    run = subprocess.run(
        [sys.executable, "-m", "qjob_widgets.cli", *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "usage: qjob-widgets" in run.stderr
