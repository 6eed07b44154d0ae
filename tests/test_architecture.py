"""The house: who imports whom, what is public, and that the written and the executed commands agree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import qjob_widgets
from tests.imports import LAYERS, ROOT, imports, layer_of, modules, violations

CHECKOUT = ROOT.parent
ALL = {name: (source, is_package) for name, source, is_package in modules()}


@pytest.mark.parametrize("module", ALL)
def test_a_module_imports_only_what_its_layer_may(module):
    source, is_package = ALL[module]
    assert violations(module, source, is_package) == []


def test_every_layer_has_modules():
    assert {layer_of(module) for module in ALL} == {*LAYERS, "composition"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("status", "import requests"),
        ("status", "from qjob_widgets.rest import paths"),
        ("snapshot", "def f():\n    import numpy"),
        ("rest.wire", "import requests"),
        ("rest.client", "from qjob_widgets.jobs import runtime"),
        ("rest.account", "import qiskit_ibm_runtime"),
        ("monitor.watch", "from ..rest.client import RestClient"),
        (
            "monitor.watch",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from qiskit.providers import Job",
        ),
        ("monitor.watch", "import importlib\nimportlib.import_module('qiskit')"),
        ("jobs.service", "from qjob_widgets.widgets.panel import JobPanel"),
        ("jobs.service", "from qjob_widgets import services"),
        ("jobs.service", "import qjob_widgets"),
        ("jobs.service", "import requests"),
        ("widgets.panel", "from qjob_widgets import rest"),
        ("widgets.panel", "class A:\n    def f(self):\n        from qjob_widgets import JobService"),
        ("local.web.app", "from qjob_widgets.rest import client"),
        ("local.web.app", "from qjob_widgets.monitor.watch import watch"),
        ("local.web.app", "def f():\n    import qiskit_aer"),
        ("local.simulation.runner", "import qiskit_aer"),
        ("local.owner.process", "import qiskit"),
        ("surprise", "import os"),
    ],
)
def test_a_wrong_import_is_found(module, source):
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("status", "from enum import Enum"),
        ("snapshot", "from qjob_widgets import tags\nfrom .status import Status"),
        ("rest.client", "import requests\nfrom qjob_widgets import __version__"),
        ("rest", "from .client import RestClient"),
        ("jobs.backend", "import qiskit\ndef f():\n    from qiskit_ibm_runtime.utils import json"),
        ("local.web.app", "from qjob_widgets.rest.paths import ROOT\nfrom qjob_widgets.rest import paths"),
        ("local.simulation.runner", "def f():\n    import qiskit_aer"),
        ("magic", "from qjob_widgets.local import process\nimport qiskit_aer"),
    ],
)
def test_a_right_import_is_allowed(module, source):
    assert violations(module, source, is_package=module == "rest") == []


def test_relative_imports_are_resolved():
    found = [read.name for read in imports("from . import a\nfrom ..rest.paths import b", "local.app")]
    assert found == ["qjob_widgets.local.a", "qjob_widgets.rest.paths.b"]


def test_public_names_are_sorted_and_all_there():
    names = list(qjob_widgets.__all__)
    assert names == sorted(set(names))
    for name in names:
        assert getattr(qjob_widgets, name) is not None


def test_what_the_package_defines_in_public_is_in_all():
    body = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8")).body
    defined = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert {name for name in defined if not name.startswith("_")} <= set(qjob_widgets.__all__)


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import qjob_widgets", ["qiskit", "anywidget", "requests", "starlette"]),
        ("import qjob_widgets.cli", ["qiskit", "anywidget", "requests", "nbconvert"]),
        ("import qjob_widgets.local.owner.process", ["qiskit", "starlette", "uvicorn", "numpy"]),
        ("import qjob_widgets.magic", ["qiskit", "qiskit_ibm_runtime", "qiskit_aer"]),
    ],
)
def test_what_must_be_quick_imports_nothing_heavy(statement, unwanted):
    code = f"{statement}\nimport sys\nprint(*sorted(set({unwanted!r}) & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_the_changelog_leads_to_this_version():
    headings = re.findall(r"^## \[?([^\]\s]+)\]?", read("CHANGELOG.md"), re.MULTILINE)
    numbered = [heading for heading in headings if heading != "Unreleased"]
    assert headings, "CHANGELOG.md has no heading '## Unreleased' or '## 0.1.0'"
    assert "Unreleased" not in headings[1:], "'Unreleased' stands below a version"
    if headings[0] != "Unreleased":
        assert numbered[0] == version()
    elif numbered:
        assert as_numbers(numbered[0]) <= as_numbers(version())


def test_the_version_is_written_alike_everywhere():
    assert qjob_widgets.__version__ == version()


def test_continuous_integration_runs_the_command_of_the_readme():
    command = 'python -m pip install -e ".[test]" && python -m pytest'
    assert command in [line.strip() for line in read("README.md").splitlines()]
    assert command in [line.strip() for line in read(".ci/run").splitlines()]


def read(name: str) -> str:
    return (CHECKOUT / Path(name)).read_text(encoding="utf-8")


def version() -> str:
    found = re.search(r'^version = "(.+)"$', read("pyproject.toml"), re.MULTILINE)
    assert found is not None
    return found[1]


def as_numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]
