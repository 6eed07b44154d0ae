"""Starts, owns and ends the service's process. Imports no qiskit and no server."""

from __future__ import annotations

import os
import sys
import threading
import warnings
import weakref
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from qjob_widgets.errors import QJobError
from qjob_widgets.local.jobs.pruning import Old
from qjob_widgets.local.limits import Limits
from qjob_widgets.local.owner import control
from qjob_widgets.local.owner.joining import Joined, open_path
from qjob_widgets.local.owner.launch import Started, start
from qjob_widgets.local.owner.ownership import Address
from qjob_widgets.local.settings import DEFAULT_BACKENDS, settings
from qjob_widgets.rest.paths import ROOT


class ServiceProcess:
    """A job service on this machine, in a process of its own.

    It is started by `start()` or `with`, and ends with `close()`, with the last reference to this object, or
    with this process, however that ends. Without a path its jobs are then gone; with one, they stay: closed,
    the service leaves what is queued for its next start; left alone, it finishes its queue first.

    All that open the same path, in whatever process, share one service. It ends when the last of them has let
    go. Started again, it has the same token, and the same port if that is free.

    Args:
        path: Folder for jobs that shall outlive the service; made if it is not there.
        backends: "simulator", and names of snapshots that qiskit-ibm-runtime packages, such as "manila".
            Their names in the service begin with `local_`.
        workers: How many jobs can run at the same time. Default: one a core, at least 2, at most 4.
        noise: Devices among `backends` that are simulated with the noise of their snapshots; True for all.
        dask: Address of a Dask cluster, such as "tcp://host:8786", to run the jobs on, as many at a time as
            it has threads, or `workers`. There are no interim results.
        executor: "package.module:factory" of a `concurrent.futures.Executor` to run the jobs on, `workers` at
            a time. There are no interim results, and what runs in another process is not ended when it is
            cancelled, only waited for no more.
        memory: Bytes of memory that one job may take, where the system keeps such a limit (Linux). Default:
            four fifths of the machine's.
        limits: What one user may ask of it: "hosted" for the limits of the hosted service, or `Limits` or a
            dict of its fields, such as {"pending_jobs": 3}. Default: none.

    Raises:
        InvalidInput: If one of these cannot be.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        backends: Sequence[str] = DEFAULT_BACKENDS,
        workers: int | None = None,
        noise: bool | Sequence[str] = False,
        dask: str | None = None,
        executor: str | None = None,
        memory: int | None = None,
        limits: Limits | Mapping[str, Any] | str | None = None,
    ) -> None:
        self._settings = settings(
            backends, noise, workers=workers, dask=dask, executor=executor, memory=memory, limits=limits
        )
        self._path = None if path is None else Path(path).expanduser().resolve()
        self._owner = 0
        self._running: Started | Joined | None = None
        self._finalizer: weakref.finalize[Any, ServiceProcess] | None = None
        self._starting = threading.Lock()
        _services.add(self)

    def start(self) -> None:
        """Start the service, or find the one of its path, and wait until it answers; nothing if it runs.

        Raises:
            QJobError: If it could not be started; the message holds the end of its log.
        """
        with self._starting:
            if self.alive:
                return
            self._end()
            missing = ""
            if self._path is None:
                self._running = start(None, self._settings)
            else:
                self._running, missing = open_path(self._path, self._settings)
            self._owner = os.getpid()
            self._finalizer = weakref.finalize(self, _let_go, self._running, self._owner)
        if missing:
            warnings.warn(
                f"The local service of {str(self._path)!r} runs already, with {missing}; close it wherever it"
                " is open to start it otherwise.",
                stacklevel=_outside(),
            )

    def close(self) -> None:
        """Let go of the service, at once and within seconds; nothing if it does not run.

        It ends, with its workers, unless others share it.
        """
        with self._starting:
            if self._running is not None and self._owner == os.getpid():
                self._end()

    @property
    def alive(self) -> bool:
        """Whether the service's process is there, and ours. Asks the operating system only."""
        return self._running is not None and self._owner == os.getpid() and self._running.alive

    @property
    def url(self) -> str:
        """The root, `http://127.0.0.1:PORT`."""
        return self._address.url

    @property
    def api_url(self) -> str:
        """The root of the REST API."""
        return self.url + ROOT

    @property
    def token(self) -> str:
        """What the service wants in `Authorization: apikey <token>`."""
        return self._address.token

    @property
    def crn(self) -> str:
        """The name of its instance."""
        return self._address.crn

    @property
    def pid(self) -> int:
        """Process id of the service."""
        return self._address.pid

    def environ(self) -> dict[str, str]:
        """Environment variables that point the unmodified `QiskitRuntimeService()` at this service."""
        return environment(self._address)

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

    def prune(self, *, older_than: timedelta | None = None, keep: int | None = None) -> int:
        """Forget old jobs that have ended; with both arguments, those that both of them name.

        The sub-jobs of a composite go together: none, as long as one of them has to stay.

        Args:
            older_than: What ended longer ago than that.
            keep: All but the latest so many that have ended.

        Returns:
            How many jobs are gone.

        Raises:
            InvalidInput: If neither is given, or one of them cannot be.
        """
        return int(self._ask("POST", "/prune", Old.given(older_than, keep).facts())["removed"])

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _started(self) -> Started | Joined:
        if self._running is None:
            raise QJobError("The local service is not running; call start() or use it in a `with` block.")
        return self._running

    @property
    def _address(self) -> Address:
        return self._started.address

    def _ask(self, method: str, path: str, value: object = None) -> Any:
        return control.ask(self.url, self.token, method, path, value)

    def _end(self) -> None:
        if self._finalizer is not None:
            self._finalizer.detach()
            self._finalizer = None
        if self._running is not None:
            self._running.close()
            self._running = None


def environment(address: Address) -> dict[str, str]:
    """Environment variables that point the unmodified `QiskitRuntimeService()` at a service."""
    url, local = address.url, "127.0.0.1,localhost"
    names = ["NO_PROXY"] + ["no_proxy"] * ("no_proxy" in os.environ)
    proxies = {name: ",".join(filter(None, (os.environ.get(name), local))) for name in names}
    return {
        "IAM_URL": url,
        "GLOBAL_SEARCH_URL": url,
        "GLOBAL_CATALOG_URL": f"{url}/catalog",
        "QISKIT_IBM_TOKEN": address.token,
        "QISKIT_IBM_URL": f"{url}/experimental",
        "QISKIT_IBM_INSTANCE": address.crn,
        **proxies,
    }


def _let_go(running: Started | Joined, owner: int) -> None:
    if owner == os.getpid():
        running.let_go()


def _outside() -> int:
    """How many calls up the first one is that this package did not make: whom a warning is for."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("qjob_widgets."):
        frame, level = frame.f_back, level + 1
    return level


def _disown_in_child() -> None:
    """In a forked child: its copies of pipes and connections would keep a service alive."""
    for service in list(_services):
        if service._running is not None:
            service._running.disown()


_services: weakref.WeakSet[ServiceProcess] = weakref.WeakSet()
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_disown_in_child)
