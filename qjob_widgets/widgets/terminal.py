"""Jobs live in a terminal: the same facts and words as the panel and the table.

On a terminal they are drawn anew while something changes; anywhere else, as in a file or a pipe, each change
is a line. One job is shown with its sub-jobs, several as a table of one row a job.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from qjob_widgets.monitor.foreign import NOT_ASKED, Foreign
from qjob_widgets.monitor.monitor import Monitor, Subscription, shared_monitor
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.status import RERUNNABLE
from qjob_widgets.widgets import words
from qjob_widgets.widgets.facts import facts
from qjob_widgets.widgets.group import GroupMonitor, JobGroup
from qjob_widgets.widgets.shown import shown
from qjob_widgets.widgets.statement import Statement, of_job, of_jobs
from qjob_widgets.widgets.surroundings import Surroundings
from qjob_widgets.widgets.terminal_page import page

logger = logging.getLogger(__name__)

INTERVAL = 0.25
"""Seconds between two drawings, at least."""
BEAT = 1.0
"""Seconds after which the age of the facts is drawn anew."""
EVERY = 15.0
"""Seconds between two questions of a query."""
ANSWER = 10.0
"""Seconds in which jobs that are shown one time shall have answered."""
TICK = 0.1
"""Seconds between two looks whether they have."""

Query = Callable[[], Iterable[Any]]
Pause = Callable[[threading.Event, float], object]


@dataclass(frozen=True)
class Outcome:
    """How the watching ended."""

    well: bool
    """Nothing has failed or was cancelled so far."""
    interrupted: bool = False
    """Ctrl-C has ended it; the jobs go on."""


def watch(
    jobs: Sequence[Watchable | Foreign],
    *,
    query: Query | None = None,
    name: str | None = None,
    every: float = EVERY,
    once: bool = False,
    as_json: bool = False,
    console: Console | None = None,
    monitor: Monitor | None = None,
    pause: Pause = threading.Event.wait,
) -> Outcome:
    """Show jobs until all have ended, or until Ctrl-C, which ends the watching and not the jobs.

    Args:
        jobs: The jobs; those of other libraries too.
        query: Gives jobs that shall be shown too; asked now, and again and again on the monitor's thread.
        name: Title of several jobs; by default their number.
        every: Seconds between two questions of the query.
        once: Show them as they are now, and return; jobs of a query have just been asked for.
        as_json: Write one JSON object a line and job, at each change.
        console: Where; standard output by default.
        monitor: Who watches; the one of this process by default.
        pause: Waits for an event at most so many seconds.
    """
    watched = Watched(jobs, monitor or shared_monitor(), name=name, many=query is not None)
    console, interrupted = console or Console(highlight=False), False
    if query is not None:
        watched.ask(query)
    if not watched.told and not as_json:
        console.print("There is no such job.")
    elif once:
        with watched.asked(pause) if query is None else nullcontext():
            _Once(console, as_json).show(watched)
    else:
        interrupted = _follow(watched, console, as_json, query, every, pause)
    well = all(part.status not in RERUNNABLE for job in watched.told for part in job.parts)
    return Outcome(well, interrupted)


class Watched:
    """The jobs that are shown.

    Args:
        jobs: The first of them.
        monitor: Who watches them.
        name: Title of several.
        many: Whether they are shown as a table though there is only one.
    """

    def __init__(
        self,
        jobs: Iterable[Watchable | Foreign],
        monitor: Monitor,
        *,
        name: str | None = None,
        many: bool = False,
    ) -> None:
        self._group = JobGroup("terminal", name)
        self._face = GroupMonitor(monitor, self._group)
        self._monitor, self._many = monitor, many
        self._surroundings: dict[str, Surroundings] = {}
        for job in jobs:
            self._group.add(job)

    @property
    def told(self) -> tuple[CompositeSnapshot, ...]:
        """What is known of each job."""
        return self._group.told

    @property
    def final(self) -> bool:
        """Whether all have ended."""
        return all(job.final for job in self.told)

    def begin(self, news: threading.Event) -> Subscription:
        """Watch them and set `news` at each change, until what is returned is closed."""
        return self._face.watch(self._group, lambda _: news.set(), each=False)

    @contextmanager
    def asked(self, pause: Pause, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
        """Watch them, and have each asked first; one that does not answer is waited for `ANSWER` seconds."""
        news = threading.Event()
        with self.begin(news):
            until = clock() + ANSWER
            while not self._answered and clock() < until:
                pause(news, TICK)
                news.clear()
            yield

    @property
    def _answered(self) -> bool:
        """Whether each job that can be asked has answered, or has told why it does not."""
        for job in self._group.jobs:
            fresh = self._monitor.freshness(job)
            silent = fresh.asked is None or any(part.word == NOT_ASKED for part in job.snapshot.parts)
            if job.snapshot.asked_about and silent and not fresh.failures:
                return False
        return True

    def ask(self, query: Query) -> None:
        """Add what a query gives and is not there yet."""
        for job in query():
            if self._group.add(job):
                self._face.begin(self._group.jobs[-1])

    def repeat(self, act: Callable[[], float | None]) -> Subscription:
        """Do something again and again on the monitor's thread, until what is returned is closed."""
        return self._monitor.repeat(act)

    def statement(self, most: int | None) -> Statement:
        """What is known of them, with `most` rows."""
        now, jobs = datetime.now(timezone.utc), self._group.jobs
        if self._many or len(jobs) != 1:
            return of_jobs(self._group.snapshot, self.told, at=now, most=most)
        [job] = jobs
        snapshot, rerun = job.snapshot, callable(getattr(job, "rerun_failed", None))
        labels = self.labels(snapshot)
        return of_job(snapshot, at=now, rerun=rerun, labels=labels, most=most, urgent_first=False)

    def labels(self, snapshot: CompositeSnapshot) -> Sequence[str]:
        """Which circuits each part of a job has; empty where none is known."""
        for job in self._group.jobs:
            self._surroundings.setdefault(job.job_id(), Surroundings(job, time.monotonic, lambda: None))
        labels = self._surroundings[snapshot.job_id].labels()
        return labels if len(labels) == len(snapshot.parts) else ()

    def page(self, width: int | None, most: int | None, *, live: bool = False) -> Text:
        """All of it as text, with `most` rows."""
        statement, told = self.statement(most), self.told
        states = [part.status for part in told[0].parts] if len(told) == 1 and not self._many else []
        return page(statement, width=width, states=states, fresh=self._age() if live else self._trouble())

    def _age(self) -> str:
        fresh = self._face.freshness(None)
        if self.final:
            return ""
        age = "no answer yet"
        if fresh.asked is not None:
            seconds = (datetime.now(timezone.utc) - fresh.asked).total_seconds()
            age = f"updated {words.duration(seconds)} ago" if seconds >= 1 else "updated just now"
        return f"{age}, retrying: {shown(fresh.error or '')}" if fresh.failures else age

    def _trouble(self) -> str:
        """Why a job that is shown one time has not answered."""
        fresh = self._face.freshness(None)
        return f"no answer: {shown(fresh.error or '')}" if fresh.failures and not self.final else ""


