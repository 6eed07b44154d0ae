"""Saved jobs: what is known of a job, in one file that outlives the service's memory of it.

The file is a zip: `job.json` (facts and results), `arrays.npz` (their numbers) and `circuits.qpy`. No pickle.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import uuid
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit, qpy
from qiskit.primitives import PrimitiveResult
from qiskit.providers import JobStatus
from qiskit.result import Result

from qjob_widgets import tags as composite_tags
from qjob_widgets.errors import ApiError, InvalidInput
from qjob_widgets.jobs.errors import (
    IBMJobFailureError,
    IBMJobInvalidStateError,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
)
from qjob_widgets.jobs.report import failure_report, status_report
from qjob_widgets.jobs.results import archive
from qjob_widgets.jobs.sending.parts import in_order
from qjob_widgets.jobs.states import to_qiskit
from qjob_widgets.monitor.described import Described, KnownCircuits
from qjob_widgets.monitor.watch import Pace, Watchable
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot
from qjob_widgets.status import Status

FORMAT = 1
"""Version of the file's form; a newer one is refused."""

_JOB, _ARRAYS, _CIRCUITS = "job.json", "arrays.npz", "circuits.qpy"


@dataclass(frozen=True)
class _Nobody:
    """Who is asked about a job that was loaded from a file: nobody answers, and it says so."""

    saved: datetime

    @property
    def pace(self) -> Pace:
        """Hardly ever: the answer stays the same."""
        return Pace(shortest=3600, longest=3600)

    def ask(self, jobs: Sequence[Watchable]) -> None:
        """See `Source.ask`."""
        raise ApiError(f"the facts are of a file saved at {self.saved.astimezone():%Y-%m-%d %H:%M:%S}")


@dataclass(frozen=True, repr=False, eq=False)
class SavedJob:
    """A job as it was when it was saved. `qjob_widgets.load(path)` gives it; a panel can show it.

    Nothing of it changes and nothing is asked: `api.job(saved.job_id())` is the job itself, for as long as
    the service knows it.

    Args:
        snapshot: What was known.
        saved: When it was saved, in UTC.
        created: When the job was created.
        found: Its result in the partial form.
        submissions: Every submission of every part, each with its part's index.
        known: Which circuits the parts have, in words.
    """

    snapshot: CompositeSnapshot
    saved: datetime
    created: datetime | None
    found: Any
    submissions: tuple[tuple[int, JobSnapshot], ...] = ()
    _circuits: bytes = b""
    known: Mapping[int, KnownCircuits] = field(default_factory=dict)
    source: _Nobody = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", _Nobody(self.saved))

    def __repr__(self) -> str:
        return f"<SavedJob {self.job_id()}: {self.snapshot.status.value}>"

    def job_id(self) -> str:
        """The job's id."""
        return self.snapshot.job_id

    def name(self) -> str | None:
        """The job's name; None if it has none."""
        return self.snapshot.name

    def tags(self) -> list[str]:
        """The user's tags."""
        return list(self.snapshot.tags)

    def creation_date(self) -> datetime | None:
        """When the job was created, in local time; None if that is not known."""
        return None if self.created is None else self.created.astimezone()

    def status(self) -> JobStatus:
        """The state it was in."""
        return to_qiskit(self.snapshot.status)

    def report(self, detailed: bool = True) -> str:
        """Counts by status and, with `detailed`, circuits, index, id and status of each part."""
        return status_report(self.snapshot, detailed=detailed)

    def error_message(self) -> str | None:
        """What went wrong, a line a failed part; None if nothing did."""
        return failure_report(self.snapshot) if self.snapshot.composite else _why_failed(self.snapshot)

    def attempts(self, index: int) -> list[JobSnapshot]:
        """All submissions of a part, the first one first: those before the last tell why it was rerun."""
        return in_order(one for part, one in self.submissions if part == index)

    def result(self, partial: bool = False) -> Any:
        """The result.

        Args:
            partial: Give it also where parts have none, in the form of `CompositeJob.result(partial=True)`.

        Raises:
            IBMJobInvalidStateError: If the job was cancelled, had not ended when it was saved, or the service
                had lost a result by then. A single job raises `RuntimeInvalidStateError`.
            IBMJobFailureError: If a part failed. A single job raises `RuntimeJobFailureError`.
        """
        status, composite = self.snapshot.status, self.snapshot.composite
        if partial or (status is Status.DONE and _is_whole(self.found)):
            return self.found
        if status is Status.ERROR:
            failed = IBMJobFailureError if composite else RuntimeJobFailureError
            raise failed(f"The job failed. {self.error_message()}")
        words = {
            Status.DONE: "is done, but a result was not to be had when it was saved",
            Status.CANCELLED: "was cancelled",
        }
        invalid = IBMJobInvalidStateError if composite else RuntimeInvalidStateError
        said = words.get(status, "had not ended when it was saved")
        raise invalid(f"The job {said}; result(partial=True) gives what there is.")

    def label(self, index: int) -> str:
        """Which circuits a part has, in 80 characters; "" if that was not known."""
        return self.known[index].label if index in self.known else ""

    def described(self, index: int) -> tuple[Described, ...]:
        """The first hundred circuits of a part, by name and values; none if they were not known."""
        return self.known[index].described if index in self.known else ()

    def circuits_by_part(self) -> Mapping[int, KnownCircuits]:
        """Which circuits the parts have, by index, as far as that was known."""
        return self.known

    def circuits(self) -> list[QuantumCircuit]:
        """The circuits; none if they were not known or not saved.

        Raises:
            InvalidInput: If this version of Qiskit cannot read them.
        """
        if not self._circuits:
            return []
        try:
            return list(qpy.load(io.BytesIO(self._circuits)))
        except Exception as error:
            raise InvalidInput(
                f"The saved circuits cannot be read by this version of Qiskit ({error}); update qiskit."
            ) from error

    def absorb(self, found: Sequence[JobSnapshot], gone: Collection[str] = ()) -> None:
        """Nothing: what was saved does not change."""


