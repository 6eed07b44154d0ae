"""Jobs as live text tables, for terminals: the same facts and words as the panel.

On a terminal the tables are drawn anew while something changes; anywhere else, as in a file or a pipe, each
change is a line. All text of others is shown as it is: no markup of it is obeyed, nothing of it can move the
cursor.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from qjob_widgets.monitor.foreign import Foreign, adapted
from qjob_widgets.monitor.monitor import Freshness, Monitor, shared_monitor
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status
from qjob_widgets.widgets import words
from qjob_widgets.widgets.facts import facts

STYLES = {
    Status.INITIALIZING: "dim",
    Status.VALIDATING: "dim",
    Status.QUEUED: "yellow",
    Status.RUNNING: "blue",
    Status.ERROR: "bold red",
    Status.CANCELLED: "magenta",
    Status.DONE: "green",
}
MARKS = {
    Status.INITIALIZING: "·",
    Status.VALIDATING: "·",
    Status.QUEUED: "○",
    Status.RUNNING: "▶",
    Status.ERROR: "✗",
    Status.CANCELLED: "–",  # noqa: RUF001
    Status.DONE: "✓",
}
"""States are told by words and shapes before colours."""
URGENT = (Status.ERROR, Status.CANCELLED, Status.RUNNING, Status.QUEUED, Status.VALIDATING)
BAR = 30
MOST_ROWS = 200
INTERVAL = 0.25
"""Seconds between two drawings, at least."""
BEAT = 1.0
"""Seconds after which the age of the facts is drawn anew."""


def watch(
    jobs: Sequence[Watchable | Foreign],
    *,
    once: bool = False,
    as_json: bool = False,
    console: Console | None = None,
    monitor: Monitor | None = None,
    pause: Callable[[threading.Event, float], object] = threading.Event.wait,
) -> bool:
    """Show jobs until all have ended, or until Ctrl-C, which ends the watching and not the jobs.

    Args:
        jobs: The jobs; those of other libraries too.
        once: Show them as they are now, and return.
        as_json: Write one JSON object a line and job, at each change.
        console: Where; standard output by default.
        monitor: Who watches; the one of this process by default.
        pause: Waits for an event at most so many seconds.

    Returns:
        Whether nothing has failed or was cancelled so far.
    """
    watched = [adapted(job) for job in jobs]
    if once:
        _Once(console or Console(), as_json).show(watched)
    else:
        _follow(watched, console or Console(), as_json, monitor or shared_monitor(), pause)
    return all(part.status not in URGENT[:2] for job in watched for part in job.snapshot.parts)


def _follow(
    jobs: Sequence[Watchable],
    console: Console,
    as_json: bool,
    monitor: Monitor,
    pause: Callable[[threading.Event, float], object],
) -> None:
    news, never = threading.Event(), threading.Event()
    screen = _Lines(console, as_json) if as_json or not console.is_terminal else _Screen(console, monitor)
    with ExitStack() as stack:
        for job in jobs:
            stack.enter_context(monitor.watch(job, lambda _: news.set()))
        stack.enter_context(screen)
        try:
            while True:
                news.clear()
                screen.show(jobs)
                if all(job.snapshot.final for job in jobs):
                    return
                pause(news, BEAT)
                if news.is_set():
                    pause(never, INTERVAL)
        except KeyboardInterrupt:
            screen.show(jobs)


class _Once:
    """Shows jobs one time, whole."""

    def __init__(self, console: Console, as_json: bool) -> None:
        self._console, self._as_json = console, as_json

    def show(self, jobs: Sequence[Watchable]) -> None:
        now = datetime.now(timezone.utc)
        for job in jobs:
            if self._as_json:
                _write(self._console, job.snapshot)
            else:
                self._console.print(render(job.snapshot, now=now))


class _Lines:
    """A line, or a JSON object, whenever a job has changed."""

    def __init__(self, console: Console, as_json: bool) -> None:
        self._console, self._as_json = console, as_json
        self._last: dict[int, object] = {}

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, jobs: Sequence[Watchable]) -> None:
        for job in jobs:
            snapshot = job.snapshot
            shown: object = snapshot if self._as_json else words.plain(snapshot)
            if self._last.get(id(job)) == shown:
                continue
            self._last[id(job)] = shown
            if self._as_json:
                _write(self._console, snapshot)
            else:
                clock = datetime.now().astimezone().strftime("%H:%M:%S")
                self._console.print(Text(words.visible(f"{clock}  {shown}")), soft_wrap=True)


class _Screen:
    """The tables, drawn anew in place; what is on the screen in the end stays."""

    def __init__(self, console: Console, monitor: Monitor) -> None:
        self._console, self._monitor = console, monitor
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="visible")

    def __enter__(self) -> _Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, jobs: Sequence[Watchable]) -> None:
        now = datetime.now(timezone.utc)
        # What does not fit on a screen cannot be drawn over: rows are left out, the open ones last.
        rows = max(3, (self._console.height - 2) // max(1, len(jobs)) - 6)
        tables = [
            render(job.snapshot, now=now, fresh=self._monitor.freshness(job), rows=rows) for job in jobs
        ]
        self._live.update(Group(*tables), refresh=True)


def _write(console: Console, snapshot: CompositeSnapshot) -> None:
    # Not by rich, which would fold the line.
    console.file.write(json.dumps(facts(snapshot)) + "\n")
    console.file.flush()


def render(
    snapshot: CompositeSnapshot, *, now: datetime, fresh: Freshness | None = None, rows: int = MOST_ROWS
) -> RenderableType:
    """One job: a headline, what it waits for, a bar, and at most `rows` sub-jobs, those in trouble first."""
    pieces: list[RenderableType] = [_headline(snapshot, now, fresh)]
    if sentence := words.why(snapshot, now):
        pieces.append(Text(words.visible(sentence)))
    if len(snapshot.parts) > 1:
        pieces.append(_bar(snapshot))
    pieces.append(_table(snapshot, now, rows))
    if (more := len(snapshot.parts) - rows) > 0:
        pieces.append(Text(f"{more:,} more sub-jobs are not listed.", "dim"))
    return Group(*pieces, Text(""))


def _headline(snapshot: CompositeSnapshot, now: datetime, fresh: Freshness | None) -> Text:
    status = snapshot.status
    line = Text()
    line.append(words.visible(snapshot.name or snapshot.job_id), "bold")
    line.append(f"  {MARKS[status]} {'sending' if snapshot.sending else status.value}", STYLES[status])
    if len(snapshot.parts) > 1:
        line.append(f"  {snapshot.counts[Status.DONE]:,} of {len(snapshot.parts):,} done")
    for fact in filter(None, (snapshot.backend, ", ".join(snapshot.tags), _age(snapshot, now, fresh))):
        line.append(f" · {words.visible(fact)}", "dim")
    return line


def _age(snapshot: CompositeSnapshot, now: datetime, fresh: Freshness | None) -> str:
    if snapshot.final or fresh is None:
        return ""
    if fresh.asked is None:
        return "no answer yet"
    age = f"updated {words.duration((now - fresh.asked).total_seconds())} ago"
    return f"{age}, retrying: {fresh.error}" if fresh.failures else age


def _bar(snapshot: CompositeSnapshot) -> Text:
    """Every state that is there has at least one cell; the counts stand beside."""
    counts = {status: snapshot.counts[status] for status in reversed(Status) if snapshot.counts[status]}
    total, line = len(snapshot.parts), Text()
    cells = {status: max(1, round(BAR * number / total)) for status, number in counts.items()}
    for status, number in cells.items():
        line.append(MARKS[status] * number, STYLES[status])
    line.append("  " + ", ".join(f"{number:,} {status.value}" for status, number in counts.items()))
    return line


def _table(snapshot: CompositeSnapshot, now: datetime, rows: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in (
        ("#", "right"),
        ("Circuits", "right"),
        ("Job", "left"),
        ("Status", "left"),
        ("Queue", "right"),
        ("Elapsed", "right"),
        ("Try", "right"),
        ("Reason", "left"),
    ):
        table.add_column(name, justify=justify, no_wrap=name != "Reason", overflow="fold")  # type: ignore[arg-type]
    for index, part in _chosen(snapshot.parts, rows):
        table.add_row(*_cells(index, part, now))
    return table


def _chosen(parts: Sequence[JobSnapshot], rows: int) -> list[tuple[int, JobSnapshot]]:
    """In index order; where not all fit, those in trouble are chosen first, then those that run."""
    every = list(enumerate(parts))
    if len(every) <= rows:
        return every
    order = {status: place for place, status in enumerate(URGENT)}
    first = sorted(every, key=lambda row: order.get(row[1].status, len(order)))
    return sorted(first[:rows])


def _cells(index: int, part: JobSnapshot, now: datetime) -> Iterator[Text]:
    place = part.place
    word = words.unknown_word(part) or part.status.value
    elapsed = ""
    if part.created is not None and (part.finished is not None or not part.final):
        seconds = ((part.finished or now) - part.created).total_seconds()
        elapsed = ("≈ " if part.times_seen else "") + words.duration(seconds)
    yield Text(str(index))
    yield Text("" if place is None else f"{place.start}–{place.end}")  # noqa: RUF001
    yield Text(words.visible(part.job_id) or "not sent")
    yield Text(f"{MARKS[part.status]} {words.visible(word)}", STYLES[part.status])
    yield Text("" if part.position is None else str(part.position))
    yield Text(elapsed)
    yield Text(str(part.attempt or ""))
    yield Text(words.visible(words.short(part.why)))
