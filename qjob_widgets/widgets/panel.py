"""`JobPanel`: one job, live. One AnyWidget, no child widgets: one comm, and so one place for its faults.

The browser reads five traits, each whole every time, and writes none. What a click asks comes as a message
(`commands.py`). Below the widget lies its twin, which a saved notebook keeps (`twin.py`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from qjob_widgets.errors import QJobError
from qjob_widgets.events import Event
from qjob_widgets.monitor.foreign import Foreign, adapted
from qjob_widgets.monitor.monitor import Freshness, Monitor, shared_monitor
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.widgets import display, ipykernels, statement, static_html, static_text, view_state, words
from qjob_widgets.widgets.actions import JobActions
from qjob_widgets.widgets.columns import Columns
from qjob_widgets.widgets.commands import LONGEST_REQUEST, Asked, Commands, Operation, Outcome
from qjob_widgets.widgets.publisher import INTERVAL, Publisher, shared_publisher
from qjob_widgets.widgets.sending import Sending
from qjob_widgets.widgets.surroundings import Surroundings
from qjob_widgets.widgets.twin import Rows, Twin

STATIC = Path(__file__).parent / "static"
META_INTERVAL = 2.0
TIMES_INTERVAL = 1.0
FEW = 200
"""Up to so many parts `times` are told with all else: what has ended says at once how long it took."""
MOST_TIMES = 5000
"""Of so many parts times are told a second: where there are more, they are told more rarely."""
TOGETHER = 0.3
"""Seconds that what comes rarely waits for others to go along with: longer than from one turn to the next."""
MOMENT_INTERVAL = 300.0
"""Seconds after which the twin of an open job tells a later moment, though nothing else has changed."""
MANY = 1000
"""Above so many parts `meta` is made at most each META_INTERVAL, since making it takes a while."""
ANSWER = 5.0
"""Seconds that a click waits at most for the service's word on what it did."""
LARGE = 50_000
"""Bytes above which `times` follow in a message of their own: what is looked at first is not kept waiting."""
MOST_A_SECOND = 2500
"""Of so many parts `meta` and `reasons` tell a second: where there are more, they are made more rarely."""


def built(name: str) -> Path:
    path = STATIC / name
    if not path.exists():
        raise ImportError(
            f"The panel's {name} has not been built."
            " Install the package with pip (`python -m pip install .`), which builds it."
        )
    return path


