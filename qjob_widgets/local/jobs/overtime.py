"""The end of sessions whose time is over: what still waits in them does not run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from qjob_widgets.local.jobs.database import Database

_log = logging.getLogger(__name__)
TICK = 0.25
"""Seconds between two looks while a session waits for its first job to begin."""


class Overtime:
    """Sessions that have taken jobs, and when their time is over.

    Args:
        database: Where sessions and jobs are.
        end: Ends what waits in the session of this id.
        clock: Microseconds since 1970.
        sessions: Ids of those that have jobs already.
    """

    def __init__(
        self,
        database: Database,
        end: Callable[[str], None],
        clock: Callable[[], int],
        sessions: Iterable[str] = (),
    ) -> None:
        self._database, self._end, self._clock = database, end, clock
        self._lock, self._arrived = threading.Lock(), threading.Event()
        self._ends: dict[str, int | None] = {}
        self._thread = threading.Thread(target=self._run, name="overtime", daemon=True)
        for session_id in sessions:
            self.watch(session_id)

    def watch(self, session_id: str) -> None:
        """This session has taken a job."""
        with self._lock:
            if session_id in self._ends:
                return
            self._ends[session_id] = None
            if not self._thread.is_alive():
                self._thread.start()
        self._arrived.set()

    def look(self) -> float | None:
        """End what waits in sessions whose time is over; seconds until the next look, None for no need."""
        with self._lock:
            known = dict(self._ends)
        ends = {session_id: end or self._end_of(session_id) for session_id, end in known.items()}
        moment = self._clock()
        over = [session_id for session_id, end in ends.items() if end is not None and end <= moment]
        with self._lock:  # before they end: a job that comes meanwhile lets the session be watched again
            self._ends.update(ends)
            for session_id in over:
                del self._ends[session_id]
            later = list(self._ends.values())
        for session_id in over:
            try:
                self._end(session_id)
            except BaseException:
                self.watch(session_id)
                raise
        rests = [TICK if end is None else (end - moment) / 1e6 for end in later]
        return min(rests, default=None)

    def _end_of(self, session_id: str) -> int | None:
        """Its end, in microseconds since 1970, once its first job has begun."""
        (moment,) = self._database.reader.execute(
            "SELECT min(running) + 1000000 * (SELECT max_ttl FROM sessions WHERE id = session_id)"
            " FROM jobs WHERE session_id = ?",
            (session_id,),
        ).fetchone()
        return None if moment is None else int(moment)

    def _run(self) -> None:
        while True:
            try:
                rest = self.look()
            except Exception:  # such as a full disk: the next look may go well
                _log.exception("A session whose time is over could not be ended")
                rest = TICK
            self._arrived.wait(rest)
            self._arrived.clear()
