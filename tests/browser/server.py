"""A real JupyterLab or Notebook 7 on loopback, with folders and settings of its own."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.browser.program import Program, ask, environment, free_port

APPLICATIONS = {
    "lab": ("LabApp", "/lab/workspaces/{page}/tree/"),
    "notebook": ("JupyterNotebookApp", "/notebooks/"),
}

# No pop-up with news, no look-up of releases.
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
SETTINGS = {"apputils-extension/notification": QUIET}


class JupyterServer(Program):
    """A running server; use it with `with`, or `start()` and `stop()`.

    Args:
        home: An empty folder for everything the server writes; notebooks stand in `home/root`.
        application: "lab" or "notebook".
        kernels: Folders with kernel specifications (`tests.overlays.write_kernels`).
    """

    def __init__(self, home: Path, application: str = "lab", kernels: Iterable[Path] = ()) -> None:
        self.home = home
        self.root = home / "root"
        self.application = application
        self.token = secrets.token_hex(16)
        port = free_port()
        command = [
            *(sys.executable, "-m", "jupyter", application, "--no-browser", "--allow-root"),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.root}",
            # Gives `window.jupyterapp`, by which a page is driven.
            f"--{APPLICATIONS[application][0]}.expose_app_in_browser=True",
        ]
        around = environment(home, map(str, kernels))
        super().__init__(f"jupyter {application}", home, port, command, around, "/api/status")

    def __enter__(self) -> JupyterServer:
        return self.start()

    def notebook_url(self, name: str) -> str:
        """Where to open a notebook: in a new workspace, or JupyterLab would restore older tabs beside it."""
        folder = APPLICATIONS[self.application][1].format(page=secrets.token_hex(4))
        return f"{self.url}{folder}{name}?token={self.token}"

    def write_notebook(self, name: str, cells: Iterable[str], kernel: str = "python3") -> str:
        """Put a notebook of code cells into the root folder; returns its name."""
        write_notebook(self.root / name, cells, kernel)
        return name

    def read_notebook(self, name: str) -> dict[str, Any]:
        """The notebook as it is on disk now."""
        document: dict[str, Any] = json.loads((self.root / name).read_text(encoding="utf-8"))
        return document

    def start(self, seconds: float = 60) -> JupyterServer:
        """Start and wait until it answers.

        Raises:
            RuntimeError: If it does not answer in `seconds`, with the end of its log.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        for plugin, values in SETTINGS.items():
            file = self.home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values), encoding="utf-8")
        super().start(seconds)
        return self

    def _ask_to_end(self, process: subprocess.Popen[bytes]) -> None:
        # So that it ends its kernels on every system.
        ask(f"{self.url}/api/shutdown", "POST", {"Authorization": f"token {self.token}"})


def write_notebook(file: Path, cells: Iterable[str], kernel: str = "python3") -> None:
    """Write a notebook of code cells."""
    document = {
        "cells": [
            {"cell_type": "code", "id": f"cell-{number}", "source": source, "metadata": {}}
            | {"execution_count": None, "outputs": []}
            for number, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8")
