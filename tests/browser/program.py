"""A web server in a process of its own, for the length of a `with`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path


class Program:
    """A running server; use it with `with`, or `start()` and `stop()`.

    Args:
        name: What it is called in messages.
        home: An existing folder for its log; it runs there.
        port: Where it listens, on the loopback address.
        command: What is run.
        environment: Its whole environment.
        ready: The path that answers when it is ready.
    """

    def __init__(
        self,
        name: str,
        home: Path,
        port: int,
        command: list[str],
        environment: Mapping[str, str],
        ready: str = "/",
    ) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self._home = home
        self._command = command
        self._environment = environment
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Program:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, seconds: float = 60) -> Program:
        """Start and wait until it answers.

        Raises:
            RuntimeError: If it does not answer in `seconds`, with the end of its log.
        """
        log = self._home / "server.log"
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._home,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + seconds
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                log_end = log.read_text(encoding="utf-8", errors="replace")[-4000:]
                raise RuntimeError(f"{self.name} did not start:\n{log_end}")
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        """Ask it to end; end it by force, and what it started, if it does not in 15 seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            self._ask_to_end(process)
            process.wait(15)
        except (OSError, subprocess.TimeoutExpired):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _ask_to_end(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()

    def _answers(self) -> bool:
        try:
            ask(self.url + self._ready)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True


def ask(url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> None:
    """One request, whatever proxy there is.

    Raises:
        OSError: If there is no answer, or none that is good.
    """
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}))
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5):
        pass


def free_port() -> int:
    """A port of the loopback address that nobody uses at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def environment(home: Path, kernels: Iterable[str] = ()) -> dict[str, str]:
    """This process's environment, but everything that a front end reads or writes stands below `home`."""
    own = ("JUPYTER", "IPYTHON", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    scripts = str(Path(sys.executable).parent)
    return kept | {
        "HOME": str(home),
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_PATH": os.pathsep.join(kernels),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
