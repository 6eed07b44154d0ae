"""Several ipykernels in one environment.

An overlay is a folder that holds nothing but one ipykernel; a kernel whose PYTHONPATH begins with it runs
that version on top of everything else that is installed here. Overlays are fetched once per user and kept.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.lock import cache, exclusive

VERSIONS = {"ipykernel-7.4": "7.4.0", "ipykernel-7.3": "7.3.0", "ipykernel-6.31": "6.31.0"}
"""Kernel name → the ipykernel that it runs. Newest first; those that this Python can have."""
if sys.version_info < (3, 11):
    del VERSIONS["ipykernel-7.4"]


def overlay(version: str) -> Path:
    """The folder with this ipykernel, fetched by pip if it is not there.

    Raises:
        RuntimeError: If pip fails, with what it said.
    """
    folder = cache() / f"ipykernel-{version}"
    with exclusive(f"ipykernel-{version}"):
        if not folder.is_dir():
            unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=cache()))
            try:
                _install(f"ipykernel=={version}", unfinished)
                unfinished.replace(folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _install(requirement: str, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    done = subprocess.run([*pip, requirement], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pip could not fetch {requirement} for the kernel tests:\n{done.stderr[-2000:]}")


def write_kernels(folder: Path, names: Iterable[str] = ("python3", *VERSIONS)) -> Path:
    """Write a kernel specification for each name below `folder`, which may then stand in JUPYTER_PATH.

    All of them run this interpreter; `python3` runs its own ipykernel. Returns `folder`.
    """
    for name in names:
        added = [str(overlay(VERSIONS[name]))] if name in VERSIONS else []
        inherited = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
        specification = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "env": {"PYTHONPATH": os.pathsep.join(added + inherited)},
        }
        target = folder / "kernels" / name
        target.mkdir(parents=True, exist_ok=True)
        (target / "kernel.json").write_text(json.dumps(specification), encoding="utf-8")
    return folder
