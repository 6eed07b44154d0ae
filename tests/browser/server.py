"""A real JupyterLab or Notebook 7 on loopback, with folders and settings of its own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

APPLICATIONS = {
    "lab": ("LabApp", "/lab/workspaces/{page}/tree/"),
    "notebook": ("JupyterNotebookApp", "/notebooks/"),
}

# No pop-up with news, no look-up of releases.
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
SETTINGS = {"apputils-extension/notification": QUIET}


class JupyterServer:
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
        self.url = f"http://127.0.0.1:{free_port()}"
        self._kernels = [str(folder) for folder in kernels]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> JupyterServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def notebook_url(self, name: str) -> str:
        """Where to open a notebook: in a new workspace, or JupyterLab would restore older tabs beside it."""
        folder = APPLICATIONS[self.application][1].format(page=secrets.token_hex(4))
        return f"{self.url}{folder}{name}?token={self.token}"

    def write_notebook(self, name: str, cells: Iterable[str], kernel: str = "python3") -> str:
        """Put a notebook of code cells into the root folder; returns its name."""
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
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(json.dumps(document), encoding="utf-8")
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
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + seconds
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                log_end = self._log.read_text(encoding="utf-8", errors="replace")[-4000:]
                raise RuntimeError(f"jupyter {self.application} did not start:\n{log_end}")
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        """Ask the server to end itself and its kernels; end it by force if it does not in 15 seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            self._request("/api/shutdown", method="POST")
            process.wait(15)
        except (OSError, subprocess.TimeoutExpired):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def _log(self) -> Path:
        return self.home / "server.log"

    def _command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "jupyter", self.application, "--no-browser", "--allow-root"),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.url.rpartition(':')[2]}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.root}",
            # Gives `window.jupyterapp`, by which a page is driven.
            f"--{APPLICATIONS[self.application][0]}.expose_app_in_browser=True",
        ]

    def _environment(self) -> dict[str, str]:
        own = ("JUPYTER", "IPYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        scripts = str(Path(sys.executable).parent)
        return kept | {
            "HOME": str(self.home),
            "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
            "IPYTHONDIR": str(self.home / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTER_PATH": os.pathsep.join(self._kernels),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.home / "workspaces"),
        }

    def _answers(self) -> bool:
        try:
            self._request("/api/status")
        except OSError:
            return False
        return True

    def _request(self, path: str, method: str = "GET") -> None:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5):
            pass


def free_port() -> int:
    """A port of the loopback address that nobody uses at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
