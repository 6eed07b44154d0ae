"""Starts, owns and ends the service's process. Imports no qiskit and no server."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from types import TracebackType
from typing import Any

from qjob_widgets.errors import InvalidInput, QJobError
from qjob_widgets.local import control, launch
from qjob_widgets.local.backends import offered
from qjob_widgets.local.ownership import STOP
from qjob_widgets.rest.paths import ROOT

CLOSING_SECONDS = 5.0


class ServiceProcess:
    """A job service on this machine, in a process of its own.

    It is started by `start()` or `with`, and ends with `close()`, with the last reference to this object, or
    with this process, however that ends. Without a path its jobs are then gone; with one, they stay: closed,
    the service leaves what is queued for its next start; left alone, it finishes its queue first.

    Args:
        path: Folder for jobs that shall outlive the service; made if it is not there.
        backends: "simulator", and names of snapshots that qiskit-ibm-runtime packages, such as "manila".
            Their names in the service begin with `local_`.
        workers: How many jobs can run at the same time. Default: one a core, at least 2, at most 4.

    Raises:
        InvalidInput: If there is no such backend, or the number of workers is not positive.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        backends: Sequence[str] = ("simulator", "manila"),
        workers: int | None = None,
    ) -> None:
        if isinstance(backends, str) or not backends:
            raise InvalidInput(f"backends={backends!r} must be a list of names, such as ['simulator'].")
        if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 1):
            raise InvalidInput(f"workers={workers!r} must be a whole number from 1.")
        offered(tuple(backends))
        self._path = None if path is None else Path(path).expanduser().resolve()
        self._backends = tuple(backends)
        self._workers = workers or max(2, min(4, os.cpu_count() or 1))
        self._running: launch.Running | None = None
        self._finalizer: weakref.finalize[Any, ServiceProcess] | None = None
        self._starting = threading.Lock()
        _services.add(self)

    def start(self) -> None:
        """Start the service and wait until it answers; nothing if it runs.

        Raises:
            QJobError: If it could not be started; the message holds the end of its log.
        """
        with self._starting:
            if self.alive:
                return
            self._end()
            self._running = launch.start(self._path, self._backends, self._workers)
            self._finalizer = weakref.finalize(self, _let_go, self._running)

    def close(self) -> None:
        """Stop the service and its workers, at once and within seconds; nothing if it does not run."""
        with self._starting:
            if self._running is not None and self._running.owner == os.getpid():
                self._end()

    @property
    def alive(self) -> bool:
        """Whether the service's process is there, and ours. Asks the operating system only."""
        running = self._running
        return running is not None and running.owner == os.getpid() and running.process.poll() is None

    @property
    def url(self) -> str:
        """The root, `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._started.port}"

    @property
    def api_url(self) -> str:
        """The root of the REST API."""
        return self.url + ROOT

    @property
    def token(self) -> str:
        """What the service wants in `Authorization: apikey <token>`."""
        return self._started.token

    @property
    def crn(self) -> str:
        """The name of its instance."""
        return self._started.crn

    @property
    def pid(self) -> int:
        """Process id of the service."""
        return self._started.process.pid

    def environ(self) -> dict[str, str]:
        """Environment variables that point the unmodified `QiskitRuntimeService()` at this service."""
        url, local = self.url, "127.0.0.1,localhost"
        names = ["NO_PROXY"] + ["no_proxy"] * ("no_proxy" in os.environ)
        proxies = {name: ",".join(filter(None, (os.environ.get(name), local))) for name in names}
        return {
            "IAM_URL": url,
            "GLOBAL_SEARCH_URL": url,
            "GLOBAL_CATALOG_URL": f"{url}/catalog",
            "QISKIT_IBM_TOKEN": self.token,
            "QISKIT_IBM_URL": f"{url}/experimental",
            "QISKIT_IBM_INSTANCE": self.crn,
            **proxies,
        }

    @property
    def requests(self) -> list[control.RequestRecord]:
        """The requests it got, oldest first: at least the last 100,000; control requests are not kept."""
        return [control.RequestRecord(*record) for record in self._ask("GET", "/requests")]

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._ask("DELETE", "/requests")

    @property
    def faults(self) -> control.FaultScript:
        """Faults to script."""
        return control.FaultScript(self._ask)

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _started(self) -> launch.Running:
        if self._running is None:
            raise QJobError("The local service is not running; call start() or use it in a `with` block.")
        return self._running

    def _ask(self, method: str, path: str, value: object = None) -> Any:
        return control.ask(self.url, self.token, method, path, value)

    def _end(self) -> None:
        if self._finalizer is not None:
            self._finalizer.detach()
            self._finalizer = None
        if self._running is not None:
            _stop(self._running)
            self._running = None


def _let_go(running: launch.Running) -> None:
    """The owner ends, or has lost its last reference: a durable service may finish its queue."""
    if running.owner != os.getpid():
        return
    if running.durable:
        _close_pipe(running.process)
    else:
        _stop(running)


def _stop(running: launch.Running) -> None:
    process = running.process
    with contextlib.suppress(OSError):
        assert process.stdin is not None
        process.stdin.write(STOP)
    _close_pipe(process)
    try:
        process.wait(CLOSING_SECONDS)
    except TimeoutExpired:
        process.kill()
        process.wait()
    if not running.durable:
        shutil.rmtree(running.folder, ignore_errors=True)


def _close_pipe(process: Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()


def _close_pipes_of_parent() -> None:
    """In a forked child: its copies of the pipes would keep services alive whose owner is gone."""
    for service in list(_services):
        if service._running is not None:
            _close_pipe(service._running.process)


_services: weakref.WeakSet[ServiceProcess] = weakref.WeakSet()
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_close_pipes_of_parent)