def _follow(
    watched: Watched, console: Console, as_json: bool, query: Query | None, every: float, pause: Pause
) -> bool:
    """Show them until all have ended; whether Ctrl-C came before."""
    news, never = threading.Event(), threading.Event()
    drawn = console.is_terminal and not console.is_dumb_terminal and not as_json
    screen: _Screen | _Lines = _Screen(console) if drawn else _Lines(console, as_json)

    def ask() -> float:
        try:
            watched.ask(query or list)
        except Exception:  # a service that is away now may be back at the next question
            logger.debug("The query could not be asked.", exc_info=True)
        news.set()
        return every

    with ExitStack() as stack:
        watch = watched.begin(news)
        stack.callback(watch.close)
        if query is not None:
            stack.callback(watched.repeat(ask).close)
        stack.enter_context(screen)
        try:
            while True:
                news.clear()
                final = watched.final  # before it is drawn: what ends meanwhile is drawn once more
                screen.show(watched)
                if final:
                    return False
                pause(news, BEAT)
                if news.is_set():
                    pause(never, INTERVAL)
        except KeyboardInterrupt:
            screen.show(watched)
            return True


class _Once:
    """Shows jobs one time, whole."""

    def __init__(self, console: Console, as_json: bool) -> None:
        self._console, self._as_json = console, as_json

    def show(self, watched: Watched) -> None:
        if self._as_json:
            for snapshot in watched.told:
                _write(self._console, snapshot, watched.labels(snapshot))
        else:
            width = self._console.width if self._console.is_terminal else None
            self._console.print(watched.page(width, None), soft_wrap=width is None)


class _Lines:
    """A line, or a JSON object, whenever a job has changed."""

    def __init__(self, console: Console, as_json: bool) -> None:
        self._console, self._as_json = console, as_json
        self._last: dict[str, object] = {}

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, watched: Watched) -> None:
        for snapshot in watched.told:
            told: object = snapshot if self._as_json else words.plain(snapshot)
            if self._last.get(snapshot.job_id) == told:
                continue
            self._last[snapshot.job_id] = told
            if self._as_json:
                _write(self._console, snapshot, watched.labels(snapshot))
            else:
                clock = datetime.now().astimezone().strftime("%H:%M:%S")
                self._console.print(Text(f"{clock}  {words.visible(str(told))}"), soft_wrap=True)


class _Screen:
    """All of it, drawn anew in place; what is on the screen in the end stays."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> _Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, watched: Watched) -> None:
        # What does not fit on a screen cannot be drawn over: rows are left out, the open ones last.
        # Two columns stay empty, where a terminal writes the ^C that ends this.
        width, room = max(1, self._console.width - 2), max(1, self._console.height - 1)
        rows = max(3, room)
        text = watched.page(width, rows, live=True)
        while (over := len(lines := text.wrap(self._console, width)) - room) > 0 and rows > 3:
            rows = max(3, rows - over)
            text = watched.page(width, rows, live=True)
        # Of what is still too long the end goes, also from what stays: the headline would scroll away.
        self._live.update(Text("\n").join(lines[:room]), refresh=True)


def _write(console: Console, snapshot: CompositeSnapshot, labels: Sequence[str]) -> None:
    # Not by rich, which would fold the line.
    console.file.write(json.dumps(facts(snapshot, labels)) + "\n")
    console.file.flush()