def _why_failed(snapshot: CompositeSnapshot) -> str | None:
    (job,) = snapshot.parts
    return job.why if job.status is Status.ERROR else None


def _is_whole(found: Any) -> bool:
    """Whether nothing in a result only stands in the place of what is missing."""
    if isinstance(found, PrimitiveResult):
        return found.metadata.get("success") is not False
    return bool(found.success) if isinstance(found, Result) else True


def saved_job(
    snapshot: CompositeSnapshot,
    found: Any,
    circuits: Sequence[QuantumCircuit],
    *,
    submissions: Iterable[tuple[int, JobSnapshot]] = (),
    created: datetime | None,
    known: Mapping[int, KnownCircuits] | None = None,
    now: datetime | None = None,
) -> SavedJob:
    """What is known of a job, ready to be written.

    Args:
        snapshot: Where its parts stand.
        found: Its result in the partial form.
        circuits: Its circuits; empty leaves them out.
        submissions: Every submission of every part, each with its part's index.
        created: When it was created.
        known: Which circuits its parts have, in words.
        now: The time of day; that of this machine by default.

    Raises:
        InvalidInput: If the circuits hold what cannot be saved.
    """
    file = io.BytesIO()
    try:
        if circuits:
            qpy.dump(list(circuits), file)
    except Exception as error:
        # Instructions of other libraries may raise anything.
        raise InvalidInput(
            f"The circuits cannot be saved ({type(error).__name__}: {error}); circuits=False leaves them out."
        ) from error
    # What was on its way is on its way no more for whoever reads the file.
    still = dataclasses.replace(snapshot, sending=0, elsewhere=0)
    saved = now or datetime.now(timezone.utc)
    return SavedJob(still, saved, created, found, tuple(submissions), file.getvalue(), dict(known or {}))


