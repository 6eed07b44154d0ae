"""States of panels and tables to look at; docs/states.md has their pictures, test_look holds them to those.

Facts like those of a service, made into traits by the code that makes those of every panel.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from qjob_widgets.monitor.monitor import Freshness, Monitor
from qjob_widgets.monitor.watch import Pace, Watchable
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot, QueueInfo
from qjob_widgets.status import Status
from qjob_widgets.tags import Place
from qjob_widgets.widgets import view_state
from qjob_widgets.widgets.columns import Columns
from qjob_widgets.widgets.commands import Asked
from qjob_widgets.widgets.publisher import Publisher
from qjob_widgets.widgets.table import JobTable

BEGUN = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)
SIZES = (3, 120, 10_000)
STATUSES = {
    "D": Status.DONE,
    "E": Status.ERROR,
    "R": Status.RUNNING,
    "Q": Status.QUEUED,
    "U": Status.INITIALIZING,
}
REASONS = (
    (1500, "calibration interrupted"),
    (1305, "ran too long: 301 s of at most 300 s"),
    (1305, "ran too long: 318 s of at most 300 s"),
)
CAN = dict.fromkeys(("cancel", "rerun", "refresh", "tags", "pause", "freeze", "report", "circuits"), True)
TURN = 4.0
"""Seconds that a part has the processor."""


@dataclass(frozen=True)
class Scene:
    """What a panel is told at one moment; `lost` when it has heard nothing for a minute since."""

    name: str
    traits: dict[str, Any]
    lost: bool = False
    module: str = "panel"


def letters(size: int, pattern: str) -> str:
    """`size` letters, of which the first share is the first of the pattern, and so on."""
    return "".join(pattern[index * len(pattern) // size] for index in range(size))


def rerun_of(size: int) -> str:
    """Every third had failed: the first of those are done again, the last are not sent yet."""
    again = letters(len(range(1, size, 3)), "DDERRQQUU") if size > 3 else "U"
    return "".join(again[index // 3] if index % 3 == 1 else "D" for index in range(size))


def parts_of(states: str, again: Callable[[int], bool] = lambda index: False) -> tuple[JobSnapshot, ...]:
    """A part a letter, as a service of a few places would run them one after the other."""
    places = max(2, -(-len(states) // 12))
    queued = 0

    def made(index: int, letter: str) -> JobSnapshot:
        nonlocal queued
        queued += letter == "Q"
        start = BEGUN + timedelta(seconds=0.8 + index // places * TURN + index % 5 / 10)
        end = start + timedelta(seconds=3 + index * 13 % 23 / 10)
        code, reason = REASONS[index // 2 % 3] if letter == "E" else (None, None)
        known = letter != "U"
        queue = QueueInfo(queued, estimated_completion_time=end + timedelta(seconds=30))
        return JobSnapshot(
            job_id=f"d57e{index * 7 + 7000:x}d82774bca{index % 1000:03}" if known else "",
            status=STATUSES[letter],
            word="waiting to be sent" if letter == "U" else STATUSES[letter].value,
            reason=reason,
            reason_code=code,
            queue=queue if letter in "QR" else None,
            created=BEGUN + timedelta(seconds=index % 7 / 10) if known else None,
            running=start if letter in "RDE" else None,
            finished=end if letter in "DE" else None,
            usage_seconds=0.9 + index * 37 % 300 / 1000 if letter in "DE" else None,
            estimated_seconds=1.0,
            attempt=2 if again(index) else 1 if known else 0,
            place=Place(index, len(states), 10 * index, 10 * index + 9),
        )

    return tuple(made(index, letter) for index, letter in enumerate(states))


def whole(parts: tuple[JobSnapshot, ...], **facts: Any) -> CompositeSnapshot:
    """The job of these parts."""
    job = CompositeSnapshot(
        "ibm_composite_job_id_4f1c0a2be8d94c5aa3b06d7e21f0869b_",
        parts,
        "Ising sweep",
        ("vqe", "night run"),
        "local_manila",
    )
    return replace(job, **facts)


def scene(name: str, job: CompositeSnapshot, *, lost: bool = False, **facts: Any) -> Scene:
    """What the panel of a job is told a second after the last thing happened."""
    times = (moment for part in job.parts for moment in (part.created, part.running, part.finished) if moment)
    now = max(times, default=BEGUN) + timedelta(seconds=1.4)
    columns = Columns(job)
    labels = [f"ising_6 θ = {index / 40:.3f} and 9 more" for index in range(len(job.parts))]
    meta = view_state.meta(
        columns,
        twin="",
        can=CAN,
        revision=1,
        labels=labels if job.composite else (),
        calibrated=now - timedelta(hours=3, minutes=20),
    )
    fresh = Freshness(now - timedelta(seconds=0.4), 2.0)
    if lost:
        fresh = Freshness(now - timedelta(seconds=19), 2.0, 3, "503 Service Unavailable")
    summary = view_state.summary(columns, fresh, now=now, left=2400.0, limit=6000.0, **facts)
    told = {name: getattr(columns, name) for name in ("live", "times", "reasons")}
    return Scene(name, {"meta": meta, **told, "summary": summary}, lost)


def rerun(name: str, size: int) -> Scene:
    """What had failed is sent again, at the pace of the service."""
    states = rerun_of(size)
    parts = parts_of(states, again=lambda index: index % 3 == 1)
    left = states.count("U")
    sending = {"left": left, "total": (size + 1) // 3, "seconds": 60.0 + left / 8, "trouble": ""}
    return scene(name, whole(parts, sending=left), sending=sending if left else None)


@dataclass(eq=False)
class Still:
    """A job, and its own source, of which there is nothing new."""

    snapshot: CompositeSnapshot
    pace: Pace = field(default_factory=lambda: Pace(shortest=2, longest=2, growth=1, jitter=0))

    @property
    def source(self) -> Still:
        return self

    def job_id(self) -> str:
        return self.snapshot.job_id

    def ask(self, jobs: Sequence[Watchable]) -> None:
        """Nothing to ask."""

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        """Nothing to take."""

    def cancel(self, *, parts: Collection[int] | None = None) -> None:
        """Nothing to cancel."""

    def rerun_failed(self, *, parts: Collection[int] | None = None) -> None:
        """Nothing to send."""

    def update_tags(self, tags: Sequence[str]) -> None:
        """Nothing to save."""


def table(name: str, *, opened: Collection[int] = ()) -> Scene:
    """What a table of a night's jobs is told, with these rows open."""
    now = BEGUN + timedelta(seconds=30)
    night = [
        ("Ising sweep", letters(120, "DDDDRQQQQ"), ("vqe", "night run")),
        ("Rabi", "DDDEDDDDED", ("calibration",)),
        ("T1 of all qubits", "Q" * 12, ("calibration", "night run")),
        ("Readout", "D" * 24, ()),
        ("Bell, again", "R", ("vqe",)),
        (None, "E", ()),
    ]
    jobs = [
        Still(
            whole(
                parts_of(states),
                job_id=f"ibm_composite_job_id_{index:032x}_",
                name=title,
                tags=tags,
                composite=len(states) > 1,
            )
        )
        for index, (title, states, tags) in enumerate(night)
    ]
    monitor = Monitor(clock=lambda: 0.0, now=lambda: now - timedelta(seconds=0.4), threaded=False)
    publisher = Publisher(clock=lambda: 0.0, threaded=False)
    options: dict[str, Any] = {"monitor": monitor, "publisher": publisher, "now": lambda: now}
    with closing(JobTable(jobs, name="Night run", **options)) as shown:
        for row in opened:
            shown._on_expand(Asked("expand", row=row, on=True))
        monitor.step()
        shown.publish()
        names = ("meta", "live", "times", "reasons", "summary", "counts", "details")
        return Scene(name, {name: getattr(shown, name) for name in names}, module="table")


def scenes() -> Iterator[Scene]:
    """All of them, one after the other."""
    yield scene("empty", whole(()))
    yield scene(
        "single",
        whole(parts_of("R"), job_id="d57e1b58d82774bca000", name=None, tags=(), composite=False),
    )
    for size in SIZES:
        yield scene(f"waiting {size}", whole(parts_of("Q" * size)))
        yield scene(f"running {size}", whole(parts_of(letters(size, "DDDDRQQQQ" if size > 3 else "DRQ"))))
        yield scene(f"half failed {size}", whole(parts_of(("DE" * size)[1 : size + 1])))
        yield scene(f"done {size}", whole(parts_of("D" * size)))
        yield rerun(f"rerun {size}", size)
        yield scene(f"lost {size}", whole(parts_of(letters(size, "DDRQ" if size > 3 else "DRQ"))), lost=True)
    yield table("many jobs")
    yield table("opened jobs", opened=[1])
