"""The build hook, and what the built archives hold."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import hatch_build
from tests.imports import ROOT

CHECKOUT = ROOT.parent
IGNORED = shutil.ignore_patterns(".*cache", ".git", ".venv", "__pycache__", "dist", "node_modules", "static")


def touch(file: Path, seconds: float, text: str = "") -> Path:
    """Write a file that was last changed `seconds` after an arbitrary start."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    os.utime(file, (1_700_000_000 + seconds, 1_700_000_000 + seconds))
    return file


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout whose bundle is newer than its sources."""
    touch(tmp_path / "js" / "src" / "deep" / "panel.tsx", 1)
    touch(tmp_path / "js" / "build.mjs", 2)
    touch(tmp_path / "js" / "package-lock.json", 3)
    for name in hatch_build.BUNDLE:
        touch(tmp_path / name, 4)
    return tmp_path


def test_a_bundle_newer_than_its_sources_is_up_to_date(checkout):
    assert hatch_build.up_to_date(checkout)


@pytest.mark.parametrize("missing", hatch_build.BUNDLE)
def test_a_missing_file_makes_it_stale(checkout, missing):
    (checkout / missing).unlink()
    assert not hatch_build.up_to_date(checkout)


@pytest.mark.parametrize(
    "newer", ["js/src/deep/panel.tsx", "js/src/new.css", "js/build.mjs", "js/package-lock.json"]
)
def test_a_newer_source_makes_it_stale(checkout, newer):
    touch(checkout / newer, 5)
    assert not hatch_build.up_to_date(checkout)


def test_one_old_half_makes_it_stale(checkout):
    touch(checkout / hatch_build.BUNDLE[1], 0)
    assert not hatch_build.up_to_date(checkout)


def test_a_source_distribution_is_never_stale_but_for_a_missing_bundle(checkout):
    touch(checkout / "PKG-INFO", 0)
    touch(checkout / "js" / "src" / "deep" / "panel.tsx", 99)
    assert hatch_build.up_to_date(checkout)
    (checkout / hatch_build.BUNDLE[0]).unlink()
    assert not hatch_build.up_to_date(checkout)


def hook(root: Path) -> hatch_build.BundleHook:
    return hatch_build.BundleHook(str(root), {}, None, None, "", "wheel")  # type: ignore[arg-type]


def test_node_is_asked_for_only_when_it_will_run_and_is_not_there(checkout, monkeypatch):
    monkeypatch.setattr(hatch_build, "has_node", lambda: False)
    assert hook(checkout).dependencies() == []
    touch(checkout / "js" / "build.mjs", 5)
    assert hook(checkout).dependencies() == [hatch_build.NODE_PACKAGE]
    monkeypatch.setattr(hatch_build, "has_node", lambda: True)
    assert hook(checkout).dependencies() == []


def test_no_node_on_path_is_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not hatch_build.has_node()


@pytest.mark.parametrize(
    ("answer", "enough"), [("v18.20.1\n", False), ("v20.0.0\n", True), ("v101.2.3\n", True), ("", False)]
)
def test_an_old_node_is_not_taken(answer, enough):
    assert hatch_build.new_enough(answer) is enough


def make(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, npm: int, node: int, writes: bool = True
) -> list[str]:
    """Run `make_bundle` with programs that end with the given statuses; returns their command lines."""
    ran: list[str] = []

    def run_npm(arguments: list[str], folder: Path) -> int:
        ran.append(f"npm {' '.join(arguments[:2])} in {folder.name}")
        return npm

    def run_node(arguments: list[str], folder: Path) -> int:
        ran.append(f"node {' '.join(arguments)} in {folder.name}")
        for name in hatch_build.BUNDLE if writes else ():
            touch(checkout / name, 9)
        return node

    monkeypatch.setattr(hatch_build, "tools", lambda: (run_node, run_npm))
    hatch_build.make_bundle(checkout)
    return ran


def test_the_locked_packages_are_installed_without_scripts_and_the_bundle_built(checkout, monkeypatch):
    assert make(checkout, monkeypatch, 0, 0) == ["npm ci --ignore-scripts in js", "node build.mjs in js"]


def test_packages_that_are_there_are_not_installed_again(checkout, monkeypatch):
    touch(checkout / "js" / "node_modules" / ".package-lock.json", 4)
    assert make(checkout, monkeypatch, 1, 0) == ["node build.mjs in js"]
    touch(checkout / "js" / "package-lock.json", 5)
    with pytest.raises(SystemExit):
        make(checkout, monkeypatch, 1, 0)


@pytest.mark.parametrize(
    ("npm", "node", "writes", "says"),
    [(1, 0, True, "npm ci"), (0, 1, True, "node build.mjs"), (0, 0, False, "panel.js")],
)
def test_a_failed_step_is_one_sentence(checkout, monkeypatch, npm, node, writes, says):
    for name in hatch_build.BUNDLE:
        (checkout / name).unlink()
    with pytest.raises(SystemExit, match=says):
        make(checkout, monkeypatch, npm, node, writes)
    assert not hatch_build.up_to_date(checkout)


def test_a_checkout_without_front_end_says_so(tmp_path):
    with pytest.raises(SystemExit, match=r"build\.mjs"):
        hatch_build.make_bundle(tmp_path)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Source distribution of this checkout, and the wheel built from that distribution, both without Node."""
    copy = tmp_path_factory.mktemp("build") / "checkout"
    shutil.copytree(CHECKOUT, copy, ignore=IGNORED)
    for name in hatch_build.BUNDLE:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("/* a stand-in, newer than its sources */", encoding="utf-8")
    # An empty folder as PATH: if the hook wanted Node, this build without isolation would fail.
    run = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check", str(copy)],
        env={**os.environ, "PATH": str(copy / "nothing")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    [source] = (copy / "dist").glob("*.tar.gz")
    [wheel] = (copy / "dist").glob("*.whl")
    return source, wheel


def test_the_wheel_holds_the_package_the_bundle_and_the_notebook(archives):
    names = zipfile.ZipFile(archives[1]).namelist()
    package = {f"qjob_widgets/{file.relative_to(ROOT).as_posix()}" for file in ROOT.rglob("*.py")}
    assert package <= set(names)
    assert {
        *hatch_build.BUNDLE,
        "qjob_widgets/py.typed",
        "qjob_widgets/notebooks/01_first_panel.ipynb",
    } <= set(names)
    assert [name for name in names if not name.startswith(("qjob_widgets/", "qjob_widgets-"))] == []
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_source_distribution_builds_and_tests_itself(archives):
    with tarfile.open(archives[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {*hatch_build.BUNDLE, "hatch_build.py", "js/build.mjs", "js/package-lock.json"} <= names
    assert {
        "README.md",
        "LICENSE",
        "tests/conftest.py",
        "notebooks/01_first_panel.ipynb",
        "PKG-INFO",
    } <= names
    assert not [name for name in names if "node_modules" in name]


def test_the_wheel_starts_the_command_line(archives):
    metadata = next(
        name for name in zipfile.ZipFile(archives[1]).namelist() if name.endswith("entry_points.txt")
    )
    text = zipfile.ZipFile(archives[1]).read(metadata).decode()
    assert "qjob-widgets = qjob_widgets.cli:main" in text
