"""Jobs of other libraries: whatever has `job_id()` and `status()` can be watched.

`status()` gives a word or an enum and may take long. Every other ability (tags, backend, cancel, queue
position, reason, times) is probed, never assumed. Two traps are known: Qiskit's `PrimitiveJob` reports and
keeps ERROR when it is asked before its thread has begun, and an `AerJob` is DONE when its simulation failed;
both run on a future of this process, which is read instead.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Protocol, cast

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import Conflict, InvalidInput
from qjob_widgets.monitor.described import Described, described, label
from qjob_widgets.monitor.pool import shared_pool
from qjob_widgets.monitor.questions import Questions
from qjob_widgets.monitor.watch import HOSTED, LOOPBACK, Pace, Watchable
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot, QueueInfo
from qjob_widgets.status import Status, from_server

logger = logging.getLogger(__name__)

NOT_ASKED = "not asked yet"
"""The word for a job that has told nothing to rely on."""

IN_PROCESS = {"PrimitiveJob": Status.QUEUED, "AerJob": Status.INITIALIZING}
"""Classes of Qiskit whose `_future` does the work, and what a future that has not begun means: AerJob's own
word for it, and for PrimitiveJob, which has none, what it is."""

WORDS = {
    "created": Status.INITIALIZING,
    "initializ": Status.INITIALIZING,
    "validat": Status.VALIDATING,
    "pending": Status.QUEUED,
    "waiting": Status.QUEUED,
    "submitted": Status.QUEUED,
    "executing": Status.RUNNING,
    "error": Status.ERROR,
    "canceled": Status.CANCELLED,
    "aborted": Status.CANCELLED,
    "done": Status.DONE,
    "success": Status.DONE,
    "succeeded": Status.DONE,
    "finished": Status.DONE,
}
"""How words of other services begin, beside those of `status.SERVER_WORDS`."""


def in_process_class(job: object) -> str | None:
    """Which of Qiskit's classes that run in this process a job is of; None where of none."""
    for base in type(job).__mro__:
        if base.__name__ in IN_PROCESS and base.__module__.partition(".")[0] in ("qiskit", "qiskit_aer"):
            return base.__name__
    return None


def future_of(job: object) -> Future[Any] | None:
    """The future of this process that does a job's work; None where there is none or it is not known."""
    future = None if in_process_class(job) is None else getattr(job, "_future", None)
    return future if isinstance(future, Future) else None


def probed(job: object, name: str) -> Any:
    """What an ability says, be it an attribute or a method; None where it is missing or fails."""
    try:
        value = getattr(job, name, None)
        return value() if callable(value) else value
    except Exception:
        logger.debug("%s of %s failed.", name, type(job).__name__, exc_info=True)
        return None


def circuits_here(job: Any) -> Sequence[Any]:
    """The circuits or PUBs of a job that runs in this process; () of any other."""
    kind = in_process_class(job)
    if kind == "AerJob":
        return _listed(probed(job, "circuits"))
    arguments = getattr(job, "_args", None) if kind == "PrimitiveJob" else None
    return _listed(arguments[0]) if isinstance(arguments, tuple) and arguments else ()


def circuits_of(job: Any) -> Sequence[Any]:
    """The same of any job that tells; may fetch. The values of an estimator's PUB follow its observables."""
    if found := circuits_here(job):
        return found
    inputs = probed(job, "inputs")
    if not isinstance(inputs, Mapping):
        return _listed(probed(job, "circuits"))
    place = 2 if probed(job, "primitive_id") == "estimator" else 1
    pubs = [pub for pub in _listed(inputs.get("pubs")) if isinstance(pub, (list, tuple)) and pub]
    return [(pub[0], pub[place] if len(pub) > place else None) for pub in pubs]


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


