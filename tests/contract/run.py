"""Runs scenarios with one client, in one process, against one service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import qjob_widgets as qj
from tests.contract.scenarios import NEWEST, OLDEST, OURS
from tests.overlays import overlays, python_path

RUNTIMES = {NEWEST: "0.51.0", OLDEST: "0.49.0"}
"""The versions of `qiskit-ibm-runtime` that are pinned here; ours uses the installed one."""
BACKENDS = ("simulator", "manila", "fez", "fractional")


class Runner:
    """A process with a client.

    Args:
        client: Which one.
        environment: Variables that point it at the service.
        folder: Home of its user; its log goes there too.
    """

    def __init__(self, client: str, environment: dict[str, str], folder: Path) -> None:
        pinned = RUNTIMES.get(client)
        added = overlays("qiskit-ibm-runtime", pinned) if pinned else []
        home = dict.fromkeys(("HOME", "USERPROFILE"), str(folder))
        self._log = folder / "driver.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.contract.driver", "theirs" if pinned else OURS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=Path(__file__).parents[2],
                env={**os.environ, **environment, **home, "PYTHONPATH": python_path(added)},
            )
        version = self._answer()["version"]
        assert pinned in (None, version)

    def facts(self, scenario: str) -> dict[str, Any]:
        """What a scenario tells.

        Raises:
            AssertionError: If it ends with an error.
        """
        assert self._process.stdin is not None
        print(scenario, file=self._process.stdin, flush=True)
        answer = self._answer()
        assert "facts" in answer, answer["error"]
        return dict(answer["facts"])

    def close(self) -> None:
        """End the process, which only waits for the next scenario."""
        try:
            self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the driver ended:\n{self._log.read_text(errors='replace')[-5000:]}"
        return dict(json.loads(line))


@contextmanager
def runner(client: str, folder: Path) -> Iterator[Runner]:
    """A client with a service of its own."""
    with qj.LocalService(backends=BACKENDS, workers=2) as service:
        running = Runner(client, service.environ(), folder)
        try:
            yield running
        finally:
            running.close()
