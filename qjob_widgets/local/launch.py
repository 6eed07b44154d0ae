"""How the service's process is started, and what it says when it is ready."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qjob_widgets.errors import QJobError

START_SECONDS = 60.0
_LOG_TAIL = 2000


@dataclass(frozen=True)
class Running:
    """A service that runs. `owner` is the id of the process that started it."""

    process: subprocess.Popen[bytes]
    folder: Path
    durable: bool
    port: int
    token: str
    crn: str
    owner: int


def start(path: Path | None, backends: Sequence[str], workers: int) -> Running:
    """Start a service and wait until it answers.

    Raises:
        QJobError: If it ends, or is not ready within a minute.
    """
    folder = path or Path(tempfile.mkdtemp(prefix="qjob_widgets-"))
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "qjob_widgets.local", "--folder", str(folder)]
    command += ["--durable"] * (path is not None) + ["--workers", str(workers), "--backends", *backends]
    with (folder / "service.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,  # -m would put the caller's folder, with whatever modules it has, first
            env=_environment(),
            **_detached(),
        )
    facts = _first_word(process)
    if "port" not in facts:
        message = _failure(facts, process, folder / "service.log")
        if path is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise QJobError(message)
    return Running(process, folder, path is not None, owner=os.getpid(), **facts)


def _first_word(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the service says once it is ready, or cannot be; empty if it said nothing in time."""
    assert process.stdout is not None
    assert process.stdin is not None
    patience = threading.Timer(START_SECONDS, process.kill)
    patience.start()
    try:
        line = process.stdout.readline()
        facts: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
    except ValueError:
        facts = {}
    finally:
        patience.cancel()
    if "port" not in facts:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()
    return facts


def _failure(facts: dict[str, Any], process: subprocess.Popen[bytes], log: Path) -> str:
    if "error" in facts:
        return str(facts["error"])
    tail = log.read_text("utf-8", "replace")[-_LOG_TAIL:].strip()
    return (
        f"The local service could not be started (exit code {process.returncode}); install its packages with"
        f" `pip install 'qjob-widgets[local]'`, or see the end of its log:\n{tail}"
    )


def _environment() -> dict[str, str]:
    """This process's environment, with the place that this package was imported from."""
    root = Path(__file__).resolve().parents[2]
    environment = dict(os.environ)
    if str(root) != sysconfig.get_path("purelib"):
        others = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
        environment["PYTHONPATH"] = os.pathsep.join([str(root), *map(os.path.abspath, others)])
    return environment


def _detached() -> dict[str, Any]:
    """The interrupt key ends a computation in this process, not the service."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
