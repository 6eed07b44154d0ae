"""The engine of a Dask cluster. When a worker is lost, Dask itself runs what it had again, elsewhere."""

from __future__ import annotations

import contextlib
import importlib
import logging
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, InvalidStateError
from typing import Any

from qjob_widgets.errors import QJobError
from qjob_widgets.local.queue import remote
from qjob_widgets.local.queue.futures import Futures

_log = logging.getLogger(__name__)
_CONNECTING, _LOOKING = 10.0, 2.0
"""Seconds: how long a cluster may take to answer, and how often it is asked for its size."""


class Cluster(Futures):
    """Runs jobs on a Dask cluster, as many at a time as it has threads.

    Args:
        address: Of its scheduler, such as tcp://host:8786.
        most: How many jobs at most, however large it is.

    Raises:
        QJobError: If it cannot be reached, or `distributed` is not installed.
    """

    def __init__(self, address: str, most: int | None = None) -> None:
        self._address, self._most = address, most
        self._closed = threading.Event()
        self._keys: weakref.WeakKeyDictionary[Future[bytes], str] = weakref.WeakKeyDictionary()
        super().__init__(self._connect, name=f"The Dask cluster at {address}")
        self._size = self._threads()

    @property
    def capacity(self) -> int:
        """How many jobs can run at the same time; none while the cluster does not answer."""
        return self._size if self._client.status == "running" else 0

    def begin(self, changed: Callable[[], None]) -> None:
        """Ask the cluster for its size from now on."""
        threading.Thread(target=self._look, args=(changed,), name="dask", daemon=True).start()

    def submit(self, key: str, job: bytes) -> Future[bytes]:
        """Hand one job to the cluster."""
        future = self._executor.submit(remote.perform, job)
        self._keys[future] = key
        return future

    def end(self, *keys: str) -> None:
        """End jobs, whichever workers have them; Dask itself ends none that runs."""
        self._client.run(remote.end, *keys, on_error="ignore")

    def close(self) -> None:
        """End what runs, and leave the cluster."""
        self._closed.set()
        running = [key for future, key in self._keys.items() if not future.done()]
        super().close()
        with contextlib.suppress(Exception):  # there may be no cluster any more
            self.end(*running)
        self._leave()

    def _connect(self) -> Executor:
        try:
            distributed = importlib.import_module("distributed")
        except ImportError:
            remedy = 'install it with `pip install "qjob_widgets[dask]"`'
            raise QJobError(f"dask={self._address!r} needs the package distributed; {remedy}.") from None
        try:
            self._client: Any = distributed.Client(
                self._address, timeout=_CONNECTING, set_as_default=False, name="qjob_widgets"
            )
        except Exception as error:  # of as many kinds as there are wrong addresses
            reason = str(error) or type(error).__name__
            raise QJobError(
                f"There is no Dask cluster at dask={self._address!r} ({reason}); start one with"
                " `dask scheduler` and `dask worker`, or correct the address."
            ) from error
        executor: Executor = self._client.get_executor(pure=False)
        return executor

    def _threads(self) -> int:
        there: int = sum(self._client.nthreads().values())
        return there if self._most is None else min(there, self._most)

    def _look(self, changed: Callable[[], None]) -> None:
        while not self._closed.wait(_LOOKING):
            before = self.capacity
            try:
                if self._client.status != "running":
                    self._lose("the connection was lost")
                    self._executor = self._connect()
                self._size = self._threads()
            except Exception as error:  # of many kinds, all of which mean that there is none
                _log.error("%s does not answer: %s", self.name, error)
                self._size = 0
                self._lose(str(error))
            if self.capacity != before:
                changed()

    def _lose(self, reason: str) -> None:
        """The cluster is gone, which Dask does not tell those who wait for it."""
        for future in list(self._keys):
            with contextlib.suppress(InvalidStateError):
                future.set_exception(BrokenExecutor(reason))
        self._leave()

    def _leave(self) -> None:
        with contextlib.suppress(Exception):
            self._client.close(timeout=1)
