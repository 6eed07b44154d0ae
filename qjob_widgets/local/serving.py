"""The service in one process, put together from its parts: lock, jobs, queue, workers, HTTP."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
import uuid
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from qjob_widgets.errors import QJobError
from qjob_widgets.local.backends import PREFIX, Backend, offered
from qjob_widgets.local.jobs.database import FILE, Database
from qjob_widgets.local.jobs.store import Store
from qjob_widgets.local.owner import ownership
from qjob_widgets.local.owner.sharing import Sharers
from qjob_widgets.local.queue.cluster import Cluster
from qjob_widgets.local.queue.engines import Engine
from qjob_widgets.local.queue.futures import Futures, executor_of
from qjob_widgets.local.queue.line import Line
from qjob_widgets.local.queue.scheduler import Scheduler
from qjob_widgets.local.queue.workers import Processes
from qjob_widgets.local.settings import Settings
from qjob_widgets.local.web.allowance import Allowance
from qjob_widgets.local.web.app import application
from qjob_widgets.local.web.cloud import Cloud
from qjob_widgets.local.web.control_routes import Control
from qjob_widgets.local.web.devices import Devices
from qjob_widgets.local.web.faults import Faults
from qjob_widgets.local.web.gate import Gate, Protocol
from qjob_widgets.local.web.routes import Api
from qjob_widgets.local.web.sessions import Sessions
from qjob_widgets.local.web.tokens import Tokens
from qjob_widgets.local.web.workloads import Workloads

LOOPBACK = "127.0.0.1"


class Service:
    """One service, ready to run.

    Args:
        folder: Where its jobs are; locked from now on.
        settings: What it is asked to be.
        durable: Whether its jobs stay when it ends; its token then stays the same, and its port if free.
        host: The address to listen on.
        port: The port to listen on. Default: that of its last life, else any that is free.

    Raises:
        QJobError: If the folder or the port is in use, or there is no such backend.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        durable: bool,
        host: str = LOOPBACK,
        port: int | None = None,
    ) -> None:
        self._folder, self._durable = folder, durable
        with contextlib.ExitStack() as opened:
            opened.enter_context(ownership.lock(folder))
            self._database = opened.enter_context(
                contextlib.closing(Database(folder / FILE, durable=durable))
            )
            last = int(self._database.remembered("port", "0"))
            self._listener = opened.enter_context(_listener(host, port, last))
            self.address = self._settled(host, settings)
            gate = self._built(settings, _names(host))
            self._opened = opened.pop_all()
        self._server = _Server(_config(gate), self.sharers.dismiss)

    def _settled(self, host: str, settings: Settings) -> ownership.Address:
        """Where it answers; what shall be the same in its next life is remembered."""
        port = self._listener.getsockname()[1]
        self._database.remember("port", str(port))
        token = self._database.remembered("token", secrets.token_urlsafe(32))
        crn = self._database.remembered("crn", _new_crn())
        return ownership.Address(_url(host, port), token, crn, os.getpid(), tuple(settings.arguments()))

    def _built(self, settings: Settings, names: Collection[str]) -> Gate:
        """Its parts, put together; what requests pass first."""
        backends = offered(settings.backends, settings.noise)
        self._store = Store(self._database)
        self._store.requeue()
        faults, tokens, crn = Faults(), Tokens(self.address.token), self.address.crn
        self._scheduler = Scheduler(
            self._store,
            Line(self._database),
            _engine(settings),
            # A job may wait for a backend that the last life of this service offered.
            device_of=lambda name: (backends.get(name) or Backend(name.removeprefix(PREFIX))).device,
            backends=backends,
            memory=settings.memory,
        )
        self.sharers = Sharers(os.getpid(), self._is_busy, self._scheduler.release, self.stop)
        control = Control(faults, self._scheduler, self._database)
        devices = Devices(backends, self._store)
        sessions = Sessions(self._database, self._store, self._scheduler, devices)
        workloads = Workloads(self._database, self._store, sessions, crn)
        allowance = Allowance(settings.limits, self._database)
        api = Api(self._store, self._scheduler, devices, faults, sessions, crn, allowance)
        app = application(api, devices, sessions, workloads, Cloud(tokens, crn), control, self.sharers)
        control.gate = gate = Gate(app, tokens, faults, names, settings.limits.payload_bytes)
        return gate

    def run(self, started: Callable[[], None]) -> int:
        """Serve until `stop()` or a signal, then clean up; returns how many jobs have not ended.

        Args:
            started: Called once it answers.
        """

        def begin() -> None:
            ownership.write_address(self._folder, self.address)
            started()
            self._scheduler.start()

        try:
            self._server.run_until_exit(self._listener, begin)
        finally:
            self._scheduler.stop()
            waiting = self._open_jobs()
            self._opened.close()
            if not self._durable:
                shutil.rmtree(self._folder, ignore_errors=True)
        return waiting

    def stop(self) -> None:
        """End `run()`; what is queued stays in the store. From any thread."""
        self._server.should_exit = True

    def _is_busy(self) -> bool:
        return self._durable and self._open_jobs() > 0

    def _open_jobs(self) -> int:
        return self._store.count("Queued") + self._store.count("Running")


class _Server(uvicorn.Server):
    """uvicorn, which says when it answers and when it ends, and lets its process clean up after a signal."""

    def __init__(self, config: uvicorn.Config, ends: Callable[[], None]) -> None:
        super().__init__(config)
        self._ends = ends

    def run_until_exit(self, listener: socket.socket, started: Callable[[], None]) -> None:
        self._begin = started
        self.run(sockets=[listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._begin()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ends()
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn raises a signal again once it has stopped, which would end the process there and then."""
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _engine(settings: Settings) -> Engine:
    """Where jobs run."""
    if settings.dask is not None:
        return Cluster(settings.dask, settings.workers)
    if settings.executor is not None:
        return Futures(executor_of(settings.executor), settings.size)
    return Processes(settings.size)


def _new_crn() -> str:
    return f"crn:v1:bluemix:public:quantum-computing:us-east:a/{uuid.uuid4().hex}:{uuid.uuid4()}::"


def _listener(host: str, wanted: int | None, last: int) -> socket.socket:
    """A socket at the port that is wanted, else at that of the last life, else at any."""
    for port in (last, 0) if wanted is None else (wanted,):
        # With the protocol named asyncio turns Nagle's delay off; without, each answer waits 40 ms.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # connections of the last life may still be ending there
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            listener.close()
            reason = getattr(error, "strerror", None) or error
        else:
            return listener
    raise QJobError(f"Nothing can listen at {host} port {port} ({reason}); choose another host or port.")


def _url(host: str, port: int) -> str:
    """Where this machine reaches a service that listens at `host`."""
    name = {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _names(host: str) -> Collection[str]:
    """What requests may call this machine, beside its addresses and `localhost`."""
    return () if host in (LOOPBACK, "localhost", "::1") else {host, socket.gethostname(), socket.getfqdn()}


def _config(gate: Gate) -> uvicorn.Config:
    return uvicorn.Config(
        gate,
        http=Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=3600,  # a client's next request must not meet a connection that just closed
        timeout_graceful_shutdown=1,
    )
