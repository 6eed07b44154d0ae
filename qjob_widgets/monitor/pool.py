"""A few daemon threads for calls that may take long, or never come back."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, wait
from typing import Any

SIZE = 8
MOST = 64
STUCK_AFTER = 5.0
IDLE_SECONDS = 30.0
GRANTS = 20
"""After a wait in vain nobody waits for so many times as long."""

_Call = tuple["Future[Any]", Callable[[], Any]]


class Pool:
    """Makes calls on at most `size` threads; one that is stuck in a call does not count.

    Args:
        size: Threads that make calls.
        most: Threads in all, stuck ones included; beyond them calls wait.
        stuck_after: Seconds after which a call is taken for stuck and another thread may start.
        idle: Seconds after which a thread without work ends.
    """

    def __init__(
        self,
        size: int = SIZE,
        most: int = MOST,
        stuck_after: float = STUCK_AFTER,
        idle: float = IDLE_SECONDS,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size, self._most, self._stuck_after, self._idle = size, most, stuck_after, idle
        self._clock = clock
        self._calls: deque[_Call] = deque()
        self._changed = threading.Condition()
        self._since: dict[threading.Thread, float | None] = {}
        self._in_vain = float("-inf")

    def put(self, call: Callable[[], Any]) -> Future[Any]:
        """Have `call` made; returns at once."""
        future: Future[Any] = Future()
        with self._changed:
            self._calls.append((future, call))
            self._changed.notify()
        self.tend()
        return future

    def grant(self, calls: Collection[Future[Any]], seconds: float) -> None:
        """Wait for quick answers. After one that was not quick nobody waits for a while, so that hundreds of
        slow jobs, asked one after the other, do not hold up everybody else's turn.
        """
        if self._clock() < self._in_vain:
            return
        if wait(calls, timeout=seconds).not_done:
            self._in_vain = self._clock() + GRANTS * seconds

    def tend(self) -> None:
        """Start a thread for each call that waits, as far as the limits allow; returns at once."""
        with self._changed:
            now = self._clock()
            busy = [since for since in self._since.values() if since is not None]
            stuck = sum(now - since >= self._stuck_after for since in busy)
            threads = len(self._since)
            room = min(self._size + stuck, self._most) - threads
            for _ in range(min(room, len(self._calls) - (threads - len(busy)))):
                thread = threading.Thread(target=self._run, name="qjob-question", daemon=True)
                self._since[thread] = None
                thread.start()

    def _run(self) -> None:
        this = threading.current_thread()
        while (taken := self._next(this)) is not None:
            future, call = taken
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
            del taken, future, call  # nobody's job is kept alive by an idle thread

    def _next(self, this: threading.Thread) -> _Call | None:
        """The next call for this thread; None when there was none for a while."""
        with self._changed:
            self._since[this] = None
            if not self._changed.wait_for(lambda: self._calls, self._idle):
                del self._since[this]
                return None
            self._since[this] = self._clock()
            return self._calls.popleft()


_shared: list[Pool] = []
_shared_lock = threading.Lock()


def shared_pool() -> Pool:
    """The one pool of this process."""
    with _shared_lock:
        if not _shared:
            _shared.append(Pool())
        return _shared[0]


with contextlib.suppress(AttributeError):  # Windows has no fork
    # A forked child has none of the threads.
    os.register_at_fork(after_in_child=_shared.clear)
