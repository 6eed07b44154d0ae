"""What `browser.py` runs in the kernel: a job that is played, rows of ipywidgets, a bare widget, meters.

The played job stands where a `CompositeJob` stands: the real monitor asks its source, the real publisher
writes its panel. Its facts are made beforehand, so that what is measured is watching and showing them.
"""

from __future__ import annotations

import itertools
import json
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import anywidget
import ipywidgets
import traitlets

from qjob_widgets import JobPanel
from qjob_widgets.monitor.monitor import Monitor, shared_monitor
from qjob_widgets.monitor.watch import Pace, Watchable
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot, QueueInfo
from qjob_widgets.status import Status
from qjob_widgets.stretches import Stretches
from qjob_widgets.tags import Place
from qjob_widgets.widgets.publisher import Publisher

TICK = 0.25
AT_ONCE, BREATH = 20, 0.05
"""Rows of ipywidgets, and seconds: with more messages at once ZeroMQ, whose queues hold 1,000, loses some."""
STEADY = Pace(shortest=TICK, longest=TICK, growth=1, jitter=0)
ASLEEP = Pace(shortest=3600, longest=3600, growth=1, jitter=0)
REASONS = ("Calibration interrupted", "Internal error 1,517", "The circuit is too deep", "Ran too long")
BEGUN = datetime.now(timezone.utc) - timedelta(hours=1)


def acts(index: int, number: int, *, fails: bool) -> tuple[JobSnapshot, ...]:
    """What becomes of a sub-job: queued, running, ended."""
    queued = JobSnapshot(
        f"d{index:05}v4l6c8h2f0s9qt",
        Status.QUEUED,
        "Queued",
        queue=QueueInfo(1 + index % 500, estimated_completion_time=BEGUN + timedelta(hours=2)),
        created=BEGUN + timedelta(milliseconds=20 * index),
        backend="local_simulator",
        place=Place(index, number, 10 * index, 10 * index + 9),
    )
    running = replace(
        queued, status=Status.RUNNING, word="Running", queue=None, running=BEGUN + timedelta(minutes=5)
    )
    ended = replace(
        running,
        status=Status.ERROR if fails else Status.DONE,
        word="Failed" if fails else "Completed",
        reason=REASONS[index % len(REASONS)] if fails else None,
        finished=BEGUN + timedelta(minutes=6, milliseconds=index),
        usage_seconds=2.5,
    )
    return queued, running, ended


