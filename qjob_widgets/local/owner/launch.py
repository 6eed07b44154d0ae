"""How a service is started as a process of its own, and what its owner holds of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from qjob_widgets.errors import ApiError, QJobError, Unreachable
from qjob_widgets.local.owner import control
from qjob_widgets.local.owner.ownership import START_SECONDS, STOP, Address
from qjob_widgets.local.settings import Settings

CLOSING_SECONDS = 5.0
_LOG_TAIL = 2000


class Started:
    """A service that this process has started.

    Args:
        process: The service's.
        folder: Where its jobs are.
        durable: Whether they stay when it ends.
        address: Where it answers.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], folder: Path, durable: bool, address: Address
    ) -> None:
        self.folder, self.durable, self.address = folder, durable, address
        self._process = process

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it, within seconds; one that others share goes on without this process."""
        if self.durable and self.alive and self._is_shared():
            self.disown()
            return
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.write(STOP)
        self.disown()
        try:
            self._process.wait(CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if not self.durable:
            shutil.rmtree(self.folder, ignore_errors=True)

    def let_go(self) -> None:
        """Its owner ends, or has lost its last reference: a durable service may finish its queue."""
        if self.durable:
            self.disown()
        else:
            self.close()

    def disown(self) -> None:
        """Close the pipes, without a word: all that a forked child does with its copies of them."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _is_shared(self) -> bool:
        """Leave; whether others stay."""
        address = self.address
        try:
            path = f"/sharers/{address.pid}"
            answer = control.ask(address.url, address.token, "DELETE", path, seconds=2 * CLOSING_SECONDS)
        except (Unreachable, ApiError):
            return False
        return bool(answer["left"])


def start(path: Path | None, settings: Settings) -> Started:
    """Start a service and wait until it answers.

    Raises:
        QJobError: If it ends, or is not ready within a minute.
    """
    folder = path or Path(tempfile.mkdtemp(prefix="qjob_widgets-"))
    command = [sys.executable, "-m", "qjob_widgets.local", "--folder", str(folder)]
    command += ["--durable"] * (path is not None) + settings.arguments()
    with (folder / "service.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,  # -m would put the caller's folder, with whatever modules it has, first
            env=_environment(settings.executor),
            **_detached(),
        )
    word = _first_word(process)
    try:
        return Started(process, folder, path is not None, Address.read(word))
    except ValueError:
        message = _failure(word, process, folder / "service.log")
    if path is None:
        shutil.rmtree(folder, ignore_errors=True)
    raise QJobError(message)


def _first_word(process: subprocess.Popen[bytes]) -> bytes:
    """What the service says once it is ready, or why it cannot be; empty if it said nothing in time."""
    assert process.stdout is not None
    assert process.stdin is not None
    patience = threading.Timer(START_SECONDS, process.kill)
    patience.start()
    try:
        line: bytes = process.stdout.readline()
    finally:
        patience.cancel()
    if b'"url"' not in line:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()
    return line


def _failure(word: bytes, process: subprocess.Popen[bytes], log: Path) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.loads(word)["error"])
    tail = log.read_text("utf-8", "replace")[-_LOG_TAIL:].strip()
    return (
        f"The local service could not be started (exit code {process.returncode}); install its packages with"
        f" `pip install 'qjob-widgets[local]'`, or see the end of its log:\n{tail}"
    )


def _environment(executor: str | None) -> dict[str, str]:
    """This process's environment, with the places that this package and the executor are imported from."""
    environment = dict(os.environ)
    others = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    places = [str(Path(__file__).resolve().parents[2]), *map(os.path.abspath, others), *_home_of(executor)]
    there = {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")}
    environment["PYTHONPATH"] = os.pathsep.join(place for place in places if place not in there)
    return environment


def _home_of(executor: str | None) -> list[str]:
    """The folder of the module that `package.module:factory` names, such as that of a notebook."""
    package = (executor or "").partition(":")[0].partition(".")[0]
    with contextlib.suppress(ImportError, ValueError):  # the service will say that it is not there
        if (spec := find_spec(package)) and spec.origin and spec.has_location:
            module = Path(spec.origin).resolve()
            return [str(module.parents[1] if spec.submodule_search_locations else module.parent)]
    return []


def _detached() -> dict[str, Any]:
    """The interrupt key ends a computation in this process, not the service."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
