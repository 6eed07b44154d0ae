"""`JobPanel`: one job, live. One AnyWidget, no child widgets: one comm, and so one place for its faults.

The browser reads four traits, each whole every time, and writes none. What a click asks comes as a message
with a request id: it is acknowledged at once and answered when it is settled. Handlers run on whichever
thread ipykernel chose, several at a time; they only validate and put work on the worker's queue.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from qjob_widgets.errors import QJobError
from qjob_widgets.events import Event
from qjob_widgets.monitor.foreign import Foreign, adapted
from qjob_widgets.monitor.monitor import Monitor, shared_monitor
from qjob_widgets.monitor.watch import Watchable
from qjob_widgets.monitor.worker import Worker
from qjob_widgets.snapshot import CompositeSnapshot
from qjob_widgets.widgets import display, static_html, view_state, words
from qjob_widgets.widgets.publisher import Publisher, shared_publisher

STATIC = Path(__file__).parent / "static"
TWIN_INTERVAL = 15.0
META_INTERVAL = 2.0
TIMES_INTERVAL = 1.0
MANY = 1000
"""Above so many parts `meta` is made at most each META_INTERVAL, since making it takes a while."""

_commands = Worker("qjob-commands")


def _module(name: str) -> Path:
    path = STATIC / name
    if not path.exists():
        raise ImportError(
            f"The panel's {name} has not been built."
            " Install the package with pip (`python -m pip install .`), which builds it."
        )
    return path


class JobPanel(anywidget.AnyWidget):
    """A live panel of one job or composite.

    Args:
        job: The job; a `CompositeJob`, a `RuntimeJob`, or a job of another library, which needs `job_id()`
            and `status()`. Buttons are there for what it can do.
        monitor: Who watches it; the one of this process by default.
        publisher: Who writes the traits; the one of this process by default.
        clock: Seconds, for the limits of how often something is written.
        now: The time of day in UTC, for what is shown.
    """

    _esm = _module("panel.js")
    _css = _module("panel.css")
    meta = traitlets.Dict().tag(sync=True)
    live = traitlets.Bytes(b"").tag(sync=True)
    times = traitlets.Bytes(b"").tag(sync=True)
    summary = traitlets.Dict().tag(sync=True)
    _closed = True  # until it is made: a panel that could not be made is closed as well

    def __init__(
        self,
        job: Watchable | Foreign,
        *,
        monitor: Monitor | None = None,
        publisher: Publisher | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._job: Any = adapted(job)  # what it can do beside being watched is looked for
        self._monitor = monitor or shared_monitor()
        self._publisher = publisher or shared_publisher()
        self._clock = clock
        self._now = now
        self._writing = threading.RLock()
        self._twin_id = uuid.uuid4().hex
        self._twins: list[Any] = []
        self._twin_state: tuple[float, object] = (float("-inf"), None)
        self._revision = 0
        self._drawn: CompositeSnapshot | None = None
        self._meta_at = self._times_at = float("-inf")
        self._closed = False
        super().__init__(**self._state(self._job.snapshot))
        self.on_msg(self._on_message)
        self._watch = self._monitor.watch(self._job, self._on_event)
        self._publisher.tell(self)

    def open(self) -> None:
        """Open the comm.

        ipykernel 7.4 answers a message in the subshell of whoever published last, so that a click waits
        for the running cell once a thread has published. The named subshell is right; private, so guarded.
        """
        super().open()
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, default: default

    def __repr__(self) -> str:
        return f"JobPanel of {words.plain(self._job.snapshot)}"

    # ---- writing

    @property
    def wants_heartbeat(self) -> bool:
        """Whether the browser must be told that the kernel is alive."""
        return not self._closed and not self._job.snapshot.final

    def _on_event(self, event: Event) -> None:
        self._publisher.tell(self)

    def _state(self, snapshot: CompositeSnapshot) -> dict[str, Any]:
        """The traits that have changed since they were written last."""
        now = self._clock()
        since = view_state.origin(snapshot)
        state: dict[str, Any] = {}
        changed = self._drawn is not snapshot
        moved = self._drawn is None or view_state.origin(self._drawn) != since
        slow = len(snapshot.parts) > MANY and not snapshot.final
        meta_due = moved or not slow or now - self._meta_at >= META_INTERVAL
        times_due = moved or snapshot.final or now - self._times_at >= TIMES_INTERVAL
        if changed:
            state["live"] = view_state.live(snapshot.parts)
        if changed and meta_due:
            self._meta_at = now
            meta = view_state.meta(snapshot, twin=self._twin_id, can=self._can(), revision=self._revision)
            if meta != self.meta:
                self._revision += 1
                state["meta"] = {**meta, "rev": self._revision}
        if changed and times_due:
            self._times_at = now
            state["times"] = view_state.times(snapshot.parts, since)
        if meta_due and times_due:
            self._drawn = snapshot
        state["summary"] = view_state.summary(
            snapshot,
            self._monitor.freshness(self._job),
            now=self._now(),
            closed=self._closed,
            rerun=self._can()["rerun"],
        )
        return state

    def _can(self) -> dict[str, bool]:
        return {
            "cancel": callable(getattr(self._job, "cancel", None)),
            "rerun": callable(getattr(self._job, "rerun_failed", None)),
            "refresh": True,
        }

    def publish(self) -> None:
        """Write what has changed into the traits, and the twin when it is due."""
        with self._writing:
            snapshot = self._job.snapshot
            state = self._state(snapshot)
            with self.hold_sync():
                for name, value in state.items():
                    setattr(self, name, value)
            if self._drawn is not snapshot and not self._closed:
                self._publisher.tell(self)  # what was too early to write is still to come
            self._update_twins(snapshot)

    def flush(self) -> None:
        """Bring the panel and its twin up to date now."""
        if not self._closed and self._twin_state[1] != _shown(self._job.snapshot):
            self.publish()

    # ---- the twin

    def _ipython_display_(self, **_: Any) -> None:
        bundle = self._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        display.show({**(data or {}), "text/plain": repr(self)})
        with self._writing:
            snapshot = self._job.snapshot
            handle = display.show_twin(self._twin(snapshot))
            if handle is not None:
                self._twins.append(handle)
                self._twin_state = (self._clock(), _shown(snapshot))
        display.flush_after_cells(self)

    def _twin(self, snapshot: CompositeSnapshot) -> dict[str, str]:
        page = static_html.render(snapshot, twin=self._twin_id, now=self._now(), rerun=self._can()["rerun"])
        return {"text/html": page, "text/plain": words.plain(snapshot)}

    def _update_twins(self, snapshot: CompositeSnapshot) -> None:
        at, shown = self._twin_state
        due = snapshot.final or self._closed or self._clock() - at >= TWIN_INTERVAL
        if self._twins and due and shown != _shown(snapshot):
            bundle = self._twin(snapshot)
            for handle in self._twins:
                display.replace_twin(handle, bundle)
            self._twin_state = (self._clock(), _shown(snapshot))

    # ---- commands

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        if not isinstance(content, dict):
            return
        operations: dict[object, Callable[[], str]] = {
            "cancel": self._cancel,
            "rerun": self._rerun,
            "refresh": self._refresh,
        }
        operation, request = operations.get(content.get("op")), content.get("request")
        if operation is None or not isinstance(request, str) or len(request) > 100:
            return
        self.send({"request": request, "phase": "ack"})
        _commands.put(lambda: self._settle(request, operation))

    def _settle(self, request: str, operation: Callable[[], str]) -> None:
        try:
            good, text = True, operation()
        except QJobError as error:
            good, text = False, str(error)
        except Exception as error:
            good, text = False, f"{type(error).__name__}: {error}"
        self._publisher.tell(self)
        self.send({"request": request, "phase": "settled", "ok": good, "text": words.short(text)})

    def _cancel(self) -> str:
        before = sum(not part.final for part in self._job.snapshot.parts)
        if not before:
            return "Nothing to cancel: everything has ended."
        self._job.cancel()
        self._monitor.refresh(self._job)
        return f"Cancel sent for {_subjobs(before)}."

    def _rerun(self) -> str:
        rerun = getattr(self._job, "rerun_failed", None)
        if rerun is None:
            return "This kind of job cannot be rerun."
        failed = len(self._job.snapshot.rerunnable)
        if not failed:
            return "Nothing to rerun: nothing has failed."
        rerun()
        self._monitor.refresh(self._job)
        return f"{_subjobs(failed)} will be sent again."

    def _refresh(self) -> str:
        self._monitor.refresh(self._job)
        return ""

    def close(self) -> None:
        """Stop watching and close the panel; its twin stays."""
        if not self._closed:
            self._closed = True
            self._watch.close()
            self._publisher.forget(self)
            self.publish()
        super().close()


def _shown(snapshot: CompositeSnapshot) -> object:
    """What of a snapshot the twin shows, without its times."""
    return tuple((part.job_id, part.status, part.attempt, part.reason) for part in snapshot.parts)


def _subjobs(number: int) -> str:
    return "1 sub-job" if number == 1 else f"{number:,} sub-jobs"