class Played:
    """A job of `number` sub-jobs that is its own source; each time it is asked, `changing` of them go on.

    After its end a sub-job begins again. Where `fails`, one in fifty fails, and so has a reason to tell.
    """

    def __init__(self, number: int, changing: int = 0, *, name: str = "sweep", fails: bool = False) -> None:
        self.changing = changing
        self.once = 0
        """Sub-jobs that go on at the next question, beside those."""
        self.moments: list[float] = []
        """When there was something new, in milliseconds."""
        self._name = name
        self._acts = [acts(index, number, fails=fails and index % 50 == 0) for index in range(number)]
        self._begin = [2 - 3 * index // number for index in range(number)]
        """A third in each act, the first have ended."""
        self._parts = Stretches(of[at] for of, at in zip(self._acts, self._begin, strict=True))
        self._steps = 0
        """How often one sub-job went on; they take turns."""
        self._ahead: dict[int, Stretches[JobSnapshot]] = {}
        """What comes after so many steps, as far as it was made beforehand."""
        self.snapshot = self._whole()

    @property
    def source(self) -> Played:
        return self

    @property
    def pace(self) -> Pace:
        return STEADY if self.changing else ASLEEP

    def job_id(self) -> str:
        return f"ibm_composite_job_id_{self._name}_"

    def label(self, index: int) -> str:
        return f"rabi, theta = {index / 1000:.3f}"

    def ask(self, jobs: Sequence[Watchable]) -> None:
        number, self.once = self.changing + self.once, 0
        if number:
            self.moments.append(1000 * time.time())
            self._go_on(number)
            self.snapshot = self._whole()

    def prepare(self, changing: int) -> None:
        """Make beforehand all that comes while so many go on at each question: after that it comes again."""
        steps, parts = self._steps, self._parts
        for _ in range(math.lcm(3 * len(parts), changing) // changing):
            self._go_on(changing)
            self._ahead[self._steps % (3 * len(parts))] = self._parts
        self._steps, self._parts = steps, parts

    def _go_on(self, number: int) -> None:
        every, begun = len(self._parts), self._steps
        self._steps += number
        known = self._ahead.get(self._steps % (3 * every))
        self._parts = known or self._parts.replacing(
            {
                step % every: self._acts[step % every][(self._begin[step % every] + step // every + 1) % 3]
                for step in range(begun, self._steps)
            }
        )

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        """Nothing: `ask` has changed the snapshot."""

    def _whole(self) -> CompositeSnapshot:
        return CompositeSnapshot(self.job_id(), self._parts, self._name, ("sweep",), "local_simulator")


class Timed(JobPanel):
    """A panel that notes when it is published, in milliseconds, before anything is done for that."""

    def __init__(self, job: Played) -> None:
        self.moments: list[float] = []
        super().__init__(job)

    def publish(self) -> None:
        self.moments.append(1000 * time.time())
        super().publish()


class Shown:
    """A panel of a played job; `moments` are those at which it was published."""

    def __init__(self, job: Played) -> None:
        self.job = job
        self.panel = Timed(job)
        self.moments = self.panel.moments

    def tick(self, changing: int) -> None:
        """Have so many sub-jobs change at every tick from now on."""
        if changing:
            self.job.prepare(changing)
        self.job.changing = changing
        shared_monitor().refresh(self.job)

    def update(self, number: int) -> None:
        """Have `number` sub-jobs change, as if the service had just said so."""
        self.job.once = number
        shared_monitor().refresh(self.job)

    def sizes(self) -> dict[str, int]:
        """Bytes of each trait, as they are sent."""
        told = {
            name: json.dumps(getattr(self.panel, name)).encode() for name in ("meta", "reasons", "summary")
        }
        told |= {name: getattr(self.panel, name) for name in ("live", "times")}
        return {name: len(value) for name, value in told.items()}


class Rows:
    """The other way: a row of ipywidgets for each sub-job."""

    def __init__(self, number: int) -> None:
        self._rows = [self._row(index) for index in range(number)]
        self._states = itertools.cycle(("running", "done", "queued"))
        self.box = ipywidgets.VBox([ipywidgets.HBox(row) for row in self._rows])
        self.box.add_class("rows-of-ipywidgets")

    def _row(self, index: int) -> list[Any]:
        if index % AT_ONCE == AT_ONCE - 1:
            time.sleep(BREATH)
        texts = (f"d{index:05}v4l6c8h2f0s9qt", "queued", f"{1 + index % 500}", "theta = 0.1")
        return [ipywidgets.Button(description="Cancel"), *(ipywidgets.HTML(text) for text in texts)]

    def update(self, number: int) -> None:
        """Write another state into the first `number` rows."""
        state = next(self._states)
        for row in self._rows[:number]:
            row[2].value = f"<b>{state}</b>"


class Bare(anywidget.AnyWidget):
    """One trait that the page writes into an element: the least that a widget can do."""

    _esm = """export default {render({model, el}) {
      el.classList.add("bare-widget");
      const show = () => { el.textContent = model.get("value"); };
      model.on("change:value", show);
      show();
    }}"""
    value = traitlets.Int(0).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def update(self, number: int) -> None:
        """Write the trait."""
        self.moments.append(1000 * time.time())
        self.value += number


def repeatedly(update: Callable[[int], None], number: int, times: int, rest: float) -> list[float]:
    """Update so often on a thread of its own; the list is filled with when each began, in milliseconds."""
    begun: list[float] = []

    def run() -> None:
        for _ in range(times):
            time.sleep(rest)
            begun.append(1000 * time.time())
            update(number)

    threading.Thread(target=run, name="benchmark", daemon=True).start()
    return begun


class Replay:
    """Hours of a job in minutes: monitor, publisher and panel as ever, but by a clock that runs ahead."""

    def __init__(self, job: Played) -> None:
        self.seconds = 0.0
        self.done = 0
        self._monitor = Monitor(clock=self._clock, threaded=False)
        self._publisher = Publisher(clock=self._clock, threaded=False)
        self.panel = JobPanel(job, monitor=self._monitor, publisher=self._publisher, clock=self._clock)

    def _clock(self) -> float:
        return self.seconds

    def play(self, updates: int, rate: float) -> None:
        """Play so many ticks, `rate` of them a second, on a thread of its own; `done` counts."""
        self.done = 0

        def run() -> None:
            begun = time.monotonic()
            for number in range(updates):
                self.seconds += TICK
                self._monitor.step()
                self._publisher.step()
                self.done = number + 1
                time.sleep(max(0.0, begun + self.done / rate - time.monotonic()))

        threading.Thread(target=run, name="benchmark", daemon=True).start()


class Meter:
    """Processor time of this process and of its threads since `start`."""

    def start(self) -> None:
        self._at, self._process, self._threads = time.perf_counter(), time.process_time(), dict(_threads())

    def stop(self) -> dict[str, Any]:
        """Shares of one processor: of the process, and of the threads that watch and publish."""
        seconds = time.perf_counter() - self._at
        spent = {name: cpu - self._threads.get(name, 0.0) for name, cpu in _threads()}
        return {
            "process": (time.process_time() - self._process) / seconds,
            "panel": sum(cpu for name, cpu in spent.items() if name.startswith("qjob-")) / seconds,
        }


def _threads() -> Iterator[tuple[str, float]]:
    clock = getattr(time, "pthread_getcpuclockid", None)  # not on macOS and Windows
    for thread in threading.enumerate() if clock else ():
        yield thread.name, time.clock_gettime(clock(thread.ident))
