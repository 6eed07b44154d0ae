"""Several versions of one package in one environment.

An overlay is a folder that holds nothing but one version of a package; a process whose PYTHONPATH begins with
it runs that version on top of everything else that is installed here. Overlays are fetched once per user and
kept.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from tests.lock import cache, exclusive

VERSIONS = {"ipykernel-7.4": "7.4.0", "ipykernel-7.3": "7.3.0", "ipykernel-6.31": "6.31.0"}
"""Kernel name → the ipykernel that it runs. Newest first; those that this Python can have."""
if sys.version_info < (3, 11):
    del VERSIONS["ipykernel-7.4"]


def overlay(package: str, number: str) -> Path:
    """The folder with this version of a package, fetched by pip if it is not there.

    Raises:
        RuntimeError: If pip fails, with what it said.
    """
    name = f"{package}-{number}"
    folder = cache() / name
    with exclusive(name):
        if not folder.is_dir():
            unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=cache()))
            try:
                _install(f"{package}=={number}", unfinished)
                unfinished.replace(folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def overlays(package: str, number: str) -> list[str]:
    """What PYTHONPATH must begin with for this version: nothing if it is the installed one."""
    return [] if version(package) == number else [str(overlay(package, number))]


def python_path(added: Iterable[str]) -> str:
    """PYTHONPATH that begins with `added`."""
    return os.pathsep.join([*added, *filter(None, [os.environ.get("PYTHONPATH")])])


def _install(requirement: str, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    done = subprocess.run([*pip, requirement], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pip could not fetch {requirement} for the tests:\n{done.stderr[-2000:]}")


def write_kernels(folder: Path, names: Iterable[str] = ("python3", *VERSIONS)) -> Path:
    """Write a kernel specification for each name below `folder`, which may then stand in JUPYTER_PATH.

    All of them run this interpreter; `python3` runs its own ipykernel. Returns `folder`.
    """
    for name in names:
        added = [str(overlay("ipykernel", VERSIONS[name]))] if name in VERSIONS else []
        specification = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "env": {"PYTHONPATH": python_path(added)},
        }
        target = folder / "kernels" / name
        target.mkdir(parents=True, exist_ok=True)
        (target / "kernel.json").write_text(json.dumps(specification), encoding="utf-8")
    return folder
