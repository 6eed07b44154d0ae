"""The worker: one thread that does what clicks ask for, so that no handler waits for the network."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

IDLE_SECONDS = 30.0


class Worker:
    """Does pieces of work one after another on a thread that ends when there is none for a while."""

    def __init__(self, name: str, idle: float = IDLE_SECONDS) -> None:
        self._name = name
        self._idle = idle
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._owner = os.getpid()

    def put(self, work: Callable[[], None]) -> None:
        """Have `work` done; returns at once."""
        with self._lock:
            self._work.put(work)
            if self._thread is None and os.getpid() == self._owner:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=self._idle)
            except queue.Empty:
                with self._lock:
                    if self._work.empty():
                        self._thread = None
                        return
                continue
            try:
                work()
            except Exception:
                logger.exception("A command failed unexpectedly.")
