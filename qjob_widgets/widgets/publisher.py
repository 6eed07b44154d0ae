"""The publisher: one thread that writes the traits of all panels of this process.

A panel that has news gets a turn, while they go on one every `GAP` seconds, and while it is open one
every `BEAT` seconds, so that the browser knows that the kernel is alive. One whose turns are long gets them
more rarely, so that it takes a small part of a processor; and so do many panels that change at the same time,
so that a page can be scrolled meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from itertools import starmap
from typing import Protocol

from qjob_widgets.monitor.bell import Bell

logger = logging.getLogger(__name__)

INTERVAL = 0.25
"""Seconds after which news come while all goes on."""
GAP = 0.24
"""Seconds from one turn to the next: a little less, so that a panel which had a turn in between is soon in
step again with news that come every `INTERVAL`, rather than waking up a second time for each."""
BEAT = 5.0
TURNS = 20
"""How many turns a second all panels share,"""
SHARED = 1.0
"""though none waits longer than these seconds for others to have theirs."""
REST = 50.0
"""How often what its turns take goes by from one to the next"""
SELDOM = 1.0
"""but not, for that, more seconds than these"""
ROOM = 5.0
"""unless a turn takes so long that it has to leave room for others: so often what it took goes by then."""


class Published(Protocol):
    """What the publisher writes."""

    @property
    def wants_heartbeat(self) -> bool:
        """Whether the browser must be told that the kernel is alive."""

    def publish(self) -> None:
        """Write the traits."""


@dataclass
class _Turns:
    """Those of one panel."""

    last: float
    """When it had one, or came."""
    wanted: float = float("inf")
    """When there will be something to tell."""
    free: float = float("-inf")
    """When it may have one for that."""


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
        # Again on the same thread: a panel that is thrown away there at any moment is forgotten.
        self._lock = threading.RLock()
        self._turns: weakref.WeakKeyDictionary[Published, _Turns] = weakref.WeakKeyDictionary()
        self._bell = Bell()
        self._thread: threading.Thread | None = None
        self._owner = os.getpid()

    def tell(self, panel: Published, after: float = 0.0) -> None:
        """`panel` has news, or will have `after` so many seconds. Returns at once; from any thread."""
        now = self._clock()
        wanted = now + after if after > 0 else float("-inf")
        with self._lock:
            turns = self._turns.setdefault(panel, _Turns(now))
            if turns.wanted <= wanted:  # its turn is still to come
                return
            turns.wanted = wanted
            if self._threaded and self._thread is None and os.getpid() == self._owner:
                self._thread = threading.Thread(target=self._run, name="qjob-publisher", daemon=True)
                self._thread.start()
            if threading.current_thread() is not self._thread:  # which looks by itself, once it is through
                self._bell.ring()

    def forget(self, panel: Published) -> None:
        """Give `panel` no more turns."""
        with self._lock:
            self._turns.pop(panel, None)

    def step(self) -> float | None:
        """Publish what is due; the seconds until more is, or None when nothing will be."""
        panels, began = self._panels(), self._clock()
        lively = sum(began - turns.last < 2 * SHARED for _, turns in panels)
        interval = min(SHARED, max(GAP, lively / TURNS))
        for panel, turns in panels:
            now = self._clock()
            if _due(panel, turns) <= now:
                self._publish(panel, turns, now, interval)
        soonest = min(starmap(_due, self._panels()), default=float("inf"))
        return None if soonest == float("inf") else max(0.0, soonest - self._clock())

    def _panels(self) -> list[tuple[Published, _Turns]]:
        # What is asked of a panel may take locks of its own, and so comes after this one.
        with self._lock:
            return list(self._turns.items())

    def _publish(self, panel: Published, turns: _Turns, now: float, interval: float) -> None:
        """Give `panel` its turn."""
        with self._lock:
            turns.wanted, turns.last = float("inf"), now
        began = self._spent()
        try:
            panel.publish()
        except Exception:
            # A front end that is gone, or a kernel that cannot send from a thread, ends nothing else.
            logger.debug("A panel could not be published.", exc_info=True)
        took = self._spent() - began
        gap = max(interval, min(SELDOM, REST * took), ROOM * took)
        with self._lock:
            # One turn that was not taken is kept, so that news that come at this very rate are told at once.
            turns.free = max(turns.free, now - GAP) + gap

    def _run(self) -> None:
        while True:
            self._bell.hush()
            rest = self.step()
            if rest is None:
                with self._lock:
                    if all(turns.wanted == float("inf") for turns in self._turns.values()):
                        self._thread = None
                        return
                continue
            self._bell.wait(rest)


def _due(panel: Published, turns: _Turns) -> float:
    beat = turns.last + BEAT if panel.wants_heartbeat else float("inf")
    return min(beat, max(turns.free, turns.wanted))


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