class JobReader:
    """Reads one job of another library; not from two threads at once."""

    def __init__(self, job: Any) -> None:
        self._job = job
        self.job_id = str(job.job_id())
        if not self.job_id or self.job_id == "None":
            raise InvalidInput(f"This {type(job).__name__} has no id yet; submit it first.")
        self.name: str | None = None
        self._identity: dict[str, Any] | None = None
        self._doubtful = True

    @property
    def instant(self) -> bool:
        """Whether `read` never waits: the job runs on a future of this process."""
        return future_of(self._job) is not None

    def read(self) -> JobSnapshot:
        """What the job says now; raises what `status()` raises."""
        future = future_of(self._job)
        said = self._said() if future is None else self._done(future)
        if self._identity is None:
            self.name = _text(probed(self._job, "name")) or None
            self._identity = {
                "tags": _texts(probed(self._job, "tags")),
                "backend": _backend_name(self._job),
                "created": moment(probed(self._job, "creation_date")),
                "program": _text(probed(self._job, "primitive_id")),
            }
        facts = {**self._identity, **said}
        return JobSnapshot(self.job_id, **facts)

    def _done(self, future: Future[Any]) -> dict[str, Any]:
        """The state of a future, and why it failed."""
        if future.cancelled():
            return {"status": Status.CANCELLED, "word": "CANCELLED"}
        if not future.done():
            if future.running():
                return {"status": Status.RUNNING, "word": "RUNNING"}
            waiting = IN_PROCESS[in_process_class(self._job) or "PrimitiveJob"]
            return {"status": waiting, "word": waiting.name}
        error = future.exception()
        if error is not None:
            return {"status": Status.ERROR, "word": "ERROR", "reason": sentence(error)}
        outcome = future.result()
        if getattr(outcome, "success", True) is False:
            return {"status": Status.ERROR, "word": "ERROR", "reason": result_trouble(outcome)}
        return {"status": Status.DONE, "word": "DONE"}

    def _said(self) -> dict[str, Any]:
        word = _word(self._job.status())
        status = self._state(word)
        if self._doubtful:
            # A job that is only starting may say ERROR: the first such answer is asked again.
            self._doubtful = False
            if status is Status.ERROR:
                return {"status": Status.INITIALIZING, "word": NOT_ASKED}
        facts: dict[str, Any] = {"status": status, "word": word}
        if status is Status.QUEUED:
            position = probed(self._job, "queue_position")
            if isinstance(position, int) and not isinstance(position, bool) and position >= 0:
                facts["queue"] = QueueInfo(position, status.name, job_id=self.job_id)
        if status is Status.ERROR:
            facts["reason"] = _text(probed(self._job, "error_message")) or None
        if status.final:
            facts.update(_metrics(probed(self._job, "metrics")))
        return facts

    def _state(self, word: str) -> Status:
        if word.upper() in Status.__members__:
            return Status[word.upper()]
        text = word.lower()
        for start, status in WORDS.items():
            if text.startswith(start):
                return status
        status = from_server(word)
        return self._state_of_freeform() if status is Status.INITIALIZING else status

    def _state_of_freeform(self) -> Status:
        """The state of a job whose `status()` is of a form of its own, from Qiskit's yes-or-no methods."""
        for name, status in (
            ("done", Status.DONE),
            ("cancelled", Status.CANCELLED),
            ("running", Status.RUNNING),
            ("in_final_state", Status.ERROR),
        ):
            if probed(self._job, name) is True:
                return status
        return Status.INITIALIZING


class Foreign(Protocol):
    """A job of another library; that it has these two is all that is asked of it."""

    def job_id(self) -> str:
        """Its id."""

    def status(self) -> object:
        """Its state, as a word or an enum."""


class Told(Protocol):
    """Who asks again when an answer came late: a `Monitor`."""

    def refresh(self, job: Watchable) -> None:
        """Ask about `job` now."""


class ForeignJob:
    """A job of another library as the monitor and the panels see it. `adapted` makes it."""

    def __init__(self, job: Any) -> None:
        self.job = job
        self._reader = JobReader(job)
        self._questions = Questions(shared_pool(), self._answer_came)
        self._told: weakref.WeakSet[Any] = weakref.WeakSet()
        self._part = JobSnapshot(self._reader.job_id, Status.INITIALIZING, NOT_ASKED)
        self._snapshot: CompositeSnapshot | None = None
        self._label = ""
        tells = circuits_here(job) or any(hasattr(type(job), name) for name in ("inputs", "circuits"))
        self.described: Callable[[int], tuple[Described, ...]] | None = self._described if tells else None
        """Names and values of its first hundred circuits, which may be fetched; None where it has none."""

    def label(self, index: int) -> str:
        """Which circuits it has, in 80 characters; "" while that is not known. Asks nobody."""
        return self._label or label(circuits_here(self.job))

    def _described(self, index: int) -> tuple[Described, ...]:
        items = circuits_of(self.job)
        self._label = label(items)
        return described(items)

    def job_id(self) -> str:
        """The job's id."""
        return self._reader.job_id

    @property
    def snapshot(self) -> CompositeSnapshot:
        """All that is known now, without asking: a composite of one part."""
        part, name = self._part, self._reader.name
        if self._snapshot is None or self._snapshot.parts[0] is not part or self._snapshot.name != name:
            tags = composite_tags.of_user(part.tags)
            self._snapshot = CompositeSnapshot(
                part.job_id, (part,), name, tags, part.backend, composite=False
            )
        return self._snapshot

    @property
    def source(self) -> ForeignJob:
        """Itself: one such job says nothing about another."""
        return self

    @property
    def pace(self) -> Pace:
        """Often, where asking costs nothing; otherwise as a hosted service is asked."""
        return LOOPBACK if self._reader.instant else HOSTED

    def ask(self, jobs: Sequence[Watchable]) -> bool:
        """See `Source.ask`; an answer that takes longer than a moment is absorbed when it has come."""
        found, trouble = self._questions.ask({self.job_id(): self._reader})
        self.absorb(found)
        if trouble is not None:
            raise trouble
        return bool(found)

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        """Take what the job said."""
        for news in found:
            self._part = _seen(news, self._part, datetime.now(timezone.utc))

    def tell(self, monitor: Told) -> None:
        """Have `monitor` look when an answer came late."""
        self._told.add(monitor)

    def _answer_came(self) -> None:
        for monitor in list(self._told):
            monitor.refresh(self)