def _in_messages(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The traits that are written together; times and the moment from which they count always are."""
    if "meta" in state or len(state.get("times", b"")) <= LARGE:
        yield state
    else:
        yield {name: value for name, value in state.items() if name != "times"}
        yield {"times": state["times"]}


class JobPanel(anywidget.AnyWidget):
    """A live panel of one job or composite.

    Args:
        job: The job; a `CompositeJob`, a `RuntimeJob`, or a job of another library, which needs `job_id()`
            and `status()`. Buttons are there for what it can do.
        freeze_when_done: Whether it becomes static, as by `freeze()`, once the job has ended.
        monitor: Who watches it; the one of this process by default.
        publisher: Who writes the traits; the one of this process by default.
        clock: Seconds, for the limits of how often something is written.
        now: The time of day in UTC, for what is shown.
    """

    _esm = built("panel.js")
    _css = built("panel.css")
    meta = traitlets.Dict().tag(sync=True)
    live = traitlets.Bytes(b"").tag(sync=True)
    times = traitlets.Bytes(b"").tag(sync=True)
    reasons = traitlets.Dict().tag(sync=True)
    summary = traitlets.Dict().tag(sync=True)
    # Until it is made: a panel that could not be made is closed as well.
    _closed = True
    _writing = threading.RLock()
    _noun = "sub-job"
    """What a row is called."""

    def __init__(
        self,
        job: Watchable | Foreign,
        *,
        freeze_when_done: bool = False,
        monitor: Monitor | None = None,
        publisher: Publisher | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._job: Any = adapted(job)  # what it can do beside being watched is looked for
        self._freeze_when_done = freeze_when_done
        self._monitor = monitor or shared_monitor()
        self._publisher = publisher or shared_publisher()
        self._clock = clock
        self._now = now
        self._writing = threading.RLock()
        self._columns = Columns(self._job.snapshot)
        self._surroundings = Surroundings(self._job, clock, self._tell, self._learn)
        self._labels: Sequence[str] = ()
        self._sending = Sending(clock)
        self._twin = Twin(clock)
        self._in_notebook = display.in_notebook()
        self._outputs: list[Any] = []
        self._loaded_later = False
        """Whether a page has been loaded since it was displayed."""
        self._revision = 0
        self._calibrated: datetime | None = None
        self._within: Sequence[str] = ()
        self._written: dict[str, float] = {}
        """When each trait was written last."""
        self._origin: datetime | None = None
        self._views: frozenset[str] | None = None
        self._paused = False
        self._resumed: datetime | None = None
        """When the last pause ended."""
        self._known = self._monitor.freshness(self._job)
        """How old the facts were when a pause began, or what was asked once during it."""
        actions = JobActions(
            self._job,
            self._ask_now,
            noun=self._noun,
            now=now,
            learned=self._learn,
        )
        self._operations = {
            **actions.operations,
            "pause": Operation(self._on_pause),
            "freeze": Operation(self._on_freeze),
        }
        self._commands = Commands(self.send, self._tell, clock)
        self._closed = False
        super().__init__(**self._state())
        self.on_msg(self._on_message)
        self._watch = self._monitor.watch(self._job, self._on_event, each=False)
        # All has just been told: the page is left to draw it, and the kernel to display it.
        self._publisher.tell(self, after=INTERVAL)

    def open(self) -> None:
        """Open the comm."""
        ipykernels.hear_while_replying()
        super().open()
        ipykernels.answer_where_asked(self.comm)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> Any:
        """The traits, as a page is told them. Source: `ipywidgets.Widget.get_state`."""
        if key is None and self.comm is not None:
            # Only a page that was not there when it was displayed asks for all of them. It has the outputs of
            # the saved notebook, which no front end lets be replaced.
            self._loaded_later = True
        return super().get_state(key, drop_defaults)

    def __repr__(self) -> str:
        return f"JobPanel of {words.plain(self._job.snapshot)}"

    @property
    def jobs(self) -> list[Any]:
        """The job, as it was given."""
        return [getattr(self._job, "job", self._job)]

    @property
    def closed(self) -> bool:
        """Whether it was closed or frozen."""
        return self._closed

    # ---- writing

    @property
    def wants_heartbeat(self) -> bool:
        """Whether the browser must be told that the kernel is alive."""
        return not self._closed and self._seen and not self._job.snapshot.final

    @property
    def _seen(self) -> bool:
        """Whether there may be a view: pages tell of theirs, as far as they do."""
        return self._views is None or bool(self._views)

    @property
    def _over(self) -> bool:
        """Whether nothing of it will change any more."""
        return bool(self._job.snapshot.final)

    def _on_event(self, event: Event) -> None:
        self._tell()

    def _tell(self) -> None:
        """There is news to publish."""
        if not self._closed:
            self._publisher.tell(self)

    def _state(self) -> dict[str, Any]:
        """The traits that have changed since they were written last and are due."""
        columns, now = self._columns, self._clock()
        columns.take(self._job.snapshot)
        around = self._surroundings
        if (self._calibrated, self._within) != (around.calibrated, around.within):
            self._calibrated, self._within = around.calibrated, around.within
            columns.stale.add("meta")
        moved = self._origin != columns.since
        at_once = moved or columns.snapshot.final
        state: dict[str, Any] = {}
        for name in sorted(columns.stale):
            if at_once or self._early(name) <= 0:
                columns.stale.discard(name)
                self._written[name] = now
                state[name] = self._meta() if name == "meta" else getattr(columns, name)
        if "times" in state:
            self._origin = columns.since
        state["summary"] = view_state.summary(
            columns,
            self._fresh,
            now=self._now(),
            closed=self._closed,
            paused=self._paused,
            rerun=self._can["rerun"],
            sending=self._sending.told(columns),
            left=self._surroundings.left,
            limit=self._surroundings.limit,
        )
        return state

    def _early(self, name: str) -> float:
        """Seconds until this trait may be written again."""
        number, rest = len(self._columns.parts), 0.0
        if name == "times" and number > FEW:
            rest = max(TIMES_INTERVAL, number / MOST_TIMES)
        elif name == "reasons":
            rest = self._columns.reasoned / MOST_A_SECOND
        elif name == "meta" and number > MANY:
            rest = max(META_INTERVAL, number / MOST_A_SECOND)
        return self._written.get(name, float("-inf")) + rest - self._clock()

    def _meta(self) -> dict[str, Any]:
        self._revision += 1
        self._labels = self._surroundings.labels()
        return view_state.meta(
            self._columns,
            twin=self._twin.id,
            can=self._can,
            revision=self._revision,
            labels=self._labels,
            within=self._within,
            calibrated=self._calibrated,
        )

    def _learn(self, row: int) -> None:
        """The circuits of a row have been asked for: they are told from now on."""
        with self._writing:
            if not any(self._labels[row : row + 1]):
                self._columns.stale.add("meta")

    @property
    def _can(self) -> Mapping[str, bool]:
        names = ("cancel", "rerun", "stop", "refresh", "tags", "pause", "report", "reason", "circuits")
        return {**{name: name in self._operations for name in names}, "freeze": self._in_notebook}

    def publish(self) -> None:
        """Write what has changed into the traits, and the twin when it is due."""
        with self._writing:
            snapshot = self._job.snapshot
            if self._seen or self._closed:
                for traits in _in_messages(self._state()):
                    with self.hold_sync():
                        for name, value in traits.items():
                            setattr(self, name, value)
                if self._columns.stale and not self._closed:
                    # What was too early to write is still to come, with other news if there are any.
                    self._publisher.tell(self, min(map(self._early, self._columns.stale)) + TOGETHER)
            self._twin.update(
                lambda: self._bundle(snapshot),
                lambda: self._told(snapshot),
                at_once=snapshot.final or self._closed,
            )
            if not self._closed:
                if not self._paused:
                    self._surroundings.look(final=snapshot.final)
                    self._surroundings.wonder()
                if self._freeze_when_done and self._over and self._outputs and not self._loaded_later:
                    self.freeze()

    def flush(self) -> None:
        """Bring the panel and its twin up to date now."""
        if not self._closed and not self._twin.tells(lambda: self._told(self._job.snapshot)):
            self.publish()

    # ---- in the notebook

    def _ipython_display_(self, **_: Any) -> None:
        with self._writing:
            snapshot = self._job.snapshot
            if self._closed:
                display.show(self._bundle(snapshot))
                return
            made = self._repr_mimebundle_()
            data = (made[0] if isinstance(made, tuple) else made) or {}
            # Where no widget can be drawn this text stays as it is now, so it says nothing that changes.
            kept = f"{type(self).__name__} of {words.title(snapshot)}: what was known last stands below."
            output = display.show_replaceable({**data, "text/plain": kept})
            if output is None:
                display.show({**data, "text/plain": repr(self)})
            else:
                self._outputs.append(output)
                self._loaded_later = False
                self._twin.show(self._bundle(snapshot), self._told(snapshot))
        display.flush_after_cells(self)
        if self._freeze_when_done:
            self._publisher.tell(self)

    def _bundle(self, snapshot: CompositeSnapshot) -> dict[str, str]:
        """The twin as a page and as text."""
        told = self._statement(snapshot, self._known_at(snapshot))
        return {
            "text/html": static_html.render(told, twin=self._twin.id, late=not self._closed),
            "text/plain": static_text.render(told, width=static_text.PAGE),
        }

    def _statement(self, snapshot: CompositeSnapshot, at: datetime) -> statement.Statement:
        """What is known, in words."""
        return statement.of_job(snapshot, at=at, rerun=self._can["rerun"], labels=self._labels_of(snapshot))

    def _labels_of(self, snapshot: CompositeSnapshot) -> Sequence[str]:
        return self._labels if len(self._labels) == len(snapshot.parts) else ()

    def _known_at(self, snapshot: CompositeSnapshot) -> datetime:
        """When the job was as `snapshot` says: when it was asked about last; once it has ended, now."""
        asked = self._fresh.asked
        return self._now() if snapshot.final or asked is None else asked

    @property
    def _fresh(self) -> Freshness:
        """How old the facts are: after a pause as old as they were, until there is an answer."""
        if self._paused:
            return self._known
        fresh = self._monitor.freshness(self._job)
        if self._resumed is not None and (fresh.asked is None or fresh.asked <= self._resumed):
            # The service may have answered meanwhile, but not about this job.
            return replace(fresh, asked=self._known.asked)
        return fresh

    def _told(self, snapshot: CompositeSnapshot) -> object:
        """What of a snapshot the twin tells, its moment only roughly: telling it changes the notebook."""
        age = None if snapshot.final else self._known_at(snapshot).timestamp() // MOMENT_INTERVAL
        return (snapshot.name, snapshot.tags, Rows(snapshot.parts), tuple(self._labels_of(snapshot)), age)

    # ---- what is asked of it

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        if isinstance(content, dict) and content.get("op") == "view":
            self._note_view(content.get("request"), content.get("open") is True)
        else:
            self._commands.take(content, len(self._columns.parts), self._operations)

    def _note_view(self, page: object, opened: bool) -> None:
        """A page has a view now, or none any more. Once no page has any, nothing is written.

        A page that goes without a word counts as one with a view. Where messages come on the main thread, one
        that says that there is a view may wait for a cell to end: there it is written all the same.
        """
        if not isinstance(page, str) or len(page) > LONGEST_REQUEST:
            return
        with self._writing:
            pages = self._views or frozenset()
            if opened:
                self._views = pages | {page}
                self._tell()
            elif page in pages and threading.current_thread() is not threading.main_thread():
                self._views = pages - {page}

    def _ask_now(self) -> None:
        """Ask about the job now and wait for the answer, for a while; while it is paused, ask this once.

        What a click did is told as done only once it shows: the same click from another page finds it done.
        """
        if self._paused:
            self._job.source.ask([self._job])
            self._known = Freshness(self._now())
        else:
            self._monitor.ask([self._job], ANSWER)

    def _on_pause(self, asked: Asked) -> Outcome:
        if asked.on:
            self.pause()
        else:
            self.resume()
        return Outcome()

    def pause(self) -> None:
        """Ask nothing about the job until `resume()`; what others ask is still shown."""
        with self._writing:
            if self._closed or self._paused:
                return
            self._known = self._fresh
            self._paused = True
            self._watch.close()
        self._publisher.tell(self)

    def resume(self) -> None:
        """Go on after `pause()`; the job is asked about at once."""
        with self._writing:
            if self._closed or not self._paused:
                return
            self._paused = False
            self._resumed = self._now()
            self._watch = self._monitor.watch(self._job, self._on_event, each=False)
        self._publisher.tell(self)

    def _on_freeze(self, asked: Asked) -> Outcome:
        self._refuse_to_freeze()
        return Outcome(then=self.freeze)

    def _refuse_to_freeze(self) -> None:
        if self._outputs and self._loaded_later:
            raise QJobError(
                "Not frozen: since the page was loaded again, the table that would stay can no longer be"
                " brought up to date. Run the cell that shows this again, then freeze it."
            )

    def freeze(self) -> None:
        """Leave only the static table in the notebook, brought up to date a last time.

        Raises:
            QJobError: If a page was loaded after this had been displayed: what stands in the notebook can no
                longer be replaced then, and something older would stay. It goes on.
        """
        self._refuse_to_freeze()
        self._leave_the_twin()

    def _leave_the_twin(self) -> None:
        with self._writing:
            outputs, self._outputs = self._outputs, []
            self.close()
            for output in outputs:
                display.clear(output)

    def close(self) -> None:
        """Stop watching and close the panel; its twin stays."""
        if not self._closed:  # one that could not be made has nothing of this
            with self._writing:
                self._end()
        super().close()

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._watch.close()
            self._publisher.forget(self)
            self.publish()
