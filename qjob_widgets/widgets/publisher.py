"""The publisher: one thread that writes the traits of all panels of this process.

A panel that has news asks for a turn; it gets one at most every `INTERVAL` seconds, and one every `BEAT`
seconds while it is open, so that the browser knows that the kernel is alive. One of thousands of parts that
change all the time gets its turns a little more rarely, so that it takes a small part of a processor; and so
do many panels that change at the same time, so that a page can be scrolled meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)

INTERVAL = 0.25
BEAT = 5.0
TURNS = 20
"""How many turns a second all panels share,"""
SHARED = 1.0
"""though none waits longer than these seconds for others to have theirs."""
REST = 200.0
"""How often what its turns take goes by from one to the next"""
SELDOM = 1.0
"""but not, for that, more seconds than these"""
ROOM = 4.0
"""unless a turn takes so long that it has to leave room for others: so often what it took goes by then."""


class Published(Protocol):
    """What the publisher writes."""

    @property
    def wants_heartbeat(self) -> bool:
        """Whether the browser must be told that the kernel is alive."""

    def publish(self) -> None:
        """Write the traits."""


class Publisher:
    """Gives panels their turns.

    Args:
        clock: Seconds.
        spent: What tells how long a turn took: by default the clock.
        threaded: Whether it drives itself; otherwise call `step`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] | None = None,
        threaded: bool = True,
    ) -> None:
        self._clock = clock
        self._spent = spent or clock
        self._threaded = threaded
        self._lock = threading.Lock()
        self._last: weakref.WeakKeyDictionary[Published, float] = weakref.WeakKeyDictionary()
        self._news: weakref.WeakSet[Published] = weakref.WeakSet()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._owner = os.getpid()

    def tell(self, panel: Published) -> None:
        """`panel` has news: publish it soon. Returns at once; from any thread."""
        if panel in self._news:  # its turn is still to come
            return
        with self._lock:
            self._last.setdefault(panel, float("-inf"))
            self._news.add(panel)
            if self._threaded and self._thread is None and os.getpid() == self._owner:
                self._thread = threading.Thread(target=self._run, name="qjob-publisher", daemon=True)
                self._thread.start()
        self._wake.set()

    def forget(self, panel: Published) -> None:
        """Give `panel` no more turns."""
        with self._lock:
            self._news.discard(panel)
            self._last.pop(panel, None)

    def step(self) -> float | None:
        """Publish what is due; the seconds until more is, or None when nothing will be."""
        with self._lock:
            panels = list(self._last.items())
        began = self._clock()
        lively = sum(began - last < 2 * SHARED for _, last in panels)
        interval = min(SHARED, max(INTERVAL, lively / TURNS))
        waits = []
        for panel, last in panels:
            now = self._clock()
            wait = self._due(panel, last, interval) - now
            if wait <= 0:
                wait = self._due(panel, self._publish(panel, now), interval) - now
            waits.append(wait)
        soonest = min(waits, default=float("inf"))
        return None if soonest == float("inf") else max(0.0, soonest)

    def _due(self, panel: Published, last: float, interval: float) -> float:
        if panel in self._news:
            return last + interval
        return last + BEAT if panel.wants_heartbeat else float("inf")

    def _publish(self, panel: Published, now: float) -> float:
        """Give `panel` its turn; when that counts as having been."""
        with self._lock:
            self._news.discard(panel)
        began = self._spent()
        try:
            panel.publish()
        except Exception:
            # A front end that is gone, or a kernel that cannot send from a thread, ends nothing else.
            logger.debug("A panel could not be published.", exc_info=True)
        took = self._spent() - began
        been = now + max(0.0, min(SELDOM, REST * took) - INTERVAL, ROOM * took)
        with self._lock:
            if panel in self._last:
                self._last[panel] = been
        return been

    def _run(self) -> None:
        while True:
            self._wake.clear()
            rest = self.step()
            if rest is None:
                with self._lock:
                    if not self._news:
                        self._thread = None
                        return
                continue
            self._wake.wait(rest)


_shared: list[Publisher] = []
_shared_lock = threading.Lock()


def shared_publisher() -> Publisher:
    """The one publisher of this process."""
    with _shared_lock:
        if not _shared:
            # A turn that waits for a busy cell takes no longer for that.
            _shared.append(Publisher(spent=time.thread_time))
        return _shared[0]


with contextlib.suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(after_in_child=_shared.clear)