class CancellableForeignJob(ForeignJob):
    """A job of another library that can be cancelled."""

    def cancel(self) -> None:
        """Cancel the job.

        Raises:
            Conflict: If the job says that it cannot be cancelled any more.
        """
        cancel(self.job)


def cancel(job: Any) -> None:
    """Cancel a job of another library.

    Raises:
        Conflict: If it has no `cancel`, or if that gives False, as futures that have begun do.
    """
    ability = getattr(job, "cancel", None)
    if not callable(ability):
        raise Conflict(f"A {type(job).__name__} cannot be cancelled.")
    if ability() is False:
        raise Conflict(f"Job {job.job_id()} says that it cannot be cancelled: it has begun or has ended.")


_adapters: weakref.WeakValueDictionary[int, ForeignJob] = weakref.WeakValueDictionary()
_adapters_lock = threading.Lock()

with contextlib.suppress(AttributeError):  # Windows has no fork
    # A forked child has none of the threads that asked.
    os.register_at_fork(after_in_child=_adapters.clear)


def adapted(job: Watchable | Foreign) -> Watchable:
    """`job` as something that can be watched: itself, or the one adapter of a job of another library.

    Raises:
        InvalidInput: If it is no job.
    """
    if is_watchable(job):
        return cast(Watchable, job)
    if not is_foreign(job):
        raise InvalidInput(
            f"{type(job).__name__} is no job: a job has job_id() and status(). Give a job, or a job's id."
        )
    with _adapters_lock:
        # The adapter keeps the job alive, so that its id() means it for as long as there is an adapter.
        found = _adapters.get(id(job))
        if found is None:
            try:
                str(job.job_id())
            except Exception as error:
                raise InvalidInput(
                    f"job_id() of this {type(job).__name__} failed: {sentence(error)}"
                ) from None
            kind = CancellableForeignJob if callable(getattr(job, "cancel", None)) else ForeignJob
            found = _adapters[id(job)] = kind(job)
        return found


def is_watchable(job: object) -> bool:
    """Whether the monitor can watch `job` as it is."""
    has = all(hasattr(job, name) for name in ("snapshot", "source", "absorb", "job_id"))
    return has and not isinstance(job, type)


def is_foreign(job: object) -> bool:
    """Whether `job` is a job of another library."""
    has = [callable(getattr(job, name, None)) for name in ("job_id", "status")]
    return all(has) and not isinstance(job, type)


def _seen(news: JobSnapshot, before: JobSnapshot, now: datetime) -> JobSnapshot:
    """`news` with the moments at which its changes were seen, where the job does not tell them.

    Of a job that had ended when it was first asked, nobody has seen when.
    """
    running = news.running or before.running
    finished = news.finished or before.finished
    if running is None and news.status is Status.RUNNING:
        running = now
    if finished is None and news.final and before.word != NOT_ASKED:
        finished = now
    told = (news.running, news.finished) == (running, finished)
    return replace(news, running=running, finished=finished, times_seen=not told)


def sentence(error: BaseException) -> str:
    """An exception as a person quotes it."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def result_trouble(result: Any) -> str:
    """Why a Qiskit `Result` is no success: its own status and the first that a circuit has."""
    said = [str(getattr(result, "status", "") or "")]
    for experiment in getattr(result, "results", None) or ():
        if not getattr(experiment, "success", True):
            said.append(str(getattr(experiment, "status", "") or ""))
            break
    return ": ".join(dict.fromkeys(text for text in said if text)) or "the result is no success"


def _word(said: object) -> str:
    return said.name if isinstance(said, Enum) else str(said)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return ()
    return tuple(item for item in value if isinstance(item, str))


def _backend_name(job: object) -> str:
    backend = probed(job, "backend")
    return _text(backend) or _text(probed(backend, "name"))


def moment(value: object) -> datetime | None:
    """A time as others give it, in UTC: one without a zone is local time; None if it is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
    return value.astimezone(timezone.utc) if isinstance(value, datetime) else None


def _metrics(metrics: object) -> dict[str, Any]:
    """Times and QPU seconds from what IBM's jobs call metrics."""
    if not isinstance(metrics, dict):
        return {}
    stamps, usage = metrics.get("timestamps"), metrics.get("usage")
    facts: dict[str, Any] = {}
    for name in ("created", "running", "finished"):
        found = moment(stamps.get(name)) if isinstance(stamps, dict) else None
        if found is not None:
            facts[name] = found
    seconds = usage.get("qpu_charge_time_seconds") if isinstance(usage, dict) else None
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        facts["usage_seconds"] = float(seconds)
    return facts
