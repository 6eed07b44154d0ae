"""Finding the jobs that code in a notebook submits, without their being named. Nothing is patched.

Jobs of this package announce themselves; those of other libraries are new among the notebook's variables; and
connected services list what was created since.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

from qjob_widgets.errors import QJobError
from qjob_widgets.monitor.worker import Worker
from qjob_widgets.patience import Patience

logger = logging.getLogger(__name__)

MOST = 100
"""Jobs of one service that are taken for new."""
DEPTH = 3
"""So deep in lists and dictionaries are jobs looked for."""
ASKED_FOR = 5.0
"""Seconds for which a service that does not answer is asked for new jobs."""
AFTER_CELL = 0.5
"""Seconds that the end of a cell waits for what services say; a table that is there gets it later too."""
_asking: weakref.WeakKeyDictionary[Any, Worker] = weakref.WeakKeyDictionary()
"""Who asks each service: one that is gone must not keep the news of the others."""
CLOCKS = timedelta(seconds=2)
"""How far the clock of a service elsewhere may be behind ours."""


class Gathering:
    """The jobs that one piece of code submits, each told once.

    Args:
        names: The notebook's variables.
        found: Told each job, as soon as it is known.
    """

    def __init__(self, names: Mapping[str, Any], found: Callable[[Any], object]) -> None:
        self._names, self._found = names, found
        self._began = datetime.now(timezone.utc)
        before = list(jobs_among(names.values()))
        self._before = {id(job) for job in before}
        self._known = {_id_of(job) for job in before}
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def take(self, job: Any) -> None:
        """Tell of `job`, unless it has been told."""
        job_id = _id_of(job)
        with self._lock:
            if job_id in self._told:
                return
            self._told.add(job_id)
        self._found(job)

    def skip(self, job: Any) -> None:
        """Do not tell of `job`: somebody else shows it."""
        with self._lock:
            self._told.add(_id_of(job))

    def look_at_names(self) -> None:
        """Take the jobs that are new among the variables."""
        self.look_at(self._names.values())

    def look_at(self, values: Iterable[Any]) -> None:
        """Take the jobs that are new among some values."""
        for job in list(jobs_among(values)):
            if id(job) not in self._before:
                self.take(job)

    def ask(self, services: list[Any], then: Callable[[], object] | None = None) -> threading.Event:
        """Have the services asked what was created since this began; gives what is set when all have been,
        after `then` was called.

        It is done on threads of their own: a service that is gone must keep nobody waiting.
        """
        done, left, lock = threading.Event(), len(services), threading.Lock()

        def work(service: Any) -> None:
            nonlocal left
            try:
                self._ask(service)
            finally:
                with lock:
                    left -= 1
                    last = not left
                if last:
                    end()

        def end() -> None:
            if then is not None:
                then()
            done.set()

        if not services:
            end()
        for service in services:
            _asking.setdefault(service, Worker("qjob-gathering")).put(functools.partial(work, service))
        return done

    def _ask(self, service: Any) -> None:
        began = self._began if service.client.transport.loopback else self._began - CLOCKS
        try:
            with Patience(ASKED_FOR):
                listed = service.jobs(MOST, created_after=began)
        except QJobError as error:
            logger.debug("%s was not asked for new jobs: %s", service, error)
            return
        for job in reversed(listed):
            # A composite of which only parts are new was there before.
            created = [part.created for part in job.snapshot.parts if part.created is not None]
            if job.job_id() not in self._known and min(created, default=began) >= began:
                self.take(job)


def jobs_among(values: Iterable[Any], depth: int = DEPTH) -> Iterator[Any]:
    """The jobs among some values, and in lists, tuples and dictionaries among them."""
    from qjob_widgets.monitor.foreign import is_foreign, is_watchable

    def is_job(value: object) -> bool:
        # Probing runs code of others, and modules have everything.
        with contextlib.suppress(Exception):
            return is_watchable(value) or (is_foreign(value) and bool(_id_of(value)))
        return False

    for value in list(values):
        if isinstance(value, (list, tuple, dict)):
            if depth:
                held = value.values() if isinstance(value, dict) else value
                yield from jobs_among(islice(list(held), MOST), depth - 1)
        elif is_job(value):
            yield value


def _id_of(job: Any) -> str:
    return str(job.job_id())


class Auto:
    """Shows what later cells submit, cell by cell, until it ends.

    Args:
        shell: The IPython shell whose cells count.
        show: Shows the first job of a cell; gives what takes the others, None where nothing more is shown.
    """

    def __init__(self, shell: Any, show: Callable[[Any], Callable[[Any], object] | None]) -> None:
        from qjob_widgets.jobs.submitted import hear

        self._shell, self._show = shell, show
        self._gathering: Gathering | None = None
        self._more: Callable[[Any], object] | None = None
        self._elsewhere: list[Any] = []
        shell.events.register("pre_run_cell", self._before_cell)
        shell.events.register("post_run_cell", self._after_cell)
        self._deaf = hear(self._submitted)

    def end(self) -> None:
        """Look at no more cells."""
        self._deaf()
        self._gathering = None
        self._shell.events.unregister("pre_run_cell", self._before_cell)
        self._shell.events.unregister("post_run_cell", self._after_cell)

    def skip(self, job: Any) -> None:
        """Do not show `job`: somebody else does."""
        if self._gathering is not None:
            self._gathering.skip(job)

    def _before_cell(self, *_: object) -> None:
        self._more = None
        self._gathering = Gathering(self._shell.user_ns, self._found)

    def _submitted(self, job: Any) -> None:
        gathering = self._gathering
        if gathering is not None:
            gathering.take(job)
        else:  # by what an earlier cell left running; it is shown below the next one
            self._elsewhere.append(job)

    def _found(self, job: Any) -> None:
        if self._more is not None:
            self._more(job)
        elif threading.current_thread() is threading.main_thread():
            self._more = self._show(job)
        else:
            # What another thread displays would land below whichever cell ran last.
            self._elsewhere.append(job)

    def _after_cell(self, *_: object) -> None:
        from qjob_widgets.jobs.service import connected_services

        gathering, self._gathering = self._gathering, None
        if gathering is None:
            return
        gathering.look_at_names()
        gathering.ask(connected_services()).wait(AFTER_CELL)
        found, self._elsewhere = self._elsewhere, []
        for job in found:
            self._found(job)