def save(job: SavedJob, path: str | os.PathLike[str]) -> None:
    """Write `job` into one file, whole or not at all; a file that is there is replaced.

    Raises:
        InvalidInput: If it cannot be written there, or the result holds what cannot be saved.
    """
    arrays = archive.Arrays()
    facts = {
        "format": FORMAT,
        "kind": "qjob_widgets.SavedJob",
        "saved": job.saved.isoformat(),
        "created": None if job.created is None else job.created.isoformat(),
        "snapshot": _facts(job.snapshot),
        "submissions": [[index, _fields(one)] for index, one in job.submissions],
        "result": archive.pack(job.found, arrays),
        "known": {index: _words(each) for index, each in job.known.items()},
    }
    contents: dict[str, Callable[[], bytes]] = {
        _JOB: lambda: json.dumps(facts, allow_nan=False).encode(),
        _ARRAYS: arrays.to_bytes,
        _CIRCUITS: lambda: job._circuits,
    }
    try:
        target = Path(path)
    except TypeError:
        raise InvalidInput(f"{path!r} is no path; give a text or a pathlib.Path.") from None
    try:
        with _replacing(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archived:
            for name, content in contents.items():
                archived.writestr(name, content())
    except OSError as error:
        raise InvalidInput(
            f"The job cannot be saved as {str(target)!r} ({error.strerror or error}); give another path."
        ) from error


@contextlib.contextmanager
def _replacing(target: Path) -> Any:
    """A file beside `target` that takes its place when all of it is written."""
    if target.is_dir():
        raise IsADirectoryError(0, "it is a folder")
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def load(path: str | os.PathLike[str]) -> SavedJob:
    """A job, composite or single, that its `save(path)` wrote. Asks no service.

    Raises:
        InvalidInput: If the file is none of ours, damaged, or of a newer version.
    """
    try:
        with zipfile.ZipFile(path) as archived:
            facts = json.loads(archived.read(_JOB))
            _check(facts, path)
            arrays = archive.Arrays.from_bytes(archived.read(_ARRAYS))
            circuits = archived.read(_CIRCUITS)
        return SavedJob(
            _snapshot(facts["snapshot"]),
            datetime.fromisoformat(facts["saved"]),
            None if facts["created"] is None else datetime.fromisoformat(facts["created"]),
            archive.unpack(facts["result"], arrays),
            tuple((index, _part(one)) for index, one in facts["submissions"]),
            circuits,
            {int(index): _known(each) for index, each in facts.get("known", {}).items()},
        )
    except InvalidInput:
        raise
    except FileNotFoundError:
        raise InvalidInput(f"There is no file {str(path)!r}.") from None
    except Exception as error:
        # Whatever stands in a file, it must not end in a traceback of a decoder.
        raise InvalidInput(
            f"{str(path)!r} is no saved job, or it is damaged ({type(error).__name__}: {error});"
            " job.save(path) writes such a file."
        ) from error


def _check(facts: Any, path: object) -> None:
    if not isinstance(facts, dict) or facts.get("kind") != "qjob_widgets.SavedJob":
        raise ValueError("it has no facts of a job")
    if facts["format"] > FORMAT:
        raise InvalidInput(
            f"{str(path)!r} was saved by a newer qjob_widgets (format {facts['format']}; this one reads up"
            f" to {FORMAT}); update qjob_widgets."
        )


def _words(known: KnownCircuits) -> list[Any]:
    return [known.label, [[one.name, dict(one.parameters)] for one in known.described]]


def _known(words: Sequence[Any]) -> KnownCircuits:
    label, described = words
    return KnownCircuits(label, tuple(Described(name, values) for name, values in described))


# A queue position is of its moment only: it is not saved.
_UNSAVED = {"queue"}


def _facts(snapshot: CompositeSnapshot) -> dict[str, Any]:
    """All fields of a snapshot by name, its parts in a list."""
    facts = _fields(snapshot)
    return {**facts, "parts": [_fields(part) for part in snapshot.parts]}


def _fields(snapshot: CompositeSnapshot | JobSnapshot) -> dict[str, Any]:
    return {
        one.name: _plain(getattr(snapshot, one.name))
        for one in dataclasses.fields(snapshot)
        if one.name not in {*_UNSAVED, "parts"}
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Status):
        return value.name
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, composite_tags.Place):
        return list(dataclasses.astuple(value))
    return value


def _snapshot(facts: Mapping[str, Any]) -> CompositeSnapshot:
    # An older or newer minor version may know fewer or more facts of a job than this one.
    known = {one.name for one in dataclasses.fields(CompositeSnapshot)}
    whole = {name: value for name, value in facts.items() if name in known}
    whole["parts"] = tuple(_part(part) for part in facts["parts"])
    whole["tags"] = tuple(facts["tags"])
    return CompositeSnapshot(**whole)


def _part(facts: Mapping[str, Any]) -> JobSnapshot:
    known = {one.name for one in dataclasses.fields(JobSnapshot)}
    part = {name: value for name, value in facts.items() if name in known}
    part["status"] = Status[facts["status"]]
    part["tags"] = tuple(facts["tags"])
    for name in ("created", "running", "finished"):
        part[name] = None if facts[name] is None else datetime.fromisoformat(facts[name])
    part["place"] = None if facts["place"] is None else composite_tags.Place(*facts["place"])
    return JobSnapshot(**part)
